# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A record's message → its event and its ``key=value`` pairs; compiled."""

from __future__ import annotations

import cython

from ingest.compiled import layout

if cython.compiled:
    from cython.cimports.ingest.compiled.buffer import Bytes
else:
    from ingest.compiled.buffer import Bytes

R_EVENT = cython.declare(cython.int, layout.R_EVENT)
R_EVENT_START = cython.declare(cython.int, layout.R_EVENT_START)
R_EVENT_END = cython.declare(cython.int, layout.R_EVENT_END)
R_PAIRS = cython.declare(cython.int, layout.R_PAIRS)
P_KEY = cython.declare(cython.int, layout.P_KEY)
P_KEY_END = cython.declare(cython.int, layout.P_KEY_END)
P_VALUE = cython.declare(cython.int, layout.P_VALUE)
P_VALUE_END = cython.declare(cython.int, layout.P_VALUE_END)
P_FLAGS = cython.declare(cython.int, layout.P_FLAGS)
P_CODE = cython.declare(cython.int, layout.P_CODE)
P_RECORD = cython.declare(cython.int, layout.P_RECORD)
QUOTED = cython.declare(cython.int, layout.QUOTED)
ESCAPED = cython.declare(cython.int, layout.ESCAPED)
C_IDENT = cython.declare(cython.int, layout.C_IDENT)
C_FIRST = cython.declare(cython.int, layout.C_FIRST)
C_SPACE = cython.declare(cython.int, layout.C_SPACE)
_QUOTE = cython.declare(cython.int, 34)
_BACKSLASH = cython.declare(cython.int, 92)
# How far a bare value goes: to the next comma, or to the next pair, or only its first word counts.
_WHOLE, _WORD = 1, 2
TO_PAIR = cython.declare(cython.int, _WHOLE)
FIRST_WORD = cython.declare(cython.int, _WORD)


class Pairs(Bytes):
    """Cuts messages; ``table`` int32[p, PAIR_WIDTH] has ``n`` rows, ``records`` int32[n, w] is the
    records' own.

    ``events`` and ``keys`` the known names, bytes; ``words`` the keys whose value is one word;
    ``escapes`` whether a backslash protects a quote.
    """

    def __init__(self, events, keys, words, escapes):
        self.event_text, self.event_at = _pack(events)
        self.n_events = len(events)
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
        self.n = 0

    def event(self, i, pos, end):
        """Find the name that record i's message begins with; the offset after its colon, or pos."""
        p: cython.int = pos
        j: cython.int
        k: cython.int
        n: cython.int
        if p >= end or not self.characters[self.data[p]] & C_FIRST:
            return pos
        while p < end and self.characters[self.data[p]] & C_IDENT:
            p += 1
        if p >= end or self.data[p] != 58:
            return pos
        if p + 1 < end and not self.characters[self.data[p + 1]] & C_SPACE:
            return pos
        self.records[i, R_EVENT_START] = pos
        self.records[i, R_EVENT_END] = p
        for j in range(self.n_events):
            n = self.event_at[j + 1] - self.event_at[j]
            if n != p - pos:
                continue
            k = 0
            while k < n and self.data[pos + k] == self.event_text[self.event_at[j] + k]:
                k += 1
            if k == n:
                self.records[i, R_EVENT] = j
                break
        return p + 1

    def cut(self, i, start, end):
        """All pairs of record i's message; false when the table is full."""
        pos: cython.int = start
        key: cython.int
        at: cython.int
        code: cython.int
        row: cython.int
        while pos < end:
            key = -1
            at = pos
            while at < end and self.data[at] != 44 and self.data[at] != 10:
                if self.characters[self.data[at]] & C_FIRST and (
                    at == pos or self.characters[self.data[at - 1]] & C_SPACE
                ):
                    key = at
                    while at < end and self.characters[self.data[at]] & C_IDENT:
                        at += 1
                    if at < end and self.data[at] == 61:
                        break
                    key = -1
                else:
                    at += 1
            if key < 0:
                if at - 19 >= pos and self.data[at - 3] == 58 and self._stamp_before(at, pos, end):
                    self.is_torn = True
                pos = at + 1
                continue
            if self.n >= self.table.shape[0]:
                return False
            row = self.n
            code = self._key(key, at)
            self.table[row, P_KEY] = key
            self.table[row, P_KEY_END] = at
            self.table[row, P_CODE] = code
            self.table[row, P_FLAGS] = 0
            self.table[row, P_RECORD] = i
            if at + 1 < end and self.data[at + 1] == _QUOTE:
                pos = self._quoted(row, at + 2, end, code == self.text_key and code >= 0)
            else:
                pos = self._bare(row, at + 1, end, self.key_shape[code] if code >= 0 else 0)
            self.n += 1
            self.records[i, R_PAIRS] += 1
            while pos < end and self.data[pos] != 44 and self.data[pos] != 10:
                pos += 1
            pos += 1
        return True

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
                    or self.characters[self.data[key - 1]] & C_SPACE
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
        p: cython.int = pos
        while p < end:
            if self.data[p] == _BACKSLASH and self.escapes:
                p += 2
                continue
            if self.data[p] == _QUOTE and self._may_close(p + 1, end):
                return True
            p += 1
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
        n: cython.int = end - start
        j: cython.int = self.key_bucket[(self.data[start] * 7 + self.data[end - 1] + n * 31) & 255]
        k: cython.int
        while j >= 0:
            if self.key_at[j + 1] - self.key_at[j] == n:
                k = 0
                while k < n and self.data[start + k] == self.key_text[self.key_at[j] + k]:
                    k += 1
                if k == n:
                    return j
            j = self.key_next[j]
        return -1

    def _follows(self, pos, end):
        """Whether ``, key=`` stands at pos."""
        p: cython.int = pos
        if p >= end or self.data[p] != 44:
            return False
        p += 1
        while p < end and self.characters[self.data[p]] & C_SPACE:
            p += 1
        if p >= end or not self.characters[self.data[p]] & C_FIRST:
            return False
        while p < end and self.characters[self.data[p]] & C_IDENT:
            p += 1
        return p < end and self.data[p] == 61

    def _quoted(self, row, start, end, last):
        """Set the value's span; ``last``: the last possible end wins. The offset after it."""
        pos: cython.int = start
        close: cython.int = -1
        flags: cython.int = QUOTED
        close_flags: cython.int = QUOTED
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
            if self.data[pos] == _BACKSLASH and self.escapes:
                flags = QUOTED | ESCAPED
                pos += 2
                continue
            if self.data[pos] == _QUOTE and (pos + 1 == end or self._follows(pos + 1, end)):
                close = pos
                close_flags = flags
                if not last:
                    break
            pos += 1
        self.table[row, P_VALUE] = start
        if close < 0:
            self.table[row, P_VALUE_END] = end
            self.table[row, P_FLAGS] = flags
            return end
        self.table[row, P_VALUE_END] = close
        self.table[row, P_FLAGS] = close_flags
        return close + 1

    def _bare(self, row, start, end, whole):
        """Set an unquoted value's span; ``whole``: TO_PAIR, FIRST_WORD or 0. Offset after it."""
        pos: cython.int = start
        stop: cython.int
        begin: cython.int = start
        if whole == TO_PAIR:
            while pos < end and not (self.data[pos] == 44 and self._follows(pos, end)):
                pos += 1
        else:
            while pos < end and self.data[pos] != 44 and self.data[pos] != 10:
                pos += 1
            if (
                pos - 18 > start
                and self.data[pos - 3] == 58
                and self._stamp_before(pos, start, end)
            ):
                self.is_torn = True
        stop = pos
        while begin < stop and self.characters[self.data[begin]] & C_SPACE:
            begin += 1
        while stop > begin and self.characters[self.data[stop - 1]] & C_SPACE:
            stop -= 1
        if whole == FIRST_WORD:
            stop = begin
            while stop < pos and not self.characters[self.data[stop]] & C_SPACE:
                stop += 1
        self.table[row, P_VALUE] = begin
        self.table[row, P_VALUE_END] = stop
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


def _ints(n):
    return memoryview(bytearray(4 * max(n, 1))).cast("i")


def _pack(words):
    at = _ints(len(words) + 1)
    for i, word in enumerate(words):
        at[i + 1] = at[i] + len(word)
    return memoryview(b"".join(words) or b"\0"), at


def _buckets(keys):
    bucket, following = _ints(256), _ints(len(keys))
    for i in range(256):
        bucket[i] = -1
    for i, key in enumerate(keys):
        slot = (key[0] * 7 + key[len(key) - 1] + len(key) * 31) & 255
        following[i] = bucket[slot]
        bucket[slot] = i
    return bucket, following
