"""Numbers as logged, with their units → the number that a key's column holds."""

from decimal import Decimal, InvalidOperation

import numpy as np
import numpy.typing as npt

from ingest.compiled import layout
from ingest.compiled import numbers as convert_numbers
from ingest.records.arrays import I32, view
from ingest.records.vocabulary import KEYS

_FAMILY = {
    "duration_ms": convert_numbers.N_MS,
    "audio_size_kb": convert_numbers.N_KB,
    "used": convert_numbers.N_MB,
    "total": convert_numbers.N_MB,
    "used_percent": convert_numbers.N_PERCENT,
    "threshold": convert_numbers.N_PERCENT,
    "usage": convert_numbers.N_PERCENT,
    "rms": convert_numbers.N_PLAIN,
    "spectral_centroid": convert_numbers.N_PLAIN,
    "text_len": convert_numbers.N_LENGTH,
    "audio_ms": convert_numbers.N_MS,
    "own_ms": convert_numbers.N_MS,
    "request_ms": convert_numbers.N_MS,
    "upstream_ms": convert_numbers.N_MS,
    "rtf": convert_numbers.N_PLAIN,
    "tokens": convert_numbers.N_LENGTH,
    "http_status": convert_numbers.N_LENGTH,
    "bytes_sent": convert_numbers.N_LENGTH,
    "cache_hit": convert_numbers.N_BOOL,
    "cache_saved": convert_numbers.N_BOOL,
}
FAMILIES: I32 = np.array([_FAMILY.get(k, convert_numbers.N_TEXT) for k in KEYS], np.int32)
_INT64_MAX = 2**63 - 1


Numbers = tuple[npt.NDArray[np.float64], npt.NDArray[np.int8]]


def numbers(data: memoryview, pairs: I32, room: Numbers | None = None) -> Numbers:
    """The numbers that the values of pairs int32[p] are, float64[p], and what became of them,
    int8[p]; in ``room``, where that is given: it has at least as much, and those that are no longer
    UNREAD.
    """
    n = len(pairs)
    values, states = room or (np.empty(n), np.full(n, convert_numbers.UNREAD, np.int8))
    values, states = values[:n], states[:n]
    if not n:
        return values, states
    if not convert_numbers.numbers(data, view(pairs), view(FAMILIES), view(values), view(states)):
        return values, states
    for i in np.flatnonzero(states == convert_numbers.SLOW):
        value = _slow_number(data, pairs[i])
        values[i] = value if value is not None else 0.0
        states[i] = convert_numbers.OK if value is not None else convert_numbers.BAD
    return values, states


_UNITS = {
    convert_numbers.N_MS: {"": 1.0, "ms": 1.0, "s": 1000.0, "us": -1000.0, "min": 60000.0},
    convert_numbers.N_KB: {
        "": 1.0,
        "b": 1 / 1024,
        "kb": 1.0,
        "mb": 1024.0,
        "gb": 1048576.0,
        "tb": 1073741824.0,
    },
    convert_numbers.N_MB: {
        "": 1.0,
        "b": 1 / 1048576,
        "kb": 1 / 1024,
        "mb": 1.0,
        "gb": 1024.0,
        "tb": 1048576.0,
    },
    convert_numbers.N_PERCENT: {"": 1.0, "%": 1.0},
    convert_numbers.N_LENGTH: {"": 1.0, "char": 1.0, "chars": 1.0},
    convert_numbers.N_PLAIN: {"": 1.0},
}


def _slow_number(data: memoryview, pair: I32) -> float | None:
    """A number with an exponent or more digits than a double holds; None where it does not fit."""
    text = bytes(data[pair[layout.P_VALUE] : pair[layout.P_VALUE_END]]).decode("ascii", "replace")
    digits = text.rstrip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ% ")
    unit = text[len(digits) :].strip().lower().replace("ib", "b")
    family = int(FAMILIES[pair[layout.P_CODE]])
    factor = _UNITS[family].get(unit)
    try:
        value = float(digits.replace("_", "?"))  # which Python reads as a separator
    except ValueError:
        return None
    if family == convert_numbers.N_LENGTH:
        exact = whole(digits)
        fits = exact is not None and -_INT64_MAX - 1 <= exact <= _INT64_MAX
    else:
        fits = abs(value) < float(_INT64_MAX)
    if factor is None or not fits:
        return None
    return value * factor if factor > 0 else value / -factor


def whole(digits: str) -> int | None:
    """The whole number as written, exactly; None with a fraction or endless digits."""
    try:
        value = Decimal(digits)
    except InvalidOperation:  # an exponent beyond all bounds
        return None
    if value.adjusted() > 20 or value != value.to_integral_value():
        return None
    return int(value)
