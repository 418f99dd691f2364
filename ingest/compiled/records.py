# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
# mypy: ignore-errors
"""Bytes of a log → spans of records, fields and key=value pairs, in one pass (docs/parsing.md).

Written in Cython's pure-Python mode, with the types in the ``.pxd`` file beside it: compiled at install, it runs as C without
the interpreter lock; uncompiled, it gives the same answers slowly. ``COMPILED`` says which one runs.

Shapes: ``n`` records, ``p`` pairs. All offsets are int32 positions within the chunk given.
"""

from __future__ import annotations

import cython

from ingest.compiled import layout

if cython.compiled:
    from cython.cimports.ingest.compiled.buffer import Bytes
    from cython.cimports.ingest.compiled.headers import Headers
    from cython.cimports.ingest.compiled.pairs import Pairs
else:
    from ingest.compiled.buffer import Bytes
    from ingest.compiled.headers import Headers
    from ingest.compiled.pairs import Pairs

COMPILED = cython.compiled

R_START = cython.declare(cython.int, layout.R_START)
R_END = cython.declare(cython.int, layout.R_END)
R_KIND = cython.declare(cython.int, layout.R_KIND)
R_ZONE = cython.declare(cython.int, layout.R_ZONE)
R_LEVEL = cython.declare(cython.int, layout.R_LEVEL)
R_MSG = cython.declare(cython.int, layout.R_MSG)
R_MSG_END = cython.declare(cython.int, layout.R_MSG_END)
R_TRACEBACK = cython.declare(cython.int, layout.R_TRACEBACK)
R_EVENT = cython.declare(cython.int, layout.R_EVENT)
R_PAIR = cython.declare(cython.int, layout.R_PAIR)
R_PAIRS = cython.declare(cython.int, layout.R_PAIRS)
R_LOW = cython.declare(cython.int, layout.R_LOW)
REC_WIDTH = cython.declare(cython.int, layout.REC_WIDTH)
K_HEADER = cython.declare(cython.int, layout.K_HEADER)
K_TRACEBACK = cython.declare(cython.int, layout.K_TRACEBACK)
K_NO_HEADER = cython.declare(cython.int, layout.K_NO_HEADER)
K_BAD_TIME = cython.declare(cython.int, layout.K_BAD_TIME)
K_TOO_LONG = cython.declare(cython.int, layout.K_TOO_LONG)
L_WARNING = cython.declare(cython.int, layout.L_WARNING)
C_SPACE = cython.declare(cython.int, layout.C_SPACE)
LOOKAHEAD = cython.declare(cython.int, layout.LOOKAHEAD)
# In place of an offset: a table has no room; more bytes are needed to tell; a beginning is real, also after a look ahead.
_NO_ROOM = cython.declare(cython.int, -1)
_MORE = cython.declare(cython.int, -2)
_REAL = cython.declare(cython.int, 0)
_REAL_AHEAD = cython.declare(cython.int, -1)


class Scanner(Bytes):
    """Scans chunks by one compiled format; the tables given hold the result until the next call.

    Arguments as those of :class:`ingest.compiled.headers.Headers` and :class:`ingest.compiled.pairs.Pairs`; ``max_record`` bytes.
    ``cur`` is the record that is being gathered, or -1; ``full``: a table has no room for it.
    """

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
        self.headers = Headers(program, literals, suffix, clock, plain_clock, max_record)
        self.pairs = Pairs(events, keys, words, escapes)
        self.max_record = max_record

    def over(self, data, end):
        """Read other bytes from now on."""
        Bytes.over(self, data, end)
        self.headers.over(data, end)
        self.pairs.over(data, end)

    def scan(self, data, start, end, final, at_file_start, records, stamps, pairs):
        """Scan ``data[start:end]`` into the tables given; return how many bytes are settled.

        ``final`` says that no byte will follow. What is behind the returned offset is the tail. When a table
        is full the scan stops at a record's start, and returns the complement (``~``) of its offset. ``giant`` is set when the record that the tail
        begins with is longer than the longest.
        """
        self.over(data, end)
        self.records = records
        self.stamps = stamps
        self.pairs.into(records, pairs)
        self.n_records = 0
        self.giant = False
        self.full = False
        begin: cython.int = start
        is_final: cython.bint = final
        first: cython.bint = at_file_start
        consumed: cython.int
        with cython.nogil:
            consumed = self._scan(begin, is_final, first)
        self.n_pairs = self.pairs.n
        return ~consumed if self.full else consumed

    def next_beginning(self, data, start, end, final):
        """Offset of the first line in ``data[start:end]`` that begins a record, or -1; ``start`` is a line's start."""
        self.over(data, end)
        pos: cython.int = start
        nl: cython.int
        found: cython.int = -1
        done: cython.bint = final
        with cython.nogil:
            while pos < self.end:
                nl = self.newline(pos)
                if nl < 0 and not done:
                    break
                nl = self.end if nl < 0 else nl
                if self._kind_at(pos, nl) != -1:
                    found = pos
                    break
                pos = nl + 1
        return found

    def header_end(self, data, end):
        """Offset behind the first record header with a stamp in ``data[:end]``, or -1."""
        self.over(data, end)
        pos: cython.int = 0
        nl: cython.int
        found: cython.int = -1
        with cython.nogil:
            while pos < self.end:
                nl = self.newline(pos)
                if nl < 0:
                    break
                if self._kind_at(pos, nl) == K_HEADER:
                    found = nl
                    break
                pos = nl + 1
        return found

    def _kind_at(self, pos, nl):
        """The kind of record that begins with the line pos … nl, or -1."""
        return self.headers.begins(self.skip_fill(pos, nl), self.trim_cr(pos, nl))

    def _scan(self, start, final, first):
        pos: cython.int = start
        nl: cython.int
        after: cython.int
        taken: cython.int
        self.cur = -1
        if first and self.starts(pos, self.end, b"\xef\xbb\xbf", 3):
            pos += 3
        while pos < self.end:
            nl = self.newline(pos)
            after = nl + 1
            if nl < 0:
                if not final:
                    if self.cur >= 0 and not self._before_endless(pos):
                        return self.records[self.cur, R_LOW]
                    break
                nl = self.end
                after = nl
            taken = self._take(pos, nl, after, final)
            if taken == _NO_ROOM:
                return self.records[self.cur, R_LOW] if self.cur >= 0 else pos
            if taken == _MORE:
                break
            pos = taken
        if self.cur >= 0:
            if final:
                return self.end if self._finish() else self.records[self.cur, R_LOW]
            self.giant = self._is_giant(pos)
            return self.records[self.cur, R_LOW]
        if not final and self.end - pos > self.max_record:
            self.giant = True
        return pos

    def _take(self, pos, nl, after, final):
        """Take the line pos … nl, which ends before ``after``; the offset behind what was taken, _NO_ROOM or _MORE."""
        stop: cython.int = self.trim_cr(pos, nl)
        line: cython.int = self.skip_fill(pos, stop)
        kind: cython.int
        absorbed: cython.int
        if self.cur >= 0 and stop - self.records[self.cur, R_END] > self.max_record:
            if self._ends_in_blank(line, stop) and not self._finish():
                return _NO_ROOM
        if self._solid(line, stop) == stop:
            return after
        kind = self.headers.begins(line, stop)
        if kind != -1 and self.cur >= 0:
            absorbed = self._absorb(pos, final)
            if absorbed == _MORE:
                return _MORE
            if absorbed > 0:
                self.records[self.cur, R_END] = absorbed
                return absorbed
            kind = self._real_kind(kind, line, stop, absorbed)
        if kind == -1 and self.cur >= 0:
            self._continue(line, stop, after)
            return after
        if self.cur >= 0 and not self._finish():
            return _NO_ROOM
        if self.n_records >= self.records.shape[0]:
            self.full = True
            return _NO_ROOM
        if kind == -1:
            self._reject(line, after)
        else:
            self._open(kind, line, stop, after, pos)
        return after

    def _real_kind(self, kind, line, stop, absorbed):
        """The kind of a beginning that is no part of a text: the traceback of a warning goes on with its record."""
        if absorbed == _REAL_AHEAD:  # looked ahead in vain: what the header said was overwritten
            self.headers.begins(line, stop)
        if kind == K_TRACEBACK and self.records[self.cur, R_LEVEL] >= L_WARNING:
            return -1
        return kind

    def _before_endless(self, pos):
        """Settle the gathered record if the endless line at pos begins the next; false when it has no room."""
        line: cython.int
        kind: cython.int
        if self.end - pos <= self.max_record:
            return True
        line = self.skip_fill(pos, self.end)
        if self._ends_in_blank(line, self.end):
            return self._finish()
        kind = self.headers.begins(line, self.end)
        if kind == -1 or self._absorb(pos, False) > 0:
            return True
        if kind == K_TRACEBACK and self.records[self.cur, R_LEVEL] >= L_WARNING:
            return True
        return self._finish()

    def _is_giant(self, pos):
        """Whether the gathered record, up to the unfinished line at pos or with it, is too long for sure."""
        if self.records[self.cur, R_END] - self.records[self.cur, R_START] > self.max_record:
            return True
        return self.end - pos > self.max_record

    def _ends_in_blank(self, line, stop):
        """Whether so much blank lies behind the gathered record that it would be too long for what follows."""
        end: cython.int = self.records[self.cur, R_END]
        if stop - end <= self.max_record or end - self.records[self.cur, R_START] > self.max_record:
            return False
        return self._solid(line, stop) - end > self.max_record

    def _solid(self, pos, stop):
        """The offset of the first byte that is neither white space nor NUL, else ``stop``."""
        at: cython.int = pos
        while at < stop and (self.characters[self.data[at]] & C_SPACE or self.data[at] == 0):
            at += 1
        return at

    def _reject(self, line, after):
        """A line that belongs to no record."""
        i: cython.int = self.n_records
        j: cython.int
        for j in range(REC_WIDTH):
            self.records[i, j] = 0
        self.records[i, R_START] = line
        self.records[i, R_END] = after
        self.records[i, R_KIND] = K_TOO_LONG if after - line > self.max_record else K_NO_HEADER
        self.records[i, R_TRACEBACK] = -1
        self.stamps[i] = 0
        self.n_records += 1

    def _open(self, kind, line, stop, after, low):
        """Begin to gather a record of a kind."""
        i: cython.int = self.n_records
        j: cython.int
        self.cur = i
        self.cur_traceback = line if kind == K_TRACEBACK else -1
        if kind != K_HEADER:
            self.headers.take_headerless(kind, line, stop)
        for j in range(self.headers.scratch.shape[0]):
            self.records[i, j] = self.headers.scratch[j]
        self.records[i, R_START] = line
        self.records[i, R_LOW] = low
        self.records[i, R_END] = after
        self.records[i, R_KIND] = kind
        self.records[i, R_ZONE] = self.headers.stamps.zone
        self.records[i, R_LEVEL] = self.headers.level
        self.records[i, R_MSG] = self.headers.message
        self.records[i, R_MSG_END] = self.headers.message_end
        self.stamps[i] = 0
        if kind == K_HEADER:
            self.stamps[i] = self.headers.stamps.stamp
            if self.headers.stamps.is_bad:
                self.records[i, R_KIND] = K_BAD_TIME

    def _continue(self, line, stop, after):
        """A line of the gathered record."""
        self.records[self.cur, R_END] = after
        if self.cur_traceback < 0:
            if self.headers.begins_traceback(line, stop):
                self.cur_traceback = line
            else:
                self.records[self.cur, R_MSG_END] = stop

    def _finish(self):
        """Settle the gathered record; false when the pair table has no room for it."""
        i: cython.int = self.cur
        end: cython.int = self.records[i, R_MSG_END]
        pos: cython.int
        self.records[i, R_TRACEBACK] = self.cur_traceback
        while end > self.records[i, R_MSG] and self.characters[self.data[end - 1]] & C_SPACE:
            end -= 1
        self.records[i, R_MSG_END] = end
        self.records[i, R_PAIR] = self.pairs.n
        self.records[i, R_PAIRS] = 0
        self.records[i, R_EVENT] = -1
        if self.records[i, R_END] - self.records[i, R_START] > self.max_record:
            self.records[i, R_KIND] = K_TOO_LONG
        if self.records[i, R_KIND] <= K_TRACEBACK:
            pos = self.pairs.event(i, self.records[i, R_MSG], end)
            if self.records[i, R_EVENT] >= 0 or self.records[i, R_LEVEL] >= L_WARNING:
                if not self.pairs.cut(i, pos, end):
                    self.pairs.n = self.records[i, R_PAIR]
                    self.full = True
                    return False
        self.n_records = i + 1
        self.cur = -1
        return True

    def _absorb(self, start, final):
        """Where an open text that swallows the look-alike beginning at ``start`` goes on.

        _REAL or, after a look ahead, _REAL_AHEAD: the beginning is real; _MORE; else the offset behind the line that ends the text.
        """
        i: cython.int = self.cur
        if self.records[i, R_KIND] != K_HEADER or self.cur_traceback >= 0:
            return _REAL
        if not self.pairs.text_open(self.records[i, R_MSG], self.records[i, R_MSG_END]):
            return _REAL
        return self._look_ahead(start, final)

    def _look_ahead(self, start, final):
        """As :meth:`_absorb`, of a text that is open."""
        pos: cython.int = start
        nl: cython.int
        stop: cython.int
        line: cython.int
        seen: cython.int = 0
        while True:
            nl = self.newline(pos)
            if (self.end if nl < 0 else nl) - self.records[self.cur, R_START] > self.max_record:
                return _REAL_AHEAD
            if nl < 0 and not final:
                return _MORE
            if nl < 0:
                nl = self.end
            stop = self.trim_cr(pos, nl)
            line = self.skip_fill(pos, stop)
            if self.headers.begins(line, stop) != -1:
                seen += 1
                if seen > LOOKAHEAD:
                    return _REAL_AHEAD
            if self.pairs.dangling(line, stop):
                self.records[self.cur, R_MSG_END] = stop
                return nl + 1 if nl < self.end else self.end
            if nl >= self.end:
                return _REAL_AHEAD
            pos = nl + 1
            if pos >= self.end:
                return _REAL_AHEAD if final else _MORE
