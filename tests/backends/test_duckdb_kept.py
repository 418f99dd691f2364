"""A DuckDB store between two commits of one process: let go, whatever became of the first."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from ingest.errors import StoreError
from ingest.model import Changes
from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness

_AT = datetime(2026, 3, 2, tzinfo=UTC)
_WRITE = "import duckdb, sys; duckdb.connect(sys.argv[1]).execute('create table theirs (n int)')"


def _open_files(store: DuckDBStore) -> list[str]:
    links = [Path("/proc/self/fd", name) for name in os.listdir("/proc/self/fd")]
    names = [os.readlink(link) for link in links if link.is_symlink()]
    return [name for name in names if Path(name).name.startswith(store.path.name)]


def _salt(store: DuckDBStore, new: str) -> str:
    with store.writing() as writer:
        salt = writer.text_salt(new, _AT)
        assert _open_files(store)
        writer.commit([], None)
    return salt


def test_others_write_between_two_commits(tmp_path: Path) -> None:
    store = harness.new_store(tmp_path)
    assert _salt(store, "first") == "first"
    assert not _open_files(store)
    subprocess.run([sys.executable, "-c", _WRITE, str(store.path)], check=True, timeout=60)
    assert _salt(store, "second") == "first"
    with store.reading() as reader:
        assert reader.query("select count(*) from theirs", None).rows == [(0,)]


def test_what_was_not_committed_is_gone(tmp_path: Path) -> None:
    store = harness.new_store(tmp_path)
    with store.writing() as writer:
        writer.text_salt("dropped", _AT)
    assert not _open_files(store)
    assert _salt(store, "kept") == "kept"


@pytest.mark.parametrize("error", [StoreError("no", "no"), KeyboardInterrupt()], ids=str)
def test_behind_an_error_too(tmp_path: Path, error: BaseException) -> None:
    store = harness.new_store(tmp_path)
    _salt(store, "first")
    with pytest.raises(type(error)), store.writing() as writer:
        writer.text_salt("dropped", _AT)
        raise error
    assert not _open_files(store)
    assert _salt(store, "second") == "first"


def test_a_transaction_keeps_no_rows_that_it_has_written(tmp_path: Path) -> None:
    """A log that is read anew is one transaction, however long."""
    store = harness.new_store(tmp_path)
    before = pa.total_allocated_bytes()
    with store.writing() as writer:
        for n in range(20):
            numbers = pa.array(range(n * 5000, n * 5000 + 5000), pa.int64())
            rows = pa.table({"file_key": numbers, "byte_offset": numbers, "byte_length": numbers})
            rows = rows.append_column("mark", numbers)
            rows = rows.append_column("line_hashes", pa.array([b"ab" * 64] * 5000, pa.binary()))
            writer.write(Changes(quarantined_at=_AT, rows={"stored_lines": [rows]}))
            size = rows.nbytes
            del numbers, rows
        assert pa.total_allocated_bytes() - before < 3 * size
        writer.commit([], None)
    with store.reading() as reader:
        assert reader.query("select count(*) from stored_lines", None).rows == [(100_000,)]
