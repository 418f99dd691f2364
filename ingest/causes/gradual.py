"""What gets slower little by little: since when has it been growing?"""

from dataclasses import replace

import numpy as np

from ingest.causes.columns import Floats
from ingest.causes.explain import Explanation, Search
from ingest.causes.findings import NOTE, Finding
from ingest.causes.scan import BUCKETS
from ingest.causes.symptoms import LATENCY, RTF

GRADUAL = "gradual"
_LEAST_BUCKETS = 12  # with a median each
_LEAST_GROWING = 6  # buckets: what rises in fewer is a step
_ROWS_A_BUCKET = 4
_BETTER = 0.75  # of the squares a step leaves: a line must leave less
_GREW = float(np.log(1.3))


def with_growth(search: Search, found: Explanation, finding: Finding) -> Finding:
    """The finding with the instant since which it has been growing, where a line from there tells
    more than a step.
    """
    excess = found.event.excess
    if finding.symptom not in (LATENCY, RTF) or finding.severity == NOTE or excess is None:
        return finding
    if finding.until is not None or not finding.changed:
        return finding
    rows = np.flatnonzero(found.slice_rows & found.event.population)
    bucket = (np.arange(len(rows)) * BUCKETS // max(len(rows), 1)).astype(np.int64)
    if len(rows) < BUCKETS * _ROWS_A_BUCKET:
        return finding
    medians = np.array([np.median(excess[rows[bucket == b]]) for b in range(BUCKETS)])
    kink = _kink(medians)
    if kink is None:
        return finding
    first = rows[np.searchsorted(bucket, kink)]
    if not search.requests.dated[first]:
        return replace(finding, kind=GRADUAL)
    return replace(finding, kind=GRADUAL, since=float(search.requests.at[first]))


def _kink(medians: Floats) -> int | None:
    """The bucket from which on the medians rise on a line; None where a step fits as well."""
    if len(medians) < _LEAST_BUCKETS:
        return None
    x = np.arange(len(medians))
    best: tuple[float, int, float] | None = None
    for kink in range(len(medians) - _LEAST_GROWING):
        ramp = np.maximum(x - kink, 0).astype(np.float64)
        slope, left = _line(ramp, medians)
        if best is None or left < best[0]:
            best = (left, kink, slope * ramp[-1])
    steps = [
        sum(float(((side - side.mean()) ** 2).sum()) for side in (medians[:s], medians[s:]))
        for s in range(1, len(medians))
    ]  # fmt: skip
    if best is None or best[2] < _GREW or best[0] > _BETTER * min(steps):
        return None
    return best[1]


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """The slope of a line, and the squares that it leaves."""
    away = x - x.mean()
    slope = float(away @ (y - y.mean())) / float(away @ away)
    return slope, float(((y - y.mean() - slope * away) ** 2).sum())
