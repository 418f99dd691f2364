"""A log file's bytes → parsed chunks, one after another, in bounded memory."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from ingest.compiled import layout
from ingest.errors import DamagedFileError
from ingest.lazily import matcher
from ingest.model import CHUNK_BYTES, Ledger, Reject
from ingest.records.arrays import raw_text
from ingest.records.parse import REJECT_HEAD_BYTES, ChunkParser, Parsed

Block = bytes | memoryview
Read = Callable[[int], bytes]
_SPARE_BYTES = 64 << 10  # what may be left of a chunk without more memory for the next one
_BLANK = b" \t\r\n\v\f\0"
_TRACEBACK = matcher(rb"\0*Traceback \(most recent call last\):")


@dataclass(slots=True)
class ChunkReader:
    """Cuts a stream that begins at a record into parsed chunks; what is behind the last one is
    ``tail_bytes``.

    ``read`` gives up to so many bytes, empty at the end; ``final``: nothing will follow the end;
    ``offset`` that of the stream's first byte in the file; instants as in :meth:`Parser.parse`.
    ``skip_hole`` goes over NUL bytes that need not be read. ``in_place``: all chunks stand in the
    same memory, each in place of the one before it, which nobody looks at any more; fresh memory
    costs as much as scanning.
    """

    parser: ChunkParser
    read: Callable[[int], Block]
    offset: int
    final: bool
    last_instant: int | None
    fallback_instant: int
    tail_bytes: int = 0
    chunk_bytes: int = CHUNK_BYTES
    damage: DamagedFileError | None = None
    skip_hole: Callable[[], int] = lambda: 0
    in_place: bool = False
    _room: bytearray = field(default_factory=bytearray)

    def __iter__(self) -> Iterator[Parsed]:
        data, base, at_end, stuck, fill = memoryview(b""), self.offset, False, True, 0
        while not at_end or data:
            if not at_end and (stuck or len(data) < self.chunk_bytes):
                skipped = 0 if data else self.skip_hole()
                fill, base = fill + skipped, base + skipped
                blocks, at_end = self._blocks()
                data = self._joined(data, blocks)
                del blocks
            nuls = _leading_nuls(data)
            fill, base = fill + nuls, base + nuls
            if nuls == len(data) and not (at_end and self.final):
                data = data[:0]  # however much of it there is, it makes one chunk
                if at_end:  # a writer may yet put its lines there
                    self.tail_bytes = max(self.tail_bytes, fill)
                    return
                continue
            parsed = self._parse(data[nuls:], base, at_end)
            if fill:
                parsed = _with_fill(parsed, fill)
            parsed_bytes = parsed.consumed
            settled = fill + parsed_bytes
            if settled:
                yield parsed
                self.last_instant = parsed.last_instant
            giant = parsed.giant and not at_end and not settled
            empty = _emptied(parsed) if giant else None
            del parsed  # its tables, before the next ones are made
            if empty is not None:
                giant_base = base
                reject, line, base, at_end = _Giant(self, base, bytes(data)).run()
                data = memoryview(line)
                if base > giant_base:
                    yield _giant_chunk(empty, reject, giant_base, base - giant_base)
                stuck = True
                continue
            data, base = data[nuls + parsed_bytes :], base + parsed_bytes
            stuck, fill = not settled, 0
            if at_end and not settled:
                break
        self.tail_bytes = max(self.tail_bytes, len(data))

    def _joined(self, rest: memoryview, blocks: Sequence[Block]) -> memoryview:
        """What is left of a chunk, and the blocks behind it, in one piece."""
        if not self.in_place:
            return memoryview(b"".join((rest, *blocks)))
        at = len(rest)
        size = at + sum(map(len, blocks))
        if size > len(self._room):
            self._room = bytearray(size + _SPARE_BYTES)
        room = memoryview(self._room)
        room[: len(rest)] = rest  # may overlap: it is moved
        for block in blocks:
            room[at : at + len(block)] = block
            at += len(block)
        return room[:size]

    def _blocks(self) -> tuple[Sequence[Block], bool]:
        """Further bytes, and whether they are the last: damage or nothing follows a short read."""
        if self.damage is not None:
            raise self.damage
        block = self.read(self.chunk_bytes)
        if not block or len(block) >= self.chunk_bytes:
            return (block,), not block
        try:
            more = self.read(self.chunk_bytes)
        except DamagedFileError as damage:
            self.damage = damage  # told behind what comes before it
            return (block,), False
        return (block, more), not more

    def _parse(self, data: memoryview, base: int, at_end: bool) -> Parsed:
        return self.parser.parse(
            data,
            base=base,
            final=at_end and self.final,
            last_instant=self.last_instant,
            fallback_instant=self.fallback_instant,
            more=not at_end,
        )


def _leading_nuls(data: memoryview) -> int:
    """NUL bytes of a hole before the text, without the first half of a UTF-16 character."""
    if not len(data) or data[0]:
        return 0
    array = np.frombuffer(data, np.uint8)
    first = int(np.argmax(array != 0))
    if not array[first]:
        return len(data)
    is_wide = first % 2 == 1 and first + 1 < len(data) and data[first + 1] == 0
    return first - is_wide


def _with_fill(parsed: Parsed, fill: int) -> Parsed:
    """Count a NUL fill before a chunk as ignored bytes of it."""
    return replace(parsed, ledger=parsed.ledger + Ledger(ignored_bytes=fill))


def _emptied(parsed: Parsed) -> Parsed:
    return replace(
        parsed,
        data=memoryview(b""),
        source=None,
        offsets=None,
        record_ends=None,
        records=parsed.records[:0].copy(),
        pairs=parsed.pairs[:0].copy(),
        instants=parsed.instants[:0].copy(),
        time_source=parsed.time_source[:0].copy(),
        values=parsed.values[:0].copy(),
        states=parsed.states[:0].copy(),
        rejects=(),
        ledger=Ledger(),
    )


def _giant_chunk(empty: Parsed, reject: Reject | None, base: int, consumed: int) -> Parsed:
    """A chunk of a reject and of the ignored bytes around it; None: only blanks."""
    ledger = Ledger(ignored_bytes=consumed)
    if reject is not None:
        length = reject.byte_length
        ledger = Ledger(quarantined=1, quarantined_bytes=length, ignored_bytes=consumed - length)
    rejects = () if reject is None else (reject,)
    return replace(empty, base=base, consumed=consumed, rejects=rejects, ledger=ledger)


class _Giant:
    """Skips a record or line that is too long, keeping its head and the current line."""

    def __init__(self, reader: ChunkReader, base: int, data: bytes) -> None:
        lines = data.rfind(b"\n") + 1  # that complete lines are the giant's own is known
        parsed = reader.parser.parse(
            memoryview(data)[: data.find(b"\n") + 1 or None],
            base=base,
            final=True,
            last_instant=None,
            fallback_instant=0,
        )
        row = parsed.records[0] if len(parsed.records) else np.zeros(layout.REC_WIDTH, np.int32)
        begin = int(row[layout.R_START])  # an endless line that is blank so far has no row
        self.reader = reader
        self.base, self.start = base, base + begin
        self.severe = row[layout.R_LEVEL] >= layout.L_WARNING
        self.loose = reader.parser.next_beginning(memoryview(data)[begin:], 0, True) != 0
        self.head = data[begin : begin + REJECT_HEAD_BYTES]
        self.end = base + _solid_end(data[:lines])
        self.at, self.line = base + lines, data[lines:]
        self.endless = len(self.line) > reader.parser.max_record
        self.solid = False  # the part of an endless line that was dropped is not blank

    def run(self) -> tuple[Reject | None, bytes, int, bool]:
        """Read on until a record begins: (the reject, bytes from that beginning on, their offset,
        at end).

        None for a line that was blank, and for a tail: then the offset is still that of the giant.
        """
        while True:
            if self._is_over():
                return self._reject(), self.line, self.at, False
            if self.endless and not self.line:
                self.at += self.reader.skip_hole()
            block = self.reader.read(self.reader.chunk_bytes)
            if not block:
                return self._at_end()
            self.line += block

    def _is_over(self) -> bool:
        """Drop the giant's part of the current lines; whether something else begins there."""
        if self.endless and not self._drop_endless():
            return False
        if self.loose:
            return True
        found = self._beginning(final=False)
        self._drop(found if found >= 0 else self.line.rfind(b"\n") + 1)
        if found >= 0:
            return True
        if len(self.line) <= self.reader.parser.max_record:
            return False
        if self._beginning(final=True) == 0:
            return True
        self.endless = True
        self._drop_endless()
        return False

    def _drop_endless(self) -> bool:
        """Forget the line at hand; whether its end has come."""
        end = self.line.find(b"\n") + 1
        dropped = end or len(self.line)
        self.solid = self.solid or bool(self.line[:dropped].strip(_BLANK))
        self.at, self.line = self.at + dropped, self.line[dropped:]
        if self.solid:
            self.end = self.at
        if end:
            self.endless = self.solid = False
        return bool(end)

    def _drop(self, length: int) -> None:
        """Forget complete lines of the giant; blank ones at its end are not its own."""
        solid = _solid_end(self.line[:length])
        if solid:
            self.end = self.at + solid
        self.at, self.line = self.at + length, self.line[length:]

    def _beginning(self, *, final: bool) -> int:
        """Where a record begins in the current lines, or -1; an error keeps its traceback."""
        at = 0
        while True:
            found = self.reader.parser.next_beginning(memoryview(self.line), at, final)
            if found < 0 or not (self.severe and _TRACEBACK.match(self.line, found)):
                return found
            at = self.line.find(b"\n", found) + 1
            if not at:
                return -1

    def _at_end(self) -> tuple[Reject | None, bytes, int, bool]:
        if not self.reader.final:
            self.reader.tail_bytes = self.at + len(self.line) - self.base
            return None, b"", self.base, True
        found = -1 if self.endless else self._beginning(final=True)
        self._drop(found if found >= 0 else len(self.line))
        return self._reject(), self.line, self.at, True

    def _reject(self) -> Reject | None:
        length = self.end - self.start
        head = raw_text(self.head[: max(length, 0)])
        return Reject(self.start, length, "too_long", head) if length > 0 else None


def _solid_end(lines: bytes) -> int:
    """The end of the last line that is not blank, 0 where there is none."""
    solid = len(lines.rstrip(_BLANK))
    return (lines.find(b"\n", solid) + 1 or len(lines)) if solid else 0
