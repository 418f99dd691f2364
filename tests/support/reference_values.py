"""Pairs, numbers, tracebacks: the reference reading of one record (docs/parsing.md).

Plain loops and regular expressions over whole strings; nothing is shared with the product.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

KEY = r"[A-Za-z_][A-Za-z0-9_.-]*"
SPACE = " \t\r\n\v\f"
TRACEBACK = "Traceback (most recent call last):"
GROUP_TRACEBACK = "  + Exception Group Traceback (most recent call last):"
MAX_NUMBER = 2.0**63  # what is as large needs more than 64 bits
ONE_WORD_KEYS = ("id", "request_id", "error_code", "warning_code", "stage", "model_stage")

_EVENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*):(?: |\Z)")
_PIECE_KEY = re.compile(rf"(?:^|(?<= ))({KEY})=")
_NEXT_PAIR = re.compile(rf", *{KEY}=")
_CUT = re.compile(r"[,\n]")
_ESCAPES = {'"': '"', "\\": "\\", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True)
class Message:
    """A message taken apart: the event's name, pairs in order, and whether ``text`` is open."""

    event: str | None
    pairs: tuple[tuple[str, str], ...]
    open_text: bool


def read_message(message: str, escapes: str) -> Message:
    """Take a message apart (Pairs 1-5); values are text, with escapes undone where quoted."""
    head = _EVENT.match(message)
    event = head.group(1) if head else None
    at = head.end() if head else 0
    pairs: list[tuple[str, str]] = []
    open_text = False
    while at <= len(message):
        cut = _CUT.search(message, at)
        stop = cut.start() if cut else len(message)
        key_match = _PIECE_KEY.search(message[at:stop])
        if key_match is None:
            at = stop + 1
            continue
        key = key_match.group(1)
        value, at, closed = _value(message, at + key_match.end(), key, escapes)
        pairs.append((key, value))
        open_text = open_text or (key == "text" and not closed)
    return Message(event, tuple(pairs), open_text)


def _value(message: str, start: int, key: str, escapes: str) -> tuple[str, int, bool]:
    """Read the value at ``start``: it, where the next piece begins, false if never closed."""
    if message[start : start + 1] == '"':
        return _quoted(message, start + 1, key, escapes)
    pattern = _NEXT_PAIR if key == "text" else _CUT
    found = pattern.search(message, start)
    stop = found.start() if found else len(message)
    value = message[start:stop].strip(SPACE)
    if key in ONE_WORD_KEYS:
        value = re.split(f"[{SPACE}]", value)[0]
    return value, stop + 1, True


def _quoted(message: str, start: int, key: str, escapes: str) -> tuple[str, int, bool]:
    ends = [
        quote
        for quote in free_quotes(message, start, escapes)
        if quote + 1 == len(message) or _NEXT_PAIR.match(message, quote + 1)
    ]
    if not ends:
        return undo(message[start:], escapes), len(message) + 1, False
    end = ends[-1] if key == "text" else ends[0]
    return undo(message[start:end], escapes), end + 2, True


def free_quotes(text: str, start: int, escapes: str) -> list[int]:
    """Return the places of the unescaped quotes in ``text`` from ``start`` on."""
    places = []
    at = start
    while at < len(text):
        if text[at] == "\\" and escapes == "backslash" and text[at + 1 : at + 2] in _ESCAPES:
            at += 1
        elif text[at] == '"':
            places.append(at)
        at += 1
    return places


def undo(value: str, escapes: str) -> str:
    r"""Undo ``\"``, ``\\``, ``\n``, ``\r``, ``\t`` in a quoted value; other backslashes stay."""
    if escapes != "backslash":
        return value
    return re.sub(r'\\(["\\nrt])', lambda found: _ESCAPES[found.group(1)], value)


def holds_text_end(line: str, escapes: str) -> bool:
    """Tell whether a line that follows an open ``text`` holds its end (Lines 6)."""
    line = line.rstrip(SPACE)
    for count, quote in enumerate(free_quotes(line, 0, escapes), start=1):
        at_end = quote + 1 == len(line) or _NEXT_PAIR.match(line, quote + 1)
        if at_end and count % 2 == 1 and '="' not in line[: quote + 1]:
            return True
    return False


_NUMBER = re.compile(r"([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?) *([A-Za-z%]*)")
_POWERS = {"B": -1, "KB": 0, "MB": 1, "GB": 2, "TB": 3, "KiB": 0, "MiB": 1, "GiB": 2, "TiB": 3}
UNITS: dict[str, dict[str, Fraction]] = {
    "ms": {"": Fraction(1), "ms": Fraction(1), "s": Fraction(1000)}
    | {"us": Fraction(1, 1000), "min": Fraction(60_000)},
    "kb": {"": Fraction(1)} | {unit: Fraction(1024) ** by for unit, by in _POWERS.items()},
    "mb": {"": Fraction(1)} | {unit: Fraction(1024) ** (by - 1) for unit, by in _POWERS.items()},
    "percent": {"": Fraction(1), "%": Fraction(1)},
    "number": {"": Fraction(1)},
    "length": {"": Fraction(1), "char": Fraction(1), "chars": Fraction(1)},
}


def number(value: str, kind: str) -> float | None:
    """Read a number in its column's unit; ``None`` where it does not fit."""
    found = _NUMBER.fullmatch(value)
    if found is None:
        return None
    scale = {unit.lower(): by for unit, by in UNITS[kind].items()}.get(found.group(2).lower())
    if scale is None:
        return None
    result = float(found.group(1)) * scale.numerator / scale.denominator
    return result if abs(result) < MAX_NUMBER else None


def whole(value: str) -> int | None:
    """Read a length: a whole number of 64 bits, ``None`` where it is not one."""
    found = _NUMBER.fullmatch(value)
    if found is None or found.group(2).lower() not in UNITS["length"]:
        return None
    exact = Decimal(found.group(1))
    fits = -(2**63) <= exact < 2**63 and exact == exact.to_integral_value()
    return int(exact) if fits else None


def boolean(value: str) -> bool | None:
    """Read ``true/false``, ``yes/no``, ``1/0`` in any case."""
    if value.lower() in ("true", "yes", "1"):
        return True
    return False if value.lower() in ("false", "no", "0") else None


_EXCEPTION = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)(?:: (.*))?")
_FRAME = re.compile(r'[ |+-]*File "(.*)", line ([0-9]+), in (.*)')
_FOREIGN = ("site-packages", "dist-packages", "/lib/python3", "<frozen ")


def exception_of(traceback: str | None, exc: str | None) -> tuple[str | None, str | None]:
    """Return type and message of the exception raised last, else those of a pair ``exc``.

    The exception line of a traceback is the first unindented one that can be one.
    """
    lines = [re.sub(r"^  [|+] ?", "", line) for line in (traceback or "").split("\n")]
    starts = [n for n, line in enumerate(lines) if line.endswith(TRACEBACK)]
    for start, end in reversed(list(pairwise([*starts, len(lines)]))):
        for number in range(start + 1, end):
            if _EXCEPTION.fullmatch(lines[number]):
                return _exception("\n".join(_until_next(lines[number:end])))
    return _exception(exc) if exc else (None, None)


def _until_next(lines: list[str]) -> list[str]:
    """Cut off what follows an exception's message: sub-exceptions, words between tracebacks."""
    ends = ("-+-", "During handling of the above", "The above exception was")
    stop = next((n for n, line in enumerate(lines) if line.startswith(ends)), len(lines))
    return lines[:stop]


def _exception(text: str) -> tuple[str | None, str | None]:
    first, _, rest = text.partition("\n")
    found = _EXCEPTION.fullmatch(first.rstrip(SPACE))
    if found is None:
        return None, text
    message = "\n".join([found.group(2) or "", rest]).strip(SPACE)
    return found.group(1), message or None


def location_of(traceback: str | None) -> str | None:
    """Return ``file:line in function`` of the deepest frame of the service's own, else of all."""
    frames = [f for line in (traceback or "").split("\n") if (f := _FRAME.fullmatch(line))]
    own = [f for f in frames if not any(part in f.group(1) for part in _FOREIGN)]
    for frame in (own or frames)[-1:]:
        return f"{frame.group(1)}:{frame.group(2)} in {frame.group(3)}"
    return None


_PICTOGRAPHS = (
    (0x1F000, 0x1FAFF),
    (0x2600, 0x27BF),
    (0x2B00, 0x2BFF),
    (0xFE0F, 0xFE0F),
    (0x20E3, 0x20E3),
    (0xE0020, 0xE007F),
)


def text_class(text: str) -> str:
    """Class a text (Requests 6)."""
    kinds = [(char, unicodedata.category(char)) for char in text]
    if not text.strip() and not set(text) & set(
        "\x1c\x1d\x1e\x1f"
    ):  # separators, which Python strips
        return "empty"
    if any(
        (kind == "Cc" and char not in "\t\n\r") or (kind == "Cf" and char not in "\u200c\u200d")
        for char, kind in kinds
    ):
        return "control"
    if any(low <= ord(char) <= high for char in text for low, high in _PICTOGRAPHS):
        return "emoji"
    symbols = "#%&*@\\^_`{|}~<>=+$[]"
    if any(kind in ("Sm", "Sc", "Sk", "So") or char in symbols for char, kind in kinds):
        return "symbols"
    return "plain"
