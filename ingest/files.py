"""All contact with log files: find them, look at them, read them decompressed."""

import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

from ingest.errors import DamagedFileError, LogFileError
from ingest.fingerprint import HEAD_BYTES

_INPUT_BYTES = 256 << 10  # compressed bytes taken at a time
CHUNK_BYTES = 32 << 20  # read in one go; what is made of it on the way takes five times that
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LOG_NAME = re.compile(r"\.log($|[.\-_])|[.\-_]log($|\.\d)", re.I)
_NOT_LOGS = (".lock", ".swp", ".tmp", ".idx", ".duckdb", ".wal", "~")
_PACKED = (".gz", ".zst", ".zstd")
_ROTATED = re.compile(
    r"^(?P<base>.+?)[.\-_](?P<n>\d{1,4}|\d{4}-?\d\d-?\d\d(?:[-_T.]?\d\d(?:[-_:.]?\d\d){0,2})?|\d{10,})$"
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


def expand(patterns: Iterable[str]) -> tuple[list[Path], list[LogFileError]]:
    """Files that paths, directories and globs name, each once; and what could not be found."""
    found: dict[str, Path] = {}
    problems: list[LogFileError] = []
    for pattern in patterns:
        paths = list(_expand_one(pattern, problems))
        for path in paths:
            found.setdefault(os.path.abspath(path), path)
    return [Path(os.path.abspath(p)) for p in found], problems


def _expand_one(pattern: str, problems: list[LogFileError]) -> Iterator[Path]:
    path = Path(pattern).expanduser()
    if path.is_dir():
        inside = sorted(p for p in path.rglob("*") if p.is_file() and looks_like_log(p.name))
        if not inside:
            problems.append(
                LogFileError(
                    f"the directory {path} holds no log files",
                    "log files are named like app.log, app.log.1, app.log.2.gz; name others one by one",
                )
            )
        yield from inside
    elif os.path.lexists(path):
        yield path
    elif glob.has_magic(pattern):
        matches = sorted(glob.glob(str(path), recursive=True))
        if not matches:
            problems.append(
                LogFileError(f"no file matches {pattern}", "look at the pattern; is it quoted?")
            )
        for match in matches:
            if not os.path.isdir(match):
                yield Path(match)
    else:
        problems.append(
            LogFileError(
                f"the log file {path} does not exist", f"ls {path.parent} shows what is there"
            )
        )


def looks_like_log(name: str) -> bool:
    """Whether a file found in a directory is taken for a log file."""
    return not name.endswith(_NOT_LOGS) and bool(_LOG_NAME.search(name))


def stat_file(path: Path) -> FileStat:
    """:raises LogFileError: when it is gone, or not a regular file."""
    try:
        status = os.stat(path)
    except OSError as error:
        raise LogFileError(
            f"the log file {path} cannot be looked at: {error.strerror}", f"ls -l {path}"
        ) from error
    if not os.path.isfile(path):
        raise LogFileError(f"{path} is not a regular file", "give log files, not pipes or devices")
    return FileStat(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def rotation_base(name: str) -> tuple[str, int | None] | None:
    """The live name of a rotated file and its number (None for a date), or None: ``app.log.2.gz`` → ``app.log``, 2."""
    for packed in _PACKED:
        name = name.removesuffix(packed)
    match = _ROTATED.match(name)
    if match and len(match["n"]) <= 4 and "-" not in match["n"]:
        return match["base"], int(match["n"])
    if match:
        return match["base"], None
    dated = _DATED.match(name)
    return (dated["stem"] + dated["ext"], None) if dated else None


def rotated_siblings(path: Path) -> list[Path]:
    """Rotated files of a live log in its directory."""
    try:
        names = os.listdir(path.parent)
    except OSError:
        return []
    return [
        path.parent / n
        for n in sorted(names)
        if n != path.name and (base := rotation_base(n)) is not None and base[0] == path.name
    ]


def has_successor(stat: FileStat) -> bool:
    """Whether a file was rotated and its writer has moved on: a newer file of its name holds something."""
    rotated = rotation_base(stat.path.name)
    if rotated is None:
        return False
    base, number = rotated
    newer = [stat.path.parent / base]
    if number is not None and number > 1:
        newer += [
            stat.path.parent / f"{base}.{n}{packed}"
            for n in range(1, number)
            for packed in ("", *_PACKED)
        ]
    for path in newer:
        try:
            status = os.stat(path)
        except OSError:
            continue
        if status.st_size > 0 and status.st_ino != stat.inode:
            return True
    return False


class _Decompressor(Protocol):
    """What igzip_lib.IgzipDecompressor and zstd.ZstdDecompressor share (that of the standard library's bz2)."""

    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...


def _new_decompressor(compression: str) -> _Decompressor:
    if compression == "gzip":
        from isal import igzip_lib

        return cast(_Decompressor, igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP))
    from backports import zstd

    return cast(_Decompressor, zstd.ZstdDecompressor())


class _Inflater:
    """Reads a stream of one or more compressed members; zero padding between them is skipped."""

    def __init__(self, file: IO[bytes], compression: str) -> None:
        self._file = file
        self._compression = compression
        self._member: _Decompressor | None = None
        self._input = b""

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes, empty at the end.

        :raises EOFError: where a member ends in the middle.
        """
        while True:
            if (self._member is None or self._member.eof) and not self._next_member():
                return b""
            member = cast(_Decompressor, self._member)
            if member.needs_input and not self._input:
                self._input = self._file.read(_INPUT_BYTES)
                if not self._input:
                    raise EOFError("the compressed data ends in the middle")
            data, self._input = self._input, b""
            out = member.decompress(data, size)
            if out:
                return out

    def _next_member(self) -> bool:
        rest = self._member.unused_data if self._member is not None else b""
        while True:
            rest = rest.lstrip(b"\0") if self._member is not None else rest
            if len(rest) >= 4 or not (more := self._file.read(_INPUT_BYTES)):
                break
            rest += more
        if not rest:
            return False
        self._member, self._input = _new_decompressor(self._compression), rest
        return True


def _igzip_error() -> type[Exception]:
    from isal import igzip_lib

    return cast(type[Exception], igzip_lib.error)


def _zstd_error() -> type[Exception]:
    from backports import zstd

    return cast(type[Exception], zstd.ZstdError)


class LogReader:
    """Reads one log file decompressed, forwards; a file that is being written is read up to its size at opening.

    :raises LogFileError: when it cannot be opened, or is encoded in UTF-16.
    :raises DamagedFileError: from :meth:`read`, at the damage of a compressed file, after all bytes before it.
    """

    def __init__(self, stat: FileStat) -> None:
        self.stat = stat
        try:
            self._file: IO[bytes] = open(stat.path, "rb", buffering=0)  # noqa: SIM115
        except OSError as error:
            raise LogFileError(
                f"the log file {stat.path} cannot be opened: {error.strerror}",
                f"ls -l {stat.path}; run ttsq as a user who may read it",
            ) from error
        start = self._file.read(4)
        self._file.seek(0)
        if start[:2] in _UTF16:
            self._file.close()
            raise LogFileError(
                f"the log file {stat.path} is encoded in UTF-16",
                f"convert it: iconv -f UTF-16 -t UTF-8 {stat.path}",
            )
        self.compression = "gzip" if start[:2] == _GZIP else "zstd" if start == _ZSTD else "none"
        self.position = 0
        self._damage: DamagedFileError | None = None
        self._limit = os.fstat(self._file.fileno()).st_size
        self._inflater = self._open_inflater()

    def _open_inflater(self) -> _Inflater | None:
        return None if self.compression == "none" else _Inflater(self._file, self.compression)

    def read(self, size: int = CHUNK_BYTES) -> bytes:
        """Up to ``size`` further bytes; empty at the end."""
        if self._inflater is None:
            data = self._file.read(max(0, min(size, self._limit - self.position)))
        else:
            data = self._inflate(size)
        self.position += len(data)
        return data

    def _inflate(self, size: int) -> bytes:
        parts: list[bytes] = []
        have = 0
        while have < size and self._damage is None:
            try:
                part = cast(_Inflater, self._inflater).read(min(size - have, 1 << 20))
            except EOFError as error:
                self._damage = self._damaged(error, self.position + have, cut=True)
            except (OSError, ValueError, _igzip_error(), _zstd_error()) as error:
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

    def seek_to(self, offset: int) -> None:
        """Go to an offset at or behind the position; a compressed file is inflated up to there.

        Stops short where the file ends earlier.
        """
        if self._inflater is None:
            self.position = min(offset, self._limit)
            self._file.seek(self.position)
            return
        while self.position < offset:
            if not self.read(min(CHUNK_BYTES, offset - self.position)):
                return

    def skip_fill(self) -> int:
        """Go behind the NUL bytes at the position (a hole left by a truncation); return how many there were."""
        begin = self.position
        if self._inflater is None:
            self._skip_hole()
        while True:
            at = self.position
            data = self.read(1 << 20)
            if not data:
                return self.position - begin
            rest = data.lstrip(b"\0")
            if rest:
                self._back_to(at + len(data) - len(rest))
                return self.position - begin

    def _skip_hole(self) -> None:
        try:
            self.position = os.lseek(self._file.fileno(), self.position, os.SEEK_DATA)
        except OSError:  # no data behind it, or a file system that cannot tell
            self._file.seek(self.position)
        else:
            self._file.seek(self.position)

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


def read_head(stat: FileStat) -> tuple[bytes, str]:
    """First bytes of a file (behind a NUL fill), at most HEAD_BYTES, and its compression.

    What comes before the damage of a damaged file counts.
    """
    with LogReader(stat) as reader:
        try:
            reader.skip_fill()
            return reader.read(HEAD_BYTES), reader.compression
        except DamagedFileError:
            return b"", reader.compression


def read_before(stat: FileStat, offset: int, length: int) -> bytes | None:
    """The ``length`` bytes before an offset of a plain file, None where it is shorter."""
    if stat.stored_bytes < offset:
        return None
    with LogReader(stat) as reader:
        reader.seek_to(offset - length)
        return reader.read(length)
