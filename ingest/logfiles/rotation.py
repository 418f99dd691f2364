"""The names that rotation gives to log files, and who follows whom."""

import os
import re
from collections.abc import Collection
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from ingest.lazily import matcher
from ingest.logfiles.compression import PACKED
from ingest.logfiles.stat import FileStat
from ingest.paths import real, shown, target

# a date, perhaps with a time of day, a fraction and a Z
_DATE = r"\d{4}[-_]?\d\d[-_]?\d\d"
_TIME = r"(?:[-_T.]?\d\d(?:[-_:.]?\d\d){0,2}(?:[_.]\d{3,6})?Z?)?"
# behind the date the seconds since 1970, or the number within the day
_ROTATED = matcher(
    r"^(?P<base>.+?)(?:[.\-_]|(?<=\.log)(?=\d{8}))"
    rf"(?P<n>\d{{1,4}}|{_DATE}{_TIME}(?:[.\-_](?:\d{{1,4}}|\d{{10}}))?|\d{{10,}}|old|bak)$"
)
_DATED = matcher(rf"^(?P<stem>.+?)[.\-_]{{1,2}}{_DATE}(?:{_TIME}|[-_T]?\d{{2,6}})(?P<ext>\.log)$")
# svlogd's, multilog's and s6-log's: an instant in TAI; whole (s), or unfinished when it was moved
_TAI = matcher(r"^@(?P<at>[0-9a-f]{16})[0-9a-f]{8}\.[su]$")
_TAI_LIVE = "current"

_IN_SERIES = matcher(
    rf"^(?P<stem>(?:.*[.\-_])?)(?P<when>\d{{10}}|{_DATE}{_TIME})"
    r"(?P<rest>(?:[.\-_]?[A-Za-z]\w*)?(?:\.log)?)$"
)
# kubelet's /var/log/pods/NAMESPACE_POD_UID/CONTAINER/0.log: its next start has the next number
_POD = matcher(r"^[a-z0-9.-]+_[a-z0-9.-]+_[0-9a-f-]{32,36}$")
_OF_START = matcher(r"^(\d{1,6})\.log$")
_SECONDS_DIGITS, _MOST_DIGITS = 10, 20
_DATE_FOLDER = matcher(r"^(?:\d\d|\d{4}|\d{4}-?\d\d(?:-?\d\d)?)$")
_MOST_LEVELS = 3  # year, month, day
_LEAST_PORT = (
    100  # a number from here on may be that of a port or a process, each with a log of its own
)


def rotation_base(name: str) -> tuple[str, int | None] | None:
    """The live name of a rotated file and its number, None for a date: ``app.log.2.gz`` →
    ``app.log``, 2.
    """
    name = _unpacked(name)
    if _TAI.match(name):
        return _TAI_LIVE, None
    match = _ROTATED.match(name)
    if match and len(match["n"]) <= 4 and match["n"].isdecimal():
        return match["base"], int(match["n"])
    if match:
        return match["base"], None
    dated = _DATED.match(name)
    return (dated["stem"] + dated["ext"], None) if dated else None


@lru_cache(maxsize=1 << 16)  # each file of a series is compared with all others
def age(path: str) -> tuple[str, int, int]:
    """By which files of one series sort, oldest first: the live path, then by date, or by number
    from the highest on.
    """
    folder, name = os.path.split(path)
    base = rotation_base(name)
    if base is None:
        return path, 2, 0
    live = os.path.join(folder, base[0])
    if base[1] is not None:
        return live, 1, -base[1]
    name = _unpacked(name)
    tai = _TAI.match(name)
    if tai:
        return live, 0, int(tai["at"], 16)
    digits = "".join(n.zfill(2) for n in re.findall(r"\d+", name))[-_MOST_DIGITS:]
    return (live, 0, int(digits.ljust(_MOST_DIGITS, "0"))) if digits else (live, 1, -1)


def same_log(one: str, other: str) -> bool:
    """Whether two files are of one log by their names, in whatever folders: ``app.log``,
    ``app.log.2.gz``, ``app.log.old``, ``app.log-all``; not ``app.log.8001``, a worker's own.
    """
    lives = []
    for path in (one, other):
        name = os.path.basename(path)
        base = rotation_base(name)
        if base is not None and (base[1] or 0) < _LEAST_PORT:
            name = base[0]
        lives.append(_unpacked(name))
    short, long = sorted(lives, key=len)
    rest = long[len(short) :]
    return long.startswith(short) and (not rest or (rest[0] in ".-_" and not rest[1:].isdigit()))


def is_counted(path: str) -> bool:
    """Whether a name is one that rotation gives, counted or dated."""
    return rotation_base(os.path.basename(path)) is not None


def is_gathering(path: str) -> bool:
    """Whether a name is neither that of a live log nor one that rotation counts or dates."""
    name = _unpacked(os.path.basename(path))
    return not re.search(r"\d$", name) and not name.endswith((".log", ".out", ".txt"))


def _unpacked(name: str) -> str:
    for packed in PACKED:
        name = name.removesuffix(packed)
    return name


def rotated_siblings(path: Path, inodes: Collection[int]) -> list[Path]:
    """Files that were rotated away from a path: by their names, or because they have one of the
    inodes.

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
    """Whether a path is a rotated file of a live log in its directory: ``app.log.2.gz`` of
    ``app.log``.
    """
    folder, name = os.path.split(path)
    base = rotation_base(name)
    return base is not None and base[0] == live.name and folder == str(live.parent)


def has_successor(stat: FileStat, head: bytes = b"") -> bool:
    """Whether a file was rotated and its writer has moved on: a newer file of its name holds
    something.

    Something else, that is: what begins with ``head`` is what the file is being copied from.
    """
    newer = [*_newer_by_date(stat.path), *_newer_in_folders(stat.path), *_next_start(stat.path)]
    rotated = rotation_base(stat.path.name)
    if rotated is not None:
        base, number = rotated
        first = [stat.path.parent / f"{base}.1{packed}" for packed in ("", *PACKED)]
        if number is not None and number > 1:
            newer += first
        if number is None or number < _LEAST_PORT or any(os.path.exists(real(p)) for p in first):
            newer.append(stat.path.parent / base)
    return any(is_followed(path, stat) and not _begins_with(path, head) for path in newer)


def _next_start(path: Path) -> list[Path]:
    """Where the log of a container's next start is, if kubelet keeps the log."""
    found = _OF_START.match(path.name)
    if found is None or not _POD.match(path.parent.parent.name):
        return []
    return [path.with_name(f"{int(found[1]) + 1}.log")]


def _newer_by_date(path: Path) -> list[Path]:
    """The newest file of a series named by date, or by seconds, where it is newer than this one."""
    series = _series_of(path.name)
    if series is None:
        return []
    try:
        changed = os.stat(real(path.parent)).st_mtime_ns
    except OSError:
        return []
    stem, when = series
    at, name = _newest(str(path.parent), changed).get(stem, ("", ""))
    return [path.parent / name] if at > when else []


def _series_of(name: str) -> tuple[str, str] | None:
    """The series and the date or seconds of a name that has one of these; None for another name."""
    match = _IN_SERIES.match(_unpacked(name))
    if match is None:
        return None
    digits = re.sub(r"\D", "", match["when"])
    kind = "seconds" if match["when"].isdecimal() and len(digits) == _SECONDS_DIGITS else "date"
    return f"{kind} {match['stem']} {match['rest']}", digits.ljust(_MOST_DIGITS, "0")


@lru_cache(maxsize=16)
def _newest(folder: str, changed_ns: int) -> dict[str, tuple[str, str]]:
    """The newest file of each series in a folder; cached while the folder does not change."""
    newest: dict[str, tuple[str, str]] = {}
    with suppress(OSError), os.scandir(real(Path(folder))) as entries:
        for entry in entries:
            name = shown(entry.name)
            series = _series_of(name)
            if series is not None:
                newest[series[0]] = max(newest.get(series[0], ("", "")), (series[1], name))
    return newest


def _newer_in_folders(path: Path) -> list[Path]:
    """Files of the same name in folders of later dates: of ``2026/03/01/app.log`` that of
    ``03/02``.
    """
    found, folder, below = [], path.parent, Path(path.name)
    for _ in range(_MOST_LEVELS):
        if not _DATE_FOLDER.match(folder.name):
            break
        with suppress(OSError):
            later = sorted(
                shown(n)
                for n in os.listdir(real(folder.parent))
                if len(n) == len(folder.name) and n > folder.name and _DATE_FOLDER.match(n)
            )
            found += [p for n in later[-1:] for p in _of_name(folder.parent / n, below)]
        folder, below = folder.parent, Path("*") / below
    return found


def _of_name(folder: Path, pattern: Path) -> list[Path]:
    return sorted(folder.glob(str(pattern)))[-1:]


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
