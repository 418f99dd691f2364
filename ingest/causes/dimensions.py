"""What requests may differ by before their end is known: the conditions of findings."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ingest.causes.columns import (
    UNKNOWN,
    YES,
    Attribute,
    Bools,
    Codes,
    Floats,
    Labels,
    Requests,
    Value,
)

TEXT, TEXT_LEN, CACHE_HIT, CONCURRENCY = "text", "text_len", "cache_hit", "concurrency"
PATH, CLIENT = "path", "client"  # of a request's access line
ATTRIBUTE = "attributes."
_MOST_VALUES = 100  # of a dimension; the most frequent ones
_MOST_DIFFERENT = 200  # values of an attribute: ids and sessions have more
_MOST_DISTINCT = 0.5  # values a row of an attribute: the same of a small log
_LENGTHS = 39  # bounds of the length
# shares of requests below each bound; where few texts lie, at the long end, bounds lie closer
_QUANTILES = np.concatenate(
    [np.linspace(0.04, 0.92, 24), 1 - np.geomspace(0.07, 0.0015, _LENGTHS - 24)]
)
_OF_SUCCESSES = 0.01  # a pair that fewer of the successes have is part of how a request failed


@dataclass(frozen=True, slots=True)
class Condition:
    """``name`` ``op`` ``value``; op is =, >= or <."""

    name: str
    op: str
    value: Value


@dataclass(frozen=True, slots=True)
class Dimension:
    """``codes`` int32[n] place each row among ``values``; where ``numbers`` are given, the values
    are bounds in rising order.

    A row of code c has values[c] <= number < values[c + 1]; -1: it has none.
    """

    name: str
    codes: Codes
    values: tuple[Value, ...]
    numbers: Floats | None = None
    below: bool = False

    def rows(self, condition: Condition) -> Bools:
        """Which rows meet a condition on this dimension."""
        if self.numbers is None:
            return np.asarray(self.codes == self.values.index(condition.value))
        bound = float(condition.value)
        if condition.op == "=":
            return np.asarray(self.numbers == bound)
        return np.asarray(self.numbers >= bound if condition.op == ">=" else self.numbers < bound)


def dimensions_of(requests: Requests) -> tuple[Dimension, ...]:
    """Everything that requests differ by."""
    found: list[Dimension | None] = [labelled_dimension(a.name, a.labels) for a in requests.plain]
    found.append(_yes_or_no(CACHE_HIT, requests.cache_hit))
    found += [labelled_dimension(ATTRIBUTE + a.name, a.labels) for a in _known_before(requests)]
    if len(requests.text.values):
        found.append(Dimension(TEXT, requests.text.codes, requests.text.values))
    found.append(_lengths(requests.text_len))
    found.append(_bounds(CONCURRENCY, requests.concurrency, below=False))
    return tuple(d for d in found if d is not None)


def _known_before(requests: Requests) -> Iterator[Attribute]:
    """Attributes that are no ids and not part of the outcome."""
    succeeded = requests.finished & ~requests.failed
    few = _OF_SUCCESSES * succeeded.sum()
    for attribute in requests.attributes:
        labels = attribute.labels
        present = labels.codes >= 0
        different = len(np.unique(labels.codes[present]))
        if different > _MOST_DIFFERENT or different > _MOST_DISTINCT * present.sum():
            continue
        if requests.failed.any() and (present & succeeded).sum() < few:
            continue
        yield attribute


def labelled_dimension(name: str, labels: Labels) -> Dimension | None:
    """The most frequent values; None where there is only one, and every row has it."""
    count = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels.values))
    kept = np.flatnonzero(count)
    if len(kept) > _MOST_VALUES:
        kept = np.sort(np.argsort(-count, kind="stable")[:_MOST_VALUES])
    if len(kept) < 2 and (not len(kept) or count[kept[0]] == len(labels.codes)):
        return None
    place = np.full(len(labels.values) + 1, -1, np.int32)
    place[kept] = np.arange(len(kept), dtype=np.int32)
    return Dimension(name, place[labels.codes], tuple(labels.values[i] for i in kept))


def _yes_or_no(name: str, column: Codes) -> Dimension | None:
    codes = np.where(column == UNKNOWN, -1, column == YES).astype(np.int32)
    return labelled_dimension(name, Labels(codes, (False, True)))


def _lengths(numbers: Floats) -> Dimension | None:
    return _bounds(TEXT_LEN, numbers, below=True)


def _bounds(name: str, numbers: Floats, below: bool) -> Dimension | None:
    known = numbers[~np.isnan(numbers)]
    if not len(known):
        return None
    different = np.unique(known)
    if len(different) > _LENGTHS:
        different = np.unique(
            np.concatenate([different[:1], np.quantile(known, _QUANTILES, method="inverted_cdf")])
        )
    if len(different) < 2:
        return None
    codes = np.searchsorted(different, numbers, side="right").astype(np.int32) - 1
    codes[np.isnan(numbers)] = -1
    values = tuple(int(v) if float(v).is_integer() else float(v) for v in different)
    return Dimension(name, codes, values, numbers, below)


def round_bound(low: float, high: float) -> int:
    """The roundest whole number in (``low``, ``high``]: a power of two, else most zeros."""
    least, most = int(np.floor(low)) + 1, int(np.floor(high))
    if least >= most:
        return most
    power = 1 << (most.bit_length() - 1)
    if power >= max(least, 64):
        return power
    for step in (10**e * f for e in range(6, -1, -1) for f in (10, 5, 2, 1)):
        found = most // step * step
        if found >= least:
            return int(found)
    return most
