"""The automaton of all rules lets no text pass that a rule takes: RE2 says which do."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.compiled import texts
from ingest.records.automaton import Automaton, Nodes, Unreadable
from ingest.records.profile_rules import Anchor, compiled
from ingest.records.rule_steps import RuleSteps
from tests.properties.learnt import examples
from tests.support.shipped_profiles import shipped

_PROFILE = examples(150)
_RULES = shipped().rules
_SAMPLES = sorted({line for p in shipped().profiles for s in p.samples for line in s.lines})
_STEPS = RuleSteps(_RULES, "a\\.b ")
_PATTERNS = {rule.pattern: compiled(rule.pattern) for rule in _RULES}
_BEHIND = ("", "你好", "x", "7", " ", "'", '"', ": ", ".", "s", "\u212a", "é", "12.50")
# what RE2 reads by Unicode, by ASCII alone, or only at a place
_ODD = (
    "(?i:kill)s", "[^a-z]x", r"\w+é", r"\Stext\b", "(?:ab|c){2,9}d$", "a.c", "[:：]x?$", "x{0,70}y",
    r"(?i)[k-m]+$", "^ab$|c", r"[\d.]+\s?s", "你?好+", "a*?b", r"\D\W", "(?i:é)",
    "(?:a?|k)x", "(?:a|b?)c", "(?:)b", "(?i:a|b)c", "(?:a|你|(?:b|c)+)x*$", "(?:ab){0,2}c",
)  # fmt: skip


def _may_be_taken(automaton: Automaton, first: int, data: bytes) -> bool:
    nodes: Nodes = automaton.closed([first])
    for byte in data:
        if Automaton.TAKEN in nodes:
            return True
        nodes = automaton.behind(nodes, byte)
    return Automaton.TAKEN in nodes or automaton.is_taken_at_end(nodes)


def _is_taken(pattern: str, data: bytes) -> bool:
    regex = _PATTERNS.get(pattern) or compiled(pattern)
    return bool(regex.Match(Anchor.ANCHOR_START, data, 0, len(data))[0][0] >= 0)


@_PROFILE
@given(st.sampled_from(_SAMPLES), st.integers(0, 1 << 30))
def test_what_a_shipped_rule_takes_is_never_let_pass(line: str, seed: int) -> None:
    chance = random.Random(seed)
    at = chance.randrange(len(line) + 1)
    text = line[chance.choice((0, line.find(": ") + 2)) : at] + chance.choice(_BEHIND) + line[at:]
    for rule, first in _STEPS.nodes:
        if _is_taken(rule.pattern, text.encode()):
            assert _may_be_taken(_STEPS.automaton, first, text.encode()), rule.pattern


@_PROFILE
@given(st.sampled_from(_ODD), st.text(alphabet="abckKlmsx7. é你好\u212a\u017f:：", max_size=12))
@example("(?i:kill)s", "\u212aills")
@example("(?i:é)", "É")
def test_what_any_pattern_takes_is_never_let_pass(pattern: str, text: str) -> None:
    automaton = Automaton()
    if _is_taken(pattern, text.encode()):
        for first in (automaton.beginning_of(pattern), automaton.later(pattern)):
            assert _may_be_taken(automaton, first, text.encode())


@_PROFILE
@given(st.sampled_from(_SAMPLES), st.sampled_from(_BEHIND))
def test_steps_of_bytes_say_what_the_automaton_says(line: str, behind: str) -> None:
    data = (line + behind).encode()
    every = _STEPS.automaton.closed(node for _, node in _STEPS.nodes)
    state = _STEPS.state_of(every)
    for byte in data:
        if state < 0:
            break
        if _STEPS.steps[state, byte] == texts.UNREAD:
            _STEPS.read_on(state, byte)
        state = int(_STEPS.steps[state, byte])
    may = state < 0 or bool(_STEPS.last[state])
    assert may or not any(_is_taken(rule.pattern, data) for rule in _RULES)


@pytest.mark.parametrize("pattern", (r"[[:alpha:]]+", r"\pL", "a{,3}", r"(a)\1", "(?=x)y", "a++"))
def test_a_pattern_that_python_may_read_otherwise_is_not_read(pattern: str) -> None:
    automaton = Automaton()
    with pytest.raises(Unreadable):
        automaton.beginning_of(pattern)
    assert _may_be_taken(automaton, automaton.later(pattern), b"anything")


def test_an_event_is_seen_wherever_it_stands() -> None:
    data = "好 x synthesis_start".encode()
    assert _may_be_taken(_STEPS.automaton, _STEPS.events, data)
    assert not _may_be_taken(_STEPS.automaton, _STEPS.events, data[:-1])
