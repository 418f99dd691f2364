"""Lines that nothing claims, by their shapes: numbers and quoted texts masked, each with its count
(pure).
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Protocol

from ingest.lazily import matcher

MOST = 1_000  # shapes that are counted; beyond it the rare half is forgotten
LONGEST = 160  # bytes of a line that a shape is made of
_QUOTED = matcher(r'"[^"]*"?|\'[^\']*\'')
_NUMBER = matcher(r"0x[0-9a-fA-F]+|\b[0-9a-f]{8,}\b|\d+(?:[.,:/-]\d+)*")


class Unclaimed(Protocol):
    """What is to be told of each line that nothing claims."""

    def add(self, line: bytes) -> None:
        """Take a line's message."""


@dataclass(slots=True)
class Shapes:
    """How often each shape of line came, in bounded memory."""

    counts: Counter[str] = field(default_factory=Counter)

    def add(self, line: bytes) -> None:
        """Count a line; blank ones have no shape."""
        text = line[:LONGEST].decode("utf-8", "replace").strip()
        if not text:
            return
        self.counts[shape_of(text)] += 1
        if len(self.counts) > MOST:
            self.counts = Counter(dict(self.counts.most_common(MOST // 2)))


def shape_of(text: str) -> str:
    """A line with ``…`` for every quoted text and ``#`` for every number."""
    return _NUMBER.sub("#", _QUOTED.sub("'…'", text))
