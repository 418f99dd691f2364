# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Texts → their class and length; compiled as :mod:`ingest.compiled.records`."""

from __future__ import annotations

import cython

COMPILED = cython.compiled


def classify(data, offsets, table, loaded, classes, lengths, start):
    """Class and length of texts from ``start`` on; return None, or (text, code point) where a block
    is not loaded.

    ``data``/``offsets`` are an Arrow string column; ``table`` uint8[0x110000] holds a class for
    every code point (0 space, 1 plain, 2 symbols, 3 emoji, 4 control), ``loaded`` uint8[0x1100]
    says which blocks of 256 are filled. ``classes`` int8[n] gets the largest class of each text,
    ``lengths`` int64[n] its code points.
    """
    src: cython.const[cython.uchar][::1] = data
    o: cython.int[::1] = offsets
    t: cython.uchar[::1] = table
    have: cython.uchar[::1] = loaded
    cls: cython.char[::1] = classes
    ln: cython.longlong[::1] = lengths
    i: cython.int
    first: cython.int = start
    n: cython.int = cls.shape[0]
    pos: cython.int
    c: cython.int
    top: cython.int
    count: cython.longlong
    missing: cython.int = -1
    with cython.nogil:
        for i in range(first, n):
            pos = o[i]
            top = 0
            count = 0
            while pos < o[i + 1]:
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
                if t[c] > top:
                    top = t[c]
            if missing >= 0:
                break
            cls[i] = top
            ln[i] = count
    if missing < 0:
        return None
    return i, missing
