# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A line that is one JSON object → its mask: keys as they stand, marks in place of values that
tell nothing of what the line is; compiled as :mod:`ingest.compiled.records`.

What a key's values are is asked for once, by its name. A line that is no JSON, or that is written
as hardly any logger writes, has no mask, and goes to the general path.
"""

from __future__ import annotations

from array import array

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled.envelopes import put_character
    from cython.cimports.ingest.compiled.moments import (
        date_at,
        digits_at,
        instant_of,
        micros_at,
        second_at,
        zone_at,
    )
    from cython.cimports.libc.math import rint
    from cython.cimports.libc.stdio import snprintf
    from cython.cimports.libc.stdlib import strtod
else:
    from ingest.compiled.envelopes import put_character
    from ingest.compiled.moments import (
        date_at,
        digits_at,
        instant_of,
        micros_at,
        second_at,
        zone_at,
    )
from ingest.compiled.masks import DECIMAL, HEX, INT, LONGEST_MASK, MOST_TOKENS, WORDS
from ingest.compiled.moments import NONE

COMPILED = cython.compiled
# what the values of a key are: they stand in the mask as they are; numbers are marked; numbers and
# ids are; all of them are
KEPT, AMOUNT, NAMED, FREE = range(4)
MOST_KEYS, LONGEST_KEY = 1024, 64
_KEPT = cython.declare(cython.int, KEPT)
_NAMED = cython.declare(cython.int, NAMED)
_FREE = cython.declare(cython.int, FREE)
_INT = cython.declare(cython.int, INT)
_DECIMAL = cython.declare(cython.int, DECIMAL)
_WORDS = cython.declare(cython.int, WORDS)
_HEX = cython.declare(cython.int, HEX)
_LONGEST_MASK = cython.declare(cython.int, LONGEST_MASK)
_LONGEST_KEY = cython.declare(cython.int, LONGEST_KEY)
_MOST_TOKENS = cython.declare(cython.int, MOST_TOKENS)
_NO_ZONE = cython.declare(cython.int, NONE)
_TABLE = cython.declare(cython.int, 2 * MOST_KEYS - 1)
_DEEPEST = cython.declare(cython.int, 8)
_MOST_KEPT = cython.declare(cython.int, 256)  # bytes of a value that stands in a mask
_MOST_DIGITS = cython.declare(cython.int, 15)  # that any float keeps
# seconds between which a number is one since 1970
_EARLIEST = cython.declare(cython.longlong, 10**8)
_LATEST = cython.declare(cython.longlong, 10**10)


class Objects:
    """Masks of JSON objects. ``lacks``: there is none because what values a key has is not known;
    the key is that of the masker's text from ``key_at`` to ``key_end``.
    """

    def __init__(self):
        self.slots = array("i", [-1] * (2 * MOST_KEYS))
        self.ends = array("i", [0] * (MOST_KEYS + 1))
        self.kinds = bytearray(MOST_KEYS)
        self.names = bytearray(MOST_KEYS * LONGEST_KEY)
        self.n_keys = self.key_at = self.key_end = 0
        self.lacks = False

    def of(self, masker, text):
        """The mask of a text, and the spans of its marked values; None where it has none."""
        if not masker.take(text) or not self.shape(masker):
            return None
        return masker.taken()

    def key(self, masker):
        """The key of the last text of which nothing is known, None where there is none."""
        return masker.piece(self.key_at, self.key_end) if self.lacks else None

    def know(self, masker, kind):
        """Know the kind of that key's values from now on; False where there are too many keys."""
        size: cython.int = self.key_end - self.key_at
        end: cython.int = self.ends[self.n_keys]
        if not self.lacks or self.n_keys >= MOST_KEYS:
            return False
        name = masker.piece(self.key_at, self.key_end)
        for k in range(size):
            self.names[end + k] = name[k]
        slot: cython.int = self._slot(masker)
        self.slots[slot] = self.n_keys
        self.kinds[self.n_keys] = kind
        self.n_keys += 1
        self.ends[self.n_keys] = end + size
        return True

    def moment(self, masker, token):
        """The time that a marked value is, and whether it is an instant by itself; None for any
        other.
        """
        if not self.has_moment(masker, token):
            return None
        return (masker.instant, True) if masker.zoned else (masker.local, False)

    def is_below_zero(self, m):
        """Whether any marked number is below zero."""
        k: cython.int
        for k in range(m.n_tokens):
            if m.text[m.starts[k]] == 45 and (m.marks[k] == _INT or m.marks[k] == _DECIMAL):
                return True
        return False

    def tidied(self, masker, token, shift):
        """A marked number to four places, None where only the general path knows."""
        out = bytearray(128)
        end: cython.int = self.rounded(masker, token, shift, out, 0)
        return None if end < 0 else bytes(out[:end])

    def written(self, masker, token):
        """A marked value as its pair is written, None where only the general path knows."""
        out = bytearray(masker.n + 64)
        end: cython.int = self.copied(masker, token, out, 0)
        return None if end < 0 else bytes(out[:end])

    # masks

    def shape(self, m):
        """Make the mask of the masker's text; False where it has none."""
        i: cython.int
        m.length = m.n_tokens = 0
        m.zoned = m.dated = m.lacks = self.lacks = False
        i = self._members(m, 0, 0)
        if i != m.n:
            return False
        m.hashed()
        return True

    def _members(self, m, i, depth):
        """Mask the object at a place; where it ends, or -1."""
        kind: cython.int
        if depth > _DEEPEST:
            return -1
        i = self._spaces(m, self._kept(m, i, i + 1))
        if 0 <= i < m.n and m.text[i] == 125:
            return self._kept(m, i, i + 1)
        while 0 <= i < m.n and m.text[i] == 34:
            i = self._key(m, i)
            if i < 0:
                return -1
            kind = self.key_kind
            i = self._spaces(m, i)
            if i < 0 or i >= m.n or m.text[i] != 58:
                return -1
            i = self._spaces(m, self._kept(m, i, i + 1))
            i = self._spaces(m, self._value(m, i, kind, depth))
            if i < 0 or i >= m.n:
                return -1
            if m.text[i] == 125:
                return self._kept(m, i, i + 1)
            if m.text[i] != 44:
                return -1
            i = self._spaces(m, self._kept(m, i, i + 1))
        return -1

    def _elements(self, m, i, kind, depth):
        """Mask the array at a place; where it ends, or -1."""
        if depth > _DEEPEST:
            return -1
        i = self._spaces(m, self._kept(m, i, i + 1))
        if 0 <= i < m.n and m.text[i] == 93:
            return self._kept(m, i, i + 1)
        while 0 <= i < m.n:
            i = self._spaces(m, self._value(m, i, kind, depth))
            if i < 0 or i >= m.n:
                return -1
            if m.text[i] == 93:
                return self._kept(m, i, i + 1)
            if m.text[i] != 44:
                return -1
            i = self._spaces(m, self._kept(m, i, i + 1))
        return -1

    def _value(self, m, i, kind, depth):
        """Mask the value at a place; where it ends, or -1."""
        c: cython.int
        k: cython.int = i
        if i < 0 or i >= m.n:
            return -1
        c = m.text[i]
        if c == 34:
            return self._string(m, i, kind)
        if c == 123:
            return self._members(m, i, depth + 1)
        if c == 91:
            return self._elements(m, i, kind, depth + 1)
        if c == 45 or _is_digit(c):
            return self._number(m, i, kind)
        while k < m.n and k - i < 8 and 97 <= m.text[k] <= 122:  # true, false, null
            k += 1
        return self._kept(m, i, k) if k > i else -1

    def _spaces(self, m, i):
        k: cython.int = i
        while 0 <= k < m.n and m.text[k] == 32:
            k += 1
        return self._kept(m, i, k) if k > i else i

    def _kept(self, m, i, end):
        """Put a stretch into the mask as it is; its end, or -1 where there is no room for it."""
        k: cython.int
        n: cython.int = m.length
        if i < 0 or end > m.n or n + end - i > _LONGEST_MASK:
            return -1
        for k in range(i, end):
            m.mask[n] = m.text[k]
            n += 1
        m.length = n
        return end

    def _marked(self, m, mark, i, end):
        """Put a mark into the mask for a stretch; its end, or -1."""
        if m.length >= _LONGEST_MASK or m.n_tokens >= _MOST_TOKENS:
            return -1
        m.mask[m.length] = mark
        m.length += 1
        m.starts[m.n_tokens] = i
        m.ends[m.n_tokens] = end
        m.marks[m.n_tokens] = mark
        m.wholes[m.n_tokens] = 0
        m.n_tokens += 1
        return end

    def _number(self, m, i, kind):
        """Mask the number at a place; where it ends, or -1.

        None is one with an exponent, with more digits than a float keeps, or a zero below zero.
        """
        k: cython.int = i + 1 if m.text[i] == 45 else i
        begin: cython.int = k
        point: cython.int
        while k < m.n and _is_digit(m.text[k]):
            k += 1
        point = k
        if k < m.n and m.text[k] == 46:
            k += 1
            while k < m.n and _is_digit(m.text[k]):
                k += 1
            if k == point + 1:
                return -1
        if k >= m.n or m.text[k] == 101 or m.text[k] == 69 or m.text[k] == 46:
            return -1
        if point == begin or k - begin > _MOST_DIGITS + 5:
            return -1
        if m.text[begin] == 48 and (point > begin + 1 or (begin > i and k == point)):
            return -1
        if kind == _KEPT:
            return self._kept(m, i, k)
        if k > point:
            return self._marked(m, _DECIMAL, i, k)
        return self._marked(m, _INT, i, k) if point - begin <= _MOST_DIGITS else -1

    def _string(self, m, i, kind):
        """Mask the string whose first quote stands at a place; where it ends, or -1."""
        k: cython.int = i + 1
        n: cython.int = m.n
        c: cython.int
        used: cython.int
        escaped: cython.int = 0
        while k < n:
            c = m.text[k]
            if c == 34:
                break
            if c < 32 or c == 127 or (c == 35 and m.text[k + 1] == 48):
                return -1
            if c == 92:
                escaped = 1
                used = self._escape(m, k)
            elif c >= 128:
                used = self._beyond(m, k)
            else:
                used = 1
            if used <= 0:
                return -1
            k += used
        if k >= n or (k - i == 8 and m.text[i + 1] == 77 and m.text[i + 2] == 69):
            return -1  # journald's MESSAGE, which it looks for anywhere
        if k == i + 1:
            return self._kept(m, i, k + 1)
        if kind == _FREE or (kind == _NAMED and escaped == 0 and self._is_id(m, i + 1, k)):
            if self._marked(m, _WORDS if kind == _FREE else _HEX, i + 1, k) < 0:
                return -1
            m.wholes[m.n_tokens - 1] = escaped
            return k + 1
        return self._kept(m, i, k + 1) if k - i < _MOST_KEPT else -1

    def _is_id(self, m, i, end):
        """Whether a stretch of more than one character may be any request's id."""
        k: cython.int
        c: cython.int
        if end - i < 2 or end - i > 128:
            return False
        for k in range(i, end):
            c = m.text[k]
            if c <= 32 or c >= 127 or c == 34 or c == 39 or c == 123 or c == 125 or c == 91:
                return False
            if c == 93 or c == 92:
                return False
        return True

    def _escape(self, m, i):
        """How many bytes the escape at a place has, -1 where it is none, or one of half a
        character.
        """
        c: cython.int
        value: cython.int
        if i + 1 >= m.n:
            return -1
        c = m.text[i + 1]
        if c == 34 or c == 92 or c == 47 or c == 98 or c == 102 or c == 110 or c == 114 or c == 116:
            return 2
        value = self._hexes(m, i)
        if value <= 0 or 0xDC00 <= value <= 0xDFFF:
            return -1
        if 0xD800 <= value <= 0xDBFF:
            value = self._hexes(m, i + 6)
            return 12 if 0xDC00 <= value <= 0xDFFF else -1
        return 6

    def _hexes(self, m, i):
        """The number of the escape with four digits at a place, or -1."""
        k: cython.int
        c: cython.int
        value: cython.int = 0
        if i + 6 > m.n or m.text[i] != 92 or m.text[i + 1] != 117:
            return -1
        for k in range(i + 2, i + 6):
            c = m.text[k]
            if _is_digit(c):
                value = value * 16 + c - 48
            elif 97 <= c <= 102:
                value = value * 16 + c - 87
            elif 65 <= c <= 70:
                value = value * 16 + c - 55
            else:
                return -1
        return value

    def _beyond(self, m, i):
        """How many bytes the character beyond ASCII at a place has, -1 where it is not UTF-8."""
        c: cython.int = m.text[i]
        k: cython.int
        n: cython.int
        low: cython.int = 0x80
        high: cython.int = 0xBF
        if 0xC2 <= c <= 0xDF:
            n = 2
        elif 0xE0 <= c <= 0xEF:
            n = 3
            if c == 0xE0:
                low = 0xA0
            elif c == 0xED:
                high = 0x9F
        elif 0xF0 <= c <= 0xF4:
            n = 4
            if c == 0xF0:
                low = 0x90
            elif c == 0xF4:
                high = 0x8F
        else:
            return -1
        if i + n > m.n or m.text[i + 1] < low or m.text[i + 1] > high:
            return -1
        for k in range(i + 2, i + n):
            if m.text[k] < 0x80 or m.text[k] > 0xBF:
                return -1
        return n

    # keys

    def _key(self, m, i):
        """Put the key at a place into the mask, and find what its values are; its end, or -1."""
        k: cython.int = i + 1
        c: cython.int
        slot: cython.int
        while k < m.n and k - i <= _LONGEST_KEY:
            c = m.text[k]
            if c == 34:
                break
            if c < 32 or c >= 127 or c == 92 or (c == 35 and m.text[k + 1] == 48):
                return -1
            k += 1
        if k >= m.n or m.text[k] != 34:
            return -1
        self.key_at = i + 1
        self.key_end = k
        slot = self._slot(m)
        if self.slots[slot] < 0:
            self.lacks = True
            return -1
        self.key_kind = self.kinds[self.slots[slot]]
        return self._kept(m, i, k + 1)

    def _slot(self, m):
        """The slot of the table in which the key is, or a free one."""
        k: cython.int
        number: cython.int
        start: cython.int
        length: cython.int = self.key_end - self.key_at
        h: cython.uint = 2166136261
        for k in range(self.key_at, self.key_end):
            if cython.compiled:
                h = (h ^ m.text[k]) * cython.cast(cython.uint, 16777619)
            else:
                h = ((h ^ m.text[k]) * 16777619) & 0xFFFFFFFF
        slot: cython.int = h & _TABLE
        while self.slots[slot] >= 0:
            number = self.slots[slot]
            start = self.ends[number]
            if self.ends[number + 1] - start == length:
                k = 0
                while k < length and self.names[start + k] == m.text[self.key_at + k]:
                    k += 1
                if k == length:
                    return slot
            slot = (slot + 1) & _TABLE
        return slot

    # moments

    def has_moment(self, m, token):
        """Whether a marked value is a moment; the masker has it then."""
        i: cython.int = m.starts[token]
        end: cython.int = m.ends[token]
        if m.marks[token] == _WORDS:
            return self._is_stamp(m, i, end)
        if m.marks[token] == _DECIMAL:
            return self._since_real(m, i, end)
        return m.marks[token] == _INT and self._since(m, i, end)

    def _is_stamp(self, m, i, end):
        """Read ``2026-03-02T10:00:00.123456Z``, with a zone or without, for the masker."""
        zone: cython.int = 0
        k: cython.int
        at: cython.int = i + 19
        local: cython.longlong
        if end - i < 19 or (m.text[i + 10] != 32 and m.text[i + 10] != 84):
            return False
        local = instant_of(date_at(m.text, i), second_at(m.text, i + 11))
        if local < 0:
            return False
        if at < end and (m.text[at] == 44 or m.text[at] == 46):
            k = digits_at(m.text, at + 1, end)
            if k == 0 or k > 9:
                return False
            local += micros_at(m.text, at + 1, k)
            at += 1 + k
        m.zoned = at < end
        if m.zoned and (m.text[at] != 90 or at + 1 != end):
            if end - at != (6 if m.text[at + 3] == 58 else 5):
                return False
            zone = zone_at(m.text, at)
            if zone == _NO_ZONE:
                return False
        m.local = local
        if m.zoned:
            m.instant = local - cython.cast(cython.longlong, zone) * 60000000
        m.dated = True
        return True

    def _since(self, m, i, end):
        """Read a whole number of seconds, milli- or microseconds since 1970, for the masker."""
        k: cython.int
        value: cython.longlong = 0
        if not _is_digit(m.text[i]):
            return False
        for k in range(i, end):
            value = value * 10 + m.text[k] - 48
        if _EARLIEST < value < _LATEST:
            value *= 1000000
        elif 1000 * _EARLIEST < value < 1000 * _LATEST:
            value *= 1000
        else:
            return False
        m.instant = m.local = value
        m.zoned = m.dated = True
        return True

    def _since_real(self, m, i, end):
        """Read seconds or milliseconds since 1970 with a fraction, for the masker."""
        value: cython.double
        if cython.compiled:
            value = strtod(cython.cast(cython.p_char, cython.address(m.text[i])), cython.NULL)
        else:
            value = float(bytes(m.text[i:end]))
        if 1e14 < value * 1e6 < 1e16:
            value *= 1e6
        elif 1e14 < value * 1e3 < 1e16:
            value *= 1e3
        else:
            return False
        m.instant = m.local = cython.cast(
            cython.longlong, rint(value) if cython.compiled else round(value)
        )
        m.zoned = m.dated = True
        return True

    # values

    def copied(self, m, token, out, n):
        """Write a marked value as its pair is written at a place of ``out``; where it ends, or
        -1.
        """
        k: cython.int
        i: cython.int = m.starts[token]
        end: cython.int = m.ends[token]
        if n + end - i + 64 > out.shape[0] if cython.compiled else False:
            return -1
        if m.marks[token] == _DECIMAL:
            return self._real(m, i, end, out, n)
        if m.wholes[token] != 0:
            return self._unescaped(m, i, end, out, n)
        for k in range(i, end):
            out[n] = m.text[k]
            n += 1
        return n

    def rounded(self, m, token, shift, out, n):
        """Write a number, its point moved by no or three places, to four places, whole where it is
        whole, at a place of ``out``; where it ends, or -1.
        """
        i: cython.int = m.starts[token]
        k: cython.int
        used: cython.int
        value: cython.double
        text = cython.declare(cython.char[48])
        if m.marks[token] != _INT and m.marks[token] != _DECIMAL:
            return -1
        if cython.compiled:
            if n + 64 > out.shape[0]:
                return -1
            value = strtod(cython.cast(cython.p_char, cython.address(m.text[i])), cython.NULL)
        else:
            value = float(bytes(m.text[i : m.ends[token]]))
        if shift == 3:
            value *= 1000.0
        if value < 0 or value > 1e10:
            return -1
        if cython.compiled:
            used = snprintf(text, 48, "%.4f", value)
        else:
            text = f"{value:.4f}".encode()
            used = len(text)
        while text[used - 1] == 48:
            used -= 1
        if text[used - 1] == 46:
            used -= 1
        for k in range(used):
            out[n] = text[k]
            n += 1
        return n

    def _unescaped(self, m, i, end, out, n):
        c: cython.int
        value: cython.int
        while i < end:
            c = m.text[i]
            if c != 92:
                out[n] = c
                n += 1
                i += 1
                continue
            c = m.text[i + 1]
            if c != 117:
                if c == 98:
                    c = 8
                elif c == 102:
                    c = 12
                elif c == 110:
                    c = 10
                elif c == 114:
                    c = 13
                elif c == 116:
                    c = 9
                out[n] = c
                n += 1
                i += 2
                continue
            value = self._hexes(m, i)
            i += 6
            if 0xD800 <= value <= 0xDBFF:
                value = 0x10000 + ((value - 0xD800) << 10) + self._hexes(m, i) - 0xDC00
                i += 6
            n = put_character(out, n, value)
        return n

    def _real(self, m, i, end, out, n):
        """A number with a point as Python writes it; -1 where that has other digits, or an
        exponent.
        """
        k: cython.int = i + 1 if m.text[i] == 45 else i
        first: cython.int = -1  # of the digits that count
        point: cython.int = -1
        while m.text[end - 1] == 48 and m.text[end - 2] != 46:
            end -= 1
        while k < end:
            if m.text[k] == 46:
                point = k
            elif first < 0 and m.text[k] != 48:
                first = k
            k += 1
        if first >= 0:
            if first > point + 4:
                return -1
            k = end - first - (1 if first < point else 0)
            if k > _MOST_DIGITS and not self._is_shortest(m, i, end, k):
                return -1
        for k in range(i, end):
            out[n] = m.text[k]
            n += 1
        return n

    def _is_shortest(self, m, i, end, digits):
        """Whether a number with so many digits is what Python writes of its float: fewer digits
        would be another one.
        """
        k: cython.int
        n: cython.int
        value: cython.double
        text = cython.declare(cython.char[48])
        if not cython.compiled:
            return repr(float(bytes(m.text[i:end]))).encode() == bytes(m.text[i:end])
        value = strtod(cython.cast(cython.p_char, cython.address(m.text[i])), cython.NULL)
        n = snprintf(text, 48, "%.*g", digits, value)
        if digits > 17 or n != end - i:
            return False
        for k in range(n):
            if cython.cast(cython.uchar, text[k]) != m.text[i + k]:
                return False
        snprintf(text, 48, "%.*g", digits - 1, value)
        return strtod(text, cython.NULL) != value


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_digit(c: cython.int) -> cython.bint:
    return 48 <= c <= 57
