"""The lines of a trace: read again from where they are, and only when they still are what was
stored.
"""

import gzip
import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from backports import zstd

from ingest.records.formats import DEFAULT_FORMAT
from ingest.tasks.trace.lines import Line
from tests.support.traced import TRACEBACK, Log, Scene, at, failing

Pack = Callable[[bytes], bytes]

ID = "ts_7f3a2b1c"
TIMES = ("14:22:37.892", "14:22:37.904", "14:22:38.000", "14:22:38.375", "14:22:38.415", "14:22:38.416")  # fmt: skip  # noqa: E501


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene.new(tmp_path)


@pytest.fixture
def log() -> Log:
    return failing(Log().add("10:05:11,203", "service begins"))


def are_whole(lines: list[Line], log: Log, path: Path) -> bool:
    """All six records of :func:`failing`, at their offsets, with their own words; checked against
    the bytes.
    """
    for line in lines:
        assert (line.gone, line.path) == (None, str(path))
        record = log.content[line.offset :].split(b"\n2026", 1)[0].decode()
        behind = f"\n{TRACEBACK}" if line.traceback_lines else ""
        assert record.split(" - ", 3)[1:] == [line.logger, line.level, line.message + behind]
    assert [line.at for line in lines] == [at(t) for t in TIMES]
    assert [line.traceback_lines for line in lines] == [0, 0, 0, 0, 4, 0]
    assert [line.offset for line in lines if not line.in_tables] == [log.offsets["between"]]
    return True


def are_gone(lines: list[Line], log: Log, path: Path, why: str) -> bool:
    """The five records with rows, as stored, where they stood; and why they are not there."""
    assert [line.gone for line in lines] == [why] * 5
    assert {line.path for line in lines} == {str(path)}
    assert lines[0].offset == log.offsets["start"]
    assert lines[0].message == f'synthesis_start: id={ID}, text="你好, 世界", lang=zh, voice=alloy, cache_hit=false'  # fmt: skip  # noqa: E501
    assert lines[1].message == f"stage_time: id={ID}, stage=text_normalize, elapsed_ms=12"
    assert (lines[3].level, lines[3].offset) == ("ERROR", log.offsets["error"])
    assert lines[3].message.endswith("Invalid input to scipy.fft")
    assert (
        lines[4].message == f"synthesis_complete: id={ID}, status=failed, duration_ms=523, "
        "error_code=SCIPY_FFT_INVALID"
    )
    return True


@pytest.mark.parametrize(
    ("name", "pack"),
    [("app.log", bytes), ("app.log.2.gz", gzip.compress), ("app.log.3.zst", zstd.compress)],
)
def test_lines_come_from_plain_and_compressed_files(scene: Scene, log: Log, name: str, pack: Pack) -> None:  # fmt: skip  # noqa: E501
    path = scene.write(pack(log.content), name)
    scene.ingest(name)
    assert are_whole(scene.lines(ID), log, path)


def test_lines_of_a_file_that_was_renamed_since(scene: Scene, log: Log) -> None:
    scene.write(log.content)
    scene.ingest("app.log")
    (scene.folder / "app.log").rename(scene.folder / "app.log.1")
    other = failing(Log().add("15:00:00,000", "another service begins"), "ts_ffffffff", "15:01")
    scene.write(other.content)
    assert are_whole(scene.lines(ID), log, scene.folder / "app.log.1")


def test_lines_of_a_file_rotated_and_compressed_twice(scene: Scene, log: Log) -> None:
    scene.write(log.content, "app.log.1")
    scene.ingest("app.log.1")
    (scene.folder / "app.log.1").unlink()
    path = scene.write(gzip.compress(log.content), "app.log.2.gz")
    scene.write(Log().add("15:00:00,000", "the live one").content)
    assert are_whole(scene.lines(ID), log, path)


def test_lines_of_a_copytruncated_file_come_from_the_copy(scene: Scene, log: Log) -> None:
    path = scene.write(log.content)
    scene.ingest("app.log")
    shutil.copyfile(path, scene.folder / "app.log.1")
    os.truncate(path, 0)
    assert are_whole(scene.lines(ID), log, scene.folder / "app.log.1")


def test_a_file_truncated_without_a_copy_is_gone(scene: Scene, log: Log) -> None:
    path = scene.write(log.content)
    scene.ingest("app.log")
    regrown = b"".join([log.content[:40], b"X" * len(log.content)])
    for content in (b"", Log().add("16:00:00,000", "regrown" * 400).content, regrown):
        path.write_bytes(content)
        assert are_gone(scene.lines(ID), log, path, f"another file stands at {path} now")


def test_a_file_that_was_removed_is_gone(scene: Scene, log: Log) -> None:
    path = scene.write(log.content)
    scene.ingest("app.log")
    path.unlink()
    assert are_gone(scene.lines(ID), log, path, f"{path} is gone")


def test_a_record_overwritten_in_place_is_not_shown(scene: Scene) -> None:
    log = Log().add("10:00:00,000", "x" * (64 << 10))  # more than the fingerprint sees
    path = scene.write(failing(log).content)
    scene.ingest("app.log")
    path.write_bytes(log.content.replace(b"2b1c", b"2b1d"))
    lines = scene.lines(ID)
    assert [line.gone for line in lines] == ["another record stands there now"] * 5
    path.write_bytes(log.content.replace(b"synthesis_start: id=ts_7", b"synthesis_stop : id=ts_7"))
    assert [line.gone is None for line in scene.lines(ID)] == [False, True, True, True, True, True]


def test_what_is_cut_off_is_gone_and_the_rest_is_there(scene: Scene, log: Log) -> None:
    path = scene.write(log.content)
    scene.ingest("app.log")
    path.write_bytes(log.content[: log.offsets["error"]])
    gone = [line.gone for line in scene.lines(ID)]
    assert gone == [None] * 4 + ["the file ends before it"] * 2


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_shorter_copy_that_ends_long_before(scene: Scene, pack: Pack) -> None:
    log = Log()
    for n in range(100):
        log.add("10:00:00,000", f"filler {n} " + "x" * 1000)
    first = len(log.content)
    for n in range(100):
        log.add("10:00:00,000", f"filler {n} " + "x" * 1000)
    path = scene.write(pack(failing(log).content))
    scene.ingest("app.log")
    path.write_bytes(pack(log.content[:first]))
    assert are_gone(scene.lines(ID), log, path, "the file ends before it")


def test_a_file_that_cannot_be_read_or_is_no_file(scene: Scene, log: Log) -> None:
    path = scene.write(log.content)
    scene.ingest("app.log")
    path.unlink()
    os.mkfifo(path)
    assert are_gone(scene.lines(ID), log, path, f"{path} is not a regular file")


def test_a_damaged_file_ends_where_it_is_damaged(scene: Scene) -> None:
    log = Log()
    for n in range(20_000):
        log.add("14:00:00,000", f"filler {n * 7919 % 10007}")
    content = gzip.compress(failing(log).content)
    path = scene.write(content, "app.log.1.gz")
    scene.ingest("app.log.1.gz")
    path.write_bytes(content[: len(content) // 2])
    lines = scene.lines(ID)
    assert len(lines) == 5
    for line in lines:
        assert line.gone is not None and "ends in the middle" in line.gone


def test_a_damaged_file_gives_what_is_before_the_damage(scene: Scene, log: Log) -> None:
    filler = Log()
    for n in range(20_000):
        filler.add("14:23:00,000", f"filler {n * 7919 % 10007}")
    content = gzip.compress(log.content + filler.content)
    path = scene.write(content, "app.log.1.gz")
    scene.ingest("app.log.1.gz")
    path.write_bytes(content[: len(content) * 3 // 4])
    assert are_whole(scene.lines(ID), log, path)


def test_a_request_in_two_files(scene: Scene, log: Log) -> None:
    cut = log.offsets["error"]
    scene.write(log.content[:cut], "app.log.1")
    live = scene.write(log.content[cut:])
    scene.ingest("app.log.1", "app.log")
    lines = scene.lines(ID)
    assert [(Path(line.path).name, line.gone) for line in lines] == [("app.log.1", None)] * 4 + [("app.log", None)] * 2  # fmt: skip  # noqa: E501
    assert [line.offset for line in lines[4:]] == [0, log.offsets["end"] - cut]
    live.unlink()
    assert [line.gone is None for line in scene.lines(ID)] == [True] * 4 + [False] * 2


@pytest.mark.parametrize(("name", "pack"), [("app.log", bytes), ("app.log.gz", gzip.compress)])
def test_records_far_apart_and_of_great_length(scene: Scene, name: str, pack: Pack) -> None:
    log = Log()
    log.add("14:00:00,000", f'synthesis_start: id={ID}, text="long"', name="start")
    for n in range(30):
        log.add("14:00:01,000", f"filler {n} " + "y" * (100 << 10))
    log.add("14:00:02,000", f"cause id={ID} " + "z" * (300 << 10), "ERROR", "cause")
    log.add("14:00:03,000", f"synthesis_failed: id={ID}, error_code=E\nTraceback (most recent call last):\n" + "  line\n" * 60_000 + "E: x", "ERROR", "error")  # fmt: skip  # noqa: E501
    log.add("14:00:04,000", f"synthesis_complete: id={ID}, status=failed, duration_ms=4000", name="end")  # fmt: skip  # noqa: E501
    scene.write(pack(log.content), name)
    scene.ingest(name)
    found = {line.offset: line for line in scene.lines(ID)}
    assert set(log.offsets.values()) <= set(found)
    assert not any(line.gone for line in found.values())
    assert found[log.offsets["error"]].traceback_lines == 60_002


def test_another_format_than_the_file_has_still_shows_the_lines(scene: Scene, log: Log) -> None:
    scene.write(log.content)
    scene.ingest("app.log")
    lines = scene.lines(ID, "%(asctime)s|%(levelname)s|%(message)s")
    assert [line.gone for line in lines] == [None] * 5
    assert lines[0].message.startswith("2026-03-02 14:22:37,892 - app - INFO - synthesis_start")


def test_lines_of_the_given_format_and_of_headers_with_the_request_id(scene: Scene) -> None:
    form = "%(asctime)s [%(levelname)s] %(request_id)s %(message)s"
    content = (
        "2026-03-02 14:00:00,000 [INFO] req-1 synthesis_start: id=ts_1\n"
        "2026-03-02 14:00:01,000 [INFO] req-1 looked up the voice\n"
        "2026-03-02 14:00:01,500 [INFO] req-2 looked up the voice\n"
        "2026-03-02 14:00:02,000 [INFO] req-1 synthesis_complete: id=ts_1, status=success\n"
    )
    scene.write(content.encode())
    scene.ingest("app.log", log_format=form)
    lines = scene.lines("req-1", form)
    assert [(line.message, line.in_tables) for line in lines] == [
        ("synthesis_start: id=ts_1", True),
        ("looked up the voice", False),
        ("synthesis_complete: id=ts_1, status=success", True),
    ]


def test_a_record_without_a_row_has_the_time_of_its_neighbours_zone(scene: Scene, log: Log) -> None:
    scene.write(log.content)
    scene.ingest("app.log", tz="Asia/Shanghai")
    assert [line.at for line in scene.lines(ID)] == [at(t) - timedelta(hours=8) for t in TIMES]


def test_a_users_text_with_the_id_is_no_line_of_the_request(scene: Scene) -> None:
    log = Log().add("14:00:00,000", f"synthesis_start: id={ID}")
    log.add("14:00:01,000", f'synthesis_start: id=ts_other, text="{ID}, id={ID}, status=failed"')
    log.add("14:00:02,000", f'fallback: id=ts_other, note="{ID}"', "WARNING")
    log.add("14:00:02,500", f"audio_metrics: id={ID}, rms=0.1", name="metrics")
    log.add("14:00:03,000", f"synthesis_complete: id={ID}, status=success")
    scene.write(log.content)
    scene.ingest("app.log")
    lines = scene.lines(ID, DEFAULT_FORMAT)
    assert [line.message.split(":")[0] for line in lines] == ["synthesis_start", "audio_metrics", "synthesis_complete"]  # fmt: skip  # noqa: E501
    assert [line.offset for line in lines if not line.in_tables] == [log.offsets["metrics"]]
