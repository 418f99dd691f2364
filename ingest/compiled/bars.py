# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A line's text → whether it is nothing but progress bars; compiled as
:mod:`ingest.compiled.records`.
"""

from __future__ import annotations

from array import array

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled.envelopes import Envelopes
    from cython.cimports.libc.string import memcmp, memcpy
else:
    from ingest.compiled.envelopes import Envelopes

_MOST_HEADS = cython.declare(cython.int, 64)  # bars of a line whose beginnings are remembered
_LONGEST_HEAD = cython.declare(cython.int, 256)


class Bars(Envelopes):
    """Tells lines of bars. ``heads`` are the beginnings of the bars that came last, by their number
    in a line: there is room for 256 bytes of each, of which ``head_sizes`` are taken. ``is_full``:
    the last bar of the line at hand has all of its total, as ``heads_full`` of these.
    """

    def __init__(self, mode):
        Envelopes.__init__(self, mode)
        self.heads = bytearray(64 * 256)
        self.head_sizes = array("i", [0] * 64)
        self.heads_full = array("i", [0] * 64)
        self.is_full = False

    def is_run_of_bars(self, text):
        """Whether a text is nothing but progress bars."""
        return bool(self._copied(text or b"\0", 0, len(text)) and self.is_bars())

    def ends_full(self):
        """Whether the last bar of the text that was asked about last is full."""
        return bool(self.is_full)

    def is_bars(self):
        """Whether the text is nothing but tqdm's bars, each behind a carriage return."""
        i: cython.int = 0
        bars: cython.int = 0
        while i < self.n:
            if self.text[i] == 13:
                i += 1
                continue
            i = self._bar(i, bars)
            if i < 0:
                return False
            bars += 1
            while i < self.n and self.text[i] == 32:
                i += 1
            if i < self.n and self.text[i] != 13:
                return False
        return bars > 0

    def _bar(self, i, number):
        """Where the bar at a place ends, or -1: ``NN%|██  | n/of [mm:ss<…]``, the so manieth of its
        line.
        """
        k: cython.int
        n: cython.int = self.n
        src: cython.p_uchar = cython.address(self.text[0]) if cython.compiled else self.text
        i = self._bar_head(i, number)
        if i < 0:
            return -1
        k = i
        while i < n and (48 <= src[i] <= 57 or src[i] == 58):
            i += 1
        if i - k < 2 or i - k > 12 or i >= n or src[i] != 60:
            return -1
        i += 1
        k = i + 80 if i + 80 < n else n - 1
        while i < k and src[i] != 93 and 32 <= src[i] < 127:
            i += 1
        if i >= n or src[i] != 93:
            return -1
        return i + 1

    def _bar_head(self, i, number):
        """Where what stands before a bar's times ends, or -1: as a rule, that is as it was in the
        bar of this number that came last.
        """
        begin: cython.int = i
        of: cython.int
        k: cython.int
        n: cython.int = self.n
        src: cython.p_uchar = cython.address(self.text[0]) if cython.compiled else self.text
        if cython.compiled:
            if number < _MOST_HEADS:
                k = self.head_sizes[number]
                if 0 < k <= n - i and (
                    memcmp(src + i, cython.address(self.heads[number * _LONGEST_HEAD]), k) == 0
                ):
                    self.is_full = self.heads_full[number] != 0
                    return i + k
        while i < n and src[i] == 32:
            i += 1
        k = i
        while i < n and 48 <= src[i] <= 57:
            i += 1
        if i == k or i - k > 5 or i + 2 > n or src[i] != 37 or src[i + 1] != 124:
            return -1
        i += 2
        k = i
        while i < n and src[i] != 124:
            if src[i] == 0xE2:
                if i + 2 >= n or src[i + 1] != 0x96 or not 0x80 <= src[i + 2] <= 0x9F:
                    return -1
                i += 3
            elif src[i] == 32 or src[i] == 35:
                i += 1
            else:
                return -1
        if i >= n or i - k > 400:
            return -1
        i += 1
        while i < n and src[i] == 32:
            i += 1
        k = i
        while i < n and 48 <= src[i] <= 57:
            i += 1
        if i == k or i >= n or src[i] != 47:
            return -1
        i += 1
        of = i
        while i < n and 48 <= src[i] <= 57:
            i += 1
        if i == of or i + 1 >= n or src[i] != 32 or src[i + 1] != 91:
            return -1
        self.is_full = i - of == of - 1 - k
        while self.is_full and of < i:
            self.is_full = src[k] == src[of]
            k += 1
            of += 1
        i += 2
        if cython.compiled:
            if number < _MOST_HEADS and i - begin <= _LONGEST_HEAD:
                memcpy(cython.address(self.heads[number * _LONGEST_HEAD]), src + begin, i - begin)
                self.head_sizes[number] = i - begin
                self.heads_full[number] = self.is_full
        return i
