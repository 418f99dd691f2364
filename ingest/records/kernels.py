"""Arrow's functions, by their names.

``pyarrow.compute`` makes a Python function of each of 286 when it is loaded, with the pages that
describe them: a tenth of an ingest of 1 MB. Most ingests use those that stand here, and reach them
where Arrow itself does; whoever needs another one loads all of them.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.records.arrays import I32, Bools, Ints, numbers, truths

try:
    from pyarrow._compute import CastOptions, SetLookupOptions, call_function
except ImportError:  # another version keeps them elsewhere; where they are documented, they are
    from pyarrow.compute import CastOptions, SetLookupOptions, call_function

Column = Any  # pa.Array or pa.ChunkedArray; Rows: these or a pa.Table
Rows = Any


def take(rows: Rows, places: I32 | Ints | Column) -> Rows:
    """The rows at some places, in their order; a null place gives a null."""
    return call_function("take", [rows, _column(places)])


def select(rows: Rows, mask: Bools | Column) -> Rows:
    """The rows for which the mask is true."""
    return call_function("filter", [rows, _column(mask)])


def cast(column: Column, kind: pa.DataType) -> Column:
    """A column as another type.

    :raises pa.ArrowInvalid: when a value does not fit it.
    """
    return call_function("cast", [column], CastOptions.safe(kind))


def decoded(column: Column) -> Column:
    """A column as plain values where it is a dictionary of them."""
    kind = column.type
    return cast(column, kind.value_type) if pa.types.is_dictionary(kind) else column


def encoded(column: Column) -> Column:
    """A column as a dictionary."""
    return call_function("dictionary_encode", [column])


def unique(column: Column) -> Column:
    """Its values, each once, in the order in which they come first."""
    return call_function("unique", [column])


def filled(column: Column, value: object) -> Column:
    """A column with a value in place of nulls."""
    return call_function("coalesce", [column, pa.scalar(value, column.type)])


def coalesce(*columns: Column) -> Column:
    """Of each row the first value that is not null."""
    return call_function("coalesce", list(columns))


def if_else(mask: Column, true: Column, false: Column) -> Column:
    """Of each row one of two values, or scalars."""
    return call_function("if_else", [mask, true, false])


def drop_null(column: Column) -> Column:
    """The values that are not null."""
    return call_function("drop_null", [column])


def is_valid(column: Column) -> Column:
    """Which are not null."""
    return call_function("is_valid", [column])


def valid(column: Column) -> Bools:
    """Which are not null, as bool[n]."""
    found: Bools = _bools(is_valid(column))
    return found


def is_null(column: Column) -> Column:
    """Which are null."""
    return call_function("is_null", [column])


def both(one: Column, other: Column) -> Column:
    """Where two columns are true."""
    return call_function("and", [one, other])


def invert(column: Column) -> Column:
    """True for false, false for true."""
    return call_function("invert", [column])


def has_true(column: Column) -> bool:
    """Whether any is true."""
    return bool(call_function("any", [column]).as_py())


def is_in(column: Column, values: pa.Array) -> Column:
    """Which are among some values."""
    return call_function("is_in", [column], SetLookupOptions(values))


def are_in(column: Column, values: pa.Array) -> Bools:
    """Which are among some values, as bool[n]."""
    return _bools(is_in(column, values))


def index_in(column: Column, values: pa.Array) -> Column:
    """Where each stands among some values, null for one that is not among them."""
    return call_function("index_in", [column], SetLookupOptions(values))


def call(name: str, *columns: Column) -> Column:
    """Another function without options, by its name in Arrow."""
    return call_function(name, list(columns))


def _column(values: npt.NDArray[Any] | Column) -> Column:
    if not isinstance(values, np.ndarray):
        return values
    return truths(values) if values.dtype == np.bool_ else numbers(values)


def _bools(column: Column) -> Bools:
    found: Bools = (
        column.to_numpy()
        if isinstance(column, pa.ChunkedArray)
        else column.to_numpy(zero_copy_only=False)
    )
    return found
