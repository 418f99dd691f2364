"""The table format of many rows for a pipe or a file: drawn column by column in Arrow."""

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.render.cells import STEERING, cell_len, escape_controls
from ingest.render.columns import Stamp, Style, cells_of, joined_cells, pieces, with_care
from ingest.render.table import (
    GAP,
    NULL,
    RULE,
    cell_text,
    decimals_of,
    digits_of,
    footer,
    padded_cell,
)
from ingest.stores.results import TableRows, has_numbers, python_values


def table_lines(names: Sequence[str], rows: TableRows, tz: tzinfo | None) -> Iterator[str]:
    """At least one row as a table of any width, in blocks, after measuring all cells."""
    columns = rows.table.columns
    heads = [escape_controls(name) for name in names]
    numeric = [has_numbers(column) for column in columns]
    styles = [_style(column, tz) for column in columns]
    cells = [cells_of(piece, styles) for piece in pieces(rows.table)]
    widths = [
        max(cell_len(head), *(_width(piece[place]) for piece in cells))
        for place, head in enumerate(heads)
    ]
    padded = map(padded_cell, heads, widths, numeric)
    yield GAP.join(padded).rstrip() + "\n"
    yield RULE * (sum(widths) + len(GAP) * (len(widths) - 1)) + "\n"
    around = ["", *[GAP] * (len(widths) - 1), ""]
    for piece in cells:
        drawn = list(map(_padded, piece, widths, numeric))
        yield "".join(f"{line.rstrip()}\n" for line in joined_cells(drawn, around).to_pylist())
    yield footer(len(rows), _aware(columns), tz, ())


def _style(column: pa.ChunkedArray, tz: tzinfo | None) -> Style:
    """As all the column's values are to be written, so that they have equally many decimals."""
    kind = column.type
    digits = decimals = 0
    if pa.types.is_timestamp(kind):
        stamps = column.drop_null().cast(pa.int64()).to_numpy()
        digits = digits_of(np.unique(stamps % 1_000_000).tolist())
    if pa.types.is_floating(kind):
        decimals = decimals_of(v for v in python_values(pc.unique(column)) if v is not None)
    return Style(
        cell=lambda value: cell_text(value, tz, digits, decimals),
        null=NULL,
        care=f"[{STEERING}]",
        exact=False,
        tz=tz,
        stamp=Stamp(" ", digits, False),
    )


def _width(cells: pa.Array) -> int:
    """Cells of a terminal that the widest takes."""
    if pc.all(pc.string_is_ascii(cells)).as_py():
        return int(pc.max(pc.binary_length(cells)).as_py())
    return max(map(cell_len, pc.unique(cells).to_pylist()))


def _padded(cells: pa.Array, width: int, is_numeric: bool) -> pa.Array:
    pad = pc.utf8_lpad if is_numeric else pc.utf8_rpad
    style = Style(cell=lambda text: padded_cell(str(text), width, is_numeric))
    return with_care(pad(cells, width), cells, pc.invert(pc.string_is_ascii(cells)), style)


def _aware(columns: Sequence[pa.ChunkedArray]) -> datetime | None:
    """The first instant that has a zone."""
    for column in columns:
        if pa.types.is_timestamp(column.type) and column.type.tz is not None:
            known = column.drop_null()
            if len(known):
                return python_values(known.slice(0, 1))[0]  # type: ignore[return-value]
    return None
