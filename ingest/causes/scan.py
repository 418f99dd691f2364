"""The scan: of which rows, and when, is a thing so much more frequent that saying so is worth its
cost?

A thing is a yes or no a row. Rows lie in buckets of time, equally many in each, so that neither the
hour of the day nor a gap matters. For a slice of the rows and a window of buckets, the gain is what
the log-likelihood grows by when the rate inside may differ from that outside (Kulldorff, A spatial
scan statistic, 1997); the net is the gain less what it costs to name the slice and the window (a
description length, in nats).
"""

from dataclasses import dataclass

import numpy as np

from ingest.causes.columns import Codes, Floats, Ints

BUCKETS = 48
_FROM, _TO = (a.astype(np.int64) for a in np.triu_indices(BUCKETS + 1, 1))
_EDGES = (_FROM > 0).astype(np.float64) + (_TO < BUCKETS)
EDGE_COST = float(np.log(BUCKETS))  # an edge is one of so many
_EXACT = (BUCKETS - 2) // 2  # affected rows up to which every window of them is tried


def x_log_x(x: Floats) -> Floats:
    """x ln x, 0 at 0; what rounding has made negative counts as 0."""
    positive = np.maximum(x, 0.0)
    return np.asarray(positive * np.log(np.where(positive > 0, positive, 1.0)))


def gain(k: Floats, n: Floats, k_all: float, n_all: float) -> Floats:
    """Nats gained if k of n inside, of k_all of n_all, have a higher rate of their own; else 0."""
    k, n = np.asarray(k, np.float64), np.asarray(n, np.float64)
    k_out, n_out = k_all - k, n_all - n
    inside = x_log_x(k) + x_log_x(n - k) - x_log_x(n)
    outside = x_log_x(k_out) + x_log_x(n_out - k_out) - x_log_x(n_out)
    whole = np.asarray([k_all, n_all - k_all, n_all])
    one_rate = x_log_x(whole) @ np.asarray([1.0, 1.0, -1.0])
    return np.where(k * n_out > k_out * n, inside + outside - one_rate, 0.0)


def buckets_of(weight: Floats) -> Ints:
    """The bucket of each row, int64[n]: equal shares of the weight, in the rows' order."""
    upto = np.cumsum(weight)
    if not len(upto) or upto[-1] <= 0:
        return np.zeros(len(weight), np.int64)
    middle = upto - weight / 2
    return np.asarray(np.minimum(middle * (BUCKETS / upto[-1]), BUCKETS - 1).astype(np.int64))


def buckets_around(affected: Ints, rows: int) -> tuple[Ints, float]:
    """The bucket of each of so many rows, with borders at the ``affected`` ones (their places, in
    order); and an edge's cost.

    Few affected rows have a border on either side, so that every window of them is tried; of many,
    one in so many has. The other borders lie equally far apart.
    """
    if len(affected) <= _EXACT:
        around = np.concatenate([affected, affected + 1])
        cost = float(np.log(max(rows, BUCKETS)))
    else:
        around = affected[np.linspace(0, len(affected) - 1, BUCKETS // 2).astype(np.int64)]
        cost = EDGE_COST
    around = np.unique(around[(around > 0) & (around < rows)])
    rest = BUCKETS - 1 - len(around)
    regular = np.linspace(0, rows, rest + 2)[1:-1].astype(np.int64)
    borders = np.unique(np.concatenate([around, regular[regular > 0]]))
    return np.searchsorted(borders, np.arange(rows), side="right"), cost


def tally(codes: Codes | Ints, size: int, bucket: Ints, weight: Floats | None) -> Floats:
    """Rows, or their weight, by code and bucket: float64[size, BUCKETS]; -1 counts nowhere."""
    place = (codes.astype(np.int64) + 1) * BUCKETS + bucket
    flat = np.bincount(place, weights=weight, minlength=(size + 1) * BUCKETS)
    return flat.reshape(size + 1, BUCKETS)[1:].astype(np.float64)


@dataclass(frozen=True, slots=True)
class Hit:
    """The best slice and window of a scan: ``first`` <= bucket < ``last``."""

    slice: int
    first: int
    last: int
    k: float
    n: float
    net: float

    @property
    def edges(self) -> int:
        """How many ends of the window lie inside the log."""
        return int(self.first > 0) + int(self.last < BUCKETS)


def best_window(
    k: Floats,
    n: Floats,
    totals: tuple[float, float],
    cost: Floats | float,
    floor: float = 0.0,
    edge_cost: float = EDGE_COST,
) -> Hit | None:
    """The slice (a row of ``k`` and ``n``, float64[slices, BUCKETS]) and window of the greatest net
    above ``floor``.

    ``cost`` is that of naming each slice. Slices that could not reach the floor in any window are
    not looked at.
    """
    k_all, n_all = totals
    costs = np.broadcast_to(np.asarray(cost, np.float64), (len(k),))
    most = k.sum(axis=1)
    alive = np.flatnonzero(gain(most, most, k_all, n_all) - costs > floor)
    if not len(alive):
        return None
    k_upto = _upto(k[alive])
    n_upto = _upto(n[alive])
    inside_k = k_upto[:, _TO] - k_upto[:, _FROM]
    inside_n = n_upto[:, _TO] - n_upto[:, _FROM]
    net = gain(inside_k, inside_n, k_all, n_all) - edge_cost * _EDGES - costs[alive][:, None]
    place = int(np.argmax(net))
    row, window = divmod(place, len(_FROM))
    if net[row, window] <= floor:
        return None
    return Hit(
        int(alive[row]), int(_FROM[window]), int(_TO[window]),
        float(inside_k[row, window]), float(inside_n[row, window]), float(net[row, window]),
    )  # fmt: skip


def _upto(counts: Floats) -> Floats:
    """Sums of the buckets before each, float64[slices, BUCKETS + 1]."""
    upto = np.zeros((len(counts), counts.shape[1] + 1))
    np.cumsum(counts, axis=1, out=upto[:, 1:])
    return upto


def best_split(k: Floats, n: Floats, k_all: float, n_all: float) -> int:
    """Of places in an order with k of n at each, float64[m]: from which one on is the gain the
    greatest?

    ``k_all`` and ``n_all`` count everything, what is not given here too.
    """
    return int(np.argmax(gain(k[::-1].cumsum()[::-1], n[::-1].cumsum()[::-1], k_all, n_all)))
