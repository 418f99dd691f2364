"""Writes ``migrations/BACKEND.sql``: what all revisions together run on an empty store
(``--check``: is it so?).

A new store is made of it at once: Alembic and SQLAlchemy take most of a second to load and to go
through the revisions. For PostgreSQL a server of the tests is brought up, since revisions may look
at the database.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Engine, event

from docs.generate.keep import keep
from ingest.stores import migrate
from ingest.stores.contract import Store
from ingest.stores.duckdb.store import DuckDBStore
from ingest.stores.postgres.store import PostgresStore
from tests.support import clickhouse_server, postgres_server

_MODULE = "tests.support.schema_script"
_NOTES = re.compile(r"(?:insert into|alter table) `alembic_version`", re.I)
_LOOKING = ("select", "show", "exists")  # statements that begin so change nothing in an empty store


def written(store: Store) -> str:
    """The statements that bring an empty store to head, without those that only look."""
    with _statements() as statements:
        migrate.upgrade(store)
    if not isinstance(store, DuckDBStore | PostgresStore):
        statements = _version_last(statements)
    lines = "".join(f"{statement.strip()};\n" for statement in statements)
    return f"-- Generated from the revisions: python -m {_MODULE}\n{lines}"


def _version_last(statements: list[str]) -> list[str]:
    """Without a transaction a store has no revision until it has all of them: only the last one is
    noted.
    """
    noted = [s for s in statements if _NOTES.match(s)]
    inserted = [s for s in noted if s.lower().startswith("insert")]
    return [*(s for s in statements if s not in noted), inserted[-1]]


@contextmanager
def _statements() -> Iterator[list[str]]:
    """What is run on engines meanwhile, as the database gets it."""
    kept: list[str] = []

    def keep_it(_: object, __: object, sql: str, parameters: object, context: Any, ___: bool) -> None:  # fmt: skip  # noqa: E501
        if sql.split(None, 1)[0].lower() in _LOOKING:
            return
        if parameters:
            raise ValueError(f"a revision binds parameters, which a script cannot: {sql}")
        doubled = context.dialect.paramstyle in ("format", "pyformat")
        kept.append(sql.replace("%%", "%") if doubled else sql)

    event.listen(Engine, "before_cursor_execute", keep_it)
    try:
        yield kept
    finally:
        event.remove(Engine, "before_cursor_execute", keep_it)


@contextmanager
def empty_stores() -> Iterator[tuple[Store, ...]]:
    """An empty store of each backend; on ClickHouse its database is there."""
    server = postgres_server.server()
    with TemporaryDirectory() as name:
        yield (
            DuckDBStore(Path(name) / "new.duckdb"),
            postgres_server.store_of(server.new_database()),
            clickhouse_server.empty_store(),
        )


def main(arguments: list[str]) -> int:
    """Write the scripts, or with ``--check`` say which is stale; the exit code."""
    with empty_stores() as stores:
        return max(keep(migrate.script(s), written(s), _MODULE, arguments) for s in stores)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
