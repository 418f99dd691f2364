"""A file's pieces in quarantine as streams of bytes, from the log file or from the kept text."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.errors import LogFileError
from ingest.logfiles.reader import LogReader

_BLANK = b" \t\r\n\x0b\x0c\0"
# bytes: blank lines between two pieces may be so long; a record behind them needs fewer than that
# to tell
_GAP = 4096
PAGE = 2000  # pieces fetched at a time
PAGE_WITH_TEXT = 200  # their text is up to 64 KiB each


@dataclass(frozen=True, slots=True)
class Held:
    """A piece in quarantine; ``raw`` is its text, None where the log file is at hand."""

    offset: int
    length: int
    reason: str
    raw: str | None = None

    @property
    def end(self) -> int:
        return self.offset + self.length

    @property
    def is_whole(self) -> bool:
        """Whether the text is the piece's very bytes: not cut, nothing in it replaced."""
        raw = self.raw
        return raw is not None and "�" not in raw and len(raw.encode()) == self.length


class HeldBytes:
    """Reads the pieces of one file in order, stretch by stretch; a stretch is what stands together
    in the file.

    ``page(offset)`` gives pieces from an offset on, empty at the end; ``committed`` is the file's
    offset, where a stretch may still grow if ``is_open``. ``taken`` are the pieces read and not yet
    settled; ``is_final`` says, at the end of a stretch, that its last record ends there.
    """

    def __init__(
        self,
        page: Callable[[int], Sequence[Held]],
        reader: LogReader | None,
        committed: int,
        *,
        is_open: bool,
    ) -> None:
        self._page = page
        self._reader = reader
        self._committed = committed
        self._is_open = is_open
        self._rows: deque[Held] = deque()
        self._from = 0
        self._end = 0
        self._left = 0
        self._is_over = True
        self.taken: deque[Held] = deque()
        self.is_final = True

    def begin(self) -> int | None:
        """Go to the next stretch: its offset, None after the last. Lost pieces are skipped."""
        self.taken.clear()
        while (row := self._peek()) is not None:
            if self._reader is not None or row.is_whole:
                self._end, self._is_over = row.offset, False
                return row.offset
            self._rows.popleft()
        return None

    def read(self, size: int) -> bytes:
        """Up to ``size`` further bytes of the stretch, or a few more; empty at its end."""
        parts: list[bytes] = []
        have = 0
        while have < size and (self._left or self._advance(parts)):
            data = self._bytes(min(size - have, self._left))
            self._left -= len(data)
            have += len(data)
            parts.append(data)
        return b"".join(parts)

    def _advance(self, parts: list[bytes]) -> bool:
        """Go to the stretch's next piece, over blank bytes before it; false at the end."""
        if self._is_over:
            return False
        row = self._peek()
        gap = None if row is None else self._gap(row)
        if row is None or gap is None:
            self.is_final, self._is_over = self._ends_here(row), True
            return False
        parts.append(gap)
        self._rows.popleft()
        self.taken.append(row)
        self._left, self._end = row.length, row.end
        return True

    def _peek(self) -> Held | None:
        if not self._rows:
            self._rows.extend(self._page(self._from))
            if self._rows:
                self._from = self._rows[-1].end
        return self._rows[0] if self._rows else None

    def _gap(self, row: Held) -> bytes | None:
        """The blank bytes before a piece that continues the stretch; None where it does not."""
        if row.offset == self._end:
            return b"" if self._reader is not None or row.is_whole else None
        return self._blank_up_to(row.offset)

    def _blank_up_to(self, offset: int) -> bytes | None:
        if self._reader is None or not 0 <= offset - self._end <= _GAP:
            return None
        gap = self._exactly(self._end, offset - self._end)
        return gap if not gap.strip(_BLANK) else None

    def _ends_here(self, following: Held | None) -> bool:
        if self._reader is None:  # a piece that cannot be had may be the rest of the last record
            return following is None or following.offset != self._end
        at_end = following is None and self._blank_up_to(self._committed) is not None
        return not (self._is_open and at_end)

    def _bytes(self, size: int) -> bytes:
        row = self.taken[-1]
        at = row.length - self._left
        if self._reader is None:
            return (row.raw or "").encode()[at : at + size]
        return self._exactly(row.offset + at, size)

    def _exactly(self, offset: int, size: int) -> bytes:
        reader = self._reader
        assert reader is not None
        reader.seek_to(offset)
        data = b""
        while len(data) < size and (more := reader.read(size - len(data))):
            data += more
        if len(data) < size:
            raise _changed(reader.stat.path)
        return data


def _changed(path: Path) -> LogFileError:
    return LogFileError(
        f"the log file {path} changed while it was read",
        "nothing more of it is read now; run again",
    )
