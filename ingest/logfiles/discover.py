"""From paths, directories and patterns to log files."""

import glob
import os
import re
import stat as modes
from collections.abc import Callable, Iterable, Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from ingest.errors import LogFileError
from ingest.lazily import matcher
from ingest.logfiles.rotation import rotation_base
from ingest.paths import real, shown

_LOG_NAME = matcher(r"\.log($|[.\-_\d])|[.\-_]log($|\.\d)", re.I)
_NOT_LOGS = (".lock", ".swp", ".tmp", ".idx", ".duckdb", ".wal", "~")
_OF_THE_FILE_SYSTEM = "lost+found"  # root's at the top of a volume; no service writes there


def expand(
    patterns: Iterable[str], exclude: Sequence[str] = ()
) -> tuple[list[Path], list[LogFileError]]:
    """Files that paths, directories and globs name, each once; and what could not be found or
    listed.

    ``exclude`` are globs of names, or of paths: such a file is left out, with what was rotated from
    it.
    """
    found: dict[str, Path] = {}
    problems: list[LogFileError] = []
    for pattern in patterns:
        for path in _expand_one(pattern, problems):
            if not _is_excluded(path, exclude):
                found.setdefault(shown(os.path.abspath(path)), path)
    return [Path(p) for p in found], problems


def _is_excluded(path: Path, globs: Sequence[str]) -> bool:
    if not globs:
        return False
    base = rotation_base(path.name)
    names = [path, *([] if base is None else [path.with_name(base[0])])]
    return any(
        fnmatchcase(name.name, g) or fnmatchcase(os.path.abspath(name), os.path.expanduser(g))
        for name in names
        for g in globs
    )


def named_by(patterns: Iterable[str], exclude: Sequence[str] = ()) -> Callable[[Path], bool]:
    """Whether paths, directories and globs would name a path where no file stands any more."""
    whole = [shown(os.path.abspath(os.path.expanduser(p))) for p in patterns if p]
    folders = [os.path.join(p, "") for p in whole if os.path.isdir(real(p))]

    def is_named(path: Path) -> bool:
        if _is_excluded(path, exclude):
            return False
        if str(path).startswith(tuple(folders)):
            return True
        return os.path.isdir(real(path.parent)) and any(fnmatchcase(str(path), p) for p in whole)

    return is_named


def looks_like_log(name: str) -> bool:
    """Whether a file found in a directory is taken for a log file."""
    return not name.endswith(_NOT_LOGS) and bool(_LOG_NAME.search(name))


def _expand_one(pattern: str, problems: list[LogFileError]) -> Iterator[Path]:
    path = Path(os.path.expanduser(pattern))
    if not pattern:
        problems.append(
            LogFileError("a path is empty", "is a variable of the shell unset? name a log file")
        )
    elif os.path.isdir(path):
        yield from _inside(path, problems)
    elif (absence := _absence(path)) is None:
        yield path
    elif glob.has_magic(pattern):
        matches = sorted(glob.glob(str(path), recursive=True))
        if not matches:
            problems.append(_without_match(pattern, path))
        yield from (Path(match) for match in matches if not os.path.isdir(match))
    elif isinstance(absence, (FileNotFoundError, NotADirectoryError)):
        problems.append(
            LogFileError(
                f"the log file {shown(str(path))} does not exist",
                f"ls {shown(str(path.parent))} shows what is there",
            )
        )
    else:
        problems.append(
            LogFileError(
                f"the log file {shown(str(path))} cannot be examined: {absence.strerror}",
                f"ls -ld {shown(str(path.parent))}; run ttsq as a user who may read it",
            )
        )


def _absence(path: Path) -> OSError | None:
    """Why nothing is at a path; None where something is, even a symlink that leads nowhere."""
    try:
        os.lstat(path)
    except OSError as error:
        return error
    except ValueError:  # NUL: no file has such a name
        return FileNotFoundError()
    return None


def _inside(folder: Path, problems: list[LogFileError]) -> list[Path]:
    """The log files below a directory, sorted."""
    unlisted: list[OSError] = []
    inside = sorted(
        Path(place, name)
        for place, names in _folders(folder, unlisted.append)
        for name in names
        if looks_like_log(name) and _may_be_file(Path(place, name))
    )
    told = [
        _unlisted(Path(error.filename), error)
        for error in unlisted
        if os.path.basename(error.filename) != _OF_THE_FILE_SYSTEM
    ]
    problems += told
    if not inside and not told:
        problems.append(
            LogFileError(
                f"the directory {shown(str(folder))} holds no log files",
                "log files are named like app.log, app.log.1, app.log.2.gz; name others one by one",
            )
        )
    return inside


def _folders(top: Path, unlisted: Callable[[OSError], None]) -> Iterator[tuple[str, list[str]]]:
    """A directory and those below it, with the names in them; each once, symlinks followed."""
    seen: set[tuple[int, int]] = set()
    _is_new(top, seen)
    for place, folders, names in os.walk(top, onerror=unlisted, followlinks=True):
        folders[:] = [name for name in sorted(folders) if _is_new(Path(place, name), seen)]
        yield place, names


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether a directory is one that was not seen before, by any path; notes it."""
    try:
        found = os.stat(folder)
    except OSError:
        return True  # whoever lists it will tell
    identity = (found.st_dev, found.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def _may_be_file(path: Path) -> bool:
    """Whether a path is a regular file, or cannot be examined: opening it will report why."""
    try:
        return modes.S_ISREG(os.stat(path).st_mode)
    except PermissionError:
        return True
    except OSError:
        return False


def _without_match(pattern: str, path: Path) -> LogFileError:
    folder = path
    while glob.has_magic(str(folder)):
        folder = folder.parent
    try:
        os.scandir(folder).close()
    except PermissionError as error:
        return _unlisted(folder, error)
    except OSError:
        pass
    return LogFileError(f"no file matches {shown(pattern)}", "look at the pattern; is it quoted?")


def _unlisted(folder: Path, error: OSError) -> LogFileError:
    return LogFileError(
        f"the directory {shown(str(folder))} cannot be listed: {error.strerror}",
        f"ls -ld {shown(str(folder))}; run ttsq as a user who may read it",
    )
