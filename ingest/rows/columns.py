"""Pairs and spans of a chunk → Arrow columns; nothing here makes a Python object a value."""

from dataclasses import dataclass
from random import SystemRandom

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.compiled import layout, parts
from ingest.compiled import numbers as convert_numbers
from ingest.compiled import strings as convert
from ingest.model import KEY_SHIFT, Origin
from ingest.records.arrays import (
    I8,
    I32,
    Bools,
    Ints,
    column,
    has_any,
    nullable,
    string_column,
    strings,
    view,
)
from ingest.records.instants import TIME_SOURCES
from ingest.records.parse import Parsed
from ingest.records.units import FAMILIES, whole
from ingest.records.vocabulary import KEYS

TIMESTAMP = pa.timestamp("us", "UTC")
CODE = {k: i for i, k in enumerate(KEYS)}
_SEED = SystemRandom().getrandbits(64)
_TYPES = {
    convert_numbers.N_TEXT: pa.string(),
    convert_numbers.N_BOOL: pa.bool_(),
    convert_numbers.N_LENGTH: pa.int64(),
}  # of the columns of a family, else float64


@dataclass(frozen=True, slots=True)
class FirstPairs:
    """The first pair of each key in some records: ``table`` int32[k, m], -1 for none; ``keys``
    say which row is whose.
    """

    table: I32
    keys: tuple[str, ...]

    @classmethod
    def of(cls, parsed: Parsed, rows: I32, keys: tuple[str, ...]) -> "FirstPairs":
        """Look for these keys in records int32[m]."""
        place = np.full(len(KEYS), -1, np.int32)
        place[[CODE[k] for k in keys]] = np.arange(len(keys))
        table = np.full((len(keys), len(rows)), -1, np.int32)
        if table.size:
            parts.first_pairs(
                view(parsed.records), view(parsed.pairs), view(rows), view(place), view(table)
            )
        return cls(table, keys)

    def __getitem__(self, key: str) -> I32:
        """int32[m]: a view of the table."""
        found: I32 = self.table[self.keys.index(key)]
        return found


def pair_strings(parsed: Parsed, chosen: I32) -> pa.Array:
    """Arrow strings of the values of pairs int32[n]; -1 gives null."""
    if not has_any(chosen):
        return pa.nulls(len(chosen), pa.string())
    chosen = np.ascontiguousarray(chosen)
    offsets, valid = np.empty(len(chosen) + 1, np.int32), _bits(len(chosen))
    room = convert.pair_room(view(parsed.pairs), view(chosen))
    out = np.empty(3 * room + 1, np.uint8)
    used, nulls = convert.pair_strings(
        parsed.data, view(parsed.pairs), view(chosen), view(offsets), view(out), view(valid)
    )
    return strings(offsets, out, used, valid if nulls else None)


def numbered_strings(parsed: Parsed, chosen: I32) -> tuple[I32, pa.Array]:
    """Codes int32[n] of the values of pairs int32[n] (-1: no pair), and the values they stand for,
    each once.
    """
    codes = np.full(len(chosen), -1, np.int32)
    if not len(parsed.pairs) or not len(chosen):
        return codes, pa.array([], pa.string())
    chosen = np.ascontiguousarray(chosen)
    firsts = np.empty(len(chosen), np.int32)
    table = np.full(1 << (2 * len(chosen)).bit_length(), -1, np.int32)
    n = convert.distinct(
        parsed.data, view(parsed.pairs), view(chosen), _SEED, view(table), view(codes), view(firsts)
    )
    values = pair_strings(parsed, firsts[:n])
    if convert.plain(parsed.data, view(parsed.pairs), view(firsts[:n])):
        return codes, values
    # what differs as written may be equal when escapes are undone
    encoded = values.dictionary_encode()
    if len(encoded.dictionary) < n:
        merged = encoded.indices.to_numpy()
        codes = np.where(codes >= 0, merged[codes], -1).astype(np.int32)
    return codes, encoded.dictionary


def named(codes: I32, names: pa.Array) -> pa.Array:
    """A dictionary column of codes, -1 for null."""
    return pa.DictionaryArray.from_arrays(nullable(codes, codes >= 0, pa.int32()), names)


def pair_numbers(parsed: Parsed, chosen: I32) -> pa.Array:
    """Arrow doubles of the values of pairs int32[n]; null for -1 and for what is no number of the
    key's.
    """
    n = len(chosen)
    if not has_any(chosen):
        return pa.nulls(n, pa.float64())
    numbers, valid = np.empty(n), _bits(n)
    nulls = convert_numbers.pair_numbers(
        view(parsed.values), view(parsed.states), view(np.ascontiguousarray(chosen)),
        view(numbers), view(valid),
    )  # fmt: skip
    return column(pa.float64(), n, valid if nulls else None, numbers)


def _bits(n: int) -> npt.NDArray[np.uint8]:
    """An Arrow validity bitmap for n values, none of them valid."""
    return np.zeros((n + 7) // 8, np.uint8)


def _whole_numbers(parsed: Parsed, chosen: I32, numbers: pa.Array) -> pa.Array:
    """int64 column of numbers read as float64; those too large for its 53 bits are read again,
    exactly.
    """
    column = numbers.cast(pa.int64(), safe=False)
    large = np.flatnonzero(np.abs(numbers.fill_null(0.0).to_numpy()) >= 2.0**53)
    if not len(large):
        return column
    values = column.to_pylist()
    for i in large.tolist():
        row = parsed.pairs[chosen[i]]
        text = bytes(parsed.data[row[layout.P_VALUE] : row[layout.P_VALUE_END]]).decode("ascii")
        values[i] = whole(text.split(" ")[0].rstrip("charsCHARS"))
    return pa.array(values, pa.int64())


def value_column(parsed: Parsed, name: str, chosen: I32) -> pa.Array:
    """The column of a key, of the type that its family has."""
    family = int(FAMILIES[CODE[name]])
    if not has_any(chosen):
        return pa.nulls(len(chosen), _TYPES.get(family, pa.float64()))
    if family == convert_numbers.N_TEXT:
        return pair_strings(parsed, chosen)
    numbers = pair_numbers(parsed, chosen)
    if family == convert_numbers.N_BOOL:
        return pc.not_equal(numbers, 0.0)
    return (
        _whole_numbers(parsed, chosen, numbers) if family == convert_numbers.N_LENGTH else numbers
    )


def span_strings(parsed: Parsed, rows: I32, first: int, last: int) -> pa.Array:
    """Strings of a span of the record table; an empty span is null."""
    start, end = parsed.records[rows, first], parsed.records[rows, last]
    return string_column(
        parsed.data, np.where(end > start, start, np.int32(-1)), end, np.zeros_like(end)
    )


def same(value: str, n: int) -> pa.Array:
    """A column of one value, as a dictionary."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(n, np.int32)), pa.array([value], pa.string())
    )


def instants(values: Ints, valid: Bools | None = None) -> pa.Array:
    """A column of instants from int64[n] microseconds, null where not valid."""
    return nullable(values, valid, TIMESTAMP)


def offsets_of(parsed: Parsed, rows: I32) -> Ints:
    """Offsets int64[n] in the file of records."""
    if parsed.offsets is not None:
        found: Ints = parsed.offsets[rows]
        return found
    offsets = np.empty(len(rows), np.int64)  # as parsed.starts, of these alone
    if len(rows):
        parts.starts(
            view(parsed.records), view(np.ascontiguousarray(rows, np.int32)), parsed.base,
            view(offsets),
        )  # fmt: skip
    return offsets


def record_spans(parsed: Parsed) -> tuple[Ints, Ints]:
    """Where the good records of a chunk begin and end in the file: two int64[n], in order, each
    beginning once.
    """
    good = np.flatnonzero(parsed.records[:, layout.R_KIND] <= layout.K_TRACEBACK).astype(np.int32)
    starts = offsets_of(parsed, good)
    if parsed.offsets is None:
        return starts, parsed.records[good, layout.R_END].astype(np.int64) + parsed.base
    starts = np.unique(starts)  # several records may be made of one line
    return starts, np.append(starts[1:], parsed.base + parsed.consumed)[: len(starts)]


def row_keys(origin: Origin, offsets: Ints) -> Ints:
    """Keys int64[n] of rows whose records stand at these offsets: see
    :func:`ingest.model.make_key`.
    """
    keys: Ints = offsets | np.int64(origin.file_key << KEY_SHIFT)
    return keys


def time_sources(codes: I8) -> pa.Array:
    """A column of where instants come from, of int8[n] indices of TIME_SOURCES."""
    return pa.DictionaryArray.from_arrays(
        pa.array(codes.astype(np.int32)), pa.array(TIME_SOURCES, pa.string())
    )


def request_ids(parsed: Parsed, rows: I32, pairs: I32) -> pa.Array:
    """X-Request-IDs of records int32[n]: of their pairs int32[n], else of their headers (``-`` is
    none).
    """
    header = span_strings(parsed, rows, layout.R_REQUEST_ID, layout.R_REQUEST_ID_END)
    header = pc.if_else(pc.equal(header, "-"), pa.scalar(None, pa.string()), header)
    return pc.coalesce(pair_strings(parsed, pairs), header)
