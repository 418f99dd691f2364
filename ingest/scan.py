# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: ignore-errors
"""Bytes of a log → spans of records, fields and key=value pairs, in one pass (docs/parsing.md).

Written in Cython's pure-Python mode: compiled at install, it runs as C without the interpreter
lock; uncompiled, it gives the same answers slowly. ``COMPILED`` says which one runs.

Shapes: ``n`` records, ``p`` pairs. All offsets are int32 positions within the chunk given.
"""

from __future__ import annotations

import cython

from ingest import spans

if cython.compiled:
    from cython.cimports.libc.string import memchr

COMPILED = cython.compiled

R_START = cython.declare(cython.int, spans.R_START)
R_END = cython.declare(cython.int, spans.R_END)
R_KIND = cython.declare(cython.int, spans.R_KIND)
R_ZONE = cython.declare(cython.int, spans.R_ZONE)
R_LEVEL = cython.declare(cython.int, spans.R_LEVEL)
R_NAME = cython.declare(cython.int, spans.R_NAME)
R_NAME_END = cython.declare(cython.int, spans.R_NAME_END)
R_MSG = cython.declare(cython.int, spans.R_MSG)
R_MSG_END = cython.declare(cython.int, spans.R_MSG_END)
R_REQUEST_ID = cython.declare(cython.int, spans.R_REQUEST_ID)
R_REQUEST_ID_END = cython.declare(cython.int, spans.R_REQUEST_ID_END)
R_TRACEBACK = cython.declare(cython.int, spans.R_TRACEBACK)
R_EVENT = cython.declare(cython.int, spans.R_EVENT)
R_EVENT_START = cython.declare(cython.int, spans.R_EVENT_START)
R_EVENT_END = cython.declare(cython.int, spans.R_EVENT_END)
R_PAIR = cython.declare(cython.int, spans.R_PAIR)
R_PAIRS = cython.declare(cython.int, spans.R_PAIRS)
R_LOW = cython.declare(cython.int, spans.R_LOW)
REC_WIDTH = cython.declare(cython.int, spans.REC_WIDTH)
P_KEY = cython.declare(cython.int, spans.P_KEY)
P_KEY_END = cython.declare(cython.int, spans.P_KEY_END)
P_VALUE = cython.declare(cython.int, spans.P_VALUE)
P_VALUE_END = cython.declare(cython.int, spans.P_VALUE_END)
P_FLAGS = cython.declare(cython.int, spans.P_FLAGS)
P_CODE = cython.declare(cython.int, spans.P_CODE)
P_RECORD = cython.declare(cython.int, spans.P_RECORD)
PAIR_WIDTH = cython.declare(cython.int, spans.PAIR_WIDTH)
QUOTED = cython.declare(cython.int, spans.QUOTED)
ESCAPED = cython.declare(cython.int, spans.ESCAPED)
K_HEADER = cython.declare(cython.int, spans.K_HEADER)
K_HEADERLESS = cython.declare(cython.int, spans.K_HEADERLESS)
K_TRACEBACK = cython.declare(cython.int, spans.K_TRACEBACK)
K_NO_HEADER = cython.declare(cython.int, spans.K_NO_HEADER)
K_BAD_TIME = cython.declare(cython.int, spans.K_BAD_TIME)
K_TOO_LONG = cython.declare(cython.int, spans.K_TOO_LONG)
F_ASCTIME = cython.declare(cython.int, spans.F_ASCTIME)
F_LEVEL = cython.declare(cython.int, spans.F_LEVEL)
F_NAME = cython.declare(cython.int, spans.F_NAME)
F_MESSAGE = cython.declare(cython.int, spans.F_MESSAGE)
F_REQUEST_ID = cython.declare(cython.int, spans.F_REQUEST_ID)
F_DIGITS = cython.declare(cython.int, spans.F_DIGITS)
F_MSECS = cython.declare(cython.int, spans.F_MSECS)
F_CREATED = cython.declare(cython.int, spans.F_CREATED)
F_TEXT = cython.declare(cython.int, spans.F_TEXT)
T_YEAR = cython.declare(cython.int, spans.T_YEAR)
T_MONTH = cython.declare(cython.int, spans.T_MONTH)
T_DAY = cython.declare(cython.int, spans.T_DAY)
T_HOUR = cython.declare(cython.int, spans.T_HOUR)
T_MINUTE = cython.declare(cython.int, spans.T_MINUTE)
T_SECOND = cython.declare(cython.int, spans.T_SECOND)
T_FRACTION = cython.declare(cython.int, spans.T_FRACTION)
T_ZONE = cython.declare(cython.int, spans.T_ZONE)
T_CHAR = cython.declare(cython.int, spans.T_CHAR)
T_MONTH_NAME = cython.declare(cython.int, spans.T_MONTH_NAME)
T_SEPARATOR = cython.declare(cython.int, spans.T_SEPARATOR)
T_MAYBE_FRACTION = cython.declare(cython.int, spans.T_MAYBE_FRACTION)
T_MAYBE_ZONE = cython.declare(cython.int, spans.T_MAYBE_ZONE)
T_YEAR2 = cython.declare(cython.int, spans.T_YEAR2)
T_HOUR12 = cython.declare(cython.int, spans.T_HOUR12)
T_AMPM = cython.declare(cython.int, spans.T_AMPM)
T_LETTERS = cython.declare(cython.int, spans.T_LETTERS)
L_NONE = cython.declare(cython.int, spans.L_NONE)
L_DEBUG = cython.declare(cython.int, spans.L_DEBUG)
L_INFO = cython.declare(cython.int, spans.L_INFO)
L_WARNING = cython.declare(cython.int, spans.L_WARNING)
L_ERROR = cython.declare(cython.int, spans.L_ERROR)
L_CRITICAL = cython.declare(cython.int, spans.L_CRITICAL)
NO_ZONE = cython.declare(cython.int, spans.NO_ZONE)
LOOKAHEAD = cython.declare(cython.int, spans.LOOKAHEAD)
_QUOTE = cython.declare(cython.int, 34)
_BACKSLASH = cython.declare(cython.int, 92)
_TRAILER = cython.declare(
    cython.int, 1024
)  # bytes that may stand behind a message; bounds the search


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_ident(c: cython.int) -> cython.bint:
    return (97 <= c <= 122) or (65 <= c <= 90) or c == 95 or (48 <= c <= 57) or c == 46 or c == 45


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_ident_start(c: cython.int) -> cython.bint:
    return (97 <= c <= 122) or (65 <= c <= 90) or c == 95


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _is_space(c: cython.int) -> cython.bint:
    return c == 32 or (9 <= c <= 13)


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _days(year: cython.longlong, month: cython.longlong, day: cython.longlong) -> cython.longlong:
    """Days since 1970-01-01 of a proleptic Gregorian date (H. Hinnant, days_from_civil)."""
    y: cython.longlong = year - 1 if month <= 2 else year
    era: cython.longlong = y // 400
    yoe: cython.longlong = y - era * 400
    m: cython.longlong = month - 3 if month > 2 else month + 9
    doy: cython.longlong = (153 * m + 2) // 5 + day - 1
    return era * 146097 + yoe * 365 + yoe // 4 - yoe // 100 + doy - 719468


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _month_days(year: cython.longlong, month: cython.longlong) -> cython.longlong:
    if month == 2:
        return 29 if (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)) else 28
    if month == 4 or month == 6 or month == 9 or month == 11:
        return 30
    return 31


@cython.cclass
class Scanner:
    """Scans chunks by one compiled format; its tables hold the result until the next call.

    ``program`` int32[n_fields, 5]: field kind, literal start, literal length, least width, extra
    number; ``literals`` the bytes they point into; ``clock`` int32[n_steps, 2]: asctime step and
    argument, ``plain_clock`` that its first eleven are ``Y-m-d H:M:S``; ``events`` and ``keys`` the known names, bytes; ``words`` the keys whose value is one word; ``escapes`` whether a
    backslash protects a quote; ``max_record`` bytes.
    """

    records: cython.int[:, ::1]
    pairs: cython.int[:, ::1]
    stamps: cython.longlong[::1]
    n_records = cython.declare(cython.int, visibility="public")
    n_pairs = cython.declare(cython.int, visibility="public")
    giant = cython.declare(cython.bint, visibility="public")

    data: cython.const[cython.uchar][::1]
    end: cython.int
    program: cython.int[:, ::1]
    n_fields: cython.int
    literals: cython.const[cython.uchar][::1]
    suffix: cython.int
    suffix_len: cython.int
    clock: cython.int[:, ::1]
    n_steps: cython.int
    plain_clock: cython.bint
    event_text: cython.const[cython.uchar][::1]
    event_at: cython.int[::1]
    n_events: cython.int
    key_text: cython.const[cython.uchar][::1]
    key_at: cython.int[::1]
    key_bucket: cython.int[::1]
    key_next: cython.int[::1]
    n_keys: cython.int
    text_key: cython.int
    key_shape: cython.int[::1]
    escapes: cython.bint
    max_record: cython.int
    # what the last header match found
    h_stamp: cython.longlong
    h_zone: cython.int
    h_level: cython.int
    h_bad: cython.bint
    h_msecs: cython.int
    h_message: cython.int
    h_message_end: cython.int
    scratch: cython.int[::1]
    # the record being gathered, and whether a table has no room for it
    cur: cython.int
    full: cython.bint
    cur_traceback: cython.int

    def __init__(
        self,
        program,
        literals,
        suffix,
        clock,
        plain_clock,
        events,
        keys,
        words,
        escapes,
        max_record,
    ):
        self.program = program
        self.n_fields = program.shape[0]
        self.literals = literals
        self.suffix = suffix[0]
        self.suffix_len = suffix[1]
        self.clock = clock
        self.n_steps = clock.shape[0]
        self.plain_clock = plain_clock
        self.event_text, self.event_at = _pack(events)
        self.n_events = len(events)
        self.key_text, self.key_at = _pack(keys)
        self.n_keys = len(keys)
        self.key_bucket, self.key_next = _buckets(keys)
        self.text_key = keys.index(b"text") if b"text" in keys else -1
        self.key_shape = _ints(len(keys))
        for i, key in enumerate(keys):
            self.key_shape[i] = 1 if key == b"text" else 2 if key in words else 0
        self.escapes = escapes
        self.max_record = max_record
        extras = 0
        for i in range(self.n_fields):
            if program[i, 4] >= extras:
                extras = program[i, 4] + 1
        self.scratch = _ints(REC_WIDTH + 2 * extras)

    def scan(self, data, start, end, final, at_file_start, records, stamps, pairs):
        """Scan ``data[start:end]`` into the tables given; return how many bytes are settled.

        ``final`` says that no byte will follow. What is behind the returned offset is the tail. When a table
        is full the scan stops at a record's start, and returns the complement (``~``) of its offset. ``giant`` is set when the record that the tail
        begins with is longer than the longest.
        """
        self.data = data
        self.end = end
        self.records = records
        self.stamps = stamps
        self.pairs = pairs
        self.n_records = 0
        self.n_pairs = 0
        self.giant = False
        self.full = False
        begin: cython.int = start
        is_final: cython.bint = final
        first: cython.bint = at_file_start
        consumed: cython.int
        with cython.nogil:
            consumed = self._scan(begin, is_final, first)
        return ~consumed if self.full else consumed

    def next_beginning(self, data, start, end, final):
        """Offset of the first line in ``data[start:end]`` that begins a record, or -1; ``start`` is a line's start."""
        self.data = data
        self.end = end
        pos: cython.int = start
        stop: cython.int = end
        nl: cython.int
        line: cython.int
        found: cython.int = -1
        done: cython.bint = final
        with cython.nogil:
            while pos < stop:
                nl = self._newline(pos)
                if nl < 0 and not done:
                    break
                line = stop if nl < 0 else nl
                if self._begins(self._skip_fill(pos, line), self._trim_cr(pos, line)) != -1:
                    found = pos
                    break
                pos = line + 1
        return found

    def header_end(self, data, end):
        """Offset behind the first record header with a stamp in ``data[:end]``, or -1."""
        self.data = data
        self.end = end
        pos: cython.int = 0
        stop: cython.int = end
        nl: cython.int
        found: cython.int = -1
        with cython.nogil:
            while pos < stop:
                nl = self._newline(pos)
                if nl < 0:
                    break
                if self._begins(self._skip_fill(pos, nl), self._trim_cr(pos, nl)) == K_HEADER:
                    found = nl
                    break
                pos = nl + 1
        return found

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _newline(self, pos: cython.int) -> cython.int:
        return self._find(10, pos, self.end)

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def _find(self, byte: cython.int, pos: cython.int, end: cython.int) -> cython.int:
        """Where a byte stands first in a span, or -1."""
        i: cython.int = pos
        if pos >= end:
            return -1
        if cython.compiled:
            base: cython.p_const_uchar = cython.address(self.data[0])
            found: cython.p_const_uchar = cython.cast(
                cython.p_const_uchar, memchr(base + pos, byte, end - pos)
            )
            return cython.cast(cython.int, found - base) if found != cython.NULL else -1
        while i < end:
            if self.data[i] == byte:
                return i
            i += 1
        return -1

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def _trim_cr(self, line: cython.int, end: cython.int) -> cython.int:
        return end - 1 if end > line and self.data[end - 1] == 13 else end

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _skip_fill(self, line: cython.int, end: cython.int) -> cython.int:
        i: cython.int = line
        while i < end and self.data[i] == 0:
            i += 1
        return i

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _scan(self, start: cython.int, final: cython.bint, first: cython.bint) -> cython.int:
        pos: cython.int = start
        self.cur = -1
        nl: cython.int
        line: cython.int
        stop: cython.int
        after: cython.int
        kind: cython.int
        absorbed: cython.int
        if first and pos + 3 <= self.end and self.data[pos] == 0xEF and self.data[pos + 1] == 0xBB:
            if self.data[pos + 2] == 0xBF:
                pos += 3
        while pos < self.end:
            nl = self._newline(pos)
            if nl < 0:
                if not final:
                    if self.cur >= 0 and not self._before_endless(pos):
                        return self.records[self.cur, R_LOW]
                    break
                nl = self.end
                after = self.end
            else:
                after = nl + 1
            stop = self._trim_cr(pos, nl)
            line = self._skip_fill(pos, stop)
            if self.cur >= 0 and stop - self.records[self.cur, R_END] > self.max_record:
                if self._ends_in_blank(line, stop) and not self._finish():
                    return self.records[self.cur, R_LOW]
            if self._blank(line, stop):
                pos = after
                continue
            kind = self._begins(line, stop)
            if kind != -1 and self.cur >= 0:
                absorbed = self._absorb(pos, final)
                if absorbed == -2:
                    break
                if absorbed > 0:
                    self.records[self.cur, R_END] = absorbed
                    pos = absorbed
                    continue
                if absorbed == -1:  # looked ahead in vain: what the header said was overwritten
                    self._begins(line, stop)
                if kind == K_TRACEBACK and self.records[self.cur, R_LEVEL] >= L_WARNING:
                    kind = -1
            if kind == -1:
                if self.cur < 0:
                    if self.n_records >= self.records.shape[0]:
                        self.full = True
                        return pos
                    self._reject_line(line, after)
                else:
                    self._continue(line, stop, after)
                pos = after
                continue
            if self.cur >= 0 and not self._finish():
                return self.records[self.cur, R_LOW]
            if self.n_records >= self.records.shape[0]:
                self.full = True
                return pos
            self._open(kind, line, stop, after, pos)
            pos = after
        if self.cur >= 0:
            if final:
                if not self._finish():
                    return self.records[self.cur, R_LOW]
                return self.end
            self.giant = self._is_giant(pos)
            return self.records[self.cur, R_LOW]
        if not final and self.end - pos > self.max_record:
            self.giant = True
        return pos

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _before_endless(self, pos: cython.int) -> cython.bint:
        """Settle the gathered record if the endless line at pos begins the next; false when it has no room."""
        line: cython.int
        kind: cython.int
        if self.end - pos <= self.max_record:
            return True
        line = self._skip_fill(pos, self.end)
        if self._ends_in_blank(line, self.end):
            return self._finish()
        kind = self._begins(line, self.end)
        if kind == -1 or self._absorb(pos, False) > 0:
            return True
        if kind == K_TRACEBACK and self.records[self.cur, R_LEVEL] >= L_WARNING:
            return True
        return self._finish()

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _is_giant(self, pos: cython.int) -> cython.bint:
        """Whether the gathered record, up to the unfinished line at pos or with it, is too long for sure."""
        if self.records[self.cur, R_END] - self.records[self.cur, R_START] > self.max_record:
            return True
        return self.end - pos > self.max_record

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _ends_in_blank(self, line: cython.int, stop: cython.int) -> cython.bint:
        """Whether so much blank lies behind the gathered record that it would be too long for what follows."""
        end: cython.int = self.records[self.cur, R_END]
        if stop - end <= self.max_record or end - self.records[self.cur, R_START] > self.max_record:
            return False
        return self._solid(line, stop) - end > self.max_record

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _solid(self, pos: cython.int, stop: cython.int) -> cython.int:
        """The offset of the first byte that is not blank, else ``stop``."""
        while pos < stop and (_is_space(self.data[pos]) or self.data[pos] == 0):
            pos += 1
        return pos

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _blank(self, pos: cython.int, stop: cython.int) -> cython.bint:
        while pos < stop:
            if not _is_space(self.data[pos]) and self.data[pos] != 0:
                return False
            pos += 1
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _reject_line(self, line: cython.int, after: cython.int) -> cython.void:
        i: cython.int = self.n_records
        j: cython.int
        for j in range(REC_WIDTH):
            self.records[i, j] = 0
        self.records[i, R_START] = line
        self.records[i, R_END] = after
        self.records[i, R_KIND] = K_NO_HEADER
        if after - line > self.max_record:
            self.records[i, R_KIND] = K_TOO_LONG
        self.records[i, R_TRACEBACK] = -1
        self.stamps[i] = 0
        self.n_records += 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _open(
        self,
        kind: cython.int,
        line: cython.int,
        stop: cython.int,
        after: cython.int,
        low: cython.int,
    ) -> cython.void:
        i: cython.int = self.n_records
        j: cython.int
        width: cython.int = self.scratch.shape[0]
        self.cur = i
        self.cur_traceback = -1
        for j in range(width):
            self.records[i, j] = self.scratch[j] if kind == K_HEADER else 0
        self.records[i, R_START] = line
        self.records[i, R_LOW] = low
        self.records[i, R_END] = after
        self.records[i, R_KIND] = kind
        self.records[i, R_ZONE] = self.h_zone
        self.stamps[i] = self.h_stamp
        if kind == K_HEADER:
            self.records[i, R_LEVEL] = self.h_level
            self.records[i, R_MSG] = self.h_message
            self.records[i, R_MSG_END] = self.h_message_end
            if self.h_bad:
                self.records[i, R_KIND] = K_BAD_TIME
        else:
            self.stamps[i] = 0
            self._open_headerless(i, kind, line, stop)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _open_headerless(
        self, i: cython.int, kind: cython.int, line: cython.int, stop: cython.int
    ) -> cython.void:
        pos: cython.int = line
        name: cython.int
        if kind == K_TRACEBACK:
            self.records[i, R_LEVEL] = L_ERROR
            self.records[i, R_MSG] = line
            self.records[i, R_MSG_END] = line
            self.cur_traceback = line
            return
        while self.data[pos] != 58:
            pos += 1
        self.records[i, R_LEVEL] = self._level(line, pos)
        pos += 1
        name = pos
        while pos < stop and _is_ident(self.data[pos]):
            pos += 1
        if pos > name and pos < stop and self.data[pos] == 58:
            self.records[i, R_NAME] = name
            self.records[i, R_NAME_END] = pos
            pos += 1
        else:
            pos = name
        while pos < stop and _is_space(self.data[pos]):
            pos += 1
        self.records[i, R_MSG] = pos
        self.records[i, R_MSG_END] = stop

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _continue(self, line: cython.int, stop: cython.int, after: cython.int) -> cython.void:
        self.records[self.cur, R_END] = after
        if self.cur_traceback < 0:
            if self._is_traceback(line, stop):
                self.cur_traceback = line
            else:
                self.records[self.cur, R_MSG_END] = stop

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _is_traceback(self, line: cython.int, stop: cython.int) -> cython.bint:
        if self._starts(line, stop, b"Traceback (most recent call last):", 34):
            return True
        return self._starts(
            line, stop, b"  + Exception Group Traceback (most recent call last):", 54
        )

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _starts(
        self, pos: cython.int, stop: cython.int, word: cython.p_const_char, length: cython.int
    ) -> cython.bint:
        i: cython.int
        if stop - pos < length:
            return False
        for i in range(length):
            if self.data[pos + i] != word[i]:
                return False
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _finish(self) -> cython.bint:
        """Settle the gathered record; false when the pair table has no room for it."""
        i: cython.int = self.cur
        end: cython.int = self.records[i, R_MSG_END]
        pos: cython.int
        event: cython.int
        self.records[i, R_TRACEBACK] = self.cur_traceback
        while end > self.records[i, R_MSG] and _is_space(self.data[end - 1]):
            end -= 1
        self.records[i, R_MSG_END] = end
        self.records[i, R_PAIR] = self.n_pairs
        self.records[i, R_PAIRS] = 0
        self.records[i, R_EVENT] = -1
        if self.records[i, R_END] - self.records[i, R_START] > self.max_record:
            self.records[i, R_KIND] = K_TOO_LONG
        if self.records[i, R_KIND] <= K_TRACEBACK:
            pos = self._event(i, self.records[i, R_MSG], end)
            event = self.records[i, R_EVENT]
            if event >= 0 or self.records[i, R_LEVEL] >= L_WARNING:
                if not self._pairs(i, pos, end):
                    self.n_pairs = self.records[i, R_PAIR]
                    self.full = True
                    return False
        self.n_records = i + 1
        self.cur = -1
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _event(self, i: cython.int, pos: cython.int, end: cython.int) -> cython.int:
        p: cython.int = pos
        j: cython.int
        k: cython.int
        n: cython.int
        if p >= end or not _is_ident_start(self.data[p]):
            return pos
        while p < end and _is_ident(self.data[p]):
            p += 1
        if p >= end or self.data[p] != 58:
            return pos
        if p + 1 < end and not _is_space(self.data[p + 1]):
            return pos
        self.records[i, R_EVENT_START] = pos
        self.records[i, R_EVENT_END] = p
        for j in range(self.n_events):
            n = self.event_at[j + 1] - self.event_at[j]
            if n != p - pos:
                continue
            k = 0
            while k < n and self.data[pos + k] == self.event_text[self.event_at[j] + k]:
                k += 1
            if k == n:
                self.records[i, R_EVENT] = j
                break
        return p + 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _key(self, start: cython.int, end: cython.int) -> cython.int:
        n: cython.int = end - start
        j: cython.int = self.key_bucket[(self.data[start] * 7 + self.data[end - 1] + n * 31) & 255]
        k: cython.int
        while j >= 0:
            if self.key_at[j + 1] - self.key_at[j] == n:
                k = 0
                while k < n and self.data[start + k] == self.key_text[self.key_at[j] + k]:
                    k += 1
                if k == n:
                    return j
            j = self.key_next[j]
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _pairs(self, i: cython.int, start: cython.int, end: cython.int) -> cython.bint:
        """All pairs of a message; false when the table is full."""
        pos: cython.int = start
        key: cython.int
        at: cython.int
        code: cython.int
        row: cython.int
        while pos < end:
            key = -1
            at = pos
            while at < end and self.data[at] != 44 and self.data[at] != 10:
                if _is_ident_start(self.data[at]) and (at == pos or _is_space(self.data[at - 1])):
                    key = at
                    while at < end and _is_ident(self.data[at]):
                        at += 1
                    if at < end and self.data[at] == 61:
                        break
                    key = -1
                else:
                    at += 1
            if key < 0:
                pos = at + 1
                continue
            if self.n_pairs >= self.pairs.shape[0]:
                return False
            row = self.n_pairs
            code = self._key(key, at)
            self.pairs[row, P_KEY] = key
            self.pairs[row, P_KEY_END] = at
            self.pairs[row, P_CODE] = code
            self.pairs[row, P_FLAGS] = 0
            self.pairs[row, P_RECORD] = i
            if at + 1 < end and self.data[at + 1] == _QUOTE:
                pos = self._quoted(row, at + 2, end, code == self.text_key and code >= 0)
            else:
                pos = self._bare(row, at + 1, end, self.key_shape[code] if code >= 0 else 0)
            self.n_pairs += 1
            self.records[i, R_PAIRS] += 1
            while pos < end and self.data[pos] != 44 and self.data[pos] != 10:
                pos += 1
            pos += 1
        return True

    @cython.cfunc
    @cython.inline
    @cython.nogil
    @cython.exceptval(check=False)
    def _pair_follows(self, pos: cython.int, end: cython.int) -> cython.bint:
        """Whether ``, key=`` stands at pos."""
        if pos >= end or self.data[pos] != 44:
            return False
        pos += 1
        while pos < end and _is_space(self.data[pos]):
            pos += 1
        if pos >= end or not _is_ident_start(self.data[pos]):
            return False
        while pos < end and _is_ident(self.data[pos]):
            pos += 1
        return pos < end and self.data[pos] == 61

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _quoted(
        self, row: cython.int, start: cython.int, end: cython.int, last: cython.bint
    ) -> cython.int:
        """Set the value's span; ``last``: the last place that can end it wins. Return the offset behind."""
        pos: cython.int = start
        close: cython.int = -1
        flags: cython.int = QUOTED
        close_flags: cython.int = QUOTED
        if not self.escapes or self._find(_BACKSLASH, pos, end) < 0:
            # nothing but quotes can end the value: from one to the next
            pos = self._find(_QUOTE, pos, end)
            while pos >= 0:
                if pos + 1 == end or self._pair_follows(pos + 1, end):
                    close = pos
                    if not last:
                        break
                pos = self._find(_QUOTE, pos + 1, end)
            pos = end
        while pos < end:
            if self.data[pos] == _BACKSLASH and self.escapes:
                flags = QUOTED | ESCAPED
                pos += 2
                continue
            if self.data[pos] == _QUOTE and (pos + 1 == end or self._pair_follows(pos + 1, end)):
                close = pos
                close_flags = flags
                if not last:
                    break
            pos += 1
        self.pairs[row, P_VALUE] = start
        if close < 0:
            self.pairs[row, P_VALUE_END] = end
            self.pairs[row, P_FLAGS] = flags
            return end
        self.pairs[row, P_VALUE_END] = close
        self.pairs[row, P_FLAGS] = close_flags
        return close + 1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _bare(
        self, row: cython.int, start: cython.int, end: cython.int, whole: cython.int
    ) -> cython.int:
        """Set an unquoted value's span; ``whole``: 1 up to the next pair, 2 only its first word."""
        pos: cython.int = start
        stop: cython.int
        begin: cython.int = start
        if whole == 1:
            while pos < end and not (self.data[pos] == 44 and self._pair_follows(pos, end)):
                pos += 1
        else:
            while pos < end and self.data[pos] != 44 and self.data[pos] != 10:
                pos += 1
        stop = pos
        while begin < stop and _is_space(self.data[begin]):
            begin += 1
        while stop > begin and _is_space(self.data[stop - 1]):
            stop -= 1
        if whole == 2:
            stop = begin
            while stop < pos and not _is_space(self.data[stop]):
                stop += 1
        self.pairs[row, P_VALUE] = begin
        self.pairs[row, P_VALUE_END] = stop
        return pos

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _text_open(self, pos: cython.int, end: cython.int) -> cython.bint:
        """Whether a quoted text begins in a message and no place so far can end it."""
        p: cython.int = self._find(_QUOTE, pos, end)
        key: cython.int
        while p >= 0:
            key = p - 5
            if (
                key >= pos
                and self._starts(key, end, b'text="', 6)
                and (key == pos or _is_space(self.data[key - 1]) or self.data[key - 1] == 44)
            ):
                break
            p = self._find(_QUOTE, p + 1, end)
        if p < 0:
            return False
        p += 1
        if not self.escapes or self._find(_BACKSLASH, p, end) < 0:
            p = self._find(_QUOTE, p, end)
            while p >= 0:
                if self._may_close(p + 1, end):
                    return False
                p = self._find(_QUOTE, p + 1, end)
            return True
        while p < end:
            if self.data[p] == _BACKSLASH and self.escapes:
                p += 2
                continue
            if self.data[p] == _QUOTE and self._may_close(p + 1, end):
                return False
            p += 1
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _may_close(self, pos: cython.int, end: cython.int) -> cython.bint:
        if pos >= end or self.data[pos] == 10:
            return True
        if self.data[pos] == 13 and (pos + 1 >= end or self.data[pos + 1] == 10):
            return True
        return self._pair_follows(pos, end)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _absorb(self, start: cython.int, final: cython.bint) -> cython.int:
        """Where an open text that swallows the look-alike beginning at ``start`` goes on.

        0 or, after a look ahead, -1: the beginning is real; -2: more bytes are needed to tell; else the offset behind the line that ends the text.
        """
        pos: cython.int = start
        nl: cython.int
        stop: cython.int
        line: cython.int
        seen: cython.int = 0
        i: cython.int = self.cur
        if self.records[i, R_KIND] != K_HEADER or self.cur_traceback >= 0:
            return 0
        if not self._text_open(self.records[i, R_MSG], self.records[i, R_MSG_END]):
            return 0
        while True:
            nl = self._newline(pos)
            if (self.end if nl < 0 else nl) - self.records[i, R_START] > self.max_record:
                return -1
            if nl < 0 and not final:
                return -2
            if nl < 0:
                nl = self.end
            stop = self._trim_cr(pos, nl)
            line = self._skip_fill(pos, stop)
            if self._begins(line, stop) != -1:
                seen += 1
                if seen > LOOKAHEAD:
                    return -1
            if self._dangling(line, stop):
                self.records[i, R_MSG_END] = stop
                return nl + 1 if nl < self.end else self.end
            if nl >= self.end:
                return -1
            pos = nl + 1
            if pos >= self.end:
                return -1 if final else -2

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _dangling(self, pos: cython.int, stop: cython.int) -> cython.bint:
        """Whether the line holds the end of a quoted value that does not begin on it."""
        odd: cython.bint = False
        p: cython.int = pos
        while p < stop:
            if self.data[p] == _BACKSLASH and self.escapes:
                p += 2
                continue
            if self.data[p] == _QUOTE:
                if p > pos and self.data[p - 1] == 61:
                    return False
                odd = not odd
                if odd and (p + 1 >= stop or self._pair_follows(p + 1, stop)):
                    return True
            p += 1
        return False

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _begins(self, line: cython.int, stop: cython.int) -> cython.int:
        """The kind of record that begins with a line, or -1."""
        if line >= stop:
            return -1
        if self._header(line, stop):
            return K_HEADER
        if self.data[line] == 84:
            if self._starts(line, stop, b"Traceback (most recent call last):", 34):
                return K_TRACEBACK
            return -1
        if self._headerless(line, stop):
            return K_HEADERLESS
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _headerless(self, line: cython.int, stop: cython.int) -> cython.bint:
        pos: cython.int = line
        name: cython.int
        while pos < stop and pos - line <= 8 and 65 <= self.data[pos] <= 90:
            pos += 1
        if pos >= stop or self.data[pos] != 58 or self._level(line, pos) == L_NONE:
            return False
        pos += 1
        if pos >= stop or _is_space(self.data[pos]):
            return True
        name = pos
        while pos < stop and _is_ident(self.data[pos]):
            pos += 1
        return pos > name and pos < stop and self.data[pos] == 58 and pos - line <= self.max_record

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _level(self, pos: cython.int, end: cython.int) -> cython.int:
        n: cython.int = end - pos
        if n == 4:
            if self._starts(pos, end, b"INFO", 4):
                return L_INFO
            if self._starts(pos, end, b"WARN", 4):
                return L_WARNING
        elif n == 5:
            if self._starts(pos, end, b"ERROR", 5):
                return L_ERROR
            if self._starts(pos, end, b"DEBUG", 5):
                return L_DEBUG
            if self._starts(pos, end, b"FATAL", 5):
                return L_CRITICAL
        elif n == 7:
            if self._starts(pos, end, b"WARNING", 7):
                return L_WARNING
        elif n == 8:
            if self._starts(pos, end, b"CRITICAL", 8):
                return L_CRITICAL
        return L_NONE

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _header(self, line: cython.int, stop: cython.int) -> cython.bint:
        j: cython.int
        padded: cython.bint
        self.h_bad = False
        self.h_zone = NO_ZONE
        self.h_stamp = 0
        self.h_msecs = -1
        self.h_level = L_NONE
        self.h_message = -1
        if self.n_fields > 0 and self.program[0, 0] == F_ASCTIME and self.program[0, 2] == 0:
            # the cheap refusal of most continuation lines
            padded = self.program[0, 3] > 0
            if not padded and self.clock[0, 0] == T_YEAR and not (48 <= self.data[line] <= 57):
                return False
        for j in range(self.scratch.shape[0]):
            self.scratch[j] = 0
        if not self._fields(0, line, stop) or self.h_message - line > self.max_record:
            return False
        if self.h_msecs >= 0 and self.h_stamp % 1000000 == 0:  # else the stamp itself tells them
            self.h_stamp += cython.cast(cython.longlong, self.h_msecs) * 1000
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _literal(
        self, pos: cython.int, stop: cython.int, at: cython.int, n: cython.int
    ) -> cython.bint:
        k: cython.int
        if stop - pos < n:
            return False
        for k in range(n):
            if self.data[pos + k] != self.literals[at + k]:
                return False
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _fields(self, first: cython.int, start: cython.int, stop: cython.int) -> cython.bint:
        """Match fields from number ``first`` on at ``start``; after the message they must end at ``stop``."""
        i: cython.int = first
        pos: cython.int = start
        kind: cython.int
        end: cython.int
        while i < self.n_fields:
            # when called behind a message, its literal was matched by the caller
            if i != first or first == 0:
                if not self._literal(pos, stop, self.program[i, 1], self.program[i, 2]):
                    # a line's trailing space may be lost: "event: " - an empty message
                    return False
                pos += self.program[i, 2]
            kind = self.program[i, 0]
            if kind == F_MESSAGE:
                return self._message(i, pos, stop)
            end = self._field(i, kind, pos, stop)
            if end < 0:
                return False
            pos = end
            i += 1
        if not self._literal(pos, stop, self.suffix, self.suffix_len):
            return False
        return pos + self.suffix_len == stop

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _message(self, i: cython.int, pos: cython.int, stop: cython.int) -> cython.bint:
        at: cython.int
        lit: cython.int = self.suffix
        n: cython.int = self.suffix_len
        low: cython.int = pos if stop - pos < _TRAILER else stop - _TRAILER
        msecs: cython.int = self.h_msecs
        level: cython.int = self.h_level
        self.h_message = pos
        self.h_message_end = stop
        if i + 1 < self.n_fields:
            lit = self.program[i + 1, 1]
            n = self.program[i + 1, 2]
        elif n == 0:
            return True
        at = stop - n
        while at >= low:
            if self._literal(at, stop, lit, n) and self._fields(
                i + 1, at + (n if i + 1 < self.n_fields else 0), stop
            ):
                self.h_message = pos
                self.h_message_end = at
                return True
            at -= 1
        # what the attempts have found is part of the message
        self.h_msecs = msecs
        self.h_level = level
        self._forget(i + 1)
        return True

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _forget(self, first: cython.int) -> cython.void:
        i: cython.int
        for i in range(first, self.n_fields):
            if self.program[i, 0] == F_NAME:
                self.scratch[R_NAME] = self.scratch[R_NAME_END] = 0
            elif self.program[i, 0] == F_REQUEST_ID:
                self.scratch[R_REQUEST_ID] = self.scratch[R_REQUEST_ID_END] = 0
            else:
                self._extra(i, 0, 0)

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _field(
        self, i: cython.int, kind: cython.int, pos: cython.int, stop: cython.int
    ) -> cython.int:
        """Match one field at pos; the offset behind it, or -1."""
        end: cython.int
        begin: cython.int
        level_end: cython.int
        if kind == F_ASCTIME and self.program[i, 3] == 0:
            return self._asctime(pos, stop)
        if kind == F_ASCTIME or kind == F_CREATED or kind == F_MSECS or kind == F_DIGITS:
            return self._fixed(i, kind, pos, stop)
        end = self._text_end(i, pos, stop)
        if end < 0:
            return -1
        begin = pos
        while begin < end and self.data[begin] == 32:
            begin += 1
        level_end = end
        while level_end > begin and self.data[level_end - 1] == 32:
            level_end -= 1
        if kind == F_LEVEL:
            if (
                level_end <= begin
                or level_end - begin > 20
                or not _is_ident_start(self.data[begin])
            ):
                return -1
            self.h_level = self._level(begin, level_end)
        elif kind == F_NAME:
            self.scratch[R_NAME] = begin
            self.scratch[R_NAME_END] = level_end
        elif kind == F_REQUEST_ID:
            self.scratch[R_REQUEST_ID] = begin
            self.scratch[R_REQUEST_ID_END] = level_end
        else:
            self._extra(i, begin, level_end)
        return end

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _fixed(
        self, i: cython.int, kind: cython.int, start: cython.int, stop: cython.int
    ) -> cython.int:
        """Match a field whose end its own characters tell, with the padding up to its width; the offset behind, or -1."""
        pos: cython.int = start
        end: cython.int
        missing: cython.int = self.program[i, 3]
        if missing > 0:
            while pos < stop and self.data[pos] == 32:
                pos += 1
        if kind == F_ASCTIME:
            end = self._asctime(pos, stop)
        elif kind == F_CREATED:
            end = self._created(pos, stop)
        else:
            end = self._digits(i, kind, pos, stop)
        if end < 0 or missing <= 0:
            return end
        for pos in range(start, end):
            if (self.data[pos] & 0xC0) != 0x80:  # widths count characters
                missing -= 1
        while missing > 0 and end < stop and self.data[end] == 32:
            end += 1
            missing -= 1
        return end

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _extra(self, i: cython.int, begin: cython.int, end: cython.int) -> cython.void:
        e: cython.int = self.program[i, 4]
        if e >= 0:
            self.scratch[REC_WIDTH + 2 * e] = begin
            self.scratch[REC_WIDTH + 2 * e + 1] = end

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _text_end(self, i: cython.int, pos: cython.int, stop: cython.int) -> cython.int:
        """The offset where the literal behind field i begins, or -1."""
        at: cython.int = pos + self.program[i, 3]
        lit: cython.int
        n: cython.int
        if i + 1 < self.n_fields:
            lit = self.program[i + 1, 1]
            n = self.program[i + 1, 2]
        else:
            lit = self.suffix
            n = self.suffix_len
            if n == 0:
                return stop
        while at + n <= stop:
            if n == 0 or (self.data[at] == self.literals[lit] and self._literal(at, stop, lit, n)):
                return at
            at += 1
        return -1

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _digits(
        self, i: cython.int, kind: cython.int, pos: cython.int, stop: cython.int
    ) -> cython.int:
        begin: cython.int
        value: cython.int = 0
        whole: cython.bint = True
        while pos < stop and self.data[pos] == 32:
            pos += 1
        begin = pos
        while pos < stop and (48 <= self.data[pos] <= 57 or self.data[pos] == 46):
            whole = whole and self.data[pos] != 46
            if whole and pos - begin < 3:
                value = value * 10 + self.data[pos] - 48
            pos += 1
        if pos == begin:
            return -1
        if kind == F_MSECS:
            self.h_msecs = value
        else:
            self._extra(i, begin, pos)
        return pos

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _number(self, pos: cython.int, stop: cython.int, n: cython.int) -> cython.int:
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

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _created(self, pos: cython.int, stop: cython.int) -> cython.int:
        seconds: cython.longlong = 0
        micros: cython.longlong = 0
        scale: cython.longlong = 100000
        begin: cython.int = pos
        while pos < stop and 48 <= self.data[pos] <= 57 and pos - begin < 12:
            seconds = seconds * 10 + self.data[pos] - 48
            pos += 1
        if pos == begin:
            return -1
        if pos < stop and self.data[pos] == 46:
            pos += 1
            while pos < stop and 48 <= self.data[pos] <= 57:
                micros += scale * (self.data[pos] - 48)
                scale = scale // 10
                pos += 1
        if seconds // 1000 > 253300000:
            self.h_bad = True
        self.h_stamp = seconds * 1000000 + micros
        self.h_zone = 0
        return pos

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _asctime(self, start: cython.int, stop: cython.int) -> cython.int:
        """Read the stamp by the steps of ``clock``; the offset behind it, or -1 (not of this shape)."""
        pos: cython.int = start
        s: cython.int
        step: cython.int
        v: cython.int
        first: cython.int = 0
        n: cython.int
        year: cython.int = 1900
        month: cython.int = 1
        day: cython.int = 1
        hour: cython.int = 0
        minute: cython.int = 0
        second: cython.int = 0
        micros: cython.longlong = 0
        scale: cython.longlong
        pm: cython.int = -1
        c: cython.int
        if self.plain_clock:
            # the same steps, unrolled for the stamps that nearly all logs have
            if stop - pos < 19 or self.data[pos + 4] != 45 or self.data[pos + 7] != 45:
                return -1
            if self.data[pos + 13] != 58 or self.data[pos + 16] != 58:
                return -1
            c = self.data[pos + 10]
            if c != 32 and c != 84 and c != 116:
                return -1
            year = self._number(pos, stop, 4)
            month = self._number(pos + 5, stop, 2)
            day = self._number(pos + 8, stop, 2)
            hour = self._number(pos + 11, stop, 2)
            minute = self._number(pos + 14, stop, 2)
            second = self._number(pos + 17, stop, 2)
            if year < 0 or month < 0 or day < 0 or hour < 0 or minute < 0 or second < 0:
                return -1
            pos += 19
            first = 11
        for s in range(first, self.n_steps):
            step = self.clock[s, 0]
            if step == T_CHAR:
                if pos >= stop or self.data[pos] != self.clock[s, 1]:
                    return -1
                pos += 1
            elif step == T_SEPARATOR:
                if pos >= stop or (
                    self.data[pos] != 32 and self.data[pos] != 84 and self.data[pos] != 116
                ):
                    return -1
                pos += 1
            elif step <= T_SECOND or step == T_YEAR2 or step == T_HOUR12:
                n = 4 if step == T_YEAR else 2
                v = self._number(pos, stop, n)
                if v < 0:
                    return -1
                pos += n
                if step == T_YEAR:
                    year = v
                elif step == T_MONTH:
                    month = v
                elif step == T_DAY:
                    day = v
                elif step == T_HOUR or step == T_HOUR12:
                    hour = v
                elif step == T_MINUTE:
                    minute = v
                elif step == T_SECOND:
                    second = v
                else:
                    year = 2000 + v if v < 69 else 1900 + v
            elif step == T_FRACTION or step == T_MAYBE_FRACTION:
                if step == T_MAYBE_FRACTION:
                    if pos + 1 >= stop or not (self.data[pos] == 44 or self.data[pos] == 46):
                        continue
                    if not (48 <= self.data[pos + 1] <= 57):
                        continue
                    pos += 1
                scale = 100000
                n = pos
                while pos < stop and 48 <= self.data[pos] <= 57:
                    micros += scale * (self.data[pos] - 48)
                    scale = scale // 10
                    pos += 1
                if pos == n:
                    return -1
            elif step == T_ZONE or step == T_MAYBE_ZONE:
                v = self._zone(pos, stop)
                if v < 0:
                    if step == T_ZONE:
                        return -1
                else:
                    pos = v
            elif step == T_MONTH_NAME:
                month = self._month_name(pos, stop)
                if month < 0:
                    return -1
                pos += 3
            elif step == T_AMPM:
                if pos + 1 >= stop:
                    return -1
                c = self.data[pos] | 32
                if (c != 97 and c != 112) or (self.data[pos + 1] | 32) != 109:
                    return -1
                pm = 1 if c == 112 else 0
                pos += 2
            else:
                n = pos
                if pos < stop and (self.data[pos] == 43 or self.data[pos] == 45):
                    pos += 1  # a zone without a name of its own is called -03
                    while pos < stop and 48 <= self.data[pos] <= 57:
                        pos += 1
                while pos < stop and _is_ident_start(self.data[pos]):
                    pos += 1
                if pos == n:
                    return -1
        if pm >= 0:
            hour = hour % 12 + 12 * pm
        if (
            year < 1900
            or year > 9998
            or month < 1
            or month > 12
            or day < 1
            or hour > 23
            or minute > 59
            or second > 59
        ):
            self.h_bad = True
        elif day > _month_days(year, month):
            self.h_bad = True
        else:
            self.h_stamp = (
                ((_days(year, month, day) * 24 + hour) * 60 + minute) * 60000000
                + cython.cast(cython.longlong, second) * 1000000
                + micros
            )
        return pos

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _zone(self, pos: cython.int, stop: cython.int) -> cython.int:
        """Read ``Z``, ``+08:00``, ``+0800`` or ``+08`` (a space before it allowed) into h_zone."""
        sign: cython.int
        hours: cython.int
        minutes: cython.int = 0
        if (
            pos + 1 < stop
            and self.data[pos] == 32
            and (self.data[pos + 1] == 43 or self.data[pos + 1] == 45)
        ):
            if self._number(pos + 2, stop, 4) < 0 and self._number(pos + 2, stop, 2) < 0:
                return -1
            pos += 1
        if pos >= stop:
            return -1
        if self.data[pos] == 90:
            self.h_zone = 0
            return pos + 1
        if self.data[pos] != 43 and self.data[pos] != 45:
            return -1
        sign = 1 if self.data[pos] == 43 else -1
        hours = self._number(pos + 1, stop, 2)
        if hours < 0 or hours > 23:
            return -1
        pos += 3
        if pos < stop and self.data[pos] == 58 and self._number(pos + 1, stop, 2) >= 0:
            minutes = self._number(pos + 1, stop, 2)
            pos += 3
        elif self._number(pos, stop, 2) >= 0:
            minutes = self._number(pos, stop, 2)
            pos += 2
        self.h_zone = sign * (hours * 60 + minutes)
        return pos

    @cython.cfunc
    @cython.nogil
    @cython.exceptval(check=False)
    def _month_name(self, pos: cython.int, stop: cython.int) -> cython.int:
        names: cython.p_const_char = b"janfebmaraprmayjunjulaugsepoctnovdec"
        m: cython.int
        if stop - pos < 3:
            return -1
        for m in range(12):
            if (
                (self.data[pos] | 32) == names[3 * m]
                and (self.data[pos + 1] | 32) == names[3 * m + 1]
                and (self.data[pos + 2] | 32) == names[3 * m + 2]
            ):
                return m + 1
        return -1


def _ints(n):
    return memoryview(bytearray(4 * max(n, 1))).cast("i")


def _pack(words):
    at = _ints(len(words) + 1)
    for i, word in enumerate(words):
        at[i + 1] = at[i] + len(word)
    return memoryview(b"".join(words) or b"\0"), at


def _buckets(keys):
    bucket, following = _ints(256), _ints(len(keys))
    for i in range(256):
        bucket[i] = -1
    for i, key in enumerate(keys):
        slot = (key[0] * 7 + key[len(key) - 1] + len(key) * 31) & 255
        following[i] = bucket[slot]
        bucket[slot] = i
    return bucket, following
