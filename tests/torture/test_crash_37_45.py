"""Scenarios 37-45: killed at every step, no disk, two at once, stores that are held, missing,
older, newer or restored.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.errors import StoreBusyError, StoreError
from ingest.stores import migrate
from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness
from tests.support.command_line import ROOT
from tests.support.log_writer import stored_rows
from tests.torture.scene import Scene


def _interrupted(scene: Scene, name: str, stride: int) -> dict[int, int]:
    """Ingest into copies of the scene's store, each interrupted at another step; how each process
    ended.
    """
    words = [name, str(stride), str(scene.store.path), str(scene.folder), str(_copies(scene))]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.interrupted_ingest", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done
    return dict(tuple(map(int, line.split())) for line in done.stdout.splitlines())  # type: ignore[misc]


def _copies(scene: Scene) -> Path:
    folder = scene.folder.parent / "copies"
    folder.mkdir(exist_ok=True)
    return folder


def _expect_whole_commits(scene: Scene, store: DuckDBStore) -> int:
    """The rows are those of the bytes up to the committed offset, as an undisturbed ingest makes
    them; that offset.
    """
    (known,) = store.checkpoints()
    folder = scene.folder.parent / f"first-{known.committed_offset}"
    if not folder.exists():
        folder.mkdir()
        data = scene.path("app.log").read_bytes()[: known.committed_offset]
        (folder / "app.log").write_bytes(data)
        harness.run(harness.new_store(folder), [folder / "app.log"], final=True)
    wrong = stored_rows(store).wrong(stored_rows(DuckDBStore(folder / "store.duckdb")))
    assert not wrong, wrong
    return known.committed_offset


def _expect_repaired(scene: Scene, store: DuckDBStore) -> None:
    """A second run completes the tables."""
    harness.run(store, [scene.folder], final=True)
    wrong = stored_rows(store).wrong(scene.journal.rows())
    assert not wrong, wrong
    files = store.checkpoints()
    assert sum(c.record_bytes for c in files) == scene.journal.size


@pytest.mark.slow
def test_37_38_killed_at_every_step_of_a_batch(scene: Scene) -> None:
    """Among the steps: behind the rows and before the checkpoint, behind the commit and before the
    file is synced.
    """
    scene.append(scene.journal.mixed(5))
    scene.run()
    scene.append(scene.journal.mixed(6))
    ended = _interrupted(scene, "SIGKILL", 1)
    *killed, last = ended
    assert {ended[n] for n in killed} == {-signal.SIGKILL}
    assert len(killed) > 20
    seen = set()
    for step in [*killed, last]:
        store = DuckDBStore(_copies(scene) / f"{step}.duckdb")
        seen.add(_expect_whole_commits(scene, store))
        _expect_repaired(scene, store)
    assert len(seen) >= 2 and max(seen) == scene.journal.size
    scene.log(1)
    # the last one ended well; so did all that are told of
    harness.run(store, [scene.folder], final=True)
    with store.reading() as reader:
        rows = reader.query("select distinct status from ingest_runs", {}).rows
    assert rows == [("done",)]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_43_sigterm_and_ctrl_c_mid_batch(scene: Scene, name: str) -> None:
    scene.append(scene.journal.mixed(5))
    scene.run()
    scene.append(scene.journal.mixed(6))
    ended = _interrupted(scene, name, 9)
    *stopped, last = ended
    assert len(stopped) >= 3
    code = 130 if name == "SIGINT" else -signal.SIGTERM
    assert {ended[n] for n in stopped} == {code}
    for step in [*stopped, last]:
        store = DuckDBStore(_copies(scene) / f"{step}.duckdb")
        _expect_whole_commits(scene, store)
        _expect_repaired(scene, store)


def test_43_the_writer_is_killed_in_the_middle_of_a_line(scene: Scene) -> None:
    worker = scene.worker("append")
    worker.log(scene.journal, 5)
    worker.log_and_die(99, 20)
    scene.run()
    scene.expect(held=1)
    scene.append_bytes(b"\n")
    scene.worker("append").log(scene.journal, 5)
    scene.run()
    scene.run(final=True)
    with scene.store.reading() as reader:
        rows = reader.query("select message from errors", {}).rows
    for number in range(10):
        assert (
            len([r for r in rows if str(r[0]).split("\n")[0].strip() == f"failure {number}"]) == 1
        )


def test_39_a_store_that_is_missing(scene: Scene) -> None:
    scene.append(scene.journal.mixed(10))
    scene.ttsq.well("ingest", "logs")
    scene.store.path.unlink()  # its lock file stays
    scene.ttsq.well("ingest", "logs", "--final")
    scene.expect()
    scene.expect_bytes()


def test_39_a_store_that_is_older_is_migrated(scene: Scene) -> None:
    scene.append(scene.journal.mixed(10))
    migrate.downgrade(scene.store, "base")
    assert scene.store.revision() is None
    scene.ttsq.well("ingest", "logs", "--final")
    scene.expect()
    assert scene.store.revision() == migrate.head()


def test_39_a_store_that_is_newer_is_refused_and_left_alone(scene: Scene) -> None:
    scene.append(scene.journal.mixed(10))
    scene.run()
    scene.ttsq.execute("update alembic_version set version_num = '9999'")
    scene.append(scene.journal.mixed(10))
    before = scene.store.path.read_bytes()
    ended = scene.ttsq("ingest", "logs")
    assert (ended.code, "newer than this ttsq" in ended.err) == (4, True)
    assert scene.store.path.read_bytes() == before
    scene.ttsq.execute(f"update alembic_version set version_num = '{migrate.head()}'")
    scene.expect_all()


_DISK_FULL = """
set -e
mount -t tmpfs -o size={kilobytes}k tmpfs "$1"
cp "$2" "$1/store.duckdb"
code=0
"$3" -m ingest --db "duckdb:///$1/store.duckdb" ingest "$4" --final || code=$?
cp "$1/store.duckdb" "$2.full"
[ ! -e "$1/store.duckdb.wal" ] || cp "$1/store.duckdb.wal" "$2.full.wal"
mount -o remount,size=200m "$1"
"$3" -m ingest --db "duckdb:///$1/store.duckdb" ingest "$4" --final
cp "$1/store.duckdb" "$2"
exit $code
"""


@pytest.mark.parametrize("room", [0, 300, 900], ids="{} KB left".format)
def test_40_the_disk_is_full_while_loading_and_while_checkpointing(scene: Scene, room: int) -> None:
    harness.as_a_command_makes_it(scene.store)
    scene.append(scene.journal.mixed(100))
    scene.run(chunk=1 << 20)
    scene.append(scene.journal.mixed(6000))
    disk = scene.folder.parent / "disk"
    disk.mkdir()
    kilobytes = scene.store.path.stat().st_size // 1024 + room
    words = (disk, scene.store.path, sys.executable, scene.folder)
    # a file system of its own, seen by this one process and its children
    space = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    ended = subprocess.run(
        [*space, "sh", "-c", _DISK_FULL.format(kilobytes=kilobytes), "sh", *map(str, words)],
        env=scene.ttsq.environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 4, ended
    assert "ttsq: error: " in ended.stderr
    assert "Traceback" not in ended.stderr
    full = DuckDBStore(scene.store.path.with_name(scene.store.path.name + ".full"))
    _expect_whole_commits(scene, full)
    scene.expect_all()


def _ingest(scene: Scene, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ingest", "ingest", "logs", *words],
        cwd=scene.ttsq.folder,
        env=scene.ttsq.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_41_two_runs_at_once(scene: Scene) -> None:
    for name in ("app.log.2", "app.log.1", "app.log"):
        scene.append(scene.journal.mixed(300), name)
    runs = [_ingest(scene, "--final", "--wait", "60") for _ in range(3)]
    for run in runs:
        out, err = run.communicate(timeout=120)
        assert run.returncode == 0, (out, err)
    scene.expect()
    scene.expect_bytes()


def test_41_the_second_leaves_with_its_own_exit_code(scene: Scene) -> None:
    scene.append(scene.journal.mixed(10))
    with open(f"{scene.store.path}.lock", "w") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX, 1)
        ended = scene.ttsq("ingest", "logs", "--wait", "0.2")
    assert (ended.code, "another ingest holds" in ended.err) == (5, True)
    assert not scene.store.checkpoints()
    scene.expect_all()


@contextmanager
def _holding(store: Path, mode: str, seconds: float = 60) -> Iterator[None]:
    """Another process that has the store open."""
    script = (
        f"import duckdb, time; c = duckdb.connect({str(store)!r}, read_only={mode == 'reader'})\n"
        f"print('open', flush=True); time.sleep({seconds}); c.close()"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    try:
        yield
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("mode", ["reader", "writer"])
def test_42_44_a_store_that_is_held_for_good_moves_no_offset(scene: Scene, mode: str) -> None:
    scene.append(scene.journal.mixed(10))
    scene.run()
    before = scene.store.checkpoints()
    scene.append(scene.journal.mixed(10))
    with _holding(scene.store.path, mode):
        impatient = DuckDBStore(scene.store.path, wait_seconds=0.3)
        with pytest.raises(StoreBusyError, match="is held by process") as refused:
            harness.run(impatient, [scene.folder])
        assert refused.value.exit_code == 4
    assert scene.store.checkpoints() == before
    scene.expect_all()


@pytest.mark.parametrize("mode", ["reader", "writer"])
def test_44_a_store_that_is_held_while_cron_fires_is_waited_for(scene: Scene, mode: str) -> None:
    scene.append(scene.journal.mixed(10))
    with _holding(scene.store.path, mode, seconds=1):
        scene.ttsq.well("ingest", "logs", "--final")
    scene.expect()
    scene.expect_bytes()


def test_42_a_store_out_of_reach(scene: Scene) -> None:
    scene.append(scene.journal.mixed(10))
    away = scene.store.path.with_name("away")
    scene.store.path.rename(away)
    scene.store.path.mkdir()
    with pytest.raises(StoreError) as refused:
        harness.run(scene.store, [scene.folder])
    assert refused.value.exit_code == 4
    scene.store.path.rmdir()
    away.rename(scene.store.path)
    scene.expect_all()


@pytest.mark.parametrize("rotated", [False, True], ids=["in place", "rotated since"])
def test_45_a_backup_restored_reads_exactly_the_gap_again(scene: Scene, rotated: bool) -> None:
    backup = scene.folder.parent / "backup"
    scene.append(scene.journal.mixed(20))
    scene.run(final=True)
    shutil.copy(scene.store.path, backup)
    saved = scene.journal.size
    scene.append(scene.journal.mixed(30))
    scene.run(final=True)
    if rotated:
        scene.gzip("app.log", "app.log.1.gz")
        scene.append(scene.journal.mixed(4))
        scene.run(final=True)
    shutil.copy(backup, scene.store.path)
    report = scene.run(final=True)
    assert report.ledger.settled_bytes == scene.journal.size - saved
    scene.expect()
    scene.expect_all()
