"""A format of access lines, tried on the first lines of a file."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ingest.logfiles.reader import read_head
from ingest.logfiles.stat import stat_file
from ingest.records.access import Access

_HEAD = 256 << 10  # bytes
_SHOWN = 5  # lines


@dataclass(frozen=True, slots=True)
class Tried:
    """How many of a file's first lines fit, and the first few with what they give."""

    lines: int
    fit: int
    shown: tuple[tuple[str, Access | None], ...]


def try_lines(path: str, read: Callable[[bytes], Access | None]) -> Tried:
    """Read a file's first whole lines.

    :raises LogFileError: when it cannot be read.
    """
    head, _ = read_head(stat_file(Path(path)), _HEAD)
    lines = [line for line in head.split(b"\n") if line.strip()]
    if len(head) >= _HEAD:
        lines = lines[:-1]
    found = [(line.decode("utf-8", "replace"), read(line)) for line in lines]
    return Tried(len(found), sum(a is not None for _, a in found), tuple(found[:_SHOWN]))
