"""Whose run it was: hosts ingest at once where the store is a server.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "ingest_runs", sa.Column("host", sa.String(), comment="machine whose logs it read")
    )


def downgrade() -> None:
    op.drop_column("ingest_runs", "host")
