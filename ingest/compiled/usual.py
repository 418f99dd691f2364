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

from ingest.compiled.numbers import N_BOOL, N_LENGTH

if cython.compiled:
    from cython.cimports.ingest.compiled import layout
    from cython.cimports.ingest.compiled.bits import digits, eight, known, value_end
    from cython.cimports.ingest.compiled.buffer import Bytes
    from cython.cimports.libc.string import memcmp
else:
    from ingest.compiled.buffer import Bytes

COMPILED = cython.compiled
_BOOL = cython.declare(cython.int, N_BOOL)
_STAMP = cython.declare(cython.int, 23)  # bytes of ``2026-03-02 10:00:00,123``
# how many bytes may be read before a line's end is known: from its place on for header and event,
# and from a pair's for its key and value
_LINE_AHEAD = cython.declare(cython.int, 160)
_PAIR_AHEAD = cython.declare(cython.int, 128)
_SIXTEENS = cython.declare(cython.int, 3)  # of bytes that a value may have
_CHARS = cython.declare(cython.ulonglong, 0x737261686320)
_LENGTH = cython.declare(cython.int, N_LENGTH)
_POINT = cython.declare(cython.int, 46)
_TRUE = cython.declare(cython.ulonglong, 0x65757274)
_FALSE = cython.declare(cython.ulonglong, 0x65736C6166)
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
        # the last event, and the other one that last followed each: guesses
        self.event = 0
        self.nexts = memoryview(bytearray(4 * max(self.pairs.n_events, 1))).cast("i")
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
        which nothing stays. A torn header is not looked for but by the pairs.
        """
        src: cython.p_const_uchar = self.base
        row: cython.p_int = cython.address(self.records[i, 0])
        first: cython.int = self.pairs.n
        prefix: cython.p_int
        second: cython.int
        message: cython.int
        pos: cython.int
        nl: cython.int
        millis: cython.int
        if line + _LINE_AHEAD > self.end or eight(src, line) != self.headers.day_first:
            return -1
        if eight(src, line + 3) != self.headers.day_last:
            return -1
        second = _second(eight(src, line + 11))
        millis = _millis(eight(src, line + 15))
        if second < 0 or millis < 0 or not self._is_recalled(line + _STAMP):
            return -1
        prefix = self.headers.recalled_cells + 4 * self.headers.last_recalled
        message = line + _STAMP + prefix[0]
        row[layout.R_START] = line
        row[layout.R_KIND] = layout.K_HEADER
        row[layout.R_ZONE] = layout.NO_ZONE
        row[layout.R_LEVEL] = prefix[3]
        row[layout.R_NAME] = row[layout.R_NAME_END] = 0
        if prefix[1] >= 0:
            row[layout.R_NAME] = line + _STAMP + prefix[1]
            row[layout.R_NAME_END] = line + _STAMP + prefix[2]
        row[layout.R_MSG] = message
        row[layout.R_REQUEST_ID] = row[layout.R_REQUEST_ID_END] = 0
        row[layout.R_TRACEBACK] = -1
        row[layout.R_PAIR] = first
        row[layout.R_LOW] = line
        self.stamps[i] = (
            self.headers.midnight
            + cython.cast(cython.longlong, second) * 1000000
            + cython.cast(cython.longlong, millis) * 1000
        )
        pos = self._event(i, row, message)
        nl = self._pairs(i, pos, row) if pos >= 0 else -1
        if nl < 0 or nl - line > self.max_record or self.pairs.is_torn:
            self.pairs.n = first
            self.pairs.is_torn = False
            return -1
        row[layout.R_PAIRS] = self.pairs.n - first
        row[layout.R_MSG_END] = nl
        row[layout.R_END] = nl + 1
        return nl + 1

    def _is_recalled(self, begin):
        """Whether one of the last prefixes stands between stamp and message: ``last_recalled``."""
        k: cython.int
        if self._is_prefix(self.headers.last_recalled, begin):
            return True
        for k in range(self.headers.n_recalled):
            if self._is_prefix(k, begin):
                self.headers.last_recalled = k
                return True
        return False

    def _is_prefix(self, k, begin):
        """Whether a prefix stands there: at least eight bytes, the last eight may overlap."""
        here: cython.p_const_uchar = self.base + begin
        there: cython.p_const_uchar = self.headers.prefix + 64 * k
        last: cython.Py_ssize_t = self.headers.recalled_cells[4 * k] - 8
        at: cython.Py_ssize_t = 0
        if last < 0:  # none yet
            return False
        while at < last:
            if memcmp(here + at, there + at, 8) != 0:
                return False
            at += 8
        return memcmp(here + last, there + last, 8) == 0

    def _event(self, i, row, message):
        """Note the event of record i, if it is the one before again, or the one that last followed
        that; where its pairs begin, or -1.
        """
        event: cython.int = self.event
        n: cython.int = known(
            self.base + message, self.pairs.event_cells + layout.NAME_WORDS * event
        )
        if n < 0:
            event = self.guesses[event]
            n = known(self.base + message, self.pairs.event_cells + layout.NAME_WORDS * event)
        if n < 0 or self.base[message + n + 1] != 32:
            return self._other_event(i, row, message)
        row[layout.R_EVENT] = event
        row[layout.R_EVENT_START] = message
        row[layout.R_EVENT_END] = message + n
        self.event = event
        return message + n + 1

    def _other_event(self, i, row, message):
        """As :meth:`_event`, of whichever event it is."""
        nl: cython.int = self._line_end(message)
        pos: cython.int
        row[layout.R_EVENT] = -1
        row[layout.R_EVENT_START] = row[layout.R_EVENT_END] = 0
        if nl < 0:
            return -1
        pos = self.pairs.event(i, message, nl)
        if row[layout.R_EVENT] >= 0:
            self.guesses[self.event] = row[layout.R_EVENT]
            self.event = row[layout.R_EVENT]
        return pos

    def _line_end(self, pos):
        """Where the line ends, -1 for one without an end, or with white space before it."""
        nl: cython.int = self.newline(pos)
        if nl > 0 and self.kinds[self.base[nl - 1]] & layout.C_SPACE:
            return -1
        return nl

    def _pairs(self, i, start, record):
        """Cut the pairs of record i's message; where the line ends, or -1."""
        src: cython.p_const_uchar = self.base
        none: cython.int = (record[layout.R_EVENT] + 1) * (self.pairs.n_keys + 1)
        guesses: cython.p_int = self.pairs.guesses + none
        keys: cython.p_ulonglong = self.pairs.key_cells
        families: cython.p_int = cython.address(self.families[0])
        states: cython.p_char = cython.address(self.states[0])
        values: cython.p_double = cython.address(self.values[0])
        text: cython.int = self.pairs.text_key
        room: cython.Py_ssize_t = self.table.shape[0]
        last: cython.Py_ssize_t = self.end - _PAIR_AHEAD
        row: cython.Py_ssize_t = self.pairs.n
        cell: cython.p_int = self.cells + row * layout.PAIR_WIDTH
        before: cython.Py_ssize_t = self.pairs.n_keys
        pos: cython.Py_ssize_t = start
        key: cython.Py_ssize_t
        at: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        code: cython.Py_ssize_t
        n: cython.int
        self.may_be_open = self.is_closed = False
        self.line_end = -1
        if record[layout.R_EVENT] < 0 and record[layout.R_LEVEL] < layout.L_WARNING:
            self.may_be_open = True
            return self._line_end(pos)
        while pos <= last and row < room:
            key = pos + (src[pos] == 32)
            code = guesses[before]
            n = known(src + key, keys + layout.NAME_WORDS * code) if code >= 0 else -1
            at = key + n + 1
            stop = at + value_end(src + at) if n >= 0 else 0
            if n < 0 or (src[stop] != 44 and src[stop] != 10) or code == text:
                stop = _other_end(src, at, stop, families[code]) if n >= 0 and code != text else 0
            if stop == 0:
                self.pairs.n = row
                self.pairs.none = none
                self.pairs.before = none + before
                pos = self._other_pair(i, pos)
                if pos < 0 or self.line_end <= pos:
                    return self.line_end if pos >= 0 else -1
                before = self.pairs.before - none
                cell += (self.pairs.n - row) * layout.PAIR_WIDTH
                row = self.pairs.n
                continue
            cell[layout.P_KEY] = key
            cell[layout.P_KEY_END] = at - 1
            cell[layout.P_VALUE] = at
            cell[layout.P_VALUE_END] = stop
            cell[layout.P_FLAGS] = 0
            cell[layout.P_CODE] = code
            cell[layout.P_RECORD] = i
            states[row] = layout.V_BAD
            values[row] = 0.0
            if families[code] != 0:
                states[row] = _number(src, at, stop, families[code], values + row)
            row += 1
            if src[stop] == 10:
                self.pairs.n = row
                return stop
            cell += layout.PAIR_WIDTH
            before = code
            pos = stop + 1
        return -1

    def _other_pair(self, i, pos):
        """Take the segment of record i's message at pos, whatever it is; where the next one begins,
        or -1. ``line_end``: where the line ends.
        """
        row: cython.int = self.pairs.n
        code: cython.int
        after: cython.int
        if self.line_end < 0:
            self.line_end = self._line_end(pos)
        if self.line_end <= pos:
            return self.line_end
        after = self.pairs.take(i, pos, self.line_end)
        if after < 0:
            return -1
        if self.pairs.n == row or not self._closes(self.cells + row * layout.PAIR_WIDTH):
            self.may_be_open = self.may_be_open or not self.is_closed
        elif not self.may_be_open:
            self.is_closed = True
        while row < self.pairs.n:
            code = self.cells[row * layout.PAIR_WIDTH + layout.P_CODE]
            self.states[row] = (
                layout.V_UNREAD if code >= 0 and self.families[code] != 0 else layout.V_BAD
            )
            self.values[row] = 0.0
            row += 1
        return after

    def _closes(self, cell):
        """Whether a pair is a quoted text that ends on its line."""
        if cell[layout.P_CODE] != self.pairs.text_key or not cell[layout.P_FLAGS] & layout.QUOTED:
            return False
        return cell[layout.P_VALUE_END] < self.line_end


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _other_end(
    src: cython.p_const_uchar, at: cython.Py_ssize_t, low: cython.Py_ssize_t, family: cython.int
) -> cython.Py_ssize_t:
    """Where a value ends of which ``low`` is no end: a longer one without white space, or a length
    in ``chars``; 0 for any other.
    """
    stop: cython.Py_ssize_t = low
    k: cython.int
    for k in range(1, _SIXTEENS):
        if stop - at != 16 * k:
            break
        stop += value_end(src + stop)
        if src[stop] == 44 or src[stop] == 10:
            return stop if src[stop - 3] != 58 else 0  # a stamp's minutes: maybe a torn header
    if family == _LENGTH and stop > at and (eight(src, stop) ^ _CHARS) << 16 == 0:
        if src[stop + 6] == 44 or src[stop + 6] == 10:
            return stop + 6
    return 0


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _number(
    src: cython.p_const_uchar,
    at: cython.Py_ssize_t,
    stop: cython.Py_ssize_t,
    family: cython.int,
    value: cython.p_double,
) -> cython.char:
    """What becomes of a value: one of digits, with a point or in ``chars``, and ``true`` and
    ``false`` are read; other ways to write a number are left to :mod:`ingest.compiled.numbers`.
    """
    n: cython.int = cython.cast(cython.int, stop - at)
    whole: cython.longlong
    if family == _LENGTH and n > 6 and src[stop - 6] == 32:  # behind that nothing but ``chars``
        n -= 6
    if n < 1 or n > _DIGITS:
        return layout.V_UNREAD
    if family == _BOOL:
        if n == 4 and (eight(src, at) ^ _TRUE) << 32 == 0:
            value[0] = 1.0
            return layout.V_OK
        return layout.V_OK if n == 5 and (eight(src, at) ^ _FALSE) << 24 == 0 else layout.V_UNREAD
    whole = digits(src + at, n)
    if whole < 0:
        return _fraction(src, at, n, value) if family != _LENGTH else layout.V_UNREAD
    value[0] = cython.cast(cython.double, whole)
    return layout.V_OK


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _fraction(
    src: cython.p_const_uchar, at: cython.Py_ssize_t, n: cython.int, value: cython.p_double
) -> cython.char:
    """As :func:`_number`, of digits with a point among them."""
    whole: cython.longlong
    part: cython.longlong
    scale: cython.longlong = 1
    point: cython.int = 1
    k: cython.int
    while point < n and src[at + point] != _POINT:
        point += 1
    if point + 1 >= n:
        return layout.V_UNREAD
    whole = digits(src + at, point)
    part = digits(src + at + point + 1, n - point - 1)
    if whole < 0 or part < 0:
        return layout.V_UNREAD
    for k in range(n - point - 1):
        scale = scale * 10
    value[0] = cython.cast(cython.double, whole * scale + part) / cython.cast(cython.double, scale)
    return layout.V_OK


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
