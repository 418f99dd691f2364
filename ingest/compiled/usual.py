# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Records as nearly all are: whole on one line, header and keys as they came before; compiled.

They are read in one look, from the stamp to the last number. Whatever is unusual about a line is
left to :mod:`ingest.compiled.records`, which reads each line by the same rules, and uncompiled all
of them.
"""

from __future__ import annotations

import cython

from ingest.compiled.numbers import N_BOOL

if cython.compiled:
    from cython.cimports.ingest.compiled.bits import digits, eight, known, value_end
    from cython.cimports.ingest.compiled.buffer import Bytes
    from cython.cimports.ingest.compiled.layout import (
        C_SPACE,
        K_HEADER,
        L_WARNING,
        NAME_WORDS,
        NO_ZONE,
        P_CODE,
        P_FLAGS,
        P_KEY,
        P_KEY_END,
        P_RECORD,
        P_VALUE,
        P_VALUE_END,
        PAIR_WIDTH,
        QUOTED,
        R_END,
        R_EVENT,
        R_EVENT_END,
        R_EVENT_START,
        R_KIND,
        R_LEVEL,
        R_LOW,
        R_MSG,
        R_MSG_END,
        R_NAME,
        R_NAME_END,
        R_PAIR,
        R_PAIRS,
        R_REQUEST_ID,
        R_REQUEST_ID_END,
        R_START,
        R_TRACEBACK,
        R_ZONE,
        V_BAD,
        V_OK,
        V_UNREAD,
    )
    from cython.cimports.libc.string import memcmp
else:
    from ingest.compiled.buffer import Bytes

COMPILED = cython.compiled
_BOOL = cython.declare(cython.int, N_BOOL)
_STAMP = cython.declare(cython.int, 23)  # bytes of ``2026-03-02 10:00:00,123``
# how many bytes may be read before a line's end is known: from its place on for header and event,
# and from a pair's for its key and value
_LINE_AHEAD = cython.declare(cython.int, 160)
_PAIR_AHEAD = cython.declare(cython.int, 64)
_DIGITS = cython.declare(cython.int, 8)  # of a number that is read at once


class Usual(Bytes):
    """Reads single lines into the scanner's tables, by what its ``headers`` and ``pairs`` know.

    ``max_record`` bytes. ``may_be_open``: of the line read last, that a text may be open at its
    end.
    """

    def __init__(self, headers, pairs, max_record):
        self.headers = headers
        self.pairs = pairs
        self.max_record = max_record
        self.may_be_open = False
        self.event = -1
        # the event that last followed each, behind none in 0: a guess
        self.nexts = memoryview(bytearray(4 * (self.pairs.n_events + 1))).cast("i")
        if cython.compiled:
            self.guesses = cython.address(self.nexts[0])

    def into(self, records, stamps, pairs, numbers):
        """Fill other tables from now on; ``numbers``: float64[p] and int8[p] of the pairs, and
        int32[n_keys] the families of their keys.
        """
        self.records = records
        self.stamps = stamps
        self.table = pairs
        self.values, self.states, self.families = numbers
        if cython.compiled:
            self.cells = cython.address(self.table[0, 0])

    def take(self, i, line):
        """Read the line as record i, whole; the offset behind it, or -1 for an unusual one, of
        which nothing stays.
        """
        first: cython.int = self.pairs.n
        nl: cython.int
        if line + _LINE_AHEAD > self.end:
            return -1
        nl = self._read(i, line)
        if nl < 0 or nl - line > self.max_record or self.pairs.is_torn:
            self.pairs.n = first
            self.pairs.is_torn = False
            return -1
        return nl + 1

    def _read(self, i, line):
        """As :meth:`take`; where the line ends, or -1. A torn header is not looked for."""
        src: cython.p_const_uchar = self.base
        row: cython.p_int = cython.address(self.records[i, 0])
        begin: cython.int = line + _STAMP
        second: cython.int
        millis: cython.int
        k: cython.int
        level: cython.int
        message: cython.int
        pos: cython.int
        nl: cython.int
        if not self.headers.has_day or eight(src, line) != self.headers.day_first:
            return -1
        if eight(src, line + 3) != self.headers.day_last:
            return -1
        second = _second(eight(src, line + 11))
        millis = _millis(eight(src, line + 15))
        k = self._prefix(begin)
        if second < 0 or millis < 0 or k < 0:
            return -1
        message = begin + self.headers.recalled_cells[4 * k]
        level = self.headers.recalled_cells[4 * k + 3]
        row[R_NAME] = row[R_NAME_END] = 0
        if self.headers.recalled_cells[4 * k + 1] >= 0:
            row[R_NAME] = begin + self.headers.recalled_cells[4 * k + 1]
            row[R_NAME_END] = begin + self.headers.recalled_cells[4 * k + 2]
        self.stamps[i] = (
            self.headers.midnight
            + cython.cast(cython.longlong, second) * 1000000
            + cython.cast(cython.longlong, millis) * 1000
        )
        row[R_START] = row[R_LOW] = line
        row[R_KIND] = K_HEADER
        row[R_ZONE] = NO_ZONE
        row[R_LEVEL] = level
        row[R_MSG] = message
        row[R_REQUEST_ID] = row[R_REQUEST_ID_END] = 0
        row[R_TRACEBACK] = -1
        row[R_PAIR] = self.pairs.n
        pos = self._event(i, row, message)
        if pos < 0:
            return -1
        if row[R_EVENT] >= 0 or level >= L_WARNING:
            nl = self._pairs(i, pos, row[R_EVENT])
        else:
            self.may_be_open = True
            nl = self._line_end(pos)
        row[R_PAIRS] = self.pairs.n - row[R_PAIR]
        row[R_MSG_END] = nl
        row[R_END] = nl + 1
        return nl

    def _prefix(self, begin):
        """Which of the last prefixes stands between stamp and message, or -1."""
        k: cython.int = self.headers.last_recalled
        if self.headers.n_recalled and self._is_prefix(k, begin):
            return k
        for k in range(self.headers.n_recalled):
            if self._is_prefix(k, begin):
                self.headers.last_recalled = k
                return k
        return -1

    def _is_prefix(self, k, begin):
        """Whether a prefix stands there: at least eight bytes, the last eight may overlap."""
        here: cython.p_const_uchar = self.base + begin
        there: cython.p_const_uchar = self.headers.prefix + 64 * k
        n: cython.int = self.headers.recalled_cells[4 * k] - 8
        at: cython.int = 0
        while at < n:
            if memcmp(here + at, there + at, 8) != 0:
                return False
            at += 8
        return memcmp(here + n, there + n, 8) == 0

    def _event(self, i, row, message):
        """Note the event of record i; where its pairs begin, or -1."""
        src: cython.p_const_uchar = self.base
        guess: cython.p_int = self.guesses + self.event + 1
        event: cython.int = guess[0]
        n: cython.int
        nl: cython.int
        pos: cython.int
        row[R_EVENT] = event
        row[R_EVENT_START] = message
        n = known(src + message, self.pairs.event_cells + NAME_WORDS * event)
        if n >= 0 and src[message + n + 1] == 32:
            row[R_EVENT_END] = message + n
            self.event = event
            return message + n + 1
        nl = self._line_end(message)
        if nl < 0:
            return -1
        row[R_EVENT] = -1
        row[R_EVENT_START] = row[R_EVENT_END] = 0
        pos = self.pairs.event(i, message, nl)
        if row[R_EVENT] >= 0:
            guess[0] = row[R_EVENT]
        self.event = row[R_EVENT]
        return pos

    def _line_end(self, pos):
        """Where the line ends, -1 for one without an end, or with white space before it."""
        nl: cython.int = self.newline(pos)
        if nl > 0 and self.kinds[self.base[nl - 1]] & C_SPACE:
            return -1
        return nl

    def _pairs(self, i, start, event):
        """Cut the pairs of record i's message; where the line ends, or -1."""
        src: cython.p_const_uchar = self.base
        guesses: cython.p_int = self.pairs.guesses
        keys: cython.p_ulonglong = self.pairs.key_cells
        room: cython.int = self.table.shape[0]
        last: cython.int = self.end - _PAIR_AHEAD
        row: cython.int = self.pairs.n
        cell: cython.p_int = self.cells + row * PAIR_WIDTH
        pos: cython.int = start
        nl: cython.int = -1
        key: cython.int
        code: cython.int
        n: cython.int
        at: cython.int
        stop: cython.int
        none: cython.int
        before: cython.int
        is_closed: cython.bint = False
        self.may_be_open = False
        self.pairs.expect(event)
        none = self.pairs.none
        before = self.pairs.before
        while nl < 0 or pos < nl:
            key = pos + (src[pos] == 32)
            code = guesses[before]
            n = -1
            if code >= 0 and pos <= last and row < room:
                n = known(src + key, keys + NAME_WORDS * code)
            if n >= 0:
                at = key + n + 1
                stop = at + value_end(src + at)
                if (src[stop] == 44 or src[stop] == 10) and code != self.pairs.text_key:
                    cell[P_KEY] = key
                    cell[P_KEY_END] = at - 1
                    cell[P_VALUE] = at
                    cell[P_VALUE_END] = stop
                    cell[P_FLAGS] = 0
                    cell[P_CODE] = code
                    cell[P_RECORD] = i
                    self._number(row, at, stop, self.families[code])
                    if src[stop] == 10:
                        nl = stop
                    row += 1
                    cell += PAIR_WIDTH
                    before = none + code
                    pos = stop + 1
                    continue
            if nl < 0:
                nl = self._line_end(pos)
                if nl < 0:
                    return -1
                if pos >= nl:
                    break
            self.pairs.n = row
            self.pairs.before = before
            pos = self.pairs.take(i, pos, nl)
            if pos < 0:
                return -1
            before = self.pairs.before
            if self.pairs.n > row and self._closes(cell, nl) and not self.may_be_open:
                is_closed = True
            elif not is_closed:
                self.may_be_open = True
            while row < self.pairs.n:
                self.states[row] = V_UNREAD
                row += 1
                cell += PAIR_WIDTH
        self.pairs.n = row
        return nl

    def _closes(self, cell, nl):
        """Whether a pair is a quoted text that ends on its line."""
        if cell[P_CODE] != self.pairs.text_key or not cell[P_FLAGS] & QUOTED:
            return False
        return cell[P_VALUE_END] < nl

    def _number(self, row, at, stop, family):
        """Read a value as a number, where it has a family and is of digits alone."""
        whole: cython.longlong = -1
        if family == 0:
            self.states[row] = V_BAD
            self.values[row] = 0.0
            return
        if 0 < stop - at <= _DIGITS:
            whole = digits(self.base + at, stop - at)
        self.states[row] = V_UNREAD
        if whole >= 0 and family != _BOOL:
            self.states[row] = V_OK
            self.values[row] = cython.cast(cython.double, whole)


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _second(clock: cython.ulonglong) -> cython.int:
    """The second of the day that eight bytes tell, ``10:00:00``; -1 where they do not."""
    d: cython.ulonglong = clock ^ cython.cast(cython.ulonglong, 0x30303A30303A3030)
    # a digit is 0 to 9 now and a colon 0: nothing more may come up to 128
    above: cython.ulonglong = d + cython.cast(cython.ulonglong, 0x76767F76767F7676)
    if (above | d) & cython.cast(cython.ulonglong, 0x8080808080808080):
        return -1
    d = d * 10 + (d >> 8)  # hour, minute and second in bytes 0, 3 and 6
    # 24, 60 and 60 of these would come to 128
    if (d + cython.cast(cython.ulonglong, 0x0044000044000068)) & cython.cast(
        cython.ulonglong, 0x0080000080000080
    ):
        return -1
    return cython.cast(cython.int, ((d & 255) * 60 + ((d >> 24) & 255)) * 60 + ((d >> 48) & 255))


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _millis(clock: cython.ulonglong) -> cython.int:
    """The number of three digits behind a comma that the last four of eight bytes tell, or -1."""
    d: cython.uint = cython.cast(cython.uint, clock >> 32) ^ cython.cast(cython.uint, 0x3030302C)
    if ((d + cython.cast(cython.uint, 0x7676767F)) | d) & cython.cast(cython.uint, 0x80808080):
        return -1
    return cython.cast(cython.int, (d >> 8 & 15) * 100 + (d >> 16 & 15) * 10 + (d >> 24))
