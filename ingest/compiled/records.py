# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Bytes of a log → spans of records, fields and key=value pairs, in one pass (docs/parsing.md).

Written in Cython's pure-Python mode, with the types in the ``.pxd`` file beside it: compiled at
install, it runs as C without the interpreter lock; uncompiled, it gives the same answers slowly.
``COMPILED`` says which one runs.

Shapes: ``n`` records, ``p`` pairs. All offsets are int32 positions within the chunk given.
"""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled import layout
    from cython.cimports.ingest.compiled.buffer import Bytes
    from cython.cimports.ingest.compiled.headers import Headers
    from cython.cimports.ingest.compiled.pairs import Pairs
    from cython.cimports.ingest.compiled.usual import Usual
    from cython.cimports.libc.string import memchr, memcpy
else:
    from ingest.compiled import layout
    from ingest.compiled.buffer import Bytes
    from ingest.compiled.headers import Headers
    from ingest.compiled.pairs import Pairs, flat
    from ingest.compiled.usual import Usual

COMPILED = cython.compiled

# In place of an offset: a table has no room; more bytes are needed to tell; a line is none of the
# format's own; a beginning is real, also after a look ahead.
_NO_ROOM = cython.declare(cython.int, -1)
_MORE = cython.declare(cython.int, -2)
_FOREIGN = cython.declare(cython.int, -3)
_REAL = cython.declare(cython.int, 0)
_REAL_AHEAD = cython.declare(cython.int, -1)
_STAMP = cython.declare(cython.int, 23)  # bytes of ``2026-03-02 10:00:00,123``
_POINT = cython.declare(cython.int, 46)


class Scanner(Bytes):
    """Scans chunks by one compiled format; the tables given hold the result until the next call.

    Arguments as those of :class:`ingest.compiled.headers.Headers` and
    :class:`ingest.compiled.pairs.Pairs`; ``max_record`` bytes. ``cur`` is the record that is being
    gathered, or -1; ``is_cut``: it was read as a usual line, and will be again, by the rules, if
    the next line is none; ``full``: a table has no room for it.
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
        self.usual = Usual(self.headers, self.pairs, max_record)
        self.max_record = max_record

    def over(self, data, end):
        """Read other bytes from now on."""
        Bytes.over(self, data, end)
        self.headers.over(data, end)
        self.pairs.over(data, end)
        self.usual.over(data, end)

    def _into(self, records):
        """Fill another record table from now on; ``cells`` is the same as one row."""
        self.records = records
        self.width = records.shape[1]
        if cython.compiled:
            self.cells = cython.address(self.records[0, 0])
        else:
            self.cells = flat(records)

    def scan(self, data, start, end, final, at_file_start, records, stamps, pairs, numbers):
        """Scan ``data[start:end]`` into the tables given; return how many bytes are settled.

        ``numbers``: float64[p] and int8[p] as :func:`ingest.compiled.numbers.numbers` fills them,
        and the families of keys; values that are digits alone may be read at once, and others are
        left UNREAD.
        ``final`` says that no byte will follow. What is behind the returned offset is the tail.
        When a table is full the scan stops at a record's start, and returns the complement (``~``)
        of its offset. ``giant`` is set when the record that the tail begins with is longer than the
        longest; ``foreign`` when the scan stopped before a line, or a record with a line, that the
        format does not explain.
        """
        self.over(data, end)
        self._into(records)
        self.stamps = stamps
        self.states = numbers[1]
        self.pairs.into(records, pairs)
        self.usual.into(records, stamps, pairs, numbers)
        self.is_cut = False
        self.n_records = 0
        self.giant = False
        self.full = False
        self.foreign = False
        self.pairs.is_torn = False
        begin: cython.int = start
        is_final: cython.bint = final
        first: cython.bint = at_file_start
        consumed: cython.int
        with cython.nogil:
            consumed = self._scan(begin, is_final, first)
        self.n_pairs = self.pairs.n
        return ~consumed if self.full else consumed

    def next_beginning(self, data, start, end, final):
        """Offset of the first line in ``data[start:end]`` that begins a record, or -1."""
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
                if self._kind_at(pos, nl) == layout.K_HEADER:
                    found = nl
                    break
                pos = nl + 1
        return found

    def header(self, data, end, row, stamps):
        """Match the format's header at ``data[:end]``, one line, into row 0 of the tables; whether
        it has one.

        ``row`` int32[1, w], ``stamps`` int64[1]; R_KIND is K_HEADER, or K_BAD_TIME for a stamp that
        no clock shows.
        """
        self.over(data, end)
        self._into(row)
        self.stamps = stamps
        found: cython.bint
        with cython.nogil:
            found = self.headers.begins(0, self.end) == layout.K_HEADER
            if found:
                self.n_records = 0
                self._open(layout.K_HEADER, 0, self.end, self.end, 0)
        return found

    def text_open(self, data, start, end):
        """Whether ``data[start:end]``, a message so far, opens a text that does not end there."""
        self.over(data, end)
        return self.pairs.text_open(start, end)

    def closes(self, data, end):
        """Whether a quote in ``data[:end]`` may close a text that is open at its beginning."""
        self.over(data, end)
        return self.pairs.closes(0, end)

    def ends_text(self, data, end):
        """Whether the line ``data[:end]`` has the end of a quoted value that began earlier."""
        self.over(data, end)
        return self.pairs.dangling(0, end)

    def cut_given(self, data, end, records, ends, given, pairs):
        """Pairs of records whose boundaries are given; the number of pairs, or -1 where the table
        is full.

        ``records`` int32[n, w] with R_MSG and R_MSG_END set; ``ends`` int32[n]: up to where a
        message's own pairs and event are looked for, -1 for one that has none of its own; ``given``
        int32[m, 7] pairs that come behind these, by record.
        """
        self.over(data, end)
        self._into(records)
        self.pairs.into(records, pairs)
        self.full = False
        n: cython.int = records.shape[0]
        i: cython.int
        pos: cython.int
        at: cython.int = 0
        stops: cython.int[::1] = ends
        more: cython.int[:, ::1] = given
        with cython.nogil:
            for i in range(n):
                self.records[i, layout.R_PAIR] = self.pairs.n
                self.records[i, layout.R_PAIRS] = 0
                if stops[i] >= 0:
                    pos = self.pairs.event(i, self.records[i, layout.R_MSG], stops[i])
                    if (
                        self.records[i, layout.R_EVENT] >= 0
                        or self.records[i, layout.R_LEVEL] >= layout.L_WARNING
                    ):
                        if not self.pairs.cut(i, pos, stops[i]):
                            self.full = True
                            break
                at = self._add_given(i, at, more)
                if at < 0:
                    self.full = True
                    break
        return -1 if self.full else self.pairs.n

    def _add_given(self, i, start, given):
        """Append pairs of record i to the table, from its row ``start``; the next row, or -1."""
        at: cython.int = start
        j: cython.int
        while at < given.shape[0] and given[at, layout.P_RECORD] == i:
            if self.pairs.n >= self.pairs.table.shape[0]:
                return -1
            for j in range(layout.PAIR_WIDTH):
                self.pairs.table[self.pairs.n, j] = given[at, j]
            self.pairs.n += 1
            self.records[i, layout.R_PAIRS] += 1
            at += 1
        return at

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
            if self.is_cut:
                taken = self._usual(pos)
                if taken >= 0:
                    pos = taken
                    continue
                self._forget_usual()
            nl = _place(self.base, 10, pos, self.end)
            after = nl + 1
            if nl < 0:
                if not final:
                    if self.cur >= 0 and not self._before_endless(pos):
                        return self.records[self.cur, layout.R_LOW]
                    break
                nl = self.end
                after = nl
            taken = self._take(pos, nl, after, final)
            if taken == _FOREIGN:
                self.foreign = True
            if taken == _NO_ROOM or taken == _FOREIGN:
                return self.records[self.cur, layout.R_LOW] if self.cur >= 0 else pos
            if taken == _MORE:
                break
            pos = taken
        self._forget_usual()
        if self.cur >= 0:
            if final:
                return self.end if self._finish() else self.records[self.cur, layout.R_LOW]
            self.giant = self._is_giant(pos)
            return self.records[self.cur, layout.R_LOW]
        if not final and self.end - pos > self.max_record:
            self.giant = True
        return pos

    def _usual(self, pos):
        """Take the line at pos if it is a usual one behind another, or behind what is settled; the
        offset behind it, or -1.
        """
        i: cython.int = self.n_records
        row: cython.int = self.cur * self.width
        after: cython.int
        if self.cur >= 0:
            if self.usual.may_be_open and self.pairs.text_open(
                self.cells[row + layout.R_MSG], self.cells[row + layout.R_MSG_END]
            ):
                return -1
            i = self.cur + 1
        if i >= self.records.shape[0]:
            return -1
        after = self.usual.take(i, pos)
        if after >= 0:
            self.n_records = i
            self.cur = i
            self.is_cut = True
        return after

    def _forget_usual(self):
        """Gather the record that was read as a usual line, since what follows may continue it."""
        row: cython.int = self.cur * self.width
        if self.cur < 0 or not self.is_cut:
            return
        self.is_cut = False
        self.is_torn = False
        self.cur_traceback = -1
        self.traceback_state = layout.TB_FRAMES
        self.text_from = -1
        self.pairs.n = self.cells[row + layout.R_PAIR]
        self.cells[row + layout.R_EVENT] = -1
        self.cells[row + layout.R_EVENT_START] = self.cells[row + layout.R_EVENT_END] = 0

    def _take(self, pos, nl, after, final):
        """Take the line pos … nl; the offset after what was taken, _NO_ROOM or _MORE."""
        stop: cython.int = self.trim_cr(pos, nl)
        line: cython.int = self.skip_fill(pos, stop)
        kind: cython.int
        absorbed: cython.int
        if self.cur >= 0 and stop - self.records[self.cur, layout.R_END] > self.max_record:
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
                self.records[self.cur, layout.R_END] = absorbed
                return absorbed
            kind = self._real_kind(kind, line, stop, absorbed)
        if kind == -1 and self.cur >= 0:
            return after if self._continue(line, stop, after) else _FOREIGN
        if self.cur >= 0 and not self._finish():
            return _NO_ROOM
        if kind == -1 or (kind == layout.K_HEADERLESS and self._is_mild(line, stop)):
            return _FOREIGN
        if self.n_records >= self.records.shape[0]:
            self.full = True
            return _NO_ROOM
        if cython.compiled and kind == layout.K_HEADER:
            absorbed = self._usual(pos)  # it is none, or the first one behind others
            if absorbed >= 0:
                return absorbed
        self._open(kind, line, stop, after, pos)
        return after

    def _is_mild(self, line, stop):
        """Whether a line ``LEVEL:name:message`` has a level below WARNING: another service's."""
        self.headers.take_headerless(layout.K_HEADERLESS, line, stop)
        return self.headers.level < layout.L_WARNING

    def _real_kind(self, kind, line, stop, absorbed):
        """The kind of a beginning outside a text: a warning's traceback continues its record."""
        if absorbed == _REAL_AHEAD:  # looked ahead in vain: what the header said was overwritten
            self.headers.begins(line, stop)
        if (
            kind == layout.K_TRACEBACK
            and self.records[self.cur, layout.R_LEVEL] >= layout.L_WARNING
        ):
            return -1
        return kind

    def _before_endless(self, pos):
        """Finish the gathered record if the endless line at pos begins the next; false: no room."""
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
        if (
            kind == layout.K_TRACEBACK
            and self.records[self.cur, layout.R_LEVEL] >= layout.L_WARNING
        ):
            return True
        return self._finish()

    def _is_giant(self, pos):
        """Whether the gathered record, with the unfinished line or without, is surely too long."""
        if (
            self.records[self.cur, layout.R_END] - self.records[self.cur, layout.R_START]
            > self.max_record
        ):
            return True
        return self.end - pos > self.max_record

    def _ends_in_blank(self, line, stop):
        """Whether so many blanks follow the gathered record that nothing can continue it."""
        end: cython.int = self.records[self.cur, layout.R_END]
        if (
            stop - end <= self.max_record
            or end - self.records[self.cur, layout.R_START] > self.max_record
        ):
            return False
        return self._solid(line, stop) - end > self.max_record

    def _solid(self, pos, stop):
        """The offset of the first byte that is neither white space nor NUL, else ``stop``."""
        at: cython.int = pos
        while at < stop and (self.characters[self.data[at]] & layout.C_SPACE or self.data[at] == 0):
            at += 1
        return at

    def _open(self, kind, line, stop, after, low):
        """Begin to gather a record of a kind."""
        i: cython.int = self.n_records
        row: cython.int = i * self.width
        self.cur = i
        self.cur_traceback = line if kind == layout.K_TRACEBACK else -1
        self.traceback_state = layout.TB_FRAMES
        self.text_from = -1
        if kind != layout.K_HEADER:
            self.headers.take_headerless(kind, line, stop)
        if cython.compiled:
            memcpy(self.cells + row, cython.address(self.headers.scratch[0]), 4 * self.width)
        else:
            self.cells[row : row + self.width] = self.headers.scratch
        self.cells[row + layout.R_START] = line
        self.cells[row + layout.R_LOW] = low
        self.cells[row + layout.R_END] = after
        self.cells[row + layout.R_KIND] = kind
        self.cells[row + layout.R_ZONE] = self.headers.stamps.zone
        self.cells[row + layout.R_LEVEL] = self.headers.level
        self.cells[row + layout.R_MSG] = self.headers.message
        self.cells[row + layout.R_MSG_END] = self.headers.message_end
        self.stamps[i] = 0
        if kind == layout.K_HEADER:
            self.stamps[i] = self.headers.stamps.stamp
            if self.headers.stamps.is_bad:
                self.records[i, layout.R_KIND] = layout.K_BAD_TIME
        self.is_torn = self._is_torn(kind, line, stop)

    def _is_torn(self, kind, line, stop):
        """Whether a whole header stands in a record's first line, which a killed writer left; not
        looked for where the record's pairs show it. What the headers said is overwritten.
        """
        end: cython.int = stop
        if kind == layout.K_HEADER and not (line + 19 < stop and self.data[line + 19] == _POINT):
            if self.headers.is_recalled:
                return False
            end = min(stop, self.headers.message + _STAMP)
        return self._holds_header(line, end, stop)

    def _holds_header(self, line, end, stop):
        """Whether the format's header stands in a line behind its first byte, its stamp before
        ``end``.
        """
        at: cython.int = self.stamp_from(line + 1, end)
        while at >= 0:
            if self.headers.begins(at, stop) == layout.K_HEADER:
                return True
            at = self.stamp_from(at + 1, end)
        return False

    def _is_glued(self, line, stop):
        """Whether a stamp stands directly behind a letter or digit in a traceback's line: one that
        quotes a header has something between.
        """
        at: cython.int = self.stamp_from(line + 1, stop)
        byte: cython.int
        while at >= 0:
            byte = self.data[at - 1]
            if 48 <= byte <= 57 or 65 <= byte <= 90 or 97 <= byte <= 122:
                return True
            at = self.stamp_from(at + 1, stop)
        return False

    def _continue(self, line, stop, after):
        """A line of the gathered record: of its open text or its traceback; else false."""
        if self.cur_traceback >= 0:
            if not self._goes_on(line, stop) or self._is_glued(line, stop):
                return False
        elif self.headers.begins_traceback(line, stop):
            if self.records[self.cur, layout.R_LEVEL] < layout.L_WARNING:
                return False
            if self._holds_header(line, stop, stop):
                return False
            self.cur_traceback = line
        elif self._in_text():
            self.text_from = line
            self.records[self.cur, layout.R_MSG_END] = stop
        else:
            return False
        self.records[self.cur, layout.R_END] = after
        return True

    def _in_text(self):
        """Whether the gathered record's quoted text is open."""
        if (
            self.records[self.cur, layout.R_KIND] > layout.K_BAD_TIME
            or self.records[self.cur, layout.R_MSG] < 0
        ):
            return False
        if self.text_from >= 0:  # open up to its last line: only that one can have closed it
            return not self.pairs.closes(self.text_from, self.records[self.cur, layout.R_MSG_END])
        return self.pairs.text_open(
            self.records[self.cur, layout.R_MSG], self.records[self.cur, layout.R_MSG_END]
        )

    def _goes_on(self, line, stop):
        """Whether a line continues a traceback, to its exception line or the next of a chain."""
        if self.data[line] == 32 or self.data[line] == 9:
            return True
        if self.starts(
            line, stop, b"During handling of the above exception, another exception", 57
        ):
            self.traceback_state = layout.TB_CHAINED
            return True
        if self.starts(
            line, stop, b"The above exception was the direct cause of the following", 57
        ):
            self.traceback_state = layout.TB_CHAINED
            return True
        if self.traceback_state == layout.TB_CHAINED and self.headers.begins_traceback(line, stop):
            self.traceback_state = layout.TB_FRAMES
            return True
        if self.traceback_state == layout.TB_FRAMES and self._is_exception(line, stop):
            self.traceback_state = layout.TB_ENDED
            return True
        return False

    def _is_exception(self, line, stop):
        """Whether a line is ``Name.Of.Exception`` alone or before a colon."""
        pos: cython.int = line
        if pos >= stop or not self.characters[self.data[pos]] & layout.C_FIRST:
            return False
        while (
            pos < stop and self.characters[self.data[pos]] & layout.C_IDENT and self.data[pos] != 45
        ):
            pos += 1
        if pos >= stop:
            return True
        if self.data[pos] == 58:
            return pos + 1 >= stop or self.data[pos + 1] == 32
        return self._solid(pos, stop) == stop

    def _finish(self):
        """Settle the gathered record; false when the pair table has no room for it."""
        i: cython.int = self.cur
        row: cython.int = i * self.width
        end: cython.int = self.cells[row + layout.R_MSG_END]
        pos: cython.int
        if self.is_torn:
            self.foreign = True
            return False
        self.cells[row + layout.R_TRACEBACK] = self.cur_traceback
        while (
            end > self.cells[row + layout.R_MSG]
            and self.characters[self.data[end - 1]] & layout.C_SPACE
        ):
            end -= 1
        self.cells[row + layout.R_MSG_END] = end
        self.cells[row + layout.R_PAIR] = self.pairs.n
        self.cells[row + layout.R_PAIRS] = 0
        self.cells[row + layout.R_EVENT] = -1
        if self.cells[row + layout.R_END] - self.cells[row + layout.R_START] > self.max_record:
            self.cells[row + layout.R_KIND] = layout.K_TOO_LONG
        if self.cells[row + layout.R_KIND] <= layout.K_TRACEBACK:
            pos = self.pairs.event(i, self.cells[row + layout.R_MSG], end)
            if (
                self.cells[row + layout.R_EVENT] >= 0
                or self.cells[row + layout.R_LEVEL] >= layout.L_WARNING
            ):
                if not self.pairs.cut(i, pos, end) or self.pairs.is_torn:
                    self.pairs.n = self.cells[row + layout.R_PAIR]
                    self.foreign = self.pairs.is_torn
                    self.full = not self.foreign
                    return False
                for pos in range(self.cells[row + layout.R_PAIR], self.pairs.n):
                    self.states[pos] = layout.V_UNREAD
        self.n_records = i + 1
        self.cur = -1
        return True

    def _absorb(self, start, final):
        """Where an open text that swallows the look-alike beginning at ``start`` goes on.

        _REAL or, after a look ahead, _REAL_AHEAD: the beginning is real; _MORE; else the offset
        behind the line that ends the text.
        """
        row: cython.int = self.cur * self.width
        begin: cython.int = self.cells[row + layout.R_MSG]
        end: cython.int = self.cells[row + layout.R_MSG_END]
        if self.cells[row + layout.R_KIND] != layout.K_HEADER or self.cur_traceback >= 0:
            return _REAL
        if _place(self.base, 34, begin, end) < 0 or not self.pairs.text_open(begin, end):
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
            if (self.end if nl < 0 else nl) - self.records[
                self.cur, layout.R_START
            ] > self.max_record:
                return _REAL_AHEAD
            if nl < 0 and not final:
                return _MORE
            if nl < 0:
                nl = self.end
            stop = self.trim_cr(pos, nl)
            line = self.skip_fill(pos, stop)
            if self.headers.begins(line, stop) != -1:
                seen += 1
                if seen > layout.LOOKAHEAD:
                    return _REAL_AHEAD
            if self.pairs.dangling(line, stop):
                self.records[self.cur, layout.R_MSG_END] = stop
                return nl + 1 if nl < self.end else self.end
            if nl >= self.end:
                return _REAL_AHEAD
            pos = nl + 1
            if pos >= self.end:
                return _REAL_AHEAD if final else _MORE


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _place(
    src: cython.p_const_uchar, byte: cython.int, start: cython.int, end: cython.int
) -> cython.int:
    """Where a byte stands first in a span, or -1."""
    pos: cython.int = start
    found: cython.p_const_uchar
    if start >= end:
        return -1
    if cython.compiled:
        found = cython.cast(cython.p_const_uchar, memchr(src + start, byte, end - start))
        return cython.cast(cython.int, found - src) if found != cython.NULL else -1
    while pos < end and src[pos] != byte:
        pos += 1
    return pos if pos < end else -1
