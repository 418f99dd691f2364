"""One ingest of a store at a time: the lock that a second one waits for.

The lock is a courtesy: it spares a second ingest work that its commit would refuse. So it never
stands in the way of an ingest that nobody but a reader of the lock file blocks. It is a write lock,
which only a process that may write to the file can have.
"""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.errors import IngestBusyError
from ingest.stores.lock_file import TURN_BYTE, is_held, open_lock_file, try_lock

_POLL_SECONDS = 0.05


@contextmanager
def exclusive(path: Path, wait_seconds: float, what: str) -> Iterator[None]:
    """Hold ``path`` as a lock file; the kernel lets go of it however the process ends.

    :raises IngestBusyError: when another process still has it after ``wait_seconds``.
    :raises StoreError: when no lock file can be there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = open_lock_file(path)
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
    while not try_lock(descriptor, fcntl.F_WRLCK, 0, TURN_BYTE):
        if not is_held(descriptor):
            # a read lock, for which it is enough to see the file; or it was given back just now
            try_lock(descriptor, fcntl.F_WRLCK, 0, TURN_BYTE)
            return
        if time.monotonic() >= deadline:
            raise IngestBusyError(
                f"another ingest holds {what}: {describe_holder(path)}",
                "wait for it to end, or give it longer with --wait",
            )
        time.sleep(_POLL_SECONDS)


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
        return describe_holder(path) if is_held(descriptor) else None
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
