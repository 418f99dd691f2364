"""A figure for Prometheus: its name, what it says, and a value for each set of labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and its samples."""

    name: str
    help: str
    samples: Sequence[tuple[Labels, float]]
    kind: Literal["gauge", "counter", "summary"] = "gauge"
