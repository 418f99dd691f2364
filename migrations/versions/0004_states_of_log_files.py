"""The states that a log file can have, in the comment of their column.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_BEFORE = "live, finished, waiting, damaged, edited or missing"
_AFTER = "live, finished, waiting, damaged, edited or replaced"


def upgrade() -> None:
    op.alter_column(
        "log_files", "state", existing_type=sa.String(), existing_nullable=False,
        existing_comment=_BEFORE, comment=_AFTER,
    )  # fmt: skip


def downgrade() -> None:
    op.alter_column(
        "log_files", "state", existing_type=sa.String(), existing_nullable=False,
        existing_comment=_AFTER, comment=_BEFORE,
    )  # fmt: skip
