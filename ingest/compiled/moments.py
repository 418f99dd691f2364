# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Parts of stamps in the bytes of a line: dates, times of day, fractions, zones; compiled as
:mod:`ingest.compiled.records`.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled.stamps import days, month_days
    from cython.cimports.libc.string import memchr
else:
    from ingest.compiled.stamps import days, month_days

NONE = -100000  # no number, no zone
_NONE = cython.declare(cython.int, NONE)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def two(text: cython.const[cython.uchar][::1], i: cython.int) -> cython.int:
    """The number of two digits, far below zero where they are none."""
    if not 48 <= text[i] <= 57 or not 48 <= text[i + 1] <= 57:
        return _NONE
    return (text[i] - 48) * 10 + text[i + 1] - 48


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def day_of(year: cython.int, month: cython.int, day: cython.int) -> cython.longlong:
    """Days since 1970 of a date, -1 where there is none such since then."""
    if year < 1970 or month < 1 or month > 12 or day < 1 or day > month_days(year, month):
        return -1
    return days(year, month, day)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def date_at(text: cython.const[cython.uchar][::1], i: cython.int) -> cython.longlong:
    """Days since 1970 of ``2026-03-02``, -1 where no date stands at a place."""
    if text[i + 4] != 45 or text[i + 7] != 45:
        return -1
    return day_of(two(text, i) * 100 + two(text, i + 2), two(text, i + 5), two(text, i + 8))


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def second_at(text: cython.const[cython.uchar][::1], i: cython.int) -> cython.int:
    """Seconds of the day of ``10:00:00``, -1 where no time stands at a place."""
    hour: cython.int = two(text, i)
    minute: cython.int = two(text, i + 3)
    second: cython.int = two(text, i + 6)
    if text[i + 2] != 58 or text[i + 5] != 58:
        return -1
    if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
        return -1
    return (hour * 60 + minute) * 60 + second


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def instant_of(day: cython.longlong, second: cython.int) -> cython.longlong:
    """Microseconds since 1970 of a day and a second of it, -1 where one is none."""
    if day < 0 or second < 0:
        return -1
    return (day * 86400 + second) * 1000000


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def digits_at(text: cython.const[cython.uchar][::1], i: cython.int, stop: cython.int) -> cython.int:
    """How many digits stand from a place on, before another."""
    k: cython.int = i
    while k < stop and 48 <= text[k] <= 57:
        k += 1
    return k - i


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def micros_at(text: cython.const[cython.uchar][::1], i: cython.int, n: cython.int) -> cython.int:
    """Microseconds of a fraction of so many digits."""
    k: cython.int
    micros: cython.int = 0
    for k in range(6):
        micros = micros * 10 + (text[i + k] - 48 if k < n else 0)
    return micros


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def zone_at(text: cython.const[cython.uchar][::1], i: cython.int) -> cython.int:
    """Minutes east of UTC of ``+02:00`` or ``+0200``, ``NONE`` where no zone stands at a place."""
    zone: cython.int
    if text[i] != 43 and text[i] != 45:
        return _NONE
    zone = two(text, i + 1) * 60 + two(text, i + (4 if text[i + 3] == 58 else 3))
    if zone < 0 or zone > 900:
        return _NONE
    return -zone if text[i] == 45 else zone


def may_hold_stamp(data):
    """Whether bytes hold a time of day with its seconds anywhere."""
    src: cython.const[cython.uchar][::1] = data
    n: cython.Py_ssize_t = src.shape[0]
    i: cython.Py_ssize_t = 2
    found: cython.bint = False
    end: cython.Py_ssize_t
    with cython.nogil:
        while not found:
            end = _with_colons(src, i, n - 5)
            if end < 0:
                break
            i = _colon(src, end, n - 5)
            if i < 0:
                break
            found = (
                src[i + 3] == 58
                and 48 <= src[i + 1] <= 57
                and 48 <= src[i + 2] <= 57
                and 48 <= src[i + 4] <= 57
                and 48 <= src[i + 5] <= 57
            )
            i += 1
    return bool(found)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _with_colons(
    data: cython.const[cython.uchar][::1], pos: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """A place from which on two colons stand three bytes apart, and none before it; -1 without
    any.
    """
    end: cython.Py_ssize_t
    k: cython.Py_ssize_t
    hit: cython.uchar = 0
    if not cython.compiled:
        return pos if pos < stop else -1
    base: cython.p_const_uchar = cython.address(data[0])
    while pos < stop:
        end = min(pos + 256, stop)
        for k in range(pos, end):
            hit |= cython.cast(cython.uchar, base[k] == 58) & cython.cast(
                cython.uchar, base[k + 3] == 58
            )
        if hit:
            return pos
        pos = end
    return -1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _colon(
    data: cython.const[cython.uchar][::1], pos: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where the first colon from a place on stands, or -1."""
    if pos >= stop:
        return -1
    if cython.compiled:
        base: cython.p_const_uchar = cython.address(data[0])
        found: cython.p_const_uchar = cython.cast(
            cython.p_const_uchar, memchr(base + pos, 58, stop - pos)
        )
        return found - base if found != cython.NULL else -1
    while pos < stop:
        if data[pos] == 58:
            return pos
        pos += 1
    return -1
