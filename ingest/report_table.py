"""The table format: numbers right-aligned, wide characters aligned, fitting the terminal."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from io import StringIO
from typing import NamedTuple

from ingest.report_values import (
    Result,
    display_width,
    escape_controls,
    is_number,
    plain,
    short_number,
    zone_label,
)
from ingest.table_rows import columns_of

_NULL = "-"
_GAP = 3  # spaces between columns
_LEAST_TEXT = 12  # cells to which a column of text may be folded before columns are left out
_UNLIMITED = 100_000  # cells: output that goes into a pipe is never folded


def render_table(result: Result, width: int | None, tz: tzinfo | None, is_terminal: bool) -> str:
    """Rows as a table no wider than ``width`` cells (None: as wide as it gets), and a line that counts them.

    What does not fit is folded; columns that do not fit even so are left out from the right, and named.
    """
    columns = columns_of(result.rows)
    cells = [_cells(values, tz) for values in columns]
    numeric = [all(v is None or is_number(v) for v in values) for values in columns]
    rigid = [
        n or any(isinstance(v, datetime) for v in values)
        for n, values in zip(numeric, columns, strict=True)
    ]
    shown = _fitting(result.columns, cells, rigid, width)
    drawn = [
        Column(escape_controls(name), texts, is_numeric, is_rigid)
        for name, texts, is_numeric, is_rigid in zip(
            result.columns, cells, numeric, rigid, strict=True
        )
    ][:shown]
    table = unfolded(drawn, width, is_terminal)
    if table is None:
        table = folded(drawn, width, is_terminal)
    return table + _footer(result, shown, columns, tz)


class Column(NamedTuple):
    """A column as it is drawn; a rigid one is never folded."""

    name: str
    cells: Sequence[str]
    is_numeric: bool
    is_rigid: bool


def unfolded(columns: Sequence[Column], width: int | None, is_terminal: bool) -> str | None:
    """The table, where it fits the width as it is; like :func:`folded`, and many times as fast."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, (c.name, *c.cells)), default=0) for c in columns]
    total = sum(widths) + _GAP * (len(columns) - 1)
    if width is not None and total > width:
        return None

    def line(row: Sequence[str]) -> str:
        padded = (
            " " * (w - cell_len(cell)) + cell if c.is_numeric else cell + " " * (w - cell_len(cell))
            for cell, w, c in zip(row, widths, columns, strict=True)
        )
        return (" " * _GAP).join(padded).rstrip()

    head = line([c.name for c in columns])
    rows = map(line, zip(*(c.cells for c in columns), strict=True))
    bold = f"\x1b[1m{head}\x1b[0m" if is_terminal else head
    return "\n".join([bold, "─" * total, *rows]) + "\n"


def folded(columns: Sequence[Column], width: int | None, is_terminal: bool) -> str:
    """The table, what is too wide folded."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for column in columns:
        table.add_column(
            Text(column.name),
            justify="right" if column.is_numeric else "left",
            no_wrap=column.is_rigid,
            overflow="fold",
        )
    for row in zip(*(c.cells for c in columns), strict=True):
        table.add_row(*map(Text, row))
    out = StringIO()
    console = Console(file=out, width=width or _UNLIMITED, force_terminal=is_terminal, emoji=False)
    console.print(table)
    return _trimmed(out.getvalue())


def _trimmed(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def _cells(values: Sequence[object], tz: tzinfo | None) -> list[str]:
    """A column's cells; numbers and instants of one column have equally many decimals."""
    stamps = [v for v in values if isinstance(v, datetime)]
    spec = "seconds"
    if any(v.microsecond % 1000 for v in stamps):
        spec = "microseconds"
    elif any(v.microsecond for v in stamps):
        spec = "milliseconds"
    decimals = max((_decimals(v) for v in values if is_number(v)), default=0)
    return [_cell(value, tz, spec, decimals) for value in values]


def _decimals(value: object) -> int:
    short = short_number(value)  # type: ignore[arg-type]
    return 0 if "e" in short else len(short.partition(".")[2])


def _cell(value: object, tz: tzinfo | None, spec: str, decimals: int) -> str:
    if value is None:
        return _NULL
    if isinstance(value, datetime):
        local = value if value.tzinfo is None else value.astimezone(tz).replace(tzinfo=None)
        return local.isoformat(sep=" ", timespec=spec)
    if is_number(value):
        short = short_number(value)  # type: ignore[arg-type]
        return short if "e" in short or "n" in short else f"{value:.{decimals}f}"
    return escape_controls(plain(value, tz))


def _fitting(
    names: Sequence[str], cells: Sequence[list[str]], rigid: Sequence[bool], width: int | None
) -> int:
    """How many columns, from the left, fit the width with text folded; at least one."""
    if width is None:
        return len(names)
    total = 0
    for place, name in enumerate(names):
        widest = max((display_width(cell) for cell in cells[place]), default=0)
        need = max(display_width(name), widest)
        total += (need if rigid[place] else min(need, _LEAST_TEXT)) + (_GAP if place else 0)
        if total > width:
            return max(place, 1)
    return len(names)


def _footer(
    result: Result, shown: int, columns: Sequence[Sequence[object]], tz: tzinfo | None
) -> str:
    count = len(result.rows)
    parts = [f"{count} row" if count == 1 else f"{count} rows"]
    aware = (
        v for values in columns[:shown] for v in values if isinstance(v, datetime) and v.tzinfo
    )
    first = next(aware, None)
    if first is not None:
        parts.append(f"times in {zone_label(tz, first)}")
    if shown < len(result.columns):
        parts.append(f"no room for: {', '.join(result.columns[shown:])}")
    return f"\n{'; '.join(parts)}\n"
