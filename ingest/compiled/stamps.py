# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""The stamp of a header → microseconds since 1970 by its own clock; compiled."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled import layout
    from cython.cimports.ingest.compiled.buffer import Bytes
else:
    from ingest.compiled import layout
    from ingest.compiled.buffer import Bytes

_PLAIN_STEPS = cython.declare(cython.int, 11)  # of ``Y-m-d H:M:S``


def days(year, month, day):
    """Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant, days_from_civil)."""
    y: cython.longlong = year - 1 if month <= 2 else year
    era: cython.longlong = y // 400
    yoe: cython.longlong = y - era * 400
    m: cython.longlong = month - 3 if month > 2 else month + 9
    doy: cython.longlong = (153 * m + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


def month_days(year, month):
    """Days of a month."""
    if month == 2:
        return 29 if (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)) else 28
    if month == 4 or month == 6 or month == 9 or month == 11:
        return 30
    return 31


class Stamps(Bytes):
    """Reads stamps by the steps of one date format.

    ``clock`` int32[n_steps, 2]: step and argument; ``is_plain``: its first eleven are
    ``Y-m-d H:M:S``. ``stamp`` microseconds, ``zone`` minutes east or NO_ZONE, and ``is_bad`` (no
    such instant) are what was read since :meth:`forget`.
    """

    def __init__(self, clock, is_plain):
        self.clock = clock
        self.n_steps = clock.shape[0]
        self.is_plain = is_plain

    def forget(self):
        """Nothing has been read."""
        self.stamp = 0
        self.zone = layout.NO_ZONE
        self.is_bad = False

    def read(self, start, stop):
        """Read a stamp; the offset behind it, or -1 (not of this shape)."""
        pos: cython.int = start
        s: cython.int = 0
        self.year = 1900
        self.month = self.day = 1
        self.hour = self.minute = self.second = 0
        self.micros = 0
        self.half = -1
        if self.is_plain:
            pos = self._plain(pos, stop)
            s = _PLAIN_STEPS
        while s < self.n_steps and pos >= 0:
            pos = self._step(self.clock[s, 0], self.clock[s, 1], pos, stop)
            s += 1
        if pos >= 0:
            self._settle()
        return pos

    def created(self, pos, stop):
        """Read seconds since 1970, with a fraction or not; the offset behind them, or -1."""
        seconds: cython.longlong = 0
        micros: cython.longlong = 0
        scale: cython.longlong = 100000
        begin: cython.int = pos
        while pos < stop and 48 <= self.data[pos] <= 57 and pos - begin < 12:
            seconds = seconds * 10 + self.data[pos] - 48
            pos += 1
        if pos == begin:
            return -1
        if pos < stop and self.data[pos] == 46:
            pos += 1
            while pos < stop and 48 <= self.data[pos] <= 57:
                micros += scale * (self.data[pos] - 48)
                scale = scale // 10
                pos += 1
        if seconds // 1000 > 253300000:
            self.is_bad = True
        self.stamp = seconds * 1000000 + micros
        self.zone = 0
        return pos

    def _plain(self, pos, stop):
        """The same steps, unrolled for the stamps that nearly all logs have."""
        c: cython.int
        if stop - pos < 19 or self.data[pos + 4] != 45 or self.data[pos + 7] != 45:
            return -1
        if self.data[pos + 13] != 58 or self.data[pos + 16] != 58:
            return -1
        c = self.data[pos + 10]
        if c != 32 and c != 84 and c != 116:
            return -1
        self.year = self.number(pos, stop, 4)
        self.month = self.number(pos + 5, stop, 2)
        self.day = self.number(pos + 8, stop, 2)
        self.hour = self.number(pos + 11, stop, 2)
        self.minute = self.number(pos + 14, stop, 2)
        self.second = self.number(pos + 17, stop, 2)
        if self.year < 0 or self.month < 0 or self.day < 0:
            return -1
        if self.hour < 0 or self.minute < 0 or self.second < 0:
            return -1
        return pos + 19

    def _step(self, step, wanted, pos, stop):
        """Read what one step asks for; the offset behind it, or -1."""
        end: cython.int
        if step == layout.T_CHAR:
            return pos + 1 if pos < stop and self.data[pos] == wanted else -1
        if step == layout.T_SEPARATOR:
            if pos < stop and (self.data[pos] == 32 or (self.data[pos] | 32) == 116):
                return pos + 1
            return -1
        if step <= layout.T_SECOND or step == layout.T_YEAR2 or step == layout.T_HOUR12:
            return self._part(step, pos, stop)
        if step == layout.T_FRACTION:
            return self._fraction(pos, stop)
        if step == layout.T_MAYBE_FRACTION:
            if pos < stop and (self.data[pos] == 44 or self.data[pos] == 46):
                end = self._fraction(pos + 1, stop)
                return pos if end < 0 else end
            return pos
        if step == layout.T_ZONE:
            return self._zone(pos, stop)
        if step == layout.T_MAYBE_ZONE:
            end = self._zone(pos, stop)
            return pos if end < 0 else end
        if step == layout.T_MONTH_NAME:
            return self._month_name(pos, stop)
        if step == layout.T_AMPM:
            return self._half_day(pos, stop)
        return self._letters(pos, stop)

    def _part(self, step, pos, stop):
        """Read a part that is written in a number of digits that is known."""
        n: cython.int = 4 if step == layout.T_YEAR else 2
        value: cython.int = self.number(pos, stop, n)
        if value < 0:
            return -1
        if step == layout.T_YEAR:
            self.year = value
        elif step == layout.T_MONTH:
            self.month = value
        elif step == layout.T_DAY:
            self.day = value
        elif step == layout.T_HOUR or step == layout.T_HOUR12:
            self.hour = value
        elif step == layout.T_MINUTE:
            self.minute = value
        elif step == layout.T_SECOND:
            self.second = value
        else:
            self.year = 2000 + value if value < 69 else 1900 + value
        return pos + n

    def _fraction(self, pos, stop):
        """Read a fraction of a second; what is finer than a microsecond is left off."""
        scale: cython.longlong = 100000
        begin: cython.int = pos
        while pos < stop and 48 <= self.data[pos] <= 57:
            self.micros += scale * (self.data[pos] - 48)
            scale = scale // 10
            pos += 1
        return pos if pos > begin else -1

    def _zone(self, start, stop):
        """Read ``Z``, ``+08:00``, ``+0800`` or ``+08`` (a space before it allowed)."""
        pos: cython.int = start
        sign: cython.int
        hours: cython.int
        minutes: cython.int = 0
        if (
            pos + 1 < stop
            and self.data[pos] == 32
            and (self.data[pos + 1] == 43 or self.data[pos + 1] == 45)
        ):
            if self.number(pos + 2, stop, 4) < 0 and self.number(pos + 2, stop, 2) < 0:
                return -1
            pos += 1
        if pos >= stop:
            return -1
        if self.data[pos] == 90:
            self.zone = 0
            return pos + 1
        if self.data[pos] != 43 and self.data[pos] != 45:
            return -1
        sign = 1 if self.data[pos] == 43 else -1
        hours = self.number(pos + 1, stop, 2)
        if hours < 0 or hours > 23:
            return -1
        pos += 3
        if pos < stop and self.data[pos] == 58 and self.number(pos + 1, stop, 2) >= 0:
            minutes = self.number(pos + 1, stop, 2)
            pos += 3
        elif self.number(pos, stop, 2) >= 0:
            minutes = self.number(pos, stop, 2)
            pos += 2
        self.zone = sign * (hours * 60 + minutes)
        return pos

    def _month_name(self, pos, stop):
        names: cython.p_const_char = b"janfebmaraprmayjunjulaugsepoctnovdec"
        m: cython.int
        if stop - pos < 3:
            return -1
        for m in range(12):
            if (
                (self.data[pos] | 32) == names[3 * m]
                and (self.data[pos + 1] | 32) == names[3 * m + 1]
                and (self.data[pos + 2] | 32) == names[3 * m + 2]
            ):
                self.month = m + 1
                return pos + 3
        return -1

    def _half_day(self, pos, stop):
        """Read ``AM`` or ``PM``."""
        c: cython.int
        if pos + 1 >= stop:
            return -1
        c = self.data[pos] | 32
        if (c != 97 and c != 112) or (self.data[pos + 1] | 32) != 109:
            return -1
        self.half = 1 if c == 112 else 0
        return pos + 2

    def _letters(self, start, stop):
        """Skip a word: the name of a day or a zone; a zone without a name is called -03."""
        pos: cython.int = start
        if pos < stop and (self.data[pos] == 43 or self.data[pos] == 45):
            pos += 1
            while pos < stop and 48 <= self.data[pos] <= 57:
                pos += 1
        while pos < stop and self.characters[self.data[pos]] & layout.C_FIRST:
            pos += 1
        return pos if pos > start else -1

    def _settle(self):
        """What was read, as an instant."""
        hour: cython.int = self.hour
        if self.half >= 0:
            hour = hour % 12 + 12 * self.half
        if (
            self.year < 1900
            or self.year > 9998
            or self.month < 1
            or self.month > 12
            or self.day < 1
            or self.day > month_days(self.year, self.month)
            or hour > 23
            or self.minute > 59
            or self.second > 59
        ):
            self.is_bad = True
            return
        self.stamp = (
            ((days(self.year, self.month, self.day) * 24 + hour) * 60 + self.minute) * 60000000
            + cython.cast(cython.longlong, self.second) * 1000000
            + self.micros
        )
