"""Lines between two stretches that are stored: which of them are stored lines, perhaps edited, and
which are new (docs/design.md); pure.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ingest.rows.alignment import matching_blocks
from ingest.rows.content import LEAST_STAMPED, Group, Lines, Stretch

_SAME, _EDITED, _NEW, _ADDED = range(4)


class Between(NamedTuple):
    """What stands where stored lines are missing.

    ``place`` spans it in both files; ``lines`` are the lines there, ``instants`` when each says it
    was logged (None: it does not say), ``stored`` the hashes of the lines missing, uint16[n].
    ``earliest`` and ``latest`` are the instants of the known lines around it, None where there is
    none. ``is_first``: before it nothing is known, so that half a line may be what was cut off;
    ``is_last``: behind it nothing is, so that more lines may follow the edited ones.
    ``is_in_place``: it is the stored file itself, in which nobody else writes, unless few lines of
    it are known behind this place (``told``, those with a time; enough where lines name a day): a
    new log may end as the one before it did.
    """

    place: Stretch
    lines: Lines
    instants: Sequence[int | None]
    stored: npt.NDArray[np.uint16]
    earliest: int | None = None
    latest: int | None = None
    is_first: bool = False
    is_last: bool = False
    is_in_place: bool = False
    told: int = LEAST_STAMPED

    @property
    def may_be_edited(self) -> bool:
        """Whether what stands here in place may be edited lines: no more than are known behind it,
        or as many as are missing.
        """
        least = min(LEAST_STAMPED, int(self.lines.stamped.sum()))
        return not self.is_first or self.told >= least or len(self.lines) == len(self.stored)


def stored_between(groups: Sequence[Group], place: Stretch) -> npt.NDArray[np.uint16]:
    """The hashes of a file's lines at a place, of all groups that reach into it, in order."""
    begin, end = place.stored_offset, place.stored_end
    found = [np.empty(0, np.uint16)]
    for group in groups:
        if group.end <= begin or group.byte_offset >= end:
            continue
        lows = group.lows()
        first = place.first_lines if group.byte_offset < begin else 0
        last = len(lows) - (place.last_lines if group.end > end else 0)
        found.append(lows[first:last])
    return np.concatenate(found)


def resolved(between: Between) -> list[Stretch]:
    """What of it is stored, the edited parts marked as such; the rest of it is new.

    A record is a line with a time and those without one behind it. One whose first line is stored
    is stored, edited where another line is not. One whose first line stands in for a stored line is
    that line, edited, if its time lies between those of the known lines around it: an edit leaves
    times alone, and what was written over a log is younger than what was there. In the stored file
    itself all that is not younger is an edit.
    """
    n = len(between.lines)
    if not n:
        return []
    kinds = _kinds(between)
    pieces: list[Stretch] = []
    for first, end in _records(between.lines):
        kind = _kind_of(between, kinds, first, end)
        if kind == _NEW:
            continue
        begins = between.lines.begins
        begin = between.place.begin if first == 0 else int(begins[first])
        stop = between.place.end if end == n else int(begins[end])
        _add(pieces, between.place._replace(
            begin=begin, end=stop, is_edited=kind == _EDITED, first_lines=0, last_lines=0,
        ))  # fmt: skip
    return pieces


def _add(pieces: list[Stretch], more: Stretch) -> None:
    if pieces and pieces[-1].end == more.begin and pieces[-1].is_edited == more.is_edited:
        pieces[-1] = pieces[-1]._replace(end=more.end)
    else:
        pieces.append(more)


def _records(lines: Lines) -> Iterator[tuple[int, int]]:
    """First and end of each record's lines; those before the first time belong together."""
    n = len(lines)
    firsts = np.flatnonzero(lines.stamped).tolist()
    cuts = sorted({0, *firsts, n})
    yield from pairwise(cuts)


def _kind_of(between: Between, kinds: Sequence[int], first: int, end: int) -> int:
    own = kinds[first:end]
    if not between.lines.stamped[first]:  # the end of a record
        if between.is_first and own[0] != _SAME:
            return _NEW
        return _SAME if all(kind == _SAME for kind in own) else _EDITED
    if own[0] == _SAME:
        return _SAME if all(kind == _SAME for kind in own) else _EDITED
    if own[0] == _ADDED:  # no stored line is missing there
        return _NEW
    instant, early, late = between.instants[first], between.earliest, between.latest
    if between.is_in_place and not between.is_last:
        if not between.may_be_edited:
            return _NEW
        if instant is not None and late is not None:
            return _NEW if instant > late else _EDITED
    if own[0] == _NEW:
        return _NEW
    if instant is None:
        return _NEW if between.is_last else _EDITED
    is_within = (early is None or early <= instant) and (late is None or instant <= late)
    return _EDITED if is_within and (early, late) != (None, None) else _NEW


def _kinds(between: Between) -> list[int]:
    """What each line is, by its hash alone: the same as a stored one, or in the place of one.

    A hash has 16 bits, so single lines may be alike by chance. They count where most of the stored
    lines are found, in their order, or most of these among many stored ones.
    """
    here = (between.lines.hashes & np.uint64(0xFFFF)).astype(np.uint16).tolist()
    there = between.stored.tolist()
    kinds = [_NEW] * len(here)
    blocks = matching_blocks(there, here)
    alike = sum(size for *_, size in blocks)
    are_most = 2 * alike >= len(there) or (alike >= LEAST_STAMPED and 2 * alike >= len(here))
    i = j = 0
    for a, b, size in blocks:
        if size == 1 and not are_most:
            continue
        kinds[b : b + size] = [_SAME] * size
        old, new = a - i, b - j
        records = int(between.lines.stamped[j:b].sum())
        if old and (new <= old or records <= old):
            kinds[j:b] = [_EDITED] * new
        elif between.is_last and b == len(here):
            kinds[j : j + old] = [_EDITED] * old
        elif not old and (i or size) and (j or not between.is_first):
            kinds[j:b] = [_ADDED] * new
        i, j = a + size, b + size
    return kinds
