"""How much slower than expected: what a stage took beside what it takes for a text of that length.

A residual is ln(milliseconds) less what is expected of the length and of whether the cache was hit;
0 is as usual, ln 2 twice as long. What is usual is learnt from the log itself, from the part of it
that is not slow.
"""

import math
from dataclasses import dataclass

import numpy as np

from ingest.causes.columns import Bools, Codes, Floats, Ints
from ingest.causes.dimensions import CACHE_HIT, TEXT, TEXT_LEN, Dimension
from ingest.causes.scan import BUCKETS

_BINS = 16  # of length
_ROWS_A_BIN = 60
_FEW_BINS, _FEW_ROWS = 4, 12  # of a small log: longer texts take longer there, too
_LAST = 3  # bins at an end, whose slope goes on
_STEEPEST = 1.3  # ln of time by ln of length
_QUARTERS = 4
_ROWS_A_QUARTER = 15  # of a bin, for a median worth believing
_FASTER = math.log(1.3)  # what a quarter of the log must be faster by to be what is expected
_LATE, _LATE_GAIN = math.log(1.12), 0.40  # a window of time that is slower
_OTHER, _OTHER_GAIN = math.log(1.4), 0.25  # a kind of request that is slower
_LEAST_ROWS = 40  # for anything at all
# times what lies between the sixteenth and the fiftieth percentile: 1.4 % of a normal log are
# beyond
_SPREAD = 2.2
_LEAST_SPREAD = math.log(1.25)
_CLIP = 3.0  # a factor of 20; beyond it one request would decide about a split


@dataclass(frozen=True, slots=True)
class Residuals:
    """``rows`` int64[m] have the stage; ``value`` float64[m]; above ``threshold`` is slow."""

    rows: Ints
    value: Floats
    threshold: float

    @property
    def slow(self) -> Bools:
        """Which of the rows are slow."""
        return np.asarray(self.value > self.threshold)


def residuals(
    own_ms: Floats, size: Floats, hit: Codes, bucket: Ints, dimensions: tuple[Dimension, ...]
) -> Residuals | None:
    """Residuals of a stage; None where too few requests have it. All columns are of all requests.

    ``size``: the text's length, or whatever else the time grows with; NaN where it is not known.
    """
    rows = np.flatnonzero(own_ms > 0)
    if len(rows) < _LEAST_ROWS:
        return None
    log_ms = np.log(own_ms[rows])
    x = np.log1p(np.nan_to_num(size[rows], nan=0.0))
    groups, when = hit[rows], bucket[rows]
    value = log_ms - _expected(log_ms, x, groups, when, None)
    usual = _faster_time(value, when)
    if usual is None:
        usual = _faster_kind(value, rows, dimensions)
    if usual is not None and usual.sum() >= _LEAST_ROWS:
        # of the residuals: where few rows are usual, the shape of the curve stays that of all rows
        value = value - _expected(value, x, groups, when, usual)
    of = value if usual is None else value[usual]
    low, middle = np.quantile(of, [0.16, 0.5])
    threshold = middle + max(_SPREAD * (middle - low), _LEAST_SPREAD)
    return Residuals(rows, value - middle, float(threshold - middle))


def deviations(value: Floats, size: Floats) -> Floats:
    """What each value lies above the median of those of that size, float64[n]."""
    nobody = np.zeros(len(value), np.int32)
    nowhen = np.zeros(len(value), np.int64)
    everyone = np.ones(len(value), bool)
    return value - _expected(value, np.log1p(size), nobody, nowhen, everyone, steady=True)


def _expected(
    log_ms: Floats, x: Floats, groups: Codes, when: Ints, usual: Bools | None, steady: bool = False
) -> Floats:
    """What each row should take, learnt from ``usual`` rows (None: the log's fastest quarter)."""
    found = np.empty(len(log_ms))
    for group in np.unique(groups):
        here = groups == group
        learnt = here if usual is None else here & usual
        if learnt.sum() < _ROWS_A_QUARTER:
            learnt = here
        centres, medians = _curve(log_ms[learnt], x[learnt], when[learnt], usual is None)
        found[here] = _on_curve(x[here], centres, medians, steady)
    return found


def _curve(log_ms: Floats, x: Floats, when: Ints, fastest: bool) -> tuple[Floats, Floats]:
    """Medians of bins of equally many rows: places and values, float64[bins] each."""
    few = min(_FEW_BINS, len(x) // _FEW_ROWS)
    bins = max(1, few, min(_BINS, len(x) // _ROWS_A_BIN))
    order = np.argsort(x, kind="stable")
    centres: list[float] = []
    medians: list[float] = []
    for part in np.array_split(order, bins):
        median = float(np.median(log_ms[part]))
        if fastest:
            quarters = _quarter_medians(log_ms[part], when[part])
            if len(quarters) and quarters.min() < median - _FASTER:
                median = float(quarters.min())
        centre = float(np.median(x[part]))
        if centres and centre <= centres[-1]:
            continue
        centres.append(centre)
        medians.append(median)
    return np.asarray(centres), np.asarray(medians)


def _quarter_medians(log_ms: Floats, when: Ints) -> Floats:
    quarter = when * _QUARTERS // BUCKETS
    parts = (log_ms[quarter == q] for q in range(_QUARTERS))
    return np.asarray([np.median(p) for p in parts if len(p) >= _ROWS_A_QUARTER])


def _on_curve(x: Floats, centres: Floats, medians: Floats, steady: bool) -> Floats:
    """Linear between the bins; beyond the last one its slope goes on, and below the first one where
    growth is ``steady``.

    (The time for no text at all is not nothing; the length of its audio is.)
    """
    found = np.interp(x, centres, medians)
    if len(centres) > 1:
        ends = [(-1, x > centres[-1]), *([(0, x < centres[0])] if steady else [])]
        for end, beyond in ends:
            near = slice(-_LAST, None) if end else slice(0, _LAST)
            slope = _slope(centres[near], medians[near])
            found[beyond] = medians[end] + slope * (x[beyond] - centres[end])
    return np.asarray(found)


def _slope(x: Floats, y: Floats) -> float:
    """That of a line through some points; nothing gets shorter with its length, or grows much
    faster.
    """
    away = x - x.mean()
    return float(np.clip(away @ (y - y.mean()) / (away @ away), 0.0, _STEEPEST))


def _faster_time(value: Floats, when: Ints) -> Bools | None:
    """The faster side's rows of the window that explains most; None without such a window."""
    medians = np.full(BUCKETS, np.nan)
    order = np.argsort(when, kind="stable")
    ends = np.searchsorted(when[order], np.arange(BUCKETS + 1))
    for b in range(BUCKETS):
        if ends[b + 1] > ends[b]:
            medians[b] = np.median(value[order[ends[b] : ends[b + 1]]])
    known = ~np.isnan(medians)
    m = np.where(known, medians, 0.0)
    first, last = np.triu_indices(BUCKETS + 1, 1)
    count = np.concatenate([[0], np.cumsum(known)])
    total = np.concatenate([[0.0], np.cumsum(m)])
    inside, summed = count[last] - count[first], total[last] - total[first]
    outside = count[-1] - inside
    fits = (inside > 0) & (outside > 0)
    if not fits.any():
        return None
    mean_in = summed / np.maximum(inside, 1)
    mean_out = (total[-1] - summed) / np.maximum(outside, 1)
    between = np.where(fits, (mean_in - mean_out) ** 2 * inside * outside / count[-1], -1.0)
    best = int(np.argmax(between))
    spread = float(((m - m[known].mean()) ** 2)[known].sum())
    if abs(mean_in[best] - mean_out[best]) <= _LATE or between[best] <= _LATE_GAIN * spread:
        return None
    within = (when >= first[best]) & (when < last[best])
    return np.asarray(within if mean_in[best] < mean_out[best] else ~within)


def _faster_kind(value: Floats, rows: Ints, dimensions: tuple[Dimension, ...]) -> Bools | None:
    """The faster side's rows of the best split by one condition; None if none explains enough."""
    clipped = np.clip(value, -_CLIP, _CLIP)
    whole, n = clipped.sum(), len(clipped)
    spread = float(((clipped - whole / n) ** 2).sum())
    best: tuple[float, Bools] | None = None
    for d in dimensions:
        if d.name in (TEXT_LEN, CACHE_HIT, TEXT):
            continue
        codes = d.codes[rows]
        place = codes.astype(np.int64) + 1
        count = np.bincount(place, minlength=len(d.values) + 1)[1:].astype(np.float64)
        total = np.bincount(place, clipped, minlength=len(d.values) + 1)[1:]
        if d.numbers is not None:  # >= each bound
            count, total = count[::-1].cumsum()[::-1], total[::-1].cumsum()[::-1]
        fits = (count >= _ROWS_A_QUARTER) & (n - count >= _ROWS_A_QUARTER)
        if not fits.any():
            continue
        apart = total / np.maximum(count, 1) - (whole - total) / np.maximum(n - count, 1)
        between = np.where(fits, apart**2 * count * (n - count) / n, -1.0)
        v = int(np.argmax(between))
        if abs(apart[v]) > _OTHER and between[v] > max(
            _OTHER_GAIN * spread, best[0] if best else 0
        ):
            inside = codes >= v if d.numbers is not None else codes == v
            best = (float(between[v]), inside if apart[v] < 0 else ~inside)
    return None if best is None else best[1]
