"""No space left, and a store that can only be read: told in one sentence, nothing half done,
completed once there is room.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness
from tests.support.command_line import ROOT, CommandLine
from tests.support.log_writer import Journal, stored_rows, to_bytes

_CHUNK = 100_000  # bytes; what a chunk needs in the store is about as much

_COMMANDS = """
ttsq() { TTSQ "$@"; }
step() {
  code=0
  ttsq ingest "$LOG" --final --host h --service s >"$OUT/$1.out" 2>"$OUT/$1.err" || code=$?
  echo $code >"$OUT/$1.code"
}
"""
# A file system of its own for the store, seen by this shell and its children. A step's exit code
# and messages go to files; so does the store as the first step leaves it.
_SMALL_DISK = """
set -e
mount -t tmpfs -o size=$SIZE tmpfs "$DISK"
cp "$STORE" "$DISK/store.duckdb"
step full; step still_full
ttsq status > "$OUT/status"
cp "$DISK"/store.duckdb* "$OUT/"
mount -o remount,size=200m "$DISK"
step room
cp "$DISK/store.duckdb" "$STORE"
"""
_READ_ONLY = """
set -e
mount --bind "$WHAT" "$WHAT"
mount -o remount,bind,ro "$WHAT"
step read_only
ttsq status --json > "$OUT/status"
umount "$WHAT"
step writable
"""


@dataclass(frozen=True)
class Told:
    """How a run in the shell ended."""

    code: int
    err: str


class Place:
    """A store that knows the first records of a log, which has grown since."""

    def __init__(self, folder: Path) -> None:
        self.ttsq = CommandLine(folder)
        self.journal = Journal()
        self.log = folder / "app.log"
        self.store = harness.as_a_command_makes_it(harness.new_store(folder))
        self._append(20)
        harness.run(self.store, [self.log], final=True)
        self.before = self.log.stat().st_size
        self._append(1500)
        self.out = folder / "out"
        self.disk = folder / "disk"
        for made in (self.out, self.disk):
            made.mkdir()

    def _append(self, count: int) -> None:
        with self.log.open("ab") as file:
            file.write(to_bytes(self.journal.mixed(count)))

    def shell(self, script: str, store: Path, **names: str | Path) -> None:
        """Run a script in a mount namespace of its own; ``step NAME`` in it is an ingest, ``ttsq``
        any command.
        """
        small = [sys.executable, "-m", "tests.support.ttsq_in_small_chunks", str(_CHUNK)]
        ttsq = shlex.join([*small, "--db", f"duckdb:///{store}"])
        space = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
        values = names | {"OUT": self.out, "DISK": self.disk, "LOG": self.log}
        done = subprocess.run(
            [*space, "sh", "-c", _COMMANDS.replace("TTSQ", ttsq) + script],
            env=self.ttsq.environment | {k: str(v) for k, v in values.items()},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"this test mounts file systems of its own: {done.stderr}"

    def told(self, name: str) -> Told:
        """How a step ended."""
        out = self.out
        return Told(int((out / f"{name}.code").read_text()), (out / f"{name}.err").read_text())

    def expect_refusal(self, name: str) -> None:
        """A step ended with exit code 4, one sentence and a hint."""
        told = self.told(name)
        assert told.code == 4, told
        head, empty, hint = told.err.strip().split("\n")
        assert head.startswith("ttsq: error: ") and hint.startswith("hint: ") and not empty, told
        assert str(self.ttsq.folder) in head

    def expect_complete(self) -> None:
        """All is stored, once; the bytes of the runs are those of the files."""
        wrong = stored_rows(self.store).wrong(self.journal.rows())
        assert not wrong, wrong
        (known,) = self.store.checkpoints()
        assert known.record_bytes == self.log.stat().st_size
        with self.store.reading() as reader:
            rows = reader.query("select sum(record_bytes) from ingest_runs", {}).rows
        assert rows == [(known.record_bytes,)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def _offset(path: Path) -> int:
    (known,) = DuckDBStore(path).checkpoints()
    return known.committed_offset


@pytest.mark.parametrize("room", [0, 8, 1100, 2200], ids="{} KB left".format)
def test_no_space_left_while_loading_and_while_writing_back(place: Place, room: int) -> None:
    size = place.store.path.stat().st_size + room * 1024
    place.shell(_SMALL_DISK, place.disk / "store.duckdb", SIZE=str(size), STORE=place.store.path)
    for name in ("full", "still_full"):
        place.expect_refusal(name)
        assert re.search("No space left on device|offload data block", place.told(name).err)
    assert "app.log" in (place.out / "status").read_text()
    stored = _offset(place.out / "store.duckdb")
    assert place.before <= stored < place.log.stat().st_size
    assert (stored > place.before) == (room > 1200)
    _expect_rows_up_to(place, stored)
    assert place.told("room").code == 0, place.told("room")
    place.expect_complete()


def _expect_rows_up_to(place: Place, offset: int) -> None:
    """What a full disk has left are the rows of whole commits."""
    first = place.out / "first"
    first.mkdir()
    (first / "app.log").write_bytes(place.log.read_bytes()[:offset])
    expected = harness.new_store(first)
    harness.run(expected, [first / "app.log"], final=True)
    wrong = stored_rows(DuckDBStore(place.out / "store.duckdb")).wrong(stored_rows(expected))
    assert not wrong, wrong


def test_a_commit_is_in_the_file_or_nowhere(place: Place) -> None:
    """No write-ahead log is left, which whoever copies the store would have to know of."""
    size = place.store.path.stat().st_size + 1600 * 1024
    place.shell(_SMALL_DISK, place.disk / "store.duckdb", SIZE=str(size), STORE=place.store.path)
    assert (place.out / "store.duckdb").exists()
    assert not list(place.out.glob("*.wal")) + list(place.store.path.parent.glob("*.wal"))


@pytest.mark.parametrize("what", ["store.duckdb", "."], ids=["file", "folder"])
def test_a_store_gone_read_only_is_refused_read_and_later_written(place: Place, what: str) -> None:
    folder = place.ttsq.folder / "store"
    folder.mkdir()
    store = folder / "store.duckdb"
    place.store.path.rename(store)
    place.store = DuckDBStore(store)
    before = store.read_bytes()
    place.shell(_READ_ONLY, store, WHAT=folder / what)
    place.expect_refusal("read_only")
    assert json.loads((place.out / "status").read_text())["log_files"]
    assert place.told("writable").code == 0, place.told("writable")
    assert store.read_bytes() != before
    place.expect_complete()
