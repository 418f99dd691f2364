# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""A service's line → its text without the envelope, and its mask: the text with a mark for every
number; compiled as :mod:`ingest.compiled.records`.

Two lines of one mask differ in their numbers alone. In a line that holds a request
(``"POST /tts HTTP/1.1"``) the path, the query, and words in later quotes have marks, too, and so
have ids and the stamp in brackets: its mask is what its server's format makes of any request. Of
each envelope only the usual spelling is taken; whatever else a line may be, ``enter`` leaves it to
the general path.
"""

from __future__ import annotations

from array import array

import cython

if cython.compiled:
    from cython.cimports.libc.string import memchr, memcmp, memcpy

COMPILED = cython.compiled
BARE, COMPOSE, JSON_FILE, CRI = 0, 1, 2, 3  # modes: the one envelope that a file's lines have
LONGEST, LONGEST_MASK, MOST_TOKENS = 32 << 10, 2048, 48
# marks: a whole number; one with a fraction, and then the length of this; an IPv4 address; date and
# time of day at the text's beginning
INT, DECIMAL, ADDRESS, STAMP, FRACTION = 1, 2, 3, 4, 16
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
_COMPOSE = cython.declare(cython.int, COMPOSE)
_JSON_FILE = cython.declare(cython.int, JSON_FILE)
_CRI = cython.declare(cython.int, CRI)
_LONGEST = cython.declare(cython.int, LONGEST)
_LONGEST_MASK = cython.declare(cython.int, LONGEST_MASK)
_MOST_TOKENS = cython.declare(cython.int, MOST_TOKENS)
# digits of a number before and behind its point
_MOST_WHOLE = cython.declare(cython.int, 9)
_MOST_FRACTION = cython.declare(cython.int, 9)
_MOST_HEADS = cython.declare(cython.int, 64)  # bars of a line whose beginnings are remembered
_LONGEST_HEAD = cython.declare(cython.int, 256)
_WORD = (1 << 64) - 1


class Masker:
    """The mask of one line at a time.

    ``text[:n]`` is the line without its envelope, ``mask[:length]`` its mask with ``hash``;
    ``starts`` and ``ends`` are the spans of its ``n_tokens`` numbers and other marked parts,
    ``marks`` what these are, ``wholes`` how many digits numbers have before a point. ``instance``
    is the number of the prefix that the line has, ``instant`` its envelope's (microseconds UTC);
    ``wide``: not all of the line is ASCII;
    ``dated``: the text has a stamp, which says ``local`` (microseconds in no known zone), or
    ``zoned``: the instant itself. ``lacks``: there is no mask because the path's kind is unknown;
    ``tell(path)`` is asked for it. ``prefixes`` of compose stand behind each other, up to
    ``prefix_ends``.
    """

    def __init__(self, mode):
        self.mode = mode
        self.text = bytearray(LONGEST + 8)
        self.mask = bytearray(LONGEST_MASK + 8)
        self.starts = array("i", [0] * MOST_TOKENS)
        self.ends = array("i", [0] * MOST_TOKENS)
        self.wholes = array("i", [0] * MOST_TOKENS)
        self.marks = array("i", [0] * MOST_TOKENS)
        self.n = self.length = self.n_tokens = self.instance = 0
        self.wide = False
        self.instant = self.local = 0
        self.dated = self.zoned = self.lacks = False
        self.hash = 0
        self.told = 0
        self.quote = self.path_at = self.path_end = self.target_end = self.asked_end = 0
        self.tell = None
        self.path_slots = array("i", [-1] * (2 * MOST_PATHS))
        self.path_ends = array("i", [0] * (MOST_PATHS + 1))
        self.path_kinds = bytearray(MOST_PATHS)
        self.path_bytes = bytearray(1 << 20)
        self.n_paths = 0
        self.heads = bytearray(64 * 256)
        self.head_sizes = array("i", [0] * 64)
        self.know(())

    def take(self, text):
        """Take a text without an envelope; whether there was room for it."""
        return bool(self._copied(text or b"\0", 0, len(text)))

    def taken(self):
        """The mask at hand, and the spans of its marked parts."""
        spans = [(self.starts[i], self.ends[i]) for i in range(self.n_tokens)]
        return bytes(self.mask[: self.length]), spans

    def piece(self, start, end):
        """A stretch of the text."""
        return bytes(self.text[start:end])

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
        if not self._copied(text or b"\0", 0, len(text)):
            return None
        while not self.shape():
            if not self.lacks or not self.learn_path():
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
        if year < 1970 or month < 1 or month > 12 or day < 1 or day > days_of(year, month):
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
        self.instant = micros(day_number(year, month, day), hour, minute, second) + fraction
        return i + 1

    def is_braced(self):
        """Whether the text stands in braces, as a JSON object does."""
        return self.n > 1 and self.text[0] == 123 and self.text[self.n - 1] == 125

    # progress bars

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
        k: cython.int
        n: cython.int = self.n
        src: cython.p_uchar = cython.address(self.text[0]) if cython.compiled else self.text
        if cython.compiled:
            if number < _MOST_HEADS:
                k = self.head_sizes[number]
                if 0 < k <= n - i and (
                    memcmp(src + i, cython.address(self.heads[number * _LONGEST_HEAD]), k) == 0
                ):
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
        k = i
        while i < n and 48 <= src[i] <= 57:
            i += 1
        if i == k or i + 1 >= n or src[i] != 32 or src[i + 1] != 91:
            return -1
        i += 2
        if cython.compiled:
            if number < _MOST_HEADS and i - begin <= _LONGEST_HEAD:
                memcpy(cython.address(self.heads[number * _LONGEST_HEAD]), src + begin, i - begin)
                self.head_sizes[number] = i - begin
        return i

    # masks

    def shape(self):
        """Make the mask of the text; False where it has none."""
        i: cython.int = 0
        k: cython.int
        n: cython.int = self.n
        c: cython.int
        quoted: cython.bint = False
        self.length = 0
        self.n_tokens = 0
        self.zoned = self.lacks = False
        self.told = 0
        self.hash = 0
        self._request()
        i = self._own_stamp()
        self.dated = self.leads = i > 0
        while i < n:
            if self.length + 24 > _LONGEST_MASK:
                return False
            c = self.text[i]
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
        if year < 1970 or month < 1 or month > 12 or day < 1 or day > days_of(year, month):
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
        self.local = micros(day_number(year, month, day), hour, minute, second) + fraction
        self._token(_STAMP, 0, i)
        self.wholes[0] = i
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
        year: cython.int
        month: cython.int
        day: cython.int
        hour: cython.int
        minute: cython.int
        second: cython.int
        k: cython.int = 0
        n: cython.int = self.n
        begin: cython.int = i + 1
        at: cython.int
        zone: cython.int = 0
        zoned: cython.bint = False
        fraction: cython.longlong = 0
        if n - i < 23:
            return i
        if self.text[i + 3] == 47 and self.text[i + 7] == 47:
            day = self._two(i + 1)
            month = self._month(i + 4)
            year = self._two(i + 8) * 100 + self._two(i + 10)
            at = i + 12
            if self.text[at] != 58 and self.text[at] != 32:
                return i
        elif self.text[i + 5] == 45 and self.text[i + 8] == 45:
            year = self._two(i + 1) * 100 + self._two(i + 3)
            month = self._two(i + 6)
            day = self._two(i + 9)
            at = i + 11
            if self.text[at] != 84 and self.text[at] != 32:
                return i
        else:
            return i
        hour = self._two(at + 1)
        minute = self._two(at + 4)
        second = self._two(at + 7)
        if self.text[at + 3] != 58 or self.text[at + 6] != 58:
            return i
        if year < 1970 or month < 1 or month > 12 or day < 1 or day > days_of(year, month):
            return i
        if hour < 0 or hour > 23 or minute < 0 or minute > 59 or second < 0 or second > 59:
            return i
        i = at + 9
        if i + 1 < n and (self.text[i] == 44 or self.text[i] == 46):
            i += 1
            while i < n and _is_digit(self.text[i]):
                if k < 6:
                    fraction = fraction * 10 + self.text[i] - 48
                k += 1
                i += 1
            if k == 0 or k > 9:
                return begin - 1
        if i < n and self.text[i] == 90:
            zoned = True
            i += 1
        elif i + 6 < n and (self.text[i] == 32 or self.text[i] == 43 or self.text[i] == 45):
            if self.text[i] == 32:
                i += 1
            if self.text[i] != 43 and self.text[i] != 45:
                return begin - 1
            zone = self._two(i + 1) * 60
            if self.text[i + 3] == 58:
                zone += self._two(i + 4)
            else:
                zone += self._two(i + 3)
            if zone < 0 or zone > 900:
                return begin - 1
            if self.text[i] == 45:
                zone = -zone
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
        while k < 6:
            fraction *= 10
            k += 1
        self.local = micros(day_number(year, month, day), hour, minute, second) + fraction
        self.dated = True
        self._token(_BOXED, begin, i)
        if zoned:
            self._put(_ZONED)
            self.zoned = True
            self.instant = self.local - cython.cast(cython.longlong, zone) * 60000000
        return i

    def _month(self, i):
        """The number of the month whose name's three letters stand at a place, or 0."""
        return _number_of_month(
            b"JanFebMarAprMayJunJulAugSepOctNovDec",
            self.text[i],
            self.text[i + 1],
            self.text[i + 2],
        )


def may_hold_stamp(data):
    """Whether bytes hold a time of day with its seconds anywhere."""
    src: cython.const[cython.uchar][::1] = data
    n: cython.Py_ssize_t = src.shape[0]
    i: cython.Py_ssize_t = 2
    found: cython.bint = False
    end: cython.Py_ssize_t
    with cython.nogil:
        while not found:
            end = _with_colons(src, i, n - 5)
            if end < 0:
                break
            i = _colon(src, end, n - 5)
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
def _with_colons(
    data: cython.const[cython.uchar][::1], pos: cython.Py_ssize_t, stop: cython.Py_ssize_t
) -> cython.Py_ssize_t:
    """A place from which on two colons stand three bytes apart, and none before it; -1 without
    any.
    """
    end: cython.Py_ssize_t
    k: cython.Py_ssize_t
    hit: cython.uchar = 0
    if not cython.compiled:
        return pos if pos < stop else -1
    base: cython.p_const_uchar = cython.address(data[0])
    while pos < stop:
        end = min(pos + 256, stop)
        for k in range(pos, end):
            hit |= cython.cast(cython.uchar, base[k] == 58) & cython.cast(
                cython.uchar, base[k + 3] == 58
            )
        if hit:
            return pos
        pos = end
    return -1


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
def micros(
    days: cython.int, hour: cython.int, minute: cython.int, second: cython.int
) -> cython.longlong:
    return (
        cython.cast(cython.longlong, days) * 86400 + hour * 3600 + minute * 60 + second
    ) * 1000000


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def days_of(year: cython.int, month: cython.int) -> cython.int:
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month == 4 or month == 6 or month == 9 or month == 11 else 31


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def day_number(year: cython.int, month: cython.int, day: cython.int) -> cython.int:
    """Days since 1970 of a date of the Gregorian calendar."""
    y: cython.int = year - (1 if month <= 2 else 0)
    era: cython.int = y // 400
    of_era: cython.int = y - era * 400
    of_year: cython.int = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
