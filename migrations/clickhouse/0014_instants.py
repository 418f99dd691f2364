"""Nothing: tables on ClickHouse are in the order of their instants anyway.

Revision ID: 0014
Revises: 0013
"""

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tables have what they need."""


def downgrade() -> None:
    """As above."""
