"""Scenarios 1-5: appended, renamed, rotated many times, compressed while partly read; by Python's
own handlers.
"""

import gzip
import logging.handlers
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.torture.scene import Scene

LIVE = ["app.log"]
FOLDER = ["."]
NAMED = pytest.mark.parametrize("names", [LIVE, FOLDER], ids=["live file named", "folder named"])


def _rotating(
    scene: Scene, size: int = 0, backups: int = 20
) -> logging.handlers.RotatingFileHandler:
    return logging.handlers.RotatingFileHandler(
        scene.path("app.log"), maxBytes=size, backupCount=backups
    )


def _gzip_rotator(source: str, target: str) -> None:
    """The rotator of Python's logging cookbook."""
    with open(source, "rb") as plain, gzip.open(target, "wb") as packed:
        shutil.copyfileobj(plain, packed)
    os.remove(source)


@NAMED
def test_01_append_run_append_run(scene: Scene, names: list[str]) -> None:
    service = scene.service(logging.FileHandler(scene.path("app.log")))
    for count in (1, 2, 30, 1, 50):
        service.log(scene.journal.failures(count))
        scene.run(*names)
        scene.expect(held=1)
    assert scene.run(*names).bytes_read <= 100  # the tail
    scene.expect_all()


@NAMED
def test_02_rename_to_dot_1_and_a_new_file(scene: Scene, names: list[str]) -> None:
    handler = _rotating(scene)
    service = scene.service(handler)
    service.log(scene.journal.failures(30))
    scene.run(*names)
    service.log(scene.journal.failures(20))
    handler.doRollover()
    service.log(scene.journal.failures(25))
    scene.run(*names)
    scene.expect(held=1)
    scene.expect_all()


@NAMED
def test_02_renamed_while_the_new_file_is_still_empty(scene: Scene, names: list[str]) -> None:
    handler = _rotating(scene)
    service = scene.service(handler)
    service.log(scene.journal.failures(30))
    scene.run(*names)
    service.log(scene.journal.failures(20))
    handler.doRollover()
    assert scene.path("app.log").stat().st_size == 0
    scene.run(*names)
    scene.expect(held=1)
    service.log(scene.journal.failures(1))
    scene.run(*names)
    scene.expect(held=1)
    scene.expect_all()


@NAMED
def test_03_several_rotations_between_two_runs(scene: Scene, names: list[str]) -> None:
    service = scene.service(_rotating(scene, size=5000))
    service.log(scene.journal.mixed(10))
    scene.run(*names)
    for count in (50, 30):
        service.log(scene.journal.mixed(count))
        assert scene.path("app.log.2").exists()
        scene.run(*names)
    assert scene.path("app.log.4").exists()
    scene.expect_all()


@NAMED
def test_03_rotations_by_time_between_two_runs(scene: Scene, names: list[str]) -> None:
    handler = logging.handlers.TimedRotatingFileHandler(scene.path("app.log"), when="H", utc=True)
    service = scene.service(handler)
    end = datetime(2026, 3, 2, 0, tzinfo=UTC)
    for hour in range(5):
        service.log(scene.journal.mixed(9))
        if hour % 3 == 0:
            scene.run(*names)
        handler.rolloverAt = int((end + timedelta(hours=hour + 1)).timestamp())
        handler.doRollover()
    assert scene.path("app.log.2026-03-02_04").exists()
    service.log(scene.journal.mixed(2))
    scene.run(*names)
    scene.expect_all()


@NAMED
def test_04_a_chain_that_shifts_each_run(scene: Scene, names: list[str]) -> None:
    handler = _rotating(scene)
    service = scene.service(handler)
    for _ in range(4):
        service.log(scene.journal.mixed(12))
        scene.run(*names)
        service.log(scene.journal.mixed(7))
        for number in (4, 3):
            if scene.path(f"app.log.{number}.gz").exists():
                scene.rename(f"app.log.{number}.gz", f"app.log.{number + 1}.gz")
        if scene.path("app.log.2").exists():
            scene.gzip("app.log.2", "app.log.3.gz")
        handler.doRollover()
        service.log(scene.journal.failures(1))
        scene.run(*names)
        scene.expect(held=1)
    assert sorted(os.listdir(scene.folder)) == [
        "app.log",
        "app.log.1",
        "app.log.2",
        *(f"app.log.{n}.gz" for n in (3, 4)),
    ]
    scene.expect_all()


@NAMED
def test_04_a_chain_of_compressed_files_by_the_handlers_own_rotator(
    scene: Scene, names: list[str]
) -> None:
    handler = _rotating(scene, size=5000)
    handler.namer = lambda name: f"{name}.gz"
    handler.rotator = _gzip_rotator
    service = scene.service(handler)
    for count in (10, 35, 30):
        service.log(scene.journal.mixed(count))
        scene.run(*names)
    assert scene.path("app.log.3.gz").exists()
    scene.expect_all()


@NAMED
@pytest.mark.parametrize("read", ["live", "as .1"])
def test_05_dot_1_becomes_dot_2_gz_while_partly_read(
    scene: Scene, names: list[str], read: str
) -> None:
    handler = _rotating(scene)
    service = scene.service(handler)
    service.log(scene.journal.mixed(30))
    if read == "live":
        scene.run(*names)
        service.log(scene.journal.mixed(30))
        handler.doRollover()
    else:
        handler.doRollover()
        scene.run("app.log.1")
        scene.append(scene.journal.mixed(30), "app.log.1")  # a writer that still has it open
    unread = scene.journal.size - sum(c.committed_offset for c in scene.store.checkpoints())
    scene.gzip("app.log.1", "app.log.2.gz")
    service.log(scene.journal.mixed(4))
    handler.doRollover()
    last = scene.journal.failures(1)
    service.log(last)
    report = scene.run(*names) if read == "live" else scene.run()
    assert report.bytes_read <= unread + 2000  # the stored part is inflated, not taken again
    scene.expect(held=1)
    scene.expect_all()


def test_05_compressed_in_place_between_listing_and_the_next_run(
    scene: Scene, tmp_path: Path
) -> None:
    scene.log(50)
    scene.run()
    scene.log(50)
    scene.gzip("app.log", "app.log.1.gz")
    scene.run("app.log.1.gz")
    scene.expect()  # compressed: its tail, too
    scene.log(5)
    scene.expect_all()
