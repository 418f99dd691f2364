"""Writes ``migrations/duckdb.sql``: what all revisions together run on an empty DuckDB store (``--check``: is it so?).

A new store is made of it at once: Alembic and SQLAlchemy take a second to load and to go through the revisions.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import event

from ingest import migrate
from ingest.backends.duckdb import DuckDBStore
from ingest.generated import keep
from ingest.resources import folder

SCRIPT = folder("migrations") / "duckdb.sql"
_HEAD = "-- Generated from the revisions: python -m ingest.schema_script\n"


def written() -> str:
    """The statements, one behind the other, but for those that only look."""
    with TemporaryDirectory() as name:
        store = _Watched(Path(name) / "new.duckdb")
        migrate.upgrade(store)
    return _HEAD + "".join(f"{statement.strip()};\n" for statement in store.statements)


class _Watched(DuckDBStore):
    """A store that keeps what is run on its engine."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.statements: list[str] = []

    def engine(self) -> Any:
        engine = super().engine()
        event.listen(engine, "before_cursor_execute", self._keep)
        return engine

    def _keep(
        self, _: object, __: object, statement: str, parameters: object, *___: object
    ) -> None:
        if statement.split(None, 1)[0].lower() == "select":
            return
        if parameters:
            raise ValueError(f"a revision binds parameters, which a script cannot: {statement}")
        self.statements.append(statement)


def main(arguments: list[str]) -> int:
    """Write the script, or with ``--check`` say whether it is stale; the exit code."""
    return keep(SCRIPT, written(), "ingest.schema_script", arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
