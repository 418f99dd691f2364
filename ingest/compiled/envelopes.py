# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A service's line → its text without the envelope; compiled as :mod:`ingest.compiled.records`.

Of each envelope only the usual spelling is taken; whatever else a line may be, ``enter`` leaves it
to the general path.
"""

from __future__ import annotations

from array import array

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled.moments import (
        date_at,
        digits_at,
        instant_of,
        micros_at,
        second_at,
    )
    from cython.cimports.libc.string import memcpy
else:
    from ingest.compiled.moments import date_at, digits_at, instant_of, micros_at, second_at

BARE, COMPOSE, JSON_FILE, CRI = 0, 1, 2, 3  # modes: the one envelope that a file's lines have
LONGEST = 32 << 10
_COMPOSE = cython.declare(cython.int, COMPOSE)
_JSON_FILE = cython.declare(cython.int, JSON_FILE)
_CRI = cython.declare(cython.int, CRI)
_LONGEST = cython.declare(cython.int, LONGEST)


class Envelopes:
    """One line at a time out of the envelope that all lines of a file have.

    ``text[:n]`` is the line without its envelope; ``instance`` is the number of the prefix that it
    has, ``instant`` its envelope's (microseconds UTC); ``wide``: not all of the line is ASCII;
    ``dated``: the text has a stamp. ``prefixes`` of compose stand behind each other, up to
    ``prefix_ends``.
    """

    def __init__(self, mode):
        self.mode = mode
        self.text = bytearray(LONGEST + 8)
        self.n = self.instance = 0
        self.wide = self.dated = False
        self.instant = 0
        self.know(())

    def know(self, prefixes):
        """Take these prefixes of compose, up to their bars, as the instances 0, 1, …"""
        ends, at = [], 0
        for prefix in prefixes:
            at += len(prefix)
            ends.append(at)
        self.prefixes = b"".join(prefixes) or b"\0"
        self.prefix_ends = memoryview(array("i", ends or [0]))

    def take(self, text):
        """Take a text without an envelope; whether there was room for it."""
        return bool(self._copied(text or b"\0", 0, len(text)))

    def piece(self, start, end):
        """A stretch of the text."""
        return bytes(self.text[start:end])

    def inner(self, line):
        """The text of a line without its envelope, or None where the line is to be left alone."""
        if not self.enter(line or b"\0", 0, len(line)):
            return None
        return bytes(self.text[: self.n])

    def enter(self, data, pos, stop):
        """Take the line ``data[pos:stop]`` out of its envelope; whether it has the usual one."""
        self.wide = self.dated = False
        self.instance = 0
        if stop - pos > _LONGEST:
            return False
        if self.mode == _COMPOSE:
            return self._compose(data, pos, stop)
        if self.mode == _JSON_FILE:
            return self._json(data, pos, stop)
        if self.mode == _CRI:
            return self._cri(data, pos, stop)
        return self._copied(data, pos, stop)

    def _copied(self, data, pos, stop):
        i: cython.int
        n: cython.int = stop - pos
        seen: cython.uchar = 0
        if n > _LONGEST:
            return False
        if cython.compiled:
            to: cython.p_uchar = cython.address(self.text[0])
            if n > 0:
                memcpy(to, cython.address(data[pos]), n)
            for i in range(n):
                seen |= to[i]
        else:
            for i in range(n):
                self.text[i] = data[pos + i]
                seen |= data[pos + i]
        self.n = n
        self.wide = self.wide or seen >= 128
        return True

    def _compose(self, data, pos, stop):
        """``name  | text``, the name one of those known."""
        i: cython.int
        k: cython.int
        begin: cython.int = 0
        length: cython.int
        for i in range(self.prefix_ends.shape[0]):
            length = self.prefix_ends[i] - begin
            if 0 < length <= stop - pos:
                k = length - 1
                while k >= 0 and self.prefixes[begin + k] == data[pos + k]:
                    k -= 1
                if k < 0:
                    self.instance = i
                    k = pos + length
                    if k == stop:
                        return self._copied(data, stop, stop)
                    return data[k] == 32 and self._copied(data, k + 1, stop)
            begin = self.prefix_ends[i]
        return False

    def _cri(self, data, pos, stop):
        """``stamp stdout F text``."""
        at: cython.int = self._stamp(data, pos, stop)
        if at < 0 or stop - at < 10 or data[at] != 32 or data[at + 1] != 115:
            return False
        if data[at + 2] != 116 or data[at + 3] != 100:
            return False
        if data[at + 4] == 111 and data[at + 5] == 117 and data[at + 6] == 116:
            at += 7
        elif data[at + 4] == 101 and data[at + 5] == 114 and data[at + 6] == 114:
            at += 7
        else:
            return False
        if data[at] != 32 or data[at + 1] != 70 or at + 2 >= stop or data[at + 2] != 32:
            return False
        return self._copied(data, at + 3, stop)

    def _json(self, data, pos, stop):
        """``{"log":"text\\n","stream":"stdout","time":"stamp"}``."""
        at: cython.int
        if stop - pos < 60 or data[pos] != 123 or data[stop - 1] != 125 or data[stop - 2] != 34:
            return False
        if data[pos + 1] != 34 or data[pos + 2] != 108 or data[pos + 3] != 111:
            return False
        if data[pos + 4] != 103 or data[pos + 5] != 34 or data[pos + 6] != 58:
            return False
        if data[pos + 7] != 34:
            return False
        at = self._unescaped(data, pos + 8, stop)
        if at < 0 or stop - at < 40 or self.n == 0 or self.text[self.n - 1] != 10:
            return False
        self.n -= 1
        at = _follows(data, at, b'","stream":"std\0')
        if at < 0:
            return False
        if not (data[at] == 111 and data[at + 1] == 117 and data[at + 2] == 116) and not (
            data[at] == 101 and data[at + 1] == 114 and data[at + 2] == 114
        ):
            return False
        at = _follows(data, at + 3, b'","time":"\0')
        if at < 0:
            return False
        return self._stamp(data, at, stop) == stop - 2

    def _unescaped(self, data, pos, stop):
        """Undo JSON's escapes up to the quote that ends the string; the quote's place, or -1."""
        i: cython.int = pos
        n: cython.int = 0
        c: cython.int
        used: cython.int
        seen: cython.uchar = 0
        self.n = 0
        while i < stop:
            c = data[i]
            if c == 34:
                self.n = n
                self.wide = self.wide or seen >= 128
                return i
            if c < 32:
                return -1
            if c == 92:
                self.n = n
                used = self._escaped(data, i + 1, stop)
                if used < 0:
                    return -1
                n = self.n
                i += 1 + used
                continue
            seen |= data[i]
            self.text[n] = c
            n += 1
            i += 1
        return -1

    def _escaped(self, data, pos, stop):
        """Undo the escape behind a backslash; how many bytes it has, or -1."""
        c: cython.int
        k: cython.int
        value: cython.int = 0
        n: cython.int = self.n
        if pos + 4 >= stop:
            return -1
        c = data[pos]
        if c != 117:
            if c == 110:
                if data[pos + 1] != 34:
                    return -1  # several lines in one
                c = 10
            elif c == 114:
                c = 13
            elif c == 116:
                c = 9
            elif c != 34 and c != 92 and c != 47:
                return -1
            self.text[n] = c
            self.n = n + 1
            return 1
        for k in range(1, 5):
            c = data[pos + k]
            if 48 <= c <= 57:
                value = value * 16 + c - 48
            elif 97 <= c <= 102:
                value = value * 16 + c - 87
            elif 65 <= c <= 70:
                value = value * 16 + c - 55
            else:
                return -1
        if 0xD800 <= value <= 0xDFFF or value == 0:
            return -1
        self.n = put_character(self.text, n, value)
        return 5

    def _stamp(self, data, pos, stop):
        """Read ``2026-03-02T02:00:00.123456789Z`` into ``instant``; where it ends, or -1."""
        i: cython.int = pos + 19
        n: cython.int
        at: cython.longlong
        if stop - pos < 20 or data[pos + 10] != 84:
            return -1
        at = instant_of(date_at(data, pos), second_at(data, pos + 11))
        if at < 0:
            return -1
        if data[i] == 46:
            n = digits_at(data, i + 1, stop)
            if n == 0 or n > 9:
                return -1
            at += micros_at(data, i + 1, n)
            i += 1 + n
        if i >= stop or data[i] != 90:
            return -1
        self.instant = at
        return i + 1


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _follows(
    data: cython.const[cython.uchar][::1], pos: cython.int, word: cython.p_const_uchar
) -> cython.int:
    """Where a word (ended by a NUL) ends that stands at a place, or -1."""
    k: cython.int = 0
    while word[k] != 0:
        if data[pos + k] != word[k]:
            return -1
        k += 1
    return pos + k


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def put_character(out: cython.uchar[::1], n: cython.int, value: cython.int) -> cython.int:
    """Write a character as UTF-8 at a place; the place behind it."""
    if value < 0x80:
        out[n] = value
        return n + 1
    if value < 0x800:
        out[n] = 0xC0 | (value >> 6)
        n += 1
    else:
        if value < 0x10000:
            out[n] = 0xE0 | (value >> 12)
            n += 1
        else:
            out[n] = 0xF0 | (value >> 18)
            out[n + 1] = 0x80 | ((value >> 12) & 63)
            n += 2
        out[n] = 0x80 | ((value >> 6) & 63)
        n += 1
    out[n] = 0x80 | (value & 63)
    return n + 1
