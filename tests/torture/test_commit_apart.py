"""The last rows of a file are stored by a thread while the next file is opened and scanned: nothing
else may change by it.
"""

import gzip
from contextlib import suppress
from pathlib import Path

import pytest

from ingest import faults
from ingest.errors import StoreError
from ingest.pipeline import commits, one_file
from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness
from tests.support.fault_machine import KILLED, ended_in_child
from tests.support.harness import ENGINES
from tests.support.truth import make_truth

_FILES = 5


@pytest.fixture(autouse=True)
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for large files, each batch with a commit of its own."""
    monkeypatch.setattr(one_file, "_WORTH_A_THREAD", 0)
    monkeypatch.setattr(commits, "COMMIT_BYTES", 1)
    monkeypatch.setattr(one_file, "SMALL_BYTES", -1)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Files of one service, some compressed, one of them twice, whose requests begin and end in
    different ones.
    """
    truth = make_truth(5, 60, files=_FILES)
    folder = tmp_path_factory.mktemp("logs")
    for number, content in enumerate(truth.files):
        packed = gzip.compress(content) if number % 2 else content
        (folder / f"app{number}.log{'.gz' if number % 2 else ''}").write_bytes(packed)
    (folder / "copy.log").write_bytes(truth.files[2])
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def expected(logs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> harness.Tables:
    """The rows of a run without such a thread."""
    store = harness.new_store(tmp_path_factory.mktemp("expected"))
    harness.run(store, logs, final=True, chunk_bytes=2000)
    return harness.dump(store, logs)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("chunk", [2000, 1 << 20])
@pytest.mark.parametrize("commit", [1, 5000, 1 << 30])
def test_the_rows_are_the_same(
    logs: list[Path],
    expected: harness.Tables,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    engine: str,
    chunk: int,
    commit: int,
) -> None:
    monkeypatch.setattr(commits, "COMMIT_BYTES", commit)
    store = harness.new_store_of(engine, tmp_path)
    report = harness.run(store, logs, final=True, chunk_bytes=chunk)
    assert not report.problems
    assert harness.dump(store, logs) == expected
    assert report.bytes_read == report.ledger.settled_bytes
    assert sum(report.rows.values()) > 0
    harness.runs_add_up(store)
    again = harness.run(store, logs, final=True, chunk_bytes=chunk)
    assert not again.ledger.settled_bytes


@pytest.mark.parametrize("point", ["begun", "inserted", "before_commit", "committed", "closed"])
@pytest.mark.parametrize(
    ("count", "how"), [(2, "kill"), (5, "kill"), (5, "interrupt"), (2, "enospc")]
)
def test_stopped_at_any_point_the_next_run_goes_on(
    logs: list[Path],
    expected: harness.Tables,
    tmp_path: Path,
    point: str,
    count: int,
    how: str,
) -> None:
    """A file whose rows were not stored must not pass for read, however far the run has come behind
    it.
    """
    store = harness.new_store(tmp_path)

    def run() -> None:
        harness.run(store, logs, final=True, chunk_bytes=1 << 20)

    if how == "kill":
        assert ended_in_child(run, f"{point}:{count}") == KILLED
    else:
        with (
            faults.armed(f"{point}:{count}:{how}"),
            suppress(KeyboardInterrupt, StoreError, OSError),
        ):
            run()
            pytest.fail("nothing has stopped it")
    run()
    assert harness.dump(store, logs) == expected
    harness.runs_add_up(store)


def test_only_who_says_so_gives_keys_without_a_look_at_the_store(tmp_path: Path) -> None:
    """A key is needed while a thread writes."""
    there_is_none = DuckDBStore(tmp_path / "no" / "store.duckdb")
    assert there_is_none.capabilities.keys_without_store
    assert there_is_none.next_file_key(7) == 8
    assert not harness.new_store_of("postgresql", tmp_path).capabilities.keys_without_store
