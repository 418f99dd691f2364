"""Settings: options over environment variables over one TOML file over defaults (SPEC §4)."""

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ingest.cli.settings.file import (
    PRUNE_KEYS,
    RECORD_KEYS,
    SCALAR_KEYS,
    SOURCE_KEYS,
    Entry,
    Place,
    check_text,
    read_file,
)
from ingest.errors import SettingsError, UsageProblem
from ingest.paths import expanded
from ingest.records.formats import DEFAULT_FORMAT
from ingest.rows.user_text import TextPolicy
from ingest.stores.urls import with_option, with_password

CONFIG_NAME = "ttsq.toml"


class PruneSettings(NamedTuple):
    """``[prune]`` of the file: ages as written; ``tables`` those of single tables."""

    older_than: str | None = None
    text_older_than: str | None = None
    tables: Mapping[str, str] = MappingProxyType({})


class Source(NamedTuple):
    """One of ``[[sources]]``: log files, and what holds for them."""

    paths: tuple[str, ...]
    host: str = ""
    service: str = "tts"
    log_format: str = DEFAULT_FORMAT
    datefmt: str | None = None
    escapes: str = "backslash"
    stage_time: str = "elapsed"
    tz: str | None = None
    access_format: str | None = None
    profile: str | None = None
    envelope: str | None = None
    encoding: str | None = None
    exclude: tuple[str, ...] = ()


class Settings(NamedTuple):
    """Every setting of a run, by its name in the file and, as TTSQ_NAME, in the environment."""

    db: str = ""
    db_password_file: str = ""
    cluster: str = ""
    retention: str = ""
    host: str = ""
    service: str = "tts"
    log_format: str = DEFAULT_FORMAT
    datefmt: str | None = None
    escapes: str = "backslash"
    stage_time: str = "elapsed"
    tz: str | None = None
    access_format: str | None = None
    profile: str | None = None
    envelope: str | None = None
    encoding: str | None = None
    query_folder: Path | None = None
    profile_folder: Path | None = None
    publish: str = ""
    text: TextPolicy = "keep"
    prune: PruneSettings = PruneSettings()
    sources: tuple[Source, ...] = ()

    @property
    def for_paths(self) -> Source:
        """What holds for log files that are named by hand: no paths of its own."""
        return Source((), self.host, self.service, *(getattr(self, k) for k in RECORD_KEYS))

    @property
    def asks_for_copies(self) -> bool:
        """Whether every ingest that stored something publishes a copy."""
        return self.publish.lower() not in ("", "false", "0", "no")


class Loaded(NamedTuple):
    """Settings, and every value that is not a default with its place; ``file`` is the one read."""

    settings: Settings
    entries: Mapping[str, Entry]
    file: Path | None


def load(file: Path | None, environment: Mapping[str, str]) -> Loaded:
    """Settings of a file and the environment.

    The file is that given, else TTSQ_CONFIG's, else ``ttsq.toml`` here, else in the user's
    configuration directory.

    :raises SettingsError: when the file named is missing, is not TOML, or has an unknown key or a
        wrong value.
    """
    named = environment.get("TTSQ_CONFIG")
    path = file or (Path(named) if named else _default_file(environment))
    written = read_file(path) if path is not None else []
    entries = {e.key: e for e in written if e.value}
    entries |= {e.key: e for e in _of_environment(environment)}
    _spread(entries)
    return Loaded(_settings(entries), entries, path)


def variable(key: str) -> str:
    """The environment variable of a key: ``prune.older_than`` is TTSQ_PRUNE_OLDER_THAN."""
    return "TTSQ_" + key.upper().replace(".", "_")


def _of_environment(environment: Mapping[str, str]) -> list[Entry]:
    found = []
    for key in (*SCALAR_KEYS, *(f"prune.{k}" for k in PRUNE_KEYS)):
        value = environment.get(variable(key))
        if value:
            place = Place("environment", variable(key))
            check_text(key, value, place)
            found.append(Entry(key, value, place))
    return found


def _spread(entries: dict[str, Entry]) -> None:
    """Give each source what the top sets, and the top the format on which all sources agree."""
    numbers = sorted({int(k[8 : k.index("]")]) for k in entries if k.startswith("sources[")})
    for key in SOURCE_KEYS[1:]:
        own = [entries.get(f"sources[{n}].{key}") for n in numbers]
        top = entries.get(key)
        if top is None and key in RECORD_KEYS and own and own[0] is not None:
            if all(e is not None and e.value == own[0].value for e in own):
                entries[key] = own[0]._replace(key=key)
        elif top is not None:
            for n, of_source in zip(numbers, own, strict=True):
                if of_source is None or top.place.kind == "environment":
                    entries[f"sources[{n}].{key}"] = top._replace(key=f"sources[{n}].{key}")


def _settings(entries: Mapping[str, Entry]) -> Settings:
    values: dict[str, object] = {k: entries[k].value for k in SCALAR_KEYS if k in entries}
    for key in ("query_folder", "profile_folder"):
        if key in values:
            values[key] = _folder(key, str(values[key]))
    tables = {
        k.removeprefix("prune.tables."): str(e.value)
        for k, e in entries.items()
        if k.startswith("prune.tables.")
    }
    ages = {k: str(entries[f"prune.{k}"].value) for k in PRUNE_KEYS if f"prune.{k}" in entries}
    return Settings(
        **values,  # type: ignore[arg-type]
        prune=PruneSettings(tables=tables, **ages),
        sources=tuple(_of_sources(entries)),
    )


def _of_sources(entries: Mapping[str, Entry]) -> Sequence[Source]:
    found: list[Source] = []
    while f"sources[{len(found)}].paths" in entries:
        name = f"sources[{len(found)}]"
        given = {k: entries[f"{name}.{k}"].value for k in SOURCE_KEYS if f"{name}.{k}" in entries}
        found.append(Source(**given))  # type: ignore[arg-type]
    return found


def _folder(key: str, value: str) -> Path:
    try:
        return expanded(value)
    except UsageProblem as error:
        raise SettingsError(f"the setting {key}: {error.message}", error.hint) from error


def _default_file(environment: Mapping[str, str]) -> Path | None:
    home = environment.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    for path in (Path(CONFIG_NAME), Path(home) / "ttsq" / CONFIG_NAME):
        if os.path.isfile(path):  # false, too, in a folder that may not be looked into
            return path
    return None


def store_url(url: str, password_file: str, cluster: str = "", retention: str = "") -> str:
    """The URL of a store with the password of a file's first line in it, and the cluster that it is
    on and how long it keeps rows, where it is one that can; a store in a file needs none.

    :raises SettingsError: when the file cannot be read, or the URL names no user or has a password
        already; for a store that keeps all rows until they are pruned.
    """
    if url.startswith("clickhousedb"):
        for name, value in (("cluster", cluster), ("retention", retention)):
            if value:
                url = with_option(url, name, value)
    elif retention:
        raise SettingsError(
            "retention is a setting of stores on ClickHouse, and the store is none",
            "ttsq prune --older-than 90d, from a timer, removes what is older in any store",
        )
    if not password_file or url.startswith("duckdb:"):
        return url
    try:
        first = expanded(password_file).read_text(encoding="utf-8-sig").split("\n", 1)[0]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise SettingsError(
            f"the password file {password_file} cannot be read: {reason}",
            "ls -l shows who may read it; db_password_file names it",
        ) from error
    found = with_password(url, first.rstrip("\r"))
    if found is None:
        raise SettingsError(
            "a password file is given, and the store's URL names no user, or has a password "
            "already",
            "postgresql+psycopg://USER@HOST/DATABASE, see ttsq config show",
        )
    return found


def default_store() -> str:
    """URL of the store in the user's data directory."""
    home = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
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
        return _named_zone(name)
    except (KeyError, ValueError, OSError) as error:
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
        return _named_zone(name)
    except (KeyError, ValueError, OSError):
        return datetime.now().astimezone().tzinfo or UTC


def _named_zone(name: str) -> tzinfo:
    from zoneinfo import ZoneInfo  # its error for an unknown name is a KeyError

    return ZoneInfo(name)


def local_host() -> str:
    """The machine's name."""
    return os.uname().nodename
