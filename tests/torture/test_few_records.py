"""Few lines of a log that is stored, in another file: they are recognised by what they say, a
request's id and a moment, wherever they stand. What others may say, too, is stored again.
"""

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.log_writer import to_bytes
from tests.torture.scene import Scene


def _log(scene: Scene, count: int, name: str = "app.log") -> list[bytes]:
    """Requests in a log, and its lines."""
    records = scene.journal.requests(count)
    scene.append(records, name)
    return to_bytes(records).splitlines(keepends=True)


def _put(scene: Scene, name: str, lines: Sequence[bytes]) -> None:
    data = b"".join(lines)
    scene.path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)


@pytest.mark.parametrize("name", ["app.log.old", "app.log.7.gz", "app.log.all"])
@pytest.mark.parametrize("count", [1, 4, 11])
def test_a_piece_from_the_middle_of_its_log_is_known(scene: Scene, name: str, count: int) -> None:
    lines = _log(scene, 40)
    scene.run(final=True)
    first = next(n for n in range(150, len(lines)) if b"synthesis_start" in lines[n])
    _put(scene, name, lines[first : first + count])
    scene.run(final=True)
    scene.expect()


@pytest.mark.parametrize("size", [1900, 3000])
def test_a_log_is_split_anywhere(scene: Scene, size: int) -> None:
    """Within lines, as split -b does; each piece has a name of its own."""
    _log(scene, 25)
    scene.run(final=True)
    data = scene.path("app.log").read_bytes()
    scene.path("app.log").unlink()
    for n, begin in enumerate(range(0, len(data), size)):
        scene.path(f"piece.log.x{n:03}").write_bytes(data[begin : begin + size])
    scene.run(final=True)
    scene.expect()


def test_logs_of_several_workers_are_sorted_into_one(scene: Scene) -> None:
    for name in ("a.log", "b.log", "a.log", "b.log"):
        _log(scene, 6, name)
    scene.run(final=True)
    own = [scene.path(n).read_bytes().splitlines(keepends=True) for n in ("a.log", "b.log")]
    records: list[bytes] = []
    for lines in own:
        for line in lines:
            if line[:4] == b"2026":
                records.append(line)
            else:
                records[-1] += line
    _put(scene, "sorted.log", sorted(records))
    scene.run(final=True)
    scene.expect()


@pytest.mark.parametrize("how", ["in place", "by rename", "and rotated"])
def test_every_line_of_a_log_is_edited(scene: Scene, how: str) -> None:
    """The edits are lost; the requests are stored once, and what is new is read."""
    lines = _log(scene, 30)
    scene.run(final=True)
    edited = [line.replace(b" - app.tts - ", b" - ******* - ") for line in lines]
    if how != "in place":
        scene.path("app.log").unlink()
    _put(scene, "app.log.1.gz" if how == "and rotated" else "app.log", edited)
    _log(scene, 5)
    report = scene.run(final=True)
    assert report.ledger.lost_bytes > 0
    scene.expect()


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_log_is_cut_in_its_last_line_and_goes_on(scene: Scene, end: bytes) -> None:
    lines = _log(scene, 30)
    scene.run(final=True)
    data = b"".join(lines[: len(lines) - 7])
    scene.path("app.log").write_bytes(data + lines[-7][:70] + end)
    if end:
        _log(scene, 4)
    scene.run(final=True)
    scene.expect()


def test_what_a_hole_left_of_a_line_is_known_in_the_midst_of_an_archive(scene: Scene) -> None:
    lines = _log(scene, 10)
    scene.run(final=True)
    data = b"".join(lines)
    hole = data.index(b"synthesis_complete", 3000) - 3
    scene.path("app.log").write_bytes(b"\0" * hole + data[hole:])
    _put(scene, "app.log.all", [*_log(scene, 3, "app.log.2"), scene.path("app.log").read_bytes()])
    scene.path("app.log.2").unlink()
    scene.run(final=True)
    scene.expect()


def test_one_line_with_an_id_that_others_say_too_is_theirs_as_well(scene: Scene) -> None:
    """A service of two workers, each with a log; a check with the same id at the same moment."""
    line = b'2026-03-02 10:00:00,000 - app - INFO - synthesis_start: id=ts_health, text="ok"\n'
    for worker in (1, 2):
        name = f"worker-{worker}.log"
        _log(scene, 3, name)
        scene.append_bytes(line, name)
        _log(scene, 3, name)
        scene.run(name, final=True)
    with scene.store.reading() as reader:
        found = reader.query("select count(*) from requests where id = 'ts_health'", {}).rows
    assert found == [(2,)]


def test_a_line_repeated_within_a_second_across_a_rotation_is_said_twice(scene: Scene) -> None:
    """It has an id, but no time that only one line can have."""
    line = b'2026-03-02 10:00:00 - app - INFO - synthesis_start: id=ts_health, text="ok"\n'
    scene.log(5)
    scene.append_bytes(line)
    scene.run(final=True)
    scene.rename("app.log", "app.log.1")
    scene.append_bytes(line)
    scene.log(5)
    scene.run(final=True)
    with scene.store.reading() as reader:
        found = reader.query("select count(*) from requests where id = 'ts_health'", {}).rows
    assert found == [(2,)]


def test_other_archives_of_a_log_are_named_and_bring_nothing(scene: Scene) -> None:
    lines = _log(scene, 10)
    scene.run(final=True)
    data = b"".join(lines)
    scene.path("app.log.1.xz").write_bytes(lzma.compress(data))
    scene.path("app.log.2.bz2").write_bytes(bz2.compress(data))
    _zip(scene.path("app.log.3.zip"), data)
    report = scene.run(final=True, clean=False)
    told = sorted(p.message for p in report.problems)
    assert [t.split(", not")[0].rsplit(" is ")[1] for t in told] == [
        "an xz file",
        "a bzip2 file",
        "a zip archive",
    ]
    scene.expect()


def _zip(path: Path, data: bytes) -> None:
    """As it is: to the eye, a text."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("app.log", data)


def test_records_put_between_stored_ones_are_read(scene: Scene) -> None:
    """Where no stored line is missing, nothing can be edited."""
    lines = _log(scene, 60)
    scene.run(final=True)
    more = to_bytes(scene.journal.failures(3)).splitlines(keepends=True)
    starts = [n for n, line in enumerate(lines) if b"synthesis_start" in line]
    for n, line in zip((50, 30, 10), more, strict=True):
        lines.insert(starts[n], line.replace(line[:19], lines[starts[n]][:19]))
    _put(scene, "t", lines)
    scene.rename("t", "app.log")
    scene.run(final=True)
    scene.expect()


def test_what_a_trim_left_of_a_line_before_an_edited_one_is_known(scene: Scene) -> None:
    """Half a line that by itself reads as a record stands before the edit."""
    scene.log(4)
    scene.run(final=True)
    data = scene.path("app.log").read_bytes()
    lines = data[data.index(b"ERROR - failure 0 ") :].splitlines(keepends=True)
    lines[1] = lines[1].replace(b"app.tts", b"*******")
    scene.path("app.log").unlink()
    _put(scene, "app.log", lines)
    scene.log(2)
    scene.run(final=True)
    scene.expect()


@pytest.mark.parametrize(("packed", "is_there"), [(False, False), (False, True), (True, True)])
def test_what_was_held_back_is_lost_unless_its_archive_has_it(
    scene: Scene, packed: bool, is_there: bool
) -> None:
    scene.log(5)
    scene.run()
    lines = scene.path("app.log").read_bytes().splitlines(keepends=True)
    _put(scene, "app.log.old.gz" if packed else "app.log.old", lines if is_there else lines[:-1])
    scene.path("app.log").write_bytes(b"")
    scene.log(2)
    report = scene.run(final=True)
    assert report.ledger.lost_bytes == (0 if is_there else len(lines[-1]))
