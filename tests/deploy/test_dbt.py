"""deploy/dbt: its models run on every engine, and its metrics name what there is.

dbt itself is no requirement of the tests: it brings forty packages and a DuckDB of its own.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingest.stores.views import VIEWS
from tests.queries.engines import ENGINES, store_of
from tests.queries.rows import draw_rows
from tests.support.command_line import ROOT

MODELS = ROOT / "deploy" / "dbt" / "models"
_SOURCE = re.compile(r"\{\{ source\('ttsq', '(\w+)'\) \}\}")


@pytest.fixture(scope="module")
def metrics() -> Any:
    return yaml.safe_load((MODELS / "metrics.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("engine", ENGINES)
def test_every_model_has_the_columns_that_it_declares(
    engine: str, metrics: Any, tmp_path: Path
) -> None:
    store = store_of(engine, tmp_path / "s.duckdb", draw_rows(1, 20))
    declared = {m["name"]: [c["name"] for c in m["columns"]] for m in metrics["models"]}
    assert declared.keys() == {path.stem for path in MODELS.glob("*.sql")}
    for name, columns in declared.items():
        written = (MODELS / f"{name}.sql").read_text(encoding="utf-8")
        with store.reading() as reader:
            found = reader.query(_SOURCE.sub(r"\1", written), {})
        assert set(columns) <= set(found.columns)
        assert found.rows


def test_metrics_are_made_of_measures_and_metrics_that_there_are(metrics: Any) -> None:
    (model,) = metrics["semantic_models"]
    assert "primary_entity" in model
    measures = {m["name"]: m.get("create_metric", False) for m in model["measures"]}
    known = {m["name"] for m in metrics["metrics"]} | {m for m, made in measures.items() if made}
    for metric in metrics["metrics"]:
        given = metric["type_params"]
        if metric["type"] == "simple":
            assert given["measure"] in measures
        else:
            assert {given["numerator"], given["denominator"]} <= known
    # without a time spine no metric is accepted
    assert [m["name"] for m in metrics["models"] if "time_spine" in m] == ["hours"]


def test_a_semantic_model_goes_by_columns_of_its_model(metrics: Any) -> None:
    (model,) = metrics["semantic_models"]
    name = re.fullmatch(r"ref\('(\w+)'\)", model["model"])[1]  # type: ignore[index]
    written = (MODELS / f"{name}.sql").read_text(encoding="utf-8")
    for part in ("entities", "dimensions", "measures"):
        for column in model[part]:
            assert re.search(rf"\b{column['name']}\b", written), column


def test_the_sources_are_the_views() -> None:
    sources = yaml.safe_load((MODELS / "sources.yml").read_text(encoding="utf-8"))
    (source,) = sources["sources"]
    assert [t["name"] for t in source["tables"]] == [v.name for v in VIEWS]
