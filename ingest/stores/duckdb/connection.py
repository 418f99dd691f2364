"""Connections of DuckDB that hold a store to write to it, and new stores."""

import os
import stat
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import duckdb

from ingest.stores.duckdb.memory import LITTLE_MEMORY

UTC = "set TimeZone = 'UTC'"
NEW = ".new"  # how the file is called, beside its place, in which a store is made
# DuckDB 1.4 and later read the file; what the older default writes is larger, and slower to write
STORAGE_VERSION = "v1.4.0"
SETTINGS: dict[str, Any] = {
    "threads": 1,
    "memory_limit": "512MB",
    "storage_compatibility_version": STORAGE_VERSION,
}
# rows; a row group that a commit leaves incomplete is written once more by the next: small ones
# waste little
ROW_GROUP_SIZE = 32768
COMMITTING: dict[str, Any] = {
    **SETTINGS,
    # rows go to the file as soon as a row group is full: more memory would make a commit no quicker
    "memory_limit": LITTLE_MEMORY,
    # A commit writes a checkpoint, and no log before it: the file is let go behind every one, which
    # would write it anyway.
    "checkpoint_threshold": "0B",
    "max_vacuum_tasks": 0,
}
# A commit that merges small row groups writes their rows anew, be they a hundred times as many as
# its own; without any merge a table would be made of small ones. So every commit of many rows
# merges, and of those of few rows one in so many.
MERGE_EVERY = 8
MERGING, NOT_MERGING = "set max_vacuum_tasks = 100", "set max_vacuum_tasks = 0"


def unattached(settings: dict[str, Any], spill: Path) -> duckdb.DuckDBPyConnection:
    """A connection without a store; ``spill`` is the folder for what exceeds its memory."""
    return duckdb.connect(":memory:", config={**settings, "temp_directory": str(spill)})


def attach(
    connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool = False
) -> duckdb.DuckDBPyConnection:
    """Have a connection hold a store; the size of row groups is an option of ATTACH alone."""
    quoted = str(path).replace("'", "''")
    written = f"row_group_size {ROW_GROUP_SIZE}, storage_version '{STORAGE_VERSION}'"
    try:
        connection.execute(f"attach '{quoted}' as store ({'read_only' if read_only else written})")
        connection.execute("use store")
    except BaseException:
        connection.close()
        raise
    return connection


def make(path: Path, script: str, spill: Path) -> None:
    """Make a store by a script: in a file beside it, which takes its place when it is complete.

    Whoever is killed meanwhile leaves no store, nor a file that is none. An empty file in that
    place is replaced, its mode kept. The caller has the store's lock.
    """
    place = Path(os.path.realpath(path))
    new = place.with_name(f"{place.name}.{os.getpid()}{NEW}")
    try:
        with closing(unattached(SETTINGS, spill)) as connection:
            attach(connection, new)
            connection.execute(UTC)
            connection.execute(f"begin; {script} commit")
            connection.execute("use memory")
            connection.execute("detach store")
        with suppress(FileNotFoundError):
            os.chmod(new, stat.S_IMODE(os.stat(place).st_mode))
        os.replace(new, place)
    finally:
        for left in (new, new.with_name(f"{new.name}.wal")):
            left.unlink(missing_ok=True)
