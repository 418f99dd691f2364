"""``ttsq verify``: the files on disk against the tables."""

import gzip
import json
import os
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.records.formats import compile_format
from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks.verify import run as verify
from tests.support import harness
from tests.support.command_line import CommandLine, lines

_CACHE = (
    "2026-03-02 23:00:0{},000 - app.cache - WARNING - cache_dir_usage: path=/c, "
    "used_percent=9{}.0, threshold=90.0\n"
)


def _log(first: int, count: int) -> str:
    return lines(first, count) + _CACHE.format(first % 10, first % 10)


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    """A log ingested over several runs, rotated and compressed between them."""
    ttsq = CommandLine(tmp_path).with_tables()
    log = tmp_path / "app.log"
    log.write_text("2026-02-30 25:00:00,000 - app - INFO - never\n\n" + _log(0, 20))
    ttsq.well("ingest", "app.log")
    with log.open("a") as file:
        file.write(_log(20, 15))
    ttsq.well("ingest", "app.log")
    log.rename(tmp_path / "app.log.1")
    log.write_text(_log(40, 10))
    ttsq.well("ingest", "app.log")
    (tmp_path / "app.log.2.gz").write_bytes(gzip.compress((tmp_path / "app.log.1").read_bytes()))
    (tmp_path / "app.log.1").unlink()
    log.rename(tmp_path / "app.log.1")
    log.write_text(_log(60, 10))
    ttsq.well("ingest", "app.log", "app.log.1")
    return ttsq


def _verified(ttsq: CommandLine, code: int, *words: str) -> dict[str, Any]:
    ended = ttsq("verify", "--json", *words)
    assert ended.code == code, ended
    found: dict[str, Any] = json.loads(ended.out)
    return found


def _findings(report: dict[str, Any]) -> list[tuple[str, str, int]]:
    return [(x["kind"], x["table"], x["offset"]) for f in report["files"] for x in f["findings"]]


def test_all_is_there_after_rotation_and_compression(ttsq: CommandLine) -> None:
    report = _verified(ttsq, 0)
    assert [f["state"] for f in report["files"]] == ["recounted"] * 3
    assert sorted(Path(f["path"]).name for f in report["files"]) == [
        "app.log", "app.log.1", "app.log.2.gz",
    ]  # fmt: skip
    assert (report["lost"], report["doubled"]) == (0, 0)
    assert sum(f["records"] for f in report["files"]) == 55 * 4 + 4 - 1  # one is held back
    out = ttsq.well("verify")
    assert "lost 0, doubled 0 (3 of 3 files recounted, 223 records" in out


@pytest.mark.parametrize(
    ("table", "offset"),
    [
        ("requests", "start_offset"),
        ("stage_timings", "byte_offset"),
        ("errors", "byte_offset"),
        ("cache_samples", "byte_offset"),
        ("quarantine", "byte_offset"),
    ],
)
def test_a_row_that_is_lost_or_doubled_is_named(ttsq: CommandLine, table: str, offset: str) -> None:
    one = f"rowid = (select max(rowid) from {table})"
    with duckdb.connect(str(ttsq.store)) as connection:
        row = connection.execute(f"select {offset} from {table} where {one}").fetchone()
        assert row is not None
        connection.execute(f"create table kept as from {table} where {one}")
        connection.execute(f"delete from {table} where {one}")
    lost = _verified(ttsq, 1)
    assert (lost["lost"], lost["doubled"], lost["stray"]) == (1, 0, 0)
    assert _findings(lost) == [("lost", table, row[0])]
    ttsq.execute(f"insert into {table} by name from kept")
    assert _verified(ttsq, 0)["lost"] == 0
    ttsq.execute(f"insert into {table} by name from kept")
    doubled = _verified(ttsq, 1)
    assert (doubled["lost"], doubled["doubled"], doubled["stray"]) == (0, 1, 0)
    assert _findings(doubled) == [("doubled", table, row[0])]


def test_the_line_of_a_lost_row_is_shown_without_its_escapes(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    line = "2026-03-02 10:00:00,000 - app - ERROR - boom \x1b[2J\u202e\x9b evil\n"
    (tmp_path / "app.log").write_text(line, "utf-8")
    ttsq.well("ingest", "app.log", "--final")
    ttsq.execute("delete from errors")
    ended = ttsq("verify")
    assert ended.code == 1
    assert "app.log:0  2026-03-02 10:00:00,000 - app - ERROR - boom \\x1b[2J" in ended.out
    assert not {"\x1b", "\u202e", "\x9b"} & set(ended.out)


def test_rows_behind_a_checkpoint_that_was_moved(ttsq: CommandLine) -> None:
    ttsq.execute("update log_files set committed_offset = 300, anchor = null where file_key = 1")
    report = _verified(ttsq, 1)
    beyond = {x["table"] for x in report["store_findings"] if x["kind"] == "beyond"}
    assert beyond == {"requests", "stage_timings", "errors", "cache_samples"}
    ledger = next(f["ledger"] for f in report["files"] if f["file_key"] == 1)
    assert any("bytes accounted for, 300 stored" in words for words in ledger)


def test_rows_of_an_unknown_file(ttsq: CommandLine) -> None:
    ttsq.execute("update errors set file_key = 77 where rowid = (select min(rowid) from errors)")
    report = _verified(ttsq, 1)
    assert (report["lost"], report["stray"]) == (1, 1)
    (stray,) = report["store_findings"]
    assert (stray["kind"], stray["table"], stray["file_key"]) == ("stray", "errors", 77)


def test_a_ledger_that_does_not_add_up(ttsq: CommandLine) -> None:
    ttsq.execute("update log_files set records = records + 1 where file_key = 2")
    report = _verified(ttsq, 1)
    (words,) = [f["ledger"] for f in report["files"] if f["ledger"]]
    assert words == ["records is 42, recounted 41"]
    assert "the ledger of 1 file does not add up" in ttsq("verify").out


def test_an_open_request_without_its_piece(ttsq: CommandLine) -> None:
    assert _verified(ttsq, 0)["store_findings"] == []
    start = '2026-03-02 23:10:00,000 - app - INFO - synthesis_start: id=ts_open, text="x"\n'
    (ttsq.folder / "app.log").open("a").write(start)
    ttsq.well("ingest", "app.log", "--final")
    _verified(ttsq, 0)
    ttsq.execute("delete from request_parts where id = 'ts_open'")
    (finding,) = _verified(ttsq, 1)["store_findings"]
    assert (finding["kind"], finding["table"], finding["rows"]) == ("lost", "request_parts", 1)


def test_a_file_that_is_gone_is_named_and_not_lost(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log.2.gz").unlink()
    report = _verified(ttsq, 0)
    gone = report["files"][0]
    assert gone["state"] == "absent"
    assert gone["note"].startswith("not on disk")
    assert "not on disk" in ttsq.well("verify")
    ttsq.execute("insert into errors from errors where file_key = 1 order by byte_offset limit 1")
    report = _verified(ttsq, 1)
    assert (report["doubled"], report["lost"]) == (1, 0)


def test_a_damaged_file_is_not_lost(tmp_path: Path) -> None:
    ttsq, packed = CommandLine(tmp_path).with_tables(), tmp_path / "app.log.gz"
    packed.write_bytes(gzip.compress(lines(0, 1000).encode()))
    ttsq.well("ingest", packed)
    _verified(ttsq, 0)
    packed.write_bytes(packed.read_bytes()[: packed.stat().st_size // 2])
    report = _verified(ttsq, 3)
    assert report["files"][0]["state"] == "unreadable"
    assert "ends in the middle" in report["files"][0]["note"]
    assert (report["lost"], report["doubled"]) == (0, 0)


def test_a_file_edited_in_its_middle(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    log = tmp_path / "app.log"
    log.write_text(lines(0, 1000))
    ttsq.well("ingest", "app.log", "--final")
    text = log.read_text()
    at = text.index("synthesis_failed: id=ts_500")
    line = text.rindex("\n", 0, at) + 1
    assert line > 64 << 10  # behind the fingerprint
    log.write_text(text[:at] + text[at:].replace("synthesis_failed", "SYNTHESIS_FAILED", 1))
    _verified(ttsq, 0)  # it still is an error
    log.write_text(text[:line] + text[line:].replace(" ERROR ", " INFOS ", 1))
    report = _verified(ttsq, 1)
    assert ("stray", "errors", line) in _findings(report)
    log.write_text(text[:100] + "X" + text[101:])
    report = _verified(ttsq, 0)
    assert report["files"][0]["state"] == "absent"
    assert "something else stands at" in report["files"][0]["note"]


def test_bytes_that_were_lost_before_are_named_and_no_failure(ttsq: CommandLine) -> None:
    ttsq.execute("update log_files set lost_bytes = 12 where file_key = 2")
    assert "12 bytes were gone before they were read" in ttsq.well("verify")


def test_only_the_paths_given(ttsq: CommandLine) -> None:
    (ttsq.folder / "other.log").write_text(lines(900, 3))
    report = _verified(ttsq, 0, "app.log.1", "other.log")
    assert [f["file_key"] for f in report["files"]] == [2]
    assert report["unknown"] == [str(ttsq.folder / "other.log")]
    assert ttsq("verify", "nothing.log").code == 3


def test_it_needs_a_store(tmp_path: Path) -> None:
    ended = CommandLine(tmp_path)("verify")
    assert ended.code == 4
    assert "there is no store" in ended.err


def test_pruned_rows_are_not_lost(ttsq: CommandLine) -> None:
    cutoff = "timestamptz '2026-03-02 00:30:00+00'"
    for table, column in (
        ("requests", "logged_at"),
        ("request_parts", "logged_at"),
        ("stage_timings", "logged_at"),
        ("errors", "occurred_at"),
        ("cache_samples", "sampled_at"),
    ):
        ttsq.execute(f"delete from {table} where {column} < {cutoff}")
    assert _verified(ttsq, 1)["lost"] == 90
    _tell_pruned(ttsq, cutoff)
    assert _verified(ttsq, 0)["lost"] == 0
    ttsq.execute("delete from errors where occurred_at >= timestamptz '2026-03-02 23:00:00+00'")
    assert _verified(ttsq, 1)["lost"] == 3


def _tell_pruned(ttsq: CommandLine, cutoff: str) -> None:
    ttsq.execute(
        "create table if not exists pruned (table_name varchar primary key, pruned_before "
        "timestamptz, "
        "text_pruned_before timestamptz, rows bigint, pruned_at timestamptz)"
    )
    for table in ("requests", "stage_timings", "errors", "cache_samples"):
        ttsq.execute(
            f"insert into pruned values ('{table}', {cutoff}, null, 30, timestamptz "
            "'2026-04-01 00:00:00+00')"
        )


def test_lines_behind_the_end_of_a_finished_file(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    log = tmp_path / "app.log"
    log.write_text(lines(0, 3) + "2026-03-02 10:00:00,000 - app - ERROR - bo")
    ttsq.well("ingest", "app.log", "--final")
    with log.open("a") as file:
        file.write("om\nand more\n" + lines(10, 2))
    os.utime(log, (1, 1))
    ttsq.well("ingest", "app.log", "--final")
    report = _verified(ttsq, 0)
    assert report["files"][0]["records"] == 21
    assert ttsq.counts() is not None


def _beside(folder: Path, happens: Callable[[DuckDBStore, Path], None]) -> verify.VerifyReport:
    """Verify a log in small chunks; behind the third one something happens."""
    store, path, chunks = harness.new_store(folder), folder / "app.log", 0
    path.write_text(lines(0, 300))
    harness.run(store, [path])

    def progress(done: int, total: int) -> None:
        nonlocal chunks
        chunks += 1
        if chunks == 3:
            happens(store, path)

    options = verify.Options(compile_format(), UTC, chunk_bytes=5000)
    report = verify.verify(store, options, progress=progress)
    assert chunks > 3
    return report


def test_an_ingest_beside_it(tmp_path: Path) -> None:
    def ingest(store: DuckDBStore, path: Path) -> None:
        with path.open("a") as file:
            file.write(lines(300, 100))
        harness.run(store, [path], final=True)

    report = _beside(tmp_path, ingest)
    assert report.is_clean
    assert [(f.state, f.records) for f in report.files] == [("recounted", 1199)]


def test_rows_that_change_while_they_are_counted(tmp_path: Path) -> None:
    """Something is wrong at first; as the file's row has changed meanwhile, it is counted again."""

    def ingest(store: DuckDBStore, path: Path) -> None:
        with path.open("a") as file:
            file.write(lines(300, 100))
        harness.run(store, [path], final=True)
        with duckdb.connect(str(store.path)) as connection:
            connection.execute("delete from errors where id = 'ts_299'")

    report = _beside(tmp_path, ingest)
    assert [(f.records, f.counts) for f in report.files] == [(1600, (("lost", 1),))]


def test_a_file_that_changes_while_it_is_read_is_not_lost(tmp_path: Path) -> None:
    report = _beside(tmp_path, lambda store, path: os.truncate(path, 40_000))
    assert report.is_clean
    assert [f.state for f in report.files] == ["changed"]
