# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A line at hand → the values that a program takes from it, written one behind the other; compiled
as :mod:`ingest.compiled.records`.
"""

from __future__ import annotations

import cython
import numpy as np

COMPILED = cython.compiled
MOST_REGISTERS, MOST_VALUES = 96, 64
# slots: registers, then what is the line's own (place, end, instant of its envelope, name of its
# instance, the time that stands for one), then the values that a program takes from it
OFFSET, END, INSTANT, NAME, NEAR, VALUES = (MOST_REGISTERS + k for k in range(6))
_OFFSET = cython.declare(cython.int, OFFSET)
_VALUES = cython.declare(cython.int, VALUES)
# ways to take a value: a stretch of text, a number, an id made of the place, a constant, a value of
# a JSON object, a number of one to four places, the time between two instants, a value that the
# caller tells
TEXT, NUMBER, ID, CONSTANT, MEMBER, ROUNDED, BETWEEN, TOLD = range(8)
VALUE_WIDTH = 6
# kinds of numbers: to four places, as logged, whole, to three places
TIDY, REAL, WHOLE, MILLI = range(4)
_TEXT = cython.declare(cython.int, TEXT)
_NUMBER = cython.declare(cython.int, NUMBER)
_ID = cython.declare(cython.int, ID)
_MEMBER = cython.declare(cython.int, MEMBER)
_ROUNDED = cython.declare(cython.int, ROUNDED)
_BETWEEN = cython.declare(cython.int, BETWEEN)
_CONSTANT = cython.declare(cython.int, CONSTANT)
_VALUE_WIDTH = cython.declare(cython.int, VALUE_WIDTH)
_TIDY = cython.declare(cython.int, TIDY)
_WHOLE = cython.declare(cython.int, WHOLE)
_MILLI = cython.declare(cython.int, MILLI)
_FAR = cython.declare(cython.longlong, 10**15)  # microseconds: so many milliseconds a float keeps


class LineValues:
    """Values of the line that the masker has, in the slots ``fresh`` int64[n, 2]: spans of the
    bytes ``out``, of which ``n_bytes`` are taken, or a number and nothing.

    ``code`` int32[n] holds the programs, ``consts`` and ``told`` int32[2n] the spans of constants
    and of what the caller tells; with ``head`` begin ids that are made of a place.
    """

    def __init__(self, masker, objects, head):
        self.masker = masker
        self.objects = objects
        self.head = memoryview(head)
        self.fresh = np.zeros((VALUES + MOST_VALUES, 2), np.int64)
        self.code = np.zeros(1 << 16, np.int32)
        self.consts = np.zeros(2, np.int32)
        self.told = np.zeros(2 * MOST_VALUES, np.int32)
        self.n_bytes = 0

    def _values(self, at, n):
        """Take a program's values from the line; False where the line is not for it."""
        k: cython.int
        op: cython.int
        for k in range(n):
            op = self.code[at]
            if op == _NUMBER:
                if not self._number(at, k):
                    return False
            elif op == _TEXT:
                if not self._text(at, k):
                    return False
            elif op == _ID:
                self._id(k, self.fresh[_OFFSET, 0])
            elif op == _BETWEEN:
                if not self._between(
                    self.fresh[self.code[at + 1], 0], self.fresh[self.code[at + 2], 0], k
                ):
                    return False
            elif op == _MEMBER or op == _ROUNDED:
                if not self._member(at, k):
                    return False
            elif op == _CONSTANT:
                self.fresh[_VALUES + k, 0] = self.consts[2 * self.code[at + 1]]
                self.fresh[_VALUES + k, 1] = self.consts[2 * self.code[at + 1] + 1]
            else:
                self.fresh[_VALUES + k, 0] = self.told[2 * self.code[at + 1]]
                self.fresh[_VALUES + k, 1] = self.told[2 * self.code[at + 1] + 1]
            at += _VALUE_WIDTH
        return True

    def _edge(self, token, delta):
        """A place in the text: so far behind a number, or behind the text's beginning (-1)."""
        return (self.masker.ends[token] if token >= 0 else 0) + delta

    def _text(self, at, k):
        start: cython.int = self._edge(self.code[at + 1], self.code[at + 2])
        end: cython.int = self._edge(self.code[at + 3], self.code[at + 4])
        i: cython.int
        n: cython.int = self.n_bytes
        if end < start or n + end - start + 512 > self.out.shape[0]:
            return False
        self.fresh[_VALUES + k, 0] = n
        for i in range(start, end):
            self.out[n] = self.masker.text[i]
            n += 1
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1
        return True

    def _between(self, begun, ended, k):
        """Milliseconds from one instant to another, as Python writes them; False where that comes
        first, or is far.
        """
        took: cython.longlong = ended - begun
        left: cython.longlong
        n: cython.int = self.n_bytes
        i: cython.int
        digits: cython.int = 1
        if took < 0 or took >= _FAR:
            return False
        self.fresh[_VALUES + k, 0] = n
        left = took // 1000
        while left >= 10:
            left //= 10
            digits += 1
        left = took // 1000
        for i in range(digits):
            self.out[n + digits - 1 - i] = 48 + left % 10
            left //= 10
        n += digits
        i = took % 1000
        if i > 0:
            self.out[n] = 46
            self.out[n + 1] = 48 + i // 100
            self.out[n + 2] = 48 + i // 10 % 10
            self.out[n + 3] = 48 + i % 10
            n += 4
            while self.out[n - 1] == 48:
                n -= 1
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1
        return True

    def _member(self, at, k):
        """A value of a JSON object as its pair is written."""
        n: cython.int = self.n_bytes
        token: cython.int = self.code[at + 1]
        if self.code[at] == _MEMBER:
            n = self.objects.copied(self.masker, token, self.out, n)
        else:
            n = self.objects.rounded(self.masker, token, self.code[at + 2], self.out, n)
        if n < 0:
            return False
        self.fresh[_VALUES + k, 0] = self.n_bytes
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1
        return True

    def _number(self, at, k):
        """A number as Python writes it: its point moved, zeros that say nothing left out."""
        token: cython.int = self.code[at + 1]
        shift: cython.int = self.code[at + 2]
        kind: cython.int = self.code[at + 3]
        i: cython.int = self.masker.starts[token]
        end: cython.int = self.masker.ends[token]
        point: cython.int = i
        last: cython.int = end
        n: cython.int = self.n_bytes
        digits: cython.int = 0
        if self.masker.text[i] == 45:
            return False
        while point < end and self.masker.text[point] != 46:
            point += 1
        while i < point and self.masker.text[i] == 48:
            i += 1
        if kind == _WHOLE:
            if point < end:
                return False
        else:
            while last > point + 1 and self.masker.text[last - 1] == 48:
                last -= 1
            if last == point + 1:
                last = point
        if kind == _TIDY:
            if last - point - 1 - shift > 4 or point - i + shift > 10:
                return False
        elif kind == _MILLI:
            if last - point - 1 - shift > 3 or point - i + shift > 10:
                return False
        elif kind != _WHOLE and (
            (last - i > 15) or (i == point and point + 4 < last and self._is_tiny(point + 1))
        ):
            return False
        self.fresh[_VALUES + k, 0] = n
        while i < point:
            self.out[n] = self.masker.text[i]
            n += 1
            i += 1
            digits += 1
        i = point + 1
        while shift > 0:
            if i < last:
                if digits > 0 or self.masker.text[i] != 48:
                    self.out[n] = self.masker.text[i]
                    n += 1
                    digits += 1
                i += 1
            elif digits > 0:
                self.out[n] = 48
                n += 1
            shift -= 1
        if digits == 0:
            self.out[n] = 48
            n += 1
        if i < last:
            self.out[n] = 46
            n += 1
            while i < last:
                self.out[n] = self.masker.text[i]
                n += 1
                i += 1
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1
        return True

    def _is_tiny(self, i):
        """Whether a fraction begins with so many zeros that Python writes an exponent."""
        k: cython.int
        for k in range(i, i + 4):
            if self.masker.text[k] != 48:
                return False
        return True

    def _id(self, k, offset):
        """The id of a request that this line opens: the file's own beginning, and the place."""
        n: cython.int = self.n_bytes
        i: cython.int
        digits: cython.int = 0
        left: cython.longlong = offset
        self.fresh[_VALUES + k, 0] = n
        for i in range(self.head.shape[0]):
            self.out[n] = self.head[i]
            n += 1
        while left > 0 or digits == 0:
            left //= 10
            digits += 1
        n += digits
        left = offset
        for i in range(digits):
            self.out[n - 1 - i] = 48 + left % 10
            left //= 10
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1
