"""Stage times without the id and the host, which are their request's and their log file's: the view
has them.

Revision ID: 0013
Revises: 0012
"""

from collections.abc import Iterator
from pathlib import Path

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_ROWS = "stage_timings_rows"
_FILLED = "stage_timings_rows_filled"
_SHARED = (
    "request_key, stage, seq, logged_at, elapsed_ms, duration_ms, file_key, byte_offset, version"
)
_BEFORE = (
    f"alter table {_ROWS} add column if not exists id Nullable(String) "
    "comment 'the service\\'s id of the request' codec(ZSTD(1)) after request_key",
    f"alter table {_ROWS} add column if not exists host LowCardinality(String) "
    "comment 'machine the log comes from' after id",
    f"alter table {_ROWS} add index if not exists id_bloom id type bloom_filter(0.01)",
)
_FILL = (
    f"drop table if exists {_FILLED} sync",
    f"create table {_FILLED} as {_ROWS}",
    f"insert into {_FILLED} ({_SHARED}, id, host) "
    f"select {', '.join(f's.{c.strip()}' for c in _SHARED.split(','))}, r.id, f.host "
    f"from {_ROWS} as s "
    "left join (select request_key, any(id) as id from requests_rows group by request_key) as r "
    "on r.request_key = s.request_key "
    "left join (select file_key, any(host) as host from log_files_rows group by file_key) as f "
    "on f.file_key = s.file_key",
    f"exchange tables {_ROWS} and {_FILLED}",
    f"drop table {_FILLED} sync",
)


def _statements(name: str, *made: str) -> Iterator[str]:
    """The statements of a file, or of it those that make views."""
    script = Path(__file__).with_name(f"{name}.sql").read_text(encoding="utf-8")
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    for statement in "\n".join(lines).split(";\n"):
        written = statement.strip(" \n;")
        if written and (not made or any(f"exists {view} (" in written for view in made)):
            yield written


def upgrade() -> None:
    for statement in _statements("0013_narrow_stage_timings"):
        op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    """The columns come back as they were; on a cluster, where a stage and its request may be on two
    servers, they come back empty.
    """
    run = op.get_bind().exec_driver_sql
    on_shards = run(f"exists table {_ROWS}_shard").scalar()
    for statement in (*_BEFORE, *(() if on_shards else _FILL)):
        run(statement)
    for statement in _statements("0012_tables", "stage_timings", "stage_times"):
        replaced = statement.replace("create view if not exists", "create or replace view")
        run(replaced)
