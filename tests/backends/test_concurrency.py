"""Many processes at one store: readers and the writer wait for each other, bounded, and nobody
fails.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, lines

_HUNG = 300.0  # seconds after which a process is taken to hang
_READERS = 40
_RUNS = 20


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    (tmp_path / "old.log").write_text(lines(0, 200))
    made.well("ingest", "old.log", "--final")
    return made


def _begun(ttsq: CommandLine, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, *words],
        cwd=ttsq.folder,
        env=ttsq.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _ended_well(process: "subprocess.Popen[str]") -> str:
    out, err = process.communicate(timeout=_HUNG)
    assert process.returncode == 0, (process.args, out, err)
    return out


@pytest.fixture
def ingesting(ttsq: CommandLine) -> Iterator["subprocess.Popen[str]"]:
    """An ingest with many commits, at work."""
    (ttsq.folder / "app.log").write_text(lines(1000, 2000))
    words = ("-m", "tests.support.ttsq_in_small_chunks", "20000", "ingest", "app.log", "--final")
    process = _begun(ttsq, *words)
    lock = ttsq.store.with_name("store.duckdb.lock")
    deadline = time.monotonic() + _HUNG
    while not lock.read_text().startswith(f"{process.pid} "):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    yield process
    process.kill()
    process.communicate()


def test_forty_queries_at_once_during_an_ingest(
    ttsq: CommandLine, ingesting: "subprocess.Popen[str]"
) -> None:
    """Each sees whole commits only, more or less of them; the ingest loses nothing and ends as it
    would alone.
    """
    query = ("-m", "ingest", "run", "error_codes", "--since", "2026-03-01", "--format", "json")
    readers = [_begun(ttsq, *query) for _ in range(_READERS)]
    failures = []
    for reader in readers:
        (row,) = json.loads(_ended_well(reader))
        assert row["error_code"] == "OOM"
        failures.append(row["failures"])
    seen = [max(failures)]
    while ingesting.poll() is None:  # one reader upon the other
        (row,) = json.loads(ttsq.well(*query[2:]))
        seen.append(row["failures"])
    _ended_well(ingesting)
    (row,) = json.loads(ttsq.well(*query[2:]))
    assert min(failures) >= 200
    assert seen == sorted(seen) and max(seen) <= row["failures"] == 2200
    assert max(seen) > 200, "no reader met the ingest"
    counts = ttsq.counts()
    assert counts is not None
    assert (counts["requests"], counts["stage_timings"], counts["errors"]) == (2200,) * 3
    ttsq.well("verify")


_CROWD = """
import sys, time
from pathlib import Path
from ingest.stores.duckdb.store import DuckDBStore
store = DuckDBStore(Path(sys.argv[1]))
while True:
    with store.reading() as reader:
        print(reader.query("select count(*) from requests", None).rows, flush=True)
        time.sleep(0.3)
"""


def test_readers_that_leave_no_gap_let_an_ingest_go_first(ttsq: CommandLine) -> None:
    """One of three has the store open at any instant; without a turn of its own the writer would
    wait till it gives up.
    """
    (ttsq.folder / "app.log").write_text(lines(1000, 50))
    crowd = [_begun(ttsq, "-c", _CROWD, str(ttsq.store)) for _ in range(3)]
    try:
        for reader in crowd:
            assert reader.stdout is not None and reader.stdout.readline() == "[(200,)]\n"
        ttsq.well("ingest", "app.log", "--final")
        for reader in crowd:
            assert "[(250,)]\n" in iter(reader.stdout.readline, "")  # type: ignore[union-attr]
    finally:
        for reader in crowd:
            reader.kill()
            reader.communicate()


_HOLDER = """
import duckdb, sys
c = duckdb.connect(sys.argv[1], read_only=True)
for line in sys.stdin:
    print(c.execute("select count(*), count(text), md5(string_agg(r::varchar, '|' order by request_key)) from requests r").fetchall(), flush=True)
"""  # noqa: E501


@contextmanager
def _holding(path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A BI tool that keeps its connection open."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _ask(process: "subprocess.Popen[str]") -> str:
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write("\n")
    process.stdin.flush()
    return process.stdout.readline()


def test_a_reader_of_the_published_copy_stays_for_twenty_ingests_and_a_pruning(
    ttsq: CommandLine,
) -> None:
    """It sees its generation unchanged throughout, and none of them waits for it."""
    (ttsq.folder / "ttsq.toml").write_text("publish = true\n")
    ttsq.well("publish")
    current = ttsq.folder / "published" / "current.duckdb"
    held = current.resolve()
    log = ttsq.folder / "app.log"
    with _holding(current) as reader:
        seen = _ask(reader)
        assert seen.startswith("[(200, 200, ")
        for n in range(_RUNS):  # each fails where it meets a store that somebody holds for 30 s
            with log.open("a") as file:
                file.write(lines(1000 + n * 5, 5))
            ttsq.well("ingest", "app.log", "--final")
        ttsq.well("prune", "--older-than", "2026-03-02T03:00:00Z")
        assert _ask(reader) == seen
        assert held.exists()
    counts = ttsq.counts()
    assert counts is not None
    assert counts["requests"] == 20 + _RUNS * 5  # of the old ones, those from three o'clock on
    ttsq.well("publish")
    assert not held.exists()
    assert len(os.listdir(current.parent)) == 2  # what was pruned is in no copy any more
