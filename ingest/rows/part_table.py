"""Rows of parts → rows of requests, and to and from values."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.records import kernels
from ingest.records.arrays import Ints, numbers
from ingest.rows.parts import VALUE_COLUMNS, Group, Part
from ingest.rows.text_class import describe_texts

_PART_FIELDS = tuple(f for f in Part._fields if f not in ("attributes", "values"))
# rows; a slice of a table for each of them costs as much as copying a hundred times as many
_FEW = 500
_WIDE_BYTES = 1024  # of text in a row
_PARTS_ONLY = (
    "file_key",
    "first_offset",
    "last_offset",
    "last_at",
    "is_request",
    "end_columns",
    "text_points",
)


def without(table: pa.Table, rows: Ints) -> pa.Table:
    """A table but for some rows (int64[n], ascending): where these are few, no row is copied."""
    if len(rows) > _FEW:
        stays = np.ones(len(table), np.bool_)
        stays[rows] = False
        return kernels.select(table, stays)
    bounds = [-1, *rows.tolist(), len(table)]
    slices = [
        table.slice(low + 1, high - low - 1) for low, high in pairwise(bounds) if high > low + 1
    ]
    return pa.concat_tables(slices) if slices else table.slice(0, 0)


def chosen(table: pa.Table, rows: Ints) -> pa.Table:
    """Rows int64[n] of a table in this order: few of many chunks, without copying these."""
    if len(rows) > _FEW:
        return kernels.take(table.unify_dictionaries().combine_chunks(), rows)
    pieces = table.to_batches()  # of a table, a slice is looked for in each column
    ends = list(accumulate(map(len, pieces)))
    found = []
    for row in rows.tolist():
        at = bisect_right(ends, row)
        found.append(pieces[at].slice(row - ends[at] + len(pieces[at]), 1))
    return pa.Table.from_batches(found, table.schema)


def few(table: pa.Table, rows: Ints) -> pa.Table:
    """A few rows, with dictionaries of their own: DuckDB reads each dictionary whole."""
    table = chosen(table, rows)
    for i, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            column = kernels.encoded(kernels.decoded(table.column(i)))
            table = table.set_column(i, field.name, column)
    return table.combine_chunks()


def finish_requests(parts: pa.Table) -> pa.Table:
    """Rows of ``requests`` from rows of parts: the length of the text is counted where none was
    logged.

    A request of which no record says how it was put together was logged with its id.
    """
    length = kernels.coalesce(parts["text_len"], parts["text_points"])
    table = parts.drop_columns(list(_PARTS_ONLY))
    table = table.set_column(table.column_names.index("text_len"), "text_len", length)
    table = table.set_column(table.column_names.index("rtf"), "rtf", _rtf(table))
    for name, value in (("id_source", "logged"), ("assembly", "id")):
        column = _where_named(table[name], table["id"], value)
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def whole_requests(parts: pa.Table, whole: npt.NDArray[np.bool_]) -> pa.Table:
    """Rows of ``requests`` of the parts that are whole requests, bool[n]."""
    return in_one_piece(finish_requests(without(parts, np.flatnonzero(~whole))))


def in_one_piece(table: pa.Table) -> pa.Table:
    """A table that a store reads quicker; of long texts the copy takes longer than that saves."""
    is_wide = table["text"].nbytes > _WIDE_BYTES * table.num_rows
    return table if is_wide else table.combine_chunks()


def _rtf(table: pa.Table) -> pa.ChunkedArray:
    """The real-time factor as logged, else the time taken per time of audio."""
    logged, audio = table["rtf"], table["audio_ms"]
    if audio.null_count == len(audio):
        return logged
    has_some = kernels.call("greater", audio, pa.scalar(0.0))
    audio = kernels.if_else(has_some, audio, pa.scalar(None, pa.float64()))
    return kernels.coalesce(logged, kernels.call("divide", table["duration_ms"], audio))


def _where_named(
    column: pa.ChunkedArray, ids: pa.ChunkedArray, value: str
) -> pa.ChunkedArray | pa.Array:
    """A column of strings with a value in place of its nulls where there is an id."""
    if column.null_count == len(column):
        codes = numbers(np.zeros(len(column), np.int32), kernels.valid(ids))
        return pa.DictionaryArray.from_arrays(codes, pa.array([value]))
    named = kernels.is_valid(ids)
    filled = kernels.if_else(named, pa.scalar(value), pa.scalar(None, pa.string()))
    return kernels.coalesce(kernels.cast(column, pa.string()), filled)


def with_classes(parts: pa.Table) -> pa.Table:
    """Stored rows of parts, with texts described if a version before revision 0006 stored them."""
    text, known = parts["text"], parts["text_class"]
    if not kernels.has_true(kernels.both(kernels.is_valid(text), kernels.is_null(known))):
        return parts
    classes, points = describe_texts(text.combine_chunks())
    for name, column in (("text_class", classes.dictionary_decode()), ("text_points", points)):
        place = parts.column_names.index(name)
        parts = parts.set_column(place, name, kernels.coalesce(parts[name], column))
    return parts


def part_list(table: pa.Table) -> list[Part]:
    """Rows of parts as values."""
    return [
        Part(
            attributes=row["attributes"],
            values=tuple(row[name] for name in VALUE_COLUMNS),
            **{name: row[name] for name in _PART_FIELDS},
        )
        for row in table.to_pylist()
    ]


def part_table(parts: Sequence[Part], schema: pa.Schema) -> pa.Table:
    """Values as rows of parts."""
    rows = [
        {**{name: getattr(p, name) for name in _PART_FIELDS}, "attributes": p.attributes,
         **dict(zip(VALUE_COLUMNS, p.values, strict=True))}
        for p in parts
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def request_table(groups: Sequence[Group], schema: pa.Schema) -> pa.Table:
    """Rows of ``requests`` of groups that are requests."""
    return finish_requests(part_table([g.request for g in groups if g.request.is_request], schema))
