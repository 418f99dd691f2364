"""A lock file: a small file beside a store on which processes of one machine lock bytes (fcntl(2)).

A lock here is of an open file description: it is no other thread's, and goes when the process does.
"""

import errno
import fcntl
import os
import stat
import struct
from pathlib import Path

from ingest.errors import StoreError

TURN_BYTE = 1 << 40  # far after what is written into a lock file
_FLOCK = "hhqqi4x"  # struct flock: type, whence, start, length, process


def open_lock_file(path: Path) -> int:
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


def try_lock(descriptor: int, kind: int, start: int, length: int) -> bool:
    """Take a lock of the open file description; False when another has one that keeps it out."""
    wanted = struct.pack(_FLOCK, kind, os.SEEK_SET, start, length, 0)
    try:
        fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)
    except OSError as error:
        if error.errno in (errno.EACCES, errno.EAGAIN):
            return False
        raise
    return True


def is_held(descriptor: int) -> bool:
    """Whether another open file description has the write lock of an ingest."""
    query = struct.pack(_FLOCK, fcntl.F_RDLCK, os.SEEK_SET, 0, TURN_BYTE, 0)
    kind, *_ = struct.unpack(_FLOCK, fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, query))
    return bool(kind != fcntl.F_UNLCK)


def locker(path: Path, access: int, start: int, length: int) -> int | None:
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
