"""What a run stores, commit by commit: chunks of a large file, or small files together."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING

from ingest.errors import IngestBusyError
from ingest.faults import reach
from ingest.logfiles.known import Known
from ingest.model import COMMIT_BYTES, EPOCH, Changes, Checkpoint, FileReport, Ledger, RunRow
from ingest.pipeline.open_requests import OpenRequests
from ingest.stores.contract import Standing, Store, Writer

if TYPE_CHECKING:
    from ingest.rows.chunk import ChunkRows
    from ingest.rows.join import Joined

Rows = Callable[[], "Joined"]  # gives a batch away

SMALL_BYTES = 1 << 20  # a file up to this size waits for others
_MOST_HELD_BYTES = 8 << 20
_MOST_HELD = 1000  # files
_LONGEST_SECONDS = 3.0  # that a transaction waits for further batches: readers wait for it


@dataclass(slots=True)
class _SmallFile:
    """A small file's rows that wait for those of others; no report: it is still being read."""

    file_key: int
    batches: "list[ChunkRows]"
    ledger: Ledger
    report: FileReport | None = None


@dataclass(slots=True)
class _Committed:
    """How the run stands after a commit; ``reading`` is the ledger of the file being read. The run
    goes by its checkpoints from its beginning on.
    """

    checkpoints: list[Checkpoint]
    rows: dict[str, int]
    reading: Ledger
    reports: list[FileReport]
    number: int  # of files finished when it began
    has_held: bool  # what was held is in it
    in_doubt: bool = False  # its commit has begun


@dataclass(frozen=True, slots=True)
class _Tally:
    """What a run has read so far."""

    ledger: Ledger
    files: int


@dataclass(slots=True)
class _Open:
    """A transaction, from its first batch on; ``batches`` are written in it, and not committed.

    :ivar stack: ends it, and lets the store go.
    :ivar requests: those that wait for its end.
    :ivar more: how the run stands once these are committed; None before the first is written.
    :ivar size: bytes of the log files that they are of.
    """

    writer: Writer
    stack: ExitStack
    more: _Committed | None = None
    tally: _Tally | None = None
    size: int = 0
    requests: OpenRequests = field(default_factory=OpenRequests)
    began: float = field(default_factory=monotonic)

    @property
    def may_go_on(self) -> bool:
        """Whether another batch may join it."""
        return self.size < COMMIT_BYTES and monotonic() - self.began < _LONGEST_SECONDS


class Commits:
    """The commits of one run, and its account of them.

    :ivar rows: rows stored so far, by table.
    :ivar reports: of the finished files, in order.
    :ivar reading: the ledger of what is stored of the file being read.
    """

    def __init__(
        self,
        store: Store,
        known: Known,
        host: str,
        newest_run: int,
        *,
        dry_run: bool,
        now: Callable[[], datetime],
    ) -> None:
        self.rows: dict[str, int] = {}
        self.reports: list[FileReport] = []
        self.reading = Ledger()
        self.started_at = now()
        self._store = store
        self._known = known
        self._host = host
        self._dry_run = dry_run
        self._now = now
        self._run_key: int | None = None
        self._newest_run = newest_run  # this one, once it has committed
        self._is_outrun = False  # another run has committed: this one knows an old state
        self._ledger = Ledger()  # of the reports
        self._files = 0  # of which something was stored
        self._held: list[_SmallFile] = []
        self._held_bytes = 0
        self._pending: _Committed | None = None
        self._open: _Open | None = None
        self._working: Thread | None = None
        self._failure: BaseException | None = None  # what ended that thread's work
        self._number = 0
        self._is_ended = False  # its row says so

    def commit(
        self,
        checkpoint: Checkpoint,
        replaced: Sequence[Checkpoint],
        rows: Rows,
        total: Ledger,
        *,
        size: int,
        apart: bool = False,
        goes_on: bool = False,
    ) -> None:
        """Store a batch's rows and their checkpoint in one transaction.

        ``rows`` gives the batch away: memory holds it once; they are of ``size`` bytes of the
        file. ``total`` is the file's ledger with these rows. ``replaced`` are checkpoints of files
        whose place this one has taken; they are stored now because no later run looks for them.
        ``apart``: a thread stores them; call :meth:`join` before the store is read. ``goes_on``:
        more may follow that joins the transaction; call :meth:`settle` before the store is used
        otherwise than to be read.
        """
        self.flush()
        if self._dry_run:
            self._known.update(checkpoint)
            return
        goes_on = goes_on and self._store.capabilities.has_one_writer
        self._write(
            rows, [*replaced, checkpoint], total, [], size=size, apart=apart, goes_on=goes_on
        )

    def hold(self, checkpoint: Checkpoint, batches: "list[ChunkRows]", total: Ledger) -> None:
        """Keep a new small file's first chunks, to be stored with those of others."""
        self._known.update(checkpoint)
        if not self._dry_run:
            self._held.append(_SmallFile(checkpoint.file_key, batches, total))
            self._held_bytes += total.settled_bytes

    def flush(self, *, goes_on: bool = False) -> None:
        """Store what is held; ``goes_on`` as for :meth:`commit`."""
        if not self._held:
            return
        from ingest.rows.join import joined

        last = self._held[-1]
        self._write(
            lambda: joined([b for h in self._held for b in h.batches]),
            [self._known.known(h.file_key) for h in self._held],
            last.ledger if last.report is None else Ledger(),
            [h.report for h in self._held if h.report is not None],
            goes_on=goes_on and self._store.capabilities.has_one_writer,
            has_held=True,
        )
        self._let_go()

    def _let_go(self) -> None:
        """Forget what is held: it is stored, or never will be."""
        self._held.clear()
        self._held_bytes = 0

    def file_done(self, report: FileReport) -> None:
        """Record that a file was read to its end; a held file counts once its rows are stored."""
        if self._ahead is None:
            self.reading = Ledger()  # else it is so from that commit on
        self._number += 1
        if self._held and self._held[-1].report is None:
            self._held[-1].report = report
            if self._held_bytes >= _MOST_HELD_BYTES or len(self._held) >= _MOST_HELD:
                self.flush()
        else:
            self.note(report)

    def note(self, report: FileReport) -> None:
        """Record a finished file, once what was written before is committed."""
        if self._ahead is not None:
            self._ahead.reports.append(report)
            return
        self.reports.append(report)
        self._ledger = self._ledger + report.ledger
        self._files += bool(report.ledger.settled_bytes)

    @property
    def _ahead(self) -> _Committed | None:
        """How the run stands once what is written, or being written, is committed."""
        if self._working is not None:
            return self._pending
        return self._open.more if self._open is not None else None

    def _write(
        self,
        rows: Rows,
        checkpoints: list[Checkpoint],
        reading: Ledger,
        reports: list[FileReport],
        *,
        size: int = 0,
        apart: bool = False,
        goes_on: bool = False,
        has_held: bool = False,
    ) -> None:
        self.join()
        before = self._ahead
        stands = {c.file_key: c for c in [*(before.checkpoints if before else ()), *checkpoints]}
        self._pending = more = _Committed(
            list(stands.values()),
            dict(before.rows if before else self.rows),
            reading,
            [*(before.reports if before else ()), *reports],
            self._number,
            has_held,
        )
        for checkpoint in checkpoints:
            self._known.update(checkpoint)
        arguments = (rows, more, self._tally(more.reports, reading), size, goes_on)
        if apart:
            self._working = Thread(
                target=self._work, args=arguments, name="ttsq-commit", daemon=True
            )
            self._working.start()
        else:
            self._put(*arguments)
            self._note_put(more)

    def _work(self, rows: Rows, more: _Committed, tally: _Tally, size: int, goes_on: bool) -> None:
        try:
            self._put(rows, more, tally, size, goes_on)
        except BaseException as error:
            self._failure = error

    def _put(self, rows: Rows, more: _Committed, tally: _Tally, size: int, goes_on: bool) -> None:
        """Write rows, and commit them unless more may join them."""
        opened = self._add(rows, more, tally, last=not goes_on)
        opened.size += size
        if not (goes_on and opened.may_go_on):
            self._commit(opened)

    def _note_put(self, more: _Committed) -> None:
        """Note that rows were written; where they are committed, that they are stored."""
        if self._open is None:
            self._take(more)
        self._pending = None

    def _add(self, rows: Rows, more: _Committed, tally: _Tally, *, last: bool) -> _Open:
        """Write rows in the open transaction, or in a new one; add their counts to ``more``."""
        from ingest.pipeline.answers import write
        from ingest.pipeline.changes import make_changes

        batch = rows()
        with self._transaction(more.checkpoints) as opened:
            writer = opened.writer
            if self._run_key is None:
                self._run_key = writer.next_run_key(self._host)
            if batch.dates:
                self._write_waiting(opened)
            for file_key, first in batch.dates.items():
                writer.redate(file_key, EPOCH + timedelta(microseconds=first))
            changes = make_changes(writer, batch.batch, self._now())
            changes = changes._replace(rows={**changes.rows, **batch.content})
            del batch  # its rows, before others are made of them
            for table, count in changes.row_counts().items():
                more.rows[table] = more.rows.get(table, 0) + count
            write(writer, opened.requests.without(changes, last=last))
            opened.more, opened.tally = more, tally
        return opened

    def _write_waiting(self, opened: _Open) -> None:
        """Write the requests that wait for the end of the transaction."""
        from ingest.pipeline.answers import write

        if rows := opened.requests.take():
            write(opened.writer, Changes(self._now(), rows={"requests": rows}))

    def _commit(self, opened: _Open, run: RunRow | None = None) -> None:
        """Commit what was written in a transaction, and end it; ``run`` is the run's row where it
        ends with it.
        """
        more, tally = opened.more, opened.tally
        assert more is not None and tally is not None
        with self._transaction(more.checkpoints):
            self._write_waiting(opened)
            run = run or self._run_row("running", None, tally, more.rows)
            more.in_doubt = True
            opened.writer.commit(more.checkpoints, run)
        self._open = None
        opened.stack.close()

    @contextmanager
    def _transaction(self, checkpoints: Sequence[Checkpoint]) -> Iterator[_Open]:
        """The open transaction, or a new one; a failure within rolls all of it back."""
        if self._open is None:
            with ExitStack() as stack:
                writer = stack.enter_context(self._writing(checkpoints))
                self._open = _Open(writer, stack.pop_all())
        opened = self._open
        try:
            yield opened
        except BaseException:
            self._open = None
            with opened.stack:  # which may say it in the store's words
                raise

    @contextmanager
    def _writing(self, checkpoints: Sequence[Checkpoint]) -> Iterator[Writer]:
        """A transaction that is refused if the store has changed under this run."""
        offsets = self._known.offsets(c.file_key for c in checkpoints)
        try:
            with self._store.writing(Standing(self._newest_run, offsets)) as writer:
                yield writer
        except IngestBusyError:
            self._is_outrun = True
            raise

    @property
    def patience(self) -> float | None:
        """How many seconds the open transaction may wait for its next batch; None without one."""
        if self._open is None or self._working is not None:
            return None
        return max(0.0, self._open.began + _LONGEST_SECONDS - monotonic())

    def settle(self) -> None:
        """Commit what is written: the store may be used then.

        :raises TtsqError: when a commit failed.
        """
        self.join()
        if self._open is not None:
            self._pending = more = self._open.more
            self._commit(self._open)
            if more is not None:
                self._take(more)

    def end(self, error: str | None) -> None:
        """Commit what is written, and with it the end of the run where all that remains to be told
        is of the same files; nothing where no transaction is open, or more is to be told: then
        :meth:`finish` does it. ``error``: what of the run went wrong.

        :raises TtsqError: when a commit failed.
        """
        self.join()
        opened = self._open
        if opened is None or opened.more is None:
            return
        more, changed = opened.more, {c.file_key: c for c in self._known.changed()}
        if not changed.keys() <= {c.file_key for c in more.checkpoints}:
            return
        reach("before_finish")
        more.checkpoints = [changed.get(c.file_key, c) for c in more.checkpoints]
        tally = self._tally(more.reports, self._reading_of(more))
        self._pending = more
        self._commit(opened, self._run_row("done", error, tally, more.rows))
        self._take(more)
        self._is_ended = True
        reach("finished")

    def join(self) -> None:
        """Wait for what a thread is storing: it can be read then, whether or not it is committed.

        :raises TtsqError: when that failed.
        """
        if self._working is None:
            return
        self._working.join()
        self._working = None
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        if self._pending is not None:
            self._note_put(self._pending)

    def _take(self, done: _Committed) -> None:
        """Note what a commit has stored."""
        self._newest_run = self._run_key or self._newest_run
        self.rows, self._pending = done.rows, None
        self.reading = self._reading_of(done)
        for checkpoint in done.checkpoints:
            self._known.stored(checkpoint)
        for report in done.reports:
            self.note(report)

    def _reading_of(self, done: _Committed) -> Ledger:
        """The ledger of the file being read, after a commit."""
        return done.reading if done.number == self._number else Ledger()

    def _resolve_pending(self) -> None:
        """Ask the store whether an interrupted commit took place."""
        with suppress(Exception):  # that it failed is known, or about to be
            self.settle()
        pending, self._pending = self._pending, None
        if pending is not None and pending.in_doubt and self._is_stored(pending):
            self._take(pending)
            if pending.has_held:
                self._let_go()
        elif pending is not None:
            self._known.revert(c.file_key for c in pending.checkpoints)
        self._known.forget(h.file_key for h in self._held)
        self._let_go()

    def _is_stored(self, pending: _Committed) -> bool:
        last = pending.checkpoints[-1]
        places = {c.file_key: c.committed_offset for c in self._store.checkpoints()}
        return places.get(last.file_key) == last.committed_offset

    def _tally(self, reports: Sequence[FileReport], reading: Ledger) -> _Tally:
        """The run's account with more finished files, and with the file being read."""
        ledger = sum((r.ledger for r in reports), self._ledger + reading)
        stored = sum(1 for r in reports if r.ledger.settled_bytes)
        return _Tally(ledger, self._files + stored + bool(reading.records))

    def _run_row(
        self, status: str, error: str | None, tally: _Tally, rows: dict[str, int]
    ) -> RunRow:
        ledger = tally.ledger
        return RunRow(
            run_key=self._run_key or 0,
            host=self._host,
            started_at=self.started_at,
            finished_at=None if status == "running" else self._now(),
            status=status,
            files=tally.files,
            bytes=ledger.settled_bytes + ledger.tail_bytes,
            rows=sum(rows.values()),
            error=error,
            **asdict(ledger),
        )

    def finish(self, status: str, error: str | None) -> None:
        """Store the end of the run, and the states of files without new rows."""
        self._resolve_pending()
        if self._is_ended and status == "done":
            return
        changed = self._known.changed()
        interrupted = status == "interrupted"
        if self._dry_run or self._is_outrun or not (self._run_key or changed or interrupted):
            return
        reach("before_finish")
        with self._writing(changed) as writer:
            row = None
            lost = any(r.ledger.lost_bytes for r in self.reports)
            if self._run_key is None and (interrupted or lost):
                self._run_key = writer.next_run_key(self._host)
            if self._run_key is not None:
                tally = self._tally([], self.reading)
                row = self._run_row(status, error, tally, self.rows)
            writer.commit(changed, row)
        reach("finished")
