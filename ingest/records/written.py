"""Records whose boundaries and pairs are given → the scanner's tables over a buffer of their own
(pure).

Texts stand in the buffer as they were printed; no text can move a boundary, and keys that only ttsq
sets are never looked for in a text.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from ingest.compiled import joined, layout
from ingest.compiled import records as scan
from ingest.records.arrays import I8, I32, Ints, view
from ingest.records.instants import ENVELOPE, TIME_SOURCES
from ingest.records.native import shifted
from ingest.records.vocabulary import EVENTS, KEYS, PUBLIC_KEYS

_CODES = {key: code for code, key in enumerate(KEYS)}
_PUBLIC = {key: _CODES[key] for key in PUBLIC_KEYS}
_EVENT_CODES = {name: code for code, name in enumerate(EVENTS)}
_ACCESS = _EVENT_CODES["http_request"]
# what records are by where their instants come from
_KINDS = np.array(
    [layout.K_HEADER if k <= ENVELOPE else layout.K_HEADERLESS for k in range(len(TIME_SOURCES))],
    np.int32,
)
_SPACE = b" \t\r\n\v\f"
Bytes = npt.NDArray[np.uint8]
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
    """Collects records; ``width`` columns of the record table.

    ``rows`` holds the record table and ``pairs`` the pair table, row behind row, as they grow.
    """

    width: int
    buffer: bytearray = field(default_factory=lambda: bytearray(b"\n"))
    rows: "array[int]" = field(default_factory=lambda: array("i"))
    own_ends: "array[int]" = field(default_factory=lambda: array("i"))
    offsets: "array[int]" = field(default_factory=lambda: array("q"))
    ends: "array[int]" = field(default_factory=lambda: array("q"))
    instants: "array[int]" = field(default_factory=lambda: array("q"))
    sources: "array[int]" = field(default_factory=lambda: array("b"))
    pairs: "array[int]" = field(default_factory=lambda: array("i"))
    keys: dict[str, tuple[int, int]] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)

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
        """A record with a header of the format: ``text`` from its first byte on, positions within
        it.

        ``first``: where its first line ends; ``own_end`` up to where its pairs are looked for;
        ``traceback`` where one begins, or -1; ``place`` where it stands, and when.
        """
        at = len(self.buffer)
        moved = shifted(row, at)
        if message_end > first:
            moved[layout.R_MSG_END] = at + message_end
        start, end = int(moved[layout.R_MSG]) - at, int(moved[layout.R_MSG_END]) - at
        moved[layout.R_MSG_END] = at + start + len(text[start:end].rstrip(_SPACE))
        moved[layout.R_TRACEBACK] = at + traceback if traceback >= 0 else -1
        moved[layout.R_EVENT] = -1
        self.buffer += text
        moved[layout.R_START], moved[layout.R_END] = at, len(self.buffer)
        moved[layout.R_LOW] = at
        number = len(self.offsets)
        self.rows.frombytes(moved.tobytes())
        self._placed(place, at + own_end)
        self._pairs(number, pairs, _CODES)

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
        """A record made of its parts; ``own_end`` up to where in its message pairs and event are
        looked for, -1 for none.

        ``logged`` are pairs whose keys the log names, too: those that only ttsq sets are none of
        theirs.
        """
        buffer = self.buffer
        at = len(buffer)
        buffer += message
        message_end = at + len(message.rstrip(_SPACE))
        begun, ended = _appended(buffer, event.encode()) if event else (0, 0)
        name, name_end = _appended(buffer, logger) if logger else (0, 0)
        told = _appended(buffer, traceback)[0] if traceback else -1
        kind = layout.K_HEADER if place[3] <= ENVELOPE else layout.K_HEADERLESS
        number = len(self.offsets)
        code = _EVENT_CODES.get(event, -1)
        if code == _ACCESS:
            self.answers[place[0]] = number
        # the columns of the record table in their order
        self.rows.extend(
            (
                at, len(buffer), kind, layout.NO_ZONE, level, name, name_end, at, message_end,
                0, 0, told, code, begun, ended, 0, 0, at,
            )
        )  # fmt: skip
        if self.width > layout.REC_WIDTH:
            self.rows.extend((0,) * (self.width - layout.REC_WIDTH))
        self._placed(place, -1 if own_end < 0 else at + own_end)
        self._pairs(number, pairs, _CODES)
        self._pairs(number, logged, _PUBLIC)

    def extend(self, data: Bytes, rows: I32, pairs: I32, places: Ints, keys: Sequence[str]) -> None:
        """Take finished records: spans within ``data``, P_KEY the number of a key in ``keys``,
        ``places`` int64[n, 5] offset, end, instant, where that comes from, and where the message
        ends in which pairs are looked for, or -1.
        """
        base, number = len(self.buffer), len(self.offsets)
        self.buffer += view(data)
        sources = places[:, 3].astype(np.int8)
        joined.moved(view(rows), view(pairs), base, number, view(sources), view(_KINDS))
        self._name_keys(pairs, keys)
        self.rows.frombytes(_bytes_of(rows))
        self.pairs.frombytes(_bytes_of(pairs))
        own = places[:, 4]
        self.own_ends.frombytes(np.where(own < 0, -1, own + base).astype(np.int32).tobytes())
        for column, k in ((self.offsets, 0), (self.ends, 1), (self.instants, 2)):
            column.frombytes(places[:, k].tobytes())
        self.sources.frombytes(sources.tobytes())

    def _name_keys(self, pairs: I32, keys: Sequence[str]) -> None:
        """Give pairs the spans of their keys, written in the order in which they are used first."""
        order = np.empty(2 * max(len(keys), 1), np.int32)
        used = order[: joined.used_keys(view(pairs), view(order))]
        spans = np.zeros((max(len(keys), 1), 2), np.int32)
        for k in used.tolist():
            spans[k] = self._key(keys[k])
        joined.name_keys(view(pairs), view(spans))

    def _key(self, key: str) -> tuple[int, int]:
        name = self.keys.get(key)
        if name is None:
            start = len(self.buffer)
            self.buffer += key.encode("utf-8", "replace") + b"\n"
            name = self.keys[key] = (start, len(self.buffer) - 1)
        return name

    def answers_with(self, offset: int, id_: str) -> None:
        """Say which request an access line answers that was written before, where it is one of this
        chunk.
        """
        number = self.answers.get(offset)
        if number is not None:
            self._pairs(number, (("id", id_),), _CODES)

    def _placed(self, place: Place, own_end: int) -> None:
        self.buffer += b"\n"
        self.own_ends.append(own_end)
        offset, end, instant, source = place
        self.offsets.append(offset)
        self.ends.append(end)
        self.instants.append(instant)
        self.sources.append(source)

    def _pairs(
        self, record: int, pairs: Iterable[tuple[str, Value]], codes: dict[str, int]
    ) -> None:
        buffer, keys, table = self.buffer, self.keys, self.pairs
        for key, value in pairs:
            name = keys.get(key) or self._key(key)
            start = len(buffer)
            text = value if isinstance(value, str) else written(value)
            buffer += text.encode("utf-8", "replace")
            table.extend((*name, start, len(buffer), layout.QUOTED, codes.get(key, -1), record))
            buffer += b"\n"

    def tables(self, scanner: scan.Scanner) -> Tables:
        """The tables, with the pairs that the messages hold; records by offset. Nothing may be
        written afterwards.
        """
        offsets, n = np.asarray(self.offsets), len(self.offsets)
        records = np.asarray(self.rows).reshape(n, self.width)
        given = np.asarray(self.pairs).reshape(-1, layout.PAIR_WIDTH)
        columns = [np.asarray(c) for c in (self.own_ends, self.ends, self.instants, self.sources)]
        if (offsets[1:] < offsets[:-1]).any():
            order = np.argsort(offsets, kind="stable")
            new = np.empty(n, np.int32)
            new[order] = np.arange(n, dtype=np.int32)
            given[:, layout.P_RECORD] = new.take(given[:, layout.P_RECORD])
            offsets, records = offsets.take(order), records.take(order, axis=0)
            columns = [column.take(order) for column in columns]
        of = given[:, layout.P_RECORD]
        if (of[1:] < of[:-1]).any():
            given = given.take(np.argsort(of, kind="stable"), axis=0)
        own_ends, ends, instants, sources = columns
        data = memoryview(self.buffer)
        room = 64 + len(given) + len(data) // 8
        while True:
            pairs = np.empty((room, layout.PAIR_WIDTH), np.int32)
            found = (
                scanner.cut_given(
                    data, len(data), view(records), view(own_ends), view(given), view(pairs)
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
            offsets,
            ends,
            instants,
            sources,
        )


def _bytes_of(table: I32) -> memoryview:
    return view(table.reshape(-1).view(np.uint8))


def _appended(buffer: bytearray, part: bytes) -> tuple[int, int]:
    """Append a part on a line of its own; the span that it has in the buffer."""
    buffer += b"\n"
    start = len(buffer)
    buffer += part
    return start, len(buffer)


def written(value: Value) -> str:
    """A value as a log writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return str(value)
