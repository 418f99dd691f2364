"""What rules may see in a message, byte by byte: states and the steps between them, for compiled
code (pure).
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from ingest.compiled import texts
from ingest.records.automaton import Automaton, Nodes
from ingest.records.profile_rules import Rule
from ingest.records.vocabulary import PUBLIC_EVENTS

_MOST_STATES = 1024


class RuleSteps:
    """The states in which messages are read by all rules of these.

    ``steps`` int32[s, 256] are what a state's next bytes lead to: 0 is a state that no rule leaves,
    ``UNREAD`` a step to be read (``read_on``), ``MAYBE`` that a rule may take the message. ``last``
    uint8[s] are states in which a rule takes a message that ends there. ``nodes`` are where rules
    begin; ``behind_logger`` is where all do behind a logger's name, ``events`` where the format's
    own are looked for, wherever they stand.
    """

    def __init__(self, rules: Iterable[Rule], logger: str) -> None:
        self.automaton = Automaton()
        self.nodes = [(rule, self.automaton.later(rule.pattern)) for rule in rules]
        every = self.automaton.either([node for _, node in self.nodes])
        self.behind_logger = self.automaton.beginning_of(logger, every)
        self.events = self.automaton.beginning_of("|".join(PUBLIC_EVENTS), anywhere=True)
        self.steps: npt.NDArray[np.int32] = np.full((_MOST_STATES, 256), texts.UNREAD, np.int32)
        self.steps[0] = 0
        self.last: npt.NDArray[np.uint8] = np.zeros(_MOST_STATES, np.uint8)
        self._states: list[Nodes] = [frozenset()]
        self._numbers: dict[Nodes, int] = {frozenset(): 0}

    def state_of(self, nodes: Nodes) -> int:
        """The number of a state, ``MAYBE`` of one in which a rule takes the message, or of one too
        many.
        """
        number = self._numbers.get(nodes)
        if number is not None:
            return number
        if Automaton.TAKEN in nodes or len(self._states) >= _MOST_STATES:
            return texts.MAYBE
        number = self._numbers[nodes] = len(self._states)
        self._states.append(nodes)
        self.last[number] = self.automaton.is_taken_at_end(nodes)
        return number

    def read_on(self, state: int, byte: int) -> None:
        """Find out where a byte leads from a state."""
        self.steps[state, byte] = self.state_of(self.automaton.behind(self._states[state], byte))
