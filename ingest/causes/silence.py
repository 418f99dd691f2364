"""Silence: nobody asks a host, or nobody asks at all, for much longer than is usual there."""

import numpy as np

from ingest.causes.columns import Floats, Observed
from ingest.causes.dimensions import Condition
from ingest.causes.findings import CRITICAL, Finding
from ingest.causes.symptoms import SILENCE

_EXPECTED = 25.0  # requests that should have come
_LEAST_S = 60.0
_BEFORE = 50  # requests that tell what is usual
_JUST_BEFORE = 12  # and what is usual at this hour
_PARTS = 8  # of a gap, and gaps before it, in which clumps are looked for
_ALIKE = 3  # gaps half as long, so many of which are usual


def silences(observed: Observed) -> list[Finding]:
    """One finding a gap: of all hosts together, else of a host alone."""
    arrivals = observed.arrivals
    last = float(np.nanmax(arrivals.last_at, initial=-np.inf))
    together = [_finding(gap, None, last) for gap in _gaps(arrivals.at, last)]
    if len(arrivals.host.values) < 2:
        return together
    found = list(together)
    for place, host in enumerate(arrivals.host.values):
        is_its_own = arrivals.host.codes == place
        times, others = arrivals.at[is_its_own], arrivals.at[~is_its_own]
        # a host that has ended without a record is silent as long as others are not
        for gap in _gaps(times, last):
            if _others_go_on(times, others, gap) and not any(_covers(f, gap) for f in together):
                found.append(_finding(gap, str(host), last))
    return found


def _gaps(times: Floats, end: float) -> list[tuple[float, float | None, float]]:
    """Since, until (None: to the end) and requests expected of each silence."""
    if len(times) < _BEFORE:
        return []
    edges = np.append(times, max(end, times[-1]))
    gaps = np.diff(edges)
    found = []
    # most gaps are far from it, which one rate of all tells
    first = np.maximum(np.arange(len(times)) - _BEFORE, 0)
    took = np.maximum(times - times[first], 1e-3)
    may_be = (gaps >= _LEAST_S) & (gaps * (np.arange(len(times)) - first) / took >= _EXPECTED)
    for place in map(int, np.flatnonzero(may_be)):
        gap = float(gaps[place])
        expected = gap * min(_rate(times, place, n) for n in (_JUST_BEFORE, _BEFORE, 4 * _BEFORE))
        expected /= _clumping(times, place, gap)
        usual = int((gaps >= gap / 2).sum())
        if expected >= _EXPECTED and usual <= _ALIKE and place >= _BEFORE // 2:
            ends = None if place == len(times) - 1 else float(times[place + 1])
            found.append((float(times[place]), ends, expected))
    return found


def _others_go_on(times: Floats, others: Floats, gap: tuple[float, float | None, float]) -> bool:
    """Whether the other hosts were asked so much in a host's gap that its share would have been
    noticed: when everybody asks less, its gap says nothing of the host.
    """
    since, until, _ = gap
    place = int(np.searchsorted(times, since, "right"))
    first = max(0, place - 4 * _BEFORE)
    before = int(((others >= times[first]) & (others <= since)).sum())
    if not before:
        return True  # it alone was asked: another one has taken over
    within = int(((others > since) & (others < (np.inf if until is None else until))).sum())
    return within * (place - first) / before >= _EXPECTED / 2


def _clumping(times: Floats, place: int, gap: float) -> float:
    """How much more the counts of equal times vary than those of requests that come by themselves;
    1 at least.

    Requests that come in clumps leave gaps: a clump is then what counts as one request. What came
    before the gap tells, and where that is short all there is.
    """
    before = times[: place + 1]
    width = gap / _PARTS
    if before[-1] - before[0] < 2 * _PARTS * width:
        # the gap itself is left out
        before = np.concatenate([before, times[place + 1 :] - gap])
        width = min(width, (before[-1] - before[0]) / (2 * _PARTS))
    first = max(before[0], before[-1] - width * _PARTS * _PARTS)
    edges = np.arange(before[-1], first - width / 2, -width)[::-1] if width > 0 else before[:0]
    if len(edges) <= _PARTS:
        return 1.0
    count = np.histogram(before, edges)[0]
    mean = float(count.mean())
    return max(1.0, float(count.var()) / mean) if mean > 0 else 1.0


def _rate(times: Floats, place: int, before: int) -> float:
    """Requests a second over so many before a place."""
    first = max(0, place - before)
    return float((place - first) / max(times[place] - times[first], 1e-3))


def _covers(other: Finding | None, gap: tuple[float, float | None, float]) -> bool:
    if other is None or other.since is None:
        return False
    far = float("inf")
    begins, ends = gap[0], far if gap[1] is None else gap[1]
    until = far if other.until is None else other.until
    overlap = min(ends, until) - max(begins, other.since)
    return overlap >= 0.5 * min(ends - begins, until - other.since) or overlap == far


def _finding(gap: tuple[float, float | None, float], host: str | None, end: float) -> Finding:
    since, until, expected = gap
    return Finding(
        SILENCE, CRITICAL, "began",
        conditions=() if host is None else (Condition("host", "=", host),),
        since=since, until=until, affected=expected, excess=expected, score=expected,
        net=expected, subject=host, amount=(end if until is None else until) - since,
    )  # fmt: skip
