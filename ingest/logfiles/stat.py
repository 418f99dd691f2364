"""How a log file stands on disk: what a look at its directory entry tells."""

import os
import stat as modes
from pathlib import Path
from typing import NamedTuple

from ingest.errors import LogFileError
from ingest.paths import real


class FileStat(NamedTuple):
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
            f"the log file {path} cannot be examined: {error.strerror}", f"ls -l {path}"
        ) from error
    if not modes.S_ISREG(status.st_mode):
        raise LogFileError(f"{path} is not a regular file", "give log files, not pipes or devices")
    return FileStat(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
