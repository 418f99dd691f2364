"""The logs that all commands read: a plain file, the same bytes rotated, and later additions."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from benchmarks.make_log import make_log

FILES = 10  # of the rotated set; the last one is the live log
MB = 1_000_000
_RECORD = re.compile(rb"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - ", re.MULTILINE)
_PART = re.compile(rb"synthesis_(failed|complete): id=(ts_[0-9a-f]{8})")
_FAILED = re.compile(rb"synthesis_complete: id=(ts_[0-9a-f]{8}), status=failed")
_LONGEST_RECORD = 1 << 16  # of the generated log, with much room
_HOUR_BEFORE_LAST_ROTATION = 3600 * 10**9


@dataclass(frozen=True, slots=True)
class LogSet:
    """The same bytes twice, and what questions can be asked of them.

    ``rotated`` oldest first: app.log.9.gz … app.log.1.gz, app.log. ``plain_bytes`` before anything
    is appended; ``pieces`` of about 1 MB follow the plain log. ``day`` lies in its middle,
    ``request`` failed on or behind it.
    """

    plain: Path
    plain_bytes: int
    rotated: tuple[Path, ...]
    pieces: tuple[bytes, ...]
    day: str
    request: str


def make_logs(folder: Path, megabytes: float, pieces: int, first_day: int = 0) -> LogSet:
    """Write a log of this many MB, plain and rotated; keep ``pieces`` more to append."""
    plain = folder / "plain" / "app.log"
    plain.parent.mkdir(parents=True)
    size = int(megabytes * MB)
    make_log(plain, size + (pieces + 1) * MB, first_day=first_day)
    later = _cut(plain, size, pieces)
    day, request = _asked_for(plain)
    return LogSet(
        plain, plain.stat().st_size, _rotated(plain, folder / "rotated"), later, day, request
    )


def append(path: Path, piece: bytes) -> None:
    """Let a log grow."""
    with path.open("ab") as file:
        file.write(piece)


def _record_at(path: Path, offset: int) -> int:
    """Where the first record at or behind an offset begins."""
    with path.open("rb") as file:
        file.seek(offset)
        found = _RECORD.search(file.read(_LONGEST_RECORD), 1 if offset else 0)
    assert found is not None, "the generated log has longer records than expected"
    return offset + found.start()


def _cut(path: Path, size: int, pieces: int) -> tuple[bytes, ...]:
    """End the log behind ``size`` bytes; the pieces that followed there.

    The log ends, as each piece does, with a record that no question is about: a live log's last
    record is held back.
    """
    bounds = [
        _quiet_at(path, size),
        *(_record_at(path, size + n * MB) for n in range(1, pieces + 1)),
    ]
    with path.open("rb+") as file:
        contents = []
        for begin, end in pairwise(bounds):
            file.seek(begin)
            contents.append(file.read(end - begin))
        file.seek(bounds[0])
        stamp = file.read(23)
        last = stamp + b" - app - INFO - the last record of the log\n"
        file.seek(bounds[0])
        file.write(last)
        file.truncate()
    return tuple(content + last for content in contents)


def _quiet_at(path: Path, offset: int) -> int:
    """The first record at or behind an offset where no request has failed whose end is still to
    come.

    There ttsq and a search for ends count the same failures.
    """
    begin = max(0, offset - MB)
    with path.open("rb") as file:
        file.seek(begin)
        data = file.read(2 * MB)
    failing: set[bytes] = set()
    parts = iter([*_PART.finditer(data), None])
    part = next(parts)
    for record in _RECORD.finditer(data):
        while part is not None and part.start() < record.start():
            (failing.add if part[1] == b"failed" else failing.discard)(part[2])
            part = next(parts)
        if begin + record.start() >= offset and not failing:
            return begin + record.start()
    raise ValueError(f"{path}: no place without a failing request behind {offset}")


def _asked_for(path: Path) -> tuple[str, str]:
    """The day after the middle of a log, and a request that failed there."""
    middle = _record_at(path, path.stat().st_size // 2)
    with path.open("rb") as file:
        file.seek(middle)
        day = file.read(10).decode()
        found = _FAILED.search(file.read(16 * MB))
    assert found is not None, "no request fails in the second half of the log"
    return day, found[1].decode()


def _rotated(plain: Path, folder: Path) -> tuple[Path, ...]:
    """The bytes of a log as RotatingFileHandler and gzip leave them, the oldest first."""
    folder.mkdir()
    size = plain.stat().st_size
    bounds = [0, *(_record_at(plain, size * n // FILES) for n in range(1, FILES)), size]
    names = [folder / f"app.log.{FILES - 1 - n}" for n in range(FILES - 1)] + [folder / "app.log"]
    with plain.open("rb") as file:
        for name, (begin, end) in zip(names, pairwise(bounds), strict=True):
            with name.open("wb") as part:
                for block in _blocks(file, end - begin):
                    part.write(block)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda n: subprocess.run(["gzip", str(n)], check=True), names[:-1]))
    files = (*(n.with_name(n.name + ".gz") for n in names[:-1]), names[-1])
    newest = plain.stat().st_mtime_ns
    for age, name in enumerate(reversed(files)):
        os.utime(name, ns=(newest - age * _HOUR_BEFORE_LAST_ROTATION,) * 2)
    return files


def _blocks(file: BinaryIO, size: int) -> Iterator[bytes]:
    left = size
    while left:
        block = file.read(min(left, 16 * MB))
        left -= len(block)
        yield block


def warm(files: tuple[Path, ...]) -> None:
    """Read files once, so that all commands find them in the page cache."""
    for name in files:
        with name.open("rb") as file, open(os.devnull, "wb") as nothing:
            shutil.copyfileobj(file, nothing, 16 * MB)
