"""What is known of the lines in one kind of envelope, and where they write (pure)."""

from dataclasses import dataclass, field

import numpy as np

from ingest.compiled import learnt
from ingest.compiled.layout import PAIR_WIDTH
from ingest.compiled.learnt import Learnt
from ingest.records.claims import Claims
from ingest.records.learnt.asked import Asked, AskedLines
from ingest.records.learnt.memory import Shape
from ingest.records.learnt.objects import ObjectLines
from ingest.records.learnt.program import Constants
from ingest.records.learnt.templates import Template
from ingest.records.learnt.told import Kind
from ingest.records.learnt.trial import Setting, Whole
from ingest.records.sequence import Sequencer

MOST_LEARNT = 4000  # attempts to learn a line or what it does
MOST_COUNTED = 8192  # masks that came once, until they are forgotten
# records, pairs and bytes of text that are written until the general path takes them: what a chunk
# has of most logs
_ROWS, _PAIRS, _BYTES = 1 << 15, 1 << 17, 1 << 21


class Attempts:
    """How often a line of one file, or what it does, was to be learnt."""

    def __init__(self) -> None:
        self._made = 0

    @property
    def are_left(self) -> bool:
        """Whether there may be more."""
        return self._made < MOST_LEARNT

    def count(self) -> None:
        """Count one."""
        self._made += 1


@dataclass(slots=True)
class Chunk:
    """What one call reads: a chunk from file offset ``base`` on, and where its rows go.

    ``is_ascii``: of the file's text nothing is known but ASCII. With ``most`` records it is full.
    """

    data: memoryview
    base: int
    claims: Claims
    sequencer: Sequencer
    is_ascii: bool
    most: int


@dataclass(slots=True)
class State:
    shape: Shape
    kinds: tuple[str, ...]
    whole: Whole


class Room:
    """Where the lines of one kind of envelope write, chunk after chunk: the C library would keep in
    pieces what is asked for anew.
    """

    def __init__(self, width: int) -> None:
        self.rows = np.empty((_ROWS, width), np.int32)
        self.places = np.empty((_ROWS, learnt.PLACES), np.int64)
        self.pairs = np.empty((_PAIRS, PAIR_WIDTH), np.int32)
        self.out = np.empty(_BYTES, np.uint8)

    def hold(self, size: int) -> None:
        """Have room for so many bytes of text."""
        if len(self.out) < size:
            self.out = np.empty(2 * size, np.uint8)


@dataclass(slots=True)
class Mode:
    """What is known of lines in one kind of envelope."""

    setting: Setting
    engine: Learnt
    room: Room
    names: list[str | None] = field(default_factory=list)
    prefixes: list[bytes] = field(default_factory=list)
    templates: dict[int, Template | None] = field(
        default_factory=lambda: {learnt.BARS: None, learnt.PARTLY: None}
    )
    refused: set[int] = field(default_factory=set)
    counted: dict[int, int] = field(default_factory=dict)
    states: dict[tuple[Shape, Whole], int] = field(default_factory=dict)
    paths: tuple[str, ...] | None = None  # those learnt, by which paths are of the kinds known
    known: list[State] = field(default_factory=list)
    told: dict[Kind, int] = field(default_factory=dict)  # templates of kinds of lines, -1: seen
    seen: list[tuple[tuple[str, str], ...]] = field(default_factory=list)
    constants: Constants = field(default_factory=Constants)
    objects: ObjectLines | None = None
    asks: AskedLines | None = None
    asked: dict[int, Asked] = field(default_factory=dict)

    def is_due(self, mask: int, times: int) -> bool:
        """Whether a mask of this hash has come so many times that it is to be learnt now."""
        if mask in self.refused:
            return False
        if len(self.counted) >= MOST_COUNTED:
            self.counted.clear()
        count = self.counted[mask] = self.counted.get(mask, 0) + 1
        if count < times:
            return False
        self.refused.add(mask)  # it is not learnt a second time, whether or not it is now
        return True
