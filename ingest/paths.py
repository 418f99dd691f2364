"""Paths as text: what the system knows as bytes is stored, printed and sent as JSON as UTF-8."""

import os
from pathlib import Path

from ingest.errors import UsageProblem
from ingest.lazily import matcher

_ESCAPED = matcher(r"\\x([89a-f][0-9a-f])")


def shown(path: str) -> str:
    """A path, or any text of the system, as text: bytes in it that are no UTF-8 are written
    ``\\xff``.

    Paths are such text everywhere but where a file is touched; :func:`real` leads back.
    """
    if path.isascii():
        return path
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def real(path: str | Path) -> str:
    """What the system calls a path that is :func:`shown`."""
    text = str(path)
    if "\\x" not in text or os.path.lexists(text):
        return text
    return os.fsdecode(_ESCAPED.sub(lambda m: os.fsdecode(bytes.fromhex(m[1])), text))


def expanded(path: str | Path) -> Path:
    """A path with ``~`` and ``~user`` led home.

    :raises UsageProblem: where it names the home of an unknown user.
    """
    home = os.path.expanduser(path)
    if home.startswith("~"):
        raise UsageProblem(f"{path} names the home of an unknown user", "give a whole path")
    return Path(home)


def target(path: Path) -> Path:
    """Where a path leads, symlinks followed."""
    return Path(shown(os.path.realpath(real(path))))
