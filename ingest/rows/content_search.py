"""Finds what of a stream of lines is stored (docs/design.md); pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ingest.rows.content import GROUP_LINES, LEAST_STAMPED, NO_LINES, Group, Hashes, Lines, Stretch

MOST_ALIKE = 16  # groups that begin with the same line: among them none tells more than another


@dataclass(slots=True)
class _Run:
    """A stretch that is still being compared: up to line ``end_line`` of the lines at hand it
    equals the stored file up to ``stored_end``.
    """

    key: int
    begin: int
    stored_begin: int
    end: int
    stored_end: int
    end_line: int
    told: set[int]  # hashes of lines with a time, as many as count
    first_lines: int  # of the group in which it begins, if that is not whole
    last_lines: int = 0  # of the group in which it ends
    ahead: dict[int, Group] = field(default_factory=dict)  # groups that follow, by their offsets

    def stretch(self) -> Stretch:
        """What it has come to."""
        return Stretch(
            self.begin, self.end, self.key, self.stored_begin, self.stored_end, len(self.told),
            False, self.first_lines, self.last_lines,
        )  # fmt: skip


class Search:
    """Finds stretches of a stream of lines that are stored.

    A stretch is found at a line with a time: lines without one are like others too often, and would
    hide what is told behind them. ``marked`` gives the groups that begin with one of some hashes,
    up to MOST_ALIKE for each, ``before`` the group of a file that ends at an offset, ``behind`` the
    next groups from an offset on.
    """

    def __init__(
        self,
        marked: Callable[[Hashes], Sequence[Group]],
        before: Callable[[int, int], Group | None],
        behind: Callable[[int, int], Sequence[Group]],
    ) -> None:
        self._marked = marked
        self._before = before
        self._behind = behind
        self._lines = NO_LINES
        self._groups: dict[int, list[Group]] = {}
        self._done = 0  # lines at hand that are decided
        self._run: _Run | None = None
        self._found: list[Stretch] = []

    def feed(self, lines: Lines) -> None:
        """Compare the next lines."""
        if not len(lines):
            return
        for group in self._marked(lines.hashes[lines.stamped]):
            self._groups.setdefault(group.mark, []).append(group)
        self._lines = self._lines.joined(lines) if len(self._lines) else lines
        self._compare(len(self._lines) - GROUP_LINES)
        self._forget()

    def _forget(self) -> None:
        """Let go of lines that are decided, but for those to which a stretch may reach back."""
        is_busy = bool(self._groups) or self._run is not None
        keep = min(self._done, len(self._lines) - GROUP_LINES) if is_busy else len(self._lines)
        drop = max(0, keep - GROUP_LINES)
        self._lines = self._lines.behind(drop)
        self._done = max(0, self._done - drop)
        if self._run is not None:
            self._run.end_line -= drop
        if self._groups:
            near = set(self._lines.hashes.view(np.int64).tolist())
            self._groups = {mark: groups for mark, groups in self._groups.items() if mark in near}

    def has_all_from(self, offset: int) -> bool:
        """Whether all that was compared from an offset on is one stretch, which may go on."""
        return self._run is not None and self._run.begin <= offset

    def end(self) -> list[Stretch]:
        """The stretches found, in order, however short; nothing follows."""
        self._compare(len(self._lines))
        self._close()
        return self._found

    def _compare(self, limit: int) -> None:
        """Look at the lines before a limit: there, all lines of a group are at hand."""
        marks = self._lines.hashes.view(np.int64)
        known = np.fromiter(self._groups, np.int64, len(self._groups))
        places = np.flatnonzero(self._lines.stamped & np.isin(marks, known))
        while True:
            while self._has_followed(limit):
                pass
            later = int(np.searchsorted(places, self._done))
            if later == len(places) or places[later] >= limit:
                return
            at = int(places[later])
            best = max(self._groups[int(marks[at])], key=lambda g: self._equal_lines(g, at))
            self._close()
            self._begin(best, at)
            self._extend(best)

    def _has_followed(self, limit: int) -> bool:
        """Whether the stored file goes on where the open run ends."""
        run = self._run
        if run is None or run.end_line >= limit:
            return False
        group = self._next(run)
        if group is None or not self._equal_lines(group, run.end_line):
            self._close()
            return False
        self._extend(group)
        return True

    def _next(self, run: _Run) -> Group | None:
        """The group behind a run."""
        marked = self._groups.get(int(self._lines.hashes[run.end_line].view(np.int64)), ())
        for group in marked:
            if (group.file_key, group.byte_offset) == (run.key, run.stored_end):
                return group
        if self._lines.stamped[run.end_line] and len(marked) < MOST_ALIKE:
            return None
        if run.stored_end not in run.ahead:
            run.ahead = {g.byte_offset: g for g in self._behind(run.key, run.stored_end)}
        return run.ahead.get(run.stored_end)

    def _equal_lines(self, group: Group, at: int) -> int:
        return _equal(_low(self._lines.hashes[at : at + GROUP_LINES]), group.lows())

    def _extend(self, group: Group) -> None:
        """The run goes on with a group, and ends where a line differs."""
        run = self._run
        assert run is not None
        most = self._equal_lines(group, run.end_line)
        last = run.end_line + most
        told = int(self._lines.begins[last]) - int(self._lines.begins[run.end_line])
        self._tell(run.told, run.end_line, last)
        run.end, run.end_line = int(self._lines.begins[last]), last
        run.last_lines = group.skipped + most
        self._done = last
        if most == len(group.lows()):
            run.stored_end = group.end
        else:
            run.stored_end = min(group.end, group.byte_offset + told)
            self._close()

    def _begin(self, group: Group, at: int) -> None:
        """A run begins with a group, and with the end of the group before it, as far as that is
        there.
        """
        first, offset = at, group.byte_offset
        back = len(group.lows()) if group.skipped else 0
        while first > self._done:
            before = self._before(group.file_key, offset)
            if before is None:
                break
            lows = before.lows()
            equal = _equal(_low(self._lines.hashes[self._done : first])[::-1], lows[::-1])
            first, back, offset = first - equal, equal + before.left, before.byte_offset
            if equal < len(lows) or self._lines.stamped[first]:
                break
        begin, here = int(self._lines.begins[first]), int(self._lines.begins[at])
        told: set[int] = set()
        self._tell(told, first, at)
        stored = group.byte_offset - (here - begin)
        self._run = _Run(
            group.file_key, begin, stored, here, group.byte_offset, at, told, back
        )  # fmt: skip

    def _tell(self, told: set[int], first: int, last: int) -> None:
        """Note lines with a time, each text once: a service may repeat it within a second."""
        if len(told) < LEAST_STAMPED:
            told.update(self._lines.hashes[first:last][self._lines.stamped[first:last]].tolist())

    def _close(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            self._found.append(run.stretch())


def _low(hashes: Hashes) -> npt.NDArray[np.uint16]:
    return (hashes & np.uint64(0xFFFF)).astype(np.uint16)


def _equal(a: npt.NDArray[np.uint16], b: npt.NDArray[np.uint16]) -> int:
    """How many first elements are equal."""
    n = min(len(a), len(b))
    different = np.flatnonzero(a[:n] != b[:n])
    return int(different[0]) if len(different) else n
