"""Retry the quarantine: what is understood now becomes rows, once (SPEC §3.6), unless pruned."""

from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

import numpy as np

from ingest.compiled import layout
from ingest.errors import LogFileError, TtsqError
from ingest.logfiles import reader as files
from ingest.logfiles.locate import Finder
from ingest.logfiles.reader import LogReader
from ingest.logfiles.stat import FileStat
from ingest.model import Checkpoint, Ledger, Origin, RunRow
from ingest.pipeline.answers import write
from ingest.pipeline.changes import make_changes
from ingest.pipeline.profiles import profiles
from ingest.pipeline.salt import redaction_of
from ingest.records.chunks import ChunkReader
from ingest.records.front import FrontParser
from ingest.records.instants import LOGGED
from ingest.records.parse import Parsed
from ingest.records.profiles import Profiles, together
from ingest.records.read_with import ReadWith
from ingest.rows.assemble import build, find_events
from ingest.rows.described import BY_NAME, RECORDS
from ingest.rows.join import join
from ingest.rows.spans import EPOCH
from ingest.stores import migrate
from ingest.stores.contract import Snapshot, Standing, Store, Writer
from ingest.stores.recorded import Pruned, pruned
from ingest.stores.results import rows_as
from ingest.tasks.replay.heal import Healed, heal, remaining
from ingest.tasks.replay.held import PAGE, PAGE_WITH_TEXT, Held, HeldBytes
from ingest.tasks.replay.pruned import without_requests, without_rows
from ingest.tasks.replay.report import FileReplay, Options, ReplayReport

_BATCH_BYTES = 8 << 20  # committed together
_BATCH_PIECES = 500
_FILES = (
    "select file_key, count(*), cast(sum(byte_length) as bigint) from quarantine group by 1 "
    "order by 1"
)
_PAGE = (
    "select byte_offset, byte_length, reason{raw} from quarantine "
    "where file_key = :key and byte_offset >= :low order by 1 limit :most"
)
_TEXTS_CLEARED = (
    "select table_name, text_pruned_before from pruned where text_pruned_before is not null"
)
_BEFORE = tuple(
    f"select {offset}, {at} from {table} where {file} = :key and {offset} < :low order by 1 "
    "desc limit 1"
    for table, file, offset, at in (
        ("requests", "start_file_key", "start_offset", "started_at"),
        ("requests", "end_file_key", "end_offset", "completed_at"),
        *((t, *BY_NAME[t].place[0], BY_NAME[t].at) for t in RECORDS),
    )
)


class _HeldOf(NamedTuple):
    """What a file has in quarantine."""

    key: int
    pieces: int
    bytes: int


class _Before(NamedTuple):
    """A stored row of a file: where its record is, and its instant."""

    offset: int
    at: datetime


def replay(
    store: Store,
    options: Options,
    *,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ReplayReport:
    """Parse what is in quarantine again, and move into the tables what is understood now.

    :raises IngestBusyError: when an ingest holds the store.
    :raises StoreError: when there is no store, or it fails.
    """
    if options.dry_run:
        migrate.require_head(store)
        return _Run(store, options, now, progress).over()
    if not store.exists():
        migrate.require_head(store)
    with store.ingesting(options.wait_seconds):
        migrate.ensure_head(store)
        return _Run(store, options, now, progress).over()


class _Run:
    """One replay: what it has moved so far."""

    def __init__(
        self,
        store: Store,
        options: Options,
        now: Callable[[], datetime],
        progress: Callable[[int, int], None],
    ) -> None:
        self.store = store
        self.options = options
        self.redaction = redaction_of(store, options.text, now, dry_run=options.dry_run)
        self.now = now
        self.started_at = now()
        self.rows: dict[str, int] = {}
        self._progress = progress
        self._run_key: int | None = None
        self._done = 0
        self._total = 0
        self._files = 0
        self._ledger = Ledger()
        self._bytes = 0
        self._reports: list[FileReplay] = []
        self._problems: list[TtsqError] = []
        self.pruned = Pruned()
        self._newest_run = 0  # this one, once it has committed

    def over(self) -> ReplayReport:
        """Go over the files that have something in quarantine."""
        found = self.store.snapshot(migrate.head(), None) or Snapshot([], 0)
        known = {c.file_key: c for c in found.checkpoints}
        self._newest_run = found.newest_run
        with self.store.reading() as reader:
            held = rows_as(_HeldOf, reader.query(_FILES, None).rows)
            self.pruned = pruned(reader)
        self._total = sum(file.bytes for file in held)
        status, error = "done", None
        try:
            for file in held:
                if file.key in known:
                    self._file(known[file.key], file.pieces)
        except BaseException as failure:
            stopped = isinstance(failure, KeyboardInterrupt)
            status, error = ("interrupted" if stopped else "failed"), str(failure) or "interrupted"
            raise
        finally:
            self._finish(status, error)
        return ReplayReport(
            self.store.description, tuple(self._reports), dict(self.rows), tuple(self._problems)
        )

    def _file(self, checkpoint: Checkpoint, pieces: int) -> None:
        found = Finder().find(checkpoint)
        with ExitStack() as stack:
            reader = None
            try:
                if isinstance(found, FileStat):
                    reader = stack.enter_context(LogReader(found))
                file = _File(self, checkpoint, reader)
                file.run()
            except LogFileError as problem:
                self._problems.append(problem)
                return
        self._files += file.released > 0
        self._reports.append(
            FileReplay(
                path=checkpoint.path if reader is None else str(reader.stat.path),
                source="quarantine" if reader is None else "file",
                pieces=pieces,
                released=file.released,
                left=pieces + file.moved.quarantined,
                held_bytes=file.held_bytes,
                ledger=file.moved,
            )
        )

    def advance(self, size: int) -> None:
        """So many more bytes were looked at."""
        self._done += size
        self._progress(self._done, max(self._done, self._total))

    def commit(
        self, checkpoint: Checkpoint, write: Callable[[Writer], dict[str, int]], moved: Ledger
    ) -> None:
        """Make a batch durable with the file's ledger and the run."""
        # which a replay never moves
        standing = Standing(self._newest_run, {checkpoint.file_key: checkpoint.committed_offset})
        with self.store.writing(standing) as writer:
            if self._run_key is None:
                self._run_key = writer.next_run_key(None)
            rows = dict(self.rows)
            for table, count in write(writer).items():
                rows[table] = rows.get(table, 0) + count
            ledger = self._ledger + moved
            writer.commit([checkpoint], self._run_row("running", None, rows, ledger))
        self.rows, self._ledger = rows, ledger
        self._newest_run = self._run_key

    def _run_row(
        self, status: str, error: str | None, rows: dict[str, int], ledger: Ledger
    ) -> RunRow:
        return RunRow(
            run_key=self._run_key or 0,
            host=None,  # of every host
            started_at=self.started_at,
            finished_at=None if status == "running" else self.now(),
            status=status,
            files=max(1, self._files),
            bytes=ledger.record_bytes,
            records=ledger.records,
            rows=sum(rows.values()),
            quarantined=0,
            record_bytes=ledger.record_bytes,
            quarantined_bytes=0,
            ignored_bytes=0,
            tail_bytes=0,
            lost_bytes=0,
            error=error,
        )

    def _finish(self, status: str, error: str | None) -> None:
        if self._run_key is None:
            return
        error = error or "; ".join(p.message for p in self._problems) or None
        with self.store.writing(Standing(self._newest_run, {})) as writer:
            writer.commit([], self._run_row(status, error, self.rows, self._ledger))
        with self.store.reading() as reader:
            cleared = reader.query(_TEXTS_CLEARED, None).rows
        for table, before in cleared:
            assert isinstance(before, datetime)
            self.store.upkeep().clear_texts(str(table), before)


class _Claimable:
    """Looks for lines that a profile's rule takes, whatever the lines before them would say."""

    def __init__(self, known: Profiles) -> None:
        self._known = known
        self.found = False

    def add(self, line: bytes) -> None:
        self.found = self.found or bool(self._known.match(line.decode("utf-8", "replace")))


class _File:
    """One file's pieces: read, parsed, and committed in batches."""

    def __init__(self, run: _Run, checkpoint: Checkpoint, reader: LogReader | None) -> None:
        self.run_ = run
        self.checkpoint = checkpoint
        self.moved = Ledger()
        self.released = 0
        self.held_bytes = 0
        how = run.options
        self._with = ReadWith(how.format, how.tz, how.is_asked).of(checkpoint.format)
        # no profiles: what they say of a line depends on the lines before it, which are stored
        self._parser = FrontParser(self._with.format, self._with.tz, together([]))
        self._claimable = _Claimable(profiles(how.profile_folder))
        self._parser.general.unclaimed = self._claimable
        self._reader = reader
        self._batch: list[Healed] = []
        is_open = checkpoint.state != "finished" and checkpoint.compression == "none"
        self._source = HeldBytes(
            self._page,
            reader,
            checkpoint.committed_offset,
            is_open=is_open and not run.options.final,
        )

    def run(self) -> None:
        """Go over the stretches."""
        while (start := self._source.begin()) is not None:
            self._stretch(start)
        self._commit()

    def _page(self, low: int) -> Sequence[Held]:
        gone = self._reader is None
        sql = _PAGE.format(raw=", raw" if gone else "")
        most = PAGE_WITH_TEXT if gone else PAGE
        binds = {"key": self.checkpoint.file_key, "low": low, "most": most}
        with self.run_.store.reading() as reader:
            return rows_as(Held, reader.query(sql, binds).rows)

    def _stretch(self, start: int) -> None:
        at, kept_up_to = start, start
        for parsed in self._chunks(start):
            end = parsed.base + parsed.consumed
            taken = self._settle(end)
            timed = self._timed(parsed, at) if at == start else parsed
            healed = None
            if timed is not None and at >= kept_up_to:
                healed = heal(timed, at, taken, unclaimed=self._unclaimed(timed))
            self._claimable.found = False
            if healed is not None:
                self._add(healed)
            elif taken:
                kept_up_to = taken[-1].end
            self.run_.advance(end - at)
            at = end

    def _unclaimed(self, parsed: Parsed) -> int | None:
        """Bytes of a chunk's lines that belong to nothing; None where that is not for sure: some
        profile has a rule for one of them, or they were read as somebody asks, without a record.
        """
        if self._claimable.found:
            return None
        if self.run_.options.is_asked and not parsed.ledger.records:
            return None
        return parsed.ledger.unclaimed_bytes

    def _chunks(self, start: int) -> Iterator[Parsed]:
        def read(size: int) -> bytes:
            data = self._source.read(size)
            if not data:
                chunks.final = self._source.is_final
            return data

        chunks = ChunkReader(
            self._parser, read, start, True, None, 0, chunk_bytes=self.run_.options.chunk_bytes
        )
        yield from chunks
        self.held_bytes += chunks.tail_bytes

    def _settle(self, end: int) -> list[Held]:
        """The pieces that begin before ``end``; the rest of one that crosses it is kept too."""
        source, taken = self._source.taken, []
        while source and source[0].offset < end:
            taken.append(source.popleft())
        if taken and taken[-1].end > end:
            source.appendleft(remaining(taken[-1], end))
        return taken

    def _timed(self, parsed: Parsed, at: int) -> Parsed | None:
        """A stretch's first chunk with instants from the record before; None: without any."""
        good = np.flatnonzero(parsed.records[:, layout.R_KIND] <= layout.K_TRACEBACK)
        if not len(good):
            return parsed
        first = int(good[0])
        if parsed.time_source[first] == LOGGED and not _is_repeated(
            int(parsed.instants[first]), self._with.tz
        ):
            return parsed
        last = self._instant_before(at)
        if last is None:
            return None if (parsed.time_source[good] != LOGGED).all() else parsed
        return self._parser.parse(
            parsed.original,
            base=parsed.base,
            final=parsed.consumed == len(parsed.original),
            last_instant=last,
            fallback_instant=last,
        )

    def _instant_before(self, offset: int) -> int | None:
        """The instant of the last row of the file before an offset, microseconds."""
        self._commit()
        binds = {"key": self.checkpoint.file_key, "low": offset}
        with self.run_.store.reading() as reader:
            found = [r for sql in _BEFORE for r in rows_as(_Before, reader.query(sql, binds).rows)]
        if not found:
            return None
        return (max(found, key=lambda row: row.offset).at - EPOCH) // timedelta(microseconds=1)

    def _add(self, healed: Healed) -> None:
        self.moved = self.moved + healed.moved
        self.released += healed.finished
        if self.run_.options.dry_run:
            return
        parsed = healed.parsed  # its tables are used again for the next chunk
        kept = replace(
            parsed, records=parsed.records.copy(), pairs=parsed.pairs.copy(),
            values=parsed.values.copy(), states=parsed.states.copy(),
        )  # fmt: skip
        self._batch.append(replace(healed, parsed=kept))
        size = sum(len(h.parsed.data) for h in self._batch)
        if size >= _BATCH_BYTES or len(self._batch) >= _BATCH_PIECES:
            self._commit()

    def _commit(self) -> None:
        if not self._batch:
            return
        batch, self._batch = self._batch, []
        moved = sum((h.moved for h in batch), Ledger())
        checkpoint = self._moved(batch, moved)

        def write(writer: Writer) -> dict[str, int]:
            rows: dict[str, int] = {}
            for healed in batch:
                for table, count in self._write(writer, healed, checkpoint).items():
                    rows[table] = rows.get(table, 0) + count
            return rows

        self.run_.commit(checkpoint, write, moved)
        self.checkpoint = checkpoint

    def _write(self, writer: Writer, healed: Healed, checkpoint: Checkpoint) -> dict[str, int]:
        fmt, cut = self._with.format, self.run_.pruned
        parsed = without_requests(healed.parsed, cut.of("requests"))
        origin = Origin(checkpoint.file_key, checkpoint.host, checkpoint.service)
        carry: dict[str, int] = {}
        ids = find_events(parsed).ids
        if len(ids):
            at = EPOCH + timedelta(microseconds=int(parsed.instants.min()))
            before = checkpoint._replace(committed_offset=healed.low, last_logged_at=at)
            carry = writer.carry(before, ids)
        built, _ = build(parsed, fmt, origin, carry)
        rejects = tuple((origin.file_key, r) for r in healed.rejects)
        # what is open at this place may have ended behind it: it is a whole request of the store
        ended = frozenset(built.carried)
        batch = self.run_.redaction.of(replace(built, rejects=rejects, ended=ended))
        changes = make_changes(writer, join([batch]), self.run_.now())
        changes = without_rows(changes, cut)
        writer.release(checkpoint.file_key, healed.released)
        write(writer, changes)
        return changes.row_counts()

    def _moved(self, batch: Sequence[Healed], moved: Ledger) -> Checkpoint:
        """The checkpoint behind a batch: the offset stays, the ledger moves."""
        c, last = self.checkpoint, batch[-1].parsed
        is_last = last.base + last.consumed == c.committed_offset
        at = c.last_logged_at
        if last.last_instant is not None and (at is None or is_last):
            at = EPOCH + timedelta(microseconds=last.last_instant)
        return c.counting(moved)._replace(
            header_offset=self._header_offset(),
            last_logged_at=at,
            last_ingested_at=self.run_.now(),
        )

    def _header_offset(self) -> int | None:
        """Where the first header with a stamp ends, as far as that is known by now."""
        offset = self.checkpoint.header_offset
        if self._reader is None or (offset is not None and offset > 0):
            return offset
        head, _ = files.read_head(self._reader.stat)
        return self._parser.header_end(memoryview(head.removeprefix(BOM_UTF8)))


def _is_repeated(instant: int, tz: tzinfo) -> bool:
    """Whether an instant is in an hour that the zone has twice: the record before decides."""
    at = (EPOCH + timedelta(microseconds=instant)).astimezone(tz)
    return at.utcoffset() != at.replace(fold=1 - at.fold).utcoffset()
