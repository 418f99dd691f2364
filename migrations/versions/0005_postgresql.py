"""What a server needs beside the tables: indexes, keys for hosts that ingest at once, texts
compared as on DuckDB.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from ingest.stores.migrate import is_postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# name, table, columns and which rows
_INDEXES = (
    ("unique index requests_key", "requests (request_key, logged_at)"),
    ("index requests_id", "requests (id)"),
    ("index requests_request_id", "requests (request_id) where request_id is not null"),
    ("index requests_start", "requests (start_file_key, start_offset)"),
    ("index requests_end", "requests (end_file_key, end_offset)"),
    (
        "index requests_long",
        "requests (completed_at) where completed_at - logged_at >= interval '24 hours'",
    ),
    ("index stage_timings_request_key", "stage_timings (request_key)"),
    ("index stage_timings_id", "stage_timings (id)"),
    ("index stage_timings_place", "stage_timings (file_key, byte_offset)"),
    ("unique index errors_key", "errors (error_key, occurred_at)"),
    ("index errors_id", "errors (id)"),
    ("index errors_request_key", "errors (request_key)"),
    ("index errors_request_id", "errors (request_id) where request_id is not null"),
    ("unique index cache_samples_key", "cache_samples (sample_key, sampled_at)"),
    ("index request_parts_id", "request_parts (id)"),
    ("index request_parts_request_key", "request_parts (request_key)"),
    ("index request_parts_place", "request_parts (file_key, first_offset)"),
    ("index quarantine_place", "quarantine (file_key, byte_offset)"),
    ("index log_files_host", "log_files (host)"),
)
_KEYS = (("file_keys", "log_files", "file_key"), ("run_keys", "ingest_runs", "run_key"))
_TABLES = (
    "cache_samples",
    "errors",
    "ingest_runs",
    "log_files",
    "pruned",
    "quarantine",
    "request_parts",
    "requests",
    "stage_timings",
)


def _is_postgresql() -> bool:
    return is_postgresql(op.get_bind())


def upgrade() -> None:
    if not _is_postgresql():
        return
    _collate('"C"')
    for index, rows in _INDEXES:
        op.execute(f"create {index} on {rows}")
    for sequence, table, column in _KEYS:
        op.execute(f"create sequence {sequence}")
        op.execute(
            f"select setval('{sequence}', coalesce(max({column}), 0) + 1, false) from {table}"
        )


def downgrade() -> None:
    if not _is_postgresql():
        return
    for sequence, _, _ in _KEYS:
        op.execute(f"drop sequence {sequence}")
    for index, _ in _INDEXES:
        op.execute(f"drop index {index.split()[-1]}")
    _collate('"default"')


def _collate(collation: str) -> None:
    """Compare and sort texts by code point, or as the database does, without a rewrite."""
    columns = sa.inspect(op.get_bind()).get_columns
    for table in _TABLES:
        changes = ", ".join(
            f"alter column {c['name']} type varchar collate {collation}"
            for c in columns(table)
            if isinstance(c["type"], sa.String)
        )
        op.execute(f"alter table {table} {changes}")
