"""What must be known of the stored parts of an id to group a batch's parts with them; pure.

Only what stands near a change is asked for. A change is a part that is new or has grown. Where it
turns a stored request into another one, the time of both is asked for in its turn (docs/design.md).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ingest.rows.grouping import (
    END,
    ERRORS,
    START,
    STRAY,
    Content,
    Found,
    Grouping,
    Mark,
    Order,
    Place,
    find_requests,
)
from ingest.rows.spans import GRACE_US, JOIN_GAP_US

_MOST_WINDOWS = 16  # of one id in one question; the nearest ones are asked for as one
_FAR = 1 << 62


@dataclass(slots=True)
class Windows:
    """Stretches of time, microseconds; they do not overlap, and are sorted."""

    lows: list[int] = field(default_factory=list)
    highs: list[int] = field(default_factory=list)

    def covers(self, low: int, high: int) -> bool:
        """Whether a stretch lies within one of these."""
        i = bisect_right(self.lows, low) - 1
        return i >= 0 and high <= self.highs[i]

    def add(self, stretches: Iterable[tuple[int, int]]) -> None:
        """Take in more; those that meet become one."""
        every = sorted([*zip(self.lows, self.highs, strict=True), *stretches])
        self.lows, self.highs = [], []
        for low, high in every:
            if self.highs and low <= self.highs[-1]:
                self.highs[-1] = max(self.highs[-1], high)
            else:
                self.lows.append(low)
                self.highs.append(high)


def few(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The stretches as not too many windows; more may lie within these."""
    windows = Windows()
    windows.add(stretches)
    pairs = list(zip(windows.lows, windows.highs, strict=True))
    if len(pairs) <= _MOST_WINDOWS:
        return pairs
    gaps = [(pairs[i + 1][0] - pairs[i][1], i) for i in range(len(pairs) - 1)]
    cuts = sorted(i for _, i in sorted(gaps)[-(_MOST_WINDOWS - 1) :])
    bounds = [-1, *cuts, len(pairs) - 1]
    return [(pairs[low + 1][0], pairs[high][1]) for low, high in pairwise(bounds)]


@dataclass(frozen=True, slots=True)
class _Time:
    """When a request may have parts that came by their time."""

    low: int
    high: int
    is_open: bool


class Meeting:
    """The parts of one id that have come together.

    ``is_known``: the store may have parts that are not here yet. ``content`` as for
    :func:`ingest.rows.grouping.find_requests`.
    """

    def __init__(self, content: Content, *, is_known: bool) -> None:
        self.marks: dict[Place, Mark] = {}
        self.changed: set[Place] = set()
        self._content = content
        self._is_known = is_known
        self._seen = Windows()  # everything in and around them is here, as far as it is in pieces
        self._looked = Windows()  # the same of whole requests
        self._moved: list[Order] = []
        self._old: dict[int, list[Mark]] = {}  # the parts of each stored request, as stored
        self._to_see: list[tuple[int, int]] = []
        self.grouping = Grouping([], [])

    def add_changed(self, mark: Mark, before: Mark | None = None) -> None:
        """Take in a part that is new, or what has become of ``before``."""
        if before is not None:
            self._remember(before)
            if before.kind == mark.kind:
                mark.key = before.key
        self.marks[mark.place] = mark
        self.changed.add(mark.place)
        if not self._is_known:
            return
        for at in (mark,) if before is None else (mark, before):
            self._moved.append(at.order)
            self._to_see.append((at.at, at.at))

    def add_stored(self, mark: Mark) -> None:
        """Take in a part as it is stored; one that is here stays."""
        self._remember(mark)
        self.marks.setdefault(mark.place, mark)

    def add_removed(self, mark: Mark) -> None:
        """Take note of a stored part that is there no more: what was near it may change."""
        self._remember(mark)
        self._moved.append(mark.order)
        self._to_see.append((mark.at, mark.at))

    def _remember(self, mark: Mark) -> None:
        assert mark.key is not None
        known = self._old.setdefault(mark.key, [])
        if all(m.place != mark.place for m in known):
            known.append(mark)

    def pieces_wanted(self) -> list[tuple[int, int]]:
        """Windows round which the store's pieces must be known; they count as seen from now on."""
        wanted = [w for w in self._to_see if not self._seen.covers(*w)]
        self._to_see.clear()
        asked = few(wanted)
        self._seen.add(asked)
        return asked

    def requests_wanted(self) -> list[tuple[int, int]]:
        """Windows round which the store's whole requests must be known, likewise."""
        strays = [m for m in self.marks.values() if m.kind in (STRAY, ERRORS)]
        at = [m.at for m in strays if self._is_free(m)]
        asked = few((a, a) for a in at if not self._looked.covers(a, a))
        self._looked.add(asked)
        return asked

    def _is_free(self, mark: Mark) -> bool:
        return (
            not self._is_known or mark.place in self.changed or self._seen.covers(mark.at, mark.at)
        )

    def find(self) -> bool:
        """Group what is here; return whether no more must be known for it."""
        for mark in self.marks.values():
            mark.is_pinned = mark.kind in (STRAY, ERRORS) and not self._is_free(mark)
        self._moved.sort()
        moved = self._moved if self._is_known else None
        self.grouping = find_requests(self.marks.values(), self._content, moved)
        if self._is_known:
            self._follow()
        return not any(not self._seen.covers(*w) for w in self._to_see)

    def _follow(self) -> None:
        """Note the times of requests that have become others than they were."""
        starts = sorted(m.at for m in self.marks.values() if m.kind == START and not m.has_end)
        gone = set(self._old)
        for request in self.grouping.requests:
            keys = {m.key for m in request.frame if m.key is not None}
            gone -= keys
            old = [_frame(self._old[key]) for key in keys if key in self._old]
            if self._is_same(request, old):
                self._to_see += self._reach(request)
                continue
            now = _time(request.frame, starts)
            self._to_see += _changes(now, [_time(frame, starts) for frame in old])
        for frame in filter(None, (_frame(self._old[key]) for key in gone)):
            time = _time(frame, starts)
            self._to_see.append((time.low, time.high))

    def _reach(self, request: Found) -> list[tuple[int, int]]:
        """The time of a request with an end alone, where something has moved in it.

        It reaches back to the next part before it that has a start or an end.
        """
        end = request.frame[0]
        if end.kind != END or not end.took:
            return []
        low = end.ended - end.took
        at = bisect_left(self._moved, end.order) - 1
        return [(low - GRACE_US, end.at)] if at >= 0 and self._moved[at][0] >= low else []

    def _is_same(self, request: Found, old: Sequence[Sequence[Mark]]) -> bool:
        places = {m.place for m in request.frame}
        return len(old) == 1 and not places & self.changed and {m.place for m in old[0]} == places


def _frame(parts: Sequence[Mark]) -> list[Mark]:
    """Of a stored request's parts those that say when it was."""
    core = [m for m in parts if m.kind in (START, END)]
    return core or [m for m in parts if m.kind == STRAY]


def _time(frame: Sequence[Mark], starts: Sequence[int]) -> _Time:
    """When the parts that join a request by time may begin; ``starts``: of starts without ends."""
    low, high = min(m.at for m in frame), max(m.ended for m in frame)
    if all(m.kind == STRAY for m in frame):
        high = max(m.last for m in frame)
    is_open = len(frame) == 1 and frame[0].kind == START and not frame[0].has_end
    if is_open:
        following = bisect_right(starts, low)
        until = starts[following] if following < len(starts) else _FAR
        high = max(low, min(low + JOIN_GAP_US, until))
    if len(frame) == 1 and frame[0].kind == END and frame[0].took:
        low = min(low, frame[0].ended - frame[0].took)
    return _Time(low - GRACE_US, high + GRACE_US, is_open)


def _changes(now: _Time, old: Sequence[_Time]) -> list[tuple[int, int]]:
    """The stretches in which other parts may belong to a request than before."""
    if len(old) != 1 or now.low != old[0].low or now.is_open != old[0].is_open:
        return [(t.low, t.high) for t in (now, *old)]
    low, high = sorted((now.high, old[0].high))
    return [] if low == high or now.is_open else [(low - GRACE_US, high)]
