"""Effects → the programs that compiled code runs (:mod:`ingest.compiled.learnt`); pure."""

from dataclasses import dataclass, field

import numpy as np

from ingest.compiled import learnt, line_values
from ingest.records.arrays import I32
from ingest.records.learnt.symbols import Slot, Unlearnable
from ingest.records.learnt.trial import Effect, Written
from ingest.records.vocabulary import EVENTS, KEYS, PUBLIC_KEYS

_CODES = {key: code for code, key in enumerate(KEYS)}
_PUBLIC = {key: _CODES[key] for key in PUBLIC_KEYS}
_EVENT_CODES = {name: code for code, name in enumerate(EVENTS)}
_OWN = {
    "offset": line_values.OFFSET,
    "end": line_values.END,
    "instant": line_values.INSTANT,
    "name": line_values.NAME,
    "near": line_values.NEAR,
}


@dataclass(slots=True)
class Constants:
    """Texts that programs name by number, and keys of pairs, in the order in which they came."""

    texts: dict[bytes, int] = field(default_factory=dict)
    keys: dict[str, int] = field(default_factory=dict)

    def text(self, text: bytes) -> int:
        return self.texts.setdefault(text, len(self.texts))

    def key(self, key: str) -> int:
        return self.keys.setdefault(key, len(self.keys))

    def laid_out(self) -> tuple[bytes, I32]:
        """All texts behind each other, and the spans int32[2n] at which they stand."""
        parts, at = [b"\n"], 1
        spans: list[int] = []
        for text in self.texts:
            parts += [text, b"\n"]
            spans += [at, at + len(text)]
            at += len(text) + 1
        return b"".join(parts), np.array(spans or [0, 0], np.int32)


@dataclass(slots=True)
class _Compiler:
    constants: Constants
    values: list[int] = field(default_factory=list)
    numbered: dict[Slot, int] = field(default_factory=dict)

    def slot(self, slot: Slot) -> int:
        """The number of a slot; a value is taken from the line once."""
        if slot[0] == "register":
            number: int = slot[1]
            return number
        if slot[0] in _OWN:
            return _OWN[slot[0]]
        found = self.numbered.get(slot)
        if found is None:
            found = self.numbered[slot] = line_values.VALUES + len(self.numbered)
            if len(self.numbered) > line_values.MOST_VALUES:
                raise Unlearnable("too many values")
            self.values += self._value(slot)
        return found

    def _value(self, slot: Slot) -> list[int]:
        if slot[0] == "text":
            (first, behind), (last, to) = slot[1:]
            return [line_values.TEXT, first, behind, last, to, 0]
        if slot[0] == "number":
            return [line_values.NUMBER, *slot[1:], 0, 0]
        if slot[0] == "member":
            return [line_values.MEMBER, slot[1], 0, 0, 0, 0]
        if slot[0] == "told":
            return [line_values.TOLD, slot[1], 0, 0, 0, 0]
        if slot[0] == "rounded":
            return [line_values.ROUNDED, *slot[1:], 0, 0, 0]
        if slot[0] == "between":
            places = [self.slot(each) for each in slot[1:] if each[0] in ("register", *_OWN)]
            if len(places) != 2:
                raise Unlearnable("a time between what no line says")
            return [line_values.BETWEEN, *places, 0, 0, 0]
        if slot[0] == "id":
            return [line_values.ID, 0, 0, 0, 0, 0]
        if slot[0] == "constant":
            return [line_values.CONSTANT, self.constants.text(slot[1]), 0, 0, 0, 0]
        raise Unlearnable(f"no way to take {slot[0]}")

    def record(self, record: Written) -> list[int]:
        pairs: list[int] = []
        for named, codes in ((record.pairs, _CODES), (record.logged, _PUBLIC)):
            for key, slot in named:
                pairs += [self.constants.key(key), codes.get(key, -1), self.slot(slot)]
        offset, end, instant = (self.slot(slot) for slot in record.place)
        return [
            self.constants.text(record.event.encode()), _EVENT_CODES.get(record.event, -1),
            record.level | record.is_dated * learnt.DATED | record.has_pairs * learnt.OWN_PAIRS,
            offset, end, instant,
            self.constants.text(record.logger) if record.logger else -1,
            len(pairs) // 3,
            self._message(record),
            *pairs,
        ]  # fmt: skip

    def _message(self, record: Written) -> int:
        """The number of a constant, or -2 and less for a slot; -1 without a message."""
        if record.said is not None:
            return -2 - self.slot(record.said)
        return self.constants.text(record.message) if record.message else -1


def program(
    effect: Effect, constants: Constants, *, number: int, state: int, registers: int
) -> list[int]:
    """The program of an effect: the ``number``-th, which leads to ``state`` from one of so many
    registers.

    :raises Unlearnable: where a program cannot say it.
    """
    compiler = _Compiler(constants)
    records: list[int] = []
    for record in effect.records:
        records += compiler.record(record)
    moves = [compiler.slot(slot) for slot in effect.registers]
    pairs = sum(len(record.pairs) + len(record.logged) for record in effect.records)
    return [
        state, effect.kind, effect.more, len(compiler.numbered), len(effect.records), pairs,
        number << 8 | len(moves), registers, *compiler.values, *records, *moves,
    ]  # fmt: skip
