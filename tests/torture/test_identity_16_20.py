"""Scenarios 16-20: equal beginnings, files shorter than a fingerprint, empty ones, symlinks, one
file by many paths.
"""

import os
from pathlib import Path

import pytest

from tests.support.log_writer import to_bytes
from tests.torture.scene import Scene

BANNERS = pytest.mark.parametrize(
    ("line", "size"),
    [
        ("  loading weights, shard %05d of 99999 ...\n", 4_000),
        ("INFO:app.weights:shard %05d of 99999 is loaded onto device cuda:0\n", 64 << 10),
        ("INFO:app.weights:shard %05d of 99999 is loaded onto device cuda:0\n", 100_000),
    ],
    ids=["4 KB of prints", "64 KiB", "100 KB"],
)


def _banner(line: str, size: int) -> bytes:
    """Lines without a stamp, the same at every start of the service."""
    lines = "".join(line % n for n in range(size // 40)).encode()
    return lines[: lines.rfind(b"\n", 0, size) + 1]


def _expect_banners(scene: Scene, banner: bytes, times: int) -> None:
    """What is printed without a stamp is unclaimed, line by line, whatever level it names."""
    files = scene.store.checkpoints()
    assert sum(c.unclaimed for c in files) == times * banner.count(b"\n")
    assert sum(c.unclaimed_bytes for c in files) == times * len(banner)
    assert sum(c.record_bytes for c in files) == scene.journal.size
    assert sum(c.lost_bytes + c.ignored_bytes for c in files) == 0


@BANNERS
@pytest.mark.parametrize("second", [3, 30, 300], ids=["short", "longer", "longest"])
def test_16_two_files_with_the_same_boot_banner(
    scene: Scene, line: str, size: int, second: int
) -> None:
    banner = _banner(line, size)
    scene.append_bytes(banner, "a.log")
    scene.log(30, "a.log")
    scene.run(chunk=200_000)
    scene.append_bytes(banner, "b.log")
    scene.log(second, "b.log")
    scene.run(chunk=200_000)
    scene.run(final=True, chunk=200_000)
    scene.expect()
    _expect_banners(scene, banner, 2)


@BANNERS
def test_16_every_rotated_file_begins_with_the_banner(scene: Scene, line: str, size: int) -> None:
    banner = _banner(line, size)
    for count in (40, 12, 25):
        scene.append_bytes(banner)
        scene.log(count)
        scene.run("app.log", chunk=200_000)
        scene.log(5)
        if scene.path("app.log.1").exists():
            scene.rename("app.log.1", "app.log.2")
        scene.rename("app.log", "app.log.1")
    scene.append_bytes(banner)
    scene.log(2)
    scene.run("app.log", chunk=200_000)
    scene.expect(held=1)
    scene.run(final=True, chunk=200_000)
    scene.expect()
    _expect_banners(scene, banner, 4)


@BANNERS
def test_16_a_file_that_is_only_the_banner_so_far(scene: Scene, line: str, size: int) -> None:
    banner = _banner(line, size)
    scene.append_bytes(banner, "a.log")
    scene.log(30, "a.log")
    scene.run(chunk=200_000)
    for part in (10, len(banner) // 2, len(banner)):
        scene.path("b.log").write_bytes(banner[:part])
        scene.run(chunk=200_000)
    scene.log(4, "b.log")
    scene.run(chunk=200_000)
    scene.run(final=True, chunk=200_000)
    scene.expect()
    _expect_banners(scene, banner, 2)


@BANNERS
def test_16_a_copy_cut_short_is_no_new_file(scene: Scene, line: str, size: int) -> None:
    scene.append_bytes(_banner(line, size))
    scene.log(3000)
    scene.run(chunk=500_000)
    whole = scene.path("app.log").read_bytes()
    for part in (10, 100, 3000, size + 100, size + 2000, len(whole) - 200, len(whole)):
        scene.path("copy.log").write_bytes(whole[:part])
        assert scene.run(chunk=500_000).ledger.settled_bytes == 0
    scene.expect(held=1)


def test_16_blank_lines_in_front(scene: Scene) -> None:
    for name in ("a.log", "b.log"):
        scene.append_bytes(b"\n" * 5000, name)
        scene.append(scene.journal.failures(20), name)
    scene.run()
    scene.expect_all(ignored=10_000)


@pytest.mark.parametrize("step", [1, 9, 40, 63, 65])
def test_17_shorter_than_any_fingerprint_then_growing(scene: Scene, step: int) -> None:
    data = to_bytes(scene.journal.failures(6))
    for end in [*range(0, 160, max(step, 20)), len(data)]:
        scene.path("app.log").write_bytes(data[:end])
        scene.run()
    scene.expect(held=1)
    scene.expect_all()


@pytest.mark.parametrize("size", [0, 5, 30, 56, 60, 90])
def test_17_rotated_while_shorter_than_a_fingerprint(scene: Scene, size: int) -> None:
    names = ["app.log"]
    data = to_bytes(scene.journal.failures(3))
    scene.append_bytes(data[:size])
    scene.run(*names)
    scene.append_bytes(data[size:])
    scene.rename("app.log", "app.log.1")
    scene.log(2)
    scene.run(*names)
    scene.expect(held=1)
    scene.expect_all()


def test_17_two_short_files_with_the_same_beginning(scene: Scene) -> None:
    for name in ("a.log", "b.log"):
        scene.append_bytes(b"2026-03-", name)
    scene.run()
    for name in ("b.log", "a.log"):
        data = to_bytes(scene.journal.failures(4))
        scene.append_bytes(data[8:], name)
        scene.run()
    scene.expect_all()


def test_18_empty(scene: Scene) -> None:
    scene.path("app.log").touch()
    report = scene.run("app.log")
    assert (report.bytes_read, report.ledger.settled_bytes) == (0, 0)
    scene.log(3)
    scene.run("app.log")
    scene.expect(held=1)
    scene.expect_all()


@pytest.mark.parametrize("suffix", ["", ".1", ".1.gz"])
def test_18_empty_for_good(scene: Scene, suffix: str) -> None:
    scene.path("app.log" + suffix).touch()
    for _ in range(2):
        report = scene.run(final=True)
        assert (report.bytes_read, report.ledger.settled_bytes) == (0, 0)


def test_18_one_partial_line_only(scene: Scene) -> None:
    data = to_bytes(scene.journal.failures(1))
    for end in (1, 20, len(data) - 1):
        scene.path("app.log").write_bytes(data[:end])
        report = scene.run()
        assert report.ledger.settled_bytes == 0
        assert report.ledger.tail_bytes in (end, 0)  # 0: as it was
    scene.path("app.log").write_bytes(data)
    scene.run()
    scene.log(1)
    scene.run()
    scene.expect(held=1)
    scene.expect_all()


@pytest.mark.parametrize("folder", ["logs", "elsewhere"])
@pytest.mark.parametrize("final", [False, True], ids=["tail unread", "all read"])
def test_19_a_symlink_whose_target_changes(scene: Scene, folder: str, final: bool) -> None:
    place = scene.folder.parent / folder
    place.mkdir(exist_ok=True)
    link = scene.path("current.log")
    for number in range(3):
        target = place / f"run-{number}.log"
        target.write_bytes(to_bytes(scene.journal.failures(15)))
        link.unlink(missing_ok=True)
        link.symlink_to(target)
        scene.run("current.log", final=final)
        if not final:
            with target.open("ab") as file:
                file.write(to_bytes(scene.journal.failures(5)))
    scene.run("current.log")
    scene.expect(held=0 if final else 1)
    scene.run("current.log", final=True)
    scene.expect()
    scene.expect_bytes()


def test_19_a_symlink_to_a_rotating_file(scene: Scene) -> None:
    scene.path("current.log").symlink_to(scene.path("app.log"))
    for _ in range(3):
        scene.log(10)
        scene.run("current.log")
        scene.log(5)
        if scene.path("app.log.1").exists():
            scene.rename("app.log.1", "app.log.2")
        scene.rename("app.log", "app.log.1")
    scene.log(2)
    scene.run("current.log")
    scene.expect(held=1)
    scene.expect_all()


def test_19_a_symlink_to_nothing(scene: Scene) -> None:
    scene.path("current.log").symlink_to(scene.path("app.log"))
    ended = scene.ttsq("ingest", scene.path("current.log"))
    assert (ended.code, "current.log" in ended.err) == (3, True)
    scene.log(5)
    scene.ttsq.well("ingest", scene.path("current.log"))
    scene.expect(held=1)


def test_20_one_file_by_two_paths_links_and_globs_at_once(scene: Scene) -> None:
    scene.log(20)
    scene.path("sym.log").symlink_to(scene.path("app.log"))
    scene.path("hard.log").hardlink_to(scene.path("app.log"))
    relative = os.path.relpath(scene.path("app.log"), scene.ttsq.folder)
    many = [relative, scene.path("app.log"), "logs", "logs/*.log", "logs/../logs/app.log", "log?"]
    many += ["logs/sym.log", "logs/hard.log", "logs/**/*.log"]
    scene.ttsq.well("ingest", *many)
    scene.expect(held=1)
    scene.log(10)
    scene.ttsq.well("ingest", *reversed(many), "--final")
    scene.expect()
    scene.expect_bytes()


@pytest.mark.parametrize("first", ["app.log", "sym.log", "hard.log", "sub/app.log"])
def test_20_one_file_by_another_path_each_run(scene: Scene, first: str) -> None:
    scene.log(20)
    scene.path("sym.log").symlink_to(scene.path("app.log"))
    scene.path("hard.log").hardlink_to(scene.path("app.log"))
    scene.path("sub").symlink_to(scene.folder)
    scene.run(first)
    for name in ("hard.log", "sub/app.log", "app.log", "sym.log"):
        scene.log(5)
        scene.run(name)
        scene.expect(held=1)
    scene.expect_all()


def test_20_two_globs_that_overlap(scene: Scene, tmp_path: Path) -> None:
    for name in ("app.log", "app.log.1", "other.log"):
        scene.log(10, name)
    scene.ttsq.well("ingest", "logs/app*", "logs/*.log", "logs/*.log*", "--final")
    scene.expect()
    scene.expect_bytes()


@pytest.mark.parametrize("size", [100 << 10, 3 << 20])
@pytest.mark.parametrize("packed", [False, True])
def test_16_a_banner_longer_than_any_fingerprint(scene: Scene, size: int, packed: bool) -> None:
    """Two such files: they are alike in all that a fingerprint covers, and still two."""
    line = "loading layer: some weights were not used when the checkpoint was read\n"
    banner = (line * (size // len(line) + 1)).encode()
    names = ("app.log", "app.log.1")
    for name in names:
        scene.append_bytes(banner, name)
        scene.log(3, name)
    if packed:
        scene.gzip("app.log.1", "app.log.1.gz")
    for _ in range(2):
        scene.run(final=True, chunk=1 << 20)
        scene.expect()
    scene.log(2)
    scene.run(final=True)
    scene.expect()
    scene.expect_bytes(quarantined=2 * len(banner))


def test_16_a_file_that_is_no_log_is_refused_however_long(scene: Scene) -> None:
    scene.append_bytes(b"no record, whatever is read of it\n" * 200_000, "other.log")
    scene.log(2)
    report = scene.run(final=True, clean=False)
    assert ["other.log has the log format" in p.message for p in report.problems] == [True]
    scene.expect()
