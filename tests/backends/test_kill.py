"""``kill -9`` in the middle of an ingest repeats nothing and loses nothing."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks.demo import write_demo
from tests.support import harness
from tests.support.ingest_in_small_chunks import CHUNK_BYTES

_ROOT = Path(__file__).parents[2]
_KILLS = 12
_SCRIPT = "tests.support.ingest_in_small_chunks"
Rows = dict[str, list[harness.Row]]


@contextmanager
def _begun(store: DuckDBStore, folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that is about to ingest."""
    environment = os.environ | {"PYTHONPATH": str(_ROOT)}
    words = [sys.executable, "-m", _SCRIPT, str(store.path), str(folder)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "begin\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close() if process.stdout else None


def _seconds_undisturbed(store: DuckDBStore, folder: Path) -> float:
    with _begun(store, folder) as process:
        begin = time.monotonic()
        assert process.wait(timeout=120) == 0
        return time.monotonic() - begin


def _written(logs: Path) -> list[Path]:
    made = write_demo(logs, now=datetime(2026, 3, 2, tzinfo=UTC), requests=400, tz="UTC")
    return [*made.files, made.access]


def _stored_bytes(store: DuckDBStore) -> int:
    return sum(c.committed_offset for c in store.checkpoints())


def _new_store(folder: Path, name: str) -> DuckDBStore:
    (folder / name).mkdir()
    return harness.new_store(folder / name)


def test_killed_at_any_moment_a_second_run_completes_the_tables(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    paths = _written(logs)
    whole = _new_store(tmp_path, "whole")
    seconds = _seconds_undisturbed(whole, logs)
    expected, total = harness.dump(whole, paths), _stored_bytes(whole)
    assert total > 10 * CHUNK_BYTES
    assert len(expected["requests"]) > 280
    chance = random.Random(7)
    in_the_middle = number = 0
    while number < _KILLS or in_the_middle < _KILLS // 4:
        assert number < 5 * _KILLS, "the kills missed the ingest"
        number += 1
        store = _new_store(tmp_path, str(number))
        with _begun(store, logs) as process:
            time.sleep(chance.uniform(0, seconds))
            process.kill()
        in_the_middle += 0 < _stored_bytes(store) < total
        report = harness.run(store, [logs], final=True)
        assert not report.problems
        _equal(harness.dump(store, paths), expected, f"kill {number}")
        _settled(store, total)


def test_killed_again_and_again_in_one_store(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    paths = _written(logs)
    whole, store = _new_store(tmp_path, "whole"), _new_store(tmp_path, "killed")
    seconds = _seconds_undisturbed(whole, logs)
    chance = random.Random(8)
    before = 0
    for _ in range(6):
        with _begun(store, logs) as process:
            time.sleep(chance.uniform(0, seconds / 3))
            process.kill()
        assert _stored_bytes(store) >= before
        before = _stored_bytes(store)
    harness.run(store, [logs], final=True)
    _equal(harness.dump(store, paths), harness.dump(whole, paths), "killed six times")
    _settled(store, _stored_bytes(whole))


def _equal(got: Rows, expected: Rows, when: str) -> None:
    for table in harness.TABLES:
        assert len(got[table]) == len(expected[table]), (when, table)
        for mine, want in zip(got[table], expected[table], strict=True):
            assert mine == want, (when, table)


def _settled(store: DuckDBStore, total: int) -> None:
    """The ledger of the files adds up, and another run finds nothing to do."""
    checkpoints = store.checkpoints()
    assert sum(c.committed_offset for c in checkpoints) == total
    accounted = sum(c.record_bytes + c.quarantined_bytes + c.ignored_bytes for c in checkpoints)
    assert accounted == total
