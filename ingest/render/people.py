"""Short forms of exact numbers for people at a terminal, and which values stand out."""

import math
from decimal import Decimal

from ingest.render.cells import is_number

_STEP = 1024  # sizes: from one unit to the next
_SIZES = ("B", "KB", "MB", "GB", "TB", "PB")
_SIZE_SUFFIXES = {"_bytes": 0, "_kb": 1, "_mb": 2}
_DURATIONS = ((7200.0, 3600.0, "h"), (120.0, 60.0, "min"), (1.0, 1.0, "s"))  # from, unit in s
_LEVELS = {"CRITICAL": "red", "ERROR": "red", "WARNING": "yellow"}
_STATUSES = {"failed": "red"}
# from which value on a column is yellow, and red
_BOUNDS = {"failure_rate": (0.01, 0.1), "growth": (1.5, 2.0), "used_percent": (80.0, 90.0)}
_CODES = {"red": "31", "yellow": "33"}


def readable(name: str, value: object) -> str | None:
    """A size or a duration as a person reads it, ``9.2 MB`` or ``2.1 s``; None for other columns.

    The unit of the value is that of the column's name: ``_ms``, ``_bytes``, ``_kb``, ``_mb``.
    """
    if not is_number(value):
        return None
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number) or number < 0:
        return None
    if name.endswith("_ms"):
        return _duration(number)
    suffix = next((s for s in _SIZE_SUFFIXES if f"_{name}".endswith(s)), None)
    return None if suffix is None else _size(number, _SIZE_SUFFIXES[suffix])


def _duration(ms: float) -> str:
    for least, unit, name in _DURATIONS:
        if ms / 1000 >= least:
            return f"{_short(ms / 1000 / unit)} {name}"
    return f"{ms:.0f} ms" if ms >= 10 or ms == int(ms) else f"{ms:.1f} ms"


def _size(number: float, unit: int) -> str:
    while number >= _STEP and unit + 1 < len(_SIZES):
        number, unit = number / _STEP, unit + 1
    return f"{_short(number)} {_SIZES[unit]}"


def _short(number: float) -> str:
    """At most one decimal, and none from 100 on or for whole numbers."""
    return f"{number:.0f}" if number >= 99.95 or number == int(number) else f"{number:.1f}"


def colour_of(name: str, value: object) -> str | None:
    """``red`` or ``yellow`` for a level, a rate or a growth that is to catch the eye."""
    if isinstance(value, str):
        return {"level": _LEVELS, "status": _STATUSES}.get(name, {}).get(value)
    bounds = next((b for suffix, b in _BOUNDS.items() if name.endswith(suffix)), None)
    if bounds is None or not isinstance(value, int | float | Decimal):
        return None
    return "red" if value >= bounds[1] else "yellow" if value >= bounds[0] else None


def coloured(text: str, colour: str | None) -> str:
    """The text in a colour of the terminal; None leaves it as it is."""
    return text if colour is None else f"\x1b[{_CODES[colour]}m{text}\x1b[0m"
