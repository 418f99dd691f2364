"""Lines and files beyond all measure: bounded memory, no hole read, every byte accounted for."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.torture.scene import Scene

_PEAK = 400 << 10  # KiB of a process, whatever it reads
_READ = 256 << 20  # bytes that a process reads of files without a hole: its own code, a store
_HEADER = b"2026-03-02 10:00:00,000 - app.tts - ERROR - "
_slow = pytest.mark.slow


@dataclass(frozen=True)
class Done:
    """How a command ended: what it reported, KiB of memory at its peak, bytes
    that it read."""

    report: dict[str, Any]
    peak: int
    read: int


def _ttsq(scene: Scene, *words: str) -> Done:
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.ttsq_and_its_peak", *words, "--json"],
        cwd=scene.ttsq.folder,
        env=scene.ttsq.environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done
    peak, read = done.stderr.split()[-2:]
    return Done(json.loads(done.stdout), int(peak), int(read))


def _write_line(path: Path, megabytes: int, filling: bytes) -> int:
    """A record of one line; its length in bytes."""
    with path.open("ab") as file:
        file.write(_HEADER)
        for _ in range(megabytes):
            file.write(filling * ((1 << 20) // len(filling)))
        file.write(b"\n")
        return file.tell()


@pytest.mark.parametrize(
    ("megabytes", "filling"),
    [
        (100, b"y"),
        (64, b"k=v, "),
        pytest.param(1024, b"y", marks=_slow),
        pytest.param(1024, b'\\"text="', marks=_slow),
    ],
    ids=["100 MB", "64 MB of pairs", "1 GB", "1 GB of quotes"],
)
def test_31_a_line_of_a_gigabyte(scene: Scene, megabytes: int, filling: bytes) -> None:
    """It is kept as its head and length; what stands behind it is read."""
    length = _write_line(scene.path("app.log"), megabytes, filling)
    scene.log(3)
    done = _ttsq(scene, "ingest", "logs", "--final")
    assert done.peak < _PEAK
    assert (done.report["records"], done.report["quarantined_bytes"]) == (3, length)
    scene.expect()
    with scene.store.reading() as reader:
        rows = reader.query("select byte_offset, byte_length, reason, length(raw) from quarantine", {}).rows  # fmt: skip  # noqa: E501
    assert rows == [(0, length, "too_long", 64 << 10)]
    checked = _ttsq(scene, "verify", "logs")
    assert checked.peak < _PEAK
    scene.path("app.log").unlink()  # pytest keeps the folders of its last runs


@pytest.mark.parametrize("where", ["front", "middle", "behind a live end"])
@pytest.mark.parametrize("gigabytes", [2, pytest.param(20, marks=_slow)])
def test_13_a_hole_of_gigabytes(scene: Scene, where: str, gigabytes: int) -> None:
    """The NULs of a sparse file are counted, not read; what comes behind them is found at its
    place.
    """
    path, size = scene.path("app.log"), gigabytes << 30
    if where != "front":
        scene.log(3)
    if where == "behind a live end":
        _ttsq(scene, "ingest", "logs")
    ignored = size - (path.stat().st_size if path.exists() else 0)
    path.touch()
    os.truncate(path, size)
    scene.log(3)
    done = _ttsq(scene, "ingest", "logs", "--final")
    assert done.peak < _PEAK
    assert done.read < _READ
    assert done.report["ignored_bytes"] == ignored
    scene.expect()
    with scene.store.reading() as reader:
        last = reader.query("select max(byte_offset) from errors", {}).rows
    assert last[0][0] >= size
    scene.expect_bytes(ignored=ignored)
    for words in (("ingest", "logs", "--final"), ("verify", "logs")):
        again = _ttsq(scene, *words)
        assert again.peak < _PEAK
        assert again.read < _READ
    scene.expect()


@pytest.mark.parametrize("gigabytes", [2, pytest.param(20, marks=_slow)])
def test_13_a_file_of_nothing_but_a_hole_waits(scene: Scene, gigabytes: int) -> None:
    """Its writer may yet put lines into it; nothing of it passes for read until then."""
    path = scene.path("app.log")
    scene.log(4)
    data = path.read_bytes()
    path.write_bytes(b"")
    os.truncate(path, gigabytes << 30)
    done = _ttsq(scene, "ingest", "logs")
    assert (done.report["ignored_bytes"], done.report["tail_bytes"]) == (0, gigabytes << 30)
    assert done.read < _READ
    with path.open("r+b") as file:
        file.write(data)
    _ttsq(scene, "ingest", "logs")
    scene.expect()  # so much that is blank ends the last record, too
    os.truncate(path, len(data))
    scene.log(1)
    scene.run(final=True)
    scene.expect()


def test_13_nuls_on_disk_are_counted_like_a_hole(scene: Scene) -> None:
    zeros = b"\0" * (70 << 20)
    scene.append_bytes(zeros)
    scene.log(2)
    scene.append_bytes(zeros)
    scene.log(2)
    done = _ttsq(scene, "ingest", "logs", "--final")
    assert done.peak < _PEAK
    scene.expect()
    scene.expect_bytes(ignored=2 * len(zeros))
    _ttsq(scene, "verify", "logs")
    scene.path("app.log").unlink()


def test_31_ordinary_lines_behind_texts_of_megabytes(scene: Scene) -> None:
    """In the same commit, and in a later one, which writes the texts once more with its own rows:
    more of them than the memory of a commit of ordinary rows holds.
    """
    texts, lines = 40, 20_000
    _write_requests(scene.path("app.log"), 0, texts, "a long text " * 200_000)
    _write_requests(scene.path("app.log"), texts, lines, "a short one")
    for number in (1, 2):
        if number == 2:
            _write_requests(scene.path("app.log"), texts + lines, 1, "a short one")
        done = _ttsq(scene, "ingest", "logs", "--final")
        assert done.peak < 2 * _PEAK
        with scene.store.reading() as reader:
            stored = "select count(*) filter (length(text) > 1000000), count(*) from requests"
            assert reader.query(stored, {}).rows == [(texts, texts + lines + number - 1)]
    scene.path("app.log").unlink()


def _write_requests(path: Path, first: int, count: int, text: str) -> None:
    """Records of requests of two lines, numbered on."""
    with path.open("a") as file:
        for number in range(first, first + count):
            at = f"2026-03-02 {10 + number // 3600:02}:{number // 60 % 60:02}:{number % 60:02},000"
            head, own = f"{at} - app.tts - INFO - ", f"id=ts_{number}"
            file.write(
                f'{head}synthesis_start: {own}, text="{number} {text}", lang=en, voice=nova, '
                "duration_ms=0, cache_hit=false\n"
                f"{head}synthesis_complete: {own}, status=success, duration_ms=9\n"
            )
