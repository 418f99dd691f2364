"""Users' texts may be hashed or dropped: a request's parts know their text's class and length
without it.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

from ingest.stores.migrate import is_postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    text = sa.String(collation="C") if is_postgresql(op.get_bind()) else sa.String()
    op.add_column("request_parts", sa.Column("text_class", text, comment="class of the text"))
    op.add_column(
        "request_parts",
        sa.Column("text_points", sa.BigInteger(), comment="code points of the text"),
    )
    op.create_table(
        "text_salts",
        sa.Column("salt_key", sa.Integer(), autoincrement=False, comment="1: there is one"),
        sa.Column("salt", text, nullable=False, comment="hexadecimal"),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False, comment="made"),
        sa.PrimaryKeyConstraint("salt_key"),
        comment="The key of the hashes that stand for texts (--text hash): readers who do not have "
        "it cannot guess them.",
    )


def downgrade() -> None:
    op.drop_table("text_salts")
    op.drop_column("request_parts", "text_points")
    op.drop_column("request_parts", "text_class")
