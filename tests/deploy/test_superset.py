"""The dashboard for Superset: as the library of queries has it, its SQL on a real store as the
reader, and settings that do not go without secrets.

Superset itself is too big for these tests: deploy/superset/native runs it.
"""

import importlib
import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from sqlalchemy.engine import make_url

from ingest.named_queries.library import load_query
from ingest.stores.binds import replace_binds
from tests.support import postgres_server
from tests.support.command_line import ROOT

FOLDER = ROOT / "deploy" / "superset"
sys.path.append(str(FOLDER))
make_bundle = importlib.import_module("make_bundle")
panels = importlib.import_module("panels")
check = importlib.import_module("check")
NAMES = [panel.query for panel in panels.PANELS]
_READER = "superset_reader"
_CONDITION = re.compile(r"{% if (\w+) %}(.*?){% else %}(.*?){% endif %}")


def bundle(part: str) -> dict[str, Any]:
    """The files of a part of the bundle, by their names."""
    found = (FOLDER / "bundle" / part).rglob("*.yaml")
    return {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in found}


def rendered(sql: str, **values: str) -> str:
    """What Superset makes of the templates that a dataset has."""
    chosen = _CONDITION.sub(lambda m: m[2] if m[1] in values else m[3], sql)
    return re.sub(r"{{ (\w+) }}", lambda m: values[m[1]], chosen)


def test_the_bundle_is_as_the_queries_are() -> None:
    assert make_bundle.differences(FOLDER / "bundle") == []
    command = [sys.executable, FOLDER / "make_bundle.py", "--check"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    assert subprocess.run(command, env=environment).returncode == 0


def test_a_changed_query_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def changed(name: str, **how: Any) -> Any:
        query = load_query(name, **how)
        sql = query.sql.replace("percentile_cont(0.95)", "percentile_cont(0.96)")
        return query._replace(sql=sql)

    monkeypatch.setattr(panels, "load_query", changed)
    assert make_bundle.differences(FOLDER / "bundle") == ["datasets/ttsq/latency_over_time.yaml"]


def test_missing_and_foreign_files_are_noticed_and_writing_mends_them(tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    shutil.copytree(FOLDER / "bundle", folder)
    (folder / "charts" / "error_codes.yaml").unlink()
    (folder / "charts" / "foreign.yaml").write_text("")
    assert make_bundle.differences(folder) == ["charts/error_codes.yaml", "charts/foreign.yaml"]
    make_bundle.write(folder)
    assert make_bundle.differences(folder) == []


def test_there_are_eight_panels_and_everything_refers_to_what_is_there() -> None:
    charts, datasets, databases = bundle("charts"), bundle("datasets"), bundle("databases")
    (dashboard,) = bundle("dashboards").values()
    assert len(NAMES) == len(set(NAMES)) == len(charts) == len(datasets) == 8
    assert {c["dataset_uuid"] for c in charts.values()} == {d["uuid"] for d in datasets.values()}
    assert {d["database_uuid"] for d in datasets.values()} == {databases["ttsq"]["uuid"]}
    placed = [p["meta"]["uuid"] for p in dashboard["position"].values() if "CHART" in p_type(p)]
    assert sorted(placed) == sorted(c["uuid"] for c in charts.values())
    assert all(name in chart["slice_name"] for name, chart in charts.items())


def p_type(part: Any) -> str:
    return str(part["type"]) if isinstance(part, dict) else ""


def test_the_connection_is_the_readers_and_has_no_password() -> None:
    database = bundle("databases")["ttsq"]
    url = make_url(database["sqlalchemy_uri"])
    assert (url.username, url.password, url.database) == ("reader", None, "ttsq")
    assert not any(
        database[k] for k in ("allow_dml", "allow_ctas", "allow_cvas", "allow_file_upload")
    )


def test_a_statement_with_braces_is_refused() -> None:
    query = load_query("error_codes", backend="postgresql")
    with pytest.raises(ValueError, match="Jinja"):
        make_bundle.dataset_sql(query._replace(sql=f"{query.sql} -- {{{{ x }}}}"))


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator["psycopg.Connection[Any]"]:
    """The demo's logs in a store, seen by a role that may read and nothing else."""
    server = postgres_server.server()
    url = postgres_server.new_url()
    database = make_url(url).database
    assert database is not None
    with server.connect() as connection:
        connection.execute(f"create role {_READER} login")
    folder = tmp_path_factory.mktemp("superset")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TTSQ_", "PG"))}
    for command in (
        ["demo", "--tz", "UTC", "logs"],
        ["--db", url, "ingest", "--tz", "UTC", "--host", "tts-1", "logs"],
        ["--db", url, "db", "grant-reader", _READER],
    ):
        subprocess.run(
            [sys.executable, "-m", "ingest", *command],
            check=True, cwd=folder, env=environment | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
        )  # fmt: skip
    with psycopg.connect(
        host=str(server.folder), port=server.port, dbname=database, user=_READER, autocommit=True
    ) as connection:
        connection.execute("set time zone 'Asia/Shanghai'")  # the range is in UTC, whatever this is
        yield connection


def columns_of(chart: dict[str, Any]) -> set[str]:
    """The columns of the dataset that a chart uses, its metrics' too."""
    form = chart["params"]
    metrics = [re.fullmatch(r"\w+\((\w+)\)", m["sqlExpression"]) for m in form.get("metrics", [])]
    assert all(metrics)
    used = {form["x_axis"]} if "x_axis" in form else set()
    return (
        used
        | {m[1] for m in metrics if m}
        | {*form.get("groupby", []), *form.get("all_columns", [])}
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_reader_gets_what_a_chart_shows(name: str, reader: "psycopg.Connection[Any]") -> None:
    dataset, chart = bundle("datasets")[name], bundle("charts")[name]
    (panel,) = [p for p in panels.PANELS if p.query == name]
    cursor = reader.execute(rendered(dataset["sql"]))
    assert cursor.description is not None
    got = [c.name for c in cursor.description]
    rows = cursor.fetchall()
    assert got == [c["column_name"] for c in dataset["columns"]]
    assert got == [c.name for c in panel.load().columns]
    assert columns_of(chart) == set(panel.columns) <= set(got)
    assert rows and all(any(r[got.index(c)] is not None for r in rows) for c in panel.columns)


@pytest.mark.parametrize("name", NAMES)
def test_the_range_of_the_dashboard_is_that_of_the_query(
    name: str, reader: "psycopg.Connection[Any]"
) -> None:
    (panel,) = [p for p in panels.PANELS if p.query == name]
    query = panel.load()
    until = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    since = until - timedelta(hours=3)
    ends = {"from_dttm": f"{since:%Y-%m-%dT%H:%M:%S}", "to_dttm": f"{until:%Y-%m-%dT%H:%M:%S}"}
    written = replace_binds(query.sql.replace("%", "%%"), lambda bind: f"%({bind})s")
    values = {p.name: p.default for p in query.params} | {"since": since, "until": until}
    wanted = reader.execute(written, values).fetchall()
    sql = bundle("datasets")[name]["sql"]
    assert wanted and reader.execute(rendered(sql, **ends)).fetchall() == wanted
    assert reader.execute(rendered(sql)).fetchall() != wanted


@pytest.mark.parametrize("name", NAMES)
def test_the_check_asks_for_columns_that_are_there(name: str) -> None:
    form = bundle("charts")[name]["params"] | {"datasource": "7__table"}
    (asked,) = check.query_context({"form_data": form})["queries"]
    there = {c["column_name"] for c in bundle("datasets")[name]["columns"]}
    assert asked["columns"] and set(asked["columns"]) <= there
    assert {f["col"] for f in asked["filters"]} <= there
    assert len(NAMES) == check.CHARTS and check.DASHBOARD == make_bundle.SLUG


SECRETS = ("superset_secret_key", "superset_admin_password", "superset_db_password", "reader_password")  # fmt: skip  # noqa: E501


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in SECRETS:
        (tmp_path / name).write_text(f"{name} p@ss/w:rd\n")
    monkeypatch.setenv("TTSQ_SUPERSET_SECRETS", str(tmp_path))
    monkeypatch.setenv("TTSQ_SUPERSET_POSTGRES", "db.example.org:5433")
    return tmp_path


def settings() -> dict[str, Any]:
    return runpy.run_path(str(FOLDER / "superset_config.py"))


def test_passwords_come_from_files_and_reach_only_the_store(secrets: Path) -> None:
    found = settings()
    metadata = make_url(found["SQLALCHEMY_DATABASE_URI"])
    assert metadata.password == "superset_db_password p@ss/w:rd"
    assert (metadata.host, metadata.port, metadata.database) == ("db.example.org", 5433, "superset")
    assert found["SECRET_KEY"] == "superset_secret_key p@ss/w:rd"
    assert found["ADMIN_PASSWORD"] == "superset_admin_password p@ss/w:rd"
    store = make_url(bundle("databases")["ttsq"]["sqlalchemy_uri"])
    url, params = found["DB_CONNECTION_MUTATOR"](store, {"x": 1}, None, None, None)
    assert (url.host, url.port, url.password) == (
        "db.example.org",
        5433,
        "reader_password p@ss/w:rd",
    )
    assert params == {"x": 1}
    for other in ("postgresql://reader@evil/other", "postgresql://someone@evil/ttsq"):
        assert found["DB_CONNECTION_MUTATOR"](make_url(other), {})[0] == make_url(other)
    assert found["FEATURE_FLAGS"]["ENABLE_TEMPLATE_PROCESSING"] is True


@pytest.mark.parametrize("name", SECRETS)
def test_it_does_not_start_without_a_secret(secrets: Path, name: str) -> None:
    (secrets / name).write_text("admin")
    with pytest.raises(RuntimeError, match=f"{name} has fewer than 16 characters"):
        settings()
    (secrets / name).unlink()
    with pytest.raises(RuntimeError, match=f"cannot read the secret .*{name}"):
        settings()


@pytest.mark.parametrize("value", ["", "postgres", ":5432", "postgres:", "postgres:x"])
def test_it_does_not_start_without_a_server(
    secrets: Path, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTSQ_SUPERSET_POSTGRES", value)
    with pytest.raises(RuntimeError, match="TTSQ_SUPERSET_POSTGRES"):
        settings()


def test_every_package_of_the_image_is_pinned() -> None:
    lines = (FOLDER / "requirements.txt").read_text("utf-8").splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert [line for line in wanted if not re.fullmatch(r"[\w.-]+==[\w.]+", line)] == []
    assert {"apache_superset", "psycopg2-binary"} <= {line.partition("==")[0] for line in wanted}
