"""Stamps as logged → instants in UTC (docs/parsing.md, "Stamps"); pure, vectorised."""

from datetime import UTC, timedelta, tzinfo

import numpy as np
import numpy.typing as npt

from ingest.compiled import layout
from ingest.model import EPOCH, MINUTE_US
from ingest.records.arrays import Ints

_BUCKET_US = 900_000_000  # every zone's offset changes at a multiple of 15 minutes of local time
_JITTER_US = 300_000_000  # a step back of less is jitter of threads, not the clocks going back
_AROUND = timedelta(hours=4)  # of an hour that exists twice
_EPOCH = EPOCH.replace(tzinfo=None)  # of wall clocks
NO_INSTANT = np.iinfo(np.int64).min

# Where a record's instant comes from, the surest first: its own stamp, that of a transport around
# the line, a stamped record near it, the instant of reading, the file's modification time.
TIME_SOURCES = ("logged", "envelope", "neighbour", "read", "file")
LOGGED, ENVELOPE, NEIGHBOUR, READ, FILE = range(len(TIME_SOURCES))


def utc_offset_us(local_us: int, tz: tzinfo, fold: int) -> int:
    """Offset from UTC of a wall-clock time, microseconds; fold as in PEP 495."""
    try:
        wall = (_EPOCH + timedelta(microseconds=local_us)).replace(tzinfo=tz, fold=fold)
        offset = wall.utcoffset()
    except OverflowError:
        offset = None
    return 0 if offset is None else round(offset.total_seconds() * 1_000_000)


def may_repeat(instant_us: int, tz: tzinfo) -> bool:
    """Whether the clocks of a zone go back within hours of an instant."""
    if tz is UTC:
        return False
    try:
        at = EPOCH + timedelta(microseconds=instant_us)
        early, late = ((at + by).astimezone(tz).utcoffset() for by in (-_AROUND, _AROUND))
    except OverflowError:
        return False
    return early is not None and late is not None and early > late


def to_utc(stamps: Ints, zones: npt.NDArray[np.int32], tz: tzinfo, last: int | None) -> Ints:
    """Instants of stamps, microseconds since 1970 UTC.

    ``stamps`` int64[n] wall-clock microseconds; ``zones`` int32[n] minutes east or NO_ZONE;
    ``last`` the instant of the record before them, to tell the two runs of a repeated hour apart.
    Linear in n.
    """
    bare = zones == layout.NO_ZONE
    if bare.all():
        result = stamps.copy()
    else:
        result = stamps - np.where(bare, 0, zones).astype(np.int64) * MINUTE_US
    if tz is UTC or not bare.any():
        return result
    unique, inverse = _distinct(np.floor_divide(stamps, _BUCKET_US))
    early = np.array([utc_offset_us(int(b) * _BUCKET_US, tz, 0) for b in unique], np.int64)
    late = np.array([utc_offset_us(int(b) * _BUCKET_US, tz, 1) for b in unique], np.int64)
    result = np.where(bare, stamps - early[inverse], result)
    twice = (early > late)[inverse] & bare
    if twice.any():
        _resolve_folds(result, twice, (early - late)[inverse], last)
    return result


def _distinct(values: Ints) -> tuple[Ints, npt.NDArray[np.intp]]:
    """The distinct values, sorted, and the place of each; quick where equal ones adjoin."""
    begins = np.flatnonzero(np.diff(values, prepend=values[0] - 1))
    unique, inverse = np.unique(values[begins], return_inverse=True)
    return unique, np.repeat(inverse, np.diff(begins, append=len(values)))


def _resolve_folds(
    result: Ints, twice: npt.NDArray[np.bool_], shift: Ints, last: int | None
) -> None:
    """Move stamps of a repeated hour to its second run where the first would step far back."""
    for i in np.flatnonzero(twice):
        before = int(result[i - 1]) if i else last
        if before is not None and int(result[i]) < before - _JITTER_US:
            result[i] += shift[i]


def infer(instants: Ints, known: npt.NDArray[np.bool_], last: int | None, fallback: int) -> Ints:
    """Give unstamped records the instant before, the first the next one's, or ``fallback``."""
    if known.all():
        return instants
    n = len(instants)
    at = np.where(known, np.arange(n), -1)
    np.maximum.accumulate(at, out=at)
    first = int(np.argmax(known)) if known.any() else -1
    lead = last if last is not None else (int(instants[first]) if first >= 0 else fallback)
    return np.where(at >= 0, instants[np.maximum(at, 0)], lead)
