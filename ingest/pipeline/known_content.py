"""What of a file's new bytes is stored already, and reading around it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, timedelta, tzinfo
from typing import TYPE_CHECKING

import pyarrow as pa

from ingest.errors import DamagedFileError, LogFileError
from ingest.logfiles import rotation
from ingest.logfiles.fingerprint import ANCHOR_BYTES
from ingest.logfiles.known import Known
from ingest.logfiles.open_log import OpenLog
from ingest.logfiles.resume import Action
from ingest.logfiles.stat import FileStat
from ingest.model import EPOCH, Ledger, Origin
from ingest.pipeline.asked_content import Asked, Held
from ingest.pipeline.edited_content import clocks, looked_at_again, with_cut_line
from ingest.rows.content import (
    Group,
    Stretch,
    lines_of,
    recognised,
    stored_lines,
    stretch_rows,
)
from ingest.rows.content_search import Search
from ingest.stores.contract import Store

if TYPE_CHECKING:
    from ingest.records.chunks import ChunkReader, Read
    from ingest.records.parse import ChunkParser, Parsed
    from ingest.rows.chunk import ChunkRows

_BLOCK_BYTES = 4 << 20  # compared with the store in one go
_MOST_EDITED = 1 << 20  # bytes beside stretches among which edited lines are looked for
_LEAST_BYTES = 16  # fewer new bytes hold no record
_LEAST_BEGUN = 2  # lines with a time with which a rotated file begins as its log's archive has it
_STAMP_BYTES = 4096  # end of a known stretch in which its last stamp is looked for


class Content:
    """Stored lines, and those of this run that are not committed yet.

    ``tz`` is the zone of times that name none; ``is_usable``: the store is at head.
    """

    def __init__(self, store: Store, known: Known, tz: tzinfo = UTC, *, is_usable: bool) -> None:
        self.is_usable = is_usable
        self._tz = tz
        self._store = store
        self._known = known
        self._held = Held()

    def hold(self, batches: "Sequence[ChunkRows]") -> None:
        """Add rows that wait for a commit; only the last are kept: it comes soon."""
        tables = [b.content["stored_lines"] for b in batches if "stored_lines" in b.content]
        self._held.add(Group(*row.values()) for t in tables for row in t.to_pylist())

    def ends_in(self, stretch: Stretch) -> bool:
        """Whether the stored part of a file ends with a stretch."""
        return stretch.stored_end >= self._known.known(stretch.stored_file_key).committed_offset

    def knows(self, file_key: int) -> bool:
        """Whether lines of a file can be recognised: older versions stored no hashes."""
        sql = "select 1 from stored_lines where file_key = :key limit 1"
        with self._store.reading() as reader:
            stored = reader.query(sql, {"key": file_key}).rows
        return bool(stored) or bool(self._held.of(file_key))

    def stretches(self, opened: OpenLog, origin: Origin) -> list[Stretch]:
        """Which bytes after an opened file's offset are stored already, from another place."""
        if not self.is_usable or opened.file.stat.stored_bytes < _LEAST_BYTES:
            return []
        with self._store.reading() as reader:
            if (
                not len(self._held)
                and not reader.query("select 1 from stored_lines limit 1", None).rows
            ):
                return []
            asked = Asked(reader, self._held, self._known, origin)
            search = Search(asked.marked, asked.before, asked.behind)
            begin, end = -1, opened.offset  # of the lines
            for data, base in _blocks(opened):
                lines = lines_of(data, base, final=False)
                begin = int(lines.begins[0]) if begin < 0 and len(lines) else begin
                end = base + len(data)
                search.feed(lines)
            found = search.end()
            stat = opened.file.stat
            span = begin, end if opened.file.compression != "none" else stat.stored_bytes
            result = recognised(
                found, lambda s: self._is_sure(s, opened, asked, span), self._is_whole
            )
            result = self._with_ends(result, opened)
            if any(s.is_edited for s in result):
                result = looked_at_again(
                    result,
                    _blocks(opened),
                    asked.within,
                    clocks(self._tz, stat.modified_ns // 1000),
                    self._last_instant,
                    lambda s: self._is_in_place(s, opened),
                )
                opened.reader.go_back(opened.offset)
            return self._with_cut_line(result, opened)

    def _with_cut_line(self, found: list[Stretch], opened: OpenLog) -> list[Stretch]:
        """The stretches; the first with what a trim has left of the line before it."""
        if not found or opened.decision.action is not Action.START:
            return found
        first, stat = found[0], opened.file.stat
        is_ahead = opened.offset < first.begin and not first.is_edited
        if not is_ahead or not self._known.may_be_left_of(first.stored_file_key, stat):
            return found
        begun = with_cut_line(first, next(_blocks(opened), (b"", opened.offset)))
        opened.reader.go_back(opened.offset)
        return [begun, *found[1:]]

    def _is_sure(
        self, stretch: Stretch, opened: OpenLog, asked: Asked, span: tuple[int, int]
    ) -> bool:
        """Whether no second writer can have written the few lines of a stretch: they are what is
        left of a file that stood here, or all of one of the same log, or what it begins with.

        ``span`` is where the file's new lines begin and end.
        """
        key, stat = stretch.stored_file_key, opened.file.stat
        own = opened.decision.checkpoint
        if own is not None and own.file_key == key:
            return False
        is_next = own is not None and stretch.begin == opened.offset > 0
        if own is not None and is_next and asked.goes_on(stretch, own, opened.offset):
            return True
        is_first = own is None or own.records == 0
        is_all = stretch.end >= span[1]
        gathers = self._known.gathers(key, stat)
        # what a trim has left begins a file, or is gathered behind what a file has
        is_rest = self._known.may_be_left_of(key, stat) and (is_first or gathers)
        is_end = opened.decision.reason == "edited" or self.ends_in(stretch)
        if is_rest and is_end and not self._known.stands_elsewhere(key, stat):
            return True
        if gathers:
            is_beginning = is_first and is_all and stretch.stored_offset == 0
            return self._is_whole(stretch) or is_beginning
        # one line may end a log and begin the next
        begins = stretch.begin == span[0] and stretch.stamped >= _LEAST_BEGUN
        is_begun = begins and rotation.is_counted(str(stat.path))
        return is_first and (is_all or is_begun) and self._known.is_gathered_in(key, stat)

    def _is_whole(self, stretch: Stretch) -> bool:
        """Whether a stretch is all that is stored of a file, but for what is no record."""
        size = stretch.stored_end - stretch.stored_offset
        known = self._known.known(stretch.stored_file_key)
        return known.record_bytes <= size and self.ends_in(stretch)

    def _with_ends(self, found: list[Stretch], opened: OpenLog) -> list[Stretch]:
        """The stretches, and before and behind them what may be further lines of the same files,
        edited or with others missing between them.
        """
        if not found:
            return found
        first, last, stat = found[0], found[-1], opened.file.stat
        is_plain = opened.file.compression == "none"
        size = first.begin - opened.offset
        is_near = size <= _MOST_EDITED or self._is_in_place(first, opened)
        ahead: list[Stretch] = []
        if size and first.stored_offset and is_near:
            stored = max(0, first.stored_offset - _most_stored(size))
            ahead = [Stretch(
                opened.offset, first.begin, first.stored_file_key, stored, first.stored_offset, 0,
                True, 0, first.first_lines,
            )]  # fmt: skip
        end = self._known.known(last.stored_file_key).committed_offset
        most = last.end + _MOST_EDITED
        stop = min(stat.stored_bytes, most) if is_plain else most
        behind: list[Stretch] = []
        if last.end < stop and last.stored_end < end:
            stored = min(end, last.stored_end + _most_stored(stop - last.end))
            behind = [Stretch(
                last.end, stop, last.stored_file_key, last.stored_end, stored, 0, True,
                last.last_lines, 0,
            )]  # fmt: skip
        return [*ahead, *found, *behind]

    def _is_in_place(self, stretch: Stretch, opened: OpenLog) -> bool:
        """Whether a file, read from its beginning, is the one that a stretch is of."""
        is_whole = opened.decision.action is Action.START and opened.file.compression == "none"
        return is_whole and self._stood_here(stretch, opened.file.stat)

    def _stood_here(self, stretch: Stretch, stat: FileStat) -> bool:
        key = stretch.stored_file_key
        return self._known.was_at(key, stat) and not self._known.is_present(key)

    def _last_instant(self, file_key: int) -> int | None:
        last = self._known.known(file_key).last_logged_at
        return None if last is None else (last - EPOCH) // timedelta(microseconds=1)


def known_stretches(store: Store, file_key: int) -> list[Stretch]:
    """What of a file was stored from another place, in order."""
    sql = (
        "select byte_offset, byte_offset + byte_length, stored_file_key, stored_offset, "
        "stored_offset + byte_length, case when is_edited then 1 else 0 end "
        "from known_stretches where file_key = :key order by 1"
    )
    with store.reading() as reader:
        rows = reader.query(sql, {"key": file_key}).rows
    numbers = [[int(str(value)) for value in row] for row in rows]
    return [Stretch(a, b, k, o, e, 0, bool(edited)) for a, b, k, o, e, edited in numbers]


def _blocks(opened: OpenLog) -> Iterator[tuple[bytes, int]]:
    """The bytes after an opened file's offset in blocks of whole lines; damage ends them."""
    reader, rest, base = opened.reader, b"", opened.offset
    try:
        while True:
            skipped = 0 if rest else reader.skip_hole()
            base += skipped
            data = reader.read(_BLOCK_BYTES)
            if not data:
                break
            rest += data
            end = rest.rfind(b"\n") + 1
            if end:
                yield rest[:end], base
                base, rest = base + end, rest[end:]
            elif len(rest) > 4 * _BLOCK_BYTES:  # an endless line is recognised by nothing
                base, rest = base + len(rest), b""
    except DamagedFileError:
        pass
    reader.go_back(opened.offset)


def _most_stored(size: int) -> int:
    """Bytes of a stored file that are compared with so many."""
    return 4 * size + _STAMP_BYTES


def no_hole() -> int:
    """A hole is read as the NUL bytes that it stands for."""
    return 0


class Around:
    """Reads a stream of a file's bytes from an offset on, but for the stretches that are stored
    already.

    ``chunks(read, offset, final, last_instant)`` reads what lies between them; ``parser`` finds a
    stretch's last stamp, ``state`` is what the file's reading and encoding are at the offset. Gives
    parsed chunks; that of a stretch has no records, and its bytes in the ledger as already stored.
    """

    def __init__(
        self,
        parser: "ChunkParser",
        chunks: "Callable[[Read, int, bool, int | None], ChunkReader]",
        stretches: Sequence[Stretch],
        state: tuple[str | None, str | None] = (None, None),
    ) -> None:
        self._state = state
        self._parser = parser
        self._chunks = chunks
        self._stretches = stretches

    def over(
        self, read: "Read", offset: int, last_instant: int | None, *, final: bool
    ) -> "Iterator[Parsed]":
        """The chunks; ``final``: nothing follows the end of the stream."""
        at, last = offset, last_instant
        reading, encoding = self._state
        stream = _Stream(read)
        for stretches in _adjacent(self._stretches):
            stream.left = stretches[0].begin - at
            reader = self._chunks(stream.read, at, True, last)
            for parsed in reader:
                reading, encoding = parsed.reading, parsed.encoding
                yield parsed
            last, stream.left = reader.last_instant, None
            parsed = self._known(stream, stretches, last)
            last, at = parsed.last_instant, stretches[-1].end
            yield replace(parsed, reading=reading, encoding=encoding)
        yield from self._chunks(stream.read, at, final, last)

    def _known(self, stream: "_Stream", stretches: Sequence[Stretch], last: int | None) -> "Parsed":
        """A chunk without records that stands for stretches with nothing between them."""
        end = stretches[-1].end
        length, tail = end - stretches[0].begin, b""
        left = length
        while left:
            data = stream.read(min(left, 1 << 20))
            if not data:
                raise LogFileError(
                    "a log file became shorter while it was read",
                    "the next run reads what is new in it",
                )
            left -= len(data)
            tail = (tail + data)[-_STAMP_BYTES:]
        known = tail[tail.find(b"\n") + 1 :] if length > len(tail) else tail
        said = self._parser.parse(
            memoryview(known), base=1, final=True, last_instant=last, fallback_instant=0
        )
        before = memoryview(tail[-ANCHOR_BYTES:])
        lost = sum(s.end - s.begin for s in stretches if s.is_edited)
        empty = self._parser.parse(
            memoryview(b""), base=1, final=True, last_instant=said.last_instant, fallback_instant=0
        )
        return replace(
            empty,
            data=before,
            base=end - len(before),
            consumed=len(before),
            ledger=Ledger(already_stored_bytes=length, lost_bytes=lost),
        )


class _Stream:
    """A stream of which so many bytes are left for whoever reads; None: all."""

    def __init__(self, read: "Read") -> None:
        self._read = read
        self._rest = b""
        self.left: int | None = None

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, as many as there are; empty at the end of what is left."""
        wanted = size if self.left is None else min(size, self.left)
        if not wanted:
            return b""
        data = self._rest or self._read(wanted)
        data, self._rest = data[:wanted], data[wanted:]
        while len(data) < wanted and (more := self._read(wanted - len(data))):
            taken = more[: wanted - len(data)]
            self._rest = more[len(taken) :]
            data += taken
        if self.left is not None:
            self.left -= len(data)
        return data


def _adjacent(stretches: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    """Stretches with nothing between them together: edits in every line make very many."""
    together: list[Stretch] = []
    for stretch in stretches:
        if together and together[-1].end != stretch.begin:
            yield together
            together = []
        together.append(stretch)
    if together:
        yield together


def content_rows(parsed: "Parsed", file_key: int, known: Sequence[Stretch]) -> dict[str, pa.Table]:
    """What a chunk adds to the tables of stored lines; ``known`` are the file's stretches."""
    if parsed.ledger.already_stored_bytes:
        end = parsed.base + parsed.consumed
        low = bisect_left(known, end - parsed.ledger.already_stored_bytes, key=lambda s: s.begin)
        high = bisect_right(known, end, lo=low, key=lambda s: s.end)
        return {"known_stretches": stretch_rows(known[low:high], file_key)}
    data = parsed.original[: parsed.consumed]
    lines = stored_lines(lines_of(data, parsed.base, final=True), file_key)
    return {} if lines is None else {"stored_lines": lines}
