"""Rows → table, csv, json, jsonl, markdown or parquet; on a stream or in a file."""

import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import StoreError, UsageProblem
from ingest.report_values import (
    Result,
    escape_controls,
    guard_formula,
    is_number,
    json_text,
    parsed_json,
    plain,
    short_number,
)

if TYPE_CHECKING:
    import pyarrow as pa

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
_CSV_SPECIAL = re.compile(r'[",\r\n]')
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


@dataclass(frozen=True, slots=True)
class Look:
    """How to show rows.

    ``width`` in cells of the terminal, None for no limit; ``tz`` of instants, None for the machine's; ``csv_safe`` guards
    spreadsheets against formulas; ``types`` are the declared types of columns, where there are any.
    """

    width: int | None = None
    tz: tzinfo | None = None
    is_terminal: bool = False
    csv_safe: bool = True
    types: Mapping[str, str] = field(default_factory=dict)
    explain_empty: str = "no rows"


def render(result: Result, kind: str, look: Look) -> str:
    """The rows as text in one of :data:`FORMATS`, ending in a newline.

    :raises UsageProblem: for parquet, which is no text.
    """
    if kind == "parquet":
        raise UsageProblem(
            "parquet is written to a file, not to a terminal or pipe",
            "name one: --format parquet -o rows.parquet",
        )
    if kind == "table":
        return _table(result, look)
    writers: dict[str, Callable[[Result, Look], str]] = {
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
        content = parquet_bytes(result, look.types)
    else:
        content = render(result, kind, look).encode("utf-8", "backslashreplace")
    replace_file(path, content)


def replace_file(path: Path, content: bytes) -> None:
    """Put ``content`` at ``path`` in one step, by way of a file beside it; devices and pipes are written to.

    :raises StoreError: when it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}", "choose another place with -o"
        ) from error


def _replace(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def format_of(path: Path | None, given: str | None, otherwise: str = "table") -> str:
    """The format: as given, else by the file's suffix, else ``otherwise``.

    :raises UsageProblem: for a format there is not.
    """
    if given is None:
        return SUFFIXES.get(path.suffix.lower(), otherwise) if path else otherwise
    if given not in FORMATS:
        raise UsageProblem(f"there is no format {given!r}", f"formats: {', '.join(FORMATS)}")
    return given


def _table(result: Result, look: Look) -> str:
    if not result.rows:
        return look.explain_empty.rstrip("\n") + "\n"
    from ingest.report_table import render_table

    return render_table(result, look.width, look.tz, look.is_terminal)


def _csv(result: Result, look: Look) -> str:
    rows = [result.columns, *result.rows]
    return "".join(_csv_line([_csv_cell(v, look) for v in row]) for row in rows)


def _csv_line(cells: Sequence[str]) -> str:
    """A line of RFC 4180, but for its end; the csv module leaves a carriage return unquoted then."""
    if list(cells) == [""]:
        return '""\n'
    quoted = ('"' + c.replace('"', '""') + '"' if _CSV_SPECIAL.search(c) else c for c in cells)
    return ",".join(quoted) + "\n"


def _csv_cell(value: object, look: Look) -> str:
    text = plain(value, look.tz)
    if is_number(value):
        return text
    if look.csv_safe:
        text = guard_formula(text)
    return escape_controls(text) if look.is_terminal else text


def _object(result: Result, row: Sequence[object], look: Look) -> str:
    cells = {
        name: parsed_json(value) if look.types.get(name) == "json" else value
        for name, value in zip(result.columns, row, strict=True)
    }
    return json_text(cells, look.tz)


def _json(result: Result, look: Look) -> str:
    objects = [_object(result, row, look) for row in result.rows]
    return "[\n  " + ",\n  ".join(objects) + "\n]\n" if objects else "[]\n"


def _jsonl(result: Result, look: Look) -> str:
    return "".join(_object(result, row, look) + "\n" for row in result.rows)


def _markdown(result: Result, look: Look) -> str:
    right = [
        bool(result.rows) and all(v is None or is_number(v) for v in values)
        for values in zip(*result.rows, strict=True)
    ] or [False] * len(result.columns)
    lines = [
        [_markdown_cell(name, look) for name in result.columns],
        ["---:" if r else "---" for r in right],
        *([_markdown_cell(value, look) for value in row] for row in result.rows),
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _markdown_cell(value: object, look: Look) -> str:
    if is_number(value):
        return short_number(value)  # type: ignore[arg-type]
    return escape_controls(plain(value, look.tz)).translate(_MARKDOWN)


def parquet_bytes(result: Result, types: Mapping[str, str]) -> bytes:
    """The rows as a Parquet file; columns take their declared types, so that an empty result has them too."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = list(zip(*result.rows, strict=True)) or [()] * len(result.columns)
    arrays = [
        _array(values, types.get(name))
        for name, values in zip(result.columns, columns, strict=True)
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(result.columns)), sink)
    return bytes(sink.getvalue())


def _array(values: Sequence[object], kind: str | None) -> "pa.Array":
    import pyarrow as pa

    declared = {
        "timestamp": pa.timestamp("us", "UTC"),
        "integer": pa.int64(),
        "number": pa.float64(),
        "text": pa.string(),
        "boolean": pa.bool_(),
        "json": pa.string(),
    }
    try:
        return pa.array(values, declared.get(kind or ""))
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if v is None else plain(v, None) for v in values], pa.string())
