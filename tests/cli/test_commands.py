"""What every command prints and leaves behind when all is well."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine, lines


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(
        "\n2026-02-30 10:00:00,000 - app - INFO - no such day\n" + lines(0, 20)
    )
    return CommandLine(tmp_path)


def _report(ttsq: CommandLine, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ttsq.well("ingest", "app.log", "--json", *words))
    return found


def _adds_up(report: dict[str, Any]) -> None:
    parts = (
        "record_bytes", "quarantined_bytes", "ignored_bytes", "unclaimed_bytes", "tail_bytes",
    )  # fmt: skip
    for part in (report, *report["files"]):
        assert part["bytes"] == sum(part[name] for name in parts)


def test_ingest_says_what_it_did(ttsq: CommandLine) -> None:
    out = ttsq.well("ingest", "app.log")
    assert "79 records" in out
    assert "1 in quarantine" in out
    assert "app.log" in out
    assert "held back" in out
    assert ttsq.counts() == {
        "log_files": 1,
        "requests": 20,
        "stage_timings": 20,
        "errors": 20,
        "cache_samples": 0,
        "quarantine": 1,
    }


def test_ingest_accounts_for_every_byte(ttsq: CommandLine) -> None:
    size = (ttsq.folder / "app.log").stat().st_size
    report = _report(ttsq)
    _adds_up(report)
    assert report["bytes"] == size
    assert report["tail_bytes"] > 0
    assert (report["records"], report["quarantined"], report["ignored_bytes"]) == (79, 1, 1)
    assert report["rows"]["requests"] == 20
    final = _report(ttsq, "--final")
    _adds_up(final)
    assert (final["records"], final["bytes"], final["tail_bytes"]) == (1, report["tail_bytes"], 0)


def test_a_second_run_reads_nothing(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log")
    before = ttsq.counts()
    report = _report(ttsq)
    _adds_up(report)
    assert (report["bytes"], report["records"], report["rows"]) == (0, 0, {})
    assert [f["action"] for f in report["files"]] == ["skipped"]
    assert ttsq.counts() == before


def test_a_dry_run_counts_and_stores_nothing(ttsq: CommandLine) -> None:
    report = _report(ttsq, "--dry-run")
    _adds_up(report)
    assert report["records"] == 79
    assert list(ttsq.folder.iterdir()) == [ttsq.folder / "app.log"]


def test_a_dry_run_on_a_store_leaves_it_as_it_is(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log")
    before = ttsq.counts()
    (ttsq.folder / "app.log").write_text(
        "\n2026-02-30 10:00:00,000 - app - INFO - no such day\n" + lines(0, 30)
    )
    assert _report(ttsq, "--dry-run")["records"] == 40
    assert ttsq.counts() == before
    assert _report(ttsq)["records"] == 40


def test_options_name_the_rows(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log", "--host", "gpu-1", "--service", "voice", "--tz", "Asia/Shanghai")
    sql = "select host, service, min(logged_at) as first from requests group by all"
    (row,) = json.loads(ttsq.well("sql", sql, "--json", "--tz", "UTC"))
    assert (row["host"], row["service"]) == ("gpu-1", "voice")
    assert row["first"].startswith("2026-03-01") and "16:00:00" in row["first"]


def test_settings_of_a_file_are_used_and_options_win(ttsq: CommandLine) -> None:
    (ttsq.folder / "ttsq.toml").write_text('service = "voice"\nhost = "gpu-1"\n')
    ttsq.well("ingest", "app.log", "--host", "gpu-2")
    (row,) = json.loads(ttsq.well("sql", "select distinct host, service from requests", "--json"))
    assert row == {"host": "gpu-2", "service": "voice"}


def test_status(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log")
    text = ttsq.well("status")
    assert "app.log" in text and "79 records" in text and "bad_time" in text
    with (ttsq.folder / "app.log").open("a") as file:
        file.write(lines(20, 1))
    found = json.loads(ttsq.well("status", "--json"))
    (file_,) = found["log_files"]
    size = (ttsq.folder / "app.log").stat().st_size
    assert file_["lag_bytes"] == size - file_["committed_offset"]
    assert file_["state"] == "live"
    assert [(r["status"], r["records"]) for r in found["runs"]] == [("done", 79)]
    assert [(q["reason"], q["pieces"]) for q in found["quarantine"]] == [("bad_time", 1)]


def test_the_store_goes_down_to_nothing_and_up_again(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log", "--final")
    before = ttsq.counts()
    assert "as expected" in ttsq.well("db", "check")
    assert "none" not in ttsq.well("db", "current")
    assert "base" in ttsq.well("db", "downgrade", "base")
    assert "none" in ttsq.well("db", "current")
    ttsq.well("db", "upgrade")
    assert "as expected" in ttsq.well("db", "check")
    counts = ttsq.counts()
    assert counts is not None and not any(counts.values())
    ttsq.well("ingest", "app.log", "--final")
    assert ttsq.counts() == before


def test_a_store_is_made_by_upgrade(ttsq: CommandLine) -> None:
    ttsq.well("db", "upgrade")
    counts = ttsq.counts()
    assert counts is not None and not any(counts.values())
    assert "as expected" in ttsq.well("db", "check")


def test_check_finds_a_table_that_was_changed(ttsq: CommandLine) -> None:
    ttsq.well("db", "upgrade")
    ttsq.execute("alter table quarantine add column extra varchar")
    ended = ttsq("db", "check")
    assert ended.code == 1
    assert "extra" in ended.out


@pytest.mark.parametrize(
    "statement",
    [
        "drop table requests",
        "delete from requests",
        "insert into requests select * from requests",
        "update requests set id = 'x'",
        "create table mine (x int)",
        "copy requests to 'out.csv'",
        "copy (select 1) to 'out.csv'",
        "attach 'other.duckdb' as other",
        "set enable_external_access = true",
        "set threads = 4",
        "select * from read_text('app.log')",
        "select * from 'app.log'",
        "install httpfs",
        "select 1; drop table requests",
        "checkpoint; drop table requests",
        "call enable_logging(storage='stdout'); select 1",
        "from enable_logging(storage='stdout')",
        "select 1 where exists (from ENABLE_logging())",
        "with a as (from enable_profiling()) select * from a",
        "from query('from enable_logging()')",
        "from json_execute_serialized_sql(json_serialize_sql('select 1'))",
        "from checkpoint()",
        "from read_blob('store.duckdb')",
        "from arrow_scan(1::pointer, 2::pointer, 3::pointer)",
        "pragma version",
        "pivot requests on status using count(*)",
        "select 1; select 2",
        "explain analyze select 1",
    ],
)
def test_sql_reads_the_tables_and_nothing_else(ttsq: CommandLine, statement: str) -> None:
    ttsq.well("ingest", "app.log")
    before = ttsq.counts()
    ended = ttsq("sql", statement)
    assert ended.code in (2, 4), ended
    assert ended.err.startswith("ttsq: error:")
    assert "Traceback" not in ended.err
    assert ttsq.counts() == before
    assert not (ttsq.folder / "out.csv").exists()
    assert not (ttsq.folder / "other.duckdb").exists()


@pytest.mark.parametrize(
    ("statement", "first"),
    [
        ("from range(3) order by 1;", "0"),
        ("values (7)", "7"),
        ("with a as (select unnest([4, 5]) as n) select max(n) from a -- ;", "5"),
        ("select count(*) from (from generate_series(1, 3))", "3"),
        ("select table_name from duckdb_tables() where table_name = 'requests'", "requests"),
    ],
)
def test_sql_takes_any_one_select(ttsq: CommandLine, statement: str, first: str) -> None:
    ttsq.well("ingest", "app.log")
    assert ttsq.well("sql", statement, "--format", "csv").split()[1] == first


def test_sql_stops_at_its_timeout(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log")
    endless = "select count(*) from range(100000000) a, range(1000) b where a.range % 7 = b.range"
    ended = ttsq("sql", endless, "--timeout", "0.2")
    assert (ended.code, ended.out) == (4, "")
    assert "longer than 0.2 seconds" in ended.err and "--timeout" in ended.err


def test_sql_answers(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log", "--final")
    sql = "select status, count(*) as n from requests group by status"
    assert json.loads(ttsq.well("sql", sql, "--json")) == [{"status": "failed", "n": 20}]


def test_demo_is_ready_to_be_ingested(ttsq: CommandLine) -> None:
    out = ttsq.well("demo", "logs", "--requests", "200", "--tz", "UTC")
    assert len(list((ttsq.folder / "logs").iterdir())) == 4
    assert "next: ttsq ingest" in out
    ttsq.well("ingest", "logs")
    counts = ttsq.counts()
    assert counts is not None and counts["requests"] >= 195


def test_version_says_which_scanner_runs(ttsq: CommandLine) -> None:
    assert "compiled scanner" in ttsq.well("--version")


_LOADED = """
import sys
from ingest.cli import main
try:
    main()
finally:
    print(sorted({"pandas", "pydantic", "sqlalchemy", "alembic"} & set(sys.modules)), file=sys.stderr)
"""  # noqa: E501


@pytest.mark.parametrize(
    "words",
    [
        ("ingest", "app.log"),
        ("run", "failure_by_length", "--since", "2026-03-01"),
        ("trace", "ts_1"),
        ("status",),
    ],
)
def test_what_takes_long_to_load_is_left_alone(words: tuple[str, ...], tmp_path: Path) -> None:
    """They are run every minute, or somebody waits: these would take longer than the rest, pandas
    merely by being installed.
    """
    ttsq = CommandLine(tmp_path)
    (tmp_path / "app.log").write_text(lines(0, 5))
    ttsq.well("ingest", "app.log")
    (tmp_path / "app.log").write_text(lines(0, 10))
    ended = subprocess.run(
        [sys.executable, "-c", _LOADED, *words],
        cwd=tmp_path,
        env=ttsq.environment,
        capture_output=True,
        text=True,
    )
    assert importlib.util.find_spec("pandas") is not None
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr.splitlines()[-1] == "[]"
