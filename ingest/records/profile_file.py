"""A profile's file: TOML in, a checked Profile out; mistakes name file and line (pure)."""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from ingest.errors import ProfileError
from ingest.lazily import matcher
from ingest.records import profile_rules as rules_of
from ingest.records.profile_rules import ACTIONS, ADDS, CLOSES, NOISE, REPEATS, WARNS, Column, Rule
from ingest.records.profiles import Code, Profile, Sample, digest

PROFILE_KEYS = {
    "name": str, "summary": str, "origin": str, "services": list, "stage_time": str,
    "workers": str, "access": str, "access_closes": bool, "bars": str, "paths": list,
    "fail_statuses": list, "rule": list, "code": list, "sample": list,
}  # fmt: skip
RULE_KEYS = {
    "name": str, "does": str, "pattern": str, "source": str, "block": bool, "repeats": str,
    "stage": str, "code": str, "level": str, "sample_rate": int, "joiner": str, "needs": list,
    "unless": list, "closed_by": list, "whole_process": bool, "set": dict, "until": list,
    "then": str, "enough": bool, "sums": list, "total_of_stages": bool, "only": str,
    "alone": bool, "bare": bool,
}  # fmt: skip
_CODE = {"code": str, "pattern": str, "source": str, "level": str}
_SAMPLE = {"lines": str, "requests": list, "errors": list, "unclaimed": int}
_CHOICES = {
    "stage_time": ("own", "elapsed"),
    "workers": ("one", "many"),
    "access": ("before", "after", "either", "none"),
    "bars": ("", "duration", "close"),
    "does": ACTIONS,
    "repeats": ("", *REPEATS),
    "then": ("", "text", "voice"),
    "only": ("", "INFO", "WARNING", "ERROR", "CRITICAL"),
    "level": ("", "INFO", "WARNING", "ERROR", "CRITICAL"),
}
_TABLE = matcher(r"\s*\[\[\s*([\w.-]+)\s*\]\]")
_KEY = matcher(r'\s*(?:"([^"]*)"|([^\s"=]+))\s*=')
_SPARE_BITS = 512  # rules of one profile at most: each has a bit in what a request has seen


class _File:
    """One profile's text, and where its tables and keys stand in it."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = text
        self.lines = text.split("\n")
        self._places = _places(self.lines)

    def line_of(self, table: str = "", number: int = 0, key: str = "") -> int:
        """The line (from 1) of a key in the ``number``-th table of its kind, else the table's."""
        first, keys = self._places.get((table, number)) or self._places["", 0]
        return keys.get(key, first)

    def refuse(self, line: int, what: str, hint: str) -> NoReturn:
        raise ProfileError(f"{self.name}, line {line}: {what}", hint)


def _places(lines: Sequence[str]) -> dict[tuple[str, int], tuple[int, dict[str, int]]]:
    """Of each table, by its kind and number: its line, and those of its keys, from 1."""
    places: dict[tuple[str, int], tuple[int, dict[str, int]]] = {("", 0): (1, {})}
    keys = places["", 0][1]
    met: Counter[str] = Counter()
    for number, line in enumerate(lines, 1):
        if table := _TABLE.match(line):
            keys = {}
            places[table[1], met[table[1]]] = number, keys
            met[table[1]] += 1
        elif key := _KEY.match(line):
            keys.setdefault(key[1] or key[2], number)
    return places


def read_profile(name: str, text: str) -> Profile:
    """The profile in a file's text; ``name`` is what messages call the file.

    Raises:
        ProfileError: naming file and line, with what to do.
    """
    file = _File(name, text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"at line (\d+)", str(error))
        file.refuse(
            int(found[1]) if found else len(file.lines),
            f"this is not TOML: {error}",
            "Put patterns between single quotes, where TOML leaves backslashes alone.",
        )
    _check(file, data, PROFILE_KEYS, "", 0)
    for key in ("name", "summary", "origin"):
        if not data.get(key):
            file.refuse(1, f"the key {key} is missing", f'Add a line such as {key} = "…".')
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,39}", data["name"]):
        file.refuse(
            file.line_of(key="name"),
            f"{data['name']!r} is no name of a profile",
            "Use lower case letters, digits and hyphens, such as my-engine.",
        )
    return Profile(
        name=data["name"],
        summary=data["summary"],
        origin=data["origin"],
        rules=tuple(_rules(file, data)),
        codes=tuple(_codes(file, data.get("code", []))),
        samples=tuple(_samples(file, data.get("sample", []))),
        digest=digest(text),
        services=tuple(data.get("services", ())),
        stage_time=data.get("stage_time", "own"),
        workers=data.get("workers", "many"),
        access=data.get("access", "after"),
        access_closes=data.get("access_closes", False),
        bars=data.get("bars", ""),
        paths=tuple(data.get("paths", ())),
        fail_statuses=tuple(data.get("fail_statuses", ())),
    )


def _check(
    file: _File, table: Mapping[str, Any], keys: Mapping[str, type], kind: str, number: int
) -> None:
    """Whether a table has known keys only, each of its type and choice."""
    for key, value in table.items():
        line = file.line_of(kind, number, key)
        if key not in keys:
            file.refuse(line, f"the key {key} means nothing here", "Known: " + ", ".join(keys))
        if not isinstance(value, keys[key]) or (keys[key] is int and isinstance(value, bool)):
            file.refuse(
                line, f"{key} must be {_words(keys[key])}", "See docs/profiles.md for an example."
            )
        if key in _CHOICES and value not in _CHOICES[key]:
            choices = ", ".join(repr(choice) for choice in _CHOICES[key] if choice)
            file.refuse(line, f"{value!r} is no value of {key}", f"Choose one of {choices}.")


def _words(kind: type) -> str:
    return {
        str: "a text between quotes", list: "a list in brackets", int: "a whole number",
        bool: "true or false", dict: "a table, such as { status = \"failed\" }",
    }[kind]  # fmt: skip


def _rules(file: _File, data: Mapping[str, Any]) -> Iterator[Rule]:
    tables = data.get("rule", [])
    if len(tables) > _SPARE_BITS:
        file.refuse(1, f"more than {_SPARE_BITS} rules", "Write two profiles.")
    bits = {
        table["name"]: 1 << i
        for i, table in enumerate(tables)
        if isinstance(table.get("name"), str)
    }
    elapsed = data.get("stage_time") == "elapsed"
    blocks = any(table.get("does") == ADDS and not table.get("repeats") for table in tables)
    for number, table in enumerate(tables):
        _check(file, table, RULE_KEYS, "rule", number)
        for key in ("name", "does", "pattern", "source"):
            if not table.get(key):
                file.refuse(
                    file.line_of("rule", number),
                    f"this rule has no {key}",
                    f"Add the line {key} = … behind [[rule]].",
                )
        yield _rule(file, number, table, data["name"], bits, blocks, elapsed)


def _rule(
    file: _File,
    number: int,
    table: Mapping[str, Any],
    profile: str,
    bits: Mapping[str, int],
    blocks: bool,
    elapsed: bool,
) -> Rule:
    sample_rate = table.get("sample_rate", 0)
    columns = _pattern(file, "rule", number, table["pattern"], sample_rate)
    masks = {
        key: _mask(file, number, key, table.get(key, []), bits)
        for key in ("needs", "unless", "until")
    }
    does = table["does"]
    repeats = table.get("repeats", "")
    block = table.get("block", blocks and does in (ADDS, CLOSES) and not repeats)
    if does == WARNS and not table.get("code"):
        file.refuse(
            file.line_of("rule", number),
            "a warning needs a code",
            'Add a line such as code = "CPU_FALLBACK".',
        )
    if columns and does == NOISE:
        file.refuse(
            file.line_of("rule", number, "pattern"),
            "noise fills no columns",
            "Write (?:…) instead of (?P<name>…), or let the rule add.",
        )
    return Rule(
        name=table["name"],
        does=does,
        pattern=table["pattern"],
        source=table["source"],
        profile=profile,
        bit=bits[table["name"]],
        block=block,
        repeats=repeats,
        stage=table.get("stage", ""),
        code=table.get("code", ""),
        level=table.get("level", ""),
        sample_rate=sample_rate,
        joiner=table.get("joiner", "\n"),
        closed_by=tuple(table.get("closed_by", ())),
        whole_process=table.get("whole_process", False),
        then=table.get("then", ""),
        enough=table.get("enough", False),
        sums=tuple(table.get("sums", ())),
        total_of_stages=table.get("total_of_stages", False),
        only=table.get("only", ""),
        alone=table.get("alone", False),
        bare=table.get("bare", False),
        elapsed=elapsed,
        constants=tuple(table.get("set", {}).items()),
        columns=columns,
        has_id=any(column.name == "id" for column in columns),
        **masks,
    )


def _mask(file: _File, number: int, key: str, names: list[str], bits: Mapping[str, int]) -> int:
    mask = 0
    for name in names:
        if name not in bits:
            file.refuse(
                file.line_of("rule", number, key),
                f"{key} names the rule {name!r}, which this profile does not have",
                "Its rules: " + ", ".join(bits),
            )
        mask |= bits[name]
    return mask


def _pattern(
    file: _File, kind: str, number: int, pattern: str, sample_rate: int = 0
) -> tuple[Column, ...]:
    line = file.line_of(kind, number, "pattern")
    regex = rules_of.compiled(pattern)
    if not regex.ok():
        reason = regex.error()
        reason = reason.decode() if isinstance(reason, bytes) else reason
        file.refuse(
            line,
            f"the pattern is no regular expression of RE2: {reason}",
            "RE2 has no look-around and no back references; https://github.com/google/re2/wiki/Syntax",
        )
    if regex.Match(rules_of.Anchor.ANCHOR_START, b"", 0, 0)[0][0] >= 0:
        file.refuse(line, "the pattern takes an empty line", "Name something that the line holds.")
    groups = {name.decode(): group for name, group in regex.NamedCapturingGroups()}
    try:
        return rules_of.columns_of(groups, sample_rate)
    except KeyError as error:
        file.refuse(
            line,
            f"the group {error.args[0]} is no column with a unit",
            "Use duration_s, duration_ms, audio_s, rtf, text, text_len, voice, stage_s, tokens, …; "
            "x_NAME for a pair of your own (docs/profiles.md has the list).",
        )


def _codes(file: _File, tables: list[dict[str, Any]]) -> Iterator[Code]:
    for number, table in enumerate(tables):
        _check(file, table, _CODE, "code", number)
        for key in ("code", "pattern"):
            if not table.get(key):
                file.refuse(
                    file.line_of("code", number), f"this code has no {key}", f"Add {key} = …."
                )
        _pattern(file, "code", number, table["pattern"])
        yield Code(table["code"], table["pattern"], table.get("level", ""))


def _samples(file: _File, tables: list[dict[str, Any]]) -> Iterator[Sample]:
    for number, table in enumerate(tables):
        _check(file, table, _SAMPLE, "sample", number)
        if not table.get("lines"):
            file.refuse(
                file.line_of("sample", number), "this sample has no lines", "Add lines = '''…'''."
            )
        yield Sample(
            file.line_of("sample", number),
            tuple(table["lines"].strip("\n").split("\n")),
            tuple(table.get("requests", ())),
            tuple(table.get("errors", ())),
            table.get("unclaimed", 0),
        )
