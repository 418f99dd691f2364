"""Scenarios 10-15: copytruncate, holes, truncation without a copy, inodes used again.

What is lost is counted.
"""

import os
import shutil

import pytest

from tests.support.log_writer import to_bytes
from tests.torture.scene import Scene

NAMED = pytest.mark.parametrize("names", [["app.log"], ["."]], ids=["live file named", "folder"])


def _unread(scene: Scene) -> int:
    """Bytes at the end of the live file that are not stored."""
    (known,) = scene.store.checkpoints()
    return scene.path("app.log").stat().st_size - known.committed_offset


@NAMED
def test_10_copytruncate_all_read(scene: Scene, names: list[str]) -> None:
    worker = scene.worker("append")
    worker.log(scene.journal, 40)
    scene.run(*names, final=True)
    scene.copytruncate()
    scene.run(*names)
    worker.log(scene.journal, 10)
    scene.run(*names)
    scene.expect(held=1)
    scene.expect_all()


@NAMED
def test_11_copytruncate_tail_unread_is_taken_from_the_copy(scene: Scene, names: list[str]) -> None:
    worker = scene.worker("append")
    worker.log(scene.journal, 40)
    scene.run(*names)
    worker.log(scene.journal, 30)
    scene.copytruncate()
    worker.log(scene.journal, 10)
    assert scene.run(*names).ledger.lost_bytes == 0
    scene.expect(held=1)
    scene.expect_all()


@NAMED
@pytest.mark.parametrize("seen", [True, False], ids=["copy seen", "copy not seen"])
@pytest.mark.parametrize("grown", [0, 1, 30])
def test_11_copytruncate_of_one_short_line(
    scene: Scene, names: list[str], seen: bool, grown: int
) -> None:
    """Too little to tell the copy from another file by: its line is not lost all the same."""
    scene.log(1)
    scene.run(*names)
    shutil.copyfile(scene.path("app.log"), scene.path("app.log.1"))
    if seen:
        scene.run(*names)
    os.truncate(scene.path("app.log"), 0)
    scene.log(grown)
    assert scene.run(*names).ledger.lost_bytes == 0
    scene.log(3)
    scene.run(*names)
    scene.expect_all()


@NAMED
def test_11_the_copy_is_compressed_at_once(scene: Scene, names: list[str]) -> None:
    worker = scene.worker("append")
    worker.log(scene.journal, 40)
    scene.run(*names)
    worker.log(scene.journal, 30)
    scene.copytruncate()
    scene.gzip("app.log.1", "app.log.1.gz")
    worker.log(scene.journal, 10)
    assert scene.run(*names).ledger.lost_bytes == 0
    scene.expect(held=1)
    scene.expect_all()


@NAMED
def test_11_seen_between_the_copy_and_the_truncation(scene: Scene, names: list[str]) -> None:
    worker = scene.worker("append")
    worker.log(scene.journal, 40)
    scene.run(*names)
    worker.log(scene.journal, 20)
    whole = scene.path("app.log").read_bytes()
    for part in (0, 10, len(whole) // 3, len(whole) - 1, len(whole)):
        scene.path("app.log.1").write_bytes(whole[:part])
        scene.run()
        scene.expect(held=1)
    os.truncate(scene.path("app.log"), 0)
    scene.run(*names)
    worker.log(scene.journal, 15)
    assert scene.run(*names).ledger.lost_bytes == 0
    scene.expect(held=1)
    scene.expect_all()


def test_11_lines_logged_between_the_copy_and_the_truncation_are_lost_and_counted(
    scene: Scene,
) -> None:
    """They were never in the copy; a run that had seen them says how many bytes are gone."""
    scene.log(40)
    scene.path("app.log.1").write_bytes(scene.path("app.log").read_bytes())
    scene.run("app.log", final=True)
    lost = scene.journal.failures(3)
    scene.append_bytes(to_bytes(lost)[:-10])  # a line not complete yet: seen, not stored
    scene.run("app.log")
    os.truncate(scene.path("app.log"), 0)
    scene.log(10)
    report = scene.run()
    scene.journal.forget(41, 43)  # the last complete one was held back, one was not complete
    size = len(to_bytes(lost[1:])) - 10
    assert report.ledger.lost_bytes == size
    scene.journal.size -= 10
    scene.expect_all(lost=size)


@pytest.mark.parametrize("read", ["all", "part"])
@pytest.mark.parametrize("more", [1, 2, 50], ids=["same size", "just past", "far past"])
def test_12_copytruncate_regrown_past_the_old_offset(scene: Scene, read: str, more: int) -> None:
    names = ["app.log"]
    scene.log(40)
    scene.run(*names, final=read == "all")
    offset = scene.store.checkpoints()[0].committed_offset
    if read == "part":
        scene.log(20)
    scene.copytruncate()
    while scene.path("app.log").stat().st_size < offset:
        scene.log(1)
    scene.log(more - 1)
    assert scene.run(*names).ledger.lost_bytes == 0
    scene.expect(held=1)
    scene.expect_all()


@pytest.mark.parametrize("read", ["all", "part"])
def test_13_a_writer_that_does_not_append_leaves_a_hole_of_nuls(scene: Scene, read: str) -> None:
    worker = scene.worker("position")
    worker.log(scene.journal, 40)
    scene.run(final=read == "all")
    worker.log(scene.journal, 10)
    scene.copytruncate()
    hole = scene.path("app.log.1").stat().st_size
    worker.log(scene.journal, 20)
    assert scene.path("app.log").read_bytes().startswith(b"\0" * hole + b"2026")
    assert scene.run().ledger.ignored_bytes == hole
    scene.expect(held=1)
    worker.log(scene.journal, 5)
    scene.expect_all(ignored=hole)


def test_13_two_holes_one_after_another(scene: Scene) -> None:
    worker = scene.worker("position")
    holes = 0
    for number in (2, 1):
        worker.log(scene.journal, 20)
        scene.run()
        scene.copytruncate(f"app.log.{number}")
        worker.log(scene.journal, 5)
        holes += (len(data := scene.path("app.log").read_bytes())) - len(data.lstrip(b"\0"))
        scene.run()
        scene.expect(held=1)
    scene.expect_all(ignored=holes)


@pytest.mark.parametrize("regrown", [3, 40, 100])
def test_14_truncated_with_no_copy_the_loss_is_counted(scene: Scene, regrown: int) -> None:
    scene.log(40)
    scene.run()
    held = _unread(scene)
    assert 50 < held < 60  # the last record
    os.truncate(scene.path("app.log"), 0)
    scene.journal.forget(39, 40)
    scene.log(regrown)
    report = scene.run()
    assert report.ledger.lost_bytes == held
    scene.expect(held=1)
    assert [c.lost_bytes for c in scene.store.checkpoints() if c.state == "replaced"] == [held]
    scene.expect_all(lost=held)


def test_14_the_loss_is_in_the_summary_the_runs_and_the_status(scene: Scene) -> None:
    scene.log(40)
    scene.ttsq.well("ingest", "logs")
    held = _unread(scene)
    os.truncate(scene.path("app.log"), 0)
    scene.log(5)
    assert f"{held} lost" in scene.ttsq.well("ingest", "logs")
    assert f"{held} lost" in scene.ttsq.well("status")
    with scene.store.reading() as reader:
        rows = reader.query("select lost_bytes from ingest_runs order by run_key", {}).rows
    assert [r[0] for r in rows] == [0, held]


def test_14_emptied_and_left_empty(scene: Scene) -> None:
    scene.log(40)
    scene.run()
    held = _unread(scene)
    os.truncate(scene.path("app.log"), 0)
    lost = [scene.run().ledger.lost_bytes for _ in range(3)]
    assert lost == [held, 0, 0]
    scene.journal.forget(39, 40)
    scene.expect_all(lost=held)


def test_14_a_first_line_that_was_only_seen_is_counted_when_it_is_lost(scene: Scene) -> None:
    half = (
        b"2026-03-02 00:00:00,000 - app.tts - ERROR - half a line which is longer than one of these"
    )
    scene.append_bytes(half)
    scene.run()
    os.truncate(scene.path("app.log"), 0)
    scene.log(20)
    assert scene.run().ledger.lost_bytes == len(half)
    scene.expect(held=1)


@pytest.mark.parametrize("regrown", [1, 20])
def test_14_a_first_record_that_was_held_back_is_counted_when_it_is_lost(
    scene: Scene, regrown: int
) -> None:
    scene.log(1)
    scene.run()
    held = scene.path("app.log").stat().st_size
    os.truncate(scene.path("app.log"), 0)
    scene.journal.forget(0, 1)
    scene.log(regrown)
    assert scene.run().ledger.lost_bytes == held
    scene.expect_all(lost=held)


@pytest.mark.parametrize("count", [10, 40, 90], ids=["smaller", "same", "larger"])
def test_15_the_same_inode_used_again(scene: Scene, count: int) -> None:
    name = "other.log" if count == 40 else "app.log"
    scene.log(40)
    scene.run(final=True)
    inode = scene.path("app.log").stat().st_ino
    scene.gzip("app.log", "app.log.1.gz")
    spares = []
    while True:  # a file system that gives a freed inode out again does so soon
        scene.path(name).touch()
        if scene.path(name).stat().st_ino == inode or len(spares) >= 50:
            break
        spares.append(scene.path(name).rename(scene.folder / f"spare{len(spares)}"))
    for spare in spares:
        spare.unlink()
    scene.log(count, name)
    scene.run()
    scene.expect(held=1)
    scene.expect_all()


@pytest.mark.parametrize("count", [10, 40, 90], ids=["smaller", "same", "larger"])
def test_15_deleted_and_made_anew_on_the_same_inode(scene: Scene, count: int) -> None:
    scene.log(40)
    scene.run()
    held = _unread(scene)
    scene.journal.forget(39, 40)
    os.truncate(scene.path("app.log"), 0)  # the same inode, for certain
    scene.log(count)
    assert scene.run().ledger.lost_bytes == held
    scene.expect_all(lost=held)


def test_15_a_log_rotated_onto_the_inode_of_another(scene: Scene) -> None:
    scene.log(30, "a.log")
    scene.log(20, "b.log")
    scene.run(final=True)
    data = scene.path("b.log").read_bytes()
    with scene.path("a.log").open("r+b") as file:
        file.truncate()
        file.write(data)
    scene.path("b.log").unlink()
    scene.log(5, "a.log")
    scene.run(final=True)
    scene.expect()
