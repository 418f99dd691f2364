"""A look at a file's new bytes, block by block, for what of them is stored."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from ingest.errors import DamagedFileError
from ingest.logfiles.open_log import OpenLog
from ingest.pipeline.asked_content import Asked
from ingest.pipeline.stored_records import NO_RECORDS, Changed, Offers, Records, Sampled
from ingest.rows.content import Lines, Stretch

_BLOCK_BYTES = 4 << 20  # compared with the store in one go
_MOST_CUT = 64 << 10  # bytes of a line without a line break
_STAMP_BYTES = 4096  # of a stored file, at the least, with which edited lines are compared


@dataclass
class Look:
    """A look for known content at a file's new lines, which are in ``span``.

    ``cut`` says what is stored of the instant of a last line without a line break, in a file that
    ``is_final``. ``offers``, at a second look, are of the blocks in which there is a place of
    ``beside``; ``records``, put together ``told``, are those of these blocks that are like no
    others.
    """

    opened: OpenLog
    asked: Asked
    sampled: Sampled | None
    is_final: bool
    cut: Sequence[Changed] = ()
    offers: Offers | None = None
    beside: Sequence[int] = ()
    records: list[Records] = field(default_factory=list)
    told: Records = NO_RECORDS
    begin: int = -1
    second: int = -1  # line
    end: int = 0  # of the whole lines
    first_timed: int = -1

    @property
    def span(self) -> tuple[int, int]:
        """Where the new lines begin and end."""
        file = self.opened.file
        end = self.end or self.opened.offset
        return self.begin, end if file.compression != "none" else file.stat.stored_bytes

    def take(self, data: bytes, base: int, lines: Lines) -> None:
        """Note a block."""
        if self.begin < 0 and len(lines):
            self.begin, self.second = lines.begins[:2].tolist()
        if self.first_timed < 0 and lines.stamped.any():
            self.first_timed = int(lines.begins[int(np.argmax(lines.stamped))])
        self.end = base + len(data)
        if self.offers is not None and self.sampled is not None:
            low, high = (bisect_left(self.beside, at) for at in (base, self.end))
            if low < high:
                self.records.append(self.sampled.offer(self.offers, data, base, lines))

    def is_all_known(self, stretches: Sequence[Stretch]) -> bool:
        """Whether all whole lines of the file but the first are stored from elsewhere."""
        has_gaps = any(a.end != b.begin for a, b in pairwise(stretches))
        return stretches[0].begin <= self.second and stretches[-1].end >= self.end and not has_gaps

    def is_all(self, stretch: Stretch) -> bool:
        """Whether a stretch has all of the file's whole lines from the first with a time on, or
        from the second on, where the first is no record: half of one.
        """
        is_cut = stretch.begin <= self.second and not (self.told.offsets < stretch.begin).any()
        return (is_cut or stretch.begin <= self.first_timed) and stretch.end >= self.end


class Sources:
    """Which places of stored files some stretches are stored from, unedited."""

    def __init__(self, stretches: Iterable[Stretch]) -> None:
        whole = sorted(
            (s.stored_file_key, s.stored_offset, s.stored_end) for s in stretches if not s.is_edited
        )
        self._begins = [(key, begin) for key, begin, _ in whole]
        self._ends = [end for *_, end in whole]

    def has(self, file_key: int, offset: int) -> bool:
        """Whether a place is one of them."""
        n = bisect_right(self._begins, (file_key, offset)) - 1
        return n >= 0 and self._begins[n][0] == file_key and offset < self._ends[n]


def is_beside(changed: Changed, stretch: Stretch) -> bool:
    """Whether a record and what is stored of its instant stand next to a stretch, here and there;
    or as near as lines of other lengths may.
    """
    if changed.stored.file_key != stretch.stored_file_key:
        return False
    if changed.begin == stretch.end:
        return changed.stored.offset == stretch.stored_end
    between = stretch.stored_offset - changed.stored.offset
    size = changed.end - changed.begin
    return changed.end == stretch.begin and 0 < between <= most_stored(size)


def blocks(opened: OpenLog, left: list[bytes] | None = None) -> Iterator[tuple[bytes, int]]:
    """The bytes after an opened file's offset in blocks of whole lines; damage ends them. ``left``
    gets what is behind the last line.
    """
    reader, rest, base = opened.reader, b"", opened.offset
    try:
        while True:
            skipped = 0 if rest else reader.skip_hole()
            base += skipped
            data = reader.read(_BLOCK_BYTES)
            if not data:
                break
            rest += data
            end = rest.rfind(b"\n") + 1
            if end:
                yield rest[:end], base
                base, rest = base + end, rest[end:]
            elif len(rest) > 4 * _BLOCK_BYTES:  # an endless line is recognised by nothing
                base, rest = base + len(rest), b""
        if left is not None and len(rest) <= _MOST_CUT:
            left.append(rest)
    except DamagedFileError:
        pass
    reader.go_back(opened.offset)


def most_stored(size: int) -> int:
    """Bytes of a stored file that are compared with so many."""
    return 4 * size + _STAMP_BYTES
