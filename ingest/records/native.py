"""The service's own ``logging`` format, as one line at a time is held against it."""

from codecs import BOM_UTF8
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingest.compiled import layout
from ingest.compiled import records as scan
from ingest.lazily import matcher
from ingest.records.arrays import I32, view
from ingest.records.formats import DEFAULT_FORMAT, Format, scanner_arguments
from ingest.records.levels import LEVELS
from ingest.records.moments import DAY, Stamp

if TYPE_CHECKING:
    from ingest.records.access import Access

_SHIFTED = (layout.R_NAME, layout.R_MSG, layout.R_REQUEST_ID)
# Python's default stamp where something stands before it on its line
_STAMP = matcher(rb"(?<=[^\n\x00])\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d{3}")
_MOST_PLACES = 8


class NativeHeader(NamedTuple):
    """A header of the format: ``row`` int32[w] as the scanner fills it, spans from the line's first
    byte on.
    """

    row: I32
    stamp: Stamp
    is_bad: bool

    @property
    def level(self) -> int:
        return int(self.row[layout.R_LEVEL])

    def message_of(self, line: bytes) -> bytes:
        return line[self.row[layout.R_MSG] : self.row[layout.R_MSG_END]]

    def logger_of(self, line: bytes) -> bytes | None:
        start, end = self.row[layout.R_NAME], self.row[layout.R_NAME_END]
        return line[start:end] if end > start else None


class NativeFormat:
    """A compiled format; ``is_given``: the user said so, else it is the default, tried on each
    line.
    """

    def __init__(self, fmt: Format, max_record: int) -> None:
        self.format = fmt
        self.is_given = fmt.text != DEFAULT_FORMAT or fmt.datefmt is not None
        self.scanner = scan.Scanner(*scanner_arguments(fmt, max_record))
        self.width = layout.REC_WIDTH + 2 * len(fmt.extras)
        self._row = np.zeros((1, self.width), np.int32)
        self._stamp = np.zeros(1, np.int64)
        self._views = view(self._row), view(self._stamp)
        begins_with_digits = fmt.fields[0][0] == layout.F_ASCTIME and not fmt.fields[0][1]
        self._digits_first = (
            begins_with_digits and fmt.clock[0][0] == layout.T_YEAR and not fmt.fields[0][2]
        )

    def access_of(self, line: bytes) -> "Access | None":
        """The access line that a line is by the format of an HTTP server, where that was said."""
        return self.format.access.of(line) if self.format.access is not None else None

    def header(self, line: bytes) -> NativeHeader | None:
        """The line's header, or None."""
        if not line or (self._digits_first and not 48 <= line[0] <= 57):
            return None
        if not self.scanner.header(line, len(line), *self._views):
            return None
        row = self._row[0].copy()
        if not self.is_given and is_swapped(line, row):
            return None
        stamp, zone = int(self._stamp[0]), int(row[layout.R_ZONE])
        days, time = divmod(stamp, DAY)
        return NativeHeader(
            row,
            Stamp(time, days, zone=None if zone == layout.NO_ZONE else zone),
            int(row[layout.R_KIND]) != layout.K_HEADER,
        )

    def may_begin(self, data: bytes) -> bool:
        """Whether the scanner may explain what data begins with: a header, or a line that needs
        none.
        """
        for line in data.split(b"\n", 8)[:8]:
            line = line.removeprefix(BOM_UTF8).strip(b"\0\r ")
            if line:
                return self.header(line) is not None or self.is_beginning(line)
        return True

    def torn_at(self, line: bytes) -> int:
        """Where a whole header of the format stands in a line whose own record was cut off there,
        or -1.
        """
        if not self._digits_first or line.count(b":") < 2:
            return -1
        for number, match in enumerate(_STAMP.finditer(line)):
            if number == _MOST_PLACES:
                return -1
            at = match.start()
            if not self._is_quoted(line, at) and self.scanner.header(
                line[at:], len(line) - at, *self._views
            ):
                return at
        return -1

    def _is_quoted(self, line: bytes, at: int) -> bool:
        """Whether a quote is open at a place of a line, or a text may go on there: its last
        possible end counts, or users could forge records.
        """
        # what follows counts: a quote before a stamp does not end a text
        if line.count(b'"', 0, at) % 2 == 1 or self.scanner.text_open(line, 0, at + 1):
            return True
        return line.find(b'text="', 0, at) >= 0 and self.ends_text(line[at:])

    def text_open(self, message: bytes) -> bool:
        """Whether a message leaves a quoted text open."""
        return b'text="' in message and bool(self.scanner.text_open(message, 0, len(message)))

    def closes(self, lines: bytes) -> bool:
        """Whether lines behind a text's first one may close it."""
        return bool(lines) and bool(self.scanner.closes(lines, len(lines)))

    def ends_text(self, line: bytes) -> bool:
        """Whether a line holds the end of a quoted text that began before it."""
        return bool(line) and bool(self.scanner.ends_text(line, len(line)))

    def is_beginning(self, line: bytes) -> bool:
        """Whether a line looks like the beginning of a record, also inside an open text."""
        return bool(line) and int(self.scanner.next_beginning(line, 0, len(line), True)) == 0


def is_swapped(data: bytes | memoryview, row: I32) -> bool:
    """Whether a header of the default format has the level where that has the logger: then it is
    one of ``asctime - levelname - name - message``.
    """
    if row[layout.R_LEVEL] != layout.L_NONE or row[layout.R_NAME_END] - row[layout.R_NAME] > 9:
        return False
    return bytes(data[row[layout.R_NAME] : row[layout.R_NAME_END]]).strip().lower() in LEVELS


def shifted(row: I32, by: int) -> I32:
    """A header's row whose spans lie ``by`` bytes further on."""
    moved: I32 = row.copy()
    for first in (*_SHIFTED, *range(layout.REC_WIDTH, len(row), 2)):
        if moved[first + 1] > moved[first] or first == layout.R_MSG:
            moved[first : first + 2] += by
    return moved
