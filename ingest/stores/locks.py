"""Who holds a file: advisory locks between processes of one machine (fcntl(2)).

An ingest's lock is a courtesy: it spares a second ingest work that its commit would refuse. So it
never stands in the way of an ingest that nobody but a reader of the lock file blocks. It is a write
lock, which only a process that may write to the file can have, and of an open file description: it
is no other thread's, and goes when the process does.
"""

import errno
import fcntl
import glob
import os
import stat
import struct
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import IngestBusyError, StoreError

_POLL_SECONDS = 0.05
_TURN_BYTE = 1 << 40  # far after what is written into a lock file
_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, process


@contextmanager
def asking(path: Path) -> Iterator[None]:
    """Ask those who look with :func:`asked` to hold back, by a lock on one byte of a lock file."""
    descriptor = _lock_file(path)
    try:
        _try_lock(descriptor, fcntl.F_RDLCK, _TURN_BYTE, 1)
        yield
    finally:
        os.close(descriptor)


def asked(path: Path) -> bool:
    """Whether somebody is :func:`asking` at a lock file."""
    return _locker(path, os.O_RDONLY | os.O_NOFOLLOW, _TURN_BYTE, 1) is not None


def _lock_file(path: Path) -> int:
    """A descriptor of a lock file, made where there is none.

    :raises StoreError: for a symbolic link or what else is no file: to write there would harm
        somebody's.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags, 0o644)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO, errno.EISDIR):
            raise _no_lock_file(path) from None
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise _no_lock_file(path)
    return descriptor


def _no_lock_file(path: Path) -> StoreError:
    kind = "a symbolic link" if path.is_symlink() else "something other than a file"
    return StoreError(
        f"the store's lock cannot be at {path}: {kind} is there",
        "remove it; ttsq follows no link there, since it would write to the link's target",
    )


def _try_lock(descriptor: int, kind: int, start: int, length: int) -> bool:
    """Take a lock of the open file description; False when another has one that keeps it out."""
    wanted = struct.pack(_FLOCK, kind, os.SEEK_SET, start, length, 0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


@contextmanager
def exclusive(path: Path, wait_seconds: float, what: str) -> Iterator[None]:
    """Hold ``path`` as a lock file; the kernel lets go of it however the process ends.

    :raises IngestBusyError: when another process still has it after ``wait_seconds``.
    :raises StoreError: when no lock file can be there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _lock_file(path)
    try:
        _take(descriptor, path, wait_seconds, what)
        if os.fstat(descriptor).st_nlink <= 1:  # under its other name it may be anything
            os.ftruncate(descriptor, 0)
            holder = f"{os.getpid()} {' '.join(sys.argv)[:500]}\n"
            os.pwrite(descriptor, holder.encode(errors="surrogateescape"), 0)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path, wait_seconds: float, what: str) -> None:
    deadline = time.monotonic() + wait_seconds
    while not _try_lock(descriptor, fcntl.F_WRLCK, 0, _TURN_BYTE):
        if not _is_held(descriptor):
            # a read lock, for which it is enough to see the file; or it was given back just now
            _try_lock(descriptor, fcntl.F_WRLCK, 0, _TURN_BYTE)
            return
        if time.monotonic() >= deadline:
            raise IngestBusyError(
                f"another ingest holds {what}: {describe_holder(path)}",
                "wait for it to end, or give it longer with --wait",
            )
        time.sleep(_POLL_SECONDS)


def _is_held(descriptor: int) -> bool:
    """Whether another open file description has the write lock of an ingest."""
    query = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, _TURN_BYTE, 0)
    kind, *_ = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, query))
    return bool(kind != fcntl.F_UNLCK)


@contextmanager
def waiting_for_names(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold back, bounded, behind an ingest of the same file by another of its names (hard links),
    which has a lock of its own.

    Nobody is kept out by it in the end: this lock is to be had by whoever may read the file.
    """
    try:
        has_names = os.stat(path).st_nlink > 1
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC) if has_names else -1
    except OSError:
        descriptor = -1
    try:
        deadline = time.monotonic() + wait_seconds
        while descriptor >= 0 and not _try_flock(descriptor) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        yield
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def holder_of_lock(path: Path) -> str | None:
    """Who holds a lock file, described; None when nobody does."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return describe_holder(path) if _is_held(descriptor) else None
    finally:
        os.close(descriptor)


def describe_holder(path: Path) -> str:
    """Process and command written into a lock file by its holder."""
    try:
        text = path.read_text(errors="replace").strip()
    except OSError:
        text = ""
    number, _, command = text.partition(" ")
    return f"process {number} ({command})" if number else "an unknown process"


def holder_of(path: Path, access: int = os.O_RDWR) -> str | None:
    """The process that has a POSIX lock on a file that shuts us out, described; None when nobody
    has.

    DuckDB locks its file in this way. The caller must not have the file open through DuckDB itself:
    closing it here would release its own lock. With ``access`` O_RDONLY files are told of, too,
    that may not be written.
    """
    pid = _locker(path, access, 0, 0)
    return None if pid is None else f"process {pid}{_command(pid)}"


def _locker(path: Path, access: int, start: int, length: int) -> int | None:
    """The process whose lock on a part of a file excludes a writer (-1: of a description)."""
    try:
        descriptor = os.open(path, access | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EROFS, errno.ENOENT, errno.EISDIR, errno.ELOOP):
            return None
        raise
    try:
        query = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, start, length, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_GETLK, query))
    finally:
        os.close(descriptor)
    return None if kind == fcntl.F_UNLCK else int(pid)


def opener_of(path: Path) -> str | None:
    """A process that has a file, or one in a folder, open; None if no visible process has."""
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
