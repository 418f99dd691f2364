# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Some records of a chunk → copies of these alone; compiled as :mod:`ingest.compiled.records`."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled import layout
    from cython.cimports.libc.string import memcpy
else:
    from ingest.compiled import layout

COMPILED = cython.compiled


def together(severe, samples, accesses, events, part_of, rows, parts, places):
    """Put three ascending lists of records int32[n] into one, each record once; return how many.

    ``rows`` int32[m] gets the records, ``parts`` int32[m] the parts of those that are among
    ``events`` int32[e], ascending, of which ``part_of`` int32[e] has the parts; -1 for others.
    ``places`` int32[m] gets where in ``rows`` those of the lists are, one list behind the other.
    """
    first: cython.int[::1] = severe
    second: cython.int[::1] = samples
    third: cython.int[::1] = accesses
    event: cython.int[::1] = events
    of: cython.int[::1] = part_of
    out: cython.int[::1] = rows
    own: cython.int[::1] = parts
    at: cython.int[::1] = places
    a: cython.int = 0
    b: cython.int = 0
    c: cython.int = 0
    e: cython.int = 0
    n: cython.int = 0
    row: cython.int
    n_first: cython.int = first.shape[0]
    n_second: cython.int = second.shape[0]
    n_third: cython.int = third.shape[0]
    total: cython.int = event.shape[0]
    most: cython.int = 0x7FFFFFFF
    with cython.nogil:
        while a < n_first or b < n_second or c < n_third:
            row = first[a] if a < n_first else most
            if b < n_second and second[b] < row:
                row = second[b]
            if c < n_third and third[c] < row:
                row = third[c]
            if a < n_first and first[a] == row:
                at[a] = n
                a += 1
            if b < n_second and second[b] == row:
                at[n_first + b] = n
                b += 1
            if c < n_third and third[c] == row:
                at[n_first + n_second + c] = n
                c += 1
            while e < total and event[e] < row:
                e += 1
            out[n] = row
            own[n] = of[e] if e < total and event[e] == row else -1
            n += 1
    return n


def sizes(records, rows):
    """Bytes of records int32[m], and how many pairs they have."""
    rec: cython.int[:, ::1] = records
    at: cython.int[::1] = rows
    size: cython.longlong = 0
    count: cython.longlong = 0
    j: cython.int
    total: cython.int = at.shape[0]
    with cython.nogil:
        for j in range(total):
            size += rec[at[j], layout.R_END] - rec[at[j], layout.R_START]
            count += rec[at[j], layout.R_PAIRS]
    return size, count


def pick(data, records, pairs, values, states, rows, base, out, places, tables, numbers):
    """Copy records int32[m] of a chunk, and their bytes one behind the other, into ``out`` uint8.

    ``records`` int32[n, w], ``pairs`` int32[p, 7], ``values`` and ``states`` of these: as scanned
    and read. ``tables`` are records int32[m, w] and pairs int32[q, 7], whose places are those in
    ``out``, ``numbers`` values float64[q] and states int8[q]; ``places`` int64[m] gets the records'
    offsets in the file, behind ``base``.
    """
    src: cython.const[cython.uchar][::1] = data
    rec: cython.int[:, ::1] = records
    pr: cython.int[:, ::1] = pairs
    val: cython.double[::1] = values
    state: cython.char[::1] = states
    at: cython.int[::1] = rows
    to: cython.uchar[::1] = out
    where: cython.longlong[::1] = places
    row: cython.int[:, ::1] = tables[0]
    cell: cython.int[:, ::1] = tables[1]
    number: cython.double[::1] = numbers[0]
    told: cython.char[::1] = numbers[1]
    before: cython.longlong = base
    width: cython.int = row.shape[1]
    total: cython.int = at.shape[0]
    size: cython.int = 0
    n: cython.int = 0
    i: cython.int
    j: cython.int
    k: cython.int
    by: cython.int
    start: cython.int
    length: cython.int
    with cython.nogil:
        for j in range(total):
            i = at[j]
            start = rec[i, layout.R_START]
            length = rec[i, layout.R_END] - start
            by = size - start
            where[j] = before + start
            if cython.compiled:
                memcpy(cython.address(to[size]), cython.address(src[start]), length)
            else:
                to[size : size + length] = src[start : start + length]
            size += length
            for k in range(width):
                row[j, k] = rec[i, k]
            _move(row, j, by)
            row[j, layout.R_PAIR] = n
            for k in range(rec[i, layout.R_PAIR], rec[i, layout.R_PAIR] + rec[i, layout.R_PAIRS]):
                _copy_pair(pr, k, cell, n, by, j)
                number[n] = val[k]
                told[n] = state[k]
                n += 1


def move(records, pairs, by, n_pairs, n_records):
    """Put what :func:`pick` has copied behind so many other bytes, pairs and records."""
    row: cython.int[:, ::1] = records
    cell: cython.int[:, ::1] = pairs
    size: cython.int = by
    pairs_before: cython.int = n_pairs
    before: cython.int = n_records
    j: cython.int
    total: cython.int = row.shape[0]
    count: cython.int = cell.shape[0]
    with cython.nogil:
        for j in range(total):
            _move(row, j, size)
            row[j, layout.R_PAIR] += pairs_before
        for j in range(count):
            _copy_pair(cell, j, cell, j, size, cell[j, layout.P_RECORD] + before)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _copy_pair(
    pairs: cython.int[:, ::1],
    k: cython.int,
    out: cython.int[:, ::1],
    n: cython.int,
    by: cython.int,
    record: cython.int,
) -> cython.void:
    """Pair k as pair n of a record, its spans so many bytes further on."""
    c: cython.int
    for c in range(layout.PAIR_WIDTH):
        out[n, c] = pairs[k, c] + by if c <= layout.P_VALUE_END else pairs[k, c]
    out[n, layout.P_RECORD] = record


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _move(row: cython.int[:, ::1], j: cython.int, by: cython.int) -> cython.void:
    """Put the spans of record j so many bytes further on; what it does not have stays as it is."""
    k: cython.int
    row[j, layout.R_START] += by
    row[j, layout.R_END] += by
    row[j, layout.R_LOW] += by
    row[j, layout.R_MSG] += by
    row[j, layout.R_MSG_END] += by
    if row[j, layout.R_TRACEBACK] >= 0:
        row[j, layout.R_TRACEBACK] += by
    if row[j, layout.R_NAME_END] > row[j, layout.R_NAME]:
        row[j, layout.R_NAME] += by
        row[j, layout.R_NAME_END] += by
    if row[j, layout.R_REQUEST_ID_END] > row[j, layout.R_REQUEST_ID]:
        row[j, layout.R_REQUEST_ID] += by
        row[j, layout.R_REQUEST_ID_END] += by
    if row[j, layout.R_EVENT_END] > row[j, layout.R_EVENT_START]:
        row[j, layout.R_EVENT_START] += by
        row[j, layout.R_EVENT_END] += by
    for k in range(layout.REC_WIDTH, row.shape[1], 2):
        if row[j, k + 1] > row[j, k]:
            row[j, k] += by
            row[j, k + 1] += by
