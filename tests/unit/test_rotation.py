"""What happens to log files between runs: rotation, compression, truncation.

Every record once, always.
"""

import gzip
import os
import re
import shutil
from pathlib import Path

import pytest
from backports import zstd

from ingest.errors import DamagedFileError, LogFileError, TtsqError
from ingest.model import RunReport
from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness


class Scene:
    """A folder of log files, a store, and the numbers of the records logged so far."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "logs"
        self.folder.mkdir()
        self.store: DuckDBStore = harness.new_store(folder)
        self.logged = 0

    def path(self, name: str) -> Path:
        return self.folder / name

    def records(self, count: int, pad: int = 40) -> bytes:
        """Further records, ERROR ones: each makes a row of its own."""
        first, self.logged = self.logged, self.logged + count
        return b"".join(_record(i, pad) for i in range(first, self.logged))

    def log(self, count: int, name: str = "app.log") -> None:
        """Append records to a file."""
        with self.path(name).open("ab") as file:
            file.write(self.records(count))

    def rename(self, old: str, new: str) -> None:
        self.path(old).rename(self.path(new))

    def copytruncate(self, copy: str = "app.log.1") -> None:
        """Copy the live file, then cut it to nothing, as logrotate does."""
        shutil.copyfile(self.path("app.log"), self.path(copy))
        os.truncate(self.path("app.log"), 0)

    def gzip(self, old: str, new: str, *, keep: bool = False) -> None:
        """Compress a file as gzip(1): the time of the original stays."""
        status = self.path(old).stat()
        self.path(new).write_bytes(gzip.compress(self.path(old).read_bytes()))
        os.utime(self.path(new), ns=(status.st_atime_ns, status.st_mtime_ns))
        if not keep:
            self.path(old).unlink()

    def run(
        self, *names: str, final: bool = False, clean: bool = True, chunk: int = 2000
    ) -> RunReport:
        """Ingest the files named, or only ``app.log``; by default nothing may be wrong with them."""  # noqa: E501
        paths = [self.path(n) for n in names or ("app.log",)]
        report = harness.run(self.store, paths, final=final, chunk_bytes=chunk)
        assert not clean or not report.problems, report.problems
        return report

    def stored(self) -> list[int]:
        """The numbers of the records stored, in order, each as often as it is there."""
        with self.store.reading() as reader:
            rows = reader.query("select message from errors", {}).rows
        found = (re.fullmatch(r"failure (\d+) ?x*", str(row[0])) for row in rows)
        return sorted(int(match[1]) for match in found if match)

    def complete(self) -> None:
        """Every record that was logged is stored, once; and reading again changes nothing."""
        assert self.stored() == list(range(self.logged))
        again = self.run(str(self.folder), final=True)
        assert again.ledger.settled_bytes == 0
        assert self.stored() == list(range(self.logged))


def _record(number: int, pad: int) -> bytes:
    time = f"{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}"
    text = f"2026-03-02 {time},000 - app.tts - ERROR - failure {number} {'x' * pad}\n"
    return text.encode()


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_appended_records_are_read_on(scene: Scene) -> None:
    for count in (1, 2, 50, 1, 100):
        scene.log(count)
        scene.run()
        assert scene.stored() == list(range(scene.logged - 1))
    assert scene.run().ledger.settled_bytes == 0
    scene.run(final=True)
    scene.complete()


def test_renamed_and_a_new_file_begun(scene: Scene) -> None:
    scene.log(30)
    scene.run()
    scene.log(20)
    scene.rename("app.log", "app.log.1")
    scene.log(25)
    scene.run()
    assert scene.stored() == list(
        range(74)
    )  # the rotated file to its end, the live one's last held
    scene.run(final=True)
    scene.complete()


def test_renamed_without_a_new_file(scene: Scene) -> None:
    scene.log(30)
    scene.run()
    scene.log(20)
    scene.rename("app.log", "app.log.1")
    scene.run("app.log.1")
    assert scene.stored() == list(range(49))
    scene.log(5)
    scene.run("app.log.1", "app.log", final=True)
    scene.complete()


def test_several_rotations_between_runs(scene: Scene) -> None:
    scene.log(30)
    scene.run()
    for _ in range(3):
        scene.log(20)
        for number in (3, 2, 1):
            if scene.path(f"app.log.{number}").exists():
                scene.rename(f"app.log.{number}", f"app.log.{number + 1}")
        scene.rename("app.log", "app.log.1")
    scene.log(10)
    scene.run(str(scene.folder), final=True)
    scene.complete()


def test_several_rotations_between_runs_seen_from_the_live_file(scene: Scene) -> None:
    scene.log(30)
    scene.run()
    scene.log(20)
    scene.rename("app.log", "app.log.2")
    scene.log(20)
    scene.rename("app.log", "app.log.1")
    scene.log(10)
    scene.run()
    assert scene.stored() == list(range(79))
    scene.run(final=True)
    scene.complete()


@pytest.mark.parametrize("name", [".", "app.log"], ids=["folder", "live file"])
def test_rotated_and_compressed_while_partly_read(scene: Scene, name: str) -> None:
    scene.log(40)
    scene.run(name)
    scene.log(40)
    scene.rename("app.log", "app.log.1")
    scene.log(1)
    scene.gzip("app.log.1", "app.log.2.gz")
    scene.log(20)
    scene.rename("app.log", "app.log.1")
    scene.log(15)
    scene.run(name)
    scene.run(name, final=True)
    scene.complete()


def test_partly_read_rotated_file_is_compressed_by_the_next_rotation(scene: Scene) -> None:
    scene.log(40)
    scene.rename("app.log", "app.log.1")
    scene.run("app.log.1")
    with scene.path("app.log.1").open("ab") as file:  # the service has not opened the new file yet
        file.write(scene.records(10))
    scene.gzip("app.log.1", "app.log.2.gz")
    scene.log(5, "app.log.1")
    scene.log(5)
    scene.run(".", final=True)
    scene.complete()


@pytest.mark.parametrize("read_all", [True, False], ids=["all read", "tail unread"])
@pytest.mark.parametrize("regrown", [1, 10, 200], ids=["little", "shorter", "larger"])
@pytest.mark.parametrize("name", [".", "app.log"], ids=["folder", "live file"])
def test_copied_and_truncated(scene: Scene, read_all: bool, regrown: int, name: str) -> None:
    scene.log(40)
    scene.run(name, final=read_all)
    if not read_all:
        scene.log(30)
    scene.copytruncate()
    scene.log(regrown)
    report = scene.run(name)
    assert report.ledger.lost_bytes == 0
    scene.run(name, final=True)
    scene.complete()


def test_truncated_without_a_copy_is_a_loss_that_is_told(scene: Scene) -> None:
    scene.log(40)
    scene.run()
    held = len(_record(39, 40))
    os.truncate(scene.path("app.log"), 0)
    scene.log(60)
    report = scene.run(final=True)
    assert report.ledger.lost_bytes == held
    assert scene.stored() == [*range(39), *range(40, 100)]
    assert [c.lost_bytes for c in scene.store.checkpoints() if c.state == "replaced"] == [held]
    assert scene.run(final=True).ledger.lost_bytes == 0


def test_truncated_when_all_was_read_loses_nothing(scene: Scene) -> None:
    scene.log(40)
    scene.run(final=True)
    os.truncate(scene.path("app.log"), 0)
    scene.log(60)
    assert scene.run(final=True).ledger.lost_bytes == 0
    scene.complete()


def test_truncated_and_empty_when_seen(scene: Scene) -> None:
    scene.log(40)
    scene.run()
    os.truncate(scene.path("app.log"), 0)
    lost = scene.run().ledger.lost_bytes
    scene.log(20)
    lost += scene.run(final=True).ledger.lost_bytes
    assert lost == len(_record(39, 40))
    assert scene.stored() == [*range(39), *range(40, 60)]


def test_one_file_by_several_paths(scene: Scene) -> None:
    scene.log(40)
    scene.path("link.log").symlink_to(scene.path("app.log"))
    scene.path("hard.log").hardlink_to(scene.path("app.log"))
    scene.path("sub").mkdir()
    names = ("app.log", "link.log", "hard.log", "sub/../app.log", ".")
    scene.run(*names)
    assert scene.stored() == list(range(39))
    scene.log(10)
    scene.run(*reversed(names))
    scene.run("hard.log", final=True)
    scene.complete()


def test_rotated_file_and_its_compressed_twin(scene: Scene) -> None:
    scene.log(40)
    scene.rename("app.log", "app.log.1")
    scene.gzip("app.log.1", "app.log.1.gz", keep=True)
    scene.log(10)
    scene.run(".")
    scene.path("app.log.1").unlink()
    scene.run(".", final=True)
    scene.complete()


def test_compressed_twin_of_a_file_partly_read(scene: Scene) -> None:
    scene.log(40)
    scene.run()
    scene.log(40)
    scene.rename("app.log", "app.log.1")
    scene.gzip("app.log.1", "app.log.1.gz", keep=True)
    scene.log(10)
    scene.run(".")
    scene.run(".", final=True)
    scene.complete()


@pytest.mark.parametrize("size", [1, 7, 64, 200])
def test_a_file_shorter_than_a_fingerprint_grows(scene: Scene, size: int) -> None:
    data = scene.records(60, pad=0)
    for end in [*range(1, 140 * size if size < 5 else 700, size * 3), len(data)]:
        scene.path("app.log").write_bytes(data[:end])
        scene.run()
    scene.run(final=True)
    scene.complete()


def test_a_compressed_file_that_is_still_being_written(scene: Scene) -> None:
    whole = gzip.compress(scene.records(4000), mtime=0)
    problems: list[TtsqError] = []
    for part in (1, 2, 3):
        scene.path("app.log.1.gz").write_bytes(whole[: len(whole) * part // 4])
        problems += scene.run("app.log.1.gz", clean=False, chunk=40_000).problems
        stored = scene.stored()
        assert stored == list(range(len(stored)))
    assert 0 < len(scene.stored()) < 4000
    assert [isinstance(p, DamagedFileError) and p.cut for p in problems] == [True] * 3
    scene.path("app.log.1.gz").write_bytes(whole)
    scene.run("app.log.1.gz", chunk=40_000)
    scene.complete()


def test_a_compressed_file_of_several_members(scene: Scene) -> None:
    parts = [gzip.compress(scene.records(n)) for n in (30, 1, 200)]
    scene.path("app.log.1.gz").write_bytes(b"".join(parts) + b"\0" * 512)
    scene.run(".")
    scene.complete()


def test_a_member_is_added_to_a_compressed_file(scene: Scene) -> None:
    scene.path("app.log.1.gz").write_bytes(gzip.compress(scene.records(30)))
    scene.run(".")
    assert scene.stored() == list(range(30))
    with scene.path("app.log.1.gz").open("ab") as file:
        file.write(gzip.compress(scene.records(40)))
    scene.run(".")
    scene.complete()


def test_zstd(scene: Scene) -> None:
    scene.log(40)
    scene.run()
    scene.log(200)
    data = scene.path("app.log").read_bytes()
    scene.path("app.log.1.zst").write_bytes(zstd.compress(data[:9000]) + zstd.compress(data[9000:]))
    scene.path("app.log").unlink()
    scene.log(10)
    scene.run(".", final=True)
    scene.complete()


def test_a_damaged_compressed_file_is_read_up_to_the_damage(scene: Scene) -> None:
    whole = gzip.compress(scene.records(4000), mtime=0)
    broken = bytearray(whole)
    broken[len(whole) // 2 : len(whole) // 2 + 40] = b"\xff" * 40
    scene.path("app.log.1.gz").write_bytes(bytes(broken))
    (problem,) = scene.run(".", clean=False, chunk=40_000).problems
    assert isinstance(problem, DamagedFileError)
    assert not problem.cut
    stored = scene.stored()
    assert stored[:1500] == list(range(1500))  # where the damage is, records may be garbled
    assert len(stored) < 3000
    scene.run(".", clean=False)
    assert scene.stored() == stored


def test_a_held_record_is_completed_once(scene: Scene) -> None:
    scene.log(10)
    data = scene.records(1)
    for end in (5, 20, 60, len(data) - 1, len(data)):
        with scene.path("app.log").open("ab") as file:
            file.write(data[file.tell() - 10 * len(_record(0, 40)) : end])
        scene.run()
        assert len(scene.stored()) in (9, 10)
    scene.log(1)
    scene.run()
    assert scene.stored() == list(range(11))
    scene.run(final=True)
    scene.complete()


@pytest.mark.parametrize("sparse", [True, False], ids=["hole", "bytes"])
def test_a_hole_of_nul_bytes_at_the_front(scene: Scene, sparse: bool) -> None:
    scene.log(40)
    scene.run(final=True)
    scene.copytruncate()
    size = 100_000
    with scene.path("app.log").open(
        "r+b"
    ) as file:  # a writer that does not append keeps its position
        if sparse:
            file.seek(size)
        else:
            file.write(b"\0" * size)
        file.write(scene.records(20))
    report = scene.run()
    assert report.ledger.ignored_bytes >= size
    scene.log(20)
    scene.run(final=True)
    scene.complete()


def test_files_that_cannot_be_read_do_not_keep_others_from_being_read(scene: Scene) -> None:
    scene.log(40)
    scene.path("picture.log").write_bytes(bytes(range(256)) * 20)
    scene.path("dangling.log").symlink_to(scene.path("nowhere"))
    os.mkfifo(scene.path("pipe.log"))
    report = scene.run(
        "picture.log", "dangling.log", "pipe.log", "gone.log", "app.log", clean=False, final=True
    )
    assert len(report.problems) == 4
    assert all(isinstance(p, LogFileError) and p.hint for p in report.problems)
    for name in ("picture.log", "dangling.log", "pipe.log", "gone.log"):
        assert sum(name in p.message for p in report.problems) == 1
    assert scene.stored() == list(range(40))


def test_a_known_file_that_is_gone_is_told_and_its_rows_stay(scene: Scene) -> None:
    scene.log(40)
    scene.log(10, "other.log")
    scene.run("app.log", "other.log", final=True)
    scene.path("app.log").unlink()
    scene.log(5, "other.log")
    report = scene.run("app.log", "other.log", final=True, clean=False)
    assert ["app.log" in p.message for p in report.problems] == [True]
    assert scene.stored() == list(range(55))


def test_an_inode_used_again_is_a_new_file(scene: Scene) -> None:
    scene.log(40)
    scene.run(final=True)
    inode = scene.path("app.log").stat().st_ino
    os.truncate(scene.path("app.log"), 0)
    scene.rename("app.log", "other.log")
    scene.log(40, "other.log")
    assert scene.path("other.log").stat().st_ino == inode
    scene.run(".", final=True)
    scene.complete()


def test_an_edited_end_is_not_stored_again(scene: Scene) -> None:
    scene.log(40)
    scene.run(final=True)
    data = bytearray(scene.path("app.log").read_bytes())
    data[-20:-10] = b"y" * 10
    scene.path("app.log").write_bytes(bytes(data))
    report = scene.run(final=True)
    assert report.ledger.lost_bytes > 0
    assert scene.stored() == list(range(40))
