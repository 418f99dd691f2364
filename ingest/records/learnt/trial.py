"""A template in a state → what the general path does, told in slots instead of values (pure).

The general path itself is asked (:class:`ingest.records.claims.Claims` with its sequencer), with
symbols for all that differs between texts of the template and memories of the state.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ingest.compiled import envelopes, learnt, line_values, masks
from ingest.compiled.layout import L_WARNING
from ingest.records.access import Access
from ingest.records.claims import Claims, words_of
from ingest.records.gather import Record, level_of
from ingest.records.hygiene import Bar
from ingest.records.instants import ENVELOPE, LOGGED, NEIGHBOUR
from ingest.records.learnt import memory, symbols
from ingest.records.learnt.memory import Shape
from ingest.records.learnt.symbols import Slot, Unlearnable, slot_of
from ingest.records.learnt.templates import Template
from ingest.records.logical import Logical
from ingest.records.moments import Clock, Stamp
from ingest.records.native import NativeFormat
from ingest.records.profile_rules import Column, Value
from ingest.records.profiles import Match, Profiles
from ingest.records.sequence import Sequencer
from ingest.records.sequence.opening import begins_of_ids
from ingest.records.wrapped import Wrapped
from ingest.records.written import Place, Writer

# numbers that stand for places in a trial: above any real one, and far apart
BASE, _STEP, _COUNT = 10**15, 10**6, 10**6
_OFFSET, _END = BASE, BASE + 1000
_BAR_MS = BASE * 5  # of a bar, of which any may be told
_NEAR, _NAME = 10**17, f"{symbols.MARK}name"
_SPACES = (b" ", b"\t", b"\r", b"\n", b"\v", b"\f")
_SHIFTS = {1.0: 0, 1000.0: 3}


@dataclass(slots=True)
class Written:
    """A record that a line writes: its event, level, and slots of offset, end, instant, and of
    pairs.

    ``logged`` are pairs whose keys the log names; ``is_dated``: its instant is a line's own. In
    ``message``, or in the line's own that is ``said``, pairs are looked for if it ``has_pairs``.
    """

    event: str
    level: int
    place: tuple[Slot, Slot, Slot]
    pairs: list[tuple[str, Slot]]
    logged: list[tuple[str, Slot]]
    logger: bytes
    is_dated: bool
    message: bytes = b""
    has_pairs: bool = False
    said: Slot | None = None


@dataclass(slots=True)
class Effect:
    """What a template does in a state: what becomes of the line's bytes, records, the next state.

    ``registers`` are the slots of the next state's values, ``more`` how many requests it opens.
    """

    kind: int
    shape: Shape
    kinds: tuple[str, ...]
    registers: list[Slot]
    more: int
    records: list[Written]
    seen: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """What the lines of a file are tried with; ``stamped``: envelopes tell each line's instant."""

    native: NativeFormat
    profiles: Profiles
    head: bytes
    stamped: bool
    named: bool

    @property
    def id_begins(self) -> str:
        """What ids made of a place in this file begin with."""
        return begins_of_ids(self.head)


@dataclass(frozen=True, slots=True)
class Whole:
    """What is remembered of the whole file, whatever the instance: paths learnt, and whether a line
    before a first opening one is kept.
    """

    learned: tuple[str, ...]
    has_kept: bool


class Clockwork(Clock):
    """A clock that every envelope tells the same symbol."""

    def instant(self, stamp: Stamp, around: int | None = None) -> int | None:
        return symbols.instant(("instant",))


@dataclass(slots=True)
class _Writer(Writer):
    """Notes what is to be written."""

    noted: list[Written] = field(default_factory=list)
    slots: Any = None
    template: Template | None = None

    def record(
        self,
        message: bytes,
        *,
        level: int,
        place: Place,
        event: str = "",
        logger: bytes = b"",
        traceback: bytes = b"",
        own_end: int = -1,
        pairs: Iterable[tuple[str, Value]] = (),
        logged: Iterable[tuple[str, str]] = (),
    ) -> None:
        said = self._said(message) if message else None
        if traceback or own_end not in (-1, len(message)) or not (event or message):
            raise Unlearnable("a record with a text of its own")
        if level >= L_WARNING and said is None:
            raise Unlearnable("a warning without its words")
        offset, end, instant, source = place
        if source not in (self.slots.source, LOGGED):
            raise Unlearnable("a time from elsewhere")
        self.noted.append(
            Written(
                event, level, (self.slots.of(offset), self.slots.of(end), self.slots.of(instant)),
                [(key, self.slots.of(value)) for key, value in pairs],
                [(key, self.slots.of(value)) for key, value in logged],
                logger, source == LOGGED, has_pairs=own_end >= 0, said=said,
            )
        )  # fmt: skip

    def _said(self, message: bytes) -> Slot:
        """The slot of a message that is the line's own."""
        template = self.template
        if template is None or message != template.seen.message or message.endswith(_SPACES):
            raise Unlearnable("a message made of others")
        text = template.seen.text
        return ("text", template.edge(len(text) - len(message)), template.edge(len(text)))

    def native(self, *_: Any, **__: Any) -> None:
        raise Unlearnable("a record of the format")

    def answers_with(self, offset: int, id_: str) -> None:
        raise Unlearnable("an answer that came before")


class Slots:
    """Tells values of a trial by their slots."""

    NEAR = _NEAR  # stands for the instant of lines that have none
    INSTANT = 4 * 10**16  # stands for any that may be compared with others

    def __init__(self, setting: Setting) -> None:
        self.source = ENVELOPE if setting.stamped else NEIGHBOUR
        self._known: dict[Any, Slot] = {
            _OFFSET: ("offset",),
            _END: ("end",),
            _NEAR: ("near",),
            Slots.INSTANT: ("instant",),
            _NAME: ("name",),
            f"{setting.id_begins}{_OFFSET}": ("id",),
        }

    def register(self, kind: str, number: int, value: Any) -> Any:
        """The value that stands for a register in a trial."""
        made = memory.symbol(kind, number)
        if made is None and kind == memory.PLACE:
            made = f"{number:08x}-{BASE * 3 + number}"
        elif made is None and isinstance(slot_of(value), tuple):
            made = value
        elif made is None:
            made = BASE * 2 + number * _STEP
        if slot_of(made) is None:
            self._known[made] = ("register", number)
        return made

    def between(self, begun: int, ended: int) -> float:
        """A symbol for the milliseconds between two instants of a trial."""
        return symbols.number(("between", self.of(begun), self.of(ended)))

    def of(self, value: Any) -> Slot:
        """The slot of a value, which may be a constant."""
        slot = slot_of(value)
        if slot is not None:
            return slot
        if isinstance(value, str | int) and not isinstance(value, bool) and value in self._known:
            return self._known[value]
        if isinstance(value, str) and (symbols.MARK in value or "00000000000" in value):
            raise Unlearnable("a text made of others")
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= _COUNT:
            raise Unlearnable("a number made of others")
        return ("constant", memory.as_text(memory.NUMBER, value) if not isinstance(value, str)
                else value.encode("utf-8", "replace"))  # fmt: skip


class _Match(Match):
    """A match whose values are symbols."""

    template: Template
    at: int
    given: dict[str, Value] | None = None

    def values(self) -> dict[str, Value]:
        if self.given is not None:
            return dict(self.given)
        rule, found = self.rule, dict(self.rule.constants)
        for column in rule.columns:
            start, end = self.spans[column.group]
            if start < 0:
                continue
            if column.name in found:
                raise Unlearnable("a value of two numbers")
            found[column.name] = self._symbol(column, self.at + start, self.at + end)
        return found

    def _symbol(self, column: Column, start: int, end: int) -> Value:
        template = self.template
        number = template.number_at(start, end)
        written = template.seen.text[start:end]
        if number is not None and template.marks[number] == masks.TEXT and column.kind != "text":
            raise Unlearnable("a value that may be any text")
        if column.kind == "text" or (column.kind == "pair" and written.strip(b"0123456789.-")):
            edges = template.edge(start), template.edge(end)
            return symbols.text(("text", *edges), is_solid=number is not None)
        if number is None:
            raise Unlearnable("a value that is no whole number of the line")
        if column.kind == "pair":
            kind = line_values.REAL if b"." in written else line_values.WHOLE
            return symbols.number(("number", number, 0, kind))
        if column.kind == "real":
            return symbols.number(("number", number, 0, line_values.REAL))
        if column.kind == "whole":
            return symbols.number(("number", number, 0, line_values.WHOLE))
        if column.kind == "sum" and column.factor in _SHIFTS:
            return symbols.number(("number", number, _SHIFTS[column.factor], line_values.TIDY))
        raise Unlearnable(f"a value to be worked out: {column.kind}")


class _Profiles:
    """The profiles, whose matches of the template's message have symbols."""

    def __init__(self, profiles: Profiles, template: Template) -> None:
        self._profiles = profiles
        self._template = template

    def __getattr__(self, name: str) -> Any:
        return getattr(self._profiles, name)

    def match(self, message: str) -> list[Match]:
        seen = self._template.seen
        if message.encode() != seen.message:
            return self._behind(message)
        found: list[Match] = []
        given = self._template.given
        for number, match in enumerate(seen.matches):
            made = _Match(match.rule, match.start, match.data, match.spans)
            made.template, made.at = self._template, seen.at
            made.given = None if given is None else given[number]
            found.append(made)
        return found

    def _behind(self, message: str) -> list[Match]:
        """No match of what stands behind the first message of the line: of lines that are told it
        was asked, of others it is always the same.
        """
        template, rest = self._template, message.encode()
        place = len(template.seen.text) - len(rest)
        is_same = template.seen.text.endswith(rest) and all(
            end <= place for _, end in template.spans
        )
        if template.given is None and (not is_same or self._profiles.match(message)):
            raise Unlearnable("further messages on the line")
        return []

    def code_of(self, text: str) -> str | None:
        template = self._template
        if not template.holds or text != words_of(template.seen.message.decode()):
            raise Unlearnable("a code told by a text")
        return template.code


class _Kept(list[Any]):
    """Lines kept before a first opening line: a trial may not add any."""

    def __len__(self) -> int:
        raise Unlearnable("a line to be kept")

    def append(self, item: Any) -> None:
        raise Unlearnable("a line to be kept")


def tried(
    setting: Setting, template: Template | None, shape: Shape, kinds: tuple[str, ...],
    whole: Whole, *, is_full: bool = True,
) -> Effect:  # fmt: skip
    """What a template (None: progress bars, the last one full or not) does in a state.

    :raises Unlearnable: where that depends on values, or is more than records of numbers.
    """
    slots = Slots(setting)
    name = _NAME if setting.named else None
    values = [slots.register(kind, number, None) for number, kind in enumerate(kinds)]
    before = memory.restored(shape, values, _COUNT)
    memory.belongs_to(before, name)
    profiles: Any = setting.profiles if template is None else _Profiles(setting.profiles, template)
    sequencer = Sequencer(profiles, setting.head, None)
    assembly = sequencer._asm
    assembly.instances, assembly.learned = {name: before}, list(whole.learned)
    assembly.took = slots.between
    assembly.kept = [1] if whole.has_kept else _Kept()
    writer = _Writer(setting.native.width, slots=slots, template=template)
    seen: dict[tuple[str, str], int] = {}
    last = symbols.instant(("last",)) if setting.stamped else _NEAR
    claims = Claims(
        setting.native, profiles, sequencer, Clockwork(None, 0, None, None),  # type: ignore[arg-type]
        writer, 1 << 40, 0, last, {}, seen=seen,
    )  # fmt: skip
    record = _record(setting, template, name, is_full)
    if template is None or not record.first.is_blank:
        claims.take([record], [])
        kind = _kind_of(claims)
    else:
        kind = learnt.BLANK
    if assembly.answers_first or tuple(assembly.learned) != whole.learned:
        raise Unlearnable("what is remembered of the whole file changes")
    if list(assembly.instances) != [name] or claims.rejects:
        raise Unlearnable("another instance, or a reject")
    if any(request.bar_ms == _BAR_MS for request in assembly.instances[name].requests):
        raise Unlearnable("the time that a bar tells is remembered")
    after = memory.taken(assembly.instances[name])
    if after is None or len(writer.noted) > 8 or len(after.values) > line_values.MOST_REGISTERS:
        raise Unlearnable("a memory that no state has")
    return Effect(
        kind, after.shape, after.kinds, [slots.of(value) for value in after.values],
        after.count - _COUNT, writer.noted, tuple(k for k, n in seen.items() for _ in range(n)),
    )  # fmt: skip


def _record(setting: Setting, template: Template | None, name: str | None, is_full: bool) -> Record:
    stamp = Stamp(0, 0, zone=0) if setting.stamped else None
    wrapped = Wrapped(b"" if template is None else template.seen.text, stamp, name)
    line = Logical(_OFFSET, _END, _END - _OFFSET, _OFFSET, wrapped.text, wrapped)
    if template is None:
        line.bar = Bar(_BAR_MS, is_full)
    else:
        line.header = template.seen.line.header
        line.access = _access(template)
    level = level_of(line)
    if level > L_WARNING or (level == L_WARNING and (template is None or template.given)):
        raise Unlearnable("an error, or a warning that is told")
    return Record(line, level, _OFFSET, _END, _END - _OFFSET, 0)


def _access(template: Template) -> Access | None:
    """The template's access line, with symbols for what differs."""
    found = template.seen.access
    if found is None:
        return None
    path, stamp = template.path, found.stamp or template.seen.stamp
    return Access(
        found.server, found.method,
        path if isinstance(path, str) else symbols.path(path, found.path), found.status,
        _symbols(template.columns), _symbols(template.more), stamp, found.is_sure,
    )  # fmt: skip


def _symbols(fields: Mapping[str, str | Slot]) -> dict[str, str]:
    return {
        key: value if isinstance(value, str) else symbols.text(value, is_solid=True)
        for key, value in fields.items()
    }


def _kind_of(claims: Claims) -> int:
    """What becomes of the line's bytes."""
    counts = claims.counts
    if counts.records == 1 and not counts.unclaimed and counts.record_bytes == _END - _OFFSET:
        return learnt.RECORD
    if counts.unclaimed == 1 and not counts.records:
        return learnt.UNCLAIMED
    if counts.records or counts.unclaimed or counts.quarantined:
        raise Unlearnable("several lines in one")
    return learnt.IGNORED


MODES = {
    (): envelopes.BARE,
    ("compose",): envelopes.COMPOSE,
    ("docker json-file",): envelopes.JSON_FILE,
    ("CRI",): envelopes.CRI,
}
