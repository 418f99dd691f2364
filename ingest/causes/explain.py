"""One event → its best explanations: whose requests, and when."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from ingest.causes.columns import Bools, Floats, Ints, Rows, Value
from ingest.causes.dimensions import (
    CACHE_HIT,
    CONCURRENCY,
    TEXT_LEN,
    Condition,
    Dimension,
    round_bound,
)
from ingest.causes.scan import (
    BUCKETS,
    Hit,
    best_split,
    best_window,
    buckets_around,
    tally,
)
from ingest.causes.symptoms import CACHE_HITS, LATENCY, RTF, Event

LEAST_NET = 8.0  # nats: e^-8 is one chance in three thousand
_CONDITION_NET = 3.0  # what each condition must add to what is said without it
_VAGUE_NET = 12.0
_NEARLY_ALL = 0.9
_LENGTHS = 4  # lengths that are tried as an exact one
_EXACT_COST = 2.0
# of a length where it is allowed for already: what is left of it may be a curve that does not fit
_LENGTH_COST = 8.0
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Explanation:
    """Conditions and a window of buckets, and the rows of both, bool[n_requests]. ``k`` of ``n``
    inside, of ``k_all`` of ``n_all``.

    ``slice_rows`` meet the conditions at any time; ``rows`` in the window too. ``whole``: no
    condition, no window.
    """

    event: Event
    conditions: tuple[Condition, ...]
    first: int
    last: int
    k: float
    n: float
    k_all: float
    n_all: float
    net: float
    cost: float
    slice_rows: Bools
    rows: Bools

    @property
    def edges(self) -> int:
        """How many ends of the window lie inside the log."""
        return int(self.first > 0) + int(self.last < BUCKETS)

    @property
    def affected(self) -> Bools:
        """The affected rows that it explains."""
        return np.asarray(self.event.affected & self.rows)


@dataclass(frozen=True, slots=True)
class _Slices:
    """Slices of one dimension: each one's condition, affected and rows by bucket, its cost."""

    conditions: tuple[Condition, ...]
    k: Floats
    n: Floats
    cost: float


@dataclass(slots=True)
class Search:
    """The search for explanations of events of one population; what it counts once is kept."""

    requests: Rows
    dimensions: tuple[Dimension, ...]
    population: Bools
    weight: Floats
    bucket: Ints
    edge_cost: float
    symptom: str
    _counted: dict[str, Floats] = field(default_factory=dict)

    @classmethod
    def of(cls, requests: Rows, dimensions: tuple[Dimension, ...], event: Event) -> "Search":
        """The search for an event."""
        weight = requests.weight if event.weighted else np.ones(len(requests))
        kept = dimensions
        if event.symptom == CACHE_HITS:
            kept = tuple(d for d in dimensions if d.name in ("host", "instance"))
        affected = np.flatnonzero(event.affected & event.population)
        bucket, edge_cost = buckets_around(affected, len(requests))
        return cls(requests, kept, event.population, weight, bucket, edge_cost, event.symptom)

    def without(self, rows: Bools) -> "Search":
        """The same search among the other rows."""
        left = self.population & ~rows
        return replace(self, population=left, _counted={})

    def best(self, event: Event) -> Explanation | None:
        """The explanation of the greatest net, whatever it is; None where there is none at all."""
        affected = event.affected & self.population
        k_all = float(self.weight[affected].sum())
        n_all = float(self.weight[self.population].sum())
        if k_all <= 0 or k_all >= n_all:
            return None
        single = self._single(affected, self.population, k_all, n_all, 0.0, ())
        if not single:
            return None
        pair = self._pair(affected, single, k_all, n_all)
        found = max(
            single if pair is None else [*single, pair],
            key=lambda s: s[1].net - self.price(s[0]),
        )
        return self._explanation(event, found[0], found[1], found[2], k_all, n_all)

    def price(self, conditions: tuple[Condition, ...]) -> float:
        """What conditions must add to what is said without them; more, where nearly all requests
        meet one anyhow.
        """
        price, rows = 0.0, self.population
        for n, condition in enumerate(conditions):
            met = rows & self.rows_of((condition,))
            is_vague = met.sum() >= _NEARLY_ALL * rows.sum()
            # what fails late makes a crowd of what comes behind it
            is_crowd = n > 0 and condition.name == CONCURRENCY
            price += _VAGUE_NET if is_vague or is_crowd else _CONDITION_NET
            rows = met
        return price

    def _single(
        self,
        affected: Bools,
        within: Bools,
        k_all: float,
        n_all: float,
        cost: float,
        named: tuple[str, ...],
    ) -> list[tuple[tuple[Condition, ...], Hit, float]]:
        """The best slice per dimension of the rows ``within``, and the best of time alone."""
        found: list[tuple[tuple[Condition, ...], Hit, float]] = []
        floor = 0.0
        if not named:
            k = self._tally(None, affected)
            n = self._tally(None, within)
            hit = best_window(k, n, (k_all, n_all), 0.0, 0.0, self.edge_cost)
            if hit is not None:
                found.append(((), hit, 0.0))
                floor = hit.net / 2
        everyone = within is self.population
        for slices in self._slices(affected, within, named, everyone):
            costs = cost + slices.cost
            hit = best_window(slices.k, slices.n, (k_all, n_all), costs, floor, self.edge_cost)
            if hit is not None:
                found.append(((slices.conditions[hit.slice],), hit, costs))
                floor = max(floor, hit.net / 2)
        return found

    def _pair(
        self,
        affected: Bools,
        single: list[tuple[tuple[Condition, ...], Hit, float]],
        k_all: float,
        n_all: float,
    ) -> tuple[tuple[Condition, ...], Hit, float] | None:
        """The best two conditions, one of which is among the two best single ones."""
        alone = sorted((s for s in single if s[0]), key=lambda s: -s[1].net)[:2]
        found: list[tuple[tuple[Condition, ...], Hit, float]] = []
        for conditions, hit, cost in alone:
            if hit.net < alone[0][1].net / 2:
                continue
            within = self.population & self.rows_of(conditions)
            inside = self._single(
                affected & within, within, k_all, n_all, cost, (conditions[0].name,)
            )
            found += [((*conditions, *more), h, c) for more, h, c in inside]
        return max(found, key=lambda f: f[1].net, default=None)

    def rows_of(self, conditions: tuple[Condition, ...]) -> Bools:
        """Which rows meet all conditions."""
        rows = np.ones(len(self.requests), bool)
        by_name = {d.name: d for d in self.dimensions}
        for condition in conditions:
            rows &= by_name[condition.name].rows(condition)
        return rows

    def _tally(self, dimension: Dimension | None, rows: Bools) -> Floats:
        """The weight of the rows by value and bucket; of one value without a dimension."""
        chosen = np.flatnonzero(rows)
        bucket, weight = self.bucket[chosen], self.weight[chosen]
        if dimension is None:
            return tally(np.zeros(len(chosen), np.int32), 1, bucket, weight)
        return tally(dimension.codes[chosen], len(dimension.values), bucket, weight)

    def _slices(
        self, affected: Bools, within: Bools, named: tuple[str, ...], everyone: bool
    ) -> Iterator[_Slices]:
        is_time = self.symptom in (LATENCY, RTF)
        for d in self.dimensions:
            if d.name in named:
                continue
            naming = math.log(max(len(self.dimensions), 1))
            naming += _LENGTH_COST if is_time and d.name == TEXT_LEN else 0.0
            k = self._tally(d, affected)
            if not k.any():
                continue
            if everyone:
                if d.name not in self._counted:
                    self._counted[d.name] = self._tally(d, within)
                n = self._counted[d.name]
            else:
                n = self._tally(d, within)
            yield from _of_dimension(d, k, n, naming)
            if d.name == TEXT_LEN:
                yield from self._exact_lengths(d, affected, within, naming)

    def _exact_lengths(
        self, dimension: Dimension, affected: Bools, within: Bools, naming: float
    ) -> Iterator[_Slices]:
        """The lengths that are most frequent among the affected."""
        assert dimension.numbers is not None
        lengths, count = np.unique(dimension.numbers[affected], return_counts=True)
        known = ~np.isnan(lengths)
        lengths, count = lengths[known], count[known]
        chosen = lengths[np.argsort(-count, kind="stable")[:_LENGTHS]]
        if not len(chosen):
            return
        codes = np.full(len(self.requests), -1, np.int32)
        for place, length in enumerate(chosen):
            codes[dimension.numbers == length] = place
        values: tuple[Value, ...] = tuple(int(v) for v in chosen)
        exact = Dimension(TEXT_LEN, codes, values)
        cost = naming + math.log(max(len(dimension.values), 2)) + _EXACT_COST
        yield _Slices(
            tuple(Condition(TEXT_LEN, "=", v) for v in values),
            self._tally(exact, affected), self._tally(exact, within), cost,
        )  # fmt: skip

    def _explanation(
        self,
        event: Event,
        conditions: tuple[Condition, ...],
        hit: Hit,
        cost: float,
        k_all: float,
        n_all: float,
    ) -> Explanation:
        slice_rows = self.rows_of(conditions) & self.population
        in_window = (self.bucket >= hit.first) & (self.bucket < hit.last)
        found = Explanation(
            event, conditions, hit.first, hit.last, hit.k, hit.n, k_all, n_all, hit.net, cost,
            slice_rows, slice_rows & in_window,
        )  # fmt: skip
        return self._exact_bound(found) if hit.net >= LEAST_NET else found

    def _exact_bound(self, found: Explanation) -> Explanation:
        """The same with its bound of the length where the rows of the window tell it best."""
        at = next(
            (i for i, c in enumerate(found.conditions) if c.op != "=" and c.name == TEXT_LEN), None
        )
        if at is None:
            return found
        condition = found.conditions[at]
        lengths = self.requests.text_len
        others = self.rows_of(tuple(c for c in found.conditions if c is not condition))
        in_window = (self.bucket >= found.first) & (self.bucket < found.last)
        rows = np.flatnonzero(others & in_window & self.population & ~np.isnan(lengths))
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        bound = _bound(
            lengths[rows], found.event.affected[rows], self.weight[rows], condition.op, found
        )
        if bound is None:
            return found
        exact = tuple(
            Condition(TEXT_LEN, condition.op, bound) if i == at else c
            for i, c in enumerate(found.conditions)
        )
        slice_rows = self.rows_of(exact) & self.population
        inside = slice_rows & in_window
        return replace(
            found, conditions=exact, slice_rows=slice_rows, rows=inside,
            k=float(self.weight[inside & found.event.affected].sum()),
            n=float(self.weight[inside].sum()),
        )  # fmt: skip


def _bound(
    lengths: Floats, affected: Bools, weight: Floats, op: str, found: Explanation
) -> int | None:
    """The roundest bound that parts these rows, sorted by length, where the gain is greatest."""
    if op == "<":
        lengths, affected, weight = lengths[::-1], affected[::-1], weight[::-1]
    # a bound lies between two lengths: of each length, only its first row may begin a side
    begins = np.flatnonzero(np.diff(lengths, prepend=np.nan) != 0)
    if len(begins) < 2:
        return None
    k = np.add.reduceat(affected * weight, begins)
    n = np.add.reduceat(weight, begins)
    place = best_split(k, n, found.k_all, found.n_all)
    if place == 0:
        return None
    inner, outer = lengths[begins[place]], lengths[begins[place] - 1]
    if op == ">=":
        return round_bound(outer, inner)
    return round_bound(inner, outer)


def _of_dimension(d: Dimension, k: Floats, n: Floats, naming: float) -> Iterator[_Slices]:
    """Its slices: = each value, or >= (and <) each bound."""
    if d.numbers is None:
        cost = naming + math.log(max(len(d.values), 1))
        if d.name == CACHE_HIT:
            cost = naming + math.log(2)
        yield _Slices(tuple(Condition(d.name, "=", v) for v in d.values), k, n, cost)
        return
    cost = naming + math.log(max(len(d.values), 1))
    from_bound = [a[::-1].cumsum(axis=0)[::-1] for a in (k, n)]
    bounds = d.values[1:]
    yield _Slices(
        tuple(Condition(d.name, ">=", v) for v in bounds),
        from_bound[0][1:],
        from_bound[1][1:],
        cost,
    )
    if d.below:
        upto = [a.cumsum(axis=0) for a in (k, n)]
        yield _Slices(
            tuple(Condition(d.name, "<", v) for v in bounds), upto[0][:-1], upto[1][:-1], cost
        )


def explanations(
    requests: Rows, dimensions: tuple[Dimension, ...], event: Event
) -> tuple[list[Explanation], Explanation | None]:
    """Explanations worth their cost, each of what the earlier ones leave; the best other one."""
    search = Search.of(requests, dimensions, event)
    found: list[Explanation] = []
    for _ in range(_ROUNDS):
        best = search.best(event)
        if best is None:
            return found, None
        if best.net < LEAST_NET or best.k < 5:
            return found, best
        found.append(best)
        search = search.without(best.rows)
    return found, None
