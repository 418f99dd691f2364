"""Stamps in all the ways that services and transports write them → wall-clock times and instants
(pure).

A stamp that lacks its year or its date is completed from the envelope's, else backwards from the
file's modification time (docs/parsing.md, "Stamps").
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta, tzinfo
from functools import lru_cache
from typing import Any

from ingest.lazily import matcher
from ingest.model import DAY_US, EPOCH
from ingest.records.instants import utc_offset_us

SECOND, DAY = 1_000_000, DAY_US  # microseconds
_BUCKET = 900 * SECOND
_JITTER = 300 * SECOND  # as in :mod:`ingest.records.instants`
_NUMBER = matcher(r"-?\d+(?:\.\d+)?")
_LATEST = 1e20  # nanoseconds since 1970
_BACK = 6 * 3600 * SECOND  # a time of day so much earlier than the one before it is of the next day
_MONTHS = {
    name: i + 1
    for i, name in enumerate(
        # also the beginnings of long names
        b"jan feb mar apr may jun jul aug sep oct nov dec".split()
    )
}

_TIME = rb"(?P<h>\d\d?):(?P<m>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?"
_ZONE = rb"(?: ?(?P<z>Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:]))?"
_SHAPES = (
    rb"(?P<Y>\d{4})([-/.])(?P<M>\d\d?)\2(?P<D>\d\d?)[T _]" + _TIME + _ZONE,
    rb"(?P<Y>\d{4})(?P<M>\d\d)(?P<D>\d\d)[T _-]" + _TIME + _ZONE,
    rb"(?P<y>\d\d)(?P<M>\d\d)(?P<D>\d\d) " + _TIME,
    rb"(?P<z>[+-]\d{4}) (?P<Y>\d{4})(?P<M>\d\d)(?P<D>\d\d) " + _TIME,
    rb"(?:[A-Z][a-z]{2}, )?(?P<D>\d\d?)[ /-](?P<N>[A-Za-z]{3})[ /-](?P<Y>\d{4})[: ]"
    + _TIME
    + _ZONE,
    rb"(?:[A-Z][a-z]{2} )?(?P<N>[A-Z][a-z]{2}) {1,2}(?P<D>\d\d?) "
    + _TIME
    + rb" (?P<Y>[12]\d{3})\b",
    rb"(?:[A-Z][a-z]{2},? )?(?P<N>[A-Z][a-z]{2}) {1,2}(?P<D>\d\d?)(?: (?P<Y>\d{4}))? "
    + _TIME
    + _ZONE,
    rb"(?P<M>\d\d)[-/](?P<D>\d\d) " + _TIME,
    rb"(?P<D>\d\d)\.(?P<M>\d\d)\.(?P<Y>\d{4}),? " + _TIME + _ZONE,
    rb"(?P<Y>\d{4})\xe5\xb9\xb4(?P<M>\d\d?)\xe6\x9c\x88(?P<D>\d\d?)\xe6\x97\xa5 ?" + _TIME,
    rb"(?P<M>\d\d)/(?P<D>\d\d)/(?:(?P<Y>\d{4})|(?P<y>\d\d)),? " + _TIME,  # transformers, Rich
    _TIME + rb"(?: (?P<a>[AaPp])[Mm]\b)?",
)
STAMP = [matcher(shape) for shape in _SHAPES]
BRACKETED = [matcher(rb"\[ ?" + shape + rb" ?\]") for shape in _SHAPES]


@dataclass(slots=True)
class Stamp:
    """A stamp as written: ``time`` microseconds of the day; ``days`` since 1970, None without a
    date.

    ``month``/``day`` are set where only the year is missing; ``zone`` minutes east of UTC, None
    where none is written.
    """

    time: int
    days: int | None = None
    month: int = 0
    day: int = 0
    zone: int | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is an instant by itself."""
        return self.days is not None and self.zone is not None


def stamp_at(text: bytes, *, bracketed: bool = False) -> tuple[Stamp, int] | None:
    """The stamp that a text begins with, and where it ends; None where there is none."""
    for shape in BRACKETED if bracketed else STAMP:
        match = shape.match(text)
        if match is not None:
            found = read_stamp(match)
            if found is not None:
                return found, match.end()
    return None


def stamp_within(text: bytes) -> Stamp | None:
    """The stamp in a text that has one, wherever it stands; a date counts more than a place."""
    for shape in STAMP:
        match = shape.search(text)
        if match is not None:
            found = read_stamp(match)
            if found is not None:
                return found
    return None


def told_stamp(value: Any) -> Stamp | None:
    """The stamp that a member of a JSON object is: text, or a number since 1970."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, int | float):  # an integer may be larger than any float
        return _epoch(value) if abs(value) < _LATEST else None
    found = stamp_at(str(value).encode("utf-8", "replace")[:64])
    return found[0] if found else None


def _epoch(value: float) -> Stamp | None:
    """Seconds, milliseconds, micro- or nanoseconds since 1970."""
    for scale in (1e6, 1e3, 1.0, 1e-3):
        micros = value * scale
        if 1e14 < micros < 1e16:
            days, time = divmod(round(micros), DAY)
            return Stamp(time, days, zone=0)
    return None


def read_stamp(match: re.Match[bytes]) -> Stamp | None:
    """The stamp of a match of STAMP or of the same groups; None for an impossible time."""
    return stamp_of(match.groupdict())


def stamp_of(group: dict[str, Any]) -> Stamp | None:
    """The stamp of such groups by name; None for an impossible time."""
    hour, minute, second = int(group["h"]), int(group["m"]), int(group["s"])
    half = group.get("a")
    if half:
        hour = hour % 12 + (12 if half in b"pP" else 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    fraction = group.get("f") or b""
    time = ((hour * 60 + minute) * 60 + second) * SECOND + int((fraction + b"000000")[:6])
    zone = _zone(group.get("z"))
    month, day = _month(group), int(group.get("D") or 0)
    year = group.get("Y") or (b"20" + group["y"] if group.get("y") else None)
    if year is None:
        if not month:
            return Stamp(time, zone=zone)
        return Stamp(time, month=month, day=day, zone=zone) if 0 < day < 32 else None
    days = day_number(int(year), month, day)
    return None if days is None else Stamp(time, days, month, day, zone)


def _month(group: dict[str, bytes | None]) -> int:
    name = group.get("N")
    if name:
        return _MONTHS.get(name.lower(), 0)
    return int(group.get("M") or 0)


@lru_cache(64)
def _zone(text: bytes | None) -> int | None:
    if not text:
        return None
    if text[0] not in b"+-":
        return 0
    minutes = int(text[1:3]) * 60 + int(text[-2:])
    return -minutes if text[0] == 45 else minutes


@lru_cache(1024)
def day_number(year: int, month: int, day: int) -> int | None:
    """Days since 1970, None for an impossible date."""
    try:
        return date(year, month, day).toordinal() - EPOCH.toordinal()
    except ValueError:
        return None


class Clock:
    """Instants of one file's stamps, in the order of its lines.

    ``tz`` is the zone of stamps without one, ``modified`` the file's modification time
    (microseconds UTC). ``last`` is the instant resolved last, ``today`` the day (number) of the
    last time of day that had no date; both are kept across chunks.
    """

    def __init__(self, tz: tzinfo, modified: int, last: int | None, today: int | None) -> None:
        self.tz = tz
        self.modified = modified
        self.last = last
        self.today = today
        self.before = 0
        self._offsets: dict[tuple[int, int], int] = {}
        self._steady: tuple[int, int, tuple[int, int, int]] | None = None

    def instant(self, stamp: Stamp, around: int | None = None) -> int | None:
        """A stamp's instant, microseconds UTC; ``around``: the envelope's. None if impossible."""
        days = stamp.days
        if days is None:
            days = self._days(stamp, around)
            if days is None:
                return None
        local = days * DAY + stamp.time
        if stamp.zone is not None:
            self.last = local - stamp.zone * 60 * SECOND
        else:
            self.last = self._utc(local)
        return self.last

    def steady(self, instant: int) -> tuple[int, int, int]:
        """The zone's offset around an instant, and from when to when, in its own time, it is the
        same for all stamps, twice told or not.
        """
        local = instant + self._offset(instant, 0)
        offset, begin = self._offset(local, 0), local // DAY * DAY
        if self._steady is not None and self._steady[:2] == (offset, begin):
            return self._steady[2]
        found = offset, begin - DAY, begin + 2 * DAY
        hours = range(begin - DAY, begin + 2 * DAY + 1, _BUCKET)
        if any(self._offset(at, fold) != offset for at in hours for fold in (0, 1)):
            found = 0, 0, 0
        self._steady = offset, begin, found
        return found

    def _utc(self, local: int) -> int:
        early = local - self._offset(local, 0)
        late = local - self._offset(local, 1)
        if late > early and self.last is not None and early < self.last - _JITTER:
            return late
        return early

    def _offset(self, local: int, fold: int) -> int:
        key = (local // _BUCKET, fold)
        found = self._offsets.get(key)
        if found is None:
            found = self._offsets[key] = utc_offset_us(key[0] * _BUCKET, self.tz, fold)
        return found

    def _wall(self, instant: int, zone: int | None) -> int:
        """The wall-clock time of an instant."""
        if zone is not None:
            return instant + zone * 60 * SECOND
        moment = (EPOCH + timedelta(microseconds=instant)).astimezone(self.tz)
        offset = moment.utcoffset() or timedelta()
        return instant + int(offset.total_seconds()) * SECOND

    def _days(self, stamp: Stamp, around: int | None) -> int | None:
        near = self._wall(self.modified if around is None else around, stamp.zone)
        if stamp.month:
            year = (EPOCH + timedelta(microseconds=near)).year
            slack = DAY if around is None else 180 * DAY
            for candidate in (year + 1, year, year - 1, year - 4):
                days = day_number(candidate, stamp.month, stamp.day)
                if days is not None and days * DAY + stamp.time <= near + slack:
                    return days
            return None
        if around is not None:
            days = near // DAY
            return min((days - 1, days, days + 1), key=lambda d: abs(d * DAY + stamp.time - near))
        if self.today is None:
            days = near // DAY
            self.today = days if days * DAY + stamp.time <= near else days - 1
        elif stamp.time < self.before - _BACK:
            self.today += 1
        self.before = stamp.time
        return self.today
