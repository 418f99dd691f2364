"""Runs revisions on the connection that ``ingest.stores.migrate`` supplies."""

from alembic import context
from sqlalchemy import Connection, text

from ingest.stores.migrate import is_postgresql
from ingest.stores.tables import metadata


def run() -> None:
    """Run the revisions asked for in one transaction."""
    connection = context.config.attributes["connection"]
    if connection.dialect.name == "clickhousedb":
        import clickhouse_connect.cc_sqlalchemy.alembic  # noqa: F401 - teaches Alembic the engine
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
    if is_postgresql(connection):
        from ingest.stores.postgres.connection import ONE_MIGRATES

        connection.execute(text(ONE_MIGRATES))


run()
