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
    from cython.cimports.ingest.compiled.masks import Masker
    from cython.cimports.ingest.compiled.objects import Objects
    from cython.cimports.libc.string import memchr, memcmp
else:
    from ingest.compiled.masks import Masker
    from ingest.compiled.objects import Objects
from ingest.compiled.masks import MOST_TOKENS

COMPILED = cython.compiled
# why a run ended: the bytes have, no line as they are made, no template of it, an instance
# without a state, a template without a program in its state, a table is full, a path of no known
# kind, a JSON object's key of which nothing is known, an object that is asked about
ENDED, FOREIGN, UNKNOWN, STATELESS, UNLEARNT, FULL, UNTOLD, KEYLESS, ASKED = range(9)
_ENDED = cython.declare(cython.int, ENDED)
_FOREIGN = cython.declare(cython.int, FOREIGN)
_UNKNOWN = cython.declare(cython.int, UNKNOWN)
_STATELESS = cython.declare(cython.int, STATELESS)
_UNLEARNT = cython.declare(cython.int, UNLEARNT)
_FULL = cython.declare(cython.int, FULL)
_UNTOLD = cython.declare(cython.int, UNTOLD)
_KEYLESS = cython.declare(cython.int, KEYLESS)
_ASKED = cython.declare(cython.int, ASKED)
MOST_TEMPLATES, MOST_STATES, MOST_INSTANCES, MOST_REGISTERS = 1024, 256, 64, 96
MOST_VALUES = 64
_MOST_INSTANCES = cython.declare(cython.int, MOST_INSTANCES)
# what becomes of a line's bytes: a record's, unclaimed, ignored; blank lines have no time
RECORD, UNCLAIMED, IGNORED, BLANK = range(4)
_RECORD = cython.declare(cython.int, RECORD)
_UNCLAIMED = cython.declare(cython.int, UNCLAIMED)
_BLANK = cython.declare(cython.int, BLANK)
BARS = 0  # the template of a line of progress bars
# slots: registers, then what is the line's own (place, end, instant of its envelope, name of its
# instance, the time that stands for one), then the values that a program takes from it
OFFSET, END, INSTANT, NAME, NEAR, VALUES = (MOST_REGISTERS + k for k in range(6))
_OFFSET = cython.declare(cython.int, OFFSET)
_VALUES = cython.declare(cython.int, VALUES)
# ways to take a value: a stretch of text, a number, an id made of the place, a constant, a value of
# a JSON object, a number of one to four places, the time between two instants, a value that the
# caller tells
TEXT, NUMBER, ID, CONSTANT, MEMBER, ROUNDED, BETWEEN, TOLD = range(8)
VALUE_WIDTH, HEADER, RECORD_HEADER, PLACES = 6, 8, 9, 5
_TEXT = cython.declare(cython.int, TEXT)
_NUMBER = cython.declare(cython.int, NUMBER)
_ID = cython.declare(cython.int, ID)
_MEMBER = cython.declare(cython.int, MEMBER)
_ROUNDED = cython.declare(cython.int, ROUNDED)
_BETWEEN = cython.declare(cython.int, BETWEEN)
_CONSTANT = cython.declare(cython.int, CONSTANT)
_VALUE_WIDTH = cython.declare(cython.int, VALUE_WIDTH)
_HEADER = cython.declare(cython.int, HEADER)
_RECORD_HEADER = cython.declare(cython.int, RECORD_HEADER)
# beside a record's level: its instant is the line's own; pairs are looked for in its message
DATED, OWN_PAIRS = 256, 512
_DATED = cython.declare(cython.int, DATED)
_OWN_PAIRS = cython.declare(cython.int, OWN_PAIRS)
# kinds of numbers: to four places, as logged, whole, to three places
TIDY, REAL, WHOLE, MILLI = range(4)
_TIDY = cython.declare(cython.int, TIDY)
_WHOLE = cython.declare(cython.int, WHOLE)
_MILLI = cython.declare(cython.int, MILLI)
_K_HEADER = cython.declare(cython.int, layout.K_HEADER)
_NO_ZONE = cython.declare(cython.int, layout.NO_ZONE)
_QUOTED = cython.declare(cython.int, layout.QUOTED)
_MOST_TEMPLATES = cython.declare(cython.int, MOST_TEMPLATES)
_ROOM = cython.declare(cython.int, 1 << 16)  # bytes that one line's values may take
_TABLE = cython.declare(cython.int, 4095)
_FAR = cython.declare(cython.longlong, 10**15)  # microseconds: so many milliseconds a float keeps


class Learnt:
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
        self.masker = Masker(mode)
        self.head = memoryview(head)
        self.n_templates = 1
        self.table = np.full(4096, -1, np.int32)
        self._table = self.table
        self.hashes = np.zeros(MOST_TEMPLATES, np.uint64)
        self.mask_ends = np.zeros(MOST_TEMPLATES, np.int32)
        self.masks = np.zeros(1 << 20, np.uint8)
        self.limits = np.zeros((MOST_TEMPLATES, 2 * MOST_TOKENS), np.int32)
        self.next = np.full((MOST_STATES, MOST_TEMPLATES), -1, np.int32)
        self._next = self.next
        self.code = np.zeros(1 << 16, np.int32)
        self.code_end = 0
        self.state = np.full(MOST_INSTANCES, -1, np.int32)
        self._state = self.state
        self.count = np.zeros(MOST_INSTANCES, np.int64)
        self._count = self.count
        self.registers = np.zeros((MOST_INSTANCES, 2 * MOST_REGISTERS), np.int64)
        self._registers = self.registers
        self.fresh = np.zeros((VALUES + MOST_VALUES, 2), np.int64)
        self.counts = np.zeros(4, np.int64)
        self._counts = self.counts
        self.uses = np.zeros(1 << 14, np.int64)
        self._uses = self.uses
        self.consts = np.zeros(2, np.int32)
        self.told = np.zeros(2 * MOST_VALUES, np.int32)
        self.named = np.zeros((MOST_INSTANCES, 3), np.int64)
        self._named = self.named
        self.objects = Objects()
        self.anywhere = np.full(MOST_TEMPLATES, -1, np.int32)
        self._anywhere = self.anywhere
        self.moments = np.full(MOST_TEMPLATES, -1, np.int32)
        self._moments = self.moments
        self.asks = np.zeros(MOST_TEMPLATES, np.uint8)
        self._asks = self.asks
        self.calm = np.zeros(MOST_INSTANCES, np.uint8)
        self._calm = self.calm
        self.own = np.zeros(MOST_INSTANCES, np.uint8)
        self._own = self.own
        self.ascii_only = self.stamped = self.may_date = False
        self.source = 0
        self.offset = self.low = self.high = 0
        self.last = 0
        self.reason = self.template = self.instance = self.size = 0
        self.n_rows = self.n_pairs = self.n_bytes = 0

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
            return BARS
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
            if nl > pos and data[nl - 1] == 13:
                return pos
            if data[pos] == 0 or data[pos] == 0xEF or data[pos] >= 0xF8:
                return pos
            if nl + 1 < stop and data[nl + 1] == 0:
                return pos
            if not self.masker.enter(data, pos, nl) or (self.ascii_only and self.masker.wide):
                return pos
            self.size = nl + 1 - pos
            if self.masker.is_braced():
                if not self._object(base + pos, nl + 1 - pos):
                    return pos
                pos = nl + 1
                continue
            self.template = 0
            if not self.masker.is_bars():
                self.template = self._find() if self.masker.shape() else -1
                if self.template < 0:
                    self.reason = _UNTOLD if self.masker.lacks else _UNKNOWN
                    return pos
            self.instance = self.masker.instance
            if not self._line(base + pos, nl + 1 - pos):
                return pos
            pos = nl + 1

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

    # values

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

    def _values(self, at, n):
        """Take a program's values from the line; False where the line is not for it."""
        k: cython.int
        op: cython.int
        for k in range(n):
            op = self.code[at]
            if op == _NUMBER:
                if not self._number(at, k):
                    return False
            elif op == _TEXT:
                if not self._text(at, k):
                    return False
            elif op == _ID:
                self._id(k, self.fresh[_OFFSET, 0])
            elif op == _BETWEEN:
                if not self._between(
                    self.fresh[self.code[at + 1], 0], self.fresh[self.code[at + 2], 0], k
                ):
                    return False
            elif op == _MEMBER or op == _ROUNDED:
                if not self._member(at, k):
                    return False
            elif op == _CONSTANT:
                self.fresh[_VALUES + k, 0] = self.consts[2 * self.code[at + 1]]
                self.fresh[_VALUES + k, 1] = self.consts[2 * self.code[at + 1] + 1]
            else:
                self.fresh[_VALUES + k, 0] = self.told[2 * self.code[at + 1]]
                self.fresh[_VALUES + k, 1] = self.told[2 * self.code[at + 1] + 1]
            at += _VALUE_WIDTH
        return True

    def _edge(self, token, delta):
        """A place in the text: so far behind a number, or behind the text's beginning (-1)."""
        return (self.masker.ends[token] if token >= 0 else 0) + delta

    def _text(self, at, k):
        start: cython.int = self._edge(self.code[at + 1], self.code[at + 2])
        end: cython.int = self._edge(self.code[at + 3], self.code[at + 4])
        i: cython.int
        n: cython.int = self.n_bytes
        if end < start or n + end - start + 512 > self.out.shape[0]:
            return False
        self.fresh[_VALUES + k, 0] = n
        for i in range(start, end):
            self.out[n] = self.masker.text[i]
            n += 1
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1
        return True

    def _between(self, begun, ended, k):
        """Milliseconds from one instant to another, as Python writes them; False where that comes
        first, or is far.
        """
        took: cython.longlong = ended - begun
        left: cython.longlong
        n: cython.int = self.n_bytes
        i: cython.int
        digits: cython.int = 1
        if took < 0 or took >= _FAR:
            return False
        self.fresh[_VALUES + k, 0] = n
        left = took // 1000
        while left >= 10:
            left //= 10
            digits += 1
        left = took // 1000
        for i in range(digits):
            self.out[n + digits - 1 - i] = 48 + left % 10
            left //= 10
        n += digits
        i = took % 1000
        if i > 0:
            self.out[n] = 46
            self.out[n + 1] = 48 + i // 100
            self.out[n + 2] = 48 + i // 10 % 10
            self.out[n + 3] = 48 + i % 10
            n += 4
            while self.out[n - 1] == 48:
                n -= 1
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1
        return True

    def _member(self, at, k):
        """A value of a JSON object as its pair is written."""
        n: cython.int = self.n_bytes
        token: cython.int = self.code[at + 1]
        if self.code[at] == _MEMBER:
            n = self.objects.copied(self.masker, token, self.out, n)
        else:
            n = self.objects.rounded(self.masker, token, self.code[at + 2], self.out, n)
        if n < 0:
            return False
        self.fresh[_VALUES + k, 0] = self.n_bytes
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1
        return True

    def _number(self, at, k):
        """A number as Python writes it: its point moved, zeros that say nothing left out."""
        token: cython.int = self.code[at + 1]
        shift: cython.int = self.code[at + 2]
        kind: cython.int = self.code[at + 3]
        i: cython.int = self.masker.starts[token]
        end: cython.int = self.masker.ends[token]
        point: cython.int = i
        last: cython.int = end
        n: cython.int = self.n_bytes
        digits: cython.int = 0
        if self.masker.text[i] == 45:
            return False
        while point < end and self.masker.text[point] != 46:
            point += 1
        while i < point and self.masker.text[i] == 48:
            i += 1
        if kind == _WHOLE:
            if point < end:
                return False
        else:
            while last > point + 1 and self.masker.text[last - 1] == 48:
                last -= 1
            if last == point + 1:
                last = point
        if kind == _TIDY:
            if last - point - 1 - shift > 4 or point - i + shift > 10:
                return False
        elif kind == _MILLI:
            if last - point - 1 - shift > 3 or point - i + shift > 10:
                return False
        elif kind != _WHOLE and (
            (last - i > 15) or (i == point and point + 4 < last and self._is_tiny(point + 1))
        ):
            return False
        self.fresh[_VALUES + k, 0] = n
        while i < point:
            self.out[n] = self.masker.text[i]
            n += 1
            i += 1
            digits += 1
        i = point + 1
        while shift > 0:
            if i < last:
                if digits > 0 or self.masker.text[i] != 48:
                    self.out[n] = self.masker.text[i]
                    n += 1
                    digits += 1
                i += 1
            elif digits > 0:
                self.out[n] = 48
                n += 1
            shift -= 1
        if digits == 0:
            self.out[n] = 48
            n += 1
        if i < last:
            self.out[n] = 46
            n += 1
            while i < last:
                self.out[n] = self.masker.text[i]
                n += 1
                i += 1
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1
        return True

    def _is_tiny(self, i):
        """Whether a fraction begins with so many zeros that Python writes an exponent."""
        k: cython.int
        for k in range(i, i + 4):
            if self.masker.text[k] != 48:
                return False
        return True

    def _id(self, k, offset):
        """The id of a request that this line opens: the file's own beginning, and the place."""
        n: cython.int = self.n_bytes
        i: cython.int
        digits: cython.int = 0
        left: cython.longlong = offset
        self.fresh[_VALUES + k, 0] = n
        for i in range(self.head.shape[0]):
            self.out[n] = self.head[i]
            n += 1
        while left > 0 or digits == 0:
            left //= 10
            digits += 1
        n += digits
        left = offset
        for i in range(digits):
            self.out[n - 1 - i] = 48 + left % 10
            left //= 10
        self.fresh[_VALUES + k, 1] = n
        self.out[n] = 10
        self.n_bytes = n + 1

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


def moved(rows, pairs, at, number, sources, kinds):
    """Take records and pairs, whose spans begin at 0 and whose records at the first, to a place in
    a longer buffer and behind ``number`` other records; ``kinds`` are those of records by where
    their instants come from: ``sources`` int8[n].
    """
    of: cython.int[:, ::1] = rows
    to: cython.int[:, ::1] = pairs
    base: cython.int = at
    before: cython.int = number
    told: cython.const[cython.char][::1] = sources
    kind: cython.const[cython.int][::1] = kinds
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(of.shape[0]):
            of[i, 0] += base
            of[i, 1] += base
            of[i, 2] = kind[told[i]]
            if of[i, 6] > 0:
                of[i, 5] += base
                of[i, 6] += base
            of[i, 7] += base
            of[i, 8] += base
            of[i, 13] += base
            of[i, 14] += base
            of[i, 17] += base
        for i in range(to.shape[0]):
            to[i, 2] += base
            to[i, 3] += base
            to[i, 6] += before


def used_keys(pairs, order):
    """The numbers of the keys of pairs, in the order in which they come first; how many.

    ``order`` int32[2k] takes them; behind them it is needed as room.
    """
    of: cython.int[:, ::1] = pairs
    found: cython.int[::1] = order
    keys: cython.int = found.shape[0] // 2
    n: cython.int = 0
    key: cython.int
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(keys):
            found[keys + i] = 0
        for i in range(of.shape[0]):
            key = of[i, 0]
            if found[keys + key] == 0:
                found[keys + key] = 1
                found[n] = key
                n += 1
                if n == keys:
                    break
    return n


def name_keys(pairs, spans):
    """Give pairs the spans int32[k, 2] of their keys, which they have the numbers of."""
    of: cython.int[:, ::1] = pairs
    at: cython.int[:, ::1] = spans
    key: cython.int
    i: cython.Py_ssize_t
    with cython.nogil:
        for i in range(of.shape[0]):
            key = of[i, 0]
            of[i, 0] = at[key, 0]
            of[i, 1] = at[key, 1]
