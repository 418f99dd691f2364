"""Events that recur, say every ten minutes (Rayleigh's test for a period, then an arc of it)."""

import math

import numpy as np

from ingest.causes.columns import Bools, Floats, Ints
from ingest.causes.explain import Search
from ingest.causes.scan import gain
from ingest.causes.symptoms import FAILURES, LATENCY, UNFINISHED, Event
from ingest.lazily import dataclass

_SYMPTOMS = frozenset((FAILURES, LATENCY, UNFINISHED))
_LEAST_EVENTS = 12
_EVENTS = 600
_FREQUENCIES = 1600
_STRONGEST = 6
_TIMES = (2, 3, 4, 5)  # of a period: the one whose harmonic it is
_BESIDE, _FINER = 5, 5  # periods beside the best on both sides, and how much closer then
_USUAL_S = tuple(60.0 * m for m in (1, 2, 3, 5, 10, 15, 20, 30, 60))
_PHASES, _MOST_PHASES = 30, 10  # of a period; the widest arc that is one
_WIDTHS = (1, 2, 3, 4, 5, 7, 10)
_LEAST_CYCLES = 4
_TIMES_OUTSIDE = 3.0
_LEAST_PERIOD_S = 20.0


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The period in seconds, the rows inside its arc, and the counts of a scan."""

    period_s: float
    rows: Bools
    k: float
    n: float
    k_all: float
    n_all: float
    net: float
    cost: float


def rhythm_of(search: Search, event: Event) -> Rhythm | None:
    """The period that explains an event best; None where none does."""
    at = search.requests.at
    affected = np.flatnonzero(event.affected & search.population)
    if event.symptom not in _SYMPTOMS or len(affected) < _LEAST_EVENTS:
        return None
    rows = np.flatnonzero(search.population)
    when = at[rows] - at[rows[0]]
    span = float(when[-1])
    if span < _LEAST_CYCLES * _LEAST_PERIOD_S:
        return None
    chosen = affected
    if len(affected) > _EVENTS:
        chosen = affected[np.linspace(0, len(affected) - 1, _EVENTS).astype(np.int64)]
    periods, tried = _candidates(at[chosen] - at[rows[0]], span)
    is_affected, weight = event.affected[rows], search.weight[rows]
    found: Rhythm | None = None

    def try_all(some: list[float]) -> None:
        nonlocal found
        for period in some:
            one = _folded(period, when, is_affected, weight, math.log(tried), rows, len(at))
            if one is not None and (found is None or one.net > found.net):
                found = one

    try_all(periods)
    for part in (1, _FINER):
        if found is not None:
            step = found.period_s**2 / (4 * span * part)  # a quarter of a turn, at the log's end
            near = [found.period_s + step * n / _BESIDE for n in range(-_BESIDE, _BESIDE + 1)]
            try_all([p for p in near if p >= _LEAST_PERIOD_S])
    return found


def _candidates(times: Floats, span: float) -> tuple[list[float], int]:
    """Periods worth a closer look, and how many were looked at, seconds."""
    lowest, highest = _LEAST_CYCLES / span, 1 / _LEAST_PERIOD_S
    frequencies = np.arange(lowest, highest, max(0.25 / span, (highest - lowest) / _FREQUENCIES))
    power = np.zeros(len(frequencies))
    for begin in range(0, len(frequencies), 256):
        turn = 2 * np.pi * np.outer(frequencies[begin : begin + 256], times)
        power[begin : begin + 256] = np.cos(turn).sum(axis=1) ** 2 + np.sin(turn).sum(axis=1) ** 2
    strongest = np.argsort(-power)[:_STRONGEST]
    periods = [1 / float(f) for f in frequencies[strongest]]
    # what is short within its period has power at its harmonics, too
    periods += [p * m for p in periods for m in _TIMES if p * m * _LEAST_CYCLES <= span]
    periods += [p for p in _USUAL_S if p * _LEAST_CYCLES <= span]
    tried = len(frequencies) + len(_USUAL_S) + _STRONGEST * len(_TIMES) + 2 * (2 * _BESIDE + 1)
    return periods, tried


def _folded(
    period: float,
    when: Floats,
    affected: Bools,
    weight: Floats,
    cost: float,
    rows: Ints,
    size: int,
) -> Rhythm | None:
    """The best arc of a period, where it is one."""
    phase = (when % period * (_PHASES / period)).astype(np.int64) % _PHASES
    k = np.bincount(phase, weight * affected, _PHASES)
    n = np.bincount(phase, weight, _PHASES)
    k_all, n_all = float(k.sum()), float(n.sum())
    cost += math.log(_PHASES) + math.log(len(_WIDTHS))
    best: tuple[float, int, int] | None = None
    for width in _WIDTHS:
        arcs = [
            np.convolve(np.concatenate([a, a[: width - 1]]), np.ones(width), "valid")
            for a in (k, n)
        ]
        gains = gain(arcs[0], arcs[1], k_all, n_all)
        start = int(np.argmax(gains))
        if best is None or gains[start] > best[0]:
            best = (float(gains[start]), start, width)
    assert best is not None
    value, start, width = best
    inside = (phase - start) % _PHASES < width
    k_in, n_in = float((weight * affected)[inside].sum()), float(weight[inside].sum())
    cycles = len(np.unique((when[inside & affected] - start * period / _PHASES) // period))
    outside = (k_all - k_in) / max(n_all - n_in, 1.0)
    if cycles < _LEAST_CYCLES or k_in / max(n_in, 1.0) < _TIMES_OUTSIDE * outside:
        return None
    # requests at regular intervals have phases of all periods near theirs: that is a window
    runs = 1 + int((np.diff(np.flatnonzero(inside)) > 1).sum())
    if runs < max(_LEAST_CYCLES, cycles / 3):
        return None
    in_arc = np.zeros(size, bool)
    in_arc[rows[inside]] = True
    return Rhythm(period, in_arc, k_in, n_in, k_all, n_all, value - cost, cost)
