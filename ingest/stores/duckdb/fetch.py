"""The rows of a DuckDB statement: tuples where they are few, Arrow columns where they are many.

DuckDB takes 5 µs a row to make tuples, a tenth of that to make columns, but Arrow takes 0.1 s to
load. A result that was begun as tuples cannot be gone on with as columns: what is left of a vector
of 2048 rows at most is lost (1.5.6).
"""

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from ingest.stores.contract import QueryResult
from ingest.stores.results import TableRows

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FEW = 10_000  # rows; Arrow loads in the time that so many, fetched and shown, would save
# seconds; a statement that takes longer is not run once more: beside it, the time in which Arrow
# loads is little
_QUICK = 0.3
# Of these, Arrow has the values that DuckDB's tuples have; a HUGEINT, for one, would be a decimal,
# and a UUID text.
_SAME = frozenset(
    ["BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT",
     "FLOAT", "DOUBLE", "VARCHAR", "JSON", "DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE"]
)  # fmt: skip
# microseconds: the years 1 to 9999; outside them, and for infinity, DuckDB's tuples have text or
# the nearest instant
_INSTANTS = (-62_135_596_800_000_000, 253_402_300_799_999_999)
_DAYS = (-719_162, 2_932_896)  # the same in days


def fetched(run: "Callable[[], duckdb.DuckDBPyConnection]") -> QueryResult:
    """Run a read-only statement; ``run`` executes it, twice if its rows turn out to be many."""
    began = time.monotonic()
    cursor = run()
    is_quick = time.monotonic() - began < _QUICK
    described = cursor.description or ()
    names = tuple(d[0] for d in described)
    if not described or any(str(d[1]) not in _SAME for d in described):
        return QueryResult(names, cursor.fetchall())
    if "pyarrow" not in sys.modules and is_quick:
        few = cursor.fetchmany(FEW)
        if len(few) < FEW:
            return QueryResult(names, few)
        cursor = run()
    table = cursor.to_arrow_table()
    if not _within_python(table):
        return QueryResult(names, run().fetchall())
    rows = TableRows(table)
    return QueryResult(names, list(rows) if len(rows) < FEW else rows)


def _within_python(table: "pa.Table") -> bool:
    """Whether Python's datetime and date hold every instant and date."""
    import pyarrow as pa

    for column in table.columns:
        kind = column.type
        if not (pa.types.is_timestamp(kind) or pa.types.is_date32(kind)):
            continue
        import pyarrow.compute as pc

        least, most = _INSTANTS if pa.types.is_timestamp(kind) else _DAYS
        ends = pc.min_max(column.cast(pa.int64() if pa.types.is_timestamp(kind) else pa.int32()))
        low, high = ends["min"].as_py(), ends["max"].as_py()
        if low is not None and (low < least or high > most):
            return False
    return True
