"""Whose turn it is at a store: readers hold back for a writer that waits."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.stores.lock_file import TURN_BYTE, locker, open_lock_file, try_lock


@contextmanager
def asking(path: Path) -> Iterator[None]:
    """Ask those who look with :func:`asked` to hold back, by a lock on one byte of a lock file."""
    descriptor = open_lock_file(path)
    try:
        try_lock(descriptor, fcntl.F_RDLCK, TURN_BYTE, 1)
        yield
    finally:
        os.close(descriptor)


def asked(path: Path) -> bool:
    """Whether somebody is :func:`asking` at a lock file."""
    return locker(path, os.O_RDONLY | os.O_NOFOLLOW, TURN_BYTE, 1) is not None
