# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Spans → numbers in the unit of their column; compiled as :mod:`ingest.compiled.records`."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled import layout
    from cython.cimports.libc.string import memchr
else:
    from ingest.compiled import layout

COMPILED = cython.compiled

# Families of numbers, by the unit a value may carry.
N_TEXT, N_MS, N_KB, N_MB, N_PERCENT, N_PLAIN, N_LENGTH, N_BOOL = range(8)
_MS = cython.declare(cython.int, N_MS)
_KB = cython.declare(cython.int, N_KB)
_MB = cython.declare(cython.int, N_MB)
_PERCENT = cython.declare(cython.int, N_PERCENT)
_LENGTH = cython.declare(cython.int, N_LENGTH)
_BOOL = cython.declare(cython.int, N_BOOL)
# What became of a value.
OK, BAD, SLOW, UNREAD = layout.V_OK, layout.V_BAD, layout.V_SLOW, layout.V_UNREAD
_OK = cython.declare(cython.char, 1)
_BAD = cython.declare(cython.char, 0)
_SLOW = cython.declare(cython.char, 2)


def numbers(data, pairs, families, values, states):
    """Read the values of those pairs that are UNREAD and whose key has a numeric column.

    ``families`` int32[n_keys] by key code; ``values`` float64[p] and ``states`` int8[p] are filled:
    OK, BAD (no such number) or SLOW (a number whose digits need exact arithmetic: the caller reads
    it). Text keys become BAD. Return whether one is SLOW.
    """
    src: cython.const[cython.uchar][::1] = data
    here: cython.p_const_uchar = cython.address(src[0]) if cython.compiled else data
    p: cython.int[:, ::1] = pairs
    fam: cython.int[::1] = families
    val: cython.double[::1] = values
    st: cython.char[::1] = states
    i: cython.Py_ssize_t = -1
    code: cython.int
    family: cython.int
    pos: cython.int
    end: cython.int
    whole: cython.longlong
    scale: cython.double
    slow: cython.bint = False
    with cython.nogil:
        while True:
            i = _next_unread(st, i + 1)
            if i < 0:
                break
            code = p[i, layout.P_CODE]
            pos = p[i, layout.P_VALUE]
            end = p[i, layout.P_VALUE_END]
            st[i] = _BAD
            val[i] = 0.0
            family = fam[code] if code >= 0 else 0
            if family == 0:
                continue
            if family != _BOOL and 0 < end - pos <= 15:  # most are digits, some with a point
                whole = 0
                while pos < end and 48 <= here[pos] <= 57:
                    whole = whole * 10 + here[pos] - 48
                    pos += 1
                if pos == end:
                    val[i] = cython.cast(cython.double, whole)
                    st[i] = _OK
                    continue
                if pos + 1 < end and here[pos] == 46 and family != _LENGTH:
                    scale = 1.0
                    pos += 1
                    while pos < end and 48 <= here[pos] <= 57:
                        whole = whole * 10 + here[pos] - 48
                        scale = scale * 10.0
                        pos += 1
                    if pos == end:
                        val[i] = cython.cast(cython.double, whole) / scale
                        st[i] = _OK
                        continue
            if family == _BOOL:
                st[i] = _boolean(src, pos, end, val, i)
            else:
                st[i] = _number(src, p[i, layout.P_VALUE], end, family, val, i)
                slow = slow or st[i] == _SLOW
    return slow


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _next_unread(states: cython.char[::1], start: cython.Py_ssize_t) -> cython.Py_ssize_t:
    """The first UNREAD one from there on, or -1: there are few behind the scanner."""
    i: cython.Py_ssize_t = start
    n: cython.Py_ssize_t = states.shape[0]
    if cython.compiled and i < n:
        found: cython.p_const_char = cython.cast(
            cython.p_const_char, memchr(cython.address(states[i]), layout.V_UNREAD, n - i)
        )
        return found - cython.address(states[0]) if found != cython.NULL else -1
    while i < n and states[i] != layout.V_UNREAD:
        i += 1
    return i if i < n else -1


def doubles(values, states, slots, wanted, out, valid, nulls):
    """Numbers of pairs int32[n, k] ``slots`` (-1: none) as :func:`numbers` has read them, one
    column for each of the columns ``wanted`` int32[w] of the slots.

    ``out`` float64[w, n]; ``valid`` uint8[w, (n + 7) // 8], all 0 at first, gets Arrow's validity
    bitmaps, ``nulls`` int64[w] the nulls' counts.
    """
    val: cython.double[::1] = values
    st: cython.char[::1] = states
    slot: cython.int[:, ::1] = slots
    column: cython.int[::1] = wanted
    o: cython.double[:, ::1] = out
    bits: cython.uchar[:, ::1] = valid
    none: cython.longlong[::1] = nulls
    i: cython.Py_ssize_t
    c: cython.Py_ssize_t
    j: cython.int
    with cython.nogil:
        for i in range(slot.shape[0]):
            for c in range(column.shape[0]):
                j = slot[i, column[c]]
                if j < 0 or st[j] != _OK:
                    o[c, i] = 0.0
                    none[c] += 1
                else:
                    o[c, i] = val[j]
                    bits[c, i >> 3] |= 1 << (i & 7)


def wholes(numbers, out):
    """Whole numbers int64[n] of float64[n]; return whether all are exact: below 2^53."""
    val: cython.double[::1] = numbers
    o: cython.longlong[::1] = out
    i: cython.Py_ssize_t
    exact: cython.bint = True
    with cython.nogil:
        for i in range(val.shape[0]):
            if -9007199254740992.0 < val[i] < 9007199254740992.0:
                o[i] = cython.cast(cython.longlong, val[i]) if cython.compiled else int(val[i])
            else:
                o[i] = 0
                exact = False
    return exact


def truths(numbers, bits):
    """Bits uint8[(n + 7) // 8], all 0 at first, of truth values float64[n]."""
    val: cython.double[::1] = numbers
    o: cython.uchar[::1] = bits
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(val.shape[0]):
            if val[i] != 0.0:
                o[i >> 3] |= 1 << (i & 7)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _boolean(
    data: cython.const[cython.uchar][::1],
    pos: cython.int,
    end: cython.int,
    values: cython.double[::1],
    i: cython.Py_ssize_t,
) -> cython.char:
    """Read a truth value into ``values[i]``; what became of it."""
    if (
        _word(data, pos, end, b"true\0")
        or _word(data, pos, end, b"yes\0")
        or (end - pos == 1 and data[pos] == 49)
    ):
        values[i] = 1.0
        return _OK
    if (
        _word(data, pos, end, b"false\0")
        or _word(data, pos, end, b"no\0")
        or (end - pos == 1 and data[pos] == 48)
    ):
        values[i] = 0.0
        return _OK
    return _BAD


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _number(
    data: cython.const[cython.uchar][::1],
    start: cython.int,
    end: cython.int,
    family: cython.int,
    values: cython.double[::1],
    i: cython.Py_ssize_t,
) -> cython.char:
    """Read a number and its unit into ``values[i]``; what became of it."""
    pos: cython.int = start
    negative: cython.bint = False
    mantissa: cython.longlong = 0
    digits: cython.int = 0
    places: cython.int = 0
    seen: cython.int = 0
    factor: cython.double
    value: cython.double
    scale: cython.double = 1.0
    k: cython.int
    if pos < end and (data[pos] == 43 or data[pos] == 45):
        negative = data[pos] == 45
        pos += 1
    while pos < end and 48 <= data[pos] <= 57:
        if digits > 0 or data[pos] != 48:
            digits += 1
        if digits <= 15:
            mantissa = mantissa * 10 + data[pos] - 48
        seen += 1
        pos += 1
    if pos < end and data[pos] == 46:
        if family == _LENGTH:
            return _SLOW
        pos += 1
        while pos < end and 48 <= data[pos] <= 57:
            if digits > 0 or data[pos] != 48:
                digits += 1
            if digits <= 15:
                mantissa = mantissa * 10 + data[pos] - 48
                places += 1
            seen += 1
            pos += 1
    if seen == 0:
        return _BAD
    if (
        pos < end
        and (data[pos] | 32) == 101
        and pos + 1 < end
        and (48 <= data[pos + 1] <= 57 or data[pos + 1] == 43 or data[pos + 1] == 45)
    ):
        return _SLOW
    if digits > 15 or places > 22:
        return _SLOW
    while pos < end and data[pos] == 32:
        pos += 1
    factor = _unit(data, pos, end, family)
    if factor == 0.0:
        return _BAD
    value = cython.cast(cython.double, mantissa)
    for k in range(places):
        scale = scale * 10.0
    value = value / scale
    if factor != 1.0:
        value = value * factor if factor > 0.0 else value / -factor
    values[i] = -value if negative else value
    return _OK


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _unit(
    data: cython.const[cython.uchar][::1], pos: cython.int, end: cython.int, family: cython.int
) -> cython.double:
    """The factor from a unit to the column's (negative: divisor), 0 outside the family."""
    if pos == end:
        return 1.0
    if family == _MS:
        if _word(data, pos, end, b"ms\0"):
            return 1.0
        if _word(data, pos, end, b"s\0"):
            return 1000.0
        if _word(data, pos, end, b"us\0"):
            return -1000.0
        if _word(data, pos, end, b"min\0"):
            return 60000.0
        return 0.0
    if family == _PERCENT:
        return 1.0 if end - pos == 1 and data[pos] == 37 else 0.0
    if family == _LENGTH:
        return 1.0 if _word(data, pos, end, b"chars\0") or _word(data, pos, end, b"char\0") else 0.0
    if family == _KB or family == _MB:
        return _size_unit(data, pos, end) * (1.0 if family == _KB else 1.0 / 1024.0)
    return 0.0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _size_unit(
    data: cython.const[cython.uchar][::1], pos: cython.int, end: cython.int
) -> cython.double:
    if _word(data, pos, end, b"b\0"):
        return 1.0 / 1024.0
    if _word(data, pos, end, b"kb\0") or _word(data, pos, end, b"kib\0"):
        return 1.0
    if _word(data, pos, end, b"mb\0") or _word(data, pos, end, b"mib\0"):
        return 1024.0
    if _word(data, pos, end, b"gb\0") or _word(data, pos, end, b"gib\0"):
        return 1048576.0
    if _word(data, pos, end, b"tb\0") or _word(data, pos, end, b"tib\0"):
        return 1073741824.0
    return 0.0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _word(
    data: cython.const[cython.uchar][::1],
    pos: cython.int,
    end: cython.int,
    word: cython.p_const_char,
) -> cython.bint:
    """Whether the span is the (lower-case) word, in any case; the word ends with a NUL."""
    k: cython.int = 0
    while pos + k < end:
        if word[k] == 0 or (data[pos + k] | 32) != word[k]:
            return False
        k += 1
    return word[k] == 0
