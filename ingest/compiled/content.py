# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Bytes of a log → a hash per line, by which stored content is recognised; compiled."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled.bits import eight
    from cython.cimports.libc.string import memchr
else:
    from ingest.compiled.bits import eight

COMPILED = cython.compiled
_MASK = (1 << 64) - 1


def lines(data, begins, hashes, stamped, final):
    """Hash the lines of ``data``, which begins at a line's start; return how many there are.

    ``begins`` int64[n] gets the offset of each line that is not blank, ``hashes`` uint64[n] its
    hash, without its line break and the NUL bytes before it, ``stamped`` uint8[n] whether it says
    when it was logged (:func:`_is_timed`). What is behind the last line break is a line only
    where ``final``. Stops where the tables are full.
    """
    content: cython.const[cython.uchar][::1] = data
    at: cython.longlong[::1] = begins
    out: cython.ulonglong[::1] = hashes
    told: cython.uchar[::1] = stamped
    size: cython.Py_ssize_t = content.shape[0]
    room: cython.Py_ssize_t = at.shape[0]
    last: cython.bint = final
    pos: cython.Py_ssize_t = 0
    n: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    h: cython.ulonglong
    src: cython.p_const_uchar
    if cython.compiled:
        src = cython.address(content[0])
    else:
        src = content
    with cython.nogil:
        while pos < size and n < room:
            end = _line_end(src, pos, size)
            if end == size and not last:
                break
            while pos < end and src[pos] == 0:
                pos += 1
            stop = end
            while stop > pos and (src[stop - 1] == 13 or src[stop - 1] == 32):
                stop -= 1
            if stop > pos:
                h = _hash(src, pos, stop)
                at[n] = pos
                out[n] = h
                told[n] = _is_timed(src, pos, stop)
                n += 1
            pos = end + 1
    return n


def groups(stamped, sizes, cuts):
    """Cut lines into groups; return how many, of which ``cuts`` int32[n] gets the first lines.

    ``stamped`` uint8[n] as of :func:`lines`, n at least 1; ``sizes``: the most lines of a group, of
    one that begins among the last lines, and how many these are. A group begins at a line with a
    time wherever there is one, since nothing begins to be recognised at another; so the last of
    them begins a group.
    """
    told: cython.const[cython.uchar][::1] = stamped
    out: cython.int[::1] = cuts
    most: cython.Py_ssize_t = sizes[0]
    least: cython.Py_ssize_t = sizes[1]
    n: cython.Py_ssize_t = told.shape[0]
    far: cython.Py_ssize_t = n - sizes[2]
    at: cython.Py_ssize_t = 0
    k: cython.Py_ssize_t
    end: cython.Py_ssize_t  # the last line at which the next group may begin
    count: cython.Py_ssize_t = 0
    with cython.nogil:
        while at < n:
            out[count] = at
            count += 1
            end = at + (most if at < far else least)
            if at < far < end:
                end = far if far > at + least else at + least
            if told[at]:
                k = end if end < n else n - 1
                while k > at and told[k] == 0:
                    k -= 1
                at = k if k > at else end
            else:
                k = at + 1
                while k < n and k <= end and told[k] == 0:
                    k += 1
                at = k if k <= end else end
    return count


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _line_end(
    src: cython.p_const_uchar, pos: cython.Py_ssize_t, size: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where the line at pos ends: at its line break, else with all bytes."""
    end: cython.Py_ssize_t = pos
    if cython.compiled:
        found: cython.p_const_uchar = cython.cast(
            cython.p_const_uchar, memchr(src + pos, 10, size - pos)
        )
        return found - src if found != cython.NULL else size
    while end < size and src[end] != 10:
        end += 1
    return end


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
@cython.inline
def _is_digit(c: cython.uchar) -> cython.bint:
    return 48 <= c <= 57


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _is_timed(
    src: cython.p_const_uchar, pos: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.bint:
    """Whether a time stands in a line's first 96 characters, or anywhere behind a ``{`` in them:
    ``9:34:56``; date and time in six groups of digits, or in groups of 8 and 6, or of 14; seconds
    or smaller units since 1970, by their number of digits. UTF-16 has every other byte.
    """
    step: cython.Py_ssize_t = 2 if pos + 1 < stop and src[pos + 1] == 0 else 1
    # what follows finds the same: most lines begin with a day and a time
    if step == 1 and stop - pos > 18 and src[pos + 13] == 58 and _is_digit(src[pos + 12]):
        if _is_clock(src, pos + 13, stop, 1):
            return True
    end: cython.Py_ssize_t = min(stop, pos + 96 * step)
    i: cython.Py_ssize_t = pos
    size: cython.int = 0  # digits of the group at hand
    groups: cython.int = 0  # of 2 or 4 digits before it, with one character between them
    before: cython.int = 0  # digits of the group before it
    gap: cython.int = 2  # characters behind that
    c: cython.uchar
    while i < end:
        c = src[i]
        if _is_digit(c):
            size += 1
            i += step
            if i < end:
                continue
            c = 0
        if size:
            if c == 58 and _is_clock(src, i, stop, step):
                return True
            if gap != 1:
                groups = before = 0
            groups = groups + 1 if size == 2 or size == 4 else 0
            if groups == 6 or (size == 6 and before == 8):
                return True
            if size >= 10 and _is_moment(src, i - size * step, pos, size, c, step):
                return True
            before, size, gap = size, 0, 0
        if c == 123:
            end = stop
        gap += 1
        i += step
    return False


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _is_clock(
    src: cython.p_const_uchar,
    colon: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    step: cython.Py_ssize_t,
) -> cython.bint:
    """Whether ``34:56`` follows a colon."""
    return (
        colon + 5 * step < stop
        and src[colon + 3 * step] == 58
        and _is_digit(src[colon + step])
        and _is_digit(src[colon + 2 * step])
        and _is_digit(src[colon + 4 * step])
        and _is_digit(src[colon + 5 * step])
    )


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _is_moment(
    src: cython.p_const_uchar,
    first: cython.Py_ssize_t,
    pos: cython.Py_ssize_t,
    size: cython.int,
    behind: cython.uchar,
    step: cython.Py_ssize_t,
) -> cython.bint:
    """Whether so many digits are a date with a time, or a number of seconds, milliseconds,
    microseconds or nanoseconds since 1970, between 2008 and 2033; no part of a name.
    """
    one: cython.uchar = src[first]
    two: cython.uchar = src[first + step]
    c: cython.uchar = src[first - step] if first > pos else 32
    if _is_of_name(c) or _is_of_name(behind):
        return False
    if size == 14:
        return (one == 50 and two == 48) or (one == 49 and two == 57)
    return one == 49 and two >= 50 and (size == 10 or size == 13 or size == 16 or size == 19)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
@cython.inline
def _is_of_name(c: cython.uchar) -> cython.bint:
    return 65 <= c <= 90 or 97 <= c <= 122 or c == 95 or c == 45 or c >= 128


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _hash(
    src: cython.p_const_uchar, pos: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.ulonglong:
    """Multiply and fold, byte by byte in words of eight."""
    h: cython.ulonglong = cython.cast(cython.ulonglong, 0x9E3779B97F4A7C15)
    prime: cython.ulonglong = cython.cast(cython.ulonglong, 0xD6E8FEB86659FD93)
    word: cython.ulonglong
    first: cython.Py_ssize_t = pos
    k: cython.int
    while pos + 8 <= stop:
        word = eight(src, pos)
        h = ((h ^ word) * prime) & _MASK if not cython.compiled else (h ^ word) * prime
        h ^= h >> 32
        pos += 8
    word = cython.cast(cython.ulonglong, stop - pos) << 56
    if cython.compiled and first + 8 <= pos < stop:  # the last bytes of the last eight
        word |= eight(src, stop - 8) >> (8 * (8 - (stop - pos)))
    else:
        for k in range(stop - pos):
            word |= cython.cast(cython.ulonglong, src[pos + k]) << (8 * k)
    h = ((h ^ word) * prime) & _MASK if not cython.compiled else (h ^ word) * prime
    h ^= h >> 32
    h = (h * prime) & _MASK if not cython.compiled else h * prime
    return h ^ (h >> 29)
