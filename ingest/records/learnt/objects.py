"""A JSON object's text → what every object of its mask is to the general path, or that there is no
such thing (pure).

The general path reads the object with other values in it, those that a log may have and those that
might mean something; what comes of all of them has to be the same, but for stretches of the line.
Only records are learnt that are what they are whatever is open: a record of the format's own
events, and one that nothing claims.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from ingest.compiled import learnt, masks
from ingest.compiled.layout import L_WARNING
from ingest.compiled.masks import Masker
from ingest.compiled.objects import Objects
from ingest.records.access import is_socket
from ingest.records.claims import WRAPPERS, Claims
from ingest.records.collectors import is_ordinal
from ingest.records.envelopes import unwrap
from ingest.records.gather import Record, level_of
from ingest.records.instants import LOGGED
from ingest.records.learnt import symbols
from ingest.records.learnt.object_keys import kind_of_key
from ingest.records.learnt.object_values import others_of
from ingest.records.learnt.symbols import Slot, Unlearnable
from ingest.records.learnt.trial import BASE, Clockwork, Effect, Setting, Slots, Written
from ingest.records.logical import Logical, Reader, access_in
from ingest.records.moments import DAY, SECOND, Clock, Stamp
from ingest.records.profile_rules import tidy
from ingest.records.sequence import Sequencer
from ingest.records.structured import Memory, is_event, tells_by_itself
from ingest.records.vocabulary import PUBLIC_EVENTS
from ingest.records.wrapped import Wrapped
from ingest.records.written import Place, Writer, written

_NAME = f"{symbols.MARK}name"
_NUMBERS = (masks.INT, masks.DECIMAL)
_MORE = 24  # trials with other values beside each other, behind those in which each comes once
Moment = tuple[int, bool]  # a time, and whether it is an instant by itself


@dataclass(slots=True)
class Noted:
    """What a text is written as: its event, message and logger, pairs as (key, text)."""

    event: str
    message: bytes
    level: int
    logger: bytes
    place: Place
    pairs: list[tuple[str, str]]
    logged: list[tuple[str, str]]

    has_pairs: bool

    @property
    def shape(self) -> Any:
        """All of it that objects of one mask have in common."""
        keys = [[key for key, _ in part] for part in (self.pairs, self.logged)]
        told = self.event, self.message, self.level, self.logger, self.has_pairs
        return *told, self.place[3], keys


@dataclass(slots=True)
class Outcome:
    """What comes of a text: its marked values and their texts, its time, and what is written.

    ``between`` is a duration that no value says; some ``is_below`` zero.
    """

    values: list[str | None]
    marks: list[int]
    times: list[Moment | None]
    told: Moment | None
    kind: int
    notes: list[Noted]
    is_below: bool
    between: str = ""

    @property
    def shape(self) -> Any:
        """All of it that objects of one mask have in common."""
        return self.kind, self.told is None, [note.shape for note in self.notes]


@dataclass(slots=True)
class _Noting(Writer):
    """Notes what is to be written."""

    notes: list[Noted] = field(default_factory=list)

    def record(self, message: bytes, *, level: int, place: Place, **parts: Any) -> None:
        if parts.get("traceback"):
            raise Unlearnable("a traceback")
        if message != message.rstrip():
            raise Unlearnable("a message that ends in spaces")
        pairs, logged = (_texts(parts.get(name, ())) for name in ("pairs", "logged"))
        logger = parts.get("logger", b"")
        has_pairs = parts.get("own_end", -1) >= 0
        event = parts.get("event", "")
        note = Noted(event, message, level, logger, place, pairs, logged, has_pairs)
        self.notes.append(note)


def _texts(pairs: Any) -> list[tuple[str, str]]:
    return [(key, value if isinstance(value, str) else written(value)) for key, value in pairs]


class ObjectLines:
    """Makes effects of objects by one reader and the setting of one kind of envelope."""

    def __init__(self, reader: Reader, setting: Setting) -> None:
        self._reader, self._setting = reader, setting
        self._masker, self._objects = Masker(0), Objects()

    def is_asked(self, text: bytes) -> bool:
        """Whether what becomes of a text depends on requests that are remembered."""
        line = self.line(text)
        return line.json is not None and not tells_by_itself(line.json)

    def of(self, text: bytes) -> tuple[Effect, int]:
        """What objects of a text's mask do, and which of their values says when (-1: none).

        :raises Unlearnable: where they are not all alike to the general path.
        """
        first = self.outcome(text)
        outcomes = [first, *map(self.outcome, self.variants(text, first))]
        return self.effect(outcomes), self.moment(outcomes)

    def effect(self, outcomes: list[Outcome]) -> Effect:
        """What objects do of which these are outcomes.

        :raises Unlearnable: where they are not all alike.
        """
        first = outcomes[0]
        if any(outcome.shape != first.shape for outcome in outcomes):
            raise Unlearnable("a value tells what the record is")
        records = [self._written(outcomes, number) for number in range(len(first.notes))]
        return Effect(first.kind, (), (), [], 0, records, ())

    def mask(self, text: bytes) -> bytes | None:
        while True:
            masked = self._objects.of(self._masker, text)
            if masked is not None:
                return masked[0]
            key = self._objects.key(self._masker)
            if key is None or not self._objects.know(self._masker, kind_of_key(key.decode())):
                return None

    def moment(self, outcomes: list[Outcome]) -> int:
        """Which of the values is the record's time, -1 where it has none.

        :raises Unlearnable: where none is the time that it has.
        """
        if outcomes[0].told is None:
            return -1
        for number in range(len(outcomes[0].times)):
            if all(outcome.times[number] == outcome.told for outcome in outcomes):
                return number
        raise Unlearnable("a time that is no value of the object")

    # what comes of a text

    def outcome(self, text: bytes) -> Outcome:
        """What the general path makes of a text by itself.

        :raises Unlearnable: where that depends on what is open, or is no plain record.
        """
        line = self.line(text)
        if line.json is None or not tells_by_itself(line.json):
            raise Unlearnable("a record that may tell of a request")
        clock = Clockwork(None, 0, None, None)  # type: ignore[arg-type]
        return self.taken(text, line, clock, Memory())

    def taken(self, text: bytes, line: Logical, clock: Clock, memory: Memory) -> Outcome:
        """What the general path makes of a line, with requests that are remembered.

        :raises Unlearnable: where it is no plain record.
        """
        assert line.json is not None
        profiles = self._setting.profiles
        matches = () if is_event(line.json) else profiles.match(line.json.message)
        if any(match.rule.profile != WRAPPERS for match in matches):
            raise Unlearnable("a line of an engine's")
        self.mask(text)
        values, times, is_below = [], [], self._objects.is_below_zero(self._masker)
        for number in range(len(self._masker.marked())):
            value = self._objects.written(self._masker, number)
            values.append(None if value is None else value.decode())
            times.append(self._objects.moment(self._masker, number))
        writer = _Noting(self._setting.native.width)
        claims = self._claims(writer, clock, memory)
        level = level_of(line)
        claims.take([Record(line, level, line.start, line.end, line.size, 0)], [])
        if claims.rejects or claims.seen:
            raise Unlearnable("a line of a rule's, or a reject")
        counts = claims.counts
        kind = learnt.RECORD if counts.records else learnt.UNCLAIMED
        if matches and kind != learnt.RECORD:
            raise Unlearnable("a line of a rule's")
        if counts.records + counts.unclaimed != 1:
            raise Unlearnable("several lines in one")
        return Outcome(
            values,
            self._masker.marked(),
            times,
            _told(line.json.stamp),
            kind,
            writer.notes,
            is_below,
        )

    def line(self, text: bytes) -> Logical:
        """A text as the general path reads it.

        :raises Unlearnable: where what becomes of it depends on what is open.
        """
        if unwrap(text).names or is_ordinal(text):
            raise Unlearnable("a further envelope")
        setting = self._setting
        stamp = Stamp(0, 0, zone=0) if setting.stamped else None
        wrapped = Wrapped(text, stamp, _NAME if setting.named else None)
        lines = list(self._reader.lines_of(BASE, BASE + 1000, 1000, wrapped))
        line = lines[0]
        if len(lines) != 1 or line.text != text or line.bar is not None or line.json is None:
            raise Unlearnable("not one JSON record")
        if line.native is not None or line.torn is not None or access_in(line) is not None:
            raise Unlearnable("an access line, or a record that is torn")
        message = line.json.message
        if message.partition(":")[0] not in PUBLIC_EVENTS and (
            level_of(line) >= L_WARNING or is_socket(message.encode("utf-8", "replace"))
        ):
            raise Unlearnable("a warning, or worse")
        return line

    def _claims(self, writer: Writer, clock: Clock, memory: Memory) -> Claims:
        setting = self._setting
        sequencer = Sequencer(setting.profiles, setting.head, None)
        last = symbols.instant(("last",)) if setting.stamped else Slots.NEAR
        return Claims(
            setting.native, setting.profiles, sequencer, clock, writer, 1 << 40, 0, last, {},
            told=memory,
        )  # fmt: skip

    # other texts

    def variants(self, text: bytes, first: Outcome) -> Iterator[bytes]:
        """The text with other values, as far as these have its mask."""
        chance = random.Random(7)
        mask = self.mask(text)
        spans, marks = self._masker.taken()[1], self._masker.marked()
        lists = []
        for number in range(len(spans)):
            is_told = first.told is not None and first.times[number] == first.told
            lists.append(others_of(marks[number], is_told))
            chance.shuffle(lists[-1])
        nothing = [(None,) * len(lists)] * _MORE
        for values in (*zip_longest(*lists), *nothing):
            other = _with(text, spans, [
                value if value is not None else chance.choice(others)
                for value, others in zip(values, lists, strict=True)
            ])  # fmt: skip
            if self.mask(other) == mask:
                yield other

    # what is written

    def _written(self, outcomes: list[Outcome], number: int) -> Written:
        """A record that objects write, with slots in place of their values."""
        slots = Slots(self._setting)
        note = outcomes[0].notes[number]
        offset, end, instant, source = note.place
        if source not in (slots.source, LOGGED):
            raise Unlearnable("a time from elsewhere")
        pairs, logged = (
            [
                (key, self._slot([(o, getattr(o.notes[number], part)[at][1]) for o in outcomes]))
                for at, (key, _) in enumerate(getattr(note, part))
            ]
            for part in ("pairs", "logged")
        )
        return Written(
            note.event, note.level, (slots.of(offset), slots.of(end), slots.of(instant)), pairs,
            logged, note.logger, source == LOGGED, note.message, note.has_pairs,
        )  # fmt: skip

    def _slot(self, seen: list[tuple[Outcome, str]]) -> Slot:
        """What a pair's value is in all objects of a mask: one of their values, or always the same.

        :raises Unlearnable: where it is neither.
        """
        first, value = seen[0]
        if all(other == value for _, other in seen):
            if value == _NAME:
                return ("name",)
            return ("constant", value.encode("utf-8", "replace"))
        for number in range(len(first.values)):
            told = [(outcome.values[number], other) for outcome, other in seen]
            if _are_same(told):
                return ("member", number)
            for shift in (0, 3):
                if first.marks[number] in _NUMBERS and _are_same(
                    [(_tidied(mine, shift), other) for mine, other in told]
                ):
                    return ("rounded", number, shift)
        if all(outcome.between == other for outcome, other in seen):
            return ("register", 0)
        raise Unlearnable("a pair that is no value of the object")


def _told(stamp: Stamp | None) -> Moment | None:
    """A stamp's instant, or its time in no known zone, and whether it has one.

    :raises Unlearnable: for one without a date.
    """
    if stamp is None:
        return None
    if stamp.days is None:
        raise Unlearnable("a stamp without a date")
    local = stamp.days * DAY + stamp.time
    return (local, False) if stamp.zone is None else (local - stamp.zone * 60 * SECOND, True)


def _with(text: bytes, spans: list[tuple[int, int]], values: list[bytes]) -> bytes:
    """The text with other values in these places."""
    parts, at = [], 0
    for (start, end), value in zip(spans, values, strict=True):
        parts += [text[at:start], value]
        at = end
    return b"".join([*parts, text[at:]])


def _tidied(value: str | None, shift: int) -> str | None:
    """A number with its point moved, to four places; None where compiled code takes it not."""
    try:
        number = float(value or "x") * 10.0**shift
    except ValueError:
        return None
    return written(tidy(number)) if 0 <= number <= 1e10 else None


def _are_same(told: list[tuple[str | None, str]]) -> bool:
    """Whether values are what pairs have, wherever compiled code takes them; it takes the first."""
    return told[0][0] is not None and all(mine in (None, other) for mine, other in told)
