"""What gets slower and slower and is fast again, over and over: a leak that restarts reset.

No window and no kind of request explains it: it is slow at all times, a little. So the medians of
equally many requests each are laid out as straight lines, as few as tell them well; teeth are lines
that rise, each with a sudden fall behind it.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ingest.causes.columns import Bools, Floats, Ints, Rows
from ingest.causes.dimensions import Condition
from ingest.causes.findings import NOTE, WARNING, Finding
from ingest.causes.judge import scored, wilson
from ingest.causes.symptoms import LATENCY, RTF, Event

SAWTOOTH = "sawtooth"
_MOST_BUCKETS, _LEAST_BUCKETS, _ROWS_A_BUCKET = 96, 24, 8
_LEAST_TOOTH = 3  # buckets
_LEAST_RESETS = 2
_ROSE = math.log(1.3)  # by which a tooth rises at least
_FALL = 0.7  # of its rise, at once
_STEADY = 0.5  # of its rise, without jumps
_HALF = (0.25, 0.85)  # of its rise, in its first half
_RISING = 0.6  # of all buckets stand in teeth
_LEFT = 0.35  # of the squares about the mean: the lines leave no more
_LEAST_NOISE = 0.01
_LEAST_MS = 5.0
_REGULAR = 0.1  # of the time between two resets, by which it may differ


@dataclass(frozen=True, slots=True)
class _Line:
    """A straight piece over buckets ``first`` … ``last`` (behind it), from ``low`` to ``high``; of
    several, ``grown`` is what they rise by without jumps, ``halfway`` what in the first half.
    """

    first: int
    last: int
    low: float
    high: float
    grown: float = 0.0
    halfway: float = 0.0

    @property
    def width(self) -> int:
        return self.last - self.first

    @property
    def rise(self) -> float:
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class _Teeth:
    """Teeth of some rows: where they begin, as rows' places, what they rise from and by; ``net``
    nats that they tell.
    """

    rows: Ints
    begins: tuple[int, ...]
    resets: tuple[int, ...]
    low: float
    rise: float
    net: float


def saw_tooth(rows: Rows, event: Event, total: int) -> list[Finding]:
    """The finding of an event whose times are a saw-tooth on most hosts, or one for each host of
    which that is true; none where it is not.
    """
    if event.symptom not in (LATENCY, RTF) or event.excess is None or event.own_ms is None:
        return []
    codes = rows.host.codes
    found = {int(h): _teeth(event, codes == h) for h in np.unique(codes[event.population])}
    teeth = {h: t for h, t in found.items() if t is not None}
    if not teeth:
        return []
    if len(teeth) == len(found) or (len(teeth) > 1 and 2 * len(teeth) > len(found)):
        return [_finding(rows, event, list(teeth.values()), (), total)]
    return [
        _finding(rows, event, [t], (Condition("host", "=", str(rows.host.values[h])),), total)
        for h, t in teeth.items()
    ]


def _teeth(event: Event, of_host: Bools) -> _Teeth | None:
    assert event.excess is not None
    rows = np.flatnonzero(event.population & of_host)
    buckets = min(_MOST_BUCKETS, len(rows) // _ROWS_A_BUCKET)
    if buckets < _LEAST_BUCKETS:
        return None
    parts = np.array_split(rows, buckets)
    medians = np.array([np.median(event.excess[part]) for part in parts])
    lines = _lines(medians)
    every = _teeth_of(lines)
    teeth = [line for line in every if _is_tooth(line)]
    resets = [
        after.first
        for line, after in pairwise(every)
        if _is_tooth(line) and line.high - after.low >= _FALL * line.rise
    ]
    width = sum(line.width for line in teeth)
    if len(resets) < _LEAST_RESETS or width < _RISING * buckets:
        return None
    left, spread = _squares(medians, lines), float(((medians - medians.mean()) ** 2).sum())
    rise = float(np.median([line.rise for line in teeth]))
    low = [line.low for line in teeth]
    if left > _LEFT * spread or max(low) - min(low) > max(rise, _ROSE):
        return None
    net = (spread - left) / (2 * _noise(medians) ** 2) - 3 * len(lines) * math.log(buckets)
    begins = tuple(int(parts[line.first][0]) for line in teeth)
    behind = tuple(int(parts[b][0]) for b in resets)
    return _Teeth(rows, begins, behind, float(np.median(low)), rise, net)


def _teeth_of(lines: list[_Line]) -> list[_Line]:
    """Lines between which it falls at once, each from its lowest to its highest: what grows
    steadily is no straight line by its logarithm.
    """
    found: list[list[_Line]] = [[]]
    for line in lines:
        if found[-1] and found[-1][-1].high - line.low >= _ROSE:
            found.append([])
        found[-1].append(line)
    return [_joined(lines) for lines in found]


def _joined(lines: list[_Line]) -> _Line:
    first, last = lines[0], lines[-1]
    grown = sum(line.rise for line in lines)
    told = np.concatenate([np.linspace(line.low, line.high, line.width) for line in lines])
    halfway = float(told[len(told) // 2]) - first.low
    return _Line(first.first, last.last, first.low, last.high, grown, halfway)


def _is_tooth(line: _Line) -> bool:
    """Whether it rises enough, all along: not by jumps, and not at its end or beginning alone."""
    is_steady = line.grown >= _STEADY * line.rise and line.width > _LEAST_TOOTH
    return line.rise >= _ROSE and is_steady and _HALF[0] <= line.halfway / line.rise <= _HALF[1]


def _noise(medians: Floats) -> float:
    """How far a median lies from where it should, told by each one's neighbours."""
    bent = medians[2:] - 2 * medians[1:-1] + medians[:-2]
    return max(1.4826 * float(np.median(np.abs(bent))) / math.sqrt(6), _LEAST_NOISE)


def _lines(medians: Floats) -> list[_Line]:
    """The straight pieces that tell the medians best, each at its price (dynamic programming)."""
    n = len(medians)
    x = np.arange(n, dtype=np.float64)
    sums = [np.concatenate([[0.0], np.cumsum(v)])
            for v in (x, medians, x * x, x * medians, medians * medians)]  # fmt: skip
    price = 3 * math.log(n) * _noise(medians) ** 2
    best, back = np.full(n + 1, np.inf), np.zeros(n + 1, np.int64)
    best[0] = 0.0
    for end in range(_LEAST_TOOTH, n + 1):
        begins = np.arange(end - _LEAST_TOOTH + 1)
        cost = best[begins] + _left_by_line(sums, begins, end) + price
        back[end] = int(np.argmin(cost))
        best[end] = cost[back[end]]
    found, end = [], n
    while end > 0:
        begin = int(back[end])
        found.append(_line(medians, begin, end))
        end = begin
    return found[::-1]


def _left_by_line(sums: list[Floats], begins: Ints, end: int) -> Floats:
    """The squares that a line over the buckets from each begin to the end leaves."""
    count = (end - begins).astype(np.float64)
    sx, sy, sxx, sxy, syy = (s[end] - s[begins] for s in sums)
    xx, xy, yy = sxx - sx * sx / count, sxy - sx * sy / count, syy - sy * sy / count
    left = yy - np.maximum(xy, 0.0) ** 2 / np.maximum(xx, 1e-12)
    return np.asarray(np.maximum(left, 0.0))


def _line(medians: Floats, begin: int, end: int) -> _Line:
    x = np.arange(end - begin, dtype=np.float64)
    away, y = x - x.mean(), medians[begin:end]
    slope = max(float(away @ (y - y.mean())) / max(float(away @ away), 1e-12), 0.0)
    low = float(y.mean() - slope * x.mean())
    return _Line(begin, end, low, low + slope * (end - begin - 1))


def _squares(medians: Floats, lines: list[_Line]) -> float:
    told = np.concatenate([np.linspace(line.low, line.high, line.width) for line in lines])
    return float(((medians - told) ** 2).sum())


def _finding(
    rows: Rows, event: Event, teeth: list[_Teeth], conditions: tuple[Condition, ...], total: int
) -> Finding:
    assert event.excess is not None and event.own_ms is not None
    of = np.sort(np.concatenate([t.rows for t in teeth]))
    high = np.concatenate([t.rows[event.excess[t.rows] > t.low + t.rise / 2] for t in teeth])
    high = np.sort(high)
    usual = np.setdiff1d(of, high)
    scale = max(total / max(len(rows), 1), 1.0)
    slow_ms = float(np.median(event.own_ms[high])) if len(high) else math.nan
    usual_ms = float(np.median(event.own_ms[usual])) if len(usual) else math.nan
    rise = float(np.median([t.rise for t in teeth]))
    finding = Finding(
        event.symptom, NOTE, SAWTOOTH, event.code, event.stage, conditions=conditions,
        since=_since(rows, teeth), period_s=_period(rows, teeth), subject=event.subject,
        affected=len(high) * scale, population=len(of) * scale,
        interval=wilson(len(high), len(of)), ratio=math.exp(rise), slow_ms=slow_ms,
        usual_ms=usual_ms, net=sum(t.net for t in teeth), excess=len(high) * scale,
        amount=float(sum(len(t.resets) for t in teeth)), rows=high,
    )  # fmt: skip
    is_told = event.symptom == RTF or slow_ms * (1 - 1 / math.exp(rise)) >= _LEAST_MS
    return scored(finding, WARNING if is_told else NOTE)


def _since(rows: Rows, teeth: list[_Teeth]) -> float | None:
    """When the first tooth began; None where that is the beginning of the log."""
    first = min(teeth, key=lambda t: t.begins[0])
    if first.begins[0] == first.rows[0] or not rows.dated[first.begins[0]]:
        return None
    return float(rows.at[first.begins[0]])


def _period(rows: Rows, teeth: list[_Teeth]) -> float | None:
    """The time between two resets, where it is always the same."""
    if len(teeth) != 1 or len(teeth[0].resets) < _LEAST_RESETS + 1:
        return None
    between = np.diff(rows.at[np.asarray(teeth[0].resets)])
    middle = float(np.median(between))
    return middle if np.abs(between - middle).max() <= _REGULAR * middle else None


def beside(findings: list[Finding], found: list[Finding]) -> list[Finding]:
    """Findings of an event whose saw-tooth is ``found``: those of one kind of request stay."""
    kept = [f for f in found if f.severity != NOTE and f.conditions]
    named = [f.conditions for f in findings]
    return [*findings, *(f for f in kept if f.conditions not in named)]
