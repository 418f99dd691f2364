"""The names that rotation gives to log files, and who follows whom."""

import os
import re
from collections.abc import Collection
from pathlib import Path

from ingest.logfiles.compression import PACKED
from ingest.logfiles.stat import FileStat
from ingest.paths import real, shown, target

_ROTATED = re.compile(
    r"^(?P<base>.+?)[.\-_](?P<n>\d{1,4}|\d{4}-?\d\d-?\d\d(?:[-_T.]?\d\d(?:[-_:.]?\d\d){0,2})?|\d{10,}|old|bak)$"
)
_DATED = re.compile(r"^(?P<stem>.+)[.\-_]\d{4}-?\d\d-?\d\d(?:[-_T]?\d{2,6})?(?P<ext>\.log)$")


def rotation_base(name: str) -> tuple[str, int | None] | None:
    """The live name of a rotated file and its number (None for a date), or None: ``app.log.2.gz`` → ``app.log``, 2."""
    for packed in PACKED:
        name = name.removesuffix(packed)
    match = _ROTATED.match(name)
    if match and len(match["n"]) <= 4 and match["n"].isdecimal():
        return match["base"], int(match["n"])
    if match:
        return match["base"], None
    dated = _DATED.match(name)
    return (dated["stem"] + dated["ext"], None) if dated else None


def rotated_siblings(path: Path, inodes: Collection[int]) -> list[Path]:
    """Files that were rotated away from a path: by their names, or because they have one of the inodes.

    Looked for in its directory, and in that of the file that a symlink leads to.
    """
    inside: list[tuple[Path, int]] = []
    for folder in sorted({path.parent, target(path).parent}):
        try:
            with os.scandir(real(folder)) as entries:
                inside += sorted((folder / shown(e.name), e.inode()) for e in entries)
        except OSError:
            continue
    return [p for p, inode in inside if p != path and (inode in inodes or is_rotated(str(p), path))]


def is_rotated(path: str, live: Path) -> bool:
    """Whether a path is that of a rotated file of a live log: ``app.log.2.gz`` of ``app.log``, in the same directory."""
    folder, name = os.path.split(path)
    base = rotation_base(name)
    return base is not None and base[0] == live.name and folder == str(live.parent)


def has_successor(stat: FileStat, head: bytes = b"") -> bool:
    """Whether a file was rotated and its writer has moved on: a newer file of its name holds something.

    Something else, that is: what begins with ``head`` is what the file is being copied from.
    """
    rotated = rotation_base(stat.path.name)
    if rotated is None:
        return False
    base, number = rotated
    newer = [stat.path.parent / base]
    if number is not None and number > 1:
        newer += [
            stat.path.parent / f"{base}.{n}{packed}"
            for n in range(1, number)
            for packed in ("", *PACKED)
        ]
    return any(is_followed(path, stat) and not _begins_with(path, head) for path in newer)


def _begins_with(path: Path, head: bytes) -> bool:
    if not head:
        return False
    try:
        with open(real(path), "rb") as file:
            return file.read(len(head)) == head
    except OSError:
        return False


def is_followed(path: Path, stat: FileStat) -> bool:
    """Whether another file than that of ``stat`` stands at a path, and holds something."""
    try:
        status = os.stat(real(path))
    except OSError:
        return False
    return status.st_size > 0 and status.st_ino != stat.inode
