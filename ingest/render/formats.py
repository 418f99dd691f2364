"""Rows → table, csv, json, jsonl, markdown or parquet; on a stream or in a file."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ingest.errors import UsageProblem
from ingest.lazily import matcher
from ingest.render.cells import (
    FORMULA,
    STEERING,
    Result,
    escape_controls,
    guard_formula,
    is_number,
    json_text,
    parsed_json,
    plain,
    short_number,
    wrapped,
)
from ingest.render.whole_file import replace_file
from ingest.stores.results import TableRows, columns_of, has_numbers, python_values

if TYPE_CHECKING:
    import pyarrow as pa

    from ingest.render.columns import Style

FORMATS = ("table", "csv", "json", "jsonl", "markdown", "parquet")
SUFFIXES = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".parquet": "parquet",
    ".txt": "table",
}
PICTURES = (".svg", ".png", ".html")  # of a chart
_CSV_SPECIAL = matcher(r'[",\r\n]')
_MARKDOWN = str.maketrans(
    {
        "\\": "\\\\",
        "|": "\\|",
        "`": "\\`",
        "*": "\\*",
        "[": "\\[",
        "]": "\\]",
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
    }
)


class Look(NamedTuple):
    """How to show rows.

    ``width`` in cells of the terminal, None for no limit; ``tz`` of instants, None for the
    machine's; ``csv_safe`` guards spreadsheets against formulas; ``types`` are the declared types
    of columns, where there are any. ``least`` are the columns that give way, the first one first,
    where not all of them fit.
    """

    width: int | None = None
    tz: tzinfo | None = None
    is_terminal: bool = False
    csv_safe: bool = True
    types: Mapping[str, str] = {}
    explain_empty: str = "no rows"
    least: Sequence[str] = ()
    colour: bool = False


def render(result: Result, kind: str, look: Look) -> str:
    """The rows as text in one of :data:`FORMATS`, ending in a newline.

    :raises UsageProblem: for parquet, which is no text.
    """
    return "".join(rendered(result, kind, look))


def rendered(result: Result, kind: str, look: Look) -> Iterable[str]:
    """The same in pieces; those of many rows are made as they are asked for."""
    if kind == "parquet":
        raise UsageProblem(
            "parquet is written to a file, not to a terminal or pipe",
            "name one: --format parquet -o rows.parquet",
        )
    writers: dict[str, Callable[[Result, Look], Iterable[str]]] = {
        "table": _table,
        "csv": _csv,
        "json": _json,
        "jsonl": _jsonl,
        "markdown": _markdown,
    }
    return writers[kind](result, look)


def write_file(result: Result, kind: str, path: Path, look: Look) -> None:
    """Write the rows to a file: whole, or the file that was there stays as it was.

    :raises StoreError: when the folder or file cannot be written.
    """
    if kind == "parquet":
        replace_file(path, [parquet_bytes(result, look.types)])
        return
    pieces = rendered(result, kind, look)
    replace_file(path, (piece.encode("utf-8", "backslashreplace") for piece in pieces))


def format_of(path: Path | None, given: str | None, otherwise: str = "table") -> str:
    """The format: as given, else by the file's suffix, else ``otherwise``.

    :raises UsageProblem: for a format there is not.
    """
    if given is None:
        return SUFFIXES.get(path.suffix.lower(), otherwise) if path else otherwise
    if given not in FORMATS:
        raise UsageProblem(f"there is no format {given!r}", f"formats: {', '.join(FORMATS)}")
    return given


def _table(result: Result, look: Look) -> Iterable[str]:
    if not result.rows:
        return [wrapped(look.explain_empty.rstrip("\n"), look.width) + "\n"]
    if isinstance(result.rows, TableRows) and look.width is None and not look.is_terminal:
        from ingest.render.table_wide import table_lines

        return table_lines(result.columns, result.rows, look.tz)
    from ingest.render.table import render_table

    table = render_table(result, look.width, look.tz, look.is_terminal, look.least, look.colour)
    return [table]


def _csv(result: Result, look: Look) -> Iterator[str]:
    yield _csv_line([_csv_cell(name, look) for name in result.columns])
    if isinstance(result.rows, TableRows):
        from ingest.render.columns import lines

        style = _csv_style(look, len(result.columns) == 1)
        separators = [","] * (len(result.columns) - 1)
        yield from lines(result.rows, [style] * len(result.columns), ["", *separators, "\n"])
        return
    for row in result.rows:
        yield _csv_line([_csv_cell(v, look) for v in row])


def _csv_style(look: Look, is_alone: bool) -> "Style":
    from ingest.render.columns import Style

    care = [f'[",\r\n{STEERING if look.is_terminal else ""}]']
    if look.csv_safe:
        care.append(f"^[{re.escape(''.join(FORMULA))}]")
    if is_alone:
        care.append("^$")
    return Style(
        cell=lambda value: (
            _csv_line([_csv_cell(value, look)])[:-1]
            if is_alone
            else _csv_quoted(_csv_cell(value, look))
        ),
        null='""' if is_alone else "",
        care="|".join(care),
        tz=look.tz,
    )


def _csv_line(cells: Sequence[str]) -> str:
    """A line of RFC 4180 without its end; csv would leave a carriage return unquoted."""
    if list(cells) == [""]:
        return '""\n'
    return ",".join(map(_csv_quoted, cells)) + "\n"


def _csv_quoted(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if _CSV_SPECIAL.search(cell) else cell


def _csv_cell(value: object, look: Look) -> str:
    text = plain(value, look.tz)
    if is_number(value):
        return text
    if look.csv_safe:
        text = guard_formula(text)
    return escape_controls(text) if look.is_terminal else text


def _json(result: Result, look: Look) -> Iterator[str]:
    if not result.rows:
        yield "[]\n"
        return
    objects = _objects(result, look, ",\n  ", "")
    yield "[" + next(objects).removeprefix(",")
    yield from objects
    yield "\n]\n"


def _jsonl(result: Result, look: Look) -> Iterator[str]:
    return _objects(result, look, "", "\n")


def _objects(result: Result, look: Look, before: str, behind: str) -> Iterator[str]:
    """An object a row, each with ``before`` and ``behind`` around it."""
    if isinstance(result.rows, TableRows):
        yield from _objects_of_columns(result.columns, result.rows, look, before, behind)
        return
    for row in result.rows:
        cells = {
            name: _json_cell(value, name, look)
            for name, value in zip(result.columns, row, strict=True)
        }
        yield before + json_text(cells, look.tz) + behind


def _objects_of_columns(
    columns: Sequence[str], rows: TableRows, look: Look, before: str, behind: str
) -> Iterator[str]:
    from ingest.render.columns import Style, lines

    places = {name: place for place, name in enumerate(columns)}  # the last one of a name counts
    styles = [
        Style(
            cell=lambda value, name=name: json_text(_json_cell(value, name, look), look.tz),  # type: ignore[misc]
            null="null",
            care=None if look.types.get(name) == "json" else f'["\\\\{STEERING}]',
            quote='"',
            tz=look.tz,
        )
        for name in places
    ]
    keys = [f"{json_text(name, None)}: " for name in places]
    around = [before + "{" + keys[0], *(f", {key}" for key in keys[1:]), "}" + behind]
    yield from lines(TableRows(rows.table.select(list(places.values()))), styles, around)


def _json_cell(value: object, name: str, look: Look) -> object:
    return parsed_json(value) if look.types.get(name) == "json" else value


def _markdown(result: Result, look: Look) -> Iterator[str]:
    right = _numeric(result)
    yield _markdown_line([_markdown_cell(name, look) for name in result.columns])
    yield _markdown_line(["---:" if r else "---" for r in right])
    if isinstance(result.rows, TableRows):
        from ingest.render.columns import Style, lines

        style = Style(
            cell=lambda value: _markdown_cell(value, look),
            care=f"[{re.escape(''.join(map(chr, _MARKDOWN)))}{STEERING}]",
            exact=False,
            tz=look.tz,
        )
        around = ["| ", *[" | "] * (len(right) - 1), " |\n"]
        yield from lines(result.rows, [style] * len(right), around)
        return
    for row in result.rows:
        yield _markdown_line([_markdown_cell(value, look) for value in row])


def _numeric(result: Result) -> list[bool]:
    """Which columns have nothing but numbers; of a result without rows none."""
    rows = result.rows
    if isinstance(rows, TableRows) and rows:
        return [has_numbers(column) for column in rows.table.columns]
    columns = zip(*rows, strict=True)
    found = [all(v is None or is_number(v) for v in values) for values in columns]
    return found or [False] * len(result.columns)


def _markdown_line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def _markdown_cell(value: object, look: Look) -> str:
    if is_number(value):
        return short_number(value)  # type: ignore[arg-type]
    return escape_controls(plain(value, look.tz)).translate(_MARKDOWN)


def parquet_bytes(result: Result, types: Mapping[str, str]) -> bytes:
    """The rows as a Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(arrow_table(result, types), sink)
    return bytes(sink.getvalue())


def arrow_table(result: Result, types: Mapping[str, str]) -> "pa.Table":
    """The rows as an Arrow table, with the declared types also where there are no rows."""
    import pyarrow as pa

    names = result.columns
    if isinstance(result.rows, TableRows):
        found = zip(names, result.rows.table.columns, strict=True)
        arrays = [_declared(column, types.get(name)) for name, column in found]
    else:
        columns = columns_of(result.rows) or [()] * len(names)
        given = zip(names, columns, strict=True)
        arrays = [_array(values, types.get(name)) for name, values in given]
    return pa.Table.from_arrays(arrays, names=list(names))


def _declared(column: "pa.ChunkedArray", kind: str | None) -> "pa.Array | pa.ChunkedArray":
    """The same array that :func:`_array` makes of the values."""
    import pyarrow as pa

    types = _parquet_types()
    is_inferred = kind is None and column.type in types.values() and column.null_count < len(column)
    if is_inferred or column.type == types.get(kind or ""):
        return column
    if kind == "integer" and pa.types.is_signed_integer(column.type):
        return column.cast(pa.int64())
    return _array(python_values(column), kind)


def _array(values: Sequence[object], kind: str | None) -> "pa.Array":
    import pyarrow as pa

    try:
        return pa.array(values, _parquet_types().get(kind or ""))
    except (ValueError, TypeError, OverflowError):
        return pa.array([None if v is None else plain(v, None) for v in values], pa.string())


def _parquet_types() -> "dict[str, pa.DataType]":
    """What declared types become."""
    import pyarrow as pa

    return {
        "timestamp": pa.timestamp("us", "UTC"),
        "integer": pa.int64(),
        "number": pa.float64(),
        "text": pa.string(),
        "boolean": pa.bool_(),
        "json": pa.string(),
    }
