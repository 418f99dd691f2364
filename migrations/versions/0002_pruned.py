"""What retention took, so that nobody misses it.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "pruned",
        sa.Column(
            "table_name",
            sa.String(),
            primary_key=True,
            autoincrement=False,
            nullable=False,
            comment="the table",
        ),
        sa.Column("pruned_before", _INSTANT, comment="rows older than this were removed"),
        sa.Column(
            "text_pruned_before", _INSTANT, comment="users' words older than this were removed"
        ),
        sa.Column("rows", sa.BigInteger(), nullable=False, comment="rows removed so far"),
        sa.Column(
            "pruned_at",
            _INSTANT,
            comment="when the last pruning was complete and its space given back; null before",
        ),
        comment="One row a table that ttsq prune has taken rows or texts from.",
    )


def downgrade() -> None:
    op.drop_table("pruned")
