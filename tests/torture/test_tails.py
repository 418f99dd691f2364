"""Who is finished: files named by date, by number, by port; copies of live logs; what stands behind
a compressed log.
"""

import gzip
import io
import os
import struct
import tarfile

import pytest
from backports import zstd

from ingest.logfiles.rotation import age, has_successor
from ingest.logfiles.stat import stat_file
from ingest.model import Checkpoint
from tests.support import harness
from tests.torture.scene import Scene

_POD = "pods/tts_speech-0_0f5a3f6e-6d2b-4f1e-9a53-0f7a3b1c2d4e"


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("app-2026-03-01.log", "app-2026-03-02.log"),
        ("app_20260301.log", "app_20260302.log"),
        ("2026-03-01.log", "2026-03-02.log"),
        ("app.log.2026-03-01", "app.log.2026-03-02"),
        ("app.log.1772442000", "app.log.1772445600"),
        ("app.2026-03-01_12-00-00_123456.log", "app.2026-03-01_13-00-00_000001.log"),
        ("2026/03/01/app.log", "2026/03/02/app.log"),
        ("2026/02/28/app.log", "2026/03/01/app.log"),
        ("2026-03-01/app.log", "2026-03-02/app.log"),
        ("app.log.1", "app.log"),
        ("app.log.2", "app.log.1"),
        ("app_2026_03_01.log", "app_2026_03_02.log"),
        ("app.log.20260301T120000Z", "app.log.20260301T130000Z"),
        ("app.log.2026-03-01.3", "app.log"),
        ("app.log-20260301-1772442000", "app.log"),
        ("app.log20260301", "app.log"),
        ("app-2026-03-01T10-00-00.000.log", "app.log"),
        ("app-out__2026-03-01_00-00-00.log", "app-out.log"),
        (f"{_POD}/tts/0.log", f"{_POD}/tts/1.log"),
    ],
)
def test_a_newer_file_of_the_series_finishes_a_file(scene: Scene, older: str, newer: str) -> None:
    for name in (older, newer):
        scene.path(name).parent.mkdir(parents=True, exist_ok=True)
    scene.log(5, older)
    scene.run(older)
    scene.expect(held=1)
    scene.log(5, newer)
    assert has_successor(stat_file(scene.path(older)))
    assert not has_successor(stat_file(scene.path(newer)))
    scene.run()
    scene.expect(held=1)


def test_files_of_svlogd_end_with_the_current_one(scene: Scene) -> None:
    """And are found beside it, also where several were begun between two runs."""
    scene.log(9, "current")
    scene.run("current")
    for at in ("69a5d000", "69a5e000", "69a5f000"):
        scene.rename("current", f"@40000000{at}1a2b3c4d.s")
        scene.log(9, "current")
    scene.run("current")
    scene.expect(held=1)


@pytest.mark.parametrize("number", [9, 10])
def test_files_of_one_day_are_read_in_the_order_of_their_numbers(number: int) -> None:
    names = [f"app.log.2026-03-01.{n}" for n in (number, number + 1)]
    assert sorted([*names, "app.log"], key=age) == [*names, "app.log"]


def test_workers_of_one_pod_of_ones_own_are_no_series(scene: Scene) -> None:
    """Only kubelet's folders tell that the next number is the next start."""
    for name in ("0.log", "1.log"):
        scene.log(2, name)
    assert not has_successor(stat_file(scene.path("0.log")))


def test_live_files_named_by_port_are_no_series(scene: Scene) -> None:
    for name in ("tts.log.8001", "tts.log.8002", "tts.log.812", "tts.log.815", "tts.log"):
        scene.log(2, name)
    for name in ("tts.log.8001", "tts.log.8002", "tts.log.812", "tts.log.815"):
        assert not has_successor(stat_file(scene.path(name)))


def test_a_compressed_copy_of_a_live_log_is_not_finished(scene: Scene) -> None:
    scene.log(30)
    data = scene.path("app.log").read_bytes()
    cut = (
        data + b"2026-03-05 10:00:00,000 - app - ERROR - half\nTraceback (most recent call last):\n"
    )
    scene.path("app.log.bak.gz").write_bytes(gzip.compress(cut))
    whole = cut + b"  File 'x', line 1\nValueError: whole\n"
    scene.path("app.log").write_bytes(whole)
    scene.run("app.log.bak.gz", "app.log")
    scene.run(final=True)
    with scene.store.reading() as reader:
        rows = reader.query("select exception_type from errors where message = 'half'", {}).rows
    assert rows == [("ValueError",)]


@pytest.mark.parametrize("behind", [b"\n", b"\0\n", b"rubbish behind it"])
@pytest.mark.parametrize("suffix", [".gz", ".zst"])
def test_bytes_behind_a_compressed_log_are_passed_over(
    scene: Scene, suffix: str, behind: bytes
) -> None:
    scene.log(20, "app.log.1")
    pack = gzip.compress if suffix == ".gz" else zstd.compress
    plain = scene.path("app.log.1")
    scene.path("app.log.1" + suffix).write_bytes(pack(plain.read_bytes()) + behind)
    plain.unlink()
    scene.run()
    scene.expect()


def test_frames_of_zstd_that_are_to_be_skipped(scene: Scene) -> None:
    scene.log(20, "a")
    data = scene.path("a").read_bytes()
    skipped = b"\x5a\x2a\x4d\x18" + struct.pack("<I", 3) + b"abc"
    half = data.index(b"\n", len(data) // 2) + 1
    parts = [skipped, zstd.compress(data[:half]), skipped, zstd.compress(data[half:]), skipped]
    scene.path("app.log.1.zst").write_bytes(b"".join(parts))
    scene.path("a").unlink()
    scene.run()
    scene.expect()


@pytest.mark.parametrize("packed", [False, True])
def test_a_tar_is_named_and_passed_over(scene: Scene, packed: bool) -> None:
    scene.log(20)
    scene.run(final=True)
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz" if packed else "w") as archive:
        archive.add(scene.path("app.log"), "app.log")
    scene.path("app.log.tar.gz" if packed else "app.log.tar").write_bytes(made.getvalue())
    for _ in range(2):
        (problem,) = scene.run(final=True, clean=False).problems
        assert "is a tar archive" in problem.message
    scene.expect()


def test_the_clock_was_set_back_before_a_rotation(scene: Scene) -> None:
    scene.log(20)
    ahead = scene.path("app.log").stat().st_mtime + 7200
    os.utime(scene.path("app.log"), (ahead, ahead))
    scene.run("app.log")
    scene.log(10)
    scene.rename("app.log", "app.log.1")
    scene.log(10)
    scene.run("app.log")
    scene.expect(held=1)


def test_the_held_back_end_of_a_file_that_is_gone_is_lost_once(scene: Scene) -> None:
    """Its bytes are counted by the first run that does not find it, not by those that follow."""
    scene.log(5, "a.log")
    scene.log(3, "b.log")
    held = sum(c.size_bytes - c.committed_offset for c in _after_a_run(scene, "a.log"))
    assert held > 0
    scene.path("a.log").unlink()
    report = scene.run()
    told = {f.path: (f.action, f.note) for f in report.files}
    note = f"removed before its last {held} bytes were read"
    assert told[str(scene.path("a.log"))] == ("gone", note)
    assert report.ledger.lost_bytes == held
    assert scene.run().ledger.lost_bytes == 0
    assert sum(c.lost_bytes for c in scene.store.checkpoints()) == held
    scene.ttsq.well("verify", scene.folder)


@pytest.mark.parametrize("packs", [False, True])
@pytest.mark.parametrize("records", [1, 5])
def test_a_file_that_is_there_again_has_lost_nothing(
    scene: Scene, records: int, packs: bool
) -> None:
    """It was moved out of sight, perhaps compressed there; of one record nothing was stored."""
    scene.log(records, "a.log", pad=100)
    scene.log(3, "b.log")
    scene.run()
    away = scene.folder.parent / "a.log"
    scene.path("a.log").rename(away)
    assert scene.run().ledger.lost_bytes > 0
    if packs:
        scene.path("old-a.log.gz").write_bytes(gzip.compress(away.read_bytes()))
    else:
        away.rename(scene.path("old-a.log"))
    scene.expect_all()


def test_only_what_a_run_was_to_read_can_be_gone(scene: Scene) -> None:
    """Not the file of another path, of another host, one left out, or where not all can be read."""
    scene.log(5, "a.log")
    scene.log(3, "b.log")
    scene.run()
    scene.path("a.log").unlink()
    scene.run("b.log")
    paths = [scene.folder]
    harness.run(scene.store, paths, host="other")
    harness.run(scene.store, paths, exclude=("a.*",))
    scene.path("c.log").write_bytes(b"BZh91AY&SY")
    scene.run(clean=False)
    assert sum(c.lost_bytes for c in scene.store.checkpoints()) == 0
    scene.path("c.log").unlink()
    assert scene.run().ledger.lost_bytes > 0


def test_a_file_under_a_name_that_no_log_has_is_not_lost(scene: Scene) -> None:
    scene.log(5, "a.log")
    scene.log(3, "b.log")
    scene.run()
    scene.rename("a.log", "a.log.tmp")
    assert scene.run().ledger.lost_bytes == 0
    scene.rename("a.log.tmp", "a.log.1")
    scene.expect_all()


def test_another_file_on_the_inode_of_one_that_is_gone_is_not_it(scene: Scene) -> None:
    """Here a copy of a known file, of which nothing is read."""
    scene.log(5, "a.log")
    scene.log(3, "b.log")
    held = sum(c.size_bytes - c.committed_offset for c in _after_a_run(scene, "a.log"))
    inode = scene.path("a.log").stat().st_ino
    with scene.path("a.log").open("r+b") as file:
        file.truncate(0)
    scene.rename("a.log", "z.log")
    scene.append_bytes(scene.path("b.log").read_bytes(), "z.log")
    assert scene.path("z.log").stat().st_ino == inode
    assert scene.run().ledger.lost_bytes == held


def _after_a_run(scene: Scene, name: str) -> list[Checkpoint]:
    scene.run()
    return [c for c in scene.store.checkpoints() if c.path == str(scene.path(name))]
