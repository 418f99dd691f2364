"""Heads: beginnings of lines behind which a text of plain words stands, up to the line's end, that
no rule can take otherwise than a rule takes all such texts (pure).

A text of letters, digits and the signs of sentences begins no envelope, header, pair, quote, access
line, progress bar or traceback (:mod:`ingest.records.learnt.plain`). What rules may see in it is
told by an automaton of all their patterns, which compiled code asks byte by byte: of a text that
one of them may take, no such mask is made.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from ingest.compiled import masks, texts
from ingest.compiled.masks import Masker
from ingest.records.arrays import view
from ingest.records.automaton import PARSER, Automaton, Nodes, Unreadable, parsed
from ingest.records.learnt.plain import IS_PLAIN, LEAST
from ingest.records.learnt.templates import Seen
from ingest.records.profiles import FIRST_PART, LOGGER, Match, Profiles, behind_prefixes
from ingest.records.rule_steps import RuleSteps

# times that a head has come, and the first of a run: what rules may see costs 40 ms to be made
_OFTEN, _OFTEN_FIRST = 32, 256
_MOST_TRIED, _MOST_COUNTED = 64, 1024
_LONGEST = 2048  # bytes of a line
_SIGNS = re.compile(rb"[\x00-\x1f\"#$%&()*+/:;<=>@[\\\]^`{|}~\x7f]")
_FIRST = re.compile(rb"[^\w'\x80-\xff]*")
_OPENS_NO_TEXT = re.compile(rb"[=\t{\\\x1b]")  # of what holds these, other things may be read
_LOGGER = re.compile(LOGGER.encode())


class Heads:
    """The heads of one file's lines, for all that make masks of them."""

    def __init__(self, profiles: Profiles) -> None:
        self._profiles = profiles
        self._counted: dict[bytes, int] = {}
        self._tried = 0
        self._masks: list[bytes] = []
        self._roots: list[int] = []
        self._told: list[Callable[[], None]] = []
        self._masker = Masker(0)

    @property
    def _steps(self) -> RuleSteps:
        return self._profiles.read_by_steps

    def tell(self, masker: Masker) -> None:
        """Let a masker know all heads, now and later."""

        def know() -> None:
            steps = self._steps
            masker.know_heads(
                self._masks, self._roots, view(steps.steps), view(steps.last), steps.read_on
            )

        self._told.append(know)
        if self._masks:
            know()

    def learn(self, seen: Seen) -> bool:
        """Count the head that a line may have; whether it has become a known one."""
        end = _text_in(seen)
        if end < max(seen.at, LEAST) or self._tried >= _MOST_TRIED:
            return False
        masked = self._masker.of(seen.text[:end])
        if masked is None or not self._is_due(masked[0]):
            return False
        self._tried += 1
        try:
            root = self._root(seen, end, masked[1])
        except Unreadable:
            return False
        if root == texts.MAYBE or len(self._masks) >= texts.MOST_HEADS:
            return False
        self._masks.append(masked[0])
        self._roots.append(root)
        for know in self._told:
            know()
        return True

    def _is_due(self, mask: bytes) -> bool:
        if len(mask) > texts.LONGEST_HEAD or mask in self._masks:
            return False
        if len(self._counted) >= _MOST_COUNTED:
            self._counted.clear()
        count = self._counted[mask] = self._counted.get(mask, 0) + 1
        is_made = "read_by_steps" in vars(self._profiles)
        return count == (_OFTEN if is_made else _OFTEN_FIRST)

    # the automaton

    def _root(self, seen: Seen, end: int, spans: list[tuple[int, int]]) -> int:
        """The state behind a line's head, which ends at a place and has numbers at these spans.

        :raises Unreadable: where that depends on more than the head.
        """
        begun, nodes, at = self._begun(seen), Nodes(), seen.at
        for (start, stop), mark in zip(spans, self._masker.marked(), strict=True):
            if stop <= seen.at:
                continue
            if start < at or any(start < place < stop for place in begun):
                raise Unreadable("a place in a number")
            nodes = self._behind(nodes, seen.text, at, start, begun)
            nodes = self._behind_number(self._joined(nodes, begun.get(start, ())), mark)
            at = stop
        nodes = self._behind(nodes, seen.text, at, end, begun)
        return self._steps.state_of(self._joined(nodes, begun.get(end, ())))

    def _joined(self, nodes: Nodes, more: Iterable[int]) -> Nodes:
        if Automaton.TAKEN in nodes:
            raise Unreadable("a rule takes the head itself")
        return self._steps.automaton.closed({*nodes, *more}) if more else nodes

    def _behind(
        self, nodes: Nodes, text: bytes, at: int, end: int, begun: dict[int, list[int]]
    ) -> Nodes:
        for place in range(at, end):
            nodes = self._joined(nodes, begun.get(place, ()))
            nodes = self._steps.automaton.behind(nodes, text[place])
        return nodes

    def _behind_number(self, nodes: Nodes, mark: int) -> Nodes:
        """Where any number leads."""
        if mark not in (masks.INT, masks.DECIMAL):
            raise Unreadable("a part that is no number")
        found: set[int] = set()
        read = b"0123456789" if mark == masks.INT else b"0123456789."
        while True:
            behind = {n for byte in read for n in self._steps.automaton.behind(nodes, byte)}
            if behind <= found:
                return frozenset(found)
            found |= behind
            nodes = frozenset(found)

    def _begun(self, seen: Seen) -> dict[int, list[int]]:
        """The nodes at which rules are begun, by the places of the text at which they are; but for
        those that take the line.
        """
        steps, matches = self._steps, seen.matches
        every = [node for _, node in steps.nodes]
        begun = {seen.at: [steps.events]}
        places = _places(seen.message)
        if matches:
            taking = [match.rule for match in matches]
            others = [node for rule, node in steps.nodes if rule not in taking]
            begun.setdefault(seen.at + matches[0].start, []).extend(others)
            places = [place for place in places if place < matches[0].start]
        else:
            begun[seen.at].append(steps.behind_logger)
        for place in places:
            begun.setdefault(seen.at + place, []).extend(every)
        return begun


def _places(message: bytes) -> list[int]:
    """Places of a message at which rules are tried."""
    named = _LOGGER.match(message)
    logger = [] if named is None else [named.end()]
    return [0, *logger, *behind_prefixes(message[:FIRST_PART].partition(b"=")[0])]


def _text_in(seen: Seen) -> int:
    """Where the text begins with which a line ends, -1 where it has none that is plain."""
    text = seen.text
    if len(text) > _LONGEST or seen.access is not None:
        return -1
    if seen.matches:
        at = _text_of_rules(seen)
    else:
        back = _SIGNS.search(text[::-1])
        at = len(text) - (back.start() if back is not None else len(text))
        found = _FIRST.match(text, at)
        at = found.end() if found is not None else at
    if at < 0 or IS_PLAIN.fullmatch(text, at) is None or _OPENS_NO_TEXT.search(text[:at]):
        return -1
    return at


def _text_of_rules(seen: Seen) -> int:
    """Where the text begins that all rules that take a line take up to its end, whatever it is; -1
    where one of them does not.
    """
    found = {_text_of(match) for match in seen.matches}
    place = found.pop()
    return -1 if found or place < 0 else seen.at + place


def _text_of(match: Match) -> int:
    """Where the text stands that a rule takes up to the end, whatever it is; -1 without any."""
    rule = match.rule
    named = (c for c in rule.columns if c.kind == "text" and _is_last(rule.pattern, c.group))
    column = next(named, None)
    if column is None:
        return -1
    start, end = match.spans[column.group]
    return start if end == len(match.data) else -1


@lru_cache(maxsize=1024)
def _is_last(pattern: str, group: int) -> bool:
    """Whether a pattern is a fixed beginning, and a group of anything up to the end."""
    try:
        parts = [(str(op), value) for op, value in parsed(pattern)]
    except Unreadable:
        return False
    if len(parts) < 2:
        return False
    *before, last, end = parts
    if last[0] != "SUBPATTERN" or last[1][0] != group or end != ("AT", PARSER.AT_END):
        return False
    inside = [(str(op), value) for op, value in last[1][3]]
    return (
        len(inside) == 1
        and inside[0][0] == "MAX_REPEAT"
        and inside[0][1][1] == PARSER.MAXREPEAT
        and [str(op) for op, _ in inside[0][1][2]] == ["ANY"]
        and all(_is_fixed(str(op), value) for op, value in before)
    )


def _is_fixed(op: str, value: Any) -> bool:
    """Whether a part of a pattern takes the same of a head whatever text stands behind that."""
    if op in ("LITERAL", "IN", "AT"):
        return True
    if op == "SUBPATTERN":
        return all(_is_fixed(str(op), inner) for op, inner in value[3])
    if op == "BRANCH":
        return all(_is_fixed(str(op), inner) for branch in value[1] for op, inner in branch)
    if op != "MAX_REPEAT":
        return False
    _, most, inside = value
    return all(_is_fixed(str(op), inner) and (most == 1 or _ends_before_words(str(op), inner))
               for op, inner in inside)  # fmt: skip


def _ends_before_words(op: str, value: Any) -> bool:
    """Whether a part that is repeated takes no word: spaces, digits, one sign."""
    if op == "LITERAL":
        return not chr(value).isalnum()
    return all(str(kind) == "CATEGORY" and str(which).endswith(("_DIGIT", "_SPACE"))
               and "NOT" not in str(which) for kind, which in value)  # fmt: skip
