# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A line's text → its mask: the text with a mark for every number; compiled as
:mod:`ingest.compiled.records`.

Two lines of one mask differ in their numbers alone, and in a text of plain words at their end that
no rule takes, where it stands behind a head that is known. In a line that holds a request
(``"POST /tts HTTP/1.1"``) the path, the query, and words in later quotes have marks, too, and so
have ids and the stamp in brackets: its mask is what its server's format makes of any request.
"""

from __future__ import annotations

from array import array

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled.moments import (
        date_at,
        day_of,
        digits_at,
        instant_of,
        micros_at,
        second_at,
        two,
        zone_at,
    )
    from cython.cimports.ingest.compiled.texts import Texts
    from cython.cimports.libc.string import memchr, memcpy
else:
    from ingest.compiled.moments import (
        date_at,
        day_of,
        digits_at,
        instant_of,
        micros_at,
        second_at,
        two,
        zone_at,
    )
    from ingest.compiled.texts import Texts
from ingest.compiled.moments import NONE
from ingest.compiled.texts import LONGEST_HEAD

COMPILED = cython.compiled
LONGEST_MASK, MOST_TOKENS = 2048, 48
# marks: a whole number; one with a fraction, and then the length of this; an IPv4 address; date and
# time of day at the text's beginning
INT, DECIMAL, ADDRESS, STAMP, FRACTION = 1, 2, 3, 4, 16
TEXT = 13  # behind a known head, up to the line's end
# marks of a line with a request: a path, and then its kind; a query; words in quotes, and words
# that begin with an address of the web; an address of IPv6; 32 hexadecimal digits; a UUID; date and
# time of day in brackets, and then whether a zone is among them; a name with digits in it
PATH, QUERY, WORDS, PLACE, ADDRESS_6, HEX, UUID, BOXED, NAME = 5, 6, 7, 8, 11, 12, 14, 15, 26
KIND, ZONED = 27, 31  # 27 to 30 are kinds of paths
MOST_PATHS, MOST_KINDS = 8192, 4
_INT = cython.declare(cython.int, INT)
_DECIMAL = cython.declare(cython.int, DECIMAL)
_ADDRESS = cython.declare(cython.int, ADDRESS)
_STAMP = cython.declare(cython.int, STAMP)
_FRACTION = cython.declare(cython.int, FRACTION)
_TEXT = cython.declare(cython.int, TEXT)
_LONGEST_HEAD = cython.declare(cython.int, LONGEST_HEAD)
_PATH = cython.declare(cython.int, PATH)
_QUERY = cython.declare(cython.int, QUERY)
_WORDS = cython.declare(cython.int, WORDS)
_PLACE = cython.declare(cython.int, PLACE)
_ADDRESS_6 = cython.declare(cython.int, ADDRESS_6)
_HEX = cython.declare(cython.int, HEX)
_UUID = cython.declare(cython.int, UUID)
_BOXED = cython.declare(cython.int, BOXED)
_NAME = cython.declare(cython.int, NAME)
_KIND = cython.declare(cython.int, KIND)
_ZONED = cython.declare(cython.int, ZONED)
_MOST_PATHS = cython.declare(cython.int, MOST_PATHS)
_PATH_TABLE = cython.declare(cython.int, 2 * MOST_PATHS - 1)
_PATH_ROOM = cython.declare(cython.int, 1 << 20)  # bytes of paths
_NO_ZONE = cython.declare(cython.int, NONE)
_LONGEST_MASK = cython.declare(cython.int, LONGEST_MASK)
_MOST_TOKENS = cython.declare(cython.int, MOST_TOKENS)
# digits of a number before and behind its point
_MOST_WHOLE = cython.declare(cython.int, 9)
_MOST_FRACTION = cython.declare(cython.int, 9)
_WORD = (1 << 64) - 1


class Masker(Texts):
    """The mask of one line at a time.

    ``mask[:length]`` is that of the text, with ``hash`` (0 without any); ``starts`` and ``ends``
    are the spans of its ``n_tokens`` numbers and other marked parts, ``marks`` what these are,
    ``wholes`` how many digits numbers have before a point. The stamp of a ``dated`` text says
    ``local`` (microseconds in no known zone), or ``zoned``: the instant itself. ``lacks``: there is
    no mask because the path's kind is unknown, for which ``tell(path)`` is asked, or what a byte of
    a text leads to.
    """

    def __init__(self, mode):
        Texts.__init__(self, mode)
        self.mask = bytearray(LONGEST_MASK + 8)
        self.starts = array("i", [0] * MOST_TOKENS)
        self.ends = array("i", [0] * MOST_TOKENS)
        self.wholes = array("i", [0] * MOST_TOKENS)
        self.marks = array("i", [0] * MOST_TOKENS)
        self.length = self.n_tokens = 0
        self.local = 0
        self.zoned = self.lacks = False
        self.hash = 0
        self.told = 0
        self.quote = self.path_at = self.path_end = self.target_end = self.asked_end = 0
        self.tell = None
        self.path_slots = array("i", [-1] * (2 * MOST_PATHS))
        self.path_ends = array("i", [0] * (MOST_PATHS + 1))
        self.path_kinds = bytearray(MOST_PATHS)
        self.path_bytes = bytearray(1 << 20)
        self.n_paths = 0

    def taken(self):
        """The mask at hand, and the spans of its marked parts."""
        spans = [(self.starts[i], self.ends[i]) for i in range(self.n_tokens)]
        return bytes(self.mask[: self.length]), spans

    def of(self, text):
        """The mask of a text without an envelope, and the spans of its numbers; None without any
        mask.
        """
        if not self._copied(text or b"\0", 0, len(text)):
            return None
        while not self.shape():
            if not self.lacks or not self.learn():
                return None
        return self.taken()

    def marked(self):
        """The marks of the last mask's parts."""
        return [self.marks[i] for i in range(self.n_tokens)]

    def is_asked(self):
        """Whether the last text holds a request."""
        return self.quote >= 0

    def ask_of_paths(self, tell):
        """Forget the kinds of paths; ``tell`` knows them from now on, None where there are none."""
        self.tell = tell
        self._forget_paths()

    def _forget_paths(self):
        self.n_paths = 0
        for i in range(2 * MOST_PATHS):
            self.path_slots[i] = -1

    def has_text(self):
        """Whether the mask at hand ends with a text."""
        return self.n_tokens > 0 and self.marks[self.n_tokens - 1] == TEXT

    def learn(self):
        """Learn what the last text lacked; whether that was possible."""
        if self.unread:
            self.read_on(self.state, self.byte)
            return True
        return self.learn_path()

    def learn_path(self):
        """Learn the kind of the path that the last text has; whether there is one."""
        path = bytes(self.text[self.path_at : self.path_end])
        kind = self.tell(path.decode()) if self.tell is not None else -1
        if not 0 <= kind < MOST_KINDS or len(path) > (1 << 16):
            return False
        end: cython.int = self.path_ends[self.n_paths]
        if self.n_paths >= MOST_PATHS or end + len(path) > (1 << 20):
            self._forget_paths()
            end = 0
        for k in range(len(path)):
            self.path_bytes[end + k] = path[k]
        slot: cython.int = self._path_slot()
        self.path_slots[slot] = self.n_paths
        self.path_kinds[self.n_paths] = kind
        self.n_paths += 1
        self.path_ends[self.n_paths] = end + len(path)
        return True

    # masks

    def is_braced(self):
        """Whether the text stands in braces, as a JSON object does."""
        return self.n > 1 and self.text[0] == 123 and self.text[self.n - 1] == 125

    def shape(self):
        """Make the mask of the text; False where it has none."""
        i: cython.int = 0
        k: cython.int
        n: cython.int = self.n
        c: cython.int
        quoted: cython.bint = False
        self.length = 0
        self.n_tokens = 0
        self.zoned = self.lacks = self.unread = False
        self.told = 0
        self.hash = 0
        self._request()
        i = self._own_stamp()
        self.dated = self.leads = i > 0
        while i < n:
            if self.length + 24 > _LONGEST_MASK:
                return False
            c = self.text[i]
            if self.n_heads > 0 and self.length <= _LONGEST_HEAD and self._has_text(i):
                self._put(_TEXT)
                self._token(_TEXT, i, n)
                break
            if self.unread:
                self.lacks = True
                return False
            if self.quote >= 0:
                k = self._part(i)
                if k < 0:
                    return False
                if k > i:
                    i = k
                    continue
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
        self.hashed()
        return True

    def _has_text(self, i):
        """Whether what stands at a place, behind the mask at hand, is a text that no rule takes."""
        k: cython.int
        start: cython.int = 0
        if self.of_length[self.length] == 0 or self.quote >= 0 or self.n_tokens >= _MOST_TOKENS:
            return False
        for k in range(self.n_heads):
            if self.head_ends[k + 1] - start == self.length and self._is_behind(start):
                return self._is_plain(i) and self._is_nobodys(i, self.roots[k])
            start = self.head_ends[k + 1]
        return False

    def _is_behind(self, start):
        """Whether the mask at hand is the head that begins at a place."""
        k: cython.int
        for k in range(self.length):
            if self.mask[k] != self.head_bytes[start + k]:
                return False
        return True

    def hashed(self):
        """Hash the mask, eight bytes at once where it is compiled: it is compared nowhere else."""
        i: cython.int
        k: cython.int
        n: cython.int = self.length
        word: cython.ulonglong = 0
        h: cython.ulonglong = cython.cast(cython.ulonglong, 0xCBF29CE484222325)
        if cython.compiled:
            src: cython.p_uchar = cython.address(self.mask[0])
            for k in range(8):
                src[n + k] = 0  # there is room for it
            i = 0
            while i < n:
                memcpy(cython.address(word), src + i, 8)
                h = (h ^ word) * cython.cast(cython.ulonglong, 0x9E3779B97F4A7C15)
                h = h ^ (h >> 32)
                i += 8
        else:
            for i in range(n):
                h = ((h ^ self.mask[i]) * 0x100000001B3) & _WORD
        self.hash = h

    def _is_part(self, i):
        """Whether a number is part of a name: of a word, or a line of a program's file behind a
        stamp.
        """
        k: cython.int = i + 1
        if i == 0:
            return False
        if _is_letter(self.text[i - 1]):
            return True
        if not self.leads or self.text[i - 1] != 58 or not _is_letter(self.text[i - 2]):
            return False
        while k < self.n and _is_digit(self.text[k]):
            k += 1
        return k < self.n and (self.text[k] == 32 or self.text[k] == 93 or self.text[k] == 41)

    def _own_stamp(self):
        """Mark a stamp ``2026-03-02 10:00:00,123`` at the text's beginning; where it ends, or 0.

        None is one with a zone, or with what may be one behind it.
        """
        k: cython.int = 0
        i: cython.int = 19
        at: cython.longlong
        if self.n < 22 or self.text[4] != 45 or self.text[13] != 58:
            return 0
        if self.text[10] != 32 and self.text[10] != 84:
            return 0
        at = instant_of(date_at(self.text, 0), second_at(self.text, 11))
        if at < 0:
            return 0
        if self.text[i] == 44 or self.text[i] == 46:
            k = digits_at(self.text, i + 1, self.n)
            if k == 0 or k > 9:
                return 0
            at += micros_at(self.text, i + 1, k)
            i += 1 + k
        if i + 2 >= self.n or self.text[i] != 32:
            return 0
        if not _may_follow(self.text[i + 1], self.text[i + 2]):
            return 0
        self._put(_STAMP)
        self._put(self.text[10])
        if k > 0:
            self._put(self.text[19])
        self._put(_FRACTION + k)
        self.local = at
        self._token(_STAMP, 0, i)
        self.wholes[0] = i
        return i

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
        # so is the first that stands alone before one, and the first behind one
        if groups == 1 and first == 3 and self.quote >= 0 and i > 0 and self._is_alone(i, end):
            k = 1 if i < self.quote else 2
            if not self.told & k:
                groups = 6
        if groups == 6 and first == 3 and end - i == 3:
            self.told |= 1 if i < self.quote else 2
        if groups == 1 and first <= 15:
            self._put(_INT)
            self._token(_INT, i, end)
        elif groups == 2 and first <= _MOST_WHOLE and end - j - 1 <= _MOST_FRACTION:
            self._put(_DECIMAL)
            self._put(_FRACTION + end - j - 1)
            self._token(_DECIMAL, i, end)
        elif groups == 4 and widest <= 3:
            self._put(_ADDRESS)
            self._token(_ADDRESS, i, end)
        else:
            if self.length + end - i + 24 > _LONGEST_MASK:
                return -1
            for k in range(i, end):
                self._put(self.text[k])
            return end
        self.wholes[self.n_tokens - 1] = first
        return end

    def _is_alone(self, i, end):
        """Whether spaces or quotes stand around a stretch."""
        if self.text[i - 1] != 32 and self.text[i - 1] != 34:
            return False
        return end >= self.n or self.text[end] == 32 or self.text[end] == 34

    def _token(self, mark, start, end):
        """Note a marked part of the text; there is room for it."""
        self.starts[self.n_tokens] = start
        self.ends[self.n_tokens] = end
        self.marks[self.n_tokens] = mark
        self.wholes[self.n_tokens] = 0
        self.n_tokens += 1

    # lines with a request

    def _request(self):
        """Find the quote before a request line, and the request's parts; -1 where there is none."""
        i: cython.int = self._next_quote(0)
        self.quote = -1
        while i >= 0:
            if self._is_request(i + 1):
                self.quote = i
                return
            i = self._next_quote(i + 1)

    def _next_quote(self, i):
        """Where the first quote from a place on stands, or -1."""
        if i >= self.n:
            return -1
        if cython.compiled:
            base: cython.p_uchar = cython.address(self.text[0])
            found: cython.p_const_uchar = cython.cast(
                cython.p_const_uchar, memchr(base + i, 34, self.n - i)
            )
            return cython.cast(cython.int, found - base) if found != cython.NULL else -1
        while i < self.n:
            if self.text[i] == 34:
                return i
            i += 1
        return -1

    def _is_request(self, i):
        """Whether ``METHOD /path?query PROTOCOL"`` stands at a place."""
        n: cython.int = self.n
        k: cython.int = i
        while k < n and 65 <= self.text[k] <= 90:
            k += 1
        if k - i < 3 or k - i > 20 or k + 2 >= n or self.text[k] != 32 or self.text[k + 1] != 47:
            return False
        k += 1
        self.path_at = k
        while k < n and self._is_asked_for(k) and self.text[k] != 63:
            k += 1
        self.path_end = k
        while k < n and self._is_asked_for(k):
            k += 1
        self.target_end = k
        if k >= n or self.text[k] != 32:
            return False
        i = k = k + 1
        while k < n and (
            _is_digit(self.text[k]) or 65 <= self.text[k] <= 90 or 46 <= self.text[k] <= 47
        ):
            k += 1
        self.asked_end = k + 1
        return i < k <= i + 10 and k < n and self.text[k] == 34

    def _is_asked_for(self, k):
        """Whether a byte is one of a path or query that is read as it stands."""
        c: cython.int = self.text[k]
        if c == 35 and k + 1 < self.n and self.text[k + 1] == 48:
            return False  # rsyslog's #033
        return 33 <= c < 127 and c != 34 and c != 92

    def _part(self, i):
        """Mark the part of a line with a request that begins at a place: where it ends, the place
        itself where none does, -1 where the line has no mask.
        """
        c: cython.int = self.text[i]
        if self.n_tokens + 4 > _MOST_TOKENS:
            return -1
        if i == self.quote:
            return self._asked()
        if i > self.quote and c == 34:
            return self._quoted(i)
        if c == 91 and i < self.quote and not self.dated:
            return self._boxed(i)
        if i == 0 or self._is_gap(i - 1):
            return self._word(i)
        return i

    def _is_gap(self, i):
        """Whether what stands at a place ends a word."""
        c: cython.int = self.text[i]
        return c == 32 or c == 34 or c == 61 or c == 91 or c == 93 or c == 44 or c == 124

    def _asked(self):
        """Mark the request line with its quotes."""
        k: cython.int
        kind: cython.int
        slot: cython.int
        if self.path_at - self.quote + self.length + 64 > _LONGEST_MASK:
            return -1
        for k in range(self.quote, self.path_at):
            self._put(self.text[k])
        slot = self._path_slot()
        if self.path_slots[slot] < 0:
            self.lacks = True
            return -1
        kind = self.path_kinds[self.path_slots[slot]]
        self._put(_PATH)
        self._put(_KIND + kind)
        self._token(_PATH, self.path_at, self.path_end)
        k = self.path_end
        if k < self.target_end:
            self._put(63)
            k += 1
            if k < self.target_end:
                self._put(_QUERY)
                self._token(_QUERY, k, self.target_end)
                k = self.target_end
        while k < self.asked_end:
            self._put(self.text[k])
            k += 1
        return k

    def _path_slot(self):
        """The slot of the table in which the path is, or a free one."""
        i: cython.int
        k: cython.int
        number: cython.int
        length: cython.int = self.path_end - self.path_at
        start: cython.int
        h: cython.uint = 2166136261
        for i in range(self.path_at, self.path_end):
            if cython.compiled:
                h = (h ^ self.text[i]) * cython.cast(cython.uint, 16777619)
            else:
                h = ((h ^ self.text[i]) * 16777619) & 0xFFFFFFFF
        slot: cython.int = h & _PATH_TABLE
        while self.path_slots[slot] >= 0:
            number = self.path_slots[slot]
            start = self.path_ends[number]
            if self.path_ends[number + 1] - start == length:
                k = 0
                while k < length and self.path_bytes[start + k] == self.text[self.path_at + k]:
                    k += 1
                if k == length:
                    return slot
            slot = (slot + 1) & _PATH_TABLE
        return slot

    def _quoted(self, i):
        """Mark what stands in quotes at a place: words, an id, numbers; else it stays as it is."""
        end: cython.int = i + 1
        k: cython.int
        c: cython.int
        plain: cython.bint = True
        mark: cython.int
        while end < self.n and self.text[end] != 34:
            c = self.text[end]
            if c < 32 or c >= 127 or c == 92:
                return -1
            if c == 35 and self.text[end + 1] == 48:
                return -1
            if not _is_digit(c) and not (44 <= c <= 46 or c == 58 or c == 32):
                plain = False
            end += 1
        if end >= self.n:
            return -1
        self._put(34)
        mark = self._words(i + 1, end)
        if mark > 0:
            self._put(mark)
            self._token(mark, i + 1, end)
        else:
            k = self._word(i + 1) if i + 1 < end else end
            if k != end:
                k = i + 1
            if self.length + end - k + 64 > _LONGEST_MASK:
                return -1
            while k < end:
                if plain and _is_digit(self.text[k]):
                    k = self._number(k)
                    if k < 0 or self.n_tokens + 4 > _MOST_TOKENS:
                        return -1
                    if self.length + end - k + 64 > _LONGEST_MASK:
                        return -1
                else:
                    self._put(self.text[k])
                    k += 1
        self._put(34)
        return end + 1

    def _words(self, i, end):
        """The mark of a stretch that begins with a word of letters, 0 where it is none.

        Two letters stand side by side, and one of them is none of a hexadecimal number's.
        """
        k: cython.int
        c: cython.int = self.text[i] | 32
        side: cython.bint = False
        beyond: cython.bint = False
        mark: cython.int = _WORDS
        if end - i < 2 or not (97 <= c <= 122):
            return 0
        for k in range(i, end):
            c = self.text[k] | 32
            if 97 <= c <= 122:
                beyond = beyond or c > 102
                side = side or (k > i and 97 <= (self.text[k - 1] | 32) <= 122)
            elif self.text[k] == 40 and end - k > 10 and self.text[k + 1] == 105:
                if self.text[k + 2] == 110 and self.text[k + 3] == 116:
                    return 0  # Apache's own connection
            elif k - i < 10 and self.text[k] == 58 and end - k > 2:
                if self.text[k + 1] == 47 and self.text[k + 2] == 47:
                    mark = _PLACE
        return mark if side and beyond else 0

    def _word(self, i):
        """Mark an id, an address of IPv6, or a name behind an equals sign, that begins at a place;
        where it ends, or the place itself.
        """
        k: cython.int = i
        c: cython.int
        hexes: cython.int = 0
        upper: cython.bint = False
        colons: cython.int = 0
        dashes: cython.int = 0
        digits: cython.int = 0
        letters: cython.int = 0
        first: cython.int = -1
        dots: cython.int = 0
        while k < self.n and k - i < 64:
            c = self.text[k]
            if _is_digit(c):
                digits += 1
                hexes += 1
            elif 97 <= c <= 102 or 65 <= c <= 70:
                hexes += 1
                upper = upper or c < 97
            elif c == 58:
                if colons == 0:
                    first = k - i
                colons += 1
            elif c == 46:
                dots += 1
            elif c == 45:
                if k - i == 8 or k - i == 13 or k - i == 18 or k - i == 23:
                    dashes += 1
            elif 97 <= c <= 122 or 65 <= c <= 90 or c == 95:
                c |= 32
                # of none of these words of Python's numbers: nan, inf, infinity
                if c != 97 and c != 102 and c != 105 and c != 110 and c != 116 and c != 121:
                    letters += 1 if c != 127 else 0
                hexes += 1000
            else:
                break
            k += 1
        if k < self.n and not self._is_gap(k):
            return i
        c = k - i
        if c == 32 and hexes == 32 and not upper:
            return self._marked(_HEX, i, k)
        if c == 36 and hexes == 32 and dashes == 4:
            return self._marked(_UUID, i, k)
        if i < self.quote and colons > 1 and hexes + colons + dots == c and c <= 45:
            if first > 4 or (first < 3 and _is_decimal(self.text, i, first)):
                return i
            return self._marked(_ADDRESS_6, i, k)
        if i > self.quote and i > 0 and self.text[i - 1] == 61 and c >= 6 and c < 64:
            if digits > 0 and letters > 0 and colons == 0 and dots == 0 and hexes >= 1000:
                return self._marked(_NAME, i, k)
        return i

    def _marked(self, mark, i, end):
        self._put(mark)
        self._token(mark, i, end)
        return end

    def _boxed(self, i):
        """Mark a stamp in brackets, ``[02/Mar/2026:10:00:00 +0000]`` or as ISO writes it; where it
        ends, or the place itself.
        """
        k: cython.int = 0
        n: cython.int = self.n
        begin: cython.int = i + 1
        at: cython.int
        zone: cython.int = 0
        zoned: cython.bint = False
        day: cython.longlong
        local: cython.longlong
        if n - i < 23:
            return i
        if self.text[i + 3] == 47 and self.text[i + 7] == 47:
            day = day_of(
                two(self.text, i + 8) * 100 + two(self.text, i + 10),
                self._month(i + 4),
                two(self.text, i + 1),
            )
            at = i + 12
            if self.text[at] != 58 and self.text[at] != 32:
                return i
        else:
            day = date_at(self.text, i + 1)
            at = i + 11
            if self.text[at] != 84 and self.text[at] != 32:
                return i
        local = instant_of(day, second_at(self.text, at + 1))
        if local < 0:
            return i
        i = at + 9
        if i + 1 < n and (self.text[i] == 44 or self.text[i] == 46):
            k = digits_at(self.text, i + 1, n)
            if k == 0 or k > 9:
                return begin - 1
            local += micros_at(self.text, i + 1, k)
            i += 1 + k
        if i < n and self.text[i] == 90:
            zoned = True
            i += 1
        elif i + 6 < n and (self.text[i] == 32 or self.text[i] == 43 or self.text[i] == 45):
            if self.text[i] == 32:
                i += 1
            zone = zone_at(self.text, i)
            if zone == _NO_ZONE:
                return begin - 1
            i += 6 if self.text[i + 3] == 58 else 5
            zoned = True
        if i >= n or self.text[i] != 93:
            return begin - 1
        self._put(91)
        self._put(_BOXED)
        self._put(47 if self.text[begin + 2] == 47 else 45)
        self._put(self.text[at])
        if k > 0:
            self._put(self.text[at + 9])
        self._put(_FRACTION + k)
        self.local = local
        self.dated = True
        self._token(_BOXED, begin, i)
        if zoned:
            self._put(_ZONED)
            self.zoned = True
            self.instant = local - cython.cast(cython.longlong, zone) * 60000000
        return i

    def _month(self, i):
        """The number of the month whose name's three letters stand at a place, or 0."""
        return _number_of_month(
            b"JanFebMarAprMayJunJulAugSepOctNovDec",
            self.text[i],
            self.text[i + 1],
            self.text[i + 2],
        )


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_digit(c: cython.int) -> cython.bint:
    return 48 <= c <= 57


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _number_of_month(
    names: cython.p_const_uchar, a: cython.int, b: cython.int, c: cython.int
) -> cython.int:
    """The number of the month with these three letters, or 0."""
    k: cython.int
    for k in range(12):
        if names[3 * k] == a and names[3 * k + 1] == b and names[3 * k + 2] == c:
            return k + 1
    return 0


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _is_decimal(text: cython.uchar[::1], i: cython.int, length: cython.int) -> cython.bint:
    """Whether a stretch is digits alone, and not empty."""
    k: cython.int
    for k in range(i, i + length):
        if not _is_digit(text[k]):
            return False
    return length > 0


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
def _may_follow(c: cython.int, behind: cython.int) -> cython.bint:
    """Whether what stands behind a stamp and a space cannot begin a zone."""
    if c == 45:
        return behind == 32
    return (
        c != 43 and c != 85 and c != 71 and c != 90 and c != 65 and c != 80 and c != 97 and c != 112
    )
