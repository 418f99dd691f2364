"""What a log's lines say, as hashes: groups of lines that were stored, and where other bytes repeat
them (docs/design.md); pure.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import content as compiled
from ingest.records.arrays import I32, Ints, column, numbers, view

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
    cuts = _cuts(lines.stamped)
    ends = np.append(cuts[1:], np.int32(n))
    low = lines.hashes.astype("<u2")  # of each the low 16 bits
    bounds = 2 * np.append(cuts, np.int32(n))  # groups follow each other without a gap
    return pa.table(
        {
            "file_key": numbers(np.full(len(cuts), file_key, np.int64)),
            "byte_offset": numbers(lines.begins[cuts]),
            "byte_length": numbers(lines.begins[ends] - lines.begins[cuts]),
            "mark": numbers(lines.hashes[cuts].view(np.int64)),
            "line_hashes": column(pa.binary(), len(cuts), None, bounds, low),
        }
    )


def _cuts(stamped: npt.NDArray[np.bool_]) -> I32:
    """First lines of groups int32[n]."""
    cuts = np.empty(len(stamped), np.int32)
    sizes = GROUP_LINES, _END_GROUP, END_LINES
    n = compiled.groups(view(stamped.view(np.uint8)), sizes, view(cuts))
    return cuts[:n]


class Group(NamedTuple):
    """A row of stored_lines: lines of a file that were stored; ``line_hashes`` are the low 16 bits
    of each line's hash. Or a part of it, before which ``skipped`` lines of the row are, and
    ``left`` behind it.
    """

    file_key: int
    byte_offset: int
    byte_length: int
    mark: int
    line_hashes: bytes
    skipped: int = 0
    left: int = 0

    @property
    def end(self) -> int:
        """Offset of the line behind it."""
        return self.byte_offset + self.byte_length

    def lows(self) -> npt.NDArray[np.uint16]:
        """The lines' hashes, uint16[n]."""
        return np.frombuffer(self.line_hashes, "<u2")

    def from_line(self, number: int, offset: int, mark: int) -> "Group":
        """From one of its lines on, which begins at an offset and has a hash."""
        size = self.end - offset
        rest = self.line_hashes[2 * number :]
        return Group(self.file_key, offset, size, mark, rest, number, self.left)

    def up_to_line(self, number: int, offset: int) -> "Group":
        """What is before that line."""
        size, left = offset - self.byte_offset, len(self.line_hashes) // 2 - number
        first = self.line_hashes[: 2 * number]
        return Group(self.file_key, self.byte_offset, size, self.mark, first, 0, left)


class Stretch(NamedTuple):
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


def recognised(
    found: Sequence[Stretch],
    is_sure: Callable[[Stretch], bool],
    is_whole: Callable[[Stretch], bool] = lambda _: False,
    is_told: Callable[[Stretch], bool] = lambda _: False,
    is_enough: Callable[[Stretch], bool] = lambda _: False,
) -> list[Stretch]:
    """The stretches that count as stored, with the edited ones between them.

    Lines without a time are like others too often to tell anything. Stretches of one stored file
    that follow each other, in its order, count together; they need LEAST_STAMPED lines with a time,
    or one where ``is_sure`` says that no second writer can have written it. So do whole files
    (``is_whole``) with nothing between them: somebody joined them; pieces of logs, likewise, that
    hold records like no others (``is_told``): somebody sorted the logs into one; and what goes on
    at the same distance in the same stored file, behind lines that are stored from elsewhere, with
    those lines. One that ``is_enough`` counts alone: it tells nothing of what is beside it.
    """
    result: list[Stretch] = []
    going_on = _going_on(found, is_sure)
    for joined in _joined(list(_series(s for s in found if s.stamped)), is_whole, is_told):
        stamped = sum(s.stamped for series in joined for s in series)
        for series in joined:
            if stamped >= LEAST_STAMPED or any(s in going_on or is_sure(s) for s in series):
                result += _with_edits(series)
            else:
                result += [s for s in series if is_enough(s)]
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
        if first < at and told < LEAST_STAMPED and is_sure(_across(found[first], stretch)):
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


def _across(first: Stretch, last: Stretch) -> Stretch:
    """What reaches from the beginning of one stretch to the end of another."""
    stamped = first.stamped + last.stamped
    return first._replace(end=last.end, stored_end=last.stored_end, stamped=stamped)


def _joined(
    found: Sequence[list[Stretch]],
    is_whole: Callable[[Stretch], bool],
    is_told: Callable[[Stretch], bool],
) -> Iterator[list[list[Stretch]]]:
    """Series; those of whole files, or of such records, with nothing between them together."""

    def is_piece(series: Sequence[Stretch]) -> bool:
        if len(series) == 1 and is_whole(series[0]):
            return True
        has_gaps = any(a.end != b.begin for a, b in pairwise(series))
        return not has_gaps and all(is_told(s) for s in series)

    joined: list[list[Stretch]] = []
    for series in found:
        if joined and not (
            joined[-1][-1].end == series[0].begin and is_piece(joined[-1]) and is_piece(series)
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


def stretch_rows(stretches: Sequence[Stretch], file_key: int) -> pa.Table:
    """The rows of known_stretches for stretches of a file."""
    n = len(stretches)
    return pa.table(
        {
            "file_key": pa.array([file_key] * n, pa.int64()),
            "byte_offset": pa.array([s.begin for s in stretches], pa.int64()),
            "byte_length": pa.array([s.end - s.begin for s in stretches], pa.int64()),
            "stored_file_key": pa.array([s.stored_file_key for s in stretches], pa.int64()),
            "stored_offset": pa.array([s.stored_offset for s in stretches], pa.int64()),
            "is_edited": pa.array([s.is_edited for s in stretches], pa.bool_()),
        }
    )


def behind(stretches: Iterable[Stretch], offset: int) -> list[Stretch]:
    """What of some stretches lies behind an offset."""
    return [
        s if s.begin >= offset else s._replace(begin=offset,
        stored_offset=s.stored_offset + offset - s.begin)
        for s in stretches
        if s.end > offset
    ]  # fmt: skip
