"""A log file's stored part, read again in pieces, cut into records as it was when it was read.

Records do not depend on how the bytes were divided among runs, with one exception: where a run took
a file for finished, its last record ended, and what was written behind it later began anew. The
rows tell where that was.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np

from ingest.compiled import layout
from ingest.logfiles.fingerprint import ANCHOR_BYTES
from ingest.logfiles.reader import LogReader
from ingest.pipeline.around import Around, no_hole
from ingest.records.arrays import Ints
from ingest.records.chunks import ChunkReader, Read
from ingest.records.parse import ChunkParser, Parsed
from ingest.rows.content import Stretch, behind
from ingest.stores.recorded import Stored

CHUNK_BYTES = 8 << 20  # read in one go; a look at the store for each
_MOST_ENDS = (
    1000  # ends of runs within a file that are looked for: each costs parsing a chunk again
)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a file from ``low`` on, parsed, and what the store has of it."""

    low: int
    parsed: Parsed
    stored: Stored


class Beginning:
    """The first ``size`` bytes of a log file; ``last`` are the last ones, up to ANCHOR_BYTES."""

    def __init__(self, reader: LogReader, size: int) -> None:
        self._reader = reader
        self._size = size
        self.last = b""

    def read(self, size: int) -> bytes:
        """Up to ``size`` further bytes; empty at the end."""
        data = self._reader.read(min(size, self._size - self._reader.position))
        self.last = (self.last + data[-ANCHOR_BYTES:])[-ANCHOR_BYTES:]
        return data

    def skip_hole(self) -> int:
        """Go over a hole of a sparse file that begins here; how many NUL bytes it stands for."""
        begin = self._reader.position
        self._reader.skip_hole()
        self._reader.seek_to(min(self._reader.position, self._size))
        skipped = self._reader.position - begin
        self.last = (self.last + b"\0" * min(skipped, ANCHOR_BYTES))[-ANCHOR_BYTES:]
        return skipped

    @property
    def is_whole(self) -> bool:
        """Whether all of it has been read."""
        return self._reader.position == self._size


class _Rewound:
    """A stream to which bytes can be given back, to be read once more."""

    def __init__(self, read: Read, skip_hole: Callable[[], int]) -> None:
        self._data = b""
        self._read = read
        self._skip_hole = skip_hole

    def give_back(self, data: bytes) -> None:
        self._data = data + self._data

    def read(self, size: int) -> bytes:
        if not self._data:
            return self._read(size)
        data, self._data = self._data[:size], self._data[size:]
        return data

    def skip_hole(self) -> int:
        return 0 if self._data else self._skip_hole()


class Recount:
    """Cuts a file into records again; ``stored_at(low, high)`` is what the store has of a stretch.

    ``parser`` makes what reads the file on from a state of its reading; ``reading`` is that in
    which it began. ``stretches`` were stored from another place: nothing of them is expected.
    """

    def __init__(
        self,
        parser: Callable[[str | None], ChunkParser],
        fallback_instant: int,
        stored_at: Callable[[int, int], Stored],
        chunk_bytes: int = CHUNK_BYTES,
        stretches: Sequence[Stretch] = (),
        reading: str | None = None,
    ) -> None:
        self._stretches = stretches
        self._make = parser
        self._parser = parser(reading)
        self._reading = reading  # the state behind the last piece
        self._fallback = fallback_instant
        self._stored_at = stored_at
        self._chunk_bytes = chunk_bytes
        self._last: int | None = None
        self._ends = 0

    def pieces(self, read: Read, skip_hole: Callable[[], int] = lambda: 0) -> Iterator[Piece]:
        """A stream's chunks, from a file's first byte up to a record; holes as in ChunkReader."""
        at, stream = 0, _Rewound(read, skip_hole)
        while True:
            for piece in self._read(stream.read, at, stream.skip_hole):
                end = self._end_of_a_run(piece)
                if end is None:
                    at = piece.parsed.base + piece.parsed.consumed
                    yield piece
                    continue
                fill, data = piece.parsed.base - piece.low, piece.parsed.original
                before = bytes(data[: end - piece.parsed.base])
                stream.give_back(bytes(data[end - piece.parsed.base :]))
                break
            else:
                return
            del data, piece
            self._parser = self._make(self._reading)
            again = self._between(BytesIO(before).read, at, _once(fill))
            yield from map(_continued, again)
            at, self._ends = end, self._ends + 1

    def _read(self, read: Read, at: int, skip_hole: Callable[[], int]) -> Iterator[Piece]:
        """Pieces from an offset on; what was stored from another place has no records here."""
        left = behind(self._stretches, at)
        if not left:
            return self._between(read, at, skip_hole)

        def chunks(read: Read, at: int, final: bool, last: int | None) -> ChunkReader:
            return self._reader(read, at, no_hole, final, last)

        around = Around(self._make(None), chunks, left)
        return self._pieces_of(around.over(read, at, self._last, final=True), at)

    def _between(self, read: Read, at: int, skip_hole: Callable[[], int]) -> Iterator[Piece]:
        return self._pieces_of(self._reader(read, at, skip_hole, True, self._last), at)

    def _reader(
        self, read: Read, at: int, skip_hole: Callable[[], int], final: bool, last: int | None
    ) -> ChunkReader:
        return ChunkReader(
            self._parser, read, at, final, last, self._fallback,
            chunk_bytes=self._chunk_bytes, skip_hole=skip_hole,
        )  # fmt: skip

    def _pieces_of(self, chunks: Iterable[Parsed], at: int) -> Iterator[Piece]:
        for parsed in chunks:
            end = parsed.base + parsed.consumed
            yield Piece(at, parsed, self._stored_at(at, end))
            self._last, self._reading = parsed.last_instant, self._parser.reading
            at = end

    def _end_of_a_run(self, piece: Piece) -> int | None:
        """The first place in a record where the store has a beginning that is one by itself."""
        if self._ends >= _MOST_ENDS:
            return None
        for place in _inside(piece).tolist():
            if self._begins(piece, place):
                return int(place)
        return None

    def _begins(self, piece: Piece, place: int) -> bool:
        parsed = piece.parsed
        if place in piece.stored.places.quarantine:
            return True
        at = place - parsed.base
        line = parsed.data[at : at + self._parser.max_record]
        return self._parser.next_beginning(line, 0, True) == 0


def _once(hole: int) -> Callable[[], int]:
    """A hole at a stream's beginning."""
    holes = [hole]
    return lambda: holes.pop() if holes else 0


def _continued(piece: Piece) -> Piece:
    """Lines before a run's end that begin no record: they belonged to the last record."""
    parsed = piece.parsed
    rejects = [r.byte_offset for r in parsed.rejects]
    if (
        not rejects
        or parsed.ledger.records
        or np.isin(rejects, piece.stored.places.quarantine).any()
    ):
        return piece
    moved = parsed.ledger.quarantined_bytes
    ledger = replace(parsed.ledger, quarantined=0, quarantined_bytes=0, record_bytes=moved)
    return replace(piece, parsed=replace(parsed, rejects=(), ledger=ledger))


def _inside(piece: Piece) -> Ints:
    """Stored places inside a record, not at its beginning; without quarantined records."""
    records = piece.parsed.records
    if not len(records) or piece.parsed.offsets is not None:  # there records are lines
        return np.empty(0, np.int64)
    starts, ends = piece.parsed.starts, piece.parsed.ends
    stored = piece.stored.places
    places = np.unique(np.concatenate([v for _, v in stored.named()]))
    owner = np.searchsorted(starts, places, "right") - 1
    within = (owner >= 0) & (places > starts[owner]) & (places < ends[owner])
    good = records[:, layout.R_KIND] <= layout.K_TRACEBACK
    understood = good & np.isin(starts, stored.quarantine)
    pieces = np.isin(places, stored.quarantine)  # of a record that is understood now: its lines
    return places[within & ~(understood[owner] & pieces)]
