"""Hashes of the lines that were stored, by which content is recognised anywhere in a file, and
where it was.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLES = (
    (
        "stored_lines",
        "One row per group of lines that were stored: content is recognised by it.",
        (
            ("file_key", "bigint", "log file"),
            ("byte_offset", "bigint", "of the first line, uncompressed"),
            ("byte_length", "bigint", "up to the line behind the last"),
            ("mark", "bigint", "hash of the first line"),
            ("line_hashes", "blob", "16 bits of the hash of each line"),
        ),
    ),
    (
        "known_stretches",
        "One row per stretch of a log file whose records were stored from another place before.",
        (
            ("file_key", "bigint", "log file"),
            ("byte_offset", "bigint", "where it begins, uncompressed"),
            ("byte_length", "bigint", "its length"),
            ("stored_file_key", "bigint", "log file that it was stored from"),
            ("stored_offset", "bigint", "where it begins there"),
            ("is_edited", "boolean", "true: it is what was stored there, edited afterwards"),
        ),
    ),
)


def upgrade() -> None:
    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for table, comment, columns in _TABLES:
        typed = ", ".join(
            f"{name} {'bytea' if kind == 'blob' and is_postgresql else kind} not null"
            for name, kind, _ in columns
        )
        op.execute(f"create table {table} ({typed})")
        op.execute(f"comment on table {table} is '{comment}'")
        for name, _, words in columns:
            op.execute(f"comment on column {table}.{name} is '{words}'")
    if is_postgresql:
        op.execute("create index stored_lines_mark on stored_lines (mark)")
        op.execute("create index stored_lines_place on stored_lines (file_key, byte_offset)")
        op.execute("create index known_stretches_place on known_stretches (file_key, byte_offset)")


def downgrade() -> None:
    for table, _, _ in _TABLES:
        op.execute(f"drop table {table}")
