"""The engines that a query is held to: a store of each that holds given rows, and a session of it
in any zone.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

from ingest.stores.contract import Reader, Store
from ingest.stores.duckdb.store import DuckDBReader, DuckDBStore
from ingest.stores.postgres.copy import copy_in
from ingest.stores.postgres.store import PostgresReader, PostgresStore
from tests.queries.rows import Rows, contents, make_store
from tests.support import postgres_server

ENGINES = ("duckdb", "postgresql")


def store_of(engine: str, path: Path, rows: Rows) -> Store:
    """A store at head that holds the rows; ``path`` is where a file may be made."""
    return make_store(path, rows) if engine == "duckdb" else _on_server(rows)


def _on_server(rows: Rows) -> PostgresStore:
    store = postgres_server.new_store()
    with store.connected("tests") as connection:
        for name, content in contents(rows).items():
            copy_in(connection, name, _typed(pa.Table.from_pylist(content)))
    return store


def _typed(table: pa.Table) -> pa.Table:
    """Numbers as wide as the columns are."""
    if "seq" in table.column_names:
        place = table.column_names.index("seq")
        table = table.set_column(place, "seq", table["seq"].cast(pa.int32()))
    for name in ("text_len", "request_key", "http_status", "tokens"):
        if name in table.column_names:
            place = table.column_names.index(name)
            table = table.set_column(place, name, table[name].cast(pa.int64()))
    return table


@contextmanager
def session_in(store: Store, zone: str) -> Iterator[Reader]:
    """A reading session whose zone is not UTC."""
    if isinstance(store, PostgresStore):
        with store.connected("tests") as connection:
            connection.execute("select set_config('TimeZone', %s, false)", [zone])
            connection.execute("begin read only")
            yield PostgresReader(connection)
        return
    assert isinstance(store, DuckDBStore)
    # a file of its own: one process opens a file in one way only
    copy = store.path.with_suffix(".zoned")
    if not copy.exists():
        shutil.copy(store.path, copy)
    with duckdb.connect(str(copy), read_only=True) as connection:
        connection.execute(f"set TimeZone = '{zone}'")
        yield DuckDBReader(connection)
