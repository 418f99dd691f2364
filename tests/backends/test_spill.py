"""What exceeds a session's memory goes beside the store, to a folder of the process alone, and is
gone afterwards.
"""

import os
import subprocess
import sys
from pathlib import Path

from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness
from tests.support.command_line import CommandLine, lines

_SORTS = """
import sys
from pathlib import Path
from ingest.stores.duckdb.store import DuckDBStore
store = DuckDBStore(Path(sys.argv[1]))
for _ in range(3):
    with store.session(True) as connection:
        connection.execute("set enable_progress_bar = false; set memory_limit = '40MB'")
        connection.execute("set threads = 1")
        rows = connection.execute(
            "select count(*), sum(hash(a)) from (select md5(range::varchar) a, repeat(a, 3) b "
            "from range(400_000) order by a, b limit 399_999)"
        ).fetchall()
        print(rows, [p.name for p in store.path.parent.glob("*.spill")], flush=True)
"""


def test_two_sessions_at_one_store_spill_apart(tmp_path: Path) -> None:
    """From one working folder, at one store: each finds what it wrote itself."""
    store = harness.new_store(tmp_path)
    words = [sys.executable, "-c", _SORTS, str(store.path)]
    two = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=tmp_path) for _ in "ab"]
    told = [process.communicate()[0] for process in two]
    assert [process.returncode for process in two] == [0, 0]
    answers = {line.split(")]")[0] for each in told for line in each.splitlines()}
    assert len(answers) == 1
    for process, each in zip(two, told, strict=True):
        assert f"{store.path.name}.{process.pid}.spill" in each
    assert sorted(os.listdir(tmp_path)) == [store.path.name]


def test_an_ingest_removes_what_a_killed_one_has_left(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path)
    (tmp_path / "app.log").write_text(lines(0, 5))
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = DuckDBStore(ttsq.store).spill.with_name(f"{ttsq.store.name}.{gone.pid}.spill")
    kept = DuckDBStore(ttsq.store).spill  # of this process, which lives
    others = tmp_path / "other.duckdb.1234567.spill"
    for folder in (left, kept, others):
        folder.mkdir()
        (folder / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"x")
    ttsq.well("ingest", "app.log", "--final")
    assert not left.exists() and kept.exists() and others.exists()
