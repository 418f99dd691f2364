"""JSON records that tell of a request by its id: what becomes of one is asked of the memory of
requests, line by line; how it is written is learnt for each answer (pure).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ingest.records.learnt.objects import ObjectLines, Outcome
from ingest.records.learnt.symbols import Unlearnable
from ingest.records.learnt.trial import Effect, Slots
from ingest.records.logical import Logical
from ingest.records.moments import Clock, Stamp
from ingest.records.profile_rules import tidy
from ingest.records.structured import Known, Memory, Telling, telling
from ingest.records.structured_fields import LONGEST_MS, milliseconds
from ingest.records.structured_words import START
from ingest.records.written import written

NOTHING, STAGE, BEGINS, MORE, ENDS = "nothing", "stage", "begins", "more", "ends"
# where a duration is told: in a field with a unit, in one of seconds or of milliseconds, in the
# message, by two stamps, nowhere
UNIT, SECONDS, MILLISECONDS, SAID, STAMPS, NOWHERE = range(6)
_FEWEST = 8  # texts of which the same has to become
_OTHER = "\0other"  # a message that no record has


class Answer(NamedTuple):
    """What becomes of a record: what it does, where its duration is told, in which field."""

    does: str
    told: int = NOWHERE
    amount: int = -1


_NOTHING, _BEGINS, _MORE = Answer(NOTHING), Answer(BEGINS), Answer(MORE)


@dataclass(slots=True)
class Seen:
    """An object that is tried: its text, its line, what it tells, and its values."""

    text: bytes
    line: Logical
    telling: Telling
    outcome: Outcome


@dataclass(slots=True)
class Asked:
    """What is known of objects of one mask, of whose values ``moment`` says when.

    ``seen`` are those that were tried; ``id`` is the number of the value that is the request's id;
    ``amounts`` are the durations: the number of a value or -1, the value itself then, and its unit.
    """

    telling: Telling
    moment: int
    id: int
    amounts: list[tuple[int, object, float | None]]
    seen: list["Seen"]
    programs: dict[Answer, "Program | None"] = field(default_factory=dict)

    def answer(
        self, id_: str, at: int | None, memory: Memory, values: Callable[[int], str | None]
    ) -> tuple[Answer, float | None] | None:
        """What becomes of a record of this id at an instant, and the milliseconds since its
        request began; None where that cannot be told. ``values`` are those of the line.
        """
        told, phrase = self.telling, self.telling.phrase
        amounts: list[tuple[object, float | None]] = []
        for number, constant, unit in self.amounts:
            value = values(number) if number >= 0 else constant
            if number >= 0:
                if not isinstance(value, str):
                    return None
                value = float(value)
            amounts.append((value, unit))
        if told.has_stage and id_ in memory.opened and (phrase is None or phrase.is_stage):
            return _answer(STAGE, amounts, "", None), None
        if phrase is None or phrase.is_stage:
            return _NOTHING, None
        if not (told.is_request or id_ in memory.opened or id_ in memory.closed):
            return _NOTHING, None
        if phrase.kind == START:
            begins = memory.would_begin(id_, told.said, at, phrase.is_speech)
            return _BEGINS if begins else _MORE, None
        if not memory.would_end(id_, told.said, at):
            return _MORE, None
        between = memory.begun(id_, at)
        return _answer(ENDS, amounts, phrase.taken, between), between

    def remember(self, does: str, id_: str, at: int | None, memory: Memory) -> None:
        """Take note of a record, as the general path does."""
        told, phrase = self.telling, self.telling.phrase
        if does in (NOTHING, STAGE) or phrase is None:
            return
        if phrase.kind == START:
            memory.begins(id_, told.said, at, phrase.is_speech)
        else:
            memory.ends(id_, told.said, at)


@dataclass(frozen=True, slots=True)
class Program:
    """Where the program of an answer stands, the event that it writes, and whether that failed."""

    place: int
    event: str
    has_failed: bool


def _answer(
    does: str, amounts: list[tuple[object, float | None]], said: str, between: float | None
) -> Answer:
    """Where a duration is told, as :meth:`ingest.records.structured_fields.Fields.duration` looks
    for it.
    """
    for number, (value, unit) in enumerate(amounts):
        found = milliseconds(value, unit, between)
        if found is None or found > LONGEST_MS:
            continue
        if unit is not None or isinstance(value, str):
            return Answer(does, UNIT, number)
        assert isinstance(value, int | float)
        return Answer(does, SECONDS if found == value * 1000 else MILLISECONDS, number)
    if said and milliseconds(said, None, None) is not None:
        return Answer(does, SAID)
    return Answer(does, NOWHERE if between is None else STAMPS)


class _Fixed(Clock):
    """A clock that tells one instant."""

    def instant(self, stamp: Stamp, around: int | None = None) -> int | None:
        return Slots.INSTANT


class AskedLines:
    """Learns objects that tell of a request."""

    def __init__(self, objects: ObjectLines, is_synthesis: Callable[[str], bool]) -> None:
        self._objects, self._is_synthesis = objects, is_synthesis
        self._clock = _Fixed(None, 0, None, None)  # type: ignore[arg-type]

    def of(self, text: bytes) -> Asked:
        """What objects of a text's mask tell.

        :raises Unlearnable: where that depends on a value.
        """
        first = self._seen(text)
        told = first.telling
        others = map(self._seen, self._objects.variants(text, first.outcome))
        seen = [first, *(each for each in others if not each.outcome.is_below)]
        if len(seen) < _FEWEST or any(each.telling != told for each in seen):
            raise Unlearnable("a value tells what the record tells")
        moment = self._objects.moment([each.outcome for each in seen])
        id_ = _number_of([(each.outcome, each.telling.id) for each in seen])
        asked = Asked(told, moment, id_, [], seen)
        for k, (name, value, unit) in enumerate(told.amounts):
            named = [
                t.amounts[k] if k < len(t.amounts) else None for t in (s.telling for s in seen)
            ]
            if any(other is None or (other[0], other[2]) != (name, unit) for other in named):
                raise Unlearnable("a value tells whether there is a duration")
            values = [other[1] for other in named if other is not None]
            if all(isinstance(each, int | float) for each in values) and any(
                each != value for each in values
            ):
                number = _number_of([(s.outcome, v) for s, v in zip(seen, values, strict=True)])
                asked.amounts.append((number, None, unit))
            elif all(each == value for each in values):
                asked.amounts.append((-1, value, unit))
            else:
                raise Unlearnable("a duration in words")
        return asked

    def effect(self, asked: Asked, answer: Answer) -> Effect:
        """What objects do that have this answer.

        :raises Unlearnable: where they are not all alike.
        """
        found = (self._answered(asked, each, answer, n) for n, each in enumerate(asked.seen))
        outcomes = [outcome for outcome in found if outcome is not None]
        if len(outcomes) < _FEWEST:
            raise Unlearnable("an answer that hardly any text has")
        return self._objects.effect(outcomes)

    def _answered(self, asked: Asked, seen: Seen, answer: Answer, number: int) -> Outcome | None:
        """What comes of an object with a memory in which it has an answer; None where none is
        found.
        """
        told, line, values = seen.telling, seen.line, seen.outcome.values
        at = Slots.INSTANT if line.wrapped.stamp or (line.json and line.json.stamp) else None
        for memory in _memories(asked, told, answer, at, number):
            found = asked.answer(told.id, at, memory, lambda k: values[k])
            if found is None or found[0] != answer:
                continue
            outcome = self._objects.taken(seen.text, line, self._clock, memory)
            if found[1] is not None and answer.told == STAMPS:
                outcome.between = written(tidy(found[1]))
            return outcome
        return None

    def _seen(self, text: bytes) -> Seen:
        """What a text tells.

        :raises Unlearnable: where it tells of no request.
        """
        line = self._objects.line(text)
        told = telling(line.json, self._is_synthesis) if line.json is not None else None
        if told is None:
            raise Unlearnable("no record that tells of a request")
        return Seen(text, line, told, self._objects.taken(text, line, self._clock, Memory()))


def _memories(
    asked: Asked, told: Telling, answer: Answer, at: int | None, number: int
) -> list[Memory]:
    """Memories in which a record may have an answer."""
    since: int | None = None
    if at is not None and answer.told == STAMPS:
        since = at - 1_234_000 - 7_001 * number
    elif at is not None and answer.told in (SECONDS, MILLISECONDS):
        value = told.amounts[answer.amount][1] if told.amounts else None
        if isinstance(value, int | float):
            since = at - round(value * (1e6 if answer.told == SECONDS else 1e3))
    opened = Memory({told.id: Known(_OTHER, "", since)})
    closed = Memory({}, {told.id: Known(_OTHER, _OTHER, at)})
    return [Memory(), opened, closed, Memory({told.id: Known(told.said, "", since)})]


def _number_of(told: list[tuple[Outcome, object]]) -> int:
    """Which of the values of all texts something is.

    :raises Unlearnable: where it is none.
    """
    for number, value in enumerate(told[0][0].values):
        is_text = isinstance(told[0][1], str)
        if value is not None and all(
            (mine := outcome.values[number]) is None
            or (mine == other if is_text else _is_number(mine, other))
            for outcome, other in told
        ):
            return number
    raise Unlearnable("what is no value of the object")


def _is_number(text: str, number: object) -> bool:
    try:
        return float(text) == number
    except ValueError:
        return False
