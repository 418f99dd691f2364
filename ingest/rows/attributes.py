"""Pairs without a column → JSON objects (docs/parsing.md, "Pairs" 5)."""

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import layout
from ingest.compiled import strings as convert
from ingest.compiled.parts import unused
from ingest.records.arrays import I32, string_column, strings, view
from ingest.records.formats import Format
from ingest.records.parse import Parsed

# the order of members: by record, then a header's fields before the message, pairs by their place
# in the table (texts of keys may lie anywhere), a header's fields behind the message
_RECORD, _PAIRS, _BEHIND = 32, 1 << 10, 1 << 31  # bits, and places below a record's


class Entries(NamedTuple):
    """Members of JSON objects: owner int32[m], key column, value column, order within the owner
    int64[m]; ``in_order``: they are in this order.
    """

    owners: npt.NDArray[np.int32]
    order: npt.NDArray[np.int64]
    keys: pa.Array
    values: pa.Array
    in_order: bool = False

    @classmethod
    def of_pairs(
        cls, parsed: Parsed, pairs: I32, owners: I32, *, in_order: bool = False
    ) -> "Entries":
        """Entries of pairs of the pair table."""
        rows = parsed.pairs[pairs]
        keys = string_column(
            parsed.data,
            rows[:, layout.P_KEY],
            rows[:, layout.P_KEY_END],
            np.zeros(len(rows), np.int32),
        )
        values = string_column(
            parsed.data,
            rows[:, layout.P_VALUE],
            rows[:, layout.P_VALUE_END],
            rows[:, layout.P_FLAGS],
        )
        order = (rows[:, layout.P_RECORD].astype(np.int64) << _RECORD) + _PAIRS + pairs
        return cls(owners, order, keys, values, in_order)

    def with_extras(
        self, parsed: Parsed, extras: Sequence[tuple[int, str]], rows: I32, owners: I32
    ) -> "Entries":
        """These and the header fields that have no column: ``extras`` (number, name) of records
        ``rows``.
        """
        parts = [self]
        for number, name in extras:
            at = layout.REC_WIDTH + 2 * number
            start, end = parsed.records[rows, at], parsed.records[rows, at + 1]
            have = np.flatnonzero(end > start)
            values = string_column(
                parsed.data, start[have], end[have], np.zeros(len(have), np.int32)
            )
            keys = pa.array([name] * len(have), pa.string())
            is_behind = start[have] >= parsed.records[rows[have], layout.R_MSG_END]
            order = (rows[have].astype(np.int64) << _RECORD) + number + is_behind * _BEHIND
            parts.append(Entries(owners[have].astype(np.int32), order, keys, values))
        if len(parts) == 1:
            return self
        return Entries(
            np.concatenate([p.owners for p in parts]),
            np.concatenate([p.order for p in parts]),
            pa.concat_arrays([p.keys for p in parts]),
            pa.concat_arrays([p.values for p in parts]),
        )


def free_pairs(parsed: Parsed, fmt: Format, rows: I32, used: I32) -> pa.Array:
    """A JSON object (text) per record of int32[n], without the pairs ``used`` int32[n, k], of each
    (-1: none).
    """
    if not len(rows):
        return pa.nulls(0, pa.string())
    found = np.empty((2, int(parsed.records[rows, layout.R_PAIRS].sum())), np.int32)
    n = unused(view(parsed.records), view(rows), view(used), view(found))
    entries = Entries.of_pairs(parsed, found[0, :n], found[1, :n], in_order=True)
    entries = entries.with_extras(
        parsed, list(enumerate(fmt.extras)), rows, np.arange(len(rows), dtype=np.int32)
    )
    return attribute_objects(parsed.data, entries, len(rows))


def attribute_objects(data: memoryview, entries: Entries, n: int) -> pa.Array:
    """A JSON object (text) for each of n owners, null for one without entries."""
    if not len(entries.owners):
        return pa.nulls(n, pa.string())
    owners, keys, values = entries.owners, entries.keys, entries.values
    if not entries.in_order:
        order = np.lexsort((entries.order, owners))
        owners, keys, values = owners[order], keys.take(order), values.take(order)
    offsets = np.empty(n + 1, np.int32)
    twice = np.zeros(n, np.uint8)
    room = 6 * (_size(keys) + _size(values)) + 8 * len(owners) + 2 * n
    out = np.empty(room, np.uint8)
    used = convert.objects(
        _bytes(keys), _offsets(keys), _bytes(values), _offsets(values), owners, n, offsets, out,
        twice,
    )  # fmt: skip
    result = strings(offsets, out, used, np.packbits(np.diff(offsets) > 0, bitorder="little"))
    return _with_lists(result, owners, keys, values, twice) if twice.any() else result


def _with_lists(
    result: pa.Array, owners: I32, keys: pa.Array, values: pa.Array, twice: npt.NDArray[np.uint8]
) -> pa.Array:
    """Replace the objects in which a key has several values: those become lists."""
    objects = result.to_pylist()
    for owner in np.flatnonzero(twice):
        low, high = np.searchsorted(owners, [owner, owner + 1])
        members: dict[str, dict[str, None]] = {}
        for key, value in zip(
            keys[low:high].to_pylist(), values[low:high].to_pylist(), strict=True
        ):
            members.setdefault(key, {})[value] = None
        objects[owner] = json.dumps(
            {k: list(v) if len(v) > 1 else next(iter(v)) for k, v in members.items()},
            ensure_ascii=False,
            separators=(",", ":"),
        )
    return pa.array(objects, pa.string())


def _offsets(column: pa.Array) -> npt.NDArray[np.int32]:
    return np.frombuffer(column.buffers()[1], np.int32)[
        column.offset : column.offset + len(column) + 1
    ].copy()


def _bytes(column: pa.Array) -> npt.NDArray[np.uint8]:
    buffer = column.buffers()[2]
    return (
        np.frombuffer(buffer, np.uint8)
        if buffer is not None and buffer.size
        else np.zeros(1, np.uint8)
    )


def _size(column: pa.Array) -> int:
    offsets = _offsets(column)
    return int(offsets[-1] - offsets[0])
