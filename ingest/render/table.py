"""The table format: numbers right-aligned, wide characters aligned, fitting the terminal."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from io import StringIO
from typing import NamedTuple

from ingest.render.cells import (
    Result,
    display_width,
    escape_controls,
    is_number,
    plain,
    short_number,
    zone_label,
)
from ingest.stores.results import columns_of

NULL = "-"
GAP = "   "  # between columns
RULE = "─"
_SPECS = {0: "seconds", 3: "milliseconds", 6: "microseconds"}
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
    stamps = (v for values in columns[:shown] for v in values if isinstance(v, datetime))
    aware = next((at for at in stamps if at.tzinfo), None)
    return table + footer(len(result.rows), aware, tz, result.columns[shown:])


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
    total = sum(widths) + len(GAP) * (len(columns) - 1)
    if width is not None and total > width:
        return None

    def line(row: Sequence[str]) -> str:
        padded = (
            padded_cell(cell, w, c.is_numeric)
            for cell, w, c in zip(row, widths, columns, strict=True)
        )
        return GAP.join(padded).rstrip()

    head = line([c.name for c in columns])
    rows = map(line, zip(*(c.cells for c in columns), strict=True))
    bold = f"\x1b[1m{head}\x1b[0m" if is_terminal else head
    return "\n".join([bold, RULE * total, *rows]) + "\n"


def padded_cell(text: str, width: int, is_numeric: bool) -> str:
    """A cell of a table, numbers to the right."""
    from rich.cells import cell_len

    space = " " * (width - cell_len(text))
    return space + text if is_numeric else text + space


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
    digits = digits_of(v.microsecond for v in values if isinstance(v, datetime))
    decimals = decimals_of(v for v in values if is_number(v))
    return [cell_text(value, tz, digits, decimals) for value in values]


def digits_of(microseconds: Iterable[int]) -> int:
    """How many digits the fractions of seconds of a column have: 0, 3 or 6."""
    found = 0
    for microsecond in microseconds:
        if microsecond % 1000:
            return 6
        if microsecond:
            found = 3
    return found


def decimals_of(numbers: Iterable[object]) -> int:
    """How many decimals the numbers of a column have."""
    shorts = (short_number(number) for number in numbers)  # type: ignore[arg-type]
    return max((0 if "e" in s else len(s.partition(".")[2]) for s in shorts), default=0)


def cell_text(value: object, tz: tzinfo | None, digits: int, decimals: int) -> str:
    """A cell of a column whose seconds have ``digits``, and whose numbers have ``decimals``."""
    if value is None:
        return NULL
    if isinstance(value, datetime):
        local = value if value.tzinfo is None else value.astimezone(tz).replace(tzinfo=None)
        return local.isoformat(sep=" ", timespec=_SPECS[digits])
    if is_number(value):
        short = short_number(value)  # type: ignore[arg-type]
        if "e" in short or "n" in short:
            return short
        exact = Decimal(value) if isinstance(value, int) else value  # "f" makes a double of an int
        return f"{exact:.{decimals}f}"
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
        total += (need if rigid[place] else min(need, _LEAST_TEXT)) + (len(GAP) if place else 0)
        if total > width:
            return max(place, 1)
    return len(names)


def footer(count: int, aware: datetime | None, tz: tzinfo | None, left_out: Sequence[str]) -> str:
    """The line that counts the rows; ``aware`` is one of their instants."""
    parts = [f"{count} row" if count == 1 else f"{count} rows"]
    if aware is not None:
        parts.append(f"times in {zone_label(tz, aware)}")
    if left_out:
        parts.append(f"no room for: {', '.join(left_out)}")
    return f"\n{'; '.join(parts)}\n"
