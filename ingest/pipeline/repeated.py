"""Where a file that is read from its beginning goes on with its own first lines: its content stands
in it a second time.
"""

from collections.abc import Callable

import numpy as np

from ingest.rows.content import LEAST_STAMPED, lines_of

Read = Callable[[int], bytes]
_HEAD_BYTES = 16 << 10  # in which the first lines stand
_FEW = 32  # first bytes of these, which are looked for at the end of what was read


class FirstLines:
    """Reads a file up to its own first lines, where they come again; ``at`` is where that is.

    ``head`` are the file's first bytes; ``telling`` says how many bytes of some at an offset it
    takes to have a record that a log has once, 0 where there is none, and ``ended`` is called where
    the file ends so.
    """

    def __init__(
        self,
        head: bytes,
        read: Read,
        telling: Callable[[bytes, int], int],
        ended: Callable[[], None],
    ) -> None:
        self.at: int | None = None
        self._head = head[:_HEAD_BYTES]
        self._first, self._lines = _first_lines(self._head)
        self._read = read
        self._telling: Callable[[bytes, int], int] | None = telling
        self._ended = ended
        self._offset = 0  # of what is kept
        self._kept = b""  # may be the first of these lines
        self._next = b""  # behind kept ones that were given on

    @property
    def keeps_some(self) -> bool:
        """Whether bytes that were read have not been given on yet."""
        return bool(self._kept or self._next)

    def let_go(self) -> None:
        """Forget who reads: they know this one, and hold the tables of a chunk."""
        self._telling, self._ended, self._read = None, _nothing, _no_more

    def read(self, size: int) -> bytes | memoryview:
        """Some bytes, fewer than ``size`` or more where some were kept; empty at the end."""
        while self.at is None:
            more, self._next = self._next or self._read(size), b""
            if not self._lines:
                return more
            if self._are_none(self._kept, more):  # a copy of all takes longer than reading it
                data, self._kept, self._next = self._kept, b"", more
                self._offset += len(data)
                return data
            data, self._kept = self._kept + more, b""
            low = max(0, self._first + 1 - self._offset)
            place = data.find(self._lines, low)
            if place >= 0 and self._telling is not None:
                self._tell(self._telling)
                place = data.find(self._lines, place) if self._lines else -1
            if place >= 0:
                self.at, data = self._offset + place, data[:place]
                self._ended()
            elif more and self._lines:
                kept = len(data) - _begun(data, self._lines, low)
                self._offset += kept
                self._kept = data[kept:]
                if kept:
                    return memoryview(data)[:kept]
                continue
            self._offset += len(data)
            if data or not more:
                return data
        return b""

    def _are_none(self, kept: bytes, more: bytes) -> bool:
        """Whether the lines do not begin in what was kept, for what is behind it."""
        size = len(self._lines)
        return bool(kept) and len(more) >= size and (kept + more[:size]).find(self._lines) < 0

    def _tell(self, telling: Callable[[bytes, int], int]) -> None:
        """Take as many of the first lines as it takes; once, and only where they seem to come."""
        self._telling = None
        size = telling(self._head[self._first :], self._first)
        end = self._first + max(len(self._lines), size)
        self._lines = self._head[self._first : end] if size else b""


def _nothing() -> None:
    pass


def _no_more(_: int) -> bytes:
    return b""


def _first_lines(head: bytes) -> tuple[int, bytes]:
    """Offset and bytes of a file's first lines from one with a time on, up to the last of as many
    with a time as tell; no bytes where there are fewer, or under a hole.
    """
    if head[:1] == b"\0":
        return 0, b""
    lines = lines_of(head, 0, final=False)
    stamped = np.flatnonzero(lines.stamped)
    _, firsts = np.unique(lines.hashes[stamped], return_index=True)
    if len(firsts) < LEAST_STAMPED:
        return 0, b""
    last = int(stamped[np.sort(firsts)[LEAST_STAMPED - 1]])
    begin, end = int(lines.begins[stamped[0]]), int(lines.begins[last + 1])
    return begin, head[begin:end]


def _begun(data: bytes, lines: bytes, low: int) -> int:
    """With how many bytes of some lines data ends, before all of them are there."""
    at = max(low, len(data) - len(lines) + 1)
    while (at := data.find(lines[:_FEW], at)) >= 0:
        if lines.startswith(data[at:]):
            return len(data) - at
        at += 1
    room = len(data) - low
    return next((k for k in range(min(_FEW - 1, room), 0, -1) if data.endswith(lines[:k])), 0)
