"""``ttsq run``, ``queries``, ``show`` and ``sql`` as people type them."""

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ingest.cli import app
from tests.queries.oracle import ORACLES
from tests.queries.rows import BEGAN, Rows, draw_rows, make_store

RUNNER = CliRunner()
ROWS = draw_rows(1)
ALL = {"length_band": 0, "since": None, "until": None, "host": None, "service": None, "limit": None}
LOG_FILE = (
    "insert into log_files (file_key, host, service, path, fingerprint, header_offset, "
    "anchor, committed_offset, "
    "size_bytes, stored_bytes, modified_ns, device, inode, compression, state, records, "
    "record_bytes, quarantined, "
    "quarantined_bytes, ignored_bytes, lost_bytes, last_logged_at, note, first_seen_at, "
    "last_ingested_at) select 1, 'h', 's', '/x', null, null, null, 0, 0, 0, 0, 0, 0, 'none', "
    "'live', "
    "0, 0, 0, 0, 0, 0, timestamptz '{last}', null, now(), now()"
)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    return _store(tmp_path_factory.mktemp("commands") / "s.duckdb", ROWS)


def _store(path: Path, rows: Rows, ingested: bool = True) -> str:
    store = make_store(path, rows)
    if ingested:
        last = max((r.logged_at for r in rows.requests), default=BEGAN)
        with store.engine().begin() as connection:
            connection.exec_driver_sql(LOG_FILE.format(last=last.isoformat()))
    return f"duckdb:///{path}"


def ttsq(url: str, *words: str, code: int = 0, typed: str | None = None) -> str:
    result = RUNNER.invoke(app, ["--db", url, *words], input=typed)
    assert result.exit_code == code, result.output
    return result.stdout if code in (0, 1) else result.stderr


def test_run_answers_as_the_oracle_does(url: str) -> None:
    read = json.loads(ttsq(url, "run", "failure_by_length", "--json", "--limit", "5"))
    expected = ORACLES["failure_by_length"](ROWS, ALL | {"limit": 5})
    assert [tuple(row.values()) for row in read] == expected


def test_options_may_stand_anywhere(url: str) -> None:
    one = ttsq(url, "run", "hosts", "--host", "h1", "--format", "csv", "--tz", "UTC")
    two = ttsq(url, "run", "--format=csv", "--host=h1", "hosts", "--tz", "UTC")
    assert one == two
    assert [row["host"] for row in csv.DictReader(io.StringIO(one))] == ["h1"]


def test_ages_count_back_from_the_newest_record(url: str) -> None:
    newest = max(r.logged_at for r in ROWS.requests)
    words = ("run", "window_requests", "--since", "30m", "--json", "--tz", "UTC")
    read = json.loads(ttsq(url, *words, "--as-of", "data"))
    since = newest - timedelta(minutes=30)
    assert len(read) == sum(r.logged_at >= since for r in ROWS.requests) > 0
    assert json.loads(ttsq(url, *words, "--as-of", newest.isoformat())) == read
    assert json.loads(ttsq(url, *words)) == []


def test_fail_if_any_is_1_with_rows_and_0_without(url: str) -> None:
    assert "cache" in ttsq(
        url, "run", "cache_alert", "--above-percent", "1", "--fail-if-any", code=1
    )
    assert "no rows" in ttsq(url, "run", "cache_alert", "--above-percent", "999", "--fail-if-any")


@pytest.mark.parametrize("words", [("run", "hosts"), ("run", "cache_alert"), ("triage",)])
def test_fail_if_any_is_6_where_nothing_could_be_found(url: str, words: tuple[str, ...]) -> None:
    ttsq(url, *words, "--since", "30m", "--fail-if-any", code=6)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "failure_by_lenght"), "did you mean: ttsq run failure_by_length"),
        (("run", "hosts", "--sinse", "1h"), "did you mean --since?"),
        (("run", "hosts", "--since", "soon"), "expected an instant (2026-03-02T14:00), a date"),
        (("run", "hosts", "--limit", "1"), "the query hosts has no option --limit"),
        (("run", "slow_requests", "--limit", "-1"), "expected a whole number, 0 or more"),
        (("run", "hosts", "--format", "xml"), "formats: table, csv"),
        (("run", "hosts", "--format", "parquet"), "-o rows.parquet"),
        (("run", "hosts", "--tz", "Mars/Base"), "IANA"),
        (("run", "hosts", "--as-of", "noon"), "expected data, an instant"),
        (("run", "--since", "24h"), "no query is named"),
        (("run", "cache_alert", "--chart"), "no chart suits"),
        (("sql", " "), "there is no SQL to run"),
    ],
)
def test_what_is_typed_wrong_is_a_usage_error(url: str, words: tuple[str, ...], says: str) -> None:
    assert says in ttsq(url, *words, code=2)


def test_a_bad_value_is_told_before_the_store_is_looked_for(tmp_path: Path) -> None:
    nowhere = f"duckdb:///{tmp_path / 'none.duckdb'}"
    assert "--since is given 'soon'" in ttsq(nowhere, "run", "hosts", "--since", "soon", code=2)
    assert "there is no store" in ttsq(nowhere, "run", "hosts", code=4)


def test_help_of_a_query_and_of_the_command(url: str) -> None:
    assert "--slower-than-ms NUMBER" in ttsq(url, "run", "slow_requests", "--help")
    assert "--fail-if-any" in ttsq(url, "run", "--help")


def test_run_without_a_name_lists(url: str) -> None:
    assert ttsq(url, "run") == ttsq(url, "queries")
    assert "Do failures gather at certain text lengths?" in ttsq(url, "queries")
    listed = json.loads(ttsq(url, "queries", "--json"))
    assert {q["name"] for q in listed} == set(ORACLES)
    assert listed[0]["columns"][0].keys() == {"name", "type", "help"}


def test_show_prints_sql_that_runs_elsewhere(url: str) -> None:
    pasted = ttsq(url, "show", "hosts", "--literals", "--host", "h1")
    assert ":host" not in pasted
    shown = ttsq(url, "run", "hosts", "--host", "h1", "--tz", "UTC")
    answer, _, following = shown.partition("of everything stored")
    assert ttsq(url, "sql", "--allow-superuser", pasted, "--tz", "UTC") == answer
    assert "\nnext: ttsq run error_groups --host h1 --db " in following
    assert ":host" in ttsq(url, "show", "hosts")


def test_sql_reads_only(url: str) -> None:
    assert json.loads(
        ttsq(url, "sql", "--allow-superuser", "select ':x' as a, 1.5::double as b", "--json")
    ) == [{"a": ":x", "b": 1.5}]
    assert json.loads(
        ttsq(url, "sql", "--allow-superuser", "-", "--json", typed="select 1 as n")
    ) == [{"n": 1}]
    for statement in ("delete from requests", "copy requests to '/tmp/x.csv'", "select nonsense"):
        ttsq(url, "sql", "--allow-superuser", statement, code=4)


def test_files_take_their_format_from_their_suffix(url: str, tmp_path: Path) -> None:
    shown = ttsq(url, "run", "hosts", "--format", "csv", "--tz", "UTC")
    assert ttsq(url, "run", "hosts", "-o", str(tmp_path / "x.csv"), "--tz", "UTC") == ""
    assert (tmp_path / "x.csv").read_text() == shown
    ttsq(url, "run", "hosts", "-o", str(tmp_path / "x.svg"))
    assert "<svg" in (tmp_path / "x.svg").read_text()


@pytest.mark.parametrize(
    ("statement", "proposed"),
    [
        ("select statuss from requests", "status"),
        ("select r.statuss from requests r", "status"),
        ("select * from requestss", "requests"),
        ("select lenght(id) from requests", "length"),
    ],
)
def test_a_name_that_the_store_does_not_know_comes_with_one_that_it_does(
    url: str, statement: str, proposed: str
) -> None:
    assert f'Did you mean "{proposed}"' in ttsq(url, "sql", statement, code=4)


def test_nothing_found_says_why(url: str, tmp_path: Path) -> None:
    nothing = _store(tmp_path / "none.duckdb", Rows(), ingested=False)
    assert "nothing has been ingested yet" in ttsq(nothing, "run", "hosts")
    hollow = _store(tmp_path / "hollow.duckdb", Rows())
    assert "hold no cache samples" in ttsq(hollow, "run", "cache_usage")
    assert "the window begins at 2030-01-01" in ttsq(url, "run", "voices", "--since", "2030-01-01")
    assert "the window ends at" in ttsq(url, "run", "voices", "--until", "2020-01-01")
    backwards = ("--since", "2026-03-02T08:00Z", "--until", "2026-03-02T07:00Z")
    assert "before it begins" in ttsq(url, "run", "voices", *backwards)
    assert "none that this asks for" in ttsq(url, "run", "voices", "--host", "nobody")


def test_a_folder_of_ones_own(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    header = (
        "-- name: mine\n-- summary: s\n-- question: Mine?\n-- param: least integer = 1 -- l\n"
        "-- column: n {type} -- n\n-- chart: none\n-- order: n\n"
    )
    body = "select count(*) as n from requests where 1 >= :least\n"
    path = tmp_path / "mine.sql"
    monkeypatch.setenv("TTSQ_QUERY_FOLDER", str(tmp_path))
    path.write_text(header.format(type="integer") + body)
    assert json.loads(ttsq(url, "run", "mine", "--json")) == [{"n": len(ROWS.requests)}]
    assert "every query is as its header says" in ttsq(url, "queries", "check")
    path.write_text(header.format(type="text") + body)
    assert f"{path}:8: the column n is declared text, returned as BIGINT" in ttsq(
        url, "queries", "check", code=2
    )
    path.write_text(header.format(type="integer") + body.replace("as n", "as m"))
    assert f"{path}:8: returns m, the header declares n" in ttsq(url, "queries", "check", code=2)
    path.write_text(header.format(type="integer") + body.replace("requests", "nothing"))
    assert f"{path}:8: " in ttsq(url, "queries", "check", code=2)
