# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A record's message → its event and its ``key=value`` pairs; compiled."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled import layout
    from cython.cimports.ingest.compiled.bits import eight, known, trailing_zeros
    from cython.cimports.ingest.compiled.buffer import Bytes
    from cython.cimports.libc.string import memcmp
else:
    from ingest.compiled import layout
    from ingest.compiled.bits import eight
    from ingest.compiled.buffer import Bytes

_QUOTE = cython.declare(cython.int, 34)
_BACKSLASH = cython.declare(cython.int, 92)
# How far a bare value goes: to the next comma, or to the next pair, or only its first word counts.
_WHOLE, _WORD = 1, 2
TO_PAIR = cython.declare(cython.int, _WHOLE)
_STAMP = cython.declare(cython.int, 19)  # bytes of one that may be of a torn header
FIRST_WORD = cython.declare(cython.int, _WORD)
_LONG = cython.declare(cython.int, -2)  # in place of a length: a name too long to be compared so
# of eight bytes at once
_ONES = cython.declare(cython.ulonglong, 0x0101010101010101)
_HIGH_BITS = cython.declare(cython.ulonglong, 0x8080808080808080)


class Pairs(Bytes):
    """Cuts messages; ``table`` int32[p, PAIR_WIDTH] has ``n`` rows, ``cells`` is the same as one
    row; ``records`` int32[n, w] is the records' own.

    ``events`` and ``keys`` the known names, bytes; ``words`` the keys whose value is one word;
    ``escapes`` whether a backslash protects a quote. ``follows`` int32[n_events + 1, n_keys + 1] as
    one row: the key that last followed each in messages of an event (its end: the first), -1 for
    none; a guess, tried first. ``event_words`` and ``key_words`` uint64[NAME_WORDS * n]: names and
    the sign behind each, to be compared at once (:func:`_words`).
    """

    def __init__(self, events, keys, words, escapes):
        self.event_text, self.event_at = _pack(events)
        self.n_events = len(events)
        self.n_keys = len(keys)
        self.follows = _ints((len(events) + 1) * (len(keys) + 1))
        for i in range((len(events) + 1) * (len(keys) + 1)):
            self.follows[i] = -1
        self.event_words = _words(events, b":")
        self.key_words = _words(keys, b"=")
        if cython.compiled:
            self.event_cells = cython.address(self.event_words[0])
            self.key_cells = cython.address(self.key_words[0])
            self.guesses = cython.address(self.follows[0])
        else:
            self.guesses = self.follows
        self.key_text, self.key_at = _pack(keys)
        self.key_bucket, self.key_next = _buckets(keys)
        self.text_key = keys.index(b"text") if b"text" in keys else -1
        self.key_shape = _ints(len(keys))
        for i, key in enumerate(keys):
            self.key_shape[i] = _WHOLE if key == b"text" else _WORD if key in words else 0
        self.escapes = escapes
        self.is_torn = False

    def into(self, records, table):
        """Fill other tables from now on."""
        self.records = records
        self.table = table
        if cython.compiled:
            self.cells = cython.address(self.table[0, 0])
        else:
            self.cells = flat(table)
        self.n = 0

    def event(self, i, pos, end):
        """Find the name that record i's message begins with; the offset after its colon, or pos."""
        p: cython.int = pos
        j: cython.int
        word: cython.ulonglong = 0
        name: cython.p_ulonglong
        src: cython.p_const_uchar = self.base
        kinds: cython.p_const_uchar = self.kinds
        if p >= end or not kinds[src[p]] & layout.C_FIRST:
            return pos
        if cython.compiled and pos + 8 <= self.end:
            word = eight(src, pos)
        for j in range(self.n_events):
            if cython.compiled and pos + 8 <= self.end:
                name = self.event_cells + layout.NAME_WORDS * j
                if (word ^ name[0]) & name[1]:
                    continue
            if self._is_event(j, pos, end):
                p = pos + self.event_at[j + 1] - self.event_at[j]
                break
        else:
            j = -1
            while p < end and kinds[src[p]] & layout.C_IDENT:
                p += 1
        if p >= end or src[p] != 58:
            return pos
        if p + 1 < end and not kinds[src[p + 1]] & layout.C_SPACE:
            return pos
        self.records[i, layout.R_EVENT_START] = pos
        self.records[i, layout.R_EVENT_END] = p
        if j >= 0:
            self.records[i, layout.R_EVENT] = j
        return p + 1

    def _is_event(self, j, pos, end):
        """Whether known event j and a colon stand at pos."""
        n: cython.int
        if cython.compiled and pos + layout.NAME_BYTES <= self.end:
            n = known(self.base + pos, self.event_cells + layout.NAME_WORDS * j)
            if n != _LONG:
                return n >= 0 and end - pos > n
        n = self.event_at[j + 1] - self.event_at[j]
        if end - pos <= n or self.base[pos + n] != 58:
            return False
        return _same(self.base, pos, self.event_text, self.event_at[j], n)

    def cut(self, i, start, end):
        """All pairs of record i's message; false when the table is full."""
        pos: cython.int = start
        first: cython.int = self.n
        self.expect(self.records[i, layout.R_EVENT])
        while pos < end:
            pos = self.take(i, pos, end)
            if pos < 0:
                return False
        self.records[i, layout.R_PAIRS] += self.n - first
        return True

    def expect(self, event):
        """Guess keys as those of a message of an event, from its beginning on."""
        self.none = (event + 1) * (self.n_keys + 1) if -1 < event < self.n_events else 0
        self.before = self.none + self.n_keys

    def take(self, i, pos, end):
        """Take a segment of record i's message; the offset behind it, -1 when the table is full."""
        src: cython.p_const_uchar = self.base
        key: cython.int = pos + 1 if src[pos] == 32 else pos
        code: cython.int = self.guesses[self.before]
        at: cython.int = self._guessed(code, key, end)
        row: cython.int = self.n
        cell: cython.p_int
        if at < 0:
            key = self._found(pos, end)
            at = self.key_end
            if key < 0:
                if at - 19 >= pos and src[at - 3] == 58 and self._stamp_before(at, pos, end):
                    self.is_torn = True
                return at + 1
            code = self._key(key, at)
            if code >= 0:
                self.guesses[self.before] = code
        self.before = self.none + (code if code >= 0 else self.n_keys)
        if row >= self.table.shape[0]:
            return -1
        if cython.compiled:
            cell = self.cells + row * layout.PAIR_WIDTH
        else:
            cell = self.cells[row * layout.PAIR_WIDTH : (row + 1) * layout.PAIR_WIDTH]
        cell[layout.P_KEY] = key
        cell[layout.P_KEY_END] = at
        cell[layout.P_CODE] = code
        cell[layout.P_FLAGS] = 0
        cell[layout.P_RECORD] = i
        self.n = row + 1
        at += 1
        if at < end and src[at] == _QUOTE:
            pos = self._quoted(row, at + 1, end, code == self.text_key and code >= 0)
        else:
            pos = _plain_end(src, at, end, self.end)
            if pos >= 0 and pos - at < _STAMP and (code < 0 or code != self.text_key):
                cell[layout.P_VALUE] = at
                cell[layout.P_VALUE_END] = pos
                return pos + 1
            pos = self._bare(row, at, end, self.key_shape[code] if code >= 0 else 0)
        if pos < end and src[pos] != 44:
            pos = _either(src, pos, end, self.end, 44, 10)
        return pos + 1

    def _found(self, pos, end):
        """Where the key of a segment begins, -1 where it has none; ``key_end``: where its equals
        sign stands, or else the segment ends.
        """
        src: cython.p_const_uchar = self.base
        kinds: cython.p_const_uchar = self.kinds
        at: cython.int = pos
        key: cython.int
        while at < end and src[at] != 44 and src[at] != 10:
            if kinds[src[at]] & layout.C_FIRST and (
                at == pos or kinds[src[at - 1]] & layout.C_SPACE
            ):
                key = at
                while at < end and kinds[src[at]] & layout.C_IDENT:
                    at += 1
                if at < end and src[at] == 61:
                    self.key_end = at
                    return key
            else:
                at += 1
        self.key_end = at
        return -1

    def _guessed(self, code, pos, end):
        """The offset of the equals sign behind a known key at pos, -1 where that is not there."""
        n: cython.int
        if code < 0:
            return -1
        if cython.compiled and pos + layout.NAME_BYTES <= self.end:
            n = known(self.base + pos, self.key_cells + layout.NAME_WORDS * code)
            if n != _LONG:
                return pos + n if 0 <= n < end - pos else -1
        n = self.key_at[code + 1] - self.key_at[code]
        if end - pos <= n or self.base[pos + n] != 61:
            return -1
        return pos + n if _same(self.base, pos, self.key_text, self.key_at[code], n) else -1

    def text_open(self, pos, end):
        """Whether a quoted text begins in a message and no place so far can end it."""
        p: cython.int = self.find(_QUOTE, pos, end)
        key: cython.int
        while p >= 0:
            key = p - 5
            if (
                key >= pos
                and self.starts(key, end, b'text="', 6)
                and (
                    key == pos
                    or self.characters[self.data[key - 1]] & layout.C_SPACE
                    or self.data[key - 1] == 44
                )
            ):
                break
            p = self.find(_QUOTE, p + 1, end)
        if p < 0:
            return False
        p += 1
        if not self.escapes or self.find(_BACKSLASH, p, end) < 0:
            p = self.find(_QUOTE, p, end)
            while p >= 0:
                if self._may_close(p + 1, end):
                    return False
                p = self.find(_QUOTE, p + 1, end)
            return True
        return not self.closes(p, end)

    def closes(self, pos, end):
        """Whether a quote in a span may close a text that is open before it."""
        src: cython.p_const_uchar = self.base
        p: cython.int = _either(src, pos, end, self.end, _QUOTE, _BACKSLASH)
        while p < end:
            if src[p] == _QUOTE and self._may_close(p + 1, end):
                return True
            p += 2 if src[p] == _BACKSLASH and self.escapes else 1
            p = _either(src, p, end, self.end, _QUOTE, _BACKSLASH)
        return False

    def dangling(self, pos, stop):
        """Whether the line holds the end of a quoted value that does not begin on it."""
        odd: cython.bint = False
        p: cython.int = pos
        while p < stop:
            if self.data[p] == _BACKSLASH and self.escapes:
                p += 2
                continue
            if self.data[p] == _QUOTE:
                if p > pos and self.data[p - 1] == 61:
                    return False
                odd = not odd
                if odd and (p + 1 >= stop or self._follows(p + 1, stop)):
                    return True
            p += 1
        return False

    def _key(self, start, end):
        """The number of a known key, or -1."""
        src: cython.p_const_uchar = self.base
        n: cython.int = end - start
        j: cython.int = self.key_bucket[(src[start] * 7 + src[end - 1] + n * 31) & 255]
        while j >= 0:
            if self.key_at[j + 1] - self.key_at[j] == n and _same(
                src, start, self.key_text, self.key_at[j], n
            ):
                return j
            j = self.key_next[j]
        return -1

    def _follows(self, pos, end):
        """Whether ``, key=`` stands at pos."""
        p: cython.int = pos
        if p >= end or self.data[p] != 44:
            return False
        p += 1
        while p < end and self.characters[self.data[p]] & layout.C_SPACE:
            p += 1
        if p >= end or not self.characters[self.data[p]] & layout.C_FIRST:
            return False
        while p < end and self.characters[self.data[p]] & layout.C_IDENT:
            p += 1
        return p < end and self.data[p] == 61

    def _quoted(self, row, start, end, last):
        """Set the value's span; ``last``: the last possible end wins. The offset after it."""
        pos: cython.int = start
        close: cython.int = -1
        flags: cython.int = layout.QUOTED
        close_flags: cython.int = layout.QUOTED
        if not self.escapes or self.find(_BACKSLASH, pos, end) < 0:
            # nothing but quotes can end the value: from one to the next
            pos = self.find(_QUOTE, pos, end)
            while pos >= 0:
                if pos + 1 == end or self._follows(pos + 1, end):
                    close = pos
                    if not last:
                        break
                pos = self.find(_QUOTE, pos + 1, end)
            pos = end
        while pos < end:
            pos = _either(self.base, pos, end, self.end, _QUOTE, _BACKSLASH)
            if pos >= end:
                break
            if self.base[pos] == _BACKSLASH:  # it protects: else none is looked at here
                flags = layout.QUOTED | layout.ESCAPED
                pos += 2
                continue
            if pos + 1 == end or self._follows(pos + 1, end):
                close = pos
                close_flags = flags
                if not last:
                    break
            pos += 1
        self.table[row, layout.P_VALUE] = start
        if close < 0:
            self.table[row, layout.P_VALUE_END] = end
            self.table[row, layout.P_FLAGS] = flags
            return end
        self.table[row, layout.P_VALUE_END] = close
        self.table[row, layout.P_FLAGS] = close_flags
        return close + 1

    def _bare(self, row, start, end, whole):
        """Set an unquoted value's span; ``whole``: TO_PAIR, FIRST_WORD or 0. Offset after it."""
        pos: cython.int = start
        stop: cython.int
        begin: cython.int = start
        src: cython.p_const_uchar = self.base
        kinds: cython.p_const_uchar = self.kinds
        if whole == TO_PAIR:
            while pos < end and not (src[pos] == 44 and self._follows(pos, end)):
                pos += 1
            if self.stamp_from(start, pos) >= 0:
                self.is_torn = True
        else:
            pos = _either(src, start, end, self.end, 44, 10)
            if pos - 18 > start and src[pos - 3] == 58 and self._stamp_before(pos, start, end):
                self.is_torn = True
        stop = pos
        while begin < stop and kinds[src[begin]] & layout.C_SPACE:
            begin += 1
        while stop > begin and kinds[src[stop - 1]] & layout.C_SPACE:
            stop -= 1
        if whole == FIRST_WORD:
            stop = _solid_words(src, begin, pos)
            while stop < pos and not kinds[src[stop]] & layout.C_SPACE:
                stop += 1
        self.cells[row * layout.PAIR_WIDTH + layout.P_VALUE] = begin
        self.cells[row * layout.PAIR_WIDTH + layout.P_VALUE_END] = stop
        return pos

    def _stamp_before(self, comma, low, end):
        """Whether a comma and milliseconds follow ``2026-03-02 10:00:00``: maybe a torn header."""
        p: cython.int = comma - 19
        if p < low or comma >= end or self.data[comma] != 44:
            return False
        if self.data[p + 4] != 45 or self.data[p + 7] != 45 or self.data[p + 13] != 58:
            return False
        return self.number(p, comma, 4) >= 0 and self.number(comma + 1, end, 3) >= 0

    def _may_close(self, pos, end):
        """Whether a quote before pos may end a text: with the line, or before a pair."""
        if pos >= end or self.data[pos] == 10:
            return True
        if self.data[pos] == 13 and (pos + 1 >= end or self.data[pos + 1] == 10):
            return True
        return self._follows(pos, end)


def flat(table):
    """A two-dimensional table as one row; None where it is empty."""
    return memoryview(table).cast("B").cast("i") if all(table.shape) else None


def _ints(n):
    return memoryview(bytearray(4 * max(n, 1))).cast("i")


def _pack(words):
    at = _ints(len(words) + 1)
    for i, word in enumerate(words):
        at[i + 1] = at[i] + len(word)
    return memoryview(b"".join(words) or b"\0"), at


def _words(names, sign):
    """Each name with a sign behind it, as NAME_WORDS numbers to be compared with bytes at once
    (bits.pxd).
    """
    rows = memoryview(bytearray(8 * layout.NAME_WORDS * max(len(names), 1))).cast("Q")
    for i, name in enumerate(names):
        whole = name + sign
        size, row = len(whole), layout.NAME_WORDS * i
        rows[row] = int.from_bytes(whole[:8], "little")
        rows[row + 1] = (1 << (8 * min(size, 8))) - 1
        rows[row + 2] = int.from_bytes(whole[size - 8 :], "little") if size >= 8 else 0
        rows[row + 3] = int.from_bytes(whole[8:16], "little") if size >= 16 else 0
        rows[row + 4] = len(name)
    return rows


def _buckets(keys):
    bucket, following = _ints(256), _ints(len(keys))
    for i in range(256):
        bucket[i] = -1
    for i, key in enumerate(keys):
        slot = (key[0] * 7 + key[len(key) - 1] + len(key) * 31) & 255
        following[i] = bucket[slot]
        bucket[slot] = i
    return bucket, following


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _same(
    src: cython.p_const_uchar,
    pos: cython.int,
    words: cython.const[cython.uchar][::1],
    at: cython.int,
    n: cython.int,
) -> cython.bint:
    """Whether n bytes at pos are those of a word."""
    k: cython.int = 0
    if not cython.compiled:
        return bytes(src[pos : pos + n]) == bytes(words[at : at + n])
    here: cython.p_const_uchar = src + pos
    word: cython.p_const_uchar = cython.address(words[at])
    while k + 8 <= n:
        if memcmp(here + k, word + k, 8) != 0:
            return False
        k += 8
    if n >= 8:  # the last eight may overlap
        return memcmp(here + n - 8, word + n - 8, 8) == 0
    while k < n:
        if here[k] != word[k]:
            return False
        k += 1
    return True


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _solid_words(src: cython.p_const_uchar, start: cython.int, end: cython.int) -> cython.int:
    """How far a span has, eight by eight, only bytes above the space; the rest is not looked at."""
    pos: cython.int = start
    word: cython.ulonglong
    if cython.compiled:
        while pos + 8 <= end:
            word = eight(src, pos)
            if (word - 33 * _ONES) & ~word & _HIGH_BITS:
                break
            pos += 8
    return pos


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _plain_end(
    src: cython.p_const_uchar, start: cython.int, end: cython.int, limit: cython.int
) -> cython.int:
    """Where a value without white space ends: at the comma or the line's end behind it, else with
    the span; -1 for one that has some. ``limit``: the end of all bytes.
    """
    pos: cython.int = start
    word: cython.ulonglong
    found: cython.ulonglong
    other: cython.ulonglong
    if cython.compiled:
        while pos < end and pos + 8 <= limit:
            word = eight(src, pos)
            other = word ^ cython.cast(cython.ulonglong, 0x2C2C2C2C2C2C2C2C)
            # exact in the lowest bit found, as in _either; white space is below 33
            found = (word - cython.cast(cython.ulonglong, 0x2121212121212121)) & ~word
            found |= (other - cython.cast(cython.ulonglong, 0x0101010101010101)) & ~other
            found &= cython.cast(cython.ulonglong, 0x8080808080808080)
            if found != 0:
                pos += trailing_zeros(found) >> 3
                if pos >= end:
                    return end
                return pos if src[pos] == 44 or src[pos] == 10 else -1
            pos += 8
    while pos < end:
        if src[pos] == 44 or src[pos] == 10:
            return pos
        if src[pos] < 33:
            return -1
        pos += 1
    return end


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _either(
    src: cython.p_const_uchar,
    start: cython.int,
    end: cython.int,
    limit: cython.int,
    one: cython.uchar,
    other: cython.uchar,
) -> cython.int:
    """Where one of two bytes stands first in a span, or its end; ``limit``: the end of all bytes.

    Eight bytes at a time: H. S. Warren, Hacker's Delight, 6-1; the lowest bit found is exact.
    """
    pos: cython.int = start
    word: cython.ulonglong
    found: cython.ulonglong
    a: cython.ulonglong
    b: cython.ulonglong
    if cython.compiled:
        a = _ONES * one
        b = _ONES * other
        while pos < end and pos + 8 <= limit:
            word = eight(src, pos)
            found = ((word ^ a) - _ONES) & ~(word ^ a) | ((word ^ b) - _ONES) & ~(word ^ b)
            found &= _HIGH_BITS
            if found != 0:
                pos += trailing_zeros(found) >> 3
                return pos if pos < end else end
            pos += 8
    while pos < end:
        if src[pos] == one or src[pos] == other:
            return pos
        pos += 1
    return pos if start > end else end
