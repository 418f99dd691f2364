"""The package ``ttsq``: what Python code and notebooks use."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

import ttsq
from ingest.tasks.demo import write_demo
from tests.support.command_line import ROOT, CommandLine

NOW = datetime(2026, 3, 3, 14, 40, tzinfo=UTC)


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    line = CommandLine(tmp_path_factory.mktemp("package")).with_tables()
    write_demo(line.folder / "logs", now=NOW, tz="UTC")
    line.well("ingest", "logs", "--final", "--tz", "UTC")
    return line


@pytest.fixture
def store(incident: CommandLine) -> ttsq.Store:
    return ttsq.open(f"duckdb:///{incident.store}", tz="UTC")


def test_a_query_gives_the_rows_of_the_command(incident: CommandLine, store: ttsq.Store) -> None:
    rows = store.query("failure_by_length", limit=3)
    told = json.loads(incident.well("run", "failure_by_length", "--limit", "3", "--json"))
    assert [dict(r) for r in rows] == told
    assert list(rows.columns) == list(told[0])
    assert rows.arrow().to_pylist() == told
    assert rows.df()["failures"].tolist() == [r["failures"] for r in told]


def test_instants_and_ages_are_given_as_people_write_them(store: ttsq.Store) -> None:
    every = store.query("failure_rate_over_time", bucket=3600)
    late = store.query("failure_rate_over_time", bucket=3600, since="3h", as_of="data")
    same = store.query("failure_rate_over_time", bucket=3600, since=late[0]["bucket_at"])
    assert 0 < len(late) < len(every)
    assert len(same) == len(late)


def test_sql_binds_and_reads_only(store: ttsq.Store) -> None:
    found = store.sql("select count(*) as n from requests where status = :status", status="failed")
    assert found[0]["n"] > 0
    with pytest.raises(ttsq.TtsqError):
        store.sql("delete from requests")


def test_triage_and_trace_lead_from_a_cause_to_its_lines(store: ttsq.Store) -> None:
    first = store.triage()[0]
    assert first.error_code == "SCIPY_FFT_INVALID"
    assert first.since_at is not None and first.since_at.tzinfo is not None
    traced = store.trace(first.examples[0]["id"])
    assert traced["request"]["error_code"] == first.error_code
    assert traced["lines"]


def test_ingest_is_incremental(tmp_path: Path) -> None:
    write_demo(tmp_path / "logs", now=NOW, tz="UTC")
    store = ttsq.open(f"duckdb:///{tmp_path}/own.duckdb", tz="UTC")
    first = store.ingest(tmp_path / "logs", final=True, tz="UTC")
    again = store.ingest(tmp_path / "logs", final=True, tz="UTC")
    assert first.rows["requests"] == 3000
    assert sum(again.rows.values()) == 0


def test_errors_say_what_to_do(store: ttsq.Store, tmp_path: Path) -> None:
    with pytest.raises(ttsq.TtsqError, match="there is no query named failure_by_lenght") as caught:
        store.query("failure_by_lenght")
    assert "failure_by_length" in str(caught.value.hint)
    with pytest.raises(ttsq.TtsqError, match="there is no store"):
        ttsq.open(f"duckdb:///{tmp_path}/none.duckdb").query("hosts")


def test_a_notebook_shows_text_as_text(incident: CommandLine, store: ttsq.Store) -> None:
    shown = store.sql("select '<script>' as a")._repr_html_()
    assert "<script>" not in shown and "&lt;script&gt;" in shown


def test_the_notebook_of_the_docs_runs(incident: CommandLine, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute",
            "--ExecutePreprocessor.timeout=120", "--output-dir", str(tmp_path),
            str(ROOT / "docs" / "notebook.ipynb"),
        ],
        env=incident.environment, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    ran = json.loads((tmp_path / "notebook.ipynb").read_text())
    printed = json.dumps([c.get("outputs") for c in ran["cells"]], ensure_ascii=False)
    assert "SCIPY_FFT_INVALID" in printed


def test_the_package_runs_as_the_command(incident: CommandLine) -> None:
    command = [sys.executable, "-m", "ttsq", "--version"]
    done = subprocess.run(command, env=incident.environment, capture_output=True, text=True)
    assert done.stdout.startswith("ttsq ")
