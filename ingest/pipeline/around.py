"""Reading around what of a file is stored already."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.errors import LogFileError
from ingest.logfiles.fingerprint import ANCHOR_BYTES
from ingest.model import Ledger
from ingest.rows.content import Stretch

if TYPE_CHECKING:
    from ingest.records.chunks import ChunkReader, Read
    from ingest.records.parse import ChunkParser, Parsed

_STAMP_BYTES = 4096  # end of a known stretch in which its last stamp is looked for


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
