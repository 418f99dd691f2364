"""The model test: a random walk over log files, runs and accidents stores every record once;
planted faults are caught.
"""

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ingest import faults
from ingest.faults import reach
from ingest.logfiles import known as checkpoints
from ingest.logfiles.known import LogFile
from ingest.logfiles.open_log import OpenLog
from ingest.logfiles.resume import Anchored
from ingest.model import Checkpoint, FileReport, Ledger, RunRow
from ingest.pipeline.commits import Commits
from ingest.pipeline.one_file import OneFile
from ingest.pipeline.pending import Settled
from ingest.records.chunks import ChunkReader
from ingest.records.parse import Parsed
from ingest.rows.chunk import ChunkRows
from ingest.stores.duckdb.store import DuckDBStore
from ingest.stores.duckdb.writer import DuckDBWriter
from ingest.stores.postgres.store import PostgresStore
from ingest.stores.postgres.writer import PostgresWriter
from tests.support.file_machine import FileMachine, ServerFileMachine

_STEPS = 30  # of a walk
_WALKS = int(os.environ.get("TTSQ_EXAMPLES", "40")) // 5  # `make nightly` walks further
_SETTINGS = settings(
    max_examples=max(1, _WALKS),
    stateful_step_count=_STEPS,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("machine", [FileMachine, ServerFileMachine])
def test_every_record_is_stored_once_whatever_happens_to_the_files(
    machine: type[FileMachine],
) -> None:
    run_state_machine_as_test(machine, settings=_SETTINGS)


# walks that were found by search, and such as need little luck


def _stopped_behind_a_chunk(machine: FileMachine) -> None:
    machine.disk.append("app.log", "frrff")
    machine.run_stopped(chunk=400, point="committed", count=2, how="interrupt")
    machine.run(chunk=400)


def _empty_until_it_is_read(machine: FileMachine) -> None:
    machine.disk.append("svc.log", "ff")
    machine.disk.append("app.log", "")
    machine.run_while_files_change(chunk=400, point="closed", count=1, log="app.log", what="append")
    machine.run(chunk=400)


def _waiting_with_its_first_bytes(machine: FileMachine) -> None:
    machine.disk.append("app.log", "f", cut=38)
    machine.run(chunk=400)
    machine.lose_what_was_seen(kinds="f", point="locked", count=1)


def _lost_and_killed(machine: FileMachine) -> None:
    machine.disk.append("app.log", "ff")
    machine.run(chunk=400)
    machine.lose_what_was_seen(kinds="fff", point="closed", count=1)


def _emptied_before_it_is_decided_on(machine: FileMachine) -> None:
    for log in ("app.log", "svc.log"):
        machine.disk.append(log, "fff")
    machine.run(chunk=400)
    for log in ("app.log", "svc.log"):
        machine.disk.append(log, "fff")
    machine.run_while_files_change(
        chunk=400, point="looked", count=1, log="app.log", what="copytruncate"
    )
    assert "failure 10" in machine.stored()


def _growing(machine: FileMachine) -> None:
    for _ in range(3):
        machine.disk.append("app.log", "fr")
        machine.run(chunk=400)


def _half_a_record(machine: FileMachine) -> None:
    machine.append_half_a_record(log="app.log", kinds="fr", cut=20)
    machine.run(chunk=2500)


def _rotated_and_grown(machine: FileMachine) -> None:
    machine.disk.append("app.log", "ff")
    machine.run(chunk=2500)
    machine.disk.append("app.log", "ff")
    machine.disk.rotate("app.log")
    machine.disk.append("app.log", "f")
    machine.run(chunk=2500)


def _killed_at_every_point(machine: FileMachine) -> None:
    for point in faults.POINTS:
        machine.disk.append("app.log", "ff")
        machine.run_killed(chunk=2500, point=point, count=1)
    machine.run(chunk=2500)


def _empty_files_among_small_ones(machine: FileMachine) -> None:
    machine.disk.append("svc.log", "f")
    machine.disk.copytruncate("svc.log")
    machine.disk.copytruncate("svc.log")
    machine.disk.copytruncate("app.log")


def _short_copy_of_a_file_that_grew(machine: FileMachine) -> None:
    machine.disk.append("app.log", "f")
    machine.disk.rotate("app.log")
    machine.disk.pack("app.log.1", ".gz", keep=True)
    machine.disk.append("app.log.1", "ff")
    machine.run(chunk=2500)
    machine.run(chunk=2500)


def _stopped_with_small_files_read(machine: FileMachine) -> None:
    for log in ("app.log", "svc.log"):
        machine.disk.append(log, "fff")
    machine.run_stopped(chunk=2500, point="settled", count=2, how="interrupt")
    machine.run(chunk=2500)


def _two_at_once(machine: FileMachine) -> None:
    for _ in range(5):
        machine.disk.append("app.log", "frff" * 5)
        machine.run_twice_at_once(chunk=400)


_WALKS_BY_HAND = [
    _stopped_behind_a_chunk,
    _empty_until_it_is_read,
    _waiting_with_its_first_bytes,
    _lost_and_killed,
    _emptied_before_it_is_decided_on,
    _growing,
    _half_a_record,
    _rotated_and_grown,
    _killed_at_every_point,
    _empty_files_among_small_ones,
    _short_copy_of_a_file_that_grew,
    _stopped_with_small_files_read,
    _two_at_once,
]
Walk = Callable[[FileMachine], None]


def _walk(steps: Walk, kind: type[FileMachine] = FileMachine) -> None:
    """In the end all that is on disk must be stored."""
    machine = kind()
    try:
        steps(machine)
    except BaseException:
        shutil.rmtree(machine.folder)
        raise
    machine.teardown()


@pytest.mark.parametrize("machine", [FileMachine, ServerFileMachine])
@pytest.mark.parametrize("steps", _WALKS_BY_HAND)
def test_a_walk_by_hand_ends_well(steps: Walk, machine: type[FileMachine]) -> None:
    _walk(steps, machine)


Patch = pytest.MonkeyPatch


def _last_record_not_held_back(patch: Patch) -> None:
    parse = ChunkReader._parse

    def wrong(self: ChunkReader, data: memoryview, base: int, at_end: bool) -> Parsed:
        self.final = True
        return parse(self, data, base, at_end)

    patch.setattr(ChunkReader, "_parse", wrong)


def _tail_begins_one_byte_late(patch: Patch) -> None:
    prove = OpenLog.prove

    def wrong(self: OpenLog) -> Anchored:
        proof = prove(self)
        if self.offset and proof is Anchored.EQUAL and self.reader.read(1):
            self.offset += 1
        return proof

    patch.setattr(OpenLog, "prove", wrong)


def _offset_moves_before_the_rows(patch: Patch) -> None:
    write = Commits._write

    def wrong(
        self: Commits,
        batches: list[ChunkRows],
        checkpoints: list[Checkpoint],
        reading: Ledger,
        reports: list[FileReport],
        apart: bool = False,
    ) -> None:
        with self._store.writing() as writer:
            writer.commit(checkpoints, None)
        write(self, batches, checkpoints, reading, reports, apart)

    patch.setattr(Commits, "_write", wrong)


def _checkpoint_in_another_transaction(patch: Patch) -> None:
    commit = DuckDBWriter.commit

    def wrong(self: DuckDBWriter, known: Sequence[Checkpoint], run: RunRow | None) -> None:
        self._connection.execute("commit")
        reach("committed")
        self._connection.execute("begin")
        commit(self, known, run)

    patch.setattr(DuckDBWriter, "commit", wrong)


def _checkpoint_in_another_transaction_of_a_server(patch: Patch) -> None:
    commit = PostgresWriter.commit

    def wrong(self: PostgresWriter, known: Sequence[Checkpoint], run: RunRow | None) -> None:
        self._connection.execute("commit")
        reach("committed")
        self._connection.execute("begin")
        commit(self, known, run)

    patch.setattr(PostgresWriter, "commit", wrong)


def _half_read_passes_for_untouched(patch: Patch) -> None:
    advanced = OneFile._advanced

    def wrong(self: OneFile, base: Checkpoint, settled: Settled) -> Checkpoint:
        stat = self._opened.file.stat
        made = advanced(self, base, settled)
        return made._replace(modified_ns=stat.modified_ns, stored_bytes=stat.stored_bytes)

    patch.setattr(OneFile, "_advanced", wrong)


def _loss_is_forgotten_by_a_killed_run(patch: Patch) -> None:
    commit = Commits.commit

    def wrong(
        self: Commits,
        checkpoint: Checkpoint,
        replaced: Sequence[Checkpoint],
        batches: list[ChunkRows],
        total: Ledger,
        *,
        apart: bool = False,
    ) -> None:
        commit(self, checkpoint, [], batches, total)

    patch.setattr(Commits, "commit", wrong)


def _interrupted_commit_is_taken_for_undone(patch: Patch) -> None:
    def wrong(self: Commits) -> None:
        if self._pending is not None:
            self._known.revert(c.file_key for c in self._pending.checkpoints)
        self._known.forget(h.file_key for h in self._held)
        self._held.clear()

    patch.setattr(Commits, "_resolve_pending", wrong)


def _held_files_pass_for_stored(patch: Patch) -> None:
    def wrong(self: checkpoints.Known, file_keys: Iterable[int]) -> None:
        pass

    patch.setattr(checkpoints.Known, "forget", wrong)


def _two_ingests_at_once(patch: Patch) -> None:
    patch.setattr(DuckDBStore, "ingesting", lambda self, wait_seconds, host=None: nullcontext())


def _two_ingests_of_a_host_at_once(patch: Patch) -> None:
    patch.setattr(PostgresStore, "_lock", lambda *args: None)


def _every_file_is_finished(patch: Patch) -> None:
    def wrong(self: checkpoints.Known, file: LogFile, *, final: bool) -> bool:
        return True

    patch.setattr(checkpoints.Known, "is_finished", wrong)


@pytest.mark.parametrize(
    ("plant", "steps", "told"),
    [
        (_last_record_not_held_back, _half_a_record, "never complete|ledger|bytes of the records"),
        (_tail_begins_one_byte_late, _growing, "lost|ledger"),
        (_offset_moves_before_the_rows, _killed_at_every_point, "ended well|lost|ledger|bytes"),
        (_checkpoint_in_another_transaction, _killed_at_every_point, "twice|bytes"),
        (_half_read_passes_for_untouched, _stopped_behind_a_chunk, "lost"),
        (_loss_is_forgotten_by_a_killed_run, _lost_and_killed, "bytes lost"),
        (_interrupted_commit_is_taken_for_undone, _stopped_behind_a_chunk, "ledger of the runs"),
        (_two_ingests_at_once, _two_at_once, "ended well|twice|bytes|ledger"),
        (_held_files_pass_for_stored, _stopped_with_small_files_read, "lost|ledger|bytes"),
        (_every_file_is_finished, _half_a_record, "never complete|bytes"),
    ],
)
def test_a_planted_fault_is_caught(
    plant: Callable[[Patch], None], steps: Walk, told: str, monkeypatch: Patch
) -> None:
    """By a walk that ends well without it: :func:`test_a_walk_by_hand_ends_well`."""
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=told):
        _walk(steps)


@pytest.mark.parametrize(
    ("plant", "steps", "told"),
    [
        (_checkpoint_in_another_transaction_of_a_server, _killed_at_every_point, "twice|bytes"),
        (_two_ingests_of_a_host_at_once, _two_at_once, "ended well|twice|bytes|ledger"),
    ],
)
def test_a_fault_planted_in_the_servers_backend_is_caught(
    plant: Callable[[Patch], None], steps: Walk, told: str, monkeypatch: Patch
) -> None:
    plant(monkeypatch)
    with pytest.raises(AssertionError, match=told):
        _walk(steps, ServerFileMachine)


@pytest.mark.slow
@pytest.mark.parametrize("plant", [_tail_begins_one_byte_late])
def test_a_planted_fault_is_found_by_search(
    plant: Callable[[Patch], None], monkeypatch: Patch
) -> None:
    plant(monkeypatch)
    walks = settings(
        _SETTINGS,
        max_examples=150,
        phases=[Phase.generate],  # the first walk that fails will do
        report_multiple_bugs=False,
        database=None,
    )
    with pytest.raises(AssertionError, match=r"lost|twice|ledger|bytes"):
        run_state_machine_as_test(FileMachine, settings=walks)
