"""Many rows → lines of text, a column at a time in Arrow: what the cells of :class:`Style` say, in
a tenth of their time.

Instants, numbers and text that needs no care are written by Arrow and NumPy; every other value goes
through the style's own function, once however often it occurs.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.model import DAY_US
from ingest.stores.results import TableRows, python_values

_PIECE_ROWS = 16_384  # more at a time are no quicker
_PIECE_BYTES = 2**24  # of a piece's columns, where it has more than one row
_STEP = 15 * 60 * 1_000_000  # microseconds: of such are offsets, and nearly all changes of them
_DATE = len("2026-03-02")
_SECOND = len("06:22:37")
# Between these, Arrow writes a double like Python does; elsewhere their exponents differ.
_SMALL, _LARGE = 1e-3, 1e9


@dataclass(frozen=True, slots=True)
class Stamp:
    """``digits`` of a fraction of a second, None: six where it is not 0."""

    between: str = "T"
    digits: int | None = None
    has_zone: bool = True


@dataclass(frozen=True, slots=True)
class Style:
    """How a column is written.

    ``cell`` writes any value but None, and what is written in other ways equals what it writes;
    ``null`` stands for None. ``care`` is a regular expression (RE2): text that it finds nothing in
    is written as it is, between two ``quote``. Without it, all text goes through ``cell``; so do
    numbers with a fraction unless they are ``exact``. ``tz`` is the zone of instants, None for the
    machine's; ``stamp`` is how they are written.
    """

    cell: Callable[[object], str]
    null: str = ""
    care: str | None = None
    quote: str = ""
    exact: bool = True
    tz: tzinfo | None = None
    stamp: Stamp = Stamp()


def lines(rows: TableRows, styles: Sequence[Style], around: Sequence[str]) -> Iterator[str]:
    """The rows in blocks of lines; ``around`` are the texts before, between and after columns."""
    for piece in pieces(rows.table):
        joined = joined_cells(cells_of(piece, styles), around)
        whole = pa.ListArray.from_arrays(pa.array([0, len(joined)], pa.int32()), joined)
        yield str(pc.binary_join(whole, "")[0])


def pieces(table: pa.Table) -> Iterator[pa.RecordBatch]:
    """The table's rows, so many at a time that their texts fit an array."""
    for batch in table.to_batches(max_chunksize=_PIECE_ROWS):
        yield from _halves(batch)


def _halves(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Halves of it, and halves of those, that have no more bytes than a piece ought to have."""
    if batch.num_rows <= 1 or batch.nbytes <= _PIECE_BYTES:
        yield batch
        return
    half = batch.num_rows // 2
    yield from _halves(batch.slice(0, half))
    yield from _halves(batch.slice(half))


def cells_of(piece: pa.RecordBatch, styles: Sequence[Style]) -> list[pa.Array]:
    """Each column as ``string[n]``, without nulls."""
    return [
        pc.fill_null(_cells(column, style), style.null)
        for column, style in zip(piece.columns, styles, strict=True)
    ]


def joined_cells(cells: Sequence[pa.Array], around: Sequence[str]) -> pa.Array:
    """``string[n]``: the cells of each row, and the texts before each and behind the last."""
    parts: list[Any] = [around[0]]
    for column, behind in zip(cells, around[1:], strict=True):
        parts += [column, behind]
    return pc.binary_join_element_wise(*parts, "")


def _cells(column: pa.Array, style: Style) -> pa.Array:
    """``string[n]``, null where the column is."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return column.cast(pa.string())
    if pa.types.is_floating(kind) and style.exact:
        return _numbers(column.cast(pa.float64()), style)
    if pa.types.is_timestamp(kind):
        return _instants(column, style)
    if pa.types.is_string(kind) and style.care is not None:
        found = pc.match_substring_regex(column, style.care)
        return with_care(_quoted(column, style), column, found, style)
    return _each(column, style)


def _each(column: pa.Array, style: Style) -> pa.Array:
    """Each value that occurs through the style's function."""
    encoded = column.dictionary_encode()
    texts = [style.cell(value) for value in python_values(encoded.dictionary)]
    return pa.array(texts, pa.string()).take(encoded.indices)


def with_care(texts: pa.Array, column: pa.Array, careful: pa.Array, style: Style) -> pa.Array:
    """``texts``, with the style's own text where ``careful`` (``bool[n]``) is true."""
    careful = pc.fill_null(careful, False)
    if not pc.any(careful).as_py():
        return texts
    return pc.replace_with_mask(texts, careful, _each(column.filter(careful), style))


def _quoted(texts: pa.Array, style: Style) -> pa.Array:
    if not style.quote:
        return texts
    return pc.binary_join_element_wise(style.quote, texts, style.quote, "")


def _numbers(column: pa.Array, style: Style) -> pa.Array:
    """``column`` is ``double[n]``."""
    size = pc.abs(column)
    whole = pc.and_(pc.less(size, 1e15), pc.equal(column, pc.floor(column)))
    usual = pc.and_(pc.greater_equal(size, _SMALL), pc.less(size, _LARGE))
    integers = pc.if_else(whole, column, None).cast(pa.int64()).cast(pa.string())
    texts = pc.coalesce(integers, pc.if_else(usual, column, None).cast(pa.string()), "")
    texts = pc.if_else(pc.is_valid(column), texts, None)
    return with_care(texts, column, pc.invert(pc.or_(whole, usual)), style)


def _instants(column: pa.Array, style: Style) -> pa.Array:
    """ISO 8601; ``column`` is in microseconds, in UTC or without a zone."""
    stamps = pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    steps, step_of = np.unique(stamps // _STEP, return_inverse=True)
    found = [_step(int(step), column.type.tz is not None, style.tz) for step in steps]
    local = stamps + np.array([offset for _, offset, _ in found], np.int64)[step_of]
    times = pa.array(local % DAY_US).cast(pa.time64("us")).cast(pa.string())
    times = _with_digits(times, pa.array(local % 1_000_000 == 0), style.stamp.digits)
    place = pa.array(step_of)
    dates = pa.array([date for date, _, _ in found]).take(place)
    zones = pa.array([zone for _, _, zone in found], pa.string()).take(place)
    behind = zones if style.stamp.has_zone else ""
    texts = pc.binary_join_element_wise(dates, style.stamp.between, times, behind, "")
    texts = pc.if_else(pc.is_valid(column), _quoted(texts, style), None)
    return with_care(texts, column, pc.and_(pc.is_null(zones), pc.is_valid(column)), style)


def _with_digits(times: pa.Array, is_whole: pa.Array, digits: int | None) -> pa.Array:
    """``times`` have six digits of a second's fraction; ``is_whole``: they are 0."""
    if digits is None:
        return pc.if_else(is_whole, pc.utf8_slice_codeunits(times, 0, _SECOND), times)
    return pc.utf8_slice_codeunits(times, 0, _SECOND + (1 + digits if digits else 0))


def _step(number: int, aware: bool, tz: tzinfo | None) -> tuple[str, int, str | None]:
    """A quarter of an hour's date, offset and zone, microseconds; None where they change in it."""
    try:
        first, last = (_local(us, aware, tz) for us in (number * _STEP, (number + 1) * _STEP - 1))
    except OverflowError:
        return "", 0, None
    offset = (first.utcoffset() or timedelta(0)) // timedelta(microseconds=1)
    if first.utcoffset() != last.utcoffset() or offset % _STEP:
        return "", 0, None
    text = first.isoformat()
    return text[:_DATE], offset, text[_DATE + len("T") + _SECOND :]


def _local(stamp: int, aware: bool, tz: tzinfo | None) -> datetime:
    at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=stamp)
    return at.astimezone(tz) if aware else at.replace(tzinfo=None)
