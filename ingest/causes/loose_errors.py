"""Errors of no request: when do they come more often than they did?"""

import numpy as np

from ingest.causes.columns import WARNING as WARNING_LEVEL
from ingest.causes.columns import Bools, Floats, Observed
from ingest.causes.findings import CRITICAL, NOTE, Finding
from ingest.causes.scan import BUCKETS, EDGE_COST, x_log_x
from ingest.causes.symptoms import ERRORS, MIN_K

_LEAST_NET = 8.0
_WEIGHT = 0.5
_TIMES_USUAL = 1.5


def loose_errors(observed: Observed) -> list[Finding]:
    """One finding a kind of error: its code or its message, and where it was raised."""
    records = observed.records
    loose = ~records.owned & (records.level > WARNING_LEVEL)
    found = []
    kinds = records.code.codes.astype(np.int64) * (len(records.location.values) + 1)
    kinds += records.location.codes + 1
    for kind in np.unique(kinds[loose]):
        rows = loose & (kinds == kind)
        if rows.sum() >= MIN_K:
            found.append(_finding(observed, rows))
    return found


def _finding(observed: Observed, rows: Bools) -> Finding:
    records = observed.records
    at = records.at[rows]
    place = int(np.flatnonzero(rows)[0])
    code, location = records.code.codes[place], records.location.codes[place]
    # without instants nothing can be said of when
    span = _window(observed, at) if records.dated[rows].all() else None
    inside = np.ones(len(at), bool) if span is None else (at >= span[0]) & (at <= span[1])
    to_end = span is None or span[1] >= at[-1]
    host = np.unique(records.host.codes[rows])
    return Finding(
        ERRORS, NOTE if span is None else CRITICAL, "standing" if span is None else "began",
        code=str(records.code.values[code]) if code >= 0 else None,
        location=str(records.location.values[location]) if location >= 0 else None,
        since=None if span is None or span[2] else float(at[inside][0]),
        until=None if to_end else float(at[inside][-1]),
        affected=float(inside.sum()), excess=float(inside.sum()),
        net=0.0 if span is None else span[3],
        gain=0.0 if span is None else span[3] + 2 * EDGE_COST,
        score=_WEIGHT * float(inside.sum()) * (0.5 if span is None else 1.0),
        subject=str(records.host.values[host[0]]) if len(host) == 1 else None,
        keys=tuple(int(k) for k in records.key[rows][inside][::-1][:10]), of_records=True,
    )  # fmt: skip


def _window(observed: Observed, at: Floats) -> tuple[float, float, bool, float] | None:
    """Since, until, whether it begins with the log, net gain; by clock and requests alike."""
    by_clock = np.linspace(observed.since, observed.until, BUCKETS + 1)
    edges = [by_clock]
    if len(observed.requests) >= BUCKETS:
        cuts = np.quantile(observed.requests.at, np.linspace(0, 1, BUCKETS + 1))
        cuts[0], cuts[-1] = observed.since, observed.until
        edges.append(cuts)
    found = [_poisson(np.histogram(at, e)[0].astype(np.float64), e) for e in edges]
    if any(f is None for f in found):
        return None
    return min((f for f in found if f is not None), key=lambda f: f[3])


def _poisson(count: Floats, edges: Floats) -> tuple[float, float, bool, float] | None:
    """The window of equal buckets with most errors too many; None where the net is too small."""
    first, last = np.triu_indices(BUCKETS + 1, 1)
    upto = np.concatenate([[0.0], np.cumsum(count)])
    inside, share = upto[last] - upto[first], (last - first) / BUCKETS
    total = upto[-1]
    outside, rest = total - inside, 1 - share
    more = inside * rest > _TIMES_USUAL * outside * share
    value = (
        x_log_x(inside) - inside * np.log(np.maximum(total * share, 1e-12))
        + x_log_x(outside) - outside * np.log(np.maximum(total * rest, 1e-12))
    )  # fmt: skip
    net = np.where(more, value, 0.0) - EDGE_COST * ((first > 0) + 0.0 + (last < BUCKETS))
    best = int(np.argmax(net))
    if net[best] < _LEAST_NET or inside[best] < MIN_K:
        return None
    return (
        float(edges[first[best]]), float(edges[last[best]]), bool(first[best] == 0),
        float(net[best])
    )  # fmt: skip
