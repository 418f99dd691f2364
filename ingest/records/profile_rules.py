"""A rule of a profile: a pattern, the effect of a matching line, and its groups' meaning."""

import ast
import re
from dataclasses import dataclass
from typing import Any, Final

import re2
from re2 import _re2

from ingest.lazily import matcher

OPENS, ADDS, CLOSES, WHOLE = "opens", "adds", "closes", "whole"
FAILS, WARNS, NOISE, RESTARTS, FOLLOWS = "fails", "warns", "noise", "restarts", "follows"
OUTER_OPENS, OUTER_CLOSES, OUTER_FAILS = "outer opens", "outer closes", "outer fails"
ACTIONS = (
    OPENS, ADDS, CLOSES, WHOLE, FAILS, WARNS, NOISE, RESTARTS, FOLLOWS,
    OUTER_OPENS, OUTER_CLOSES, OUTER_FAILS,
)  # fmt: skip
REPEATS = ("first", "last", "sum", "join")

Value = str | int | float | bool
Anchor: Final[Any] = _re2.RE2.Anchor
MEMORY = 64 << 20  # bytes that RE2 may spend on one set of patterns

_MS = {"ms": 1.0, "s": 1000.0, "min": 60_000.0, "h": 3_600_000.0}
_KB = {"bytes": 1 / 1024, "kb": 1.0, "mb": 1024.0}
_TEXTS = (
    "text", "voice", "lang", "id", "request_id", "message", "exception", "stage", "instance",
    "error_code", "status", "model_stage", "pid",
)  # fmt: skip
_WHOLE = ("text_len", "tokens")
_TOKENS = {"tokens_from": -1.0, "tokens_to": 1.0}  # a range of token numbers
_REAL = ("rtf", "rms", "spectral_centroid")
_TIMED = matcher(r"(duration|audio|stage(?:_\w+?)?)_(ms|s|min|h)")
MOST_TEXT = 1 << 20  # characters of a Python literal that are still read as one


@dataclass(frozen=True, slots=True)
class Column:
    """What one group of a pattern fills: a column's name, and how its text becomes the value."""

    group: int
    name: str
    kind: str
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of line that an engine prints; ``bit`` is its own in a request's set of rules."""

    name: str
    does: str
    pattern: str
    source: str
    profile: str
    bit: int
    block: bool = False
    repeats: str = ""
    stage: str = ""
    code: str = ""
    level: str = ""
    sample_rate: int = 0
    joiner: str = "\n"
    needs: int = 0
    unless: int = 0
    closed_by: tuple[str, ...] = ()
    whole_process: bool = False
    until: int = 0
    then: str = ""
    enough: bool = False
    sums: tuple[str, ...] = ()
    total_of_stages: bool = False
    only: str = ""
    alone: bool = False
    bare: bool = False
    elapsed: bool = False
    constants: tuple[tuple[str, Value], ...] = ()
    columns: tuple[Column, ...] = ()
    has_id: bool = False

    def values(self, data: bytes, spans: list[tuple[int, int]]) -> dict[str, Value]:
        """Columns that a match fills: durations in ms, sizes in KB; no number fills nothing."""
        found: dict[str, Value] = dict(self.constants)
        for column in self.columns:
            start, end = spans[column.group]
            if start < 0:
                continue
            text = data[start:end].decode("utf-8", "replace")
            value = _value(column, text)
            if value is None:
                continue
            name = column.name
            if column.kind == "sum" and name in found:
                found[name] = tidy(float(found[name]) + float(value))
            else:
                found[name] = value
        return found


def tidy(number: float) -> int | float:
    """A number to four places, whole where it is whole."""
    number = round(number, 4)
    return int(number) if number == int(number) else number


def _value(column: Column, text: str) -> Value | None:
    if column.kind == "text":
        return text
    if column.kind == "literal":
        return literal(text)
    if column.kind == "pair":
        return _plain(text)
    try:
        number = float(text.replace(",", ""))
    except ValueError:
        return None
    if not abs(number) < 1e15:
        return None
    if column.kind == "inverse":
        return tidy(1 / number) if number > 0 else None
    if column.kind == "real":
        return number
    return tidy(number * column.factor) if column.kind == "sum" else int(number)


def _plain(text: str) -> Value:
    """A pair's value: a number where it is written as one."""
    if re.fullmatch(r"-?\d{1,15}", text):
        return int(text)
    if re.fullmatch(r"-?\d{1,15}\.\d{1,15}", text):
        return float(text)
    return text


def literal(text: str) -> str:
    """The text of a Python literal (a string or a list of them); else as it is."""
    if len(text) > MOST_TEXT:
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n".join(value)
    return value if isinstance(value, str) else text


def columns_of(groups: dict[str, int], sample_rate: int) -> tuple[Column, ...]:
    """The columns that named groups fill.

    Raises:
        KeyError: of the group whose name means nothing.
    """
    found = []
    for name, group in sorted(groups.items(), key=lambda item: item[1]):
        found.append(_column(name, group, sample_rate))
    return tuple(found)


def _column(name: str, group: int, sample_rate: int) -> Column:
    if timed := _TIMED.fullmatch(name):
        return Column(group, timed[1] + "_ms", "sum", _MS[timed[2]])
    if name.startswith("size_") and name[5:] in _KB:
        return Column(group, "audio_size_kb", "sum", _KB[name[5:]])
    if name == "audio_samples" and sample_rate:
        return Column(group, "audio_ms", "sum", 1000 / sample_rate)
    if name in _TOKENS:
        return Column(group, "tokens", "sum", _TOKENS[name])
    if name in _TEXTS:
        return Column(group, name, "text")
    if name == "text_repr":
        return Column(group, "text", "literal")
    if name in _WHOLE:
        return Column(group, name, "whole")
    if name in _REAL:
        return Column(group, name, "real")
    if name == "speed":
        return Column(group, "rtf", "inverse")
    if name.startswith("x_") and len(name) > 2:
        return Column(group, name[2:], "pair")
    raise KeyError(name)


def options() -> Any:
    """RE2's options for every pattern here."""
    chosen = re2.Options()
    chosen.max_mem = MEMORY
    chosen.log_errors = False
    return chosen


def compiled(pattern: str) -> Any:
    """A pattern for the beginning of a message; its ``ok()`` says whether RE2 takes it."""
    return _re2.RE2(pattern.encode(), options())
