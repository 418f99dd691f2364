"""All parts of an id → its requests: a function of the set of parts, not of their order; pure.

The rules are those of docs/parsing.md, "Requests" 2 and 3. None of them uses a file's key, which
files get as they arrive: where instants tie, the content of the parts decides. Instants are
microseconds since the epoch.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, groupby

from ingest.rows.parts import Group, Part, merge, own_key
from ingest.rows.spans import EPOCH, GRACE_US, JOIN_GAP_US

Place = tuple[int, int]
Order = tuple[int, int, int]

# Kinds of parts in their order within one instant: first a start, last an end, then errors.
START, STRAY, END, ERRORS = 0, 1, 2, 3
_DAY_US = 86_400_000_000
_MS = 1000  # microseconds


@dataclass(slots=True, eq=False)
class Mark:
    """What the grouping of a part goes by.

    :ivar has_end: of a START: the part is whole, a request by itself.
    :ivar ended: instant of its end, else its last one; never before ``at``.
    :ivar took: what an END says the request took, 0 where unknown or more than a day.
    :ivar key: the request that a stored part belongs to so far; None for a new part.
    :ivar is_pinned: the part stays with its request: nothing near it has changed.
    """

    place: Place
    kind: int
    has_end: bool
    at: int
    last: int
    ended: int
    took: int
    key: int | None = None
    is_pinned: bool = False

    @property
    def order(self) -> Order:
        """Where it stands among the parts of its id, in time."""
        return self.at, self.kind, self.place[1]

    @property
    def is_loose(self) -> bool:
        """Whether it has either a start or an end, and waits for the other."""
        return self.kind == END or (self.kind == START and not self.has_end)


Content = Callable[[Mark], str]  # what a part holds, to tell parts apart that are alike in all else


@dataclass(slots=True, eq=False)
class Found:
    """A request: ``core`` has the parts with its start and end, ``strays`` those that joined by
    time.

    ``guests`` are parts that have only errors. The core is empty where neither start nor end is
    known.
    """

    core: list[Mark]
    first: int
    last: int
    strays: list[Mark] = field(default_factory=list)
    guests: list[Mark] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        """Whether it has started and not ended."""
        return len(self.core) == 1 and self.core[0].kind == START and not self.core[0].has_end

    @property
    def frame(self) -> list[Mark]:
        """The parts that say when it was: its core, else all."""
        return self.core or self.strays

    def members(self) -> list[Mark]:
        """All its parts: a start, then the others in time, then its guests."""
        head = self.core[:1] if self.core and self.core[0].kind == START else []
        rest = sorted([*self.core[len(head) :], *self.strays], key=_order)
        return [*head, *rest, *sorted(self.guests, key=_order)]


@dataclass(frozen=True, slots=True)
class Grouping:
    """The requests of an id, and its parts of errors that belong to none."""

    requests: list[Found]
    alone: list[Mark]


def _order(mark: Mark) -> Order:
    return mark.order


def arranged(marks: Iterable[Mark], content: Content) -> list[Mark]:
    """Parts in their order; what they hold is looked at only where all else ties."""
    result: list[Mark] = []
    for _, tied in groupby(sorted(marks, key=_order), key=_order):
        same = list(tied)
        result += same if len(same) == 1 else sorted(same, key=content)
    return result


def find_requests(
    marks: Iterable[Mark], content: Content, moved: Sequence[Order] | None = None
) -> Grouping:
    """Group the parts of one id: all there are, or those near changed ones.

    ``moved`` are the orders, sorted, of parts that are new or have grown, and of the latter before
    they grew; None: all. Parts with no such order between them are joined only if they were before.
    """
    ordered = arranged(marks, content)
    loose = [m for m in ordered if m.is_loose]
    whole = [Found([m], m.at, m.ended) for m in ordered if m.kind == START and m.has_end]
    cores = sorted([*whole, *_pairs(loose, moved)], key=lambda r: r.core[0].order)
    strays = [m for m in ordered if m.kind == STRAY]
    unhosted = _hosted(strays, cores, loose, is_guest=False)
    requests = cores + _clusters(unhosted)
    guests = [m for m in ordered if m.kind == ERRORS]
    return Grouping(requests, _hosted(guests, requests, loose, is_guest=True))


def _pairs(loose: Sequence[Mark], moved: Sequence[Order] | None) -> list[Found]:
    """Requests of parts with a start or an end only: an end goes to the start right before it."""
    requests: list[Found] = []
    before: Mark | None = None
    for mark in loose:
        if mark.kind == START:
            requests.append(Found([mark], mark.at, mark.at))
        elif before is not None and before.kind == START and _may_join(before, mark, moved):
            requests[-1].core.append(mark)
            requests[-1].last = max(before.at, mark.ended)
        else:
            requests.append(Found([mark], mark.at, mark.ended))
        before = mark
    return requests


def _may_join(start: Mark, end: Mark, moved: Sequence[Order] | None) -> bool:
    if end.at - start.last > JOIN_GAP_US:
        return False
    if moved is None or (start.key is not None and start.key == end.key):
        return True
    return bisect_left(moved, start.order) < bisect_right(moved, end.order)


def _clusters(unhosted: Sequence[Mark]) -> list[Found]:
    """Requests without start and end: parts of one day (UTC), each within GRACE of the last."""
    clusters: list[Found] = []
    for mark in unhosted:
        at = clusters[-1] if clusters else None
        is_near = at is not None and mark.at - at.last <= GRACE_US
        if at is not None and is_near and mark.at // _DAY_US == at.first // _DAY_US:
            at.strays.append(mark)
            at.last = max(at.last, mark.last)
        else:
            clusters.append(Found([], mark.at, mark.last, strays=[mark]))
    return clusters


def _hosted(
    marks: Sequence[Mark], requests: Sequence[Found], loose: Sequence[Mark], *, is_guest: bool
) -> list[Mark]:
    """Put parts to the requests that they belong to; return those that belong to none."""
    if not marks:
        return []
    hosts = _Hosts(requests, loose)
    unhosted = []
    for mark in marks:
        request = hosts.before(mark) if mark.is_pinned else hosts.of(mark.at)
        if request is None:
            unhosted.append(mark)
        else:
            (request.guests if is_guest else request.strays).append(mark)
    return unhosted


class _Hosts:
    """Finds the request that a part without start and end belongs to."""

    def __init__(self, requests: Sequence[Found], loose: Sequence[Mark]) -> None:
        self._by_first = sorted(requests, key=lambda r: (r.first, r.frame[0].order))
        self._firsts = [r.first for r in self._by_first]
        self._latest = list(accumulate((r.last for r in self._by_first), max))
        self._by_last = sorted(self._by_first, key=lambda r: r.last)
        self._lasts = [r.last for r in self._by_last]
        self._of_core = {m.place: r for r in requests for m in r.core}
        self._loose = loose
        self._loose_at = [m.at for m in loose]
        self._starts = [m for m in loose if m.kind == START]
        self._started_at = [m.at for m in self._starts]
        self._by_key: dict[int, Found] = {}
        for request in requests:
            for mark in request.frame:
                if mark.key is not None:
                    self._by_key.setdefault(mark.key, request)

    def before(self, mark: Mark) -> Found | None:
        """The request that a stored part belongs to."""
        return None if mark.key is None else self._by_key.get(mark.key)

    def of(self, at: int) -> Found | None:
        """The request that spans the instant and began last, else the nearest, else an open one."""
        return self._spanning(at) or self._ending(at) or self._near(at) or self._open(at)

    def _spanning(self, at: int) -> Found | None:
        i = bisect_right(self._firsts, at) - 1
        while i >= 0 and self._latest[i] >= at:
            if self._by_first[i].last >= at:
                return self._by_first[i]
            i -= 1
        return None

    def _ending(self, at: int) -> Found | None:
        """The next request with only an end, if its reported duration reaches back far enough."""
        i = bisect_right(self._loose_at, at)
        if i == len(self._loose) or self._loose[i].kind != END:
            return None
        end = self._loose[i]
        request = self._of_core[end.place]
        is_alone = request.core[0] is end
        return request if is_alone and end.took and end.ended - end.took <= at else None

    def _near(self, at: int) -> Found | None:
        before = bisect_left(self._lasts, at) - 1
        behind = bisect_right(self._firsts, at)
        ago = at - self._lasts[before] if before >= 0 else GRACE_US + 1
        till = self._firsts[behind] - at if behind < len(self._firsts) else GRACE_US + 1
        if min(ago, till) > GRACE_US:
            return None
        return self._by_last[before] if ago <= till else self._by_first[behind]

    def _open(self, at: int) -> Found | None:
        i = bisect_right(self._started_at, at) - 1
        if i < 0 or at - self._started_at[i] > JOIN_GAP_US:
            return None
        request = self._of_core[self._starts[i].place]
        return request if request.is_open else None


def mark_of(part: Part, key: int | None = None) -> Mark:
    """What the grouping of a part goes by; ``key`` as in :class:`Mark`."""
    at, last = _micros(part.logged_at), _micros(part.last_at)
    ended = _micros(part.completed_at) if part.has_end and part.completed_at else last
    return Mark(
        part.place, kind_of(part.is_request, part.has_start, part.has_end),
        part.has_start and part.has_end, at, last, max(at, ended),
        took_us(part.duration_ms) if part.has_end else 0, key,
    )  # fmt: skip


def kind_of(is_request: bool, has_start: bool, has_end: bool) -> int:
    """The kind of a part."""
    if has_start:
        return START
    return END if has_end else STRAY if is_request else ERRORS


def took_us(duration_ms: object) -> int:
    """How long a request took by what its end says; 0 where that is nothing to go by."""
    if not isinstance(duration_ms, int | float) or isinstance(duration_ms, bool):
        return 0
    return int(duration_ms * _MS) if 0 < duration_ms * _MS <= JOIN_GAP_US else 0


def _micros(at: datetime) -> int:
    passed = at - EPOCH
    return (passed.days * 86_400 + passed.seconds) * 1_000_000 + passed.microseconds


def group(parts: Iterable[Part]) -> list[Group]:
    """Requests of one id (one host and service) from all its parts; errors may stay single."""
    by_place = {p.place: p for p in parts}
    found = find_requests(
        [mark_of(p) for p in by_place.values()], lambda m: content_of(by_place[m.place])
    )
    groups = [merged([by_place[m.place] for m in r.members()], r) for r in found.requests]
    return groups + [alone(by_place[m.place]) for m in found.alone]


def content_of(part: Part) -> str:
    """What a part holds, but for where it stands."""
    return repr(
        (part.is_request, part.end_columns, part.completed_at, part.values, part.attributes)
    )


def merged(parts: Sequence[Part], found: Found) -> Group:
    """The request that parts make, given as :meth:`Found.members` has them."""
    guests = len(found.guests)
    whole, *others = parts[: len(parts) - guests]
    for part in others:
        whole = merge(whole, part)
    head = found.frame[0].place
    key = own_key(next(p for p in parts if p.place == head))
    return Group(tuple(p._replace(request_key=key) for p in parts), whole._replace(request_key=key))


def alone(part: Part) -> Group:
    """A part of errors that belongs to no request."""
    single = part._replace(request_key=own_key(part))
    return Group((single,), single)
