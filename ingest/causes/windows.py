"""Since when and until when: a window's ends, found by row, and the kind of change."""

from dataclasses import dataclass, replace

import numpy as np

from ingest.causes.columns import Bools, Floats, Ints
from ingest.causes.dimensions import CONCURRENCY, TEXT, TEXT_LEN
from ingest.causes.explain import Explanation, Search
from ingest.causes.scan import BUCKETS, best_split, best_window, gain, tally
from ingest.causes.symptoms import FAILURES, MIN_K, UNFINISHED, WARNINGS

BEGAN, MIX, NEW, STANDING = "began", "mix", "new", "standing"
_OWN = 4.0  # nats that a slice's own history must give, beside the cost of the edges
_OWN_ROWS = 2  # rows outside the window that show a slice without the event
_SINCE = 6.0  # nats, for a window that is looked for after the slice
_NEW_EXPECTED, _NEW_ROWS = 10.0, 20.0
_THEIRS = 0.8
_NEVER_NEW = frozenset((TEXT, "text_class", TEXT_LEN, CONCURRENCY))
_OF_TRAFFIC = frozenset((FAILURES, UNFINISHED, WARNINGS))
_BESIDE = 2  # buckets on both sides of an end that is looked for by row


@dataclass(frozen=True, slots=True)
class Span:
    """From the first to the last affected instant; None: since before the log begins, or it goes
    on.

    ``kind``: it began (or ended) while its requests went on; there is more of what always failed
    (mix); its requests are new; or it was so all the time. ``share``: a mix's part of the window's
    traffic. ``first`` and ``last`` are the rows where the window begins and behind its end; ``key``
    is that of the first affected row where no instant is known of it.
    """

    kind: str
    since: float | None = None
    until: float | None = None
    share: float = 0.0
    first: int | None = None
    last: int | None = None
    key: int | None = None


def span_of(search: Search, found: Explanation) -> Span:
    """When an explanation holds."""
    in_slice = np.flatnonzero(found.slice_rows)
    affected = found.event.affected & found.slice_rows
    if found.edges and _own_history(search, found, affected):
        first, last = _refined(search, in_slice, affected, found.first, found.last)
        return _span(search, BEGAN, affected, first, last)
    new = _new_since(search, found, affected)
    if new is not None:
        return _span(search, NEW, affected, new, None)
    traffic = found.event.symptom in _OF_TRAFFIC
    rows = np.flatnonzero(search.population) if traffic else in_slice
    weight = search.weight[rows]
    one = np.zeros(len(rows), np.int32)
    k = tally(one, 1, search.bucket[rows], weight * affected[rows])
    n = tally(one, 1, search.bucket[rows], weight)
    hit = best_window(k, n, (float(k.sum()), float(n.sum())), 0.0, _SINCE, search.edge_cost)
    if hit is None or not hit.edges:
        return Span(STANDING)
    first, last = _refined(search, rows, affected, hit.first, hit.last)
    kind = MIX if traffic and found.conditions else BEGAN
    return _span(search, kind, affected, first, last, hit.k / hit.n)


def narrowed(search: Search, found: Explanation, span: Span) -> Explanation:
    """The explanation with the rows and counts of the window as it was found by row."""
    if span.kind != BEGAN:
        return found
    rows = found.slice_rows.copy()
    rows[: span.first or 0] = False
    if span.last is not None:
        rows[span.last :] = False
    k = float(search.weight[rows & found.event.affected].sum())
    n = float(search.weight[rows].sum())
    return replace(found, rows=rows, k=k, n=n) if k else found


def _own_history(search: Search, found: Explanation, affected: Bools) -> bool:
    """Whether the window stands out of what the slice itself did before and after."""
    weight = search.weight
    k_all, n_all = float(weight[affected].sum()), float(weight[found.slice_rows].sum())
    own = float(gain(np.asarray(found.k), np.asarray(found.n), k_all, n_all))
    if k_all - found.k <= 0 and n_all - found.n >= _OWN_ROWS:
        return own >= _OWN
    return own >= _OWN + search.edge_cost * found.edges


def _new_since(search: Search, found: Explanation, affected: Bools) -> int | None:
    """The first affected row of requests that were absent before, not by chance."""
    if not found.conditions or any(c.name in _NEVER_NEW for c in found.conditions):
        return None
    rows = np.flatnonzero(found.slice_rows)
    upto = np.cumsum(search.weight * search.population)
    before = upto[rows[0]] - search.weight[rows[0]]
    since = float(search.weight[rows].sum())
    share = since / max(upto[-1] - before, 1.0)
    # few are enough where it is theirs alone, and nearly all of them have it
    elsewhere = search.population & found.event.affected & ~found.slice_rows
    is_theirs = found.k >= _THEIRS * since and not elsewhere.any()
    if since < (MIN_K if is_theirs else _NEW_ROWS) or before * share < _NEW_EXPECTED:
        return None
    return int(np.flatnonzero(affected)[0])


def _refined(
    search: Search, rows: Ints, affected: Bools, first: int, last: int
) -> tuple[int | None, int | None]:
    """The row where the window begins and the one behind its end, None at the log's own ends.

    ``rows`` int64[m] in the order of time are what the window is looked for in.
    """
    weight, bucket = search.weight[rows], search.bucket[rows]
    k = weight * affected[rows]
    totals = float(k.sum()), float(weight.sum())
    start = stop = None
    low, high = np.searchsorted(bucket, [first, last])
    if first > 0:
        low = _edge(k, weight, bucket, first, high, totals)
        start = int(rows[low]) if low < len(rows) else None
    if last < BUCKETS:
        back = slice(None, None, -1)
        turned = BUCKETS - 1 - bucket[back]
        end = _edge(k[back], weight[back], turned, BUCKETS - last, len(rows) - int(low), totals)
        stop = int(rows[len(rows) - end - 1]) + 1 if end < len(rows) else None
    return start, stop


def _edge(
    k: Floats, n: Floats, bucket: Ints, first: int, end: int, totals: tuple[float, float]
) -> int:
    """The place, near the beginning of a bucket, from which to ``end`` the gain is the greatest."""
    low, high = np.searchsorted(bucket, [first - _BESIDE, first + _BESIDE])
    high = min(int(high), end)
    if high <= low:
        return int(low)
    rest = float(k[high:end].sum()), float(n[high:end].sum())
    k_part, n_part = k[low:high].copy(), n[low:high].copy()
    k_part[-1] += rest[0]
    n_part[-1] += rest[1]
    return int(low) + best_split(k_part, n_part, *totals)


def _span(
    search: Search, kind: str, affected: Bools, first: int | None, last: int | None,
    share: float = 0.0
) -> Span:  # fmt: skip
    """From the first affected row at ``first`` or later to the last one before ``last``."""
    rows = search.requests
    places = np.flatnonzero(affected)
    since = until = key = None
    later = places[places >= first] if first is not None else places[:0]
    earlier = places[places < last] if last is not None else places[:0]
    if len(later) and rows.dated[later[0]]:
        since = float(rows.at[later[0]])
    elif len(later):
        key = int(rows.key[later[0]])
    if len(earlier) and rows.dated[earlier[-1]]:
        until = float(rows.at[earlier[-1]])
    return Span(kind, since, until, share, first, last, key)
