# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Spans → buffers of strings: columns, numbers of different ones, JSON objects.

Cython's pure-Python mode, as :mod:`ingest.compiled.records`, but with the types in the code: what a
``.pxd`` declares is not inlined, and buffers are costly to pass. Every function takes and fills
flat buffers; nothing here makes a Python object a value.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled import layout
    from cython.cimports.ingest.compiled.bits import eight, plain_bytes, prefetch, threes
    from cython.cimports.libc.string import memcpy
else:
    from ingest.compiled import layout
    from ingest.compiled.bits import eight

COMPILED = cython.compiled
# of a JSON object: comparing each with each takes longer than a dictionary beyond it
MANY_MEMBERS = 64
# of eight bytes at once
_HIGH_BITS = cython.declare(cython.ulonglong, 0x8080808080808080)
_FOURTEENS = cython.declare(cython.ulonglong, 0x0E0E0E0E0E0E0E0E)
_ONES = cython.declare(cython.ulonglong, 0x0101010101010101)
_BACKSLASHES = cython.declare(cython.ulonglong, 0x5C5C5C5C5C5C5C5C)
_WORD_MASK = cython.declare(cython.ulonglong, 0xFFFFFFFFFFFFFFFF)
# how many values ahead bytes are asked for: what was scanned has left the processor's nearest cache
_AHEAD = cython.declare(cython.int, 12)
_ROWS_AHEAD = cython.declare(cython.int, 4)
_PRIME = cython.declare(cython.ulonglong, 0x100000001B3)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _utf8_length(data: cython.p_const_uchar, pos: cython.int, end: cython.int) -> cython.int:
    """Bytes of the well-formed UTF-8 sequence at pos, or 0 (Unicode 15, table 3-7)."""
    c: cython.int = data[pos]
    low: cython.int = 0x80
    high: cython.int = 0xBF
    n: cython.int
    k: cython.int
    if c < 0x80:
        return 1
    if c < 0xC2 or c > 0xF4:
        return 0
    n = 2 if c < 0xE0 else (3 if c < 0xF0 else 4)
    if pos + n > end:
        return 0
    if c == 0xE0:
        low = 0xA0
    elif c == 0xED:
        high = 0x9F
    elif c == 0xF0:
        low = 0x90
    elif c == 0xF4:
        high = 0x8F
    if not (low <= data[pos + 1] <= high):
        return 0
    for k in range(2, n):
        if not (0x80 <= data[pos + k] <= 0xBF):
            return 0
    return n


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _bad_length(data: cython.p_const_uchar, pos: cython.int, end: cython.int) -> cython.int:
    """Bytes of the ill-formed sequence at pos that one U+FFFD replaces (Unicode 15, 3.9)."""
    c: cython.int = data[pos]
    low: cython.int = 0x80
    high: cython.int = 0xBF
    n: cython.int
    k: cython.int
    if c < 0xC2 or c > 0xF4:
        return 1
    n = 2 if c < 0xE0 else (3 if c < 0xF0 else 4)
    if c == 0xE0:
        low = 0xA0
    elif c == 0xED:
        high = 0x9F
    elif c == 0xF0:
        low = 0x90
    elif c == 0xF4:
        high = 0x8F
    if pos + 1 >= end or not (low <= data[pos + 1] <= high):
        return 1
    k = 2
    while k < n and pos + k < end and 0x80 <= data[pos + k] <= 0xBF:
        k += 1
    return k


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_plain(word: cython.ulonglong, escaped: cython.bint) -> cython.bint:
    """Whether eight bytes are ASCII from 14 on, without a backslash where that may escape."""
    other: cython.ulonglong = word ^ _BACKSLASHES
    if (word | ((word - _FOURTEENS) & ~word)) & _HIGH_BITS:
        return False
    return not escaped or ((other - _ONES) & ~other & _HIGH_BITS) == 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _goes_on(data: cython.p_const_uchar, pos: cython.int, end: cython.int) -> cython.bint:
    """Whether a byte continues a character (Unicode 15, table 3-7)."""
    return pos < end and (data[pos] & 0xC0) == 0x80


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _copy(
    data: cython.p_const_uchar,
    start: cython.int,
    end: cython.int,
    escaped: cython.bint,
    out: cython.p_uchar,
    at: cython.longlong,
) -> cython.longlong:
    """Copy a span as valid UTF-8 without NULs, with line ends ``\\n``, escapes undone; return the
    offset behind it.

    ``out`` has three bytes for every byte of the span.
    """
    pos: cython.int = start
    c: cython.int
    n: cython.int
    k: cython.int
    if cython.compiled and 8 <= end - pos <= 16 and _is_plain(eight(data, pos), escaped):
        if _is_plain(eight(data, end - 8), escaped):  # most names and words; the two may overlap
            memcpy(out + at, data + pos, 8)
            memcpy(out + at + (end - pos - 8), data + end - 8, 8)
            return at + (end - pos)
    while pos < end:
        c = data[pos]
        if cython.compiled and pos + 16 <= end:
            n = plain_bytes(data + pos, escaped) if c < 0x80 else threes(data + pos)
            if n > 0:
                memcpy(out + at, data + pos, 16)  # of what is behind these nothing stays
                at += n
                pos += n
                continue
        if cython.compiled and not escaped and pos + 8 > end:
            while 14 <= c < 0x80:
                out[at] = c
                at += 1
                pos += 1
                if pos == end:
                    return at
                c = data[pos]
        if 0xE1 <= c <= 0xEC and _goes_on(data, pos + 1, end) and _goes_on(data, pos + 2, end):
            for k in range(3):  # most of what is not ASCII: three bytes, whatever the second one
                out[at + k] = data[pos + k]
            at += 3
            pos += 3
            continue
        if pos + 8 <= end and _is_plain(eight(data, pos), escaped):
            if cython.compiled:
                memcpy(out + at, data + pos, 8)
            else:
                out[at : at + 8] = data[pos : pos + 8]
            at += 8
            pos += 8
            continue
        if escaped and c == 92 and pos + 1 < end:
            c = data[pos + 1]
            if c == 34 or c == 92 or c == 110 or c == 114 or c == 116:
                if c == 110:
                    c = 10
                elif c == 114:
                    c = 13
                elif c == 116:
                    c = 9
                out[at] = c
                at += 1
                pos += 2
                continue
            c = 92
        if c == 13 and pos + 1 < end and data[pos + 1] == 10:
            pos += 1
            continue
        if c != 0 and c < 0x80:
            out[at] = c
            at += 1
            pos += 1
            continue
        n = _utf8_length(data, pos, end) if c != 0 else 0
        if n == 0:
            out[at] = 0xEF
            out[at + 1] = 0xBF
            out[at + 2] = 0xBD
            at += 3
            pos += _bad_length(data, pos, end) if c != 0 else 1
            continue
        for k in range(n):
            out[at + k] = data[pos + k]
        at += n
        pos += n
    return at


def strings(data, starts, ends, flags, offsets, out):
    """Copy spans into an Arrow string column; ``starts`` int32[n], -1 for null. Return its bytes'
    count.

    ``offsets`` int32[n + 1]; ``out`` uint8 with room for three times the spans' bytes.
    """
    content: cython.const[cython.uchar][::1] = data
    src: cython.p_const_uchar = cython.address(content[0]) if cython.compiled else data
    s: cython.int[::1] = starts
    e: cython.int[::1] = ends
    f: cython.int[::1] = flags
    o: cython.int[::1] = offsets
    room: cython.uchar[::1] = out
    dst: cython.p_uchar = cython.address(room[0]) if cython.compiled else out
    i: cython.Py_ssize_t
    at: cython.longlong = 0
    n: cython.Py_ssize_t = s.shape[0]
    with cython.nogil:
        for i in range(n):
            o[i] = at
            if s[i] >= 0:
                at = _copy(src, s[i], e[i], (f[i] & layout.ESCAPED) != 0, dst, at)
        o[n] = at
    return at


def sizes(pairs, slots, bytes_of, longest, counts):
    """Measure the values of pairs int32[n, k] ``slots`` (-1: none).

    ``bytes_of`` int64[k], ``longest`` int64[k] and ``counts`` int64[k], all 0 at first, get each
    column's bytes, those of its longest value, and how many values it has.
    """
    p: cython.int[:, ::1] = pairs
    slot: cython.int[:, ::1] = slots
    size: cython.longlong[::1] = bytes_of
    most: cython.longlong[::1] = longest
    count: cython.longlong[::1] = counts
    i: cython.Py_ssize_t
    c: cython.Py_ssize_t
    j: cython.int
    length: cython.int
    with cython.nogil:
        for i in range(slot.shape[0]):
            for c in range(slot.shape[1]):
                j = slot[i, c]
                if j < 0:
                    continue
                length = p[j, layout.P_VALUE_END] - p[j, layout.P_VALUE]
                size[c] += length
                count[c] += 1
                if length > most[c]:
                    most[c] = length


def columns(data, pairs, slots, wanted, bases, offsets, out, valid):
    """Copy values of pairs int32[n, k] ``slots`` (-1: null) into Arrow string columns, one for each
    of the columns ``wanted`` int32[w] of the slots, row by row; return whether there was room.

    ``out`` uint8: column c's bytes begin at ``bases[c]`` int64[w + 1], with room up to the next
    one's. ``offsets`` int32[w, n + 1], ``valid`` uint8[w, (n + 7) // 8], all 0 at first: Arrow's.
    A value is copied only where there is room for three times its bytes.
    """
    content: cython.const[cython.uchar][::1] = data
    src: cython.p_const_uchar = cython.address(content[0]) if cython.compiled else data
    p: cython.int[:, ::1] = pairs
    slot: cython.int[:, ::1] = slots
    column: cython.int[::1] = wanted
    base: cython.longlong[::1] = bases
    o: cython.int[:, ::1] = offsets
    room: cython.uchar[::1] = out
    dst: cython.p_uchar = cython.address(room[0]) if cython.compiled else out
    bits: cython.uchar[:, ::1] = valid
    at: cython.longlong[::1] = memoryview(bytearray(8 * max(len(wanted), 1))).cast("q")
    i: cython.Py_ssize_t
    c: cython.Py_ssize_t
    j: cython.int
    n: cython.Py_ssize_t = slot.shape[0]
    fits: cython.bint = True
    with cython.nogil:
        for c in range(column.shape[0]):
            at[c] = base[c]
        for i in range(n):
            for c in range(column.shape[0]):
                o[c, i] = at[c] - base[c]
                if cython.compiled and i + _ROWS_AHEAD < n:
                    j = slot[i + _ROWS_AHEAD, column[c]]
                    if j >= 0:
                        prefetch(src + p[j, layout.P_VALUE])
                j = slot[i, column[c]]
                if j < 0:
                    continue
                if at[c] + 3 * (p[j, layout.P_VALUE_END] - p[j, layout.P_VALUE]) + 8 > base[c + 1]:
                    fits = False
                    break
                bits[c, i >> 3] |= 1 << (i & 7)
                at[c] = _copy(
                    src, p[j, layout.P_VALUE], p[j, layout.P_VALUE_END],
                    (p[j, layout.P_FLAGS] & layout.ESCAPED) != 0, dst, at[c],
                )  # fmt: skip
            if not fits:
                break
        for c in range(column.shape[0]):
            o[c, n] = at[c] - base[c]
    return fits


def plain(data, pairs, chosen):
    """Whether the values of all pairs int32[n] are copied as they are written: ASCII without an
    escape and without control characters.
    """
    content: cython.const[cython.uchar][::1] = data
    src: cython.p_const_uchar = cython.address(content[0]) if cython.compiled else data
    p: cython.int[:, ::1] = pairs
    ch: cython.int[::1] = chosen
    i: cython.Py_ssize_t
    pos: cython.int
    end: cython.int
    found: cython.bint = True
    with cython.nogil:
        for i in range(ch.shape[0]):
            pos = p[ch[i], layout.P_VALUE]
            end = p[ch[i], layout.P_VALUE_END]
            if p[ch[i], layout.P_FLAGS] & layout.ESCAPED:
                found = False
            while found and pos + 8 <= end and _is_plain(eight(src, pos), False):
                pos += 8
            while found and pos < end:
                found = 14 <= src[pos] < 0x80
                pos += 1
            if not found:
                break
    return found


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _same(
    data: cython.p_const_uchar,
    a: cython.int,
    a_end: cython.int,
    b: cython.int,
    b_end: cython.int,
) -> cython.bint:
    k: cython.int = 0
    length: cython.int = a_end - a
    if length != b_end - b:
        return False
    while k + 8 <= length:
        if eight(data, a + k) != eight(data, b + k):
            return False
        k += 8
    while k < length:
        if data[a + k] != data[b + k]:
            return False
        k += 1
    return True


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _mixed(h: cython.ulonglong, word: cython.ulonglong) -> cython.ulonglong:
    """A hash, and eight more bytes."""
    if cython.compiled:
        h = (h ^ word) * _PRIME
    else:
        h = ((h ^ word) * _PRIME) & _WORD_MASK
    return h ^ (h >> 32)  # the upper bytes reach the lower bits in no other way


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _hash(
    data: cython.p_const_uchar, pos: cython.int, end: cython.int, seed: cython.ulonglong
) -> cython.ulonglong:
    """FNV-1a of a span (draft-eastlake-fnv), by eight bytes; the last eight may overlap."""
    h: cython.ulonglong = seed ^ cython.cast(cython.ulonglong, end - pos)
    word: cython.ulonglong = 0
    k: cython.int
    if end - pos < 8:
        for k in range(end - pos):
            word |= cython.cast(cython.ulonglong, data[pos + k]) << (8 * k)
        h = ((h ^ word) * _PRIME) & _WORD_MASK
        return h ^ (h >> 32)
    while pos < end:
        if pos + 8 > end:
            pos = end - 8
        h = _mixed(h, eight(data, pos))
        pos += 8
    return h


def distinct(data, pairs, chosen, seed, table, codes, firsts):
    """Number the values of pairs int32[n] ``chosen`` by their bytes as written; return how many
    differ.

    ``codes`` int32[n] gets the numbers, -1 for no pair; ``firsts`` int32[n] a pair of each number.
    ``table`` int32[2^k], all -1 and at least twice as long as ``chosen``, is the hash table (linear
    probing); ``seed`` below 2^64 keeps a log from aiming at it.
    """
    content: cython.const[cython.uchar][::1] = data
    src: cython.p_const_uchar = cython.address(content[0]) if cython.compiled else data
    p: cython.int[:, ::1] = pairs
    ch: cython.int[::1] = chosen
    slot: cython.int[::1] = table
    code: cython.int[::1] = codes
    first: cython.int[::1] = firsts
    # the last pair of each number, to compare with: its bytes are still near
    last: cython.int[::1] = memoryview(bytearray(4 * max(len(chosen), 1))).cast("i")
    # the number that last followed each, itself at first: a guess
    follows: cython.int[::1] = memoryview(bytearray(4 * max(len(chosen), 1))).cast("i")
    before: cython.int = -1
    mask: cython.ulonglong = slot.shape[0] - 1
    start: cython.ulonglong = seed
    h: cython.ulonglong
    i: cython.Py_ssize_t
    j: cython.int
    f: cython.int
    n: cython.int = 0
    pos: cython.int
    end: cython.int
    flags: cython.int
    a: cython.ulonglong
    b: cython.ulonglong
    with cython.nogil:
        for i in range(ch.shape[0]):
            if cython.compiled and i + _AHEAD < ch.shape[0] and ch[i + _AHEAD] >= 0:
                prefetch(src + p[ch[i + _AHEAD], layout.P_VALUE])
            j = ch[i]
            if j < 0:
                code[i] = -1
                continue
            pos = p[j, layout.P_VALUE]
            end = p[j, layout.P_VALUE_END]
            flags = p[j, layout.P_FLAGS] & layout.ESCAPED
            if cython.compiled and flags == 0 and 8 < end - pos <= 16:
                # most ids and words: hashed and compared as the two words that they are
                a = eight(src, pos)
                b = eight(src, end - 8)
                if before >= 0:
                    f = last[follows[before]]
                    if (
                        p[f, layout.P_VALUE_END] - p[f, layout.P_VALUE] == end - pos
                        and p[f, layout.P_FLAGS] & layout.ESCAPED == 0
                        and eight(src, p[f, layout.P_VALUE]) == a
                        and eight(src, p[f, layout.P_VALUE_END] - 8) == b
                    ):
                        before = follows[before]
                        last[before] = j
                        code[i] = before
                        continue
                h = _mixed(_mixed(start ^ cython.cast(cython.ulonglong, end - pos), a), b) & mask
                while slot[h] >= 0:
                    f = last[slot[h]]
                    if (
                        p[f, layout.P_VALUE_END] - p[f, layout.P_VALUE] == end - pos
                        and p[f, layout.P_FLAGS] & layout.ESCAPED == 0
                        and eight(src, p[f, layout.P_VALUE]) == a
                        and eight(src, p[f, layout.P_VALUE_END] - 8) == b
                    ):
                        break
                    h = (h + 1) & mask
            else:
                h = _hash(src, pos, end, start ^ flags) & mask
                while slot[h] >= 0:
                    f = last[slot[h]]
                    if p[f, layout.P_FLAGS] & layout.ESCAPED == flags and _same(
                        src, p[f, layout.P_VALUE], p[f, layout.P_VALUE_END], pos, end
                    ):
                        break
                    h = (h + 1) & mask
            if slot[h] < 0:
                slot[h] = n
                first[n] = j
                follows[n] = n
                n += 1
            if before >= 0:
                follows[before] = slot[h]
            before = slot[h]
            last[before] = j
            code[i] = before
    return n


def find(data, pairs, firsts, seed, table, words, ends, codes):
    """The numbers of words among values that :func:`distinct` has numbered: ``codes`` int32[w], -1
    for a word that is none.

    ``firsts``, ``seed`` and ``table`` as there; ``words``: bytes, each word up to ``ends``
    int32[w]. Values and words are compared as written: those with an escape are never found.
    """
    content: cython.const[cython.uchar][::1] = data
    src: cython.p_const_uchar = cython.address(content[0]) if cython.compiled else data
    p: cython.int[:, ::1] = pairs
    first: cython.int[::1] = firsts
    slot: cython.int[::1] = table
    named: cython.const[cython.uchar][::1] = words
    word: cython.p_const_uchar = cython.address(named[0]) if cython.compiled else words
    end: cython.int[::1] = ends
    code: cython.int[::1] = codes
    mask: cython.ulonglong = slot.shape[0] - 1
    start: cython.ulonglong = seed
    h: cython.ulonglong
    f: cython.int
    k: cython.int
    low: cython.int = 0
    length: cython.int
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(end.shape[0]):
            length = end[i] - low
            code[i] = -1
            h = _hash(word, low, end[i], start) & mask
            while slot[h] >= 0 and code[i] < 0:
                f = first[slot[h]]
                if (p[f, layout.P_FLAGS] & layout.ESCAPED) == 0 and p[f, layout.P_VALUE_END] - p[
                    f, layout.P_VALUE
                ] == length:
                    k = 0
                    while k < length and src[p[f, layout.P_VALUE] + k] == word[low + k]:
                        k += 1
                    if k == length:
                        code[i] = slot[h]
                h = (h + 1) & mask
            low = end[i]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _put(
    data: cython.const[cython.uchar][::1],
    start: cython.int,
    end: cython.int,
    out: cython.uchar[::1],
    at: cython.longlong,
) -> cython.longlong:
    """Copy valid UTF-8 as the inside of a JSON string (RFC 8259, section 7)."""
    pos: cython.int
    c: cython.int
    hexa: cython.p_const_char = b"0123456789abcdef"
    for pos in range(start, end):
        c = data[pos]
        if c == 34 or c == 92:
            out[at] = 92
            out[at + 1] = c
            at += 2
        elif c < 32 or c == 127:
            out[at] = 92
            out[at + 1] = 117
            out[at + 2] = 48
            out[at + 3] = 48
            out[at + 4] = hexa[c >> 4]
            out[at + 5] = hexa[c & 15]
            at += 6
        else:
            out[at] = c
            at += 1
    return at


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _put_quoted(
    data: cython.const[cython.uchar][::1],
    start: cython.int,
    end: cython.int,
    out: cython.uchar[::1],
    at: cython.longlong,
) -> cython.longlong:
    """Copy valid UTF-8 as a JSON string; return the offset behind it."""
    out[at] = 34
    at = _put(data, start, end, out, at + 1)
    out[at] = 34
    return at + 1


def objects(keys, key_at, values, value_at, owners, n_owners, offsets, out, twice):
    """Write JSON objects of string values, one for each owner; return their bytes' count.

    Members come as Arrow string columns ``keys``/``key_at`` and ``values``/``value_at``, in the
    order of ``owners`` int32[m] (ascending). ``twice`` uint8[n_owners] is set where an owner has
    several values of one key, or more members than are worth comparing with each other: the caller
    writes those. ``out`` has room for 6 bytes a byte and 8 a member.
    """
    k: cython.const[cython.uchar][::1] = keys
    key: cython.p_const_uchar = cython.address(k[0]) if cython.compiled else keys
    ka: cython.int[::1] = key_at
    v: cython.const[cython.uchar][::1] = values
    value: cython.p_const_uchar = cython.address(v[0]) if cython.compiled else values
    va: cython.int[::1] = value_at
    own: cython.int[::1] = owners
    o: cython.int[::1] = offsets
    dst: cython.uchar[::1] = out
    dup: cython.uchar[::1] = twice
    total: cython.int = n_owners
    m: cython.int = own.shape[0]
    i: cython.int = 0
    j: cython.int
    owner: cython.int
    first: cython.int
    last: cython.int
    many: cython.int = MANY_MEMBERS
    repeated: cython.bint
    at: cython.longlong = 0
    with cython.nogil:
        for owner in range(total):
            o[owner] = at
            first = i
            last = i
            while last < m and own[last] == owner:
                last += 1
            if last - first > many:
                dup[owner] = 1
                dst[at] = 123
                dst[at + 1] = 125
                at += 2
                i = last
                continue
            while i < last:
                repeated = False
                for j in range(first, i):
                    if _same(key, ka[i], ka[i + 1], ka[j], ka[j + 1]):
                        repeated = True
                        if not _same(value, va[i], va[i + 1], va[j], va[j + 1]):
                            dup[owner] = 1
                if repeated:
                    i += 1
                    continue
                dst[at] = 123 if i == first else 44
                at = _put_quoted(k, ka[i], ka[i + 1], dst, at + 1)
                dst[at] = 58
                at = _put_quoted(v, va[i], va[i + 1], dst, at + 1)
                i += 1
            if i > first:
                dst[at] = 125
                at += 1
        o[total] = at
    return at
