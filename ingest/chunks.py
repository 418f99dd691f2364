"""A log file's bytes → parsed chunks, one after another, in bounded memory."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from ingest.files import CHUNK_BYTES
from ingest.model import Ledger, Reject
from ingest.parse import REJECT_HEAD_BYTES, Parsed, Parser, raw_text

Read = Callable[[int], bytes]


@dataclass(slots=True)
class ChunkReader:
    """Cuts a stream that begins at a record into parsed chunks; what is behind the last one is ``tail_bytes``.

    ``read`` gives up to so many bytes, empty at the end; ``final``: nothing will follow the end; ``offset`` that of the
    stream's first byte in the file; instants as in :meth:`Parser.parse`.
    """

    parser: Parser
    read: Read
    offset: int
    final: bool
    last_instant: int | None
    fallback_instant: int
    tail_bytes: int = 0
    chunk_bytes: int = CHUNK_BYTES

    def __iter__(self) -> Iterator[Parsed]:
        data, base, at_end, stuck = b"", self.offset, False, True
        while not at_end or data:
            if not at_end and (stuck or len(data) < self.chunk_bytes):
                block = self.read(self.chunk_bytes)
                at_end = not block
                data += block
            fill = _leading_nuls(data)
            parsed = self._parse(memoryview(data)[fill:], base + fill, at_end)
            if fill:
                parsed = _with_fill(parsed, fill)
            settled = fill + parsed.consumed
            if settled:
                yield parsed
                self.last_instant = parsed.last_instant
            giant = parsed.giant and not at_end and not settled
            empty = _emptied(parsed)
            del parsed  # its tables, before the next ones are made
            if giant:
                reject, data, base, at_end = _Giant(self, base, data).run()
                if reject is not None:
                    yield _only_reject(empty, reject)
                stuck = True
                continue
            data, base, stuck = data[settled:], base + settled, not settled
            if at_end and not settled:
                break
        self.tail_bytes = max(self.tail_bytes, len(data))

    def _parse(self, data: memoryview, base: int, at_end: bool) -> Parsed:
        return self.parser.parse(
            data,
            base=base,
            final=at_end and self.final,
            last_instant=self.last_instant,
            fallback_instant=self.fallback_instant,
        )


def _leading_nuls(data: bytes) -> int:
    if not data.startswith(b"\0"):
        return 0
    array = np.frombuffer(data, np.uint8)
    first = int(np.argmax(array != 0))
    return first if array[first] else len(data)


def _with_fill(parsed: Parsed, fill: int) -> Parsed:
    """Count a NUL fill before a chunk as ignored bytes of it."""
    return replace(parsed, ledger=parsed.ledger + Ledger(ignored_bytes=fill))


def _emptied(parsed: Parsed) -> Parsed:
    return replace(
        parsed,
        data=memoryview(b""),
        records=parsed.records[:0].copy(),
        pairs=parsed.pairs[:0].copy(),
        instants=parsed.instants[:0].copy(),
        inferred=parsed.inferred[:0].copy(),
        values=parsed.values[:0].copy(),
        states=parsed.states[:0].copy(),
        rejects=(),
        ledger=Ledger(),
    )


def _only_reject(empty: Parsed, reject: Reject) -> Parsed:
    return replace(
        empty,
        base=reject.byte_offset,
        consumed=reject.byte_length,
        rejects=(reject,),
        ledger=Ledger(quarantined=1, quarantined_bytes=reject.byte_length),
    )


class _Giant:
    """Reads over a record that is longer than the longest, keeping its head and the line at hand."""

    def __init__(self, reader: ChunkReader, base: int, data: bytes) -> None:
        self.reader = reader
        self.base = base
        self.head = data[:REJECT_HEAD_BYTES]
        first_line = data.find(b"\n") + 1
        self.at = base + first_line if first_line else base
        self.line = data[first_line:] if first_line else data
        self.in_first_line = not first_line

    def run(self) -> tuple[Reject | None, bytes, int, bool]:
        """Read on until a record begins: (the reject, bytes from that beginning on, their offset, at end)."""
        while True:
            found = self._beginning(final=False)
            if found >= 0:
                data = self.line[found:]
                return self._reject(self.at + found), data, self.at + found, False
            self._drop()
            block = self.reader.read(self.reader.chunk_bytes)
            if not block:
                return self._end()
            self.line += block

    def _beginning(self, *, final: bool) -> int:
        if self.in_first_line:
            end = self.line.find(b"\n")
            if end < 0:
                return -1
            self.at, self.line, self.in_first_line = self.at + end + 1, self.line[end + 1 :], False
        return self.reader.parser.next_beginning(memoryview(self.line), 0, final)

    def _drop(self) -> None:
        """Forget complete lines, none of which begins a record; of an endless line, all but its length."""
        last = self.line.rfind(b"\n") + 1
        self.at, self.line = self.at + last, self.line[last:]
        if len(self.line) > self.reader.parser.max_record:
            self.in_first_line = True
        if self.in_first_line:
            self.at, self.line = self.at + len(self.line), b""

    def _end(self) -> tuple[Reject | None, bytes, int, bool]:
        end = self.at + len(self.line)
        if not self.reader.final:
            self.reader.tail_bytes = end - self.base
            return None, b"", end, True
        found = self._beginning(final=True)
        if found >= 0:
            return self._reject(self.at + found), self.line[found:], self.at + found, True
        return self._reject(end), b"", end, True

    def _reject(self, end: int) -> Reject:
        return Reject(self.base, end - self.base, "too_long", raw_text(self.head))
