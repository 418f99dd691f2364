"""Files that are written completely or not at all."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from ingest.errors import StoreError


def replace_file(path: Path, content: Iterable[bytes]) -> None:
    """Put ``content`` at ``path`` in one step, by way of a file beside it; devices and pipes are
    written to.

    :raises StoreError: when it cannot be written.
    """
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as file:
                file.writelines(content)
        else:
            replace_whole(Path(os.path.realpath(path)), content)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}", "choose another place with -o"
        ) from error


def replace_whole(path: Path, content: Iterable[bytes], mode: int | None = None) -> None:
    """Put ``content`` at ``path`` in one step; permissions stay, or are ``mode``.

    :raises OSError: when it cannot be written; what was there stays as it was.
    """
    import tempfile  # only a file needs what it loads

    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode or _mode(path))
        os.replace(name, path)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def _mode(path: Path) -> int:
    """The permissions of the file that is there, else those that a new one gets."""
    return path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
