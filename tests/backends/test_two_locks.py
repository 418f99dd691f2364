"""Two ingests of one store that know nothing of each other's lock, one of them killed: each commit
proves that the store is what its run started from, so nothing is stored twice and nothing is lost.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from ingest.errors import IngestBusyError, StoreError
from ingest.model import Ledger, Origin, RunRow
from ingest.pipeline.one_file import OneFile
from ingest.rows.content import Stretch
from ingest.stores.contract import Standing, Store
from ingest.stores.duckdb.store import DuckDBStore
from ingest.stores.duckdb.writer import DuckDBWriter
from ingest.stores.postgres.store import PostgresStore
from tests.support import harness, postgres_server
from tests.support.command_line import ROOT
from tests.support.fault_machine import KILLED, begun_in_child, waited
from tests.support.log_writer import Journal, stored_rows, to_bytes

_CHUNK = 4000  # bytes: some fifteen commits
_REFUSED = 5


class _Logs:
    """Three log files, and what a store must hold of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "logs"
        self.folder.mkdir()
        self.journal = Journal()
        for number in (2, 1, 0):
            name = f"app.log.{number}".removesuffix(".0")
            (self.folder / name).write_bytes(to_bytes(self.journal.mixed(30)))

    def run(self, store: Store) -> None:
        """One run; the process ends with 5 where another ingest was first."""
        try:
            harness.run(store, [self.folder], final=True, chunk_bytes=_CHUNK)
        except IngestBusyError:
            os._exit(_REFUSED)

    def expect_once(self, store: Store) -> None:
        """A further run leaves everything stored, once, and the ledger right."""
        report = harness.run(store, [self.folder], final=True)
        assert not report.problems
        wrong = stored_rows(store).wrong(self.journal.rows())  # type: ignore[arg-type]
        assert not wrong, wrong
        assert sum(c.record_bytes for c in store.checkpoints()) == self.journal.size


def _both(
    logs: _Logs, stores: tuple[Store, Store], chance: random.Random, meanwhile: Callable[[], object]
) -> list[int]:
    """Run both at once and kill one of them at some moment; how they ended."""
    children = [begun_in_child(lambda s=store: logs.run(s), None) for store in stores]
    victim, at = chance.randrange(2), time.monotonic() + chance.uniform(0.1, 1.0)
    while time.monotonic() < at:
        meanwhile()
        time.sleep(0.005)
    os.kill(children[victim], signal.SIGKILL)
    return [waited(child) for child in children]


@contextmanager
def _mounted(folder: Path, place: Path) -> Iterator[None]:
    place.mkdir()
    done = subprocess.run(["mount", "--bind", folder, place], capture_output=True)
    if done.returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("way", ["symlink", "hard link", "lock removed", "bind mount"])
def test_a_store_in_one_file(tmp_path: Path, way: str, seed: int) -> None:
    logs = _Logs(tmp_path)
    (tmp_path / "real").mkdir()
    store = harness.new_store(tmp_path / "real")
    other, lock = tmp_path / "other.duckdb", Path(f"{store.path}.lock")
    mounted: contextmanager[None] | nullcontext[None] = nullcontext()  # type: ignore[valid-type]
    if way == "symlink":
        other.symlink_to(store.path)
    elif way == "hard link":
        other.hardlink_to(store.path)
    elif way == "bind mount":
        mounted = _mounted(store.path.parent, tmp_path / "mounted")
        other = tmp_path / "mounted" / store.path.name
    else:
        other = store.path

    def remove_lock() -> None:
        if way == "lock removed":
            with suppress(FileNotFoundError):
                lock.unlink()

    with mounted:
        stores = (DuckDBStore(store.path), DuckDBStore(other))
        ended = _both(logs, stores, random.Random(seed), remove_lock)
        assert set(ended) <= {0, _REFUSED, KILLED}, ended
    logs.expect_once(store)


@pytest.mark.parametrize("moment", ["looks for known content", "commits"])
@pytest.mark.parametrize("way", ["symlink", "lock removed"])
def test_who_commits_second_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, moment: str
) -> None:
    """Another ingest begins and ends between the beginning of the first one and its commit."""
    logs = _Logs(tmp_path)
    store = harness.new_store(tmp_path)
    other = store.path
    if way == "symlink":
        other = tmp_path / "other.duckdb"
        other.symlink_to(store.path)
    writing, stretches, ended = store.writing, OneFile._stretches, []

    def overtake() -> None:
        if not ended:
            Path(f"{store.path}.lock").unlink()
            words = ["tests.support.ingest_in_small_chunks", str(other), str(logs.folder)]
            done = subprocess.run([sys.executable, "-m", *words], cwd=ROOT, timeout=120)
            ended.append(done.returncode)

    def late_writing(standing: Standing | None = None) -> AbstractContextManager[DuckDBWriter]:
        store.release()  # as it does itself, a moment later
        overtake()
        return writing(standing)

    def late_stretches(one: OneFile, origin: Origin, *, final: bool, stops: bool) -> list[Stretch]:
        overtake()
        return stretches(one, origin, final=final, stops=stops)

    if moment == "commits":
        monkeypatch.setattr(store, "writing", late_writing)
    else:
        monkeypatch.setattr(OneFile, "_stretches", late_stretches)
    with pytest.raises(IngestBusyError, match=r"stored into .* meanwhile"):
        harness.run(store, [logs.folder], final=True, chunk_bytes=_CHUNK)
    assert ended == [0]
    monkeypatch.undo()
    logs.expect_once(store)


@pytest.mark.parametrize("seed", range(2))
def test_a_store_on_a_server(tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a pooler that gives every transaction another session: their locks are nothing."""
    monkeypatch.setattr(PostgresStore, "_lock", lambda *_: None)
    logs, url = _Logs(tmp_path), postgres_server.new_url()
    ended = _both(logs, (PostgresStore(url), PostgresStore(url)), random.Random(seed), lambda: None)
    assert set(ended) <= {0, _REFUSED, KILLED}, ended
    logs.expect_once(PostgresStore(url))


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_who_waited_for_another_commit_sees_it(level: str) -> None:
    """Whatever isolation the database gives its transactions."""
    store = PostgresStore(postgres_server.new_url())
    refused: list[BaseException] = []

    def commit_second() -> None:
        try:
            with store.writing(Standing(0, {})):
                pass
        except IngestBusyError as error:
            refused.append(error)

    with store.connected("tests") as connection:
        name = connection.info.dbname
        connection.execute(f"alter database {name} set default_transaction_isolation = '{level}'")
        with store.writing(Standing(0, {})) as writer:
            waiter = Thread(target=commit_second, daemon=True)
            waiter.start()
            while not connection.execute("select 1 from pg_locks where not granted").fetchone():
                time.sleep(0.01)
            key, now, ledger = writer.next_run_key("h"), datetime.now(UTC), asdict(Ledger())
            row = {"host": "h", "started_at": now, "finished_at": now, "status": "done"}
            none = {"files": 0, "bytes": 0, "rows": 0, "error": None}
            writer.commit([], RunRow(run_key=key, **row, **none, **ledger))
        waiter.join()
    assert refused


def test_without_the_proof_both_store_everything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the other tests would see if a commit proved nothing."""
    monkeypatch.setattr(PostgresStore, "_lock", lambda *_: None)
    monkeypatch.setattr("ingest.stores.postgres.writer.require_standing", lambda *_: None)
    logs, url = _Logs(tmp_path), postgres_server.new_url()
    children = [begun_in_child(lambda: logs.run(PostgresStore(url)), None) for _ in range(2)]
    for child in children:
        waited(child)
    with suppress(StoreError), pytest.raises(AssertionError):
        logs.expect_once(PostgresStore(url))
