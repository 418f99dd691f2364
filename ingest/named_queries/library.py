"""The library of named queries: ``.sql`` files whose header is the only place that documents them.

A file begins with ``-- key: value`` lines (``name``, ``summary``, ``question``, ``param``,
``filters``, ``filtered``, ``column``, ``least``, ``needs``, ``timed``, ``chart``, ``order``); a
comment line indented by two spaces or more continues the value before it. After the first line that
is no comment one SELECT follows, with ``:name`` parameters. Listing reads every file,
:func:`load_query` only the one that is asked for.
"""

import os
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from ingest.errors import QueryFileError, UsageProblem
from ingest.lazily import matcher
from ingest.named_queries.filters import NAMES, filters_of, restricted, tables_read
from ingest.named_queries.golden import BY_NAME
from ingest.named_queries.params import Param
from ingest.resources import folder
from ingest.rows.described import TABLES
from ingest.stores.binds import binds

TYPES = ("timestamp", "integer", "number", "text", "boolean", "json")
PARAM_TYPES = TYPES[:-1]
# Kinds of charts, each with the parts that columns must play in it.
CHARTS = {"none": (), "line": ("x", "y"), "bars": ("x", "y"), "heatmap": ("x", "y", "value")}
# Parts that several columns may play together: y makes a series of each, x and by join their
# values.
_LISTS = {"line": ("y", "by"), "bars": ("x", "y", "by")}
CHART_KEYS = ("x", "y", "by", "value")
# What lists are divided into, in this order; queries that name none are the user's own.
GROUPS = ("begin here", "failures", "time", "audio", "cache", "http", "raw", "own")
NO_NEEDS = ("none",)
# tables whose rows say where their instant comes from
TIMED = tuple(t.name for t in TABLES if t.has_time_source)

_KEYS = (
    "name", "group", "summary", "question", "param", "filters", "filtered", "column", "least",
    "needs", "timed", "chart", "order", "next",
)  # fmt: skip
_REQUIRED = ("name", "summary", "question", "column", "chart", "order")
_REPEATED = ("param", "column")
_HEADER = matcher(r"--(?: ?([A-Za-z_]+):(?:\s+(.*))?| {2,}(\S.*)|\s*)$")
_NAME = matcher(r"[a-z][a-z0-9_]*$")
_PARAM = matcher(
    r"(?P<name>[a-z][a-z0-9_]*)\s+(?P<type>[a-z]+)(?:\s*=\s*(?P<default>\S+))?"
    r"(?:\s+\[(?P<low>[-0-9.]*?)\.\.(?P<high>[-0-9.]*)\])?\s+--\s+(?P<help>.+)$"
)
_COLUMN = matcher(r"(?P<name>[a-z][a-z0-9_]*)\s+(?P<type>[a-z]+)\s+--\s+(?P<help>.+)$")
_IGNORED = matcher(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)


class ColumnSpec(NamedTuple):
    """A column that the query returns."""

    name: str
    type: str
    help: str


class Chart(NamedTuple):
    """What picture suits the rows: a kind, and which columns play which part."""

    kind: str
    axes: Mapping[str, str]

    def columns(self, part: str) -> tuple[str, ...]:
        """The columns that play a part, by comma where there are several."""
        return tuple(name for name in self.axes.get(part, "").split(",") if name)


class NamedQuery(NamedTuple):
    """One file of the library; ``sql`` is the statement without the header, ``line`` where it
    begins.

    ``group`` is where lists show it. ``next`` is the command to go on with; ``{column}`` in it
    stands for a value of the first row. ``least`` are the columns that give way on a narrow
    terminal, the first one first. ``needs`` are the golden fields
    (:mod:`ingest.named_queries.golden`) without which it has no answer; :data:`NO_NEEDS` where no
    field at all is missed, also not those that it reads. ``timed`` is the table of which it leaves
    out the rows whose instant is only that of their file; None where it asks for no time of day.
    ``filters`` are the parameters it has because of the tables it reads; ``filtered`` are the
    tables whose rows they choose (:mod:`ingest.named_queries.filters`).
    """

    name: str
    group: str
    summary: str
    question: str
    params: tuple[Param, ...]
    columns: tuple[ColumnSpec, ...]
    least: tuple[str, ...]
    needs: tuple[str, ...]
    timed: str | None
    chart: Chart
    order: tuple[str, ...]
    next: str
    sql: str
    path: Path
    line: int
    filters: tuple[Param, ...] = ()
    filtered: tuple[str, ...] = ()

    @property
    def options(self) -> tuple[Param, ...]:
        """Every parameter: those of its header, then its filters."""
        return (*self.params, *self.filters)

    def param(self, name: str) -> Param | None:
        """The parameter of that name, if it has one."""
        return next((p for p in self.options if p.name == name), None)

    @property
    def is_rate(self) -> bool:
        """Whether it gives a share of failures among the requests."""
        return any(c.name == "failure_rate" for c in self.columns)

    def statement(self, values: Mapping[str, object]) -> str:
        """The SELECT to run with these values: its own, over the rows that its filters choose."""
        given = [p.name for p in self.filters if values.get(p.name) is not None]
        sql = self.sql
        if re.search(rf"\bwhen '{re.escape(str(values.get('by')))}' then", sql):
            # not everybody who may read a column may read attributes
            sql = _ANY_OTHER.sub("", sql)
        return restricted(sql, self.filtered, given, self.is_rate)


# where a query by a dimension looks it up among the attributes
_ANY_OTHER = matcher(r"\s*/\* any other: \*/.*?/\* \*/", re.DOTALL)


def query_paths(extra_folder: Path | None = None, backend: str = "duckdb") -> dict[str, Path]:
    """Names and files, sorted by name; later folders override: packaged, packaged for the backend,
    the user's own.

    :raises QueryFileError: when the user's folder does not exist, or it or what is for the backend
        cannot be listed.
    """
    packaged = folder("queries")
    found = _sql_files(packaged)
    with suppress(FileNotFoundError):  # a backend with no text of its own
        found |= _sql_files(packaged / backend)
    if extra_folder is not None:
        try:
            found |= _sql_files(extra_folder)
            with suppress(FileNotFoundError):
                found |= _sql_files(extra_folder / backend)
        except FileNotFoundError as error:
            raise QueryFileError(
                f"cannot read the query folder {extra_folder}: there is no such folder",
                "correct query_folder in the settings, or make the folder",
            ) from error
        except OSError as error:
            raise QueryFileError(
                f"cannot read the query folder {error.filename}: {error.strerror}",
                f"ls -ld {error.filename}; query_folder in the settings names it",
            ) from error
    return dict(sorted(found.items()))


def _sql_files(place: Path) -> dict[str, Path]:
    """The query files in a folder, by their names; what editors hide there is none.

    :raises OSError: when it cannot be listed.
    """
    names = [n for n in os.listdir(place) if n.endswith(".sql") and not n.startswith(".")]
    return {name.removesuffix(".sql"): place / name for name in names}


def load_library(extra_folder: Path | None = None, backend: str = "duckdb") -> list[NamedQuery]:
    """Every query, sorted by name.

    :raises QueryFileError: for the first file that is wrong.
    """
    return [read_query(path) for path in query_paths(extra_folder, backend).values()]


def load_query(name: str, extra_folder: Path | None = None, backend: str = "duckdb") -> NamedQuery:
    """One query; no other file is read.

    :raises UsageProblem: when there is no query of that name.
    :raises QueryFileError: when its file is wrong.
    """
    paths = query_paths(extra_folder, backend)
    wanted = name.replace("-", "_")
    if wanted not in paths:
        near = get_close_matches(wanted, paths, n=1)
        hint = f"did you mean: ttsq run {near[0]}" if near else "list them all: ttsq queries"
        raise UsageProblem(f"there is no query named {name}", hint)
    return read_query(paths[wanted])


def read_query(path: Path) -> NamedQuery:
    """Read and check one file.

    :raises QueryFileError: with the file and line of what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryFileError(
            f"cannot read the query file {path}: {error}", "it is a text file in UTF-8"
        ) from error
    return parse_query(text, path)


def parse_query(text: str, path: Path) -> NamedQuery:
    """A query from the text of its file; see :func:`read_query`."""
    lines = text.splitlines()
    start = next((n for n, line in enumerate(lines) if not line.startswith("--")), len(lines))
    header = _header(lines[:start], path)
    while start < len(lines) - 1 and not lines[start].strip():
        start += 1
    query = NamedQuery(
        name=_single(header, "name", path)[1],
        group=_group(header, path),
        summary=_single(header, "summary", path)[1],
        question=_single(header, "question", path)[1],
        params=tuple(_param(v, n, path) for n, v in header.get("param", [])),
        columns=tuple(_column(v, n, path) for n, v in header.get("column", [])),
        least=_listed(header, "least"),
        needs=_needs(header, path),
        timed=_timed(header, path),
        chart=_chart(*_single(header, "chart", path), path),
        order=tuple(s.strip() for s in _single(header, "order", path)[1].split(",")),
        next=_single(header, "next", path)[1] if "next" in header else "",
        sql="\n".join(lines[start:]).strip().rstrip(";").rstrip(),
        path=path,
        line=start + 1,
    )
    _check_names(query, header, path)
    _check_statement(query)
    return _with_filters(query, header, path)


def _with_filters(
    query: NamedQuery, header: dict[str, list[tuple[int, str]]], path: Path
) -> NamedQuery:
    """The query with the filters of the tables it reads, or of those that the header names."""
    read = tables_read(query.sql)
    chosen = _known_names(header, "filtered", read, path)
    named = _known_names(header, "filters", NAMES, path)
    tables = read if chosen is None else chosen
    declared = [p.name for p in query.params]
    return query._replace(filters=filters_of(query.sql, tables, declared, named), filtered=tables)


def _known_names(
    header: dict[str, list[tuple[int, str]]], key: str, known: Sequence[str], path: Path
) -> tuple[str, ...] | None:
    """The names of a key, by comma, in the order of ``known``; None where it is not there."""
    if key not in header:
        return None
    line, value = _single(header, key, path)
    names = _listed(header, key) if value != "none" else ()
    for name in names:
        if name not in known:
            raise _problem(
                path, line, f"the {key} name no '{name}'", f"known: {', '.join(known)}, or none"
            )
    return tuple(name for name in known if name in names)


def _problem(path: Path, line: int, what: str, hint: str | None = None) -> QueryFileError:
    return QueryFileError(f"{path}:{line}: {what}", hint or "docs/queries.md describes the header")


def _header(lines: list[str], path: Path) -> dict[str, list[tuple[int, str]]]:
    """Keys with their values and lines; continuation lines are joined to the value before."""
    header: dict[str, list[tuple[int, str]]] = {}
    last: list[tuple[int, str]] | None = None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = _HEADER.match(line)
        if not match:
            raise _problem(path, number, f"not a header line of the form '-- key: value': {line}")
        key, value, more = match.groups()
        if more and last:
            last[-1] = (last[-1][0], f"{last[-1][1]} {more.rstrip()}")
        elif key:
            last = _add_key(header, key, (value or "").strip(), number, path)
    for key in _REQUIRED:
        if key not in header:
            raise _problem(path, 1, f"the header has no '{key}'")
    return header


def _add_key(
    header: dict[str, list[tuple[int, str]]], key: str, value: str, number: int, path: Path
) -> list[tuple[int, str]]:
    if key not in _KEYS:
        raise _problem(path, number, f"unknown key '{key}'", f"known keys: {', '.join(_KEYS)}")
    if key in header and key not in _REPEATED:
        raise _problem(path, number, f"the key '{key}' is there twice")
    values = header.setdefault(key, [])
    values.append((number, value))
    return values


def _single(header: dict[str, list[tuple[int, str]]], key: str, path: Path) -> tuple[int, str]:
    number, value = header[key][0]
    if not value:
        raise _problem(path, number, f"the key '{key}' has no value")
    return number, value


def _param(value: str, line: int, path: Path) -> Param:
    match = _PARAM.match(value)
    if not match:
        raise _problem(
            path,
            line,
            f"not a parameter: {value}",
            "write it as: -- param: limit integer = 20 [0..] -- what it does",
        )
    if match["type"] not in PARAM_TYPES:
        raise _problem(
            path, line, f"unknown type '{match['type']}'", f"known types: {', '.join(PARAM_TYPES)}"
        )
    try:
        low, high = (float(match[b]) if match[b] else None for b in ("low", "high"))
    except ValueError as error:
        raise _problem(path, line, f"the bounds of {match['name']} are no numbers") from error
    return Param(match["name"], match["type"], match["default"], match["help"].strip(), low, high)


def _column(value: str, line: int, path: Path) -> ColumnSpec:
    match = _COLUMN.match(value)
    if not match:
        raise _problem(
            path,
            line,
            f"not a column: {value}",
            "write it as: -- column: failures integer -- what it is",
        )
    if match["type"] not in TYPES:
        raise _problem(
            path, line, f"unknown type '{match['type']}'", f"known types: {', '.join(TYPES)}"
        )
    return ColumnSpec(match["name"], match["type"], match["help"].strip())


def _group(header: dict[str, list[tuple[int, str]]], path: Path) -> str:
    """One of :data:`GROUPS`; the last one where the key is not there."""
    if "group" not in header:
        return GROUPS[-1]
    line, value = _single(header, "group", path)
    if value not in GROUPS:
        raise _problem(path, line, f"there is no group '{value}'", f"known: {', '.join(GROUPS)}")
    return value


def _listed(header: dict[str, list[tuple[int, str]]], key: str) -> tuple[str, ...]:
    """The names of a key, by comma; none where the key is not there."""
    return tuple(name.strip() for _, value in header.get(key, []) for name in value.split(","))


def _needs(header: dict[str, list[tuple[int, str]]], path: Path) -> tuple[str, ...]:
    """Golden fields, by comma; none where the key is not there."""
    if "needs" not in header:
        return ()
    line, value = _single(header, "needs", path)
    if value == NO_NEEDS[0]:
        return NO_NEEDS
    names = tuple(name.strip() for name in value.split(","))
    for name in names:
        if name not in BY_NAME:
            raise _problem(
                path, line, f"there is no golden field '{name}'", f"known: {', '.join(BY_NAME)}"
            )
    return names


def _timed(header: dict[str, list[tuple[int, str]]], path: Path) -> str | None:
    """The table that is named; None where the key is not there."""
    if "timed" not in header:
        return None
    line, value = _single(header, "timed", path)
    if value not in TIMED:
        raise _problem(
            path, line, f"'{value}' is no table with a time_source", f"known: {', '.join(TIMED)}"
        )
    return value


def _chart(line: int, value: str, path: Path) -> Chart:
    kind, *pairs = value.split()
    axes = dict(pair.partition("=")[::2] for pair in pairs)
    if kind not in CHARTS:
        raise _problem(path, line, f"unknown chart '{kind}'", f"known charts: {', '.join(CHARTS)}")
    missing = [key for key in CHARTS[kind] if not axes.get(key)]
    unknown = [key for key in axes if key not in CHART_KEYS]
    unknown += [key for key in ("by",) if key in axes and kind == "heatmap"]
    several = [
        key for key, names in axes.items() if "," in names and key not in _LISTS.get(kind, ())
    ]
    if several:
        raise _problem(path, line, f"the chart '{kind}' takes one column as {several[0]}=")
    if missing or unknown:
        wrong = f"lacks {missing[0]}=" if missing else f"knows no {unknown[0]}="
        raise _problem(path, line, f"the chart '{kind}' {wrong}")
    return Chart(kind, axes)


def _check_names(query: NamedQuery, header: dict[str, list[tuple[int, str]]], path: Path) -> None:
    """The name is the file's, names are unique, chart and order use columns that exist."""
    line = header["name"][0][0]
    if query.name != path.stem or not _NAME.match(query.name):
        raise _problem(path, line, f"the name '{query.name}' is not that of the file")
    for key, names in (
        ("param", [p.name for p in query.params]),
        ("column", [c.name for c in query.columns]),
    ):
        for place, (number, _) in enumerate(header.get(key, [])):
            if names[place] in names[:place]:
                raise _problem(path, number, f"the {key} '{names[place]}' is there twice")
    columns = {c.name for c in query.columns}
    for key, used in (
        ("order", [ordered_by(part) for part in query.order if part]),
        ("chart", [name for part in query.chart.axes for name in query.chart.columns(part)]),
        ("least", list(query.least)),
        ("next", re.findall(r"{(\w+)}", query.next)),
    ):
        for name in used:
            if name not in columns:
                raise _problem(path, header[key][0][0], f"the {key} names no column: {name}")


def ordered_by(part: str) -> str:
    """The column in a term of an order: ``failures`` of ``failures desc`` or
    ``abs(failures) desc``.
    """
    return part.split()[0].removeprefix("abs(").removesuffix(")")


def _check_statement(query: NamedQuery) -> None:
    """One SELECT, and the parameters it uses are those that the header declares."""
    bare = _IGNORED.sub(" ", query.sql)
    words = bare.split(None, 1)
    if not words or words[0].lower() not in ("select", "with"):
        raise _problem(query.path, query.line, "the statement is not a SELECT")
    if ";" in bare:
        raise _problem(query.path, query.line, "there is more than one statement")
    used = binds(query.sql)
    for name, offset in used.items():
        if query.param(name) is None:
            line = query.line + query.sql.count("\n", 0, offset)
            raise _problem(query.path, line, f"the parameter :{name} is not declared")
    for param in query.params:
        if param.name not in used:
            raise _problem(query.path, query.line, f"the parameter {param.name} is not used")
