"""``ttsq reread``: a file's rows are forgotten, and the file is read anew."""

import gzip
import json
import signal
from pathlib import Path

import duckdb
import pytest

from tests.support.command_line import CommandLine, lines

_LOG_FILE, _STORE = 3, 4


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    """Three logs that are stored."""
    made = CommandLine(tmp_path).with_tables()
    (tmp_path / "a.log").write_text(lines(0, 30))
    (tmp_path / "b.log").write_text(lines(30, 30))
    (tmp_path / "c.log.1.gz").write_bytes(gzip.compress(lines(60, 30).encode()))
    made.well("ingest", "a.log", "b.log", "c.log.1.gz", "--final")
    return made


def _rows(ttsq: CommandLine, sql: str) -> list[list[object]]:
    return [list(row.values()) for row in json.loads(ttsq.well("sql", sql, "--json"))]


def _dump(ttsq: CommandLine, table: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(ttsq.store), read_only=True) as connection:
        return sorted(connection.execute(f"select * from {table}").fetchall(), key=repr)


def _files(ttsq: CommandLine) -> dict[str, object]:
    return json.loads(ttsq.well("status", "--json"))["log_files"]


def test_it_says_what_went_and_what_came(ttsq: CommandLine) -> None:
    for path in ("b.log", "c.log.1.gz"):
        told = json.loads(ttsq.well("reread", path, "--final", "--json"))
        (file,) = told["files"]
        assert file["went"] == file["came"] == {"requests": 30, "stage_timings": 30, "errors": 30}
    assert "lost 0, doubled 0" in ttsq.well("verify", "a.log", "b.log", "c.log.1.gz")
    assert [f["file_key"] for f in _files(ttsq)] == [1, 2, 3]


def test_other_options_than_before(ttsq: CommandLine) -> None:
    first = "select min(started_at), count(text) from requests where id = 'ts_30'"
    assert _rows(ttsq, first) == [["2026-03-02T00:30:00+00:00", 1]]
    ttsq.well("reread", "b.log", "--final", "--tz", "Asia/Tokyo", "--text", "drop")
    assert _rows(ttsq, first) == [["2026-03-01T15:30:00+00:00", 0]]
    assert "lost 0, doubled 0" in ttsq.well("verify", "b.log")


def test_a_live_file_is_read_up_to_its_last_record(ttsq: CommandLine) -> None:
    with (ttsq.folder / "a.log").open("a") as log:
        log.write(lines(700, 2))
    ttsq.well("reread", "a.log")
    assert "1 in quarantine" not in ttsq.well("ingest", "a.log", "--final")
    assert len(_dump(ttsq, "requests")) == 92
    assert "lost 0, doubled 0" in ttsq.well("verify", "a.log")


def test_each_file_as_the_source_says_that_it_is_of(ttsq: CommandLine) -> None:
    (ttsq.folder / "ttsq.toml").write_text(
        '[[sources]]\npaths = ["b*.log"]\ntz = "Asia/Tokyo"\n'
        '[[sources]]\npaths = ["c.log*"]\ntz = "Etc/GMT-1"\n'
    )
    ttsq.well("reread", "a.log", "b.log", "c.log.1.gz", "--final")
    started = (
        "select epoch(started_at - timestamp '2026-03-02' at time zone 'UTC') / 60 from requests "
        "where id in ('ts_0', 'ts_30', 'ts_60') order by id"
    )
    assert _rows(ttsq, started) == [[0], [30 - 9 * 60], [60 - 60]]


def test_pruned_rows_and_words_do_not_come_back(ttsq: CommandLine) -> None:
    ttsq.well("prune", "--older-than", "2026-03-02 00:10", "--text-older-than", "2026-03-02 00:20")
    before = {t: _dump(ttsq, t) for t in ("requests", "stage_timings", "errors")}
    assert len(before["requests"]) == 80
    told = json.loads(ttsq.well("reread", "a.log", "--final", "--json"))
    assert told["files"][0]["went"]["requests"] == told["files"][0]["came"]["requests"] == 20
    assert {t: _dump(ttsq, t) for t in before} == before
    assert "lost 0, doubled 0" in ttsq.well("verify", "a.log")


def test_pieces_in_quarantine_keep_their_age_and_pruned_ones_stay_away(ttsq: CommandLine) -> None:
    (ttsq.folder / "q.log").write_text(
        "2026-02-31 00:00:00,000 - app - INFO - word\n" * 3 + lines(100, 3)
    )
    ttsq.well("ingest", "q.log", "--final")
    ttsq.execute(
        "update quarantine set quarantined_at = case when byte_offset = 0 then timestamptz "
        "'2026-01-01' else timestamptz '2026-01-05' end"
    )
    at = _rows(ttsq, "select byte_offset, quarantined_at from quarantine order by 1")
    ttsq.well("reread", "q.log", "--final")
    assert _rows(ttsq, "select byte_offset, quarantined_at from quarantine order by 1") == at
    ttsq.execute("update log_files set last_ingested_at = timestamptz '2026-01-06'")
    ttsq.well("prune", "--older-than", "2026-01-03")
    ttsq.well("reread", "q.log", "--final")
    offsets = _rows(ttsq, "select byte_offset from quarantine order by 1")
    assert offsets == [row[:1] for row in at]  # how old the first was is not known any more
    ttsq.well("prune", "--older-than", "2026-01-10")
    ttsq.well("reread", "q.log", "--final")
    assert _rows(ttsq, "select count(*) from quarantine") == [[0]]


def test_what_is_stored_from_another_file_stays_so(ttsq: CommandLine) -> None:
    with (ttsq.folder / "joined.log").open("w") as joined:
        joined.write(lines(300, 5) + (ttsq.folder / "b.log").read_text() + lines(305, 5))
    ttsq.well("ingest", "joined.log", "--final")
    before = _dump(ttsq, "requests")
    for path in ("joined.log", "b.log"):
        ttsq.well("reread", path, "--final")
        assert sorted(_dump(ttsq, "requests"), key=repr) == before
        assert "lost 0, doubled 0" in ttsq.well("verify", "b.log", "joined.log")


def test_what_a_file_has_twice_stays_stored_once(ttsq: CommandLine) -> None:
    with (ttsq.folder / "a.log").open("a") as log:
        log.write(lines(0, 30))
    ttsq.well("ingest", "a.log", "--final")
    before = _dump(ttsq, "requests")
    ttsq.well("reread", "a.log", "--final")
    assert _dump(ttsq, "requests") == before
    assert "lost 0, doubled 0" in ttsq.well("verify", "a.log")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("unlink", "does not exist"),
        ("other", "nothing is stored of"),
        ("edit", "rows would be lost"),
        ("shorter", "rows would be lost"),
    ],
)
def test_a_file_that_is_not_what_was_stored_keeps_its_rows(
    ttsq: CommandLine, change: str, told: str
) -> None:
    path = ttsq.folder / "a.log"
    text = path.read_text()
    if change == "unlink":
        path.unlink()
    elif change == "other":
        path.write_text(lines(500, 30))
    elif change == "edit":
        path.write_text(text.replace("Hello 12", "Hallo 12") + lines(90, 1))
    else:
        path.write_text(text[: len(text) // 2])
    before = _dump(ttsq, "requests")
    ended = ttsq("reread", "a.log", "b.log", "--final")
    assert ended.code == _LOG_FILE and told in ended.err and "hint: " in ended.err, ended
    assert _dump(ttsq, "requests") == before


def test_a_damaged_file_keeps_its_rows(ttsq: CommandLine) -> None:
    path = ttsq.folder / "c.log.1.gz"
    path.write_bytes(path.read_bytes()[:-300])
    before = _dump(ttsq, "requests")
    ended = ttsq("reread", "c.log.1.gz", "--final")
    assert ended.code == _LOG_FILE, ended
    assert _dump(ttsq, "requests") == before


def test_without_a_store_there_is_nothing_to_read_anew(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(lines(0, 1))
    ended = CommandLine(tmp_path)("reread", "a.log")
    assert ended.code == _STORE and "no store" in ended.err


@pytest.mark.parametrize(
    "point", ["deleted", "inserted:4", "rows_in", "before_commit", "committed"]
)
def test_killed_anywhere_it_leaves_the_old_rows_or_the_new(ttsq: CommandLine, point: str) -> None:
    with (ttsq.folder / "a.log").open("a") as log:  # a request of two files
        log.write("2026-03-02 05:00:00,000 - app - INFO - synthesis_start: id=ts_x, text_len=1\n")
    with (ttsq.folder / "b.log").open("a") as log:
        log.write("2026-03-02 05:00:01,000 - app - INFO - synthesis_complete: id=ts_x, n=1\n")
    ttsq.well("ingest", "a.log", "b.log", "--final", "--tz", "Etc/GMT-1")
    before = _dump(ttsq, "requests")
    done = ttsq.with_fault(point)("reread", "b.log", "--final", "--tz", "UTC")
    assert done.code == -signal.SIGKILL, done
    now = _dump(ttsq, "requests")
    assert (now != before) == (point == "committed")
    ttsq.well("reread", "b.log", "--final", "--tz", "UTC")
    assert len(_dump(ttsq, "requests")) == len(before)
    assert "lost 0, doubled 0" in ttsq.well("verify", "a.log", "b.log")
