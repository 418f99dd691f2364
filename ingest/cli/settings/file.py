"""The settings file: TOML to checked values, each with the line it stands on."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ingest.cli.settings.lines import key_lines, line_of
from ingest.errors import SettingsError
from ingest.render.harmless import printable
from ingest.stores.urls import without_password

RECORD_KEYS = (
    "log_format",
    "datefmt",
    "escapes",
    "stage_time",
    "tz",
    "access_format",
    "profile",
    "envelope",
    "encoding",
)  # how records look
SOURCE_KEYS = ("paths", "host", "service", *RECORD_KEYS, "exclude")
SCALAR_KEYS = (
    "db", "db_password_file", "cluster", "retention", "host", "service", *RECORD_KEYS,
    "query_folder", "profile_folder", "publish", "text",
)  # fmt: skip
PRUNE_KEYS = ("older_than", "text_older_than")
CHOICES: Mapping[str, Sequence[str]] = {
    "escapes": ("backslash", "none"),
    "stage_time": ("elapsed", "own"),
    "text": ("keep", "hash", "drop"),
}


class Place(NamedTuple):
    """Where a value comes from (``default``, ``file``, ``environment``, ``option``), name, line."""

    kind: str = "default"
    name: str = ""
    line: int | None = None

    def __str__(self) -> str:
        if self.kind == "file":
            return self.name if self.line is None else f"{self.name}:{self.line}"
        return self.kind if self.kind == "default" else f"{self.kind} {self.name}"


class Entry(NamedTuple):
    """One value as written, with its place: ``prune.older_than``, ``sources[0].paths``."""

    key: str
    value: str | tuple[str, ...]
    place: Place


class _File(NamedTuple):
    """A settings file being read."""

    path: Path
    lines: Mapping[str, int] = MappingProxyType({})

    def place(self, key: str) -> Place:
        return Place("file", str(self.path), line_of(self.lines, key))

    def says(self, key: str, problem: str, hint: str) -> SettingsError:
        return SettingsError(f"the settings file {self.place(key)} {problem}", hint)


def read_file(path: Path) -> list[Entry]:
    """The values of a settings file, in its order.

    :raises SettingsError: when it cannot be read, is not TOML, or has an unknown key or a wrong
        type.
    """
    import tomllib

    try:
        text = path.read_text(encoding="utf-8-sig")
        values = tomllib.loads(text)
    except OSError as error:
        raise SettingsError(
            f"the settings file {path} cannot be read: {error.strerror}",
            "--config or TTSQ_CONFIG names it",
        ) from error
    except (ValueError, RecursionError) as error:  # also numbers and nesting beyond Python's limits
        raise SettingsError(
            f"the settings file {path} is not TOML: {error}", 'lines look like: service = "tts"'
        ) from error
    file = _File(path, key_lines(text))
    return [entry for key, value in values.items() for entry in _entries(file, key, value)]


def _entries(file: _File, key: str, value: object) -> Iterator[Entry]:
    _require_known(file, key, key, (*SCALAR_KEYS, "prune", "sources"))
    if key == "prune":
        yield from _prune(file, value)
    elif key == "sources":
        yield from _sources(file, value)
    elif key == "publish" and isinstance(value, bool):
        yield Entry(key, "true" if value else "", file.place(key))
    else:
        yield _scalar(file, key, value)


def _prune(file: _File, value: object) -> Iterator[Entry]:
    for key, given in _table(file, "prune", value).items():
        dotted = f"prune.{key}"
        _require_known(file, dotted, key, (*PRUNE_KEYS, "tables"))
        if key == "tables":
            for table, age in _table(file, dotted, given).items():
                yield _scalar(file, f"{dotted}.{table}", age)
        else:
            yield _scalar(file, dotted, given)


def _sources(file: _File, value: object) -> Iterator[Entry]:
    if not isinstance(value, list):
        raise file.says("sources", f"has sources = {_shown(value)}, no list", "[[sources]]")
    for number, source in enumerate(value):
        name = f"sources[{number}]"
        given = _table(file, name, source)
        for key, entry in given.items():
            _require_known(file, f"{name}.{key}", key, SOURCE_KEYS)
            yield (_paths if key in ("paths", "exclude") else _scalar)(file, f"{name}.{key}", entry)
        if "paths" not in given:
            raise file.says(name, f"names no paths in {name}", 'paths = ["/var/log/tts/"]')


def _paths(file: _File, key: str, value: object) -> Entry:
    paths = [value] if isinstance(value, str) else value
    if not isinstance(paths, list) or not paths or not all(isinstance(p, str) and p for p in paths):
        raise file.says(
            key, f"has {key} = {_shown(value)}, no list of paths", 'paths = ["/var/log/tts/"]'
        )
    for path in paths:
        check_text(key, path, file.place(key))
    return Entry(key, tuple(paths), file.place(key))


def _scalar(file: _File, key: str, value: object) -> Entry:
    if not isinstance(value, str):
        name = printable(key)
        raise file.says(key, f"has {name} = {_shown(value)}, not a text", f'{name} = "..."')
    check_text(key, value, file.place(key))
    return Entry(key, value, file.place(key))


def check_text(key: str, value: str, place: Place) -> None:
    """:raises SettingsError: for a value that is no UTF-8 text, or not one of the choices."""
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise SettingsError(
            f"the setting {printable(key)} = {_shown(value)} is not text in UTF-8 ({place})",
            "correct it where it is set",
        )
    choices = CHOICES.get(key.rpartition("].")[2])
    if choices and value and value not in choices:
        near = difflib.get_close_matches(value, choices, 1)
        raise SettingsError(
            f"the setting {key} = {_shown(value)} is none of {', '.join(choices)} ({place})",
            f"did you mean {near[0]!r}?" if near else f'{key} = "{choices[0]}"',
        )


def _require_known(file: _File, dotted: str, key: str, names: Sequence[str]) -> None:
    if key not in names:
        near = difflib.get_close_matches(key, names, 1)
        raise file.says(
            dotted,
            f"has an unknown key {dotted!r}",
            f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(names)}",
        )


def _table(file: _File, key: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise file.says(key, f"has {key} = {_shown(value)}, not a table", f"[{key}]")
    return value


def _shown(value: object) -> str:
    return without_password(repr(value))
