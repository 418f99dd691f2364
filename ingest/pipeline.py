"""The one flow: look at the files, decide, read, parse, assemble, commit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from queue import Queue
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, TypeVar

from ingest import files, migrate
from ingest.backends.base import Store
from ingest.checkpoints import Identified, Known, Opened, first_checkpoint
from ingest.errors import DamagedFileError, LogFileError, TtsqError
from ingest.faults import reach
from ingest.fingerprint import ANCHOR_BYTES, HEAD_BYTES, covered, fingerprint
from ingest.formats import Format
from ingest.model import Checkpoint, FileReport, Ledger, Origin, RunReport, RunRow
from ingest.resume import Action, Anchored, Decision

if TYPE_CHECKING:
    from ingest.assemble import Batch
    from ingest.parse import Parsed, Parser

T = TypeVar("T")

BOM = b"\xef\xbb\xbf"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Options:
    """How to ingest: names for the rows, the record grammar, the zone of its stamps, what is final."""

    host: str
    service: str
    format: Format
    tz: tzinfo
    final: bool = False
    dry_run: bool = False
    wait_seconds: float = 10.0
    chunk_bytes: int = files.CHUNK_BYTES


def ingest(
    store: Store,
    patterns: Sequence[str],
    options: Options,
    *,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RunReport:
    """Read what is new in the files named, exactly once, and say what was done.

    :raises LogFileError: when no file can be found or read at all.
    :raises IngestBusyError: when another ingest holds the store.
    :raises StoreError: when the store fails or refuses.
    """
    paths, missing = files.expand(patterns)
    if not paths:
        raise missing[0] if missing else LogFileError("no log files are named", "ttsq ingest PATH")
    if options.dry_run:
        known = Known(store.checkpoints() if migrate.check_known(store) == migrate.head() else [])
        return Run(store, options, known, now, progress).over(paths, missing)
    with store.ingesting(options.wait_seconds, options.host):
        reach("locked")
        checkpoints = store.snapshot(migrate.head(), options.host)
        if checkpoints is None:
            migrate.ensure_head(store)
            reach("migrated")
            checkpoints = store.snapshot(migrate.head(), options.host) or []
        reach("known")
        return Run(store, options, Known(checkpoints), now, progress).over(paths, missing)


class Run:
    """One run: what it has read and stored so far."""

    def __init__(
        self,
        store: Store,
        options: Options,
        known: Known,
        now: Callable[[], datetime],
        progress: Callable[[int, int], None],
    ) -> None:
        self.store = store
        self.options = options
        self.known = known
        self.now = now
        self.started_at = now()
        self._progress = progress
        self._done = 0
        self._total = 0
        self._run_key: int | None = None
        self._rows: dict[str, int] = {}
        self._stored = Ledger()  # of the file that is being read
        self._pending: Committed | None = None
        self._reports: list[FileReport] = []
        self._problems: list[TtsqError] = []

    def over(self, paths: Iterable[Path], missing: Sequence[LogFileError]) -> RunReport:
        """Go over the files, oldest first."""
        self._problems.extend(missing)
        identified = self.known.observe(paths, self._unreadable)
        reach("looked")
        self._total = sum(f.stat.stored_bytes for f in identified if f.untouched is None)
        status, error = "done", None
        try:
            for file in identified:
                self._file(file)
        except BaseException as failure:
            stopped = isinstance(failure, KeyboardInterrupt)
            status, error = ("interrupted" if stopped else "failed"), str(failure) or "interrupted"
            raise
        finally:
            self._finish(status, error)
        return self._report()

    def _unreadable(self, problem: LogFileError) -> None:
        self._problems.append(problem)

    def _report(self) -> RunReport:
        return RunReport(
            store=self.store.description,
            started_at=self.started_at,
            finished_at=self.now(),
            files=tuple(self._reports),
            ledger=sum((r.ledger for r in self._reports), Ledger()),
            bytes_read=sum(r.bytes_read for r in self._reports),
            rows=dict(self._rows),
            problems=tuple(self._problems),
        )

    def _file(self, file: Identified) -> None:
        try:
            decision = self.known.decide(file, final=self.options.final)
            if decision.action is Action.SKIP:
                self._skip(file, decision)
                return
            with closing(Opened(file, decision)) as opened:
                proof = opened.prove()
                reach("proved")
                if proof is Anchored.DIFFERENT:
                    self.known.reject(file, decision)
                    self._file(file)
                elif proof is Anchored.SHORT:
                    note = (
                        opened.damage.message if opened.damage else "a shorter copy of a known file"
                    )
                    self._skip(file, replace(decision, reason=note))
                else:
                    self._read(opened)
        except LogFileError as problem:
            self._problems.append(problem)
            self._note(file, "unreadable", problem.message, self._stored)

    def _skip(self, file: Identified, decision: Decision) -> None:
        checkpoint = decision.checkpoint
        if decision.edited and checkpoint is not None:
            problem = LogFileError(
                f"the log file {file.stat.path} was {decision.reason}; nothing is read from it",
                "restore it, or ingest the new content under another name",
            )
            self._problems.append(problem)
            self.known.update(replace(checkpoint, state="edited", note=problem.message))
        self._note(file, "skipped", decision.reason, Ledger())

    def _note(self, file: Identified, action: str, note: str | None, ledger: Ledger) -> None:
        self._add(FileReport(str(file.stat.path), action, note, ledger))

    def _add(self, report: FileReport) -> None:
        self._reports.append(report)
        self._stored = Ledger()

    def _read(self, opened: Opened) -> None:
        from ingest.chunks import ChunkReader
        from ingest.parse import Parser

        file = opened.file
        parser = Parser(self.options.format, self.options.tz)
        checkpoint = opened.decision.checkpoint
        if checkpoint is not None and checkpoint.state == "replaced":
            checkpoint = replace(checkpoint, lost_bytes=0)  # found again under another name
        if checkpoint is None:
            _require_records(file, parser, self.options)
        lost = self.known.take_lost(file, opened.decision)
        replaced = [c for c in self.known.changed() if c.state == "replaced"] if lost else []
        final = self.known.is_finished(file, final=self.options.final)
        last = checkpoint.last_logged_at if checkpoint else None
        # before the scanner goes to its thread
        opened.header_offset = parser.header_end(memoryview(file.head.removeprefix(BOM)))
        chunks = ChunkReader(
            parser,
            _passing(opened.reader.read),
            opened.offset,
            final,
            None if last is None else (last - _EPOCH) // timedelta(microseconds=1),
            file.stat.modified_ns // 1000,
            chunk_bytes=self.options.chunk_bytes,
        )
        total = Ledger(lost_bytes=lost)
        base = checkpoint or self._first(file)
        if base.file_key <= 0:
            base = replace(base, file_key=self.known.next_key(self.store.next_file_key))
        origin = Origin(base.file_key, base.host, base.service)
        carry = self._carry(base)
        try:
            for settled, batch in _ahead(_built(chunks, self.options.format, origin, carry)):
                total = total + settled.ledger
                checkpoint = self._advanced(checkpoint or base, opened, settled)
                self._commit(checkpoint, replaced, batch, total)
                del batch  # its rows, before the next ones are made
                replaced = []
                self._advance(settled)
        except DamagedFileError as problem:
            opened.damage = problem
            self._problems.append(problem)
        total = total + Ledger(tail_bytes=opened.end - opened.committed)
        _assert_ledger(total, opened.end - opened.offset)
        reach("before_settle")
        self._settle(opened, checkpoint or base, final, total)

    def _advance(self, settled: "Settled") -> None:
        self._done += settled.ledger.settled_bytes
        self._progress(self._done, max(self._done, self._total))

    def _settle(self, opened: Opened, checkpoint: Checkpoint, final: bool, total: Ledger) -> None:
        """Note how a file stands after it was read to its end."""
        stat, tail = opened.file.stat, total.tail_bytes
        state = "finished" if final else "live" if checkpoint.committed_offset else "waiting"
        note = f"{tail} bytes held back: the last record may still grow" if tail else None
        if opened.damage is not None:
            state, note = "damaged", opened.damage.message
        self.known.update(
            replace(
                checkpoint,
                path=str(stat.path),
                fingerprint=_longest_print(checkpoint, opened.file),
                size_bytes=opened.end,
                stored_bytes=stat.stored_bytes,
                modified_ns=stat.modified_ns,
                device=stat.device,
                inode=stat.inode,
                compression=opened.file.compression,
                state=state,
                note=note,
            )
        )
        self.known.present(checkpoint.file_key, stat)
        reach("settled")
        self._add(
            FileReport(
                str(stat.path),
                "read" if total.settled_bytes else "unchanged",
                note,
                total,
                opened.end - opened.offset,
            )
        )

    def _first(self, file: Identified) -> Checkpoint:
        return first_checkpoint(file, self.options.host, self.options.service, self.now())

    def _carry(self, base: Checkpoint) -> dict[str, int]:
        """How the requests that a file's stored part left open, or only just ended, stand."""
        if base.committed_offset == 0 or self.options.dry_run:
            return {}
        with self.store.writing() as writer:
            return writer.carry(base)

    def _commit(
        self, checkpoint: Checkpoint, replaced: Sequence[Checkpoint], batch: "Batch", total: Ledger
    ) -> None:
        """Store a chunk's rows and its checkpoint in one transaction; ``total`` is the file's ledger with it.

        ``replaced``: what is known of files whose place this one has taken; once this one is known nobody would ask again.
        """
        from ingest.related import make_changes

        if self.options.dry_run:
            self.known.update(checkpoint)
            return
        rows = dict(self._rows)
        with self.store.writing() as writer:
            if self._run_key is None:
                self._run_key = writer.next_run_key(self.options.host)
            changes = make_changes(writer, batch, checkpoint, self.options.format.own_stage_times)
            writer.write(changes)
            for table, count in changes.row_counts().items():
                rows[table] = rows.get(table, 0) + count
            self._pending = Committed([*replaced, checkpoint], rows, total)
            run = self._run_row("running", None, rows, total)
            writer.commit(self._pending.checkpoints, run)
        self._take(self._pending)

    def _take(self, done: "Committed") -> None:
        """Note what a commit has stored."""
        self._rows, self._stored, self._pending = done.rows, done.ledger, None
        for checkpoint in done.checkpoints:
            self.known.update(checkpoint, stored=True)

    def _resolve_pending(self) -> None:
        """Of a commit that was interrupted only the store knows whether it came about."""
        if self._pending is not None:
            last = self._pending.checkpoints[-1]
            places = {c.file_key: c.committed_offset for c in self.store.checkpoints()}
            if places.get(last.file_key) == last.committed_offset:
                self._take(self._pending)

    def _advanced(self, base: Checkpoint, opened: Opened, settled: "Settled") -> Checkpoint:
        """The checkpoint behind a chunk."""
        last, ledger = settled.last_instant, settled.ledger
        return replace(
            base,
            path=str(opened.file.stat.path),
            fingerprint=_longest_print(base, opened.file),
            header_offset=opened.header_offset,
            anchor=opened.settle(settled.offset, settled.before),
            committed_offset=settled.offset,
            size_bytes=max(opened.end, settled.offset),
            modified_ns=0,  # not read to its end: ended here, the run must not leave a file that passes for untouched
            state="live",
            records=base.records + ledger.records,
            record_bytes=base.record_bytes + ledger.record_bytes,
            quarantined=base.quarantined + ledger.quarantined,
            quarantined_bytes=base.quarantined_bytes + ledger.quarantined_bytes,
            ignored_bytes=base.ignored_bytes + ledger.ignored_bytes,
            last_logged_at=base.last_logged_at
            if last is None
            else _EPOCH + timedelta(microseconds=last),
            last_ingested_at=self.now(),
        )

    def _run_row(
        self, status: str, error: str | None, rows: dict[str, int], more: Ledger
    ) -> RunRow:
        ledger = sum((r.ledger for r in self._reports), more)
        return RunRow(
            run_key=self._run_key or 0,
            host=self.options.host,
            started_at=self.started_at,
            finished_at=None if status == "running" else self.now(),
            status=status,
            files=sum(1 for r in self._reports if r.ledger.settled_bytes) + bool(more.records),
            bytes=ledger.settled_bytes + ledger.tail_bytes,
            records=ledger.records,
            rows=sum(rows.values()),
            quarantined=ledger.quarantined,
            record_bytes=ledger.record_bytes,
            quarantined_bytes=ledger.quarantined_bytes,
            ignored_bytes=ledger.ignored_bytes,
            tail_bytes=ledger.tail_bytes,
            lost_bytes=ledger.lost_bytes,
            error=error,
        )

    def _finish(self, status: str, error: str | None) -> None:
        """Store the end of the run, and what was seen of files without new rows."""
        self._resolve_pending()
        changed = self.known.changed()
        interrupted = status == "interrupted"
        if self.options.dry_run or not (self._run_key or changed or interrupted):
            return
        error = error or "; ".join(p.message for p in self._problems) or None
        reach("before_finish")
        with self.store.writing() as writer:
            row = None
            lost = any(r.ledger.lost_bytes for r in self._reports)
            if self._run_key is None and (interrupted or lost):
                self._run_key = writer.next_run_key(self.options.host)
            if self._run_key is not None:
                row = self._run_row(status, error, self._rows, self._stored)
            writer.commit(changed, row)
        reach("finished")


def _longest_print(base: Checkpoint, file: Identified) -> str | None:
    """The fingerprint of all that was seen of a file's beginning."""
    longer = len(file.head) > covered(base.fingerprint)
    return fingerprint(file.head) if longer else base.fingerprint


def _require_records(file: Identified, parser: "Parser", options: Options) -> None:
    """Refuse a file in whose first bytes nothing looks like a record.

    :raises LogFileError: for a binary file, or a text whose records have another format.
    """
    head = file.head.removeprefix(BOM)
    if not head.strip(b"\0\r\n\t "):
        return
    text = head.decode("utf-8", "replace")
    odd = sum(1 for c in text if (c < " " and c not in "\t\n\r\x1b\0") or c == "�")
    lines = head.count(b"\n")
    found = parser.next_beginning(memoryview(head), 0, True) >= 0
    if found:
        return
    if odd > len(text) // 10 or (not lines and len(head) >= HEAD_BYTES and odd):
        raise LogFileError(
            f"{file.stat.path} is a binary file, not a log file",
            "name text logs, plain or compressed",
        )
    if lines >= 3 or options.final:
        first = text.splitlines()[0][:120].encode("unicode_escape").decode()
        raise LogFileError(
            f"no line of {file.stat.path} has the log format; it begins: {first}",
            "give the service's logging format string: --log-format '%(asctime)s %(levelname)s ...'",
        )


def _assert_ledger(total: Ledger, read: int) -> None:
    """Every byte read is accounted for (SPEC §3.4)."""
    accounted = total.settled_bytes + total.tail_bytes
    if accounted != read:
        raise AssertionError(f"ledger: {accounted} bytes accounted for, {read} read")


@dataclass(frozen=True, slots=True)
class Settled:
    """What a chunk leaves behind when its rows are made: ``before`` are the bytes just before ``offset``."""

    offset: int
    before: bytes
    ledger: Ledger
    last_instant: int | None


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit stores: checkpoints, the chunk's last; the run's rows by table and the file's ledger behind it."""

    checkpoints: list[Checkpoint]
    rows: dict[str, int]
    ledger: Ledger


def _passing(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    def block(size: int) -> bytes:
        reach("before_read")
        data = read(size)
        reach("after_read")
        return data

    return block


def _built(
    chunks: Iterable["Parsed"], fmt: Format, origin: Origin, carry: dict[str, int]
) -> Iterator["tuple[Settled, Batch]"]:
    from ingest.assemble import build

    for parsed in chunks:
        reach("parsed")
        before = bytes(parsed.data[max(0, parsed.consumed - ANCHOR_BYTES) : parsed.consumed])
        offset = parsed.base + parsed.consumed
        settled = Settled(offset, before, parsed.ledger, parsed.last_instant)
        batch = build(parsed, fmt, origin, carry)
        del parsed  # its bytes and tables, before the next ones are made
        reach("assembled")
        yield settled, batch


def _ahead(chunks: Iterable[T]) -> Iterator[T]:
    """The chunks; the next one is read, parsed and assembled by a thread while one is committed.

    Only one waits or is being made at a time: memory holds two, whichever side is the slower one.
    """
    queue: Queue[T | BaseException | None] = Queue(maxsize=1)
    wanted, stop = Semaphore(1), Event()

    def work() -> None:
        try:
            source = iter(chunks)
            while wanted.acquire() and not stop.is_set():
                chunk = next(source, None)
                queue.put(chunk)
                if chunk is None:
                    return
        except BaseException as error:
            queue.put(error)

    thread = Thread(target=work, name="ttsq-parse", daemon=True)
    thread.start()
    try:
        while (item := queue.get()) is not None:
            wanted.release()
            if isinstance(item, BaseException):
                raise item
            yield item
            del item
    finally:
        stop.set()
        wanted.release()
        while thread.is_alive():
            if not queue.empty():
                queue.get()
            thread.join(0.01)
