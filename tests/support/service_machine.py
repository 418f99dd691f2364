"""A random walk over what writers, transports, logrotate and accidents do to files of services'
logs, and to the store: in the end the rows are those of one undisturbed run over all that was
written, each file of a series as it was when it was moved.

The requests of most services have no id: what happens to files must neither tear one, nor give it
another one's lines.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from ingest import faults
from ingest.errors import StoreError
from ingest.stores.contract import Store
from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks import prune as retention
from ingest.tasks.replay.report import Options as ReplayOptions
from ingest.tasks.replay.run import replay
from ingest.tasks.reread.run import reread
from ingest.tasks.verify import run as verifying
from tests.real_cases import walk
from tests.support import harness, service_logs
from tests.support.fault_machine import begun_in_child, hooked, waited
from tests.support.file_machine import CHUNKS, COUNTS, NOW, POINTS, QUIET_POINTS, TO_A_COMMIT
from tests.support.file_machine_disk import PACKED
from tests.support.service_disk import Log, ServiceDisk

_LOG = st.sampled_from([0, 0, 0, 1])
_KINDS = st.text("sssffowpurb", min_size=1, max_size=3)
_HALF = st.sampled_from([0, 0, 0, 1, 40, 160, 500])  # bytes that are written later
_SERVICES = st.sampled_from(["indextts", "indextts", "ids", "JSON"])
_ENVELOPES = st.sampled_from([*service_logs.ENVELOPES])


class ServiceMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="machine"))
        self.disk = ServiceDisk(self.folder / "logs")
        self.store = self._new_store()
        self.cut: str | None = None  # an instant: what is older was pruned
        self.has_backup = False

    def _new_store(self) -> Store:
        return harness.new_store(self.folder)

    @initialize(service=_SERVICES, envelope=_ENVELOPES, other=_SERVICES, around=_ENVELOPES)
    def services(self, service: str, envelope: str, other: str, around: str) -> None:
        self.disk.logs = [Log("app.log", service, envelope), Log("svc.log", other, around)]

    # writers and what rotates

    @rule(log=_LOG, kinds=_KINDS, half=_HALF)
    def append(self, log: int, kinds: str, half: int) -> None:
        self.disk.say(self.disk.logs[log], kinds, half)

    @rule(log=_LOG)
    def rotate(self, log: int) -> None:
        self.disk.rotate(self.disk.logs[log].name)

    @rule(log=_LOG, kinds=_KINDS, half=_HALF)
    def append_and_rotate(self, log: int, kinds: str, half: int) -> None:
        self.disk.say(self.disk.logs[log], kinds, half)
        self.disk.rotate(self.disk.logs[log].name)

    @rule(log=_LOG)
    def copytruncate(self, log: int) -> None:
        if self.disk.logs[log].is_of_a_shell:
            self.disk.copytruncate(self.disk.logs[log].name)

    @precondition(lambda self: self.disk.moved(plain=True))
    @rule(data=st.data(), suffix=st.sampled_from([*PACKED]), keep=st.booleans())
    def pack(self, data: st.DataObject, suffix: str, keep: bool) -> None:
        self.disk.pack(data.draw(st.sampled_from(self.disk.moved(plain=True))), suffix, keep=keep)

    @rule(log=_LOG, kinds=_KINDS, half=_HALF)
    def append_late(self, log: int, kinds: str, half: int) -> None:
        """The writer has not begun a new file yet."""
        self.disk.say_late(self.disk.logs[log], kinds, half)

    @precondition(lambda self: self.disk.moved())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        """A rotated file that has been read."""
        name = data.draw(st.sampled_from(self.disk.moved()))
        path = str(self.disk.path(name))
        if any(
            c.path == path and c.committed_offset == c.size_bytes == self.disk.entries[name].length
            for c in self.store.checkpoints()
        ):
            self.disk.delete(name)
            self.has_backup = False

    @rule()
    def change_disk(self) -> None:
        self.disk.change_disk()

    # runs

    def _read(self, chunk: int, names: list[str] | None = None, *, final: bool = False) -> None:
        """A run over some files, and what the command does behind it."""
        paths = [self.disk.path(n) for n in names or ["."]]
        batch = TO_A_COMMIT[chunk]
        report = walk.read(
            self.store, paths, final=final, chunk_bytes=chunk, batch_chunks=batch, wait_seconds=60
        )
        assert report.bytes_read == report.ledger.settled_bytes + report.ledger.tail_bytes
        assert all("has the log format" in p.message for p in report.problems), report.problems

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS)
    def run(self, chunk: int) -> None:
        self._read(chunk)

    @precondition(lambda self: self.disk.entries)
    @rule(data=st.data(), chunk=CHUNKS)
    def run_over_some_files_in_any_order(self, data: st.DataObject, chunk: int) -> None:
        names = data.draw(st.permutations(sorted(self.disk.entries)))
        for name in names[: data.draw(st.integers(1, len(names)))]:
            self._read(chunk, [name])

    @precondition(lambda self: self.disk.ended())
    @rule(data=st.data(), chunk=CHUNKS)
    def run_over_a_rotated_file_with_final(self, data: st.DataObject, chunk: int) -> None:
        self._read(chunk, [data.draw(st.sampled_from(self.disk.ended()))], final=True)

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS, point=POINTS, count=COUNTS)
    def run_killed(self, chunk: int, point: str, count: int) -> None:
        ended = waited(begun_in_child(lambda: self._read(chunk), f"{point}:{count}"))
        assert ended in (0, -9), "a run that was not killed has not ended well"

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS, point=POINTS, count=COUNTS, how=st.sampled_from(["interrupt", "enospc"]))
    def run_stopped(self, chunk: int, point: str, count: int, how: str) -> None:
        with (
            suppress(KeyboardInterrupt, StoreError, OSError, AssertionError),
            faults.armed(f"{point}:{count}:{how}"),
        ):
            self._read(chunk)

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS)
    def run_twice_at_once(self, chunk: int) -> None:
        both = [begun_in_child(lambda: self._read(chunk), None) for _ in range(2)]
        assert [waited(child) for child in both] == [0, 0], "two at once have not ended well"

    @precondition(lambda self: self.disk.entries)
    @rule(
        chunk=CHUNKS,
        point=QUIET_POINTS,
        count=COUNTS,
        log=_LOG,
        what=st.sampled_from(["append", "rotate", "copytruncate", "pack"]),
    )
    def run_while_files_change(
        self, chunk: int, point: str, count: int, log: int, what: str
    ) -> None:
        changes: dict[str, Callable[[], object]] = {
            "append": lambda: self.append(log, "sf", 40),
            "rotate": lambda: self.rotate(log),
            "copytruncate": lambda: self.copytruncate(log),
            "pack": self._pack_first,
        }
        with hooked(point, count, changes[what]):
            batch = TO_A_COMMIT[chunk]
            walk.read(self.store, [self.disk.folder], chunk_bytes=chunk, batch_chunks=batch)

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS)
    def run_over_a_copy_elsewhere(self, chunk: int) -> None:
        """What is stored is known there, what is not is read there."""
        copy = self.folder / "elsewhere"
        shutil.copytree(self.disk.folder, copy)
        walk.read(self.store, [copy], chunk_bytes=chunk, batch_chunks=TO_A_COMMIT[chunk])
        shutil.rmtree(copy)

    def _pack_first(self) -> None:
        for name in self.disk.moved(plain=True)[:1]:
            self.disk.pack(name, ".gz")

    # what is done to the store

    @precondition(lambda self: isinstance(self.store, DuckDBStore))
    @rule()
    def back_up(self) -> None:
        assert isinstance(self.store, DuckDBStore)
        shutil.copy(self.store.path, self.folder / "backup")
        self.has_backup = True

    @precondition(lambda self: self.has_backup)
    @rule()
    def restore(self) -> None:
        assert isinstance(self.store, DuckDBStore)
        shutil.copy(self.folder / "backup", self.store.path)

    @precondition(lambda self: self.disk.lines)
    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        at = service_logs.instant(data.draw(st.integers(0, self.disk.lines))).isoformat()
        _pruned(self.store, at)
        self.cut = max(self.cut or "", at)

    @rule()
    def replay(self) -> None:
        replay(self.store, ReplayOptions(walk.OPTIONS.format, walk.OPTIONS.tz), now=lambda: NOW)

    @precondition(lambda self: self.disk.entries)
    @rule(data=st.data())
    def reread(self, data: st.DataObject) -> None:
        """A file that has been read."""
        name = data.draw(st.sampled_from(sorted(self.disk.entries)))
        reread(self.store, [str(self.disk.path(name))], walk.OPTIONS, now=lambda: NOW)

    # what has to hold

    def teardown(self) -> None:
        try:
            self._end()
        finally:
            self.remove()

    def remove(self) -> None:
        """Remove all files."""
        shutil.rmtree(self.folder)

    def _end(self) -> None:
        if not self.disk.entries:
            return
        self._read(1 << 20, final=True)
        if self.disk.has_doubles():
            return  # nothing tells two such files apart
        whole = self._undisturbed()
        if self.cut is not None:
            _pruned(self.store, self.cut)
            _pruned(whole, self.cut)
        wanted, found = (walk.dumped(s, self.disk.files_of(s)) for s in (whole, self.store))
        if self.cut is not None:
            _without_what_was_cut(wanted)
            _without_what_was_cut(found)
        told = walk.differing(wanted, found)
        assert not told, "\n".join(("the rows of one undisturbed run, and these:", *told))
        if self.cut is None:
            options = verifying.Options(walk.OPTIONS.format, walk.OPTIONS.tz)
            assert verifying.verify(self.store, options).is_clean, "verify"

    def _undisturbed(self) -> Store:
        """What one run makes of all that was written."""
        folder = self.folder / "undisturbed"
        folder.mkdir()
        store = harness.new_store(folder)
        walk.read(store, self.disk.written_to(folder / "logs"), final=True)
        return store


def _without_what_was_cut(rows: dict[str, list[Any]]) -> None:
    """Leave out what came behind the pruned start of a request, which makes a request of its own,
    and which request a line belongs to: another one may have been there.
    """
    rows["requests"] = [r for r in rows["requests"] if r["start_offset"] is not None]
    whole = {r["request_key"] for r in rows["requests"]}
    rows["stage_timings"] = [r for r in rows["stage_timings"] if r["request_key"] in whole]
    for row in rows["http_requests"] + rows["errors"]:
        row["request_key"] = row["id"] = None


def _pruned(store: Store, before: str) -> None:
    cuts = retention.cuts(before, None, {}, NOW, walk.OPTIONS.tz)
    with patch.object(retention, "_PAUSE_SECONDS", 0):
        retention.prune(store, cuts, now=lambda: NOW)


class ServerServiceMachine(ServiceMachine):
    """The same with a store on a server."""

    def _new_store(self) -> Store:
        from tests.support import postgres_server

        return postgres_server.new_store()
