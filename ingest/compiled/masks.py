# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A service's line → its text without the envelope, and its mask: the text with a mark for every
number; compiled as :mod:`ingest.compiled.records`.

Two lines of one mask differ in their numbers alone. Of each envelope only the usual spelling is
taken; whatever else a line may be, ``enter`` leaves it to the general path.
"""

from __future__ import annotations

from array import array

import cython

if cython.compiled:
    from cython.cimports.libc.string import memchr

COMPILED = cython.compiled
BARE, COMPOSE, JSON_FILE, CRI = 0, 1, 2, 3  # modes: the one envelope that a file's lines have
LONGEST, LONGEST_MASK, MOST_TOKENS = 32 << 10, 1024, 48
# marks: a whole number; one with a fraction, and then the length of this; an IPv4 address; date and
# time of day at the text's beginning
INT, DECIMAL, ADDRESS, STAMP, FRACTION = 1, 2, 3, 4, 16
_INT = cython.declare(cython.int, INT)
_DECIMAL = cython.declare(cython.int, DECIMAL)
_ADDRESS = cython.declare(cython.int, ADDRESS)
_STAMP = cython.declare(cython.int, STAMP)
_FRACTION = cython.declare(cython.int, FRACTION)
_COMPOSE = cython.declare(cython.int, COMPOSE)
_JSON_FILE = cython.declare(cython.int, JSON_FILE)
_CRI = cython.declare(cython.int, CRI)
_LONGEST = cython.declare(cython.int, LONGEST)
_LONGEST_MASK = cython.declare(cython.int, LONGEST_MASK)
_MOST_TOKENS = cython.declare(cython.int, MOST_TOKENS)
# digits of a number before and behind its point
_MOST_WHOLE = cython.declare(cython.int, 9)
_MOST_FRACTION = cython.declare(cython.int, 9)
_WORD = (1 << 64) - 1


class Masker:
    """The mask of one line at a time.

    ``text[:n]`` is the line without its envelope, ``mask[:length]`` its mask with ``hash``;
    ``starts`` and ``ends`` are the spans of its ``n_tokens`` numbers, ``wholes`` how many digits
    these have before a point. ``instance`` is the number of the prefix that the line has,
    ``instant`` its envelope's (microseconds UTC); ``wide``: not all of the line is ASCII;
    ``dated``: the text begins with a stamp, which says ``local`` (microseconds in no known zone).
    ``prefixes`` of compose stand behind each other, up to ``prefix_ends``.
    """

    def __init__(self, mode):
        self.mode = mode
        self.text = bytearray(LONGEST + 8)
        self.mask = bytearray(LONGEST_MASK + 8)
        self.starts = array("i", [0] * MOST_TOKENS)
        self.ends = array("i", [0] * MOST_TOKENS)
        self.wholes = array("i", [0] * MOST_TOKENS)
        self.n = self.length = self.n_tokens = self.instance = 0
        self.wide = False
        self.instant = self.local = 0
        self.dated = False
        self.hash = 0
        self.know(())

    def know(self, prefixes):
        """Take these prefixes of compose, up to their bars, as the instances 0, 1, …"""
        ends, at = [], 0
        for prefix in prefixes:
            at += len(prefix)
            ends.append(at)
        self.prefixes = b"".join(prefixes) or b"\0"
        self.prefix_ends = memoryview(array("i", ends or [0]))

    def of(self, text):
        """The mask of a text without an envelope, and the spans of its numbers; None without any
        mask.
        """
        if not self._copied(text or b"\0", 0, len(text)) or not self.shape():
            return None
        spans = [(self.starts[i], self.ends[i]) for i in range(self.n_tokens)]
        return bytes(self.mask[: self.length]), spans

    def is_run_of_bars(self, text):
        """Whether a text is nothing but progress bars."""
        return bool(self._copied(text or b"\0", 0, len(text)) and self.is_bars())

    def inner(self, line):
        """The text of a line without its envelope, or None where the line is to be left alone."""
        if not self.enter(line or b"\0", 0, len(line)):
            return None
        return bytes(self.text[: self.n])

    # envelopes

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
        if value < 0x80:
            self.text[n] = value
            self.n = n + 1
        elif value < 0x800:
            self.text[n] = 0xC0 | (value >> 6)
            self.text[n + 1] = 0x80 | (value & 63)
            self.n = n + 2
        else:
            self.text[n] = 0xE0 | (value >> 12)
            self.text[n + 1] = 0x80 | ((value >> 6) & 63)
            self.text[n + 2] = 0x80 | (value & 63)
            self.n = n + 3
        return 5

    def _stamp(self, data, pos, stop):
        """Read ``2026-03-02T02:00:00.123456789Z`` into ``instant``; where it ends, or -1."""
        year: cython.int
        month: cython.int
        day: cython.int
        hour: cython.int
        minute: cython.int
        second: cython.int
        k: cython.int
        i: cython.int = pos + 19
        fraction: cython.longlong = 0
        if stop - pos < 20 or data[pos + 4] != 45 or data[pos + 7] != 45 or data[pos + 10] != 84:
            return -1
        if data[pos + 13] != 58 or data[pos + 16] != 58:
            return -1
        year = _pair(data, pos) * 100 + _pair(data, pos + 2)
        month = _pair(data, pos + 5)
        day = _pair(data, pos + 8)
        hour = _pair(data, pos + 11)
        minute = _pair(data, pos + 14)
        second = _pair(data, pos + 17)
        if year < 1970 or month < 1 or month > 12 or day < 1 or day > _days_of(year, month):
            return -1
        if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
            return -1
        if data[i] == 46:
            i += 1
            k = 0
            while i < stop and 48 <= data[i] <= 57:
                if k < 6:
                    fraction = fraction * 10 + data[i] - 48
                k += 1
                i += 1
            if k == 0 or k > 9:
                return -1
            while k < 6:
                fraction *= 10
                k += 1
        if i >= stop or data[i] != 90:
            return -1
        self.instant = _micros(_day_number(year, month, day), hour, minute, second) + fraction
        return i + 1

    # progress bars

    def is_bars(self):
        """Whether the text is nothing but tqdm's bars, each behind a carriage return."""
        i: cython.int = 0
        bars: cython.int = 0
        while i < self.n:
            if self.text[i] == 13:
                i += 1
                continue
            i = self._bar(i)
            if i < 0:
                return False
            bars += 1
            while i < self.n and self.text[i] == 32:
                i += 1
            if i < self.n and self.text[i] != 13:
                return False
        return bars > 0

    def _bar(self, i):
        """Where the bar at a place ends, or -1: ``NN%|██  | n/of [mm:ss<…]``."""
        k: cython.int
        n: cython.int = self.n
        while i < n and self.text[i] == 32:
            i += 1
        k = i
        while i < n and 48 <= self.text[i] <= 57:
            i += 1
        if i == k or i - k > 5 or i + 2 > n or self.text[i] != 37 or self.text[i + 1] != 124:
            return -1
        i += 2
        k = i
        while i < n and self.text[i] != 124:
            if self.text[i] == 0xE2:
                if i + 2 >= n or self.text[i + 1] != 0x96 or not 0x80 <= self.text[i + 2] <= 0x9F:
                    return -1
                i += 3
            elif self.text[i] == 32 or self.text[i] == 35:
                i += 1
            else:
                return -1
        if i >= n or i - k > 400:
            return -1
        i += 1
        while i < n and self.text[i] == 32:
            i += 1
        k = i
        while i < n and 48 <= self.text[i] <= 57:
            i += 1
        if i == k or i >= n or self.text[i] != 47:
            return -1
        i += 1
        k = i
        while i < n and 48 <= self.text[i] <= 57:
            i += 1
        if i == k or i + 1 >= n or self.text[i] != 32 or self.text[i + 1] != 91:
            return -1
        i += 2
        k = i
        while i < n and (48 <= self.text[i] <= 57 or self.text[i] == 58):
            i += 1
        if i - k < 2 or i - k > 12 or i >= n or self.text[i] != 60:
            return -1
        i += 1
        k = i
        while i < n and self.text[i] != 93 and 32 <= self.text[i] < 127 and i - k < 80:
            i += 1
        if i >= n or self.text[i] != 93:
            return -1
        return i + 1

    # masks

    def shape(self):
        """Make the mask of the text; False where it has none."""
        i: cython.int = 0
        k: cython.int
        n: cython.int = self.n
        c: cython.int
        quoted: cython.bint = False
        h: cython.ulonglong = cython.cast(cython.ulonglong, 0xCBF29CE484222325)
        self.length = 0
        self.n_tokens = 0
        i = self._own_stamp()
        self.dated = i > 0
        while i < n:
            if self.length + 24 > _LONGEST_MASK:
                return False
            c = self.text[i]
            if 48 <= c <= 57:
                if not quoted and not self._is_part(i):
                    k = self._number(i)
                    if k < 0:
                        return False
                    i = k
                else:
                    while i < n and 48 <= self.text[i] <= 57:
                        if self.length + 8 > _LONGEST_MASK:
                            return False
                        self._put(self.text[i])
                        i += 1
                continue
            if (c < 32 and c != 9) or c == 127:
                return False
            if c == 34:
                quoted = not quoted
            self._put(c)
            i += 1
        for i in range(self.length):
            if cython.compiled:
                h = (h ^ self.mask[i]) * cython.cast(cython.ulonglong, 0x100000001B3)
            else:
                h = ((h ^ self.mask[i]) * 0x100000001B3) & _WORD
        self.hash = h
        return True

    def _is_part(self, i):
        """Whether a number is part of a name: of a word, or a line of a program's file behind a
        stamp.
        """
        k: cython.int = i + 1
        if i == 0:
            return False
        if _is_letter(self.text[i - 1]):
            return True
        if not self.dated or self.text[i - 1] != 58 or not _is_letter(self.text[i - 2]):
            return False
        while k < self.n and _is_digit(self.text[k]):
            k += 1
        return k < self.n and (self.text[k] == 32 or self.text[k] == 93 or self.text[k] == 41)

    def _own_stamp(self):
        """Mark a stamp ``2026-03-02 10:00:00,123`` at the text's beginning; where it ends, or 0.

        None is one with a zone, or with what may be one behind it.
        """
        year: cython.int
        month: cython.int
        day: cython.int
        hour: cython.int
        minute: cython.int
        second: cython.int
        k: cython.int = 0
        i: cython.int = 19
        n: cython.int = self.n
        fraction: cython.longlong = 0
        if n < 22 or self.text[4] != 45 or self.text[7] != 45 or self.text[13] != 58:
            return 0
        if self.text[16] != 58 or (self.text[10] != 32 and self.text[10] != 84):
            return 0
        year = self._two(0) * 100 + self._two(2)
        month = self._two(5)
        day = self._two(8)
        hour = self._two(11)
        minute = self._two(14)
        second = self._two(17)
        if year < 1970 or month < 1 or month > 12 or day < 1 or day > _days_of(year, month):
            return 0
        if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
            return 0
        if self.text[i] == 44 or self.text[i] == 46:
            i += 1
            while i < n and _is_digit(self.text[i]):
                if k < 6:
                    fraction = fraction * 10 + self.text[i] - 48
                k += 1
                i += 1
            if k == 0 or k > 9:
                return 0
        if i + 2 >= n or self.text[i] != 32 or not _may_follow(self.text[i + 1], self.text[i + 2]):
            return 0
        self._put(_STAMP)
        self._put(self.text[10])
        if k > 0:
            self._put(self.text[19])
        self._put(_FRACTION + k)
        while k < 6:
            fraction *= 10
            k += 1
        self.local = _micros(_day_number(year, month, day), hour, minute, second) + fraction
        self.starts[0] = 0
        self.ends[0] = self.wholes[0] = i
        self.n_tokens = 1
        return i

    def _two(self, i):
        """The number of two digits of the text, far below zero where they are none."""
        if not _is_digit(self.text[i]) or not _is_digit(self.text[i + 1]):
            return -100000
        return (self.text[i] - 48) * 10 + self.text[i + 1] - 48

    def _put(self, c):
        self.mask[self.length] = c
        self.length += 1

    def _number(self, i):
        """Mark the number at a place; where it ends, -1 where there are too many."""
        j: cython.int = i
        k: cython.int
        end: cython.int
        groups: cython.int = 1
        first: cython.int
        widest: cython.int
        n: cython.int = self.n
        while j < n and 48 <= self.text[j] <= 57:
            j += 1
        end = j
        first = widest = j - i
        while groups < 6 and end + 1 < n and self.text[end] == 46 and _is_digit(self.text[end + 1]):
            k = end + 1
            while k < n and 48 <= self.text[k] <= 57:
                k += 1
            if k - end - 1 > widest:
                widest = k - end - 1
            end = k
            groups += 1
        if self.n_tokens >= _MOST_TOKENS:
            return -1
        # behind a request line, three digits are a status: what it is decides
        if groups == 1 and first == 3 and i > 1 and self.text[i - 1] == 32:
            if self.text[i - 2] == 34:
                groups = 6
        if groups == 1 and first <= 15:
            self._put(_INT)
        elif groups == 2 and first <= _MOST_WHOLE and end - j - 1 <= _MOST_FRACTION:
            self._put(_DECIMAL)
            self._put(_FRACTION + end - j - 1)
        elif groups == 4 and widest <= 3:
            self._put(_ADDRESS)
        else:
            if self.length + end - i + 24 > _LONGEST_MASK:
                return -1
            for k in range(i, end):
                self._put(self.text[k])
            return end
        self.starts[self.n_tokens] = i
        self.wholes[self.n_tokens] = first
        self.ends[self.n_tokens] = end
        self.n_tokens += 1
        return end


def may_hold_stamp(data):
    """Whether bytes hold a time of day with its seconds anywhere."""
    src: cython.const[cython.uchar][::1] = data
    n: cython.Py_ssize_t = src.shape[0]
    i: cython.Py_ssize_t = 2
    found: cython.bint = False
    with cython.nogil:
        while not found:
            i = _colon(src, i, n - 5)
            if i < 0:
                break
            found = (
                src[i + 3] == 58
                and _is_digit(src[i + 1])
                and _is_digit(src[i + 2])
                and _is_digit(src[i + 4])
                and _is_digit(src[i + 5])
            )
            i += 1
    return bool(found)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _colon(
    data: cython.const[cython.uchar][::1], pos: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """Where the first colon from a place on stands, or -1."""
    if pos >= stop:
        return -1
    if cython.compiled:
        base: cython.p_const_uchar = cython.address(data[0])
        found: cython.p_const_uchar = cython.cast(
            cython.p_const_uchar, memchr(base + pos, 58, stop - pos)
        )
        return found - base if found != cython.NULL else -1
    while pos < stop:
        if data[pos] == 58:
            return pos
        pos += 1
    return -1


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
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_digit(c: cython.int) -> cython.bint:
    return 48 <= c <= 57


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_letter(c: cython.int) -> cython.bint:
    return 65 <= c <= 90 or 97 <= c <= 122 or c >= 128


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _pair(data: cython.const[cython.uchar][::1], pos: cython.int) -> cython.int:
    """The number of two digits, far below zero where they are none."""
    if not _is_digit(data[pos]) or not _is_digit(data[pos + 1]):
        return -100000
    return (data[pos] - 48) * 10 + data[pos + 1] - 48


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _may_follow(c: cython.int, behind: cython.int) -> cython.bint:
    """Whether what stands behind a stamp and a space cannot begin a zone."""
    if c == 45:
        return behind == 32
    return (
        c != 43 and c != 85 and c != 71 and c != 90 and c != 65 and c != 80 and c != 97 and c != 112
    )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _micros(
    days: cython.int, hour: cython.int, minute: cython.int, second: cython.int
) -> cython.longlong:
    return (
        cython.cast(cython.longlong, days) * 86400 + hour * 3600 + minute * 60 + second
    ) * 1000000


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _days_of(year: cython.int, month: cython.int) -> cython.int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _day_number(year: cython.int, month: cython.int, day: cython.int) -> cython.int:
    """Days since 1970 of a date of the Gregorian calendar."""
    y: cython.int = year - (1 if month <= 2 else 0)
    era: cython.int = y // 400
    of_era: cython.int = y - era * 400
    of_year: cython.int = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
