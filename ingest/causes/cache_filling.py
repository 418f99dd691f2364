"""Caches that fill: when will one be full?"""

from dataclasses import dataclass

import numpy as np

from ingest.causes.columns import Floats, Observed
from ingest.causes.dimensions import Condition
from ingest.causes.findings import WARNING, Finding
from ingest.causes.symptoms import CACHE_FILLING

_PURGE = 5.0  # points that a purge takes away
_GREW = 5.0
_FIT = 0.6  # r² of the line
_SOON_H = 12.0
_NEARLY = 90.0
_LEAST_SAMPLES = 5
_WEIGHT = 0.1
_KINKS = 24


@dataclass(frozen=True, slots=True)
class _Line:
    since: float
    slope: float  # points a second
    now: float
    grew: float
    fit: float
    kinked: bool


def caches_filling(observed: Observed) -> list[Finding]:
    """One finding a cache that will be full within hours, or nearly is; ``full_at`` says when."""
    samples = observed.samples
    found = []
    hosts = len(samples.host.values)
    paths = len(samples.path.values)
    pairs = np.unique(np.stack([samples.host.codes, samples.path.codes], axis=1), axis=0)
    for host, path in pairs:
        rows = np.flatnonzero((samples.host.codes == host) & (samples.path.codes == path))
        rows = rows[~np.isnan(samples.used_percent[rows])]
        line = _grown(samples.at[rows], samples.used_percent[rows])
        if line is None:
            continue
        full_at = float(samples.at[rows[-1]]) + max(0.0, 100.0 - line.now) / line.slope
        soon = full_at - float(samples.at[rows[-1]]) <= _SOON_H * 3600
        if not soon and line.now < _NEARLY:
            continue
        conditions = []
        if hosts > 1 or paths < 2:
            conditions.append(Condition("host", "=", samples.host.values[host]))
        if paths > 1 and path >= 0:
            conditions.append(Condition("path", "=", samples.path.values[path]))
        found.append(
            Finding(
                CACHE_FILLING, WARNING, "began", conditions=tuple(conditions),
                since=line.since if line.kinked else None, amount=line.now, full_at=full_at,
                subject=str(samples.path.values[path]) if path >= 0 else None,
                affected=float(len(rows)), excess=float(len(rows)), score=_WEIGHT * len(rows),
                net=line.fit, keys=tuple(int(k) for k in samples.key[rows][::-1][:3]),
            )
        )  # fmt: skip
    return found


def _grown(at: Floats, used: Floats) -> _Line | None:
    """The line since the last purge, from where it began to grow; None where it does not."""
    purges = np.flatnonzero(np.diff(used) < -_PURGE)
    if len(purges):
        at, used = at[purges[-1] + 1 :], used[purges[-1] + 1 :]
    if len(at) < _LEAST_SAMPLES or at[-1] <= at[0]:
        return None
    best: tuple[float, int] | None = None
    for start in np.unique(np.linspace(0, len(at) - _LEAST_SAMPLES, _KINKS).astype(int)):
        rest = _squares(at[start:], used[start:]) + float(
            ((used[:start] - used[:start].mean()) ** 2).sum() if start else 0.0
        )
        if best is None or rest < 0.7 * best[0]:  # a later kink must pay
            best = (rest, int(start))
    assert best is not None
    start = best[1]
    slope, fit = _fitted(at[start:], used[start:])
    grew = slope * (at[-1] - at[start])
    if slope <= 0 or fit < _FIT or grew < _GREW:
        return None
    return _Line(float(at[start]), slope, float(used[-1]), float(grew), fit, start > 0)


def _fitted(at: Floats, used: Floats) -> tuple[float, float]:
    """Slope and r² of a line."""
    x, y = at - at.mean(), used - used.mean()
    sxx, syy, sxy = float(x @ x), float(y @ y), float(x @ y)
    if sxx <= 0 or syy <= 0:
        return 0.0, 0.0
    return sxy / sxx, sxy * sxy / (sxx * syy)


def _squares(at: Floats, used: Floats) -> float:
    slope, _ = _fitted(at, used)
    return float(((used - used.mean() - slope * (at - at.mean())) ** 2).sum())
