# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Bytes of a log → a hash per line, by which stored content is recognised; compiled."""

from __future__ import annotations

import cython

COMPILED = cython.compiled
_MASK = (1 << 64) - 1
_STAMP_WITHIN = 96  # first bytes of a line in which a time of day is looked for


def lines(data, begins, hashes, stamped, final):
    """Hash the lines of ``data``, which begins at a line's start; return how many there are.

    ``begins`` int64[n] gets the offset of each line that is not blank, ``hashes`` uint64[n] its
    hash, without its line break and the NUL bytes before it, ``stamped`` uint8[n] whether a time of
    day (``12:34:56``) stands near its start. What is behind the last line break is a line only
    where ``final``. Stops where the tables are full.
    """
    src: cython.const[cython.uchar][::1] = data
    at: cython.longlong[::1] = begins
    out: cython.ulonglong[::1] = hashes
    told: cython.uchar[::1] = stamped
    size: cython.Py_ssize_t = src.shape[0]
    room: cython.Py_ssize_t = at.shape[0]
    last: cython.bint = final
    pos: cython.Py_ssize_t = 0
    n: cython.Py_ssize_t = 0
    end: cython.Py_ssize_t
    stop: cython.Py_ssize_t
    i: cython.Py_ssize_t
    h: cython.ulonglong
    seen: cython.bint
    with cython.nogil:
        while pos < size and n < room:
            end = pos
            while end < size and src[end] != 10:
                end += 1
            if end == size and not last:
                break
            while pos < end and src[pos] == 0:
                pos += 1
            stop = end
            while stop > pos and (src[stop - 1] == 13 or src[stop - 1] == 32):
                stop -= 1
            if stop > pos:
                h = _hash(src, pos, stop)
                seen = False
                i = pos + 2
                while not seen and i + 5 < stop and i < pos + 96:
                    if src[i] == 58 and src[i + 3] == 58:
                        seen = (
                            48 <= src[i - 1] <= 57
                            and 48 <= src[i + 1] <= 57
                            and 48 <= src[i + 2] <= 57
                            and 48 <= src[i + 4] <= 57
                            and 48 <= src[i + 5] <= 57
                        )
                    i += 1
                at[n] = pos
                out[n] = h
                told[n] = seen
                n += 1
            pos = end + 1
    return n


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _hash(
    src: cython.const[cython.uchar][::1], pos: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.ulonglong:
    """Multiply and fold, byte by byte in words of eight."""
    h: cython.ulonglong = cython.cast(cython.ulonglong, 0x9E3779B97F4A7C15)
    prime: cython.ulonglong = cython.cast(cython.ulonglong, 0xD6E8FEB86659FD93)
    word: cython.ulonglong
    k: cython.int
    while pos + 8 <= stop:
        word = 0
        for k in range(8):
            word |= cython.cast(cython.ulonglong, src[pos + k]) << (8 * k)
        h = ((h ^ word) * prime) & _MASK if not cython.compiled else (h ^ word) * prime
        h ^= h >> 32
        pos += 8
    word = cython.cast(cython.ulonglong, stop - pos) << 56
    for k in range(stop - pos):
        word |= cython.cast(cython.ulonglong, src[pos + k]) << (8 * k)
    h = ((h ^ word) * prime) & _MASK if not cython.compiled else (h ^ word) * prime
    h ^= h >> 32
    h = (h * prime) & _MASK if not cython.compiled else h * prime
    return h ^ (h >> 29)
