"""Looks again at what stands between stretches that are stored: edited lines, or new ones."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import tzinfo
from itertools import pairwise
from typing import NamedTuple

from ingest.records.moments import Clock, Stamp, stamp_within
from ingest.rows.content import LEAST_STAMPED, Group, Lines, Stretch, lines_of
from ingest.rows.edits import Between, resolved, stored_between

# of a known stretch, in which the time of its last or first line is looked for
_AROUND_BYTES = 4096
_MOST_BYTES = 4 << 20  # between two stretches: more is no edit
_STAMP_BYTES = 128  # of a line
_CUT_BYTES = 64 << 10  # before a stretch: no longer line is what is left of one

Groups = Callable[[Stretch], Sequence[Group]]


def looked_at_again(
    stretches: Sequence[Stretch],
    blocks: Iterable[tuple[bytes, int]],
    groups: Groups,
    clock: Callable[[], Clock],
    last_instant: Callable[[int], int | None],
    is_in_place: Callable[[Stretch], bool],
) -> list[Stretch]:
    """The stretches, with what proves to be new cut out of those that passed for edited.

    ``blocks`` are the file's bytes, ``groups`` gives the stored lines of a stretch; a new ``clock``
    reads each place's times, ``last_instant`` gives that of the last stored line of a file,
    microseconds UTC, and ``is_in_place`` says whether a place's stored file is this one.
    """
    wanted = [s for s in stretches if s.is_edited]
    if not wanted:
        return list(stretches)
    by_end = {s.end: s for s in stretches if not s.is_edited}
    by_begin = {s.begin: s for s in stretches if not s.is_edited}
    told = Counter[int]()
    for s in by_begin.values():
        told[s.stored_file_key] += s.stamped
    places = [
        _Place(
            s, by_end.get(s.begin), by_begin.get(s.end), is_in_place(s),
            told[s.stored_file_key],
        )
        for s in wanted
    ]  # fmt: skip
    found: dict[int, list[Stretch]] = {}
    for place, (data, base) in zip(
        places, _excerpts(blocks, [p.span for p in places]), strict=True
    ):
        stored = groups(place.edited)
        last = last_instant(place.edited.stored_file_key)
        found[place.edited.begin] = _at(place, data, base, stored, clock(), last)
    return [p for s in stretches for p in (found[s.begin] if s.is_edited else [s])]


class _Place(NamedTuple):
    """Bytes that pass for edited, between known ones."""

    edited: Stretch
    before: Stretch | None
    behind: Stretch | None
    is_in_place: bool
    told: int  # known lines of its file, with a time

    @property
    def span(self) -> tuple[int, int]:
        """The bytes with what is needed of the known ones."""
        begin, end = self.edited.begin, self.edited.end
        low = max(self.before.begin, begin - _AROUND_BYTES) if self.before is not None else begin
        high = min(self.behind.end, end + _AROUND_BYTES) if self.behind is not None else end
        return low, high


def _at(
    place: _Place,
    data: bytes,
    base: int,
    groups: Sequence[Group],
    clock: Clock,
    last_instant: int | None,
) -> list[Stretch]:
    edited = place.edited
    begin, end = edited.begin - base, edited.end - base
    if place.behind is None:  # a line that is not finished is no edited one
        end = data.rfind(b"\n", 0, end) + 1
        edited = edited._replace(end=base + end)
    if end <= begin or begin < 0 or end > len(data) or end - begin > _MOST_BYTES:
        return []
    lines = lines_of(data[begin:end], edited.begin, final=True)
    before, own, behind = (
        _stamps(piece, lines_of(piece, 0, final=True))
        for piece in (data[:begin], data[begin:end], data[end:])
    )
    known = [s for s in (*before, *behind) if s is not None]
    is_dated = any(s.days is not None for s in known)
    instants = [
        None if s is None or (is_dated and s.days is None) else clock.instant(s)
        for s in (*before, *own, *behind)
    ]
    first, end = len(before), len(before) + len(own)
    earliest = next((i for i in reversed(instants[:first]) if i is not None), None)
    follows = next((i for i in instants[end:] if i is not None), None)
    latest = last_instant if place.behind is None else follows
    tells_day = any(s is not None and s.days is not None for s in own)
    if latest is not None and last_instant is not None and tells_day:
        latest = min(latest, last_instant)  # later than all that is stored: no edit of it
    pieces = resolved(
        Between(
            edited,
            lines,
            instants[first:end],
            stored_between(groups, edited),
            earliest,
            latest,
            is_first=place.before is None,
            is_last=place.behind is None,
            is_in_place=place.is_in_place,
            told=LEAST_STAMPED if tells_day else place.told,
        )
    )
    if place.is_in_place or (place.before is not None and place.behind is not None):
        return pieces
    # in another file, what stands beside the outermost lines that are the same may be anybody's
    same = [n for n, piece in enumerate(pieces) if not piece.is_edited]
    if not same:
        return []
    return pieces[same[0] :] if place.before is None else pieces[: same[-1] + 1]


def with_cut_lines(
    stretches: Sequence[Stretch],
    blocks: Iterable[tuple[bytes, int]],
    offset: int,
    may_be_left_of: Callable[[int], bool],
) -> list[Stretch]:
    """The stretches; where one line without a time is all that stands before one, at the file's
    new beginning, under a hole or behind what is known, with that line: it is what somebody who
    cut a log has left of the stored line there.

    ``blocks`` are the file's bytes from ``offset`` on; NUL bytes are a hole. ``may_be_left_of``
    says whether the file may hold what is left of a stored one.
    """
    result = list(stretches)
    places: list[tuple[int, int, int]] = []  # number of a stretch, and the bytes before it
    end = offset
    for n, s in enumerate(result):
        if end < s.begin and may_be_left_of(s.stored_file_key):
            places.append((n, max(end, s.begin - _CUT_BYTES), s.begin))
        end = s.end
    excerpts = _excerpts(blocks, [(low, high) for _, low, high in places])
    for (n, low, high), (data, base) in zip(places, excerpts, strict=True):
        cut = data.rpartition(b"\0")[2] if base + len(data) == high else b""
        is_whole = len(cut) < len(data) or base > low or low > high - _CUT_BYTES
        size, first = len(cut), result[n]
        if not size or not is_whole or cut.find(b"\n") != size - 1 or size > _room(first):
            continue
        if not lines_of(cut, 0, final=True).stamped.any():
            at = first.stored_offset - (0 if first.is_edited else size)
            result[n] = first._replace(begin=first.begin - size, stored_offset=at)
    return result


def _room(stretch: Stretch) -> int:
    """Bytes of the stored file that what is left of a line before a stretch may be of."""
    if not stretch.is_edited:
        return stretch.stored_offset
    return stretch.stored_end - stretch.stored_offset - (stretch.end - stretch.begin)


def _stamps(data: bytes, lines: Lines) -> list[Stamp | None]:
    """The time in each line."""
    begins = lines.begins.tolist()
    return [
        stamp_within(data[begin : min(end, begin + _STAMP_BYTES)]) if is_stamped else None
        for (begin, end), is_stamped in zip(pairwise(begins), lines.stamped.tolist(), strict=True)
    ]


def clocks(tz: tzinfo, modified: int) -> Callable[[], Clock]:
    """Clocks for the times of one file, ``modified`` in microseconds UTC; see :class:`Clock`."""
    return lambda: Clock(tz, modified, None, None)


def _excerpts(
    blocks: Iterable[tuple[bytes, int]], spans: Iterable[tuple[int, int]]
) -> Iterator[tuple[bytes, int]]:
    """The bytes of each span, as far as there are any, and their offset; spans are in order."""
    more, data, base = iter(blocks), b"", 0
    for low, high in spans:
        if low > base:
            data, base = data[low - base :], min(low, base + len(data))
        while base + len(data) < high:
            block = next(more, None)
            if block is None:
                break
            new, at = block
            if at != base + len(data):
                data, base = new, at
            else:
                data += new
            if base + len(data) < low:
                data, base = b"", base + len(data)
            elif base < low:
                data, base = data[low - base :], low
        yield data[: max(0, high - base)], base
