"""Some of a result's columns, in the order asked for."""

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


def _place(columns: Sequence[str], name: str) -> int:
    if name in columns:
        return columns.index(name)
    near = get_close_matches(name, columns, n=1)
    hint = f"did you mean {near[0]}?" if near else f"columns: {', '.join(columns)}"
    raise UsageProblem(f"there is no column {name!r} in the answer", hint)
