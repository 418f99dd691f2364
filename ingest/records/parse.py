"""Chunk + format → records, pairs and instants."""

from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import NamedTuple, Protocol, cast

import numpy as np
import numpy.typing as npt

from ingest.compiled import layout
from ingest.compiled import records as scan
from ingest.compiled.parts import infer as in_utc
from ingest.compiled.parts import tally
from ingest.model import Ledger, Reject
from ingest.records.arrays import I8, I32, Ints, raw_text, view
from ingest.records.formats import MAX_RECORD_BYTES, Format, scanner_arguments
from ingest.records.instants import FILE, LOGGED, NEIGHBOUR, infer, to_utc
from ingest.records.units import FAMILIES, Numbers, numbers

_Tables = tuple[I32, Ints, I32, Numbers]
REJECT_HEAD_BYTES = 64 << 10  # what is kept of a piece too long to be kept whole
_REASONS = {
    layout.K_NO_HEADER: "no_header",
    layout.K_BAD_TIME: "bad_time",
    layout.K_TOO_LONG: "too_long",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """One chunk's records: the scanner's tables, cut to length, and what follows from them.

    ``records`` int32[n, w] and ``pairs`` int32[p, 7] hold positions within ``data``; ``instants``
    int64[n] microseconds UTC; ``time_source`` int8[n] indices of instants.TIME_SOURCES; ``values``
    float64[p] with ``states`` int8[p] (convert_numbers.OK where the key's column can hold it);
    ``base`` is the file offset of the chunk's first byte; ``consumed`` bytes from there on are
    settled. ``offsets`` int64[n] are those of the records in the file, ``record_ends`` where they
    end, None where these are ``base`` + R_START and R_END; ``source`` is the chunk where ``data``
    is another buffer. ``reading`` is the state of the file's reading behind them, where it has one;
    ``encoding`` that of its text, once known; ``first_instant`` that of the file's first stamp,
    where it stands in this chunk and what was parsed before had none. Ids made of places in the
    file begin with ``placed``; of these, lines behind the chunk name only those of ``going_on``.
    """

    data: memoryview
    base: int
    records: I32
    pairs: I32
    instants: Ints
    time_source: I8
    values: npt.NDArray[np.float64]
    states: npt.NDArray[np.int8]
    consumed: int
    giant: bool
    rejects: tuple[Reject, ...]
    ledger: Ledger
    last_instant: int | None
    source: memoryview | None = None
    offsets: Ints | None = None
    record_ends: Ints | None = None
    reading: str | None = None
    encoding: str | None = None
    first_instant: int | None = None
    placed: str | None = None
    going_on: frozenset[str] = frozenset()

    @property
    def starts(self) -> Ints:
        """int64[n] offsets in the file at which the records begin."""
        if self.offsets is not None:
            return self.offsets
        found: Ints = self.records[:, layout.R_START].astype(np.int64) + self.base
        return found

    @property
    def ends(self) -> Ints:
        """int64[n] offsets in the file behind the records."""
        if self.record_ends is not None:
            return self.record_ends
        found: Ints = self.records[:, layout.R_END].astype(np.int64) + self.base
        return found

    @property
    def original(self) -> memoryview:
        """The bytes of the file that the chunk was parsed from; ``data`` may be another buffer."""
        return self.data if self.source is None else self.source


class ChunkParser(Protocol):
    """What reads a log file's chunks, one file and one thread at a time.

    ``reading`` is the state behind what was consumed, as text; None where there is none to keep.
    """

    max_record: int

    @property
    def reading(self) -> str | None: ...

    def next_beginning(self, data: memoryview, start: int, final: bool) -> int: ...

    def header_end(self, data: memoryview) -> int | None: ...

    def parse(
        self,
        data: memoryview,
        *,
        base: int,
        final: bool,
        last_instant: int | None,
        fallback_instant: int,
        more: bool = False,
    ) -> Parsed: ...


class Tally(NamedTuple):
    """What a chunk's records are as a whole: see :func:`ingest.compiled.parts.tally`."""

    stamped: int
    zoned: int
    bad: int
    size: int
    bad_size: int
    last: int

    def ledger(self, records: int, consumed: int) -> Ledger:
        """What became of the chunk's bytes."""
        return Ledger(
            records=records - self.bad,
            quarantined=self.bad,
            record_bytes=self.size - self.bad_size,
            quarantined_bytes=self.bad_size,
            ignored_bytes=consumed - self.size,
        )


class Parser:
    """Parses chunks of one format and zone; holds a scanner, so it serves one thread at a time."""

    def __init__(self, fmt: Format, tz: tzinfo, max_record: int = MAX_RECORD_BYTES) -> None:
        self.format = fmt
        self.tz = tz
        self._after = fmt.after
        self.max_record = max_record
        self._scanner = scan.Scanner(*scanner_arguments(fmt, max_record))
        self._tables: _Tables | None = None
        self.foreign = (
            False  # the last chunk was parsed up to something that the format does not explain
        )
        self._width = layout.REC_WIDTH + 2 * len(fmt.extras)

    @property
    def reading(self) -> str | None:
        """None: of the format alone, a chunk depends on nothing before it."""
        return None

    def next_beginning(self, data: memoryview, start: int, final: bool) -> int:
        """Where the first record in data begins, from the line at ``start`` on, or -1."""
        return int(self._scanner.next_beginning(data, start, len(data), final))

    def header_end(self, data: memoryview) -> int | None:
        """Offset after the first line with a stamped header; None where no line has one."""
        end = int(self._scanner.header_end(data, len(data)))
        return end if end >= 0 else None

    def parse(
        self,
        data: memoryview,
        *,
        base: int,
        final: bool,
        last_instant: int | None,
        fallback_instant: int,
        more: bool = False,
    ) -> Parsed:
        """Parse what is complete in a chunk that begins at a record (file offset ``base``).

        ``more``: bytes that follow are at hand; here it makes no difference.
        The tables of the result are overwritten by the next call.
        """
        consumed = self._scan(data, base, final, last_instant)
        records, stamps, pairs, room = cast(_Tables, self._tables)
        n, p = self._scanner.n_records, self._scanner.n_pairs
        own = self._own(data, records[:n])
        if own < n:
            n, p = own, int(records[own, layout.R_PAIR])
            consumed = int(records[own, layout.R_LOW])
            self.foreign = True
        wait = -1 if final else _undated(records[:n], last_instant)
        if wait >= 0 and len(data) - records[wait, layout.R_START] < self.max_record:
            # the time of these is that of the next record with one
            n, p = wait, int(records[wait, layout.R_PAIR])
            consumed = int(records[wait, layout.R_LOW])
        records, pairs = records[:n], pairs[:p]
        all_of = Tally(*tally(view(records)))
        instants, source = self._instants(
            records, stamps[:n], all_of, last_instant, fallback_instant
        )
        values, states = numbers(data, pairs, room)
        return Parsed(
            data=data,
            base=base,
            records=records,
            pairs=pairs,
            instants=instants,
            time_source=source,
            values=values,
            states=states,
            consumed=consumed,
            giant=self._scanner.giant,
            rejects=_rejects(data, base, records) if all_of.bad else (),
            ledger=all_of.ledger(n, consumed),
            last_instant=int(instants[all_of.last]) if all_of.last >= 0 else last_instant,
        )

    def _own(self, data: memoryview, records: I32) -> int:
        """How many of the records, from the first one on, the format explains whole."""
        return len(records)

    def _scan(self, data: memoryview, base: int, final: bool, last: int | None) -> int:
        """Fill the tables; bytes settled. They grow for a large record or for waiting ones."""
        rows, pairs = max(1024, len(data) // 48), max(4096, len(data) // 12)
        while True:
            records, stamps, found, (values, states) = self._tables_for(rows, pairs)
            scanned = int(
                self._scanner.scan(
                    data, 0, len(data), final, base == 0, view(records), view(stamps), view(found),
                    (view(values), view(states), view(FAMILIES)),
                )
            )  # fmt: skip
            full, consumed, n = scanned < 0, max(scanned, ~scanned), self._scanner.n_records
            self.foreign = bool(self._scanner.foreign)
            waits = full and consumed < self.max_record and _undated(records[:n], last) >= 0
            if not full or (n and not waits):
                return consumed
            rows, pairs = 2 * len(records), 2 * len(found)

    def _tables_for(self, rows: int, pairs: int) -> "_Tables":
        """Tables of a size, reused for the next chunk: fresh memory costs as much as scanning."""
        if self._tables is None or len(self._tables[0]) < rows or len(self._tables[2]) < pairs:
            self._tables = (
                np.empty((rows, self._width), np.int32),
                np.empty(rows, np.int64),
                np.empty((pairs, layout.PAIR_WIDTH), np.int32),
                (np.empty(pairs, np.float64), np.empty(pairs, np.int8)),
            )
        return self._tables

    def _instants(
        self, records: I32, stamps: Ints, all_of: Tally, last: int | None, fallback: int
    ) -> tuple[Ints, I8]:
        """Instants int64[n] and where they come from int8[n]."""
        n, before = len(stamps), self._after if last is None else last
        source = np.full(n, LOGGED, np.int8)
        if all_of.stamped == n:
            if self.tz is UTC and not all_of.zoned:
                return stamps.copy(), source
            zones = np.full(n, layout.NO_ZONE, np.int32)
            zones = records[:, layout.R_ZONE] if all_of.zoned else zones
            return to_utc(stamps, zones, self.tz, before), source
        near = NEIGHBOUR if last is not None or all_of.stamped else FILE
        stamped = records[:, layout.R_KIND] == layout.K_HEADER
        if self.tz is UTC and not all_of.zoned:
            first = int(stamps[int(np.argmax(stamped))]) if all_of.stamped else fallback
            instants = np.empty(n, np.int64)
            in_utc(
                view(records), view(stamps), first if last is None else last, near,
                view(instants), view(source),
            )  # fmt: skip
            return instants, source
        source[~stamped] = near
        rows = np.flatnonzero(stamped)
        instants = np.zeros(n, np.int64)
        instants[rows] = to_utc(stamps[rows], records[rows, layout.R_ZONE], self.tz, before)
        return infer(instants, stamped, last, fallback), source


def _undated(records: I32, last: int | None) -> int:
    """The first of the records whose time only one behind them all can tell, or -1."""
    kinds = records[:, layout.R_KIND]
    if last is not None or (kinds == layout.K_HEADER).any():
        return -1
    inferred = np.flatnonzero((kinds == layout.K_HEADERLESS) | (kinds == layout.K_TRACEBACK))
    return int(inferred[0]) if len(inferred) else -1


def _rejects(data: memoryview, base: int, records: I32) -> tuple[Reject, ...]:
    bad = np.flatnonzero(records[:, layout.R_KIND] > layout.K_TRACEBACK)
    return tuple(_reject(data, base, records[i]) for i in bad)


def _reject(data: memoryview, base: int, record: I32) -> Reject:
    start, end = int(record[layout.R_START]), int(record[layout.R_END])
    reason = _REASONS[int(record[layout.R_KIND])]
    head = bytes(data[start : min(end, start + REJECT_HEAD_BYTES)])
    return Reject(base + start, end - start, reason, raw_text(head))
