"""Clocks that jump: stamps that go back in a log file, and ends that contradict durations."""

from dataclasses import dataclass

import numpy as np

from ingest.causes.columns import Ints, Observed
from ingest.causes.dimensions import Condition
from ingest.causes.findings import WARNING, Finding
from ingest.causes.symptoms import CLOCK

_BACK_S = 120.0
_APART_S = 30.0
_RARE = 10.0  # times the usual gap: more than what comes by chance
_KEY_SHIFT = 40  # a key is file_key << 40 | offset (ingest.model)
_WEIGHT = 0.3
_LEAST_APART = 3  # requests: one that does not fit is no clock


@dataclass(frozen=True, slots=True)
class _Jump:
    at: float
    seconds: float
    requests: float
    rows: tuple[int, ...]


def clocks(observed: Observed) -> list[Finding]:
    """A finding per host whose clock jumped; ``amount`` in seconds, forward is positive."""
    found = []
    requests = observed.requests
    for place, host in enumerate(requests.host.values):
        rows = np.flatnonzero((requests.host.codes == place) & requests.dated)
        jumps = [
            j
            for j in (_backward(observed, rows), _apart(observed, rows), _ahead(observed, place))
            if j is not None
        ]
        if not jumps:
            continue
        jump = max(jumps, key=lambda j: abs(j.seconds))
        many = len(requests.host.values) > 1
        found.append(
            Finding(
                CLOCK, WARNING, "began",
                conditions=(Condition("host", "=", host),) if many else (),
                since=jump.at, affected=jump.requests, excess=jump.requests,
                score=_WEIGHT * jump.requests, amount=jump.seconds, subject=str(host),
                net=jump.requests, rows=np.asarray(jump.rows, np.int64),
            )
        )  # fmt: skip
    return found


def _backward(observed: Observed, rows: Ints) -> _Jump | None:
    """The largest step back between records that follow each other in a file."""
    r = observed.requests
    order = rows[np.argsort(r.key[rows], kind="stable")]
    if len(order) < 2:
        return None
    at, file = r.at[order], r.key[order] >> _KEY_SHIFT
    # parts of requests out of order are seconds apart; a clock's jump holds for what follows
    step = np.where(np.diff(file) == 0, np.diff(at), 0.0)
    place = int(np.argmin(step))
    if step[place] > -_BACK_S:
        return None
    ahead = int((at[: place + 1][file[: place + 1] == file[place]] > at[place + 1]).sum())
    return _Jump(
        float(at[place + 1]), float(step[place]), float(max(ahead, 1)), (int(order[place + 1]),)
    )


def _ahead(observed: Observed, host: int) -> _Jump | None:
    """A gap of one host by which its records end later than those of all others."""
    arrivals = observed.arrivals
    if len(arrivals.host.values) < 2 or len(arrivals.at) < 2:
        return None
    own = arrivals.at[arrivals.host.codes == host]
    others = arrivals.at[arrivals.host.codes != host]
    if len(own) < 2 or not len(others):
        return None
    gaps = np.diff(own)
    place = int(np.argmax(gaps))
    gap = float(gaps[place])
    later = float(arrivals.last_at[host] - np.delete(arrivals.last_at, host).max())
    usual = float(np.median(gaps))
    # where requests are rare, gaps and ends differ by chance
    if gap < max(_BACK_S, _RARE * usual) or later < gap / 2:
        return None
    if abs(later - gap) > max(_APART_S, 0.2 * gap, 5 * usual):
        return None
    return _Jump(float(own[place + 1]), gap, float(len(own) - place - 1), ())


def _apart(observed: Observed, rows: Ints) -> _Jump | None:
    """Requests whose end is much further from their start than they took."""
    r = observed.requests
    took = r.completed[rows] - r.started[rows]
    off = took - r.duration_ms[rows] / 1000
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(np.abs(off) > _APART_S)
    if len(wrong) < 1 or len(wrong) > 0.2 * len(rows):
        return None
    middle = float(np.median(off[wrong]))
    alike = wrong[np.abs(off[wrong] - middle) < max(_APART_S, 0.2 * abs(middle))]
    # a clock jumps once: what does not fit lies together
    if len(alike) < 1 or np.ptp(r.at[rows[alike]]) > 120 + 2 * abs(middle):
        return None
    if len(alike) < _LEAST_APART and abs(middle) < _BACK_S:
        return None
    first = rows[alike]
    return _Jump(float(r.at[first].min()), middle, float(len(alike)), tuple(int(i) for i in first))
