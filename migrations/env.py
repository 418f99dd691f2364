"""Runs revisions on the connection that ``ingest.migrate`` hands over; nothing else creates tables."""

from alembic import context

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
        context.run_migrations()


run()
