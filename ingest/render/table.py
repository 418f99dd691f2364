"""The table format: numbers right-aligned, wide characters aligned, fitting the terminal."""

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from decimal import Decimal
from io import StringIO
from typing import NamedTuple

from ingest.render.cells import (
    Result,
    cell_len,
    display_width,
    escape_controls,
    is_number,
    plain,
    short_number,
    wrapped,
    zone_label,
)
from ingest.render.people import colour_of, coloured, readable
from ingest.stores.results import columns_of

NULL = "-"
GAP = "   "  # between columns
RULE = "─"
_SPECS = {0: "seconds", 3: "milliseconds", 6: "microseconds"}
_LEAST_TEXT = 12  # cells to which a column of text may be folded
_LONG_WORD = 24  # cells: a longer one, such as a path, may be broken before columns are left out
_UNLIMITED = 100_000  # cells: output that goes into a pipe is never folded


def render_table(
    result: Result,
    width: int | None,
    tz: tzinfo | None,
    is_terminal: bool,
    least: Sequence[str] = (),
    colour: bool = False,
) -> str:
    """Rows as a table no wider than ``width`` cells (None: as wide as it gets), and a footer.

    Texts that do not fit are folded between words. If that is not enough, instants lose what is
    less than a second; then columns give way and are named in the footer: those of ``least`` in
    their order, before them keys. Where the rest does not fit either, words are broken, and after
    that each record is shown vertically. On a terminal sizes and durations are those a person
    reads.
    """
    drawn = _drawn(result, tz, is_terminal, colour)
    shown = _fitting(drawn, (), width, may_break=False)
    if shown is None:
        coarse = _drawn(result, tz, is_terminal, colour, whole_seconds=True)
        shown = _fitting(coarse, giving_way(result.columns, least), width, may_break=True)
        drawn = drawn if shown is None else coarse
    if shown is None:
        table = vertical(drawn, width or _UNLIMITED, is_terminal)
        shown = drawn
    else:
        table = unfolded(shown, width, is_terminal) or folded(shown, width, is_terminal)
    stamps = (v for column in shown for v in column.values if isinstance(v, datetime))
    aware = next((at for at in stamps if at.tzinfo), None)
    kept = {id(column) for column in shown}
    left_out = [column.name for column in drawn if id(column) not in kept]
    return table + footer(len(result.rows), aware, tz, left_out, width)


class Column(NamedTuple):
    """A column as it is drawn; a rigid one is never folded. Colours are aligned with cells."""

    name: str
    cells: Sequence[str]
    is_numeric: bool
    is_rigid: bool
    values: Sequence[object] = ()
    colours: Sequence[str | None] = ()

    @property
    def width(self) -> int:
        """Cells of the terminal that the widest of its texts takes."""
        return max(map(display_width, (self.name, *self.cells)))

    @property
    def least_width(self) -> int:
        """The same when it is folded as far as it may be."""
        return self.width if self.is_rigid else min(self.width, _LEAST_TEXT)

    @property
    def word_width(self) -> int:
        """The same when it is folded between words."""
        if self.is_rigid:
            return self.width
        words = (word for cell in (self.name, *self.cells) for word in cell.split())
        longest = max(map(display_width, words), default=0)
        return min(self.width, max(_LEAST_TEXT, min(longest, _LONG_WORD)))

    def coloured(self, row: int, text: str) -> str:
        """A text of a row in the row's colour."""
        return coloured(text, self.colours[row]) if self.colours else text


def _drawn(
    result: Result, tz: tzinfo | None, readably: bool, colour: bool, whole_seconds: bool = False
) -> list[Column]:
    drawn = []
    columns: list[Sequence[object]] = columns_of(result.rows) or [() for _ in result.columns]
    for name, values in zip(result.columns, columns, strict=True):
        numeric = all(v is None or is_number(v) for v in values)
        cells = _cells(values, tz, whole_seconds)
        if readably and numeric:
            cells = [readable(name, v) or cell for v, cell in zip(values, cells, strict=True)]
        rigid = numeric or any(isinstance(v, datetime) for v in values)
        colours = [colour_of(name, v) for v in values] if colour else ()
        drawn.append(Column(escape_controls(name), cells, numeric, rigid, values, colours))
    return drawn


def giving_way(names: Sequence[str], least: Sequence[str]) -> list[int]:
    """Places of the columns that may be left out, the first to go first."""
    ranked = [*(n for n in names if n.endswith("_key") and n not in least), *least]
    return [names.index(name) for name in ranked if name in names][: len(names) - 1]


def vertical(columns: Sequence[Column], width: int, is_terminal: bool) -> str:
    """Each record as lines of a name and a value; values too long for the width are folded."""
    names = max(display_width(c.name) for c in columns)
    room = max(width - names - len(GAP), _LEAST_TEXT)
    lines = []
    for row in range(len(columns[0].cells)):
        head = f"{RULE} {row + 1} ".ljust(min(width, names + len(GAP) + _LEAST_TEXT), RULE)
        lines.append(f"\x1b[1m{head}\x1b[0m" if is_terminal else head)
        for column in columns:
            first, *more = _folded_text(column.cells[row], room)
            space = " " * (names - display_width(column.name))
            lines.append(f"{column.name}{space}{GAP}{column.coloured(row, first)}".rstrip())
            lines += [" " * (names + len(GAP)) + text for text in more]
    return "\n".join(lines) + "\n"


def _folded_text(text: str, width: int) -> list[str]:
    """A text in lines of at most ``width`` cells; at least one."""
    lines, line, used = [], "", 0
    for char in text:
        takes = display_width(char)
        if used + takes > width:
            lines.append(line)
            line, used = "", 0
        line, used = line + char, used + takes
    return [*lines, line]


def unfolded(columns: Sequence[Column], width: int | None, is_terminal: bool) -> str | None:
    """The table, where it fits the width as it is; like :func:`folded`, and many times as fast."""
    widths = [max(map(cell_len, (c.name, *c.cells)), default=0) for c in columns]
    total = sum(widths) + len(GAP) * (len(columns) - 1)
    if width is not None and total > width:
        return None

    def padded(texts: Sequence[str], column: Column, to: int) -> list[str]:
        return [padded_cell(text, to, column.is_numeric) for text in texts]

    head = GAP.join(p for c, w in zip(columns, widths, strict=True) for p in padded([c.name], c, w))
    drawn = [
        [c.coloured(row, text) for row, text in enumerate(padded(c.cells, c, w))]
        for c, w in zip(columns, widths, strict=True)
    ]
    head, rows = head.rstrip(), (GAP.join(row).rstrip() for row in zip(*drawn, strict=True))
    bold = f"\x1b[1m{head}\x1b[0m" if is_terminal else head
    return "\n".join([bold, RULE * total, *rows]) + "\n"


def padded_cell(text: str, width: int, is_numeric: bool) -> str:
    """A cell of a table, numbers to the right."""
    space = " " * (width - cell_len(text))
    return space + text if is_numeric else text + space


def folded(columns: Sequence[Column], width: int | None, is_terminal: bool) -> str:
    """The table, what is too wide folded."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    whole_words = width is not None and _total(c.word_width for c in columns) <= width
    for column in columns:
        table.add_column(
            Text(column.name),
            min_width=column.word_width if whole_words else None,
            justify="right" if column.is_numeric else "left",
            no_wrap=column.is_rigid,
            overflow="fold",
        )
    for row in range(len(columns[0].cells)):
        styles = [(c.colours[row] if c.colours else None) or "" for c in columns]
        texts = (c.cells[row] for c in columns)
        table.add_row(*(Text(text, style) for text, style in zip(texts, styles, strict=True)))
    out = StringIO()
    console = Console(file=out, width=width or _UNLIMITED, force_terminal=is_terminal, emoji=False)
    console.print(table)
    return _trimmed(out.getvalue())


def _trimmed(text: str) -> str:
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def _cells(values: Sequence[object], tz: tzinfo | None, whole_seconds: bool) -> list[str]:
    """A column's cells; numbers and instants of one column have equally many decimals."""
    stamps = () if whole_seconds else values
    digits = digits_of(v.microsecond for v in stamps if isinstance(v, datetime))
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
    columns: Sequence[Column], least: Sequence[int], width: int | None, may_break: bool
) -> list[Column] | None:
    """The columns that fit the width with text folded; None where those that may not go do not."""
    if width is None:
        return list(columns)
    left_out: set[int] = set()
    for place in (None, *least):
        left_out |= set() if place is None else {place}
        shown = [c for at, c in enumerate(columns) if at not in left_out]
        if _total(c.word_width for c in shown) <= width:
            return shown
    # words are broken only where no column is left that may go
    return shown if may_break and _total(c.least_width for c in shown) <= width else None


def _total(widths: Iterable[int]) -> int:
    """Cells of a line with columns of these widths."""
    each = list(widths)
    return sum(each) + len(GAP) * (len(each) - 1)


def footer(
    count: int,
    aware: datetime | None,
    tz: tzinfo | None,
    left_out: Sequence[str],
    width: int | None = None,
) -> str:
    """The lines that count the rows; ``aware`` is one of their instants."""
    parts = [f"{count} row" if count == 1 else f"{count} rows"]
    if aware is not None:
        parts.append(f"times in {zone_label(tz, aware)}")
    if left_out:
        parts.append(f"no room for: {', '.join(left_out)}")
    return f"\n{wrapped('; '.join(parts), width)}\n"
