"""Chunk + format → records, pairs and instants; and spans of them → Arrow columns."""

from dataclasses import dataclass
from datetime import tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import layout
from ingest.compiled import numbers as convert_numbers
from ingest.compiled import records as scan
from ingest.compiled import strings as convert
from ingest.model import Ledger, Reject
from ingest.records.formats import KEYS, MAX_RECORD_BYTES, Format, scanner_arguments
from ingest.records.instants import Ints, infer, to_utc

I32 = npt.NDArray[np.int32]
_Tables = tuple[I32, Ints, I32]
REJECT_HEAD_BYTES = 64 << 10  # what is kept of a piece too long to be kept whole
_REASONS = {
    layout.K_NO_HEADER: "no_header",
    layout.K_BAD_TIME: "bad_time",
    layout.K_TOO_LONG: "too_long",
}
_FAMILY = {
    "duration_ms": convert_numbers.N_MS,
    "audio_size_kb": convert_numbers.N_KB,
    "used": convert_numbers.N_MB,
    "total": convert_numbers.N_MB,
    "used_percent": convert_numbers.N_PERCENT,
    "threshold": convert_numbers.N_PERCENT,
    "usage": convert_numbers.N_PERCENT,
    "rms": convert_numbers.N_PLAIN,
    "spectral_centroid": convert_numbers.N_PLAIN,
    "text_len": convert_numbers.N_LENGTH,
    "cache_hit": convert_numbers.N_BOOL,
    "cache_saved": convert_numbers.N_BOOL,
}
FAMILIES: I32 = np.array([_FAMILY.get(k, convert_numbers.N_TEXT) for k in KEYS], np.int32)
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Parsed:
    """One chunk's records: the scanner's tables, cut to length, and what follows from them.

    ``records`` int32[n, w] and ``pairs`` int32[p, 7] hold positions within ``data``; ``instants`` int64[n] microseconds UTC;
    ``inferred`` bool[n]; ``values`` float64[p] with ``states`` int8[p] (convert_numbers.OK where the key's column can hold it);
    ``base`` is the file offset of ``data[0]``; ``consumed`` bytes of data are settled.
    """

    data: memoryview
    base: int
    records: I32
    pairs: I32
    instants: Ints
    inferred: npt.NDArray[np.bool_]
    values: npt.NDArray[np.float64]
    states: npt.NDArray[np.int8]
    consumed: int
    giant: bool
    rejects: tuple[Reject, ...]
    ledger: Ledger
    last_instant: int | None


class Parser:
    """Parses chunks of one format and zone; holds a scanner, so it serves one thread at a time."""

    def __init__(self, fmt: Format, tz: tzinfo, max_record: int = MAX_RECORD_BYTES) -> None:
        self.format = fmt
        self.tz = tz
        self.max_record = max_record
        self._scanner = scan.Scanner(*scanner_arguments(fmt, max_record))
        self._tables: _Tables | None = None
        self._width = layout.REC_WIDTH + 2 * len(fmt.extras)

    def next_beginning(self, data: memoryview, start: int, final: bool) -> int:
        """Where the first line that begins a record starts in data, from a line's start on, or -1."""
        return int(self._scanner.next_beginning(data, start, len(data), final))

    def header_end(self, data: memoryview) -> int:
        """Offset behind the first line with a stamped header, or -1."""
        return int(self._scanner.header_end(data, len(data)))

    def parse(
        self,
        data: memoryview,
        *,
        base: int,
        final: bool,
        last_instant: int | None,
        fallback_instant: int,
    ) -> Parsed:
        """Parse what is complete in a chunk that begins at a record (file offset ``base``).

        The tables of the result are overwritten by the next call.
        """
        consumed = self._scan(data, base, final, last_instant)
        records, stamps, pairs = cast(_Tables, self._tables)
        n, p = self._scanner.n_records, self._scanner.n_pairs
        wait = -1 if final else _undated(records[:n], last_instant)
        if wait >= 0 and len(data) - records[wait, layout.R_START] < self.max_record:
            # the time of these is that of the next record with one
            n, p = wait, int(records[wait, layout.R_PAIR])
            consumed = int(records[wait, layout.R_LOW])
        records, pairs = records[:n], pairs[:p]
        instants, inferred = self._instants(records, stamps[:n], last_instant, fallback_instant)
        values, states = _numbers(data, pairs)
        kinds = records[:, layout.R_KIND]
        rejects = tuple(_reject(data, base, records[i]) for i in np.flatnonzero(kinds > 2))
        good = kinds <= layout.K_TRACEBACK
        known = good & ~inferred
        return Parsed(
            data=data,
            base=base,
            records=records,
            pairs=pairs,
            instants=instants,
            inferred=inferred,
            values=values,
            states=states,
            consumed=consumed,
            giant=self._scanner.giant,
            rejects=rejects,
            ledger=_ledger(records, good, consumed),
            last_instant=int(instants[np.flatnonzero(known)[-1]]) if known.any() else last_instant,
        )

    def _scan(self, data: memoryview, base: int, final: bool, last: int | None) -> int:
        """Fill the tables; bytes settled. They grow where a single record, or those that wait for a time, fill them."""
        rows, pairs = max(1024, len(data) // 48), max(4096, len(data) // 12)
        while True:
            records, stamps, found = self._tables_for(rows, pairs)
            scanned = int(
                self._scanner.scan(
                    data, 0, len(data), final, base == 0, view(records), view(stamps), view(found)
                )
            )
            full, consumed, n = scanned < 0, max(scanned, ~scanned), self._scanner.n_records
            waits = full and consumed < self.max_record and _undated(records[:n], last) >= 0
            if not full or (n and not waits):
                return consumed
            rows, pairs = 2 * len(records), 2 * len(found)

    def _tables_for(self, rows: int, pairs: int) -> "_Tables":
        """Tables of a size, used again for the next chunk: fresh memory costs as much as scanning."""
        if self._tables is None or len(self._tables[0]) < rows or len(self._tables[2]) < pairs:
            self._tables = (
                np.empty((rows, self._width), np.int32),
                np.empty(rows, np.int64),
                np.empty((pairs, layout.PAIR_WIDTH), np.int32),
            )
        return self._tables

    def _instants(
        self, records: I32, stamps: Ints, last: int | None, fallback: int
    ) -> tuple[Ints, npt.NDArray[np.bool_]]:
        stamped = records[:, layout.R_KIND] == layout.K_HEADER
        if stamped.all():
            zones = records[:, layout.R_ZONE]
            return to_utc(stamps, zones, self.tz, last), ~stamped
        rows = np.flatnonzero(stamped)
        instants = np.zeros(len(stamps), np.int64)
        instants[rows] = to_utc(stamps[rows], records[rows, layout.R_ZONE], self.tz, last)
        return infer(instants, stamped, last, fallback), ~stamped


def view(array: npt.NDArray[Any]) -> memoryview:
    """The memory of an array, as the compiled modules and their Python twins index it."""
    return memoryview(array)  # type: ignore[arg-type]


def _undated(records: I32, last: int | None) -> int:
    """The first of the records whose time only one behind them all can tell, or -1."""
    kinds = records[:, layout.R_KIND]
    if last is not None or (kinds == layout.K_HEADER).any():
        return -1
    inferred = np.flatnonzero((kinds == layout.K_HEADERLESS) | (kinds == layout.K_TRACEBACK))
    return int(inferred[0]) if len(inferred) else -1


def _ledger(records: I32, good: npt.NDArray[np.bool_], consumed: int) -> Ledger:
    lengths = (records[:, layout.R_END] - records[:, layout.R_START]).astype(np.int64)
    record_bytes = int(lengths[good].sum())
    quarantined_bytes = int(lengths[~good].sum())
    return Ledger(
        records=int(good.sum()),
        quarantined=int((~good).sum()),
        record_bytes=record_bytes,
        quarantined_bytes=quarantined_bytes,
        ignored_bytes=consumed - record_bytes - quarantined_bytes,
    )


def _reject(data: memoryview, base: int, record: I32) -> Reject:
    start, end = int(record[layout.R_START]), int(record[layout.R_END])
    reason = _REASONS[int(record[layout.R_KIND])]
    head = bytes(data[start : min(end, start + REJECT_HEAD_BYTES)])
    return Reject(base + start, end - start, reason, raw_text(head))


def raw_text(data: bytes) -> str:
    """Bytes as text that every backend can hold: UTF-8, what is not becomes U+FFFD, as do NULs."""
    return data.decode("utf-8", "replace").replace("\0", "�")


def _numbers(data: memoryview, pairs: I32) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]:
    values = np.zeros(len(pairs), np.float64)
    states = np.zeros(len(pairs), np.int8)
    if not len(pairs):
        return values, states
    convert_numbers.numbers(
        data, view(pairs), view(FAMILIES), view(values),
        view(states),
    )  # fmt: skip
    for i in np.flatnonzero(states == convert_numbers.SLOW):
        value = _slow_number(data, pairs[i])
        values[i] = value if value is not None else 0.0
        states[i] = convert_numbers.OK if value is not None else convert_numbers.BAD
    return values, states


_UNITS = {
    convert_numbers.N_MS: {"": 1.0, "ms": 1.0, "s": 1000.0, "us": -1000.0, "min": 60000.0},
    convert_numbers.N_KB: {
        "": 1.0,
        "b": 1 / 1024,
        "kb": 1.0,
        "mb": 1024.0,
        "gb": 1048576.0,
        "tb": 1073741824.0,
    },
    convert_numbers.N_MB: {
        "": 1.0,
        "b": 1 / 1048576,
        "kb": 1 / 1024,
        "mb": 1.0,
        "gb": 1024.0,
        "tb": 1048576.0,
    },
    convert_numbers.N_PERCENT: {"": 1.0, "%": 1.0},
    convert_numbers.N_LENGTH: {"": 1.0, "char": 1.0, "chars": 1.0},
    convert_numbers.N_PLAIN: {"": 1.0},
}


def _slow_number(data: memoryview, pair: I32) -> float | None:
    """A number with an exponent or more digits than a double holds; None where it does not fit."""
    text = bytes(data[pair[layout.P_VALUE] : pair[layout.P_VALUE_END]]).decode("ascii", "replace")
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ% ")
    unit = text[len(digits) :].strip().lower().replace("ib", "b")
    family = int(FAMILIES[pair[layout.P_CODE]])
    factor = _UNITS[family].get(unit)
    try:
        value = float(digits.replace("_", "?"))  # which Python reads as a separator
    except ValueError:
        return None
    if family == convert_numbers.N_LENGTH:
        whole = _whole(digits)
        fits = whole is not None and -_INT64_MAX - 1 <= whole <= _INT64_MAX
    else:
        fits = abs(value) < float(_INT64_MAX)
    if factor is None or not fits:
        return None
    return value * factor if factor > 0 else value / -factor


def _whole(digits: str) -> int | None:
    """The whole number that is written, exactly; None for one with a fraction, or with no end of digits."""
    try:
        value = Decimal(digits)
    except InvalidOperation:  # an exponent beyond all bounds
        return None
    if value.adjusted() > 20 or value != value.to_integral_value():
        return None
    return int(value)


def whole_numbers(parsed: Parsed, chosen: I32, numbers: pa.Array) -> pa.Array:
    """int64 column of numbers read as float64; those too large for its 53 bits are read again, exactly."""
    column = numbers.cast(pa.int64(), safe=False)
    large = np.flatnonzero(np.abs(numbers.fill_null(0.0).to_numpy()) >= 2.0**53)
    if not len(large):
        return column
    values = column.to_pylist()
    for i in large.tolist():
        row = parsed.pairs[chosen[i]]
        text = bytes(parsed.data[row[layout.P_VALUE] : row[layout.P_VALUE_END]]).decode("ascii")
        values[i] = _whole(text.split(" ")[0].rstrip("charsCHARS"))
    return pa.array(values, pa.int64())


def string_column(data: Any, starts: I32, ends: I32, flags: I32) -> pa.Array:
    """An Arrow string column of spans, escapes undone, null where start is -1."""
    n = len(starts)
    offsets = np.empty(n + 1, np.int32)
    room = int(np.where(starts >= 0, ends - starts, 0).astype(np.int64).sum()) * 3
    out = np.empty(max(room, 1), np.uint8)
    used = convert.strings(
        data, view(np.ascontiguousarray(starts)), view(np.ascontiguousarray(ends)),
        view(np.ascontiguousarray(flags)), view(offsets), view(out),
    )  # fmt: skip
    return strings(offsets, out, used, _validity(starts >= 0))


def strings(
    offsets: I32, out: npt.NDArray[np.uint8], used: int, valid: npt.NDArray[np.uint8] | None
) -> pa.Array:
    """An Arrow string column of what stands in ``out``: ``used`` bytes, the room behind them given back.

    ``valid`` is its validity bitmap, None where there are no nulls.
    """
    out.resize(max(used, 1), refcheck=False)
    return column(pa.string(), len(offsets) - 1, valid, offsets, out)


def nullable(
    values: npt.NDArray[Any], valid: npt.NDArray[np.bool_] | None, kind: pa.DataType
) -> pa.Array:
    """An Arrow column of a numpy array, which it keeps, with nulls where not valid (None: nowhere)."""
    return column(kind, len(values), _validity(valid), np.ascontiguousarray(values))


def column(
    kind: pa.DataType,
    n: int,
    valid: npt.NDArray[np.uint8] | None,
    *buffers: npt.NDArray[Any],
) -> pa.Array:
    """An Arrow column of its buffers, which it keeps (Arrow columnar format, "Buffer Listing for Each Layout")."""
    return pa.Array.from_buffers(
        kind, n, [None if valid is None else pa.py_buffer(valid), *map(pa.py_buffer, buffers)]
    )


def _validity(valid: npt.NDArray[np.bool_] | None) -> npt.NDArray[np.uint8] | None:
    """The validity bitmap of a column."""
    if valid is None or valid.all():
        return None
    return np.packbits(valid, bitorder="little")
