"""Runs revisions on the connection that ``ingest.migrate`` hands over; nothing else creates tables."""

from alembic import context
from sqlalchemy import Connection, text

from ingest.schema import metadata


def run() -> None:
    """Run the revisions asked for in one transaction."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        compare_type=True,
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        _wait_for_others(connection)
        context.run_migrations()


def _wait_for_others(connection: Connection) -> None:
    """Let one process at a time migrate a schema that several may find empty at once."""
    if connection.dialect.name == "postgresql":
        key = "hashtextextended('ttsq migrations of ' || current_schema(), 0)"
        connection.execute(text(f"select pg_advisory_xact_lock({key})"))


run()
