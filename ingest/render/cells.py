"""Cells of a report: one value → what each format shows of it."""

import json
import math
import unicodedata
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, tzinfo
from decimal import Decimal
from typing import Protocol

from ingest.render.harmless import STEERING as STEERING
from ingest.render.harmless import UNSAFE
from ingest.render.harmless import escape_controls as escape_controls

_LARGEST_EXACT = 2**53  # whole doubles beyond it are not exact, so they keep their exponent
# What a spreadsheet takes for the beginning of a formula, full-width forms included.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Result(Protocol):
    """Rows of a query; ``QueryResult`` is one."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns' names."""

    @property
    def rows(self) -> Sequence[tuple[object, ...]]:
        """Tuples aligned with the columns."""


def cell_len(text: str) -> int:
    """How many cells of a terminal a text takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    from rich.cells import cell_len  # tables of widths, which few texts need

    return cell_len(text)


def guard_formula(text: str) -> str:
    """The text with an apostrophe before what a spreadsheet would run as a formula."""
    return "'" + text if text.startswith(FORMULA) else text


def is_number(value: object) -> bool:
    """Whether a value is a number (a boolean is none)."""
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def instant(value: datetime, tz: tzinfo | None) -> str:
    """An instant in ISO 8601 in the zone (None: the machine's); one without a zone as it is."""
    return (value if value.tzinfo is None else value.astimezone(tz)).isoformat()


def exact_number(value: int | float | Decimal) -> str:
    """A number in full; whole ones without ``.0``."""
    if isinstance(value, float):
        if value.is_integer() and abs(value) < _LARGEST_EXACT:
            return str(int(value))
        return repr(value)
    return str(value)


def short_number(value: int | float | Decimal) -> str:
    """A number for people: up to four significant digits behind the whole part."""
    if isinstance(value, int):
        return str(value)
    number = float(value)
    if not math.isfinite(number) or abs(number) >= 1e15:
        return str(number)
    size = abs(number)
    decimals = 1 if size >= 1000 else 2 if size >= 100 else 3 if size >= 1 else 4
    if 0 < size < 0.001:
        return f"{number:.3g}"
    text = f"{number:.{decimals}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def plain(value: object, tz: tzinfo | None) -> str:
    """A value in full as text, for csv and parts of other formats; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return exact_number(value)
    if isinstance(value, datetime):
        return instant(value, tz)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple | dict):
        return json_text(value, tz)
    return str(value)


def json_value(value: object, tz: tzinfo | None) -> object:
    """A value for the ``json`` module: ISO 8601 instants, whole doubles as integers, no NaN."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float | Decimal):
        number = float(value)
        if not math.isfinite(number):
            return None
        return int(number) if number.is_integer() and abs(number) < _LARGEST_EXACT else number
    if isinstance(value, datetime):
        return instant(value, tz)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(k): json_value(v, tz) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(v, tz) for v in value]
    return plain(value, tz)


def json_text(value: object, tz: tzinfo | None) -> str:
    """A value as JSON on one line; what could steer a terminal is written as ``\\u009b``."""
    text = json.dumps(json_value(value, tz), ensure_ascii=False, allow_nan=False)
    return UNSAFE.sub(lambda match: json.dumps(match[0])[1:-1], text)


def parsed_json(value: object) -> object:
    """A JSON column's text as the object it holds; anything else as it is."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def zone_label(tz: tzinfo | None, at: datetime) -> str:
    """The zone's name for people; for the machine's own its name at an instant."""
    if tz is UTC:
        return "UTC"
    key = getattr(tz, "key", None)
    return str(key) if key else at.astimezone(tz).tzname() or "local time"


def display_width(text: str) -> int:
    """Cells of a terminal that the text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(_char_width(char) for char in text)


def wrapped(text: str, width: int | None) -> str:
    """A sentence in lines of at most ``width`` cells, broken between words; None: one line."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and (width is None or display_width(f"{lines[-1]} {word}") <= width):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return "\n".join(lines)


def _char_width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1
