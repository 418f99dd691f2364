"""Ingest into a real store, and read its tables in the shape of the reference parser's."""

import json
import shutil
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from unittest.mock import patch
from zoneinfo import ZoneInfo

from ingest.model import RunReport
from ingest.pipeline import ingest as pipeline
from ingest.pipeline.options import Options
from ingest.records.formats import compile_format
from ingest.stores import migrate
from ingest.stores.contract import Store
from ingest.stores.duckdb import connection
from ingest.stores.duckdb.store import DuckDBStore

Row = dict[str, object]
Tables = dict[str, list[Row]]
TABLES = ("requests", "stage_timings", "errors", "cache_samples", "quarantine")
# with what stage times are told by their request and their log file
_ALL = {
    "stage_timings": "select s.*, r.id, f.host from stage_timings s "
    "left join requests r on r.request_key = s.request_key "
    "left join log_files f on f.file_key = s.file_key"
}
ENGINES = ("duckdb", "postgresql")
_SHIFT = 40
_SMALL_BLOCK, _USUAL_BLOCK = 16384, 262144  # bytes: the least that DuckDB takes, its default


@cache
def _template(block_bytes: int) -> Path:
    """An empty store to copy."""
    path = Path(mkdtemp()) / "template.duckdb"
    with patch.dict(connection.SETTINGS, default_block_size=block_bytes):
        migrate.ensure_head(DuckDBStore(path))
    return path


def new_store(folder: Path) -> DuckDBStore:
    """A migrated empty store in a folder."""
    return new_store_at(folder / "store.duckdb")


def new_store_at(path: Path) -> DuckDBStore:
    """A migrated empty store. Its blocks are small: a commit clears and writes one of 256 KB for
    each column that it touches, which is a third of what a run of a small log costs.
    """
    shutil.copy(_template(_SMALL_BLOCK), path)
    return DuckDBStore(path)


def as_a_command_makes_it(store: DuckDBStore) -> DuckDBStore:
    """The same empty store with DuckDB's own blocks: for the command line, and where bytes of the
    file are counted or searched.
    """
    shutil.copy(_template(_USUAL_BLOCK), store.path)
    return store


def new_store_of(engine: str, folder: Path) -> Store:
    """A migrated empty store of an engine; a file is made in a folder."""
    if engine == "postgresql":
        from tests.support import postgres_server

        return postgres_server.new_store()
    if engine == "clickhouse":
        from tests.support import clickhouse_server

        return clickhouse_server.new_store()
    return new_store(folder)


def run(
    store: Store,
    paths: Sequence[Path],
    *,
    final: bool = False,
    chunk_bytes: int = 1 << 20,
    batch_chunks: int = 1,
    log_format: str | None = None,
    tz: str = "UTC",
    host: str = "h",
    stage_time: str = "elapsed",
    escapes: str = "backslash",
    wait_seconds: float = 10.0,
    exclude: Sequence[str] = (),
    on_file: Callable[[str], None] = lambda path: None,
) -> RunReport:
    """One run of the ingest over some files; so many chunks make a commit."""
    kwargs = {"stage_time": stage_time, "escapes": escapes}
    fmt = compile_format(log_format, **kwargs) if log_format else compile_format(**kwargs)
    options = Options(
        host,
        "s",
        fmt,
        UTC if tz == "UTC" else ZoneInfo(tz),
        final=final,
        wait_seconds=wait_seconds,
        chunk_bytes=chunk_bytes,
        batch_bytes=batch_chunks * chunk_bytes,
        exclude=exclude,
    )
    named = [str(p) for p in paths]
    return pipeline.ingest(store, named, options, now=lambda: datetime.now(UTC), on_file=on_file)


def runs_add_up(store: Store) -> None:
    """The runs' account is that of the files; twice the bytes would be told if a file counted as
    read and as being read.
    """
    with store.reading() as reader:
        runs = reader.query("select sum(record_bytes), sum(records) from ingest_runs", None).rows
        files = reader.query("select sum(record_bytes), sum(records) from log_files", None).rows
    assert [tuple(map(int, r)) for r in runs] == [tuple(map(int, r)) for r in files]  # type: ignore[call-overload]


def dump(store: Store, names: Sequence[Path]) -> dict[str, list[Row]]:
    """All rows, sorted, with files as indexes into ``names`` and keys as (file, offset)."""
    files = {str(p): i for i, p in enumerate(names)}
    index = {c.file_key: files[c.path] for c in store.checkpoints()}
    result: dict[str, list[Row]] = {}
    with store.reading() as reader:
        for table in TABLES:
            found = reader.query(_ALL.get(table, f"select * from {table}"), {})
            rows = [_row(dict(zip(found.columns, r, strict=True)), index) for r in found.rows]
            result[table] = sorted(rows, key=repr)
    return result


def _row(row: Row, index: dict[int, int]) -> Row:
    out: Row = {}
    for name, value in row.items():
        if name.endswith("file_key"):
            out[name.removesuffix("_key")] = None if value is None else index[value]  # type: ignore[index]
        elif name in ("request_key", "error_key", "sample_key"):
            out[name] = None if value is None else _place(value, index)  # type: ignore[arg-type]
        elif name == "attributes":
            out[name] = None if value is None else json.loads(value)  # type: ignore[arg-type]
        elif isinstance(value, datetime):
            out[name] = value.astimezone(UTC)
        elif name != "quarantined_at":
            out[name] = value
    out.pop("quarantined_at", None)
    return out


def _place(key: int, index: dict[int, int]) -> tuple[int, int]:
    return index[key >> _SHIFT], key & ((1 << _SHIFT) - 1)
