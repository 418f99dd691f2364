"""Checked profiles as one text, and back (pure): what TOML and its checks take 30 ms for, a run of
every minute has in two.
"""

import json
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any

from ingest.records.profile_rules import Column, Rule
from ingest.records.profiles import Code, Profile, Sample


def kept(profiles: Iterable[Profile]) -> str:
    """Profiles as JSON, one a line; of their rules and codes what is not as it is by default."""
    lines = (json.dumps(_told(profile), ensure_ascii=False) for profile in profiles)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def of_kept(text: str) -> list[Profile]:
    """The profiles of such a text."""
    return [_profile(data) for data in json.loads(text)]


def _told(value: Any) -> Any:
    """A value of JSON: of a dataclass, an object of its fields; of a tuple, a list."""
    if isinstance(value, tuple | list):
        return [_told(part) for part in value]
    if isinstance(value, Profile | Rule | Column | Code | Sample):
        return {
            f.name: _told(getattr(value, f.name))
            for f in fields(value)
            if f.default is MISSING or getattr(value, f.name) != f.default
        }
    return value


def _profile(data: dict[str, Any]) -> Profile:
    for key, made in (("rules", _rule), ("codes", Code), ("samples", _sample)):
        data[key] = tuple(made(**part) for part in data.get(key, ()))
    return Profile(**_tuples(data))


def _rule(**data: Any) -> Rule:
    data["columns"] = tuple(Column(**column) for column in data.get("columns", ()))
    data["constants"] = tuple(map(tuple, data.get("constants", ())))
    return Rule(**_tuples(data))


def _sample(**data: Any) -> Sample:
    return Sample(**_tuples(data))


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(v) if isinstance(v, list) else v for key, v in data.items()}
