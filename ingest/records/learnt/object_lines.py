"""JSON objects among the lines of one file: learns those that come again, and answers for those
that tell of a request (pure).
"""

from ingest.compiled import envelopes, learnt
from ingest.records.learnt.asked import STAMPS, Answer, Asked, AskedLines, Program
from ingest.records.learnt.modes import Attempts, Chunk, Mode
from ingest.records.learnt.object_keys import kind_of_key
from ingest.records.learnt.objects import ObjectLines
from ingest.records.learnt.program import program
from ingest.records.learnt.symbols import Unlearnable
from ingest.records.logical import Reader
from ingest.records.profile_rules import tidy
from ingest.records.sequence import Line
from ingest.records.vocabulary import COMPLETE, EVENTS, FAILED, START
from ingest.records.written import written

TIMES = 8  # that an object's mask has come: there are many kinds in a log
_START = EVENTS[START]
_ENDS = (EVENTS[COMPLETE], EVENTS[FAILED])  # by which an object ends a request


def learn_key(mode: Mode) -> bool:
    """Know what the values of a key are that has come for the first time."""
    objects, masker = mode.engine.objects, mode.engine.masker
    name = objects.key(masker)
    return name is not None and objects.know(masker, kind_of_key(name.decode()))


def learn_object(mode: Mode, text: bytes, reader: Reader, attempts: Attempts) -> bool:
    """Learn what an object does that has come so often; whether it is known now."""
    engine = mode.engine
    masked = engine.objects.of(engine.masker, text)
    if masked is None or not attempts.are_left:
        return False
    if not mode.is_due(engine.masker.hash, TIMES):
        return False
    attempts.count()
    if mode.objects is None or mode.asks is None:
        mode.objects = ObjectLines(reader, mode.setting)
        mode.asks = AskedLines(mode.objects, mode.setting.profiles.is_synthesis)
    asked: Asked | None = None
    try:
        if mode.objects.is_asked(text):
            asked = mode.asks.of(text)
            made, moment = [0] * learnt.HEADER, asked.moment
        else:
            effect, moment = mode.objects.of(text)
            made = program(effect, mode.constants, number=0, state=0, registers=0)
    except Unlearnable:
        return False
    engine.objects.of(engine.masker, text)
    template = engine.add_template(masked[0], [0, envelopes.LONGEST] * len(masked[1]))
    if template < 0:
        return False
    mode.templates[template] = None
    engine.moments[template] = moment
    if asked is not None:
        mode.asked[template], engine.asks[template] = asked, 1
    return bool(engine.add_program(-1, template, made))


class Answers:
    """Answers for the objects of one run that tell of a request."""

    def __init__(self, mode: Mode, chunk: Chunk, attempts: Attempts) -> None:
        self._mode, self._engine, self._chunk = mode, mode.engine, chunk
        self._attempts = attempts
        self._alone: dict[int, bool] = {}  # by instance: no other line of these is taken meanwhile
        self.has_learnt = False

    def of(self, at: int) -> int:
        """Where a run goes on behind the object at a place: there again if there is no room, or if
        an answer was learnt; -1 where the general path has to take it.
        """
        engine, told = self._engine, self._chunk.claims.told
        asked = self._mode.asked[engine.template]
        id_ = engine.objects.written(engine.masker, asked.id)
        if id_ is None or not self._is_alone(engine.instance):
            return -1
        instant = self._instant()
        if instant is None and (engine.masker.dated or engine.stamped):
            return -1
        name = id_.decode()
        found = asked.answer(name, instant, told, self._value)
        if found is None:
            return -1
        answer, between = found
        made = asked.programs.get(answer)
        if made is None:
            return at if self._learn(asked, answer) else -1
        written_ = answer.told == STAMPS and between is not None
        text = written(tidy(between)).encode() if written_ and between is not None else b""
        offset, size = self._chunk.base + at, engine.size
        if not engine.go_on(made.place, offset, text):
            return -1  # if it is full, the run goes on from here
        asked.remember(answer.does, name, instant, told)
        if made.event == _START or made.event in _ENDS:
            instance = self._mode.names[engine.instance]
            self._tell(made, Line(offset, offset + size, instance, "", 0, None, instant), name)
        return at + size

    def _tell(self, made: Program, line: Line, id_: str) -> None:
        """Tell the sequencer of an object that begins or ends a request."""
        if made.event == _START:
            self._chunk.sequencer.begun(line, id_)
        elif id_ not in self._chunk.claims.told.opened:
            self._chunk.sequencer.ended(line, id_, None, failed=made.has_failed)

    def _is_alone(self, instance: int) -> bool:
        """Whether an instance has nothing but objects."""
        if self._engine.state[instance] >= 0:
            return False
        found = self._alone.get(instance)
        if found is None:
            name = self._mode.names[instance]
            found = self._alone[instance] = self._chunk.sequencer.is_alone(name)
        return found

    def _learn(self, asked: Asked, answer: Answer) -> bool:
        """Learn how objects are written that have an answer; whether that is known now."""
        mode = self._mode
        if answer in asked.programs or not self._attempts.are_left or mode.asks is None:
            return False
        asked.programs[answer] = None
        self._attempts.count()
        try:
            effect = mode.asks.effect(asked, answer)
            made = program(effect, mode.constants, number=0, state=0, registers=0)
        except Unlearnable:
            return False
        place = mode.engine.keep_program(made)
        if place < 0:
            return False
        event = effect.records[0].event if effect.records else ""
        has_failed = event == EVENTS[FAILED] or any(
            ("status", ("constant", b"failed")) in record.pairs for record in effect.records
        )
        asked.programs[answer] = Program(place, event, has_failed)
        self.has_learnt = True
        return True

    def _instant(self) -> int | None:
        """The instant of the object at hand, None where none is known."""
        engine, masker = self._engine, self._engine.masker
        if engine.stamped:
            return int(masker.instant)
        if not masker.dated or not engine.may_date:
            return None
        if masker.zoned:
            return int(masker.instant)
        return masker.local - engine.offset if engine.low <= masker.local < engine.high else None

    def _value(self, number: int) -> str | None:
        """A value of the object at hand."""
        found = self._engine.objects.written(self._engine.masker, number)
        return None if found is None else found.decode()
