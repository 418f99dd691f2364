"""All tables, on ClickHouse, whose stores begin with this revision of the schema.

Rows of a table NAME are in NAME_rows, all versions of them; NAME is a view of those that are seen.
Each statement does nothing where it was run before: ClickHouse changes a schema step by step.

Revision ID: 0012
Revises:
"""

from pathlib import Path

from alembic import op
from sqlalchemy import text

revision = "0012"
down_revision = None
branch_labels = None
depends_on = None


def _statements() -> list[str]:
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    return [s.strip() for s in "\n".join(lines).split(";\n") if s.strip(" \n;")]


def upgrade() -> None:
    for statement in _statements():
        op.get_bind().exec_driver_sql(statement.rstrip(";"))


def downgrade() -> None:
    made = [s.split("if not exists ", 1)[1].split(None, 1)[0] for s in _statements()]
    for name in reversed(made):
        op.execute(text(f"drop table if exists {name} sync"))
