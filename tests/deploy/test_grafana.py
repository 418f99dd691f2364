"""The dashboard for Grafana: as the library is now, its statements run, its expressions parse."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from ingest.stores.contract import Reader
from tests.queries.engines import store_of
from tests.queries.rows import draw_rows
from tests.support.command_line import ROOT

FOLDER = ROOT / "deploy/grafana"
BOARD: dict[str, Any] = json.loads((FOLDER / "ttsq.json").read_text("utf-8"))
PANELS = {p["title"]: p for p in BOARD["panels"]}


def test_the_dashboard_is_that_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    import make_dashboard  # type: ignore[import-not-found]

    assert make_dashboard.main(["--check"]) == 0
    sys.modules.pop("make_dashboard")


def test_every_statement_runs_on_postgresql(tmp_path: Path) -> None:
    store = store_of("postgresql", tmp_path / "unused", draw_rows(1))
    asked = 0
    with store.reading() as reader:
        for title, panel in PANELS.items():
            for target in panel["targets"]:
                if "rawSql" in target:
                    _runs(reader, target["rawSql"], title)
                    asked += 1
    assert asked > 10


def _runs(reader: Reader, sql: str, title: str) -> None:
    """As Grafana does it: its macros become literals."""
    for macro, value in (
        ("$__timeFrom()", "'2026-03-02T05:00:00Z'"), ("$__timeTo()", "'2026-03-02T15:00:00Z'"),
        ("$__interval_ms", "60000"), ("${host:sqlstring}", "''"),
    ):  # fmt: skip
        sql = sql.replace(macro, value)
    assert "${" not in sql and "$__" not in sql
    assert reader.query(sql, None).rows, title


def test_every_expression_is_of_a_metric_that_there_is() -> None:
    page = (ROOT / "docs/timers.md").read_text("utf-8")
    found = [t["expr"] for p in PANELS.values() for t in p["targets"] if "expr" in t]
    for expression in found:
        promql_parser.parse(expression)
        assert f"`{re.findall(r'ttsq_[a-z_]+', expression)[0]}`" in page
    assert found


def test_provisioning_names_the_sources_of_the_panels() -> None:
    text = (FOLDER / "provisioning/datasources/ttsq.yaml").read_text("utf-8")
    sources = {s["uid"]: s["type"] for s in yaml.safe_load(text)["datasources"]}
    used = {p["datasource"]["uid"]: p["datasource"]["type"] for p in PANELS.values()}
    assert used == sources
    assert not re.search(r"password: (?!\$\{)", text)
