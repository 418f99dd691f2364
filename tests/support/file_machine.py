"""A random walk over what writers, logrotate, cron and accidents do to log files and to the store,
against a memory of it.

After every run: no record is stored twice, none that was never complete on disk, every one that had
to be, and the ledgers of files and runs add up to the bytes of the records stored. In the end all
that is on disk is stored.
"""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from ingest import faults
from ingest.errors import LogFileError, StoreError
from ingest.model import RunReport
from ingest.stores.contract import Reader, Store
from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks import prune as retention
from tests.support import file_machine_content as content
from tests.support import harness
from tests.support.fault_machine import begun_in_child, hooked, waited
from tests.support.file_machine_disk import PACKED, Disk, rotation
from tests.support.log_writer import STAGES, instant

LOGS = st.sampled_from(["app.log", "svc.log"])
KINDS = st.text("fr", min_size=1, max_size=4)
PADS = st.sampled_from([0, 0, 0, 150, 3000, 70_000])  # bytes; a fingerprint covers 64 KiB
TO_A_COMMIT = {400: 1, 500: 3, 2500: 1, 1 << 20: 1}  # chunks, by their bytes
CHUNKS = st.sampled_from(list(TO_A_COMMIT))
POINTS = st.sampled_from([p for p in faults.POINTS if p != "migrated"])
COUNTS = st.integers(1, 4)
QUIET_POINTS = st.sampled_from(
    ["looked", "proved", "before_read", "after_read", "closed", "settled"]
)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
_SUMS = (
    "record_bytes",
    "quarantined_bytes",
    "ignored_bytes",
    "unclaimed_bytes",
    "already_stored_bytes",
)


class FileMachine(RuleBasedStateMachine):
    """See the module."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="machine"))
        self.disk = Disk(self.folder / "logs")
        self.store = self._new_store()
        self.must: set[str] = set()
        self.may: set[str] = set()
        self.pruned: set[str] = set()
        self.backup: tuple[set[str], set[str]] | None = None
        self.is_edited = False
        self.is_restored = False
        self.halves: dict[str, str] = {}  # of which half a line was left, and what is behind it

    def _new_store(self) -> Store:
        return harness.new_store(self.folder)

    # writers and logrotate

    @rule(log=LOGS, kinds=KINDS, pad=PADS, banner=st.booleans())
    def append(self, log: str, kinds: str, pad: int, banner: bool) -> None:
        self.disk.append(log, kinds, pad, banner=banner)

    @rule(log=LOGS, kinds=KINDS, cut=st.integers(1, 300))
    def append_half_a_record(self, log: str, kinds: str, cut: int) -> None:
        self.disk.append(log, kinds, cut=cut)

    @rule(log=LOGS)
    def rotate(self, log: str) -> None:
        self.disk.rotate(log)

    @rule(log=LOGS)
    def copytruncate(self, log: str) -> None:
        self.disk.copytruncate(log)

    def _rotated(self, plain: bool = False) -> list[str]:
        names = [n for n in sorted(self.disk.entries) if rotation(n)[0]]
        return [n for n in names if not (plain and n.endswith(tuple(PACKED)))]

    @precondition(lambda self: self._rotated(plain=True))
    @rule(data=st.data(), suffix=st.sampled_from([*PACKED]), keep=st.booleans())
    def pack(self, data: st.DataObject, suffix: str, keep: bool) -> None:
        self.disk.pack(data.draw(st.sampled_from(self._rotated(plain=True))), suffix, keep=keep)

    def _pack_first(self) -> None:
        for name in self._rotated(plain=True)[:1]:
            self.disk.pack(name, ".gz")

    @precondition(lambda self: self._rotated(plain=True))
    @rule(data=st.data(), kinds=KINDS)
    def append_late(self, data: st.DataObject, kinds: str) -> None:
        """A worker that still has the renamed file open."""
        name = data.draw(st.sampled_from(self._rotated(plain=True)))
        entry = self.disk.entries[name]
        if entry.length == len(entry.stream.content):
            self.disk.append(name, kinds)

    @precondition(lambda self: self._rotated())
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self.disk.delete(data.draw(st.sampled_from(self._rotated())))

    @precondition(lambda self: self._rotated(plain=True))
    @rule(data=st.data(), log=LOGS, kinds=KINDS)
    def use_inode_again(self, data: st.DataObject, log: str, kinds: str) -> None:
        name = data.draw(st.sampled_from(self._rotated(plain=True)))
        self.disk.use_inode(name, log)
        self.disk.append(log, kinds)

    @rule()
    def change_disk(self) -> None:
        self.disk.change_disk()

    @rule(log=LOGS, times=st.integers(2, 4), kind=st.sampled_from("fre"))
    def rotate_quickly(self, log: str, times: int, kind: str) -> None:
        for _ in range(times):
            self.disk.append(log, kind)
            self.disk.rotate(log)

    @rule(kinds=st.text("re", min_size=1, max_size=3), first=LOGS)
    def append_across_files(self, kinds: str, first: str) -> None:
        """Each logger has a file of its own."""
        logs = [first, *(log for log in ("app.log", "svc.log") if log != first)]
        self.disk.append_across(logs, kinds)

    # what is done to content

    def _has_own(self, log: str) -> bool:
        """Whether a log has records, and no other file has one of them: few lines of a log that
        stands elsewhere, too, are new.
        """
        entry = self.disk.entries.get(log)
        if entry is None or not entry.stream.records or entry.length < len(entry.stream.content):
            return False
        own = {w.name for w in entry.stream.records}
        others = [e for n, e in self.disk.entries.items() if n != log]
        return all(own.isdisjoint(w.name for w in e.stream.records) for e in others)

    @rule(log=LOGS, keep=st.integers(0, 12), into=st.sampled_from([0, 20]), by_rename=st.booleans())
    def trim(self, log: str, keep: int, into: int, by_rename: bool) -> None:
        if self._has_own(log):
            self._note_torn(log, content.trim(self.disk, log, keep, into, by_rename=by_rename))

    @rule(log=LOGS, size=st.integers(1, 3000))
    def punch(self, log: str, size: int) -> None:
        if self._has_own(log):
            self._note_torn(log, content.punch(self.disk, log, size))

    def _note_torn(self, log: str, names: set[str]) -> None:
        behind = next((w.name for w in self.disk.entries[log].stream.records), "")
        self.halves.update(dict.fromkeys(names, behind))
        self._tear()

    def _tear(self) -> None:
        """Half a line may be a record, unless it is of a stored one: the stored one that stands
        behind it tells.
        """
        stored = self.stored() | self.pruned
        torn = {half for half, behind in self.halves.items() if not stored >= {half, behind}}
        self.disk.torn |= torn
        self.disk.is_torn |= bool(torn)

    @rule(log=LOGS, kinds=KINDS)
    def write_over(self, log: str, kinds: str) -> None:
        if self._has_own(log):
            content.write_over(self.disk, log, kinds)

    @rule(log=LOGS, suffix=st.sampled_from(["", *PACKED]))
    def gather(self, log: str, suffix: str) -> None:
        if self._has_own(log):
            content.gather(self.disk, log, suffix)

    @rule(log=LOGS)
    def join(self, log: str) -> None:
        if log in self.disk.entries:
            content.join(self.disk, log)

    @rule(log=LOGS, share=st.floats(0, 1))
    def edit(self, log: str, share: float) -> None:
        """A record in the stored part, with stored ones around it."""
        if not self._has_own(log):
            return
        stored = self.stored()
        names = [w.name for w in self.disk.entries[log].stream.records]
        places = [
            n for n in range(1, len(names) - 1) if stored >= {names[n - 1], names[n], names[n + 1]}
        ]
        if places:
            content.edit(self.disk, log, places[int(share * (len(places) - 1))])
            self.is_edited = True

    # runs

    def _run(self, chunk: int, *, final: bool = False, names: list[str] | None = None) -> RunReport:
        paths = [self.disk.path(n) for n in names or ["."]]
        batch = TO_A_COMMIT[chunk]
        return harness.run(
            self.store, paths, final=final, chunk_bytes=chunk, batch_chunks=batch, wait_seconds=60
        )

    def _look(self) -> None:
        """What stands complete on disk now may be read."""
        for name in self.disk.entries:
            self.may |= self.disk.readable(name, last=True)

    def _ran_well(self, report: RunReport, names: list[str], final: bool = False) -> None:
        assert report.bytes_read == report.ledger.settled_bytes + report.ledger.tail_bytes
        assert all("has the log format" in p.message for p in report.problems), report.problems
        for name in names:
            last = final or self.disk.is_finished(name)
            self.must |= self.disk.readable(name, last=last)
        self._check()

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS)
    def run(self, chunk: int) -> None:
        self._look()
        self._ran_well(self._run(chunk), [*self.disk.entries])

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS)
    def run_final(self, chunk: int) -> None:
        for name in [*self.disk.entries]:
            self.disk.complete(name)
        self._look()
        self._ran_well(self._run(chunk, final=True), [*self.disk.entries], True)

    @precondition(lambda self: any(not rotation(n)[0] for n in self.disk.entries))
    @rule(chunk=CHUNKS)
    def run_over_live_files_alone(self, chunk: int) -> None:
        live = [n for n in self.disk.entries if not rotation(n)[0]]
        self._look()
        self._ran_well(self._run(chunk, names=live), live)

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS, point=POINTS, count=COUNTS)
    def run_killed(self, chunk: int, point: str, count: int) -> None:
        self._look()
        ended = waited(begun_in_child(lambda: self._run(chunk), f"{point}:{count}"))
        assert ended in (0, -9), "a run that was not killed has not ended well"
        self._check()

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS, point=POINTS, count=COUNTS, how=st.sampled_from(["interrupt", "enospc"]))
    def run_stopped(self, chunk: int, point: str, count: int, how: str) -> None:
        self._look()
        with (
            suppress(KeyboardInterrupt, StoreError, OSError),
            faults.armed(f"{point}:{count}:{how}"),
        ):
            self._run(chunk)
        self._check()

    @precondition(lambda self: self.disk.entries)
    @rule(chunk=CHUNKS)
    def run_twice_at_once(self, chunk: int) -> None:
        self._look()
        both = [begun_in_child(lambda: self._run(chunk), None) for _ in range(2)]
        assert [waited(child) for child in both] == [0, 0], "two at once have not ended well"
        for name in self.disk.entries:
            self.must |= self.disk.readable(name, last=self.disk.is_finished(name))
        self._check()

    @precondition(lambda self: self.disk.entries)
    @rule(
        chunk=CHUNKS,
        point=QUIET_POINTS,
        count=COUNTS,
        log=LOGS,
        what=st.sampled_from(["append", "rotate", "copytruncate", "pack"]),
    )
    def run_while_files_change(
        self, chunk: int, point: str, count: int, log: str, what: str
    ) -> None:
        changes: dict[str, Callable[[], object]] = {
            "append": lambda: self.disk.append(log, "fr"),
            "rotate": lambda: self.disk.rotate(log),
            "copytruncate": lambda: self.disk.copytruncate(log),
            "pack": self._pack_first,
        }
        self._look()
        with hooked(point, count, changes[what]):
            report = self._run(chunk)
        assert all(isinstance(p, LogFileError) for p in report.problems)
        self._look()
        self._check()

    # accidents

    def _content(self) -> object:
        """Differs when a run has written something."""
        assert isinstance(self.store, DuckDBStore)
        return self.store.path.read_bytes()

    def _keep_copy(self) -> None:
        assert isinstance(self.store, DuckDBStore)
        for suffix in ("", ".wal"):
            self.folder.joinpath(f"backup{suffix}").unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.copy(f"{self.store.path}{suffix}", self.folder / f"backup{suffix}")

    def _use_copy(self) -> None:
        assert isinstance(self.store, DuckDBStore)
        for suffix in ("", ".wal"):
            Path(f"{self.store.path}{suffix}").unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                shutil.copy(self.folder / f"backup{suffix}", f"{self.store.path}{suffix}")

    @rule()
    def back_up(self) -> None:
        self._keep_copy()
        self.backup = set(self.must), set(self.pruned)

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore(self) -> None:
        self._use_copy()
        assert self.backup is not None
        self.must, self.pruned = map(set, self.backup)
        self.is_restored = True
        self._tear()
        self._check()

    @precondition(lambda self: self.must)
    @rule(data=st.data())
    def prune(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.disk.written))
        before = self.stored()
        cuts = retention.cuts(instant(number).isoformat(), None, {}, NOW, UTC)
        with patch.object(retention, "_PAUSE_SECONDS", 0):
            retention.prune(self.store, cuts, now=lambda: NOW)
        self.pruned |= {n for n in before & set(self.disk.bytes) if _number(n) < number}
        self.must -= self.pruned
        self._check()

    @precondition(lambda self: self.disk.entries.get("app.log"))
    @rule(kinds=st.text("f", max_size=4), point=POINTS, count=COUNTS)
    def lose_what_was_seen(self, kinds: str, point: str, count: int) -> None:
        """Truncated without a copy: what a run saw but did not store is counted once."""
        self.disk.complete("app.log")
        self._look()
        self._ran_well(self._run(1 << 20), [*self.disk.entries])
        stream = self.disk.entries["app.log"].stream
        own = {w.name for w in stream.records}
        others = [e.stream for n, e in self.disk.entries.items() if n != "app.log"]
        if any(s is stream or own & {w.name for w in s.records} for s in others):
            return  # it is there still
        path = str(self.disk.path("app.log"))
        at_place = [
            c for c in self.store.checkpoints() if c.path == path and c.state in ("live", "waiting")
        ]
        told = len(stream.content.lstrip(b"\0"))  # a hole is no loss
        seen = min(told, sum(c.size_bytes - c.committed_offset for c in at_place))
        files, runs = self._lost()
        self.disk.truncate("app.log")
        self.disk.append("app.log", kinds)
        self._look()
        assert waited(begun_in_child(lambda: self._run(1 << 20), f"{point}:{count}")) in (0, -9)
        self._ran_well(self._run(1 << 20), [*self.disk.entries])
        assert self._lost() == (files + seen, runs + seen), "bytes lost"

    def _lost(self) -> tuple[int, int]:
        """Bytes said to be lost, by file and by run."""
        files = sum(c.lost_bytes for c in self.store.checkpoints())
        with self.store.reading() as reader:
            rows = reader.query("select coalesce(sum(lost_bytes), 0) from ingest_runs", {}).rows
        return files, int(rows[0][0])  # type: ignore[call-overload]

    # what has to hold

    def _check(self) -> None:
        with self.store.reading() as reader:
            stored = stored_records(reader)
            files, offsets = _sums(reader, "log_files", "committed_offset")
            runs, _ = _sums(reader, "ingest_runs", "bytes")
        torn = self.disk.torn
        if self.disk.is_torn:  # what is left of a record may be one, of any name
            torn = torn | (set(stored) - set(self.disk.bytes))
        twice = [name for name, times in stored.items() if times > 1 + (name in torn)]
        assert not twice, f"stored twice: {twice}"
        never = set(stored) - self.may - torn
        assert not never, f"never complete: {never}"
        back = self.pruned & set(stored) - torn
        assert not back, f"come back: {back}"
        lost = self.must - set(stored) - self.pruned
        assert not lost, f"lost: {lost}"
        assert sum(files) == offsets, "ledger of the files"
        size = self.disk.bytes_of((set(stored) | self.pruned) - torn)
        if self.disk.is_torn:  # half a line may stand behind a record
            assert files[0] >= size, "bytes of the records"
        else:
            told = f"bytes of the records: {files[0]} in files, {size} of {sorted(stored)}"
            assert files[0] == size, told
        assert runs == files, "ledger of the runs"

    def stored(self) -> set[str]:
        """The records in the tables."""
        with self.store.reading() as reader:
            return set(stored_records(reader))

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
        for name in [*self.disk.entries]:
            self.disk.complete(name)
        self._look()
        self._ran_well(self._run(1 << 20, final=True), [*self.disk.entries], True)
        self._check_rows()
        before = self._content()
        again = self._run(1 << 20, final=True)
        assert again.ledger.settled_bytes == again.ledger.lost_bytes == 0
        streams = [id(e.stream) for e in self.disk.entries.values()]
        has_copies = len(set(streams)) < len(streams)
        has_copies |= any(e.is_gathered for e in self.disk.entries.values())
        if not has_copies:  # of two copies the one seen last is noted
            assert self._content() == before, "a run with nothing to do writes"

    def _check_rows(self) -> None:
        """Rows equal those of one undisturbed reading of the distinct records that are stored."""
        if self.disk.is_torn or (self.is_edited and self.is_restored) or self.pruned:
            return
        stored = self.stored()
        names = sorted(stored, key=lambda n: (_number(n), n))
        plain = self.folder / "undisturbed"
        plain.mkdir()
        (plain / "one.log").write_bytes(b"".join(self.disk.bytes[n] for n in names))
        store = harness.new_store(plain)
        harness.run(store, [plain / "one.log"], final=True)
        tables = ("requests", "errors") if self.disk.has_ties else harness.TABLES[:3]
        assert _rows(self.store, tables) == _rows(store, tables), "rows of an undisturbed reading"


_OF_A_PLACE = ("file_key", "_offset", "request_key", "error_key", "sample_key")


def _rows(store: Store, tables: Sequence[str]) -> dict[str, list[str]]:
    """All rows, sorted, without what says where they come from."""
    found = {}
    with store.reading() as reader:
        for table in tables:
            result = reader.query(f"select * from {table}", {})
            kept = [i for i, c in enumerate(result.columns) if not c.endswith(_OF_A_PLACE)]
            kept.sort(key=result.columns.__getitem__)  # engines have them in another order
            rows = [tuple((result.columns[i], r[i]) for i in kept) for r in result.rows]
            found[table] = sorted(repr(_plain(row)) for row in rows)
    return found


def _plain(row: tuple[tuple[str, object], ...]) -> list[tuple[str, object]]:
    return [(n, v.astimezone(UTC) if isinstance(v, datetime) else v) for n, v in row]


def _sums(reader: Reader, table: str, more: str) -> tuple[list[int], int]:
    """Bytes in records, in quarantine and ignored; and the sum of another column."""
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in (*_SUMS, more))
    (row,) = reader.query(f"select {sums} from {table}", {}).rows
    *parts, other = (int(n) for n in row)  # type: ignore[call-overload]
    return parts, other


def stored_records(reader: Reader) -> "Counter[str]":
    """The records whose traces are in the tables, named as :class:`Written` names them."""
    errors = reader.query("select id, message from errors", {}).rows
    stages = reader.query("select id, stage from stage_times", {}).rows
    requests = reader.query("select id, start_offset, end_offset from requests", {}).rows
    found = [f"{_request(i)}/3" if i else " ".join(str(m).split()[:2]) for i, m in errors]
    found += [f"{_request(i)}/{STAGES.index(str(s)) + 1}" for i, s in stages]
    for id_, started, completed in requests:
        found += [
            f"{_request(id_)}/{n}" for n, at in ((0, started), (4, completed)) if at is not None
        ]
    return Counter(found)


def _number(name: str) -> int:
    return int(name.split()[1].split("/")[0])


def _request(id_: object) -> str:
    return f"request {int(str(id_).removeprefix('ts_'), 16) - 1}"


class ServerFileMachine(FileMachine):
    """The same with a store on a server."""

    def _new_store(self) -> Store:
        from tests.support import postgres_server

        self._copy = ""
        return postgres_server.new_store()

    def _content(self) -> object:
        return self.store.upkeep().state()

    def _keep_copy(self) -> None:
        from tests.support import postgres_server

        self._copy = postgres_server.server().new_database(postgres_server.name_of(self.store))

    def _use_copy(self) -> None:
        from tests.support import postgres_server

        self.store = postgres_server.store_of(postgres_server.server().new_database(self._copy))


class ClickHouseFileMachine(FileMachine):
    """The same with a store on ClickHouse, where a commit takes thirty statements: never hundreds
    of commits a file.
    """

    def _run(self, chunk: int, *, final: bool = False, names: list[str] | None = None) -> RunReport:
        return super()._run(2500 if chunk < 2500 else chunk, final=final, names=names)

    def _new_store(self) -> Store:
        from tests.support import clickhouse_server

        self._copy = ""
        return clickhouse_server.new_store()

    def _content(self) -> object:
        return self.store.upkeep().state()

    def _keep_copy(self) -> None:
        from tests.support import clickhouse_server

        self._copy = clickhouse_server.copied(clickhouse_server.name_of(self.store))

    def _use_copy(self) -> None:
        from tests.support import clickhouse_server

        copy = clickhouse_server.copied(self._copy)
        self.store = clickhouse_server.store_of(copy)

    def remove(self) -> None:
        """Remove all files and the database."""
        from tests.support import clickhouse_server

        super().remove()
        for name in filter(None, (clickhouse_server.name_of(self.store), self._copy)):
            clickhouse_server.server().ask(f"drop database if exists {name} sync")
