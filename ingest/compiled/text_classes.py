# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Texts → their class and length; compiled as :mod:`ingest.compiled.records`."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled.bits import eight, han, prose
else:
    from ingest.compiled.bits import eight

COMPILED = cython.compiled
_PLAIN = cython.declare(cython.int, 1)
_HIGH_BITS = cython.declare(cython.ulonglong, 0x8080808080808080)
_THREES_MASK = cython.declare(cython.ulonglong, 0x0000C0C0F0C0C0F0)
_THREES = cython.declare(cython.ulonglong, 0x00008080E08080E0)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _highest(classes: cython.p_uchar, word: cython.ulonglong, top: cython.int) -> cython.int:
    """The largest class of eight characters below 128, or ``top``."""
    a: cython.int = _larger(classes[word & 0x7F], classes[word >> 8 & 0x7F])
    b: cython.int = _larger(classes[word >> 16 & 0x7F], classes[word >> 24 & 0x7F])
    c: cython.int = _larger(classes[word >> 32 & 0x7F], classes[word >> 40 & 0x7F])
    d: cython.int = _larger(classes[word >> 48 & 0x7F], classes[word >> 56])
    return _larger(_larger(_larger(a, b), _larger(c, d)), top)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _larger(a: cython.int, b: cython.int) -> cython.int:
    return a if a > b else b


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _three(word: cython.ulonglong) -> cython.int:
    """The character that the lowest three bytes of a number are in UTF-8."""
    return cython.cast(
        cython.int, ((word & 15) << 12) | ((word >> 8 & 63) << 6) | (word >> 16 & 63)
    )


def classify(data, offsets, table, loaded, classes, lengths, start):
    """Class and length of texts from ``start`` on; return None, or (text, code point) where a block
    is not loaded.

    ``data``/``offsets`` are an Arrow string column; ``table`` uint8[0x110000] holds a class for
    every code point (0 space, 1 plain, 2 symbols, 3 emoji, 4 control), ``loaded`` uint8[0x1100]
    says which blocks of 256 are filled. ``classes`` int8[n] gets the largest class of each text,
    ``lengths`` int64[n] its code points.
    """
    content: cython.const[cython.uchar][::1] = data
    src: cython.p_const_uchar = cython.address(content[0]) if cython.compiled else data
    o: cython.int[::1] = offsets
    classed: cython.uchar[::1] = table
    t: cython.p_uchar = cython.address(classed[0]) if cython.compiled else table
    filled: cython.uchar[::1] = loaded
    have: cython.p_uchar = cython.address(filled[0]) if cython.compiled else loaded
    cls: cython.char[::1] = classes
    ln: cython.longlong[::1] = lengths
    i: cython.int
    first: cython.int = start
    n: cython.int = cls.shape[0]
    pos: cython.Py_ssize_t
    end: cython.Py_ssize_t
    c: cython.int
    other: cython.int
    top: cython.int
    count: cython.longlong
    missing: cython.int = -1
    word: cython.ulonglong
    with cython.nogil:
        for i in range(first, n):
            pos = o[i]
            end = o[i + 1]
            top = 0
            count = 0
            while pos < end:
                if cython.compiled and pos + 16 <= end:  # what most texts are made of
                    other = prose(src + pos) if src[pos] < 0x80 else han(src + pos)
                    if other != 0:
                        top = top if top > 0 or other < 0 else _PLAIN
                        pos += other if other > 0 else -other
                        count += other // 3 if src[pos - 1] >= 0x80 else abs(other)
                        continue
                if cython.compiled and pos + 8 <= end:
                    word = eight(src, pos)
                    if word & _THREES_MASK == _THREES:  # two characters of three bytes
                        c = _three(word)
                        other = _three(word >> 24)
                        if have[c >> 8] != 0 and have[other >> 8] != 0:
                            top = _larger(_larger(t[c], t[other]), top)
                            count += 2
                            pos += 6
                            continue
                c = src[pos]
                if c < 0x80:
                    pos += 1
                elif c < 0xE0:
                    c = ((c & 31) << 6) | (src[pos + 1] & 63)
                    pos += 2
                elif c < 0xF0:
                    c = ((c & 15) << 12) | ((src[pos + 1] & 63) << 6) | (src[pos + 2] & 63)
                    pos += 3
                else:
                    c = (
                        ((c & 7) << 18)
                        | ((src[pos + 1] & 63) << 12)
                        | ((src[pos + 2] & 63) << 6)
                        | (src[pos + 3] & 63)
                    )
                    pos += 4
                if have[c >> 8] == 0:
                    missing = c
                    break
                count += 1
                top = top if top > t[c] else t[c]
                if cython.compiled and c < 0x80:  # they are of one block, which is filled
                    while pos + 8 <= end:
                        word = eight(src, pos)
                        if word & _HIGH_BITS:
                            break
                        top = _highest(t, word, top)
                        count += 8
                        pos += 8
                    while pos < end and src[pos] < 0x80:
                        top = top if top > t[src[pos]] else t[src[pos]]
                        count += 1
                        pos += 1
            if missing >= 0:
                break
            cls[i] = top
            ln[i] = count
    if missing < 0:
        return None
    return i, missing
