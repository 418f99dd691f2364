"""Who holds a file: advisory locks between processes of one machine (fcntl(2))."""

import errno
import fcntl
import glob
import os
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import IngestBusyError

_POLL_SECONDS = 0.05


_TURN_BYTE = 1 << 40  # far behind what is written into a lock file
_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, process


@contextmanager
def asking(path: Path) -> Iterator[None]:
    """Ask those who look with :func:`asked` to hold back, by a lock on one byte of a lock file.

    An open file description's lock (fcntl(2)): it is no other thread's, and goes when this process does.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        wanted = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, _TURN_BYTE, 1, 0)
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
        yield
    finally:
        os.close(descriptor)


def asked(path: Path) -> bool:
    """Whether somebody is :func:`asking` at a lock file."""
    return _locker(path, os.O_RDONLY, _TURN_BYTE, 1) is not None


@contextmanager
def exclusive(path: Path, wait_seconds: float, what: str) -> Iterator[None]:
    """Hold ``path`` as a lock file; the kernel lets go of it however the process ends.

    :raises IngestBusyError: when another process still has it after ``wait_seconds``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(descriptor, path, wait_seconds, what)
        os.ftruncate(descriptor, 0)
        holder = f"{os.getpid()} {' '.join(sys.argv)[:500]}\n"
        os.pwrite(descriptor, holder.encode(errors="surrogateescape"), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, wait_seconds: float, what: str) -> None:
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise IngestBusyError(
                    f"another ingest holds {what}: {describe_holder(path)}",
                    "wait for it to end, or give it longer with --wait",
                ) from None
        time.sleep(_POLL_SECONDS)


def holder_of_lock(path: Path) -> str | None:
    """Who holds a lock file, described; None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return describe_holder(path)
    finally:
        os.close(descriptor)
    return None


def describe_holder(path: Path) -> str:
    """Process and command written into a lock file by its holder."""
    try:
        text = path.read_text(errors="replace").strip()
    except OSError:
        text = ""
    number, _, command = text.partition(" ")
    return f"process {number} ({command})" if number else "an unknown process"


def holder_of(path: Path, access: int = os.O_RDWR) -> str | None:
    """The process that has a POSIX lock on a file that shuts us out, described; None when nobody has.

    DuckDB locks its file in this way. The caller must not have the file open through DuckDB itself: closing it here
    would release its own lock. With ``access`` O_RDONLY files are told of, too, that may not be written.
    """
    pid = _locker(path, access, 0, 0)
    return None if pid is None else f"process {pid}{_command(pid)}"


def _locker(path: Path, access: int, start: int, length: int) -> int | None:
    """The process whose lock on a part of a file keeps a writer out (-1: an open file description's)."""
    try:
        descriptor = os.open(path, access | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS, errno.ENOENT, errno.EISDIR):
            return None
        raise
    try:
        query = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, query))
    finally:
        os.close(descriptor)
    return None if kind == fcntl.F_UNLCK else int(pid)


def opener_of(path: Path) -> str | None:
    """A process that has a file open, or one in a folder, described; None when no process that we may look into has."""
    for entry in glob.iglob("/proc/[0-9]*/fd/*"):
        try:
            target = os.readlink(entry)
        except OSError:
            continue
        if target == str(path) or target.startswith(f"{path}/"):
            pid = int(entry.split("/")[2])
            return f"process {pid}{_command(pid)}"
    return None


def _command(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return f" ({b' '.join(words).decode(errors='replace').strip()[:200]})"


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
