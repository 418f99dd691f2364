"""The published copy: whoever holds it sees its generation unchanged and delays nobody;
current.duckdb always opens.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.stores.views import VIEWS
from tests.support.command_line import CommandLine, lines

_TABLES = {
    "requests", "stage_timings", "errors", "cache_samples", "http_requests", "log_files",
    "ingest_runs", "quarantine", "pruned",
}  # fmt: skip
_HOSTILE = "'; drop table requests; -- \\x1b[31m =cmd|' /C calc'!A0 \U0001f389 </script>"


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path).with_tables()
    (tmp_path / "ttsq.toml").write_text("publish = true\n")
    (tmp_path / "app.log").write_text("not a record\n" + lines(0, 20))
    made.well("ingest", "app.log", "--final")
    return made


def _folder(ttsq: CommandLine) -> Path:
    return ttsq.folder / "published"


def _current(ttsq: CommandLine) -> Path:
    return _folder(ttsq) / "current.duckdb"


def _names(ttsq: CommandLine) -> list[str]:
    return sorted(p.name for p in _folder(ttsq).iterdir())


def _published(ttsq: CommandLine, *words: str | Path) -> dict[str, Any]:
    (found,) = json.loads(ttsq.well("publish", "--json", *words))
    return dict(found)


def _ask(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def _grow(ttsq: CommandLine, first: int, count: int = 5) -> None:
    with (ttsq.folder / "app.log").open("a") as file:
        file.write(lines(first, count))


def test_an_ingest_publishes_what_it_stored(ttsq: CommandLine) -> None:
    current = _current(ttsq)
    assert current.is_symlink()
    assert os.readlink(current) == _names(ttsq)[1]  # relative: the folder may move
    for table in _TABLES - {"ingest_runs"}:
        got, want = (_ask(p, f"select * from {table} order by all") for p in (current, ttsq.store))
        assert got == want, table
    tables = _ask(current, "select table_name from duckdb_tables()")
    assert {t for (t,) in tables} == _TABLES | {"alembic_version"}
    comments = (
        "select table_name, column_name, comment from duckdb_columns() where table_name = "
        "'requests' order by column_index"
    )
    assert _ask(current, comments) == _ask(ttsq.store, comments)
    assert all(c for _, _, c in _ask(current, comments))
    assert current.stat().st_mode & 0o222 == 0
    assert "Hello 3" in ttsq.well(
        "--db", f"duckdb:///{current}", "sql", "select text from requests"
    )
    _grow(ttsq, 20)
    report = json.loads(ttsq.well("ingest", "app.log", "--json"))
    assert report["published"]["made"] is True
    assert report["published"]["rows"]["requests"] == 25
    assert "published" not in json.loads(ttsq.well("ingest", "app.log", "--json"))
    assert "published ttsq-" in ttsq.well("ingest", "app.log", "--final")


def test_unchanged_nothing_new_is_made(ttsq: CommandLine) -> None:
    before = _names(ttsq)
    report = _published(ttsq)
    assert (report["made"], _names(ttsq)) == (False, before)
    assert "nothing changed since ttsq-" in ttsq.well("publish")
    for change in (
        ("prune", "--older-than", "2026-03-02T00:05:00Z"),
        ("prune", "--text-older-than", "2026-03-02T00:10:00Z"),
    ):
        assert json.loads(ttsq.well(*change, "--json"))["published"]["made"] is True
    assert _ask(_current(ttsq), "select count(*), count(text) from requests") == [(15, 10)]
    assert len(_names(ttsq)) == 2  # what was pruned is in no copy any more


def test_the_newest_two_stay_and_no_more(ttsq: CommandLine) -> None:
    for first in (20, 30, 40):
        _grow(ttsq, first)
        ttsq.well("ingest", "app.log", "--final")
    names = _names(ttsq)
    assert [n.rpartition("-")[2] for n in names] == ["current.duckdb", "000003.duckdb", "000004.duckdb"]  # fmt: skip  # noqa: E501
    assert os.readlink(_current(ttsq)) == names[2]


_READER = """
import duckdb, sys
c = duckdb.connect(sys.argv[1], read_only=True)
for line in sys.stdin:
    print(c.execute("select count(*), count(text), md5(string_agg(r::varchar, '|' order by request_key)) from requests r").fetchall(), flush=True)
"""  # noqa: E501


class Reader:
    """A BI tool that keeps its connection."""

    def __init__(self, path: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _READER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self) -> str:
        """What it sees: rows of requests, and all that is in them."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline()

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def _reader(path: Path) -> Iterator[Reader]:
    reader = Reader(path)
    try:
        yield reader
    finally:
        reader.close()


def test_a_reader_that_stays_sees_its_generation_and_delays_no_ingest(ttsq: CommandLine) -> None:
    held = _folder(ttsq) / os.readlink(_current(ttsq))
    with _reader(_current(ttsq)) as reader:
        seen = reader.ask()
        assert seen.startswith("[(20, 20, ")
        for number in range(1, 5):
            _grow(ttsq, number * 20)
            ttsq.well("ingest", "app.log", "--final")
            assert reader.ask() == seen
        ttsq.well("prune", "--older-than", "2026-03-02T00:10:00Z")
        report = _published(ttsq)
        assert reader.ask() == seen
        (kept,) = [k for k in report["kept"] if k["generation"] == str(held)]
        assert str(reader.process.pid) in kept["open_in"]
        assert f"kept {held.name}: process {reader.process.pid}" in ttsq.well("publish")
        with _reader(_current(ttsq)) as other:
            assert other.ask().startswith("[(30, 30, ")
    assert held.exists()
    assert str(held) in _published(ttsq)["removed"]
    assert not held.exists()


def test_a_reader_without_rights_to_write_keeps_its_generation(ttsq: CommandLine) -> None:
    """Some programs have the file open without DuckDB's lock: a backup, a copy over the network."""
    held = _folder(ttsq) / os.readlink(_current(ttsq))
    with held.open("rb"):
        for number in range(1, 4):
            _grow(ttsq, number * 20)
            ttsq.well("ingest", "app.log", "--final")
        assert held.exists()
    _published(ttsq)
    assert not held.exists()


def test_killed_at_any_moment_current_opens(ttsq: CommandLine) -> None:
    words = [sys.executable, "-m", "ingest", "publish"]
    chance = random.Random(5)
    half_written = number = 0
    while number < 12 or half_written < 3:
        assert number < 60, "the kills missed the copy"
        _grow(ttsq, 20 + number * 3, 3)
        (ttsq.folder / "ttsq.toml").write_text("")
        ttsq.well("ingest", "app.log", "--final")
        process = subprocess.Popen(words, cwd=ttsq.folder, env=ttsq.environment, stdout=subprocess.DEVNULL)  # fmt: skip  # noqa: E501
        if number % 2:
            time.sleep(chance.uniform(0.2, 0.9))
        else:
            while process.poll() is None and not list(_folder(ttsq).glob(".ttsq-*")):
                time.sleep(0.0005)
            time.sleep(chance.uniform(0, 0.1))
        process.kill()
        process.wait()
        half_written += bool(list(_folder(ttsq).glob(".*")))
        (rows,) = _ask(_current(ttsq), "select count(*) from requests")[0]
        assert rows % 3 == 2 and 20 <= rows <= 20 + number * 3 + 3
        number += 1
    _published(ttsq)
    assert _ask(_current(ttsq), "select count(*) from requests") == [(20 + number * 3,)]
    assert not list(_folder(ttsq).glob(".*"))
    assert len(_names(ttsq)) == 3


def test_an_ingest_that_comes_while_a_copy_is_written_waits_for_it_alone(ttsq: CommandLine) -> None:
    """The store's own readers, too: one has the store open throughout, as other commands do for a
    statement.
    """
    _grow(ttsq, 20)
    (ttsq.folder / "ttsq.toml").write_text("")
    ttsq.well("ingest", "app.log", "--final")
    with _reader(ttsq.store) as reader:
        seen = reader.ask()
        assert _published(ttsq)["made"]
        assert reader.ask() == seen
    _grow(ttsq, 30)
    publishing = subprocess.Popen(
        [sys.executable, "-m", "ingest", "publish", "other"],
        cwd=ttsq.folder,
        env=ttsq.environment,
        stdout=subprocess.DEVNULL,
    )
    ttsq.well("ingest", "app.log", "--final")  # it fails where the store is held for 30 s
    assert publishing.wait(timeout=60) == 0
    assert ttsq.counts() is not None


def test_parquet_files_hold_the_same_whatever_the_text(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path)
    escaped = _HOSTILE.replace("\\", "\\\\")
    (tmp_path / "app.log").write_text(
        f'2026-03-02 10:00:00,000 - app - INFO - synthesis_start: id=ts_1, text="{escaped}"\n'
        "2026-03-02 10:00:01,000 - app - INFO - synthesis_complete: id=ts_1, status=success\n"
    )
    ttsq.well("ingest", "app.log", "--final")
    folder = tmp_path / "it's parquet"
    report = _published(ttsq, "--parquet", folder)
    assert report["rows"]["requests"] == 1
    assert not (tmp_path / "published").exists()
    current = folder / "current"
    views = {v.name for v in VIEWS}
    assert {p.stem for p in current.iterdir()} == _TABLES | views
    with duckdb.connect(str(ttsq.store), read_only=True) as connection:
        for table in _TABLES | views:
            read = connection.read_parquet(str(current / f"{table}.parquet")).fetchall()
            assert read == connection.execute(f"select * from {table}").fetchall()
        (codec,) = connection.execute(
            "select distinct compression from parquet_metadata(?)",
            [str(current / "requests.parquet")],
        ).fetchall()
        text = connection.read_parquet(str(current / "requests.parquet")).project("text").fetchall()
    assert (codec, text) == (("ZSTD",), [(_HOSTILE,)])
    assert _published(ttsq, "--parquet", folder)["made"] is False
    (tmp_path / "app.log").open("a").write(lines(0, 3))
    ttsq.well("ingest", "app.log", "--final")
    both = json.loads(ttsq.well("publish", "bi", "--parquet", folder, "--json"))
    assert [b["made"] for b in both] == [True, True]
    assert [b["rows"]["requests"] for b in both] == [4, 4]
    assert (tmp_path / "bi" / "current.duckdb").exists()


def test_what_cannot_be_published(ttsq: CommandLine, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    ended = CommandLine(empty)("publish")
    assert (ended.code, "there is no store" in ended.err) == (4, True)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "current.duckdb").write_bytes(b"mine")
    ended = ttsq("publish", "mine")
    assert (ended.code, "is no symlink of ttsq's" in ended.err) == (4, True)
    assert (tmp_path / "mine" / "current.duckdb").read_bytes() == b"mine"
    ended = ttsq("publish", "app.log/below")
    assert (ended.code, "cannot be published into" in ended.err) == (4, True)
    (tmp_path / "ttsq.toml").write_text('publish = "app.log/below"\n')
    _grow(ttsq, 20)
    ended = ttsq("ingest", "app.log", "--final")  # what was read is stored all the same
    assert (ended.code, "25 rows" in ended.out or "records" in ended.out) == (4, True)
    counts = ttsq.counts()
    assert counts is not None and counts["requests"] == 25
