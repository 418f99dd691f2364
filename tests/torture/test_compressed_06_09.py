"""Scenarios 6-9 and 24: compressed files, half written, damaged, of many members, beside their
plain twin, dated.
"""

import gzip
import os
import shutil
import subprocess
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from ingest.errors import DamagedFileError
from tests.support.log_writer import stored_rows, to_bytes
from tests.torture.scene import Scene

Pack = Callable[[bytes], bytes]
PACKED = pytest.mark.parametrize(
    ("suffix", "pack"), [(".gz", gzip.compress), (".zst", zstd.compress)], ids=["gzip", "zstd"]
)


def _tool(scene: Scene, *words: str) -> None:
    """Run gzip(1) or zstd(1) in the folder of the logs."""
    assert shutil.which(words[0]), f"this test needs {words[0]}: apt-get install {words[0]}"
    subprocess.run(words, cwd=scene.folder, check=True, capture_output=True)


@PACKED
@pytest.mark.parametrize("known", [False, True], ids=["unknown", "partly read"])
def test_06_still_being_written_is_read_up_to_there_and_finished_later(
    scene: Scene, suffix: str, pack: Pack, known: bool
) -> None:
    scene.log(30)
    if known:
        scene.run()
    scene.append(scene.journal.mixed(400))
    whole = pack(scene.path("app.log").read_bytes())
    scene.path("app.log").unlink()
    name = "app.log.1" + suffix
    for cut in (1, 2, 5, 11, 18, 19, *range(300, len(whole), len(whole) // 6), len(whole) - 1):
        scene.path(name).write_bytes(whole[:cut])
        report = scene.run(name, clean=False, chunk=40_000)
        assert all(isinstance(p, DamagedFileError) and p.cut for p in report.problems), cut
        rows = stored_rows(scene.store)
        assert not rows.errors - scene.journal.rows().errors, cut
    scene.path(name).write_bytes(whole)
    scene.run(name, chunk=40_000)
    scene.expect()
    scene.expect_all()


def test_06_cut_at_any_point_and_then_whole(scene: Scene) -> None:
    """A store a cut would tell no more: each file has records of its own."""
    cuts = (0, 1, 2, 3, 10, 17, 18, 60, 200, 700, -9, -8, -5, -1)
    whole = [gzip.compress(to_bytes(scene.journal.mixed(40))) for _ in cuts]
    for n, cut in enumerate(cuts):
        scene.path(f"a{n}.log.1.gz").write_bytes(whole[n][:cut])
    problems = scene.run(clean=False).problems
    assert len(problems) == len(cuts) - 1  # an empty file is none
    assert all(isinstance(p, DamagedFileError) and p.cut for p in problems)
    for n, data in enumerate(whole):
        scene.path(f"a{n}.log.1.gz").write_bytes(data)
    scene.run()
    scene.expect()
    scene.expect_bytes()


@pytest.mark.parametrize("keep", [True, False], ids=["plain file still there", "plain file gone"])
def test_06_gzip_at_work_beside_the_plain_file(scene: Scene, keep: bool) -> None:
    """gzip(1) writes the new file first and removes the old one at its end: a run meets both."""
    scene.append(scene.journal.mixed(100))
    scene.run()
    scene.append(scene.journal.mixed(100))
    scene.rename("app.log", "app.log.1")
    scene.log(3)
    whole = gzip.compress(scene.path("app.log.1").read_bytes())
    scene.path("app.log.1.gz").write_bytes(whole[: len(whole) // 2])
    scene.run(clean=False)
    scene.expect(held=1)
    scene.path("app.log.1.gz").write_bytes(whole)
    if not keep:
        scene.path("app.log.1").unlink()
    scene.run()
    scene.expect_all()


@PACKED
def test_07_damaged_rows_up_to_the_damage_then_no_loop(
    scene: Scene, suffix: str, pack: Pack
) -> None:
    before = to_bytes(scene.journal.failures(500))
    whole = bytearray(pack(before + to_bytes(scene.journal.failures(500, pad=7))))
    name = "app.log.1" + suffix
    middle = len(whole) // 2
    whole[middle : middle + 64] = bytes(b ^ 0xA5 for b in whole[middle : middle + 64])
    scene.path(name).write_bytes(bytes(whole))
    (problem,) = scene.run(clean=False, chunk=20_000).problems
    assert isinstance(problem, DamagedFileError)
    assert name in problem.message
    first = stored_rows(scene.store)
    read = sum(c.committed_offset for c in scene.store.checkpoints())
    for _ in range(2):
        assert scene.run(clean=False).ledger.settled_bytes == 0
        assert stored_rows(scene.store) == first
    (known,) = scene.store.checkpoints()
    assert (known.committed_offset, known.state) == (read, "damaged")


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_07_cut_short_for_good_is_read_up_to_there_and_told(scene: Scene, keep: float) -> None:
    data = to_bytes(scene.journal.failures(900, pad=30))
    pieces = zlib.compressobj(wbits=31)
    packed = b"".join(
        pieces.compress(data[at : at + 4000]) + pieces.flush(zlib.Z_SYNC_FLUSH)
        for at in range(0, len(data), 4000)
    )
    readable = zlib.decompressobj(wbits=31).decompress(packed[: int(len(packed) * keep)])
    scene.path("app.log.1.gz").write_bytes(packed[: int(len(packed) * keep)])
    (problem,) = scene.run(clean=False).problems
    assert "ends in the middle" in problem.message
    whole_lines = readable[: readable.rfind(b"\n") + 1].count(b"\n")
    held = len(scene.journal.failures_made) - whole_lines
    assert held > 0
    assert not [w for w in stored_rows(scene.store).wrong(scene.journal.rows(held)) if "many" in w]
    assert stored_rows(scene.store).errors.total() >= whole_lines - 1
    assert scene.run(clean=False).ledger.settled_bytes == 0


def test_07_a_damaged_file_keeps_no_other_from_being_read(scene: Scene) -> None:
    scene.path("app.log.2.gz").write_bytes(b"\x1f\x8b\x08\x00 this is not deflated")
    scene.path("app.log.3.zst").write_bytes(b"\x28\xb5\x2f\xfd and neither is this")
    scene.log(20, "app.log.1")
    scene.log(20)
    assert len(scene.run(clean=False).problems) == 2
    scene.expect(held=1)


@PACKED
def test_08_many_members_are_one_file(scene: Scene, suffix: str, pack: Pack) -> None:
    parts = [pack(to_bytes(scene.journal.mixed(n))) for n in (30, 1, 60)]
    split = to_bytes(scene.journal.mixed(3))  # a record across the border of two members
    parts += [pack(split[:77]), pack(b""), pack(split[77:])]
    scene.path("app.log.1" + suffix).write_bytes(b"".join(parts))
    scene.run()
    scene.expect()
    scene.expect_all()


@PACKED
def test_08_a_member_is_added_after_a_run(scene: Scene, suffix: str, pack: Pack) -> None:
    name = "app.log.1" + suffix
    for count in (20, 1, 40):
        scene.append_bytes(pack(to_bytes(scene.journal.failures(count))), name)
        scene.run(name)
    scene.expect_all()


@PACKED
def test_09_growing_copies_of_a_log_without_stamps_are_one_file_in_each_run(
    scene: Scene, suffix: str, pack: Pack
) -> None:
    """As a backup of each night leaves them."""
    answer = 'INFO:     10.3.0.7:{} - "POST /tts HTTP/1.1" 200 OK\n'
    lines = [answer.format(40_000 + n).encode() for n in range(90)]
    for number in (30, 60, 90):
        path = scene.path(f"app.log.bak{number}{suffix}")
        path.write_bytes(pack(b"".join(lines[:number])))
        os.utime(path, (1_800_000_000 + number, 1_800_000_000 + number))
    assert scene.run().ledger.records == 90
    assert scene.run().ledger.settled_bytes == 0


@pytest.mark.parametrize("first", ["plain", "packed", "both"])
def test_09_dot_1_and_dot_1_gz_both_present(scene: Scene, first: str) -> None:
    scene.append(scene.journal.mixed(60), "app.log.1")
    _tool(scene, "gzip", "--keep", "app.log.1")
    scene.log(10)
    order = {"plain": ["app.log.1"], "packed": ["app.log.1.gz"], "both": ["."]}[first]
    scene.run(*order)
    scene.run("app.log.1.gz", "app.log.1", "app.log")
    scene.expect(held=1)
    scene.path("app.log.1").unlink()
    scene.run()
    scene.expect_all()


def test_09_the_plain_one_grows_after_its_twin_was_made(scene: Scene) -> None:
    scene.append(scene.journal.mixed(40), "app.log.1")
    _tool(scene, "gzip", "--keep", "app.log.1")
    scene.run("app.log.1.gz")
    scene.append(scene.journal.mixed(20), "app.log.1")
    scene.log(1)
    scene.run()
    scene.expect_all()


NAMES = (
    "app.log-20261122",
    "app.log-20261122.gz",
    "app.log-1700000000",
    "app.log-1700000000.gz",
    "app.log.2026-11-22",
    "app.log.2026-11-22_14-00",
    "app.log.2026-11-22_14.gz",
    "app-2026-11-22.log",
    "app.log.1.zst",
    "app.log-20261122.zst",
    "app.log.1",
)
ODD_NAMES = ("app.1.log", "app.log.old", "app.log.bak", "app.log~2")


@pytest.mark.parametrize("names", [NAMES, ODD_NAMES], ids=["known", "not known as rotated"])
def test_24_names_of_rotated_files(scene: Scene, names: tuple[str, ...]) -> None:
    """Only the live files are named: the others are found, and their tails taken.

    By their names, or, whatever the name, because the file was renamed and another one has taken
    its place.
    """
    live = [f"{n}/app.log" for n in range(len(names))]
    last = []
    for path in live:
        scene.path(path).parent.mkdir()
        scene.log(15, path)
    scene.run(*live)
    for path, name in zip(live, names, strict=True):
        scene.log(8, path)
        _rotate(scene, path, scene.path(path).with_name(name))
        scene.log(7, path)
        last.append(scene.journal.made - 1)
    scene.run(*live)
    wrong = stored_rows(scene.store).wrong(scene.journal.rows())
    held = {(f"failure {n}", None) for n in last}
    assert scene.journal.rows().errors - stored_rows(scene.store).errors == Counter(held), wrong
    scene.run(*live, final=True)
    scene.expect_all()


def _rotate(scene: Scene, live: str, target: Path) -> None:
    """Rename, and compress where the new name says so."""
    plain = target.with_suffix("") if target.suffix in (".gz", ".zst") else target
    scene.path(live).rename(plain)
    if target.suffix == ".gz":
        _tool(scene, "gzip", str(plain))
    elif target.suffix == ".zst":
        _tool(scene, "zstd", "-q", "--rm", str(plain))


def test_24_a_folder_of_files_of_every_day(scene: Scene) -> None:
    for day in range(20, 24):
        scene.log(5, f"app-2026-11-{day}.log")
        os.utime(scene.path(f"app-2026-11-{day}.log"), (day, day))
    scene.log(5)
    scene.run()
    scene.run()
    scene.expect(held=1)
    scene.expect_all()
