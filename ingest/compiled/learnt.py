# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True
# cython: initializedcheck=False
# mypy: ignore-errors
"""Lines whose effect is learnt → records and pairs, without the general path; compiled as
:mod:`ingest.compiled.records`.

An instance is in a *state* (what is open, without its values), which has *registers* (the values).
A line's mask is a *template*. What the general path does with a template in a state is a *program*
(:mod:`ingest.records.learnt.program`): values taken from the line, records written of them, and the
registers of the state that follows.
"""

from __future__ import annotations

import cython
import numpy as np

from ingest.compiled import layout

if cython.compiled:
    from cython.cimports.ingest.compiled.line_values import LineValues
    from cython.cimports.ingest.compiled.masks import Masker
    from cython.cimports.ingest.compiled.objects import Objects
    from cython.cimports.libc.string import memchr, memcmp
else:
    from ingest.compiled.line_values import LineValues
    from ingest.compiled.masks import Masker
    from ingest.compiled.objects import Objects
from ingest.compiled.line_values import MOST_REGISTERS, MOST_VALUES, OFFSET, VALUE_WIDTH
from ingest.compiled.masks import MOST_TOKENS

COMPILED = cython.compiled
# why a run ended: the bytes have, no line as they are made, no template of it, an instance
# without a state, a template without a program in its state, a table is full, a path of no known
# kind, a JSON object's key of which nothing is known, an object that is asked about, a line with
# which the next one may go on
ENDED, FOREIGN, UNKNOWN, STATELESS, UNLEARNT, FULL, UNTOLD, KEYLESS, ASKED, HELD = range(10)
_ENDED = cython.declare(cython.int, ENDED)
_FOREIGN = cython.declare(cython.int, FOREIGN)
_UNKNOWN = cython.declare(cython.int, UNKNOWN)
_STATELESS = cython.declare(cython.int, STATELESS)
_UNLEARNT = cython.declare(cython.int, UNLEARNT)
_FULL = cython.declare(cython.int, FULL)
_UNTOLD = cython.declare(cython.int, UNTOLD)
_KEYLESS = cython.declare(cython.int, KEYLESS)
_ASKED = cython.declare(cython.int, ASKED)
_HELD = cython.declare(cython.int, HELD)
MOST_TEMPLATES, MOST_STATES, MOST_INSTANCES = 1024, 256, 64
_MOST_INSTANCES = cython.declare(cython.int, MOST_INSTANCES)
# what becomes of a line's bytes: a record's, unclaimed, ignored; blank lines have no time
RECORD, UNCLAIMED, IGNORED, BLANK = range(4)
_RECORD = cython.declare(cython.int, RECORD)
_UNCLAIMED = cython.declare(cython.int, UNCLAIMED)
_BLANK = cython.declare(cython.int, BLANK)
_MOST_BETWEEN = cython.declare(cython.int, 16)  # lines of other instances, to be looked over
BARS, PARTLY = 0, 1  # the templates of lines of progress bars, the last one full or not
HEADER, RECORD_HEADER, PLACES = 8, 9, 5
_OFFSET = cython.declare(cython.int, OFFSET)
_VALUE_WIDTH = cython.declare(cython.int, VALUE_WIDTH)
_HEADER = cython.declare(cython.int, HEADER)
_RECORD_HEADER = cython.declare(cython.int, RECORD_HEADER)
# beside a record's level: its instant is the line's own; pairs are looked for in its message
DATED, OWN_PAIRS = 256, 512
_DATED = cython.declare(cython.int, DATED)
_OWN_PAIRS = cython.declare(cython.int, OWN_PAIRS)
_K_HEADER = cython.declare(cython.int, layout.K_HEADER)
_NO_ZONE = cython.declare(cython.int, layout.NO_ZONE)
_QUOTED = cython.declare(cython.int, layout.QUOTED)
_MOST_TEMPLATES = cython.declare(cython.int, MOST_TEMPLATES)
_ROOM = cython.declare(cython.int, 1 << 16)  # bytes that one line's values may take
_TABLE = cython.declare(cython.int, 4095)


class Learnt(LineValues):
    """The templates, states and programs of one file, and the instances' registers.

    ``state`` int32[i] (-1: none), ``count`` int64[i] and ``registers`` int64[i, 2 * 96] are those
    of the instances: a register is a span of the bytes written, or a number and nothing; ``named``
    int64[i, 3] are the span of an instance's name, and the instant of its lines without one.
    ``reason`` says why a run ended, before a line of ``template`` of ``instance``; ``counts``
    int64[4] are records, their bytes, lines unclaimed, their bytes; ``uses`` int64 how often each
    program ran. Stamps of lines' own from ``low`` up to ``high`` are ``offset`` later than UTC;
    those with a zone are read where it ``may_date``. ``own`` uint8[i] are the instances that have
    had one. ``source`` is where the instants of lines without come from.

    What a JSON object does is the same in every state (``anywhere`` int32[t], its program, or -1)
    of the instances that are ``calm`` uint8[i]; ``moments`` int32[t] are which of its values says
    when, -1 where none does; of some, ``asks`` uint8[t], the caller decides.
    """

    def __init__(self, mode, head):
        LineValues.__init__(self, Masker(mode), Objects(), head)
        self.n_templates = 2
        self.table = np.full(4096, -1, np.int32)
        self._table = self.table
        self.hashes = np.zeros(MOST_TEMPLATES, np.uint64)
        self.mask_ends = np.zeros(MOST_TEMPLATES, np.int32)
        self.masks = np.zeros(1 << 20, np.uint8)
        self.limits = np.zeros((MOST_TEMPLATES, 2 * MOST_TOKENS), np.int32)
        self.next = np.full((MOST_STATES, MOST_TEMPLATES), -1, np.int32)
        self._next = self.next
        self.code_end = 0
        self.state = np.full(MOST_INSTANCES, -1, np.int32)
        self._state = self.state
        self.count = np.zeros(MOST_INSTANCES, np.int64)
        self._count = self.count
        self.registers = np.zeros((MOST_INSTANCES, 2 * MOST_REGISTERS), np.int64)
        self._registers = self.registers
        self.counts = np.zeros(4, np.int64)
        self._counts = self.counts
        self.uses = np.zeros(1 << 14, np.int64)
        self._uses = self.uses
        self.named = np.zeros((MOST_INSTANCES, 3), np.int64)
        self._named = self.named
        self.anywhere = np.full(MOST_TEMPLATES, -1, np.int32)
        self._anywhere = self.anywhere
        self.moments = np.full(MOST_TEMPLATES, -1, np.int32)
        self._moments = self.moments
        self.asks = np.zeros(MOST_TEMPLATES, np.uint8)
        self._asks = self.asks
        self.hold = np.zeros(MOST_TEMPLATES, np.uint8)
        self._hold = self.hold
        self.ends = np.zeros(MOST_TEMPLATES, np.uint8)
        self._ends = self.ends
        self._ends[BARS] = self._ends[PARTLY] = 1
        self.calm = np.zeros(MOST_INSTANCES, np.uint8)
        self._calm = self.calm
        self.own = np.zeros(MOST_INSTANCES, np.uint8)
        self._own = self.own
        self.ascii_only = self.stamped = self.may_date = False
        self.source = 0
        self.offset = self.low = self.high = 0
        self.last = 0
        self.reason = self.template = self.instance = self.size = 0
        self.n_rows = self.n_pairs = 0

    def add_template(self, mask, limits):
        """Make a template of the mask at hand; its number, -1 where there are too many.

        ``limits`` are the fewest and most digits that each of its numbers may have before a point.
        """
        n: cython.int = self.n_templates
        start: cython.int = self.mask_ends[n - 1]
        if n >= MOST_TEMPLATES or start + len(mask) > (1 << 20):
            return -1
        for k in range(len(mask)):
            self.masks[start + k] = mask[k]
        for k in range(len(limits)):
            self.limits[n, k] = limits[k]
        self.mask_ends[n] = start + len(mask)
        self.n_templates = n + 1
        slot: cython.int = self.masker.hash & _TABLE
        while self._table[slot] >= 0:
            slot = (slot + 1) & _TABLE
        self._table[slot] = n
        self.hashes[n] = self.masker.hash
        return n

    def add_told(self):
        """Make a template of lines that the caller tells by itself; its number, -1 where there are
        too many.
        """
        n: cython.int = self.n_templates
        if n >= MOST_TEMPLATES:
            return -1
        self.mask_ends[n] = self.mask_ends[n - 1]
        self.n_templates = n + 1
        return n

    def template_of(self, text):
        """The template of a text, -1 where there is none of its mask, -2 where it has no mask."""
        if self.masker.is_run_of_bars(text):
            return BARS if self.masker.is_full else PARTLY
        if self.masker.of(text) is None:
            return -2
        return self._find()

    def add_program(self, state, template, program):
        """Let a program be run for a template in a state, -1 for in any; whether there was room for
        it.
        """
        at: cython.int = self.keep_program(program)
        if at < 0:
            return False
        if state < 0:
            self.anywhere[template] = at
        else:
            self.next[state, template] = at
        return True

    def keep_program(self, program):
        """Keep a program that no template runs by itself; where it stands, -1 without room."""
        at: cython.int = self.code_end
        if at + len(program) > (1 << 16):
            return -1
        for k in range(len(program)):
            self.code[at + k] = program[k]
        self.code_end = at + len(program)
        return at

    def know_consts(self, spans):
        """Take the spans int32[2n] in which constants stand in what is written."""
        self.consts = spans

    def pass_over(self, size):
        """Count the line at hand of so many bytes, which nothing claims, and which changes
        nothing.
        """
        self._tally(_UNCLAIMED, size)
        if self.stamped:
            self.last = self.masker.instant

    def go_on(self, program, offset, told):
        """Run a program for the line at hand, an object that was asked about, at an offset of the
        file; ``told`` is the text of its first slot. False where it is not for the line.
        """
        at: cython.int = program
        n: cython.int = self.n_bytes
        if n + 64 + len(told) > self.out.shape[0]:
            return False
        for k in range(len(told)):
            self.out[n + k] = told[k]
        n += len(told)
        self.out[n] = 10
        self.fresh[0, 0] = self.n_bytes
        self.fresh[0, 1] = n
        self.n_bytes = n + 1
        return bool(self._object_done(at, offset, self.size))

    def take(self, template, offset, size, told, ends):
        """Run a program for the line at hand, whose template and values the caller tells:
        ``told[:ends[0]]`` is the first, the next begins behind one byte. False where none is run,
        and ``reason`` says why.
        """
        n: cython.int = self.n_bytes
        at: cython.int = n
        k: cython.int
        text: cython.const[cython.uchar][::1] = told or b"\n"
        self.reason = _FOREIGN
        if len(ends) > MOST_VALUES:
            return False
        self.reason = _FULL
        if n + len(told) + _ROOM > self.out.shape[0]:
            return False
        for k in range(len(told)):
            self.out[n + k] = text[k]
        for k in range(len(ends)):
            self.told[2 * k] = at
            self.told[2 * k + 1] = at = n + ends[k]
            at += 1
        self.n_bytes = n + len(told)
        self.template, self.instance = template, self.masker.instance
        self.reason = _FOREIGN
        if self._line(offset, size):
            return True
        self.n_bytes = n
        return False

    def write_to(self, rows, pairs, places, out, used):
        """Write to these tables from now on; ``used`` bytes of ``out`` are taken already."""
        self.rows = rows
        self.pairs = pairs
        self.places = places
        self.out = out
        self.n_rows = self.n_pairs = 0
        self.n_bytes = used

    def run(self, data, pos, base):
        """Run the lines of ``data``, of which the first is at file offset ``base``, from ``pos``
        on; where the first stands that is not learnt.
        """
        view: cython.const[cython.uchar][::1] = data
        start: cython.int = pos
        offset: cython.longlong = base
        end: cython.int
        with cython.nogil:
            end = self._run(view, start, offset)
        return end

    def _run(self, data, pos, base):
        stop: cython.int = data.shape[0]
        nl: cython.int
        while True:
            nl = _newline(data, pos, stop)
            if nl < 0:
                self.reason = _ENDED
                return pos
            self.reason = _FOREIGN
            if not self._enters(data, pos, nl):
                return pos
            self.size = nl + 1 - pos
            if self.masker.is_braced():
                if not self._object(base + pos, nl + 1 - pos):
                    return pos
                pos = nl + 1
                continue
            self.template = self._found()
            if self.template < 0:
                self.reason = _UNTOLD if self.masker.lacks else _UNKNOWN
                return pos
            self.instance = self.masker.instance
            if self._hold[self.template] != 0 and not self._is_whole(data, pos, nl):
                self.reason = _HELD
                return pos
            if not self._line(base + pos, nl + 1 - pos):
                return pos
            pos = nl + 1

    def _enters(self, data, pos, nl):
        """Take the line ``data[pos:nl]`` out of its envelope; False where that may be none of the
        usual ones.
        """
        if nl > pos and data[nl - 1] == 13:
            return False
        if data[pos] == 0 or data[pos] == 0xEF or data[pos] >= 0xF8:
            return False
        if nl + 1 < data.shape[0] and data[nl + 1] == 0:
            return False
        return self.masker.enter(data, pos, nl) and not (self.ascii_only and self.masker.wide)

    def _found(self):
        """The template of the line at hand, or -1."""
        if self.masker.is_bars():
            return 0 if self.masker.is_full else 1
        return self._find() if self.masker.shape() else -1

    def _is_whole(self, data, pos, nl):
        """Whether the next line of the same instance ends the record of the line ``data[pos:nl]``,
        which is at hand again then.
        """
        at: cython.int = nl + 1
        end: cython.int
        found: cython.int
        for _ in range(_MOST_BETWEEN):
            end = _newline(data, at, data.shape[0])
            if end < 0 or not self._enters(data, at, end) or self.masker.is_braced():
                return False
            if self.masker.instance == self.instance:
                found = self._found()
                if found < 0 or self._ends[found] == 0:
                    return False
                self._enters(data, pos, nl)
                self.masker.shape()
                return True
            at = end + 1
        return False

    def _line(self, offset, size):
        """Run the program of the line at hand, which is of a known template; False where there is
        none, or it is not for the line.
        """
        at: cython.int
        n: cython.int
        k: cython.int
        state: cython.int = self._state[self.instance]
        if state < 0:
            self.reason = _STATELESS
            return False
        at = self._next[state, self.template]
        if at < 0:
            self.reason = _UNLEARNT
            return False
        if (
            self.n_rows + self.code[at + 4] > self.rows.shape[0]
            or self.n_pairs + self.code[at + 5] > self.pairs.shape[0]
            or self.n_bytes + _ROOM > self.out.shape[0]
        ):
            self.reason = _FULL
            return False
        if self.masker.dated and not self.stamped and not self._may_be_dated():
            return False
        n = self.code[at + 3]
        self._registered(self.code[at + 7], offset, offset + size)
        if not self._values(at + _HEADER, n):
            return False
        if self.stamped and self.code[at + 1] != _BLANK:
            self.last = self.masker.instant
        self._tally(self.code[at + 1], size)
        self._uses[self.code[at + 6] >> 8] += 1
        self._count[self.instance] += self.code[at + 2]
        self._state[self.instance] = self.code[at]
        k = at + _HEADER + n * _VALUE_WIDTH
        for n in range(self.code[at + 4]):
            k = self._record(k)
        self._move(k, self.code[at + 6] & 255)
        return True

    def _may_be_dated(self):
        """Take the instant of a line's own stamp; False where its zone's offset is not known."""
        self.reason = _FOREIGN
        if self.masker.zoned:
            if not self.may_date:
                return False
        elif self.masker.local < self.low or self.masker.local >= self.high:
            return False
        self._dated()
        return True

    def _object(self, offset, size):
        """Take a line that is a JSON object, at an offset of the file; False where it is not known,
        or is asked about.
        """
        at: cython.int
        moment: cython.int
        self.template = self._find() if self.objects.shape(self.masker) else -1
        if self.template < 0:
            self.reason = _KEYLESS if self.objects.lacks else _UNKNOWN
            return False
        self.instance = self.masker.instance
        self.reason = _STATELESS
        if self._calm[self.instance] == 0:
            return False
        self.reason = _UNLEARNT
        at = self._anywhere[self.template]
        if at < 0:
            return False
        self.reason = _FOREIGN
        moment = self._moments[self.template]
        self.masker.dated = False
        if moment >= 0 and not self.objects.has_moment(self.masker, moment):
            return False
        if self._asks[self.template] != 0:
            if not self.objects.is_below_zero(self.masker):
                self.reason = _ASKED
            return False
        return self._object_done(at, offset, size)

    def _object_done(self, at, offset, size):
        """Run an object's program; False where there is no room, or it is not for the line."""
        k: cython.int
        n: cython.int = self.code[at + 3]
        if (
            self.n_rows + self.code[at + 4] > self.rows.shape[0]
            or self.n_pairs + self.code[at + 5] > self.pairs.shape[0]
            or self.n_bytes + _ROOM > self.out.shape[0]
        ):
            self.reason = _FULL
            return False
        if not self.stamped and self.masker.dated and not self._may_be_dated():
            return False
        self.reason = _FOREIGN
        self._registered(0, offset, offset + size)
        if not self._values(at + _HEADER, n):
            return False
        if self.stamped:
            self.last = self.masker.instant
        self._tally(self.code[at + 1], size)
        k = at + _HEADER + n * _VALUE_WIDTH
        for n in range(self.code[at + 4]):
            k = self._record(k)
        return True

    def _dated(self):
        """Note the instant of a line's own stamp, for those behind it that have none."""
        i: cython.int
        if not self.masker.zoned:
            self.masker.instant = self.masker.local - self.offset
        self.last = self.masker.instant
        self._own[self.masker.instance] = 1
        for i in range(_MOST_INSTANCES):
            if self._own[i] == 0 or i == self.masker.instance:
                self._named[i, 2] = self.last

    def _tally(self, kind, size):
        if kind == _RECORD:
            self._counts[0] += 1
            self._counts[1] += size
        elif kind == _UNCLAIMED:
            self._counts[2] += 1
            self._counts[3] += size

    def _find(self):
        """The template of the masker's mask, or -1."""
        slot: cython.int = self.masker.hash & _TABLE
        found: cython.int = self._table[slot]
        start: cython.int
        while found >= 0:
            if self.hashes[found] == self.masker.hash:
                start = self.mask_ends[found - 1]
                if self.mask_ends[found] - start == self.masker.length:
                    if self._is_same(start):
                        return found if self._is_within(found) else -1
            slot = (slot + 1) & _TABLE
            found = self._table[slot]
        return -1

    def _is_same(self, start):
        """Whether the template whose mask begins at a place has the masker's."""
        k: cython.int = 0
        n: cython.int = self.masker.length
        if cython.compiled:
            a: cython.p_uchar = cython.address(self.masks[start])
            b: cython.p_uchar = cython.address(self.masker.mask[0])
            return memcmp(a, b, n) == 0
        while k < n and self.masks[start + k] == self.masker.mask[k]:
            k += 1
        return k == n

    def _is_within(self, template):
        """Whether the numbers have as many digits as the template's may have."""
        k: cython.int
        for k in range(self.masker.n_tokens):
            if self.masker.wholes[k] < self.limits[template, 2 * k]:
                return False
            if self.masker.wholes[k] > self.limits[template, 2 * k + 1]:
                return False
        return True

    def _registered(self, n, offset, end):
        """Fill the slots of the n registers, and of what is the line's own."""
        i: cython.int
        k: cython.int = self.instance
        for i in range(n):
            self.fresh[i, 0] = self._registers[k, 2 * i]
            self.fresh[i, 1] = self._registers[k, 2 * i + 1]
        self.fresh[_OFFSET, 0] = offset
        self.fresh[_OFFSET + 1, 0] = end
        self.fresh[_OFFSET + 2, 0] = self.masker.instant
        self.fresh[_OFFSET + 3, 0] = self._named[k, 0]
        self.fresh[_OFFSET + 3, 1] = self._named[k, 1]
        self.fresh[_OFFSET + 4, 0] = self._named[k, 2]

    # what is written

    def _record(self, at):
        """Write the record that a program names at a place; where the next one stands."""
        row: cython.int = self.n_rows
        begun: cython.int = self.consts[2 * self.code[at]]
        i: cython.int
        k: cython.int
        p: cython.int = self.n_pairs
        n: cython.int = self.code[at + 7]
        slot: cython.int
        for k in range(self.rows.shape[1]):
            self.rows[row, k] = 0
        self.rows[row, 0] = begun
        self.rows[row, 1] = self.consts[2 * self.code[at] + 1]
        self.rows[row, 2] = _K_HEADER
        self.rows[row, 3] = _NO_ZONE
        self.rows[row, 4] = self.code[at + 2] & 255
        k = self.code[at + 6]
        if k >= 0:
            self.rows[row, 5] = self.consts[2 * k]
            self.rows[row, 6] = self.consts[2 * k + 1]
        self.rows[row, 7] = begun
        self.rows[row, 8] = begun
        self.rows[row, 11] = -1
        self.rows[row, 12] = self.code[at + 1]
        self.rows[row, 13] = begun
        self.rows[row, 14] = self.rows[row, 1]
        self.rows[row, 17] = begun
        for k in range(3):
            self.places[row, k] = self.fresh[self.code[at + 3 + k], 0]
        self.places[row, 3] = 0 if self.code[at + 2] & _DATED else self.source
        self.places[row, 4] = -1
        k = self.code[at + 8]
        if k >= 0:
            self.rows[row, 7] = self.consts[2 * k]
            self.rows[row, 8] = self.consts[2 * k + 1]
            if self.code[at + 2] & _OWN_PAIRS:
                self.places[row, 4] = self.consts[2 * k + 1]
        elif k < -1:  # the slot of a stretch of the line
            self.rows[row, 7] = cython.cast(cython.int, self.fresh[-2 - k, 0])
            self.rows[row, 8] = cython.cast(cython.int, self.fresh[-2 - k, 1])
            if self.code[at + 2] & _OWN_PAIRS:
                self.places[row, 4] = self.fresh[-2 - k, 1]
        at += _RECORD_HEADER
        for i in range(n):
            slot = self.code[at + 2]
            self.pairs[p, 0] = self.code[at]
            self.pairs[p, 1] = 0
            self.pairs[p, 2] = cython.cast(cython.int, self.fresh[slot, 0])
            self.pairs[p, 3] = cython.cast(cython.int, self.fresh[slot, 1])
            self.pairs[p, 4] = _QUOTED
            self.pairs[p, 5] = self.code[at + 1]
            self.pairs[p, 6] = row
            p += 1
            at += 3
        self.n_pairs = p
        self.n_rows = row + 1
        return at

    def _move(self, at, n):
        """Fill the registers of the state that follows."""
        i: cython.int
        k: cython.int = self.instance
        for i in range(n):
            self._registers[k, 2 * i] = self.fresh[self.code[at + i], 0]
            self._registers[k, 2 * i + 1] = self.fresh[self.code[at + i], 1]


@cython.cfunc
@cython.nogil
@cython.exceptval(check=False)
def _newline(
    data: cython.const[cython.uchar][::1], pos: cython.int, stop: cython.int
) -> cython.int:
    """Where the line at a place ends, or -1."""
    if pos >= stop:
        return -1
    if cython.compiled:
        base: cython.p_const_uchar = cython.address(data[0])
        found: cython.p_const_uchar = cython.cast(
            cython.p_const_uchar, memchr(base + pos, 10, stop - pos)
        )
        return cython.cast(cython.int, found - base) if found != cython.NULL else -1
    while pos < stop:
        if data[pos] == 10:
            return pos
        pos += 1
    return -1
