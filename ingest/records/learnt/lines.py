"""The learnt lines of one file: runs what is known, learns what comes again (pure)."""

import numpy as np

from ingest.compiled import envelopes, learnt
from ingest.compiled.learnt import Learnt
from ingest.records.arrays import view
from ingest.records.instants import ENVELOPE, FILE, NEIGHBOUR
from ingest.records.learnt import memory
from ingest.records.learnt.heads import Heads
from ingest.records.learnt.memory import Shape
from ingest.records.learnt.modes import Attempts, Chunk, Mode, Room, State
from ingest.records.learnt.object_lines import Answers, learn_key, learn_object
from ingest.records.learnt.plain import PlainLines
from ingest.records.learnt.program import program
from ingest.records.learnt.symbols import Unlearnable
from ingest.records.learnt.templates import Seen, Template, Templates
from ingest.records.learnt.told import Kind, Told, given, given_access, told, told_access
from ingest.records.learnt.trial import MODES, Setting, Whole, tried
from ingest.records.logical import Reader
from ingest.records.moments import DAY, SECOND, Stamp
from ingest.records.native import NativeFormat
from ingest.records.profiles import Profiles
from ingest.records.sequence import Sequencer

_OFTEN = 64  # times that a line which changes nothing has come: to learn it costs as much
REQUESTS = 8  # times that a line with a request has come: of such there are many kinds in a log
_MOST_TOLD = 256  # kinds of lines that are told
_USUAL = 1 << 10  # bytes of a line
_OF_ACCESS = (b"tatus", b"esponse")  # in names of a field of each access line in JSON
_NEVER = -2  # in place of a program: there is none


class LearntLines:
    """Reads lines of one file that are known; of its first bytes ``head``, request's ids are made.

    ``run`` leaves memory and rows as the general path would have left them behind the same lines.
    """

    def __init__(self, native: NativeFormat, profiles: Profiles, head: bytes) -> None:
        self._native, self._profiles, self._head = native, profiles, head
        self._reader = Reader(native, None, profiles.prints_text_at)
        self._makes = Templates(self._reader, profiles)
        self._plain = PlainLines(self._makes, profiles)
        self._heads = Heads(profiles)
        self._makes.know(self._heads.tell)
        self._modes: dict[int, Mode] = {}
        self.attempts = Attempts()

    def run(self, chunk: Chunk, pos: int) -> int:
        """Take known lines from a line's start on; where the first stands that is not known."""
        line = _line_at(chunk.data, pos)
        mode = self._mode_of(line) if line is not None else None
        if mode is None or line is None:
            return pos
        mode.engine.masker.inner(line)
        return _Run(self, mode, chunk, mode.engine.masker.is_braced()).go(pos)

    def _mode_of(self, line: bytes) -> Mode | None:
        """What is known of a line's envelope, None where lines in it are none of these."""
        wrapped = self._reader._unwrap(line, 0)
        number = MODES.get(wrapped.names)
        if number is None:
            return None
        mode = self._modes.get(number)
        if mode is None:
            setting = Setting(
                self._native, self._profiles, self._head,
                stamped=number in (envelopes.JSON_FILE, envelopes.CRI),
                named=number == envelopes.COMPOSE,
            )  # fmt: skip
            engine = Learnt(number, setting.id_begins.encode())
            engine.stamped = setting.stamped
            self._heads.tell(engine.masker)
            mode = self._modes[number] = Mode(setting, engine, Room(self._native.width))
        if wrapped.instance not in mode.names and len(mode.names) < learnt.MOST_INSTANCES:
            mode.names.append(wrapped.instance)
            if mode.setting.named:
                mode.prefixes.append(line[: line.index(b"|") + 1])
                mode.engine.masker.know(mode.prefixes)
        return mode

    # learning

    def learn_object(self, mode: Mode, text: bytes) -> bool:
        """Learn what a JSON object does that has come so often; whether it is known now."""
        return learn_object(mode, text, self._reader, self.attempts)

    def learn_template(self, mode: Mode, text: bytes, times: int) -> bool:
        """Make a template of a text whose mask has come so many times; whether there is one now."""
        masker = mode.engine.masker
        times = max(times, REQUESTS) if masker.is_asked() else times
        if not masker.hash or not self.attempts.are_left or not mode.is_due(masker.hash, times):
            return False
        masked = masker.of(text)
        if masked is None:
            return False
        self.attempts.count()
        try:
            template = self._makes.of(text)
        except Unlearnable:
            return False
        masker.of(text)
        number = mode.engine.add_template(
            masked[0], [n for limit in template.limits for n in limit]
        )
        if number < 0:
            return False
        mode.templates[number] = template
        mode.engine.hold[number], mode.engine.ends[number] = template.holds, template.ends
        return True

    def learn_head(self, seen: Seen) -> bool:
        """Take note of a line that may end with a text; whether the head of such is known now."""
        return self._heads.learn(seen)

    def read(self, text: bytes, *, is_dated: bool) -> Seen | None:
        """What the general path sees in a text, None where that is not one plain line;
        ``is_dated``: it begins with a possible stamp.
        """
        found = self._plain.seen(text, is_dated=is_dated)
        if found is not None:
            return found
        try:
            return self._makes.read(text)
        except Unlearnable:
            return None

    def told(self, seen: Seen, sequencer: Sequencer) -> Told | None:
        """What is told of a line that does something, None of others."""
        if seen.access is not None:
            return told_access(seen, sequencer.kind_of_path)
        return None if seen.is_free else told(seen, self._profiles)

    def learn_told(self, mode: Mode, seen: Seen, kind: Kind) -> int:
        """The template of lines of a kind that are told, -1 where there is none (yet)."""
        number = mode.told.get(kind)
        if number is None and len(mode.told) < _MOST_TOLD:
            mode.told[kind] = -1
        elif number == -1:
            number = mode.told[kind] = mode.engine.add_told()
            if number >= 0:
                mode.templates[number] = _told_template(seen)
        if number is None or number < 0:
            return -1
        if seen.access is None:
            self._plain.learn(seen)
        return number

    def ask_of_paths(self, mode: Mode, sequencer: Sequencer) -> None:
        """Ask this sequencer for the kinds of paths from now on."""
        learned = tuple(sequencer.learned)
        if mode.paths != learned:
            mode.paths = learned
            mode.engine.masker.ask_of_paths(sequencer.kind_of_path)
            self._makes.ask_of_paths(sequencer.kind_of_path)
        mode.engine.masker.tell = sequencer.kind_of_path

    def learn_effect(self, mode: Mode, state: int, template: int) -> bool:
        """Learn what a template does in a state; whether there is a program for it now."""
        engine = mode.engine
        if engine.next[state, template] == _NEVER or not self.attempts.are_left:
            return False
        self.attempts.count()
        engine.next[state, template] = _NEVER
        known = mode.known[state]
        try:
            effect = tried(
                mode.setting, mode.templates[template], known.shape, known.kinds, known.whole,
                is_full=template == learnt.BARS,
            )  # fmt: skip
            after = self.state_of(mode, effect.shape, effect.kinds, known.whole)
            if after < 0 or len(mode.seen) >= len(engine.uses):
                return False
            made = program(
                effect, mode.constants, number=len(mode.seen), state=after,
                registers=len(known.kinds),
            )  # fmt: skip
        except Unlearnable:
            return False
        mode.seen.append(effect.seen)
        return bool(engine.add_program(state, template, made))

    def state_of(self, mode: Mode, shape: Shape, kinds: tuple[str, ...], whole: Whole) -> int:
        """The number of a state, -1 where there are too many."""
        number = mode.states.get((shape, whole))
        if number is None:
            number = len(mode.known)
            if number >= learnt.MOST_STATES:
                return -1
            mode.states[shape, whole] = number
            mode.known.append(State(shape, kinds, whole))
        return number


def _line_at(data: memoryview, pos: int) -> bytes | None:
    """The line at a place without its end, None where it has none, or is a long one."""
    for size in (_USUAL, envelopes.LONGEST):
        head = bytes(data[pos : pos + size])
        end = head.find(b"\n")
        if end >= 0:
            return head[:end]
    return None


def _told_template(seen: Seen) -> Template:
    """The template of lines of which all values are told."""
    if seen.access is None:
        return Template(seen, [], [], given=given(seen))
    columns, more = given_access(seen.access)
    return Template(seen, [], [], path=("told", 0), columns=columns, more=more, given=[])


class _Run:
    """One run over a chunk: memory into registers, lines, registers into memory."""

    def __init__(self, lines: LearntLines, mode: Mode, chunk: Chunk, has_objects: bool) -> None:
        self._lines, self._mode, self._chunk = lines, mode, chunk
        self._has_objects = has_objects  # the first line is one, which needs no state
        self._engine = mode.engine

    def go(self, pos: int) -> int:
        """Take lines from a place on; where the first stands that is not taken."""
        chunk, engine, claims = self._chunk, self._engine, self._chunk.claims
        last = claims.last
        self._source = ENVELOPE
        if not self._mode.setting.stamped:
            self._source = FILE if last is None else NEIGHBOUR
            if last is None and any(at != claims.fallback for at in claims.dated.values()):
                return pos
        end = chunk.base + len(chunk.data)
        if chunk.sequencer.may_give_again(chunk.base + pos, end) or not self._begin():
            return pos
        begun, at = pos, pos
        while True:
            at = int(engine.run(chunk.data, at, chunk.base))
            reason = engine.reason
            then = -1 if reason == learnt.FULL else self._behind(reason, at)
            if engine.reason == learnt.FULL and engine.n_rows:
                self._flush(begun)
                begun = at
                if len(chunk.claims.writer.offsets) >= chunk.most or not self._begin():
                    return at
                continue
            if then < 0:
                break
            at = then
        if at > begun:
            self._flush(begun)
        return at

    def _behind(self, reason: int, at: int) -> int:
        """Where a run that has stopped goes on, -1 where the general path has to."""
        engine, mode = self._engine, self._mode
        if reason == learnt.UNKNOWN:
            return self._behind_unknown(at)
        if reason == learnt.UNLEARNT:
            state = int(engine.state[engine.instance])
            if self._lines.learn_effect(mode, state, engine.template):
                return at if self._lay_out() else -1
            return self._behind_unlearnt(at)
        if reason == learnt.UNTOLD and engine.masker.learn():
            return at
        if reason == learnt.ASKED:
            return self._answered(at)
        if reason == learnt.KEYLESS:
            return at if learn_key(mode) else -1
        return -1

    def _answered(self, at: int) -> int:
        """Where a run goes on behind an object that is asked about, -1 where the general path has
        to take it.
        """
        then = self._answers.of(at)
        if not self._answers.has_learnt:
            return then
        self._answers.has_learnt = False
        return then if self._lay_out() else -1

    def _behind_unknown(self, at: int) -> int:
        """Where a run goes on that has stopped at a line of an unknown mask."""
        engine, mode = self._engine, self._mode
        text, then = engine.masker.piece(0, engine.masker.n), at + engine.size
        is_object = engine.masker.is_braced()
        if is_object and self._lines.learn_object(mode, text):
            return at if self._lay_out() else -1
        if is_object and not any(word in text for word in _OF_ACCESS):
            return -1
        has_state = engine.state[engine.masker.instance] >= 0
        seen = self._lines.read(text, is_dated=engine.masker.dated) if has_state else None
        known = self._lines.told(seen, self._chunk.sequencer) if seen is not None else None
        comes_once = known.comes_once if known is not None else seen is not None and seen.is_free
        is_template = not is_object and (seen is None or seen.line.json is None)
        has_text = engine.masker.has_text()
        if comes_once and seen is not None and not has_text and self._lines.learn_head(seen):
            return at
        times = _OFTEN if comes_once and not has_text else 2
        if is_template and self._lines.learn_template(mode, text, times):
            return at
        if seen is not None and known is not None:
            return then if self._take(seen, known, at, then - at) else -1
        if seen is None or not seen.is_free:
            return -1
        engine.pass_over(then - at)
        return then

    def _behind_unlearnt(self, at: int) -> int:
        """Where a run goes on that has stopped at a line of a template that has no program."""
        masker = self._engine.masker
        seen = self._lines.read(masker.piece(0, masker.n), is_dated=masker.dated)
        known = self._lines.told(seen, self._chunk.sequencer) if seen is not None else None
        if seen is None or known is None:
            return -1
        size = self._engine.size
        return at + size if self._take(seen, known, at, size) else -1

    def _take(self, seen: Seen, known: Told, at: int, size: int) -> bool:
        """Take a line of which its values are told; False where that has to be learnt yet, or there
        is no room.
        """
        engine, mode = self._engine, self._mode
        number = self._lines.learn_told(mode, seen, known.kind)
        if number < 0 or (seen.access is not None and not self._dates(seen.stamp)):
            return False
        place, values = self._chunk.base + at, known.laid_out
        if engine.take(number, place, size, *values):
            return True
        state = int(engine.state[engine.instance])
        if engine.reason != learnt.UNLEARNT or not self._lines.learn_effect(mode, state, number):
            return False
        return self._lay_out() and bool(engine.take(number, place, size, *values))

    def _dates(self, stamp: Stamp | None) -> bool:
        """Let the line at hand have this stamp of its own; False where its envelope's is lost."""
        engine, masker = self._engine, self._engine.masker
        local = 0 if stamp is None or stamp.days is None else stamp.days * DAY + stamp.time
        zone = None if stamp is None else stamp.zone
        if engine.stamped and zone is None and masker.zoned and not masker.is_braced():
            return False
        masker.dated, masker.zoned, masker.local = stamp is not None, zone is not None, local
        if zone is not None:
            masker.instant = local - zone * 60 * SECOND
        return True

    # registers

    def _begin(self) -> bool:
        """Fill the registers from memory, and make room to write; False without any state."""
        engine, mode, chunk = self._engine, self._mode, self._chunk
        self._answers = Answers(mode, chunk, self._lines.attempts)
        whole = Whole(tuple(chunk.sequencer.learned), chunk.sequencer.has_kept)
        self._lines.ask_of_paths(mode, chunk.sequencer)
        engine.ascii_only = chunk.is_ascii
        engine.counts[:] = 0
        engine.uses[: len(mode.seen)] = 0
        self._parts: list[bytes] = []
        self._used = 0
        self._before: list[int] = []
        for number, name in enumerate(mode.names):
            self._before.append(self._load(number, name, whole))
        engine.last, engine.source = 0, self._source
        self._zoned()
        if all(state < 0 for state in self._before) and not self._has_objects:
            return False
        room = mode.room
        room.hold(2 * self._used + (1 << 20))
        self._fill(0, b"".join(self._parts))
        engine.write_to(
            view(room.rows), view(room.pairs), view(room.places), view(room.out), self._used
        )
        return self._lay_out()

    def _zoned(self) -> None:
        """Tell the engine of which stamps it knows the zone's offset, and who has had any."""
        engine, claims = self._engine, self._chunk.claims
        engine.low = engine.high = 0  # before a file's first stamp, records wait for it
        engine.may_date = claims.last is not None
        if claims.last is not None:
            engine.offset, engine.low, engine.high = claims.clock.steady(claims.last)
        engine.own[:] = 0
        for number, name in enumerate(self._mode.names):
            engine.own[number] = name is not None and name in claims.stamps

    def _remember_own(self) -> None:
        """Remember the instants of instances' last lines with a stamp of their own."""
        engine, stamps = self._engine, self._chunk.claims.stamps
        for number, name in enumerate(self._mode.names):
            if name is not None and engine.own[number]:
                stamps[name] = int(engine.named[number, 2])

    def _fill(self, at: int, data: bytes) -> None:
        self._mode.room.out[at : at + len(data)] = np.frombuffer(data, np.uint8)

    def _write(self, text: bytes) -> tuple[int, int]:
        start = self._used
        self._parts += [text, b"\n"]
        self._used += len(text) + 1
        return start, start + len(text)

    def _lay_out(self) -> bool:
        """Write the constants behind what is written; whether there was room for them."""
        blob, spans = self._mode.constants.laid_out()
        at = self._engine.n_bytes
        if at + len(blob) + (1 << 17) > len(self._mode.room.out):
            return False
        self._fill(at, blob)
        self._spans = spans + np.int32(at)
        self._engine.know_consts(view(self._spans))
        self._engine.n_bytes = at + len(blob)
        return True

    def _load(self, number: int, name: str | None, whole: Whole) -> int:
        """Fill one instance's registers; its state, -1 without."""
        engine, chunk, claims = self._engine, self._chunk, self._chunk.claims
        engine.state[number] = -1
        instance = chunk.sequencer.memory_of(name)
        engine.calm[number] = instance is None or instance.expects is None
        near = claims.fallback if claims.last is None else claims.last
        if name is not None:
            near = claims.stamps.get(name, near)
        engine.named[number] = (*self._write((name or "").encode("utf-8", "replace")), near)
        found = memory.taken(instance) if instance is not None else None
        if found is None:
            return -1
        state = self._lines.state_of(self._mode, found.shape, found.kinds, whole)
        for k, (kind, value) in enumerate(zip(found.kinds, found.values, strict=True)):
            if kind in memory.IN_NUMBERS:
                engine.registers[number, 2 * k : 2 * k + 2] = value, 0
            else:
                engine.registers[number, 2 * k : 2 * k + 2] = self._write(
                    memory.as_text(kind, value)
                )
        engine.state[number] = state
        engine.count[number] = found.count
        return state

    def _flush(self, begun: int) -> None:
        """Give rows, counts and memory to the general path."""
        engine, chunk, claims = self._engine, self._chunk, self._chunk.claims
        keys = list(self._mode.constants.keys)
        n, p, room = engine.n_rows, engine.n_pairs, self._mode.room
        claims.writer.extend(
            room.out[: engine.n_bytes], room.rows[:n], room.pairs[:p], room.places[:n],
            keys,
        )  # fmt: skip
        records, record_bytes, unclaimed, unclaimed_bytes = engine.counts.tolist()
        claims.counts.records += records
        claims.counts.record_bytes += record_bytes
        claims.counts.unclaimed += unclaimed
        claims.counts.unclaimed_bytes += unclaimed_bytes
        for number in np.flatnonzero(engine.uses[: len(self._mode.seen)]).tolist():
            for rule in self._mode.seen[number]:
                claims.seen[rule] = claims.seen.get(rule, 0) + int(engine.uses[number])
        if engine.last:
            claims.last = claims.clock.last = engine.last
            self._remember_own()
        since, opened = chunk.base + begun, []
        for number, name in enumerate(self._mode.names):
            if self._before[number] >= 0:
                opened += self._restore(number, name, since)
        if self._source == FILE:
            for _, id_ in sorted(opened):
                claims.dated.setdefault(id_, claims.fallback)

    def _restore(self, number: int, name: str | None, since: int) -> list[tuple[int, str]]:
        """Give an instance its memory back; the ids that lines since an offset have opened, each
        behind its place.
        """
        engine, chunk, claims = self._engine, self._chunk, self._chunk.claims
        known = self._mode.known[int(engine.state[number])]
        values = [self._value(number, k, kind) for k, kind in enumerate(known.kinds)]
        instance = memory.restored(known.shape, values, int(engine.count[number]))
        memory.belongs_to(instance, name)
        chunk.sequencer.remember(name, instance)
        for part in instance.block:
            if part.line.offset >= since:
                claims.sized(part.line.offset, part.line.end - part.line.offset)
        begins = self._mode.setting.id_begins
        places = [
            (int(value.removeprefix(begins)), value)
            for kind, value in zip(known.kinds, values, strict=True)
            if kind == memory.PLACE and isinstance(value, str) and value.startswith(begins)
        ]
        return [place for place in places if place[0] >= since]

    def _value(self, number: int, k: int, kind: str) -> object:
        start, end = self._engine.registers[number, 2 * k : 2 * k + 2].tolist()
        if kind in memory.IN_NUMBERS:
            return start
        return memory.from_text(kind, self._mode.room.out[start:end].tobytes())
