"""Rows of an answer: a sequence of mappings that turns into a data frame or an Arrow table."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from ingest.render.cells import escape_controls, plain
from ingest.render.formats import arrow_table
from ingest.stores.contract import QueryResult

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

_SHOWN = 20  # rows that a notebook shows


class Rows(Sequence[Mapping[str, Any]]):
    """An answer: ``rows[0]["failures"]``, iteration, ``len``; ``columns`` are the names in order.

    Instants are aware ``datetime`` values, absent values None.
    """

    def __init__(self, result: QueryResult, types: Mapping[str, str]) -> None:
        self._result = result
        self._types = types

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names."""
        return self._result.columns

    def __len__(self) -> int:
        return len(self._result.rows)

    @overload
    def __getitem__(self, at: int) -> Mapping[str, Any]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Mapping[str, Any]]: ...
    def __getitem__(self, at: int | slice) -> Mapping[str, Any] | Sequence[Mapping[str, Any]]:
        if isinstance(at, slice):
            return [self._row(values) for values in self._result.rows[at]]
        return self._row(self._result.rows[at])

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return map(self._row, self._result.rows)

    def _row(self, values: tuple[object, ...]) -> dict[str, Any]:
        return dict(zip(self.columns, values, strict=True))

    def arrow(self) -> "pa.Table":
        """The rows as an Arrow table, typed as the query declares its columns."""
        return arrow_table(self._result, self._types)

    def df(self) -> "pd.DataFrame":
        """The rows as a pandas data frame.

        :raises ImportError: when pandas is not installed (``pip install pandas``).
        """
        return self.arrow().to_pandas()

    def __repr__(self) -> str:
        return f"<{len(self)} rows: {', '.join(self.columns)}>"

    def _repr_html_(self) -> str:
        from html import escape

        def cell(tag: str, value: object) -> str:
            return f"<{tag}>{escape(escape_controls(plain(value, None)))}</{tag}>"

        head = "".join(cell("th", name) for name in self.columns)
        body = "".join(
            f"<tr>{''.join(cell('td', v) for v in row)}</tr>" for row in self._result.rows[:_SHOWN]
        )
        more = f"<p>{len(self) - _SHOWN} more rows</p>" if len(self) > _SHOWN else ""
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
