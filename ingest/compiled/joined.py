# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Records and pairs that stand in tables of their own → behind those of others; compiled as
:mod:`ingest.compiled.records`.
"""

from __future__ import annotations

import cython

COMPILED = cython.compiled


def moved(rows, pairs, at, number, sources, kinds):
    """Take records and pairs, whose spans begin at 0 and whose records at the first, to a place in
    a longer buffer and behind ``number`` other records; ``kinds`` are those of records by where
    their instants come from: ``sources`` int8[n].
    """
    of: cython.int[:, ::1] = rows
    to: cython.int[:, ::1] = pairs
    base: cython.int = at
    before: cython.int = number
    told: cython.const[cython.char][::1] = sources
    kind: cython.const[cython.int][::1] = kinds
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(of.shape[0]):
            of[i, 0] += base
            of[i, 1] += base
            of[i, 2] = kind[told[i]]
            if of[i, 6] > 0:
                of[i, 5] += base
                of[i, 6] += base
            of[i, 7] += base
            of[i, 8] += base
            of[i, 13] += base
            of[i, 14] += base
            of[i, 17] += base
        for i in range(to.shape[0]):
            to[i, 2] += base
            to[i, 3] += base
            to[i, 6] += before


def used_keys(pairs, order):
    """The numbers of the keys of pairs, in the order in which they come first; how many.

    ``order`` int32[2k] takes them; behind them it is needed as room.
    """
    of: cython.int[:, ::1] = pairs
    found: cython.int[::1] = order
    keys: cython.int = found.shape[0] // 2
    n: cython.int = 0
    key: cython.int
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(keys):
            found[keys + i] = 0
        for i in range(of.shape[0]):
            key = of[i, 0]
            if found[keys + key] == 0:
                found[keys + key] = 1
                found[n] = key
                n += 1
                if n == keys:
                    break
    return n


def name_keys(pairs, spans):
    """Give pairs the spans int32[k, 2] of their keys, which they have the numbers of."""
    of: cython.int[:, ::1] = pairs
    at: cython.int[:, ::1] = spans
    key: cython.int
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(of.shape[0]):
            key = of[i, 0]
            of[i, 0] = at[key, 0]
            of[i, 1] = at[key, 1]
