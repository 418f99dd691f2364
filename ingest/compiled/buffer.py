# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A chunk's bytes, and what all readers of them ask; compiled as :mod:`ingest.compiled.records`."""

from __future__ import annotations

import cython

from ingest.compiled import layout

if cython.compiled:
    from cython.cimports.libc.string import memchr


class Bytes:
    """A chunk's bytes up to ``end``; ``characters`` uint8[256]: kinds (``layout.C_…``).

    ``base`` and ``kinds`` are the same two as pointers, for loops.
    """

    def over(self, data, end):
        """Read other bytes from now on."""
        self.data = data
        self.end = end
        self.characters = layout.CHARACTERS
        if cython.compiled:
            self.base = cython.address(self.data[0])
            self.kinds = cython.address(self.characters[0])
        else:
            self.base, self.kinds = data, layout.CHARACTERS

    def find(self, byte, pos, end):
        """Where a byte stands first in a span, or -1."""
        i: cython.int = pos
        if pos >= end:
            return -1
        if cython.compiled:
            found: cython.p_const_uchar = cython.cast(
                cython.p_const_uchar, memchr(self.base + pos, byte, end - pos)
            )
            return cython.cast(cython.int, found - self.base) if found != cython.NULL else -1
        while i < end:
            if self.data[i] == byte:
                return i
            i += 1
        return -1

    def newline(self, pos):
        """Where the line at pos ends, or -1."""
        return self.find(10, pos, self.end)

    def starts(self, pos, stop, word, length):
        """Whether a span begins with a word of so many bytes."""
        i: cython.int
        if stop - pos < length:
            return False
        for i in range(length):
            if self.data[pos + i] != word[i]:
                return False
        return True

    def number(self, pos, stop, n):
        """The n-digit number at pos, or -1."""
        value: cython.int = 0
        k: cython.int
        if stop - pos < n:
            return -1
        for k in range(n):
            if not (48 <= self.data[pos + k] <= 57):
                return -1
            value = value * 10 + self.data[pos + k] - 48
        return value

    def trim_cr(self, line, end):
        """The end of a line without its carriage return."""
        return end - 1 if end > line and self.data[end - 1] == 13 else end

    def skip_fill(self, line, end):
        """The start of a line behind NUL bytes."""
        i: cython.int = line
        while i < end and self.data[i] == 0:
            i += 1
        return i

    def stamp_from(self, pos, end):
        """Where ``2026-03-02 10:00:00,123`` or ``….123`` stands first in a span, or -1."""
        colon: cython.int = self.find(58, pos + 13, end)
        p: cython.int
        while colon >= 0 and colon + 10 <= end:
            p = colon - 13
            if self.data[colon + 3] == 58 and self.data[p + 4] == 45 and self.data[p + 7] == 45:
                if self.data[p + 10] == 32 or self.data[p + 10] == 84:
                    if self.data[p + 19] == 44 or self.data[p + 19] == 46:
                        if self.number(p, end, 4) >= 0 and self.number(p + 20, end, 3) >= 0:
                            return p
            colon = self.find(58, colon + 1, end)
        return -1
