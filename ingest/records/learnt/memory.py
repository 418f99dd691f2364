"""What an instance remembers ↔ a state (its shape) and registers (its values); pure.

Two memories of one shape differ in ids, places, instants and logged values alone. A shape holds all
that the assembly decides by; where more would have to be known, there is none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ingest.compiled.line_values import MOST_REGISTERS
from ingest.records.learnt import symbols
from ingest.records.profile_rules import Value
from ingest.records.sequence.events import is_place
from ingest.records.sequence.state import BlockLine, Instance, Line, Request
from ingest.records.written import written

# kinds of registers; HIDDEN are instants, and offsets of access lines: a trial may not look at them
TEXT, NUMBER, WHOLE, PLACE, HIDDEN = "text", "number", "whole", "place", "hidden"
IN_NUMBERS = (WHOLE, HIDDEN)  # kept as numbers, the others as texts
Shape = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Memory:
    """A shape, the kinds of its registers, their values, and how many requests there have been."""

    shape: Shape
    kinds: tuple[str, ...]
    values: tuple[Any, ...]
    count: int


class _Taker:
    """Takes values out of a memory, in its order."""

    def __init__(self, is_place: Callable[[str], bool]) -> None:
        self.kinds: list[str] = []
        self.values: list[Any] = []
        self._is_place = is_place

    def put(self, kind: str, value: object) -> str:
        self.kinds.append(kind)
        self.values.append(value)
        return kind

    def whole(self, value: int | None) -> str | None:
        return None if value is None else self.put(WHOLE, value)

    def hidden(self, value: int | None) -> str | None:
        return None if value is None else self.put(HIDDEN, value)

    def id(self, value: str | None) -> str | None:
        if value is None:
            return None
        return self.put(PLACE if self._is_place(value) else TEXT, value)

    def line(self, line: Line | None) -> Shape | None:
        if line is None:
            return None
        places = self.whole(line.offset), self.whole(line.end), self.hidden(line.instant)
        return (*places, line.level, line.logger)

    def mapping(self, values: dict[str, Value]) -> Shape:
        return tuple((key, self._value(value)) for key, value in values.items())

    def _value(self, value: Value) -> Any:
        if isinstance(value, bool):
            return ("is", value)
        return self.put(TEXT if isinstance(value, str) else NUMBER, value)


def taken(instance: Instance, is_place: Callable[[str], bool] = is_place) -> Memory | None:
    """An instance's shape and values; None for one with a memory that no shape has."""
    if instance.torn or instance.failure or instance.early or instance.expects:
        return None
    if any(request.tag for request in instance.requests):
        return None
    records = instance.told, instance.ends, instance.several, instance.late
    if any(records) or instance.outers or instance.runs:  # they stand around the engine's lines
        return None
    if any(part.line.offset < 0 for part in instance.block):  # it stands in the file before
        return None
    take = _Taker(is_place)
    shape = (
        instance.opened,
        instance.wrapped,
        instance.block_profile,
        tuple(_request(take, instance, request) for request in instance.requests),
        tuple((b.rule, take.line(b.line), take.mapping(b.values)) for b in instance.block),
        tuple((take.id(id_), failed, late) for id_, failed, late in instance.awaiting),
        take.id(instance.ended),
        instance.server,
        instance.engine,
        instance.asked,
        tuple(take.put(HIDDEN, at) for at in instance.answers),
    )
    if len(take.kinds) > MOST_REGISTERS:
        return None
    return Memory(shape, tuple(take.kinds), tuple(take.values), instance.count)


def _request(take: _Taker, instance: Instance, request: Request) -> Shape:
    return (
        take.id(request.id), request.id_source, request.profile, request.rule,
        instance.count - request.number, take.hidden(request.instant), request.inner, request.seen,
        request.has_block, request.enough, request.uncertain, request.answered, request.bar_ms,
        request.before, take.mapping(request.values), take.line(request.last),
    )  # fmt: skip


def restored(shape: Shape, values: Sequence[Any], count: int) -> Instance:
    """The instance of a shape with these values, in the order in which they were taken."""
    opened, wrapped, block_profile, requests, block, awaiting, ended, *flags, answers = shape
    server, engine, asked = flags
    rest = iter(values)

    def one(kind: str | None) -> Any:
        return None if kind is None else next(rest)

    def line(parts: Shape | None) -> Line | None:
        if parts is None:
            return None
        offset, end, instant, level, logger = parts
        return Line(one(offset), one(end), None, "", level, logger, one(instant))

    def mapping(members: Shape) -> dict[str, Value]:
        return {key: kind[1] if isinstance(kind, tuple) else next(rest) for key, kind in members}

    def request(parts: Shape) -> Request:
        id_, source, profile, rule, ago, instant, *flags, values_, last = parts
        inner, seen, has_block, enough, uncertain, answered, bar_ms, before = flags
        return Request(
            one(id_), source, profile, rule, count - ago, one(instant), inner, seen, has_block,
            enough, uncertain, answered, bar_ms, mapping(values_), line(last), before=before,
        )  # fmt: skip

    def block_line(parts: Shape) -> BlockLine:
        rule, place, values_ = parts
        found = line(place)
        assert found is not None
        return BlockLine(rule, found, mapping(values_))

    return Instance(
        opened=opened,
        count=count,
        requests=[request(parts) for parts in requests],
        block=[block_line(parts) for parts in block],
        block_profile=block_profile,
        awaiting=[(one(id_), failed, late) for id_, failed, late in awaiting],
        ended=one(ended),
        wrapped=wrapped,
        server=server,
        engine=engine,
        asked=asked,
        answers=[one(kind) for kind in answers],
    )


def belongs_to(instance: Instance, name: str | None) -> None:
    """Give the lines that an instance remembers its name: shapes have none."""
    lines = [part.line for part in instance.block]
    lines += [request.last for request in instance.requests if request.last is not None]
    for line in lines:
        line.instance = name


def as_text(kind: str, value: Any) -> bytes:
    """A register's value as it is written."""
    text = value if kind in (TEXT, PLACE) else written(value)
    return str(text).encode("utf-8", "surrogatepass")


def from_text(kind: str, text: bytes) -> Value:
    """The value of what ``as_text`` gave."""
    if kind in (TEXT, PLACE):
        return text.decode("utf-8", "surrogatepass")
    return float(text) if b"." in text or b"e" in text or b"n" in text else int(text)


def symbol(kind: str, number: int) -> Any:
    """A symbol for a register."""
    slot = ("register", number)
    if kind == TEXT:
        return symbols.text(slot)
    if kind == HIDDEN:
        return symbols.instant(slot)
    return symbols.number(slot) if kind == NUMBER else None
