"""Pairs and spans of a chunk → Arrow columns; nothing here makes a Python object a value."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import SystemRandom
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import layout, parts
from ingest.compiled import numbers as convert_numbers
from ingest.compiled import strings as convert
from ingest.model import ID_BYTES, KEY_SHIFT, Origin
from ingest.records import kernels
from ingest.records.arrays import (
    I8,
    I32,
    Bools,
    Ints,
    column,
    nullable,
    numbers,
    view,
)
from ingest.records.instants import LOGGED, TIME_SOURCES
from ingest.records.parse import Parsed
from ingest.records.units import FAMILIES, whole
from ingest.records.vocabulary import KEYS

TIMESTAMP = pa.timestamp("us", "UTC")
CODE = {k: i for i, k in enumerate(KEYS)}
_IDS = ("id", "request_id")
_NO_OFFSETS = np.empty(0, np.int64)
_OVERRUN = 8  # bytes that copying may touch behind a column's own
_SEED = SystemRandom().getrandbits(64)
_TYPES = {
    convert_numbers.N_TEXT: pa.string(),
    convert_numbers.N_BOOL: pa.bool_(),
    convert_numbers.N_LENGTH: pa.int64(),
}  # of the columns of a family, else float64


@dataclass(frozen=True, slots=True)
class FirstPairs:
    """The first pair of each key in some records: ``table`` int32[m, k], -1 for none; ``keys``
    say which column is whose.
    """

    table: I32
    keys: tuple[str, ...]

    @classmethod
    def of(cls, parsed: Parsed, rows: I32, keys: tuple[str, ...]) -> "FirstPairs":
        """Look for these keys in records int32[m]."""
        place = np.full(len(KEYS), -1, np.int32)
        place[[CODE[k] for k in keys]] = np.arange(len(keys))
        table = np.full((len(rows), len(keys)), -1, np.int32)
        if table.size:
            parts.first_pairs(
                view(parsed.records), view(parsed.pairs), view(rows), view(place), view(table)
            )
        return cls(table, keys)

    def __getitem__(self, key: str) -> I32:
        """int32[m]: a view of the table."""
        found: I32 = self.table[:, self.keys.index(key)]
        return found

    def columns(self, parsed: Parsed) -> dict[str, pa.Array]:
        """The column of each key, of the type that its family has."""
        return value_columns(parsed, self.keys, self.table)


def pair_strings(parsed: Parsed, chosen: I32) -> pa.Array:
    """Arrow strings of the values of pairs int32[n]; -1 gives null."""
    slots = np.ascontiguousarray(chosen, np.int32).reshape(-1, 1)
    return _texts(parsed.data, parsed.pairs, slots, [0])[0]


class _Sizes(NamedTuple):
    """Of columns of pairs, int64[k] each: bytes of the values, those of the longest, how many."""

    total: Ints
    longest: Ints
    counts: Ints

    @classmethod
    def of(cls, pairs: I32, slots: I32) -> "_Sizes":
        """Measure ``slots`` int32[n, k] of a table of pairs, -1 for none."""
        found = np.zeros((3, slots.shape[1]), np.int64)
        if slots.size:
            convert.sizes(view(pairs), view(slots), *map(view, found))
        return cls(*found)


class Numbered(NamedTuple):
    """Values of pairs as numbers: ``codes`` int32[n] into ``names``, strings, each once (-1: no
    pair).

    ``table`` is the hash table that numbered them, and ``firsts`` int32[k] a pair of each; None
    where values that differ as written are equal, or may be.
    """

    codes: I32
    names: pa.Array
    firsts: I32
    table: I32 | None

    def find(self, parsed: Parsed, words: Sequence[str]) -> I32:
        """The numbers of some strings, int32[w]; -1 for what is no value."""
        if self.table is None:
            places = kernels.index_in(pa.array(words, pa.string()), self.names)
            found: I32 = kernels.filled(places, -1).to_numpy()
            return found
        column = pa.array(words, pa.string())
        _, ends, text = column.buffers()
        codes = np.full(len(words), -1, np.int32)
        if len(self.firsts) and text is not None and text.size:
            convert.find(
                parsed.data, view(parsed.pairs), view(self.firsts), _SEED, view(self.table),
                view(np.frombuffer(text, np.uint8)),
                view(np.frombuffer(ends, np.int32)[1 : len(words) + 1].copy()), view(codes),
            )  # fmt: skip
        return codes


def numbered(parsed: Parsed, chosen: I32, most: int | None = None) -> Numbered:
    """Number the values of pairs int32[n] (-1: no pair); they are cut behind ``most`` bytes."""
    codes = np.full(len(chosen), -1, np.int32)
    if not len(parsed.pairs) or not len(chosen):
        return Numbered(codes, pa.array([], pa.string()), codes[:0], None)
    chosen = np.ascontiguousarray(chosen)
    firsts = np.empty(len(chosen), np.int32)
    table = np.full(1 << (2 * len(chosen)).bit_length(), -1, np.int32)
    n = convert.distinct(
        parsed.data, view(parsed.pairs), view(chosen), _SEED, view(table), view(codes), view(firsts)
    )
    firsts = firsts[:n]
    slots = firsts.reshape(-1, 1)
    sizes = _Sizes.of(parsed.pairs, slots)
    if most is not None and sizes.longest[0] > most:
        _cut(parsed.pairs, chosen, most)
        return numbered(parsed, chosen)
    values = _texts(parsed.data, parsed.pairs, slots, [0], sizes)[0]
    if convert.plain(parsed.data, view(parsed.pairs), view(firsts)):
        return Numbered(codes, values, firsts, table)
    # what differs as written may be equal when escapes are undone
    encoded = kernels.encoded(values)
    if len(encoded.dictionary) < n:
        merged = encoded.indices.to_numpy()
        codes = np.where(codes >= 0, merged[codes], -1).astype(np.int32)
    return Numbered(codes, encoded.dictionary, firsts, None)


def named(codes: I32, names: pa.Array) -> pa.Array:
    """A dictionary column of codes, -1 for null."""
    return pa.DictionaryArray.from_arrays(nullable(codes, codes >= 0, pa.int32()), names)


def value_columns(parsed: Parsed, keys: Sequence[str], slots: I32) -> dict[str, pa.Array]:
    """A column for each of the keys, of the type that its family has, of pairs int32[n, k]: -1
    gives null, and so does what is no number of the key's.
    """
    n, families = len(slots), [int(FAMILIES[CODE[key]]) for key in keys]
    sizes = _Sizes.of(parsed.pairs, slots)
    ids = [c for c, key in enumerate(keys) if key in _IDS and sizes.longest[c] > ID_BYTES]
    if ids:
        _cut(parsed.pairs, slots[:, ids], ID_BYTES)
        sizes = _Sizes.of(parsed.pairs, slots)
    there = np.flatnonzero(sizes.counts).tolist()
    texts = [c for c in there if families[c] == convert_numbers.N_TEXT]
    numbers = [c for c in there if families[c] != convert_numbers.N_TEXT]
    found = dict(zip(texts, _texts(parsed.data, parsed.pairs, slots, texts, sizes), strict=True))
    found |= dict(zip(numbers, _numbers(parsed, slots, numbers, families), strict=True))
    return {
        key: found[c] if c in found else nulls(n, _TYPES.get(families[c], pa.float64()))
        for c, key in enumerate(keys)
    }


def _cut(pairs: I32, chosen: I32, most: int) -> None:
    """Cut the values of chosen ones of a table of pairs, in place; -1 is none."""
    places = chosen[chosen >= 0]
    ends = pairs[places, layout.P_VALUE_END]
    pairs[places, layout.P_VALUE_END] = np.minimum(ends, pairs[places, layout.P_VALUE] + most)


def cut_header_ids(parsed: Parsed) -> None:
    """Cut the request ids in the headers of a chunk's records as those of its pairs, in place."""
    ends = parsed.records[:, layout.R_REQUEST_ID_END]
    if ends.any():
        np.minimum(ends, parsed.records[:, layout.R_REQUEST_ID] + ID_BYTES, out=ends)


def _texts(
    data: memoryview, pairs: I32, slots: I32, wanted: Sequence[int], sizes: _Sizes | None = None
) -> list[pa.Array]:
    """Arrow strings of the columns ``wanted`` of ``slots`` int32[n, k], of a table of pairs."""
    sizes = _Sizes.of(pairs, slots) if sizes is None else sizes
    n, place = len(slots), np.array([c for c in wanted if sizes.counts[c]], np.int32)
    if not len(place):
        return [nulls(n, pa.string()) for _ in wanted]
    offsets = np.empty((len(place), n + 1), np.int32)
    bases = np.zeros(len(place) + 1, np.int64)
    for spare in (sizes.longest, sizes.total):  # only what is no UTF-8 grows, up to threefold
        np.cumsum(sizes.total[place] + 2 * spare[place] + _OVERRUN, out=bases[1:])
        out, valid = np.empty(bases[-1], np.uint8), np.zeros((len(place), (n + 7) // 8), np.uint8)
        if convert.columns(
            data, view(pairs), view(slots), view(place), view(bases), view(offsets), view(out),
            view(valid),
        ):  # fmt: skip
            break
    made = {}
    for i, c in enumerate(place.tolist()):
        bits = valid[i] if sizes.counts[c] < n else None
        made[c] = column(pa.string(), n, bits, offsets[i], out[bases[i] : bases[i + 1]])
    return [made[c] if c in made else nulls(n, pa.string()) for c in wanted]


def _numbers(
    parsed: Parsed, slots: I32, wanted: Sequence[int], families: Sequence[int]
) -> list[pa.Array]:
    """Arrow columns of some columns of pairs int32[n, k], of the types of their families."""
    n, size = len(slots), (len(slots) + 7) // 8
    if not wanted:
        return []
    numbers, valid = np.empty((len(wanted), n)), np.zeros((len(wanted), size), np.uint8)
    missing = np.zeros(len(wanted), np.int64)
    convert_numbers.doubles(
        view(parsed.values), view(parsed.states), view(slots), view(np.array(wanted, np.int32)),
        view(numbers), view(valid), view(missing),
    )  # fmt: skip
    result = []
    for i, c in enumerate(wanted):
        bits = valid[i] if missing[i] else None
        if families[c] == convert_numbers.N_BOOL:
            truths = np.zeros(size, np.uint8)
            convert_numbers.truths(view(numbers[i]), view(truths))
            result.append(column(pa.bool_(), n, bits, truths))
        elif families[c] == convert_numbers.N_LENGTH:
            result.append(_whole_numbers(parsed, slots[:, c], numbers[i], bits))
        else:
            result.append(column(pa.float64(), n, bits, numbers[i]))
    return result


def _whole_numbers(
    parsed: Parsed, chosen: I32, numbers: npt.NDArray[np.float64], valid: Any
) -> pa.Array:
    """int64 column of numbers read as float64; those too large for its 53 bits are read again,
    exactly.
    """
    found = np.empty(len(numbers), np.int64)
    exact = convert_numbers.wholes(view(numbers), view(found))
    whole_column = column(pa.int64(), len(numbers), valid, found)
    if exact:
        return whole_column
    values = whole_column.to_pylist()
    for i in np.flatnonzero(np.abs(numbers) >= 2.0**53).tolist():
        row = parsed.pairs[chosen[i]]
        text = bytes(parsed.data[row[layout.P_VALUE] : row[layout.P_VALUE_END]]).decode("ascii")
        values[i] = whole(text.split(" ")[0].rstrip("charsCHARS"))
    return pa.array(values, pa.int64())


def span_strings(
    parsed: Parsed, rows: I32, spans: Sequence[tuple[int, int]]
) -> tuple[pa.Array, ...]:
    """Strings of spans (columns of the record table) of records int32[n]; an empty one is null."""
    places, n, k = parsed.records[rows], len(rows), len(spans)
    cut = np.zeros((n, k, layout.PAIR_WIDTH), np.int32)
    cut[:, :, layout.P_VALUE] = places[:, [first for first, _ in spans]]
    cut[:, :, layout.P_VALUE_END] = places[:, [last for _, last in spans]]
    slots = np.arange(n * k, dtype=np.int32).reshape(n, k)
    first, last = cut[:, :, layout.P_VALUE], cut[:, :, layout.P_VALUE_END]
    slots[(first < 0) | (last <= first)] = -1
    return tuple(_texts(parsed.data, cut.reshape(n * k, layout.PAIR_WIDTH), slots, range(k)))


@lru_cache(maxsize=64)
def _constant(value: str, size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        numbers(np.zeros(size, np.int32)), pa.array([value], pa.string())
    )


@lru_cache(maxsize=64)
def _no_values(kind: pa.DataType, size: int) -> pa.Array:
    return pa.nulls(size, kind)


def _room(n: int) -> int:
    """The next power of two, so that columns of about a size share one."""
    return 1 << max(n - 1, 0).bit_length()


def same(value: str, n: int) -> pa.Array:
    """A column of one value, as a dictionary."""
    return _constant(value, _room(n)).slice(0, n)


@lru_cache(maxsize=8)
def _number(value: int, size: int) -> Ints:
    return np.full(size, value, np.int64)


def same_number(value: int, n: int, valid: npt.NDArray[np.uint8] | None = None) -> pa.Array:
    """A column int64[n] of one value, of memory that all columns of it share; ``valid`` is its
    validity bitmap, None where there are no nulls.
    """
    return column(pa.int64(), n, valid, _number(value, _room(n))[:n])


def nulls(n: int, kind: pa.DataType) -> pa.Array:
    """A column of nulls."""
    return _no_values(kind, _room(n)).slice(0, n)


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


def own_offsets(parsed: Parsed) -> Ints:
    """Offsets int64[n_records] in the file of records that tell them; empty where they are those of
    the chunk's bytes.
    """
    return _NO_OFFSETS if parsed.offsets is None else parsed.offsets


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
    if not codes.any():
        return same_source(len(codes))
    return pa.DictionaryArray.from_arrays(
        numbers(codes.astype(np.int32)), pa.array(TIME_SOURCES, pa.string())
    )


@lru_cache(maxsize=64)
def _logged(size: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        numbers(np.full(size, LOGGED, np.int32)), pa.array(TIME_SOURCES, pa.string())
    )


def same_source(n: int) -> pa.Array:
    """As :func:`time_sources`, of instants that were all logged."""
    return _logged(_room(n)).slice(0, n)


def request_ids(logged: pa.Array, header: pa.Array) -> pa.Array:
    """X-Request-IDs of records: as ``logged`` by their pairs, else of their headers (``-`` is
    none).
    """
    if header.null_count == len(header):
        return logged
    is_none = kernels.call("equal", header, pa.scalar("-"))
    return kernels.coalesce(logged, kernels.if_else(is_none, pa.scalar(None, pa.string()), header))
