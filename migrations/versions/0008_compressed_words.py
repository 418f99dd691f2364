"""On DuckDB, columns of free text are stored compressed by Zstandard: a third of their size, and
quicker to write.

How a column is compressed is said when its table is made, so the tables are made anew and their
rows copied.

Revision ID: 0008
Revises: 0007
"""

import re

from alembic import op
from sqlalchemy import text

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = {
    "requests": ("text",),
    "request_parts": ("text",),
    "errors": ("message",),
    "quarantine": ("raw",),
}


def upgrade() -> None:
    """Make the tables of texts with that compression."""
    _make_anew(" using compression zstd")


def downgrade() -> None:
    """Leave the choice to DuckDB again."""
    _make_anew("")


def _make_anew(compression: str) -> None:
    if op.get_bind().dialect.name != "duckdb":
        return
    for table, columns in _COLUMNS.items():
        statement, comments = _definition(table)
        for column in columns:
            plain = re.compile(rf'([(,] ?"?{column}"? VARCHAR)')
            statement = plain.sub(rf"\1{compression}", statement, count=1)
        run = op.get_bind().exec_driver_sql
        run(statement.replace(f"CREATE TABLE {table}(", "CREATE TABLE made_anew(", 1))
        run(f"insert into made_anew select * from {table}")
        run(f"drop table {table}")
        run(f"alter table made_anew rename to {table}")
        for place, comment in comments:
            quoted = comment.replace("'", "''")
            run(f"comment on {place} is '{quoted}'")


def _definition(table: str) -> tuple[str, list[tuple[str, str]]]:
    """How a table was made, and what is said of it and its columns."""
    bind = op.get_bind()
    named = {"table": table}
    statement = bind.execute(
        text("select sql from duckdb_tables() where table_name = :table"), named
    ).scalar_one()
    rows = bind.execute(
        text(
            "select 'table ' || table_name, comment from duckdb_tables() "
            "where table_name = :table and comment is not null union all "
            "select 'column ' || table_name || '.\"' || column_name || '\"', comment "
            "from duckdb_columns() where table_name = :table and comment is not null"
        ),
        named,
    )
    return str(statement), [(str(place), str(comment)) for place, comment in rows]
