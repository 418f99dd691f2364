"""Which process holds or has open a file, for messages."""

import glob
import os
from pathlib import Path

from ingest.stores.lock_file import locker


def holder_of(path: Path, access: int = os.O_RDWR) -> str | None:
    """The process that has a POSIX lock on a file that shuts us out, described; None when nobody
    has.

    DuckDB locks its file in this way. The caller must not have the file open through DuckDB itself:
    closing it here would release its own lock. With ``access`` O_RDONLY files are told of, too,
    that may not be written.
    """
    pid = locker(path, access, 0, 0)
    return None if pid is None else f"process {pid}{_command(pid)}"


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
