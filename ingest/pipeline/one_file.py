"""One log file of a run: parse what follows its checkpoint, assemble rows, commit them."""

import gc
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, cached_property
from math import ceil

import numpy as np

from ingest.errors import DamagedFileError, TtsqError
from ingest.faults import reach
from ingest.logfiles.fingerprint import covered, extended
from ingest.logfiles.known import Known, LogFile
from ingest.logfiles.open_log import OpenLog, first_checkpoint
from ingest.logfiles.resume import Action
from ingest.model import Checkpoint, FileReport, Ledger, Origin
from ingest.pipeline.ahead import Ahead, read_ahead
from ingest.pipeline.around import Around, no_hole
from ingest.pipeline.commits import SMALL_BYTES, Commits
from ingest.pipeline.known_content import Content
from ingest.pipeline.later import UNKNOWN, Later, older_until
from ingest.pipeline.options import Options
from ingest.pipeline.pending import Ask, Pending, Settled, built, gathered, joining
from ingest.pipeline.profiles import profiles
from ingest.pipeline.recognise import format_in_short, recognised
from ingest.pipeline.repeated import FirstLines
from ingest.pipeline.stored_records import records_of
from ingest.records.chunks import Block, ChunkReader
from ingest.records.formats import Format, request_of_file
from ingest.records.front import FrontParser
from ingest.records.instants import may_repeat
from ingest.records.parse import Parsed, Parser
from ingest.records.read_with import ReadWith, after_of, beginning_with, mark_of_beginning, named_of
from ingest.rows.content import Stretch
from ingest.rows.spans import EPOCH
from ingest.rows.user_text import Redaction
from ingest.stores.contract import Store

_LATEST = np.iinfo(np.int64).max  # instant
_WORTH_A_THREAD = 4 << 20  # bytes whose rows are stored while the next file is opened and scanned
_LONG_LOOK = 128 << 20  # bytes that are compared with what is stored in less than a second
_MOST_CARRIED = 10_000  # parts of a file's requests that are loaded before it is read on
_UNEVEN = 1.05  # times the bytes of a batch: the last one of a file is no more than the others


@dataclass
class Shared:
    """What the files of one run share.

    :ivar problems: what was found wrong so far; the run goes on.
    :ivar latest: the latest instant of all records that are stored; None without any.
    :ivar ratio: of bytes decompressed to those on disk, of the compressed file that was read last;
        before there is one, that of most logs.
    :ivar total: bytes that the run expects to read; ``done`` of them are stored.
    """

    store: Store
    options: Options
    known: Known
    redaction: Redaction
    commits: Commits
    now: Callable[[], datetime]
    progress: Callable[[int, int], None]
    has_store: bool
    latest: int | None = UNKNOWN
    ratio: float = 8.0
    problems: list[TtsqError] = field(default_factory=list)
    total: int = 0
    done: int = 0

    @cached_property
    def content(self) -> Content:
        """What the store has of lines."""
        return Content(self.store, self.known, self.options.tz, is_usable=self.has_store)

    def size_of(self, file: LogFile) -> int:
        """About how many bytes a file has, decompressed."""
        return int(file.stat.stored_bytes * (1 if file.compression == "none" else self.ratio))

    def note_latest(self, instant: int | None) -> None:
        """Note that records up to an instant are stored."""
        if instant is not None:
            self.latest = instant if self.latest is None else max(self.latest, instant)

    def advance(self, size: int) -> None:
        """Report ``size`` more bytes as stored."""
        self.done += size
        self.progress(self.done, max(self.done, self.total))


class OneFile:
    """One open log file, read from its offset to its end."""

    def __init__(self, shared: Shared, opened: OpenLog) -> None:
        self._shared = shared
        self._opened = opened
        self._options = shared.options
        self._commits = shared.commits
        self._checkpoint = opened.decision.checkpoint
        before = self._goes_on_with = self._file_before()
        self._format = self._own_format()
        self._read_with = ReadWith(self._format, self._options.tz)
        self._first_lines: FirstLines | None = None
        self._later: Later | None = None
        self._begun_with = None if before is None else _handed_on(before.reading)
        known = self._checkpoint.reading if self._checkpoint is not None else None
        self._parser = FrontParser(
            self._format,
            self._options.tz,
            profiles(self._options.profile_folder),
            head=opened.file.head[:1024],
            reading=known if opened.offset else self._begun_with,
        )

    def read(self, begun: Ledger | None = None, *, stops: bool = False) -> Ledger | None:
        """Store what is new in the file, and note how the file stands afterwards.

        ``begun``: this run has read it up to here, and that became of its bytes. ``stops``: where
        a new file goes on with its own first lines, or with older ones than it was taken to have,
        this ends, and returns what to go on with: what is stored by then is recognised behind it.

        :raises LogFileError: when the file is no log, or cannot be read.
        """
        _freeze_loaded()
        opened, file = self._opened, self._opened.file
        base = self._base()
        final = self._shared.known.is_finished(file, final=self._options.final)
        opened.header_offset = self._header_offset()  # before a thread has the scanner
        base = self._keyed(base)
        origin = Origin(base.file_key, base.host, base.service)
        stretches = self._stretches(origin, final=final, stops=stops)
        opened.note = _edits(stretches)
        lost, replaced = self._lost(stretches)
        carry, ask = self._carry(base)
        is_small = file.compression == "none" and file.stat.stored_bytes <= SMALL_BYTES
        waits = is_small and opened.decision.action is Action.START and not lost
        if not waits:
            self._commits.flush()
        total = (begun or Ledger()) + Ledger(lost_bytes=lost)
        watch = stops and opened.decision.action is Action.START and not stretches
        with read_ahead(opened.reader, self._options.chunk_bytes) as read:
            chunks = self._chunks(_passing(read), final, stretches, watch=watch)
            source = gathered(
                built(
                    chunks,
                    self._format,
                    origin,
                    carry,
                    self._shared.redaction,
                    stretches,
                    ask,
                    is_dated=base.last_logged_at is not None,
                    keeps_rare=not waits,  # rows that wait are looked at
                ),
                self._batch_bytes - self._options.chunk_bytes,
            )
            # what asks the store must not do so while a commit uses it
            at_once = is_small or ask is not None
            if at_once:
                with closing(source):
                    base, total = self._store(source, base, total, replaced, waits)
            else:
                with closing(Ahead(joining(source))) as ahead:
                    made = self._in_time(ahead)
                    base, total = self._store(made, base, total, replaced, waits, goes_on=True)
        if self._first_lines is not None:
            self._first_lines.let_go()
        if self._has_stopped:
            return total
        total = total + Ledger(tail_bytes=opened.end - opened.committed)
        _assert_ledger(total, opened.end - (opened.offset if begun is None else 0))
        reach("before_settle")
        self._note_state(base, final, total)
        return None

    @property
    def _batch_bytes(self) -> int:
        """Bytes of a batch: one is made while another is stored, so those of a file are alike."""
        most = self._options.batch_bytes
        expected = self._shared.size_of(self._opened.file) - self._opened.offset
        return (
            min(most, int(_UNEVEN * expected / ceil(expected / most))) if expected > most else most
        )

    @property
    def _has_stopped(self) -> bool:
        """Whether more of the file is to be compared with what is stored before it is read."""
        first, later = self._first_lines, self._later
        return (first is not None and first.at is not None) or (later is not None and later.stopped)

    def _stretches(self, origin: Origin, *, final: bool, stops: bool) -> list[Stretch]:
        """What of the file is stored already; not looked for as long as it is later than that."""
        if stops and self._opened.decision.action is Action.START:
            self._later = self._later_than_stored(origin)
            if self._later is not None:
                return []
        if self._shared.size_of(self._opened.file) > _LONG_LOOK:
            self._commits.settle()  # readers wait for what is written and not committed
        self._commits.join()
        return self._shared.content.stretches(self._opened, origin, self._pieces, final=final)

    def _later_than_stored(self, origin: Origin) -> Later | None:
        """What passes on its chunks as long as they are later than all that is stored; None where
        they do not begin so.
        """
        newest, head = self._shared.latest, self._opened.file.head
        if newest is None:
            return Later(None)
        if newest == UNKNOWN or may_repeat(newest, self._options.tz):
            return None
        if self._opened.header_offset is None:
            return None  # no line of the log format
        lines = head[: head.rfind(b"\n") + 1]
        until = max((older_until(p, newest) for p in self._pieces(lines, 0)), default=len(lines))
        if until >= len(lines):
            return None
        if until:  # one file's last lines and the next one's first are often of one moment
            self._commits.join()
            first = lines[: lines.find(b"\n", until - 1) + 1]
            if self._shared.content.has_any(self._opened, origin, self._pieces, first, newest):
                return None
        return Later(newest, until)

    def _own_format(self) -> Format:
        """What it is read with: as told, the request that its first name says it is of, and what
        was before it.
        """
        known, before = self._checkpoint, self._goes_on_with
        named, after = request_of_file(str(self._opened.file.stat.path)), None
        if known is not None:
            named, after = named_of(known.format), after_of(known.format)
        if before is not None and before.last_logged_at is not None:
            last = (before.last_logged_at - EPOCH) // timedelta(microseconds=1)
            after = last if may_repeat(last, self._options.tz) else None
        return self._options.format._replace(named=named, after=after)

    def _file_before(self) -> Checkpoint | None:
        """The file of the series that a file goes on with of which nothing is stored yet."""
        if self._opened.offset:
            return None
        own = self._checkpoint.file_key if self._checkpoint is not None else None
        return self._shared.known.predecessor(self._opened.file, own)

    def _base(self) -> Checkpoint:
        """The file's checkpoint; of a new file a first one, with what the file is read with.

        :raises LogFileError: for a new file that is no log.
        """
        file, options = self._opened.file, self._options
        known = self._checkpoint
        if known is not None:
            # a file that had been replaced is here again, under another name
            known = known._replace(lost_bytes=0) if known.state == "replaced" else known
            return known._replace(format=self._beginning(known.format))
        found = recognised(
            file.stat, file.head, self._format, options.tz, self._parser.profiles,
            shown=self._shared.redaction.keeps_all, goes_on=self._goes_on_with is not None,
            may_wait=True,
        )  # fmt: skip
        first = first_checkpoint(file, options.host, options.service, self._shared.now())
        text = found.text(self._parser.profiles.digests)
        return first._replace(format=self._beginning(text))

    def _beginning(self, text: str | None) -> str | None:
        before = self._goes_on_with
        after = None if before is None else (before.file_key, mark_of_beginning(before.format))
        return beginning_with(text, self._begun_with, after)

    def _keyed(self, base: Checkpoint) -> Checkpoint:
        """``base`` with a file key."""
        if base.file_key > 0:
            return base
        if not self._shared.store.capabilities.keys_without_store:
            self._commits.settle()
        return base._replace(file_key=self._shared.known.next_key(self._shared.store.next_file_key))

    def _pieces(self, data: bytes, base: int) -> Iterator[Parsed]:
        """A piece of the file, parsed by itself, to look at its records."""
        file = self._opened.file
        parser = FrontParser(
            self._format, self._options.tz, self._parser.profiles, head=file.head[:1024]
        )
        at, last = 0, None
        while at < len(data):
            parsed = parser.parse(
                memoryview(data)[at:], base=base + at, final=True, last_instant=last,
                fallback_instant=file.stat.modified_ns // 1000,
            )  # fmt: skip
            yield parsed
            if not parsed.consumed:
                break
            at, last = at + parsed.consumed, parsed.last_instant

    def _header_offset(self) -> int | None:
        """Where the first stamped header ends: as stored, else as the file's beginning has it."""
        known = self._checkpoint.header_offset if self._checkpoint is not None else None
        if known is not None and known > 0:
            return known
        return self._parser.header_end(memoryview(self._opened.file.head.removeprefix(BOM_UTF8)))

    def _lost(self, stretches: Sequence[Stretch]) -> tuple[int, list[Checkpoint]]:
        """Bytes lost with the file that this one replaced, and the checkpoints to note."""
        content, known = self._shared.content, self._shared.known
        ends = [s for s in stretches if content.ends_in(s) and self._has_held(s)]
        known.go_on_elsewhere(s.stored_file_key for s in ends)
        lost = known.take_lost(self._opened.file, self._opened.decision)
        return lost, [c for c in known.changed() if c.state == "replaced"] if lost else []

    def _has_held(self, stretch: Stretch) -> bool:
        """Whether behind a stretch there is as much as its file has held back."""
        file, of = self._opened.file, self._shared.known.known(stretch.stored_file_key)
        held = of.size_bytes - of.committed_offset
        return file.compression != "none" or file.stat.stored_bytes - stretch.end >= held

    def _chunks(
        self,
        read: Callable[[int], bytes],
        final: bool,
        stretches: Sequence[Stretch],
        *,
        watch: bool,
    ) -> Iterable[Parsed]:
        """The file's chunks from its offset on, parsed; stored stretches are passed over.
        ``watch``: up to its own first lines, where they come again.
        """
        opened, known = self._opened, self._checkpoint
        last = known.last_logged_at if known else None
        instant = None if last is None else (last - EPOCH) // timedelta(microseconds=1)

        def chunks(
            read: Callable[[int], Block], at: int, end: bool, last: int | None
        ) -> ChunkReader:
            skip_hole = no_hole if stretches else self._skip_hole
            modified = opened.file.stat.modified_ns // 1000
            return ChunkReader(
                self._parser, read, at, end, last, modified,
                chunk_bytes=self._options.chunk_bytes, skip_hole=skip_hole, in_place=True,
            )  # fmt: skip

        if watch:
            read_on = self._up_to_first_lines(
                read, lambda first: chunks(first, opened.offset, final, instant)
            )
            return read_on if self._later is None else self._later.of(read_on)
        if not stretches:
            return chunks(read, opened.offset, final, instant)
        stamps = Parser(self._format, self._options.tz)
        state = (known.reading, known.encoding) if known else (None, None)
        return Around(stamps, chunks, stretches, state).over(
            read, opened.offset, instant, final=final
        )

    def _skip_hole(self) -> int:
        """Go over a hole, if all that was read before it has been given on."""
        first = self._first_lines
        return 0 if first is not None and first.keeps_some else self._opened.reader.skip_hole()

    def _up_to_first_lines(
        self, read: Callable[[int], bytes], chunks: Callable[[Callable[[int], Block]], ChunkReader]
    ) -> ChunkReader:
        """Chunks that end where the file's own first lines come again."""

        def telling(lines: bytes, offset: int) -> int:
            records = records_of(lines, offset, self._pieces, _LATEST)
            return max(0, records.end_of_one_for_good - offset)

        def ended() -> None:
            reader.final = True  # a record ends before these lines

        head = self._opened.file.head
        self._first_lines = FirstLines(head, read, telling, ended)
        reader = chunks(self._first_lines.read)
        return reader

    def _in_time(self, made: Ahead[Pending]) -> Iterator[Pending]:
        """What a thread makes; the open transaction is committed where that takes long."""
        while True:
            patience = self._commits.patience
            if patience is not None and not made.is_made_within(patience):
                self._commits.settle()
            pending = next(made, None)
            if pending is None:
                return
            yield pending
            del pending

    def _store(
        self,
        made: Iterable[Pending],
        checkpoint: Checkpoint,
        total: Ledger,
        replaced: Sequence[Checkpoint],
        waits: bool,
        *,
        goes_on: bool = False,
    ) -> tuple[Checkpoint, Ledger]:
        """Store what is gathered of the file as it comes.

        ``waits``: the first rows are held until those of other small files are there, too.
        ``goes_on``: one commit may take several batches, those of the next file among them.

        :return: the checkpoint after the last commit, and what became of the bytes.
        """
        commits = self._commits
        commits.join()  # before a second one is made: memory holds two
        try:
            for pending in made:
                apart = pending.last and pending.settled_bytes >= _WORTH_A_THREAD
                for settled in pending.settled:
                    self._shared.note_latest(settled.latest)
                    total = total + settled.ledger
                    checkpoint = self._advanced(checkpoint, settled)
                if waits:
                    self._shared.content.hold(pending.batches)
                    commits.hold(checkpoint, pending.batches, total)
                    waits = False
                else:
                    commits.commit(
                        checkpoint, replaced, pending.joined, total,
                        size=pending.settled_bytes, apart=apart, goes_on=goes_on,
                    )  # fmt: skip
                self._shared.advance(pending.settled_bytes)
                del pending  # its rows, before the next ones are made
                replaced = []
        except DamagedFileError as problem:
            commits.settle()
            self._opened.damage = problem
            self._shared.problems.append(problem)
        return checkpoint, total

    def _note_state(self, checkpoint: Checkpoint, final: bool, total: Ledger) -> None:
        """Note how the file stands after it was read to its end."""
        opened = self._opened
        stat, tail = opened.file.stat, total.tail_bytes
        state = "finished" if final else "live" if checkpoint.committed_offset else "waiting"
        note = f"{tail} bytes held back: the last record may still grow" if tail else None
        note = opened.note or note
        if opened.damage is not None:
            state, note = "damaged", opened.damage.message
        self._shared.known.update(
            checkpoint._replace(
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
        self._shared.known.present(checkpoint.file_key, stat)
        if opened.file.compression != "none" and stat.stored_bytes:
            self._shared.ratio = opened.end / stat.stored_bytes
        reach("settled")
        self._commits.file_done(
            FileReport(
                str(stat.path),
                "read" if total.settled_bytes else "unchanged",
                note,
                total,
                total.settled_bytes + total.tail_bytes,
                format_in_short(checkpoint.format),
            )
        )

    def _carry(self, base: Checkpoint) -> tuple[dict[str, int], Ask | None]:
        """How the requests stand that the file's stored part left open, or that only just ended.

        Where these are very many: none, and what asks for those that are in a chunk.
        """
        if base.committed_offset == 0 or self._options.dry_run:
            return {}, None
        self._commits.settle()
        with self._shared.store.writing() as writer:
            if not writer.has_many_parts(base, _MOST_CARRIED):
                return writer.carry(base), None

        def ask(ids: Sequence[str]) -> dict[str, int]:
            import pyarrow as pa

            self._commits.settle()
            with self._shared.store.writing() as writer:
                return writer.carry(base, pa.array(ids, pa.string()))

        return {}, ask

    def _advanced(self, base: Checkpoint, settled: Settled) -> Checkpoint:
        """The checkpoint after a chunk."""
        opened = self._opened
        last, ledger = settled.last_instant, settled.ledger
        return base.counting(ledger)._replace(
            path=str(opened.file.stat.path),
            fingerprint=_longest_print(base, opened.file),
            header_offset=opened.header_offset,
            anchor=opened.advance(settled.offset, settled.before),
            committed_offset=settled.offset,
            size_bytes=max(opened.end, settled.offset),
            reading=self._shared.redaction.of_reading(settled.reading),
            encoding=settled.encoding,
            # what has understood nothing is not what the file is to be read with
            format=self._read_with.as_text(base.format) if ledger.records else base.format,
            # not read to its end: a run that ends here must not leave a file that passes for
            # untouched
            modified_ns=0,
            state="live",
            lost_bytes=base.lost_bytes + ledger.lost_bytes,
            last_logged_at=base.last_logged_at
            if last is None
            else EPOCH + timedelta(microseconds=last),
            last_ingested_at=self._shared.now(),
        )


def _handed_on(reading: str | None) -> str | None:
    """The state in which a file's reading begins, from that at the end of the one before it."""
    if reading is None:
        return None
    from ingest.records.series import handed_on  # most files' lines are all of the log format

    return handed_on(reading)


def _longest_print(base: Checkpoint, file: LogFile) -> str | None:
    """The fingerprint of all that was seen of a file's beginning."""
    longer = len(file.head) > covered(base.fingerprint)
    return extended(base.fingerprint, file.head) if longer else base.fingerprint


def _edits(stretches: Sequence[Stretch]) -> str | None:
    """What to say of stretches that were edited after they were stored; None without any."""
    edited = [s for s in stretches if s.is_edited]
    if not edited:
        return None
    size, first = sum(s.end - s.begin for s in edited), edited[0].begin
    return (
        f"{size} bytes were edited after they had been stored, the first at offset {first}: "
        "what was stored stays, what they say now is lost"
    )


def _assert_ledger(total: Ledger, read: int) -> None:
    """Every byte read is accounted for (SPEC §3.4)."""
    accounted = total.settled_bytes + total.tail_bytes
    if accounted != read:
        raise AssertionError(f"ledger: {accounted} bytes accounted for, {read} read")


@cache
def _freeze_loaded() -> None:
    """Once a process: keep what is loaded from being searched for garbage: 0.2 s of a long run."""
    gc.freeze()


def _passing(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """``read``, between the fault points of a read."""

    def block(size: int) -> bytes:
        reach("before_read")
        data = read(size)
        reach("after_read")
        return data

    return block
