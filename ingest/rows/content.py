"""What a log's lines say, as hashes: groups of lines that were stored, and where other bytes repeat
them (docs/design.md); pure.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import content as compiled
from ingest.records.arrays import Ints, view

GROUP_LINES = 64  # to a row of stored_lines: 8 KB of a log
# the last lines of a stretch have short groups: what is left of a log is its end
END_LINES, _END_GROUP = (
    64,
    8,
)
LEAST_STAMPED = (
    8  # lines with a time that must agree: two workers may say a few things at the same instant
)
_EDIT_FACTOR, _EDIT_BYTES = 4, 4096  # an edited stretch is not much longer than what it stands for

Hashes = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines that are not blank: offsets int64[n + 1] (the last is the end), hashes uint64[n],
    stamped bool[n].
    """

    begins: Ints
    hashes: Hashes
    stamped: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.hashes)

    def behind(self, first: int) -> "Lines":
        """The lines from one on."""
        return Lines(self.begins[first:], self.hashes[first:], self.stamped[first:])

    def joined(self, more: "Lines") -> "Lines":
        """These lines and those that follow."""
        return Lines(
            np.concatenate([self.begins[:-1], more.begins]),
            np.concatenate([self.hashes, more.hashes]),
            np.concatenate([self.stamped, more.stamped]),
        )


NO_LINES = Lines(np.zeros(1, np.int64), np.empty(0, np.uint64), np.empty(0, np.bool_))


def lines_of(data: memoryview | bytes, base: int, *, final: bool) -> Lines:
    """The lines of bytes that begin at a line's start, at an offset of their file; an unfinished
    last one only where ``final``.
    """
    size = len(data)
    if not size:
        return Lines(np.array([base], np.int64), NO_LINES.hashes, NO_LINES.stamped)
    room = max(64, size // 32)
    while True:
        begins, hashes = np.empty(room, np.int64), np.empty(room, np.uint64)
        stamped = np.empty(room, np.uint8)
        n = compiled.lines(memoryview(data), view(begins), view(hashes), view(stamped), final)
        if n < room:
            break
        room *= 4
    ends = np.append(begins[:n], size) + base
    return Lines(ends, hashes[:n].copy(), stamped[:n].astype(np.bool_))


def stored_lines(lines: Lines, file_key: int) -> pa.Table | None:
    """The rows of stored_lines for lines of a file, None where there is none."""
    n = len(lines)
    if not n:
        return None
    far = max(0, n - END_LINES)
    ends = np.append(np.arange(far, n, _END_GROUP), n - 1)  # the last line may be all that is left
    cuts = np.unique(np.append(np.arange(0, far, GROUP_LINES), ends))
    ends = np.append(cuts[1:], n)
    low = (lines.hashes & np.uint64(0xFFFF)).astype("<u2").tobytes()
    return pa.table(
        {
            "file_key": pa.array(np.full(len(cuts), file_key, np.int64)),
            "byte_offset": pa.array(lines.begins[cuts]),
            "byte_length": pa.array(lines.begins[ends] - lines.begins[cuts]),
            "mark": pa.array(lines.hashes[cuts].view(np.int64)),
            "line_hashes": pa.array(
                [low[2 * a : 2 * b] for a, b in zip(cuts, ends, strict=True)], pa.binary()
            ),
        }
    )


class Group(NamedTuple):
    """A row of stored_lines: lines of a file that were stored; ``line_hashes`` are the low 16 bits
    of each line's hash.
    """

    file_key: int
    byte_offset: int
    byte_length: int
    mark: int
    line_hashes: bytes

    @property
    def end(self) -> int:
        """Offset of the line behind it."""
        return self.byte_offset + self.byte_length

    def lows(self) -> npt.NDArray[np.uint16]:
        """The lines' hashes, uint16[n]."""
        return np.frombuffer(self.line_hashes, "<u2")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes of a file that are stored from another place, ``stored_offset`` of ``stored_file_key``.

    ``is_edited``: what is stored there is what these bytes were before somebody edited them.
    ``stamped``: different lines with a time in it. ``first_lines`` of the group in which it begins
    belong to it, of an edited one do not; so do ``last_lines`` of that in which it ends.
    """

    begin: int
    end: int
    stored_file_key: int
    stored_offset: int
    stored_end: int
    stamped: int = 0
    is_edited: bool = False
    first_lines: int = 0
    last_lines: int = 0


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
    is_open: bool
    first_lines: int  # of the group before that with which it begins
    last_lines: int = 0  # of the group in which it ends

    def stretch(self) -> Stretch:
        """What it has come to."""
        return Stretch(
            self.begin, self.end, self.key, self.stored_begin, self.stored_end, len(self.told),
            False, self.first_lines, self.last_lines,
        )  # fmt: skip


class Search:
    """Finds stretches of a stream of lines that are stored.

    ``marked`` gives the groups that begin with one of some hashes, ``before`` the group of a file
    that ends at an offset.
    """

    def __init__(
        self,
        marked: Callable[[Hashes], Sequence[Group]],
        before: Callable[[int, int], Group | None],
    ) -> None:
        self._marked = marked
        self._before = before
        self._lines = NO_LINES
        self._groups: dict[int, list[Group]] = {}
        self._done = 0  # lines at hand that are decided
        self._run: _Run | None = None
        self._found: list[Stretch] = []

    def feed(self, lines: Lines) -> None:
        """Compare the next lines."""
        if not len(lines):
            return
        for group in self._marked(lines.hashes):
            self._groups.setdefault(group.mark, []).append(group)
        self._lines = self._lines.joined(lines) if len(self._lines) else lines
        self._compare(len(self._lines) - GROUP_LINES)
        # lines before the undecided ones stay: a stretch that begins there may reach back
        keep = min(self._done, len(self._lines) - GROUP_LINES) if self._groups else 0
        drop = max(0, (keep if self._groups else len(self._lines)) - GROUP_LINES)
        self._lines = self._lines.behind(drop)
        self._done = max(0, self._done - drop)
        if self._run is not None:
            self._run.end_line -= drop
        if not self._groups:
            return
        near = set(self._lines.hashes.view(np.int64).tolist())
        self._groups = {mark: groups for mark, groups in self._groups.items() if mark in near}

    def end(self) -> list[Stretch]:
        """The stretches found, in order, however short; nothing follows."""
        self._compare(len(self._lines))
        self._close()
        return self._found

    def _compare(self, limit: int) -> None:
        if not self._groups:
            return
        marks = self._lines.hashes.view(np.int64)
        known = np.fromiter(self._groups, np.int64, len(self._groups))
        for at in np.flatnonzero(np.isin(marks, known)).tolist():
            if self._done <= at < limit:
                self._compare_at(at, self._groups[int(marks[at])])

    def _compare_at(self, at: int, groups: Sequence[Group]) -> None:
        lows = (self._lines.hashes[at : at + GROUP_LINES] & np.uint64(0xFFFF)).astype(np.uint16)
        best, most, follows = groups[0], 0, False
        for group in groups:
            equal = _equal(lows, group.lows())
            on = self._goes_on(group, at)
            if (on, equal) > (follows, most):
                best, most, follows = group, equal, on
        if not most:
            return
        if not follows:
            self._close()
            self._begin(best, at)
        run = self._run
        assert run is not None
        last = at + most
        run.end, run.end_line = int(self._lines.begins[last]), last
        self._tell(run.told, at, last)
        run.is_open = most == len(best.lows())
        run.last_lines = most
        told = run.end - int(self._lines.begins[at])
        run.stored_end = best.end if run.is_open else min(best.end, best.byte_offset + told)
        self._done = last

    def _goes_on(self, group: Group, at: int) -> bool:
        run = self._run
        return (
            run is not None
            and run.is_open
            and run.end_line == at
            and (run.key, run.stored_end) == (group.file_key, group.byte_offset)
        )

    def _begin(self, group: Group, at: int) -> None:
        """A run begins with a group, and with the end of the group before it, as far as that is
        there.
        """
        back = 0
        before = self._before(group.file_key, group.byte_offset)
        if before is not None:
            lows = (self._lines.hashes[self._done : at] & np.uint64(0xFFFF)).astype(np.uint16)
            back = _equal(lows[::-1], before.lows()[::-1])
        first = at - back
        begin, here = int(self._lines.begins[first]), int(self._lines.begins[at])
        told: set[int] = set()
        self._tell(told, first, at)
        stored = group.byte_offset - (here - begin)
        self._run = _Run(
            group.file_key, begin, stored, here, group.byte_offset, at, told, True, back
        )

    def _tell(self, told: set[int], first: int, last: int) -> None:
        """Note lines with a time, each text once: a service may repeat it within a second."""
        if len(told) < LEAST_STAMPED:
            told.update(self._lines.hashes[first:last][self._lines.stamped[first:last]].tolist())

    def _close(self) -> None:
        run, self._run = self._run, None
        if run is not None:
            self._found.append(run.stretch())


def _equal(a: npt.NDArray[np.uint16], b: npt.NDArray[np.uint16]) -> int:
    """How many first elements are equal."""
    n = min(len(a), len(b))
    different = np.flatnonzero(a[:n] != b[:n])
    return int(different[0]) if len(different) else n


def recognised(
    found: Sequence[Stretch],
    is_sure: Callable[[Stretch], bool],
    is_whole: Callable[[Stretch], bool] = lambda _: False,
) -> list[Stretch]:
    """The stretches that count as stored, with the edited ones between them.

    Lines without a time are like others too often to tell anything. Stretches of one stored file
    that follow each other, in its order, count together; they need LEAST_STAMPED lines with a time,
    or one where ``is_sure`` says that no second writer can have written it. So do whole files
    (``is_whole``) with nothing between them: somebody joined them; and what goes on at the same
    distance in the same stored file, behind lines that are stored from elsewhere, with those lines.
    """
    result: list[Stretch] = []
    going_on = _going_on(found, is_sure)
    for joined in _joined(list(_series(s for s in found if s.stamped)), is_whole):
        stamped = sum(s.stamped for series in joined for s in series)
        for series in joined:
            if stamped >= LEAST_STAMPED or any(s in going_on or is_sure(s) for s in series):
                result += _with_edits(series)
    return result


def _going_on(found: Sequence[Stretch], is_sure: Callable[[Stretch], bool]) -> set[Stretch]:
    """Stretches from one of a stored file to a later one of it, each directly behind the other, and
    both as far apart there as here: what is between is stored there as a stretch.
    """
    result: set[Stretch] = set()
    ends = [0] * len(found)  # by a first stretch: end of what goes on from there
    firsts: dict[tuple[int, int], tuple[int, int]] = {}  # by file and distance; lines told
    for at, stretch in enumerate(found):
        if at and found[at - 1].end != stretch.begin:
            firsts.clear()
        same = stretch.stored_file_key, stretch.begin - stretch.stored_offset
        first, told = firsts.get(same, (at, 0))
        told += stretch.stamped
        if first < at and told < LEAST_STAMPED and (is_sure(stretch) or is_sure(found[first])):
            told = LEAST_STAMPED
        firsts[same] = first, told
        if first < at and told >= LEAST_STAMPED:
            ends[first] = at + 1
    end = 0
    for at, stretch in enumerate(found):
        end = max(end, ends[at])
        if at < end:
            result.add(stretch)
    return result


def _joined(
    found: Sequence[list[Stretch]], is_whole: Callable[[Stretch], bool]
) -> Iterator[list[list[Stretch]]]:
    """Series; those of whole files with nothing between them together."""
    joined: list[list[Stretch]] = []
    for series in found:
        if joined and not (
            joined[-1][-1].end == series[0].begin
            and all(len(s) == 1 and is_whole(s[0]) for s in (joined[-1], series))
        ):
            yield joined
            joined = []
        joined.append(series)
    if joined:
        yield joined


def _series(found: Iterable[Stretch]) -> Iterator[list[Stretch]]:
    series: list[Stretch] = []
    for stretch in found:
        last = series[-1] if series else None
        if last is not None and not (
            last.stored_file_key == stretch.stored_file_key
            and last.stored_end <= stretch.stored_offset
        ):
            yield series
            series = []
        series.append(stretch)
    if series:
        yield series


def _with_edits(series: Sequence[Stretch]) -> Iterator[Stretch]:
    last: Stretch | None = None
    for stretch in series:
        if last is not None:
            here, there = stretch.begin - last.end, stretch.stored_offset - last.stored_end
            if here > 0 and there > 0 and here <= _EDIT_FACTOR * there + _EDIT_BYTES:
                yield Stretch(
                    last.end, stretch.begin, last.stored_file_key, last.stored_end,
                    stretch.stored_offset, 0, True, last.last_lines, stretch.first_lines,
                )  # fmt: skip
        yield stretch
        last = stretch


def stretch_rows(stretch: Stretch, file_key: int) -> pa.Table:
    """The row of known_stretches for a stretch of a file."""
    return pa.table(
        {
            "file_key": pa.array([file_key], pa.int64()),
            "byte_offset": pa.array([stretch.begin], pa.int64()),
            "byte_length": pa.array([stretch.end - stretch.begin], pa.int64()),
            "stored_file_key": pa.array([stretch.stored_file_key], pa.int64()),
            "stored_offset": pa.array([stretch.stored_offset], pa.int64()),
            "is_edited": pa.array([stretch.is_edited]),
        }
    )


def behind(stretches: Iterable[Stretch], offset: int) -> list[Stretch]:
    """What of some stretches lies behind an offset."""
    return [
        s if s.begin >= offset else replace(s, begin=offset,
        stored_offset=s.stored_offset + offset - s.begin)
        for s in stretches
        if s.end > offset
    ]  # fmt: skip
