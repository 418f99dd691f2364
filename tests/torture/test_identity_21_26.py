"""Scenarios 21-26: unreadable, gone, still growing behind a rotation, moved to another host,
edited.
"""

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.model import RunReport
from ingest.pipeline import ingest as pipeline
from ingest.pipeline.options import Options
from ingest.records.formats import compile_format
from tests.support.log_writer import to_bytes
from tests.torture.scene import Scene


def test_21_unreadable_by_permission_later_readable(scene: Scene) -> None:
    scene.log(20)
    scene.log(20, "secret.log")
    scene.path("secret.log").chmod(0)
    ended = scene.ttsq.as_anyone("ingest", "logs", "--final")
    assert ended.code == 3, ended
    assert "secret.log" in ended.err and "Permission denied" in ended.err
    assert scene.store.checkpoints()[0].records == 20  # the other one was read
    scene.path("secret.log").chmod(0o600)
    assert scene.ttsq.as_anyone("ingest", "logs", "--final").code == 0
    scene.expect()
    scene.expect_bytes()


def test_21_a_known_file_becomes_unreadable_for_a_while(scene: Scene) -> None:
    scene.log(20)
    assert scene.ttsq.as_anyone("ingest", "logs").code == 0
    scene.log(20)
    scene.path("app.log").chmod(0)
    before = scene.store.checkpoints()
    assert scene.ttsq.as_anyone("ingest", "logs").code == 3
    assert scene.store.checkpoints() == before
    scene.path("app.log").chmod(0o600)
    assert scene.ttsq.as_anyone("ingest", "logs").code == 0
    scene.expect(held=1)
    scene.expect_all()


def test_21_a_directory_that_cannot_be_listed(scene: Scene) -> None:
    scene.log(20)
    scene.folder.chmod(0)
    ended = scene.ttsq.as_anyone("ingest", "logs")
    scene.folder.chmod(0o700)
    assert ended.code == 3, ended
    assert not scene.store.checkpoints()
    assert scene.ttsq.as_anyone("ingest", "logs", "--final").code == 0
    scene.expect()


def _run_with(
    scene: Scene, names: list[str], progress: Callable[[int, int], None], wait: float = 10
) -> RunReport:
    """A run that calls back behind every chunk."""
    options = Options(
        "h", "s", compile_format(), UTC, chunk_bytes=2000, batch_bytes=2000, wait_seconds=wait
    )
    paths = [str(scene.path(n)) for n in names]
    return pipeline.ingest(
        scene.store, paths, options, now=lambda: datetime.now(UTC), progress=progress
    )


@contextmanager
def _held_up(scene: Scene) -> Iterator[list[RunReport | BaseException]]:
    """A run that has listed the files and waits for its lock; it goes on behind the block."""
    lock = os.open(f"{scene.store.path}.lock", os.O_RDWR | os.O_CREAT)
    fcntl.lockf(lock, fcntl.LOCK_EX, 1)
    ended: list[RunReport | BaseException] = []

    def work() -> None:
        try:
            ended.append(_run_with(scene, ["."], lambda done, total: None))
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.3)
    yield ended
    os.close(lock)
    thread.join()


def test_22_gone_between_listing_and_opening(scene: Scene) -> None:
    scene.log(20)
    scene.append_bytes(b"2026-03-02 00:00:00,000 - app - INFO - never read\n" * 9, "gone.log")
    with _held_up(scene) as ended:
        scene.path("gone.log").unlink()
    (report,) = ended
    assert isinstance(report, RunReport)
    assert ["gone.log" in p.message for p in report.problems] == [True]
    scene.expect(held=1)
    scene.expect_all()


def test_22_the_directory_vanishes_between_listing_and_opening(scene: Scene) -> None:
    scene.log(20)
    scene.run()
    aside = scene.folder.parent / "aside"
    with _held_up(scene) as ended:
        scene.folder.rename(aside)
    (report,) = ended
    assert isinstance(report, RunReport)
    assert report.problems
    aside.rename(scene.folder)
    scene.log(5)
    scene.expect_all()


@pytest.mark.parametrize("how", ["deleted", "rotated", "replaced", "truncated", "directory gone"])
def test_22_changed_between_looking_and_reading(scene: Scene, how: str) -> None:
    """While the first file is read, the second, already looked at, goes its way."""
    scene.log(60, "a.log")
    scene.append(scene.journal.failures(60))
    os.utime(scene.path("a.log"), (1, 1))
    second = scene.path("app.log").read_bytes()
    done = []

    def meanwhile(_: int, __: int) -> None:
        if done:
            return
        done.append(how)
        if how == "deleted":
            scene.path("app.log").unlink()
        elif how == "rotated":
            scene.rename("app.log", "app.log.1")
            scene.log(70)
        elif how == "replaced":
            scene.path("app.log").unlink()
            scene.log(70, "new")
            scene.rename("new", "app.log")
        elif how == "truncated":
            scene.copytruncate()
            scene.log(10)
        else:
            shutil.move(scene.folder, scene.folder.parent / "aside")

    report = _run_with(scene, ["a.log", "app.log"], meanwhile)
    assert done
    if how == "directory gone":
        shutil.move(scene.folder.parent / "aside", scene.folder)
    if how in ("deleted", "replaced"):
        assert report.problems
        scene.journal.forget(60, 120)
        scene.journal.size -= len(second)
    scene.run()
    scene.expect_all()


def test_23_a_rotated_file_that_a_second_worker_still_writes(scene: Scene) -> None:
    first, second = scene.worker("watched"), scene.worker("append")
    first.log(scene.journal, 10)
    second.log(scene.journal, 10)
    scene.run("app.log")
    scene.rename("app.log", "app.log.1")
    for count in (5, 1, 8):
        first.log(scene.journal, count)  # to the new file
        second.log(scene.journal, count)  # still to the old one
        scene.run()
    assert scene.path("app.log.1").stat().st_size > 30 * 50
    scene.expect_all()


def test_23_the_same_seen_from_the_live_file(scene: Scene) -> None:
    first, second = scene.worker("watched"), scene.worker("append")
    second.log(scene.journal, 10)
    scene.run("app.log")
    scene.rename("app.log", "app.log.1")
    for count in (5, 1, 8):
        first.log(scene.journal, count)
        second.log(scene.journal, count)
        scene.run("app.log")
    second.close()
    scene.run()
    scene.expect_all()


def test_23_and_is_compressed_at_last(scene: Scene) -> None:
    first, second = scene.worker("watched"), scene.worker("append")
    second.log(scene.journal, 10)
    scene.rename("app.log", "app.log.1")
    first.log(scene.journal, 5)
    scene.run()
    second.log(scene.journal, 7)
    scene.run("app.log")
    second.log(scene.journal, 4)
    second.close()
    scene.gzip("app.log.1", "app.log.2.gz")
    scene.run()
    scene.expect_all()


@pytest.mark.parametrize("keep", [False, True], ids=["moved", "copied"])
def test_25_the_directory_on_another_disk(scene: Scene, keep: bool) -> None:
    scene.log(30)
    scene.append(scene.journal.mixed(30), "app.log.1")
    scene.run()
    scene.log(10)
    shm = Path("/dev/shm")
    base = shm if shm.is_dir() and os.access(shm, os.W_OK) else scene.folder.parent
    other = base / f"ttsq-test-{os.getpid()}"
    try:
        shutil.copytree(scene.folder, other)
        if not keep:
            shutil.rmtree(scene.folder)
        with (other / "app.log").open("ab") as file:
            file.write(to_bytes(scene.journal.failures(10)))
        scene.run(str(other))
        scene.expect(held=1)
        scene.run(str(other), final=True)
        scene.expect()
        scene.expect_bytes()
    finally:
        shutil.rmtree(other, ignore_errors=True)


def test_25_another_host_reads_a_copy_into_the_same_store(scene: Scene) -> None:
    """The rows stay those of the host that wrote them."""
    scene.append(scene.journal.mixed(20))
    scene.ttsq.well("ingest", "logs", "--host", "node-1")
    shutil.copytree(scene.folder, scene.folder.parent / "mirror")
    scene.ttsq.well("ingest", "mirror", "--host", "collector", "--final")
    scene.expect()
    with scene.store.reading() as reader:
        assert reader.query("select distinct host from errors", {}).rows == [("node-1",)]


EDITS: dict[str, Callable[[bytes], bytes]] = {
    "line removed": lambda data: data[:500] + data[data.index(b"\n", 560) + 1 :],
    "line added": lambda data: (
        data[:560] + b"2026-03-02 00:00:00,000 - a - INFO - x\n" + data[560:]
    ),
    "secret blacked out": lambda data: data.replace(b"failure 7 ", b"********* "),
    "last stored line changed": lambda data: data.replace(b"failure 28 ", b"FAILURE 28 "),
}


@pytest.mark.parametrize(
    ("edit", "how"),
    [
        *((edit, "in place") for edit in EDITS),
        *(("line removed", h) for h in ("a new inode", "and appended to")),
    ],
)
def test_26_edited_in_its_middle_is_noticed_and_reported(scene: Scene, edit: str, how: str) -> None:
    scene.log(30)
    scene.run()
    edited = EDITS[edit](scene.path("app.log").read_bytes())
    if how == "a new inode":
        scene.path("app.log").rename(scene.folder.parent / "kept")
    scene.path("app.log").write_bytes(edited)
    if how == "and appended to":
        scene.append(scene.journal.failures(20))
    lost = scene.run().ledger.lost_bytes
    assert lost > 0
    assert not scene.run().ledger.settled_bytes
    scene.expect(held=1)
