"""Records whose boundaries and pairs are given → the scanner's tables over a buffer of their own (pure).

Texts stand in the buffer as they were printed; no text can move a boundary, and keys that only ttsq sets are never looked
for in a text.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from ingest.compiled import layout
from ingest.compiled import records as scan
from ingest.records.arrays import I8, I32, Ints, view
from ingest.records.instants import ENVELOPE
from ingest.records.native import shifted
from ingest.records.vocabulary import EVENTS, KEYS, PUBLIC_KEYS

_CODES = {key: code for code, key in enumerate(KEYS)}
_PUBLIC = {key: _CODES[key] for key in PUBLIC_KEYS}
_EVENT_CODES = {name: code for code, name in enumerate(EVENTS)}
Value = str | int | float | bool
Place = tuple[int, int, int, int]  # offset, end, instant, time source


@dataclass(slots=True)
class Tables:
    """The tables of one chunk, as :class:`ingest.records.parse.Parsed` has them."""

    data: memoryview
    records: I32
    pairs: I32
    offsets: Ints
    ends: Ints
    instants: Ints
    time_source: I8


@dataclass(slots=True)
class Writer:
    """Collects records; ``width`` columns of the record table."""

    width: int
    buffer: bytearray = field(default_factory=lambda: bytearray(b"\n"))
    rows: list[I32] = field(default_factory=list)
    own_ends: list[int] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    instants: list[int] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    pairs: list[tuple[int, int, int, int, int, int, int]] = field(default_factory=list)
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)

    def native(
        self,
        row: I32,
        text: bytes,
        *,
        first: int,
        message_end: int,
        own_end: int,
        traceback: int,
        place: Place,
        pairs: Iterable[tuple[str, Value]],
    ) -> None:
        """A record with a header of the format: ``text`` from its first byte on, positions within it.

        ``first``: where its first line ends; ``own_end`` up to where its pairs are looked for; ``traceback`` where one
        begins, or -1; ``place`` where it stands, and when.
        """
        at = len(self.buffer)
        moved = shifted(row, at)
        if message_end > first:
            moved[layout.R_MSG_END] = at + message_end
        moved[layout.R_MSG_END] = (
            self._trimmed(text, int(moved[layout.R_MSG]) - at, int(moved[layout.R_MSG_END]) - at)
            + at
        )
        moved[layout.R_TRACEBACK] = at + traceback if traceback >= 0 else -1
        moved[layout.R_EVENT] = -1
        self._add(moved, at, text, place, at + own_end, pairs)

    def record(
        self,
        message: bytes,
        *,
        level: int,
        place: Place,
        event: str = "",
        logger: bytes = b"",
        traceback: bytes = b"",
        own_end: int = -1,
        pairs: Iterable[tuple[str, Value]] = (),
        logged: Iterable[tuple[str, str]] = (),
    ) -> None:
        """A record made of its parts; ``own_end`` up to where in its message pairs and event are looked for, -1 for none.

        ``logged`` are pairs whose keys the log names, too: those that only ttsq sets are none of theirs.
        """
        at = len(self.buffer)
        text = bytearray(message)
        row = np.zeros(self.width, np.int32)
        row[layout.R_KIND] = layout.K_HEADER if place[3] <= ENVELOPE else layout.K_HEADERLESS
        row[layout.R_LEVEL], row[layout.R_ZONE] = level, layout.NO_ZONE
        row[layout.R_MSG], row[layout.R_MSG_END] = at, at + self._trimmed(message, 0, len(message))
        row[layout.R_TRACEBACK], row[layout.R_EVENT] = -1, _EVENT_CODES.get(event, -1)
        for first, part in ((layout.R_EVENT_START, event.encode()), (layout.R_NAME, logger)):
            if part:
                text += b"\n"
                row[first], row[first + 1] = at + len(text), at + len(text) + len(part)
                text += part
        if traceback:
            text += b"\n"
            row[layout.R_TRACEBACK] = at + len(text)
            text += traceback
        number = len(self.rows)
        self._add(row, at, bytes(text), place, -1 if own_end < 0 else at + own_end, pairs)
        for key, value in logged:
            self._pair(number, key, value, _PUBLIC)

    def add(self, offset: int, event: str, pair: tuple[str, Value]) -> None:
        """Add a pair to the record of an event that was written before, where it is one of this chunk."""
        code = _EVENT_CODES[event]
        for number in range(len(self.rows) - 1, -1, -1):
            if self.offsets[number] == offset and self.rows[number][layout.R_EVENT] == code:
                self._pair(number, *pair)
                return

    def _trimmed(self, text: bytes, start: int, end: int) -> int:
        return start + len(text[start:end].rstrip(b" \t\r\n\v\f"))

    def _add(
        self,
        row: I32,
        at: int,
        text: bytes,
        place: Place,
        own_end: int,
        pairs: Iterable[tuple[str, Value]],
    ) -> None:
        self.buffer += text
        row[layout.R_START], row[layout.R_END], row[layout.R_LOW] = at, len(self.buffer), at
        self.buffer += b"\n"
        for key, value in pairs:
            self._pair(len(self.rows), key, value)
        self.rows.append(row)
        self.own_ends.append(own_end)
        offset, end, instant, source = place
        self.offsets.append(offset)
        self.ends.append(end)
        self.instants.append(instant)
        self.sources.append(source)

    def _pair(self, record: int, key: str, value: Value, codes: dict[str, int] = _CODES) -> None:
        name = self.keys.get(key)
        if name is None:
            start = len(self.buffer)
            self.buffer += key.encode("utf-8", "replace") + b"\n"
            name = self.keys[key] = (start, len(self.buffer) - 1)
        start = len(self.buffer)
        self.buffer += written(value).encode("utf-8", "replace")
        self.pairs.append(
            (*name, start, len(self.buffer), layout.QUOTED, codes.get(key, -1), record)
        )
        self.buffer += b"\n"

    def tables(self, scanner: scan.Scanner) -> Tables:
        """The tables, with the pairs that the messages hold; records by offset."""
        order = sorted(range(len(self.rows)), key=self.offsets.__getitem__)
        n = len(order)
        records = np.array([self.rows[i] for i in order], np.int32).reshape(n, self.width)
        new = {old: i for i, old in enumerate(order)}
        given = np.array(
            sorted(((*p[:6], new[p[6]]) for p in self.pairs), key=lambda p: p[6]), np.int32
        ).reshape(len(self.pairs), layout.PAIR_WIDTH)
        ends = np.array([self.own_ends[i] for i in order], np.int32)
        data = memoryview(bytes(self.buffer))
        room = 64 + len(given) + len(data) // 8
        while True:
            pairs = np.empty((room, layout.PAIR_WIDTH), np.int32)
            found = (
                scanner.cut_given(
                    data, len(data), view(records), view(ends), view(given), view(pairs)
                )
                if n
                else 0
            )
            if found >= 0:
                break
            room *= 2
        return Tables(
            data,
            records,
            pairs[:found],
            np.array([self.offsets[i] for i in order], np.int64),
            np.array([self.ends[i] for i in order], np.int64),
            np.array([self.instants[i] for i in order], np.int64),
            np.array([self.sources[i] for i in order], np.int8),
        )


def written(value: Value) -> str:
    """A value as a log writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)
