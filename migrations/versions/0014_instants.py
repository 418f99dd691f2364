"""Indexes over the instants of rows, for PostgreSQL: what is stored of one is looked up by it.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

from ingest.stores.migrate import is_postgresql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# rows come in the order of their instants, so a range of pages has few: some 30 KB a partition
_COLUMNS = {
    "requests": "started_at, completed_at",
    "stage_timings": "logged_at",
    "errors": "occurred_at",
    "cache_samples": "sampled_at",
    "http_requests": "logged_at",
}


def upgrade() -> None:
    for table, columns in _COLUMNS.items() if is_postgresql(op.get_bind()) else ():
        op.execute(
            f"create index {table}_instants on {table} using brin ({columns}) "
            "with (pages_per_range = 16, autosummarize = on)"
        )


def downgrade() -> None:
    for table in _COLUMNS if is_postgresql(op.get_bind()) else ():
        op.execute(f"drop index {table}_instants")
