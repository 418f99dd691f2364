"""A log file's bytes, decompressed, from any offset on."""

import errno
import os
from pathlib import Path
from typing import IO, cast

from ingest.errors import DamagedFileError, LogFileError
from ingest.logfiles.compression import Inflater, compression_of, damage_errors, integrity_hint
from ingest.logfiles.fingerprint import HEAD_BYTES
from ingest.logfiles.rotation import rotated_siblings
from ingest.logfiles.stat import FileStat
from ingest.paths import real

_SKIP_BYTES = 3 << 20  # read over in one go, where a compressed file is resumed
# what other packed files begin with, what they are, and what unpacks them
_OTHERS = {
    b"PK\x03\x04": ("a zip archive", "unzip"),
    b"\xfd7zXZ\0": ("an xz file", "unxz"),
    b"BZh": ("a bzip2 file", "bunzip2"),
    b"\x04\x22\x4d\x18": ("an lz4 file", "unlz4"),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", "7z x"),
}
_TAR, _TAR_AT = b"ustar", 257  # its magic, and where it stands in the first member's header


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
        f"the log file {path} was moved or truncated while it was examined",
        "nothing of it is read now; run again",
    )


class LogReader:
    """Reads one log file decompressed, forwards; a file that is being written is read up to its
    size at opening.

    :raises LogFileError: when it cannot be opened.
    :raises DamagedFileError: from :meth:`read`, at the damage of a compressed file, after all bytes
        before it.
    """

    def __init__(self, stat: FileStat) -> None:
        self.stat = stat
        self._file = _open(stat)
        start = self._plain(4)
        self._file.seek(0)
        self.compression = compression_of(start, stat.path)
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
                "is it still being written? ttsq reads the rest once it is complete",
                cut=True,
            )
        return DamagedFileError(
            f"the {self.compression} file {self.stat.path} is damaged {where}: {error}",
            integrity_hint(self.compression, self.stat.path),
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
        self.go_back(0)
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
        """Skip the NUL bytes at the position (a hole left by truncation); how many they were."""
        begin = self.position
        self.skip_hole()
        while True:
            at = self.position
            data = self.read(1 << 20)
            if not data:
                return self.position - begin
            rest = data.lstrip(b"\0")
            if rest:
                self.go_back(at + len(data) - len(rest))
                return self.position - begin

    def skip_hole(self) -> int:
        """Skip the hole of a sparse file at the position; how many NUL bytes it stands for."""
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

    def go_back(self, offset: int) -> None:
        """Go to an offset before the position; a compressed file is inflated anew up to there."""
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

    :raises LogFileError: when it cannot be read, is a tar archive, or compressed in another way
        than those that are read.
    """
    with LogReader(stat) as reader:
        head, compression = reader.head(size), reader.compression
    _refuse_packed(stat, head)
    if head[_TAR_AT : _TAR_AT + len(_TAR)] == _TAR:
        raise LogFileError(
            f"{stat.path} is a tar archive, not a log file; it is skipped",
            "unpack it, or name the log files it was made from",
        )
    return head, compression


def _refuse_packed(stat: FileStat, head: bytes) -> None:
    for magic, (what, unpack) in _OTHERS.items():
        if head.startswith(magic):
            raise LogFileError(
                f"{stat.path} is {what}, not a log file; it is skipped",
                f"unpack it with {unpack}: plain, gzip and zstd are read",
            )


def read_before(stat: FileStat, offset: int, length: int) -> bytes | None:
    """The ``length`` bytes before an offset of the decompressed file; None if it is shorter."""
    with LogReader(stat) as reader:
        if reader.compression == "none" and stat.stored_bytes < offset:
            return None
        try:
            reader.seek_to(offset - length)
            data = reader.read(length)
        except DamagedFileError:
            return None
        return data if len(data) == length else None
