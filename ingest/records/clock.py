"""Date formats of ``time.strftime`` → the steps by which the scanner reads a stamp."""

import re

from ingest.compiled import layout
from ingest.errors import FormatError

_CLOCK_AUTO = "%Y-%m-%d\x01%H:%M:%S\x02\x03"
_CLOCK_STEPS = {
    "Y": layout.T_YEAR,
    "y": layout.T_YEAR2,
    "m": layout.T_MONTH,
    "d": layout.T_DAY,
    "H": layout.T_HOUR,
    "I": layout.T_HOUR12,
    "M": layout.T_MINUTE,
    "S": layout.T_SECOND,
    "f": layout.T_FRACTION,
    "z": layout.T_ZONE,
    "b": layout.T_MONTH_NAME,
    "p": layout.T_AMPM,
    "a": layout.T_LETTERS,
    "A": layout.T_LETTERS,
    "Z": layout.T_LETTERS,
}
_CLOCK_MACROS = {"%T": "%H:%M:%S", "%F": "%Y-%m-%d", "%D": "%m/%d/%y", "%R": "%H:%M", "%h": "%b"}


def compile_clock(datefmt: str | None) -> tuple[tuple[int, int], ...]:
    """Steps that read a stamp; None: Python's default or ISO 8601, fraction and zone optional.

    :raises FormatError: for a directive that does not fix digits (``%c``, ``%x``) or no date at
        all.
    """
    if datefmt is None:
        steps = []
        for c in re.findall(r"%.|.", _CLOCK_AUTO, re.S):
            special = {
                "\x01": layout.T_SEPARATOR,
                "\x02": layout.T_MAYBE_FRACTION,
                "\x03": layout.T_MAYBE_ZONE,
            }.get(c)
            steps.append((special, 0) if special else _step(c, _CLOCK_AUTO))
        return tuple(steps)
    check_text("date format", datefmt)
    expanded = re.sub(r"%.", lambda m: _CLOCK_MACROS.get(m[0], m[0]), datefmt)
    tokens = re.findall(r"%.|.", expanded, re.S)
    if not {"%Y", "%y"} & set(tokens) or not {"%m", "%b"} & set(tokens) or "%d" not in tokens:
        raise FormatError(
            f"the date format {datefmt!r} has no complete date",
            "year, month and day are needed, as in '%Y-%m-%d %H:%M:%S'",
        )
    return tuple(s for t in tokens for s in _steps(t, datefmt))


def _steps(token: str, datefmt: str) -> list[tuple[int, int]]:
    if not token.startswith("%") and len(token.encode()) > 1:
        return [(layout.T_CHAR, b) for b in token.encode()]
    return [_step(token, datefmt)]


def _step(token: str, datefmt: str) -> tuple[int, int]:
    if not token.startswith("%") or token == "%%":
        return (layout.T_CHAR, ord(token[-1]))
    code = _CLOCK_STEPS.get(token[1:])
    if code is None:
        raise FormatError(
            f"the date format {datefmt!r} uses {token}, which cannot be read back",
            f"known are {' '.join('%' + c for c in sorted(_CLOCK_STEPS))}",
        )
    return (code, 0)


def check_text(what: str, text: str) -> None:
    if "\n" in text:
        raise FormatError(
            f"the {what} {text!r} spans several lines", "ttsq reads headers of one line"
        )
    if any((c < " " and c != "\t") or c == "\x7f" or "\ud800" <= c <= "\udfff" for c in text):
        raise FormatError(
            f"the {what} {text!r} has control characters or is not UTF-8",
            "copy it from the service's logging configuration",
        )
