# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""The first line of a record: the kind of its beginning, and its header's fields; compiled."""

from __future__ import annotations

import cython

if cython.compiled:
    from cython.cimports.ingest.compiled import layout
    from cython.cimports.ingest.compiled.bits import eight
    from cython.cimports.ingest.compiled.buffer import Bytes
    from cython.cimports.ingest.compiled.stamps import Stamps
    from cython.cimports.libc.string import memcmp
else:
    from ingest.compiled import layout
    from ingest.compiled.bits import eight
    from ingest.compiled.buffer import Bytes
    from ingest.compiled.stamps import Stamps

# bytes that may stand behind a message; bounds the search
_TRAILER = cython.declare(cython.int, 1024)
# ``2026-03-02 10:00:00,123``, its day with what follows it, and what stands between it and the
# message: so many of the last ones are compared whole
_STAMP = cython.declare(cython.int, 23)
_DAY = cython.declare(cython.int, 11)
_SHORTEST, _LONGEST, _RECALLED = 8, 64, 8
SHORTEST = cython.declare(cython.int, _SHORTEST)
LONGEST = cython.declare(cython.int, _LONGEST)
RECALLED = cython.declare(cython.int, _RECALLED)
_PLAIN_STEPS = 11  # of ``Y-m-d H:M:S``
_MAYBE = [layout.T_MAYBE_FRACTION, layout.T_MAYBE_ZONE]


class Headers(Bytes):
    """Matches lines by one compiled format.

    ``program`` int32[n_fields, 5]: field kind, literal start, literal length, least width, extra
    number; ``literals`` the bytes they point into, ``suffix`` start and length of what ends the
    line; ``max_record`` bytes. What the last line that begins a record holds: ``level``, the span
    ``message`` … ``message_end``, the stamp, and in ``scratch`` int32[REC_WIDTH + 2 * n_extra] the
    spans of name, request id and extras; ``is_recalled``: of a name alone.
    """

    def __init__(self, program, literals, suffix, clock, plain_clock, max_record):
        self.stamps = Stamps(clock, plain_clock)
        self.program = program
        self.n_fields = program.shape[0]
        self.literals = literals
        self.suffix = suffix[0]
        self.suffix_len = suffix[1]
        self.max_record = max_record
        extras = max((program[i, 4] + 1 for i in range(program.shape[0])), default=0)
        width = layout.REC_WIDTH + 2 * max(extras, 0)
        self.scratch = memoryview(bytearray(4 * width)).cast("i")
        self.may_recall = plain_clock and _has_only_names(program, suffix[1], clock)
        self.has_day = self.is_recalled = False
        self.n_recalled = self.next_recalled = self.last_recalled = 0
        self.day = memoryview(bytearray(_DAY))
        self.prefixes = memoryview(bytearray(_LONGEST * _RECALLED))
        if cython.compiled:
            self.prefix = cython.address(self.prefixes[0])
        else:
            self.prefix = self.prefixes
        self.lengths = memoryview(bytearray(4 * _RECALLED)).cast("i")
        # length, and behind the stamp: the name's start and end, the level
        self.recalled = memoryview(bytearray(16 * _RECALLED)).cast("B").cast("i", [_RECALLED, 4])
        if cython.compiled:
            self.recalled_cells = cython.address(self.recalled[0, 0])

    def over(self, data, end):
        """Read other bytes from now on."""
        Bytes.over(self, data, end)
        self.stamps.over(data, end)

    def begins(self, line, stop):
        """The kind of record that begins with a line, or -1."""
        if line >= stop:
            return -1
        if self._header(line, stop):
            return layout.K_HEADER
        if self.data[line] == 84:
            if self.starts(line, stop, b"Traceback (most recent call last):", 34):
                return layout.K_TRACEBACK
            return -1
        if self._headerless(line, stop):
            return layout.K_HEADERLESS
        return -1

    def begins_traceback(self, line, stop):
        """Whether a record's traceback begins with a line."""
        if self.starts(line, stop, b"Traceback (most recent call last):", 34):
            return True
        return self.starts(
            line, stop, b"  + Exception Group Traceback (most recent call last):", 54
        )

    def take_headerless(self, kind, line, stop):
        """The parts of a beginning without a header: level and name, or a traceback."""
        pos: cython.int = line
        name: cython.int
        j: cython.int
        self.is_recalled = False
        for j in range(self.scratch.shape[0]):
            self.scratch[j] = 0
        if kind == layout.K_TRACEBACK:
            self.level = layout.L_ERROR
            self.message = self.message_end = line
            return
        while self.data[pos] != 58:
            pos += 1
        self.level = self._level(line, pos)
        pos += 1
        name = pos
        while pos < stop and self.characters[self.data[pos]] & layout.C_IDENT:
            pos += 1
        if pos > name and pos < stop and self.data[pos] == 58:
            self.scratch[layout.R_NAME] = name
            self.scratch[layout.R_NAME_END] = pos
            pos += 1
        else:
            pos = name
        while pos < stop and self.characters[self.data[pos]] & layout.C_SPACE:
            pos += 1
        self.message = pos
        self.message_end = stop

    def _headerless(self, line, stop):
        """Whether a line is ``LEVEL:name:message``, the format of an unconfigured logger."""
        pos: cython.int = line
        name: cython.int
        while pos < stop and pos - line <= 8 and 65 <= self.data[pos] <= 90:
            pos += 1
        if pos >= stop or self.data[pos] != 58 or self._level(line, pos) == layout.L_NONE:
            return False
        pos += 1
        if pos >= stop or self.characters[self.data[pos]] & layout.C_SPACE:
            return True
        name = pos
        while pos < stop and self.characters[self.data[pos]] & layout.C_IDENT:
            pos += 1
        return pos > name and pos < stop and self.data[pos] == 58 and pos - line <= self.max_record

    def _level(self, pos, end):
        """The level of a word in capitals."""
        i: cython.int
        if end - pos > 8:
            return layout.L_NONE
        for i in range(pos, end):
            if self.data[i] < 65 or self.data[i] > 90:
                return layout.L_NONE
        return self._level_in_any_case(pos, end)

    def _level_in_any_case(self, pos, end):
        """The level of a word as services rename them: in small letters, or with a capital."""
        n: cython.int = end - pos
        if n == 4 and self._spells(pos, b"info", 4):
            return layout.L_INFO
        if n == 4 and self._spells(pos, b"warn", 4):
            return layout.L_WARNING
        if n == 5 and self._spells(pos, b"error", 5):
            return layout.L_ERROR
        if n == 5 and self._spells(pos, b"debug", 5):
            return layout.L_DEBUG
        if n == 5 and self._spells(pos, b"fatal", 5):
            return layout.L_CRITICAL
        if n == 7 and self._spells(pos, b"warning", 7):
            return layout.L_WARNING
        if n == 8 and self._spells(pos, b"critical", 8):
            return layout.L_CRITICAL
        return layout.L_NONE

    def _spells(self, pos, word, length):
        """Whether so many letters at a place are a word's, in any case."""
        i: cython.int
        for i in range(length):
            if self.data[pos + i] | 32 != word[i]:
                return False
        return True

    def _header(self, line, stop):
        j: cython.int
        padded: cython.bint
        if self.may_recall and self._recall(line, stop):
            return True
        self.stamps.forget()
        self.msecs = -1
        self.level = layout.L_NONE
        self.message = -1
        if self.n_fields > 0 and self.program[0, 0] == layout.F_ASCTIME and self.program[0, 2] == 0:
            # the cheap refusal of most continuation lines
            padded = self.program[0, 3] > 0
            if not padded and self.stamps.clock[0, 0] == layout.T_YEAR:
                if not (48 <= self.data[line] <= 57):
                    return False
        self.is_recalled = False
        for j in range(self.scratch.shape[0]):
            self.scratch[j] = 0
        if not self._fields(0, line, stop) or self.message - line > self.max_record:
            return False
        if self.msecs >= 0 and self.stamps.stamp % 1000000 == 0:  # else the stamp itself tells them
            self.stamps.stamp += cython.cast(cython.longlong, self.msecs) * 1000
        if self.may_recall:
            self._remember(line, stop)
        return True

    def _recall(self, line, stop):
        """Match a header of a day and with a logger and level that were just matched; else false.

        Behind the stamp the same bytes are the same fields, since the message alone follows them.
        """
        src: cython.p_const_uchar = self.base
        begin: cython.int = line + _STAMP
        j: cython.int
        k: cython.int
        n: cython.int
        second: cython.int
        millis: cython.int
        if not self.has_day or stop - begin < SHORTEST:
            return False
        if cython.compiled:
            if eight(src, line) != self.day_first or eight(src, line + 3) != self.day_last:
                return False
            second = _second(eight(src, line + 11))
        else:
            if bytes(src[line : line + 11]) != bytes(self.day):
                return False
            second = _second(eight(src, line + 11))
        millis = _millis(src, line + 19)
        if second < 0 or millis < 0:
            return False
        k = self.last_recalled  # the last one first
        n = self.lengths[k]
        if stop - begin < n or not _same(src, begin, self.prefix, LONGEST * k, n):
            for k in range(self.n_recalled):
                n = self.lengths[k]
                if stop - begin >= n and _same(src, begin, self.prefix, LONGEST * k, n):
                    break
            else:
                return False
            self.last_recalled = k
        if not self.is_recalled:  # else the name alone is another one
            for j in range(self.scratch.shape[0]):
                self.scratch[j] = 0
            self.is_recalled = True
        if self.recalled[k, 1] >= 0:
            self.scratch[layout.R_NAME] = begin + self.recalled[k, 1]
            self.scratch[layout.R_NAME_END] = begin + self.recalled[k, 2]
        else:
            self.scratch[layout.R_NAME] = self.scratch[layout.R_NAME_END] = 0
        self.stamps.zone = layout.NO_ZONE
        self.stamps.is_bad = False
        self.stamps.stamp = (
            self.midnight
            + cython.cast(cython.longlong, second) * 1000000
            + cython.cast(cython.longlong, millis) * 1000
        )
        self.msecs = -1
        self.level = self.recalled[k, 3]
        self.message = begin + n
        self.message_end = stop
        return True

    def _remember(self, line, stop):
        """Keep day and prefix of a matched header for :meth:`_recall`, where it may be so read."""
        begin: cython.int = line + _STAMP
        n: cython.int = self.message - begin
        k: cython.int = self.next_recalled
        j: cython.int
        if n < SHORTEST or n > LONGEST or self.stamps.zone != layout.NO_ZONE or self.stamps.is_bad:
            return
        if self.data[line + 19] != 44 and self.data[line + 19] != 46:
            return
        if self.number(line + 20, stop, 3) < 0 or 48 <= self.data[begin] <= 57:
            return
        if self.stamp_from(begin, min(self.message + _STAMP, stop)) >= 0:
            return  # maybe the next header, behind half of this one
        for j in range(_DAY):
            self.day[j] = self.data[line + j]
        self.midnight = (
            self.stamps.stamp
            - cython.cast(
                cython.longlong,
                (self.number(line + 11, stop, 2) * 60 + self.number(line + 14, stop, 2)) * 60
                + self.number(line + 17, stop, 2),
            )
            * 1000000
            - cython.cast(cython.longlong, self.number(line + 20, stop, 3)) * 1000
        )
        self.has_day = True
        if cython.compiled:
            self.day_first = eight(self.base, line)
            self.day_last = eight(self.base, line + 3)
        for j in range(self.n_recalled):
            if self.lengths[j] == n and _same(self.base, begin, self.prefix, LONGEST * j, n):
                return
        for j in range(n):
            self.prefixes[LONGEST * k + j] = self.data[begin + j]
        self.recalled[k, 0] = self.lengths[k] = n
        self.recalled[k, 1] = self.scratch[layout.R_NAME] - begin
        self.recalled[k, 2] = self.scratch[layout.R_NAME_END] - begin
        self.recalled[k, 3] = self.level
        self.next_recalled = k + 1 if k + 1 < RECALLED else 0
        if self.n_recalled < RECALLED:
            self.n_recalled += 1

    def _literal(self, pos, stop, at, n):
        k: cython.int
        if stop - pos < n:
            return False
        for k in range(n):
            if self.data[pos + k] != self.literals[at + k]:
                return False
        return True

    def _fields(self, first, start, stop):
        """Match fields from ``first`` on at ``start``; after the message they end at ``stop``."""
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
            if kind == layout.F_MESSAGE:
                return self._message(i, pos, stop)
            end = self._field(i, kind, pos, stop)
            if end < 0:
                return False
            pos = end
            i += 1
        if not self._literal(pos, stop, self.suffix, self.suffix_len):
            return False
        return pos + self.suffix_len == stop

    def _message(self, i, pos, stop):
        at: cython.int
        lit: cython.int = self.suffix
        n: cython.int = self.suffix_len
        low: cython.int = pos if stop - pos < _TRAILER else stop - _TRAILER
        msecs: cython.int = self.msecs
        level: cython.int = self.level
        self.message = pos
        self.message_end = stop
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
                self.message = pos
                self.message_end = at
                return True
            at -= 1
        # what the attempts have found is part of the message
        self.msecs = msecs
        self.level = level
        self._forget(i + 1)
        return True

    def _forget(self, first):
        i: cython.int
        for i in range(first, self.n_fields):
            if self.program[i, 0] == layout.F_NAME:
                self.scratch[layout.R_NAME] = self.scratch[layout.R_NAME_END] = 0
            elif self.program[i, 0] == layout.F_REQUEST_ID:
                self.scratch[layout.R_REQUEST_ID] = self.scratch[layout.R_REQUEST_ID_END] = 0
            else:
                self._extra(i, 0, 0)

    def _field(self, i, kind, pos, stop):
        """Match one field at pos; the offset behind it, or -1."""
        end: cython.int
        begin: cython.int
        level_end: cython.int
        if kind == layout.F_ASCTIME and self.program[i, 3] == 0:
            return self.stamps.read(pos, stop)
        if (
            kind == layout.F_ASCTIME
            or kind == layout.F_CREATED
            or kind == layout.F_MSECS
            or kind == layout.F_DIGITS
        ):
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
        if kind == layout.F_LEVEL:
            if level_end <= begin or level_end - begin > 20:
                return -1
            if not self.characters[self.data[begin]] & layout.C_FIRST:
                return -1
            self.level = self._level(begin, level_end)
            if self.level == layout.L_NONE:
                self.level = self._level_in_any_case(begin, level_end)
        elif kind == layout.F_NAME:
            self.scratch[layout.R_NAME] = begin
            self.scratch[layout.R_NAME_END] = level_end
        elif kind == layout.F_REQUEST_ID:
            self.scratch[layout.R_REQUEST_ID] = begin
            self.scratch[layout.R_REQUEST_ID_END] = level_end
        else:
            self._extra(i, begin, level_end)
        return end

    def _fixed(self, i, kind, start, stop):
        """Match a field that its own characters end, with padding; the offset after it, or -1."""
        pos: cython.int = start
        end: cython.int
        missing: cython.int = self.program[i, 3]
        if missing > 0:
            while pos < stop and self.data[pos] == 32:
                pos += 1
        if kind == layout.F_ASCTIME:
            end = self.stamps.read(pos, stop)
        elif kind == layout.F_CREATED:
            end = self.stamps.created(pos, stop)
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

    def _text_end(self, i, pos, stop):
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

    def _digits(self, i, kind, start, stop):
        """Match digits, with a fraction or not; the offset behind them, or -1."""
        pos: cython.int = start
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
        if kind == layout.F_MSECS:
            self.msecs = value
        else:
            self._extra(i, begin, pos)
        return pos

    def _extra(self, i, begin, end):
        e: cython.int = self.program[i, 4]
        if e >= 0:
            self.scratch[layout.REC_WIDTH + 2 * e] = begin
            self.scratch[layout.REC_WIDTH + 2 * e + 1] = end


def _has_only_names(program, suffix, clock):
    """Whether a header is a stamp, names and levels, and the message, which ends the line."""
    kinds = [program[i, 0] for i in range(program.shape[0])]
    names = {layout.F_NAME, layout.F_LEVEL}
    if suffix or len(kinds) < 2 or len(set(kinds)) < len(kinds):
        return False
    if kinds[0] != layout.F_ASCTIME or kinds[len(kinds) - 1] != layout.F_MESSAGE:
        return False
    if set(kinds) - names - {layout.F_ASCTIME, layout.F_MESSAGE}:
        return False
    if program[0, 2] or program[0, 3] > 0 or not program[1, 2]:
        return False
    return [clock[i, 0] for i in range(_PLAIN_STEPS, clock.shape[0])] == _MAYBE


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _second(clock: cython.ulonglong) -> cython.int:
    """The second of the day that eight bytes tell, ``10:00:00``; -1 where they do not."""
    hour: cython.int
    minute: cython.int
    second: cython.int
    digits: cython.ulonglong = clock ^ cython.cast(cython.ulonglong, 0x30303A30303A3030)
    # a digit is 0 to 9 now and a colon 0: nothing more may come up to 128
    above: cython.ulonglong = digits + cython.cast(cython.ulonglong, 0x76767F76767F7676)
    if (above | digits) & cython.cast(cython.ulonglong, 0x8080808080808080):
        return -1
    hour = cython.cast(cython.int, (digits & 15) * 10 + ((digits >> 8) & 15))
    minute = cython.cast(cython.int, ((digits >> 24) & 15) * 10 + ((digits >> 32) & 15))
    second = cython.cast(cython.int, ((digits >> 48) & 15) * 10 + (digits >> 56))
    if hour > 23 or minute > 59 or second > 59:
        return -1
    return (hour * 60 + minute) * 60 + second


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _millis(src: cython.p_const_uchar, pos: cython.int) -> cython.int:
    """The number of three digits behind a comma or a point at pos, or -1."""
    a: cython.int = src[pos + 1] - 48
    b: cython.int = src[pos + 2] - 48
    c: cython.int = src[pos + 3] - 48
    if src[pos] != 44 and src[pos] != 46:
        return -1
    if a < 0 or a > 9 or b < 0 or b > 9 or c < 0 or c > 9:
        return -1
    return (a * 10 + b) * 10 + c


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def _same(
    src: cython.p_const_uchar,
    pos: cython.int,
    other: cython.p_uchar,
    at: cython.int,
    n: cython.int,
) -> cython.bint:
    """Whether n bytes, at least eight, are the same: the last eight may overlap."""
    k: cython.int = 0
    if not cython.compiled:
        return bytes(src[pos : pos + n]) == bytes(other[at : at + n])
    here: cython.p_const_uchar = src + pos
    there: cython.p_uchar = other + at
    while k + 8 < n:
        if memcmp(here + k, there + k, 8) != 0:
            return False
        k += 8
    return memcmp(here + n - 8, there + n - 8, 8) == 0
