"""Settings: options over environment variables over one TOML file over defaults (SPEC §4)."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ingest.errors import SettingsError, UsageProblem
from ingest.formats import DEFAULT_FORMAT

CONFIG_NAME = "ttsq.toml"


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


def load_settings(file: Path | None, environment: Mapping[str, str]) -> Settings:
    """Settings of a file (default: ``ttsq.toml`` here, else in the user's configuration directory) and the environment.

    :raises SettingsError: when the file named is missing, is not TOML, or has an unknown key or a wrong type.
    """
    path = file or _default_file(environment)
    values: dict[str, object] = dict(_read(path)) if path is not None else {}
    for name in (f.name for f in fields(Settings)):
        given = environment.get("TTSQ_" + name.upper())
        if given:
            values[name] = given
    if "query_folder" in values:
        values["query_folder"] = Path(str(values["query_folder"])).expanduser()
    return Settings(**values)  # type: ignore[arg-type]


def _default_file(environment: Mapping[str, str]) -> Path | None:
    home = environment.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    for path in (Path(CONFIG_NAME), Path(home) / "ttsq" / CONFIG_NAME):
        if path.is_file():
            return path
    return None


def _read(path: Path) -> Mapping[str, str]:
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"the settings file {path} cannot be read: {error.strerror}", "see --config"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"the settings file {path} is not TOML: {error}", 'lines look like: service = "tts"'
        ) from error
    names = [f.name for f in fields(Settings)]
    for key, value in values.items():
        if key not in names:
            near = difflib.get_close_matches(key, names, 1)
            raise SettingsError(
                f"the settings file {path} has an unknown key {key!r}",
                f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(names)}",
            )
        if not isinstance(value, str):
            raise SettingsError(
                f"the settings file {path} has {key} = {value!r}, not a text", f'{key} = "..."'
            )
    return values


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
