"""Some of a result's columns: those asked for, or those that say something."""

from collections.abc import Sequence
from difflib import get_close_matches

from ingest.errors import UsageProblem
from ingest.render.cells import Result
from ingest.stores.contract import QueryResult
from ingest.stores.results import TableRows


def only_columns(result: Result, names: Sequence[str]) -> QueryResult:
    """The columns of these names.

    :raises UsageProblem: for a name that no column has, or no name at all.
    """
    if not names:
        raise UsageProblem("no column is named", f"columns: {', '.join(result.columns)}")
    places = [_place(result.columns, name) for name in names]
    chosen = tuple(result.columns[place] for place in places)
    if isinstance(result.rows, TableRows):
        return QueryResult(chosen, TableRows(result.rows.table.select(places)))
    return QueryResult(chosen, [tuple(row[place] for place in places) for row in result.rows])


def without_empty(result: Result, least: Sequence[str]) -> Result:
    """The result without those columns of ``least`` that are empty in every row."""
    if not result.rows:
        return result
    empty = [
        name
        for name in least
        if name in result.columns and _is_empty(result, result.columns.index(name))
    ]
    return only_columns(result, [n for n in result.columns if n not in empty]) if empty else result


def _is_empty(result: Result, place: int) -> bool:
    if isinstance(result.rows, TableRows):
        column = result.rows.table.column(place)
        return bool(column.null_count == len(column))
    return all(row[place] is None for row in result.rows)


def _place(columns: Sequence[str], name: str) -> int:
    if name in columns:
        return columns.index(name)
    near = get_close_matches(name, columns, n=1)
    hint = f"did you mean {near[0]}?" if near else f"columns: {', '.join(columns)}"
    raise UsageProblem(f"there is no column {name!r} in the answer", hint)
