"""Content that is stored is recognised anywhere in a file: moved, trimmed, written over, appended,
edited.
"""

import gzip
import os
import subprocess
from datetime import UTC
from pathlib import Path

import pytest

from ingest.pipeline.known_content import known_stretches
from ingest.records.formats import compile_format
from ingest.tasks.verify.run import Options, verify
from tests.support import harness
from tests.support.log_writer import to_bytes
from tests.torture.scene import Scene


def _already(scene: Scene) -> int:
    return sum(c.already_stored_bytes for c in scene.store.checkpoints())


def _trim(path: Path, keep: int) -> None:
    """Keep the last bytes of a file, in place."""
    path.write_bytes(path.read_bytes()[-keep:])


@pytest.mark.parametrize("share", [0.9, 0.5, 0.2, 0.05])
@pytest.mark.parametrize("by_rename", [False, True])
def test_the_head_is_trimmed(scene: Scene, share: float, by_rename: bool) -> None:
    scene.log(300)
    scene.run()
    live = scene.path("app.log")
    data = live.read_bytes()
    kept = data[-int(len(data) * share) :]
    if by_rename:
        scene.path("t").write_bytes(kept)
        os.replace(scene.path("t"), live)
    else:
        live.write_bytes(kept)
    scene.log(10)
    scene.run()
    scene.run(final=True)
    scene.expect()
    assert _already(scene)


def test_the_head_is_trimmed_again_and_again(scene: Scene) -> None:
    for _ in range(6):
        scene.log(60)
        scene.run()
        _trim(scene.path("app.log"), 9000)
    scene.log(3)
    scene.run(final=True)
    scene.expect()


def test_a_hole_is_punched_at_the_head(scene: Scene) -> None:
    scene.log(400)
    scene.run()
    with scene.path("app.log").open("r+b") as file:
        file.write(b"\0" * 20_000)
    scene.log(5)
    scene.run()
    scene.run(final=True)
    scene.expect()


def test_a_log_is_written_over_from_its_beginning(scene: Scene) -> None:
    scene.log(300)
    scene.run()
    with scene.path("app.log").open("r+b") as file:
        for count in (5, 40, 100):
            file.write(b"".join(_lines(scene, count)))
            file.flush()
            scene.run(clean=False)
    stored = harness_failures(scene)
    assert len(stored) == len(set(stored))


def test_what_is_written_over_a_log_is_read(scene: Scene) -> None:
    """Its lines stand between others that are stored, as edited ones would: they are younger."""
    scene.log(200)
    scene.run()
    with scene.path("app.log").open("r+b") as file:
        for count in (5, 3, 40):
            file.write(b"".join(_lines(scene, count)))
            file.flush()
            scene.run(clean=False)
    scene.run(final=True, clean=False)
    numbers = [str(message).split()[1] for _, message, _ in harness_failures(scene)]
    assert sorted(numbers, key=int) == [str(n) for n in range(248)]


@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("how", ["in place", "by rename", "and rotated"])
def test_a_few_last_lines_are_left(scene: Scene, count: int, how: str) -> None:
    scene.log(100)
    scene.run(final=True)
    live = scene.path("app.log")
    left = b"".join(live.read_bytes().splitlines(keepends=True)[-count:])
    if how == "in place":
        live.write_bytes(left)
    else:
        scene.path("t").write_bytes(left)
        os.replace(scene.path("t"), live)
    if how == "and rotated":
        scene.rename("app.log", "app.log.1")
    scene.log(3)
    scene.run(final=True)
    scene.expect()


def _lines(scene: Scene, count: int) -> list[bytes]:
    return to_bytes(scene.journal.failures(count)).splitlines(keepends=True)


def harness_failures(scene: Scene) -> list[tuple[object, ...]]:
    """The errors stored, by their message."""
    with scene.store.reading() as reader:
        return list(reader.query("select id, message, occurred_at from errors", {}).rows)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("count", [1, 3, 40])
def test_each_log_is_appended_to_an_archive(scene: Scene, packed: bool, count: int) -> None:
    scene.log(count)
    scene.run()
    archive = scene.path("app.log.old.gz" if packed else "app.log.old")
    for _ in range(4):
        live = scene.path("app.log")
        data = live.read_bytes()
        with archive.open("ab") as file:
            file.write(gzip.compress(data) if packed else data)
        os.truncate(live, 0)
        scene.log(count)
        scene.run()
    scene.run(final=True)
    scene.expect()


def test_all_rotated_files_in_one(scene: Scene) -> None:
    for number in (3, 2, 1):
        scene.log(80, f"app.log.{number}")
    scene.log(30)
    scene.run()
    whole = b"".join(scene.path(n).read_bytes() for n in ("app.log.3", "app.log.2", "app.log.1"))
    scene.path("all.log").write_bytes(whole)
    scene.run()
    scene.path("mixed.log").write_bytes(scene.path("app.log.1").read_bytes() + whole)
    scene.run()
    scene.run(final=True)
    scene.expect()


def test_an_edit_in_what_is_stored_is_named_and_what_follows_is_read(scene: Scene) -> None:
    scene.log(300)
    scene.run()
    live = scene.path("app.log")
    data = live.read_bytes()
    at = data.index(b"\n", 9000) + 5
    live.write_bytes(data[:at] + b"XX" + data[at + 2 :])
    scene.log(10)
    report = scene.run(clean=False)
    assert report.ledger.lost_bytes > 0
    live.rename(scene.path("app.log.1"))
    scene.log(5)
    scene.run(clean=False)
    scene.gzip("app.log.1", "app.log.2.gz")
    scene.run(clean=False)
    scene.run(final=True, clean=False)
    stored = harness_failures(scene)
    assert len(stored) == len(set(stored))
    scene.expect()


def test_an_edit_of_a_log_that_is_stored_from_another_place_is_no_end_of_its_reading(
    scene: Scene,
) -> None:
    """All its lines have their hashes where they were stored first."""
    scene.log(200)
    scene.run(final=True)
    copy = scene.path("copy.log")
    data = scene.path("app.log").read_bytes()
    copy.write_bytes(data[data.index(b"\n", 3000) + 1 :])
    scene.run(final=True)
    data = copy.read_bytes()
    at = data.index(b"\n", 900) + 5
    copy.write_bytes(data[:at] + b"XX" + data[at + 2 :])
    scene.log(5, "copy.log")
    report = scene.run(final=True, clean=False)
    assert not report.problems
    scene.expect()


def test_a_word_is_blacked_out_in_every_other_record(scene: Scene) -> None:
    """Very many edits with nothing between them are stored in one go."""
    scene.log(600)
    scene.run(final=True)
    live = scene.path("app.log")
    lines = live.read_bytes().splitlines(keepends=True)
    edited = [b.replace(b"failure", b"*******") if n % 4 == 1 else b for n, b in enumerate(lines)]
    assert edited != lines
    scene.path("t").write_bytes(b"".join(edited))
    os.replace(scene.path("t"), live)
    scene.log(5)
    report = scene.run(final=True)
    changed = [len(b) for a, b in zip(lines, edited, strict=True) if a != b]
    assert report.ledger.lost_bytes >= sum(changed)
    assert report.ledger.already_stored_bytes == sum(map(len, edited))
    scene.expect()


@pytest.mark.parametrize("name", ["clean.log", "clean.log.gz"])
def test_lines_are_left_out_of_a_copy(scene: Scene, name: str) -> None:
    """Here and there, the first and the last among them; the log itself stands beside the copy."""
    scene.log(200)
    scene.run(final=True)
    lines = scene.path("app.log").read_bytes().splitlines(keepends=True)
    kept = b"".join(line for n, line in enumerate(lines) if n % 9)
    scene.path(name).write_bytes(gzip.compress(kept) if name.endswith(".gz") else kept)
    scene.run(final=True)
    scene.expect()


def test_blacked_out_rotated_and_compressed_between_two_runs(scene: Scene) -> None:
    """The lines between unchanged ones are known to be those that were edited."""
    scene.log(200)
    scene.run(final=True)
    live = scene.path("app.log")
    lines = live.read_bytes().splitlines(keepends=True)
    failures = [n for n, line in enumerate(lines) if b"failure" in line]
    for n in failures[1:-1:2]:
        lines[n] = lines[n].replace(b"failure", b"*******")
    scene.path("app.log.1.gz").write_bytes(gzip.compress(b"".join(lines)))
    live.unlink()
    scene.log(10)
    scene.run(final=True)
    scene.expect()


def test_a_log_that_ends_with_the_line_that_ended_the_one_before_has_it_too(scene: Scene) -> None:
    """It is held back at first; behind lines of its own it is no rest that a trim has left."""
    same = b"2026-03-02 23:00:00,000 - app - ERROR - out of memory\n"
    scene.log(5)
    scene.append_bytes(same)
    scene.run(final=True)
    scene.rename("app.log", "app.log.1")
    scene.log(5)
    scene.append_bytes(same)
    scene.run()
    scene.path("app.log.1").unlink()
    scene.run(final=True)
    assert [str(m).strip() for _, m, _ in harness_failures(scene)].count("out of memory") == 2


def test_a_copy_of_a_logs_beginning_is_known_when_it_is_read_at_last(scene: Scene) -> None:
    """Its one record was held back."""
    scene.log(1)
    scene.path("app.log.all").write_bytes(scene.path("app.log").read_bytes())
    os.utime(scene.path("app.log.all"), (1, 1))
    scene.log(4)
    scene.run()
    scene.run(final=True)
    scene.expect()


def test_a_short_log_that_was_written_over_is_known_in_its_archive(scene: Scene) -> None:
    """Its middle is stored from what stood there before."""
    scene.log(4)
    scene.run(final=True)
    live = scene.path("app.log")
    rest = live.read_bytes().splitlines(keepends=True)[1:]
    live.write_bytes(_lines(scene, 1)[0] + b"".join(rest))
    scene.log(2)
    scene.run(final=True)
    archive = scene.path("app.log.all")
    archive.write_bytes(b"".join(_lines(scene, 2)) + live.read_bytes())
    scene.run(final=True)
    scene.expect()


@pytest.mark.parametrize("count", [3, 15, 30])
def test_a_log_in_the_place_of_one_that_ended_alike_is_no_edit_of_it(
    scene: Scene, count: int
) -> None:
    """A service that writes no date, and is stopped at the same time each night."""
    for day, lines in ((1, 20), (2, count)):
        for n in range(lines):
            scene.append_bytes(b"10:00:%02d - app - ERROR - day %d, line %d\n" % (n, day, n))
        scene.append_bytes(b"23:00:00 - app - ERROR - terminated\n")
        os.utime(scene.path("app.log"), (day * 86400, day * 86400))
        assert scene.run(final=True).ledger.lost_bytes == 0
        scene.path("app.log").unlink()
    said = [str(message).split(",")[0] for _, message, _ in harness_failures(scene)]
    assert (said.count("day 1"), said.count("day 2")) == (20, count)


@pytest.mark.parametrize("count", [1, 20, 30])
def test_what_is_younger_than_a_log_is_no_edit_of_it(scene: Scene, count: int) -> None:
    """Both logs end with the same line, of which the time has no date."""
    for lines in (20, count):
        scene.log(lines)
        scene.append_bytes(b"23:59:59 closes the shop\n")
        assert scene.run(final=True).ledger.lost_bytes == 0
        scene.path("app.log").unlink()
    numbers = [int(str(message).split()[1]) for _, message, _ in harness_failures(scene)]
    assert sorted(numbers) == list(range(20 + count))


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("more", [0, 3])
def test_a_rotated_file_that_its_archive_has_and_that_grew_is_no_second_copy(
    scene: Scene, more: int, packed: bool
) -> None:
    """The archive is read first; a worker that still had the file open wrote on in it."""
    for count, name in ((8, "app.log.3"), (4 if more else 1, "app.log.2"), (3, "app.log.1")):
        scene.log(count, name)
    names = ("app.log.3", "app.log.2", "app.log.1")
    scene.path("app.log.all").write_bytes(b"".join(scene.path(n).read_bytes() for n in names))
    scene.run("app.log.all", final=True)
    scene.log(more, "app.log.2")
    if packed:
        scene.gzip("app.log.2", "app.log.2.gz")
    scene.run(final=True)
    scene.expect()


def test_a_packed_log_is_known_from_an_archive_that_has_meanwhile_been_made_anew(
    scene: Scene,
) -> None:
    """The archive was read first, and is nowhere now."""
    scene.log(1, "app.log.2")
    scene.log(9, "app.log.1")
    old = scene.path("app.log.2").read_bytes()
    scene.path("app.log.all").write_bytes(old + scene.path("app.log.1").read_bytes())
    scene.run("app.log.all", final=True)
    scene.gzip("app.log.2", "app.log.2.gz")
    scene.path("app.log.1").unlink()
    scene.path("app.log.all").unlink()
    scene.log(2, "app.log.all")
    scene.run(final=True)
    scene.expect()


def test_a_rotated_file_that_begins_with_the_line_that_ends_its_archive_has_it_too(
    scene: Scene,
) -> None:
    same = b"2026-03-02 23:00:00,000 - app - ERROR - out of memory\n"
    scene.log(2, "app.log.old")
    scene.append_bytes(same, "app.log.old")
    scene.run(final=True)
    scene.append_bytes(same, "app.log.1")
    scene.log(2, "app.log.1")
    scene.run(final=True)
    assert [str(m).strip() for _, m, _ in harness_failures(scene)].count("out of memory") == 2


def test_what_an_archive_held_back_is_known_from_the_log_that_begins_with_it(
    scene: Scene,
) -> None:
    """The archive had records of its own before it."""
    scene.log(3)
    scene.rename("app.log", "app.log.1")
    scene.append(scene.journal.failures(1), "app.log")
    parts = [scene.path(name).read_bytes() for name in ("app.log.1", "app.log")]
    scene.path("app.log.all").write_bytes(b"".join(parts))
    os.utime(scene.path("app.log.all"), (1, 1))
    scene.log(4)
    scene.run()
    scene.run(final=True)
    scene.expect()


@pytest.mark.parametrize("which", [0, 150, 299])
@pytest.mark.parametrize("more", [0, 10])
def test_one_edited_line_is_lost_wherever_it_stands(scene: Scene, which: int, more: int) -> None:
    """First, in the middle or last; whether or not the log goes on."""
    scene.log(300)
    scene.run(final=True)
    live = scene.path("app.log")
    lines = live.read_bytes().splitlines(keepends=True)
    lines[which] = lines[which].replace(b"failure", b"*******")
    live.write_bytes(b"".join(lines))
    scene.log(more)
    report = scene.run(final=True)
    assert report.ledger.lost_bytes == len(lines[which])
    assert any("edited" in (f.note or "") for f in report.files)
    scene.expect()


@pytest.mark.parametrize("are_left", [False, True])
def test_short_rotated_files_are_joined(scene: Scene, are_left: bool) -> None:
    for number in (3, 2, 1):
        scene.log(5, f"app.log.{number}")
    scene.run(final=True)
    names = [f"app.log.{n}" for n in (3, 2, 1)]
    scene.path("all.log").write_bytes(b"".join(scene.path(n).read_bytes() for n in names))
    for name in names if not are_left else ():
        scene.path(name).unlink()
    scene.run(final=True)
    scene.expect()


def test_what_a_copy_of_a_live_log_held_is_not_read_again_there(scene: Scene) -> None:
    """The copy's last record was final, the live log's was not yet."""
    scene.log(40, "app.log.1")
    scene.log(12)
    scene.run()
    whole = scene.path("app.log.1").read_bytes() + scene.path("app.log").read_bytes()
    scene.path("all.log").write_bytes(whole)
    scene.run("all.log", final=True)
    scene.log(2)
    scene.run(final=True)
    scene.expect()


def test_a_worker_who_says_what_a_gone_one_said_is_heard(scene: Scene) -> None:
    """Both said one thing in the same second; the first one's log was removed with it."""
    line = b"2026-03-02 10:00:00 - app - ERROR - worker started\n"
    scene.append_bytes(line, "tts-101.log")
    scene.run(final=True)
    scene.path("tts-101.log").unlink()
    own = b"2026-03-02 09:59:59 - app - ERROR - worker 102\n"
    scene.append_bytes(own + line, "tts-102.log")
    scene.run(final=True)
    assert len(harness_failures(scene)) == 3


def test_verify_finds_nothing_wrong_with_what_was_recognised(scene: Scene) -> None:
    scene.log(200)
    scene.run()
    _trim(scene.path("app.log"), 12_345)
    scene.log(7)
    scene.run(final=True)
    found = verify(scene.store, Options(compile_format(), UTC))
    assert found.is_clean, found


def test_two_workers_who_say_little_at_the_same_instant_are_two(scene: Scene) -> None:
    line = b"2026-03-02 10:00:00,000 - app - ERROR - both say this %d\n"
    for name in ("a.log", "b.log"):
        own = b"2026-03-02 09:00:00,000 - app - ERROR - I am %s\n" % name.encode()
        scene.append_bytes(own + b"".join(line % i for i in range(4)), name)
    scene.run("a.log", final=True)
    scene.run("b.log", final=True)
    assert len(harness_failures(scene)) == 10


def test_lines_without_a_time_are_never_dropped(scene: Scene) -> None:
    banner = b"WARNING:root:no GPU\n" * 30
    scene.append_bytes(b"2026-03-02 09:00:00,000 - app - ERROR - a\n" + banner, "a.log")
    scene.append_bytes(b"2026-03-02 09:00:01,000 - app - ERROR - b\n" + banner, "b.log")
    scene.run("a.log", final=True)
    scene.run("b.log", final=True)
    assert len(harness_failures(scene)) == 62


def test_two_hosts_are_two(scene: Scene) -> None:
    scene.log(50)
    scene.run()
    data = scene.path("app.log").read_bytes()
    scene.path("other.log").write_bytes(b"2026-03-02 00:00:00,000 - a - INFO - b\n" + data)
    harness.run(scene.store, [scene.path("other.log")], final=True, host="other")
    with scene.store.reading() as reader:
        rows = reader.query("select host, count(*) from errors group by 1 order by 1", {}).rows
    assert [(h, int(str(n)) > 45) for h, n in rows] == [("h", True), ("other", True)]


def test_where_a_stretch_was_stored_from_is_kept(scene: Scene) -> None:
    scene.log(50)
    scene.run(final=True)
    data = scene.path("app.log").read_bytes()
    new = b"2026-03-01 00:00:00,000 - a - INFO - b\n"
    scene.path("other.log").write_bytes(new + data)
    scene.run(final=True)
    first, second = scene.store.checkpoints()
    (stretch,) = known_stretches(scene.store, second.file_key)
    assert (stretch.begin, stretch.end) == (len(new), len(new) + len(data))
    assert (stretch.stored_file_key, stretch.stored_offset) == (first.file_key, 0)


def test_a_hole_is_punched_by_the_kernel(scene: Scene) -> None:
    scene.log(400)
    scene.run()
    command = ["fallocate", "-p", "-o", "0", "-l", "16384", str(scene.path("app.log"))]
    subprocess.run(command, check=True)
    scene.log(5)
    scene.run()
    scene.run(final=True)
    scene.expect()


@pytest.mark.parametrize("kind", ["plain", "gzip", "joined", "gzip of joined"])
def test_verify_finds_a_request_that_is_stored_from_two_files(scene: Scene, kind: str) -> None:
    """What so few lines say is stored again; verify compares across files, whatever holds them."""
    both = b'2026-03-02 10:00:00,000 - a - INFO - synthesis_start: id=ts_1, text="a"\n'
    more = b"2026-03-02 08:00:00,000 - a - INFO - another service\n" * ("joined" in kind)
    for number, name in enumerate(("a.log", "b.log")):
        own = b"2026-03-02 09:00:00,00%d - a - INFO - begin\n" % number
        data = more * number + own + both
        if number and "gzip" in kind:
            name, data = "b.log.gz", gzip.compress(data)
        scene.append_bytes(data, name)
        scene.run(name, final=True)
    found = verify(scene.store, Options(compile_format(), UTC))
    assert found.total("doubled") == 1


def test_a_tar_of_stored_logs_is_named_and_brings_nothing(scene: Scene) -> None:
    scene.log(20)
    scene.run(final=True)
    subprocess.run(
        ["tar", "-czf", scene.path("logs.log.gz"), "-C", scene.folder, "app.log"], check=True
    )
    report = scene.run(final=True, clean=False)
    assert ["tar archive" in p.message for p in report.problems] == [True]
    scene.expect()
    assert verify(scene.store, Options(compile_format(), UTC)).total("doubled") == 0


def test_a_line_said_often_within_a_second_is_stored_as_often(scene: Scene) -> None:
    line = b"2026-03-02 10:00:00 - app - WARNING - queue full\n"
    for _ in range(3):
        scene.append_bytes(line * 20)
        scene.run(final=True)
    assert len(harness_failures(scene)) == 60


@pytest.mark.parametrize("how", ["in place", "by rename", "into an archive", "under a hole"])
def test_what_a_trim_leaves_of_a_line_is_no_second_record(scene: Scene, how: str) -> None:
    """Half a line that by itself reads as a record: a level and a message."""
    scene.log(40)
    scene.run(final=True)
    live = scene.path("app.log")
    data = live.read_bytes()
    kept = data[data.index(b"ERROR - failure 12 ") :]
    if how == "in place":
        live.write_bytes(kept)
    elif how == "under a hole":
        live.write_bytes(b"\0" * 300 + kept)
    else:
        scene.path("t").write_bytes(gzip.compress(kept) if "archive" in how else kept)
        os.replace(scene.path("t"), scene.path("app.log.old.gz" if "archive" in how else "app.log"))
        if "archive" in how:
            live.unlink()
    scene.log(3)
    scene.run(final=True)
    scene.expect()
    assert len(harness_failures(scene)) == 43


def test_a_line_without_a_time_above_a_whole_stored_log_is_read(scene: Scene) -> None:
    """No line of the stored log was cut: it begins there."""
    scene.log(20)
    scene.run(final=True)
    live = scene.path("app.log")
    scene.path("app.log.old").write_bytes(b"ERROR - put together\n" + live.read_bytes())
    live.unlink()
    scene.run(final=True)
    assert "put together" in [str(m).strip() for _, m, _ in harness_failures(scene)]
    assert len(harness_failures(scene)) == 21


def test_a_file_is_joined_whose_middle_was_stored_from_another(scene: Scene) -> None:
    """The one line behind the middle is that file's, as what is before the middle."""
    scene.log(12, "a.log")
    scene.log(12, "b.log")
    scene.run(final=True)
    scene.append_bytes(scene.path("b.log").read_bytes(), "a.log")
    scene.log(1, "a.log")
    scene.run(final=True)
    scene.log(1, "joined.log")
    scene.append_bytes(scene.path("a.log").read_bytes(), "joined.log")
    scene.run(final=True)
    scene.expect()
