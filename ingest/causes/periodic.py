"""Events that recur, say every ten minutes (Rayleigh's test for a period, then an arc of it)."""

import math
from dataclasses import dataclass

import numpy as np

from ingest.causes.columns import Bools, Floats, Ints
from ingest.causes.explain import Search
from ingest.causes.scan import gain
from ingest.causes.symptoms import FAILURES, LATENCY, UNFINISHED, Event

_SYMPTOMS = frozenset((FAILURES, LATENCY, UNFINISHED))
_LEAST_EVENTS = 12
_EVENTS = 600
_FREQUENCIES = 1600
_STEPS = 40  # of that many, whose turns are told by this many frequencies and as many steps
_STRONGEST = 6
_TIMES = (2, 3, 4, 5)  # of a period: the one whose harmonic it is
_BESIDE, _FINER = 5, 5  # periods beside the best on both sides, and how much closer then
_USUAL_S = tuple(60.0 * m for m in (1, 2, 3, 5, 10, 15, 20, 30, 60))
_PHASES, _MOST_PHASES = 30, 10  # of a period; the widest arc that is one
_WIDTHS = np.array((1, 2, 3, 4, 5, 7, 10))
_ENDS = _WIDTHS[:, None] + np.arange(_PHASES)  # of arcs, by width and first phase
_ROUNDING = 1e-6  # nats
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


def rhythm_of(search: Search, event: Event, floor: float) -> Rhythm | None:
    """The period that explains an event best; None where none does, or none can by ``floor``
    nats.
    """
    at = search.requests.at
    affected = np.flatnonzero(event.affected & search.population)
    if event.symptom not in _SYMPTOMS or len(affected) < _LEAST_EVENTS:
        return None
    rows = np.flatnonzero(search.population)
    when = at[rows] - at[rows[0]]
    span = float(when[-1])
    if span < _LEAST_CYCLES * _LEAST_PERIOD_S:
        return None
    frequencies = _frequencies(span)
    cost = math.log(_tried(frequencies)) + math.log(_PHASES) + math.log(len(_WIDTHS))
    is_affected, weight = event.affected[rows], search.weight[rows]
    if _most(weight[is_affected].sum(), weight.sum()) - cost < floor - _ROUNDING:
        return None
    chosen = affected
    if len(affected) > _EVENTS:
        chosen = affected[np.linspace(0, len(affected) - 1, _EVENTS).astype(np.int64)]
    periods = _candidates(frequencies, at[chosen] - at[rows[0]], span)
    found: Rhythm | None = None

    def try_all(some: list[float]) -> None:
        nonlocal found
        for period in some:
            best = -math.inf if found is None else found.net
            one = _folded(period, when, is_affected, weight, cost, rows, len(at), best)
            if one is not None:
                found = one

    try_all(periods)
    for part in (1, _FINER):
        if found is not None:
            step = found.period_s**2 / (4 * span * part)  # a quarter of a turn, at the log's end
            near = [found.period_s + step * n / _BESIDE for n in range(-_BESIDE, _BESIDE + 1)]
            try_all([p for p in near if p >= _LEAST_PERIOD_S])
    return found


def _most(k_all: float, n_all: float) -> float:
    """Nats that are gained where all affected rows, and no others, are inside."""
    k = np.asarray([k_all])
    return float(gain(k, k, k_all, n_all)[0])


def _frequencies(span: float) -> Floats:
    """Those that are looked at in so many seconds."""
    lowest, highest = _LEAST_CYCLES / span, 1 / _LEAST_PERIOD_S
    return np.arange(lowest, highest, max(0.25 / span, (highest - lowest) / _FREQUENCIES))


def _tried(frequencies: Floats) -> int:
    """How many periods are looked at."""
    return len(frequencies) + len(_USUAL_S) + _STRONGEST * len(_TIMES) + 2 * (2 * _BESIDE + 1)


def _candidates(frequencies: Floats, times: Floats, span: float) -> list[float]:
    """Periods worth a closer look, seconds."""
    # of equal steps: a turn by f + n steps is one by f, and one by n steps
    turn = 2j * np.pi * times
    steps = (frequencies - frequencies[0])[:_STEPS]
    coarse, fine = np.exp(np.outer(frequencies[::_STEPS], turn)), np.exp(np.outer(turn, steps))
    sums = np.einsum("ft,ts->fs", coarse, fine)  # not by BLAS, whose threads would only spin
    power = np.abs(sums).ravel()[: len(frequencies)]
    strongest = np.argsort(-power)[:_STRONGEST]
    periods = [1 / float(f) for f in frequencies[strongest]]
    # what is short within its period has power at its harmonics, too
    periods += [p * m for p in periods for m in _TIMES if p * m * _LEAST_CYCLES <= span]
    periods += [p for p in _USUAL_S if p * _LEAST_CYCLES <= span]
    return periods


def _folded(
    period: float,
    when: Floats,
    affected: Bools,
    weight: Floats,
    cost: float,
    rows: Ints,
    size: int,
    least: float,
) -> Rhythm | None:
    """The best arc of a period, where it is one and gains more than ``least``."""
    phase = (when % period * (_PHASES / period)).astype(np.int64)
    phase[phase == _PHASES] = 0  # by rounding
    k = np.bincount(phase, weight * affected, _PHASES).astype(np.float64)
    n = np.bincount(phase, weight, _PHASES).astype(np.float64)
    k_all, n_all = float(k.sum()), float(n.sum())
    inside_k, inside_n = (_arcs(counts) for counts in (k, n))
    gains = gain(inside_k, inside_n, k_all, n_all)
    place, start = divmod(int(np.argmax(gains)), _PHASES)
    value, width = float(gains[place, start]), int(_WIDTHS[place])
    if value - cost <= least:
        return None
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


def _arcs(counts: Floats) -> Floats:
    """What lies inside each arc, float64[widths, phases]: sums of whole weights, so exact."""
    upto = np.zeros(2 * _PHASES + 1)
    np.cumsum(np.concatenate([counts, counts]), out=upto[1:])
    return np.asarray(upto[_ENDS] - upto[:_PHASES])
