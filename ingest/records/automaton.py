"""Patterns of rules → an automaton that says of a text, byte by byte, whether any of them may take
it (pure).

It may say so of a text that none takes, never the other way round: a boundary is taken to be
everywhere, a character beyond ASCII to be any, many repeats to be any number of them.
"""

import importlib
import re
from collections.abc import Iterable
from typing import Any

PARSER: Any = importlib.import_module("re._parser")
_POSIX = re.compile(r"\[:\^?[a-z]+:\]|\{,|\\[QEpPzC]")  # what RE2 and Python read differently
_MOST_COPIES = 4  # of a part that is repeated a number of times: more are any number
_ALL = (1 << 256) - 1
_NEWLINE = 1 << 10
_CONTINUING = sum(1 << c for c in range(0x80, 0xC0))
_LEADING = sum(1 << c for c in range(0xC0, 0x100))
_ASCII = (1 << 128) - 1
_DIGITS = sum(1 << c for c in b"0123456789")
_SPACES = sum(1 << c for c in b"\t\n\v\f\r ")
_LETTERS = sum(1 << c for c in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WORD = _LETTERS | _DIGITS | 1 << 95
_POSITIVE = {"DIGIT": _DIGITS, "SPACE": _SPACES, "WORD": _WORD}
# other signs count as spaces in Python's patterns than in RE2's
_NEGATIVE = {"NOT_DIGIT": _DIGITS, "NOT_SPACE": _SPACES & ~(1 << 11), "NOT_WORD": _WORD}
_REPEATED = ("MAX_REPEAT", "MIN_REPEAT")
_FOLDED = (*b"ksKS",)  # letters that are also written by a character beyond ASCII
Nodes = frozenset[int]


class Unreadable(Exception):
    """A pattern that may mean something else here."""


class Automaton:
    """Nodes with edges that read a byte (a set of them, and the node behind), edges that read
    nothing, and those that hold at a text's end alone. In ``TAKEN`` a pattern has taken the text.
    """

    TAKEN = 0

    def __init__(self) -> None:
        self._later: dict[int, tuple[int, Any]] = {}  # bytes that a pattern begins with, and itself
        self._edges: list[list[tuple[int, int]]] = [[]]
        self._free: list[list[int]] = [[]]
        self._at_end: list[list[int]] = [[]]

    def beginning_of(self, pattern: str, behind: int = TAKEN, *, anywhere: bool = False) -> int:
        """The node at which a text that begins with a pattern is read; ``behind`` is that behind
        it. ``anywhere``: it may stand behind anything.

        :raises Unreadable: of a pattern that is not understood.
        """
        parts = parsed(pattern)
        first = self._sequence(parts, behind, bool(parts.state.flags & re.IGNORECASE))
        if anywhere:
            start = self._node()
            self._edges[start].append((_ALL, start))
            self._free[start].append(first)
            return start
        return first

    def later(self, pattern: str) -> int:
        """The node at which a text that begins with a pattern is read; what follows is made when a
        text has come that far. Of a pattern that is not understood, any text is taken.
        """
        start = self._node()
        try:
            parts = parsed(pattern)
            first = _first(parts, bool(parts.state.flags & re.IGNORECASE))
            if first is None:
                self._free[start].append(self.beginning_of(pattern))
            else:
                self._later[start] = first, pattern
        except Unreadable:
            self._free[start].append(self.TAKEN)
        return start

    def either(self, nodes: Iterable[int]) -> int:
        """A node from which any of these may be read on."""
        start = self._node()
        self._free[start] += nodes
        return start

    def _node(self) -> int:
        self._edges.append([])
        self._free.append([])
        self._at_end.append([])
        return len(self._edges) - 1

    # reading

    def closed(self, nodes: Iterable[int]) -> Nodes:
        """Nodes and those that are reached from them without reading."""
        found = set(nodes)
        waiting = list(found)
        while waiting:
            for node in self._free[waiting.pop()]:
                if node not in found:
                    found.add(node)
                    waiting.append(node)
        return frozenset(found)

    def behind(self, nodes: Nodes, byte: int) -> Nodes:
        """Where a byte leads."""
        for node in nodes:
            if node in self._later and self._later[node][0] >> byte & 1:
                self._make(node)
                nodes = self.closed(nodes)
        return self.closed(
            {to for node in nodes for mask, to in self._edges[node] if mask >> byte & 1}
        )

    def _make(self, node: int) -> None:
        """Make what stands behind a node that was to be made later."""
        _, pattern = self._later.pop(node)
        try:
            self._free[node].append(self.beginning_of(pattern))
        except Unreadable:
            self._edges[node].append((_ALL, self.TAKEN))

    def is_taken_at_end(self, nodes: Nodes) -> bool:
        """Whether a text that ends here is one that a pattern takes."""
        found, waiting = set(nodes), list(nodes)
        while waiting:
            node = waiting.pop()
            for to in (*self._free[node], *self._at_end[node]):
                if to not in found:
                    found.add(to)
                    waiting.append(to)
        return self.TAKEN in found

    # patterns, from their end to their beginning

    def _sequence(self, parts: Any, behind: int, folds: bool) -> int:
        for op, value in reversed(list(parts)):
            behind = self._part(str(op), value, behind, folds)
        return behind

    def _part(self, op: str, value: Any, behind: int, folds: bool) -> int:
        if op == "LITERAL":
            return self._character(value, behind, folds)
        if op == "NOT_LITERAL":
            return self._reads(_ASCII & ~_bit(value), behind, is_wide=True)
        if op == "ANY":
            return self._reads(_ASCII & ~_NEWLINE, behind, is_wide=True)
        if op == "IN":
            return self._class(value, behind, folds)
        if op == "BRANCH":
            return self.either([self._sequence(part, behind, folds) for part in value[1]])
        if op == "SUBPATTERN":
            _, added, removed, part = value
            folds = (folds or bool(added & re.IGNORECASE)) and not removed & re.IGNORECASE
            return self._sequence(part, behind, folds)
        if op in _REPEATED:
            return self._repeated(value, behind, folds)
        if op == "AT":
            return self._place(str(value), behind)
        raise Unreadable(op)

    def _place(self, place: str, behind: int) -> int:
        if place not in ("AT_END", "AT_END_STRING"):
            return behind
        start = self._node()
        self._at_end[start].append(behind)
        return start

    def _repeated(self, value: Any, behind: int, folds: bool) -> int:
        least, most, part = value
        if most == PARSER.MAXREPEAT or most > _MOST_COPIES:
            again = self._node()
            self._free[again] += [self._sequence(part, again, folds), behind]
            behind = again
        else:
            for _ in range(most - least):
                behind = self.either([self._sequence(part, behind, folds), behind])
        for _ in range(min(least, _MOST_COPIES)):
            behind = self._sequence(part, behind, folds)
        return behind

    def _character(self, code: int, behind: int, folds: bool) -> int:
        if code < 128:
            mask = _bit(code) | (_bit(ord(chr(code).swapcase())) if folds else 0)
            return self._reads(mask, behind, is_wide=folds and code in _FOLDED)
        if folds:
            return self._reads(_LETTERS, behind, is_wide=True)
        for byte in reversed(chr(code).encode("utf-8", "surrogatepass")):
            behind = self._reads(1 << byte, behind, is_wide=False)
        return behind

    def _class(self, items: Any, behind: int, folds: bool) -> int:
        mask, is_wide, is_negated = 0, False, False
        further: list[int] = []
        for op, value in items:
            kind = str(op)
            if kind == "NEGATE":
                is_negated = True
            elif kind == "LITERAL" and value < 128:
                mask |= _bit(value)
            elif kind == "LITERAL":
                further.append(value)
            elif kind == "RANGE":
                mask |= sum(_bit(c) for c in range(value[0], min(value[1], 127) + 1))
                is_wide = is_wide or value[1] > 127
            elif kind == "CATEGORY":
                name = str(value).removeprefix("CATEGORY_")
                is_wide = is_wide or name in _NEGATIVE
                mask |= _POSITIVE[name] if name in _POSITIVE else _ASCII & ~_NEGATIVE[name]
            else:
                raise Unreadable(kind)
        if folds:
            mask = _folded(mask)
        if is_negated:
            return self._reads(_ASCII & ~mask, behind, is_wide=True)
        is_wide = is_wide or (folds and (bool(further) or any(mask >> c & 1 for c in _FOLDED)))
        first = self._reads(mask, behind, is_wide=is_wide)
        others = [self._character(code, behind, folds) for code in further]
        return self.either([first, *others]) if others else first

    def _reads(self, mask: int, behind: int, *, is_wide: bool) -> int:
        """A node that reads one character: of these bytes, or any beyond ASCII."""
        start = self._node()
        self._edges[start].append((mask, behind))
        if is_wide:
            inside = self._node()
            self._edges[inside].append((_CONTINUING, inside))
            self._free[inside].append(behind)
            self._edges[start].append((_LEADING, inside))
        return start


def parsed(pattern: str) -> Any:
    """The parts of a pattern, as Python tells them.

    :raises Unreadable: of one that is not understood, or that RE2 may read otherwise.
    """
    if _POSIX.search(pattern) is not None:
        raise Unreadable(pattern)
    try:
        return PARSER.parse(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Unreadable(pattern) from error


def _first(parts: Any, folds: bool) -> int | None:
    """The bytes with which a text may begin that a pattern takes; None where that is not told."""
    found = 0
    for op, value in parts:
        mask, is_solid = _first_of(str(op), value, folds)
        if mask is None:
            return None
        found |= mask
        if is_solid:
            return found
    return None


def _first_of(op: str, value: Any, folds: bool) -> tuple[int | None, bool]:
    """The same of one part, and whether it is never empty."""
    if op == "LITERAL" and not folds:
        return 1 << chr(value).encode("utf-8", "surrogatepass")[0], True
    if op == "SUBPATTERN" and not value[1] and not value[2]:
        return _first(value[3], folds), True
    if op == "BRANCH":
        masks = [_first(part, folds) for part in value[1]]
        known = [mask for mask in masks if mask is not None]
        return (sum({1 << b for m in known for b in range(256) if m >> b & 1})
                if len(known) == len(masks) else None), True  # fmt: skip
    if op in _REPEATED:
        return _first(value[2], folds), value[0] > 0
    return None, True


def _bit(code: int) -> int:
    return 1 << code if code < 128 else 0


def _folded(mask: int) -> int:
    found = mask
    for code in range(65, 91):
        if mask >> code & 1 or mask >> (code | 32) & 1:
            found |= 1 << code | 1 << (code | 32)
    return found
