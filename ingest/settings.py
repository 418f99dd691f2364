"""Settings: options over environment variables over one TOML file over defaults (SPEC §4)."""

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.errors import SettingsError, UsageProblem
from ingest.formats import DEFAULT_FORMAT

CONFIG_NAME = "ttsq.toml"


@dataclass(frozen=True, slots=True)
class PruneSettings:
    """``[prune]`` of the file: ages as written; ``tables`` those of single tables."""

    older_than: str | None = None
    text_older_than: str | None = None
    tables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Every value a run goes by; the names are those of the file and, as TTSQ_NAME, of the environment."""

    db: str = ""
    host: str = ""
    service: str = "tts"
    log_format: str = DEFAULT_FORMAT
    datefmt: str | None = None
    escapes: str = "backslash"
    stage_time: str = "elapsed"
    tz: str | None = None
    query_folder: Path | None = None
    publish: str = ""
    prune: PruneSettings = PruneSettings()


def load_settings(file: Path | None, environment: Mapping[str, str]) -> Settings:
    """Settings of a file (default: ``ttsq.toml`` here, else in the user's configuration directory) and the environment.

    :raises SettingsError: when the file named is missing, is not TOML, or has an unknown key or a wrong type.
    """
    path = file or _default_file(environment)
    values: dict[str, object] = dict(_read(path)) if path is not None else {}
    for name in (f.name for f in fields(Settings) if f.name != "prune"):
        given = environment.get("TTSQ_" + name.upper())
        if given:
            values[name] = given
    for name, value in values.items():
        _check_text(name, str(value))
    if "query_folder" in values:
        values["query_folder"] = _folder(str(values["query_folder"]))
    return Settings(**values)  # type: ignore[arg-type]


def _check_text(name: str, value: str) -> None:
    if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise SettingsError(
            f"the setting {name} = {value!r} is not text in UTF-8", "correct it where it is set"
        )


def _folder(value: str) -> Path:
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise SettingsError(
            f"the setting query_folder = {value!r} names the home of an unknown user",
            "give a whole path",
        ) from error


def _default_file(environment: Mapping[str, str]) -> Path | None:
    home = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    for path in (Path(CONFIG_NAME), Path(home) / "ttsq" / CONFIG_NAME):
        if path.is_file():
            return path
    return None


def _read(path: Path) -> Mapping[str, object]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"the settings file {path} cannot be read: {error.strerror}", "see --config"
        ) from error
    except (ValueError, RecursionError) as error:  # also numbers and nesting beyond Python's limits
        raise SettingsError(
            f"the settings file {path} is not TOML: {error}", 'lines look like: service = "tts"'
        ) from error
    read: dict[str, object] = {}
    for key, value in values.items():
        _require_known(path, key, [f.name for f in fields(Settings)])
        if key == "prune":
            read[key] = _prune_settings(path, value)
        elif key == "publish" and isinstance(value, bool):
            read[key] = "true" if value else ""
        else:
            read[key] = _text(path, key, value)
    return read


def _prune_settings(path: Path, value: object) -> PruneSettings:
    given = _table(path, "prune", value)
    for key in given:
        _require_known(path, key, [f.name for f in fields(PruneSettings)], "prune.")
    ages = {k: _text(path, f"prune.{k}", v) for k, v in given.items() if k != "tables"}
    tables = _table(path, "prune.tables", given.get("tables", {}))
    of_tables = {k: _text(path, f"prune.tables.{k}", v) for k, v in tables.items()}
    return PruneSettings(ages.get("older_than"), ages.get("text_older_than"), of_tables)


def _require_known(path: Path, key: str, names: Sequence[str], prefix: str = "") -> None:
    if key not in names:
        near = difflib.get_close_matches(key, names, 1)
        raise SettingsError(
            f"the settings file {path} has an unknown key {prefix + key!r}",
            f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(names)}",
        )


def _text(path: Path, key: str, value: object) -> str:
    if not isinstance(value, str):
        raise SettingsError(
            f"the settings file {path} has {key} = {value!r}, not a text", f'{key} = "..."'
        )
    return value


def _table(path: Path, key: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise SettingsError(
            f"the settings file {path} has {key} = {value!r}, not a table", f"[{key}]"
        )
    return value


def default_store() -> str:
    """URL of the store in the user's data directory."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return f"duckdb:///{Path(home) / 'ttsq' / 'ttsq.duckdb'}"


def zone(name: str | None) -> tzinfo:
    """An IANA time zone; None: the machine's.

    :raises UsageProblem: for an unknown name.
    """
    if name is None:
        return local_zone()
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageProblem(
            f"the time zone {name!r} is unknown", "give an IANA name such as Asia/Shanghai or UTC"
        ) from error


def local_zone() -> tzinfo:
    """The machine's zone: TZ, else /etc/localtime; a fixed offset where neither names one."""
    name = os.environ.get("TZ", "").lstrip(":")
    if not name:
        target = os.path.realpath("/etc/localtime")
        _, found, name = target.partition("zoneinfo/")
        name = name if found else ""
    if name in ("", "UTC", "Etc/UTC"):
        return UTC if name else (datetime.now().astimezone().tzinfo or UTC)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return datetime.now().astimezone().tzinfo or UTC
