"""All contact with log files that are known by name: look at them, follow their rotation, read them decompressed."""

import errno
import os
import re
import stat as modes
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from ingest.errors import DamagedFileError, LogFileError
from ingest.logfiles.compression import Inflater, damage_errors
from ingest.logfiles.fingerprint import HEAD_BYTES
from ingest.paths import real, shown, target

_SKIP_BYTES = 3 << 20  # read over in one go, where a compressed file is resumed
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
PACKED = (".gz", ".zst", ".zstd")
_ROTATED = re.compile(
    r"^(?P<base>.+?)[.\-_](?P<n>\d{1,4}|\d{4}-?\d\d-?\d\d(?:[-_T.]?\d\d(?:[-_:.]?\d\d){0,2})?|\d{10,}|old|bak)$"
)
_DATED = re.compile(r"^(?P<stem>.+)[.\-_]\d{4}-?\d\d-?\d\d(?:[-_T]?\d{2,6})?(?P<ext>\.log)$")


@dataclass(frozen=True, slots=True)
class FileStat:
    """A log file as it stands on disk; ``stored_bytes`` is its size there."""

    path: Path
    device: int
    inode: int
    stored_bytes: int
    modified_ns: int


def stat_file(path: Path) -> FileStat:
    """:raises LogFileError: when it is gone, or not a regular file."""
    place = real(path)
    try:
        status = os.stat(place)
    except OSError as error:
        raise LogFileError(
            f"the log file {path} cannot be looked at: {error.strerror}", f"ls -l {path}"
        ) from error
    if not modes.S_ISREG(status.st_mode):
        raise LogFileError(f"{path} is not a regular file", "give log files, not pipes or devices")
    return FileStat(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


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


def _compression(start: bytes, path: Path) -> str:
    """By the first four bytes; of a file that is only just being written, fewer have to do."""
    if start[:2] == _GZIP or start == _GZIP[:1]:
        return "gzip"
    begun = start and path.suffix in PACKED and _ZSTD.startswith(start)
    return "zstd" if start == _ZSTD or begun else "none"


def _open(stat: FileStat) -> IO[bytes]:
    """Open the file that was looked at, also where it was rotated since."""
    try:
        file: IO[bytes] = open(real(stat.path), "rb", buffering=0)  # noqa: SIM115
    except FileNotFoundError:
        file = _open_renamed(stat)
    except OSError as error:
        raise LogFileError(
            f"the log file {stat.path} cannot be opened: {error.strerror}",
            f"ls -l {stat.path}; run ttsq as a user who may read it",
        ) from error
    if os.fstat(file.fileno()).st_ino == stat.inode:
        return file
    file.close()
    return _open_renamed(stat)


def _open_renamed(stat: FileStat) -> IO[bytes]:
    for path in rotated_siblings(stat.path, {stat.inode}):
        try:
            file: IO[bytes] = open(real(path), "rb", buffering=0)  # noqa: SIM115
        except OSError:
            continue
        if os.fstat(file.fileno()).st_ino == stat.inode:
            return file
        file.close()
    raise moved(stat.path)


def moved(path: Path) -> LogFileError:
    """What to say of a file that is another one than it was a moment ago."""
    return LogFileError(
        f"the log file {path} was moved or truncated while it was looked at",
        "nothing of it is read now; run again",
    )


class LogReader:
    """Reads one log file decompressed, forwards; a file that is being written is read up to its size at opening.

    :raises LogFileError: when it cannot be opened, or is encoded in UTF-16.
    :raises DamagedFileError: from :meth:`read`, at the damage of a compressed file, after all bytes before it.
    """

    def __init__(self, stat: FileStat) -> None:
        self.stat = stat
        self._file = _open(stat)
        start = self._plain(4)
        self._file.seek(0)
        if start[:2] in _UTF16:
            self._file.close()
            raise LogFileError(
                f"the log file {stat.path} is encoded in UTF-16",
                f"convert it: iconv -f UTF-16 -t UTF-8 {stat.path}",
            )
        self.compression = _compression(start, stat.path)
        self.position = 0
        self._damage: DamagedFileError | None = None
        self._limit = os.fstat(self._file.fileno()).st_size
        if self.compression == "none" and self._limit < stat.stored_bytes:
            self._file.close()
            raise moved(stat.path)
        self._inflater = self._open_inflater()

    def _open_inflater(self) -> Inflater | None:
        return None if self.compression == "none" else Inflater(self._file, self.compression)

    def read(self, size: int) -> bytes:
        """Up to ``size`` further bytes; empty at the end."""
        if self._inflater is None:
            data = self._plain(max(0, min(size, self._limit - self.position)))
        else:
            data = self._inflate(size)
        self.position += len(data)
        return data

    def _plain(self, size: int) -> bytes:
        try:
            return self._file.read(size)
        except OSError as error:
            raise LogFileError(
                f"the log file {self.stat.path} cannot be read: {error.strerror}",
                f"dd if={self.stat.path} of=/dev/null shows whether its disk fails",
            ) from error

    def _inflate(self, size: int) -> bytes:
        parts: list[bytes] = []
        have = 0
        while have < size and self._damage is None:
            try:
                part = cast(Inflater, self._inflater).read(min(size - have, 1 << 20))
            except EOFError as error:
                self._damage = self._damaged(error, self.position + have, cut=True)
            except damage_errors() as error:
                self._damage = self._damaged(error, self.position + have, cut=False)
            else:
                if not part:
                    break
                parts.append(part)
                have += len(part)
        if self._damage is not None and not parts:
            raise self._damage
        return b"".join(parts)

    def _damaged(self, error: Exception, at: int, *, cut: bool) -> DamagedFileError:
        where = f"after {at} uncompressed bytes"
        if cut:
            return DamagedFileError(
                f"the {self.compression} file {self.stat.path} ends in the middle, {where}",
                "is it still being written? the rest is read when it is there",
                cut=True,
            )
        return DamagedFileError(
            f"the {self.compression} file {self.stat.path} is damaged {where}: {error}",
            f"test it: {'gzip' if self.compression == 'gzip' else 'zstd'} -t {self.stat.path}",
        )

    def head(self, size: int = HEAD_BYTES) -> bytes:
        """The first bytes behind the fill, at most ``size``; the position is 0 before and after.

        NUL bytes at their end are left off: a writer may yet put its lines there.
        """
        try:
            self.skip_fill()
            head = self.read(size).rstrip(b"\0")
        except DamagedFileError:
            head = b""
        self._back_to(0)
        return head

    def seek_to(self, offset: int) -> None:
        """Go to an offset at or behind the position; a compressed file is inflated up to there.

        Stops short where the file ends earlier.
        """
        if self._inflater is None:
            self.position = min(offset, self._limit)
            self._file.seek(self.position)
            return
        while self.position < offset:
            if not self.read(min(_SKIP_BYTES, offset - self.position)):
                return

    def skip_fill(self) -> int:
        """Go behind the NUL bytes at the position (a hole left by a truncation); return how many there were."""
        begin = self.position
        self.skip_hole()
        while True:
            at = self.position
            data = self.read(1 << 20)
            if not data:
                return self.position - begin
            rest = data.lstrip(b"\0")
            if rest:
                self._back_to(at + len(data) - len(rest))
                return self.position - begin

    def skip_hole(self) -> int:
        """Go behind the hole of a sparse file that begins at the position, unread; return how many NUL bytes it stands for."""
        if self._inflater is not None:
            return 0
        begin = self.position
        try:
            data = os.lseek(self._file.fileno(), begin, os.SEEK_DATA)
        except (
            OSError
        ) as error:  # a file system that cannot tell, or nothing but a hole up to the end
            data = self._limit if error.errno == errno.ENXIO else begin
        self.position = max(begin, min(data, self._limit))
        self._file.seek(self.position)
        return self.position - begin

    def _back_to(self, offset: int) -> None:
        if self._inflater is None:
            self.position = offset
            self._file.seek(offset)
            return
        self._file.seek(0)
        self._inflater = self._open_inflater()
        self._damage = None
        self.position = 0
        self.seek_to(offset)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __enter__(self) -> "LogReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_head(stat: FileStat, size: int = HEAD_BYTES) -> tuple[bytes, str]:
    """First bytes of a file (behind a NUL fill), at most ``size``, and its compression.

    What comes before the damage of a damaged file counts.
    """
    with LogReader(stat) as reader:
        return reader.head(size), reader.compression


def read_before(stat: FileStat, offset: int, length: int) -> bytes | None:
    """The ``length`` bytes before an offset, None where the file is shorter; a compressed one is inflated up to there."""
    with LogReader(stat) as reader:
        if reader.compression == "none" and stat.stored_bytes < offset:
            return None
        try:
            reader.seek_to(offset - length)
            data = reader.read(length)
        except DamagedFileError:
            return None
        return data if len(data) == length else None
