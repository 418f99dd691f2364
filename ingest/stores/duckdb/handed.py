"""Arrow tables that the statements of a transaction read.

As streams of Arrow's C interface: DuckDB reads these itself, a table through ``pyarrow.dataset``,
which takes longer to load than a small commit's rows to insert. And a transaction keeps what was
registered in it until it ends: a stream that was read holds nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


RELATED_ROWS = 2048  # of one answer; DuckDB asks for the memory of a million at once


@contextmanager
def handed(connection: "duckdb.DuckDBPyConnection", **tables: "pa.Table") -> Iterator[None]:
    """Tables by their names in statements, one of which may read each of them, once.

    What a statement names twice, it puts into ``with ... as materialized``.
    """
    for name, table in tables.items():
        connection.register(name, _stream(table))
    yield
    for name in tables:
        connection.unregister(name)


@contextmanager
def kept(connection: "duckdb.DuckDBPyConnection", name: str, table: "pa.Table") -> Iterator[None]:
    """A table that several statements may read, as often as they like."""
    with handed(connection, handed_rows=table):
        connection.execute(f"create temp table {name} as from handed_rows")
    yield
    connection.execute(f"drop table temp.{name}")


def related(
    connection: "duckdb.DuckDBPyConnection",
    sql: str,
    binds: Sequence[object],
    **tables: "pa.Table",
) -> "pa.Table":
    """The few rows that are found with the rows of some tables."""
    with handed(connection, **tables):
        return connection.execute(sql, binds).to_arrow_table(batch_size=RELATED_ROWS)


def _stream(table: "pa.Table") -> object:
    import pyarrow as pa

    batches = iter(table.to_batches())
    return pa.RecordBatchReader.from_batches(table.schema, batches).__arrow_c_stream__()
