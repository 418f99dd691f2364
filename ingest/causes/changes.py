"""What differs between two spans of a window, right or wrong: rates, times, who asks for what."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ingest.causes.answers import dimensions_of_answers, events_of_answers
from ingest.causes.columns import Bools, Floats, Observed, Rows
from ingest.causes.dimensions import Condition, Dimension, dimensions_of
from ingest.causes.judge import wilson
from ingest.causes.scan import gain
from ingest.causes.symptoms import Event, events_of

RATE, TIME, SHARE, LENGTH = "rate", "time", "share", "text_len"
_LEAST_NET = 8.0  # nats, as for a finding
_TIMES = 1.3  # what a rate or a share must change by
_LONGER, _DEVIATIONS = 1.1, 4.0  # what a time must change by: as a factor, and beside its spread
_LEAST_ROWS = 20  # of a span
_OF_MEDIAN = 1.57  # the variance of a median beside that of a mean


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different. ``before`` and ``after`` are rates or shares (0 to 1),
    milliseconds, or characters.

    ``what`` is rate, time, share or text_len. ``ratio`` of a time is that for texts of the same
    length. ``net`` is in nats: how sure it is.
    """

    what: str
    symptom: str | None
    name: str | None
    condition: Condition | None
    before: float
    after: float
    ratio: float | None
    net: float


@dataclass(frozen=True, slots=True)
class Compared:
    """How many requests two spans have, and what differs, surest first; ``enough`` to tell."""

    before: float
    after: float
    enough: bool
    changes: tuple[Change, ...]


def compared(
    observed: Observed, before: tuple[float, float], after: tuple[float, float]
) -> Compared:
    """What is different between two spans, each from an instant to another, the latter excluded."""
    requests, answers = observed.requests, observed.answers
    spans = [_within(requests, s) for s in (before, after)]
    counts = [float(requests.weight[s].sum()) for s in spans]
    lines = [_within(answers, s) for s in (before, after)]
    found: list[Change] = []
    if min(s.sum() for s in spans) >= _LEAST_ROWS:
        dimensions = dimensions_of(requests)
        found += _of_rows(requests, dimensions, events_of(observed, dimensions), spans)
        found += _lengths(requests.text_len, spans)
    if min(s.sum() for s in lines) >= _LEAST_ROWS:
        kinds = dimensions_of_answers(answers)
        found += _of_rows(answers, (), events_of_answers(observed, kinds), lines)
    enough = min(s.sum() for s in (*spans,)) >= _LEAST_ROWS
    enough = enough or min(s.sum() for s in (*lines,)) >= _LEAST_ROWS
    return Compared(counts[0], counts[1], enough, tuple(sorted(found, key=lambda c: -c.net)))


def _within(rows: Rows, span: tuple[float, float]) -> Bools:
    return np.asarray(rows.dated & (rows.at >= span[0]) & (rows.at < span[1]))


def _of_rows(
    rows: Rows, dimensions: tuple[Dimension, ...], events: list[Event], spans: list[Bools]
) -> Iterator[Change]:
    for event in events:
        found = None
        if event.own_ms is not None and event.excess is not None:
            found = _time(event, event.own_ms, event.excess, spans)
        # where some are slow and most are not, the medians are the same
        found = found or _rate(rows, event, spans, math.log(max(len(events), 1)))
        if found is not None:
            yield found
    for dimension in dimensions:
        if dimension.numbers is None:
            yield from _shares(rows, dimension, spans)


def _rate(rows: Rows, event: Event, spans: list[Bools], cost: float) -> Change | None:
    weight = rows.weight if event.weighted else np.ones(len(rows))
    k = [float(weight[s & event.affected].sum()) for s in spans]
    n = [float(weight[s & event.population].sum()) for s in spans]
    net = _net(k, n) - cost
    if net < _LEAST_NET:
        return None
    rates = k[0] / n[0], k[1] / n[1]
    name = event.code or event.stage
    return Change(RATE, event.symptom, name, None, *rates, _ratio(*rates), net)


def _shares(rows: Rows, dimension: Dimension, spans: list[Bools]) -> Iterator[Change]:
    """Values of a dimension that are asked for more often, or less."""
    known = dimension.codes >= 0
    n = [float(rows.weight[s & known].sum()) for s in spans]
    size = len(dimension.values)
    k = [np.bincount(dimension.codes[s & known], rows.weight[s & known], size) for s in spans]
    cost = math.log(size)
    for place, value in enumerate(dimension.values):
        counts = [float(k[0][place]), float(k[1][place])]
        net = _net(counts, n) - cost
        if net < _LEAST_NET:
            continue
        shares = counts[0] / n[0], counts[1] / n[1]
        condition = Condition(dimension.name, "=", value)
        yield Change(SHARE, None, None, condition, *shares, _ratio(*shares), net)


def _net(k: list[float], n: list[float]) -> float:
    """Nats by which two rates tell more than one; 0 where they are as good as equal."""
    if min(n) <= 0 or not sum(k):
        return 0.0
    low, high = sorted((0, 1), key=lambda i: k[i] / n[i])
    # the lower end of the higher rate beside the upper end of the lower one would be too strict:
    # the middle of one will do
    if (
        wilson(k[high], n[high])[0] < k[low] / n[low]
        or k[high] / n[high] < _TIMES * k[low] / n[low]
    ):
        return 0.0
    return float(gain(np.asarray(k[high]), np.asarray(n[high]), sum(k), sum(n)))


def _ratio(before: float, after: float) -> float | None:
    return after / before if before > 0 else None


def _time(event: Event, taken: Floats, excess: Floats, spans: list[Bools]) -> Change | None:
    parts = [s & event.population for s in spans]
    if min(p.sum() for p in parts) < _LEAST_ROWS:
        return None
    apart, net = _apart([excess[p] for p in parts])
    if not net:
        return None
    medians = [float(np.median(taken[p])) for p in parts]
    return Change(
        TIME, event.symptom, event.stage, None, medians[0], medians[1], math.exp(apart), net
    )


def _lengths(lengths: Floats, spans: list[Bools]) -> Iterator[Change]:
    parts = [lengths[s & ~np.isnan(lengths)] for s in spans]
    if min(map(len, parts)) < _LEAST_ROWS:
        return
    _, net = _apart([np.log1p(p) for p in parts])
    if net:
        medians = [float(np.median(p)) for p in parts]
        yield Change(LENGTH, None, None, None, medians[0], medians[1], _ratio(*medians), net)


def _apart(parts: list[Floats]) -> tuple[float, float]:
    """How far the second median is above the first, and how surely, in nats; else 0."""
    middle = [float(np.median(p)) for p in parts]
    spread = [1.4826 * float(np.median(np.abs(p - m))) for p, m in zip(parts, middle, strict=True)]
    error = math.sqrt(
        sum(_OF_MEDIAN * max(s, 1e-3) ** 2 / len(p) for s, p in zip(spread, parts, strict=True))
    )
    apart = middle[1] - middle[0]
    if abs(apart) < math.log(_LONGER) or abs(apart) < _DEVIATIONS * error:
        return apart, 0.0
    return apart, (apart / error) ** 2 / 2
