"""The flow is killed at each of its named points; the next run repairs everything by itself."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest import faults
from ingest.stores.duckdb.store import DuckDBStore
from ingest.stores.holders import holder_of
from tests.support import harness
from tests.support.command_line import ROOT, CommandLine
from tests.support.fault_machine import KILLED, counting, ended_in_child
from tests.support.log_writer import Journal, to_bytes

pytestmark = pytest.mark.slow  # minutes: `make nightly`

_CHUNK = 5000  # bytes: two chunks of what is new in the second log
_ACROSS = (
    b'2026-03-02 00:00:01,000 - app - INFO - synthesis_start: id=ts_0a0a0a0a, text="two files"\n'
    b"2026-03-02 00:00:01,100 - app - INFO - stage_time: stage=text_normalize, "
    b"id=ts_0a0a0a0a, duration_ms=9\n"
    b"2026-03-02 00:00:01,200 - app - ERROR - out of memory: id=ts_0a0a0a0a, error_code=OOM\n",
    b"2026-03-02 00:00:02,000 - app - INFO - stage_time: stage=audio_render, id=ts_0a0a0a0a, "
    b"duration_ms=90\n"
    b"2026-03-02 00:00:02,200 - app - INFO - synthesis_complete: id=ts_0a0a0a0a, "
    b"status=success, duration_ms=95\n",
)
_OTHERS = (
    b"2026-03-02 00:00:03,000 - app.cache - INFO - cache_health: path=/c, used=1MB, "
    b"total=2MB, usage=50%\n"
    b"2026-02-31 00:00:03,000 - app.cache - INFO - a day that there is not\n\n"
)
_NEVER = {"migrated"}  # of a store that is at head
_SUMS = ("records", "record_bytes", "quarantined", "quarantined_bytes", "ignored_bytes")


class Half:
    """A store that knows the first part of two logs; both have grown since."""

    def __init__(self, folder: Path) -> None:
        journal = Journal()
        self.logs = folder / "logs"
        self.logs.mkdir()
        self.paths = [self.logs / "a.log", self.logs / "b.log"]
        self.template = harness.new_store(folder)
        self._append(_ACROSS[0], to_bytes(journal.mixed(4)))
        self.run(self.template)
        self._append(to_bytes(journal.mixed(8)), _ACROSS[1] + _OTHERS + to_bytes(journal.mixed(12)))

    def _append(self, *data: bytes) -> None:
        for path, more in zip(self.paths, data, strict=True):
            with path.open("ab") as file:
                file.write(more)

    @property
    def bytes(self) -> int:
        return sum(p.stat().st_size for p in self.paths)

    def copy(self, name: str) -> DuckDBStore:
        """The store as it is at the beginning."""
        path = self.template.path.with_name(name + ".duckdb")
        shutil.copy(self.template.path, path)
        return DuckDBStore(path)

    def run(self, store: DuckDBStore) -> None:
        """One run over both logs, in small chunks."""
        assert not harness.run(store, self.paths, final=True, chunk_bytes=_CHUNK).problems


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Half:
    return Half(tmp_path_factory.mktemp("half"))


@pytest.fixture(scope="module")
def expected(half: Half) -> harness.Tables:
    store = half.copy("undisturbed")
    half.run(store)
    return harness.dump(store, half.paths)


def _passed(half: Half) -> dict[str, int]:
    """How often an undisturbed run comes by each point."""
    with counting() as passed:
        half.run(half.copy("counted"))
    return dict(passed.times)


def test_every_point_is_passed(half: Half, tmp_path: Path) -> None:
    passed = set(_passed(half))
    assert passed == set(faults.POINTS) - _NEVER
    with counting() as new:
        half.run(DuckDBStore(tmp_path / "new.duckdb"))
    assert set(new.times) >= _NEVER


def test_every_point_stands_in_the_flow_and_each_is_in_the_list() -> None:
    source = "".join(
        (ROOT / "ingest" / name).read_text()
        for name in (
            "pipeline.py",
            "commits.py",
            "reading.py",
            "backends/duckdb.py",
            "backends/duckdb_writer.py",
        )
    )
    assert set(re.findall(r'reach\("(\w+)"\)', source)) == set(faults.POINTS)


def test_rows_of_every_table_are_among_those_inserted(expected: harness.Tables) -> None:
    assert all(expected[table] for table in harness.TABLES)
    (across,) = [r for r in expected["requests"] if r["id"] == "ts_0a0a0a0a"]
    assert (across["start_file"], across["end_file"], across["status"]) == (0, 1, "success")
    stages = [r for r in expected["stage_timings"] if r["id"] == "ts_0a0a0a0a"]
    assert sorted((r["seq"], r["duration_ms"]) for r in stages) == [(1, 9.0), (2, 81.0)]


@pytest.mark.slow
def test_killed_at_each_point_the_next_run_repairs_everything(
    half: Half, expected: harness.Tables
) -> None:
    stored = set()
    for point, times in _passed(half).items():
        for count in range(1, times + 1) if point == "inserted" else sorted({1, times}):
            store = half.copy(f"{point}-{count}")
            ended = ended_in_child(lambda s=store: half.run(s), f"{point}:{count}")  # type: ignore[misc]
            assert ended == KILLED, (point, count)
            stored.add(_committed(store))
            half.run(store)
            _expect_repaired(half, store, expected, f"{point}:{count}")
            store.path.unlink()
    assert len(stored) > 3, "the kills missed the commits"


def _committed(store: DuckDBStore) -> int:
    return sum(c.committed_offset for c in store.checkpoints())


def _expect_repaired(half: Half, store: DuckDBStore, expected: harness.Tables, when: str) -> None:
    """The tables are those of an undisturbed run; every byte is accounted for, by file and by run;
    all is at rest.
    """
    got = harness.dump(store, half.paths)
    for table in harness.TABLES:
        assert got[table] == expected[table], (when, table)
    known = store.checkpoints()
    assert _committed(store) == half.bytes, when
    files = {name: sum(getattr(c, name) for c in known) for name in _SUMS}
    assert files["record_bytes"] + files["quarantined_bytes"] + files["ignored_bytes"] == half.bytes
    sums = ", ".join(f"sum({name})" for name in _SUMS)
    with store.reading() as reader:
        (runs,) = reader.query(f"select {sums} from ingest_runs", {}).rows
        states = reader.query("select distinct status from ingest_runs", {}).rows
    assert dict(zip(_SUMS, runs, strict=True)) == files, when
    assert {str(s[0]) for s in states} <= {"done", "failed", "interrupted"}, when
    before = store.path.read_bytes()
    half.run(store)
    assert store.path.read_bytes() == before, when


@pytest.mark.parametrize("point", ["begun", "rows_in", "before_commit", "committed", "parsed"])
@pytest.mark.parametrize(("action", "code"), [("interrupt", 130), ("term", -15), ("kill", -9)])
def test_the_command_is_stopped_and_says_so(
    half: Half, expected: harness.Tables, point: str, action: str, code: int
) -> None:
    store = half.copy(f"{point}-{action}")
    done = _ingest(half, store, f"{point}:3:{action}")
    assert done.returncode == code, done
    if action != "kill":
        assert done.stderr == (
            "ttsq: interrupted; what was committed stays, the rest comes next time\n"
        )
        assert _last_status(store) == "interrupted"
    half.run(store)
    _expect_repaired(half, store, expected, f"{point} {action}")


def _ingest(half: Half, store: DuckDBStore, fault: str) -> "subprocess.CompletedProcess[str]":
    """``ttsq ingest`` in a process of its own, in small chunks."""
    words = [sys.executable, "-m", "tests.support.ttsq_in_small_chunks", str(_CHUNK)]
    environment = CommandLine(half.logs.parent).environment | {"TTSQ_FAULT": fault}
    return subprocess.run(
        [*words, "--db", f"duckdb:///{store.path}", "ingest", *map(str, half.paths), "--final"],
        env=environment | {"TTSQ_HOST": "h", "TTSQ_SERVICE": "s"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )


def _last_status(store: DuckDBStore) -> str:
    with store.reading() as reader:
        rows = reader.query("select status from ingest_runs order by run_key desc limit 1", {}).rows
    return str(rows[0][0])


@pytest.mark.parametrize("point", ["begun", "inserted", "checkpoint_in", "before_commit"])
def test_no_space_at_a_step_of_the_batch_is_told_in_one_sentence(
    half: Half, expected: harness.Tables, point: str
) -> None:
    store = half.copy(f"{point}-full")
    done = _ingest(half, store, f"{point}:2:enospc")
    assert done.returncode == 4
    assert f"ttsq: error: cannot use the store {store.path}: " in done.stderr
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    half.run(store)
    _expect_repaired(half, store, expected, point)


_LONG = "select count(*) from range(100000000) a, range(1000) b where a.range % 7 = b.range"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_a_statement_is_told_like_any_other(
    half: Half, number: signal.Signals
) -> None:
    """DuckDB makes an error of its own of it."""
    words = [sys.executable, "-m", "ingest", "--db", f"duckdb:///{half.template.path}"]
    environment = CommandLine(half.logs.parent).environment
    with subprocess.Popen(
        [*words, "sql", _LONG], env=environment, cwd=ROOT, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.poll() is None and holder_of(half.template.path) is None:
            time.sleep(0.02)
        time.sleep(0.2)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == (130 if number is signal.SIGINT else -signal.SIGTERM), told
    assert told == "ttsq: interrupted; what was committed stays, the rest comes next time\n"


def test_a_fault_that_there_is_not_is_refused() -> None:
    for words in ("nowhere", "begun:1:explode", "begun:often"):
        with pytest.raises(ValueError), faults.armed(words):
            pass
