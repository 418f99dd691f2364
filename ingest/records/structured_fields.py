"""Fields of a structured record → columns of a request, by name and unit (pure)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ingest.lazily import matcher
from ingest.records import structured_words as words
from ingest.records.profile_rules import tidy
from ingest.records.structured_tokens import apart, names_speech

Pair = tuple[str, str | int | float | bool]
_SPLIT = matcher(r"[^a-z0-9]+")
_AMOUNT = matcher(r"(?P<number>\d{1,15}(?:\.\d{1,15})?)\s*(?P<unit>[^\W\d_]+)")
_NUMBER = matcher(r"\d{1,15}(?:\.\d{1,15})?")
_CLOCK = matcher(r"(?P<h>\d{1,3}):(?P<m>[0-5]\d):(?P<s>[0-5]\d(?:\.\d{1,9})?)")
_SIZE = matcher(r"(?P<number>\d{1,15}(?:\.\d{1,6})?)\s*(?P<unit>[KMG]?i?B|bytes)?", re.IGNORECASE)
_ID = matcher(r"[^\s\"'{}\[\]\\]{1,128}")
_NAME = matcher(r"[\w][\w .:/-]{0,63}")
_ASKED = matcher(r"(?:GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS) (?P<path>/\S*)")
_KB = {"": 1 / 1024, "b": 1 / 1024, "bytes": 1 / 1024, "kb": 1.0, "mb": 1024.0, "gb": 1048576.0}
_SURELY_SECONDS, _SURELY_MS = 10.0, 3600.0
_OF_SPEECH = frozenset(("text", "text_len", "voice", "audio_ms", "rtf", "audio_size_kb"))
_LONGEST_NAME = 80  # characters of a field's name that are looked at
LONGEST_MS = 86_400_000.0  # beyond a day it is none of a request
_AS_PRINTED = 0.25  # share by which a duration may differ from what passed between two stamps


@dataclass(slots=True)
class Fields:
    """A record's fields by their plain names; ``used`` are the names of those that fill columns."""

    flat: dict[str, Any]
    written: dict[str, str]
    ids: tuple[str, ...] = ()
    columns: dict[str, str | int | float | bool] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    status: str = ""
    status_name: str = ""
    has_failed: bool = False
    error: str = ""
    stage: str = ""

    @property
    def id(self) -> str | None:
        """The request's id; None where no field is one."""
        return self.ids[0] if self.ids else None

    @property
    def has_duration(self) -> bool:
        """Whether a field says how long it took."""
        return bool(self.durations())

    @property
    def has_operation(self) -> bool:
        """Whether a field names an operation that is none of speech."""
        return any(isinstance(self.flat.get(name), str) for name in words.OPERATIONS)

    @property
    def is_of_server(self) -> bool:
        """Whether a web framework tells of a request of HTTP."""
        return bool(self.path) or not words.HTTP.isdisjoint(self.flat)

    @property
    def path(self) -> str:
        """The path that was asked for, where a field has it."""
        asked = self.flat.get("request")
        for value in (asked, *(self.flat.get(name) for name in words.PATHS)):
            if isinstance(value, str) and (found := _ASKED.match(value)):
                return found["path"].partition("?")[0]
        for name in words.PATHS:
            value = self.flat.get(name)
            if isinstance(value, str) and value[:1] == "/" and not _is_file(value):
                return value.partition("?")[0]
        return ""

    @property
    def has_speech(self) -> bool:
        """Whether a text, a voice or an audio is among the columns."""
        return not _OF_SPEECH.isdisjoint(self.columns)

    @property
    def is_about_speech(self) -> bool:
        """Whether what the record comes from, or is about, has a name of speech."""
        about = (self.flat.get(name) for name in (*words.ABOUT, *words.OPERATIONS))
        return any(isinstance(value, str) and names_speech(value) for value in about)

    def duration(self, said: str, between: float | None) -> int | float | None:
        """How long it took in ms: as a field says, else the message, else as the stamps do.

        A number without a unit is in the unit in which it fits what passed ``between`` the stamps
        of start and end (ms); without these, in the only one that it can be in.
        """
        for name, value, unit in self.durations():
            found = milliseconds(value, unit, between)
            if found is not None and found <= LONGEST_MS:
                self.used.add(self.written[name])
                return tidy(found)
        found = milliseconds(said, None, None) if said else None
        found = between if found is None else found
        return None if found is None else tidy(found)

    def durations(self) -> list[tuple[str, Any, float | None]]:
        """The fields that say how long it took, by name, value and unit."""
        return [
            (name, value, unit)
            for name, value, unit in _named(self.flat, _TAKEN)
            if _is_amount(value)
        ]


def fields_of(members: Mapping[str, Any]) -> Fields:
    """The fields of a record, those of its containers too, and the columns that they fill."""
    flat: dict[str, Any] = {}
    written: dict[str, str] = {}
    for key, value in members.items():
        _flatten(key, key, value, flat, written, 0)
    fields = Fields(flat, written)
    fields.ids = tuple(_ids(flat))
    _texts(fields)
    _numbers(fields)
    _outcome(fields)
    return fields


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A field's name in lower case, its words between "_"."""
    return _SPLIT.sub("_", apart(name, "_").lower()).strip("_")


def _flatten(
    top: str, key: str, value: Any, flat: dict[str, Any], written: dict[str, str], depth: int
) -> None:
    name = plain(key[:_LONGEST_NAME])
    if isinstance(value, dict) and name in words.CONTAINERS:
        for inner, inside in value.items() if depth < 2 else ():
            _flatten(top, str(inner), inside, flat, written, depth + 1)
        return
    if value is not None and name not in flat:
        flat[name] = value
        written[name] = top if not depth else ""


def _ids(flat: Mapping[str, Any]) -> list[str]:
    found = []
    for name in words.IDS:
        value = flat.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and _ID.fullmatch(value):
            found.append(value)
    return found


def _texts(fields: Fields) -> None:
    for name in words.TEXTS:
        value = fields.flat.get(name)
        if isinstance(value, str):
            fields.columns["text"] = value
            fields.used.add(fields.written[name])
            break
    for column in ("voice", "lang"):
        for name in words.COLUMNS[column]:
            value = fields.flat.get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if isinstance(value, str) and 0 < len(value) <= 128:
                _take(fields, column, name, value)
                break


def _numbers(fields: Fields) -> None:
    for column in ("text_len", "rtf"):
        for name in words.COLUMNS[column]:
            number = _number(fields.flat.get(name))
            if number is not None and (column == "rtf" or number == int(number)):
                _take(fields, column, name, tidy(number))
                break
    for name, value, unit in _named(fields.flat, _AUDIO):
        found = milliseconds(value, unit, None)
        if found is not None:
            _take(fields, "audio_ms", name, tidy(found))
            break
    for stem in words.SIZES:
        for name, factor in ((f"{stem}_kb", 1.0), (f"{stem}_mb", 1024.0), (stem, None)):
            size = _size(fields.flat.get(name), factor)
            if size is not None:
                _take(fields, "audio_size_kb", name, tidy(size))
                break


def _outcome(fields: Fields) -> None:
    flat = fields.flat
    for name in ("status", "outcome", "success", "ok"):
        value = flat.get(name)
        if isinstance(value, bool):
            value = "true" if value else "false"
        elif (code := _number(value)) is not None:
            value = "success" if 200 <= code < 400 else "failed" if code >= 400 else ""
        if not isinstance(value, str) or not _NAME.fullmatch(value):
            continue
        told = value.lower()
        if told in words.LEVEL_WORDS:
            continue  # Datadog's "status" is a level
        fields.has_failed = told in words.HAS_FAILED
        fields.status = "success" if told in words.SUCCEEDED else told
        fields.status_name = fields.written[name]
        break
    named = next((flat[n] for n in words.COLUMNS["error_code"] if n in flat), None)
    if isinstance(named, str) and _NAME.fullmatch(named):
        fields.columns["error_code"] = named
    http = _number(flat.get("status_code") or flat.get("http_status"))
    if http is not None and http >= 400:
        fields.has_failed = True
    for name in words.ERRORS:
        value = flat.get(name)
        if isinstance(value, dict):
            value = value.get("message") or value.get("value")
        if isinstance(value, str) and value:
            fields.error = value
            break
    stage = next((flat[n] for n in words.STAGES if isinstance(flat.get(n), str)), "")
    if _NAME.fullmatch(stage):
        fields.stage = stage
        fields.used.update(fields.written[n] for n in words.STAGES if flat.get(n) == stage)


def _take(fields: Fields, column: str, name: str, value: str | int | float) -> None:
    if column not in fields.columns:
        fields.columns[column] = value
        fields.used.add(fields.written[name])


def _with_unit(stems: tuple[str, ...]) -> dict[str, tuple[int, float | None]]:
    """Names of durations, with and without a unit: their rank, and the unit in ms."""
    found: dict[str, tuple[int, float | None]] = {}
    for stem in stems:
        for unit, factor in words.UNIT_OF_NAME.items():
            found.setdefault(f"{stem}_{unit}", (len(found), factor))
        if stem not in words.ONLY_WITH_UNIT:
            found.setdefault(stem, (len(found), None))
    return found


_TAKEN, _AUDIO = _with_unit(words.TAKEN), _with_unit(words.AUDIO)


def amounts() -> frozenset[str]:
    """The plain names of durations and sizes."""
    sizes = (f"{stem}{unit}" for stem in words.SIZES for unit in ("", "_kb", "_mb"))
    return frozenset((*_TAKEN, *_AUDIO, *sizes))


def _named(
    flat: Mapping[str, Any], names: Mapping[str, tuple[int, float | None]]
) -> list[tuple[str, Any, float | None]]:
    """The fields that have one of these names, by rank, each with its unit."""
    found = sorted((names[name][0], name) for name in flat if name in names)
    return [(name, flat[name], names[name][1]) for _, name in found]


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value) if 0 <= value < 1e15 else None
    return float(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _is_amount(value: Any) -> bool:
    return _number(value) is not None or (isinstance(value, str) and _with_units(value) is not None)


def milliseconds(value: Any, unit: float | None, between: float | None) -> float | None:
    """A duration; None where its unit is unknown."""
    number = _number(value)
    if number is None:
        return _with_units(value) if isinstance(value, str) else None
    if unit is not None:
        return number * unit
    if between:
        fits = [
            found for found in (number * 1000, number)
            if abs(found - between) <= max(_AS_PRINTED * between, 5.0)
        ]  # fmt: skip
        return fits[0] if len(fits) == 1 else None
    if number != int(number) and number < _SURELY_SECONDS:
        return number * 1000
    return number if number >= _SURELY_MS else None


def _with_units(text: str) -> float | None:
    """``1.2s``, ``812 ms``, Go's ``1m2.5s``, Python's ``0:00:01.2``; None for any other."""
    text = text.strip()
    if clock := _CLOCK.fullmatch(text):
        return (int(clock["h"]) * 3600 + int(clock["m"]) * 60 + float(clock["s"])) * 1000
    total, at = 0.0, 0
    while at < len(text) <= 40:
        part = _AMOUNT.match(text, at)
        factor = words.UNIT_OF_VALUE.get(part["unit"].lower()) if part is not None else None
        if part is None or factor is None:
            return None
        total += float(part["number"]) * factor
        at = part.end()
    return total if at and at == len(text) else None


def _size(value: Any, factor: float | None) -> float | None:
    number = _number(value)
    if number is not None and factor is not None:
        return number * factor
    found = _SIZE.fullmatch(value if isinstance(value, str) else f"{number or ''}")
    if found is None:
        return None
    return float(found["number"]) * _KB[(found["unit"] or "").lower().replace("ib", "b")]


def _is_file(path: str) -> bool:
    return re.search(r"\.(?:wav|mp3|ogg|opus|flac|pcm|m4a|aac|txt|json)$", path) is not None
