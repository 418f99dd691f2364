# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""The end of a line → whether it is a text of plain words that no rule can take; compiled as
:mod:`ingest.compiled.records`.
"""

from __future__ import annotations

from array import array

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled.bars import Bars
else:
    from ingest.compiled.bars import Bars

MOST_HEADS, LONGEST_HEAD = 32, 512
# in place of the state behind a byte: it is to be asked for, a rule may take the text
UNREAD, MAYBE = -1, -2
_UNREAD = cython.declare(cython.int, UNREAD)
_MOST_TRIED = cython.declare(cython.int, 8 << 10)  # bytes of a line: of longer ones rules see less
# what stands in a text of plain words: 1 anywhere, 2 not at its beginning, 0 nowhere
_PLAIN = bytes(
    1 if c >= 128 or chr(c).isalnum() or c in b"'_" else 2 if c in b"!,.?-" else 0
    for c in range(256)
)


class Texts(Bars):
    """Knows ``n_heads`` masks of lines' beginnings behind which a text stands, ``head_ends`` in
    ``head_bytes``, and those lengths of masks that any of them has (``of_length``).

    ``steps`` int32[s, 256] are the states that a text's bytes lead to, from that of its head in
    ``roots``; 0 leads nowhere else. In some (``last`` uint8[s]) a rule takes what ends there. A
    step that is ``unread`` is asked for: ``read_on(state, byte)``.
    """

    def __init__(self, mode):
        Bars.__init__(self, mode)
        self.n_heads = 0
        self.head_bytes = bytearray(MOST_HEADS * LONGEST_HEAD)
        self.head_ends = array("i", [0] * (MOST_HEADS + 1))
        self.of_length = bytearray(LONGEST_HEAD + 1)
        self.roots = array("i", [0] * MOST_HEADS)
        self.classes = bytearray(_PLAIN)
        self.read_on = None
        self.unread = False
        self.state = self.byte = 0

    def know_heads(self, heads, roots, steps, last, read_on):
        """Know these heads from now on."""
        end = 0
        for k in range(len(heads)):
            for c in heads[k]:
                self.head_bytes[end] = c
                end += 1
            self.head_ends[k + 1] = end
            self.roots[k] = roots[k]
            self.of_length[len(heads[k])] = 1
        self.steps, self.last, self.read_on = steps, last, read_on
        self.n_heads = len(heads)

    def _is_plain(self, i):
        """Whether the text from a place on is plain words: it begins with one and ends with no
        space or hyphen, no two spaces stand side by side, no space behind a hyphen; it is UTF-8.
        """
        n: cython.int = self.n
        c: cython.int = 32
        before: cython.int = 32
        if i >= n or n > _MOST_TRIED or self.classes[self.text[i]] != 1:
            return False
        while i < n:
            c = self.text[i]
            if c >= 128:
                i = self._character_end(i)
                if i < 0:
                    return False
            else:
                if self.classes[c] == 0 and (c != 32 or before == 32 or before == 45):
                    return False
                i += 1
            before = c
        return c != 32 and c != 45

    def _character_end(self, i):
        """Where the character beyond ASCII ends that begins at a place; -1 where there is none."""
        c: cython.int = self.text[i]
        least: cython.int = 0x80
        most: cython.int = 0xBF
        more: cython.int
        if 0xC2 <= c <= 0xDF:
            more = 1
        elif 0xE0 <= c <= 0xEF:
            more = 2
            if c == 0xE0:
                least = 0xA0
            elif c == 0xED:
                most = 0x9F
        elif 0xF0 <= c <= 0xF4:
            more = 3
            if c == 0xF0:
                least = 0x90
            elif c == 0xF4:
                most = 0x8F
        else:
            return -1
        if i + more >= self.n:
            return -1
        if not least <= self.text[i + 1] <= most:
            return -1
        if more > 1 and not 0x80 <= self.text[i + 2] <= 0xBF:
            return -1
        if more > 2 and not 0x80 <= self.text[i + 3] <= 0xBF:
            return -1
        return i + more + 1

    def _is_nobodys(self, i, state):
        """Whether no rule takes the text from a place on, behind a head of this state; a step may
        be ``unread``.
        """
        to: cython.int
        while i < self.n and state > 0:
            to = self.steps[state, self.text[i]]
            if to < 0:
                self.unread = to == _UNREAD
                self.state = state
                self.byte = self.text[i]
                return False
            state = to
            i += 1
        return self.last[state] == 0
