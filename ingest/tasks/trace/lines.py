"""A request's records, read again from where the tables say they stand; nothing is believed without
proof.

A path may hold another file by now: a file is taken for the known one by its fingerprint and
anchor, looked for among the rotated siblings too, and each record has to be the one that was
stored.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ingest.compiled import layout
from ingest.errors import LogFileError
from ingest.lazily import matcher
from ingest.logfiles.locate import Absent, Finder
from ingest.logfiles.reader import LogReader
from ingest.logfiles.stat import FileStat
from ingest.model import EPOCH
from ingest.records.arrays import raw_text
from ingest.records.parse import Parsed, Parser
from ingest.records.read_with import ReadWith, named_of
from ingest.records.vocabulary import COMPLETE, FAILED, KEYS, STAGE_TIME, START
from ingest.tasks.trace.rows import KnownFile

_GAP = 1 << 20  # bytes: records nearer to each other are read in one go, with all between them
_STRETCH = 8 << 20  # bytes read in one go at most, but for the last record's own
_BEHIND = 64 << 10  # bytes first read behind the last record, to find its end
_PLACE_ID = matcher(r"[0-9a-f]{8}-\d+")  # made from where a request begins in its log
_LINE = 4096  # bytes shown of a line whose record the format does not find
_LEVELS = (None, "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STORED_EVENTS = frozenset({START, COMPLETE, FAILED, STAGE_TIME})  # each has a row of its own
_ESCAPABLE = matcher(r'["\\\n\r\t]')  # what may be written otherwise in the log


@dataclass(frozen=True, slots=True)
class Wanted:
    """A record that the tables know; ``stored`` is what they know of it, for when it is gone.

    ``told`` is what a line that need not name the request is told by: an access line by its path,
    an error without an id by how its message begins.
    """

    at: datetime
    file_key: int
    offset: int
    event: str | None
    level: str | None
    stored: str
    told: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A record of the request: at ``path``, ``offset`` (uncompressed bytes), or, with ``gone``, why
    it is not there.

    ``in_tables`` is false for one that only names the id; ``traceback_lines`` counts those behind
    the message.
    """

    at: datetime
    file_key: int
    path: str
    offset: int
    level: str | None
    logger: str | None
    message: str
    traceback_lines: int = 0
    in_tables: bool = True
    gone: str | None = None


def read_lines(
    known: Mapping[int, KnownFile],
    wanted: Sequence[Wanted],
    names: Collection[str],
    otherwise: ReadWith,
) -> list[Line]:
    """The records wanted, in time; with those between them that name one of ``names`` (the id, the
    X-Request-ID). ``otherwise`` is what files are read with whose checkpoints do not say it.

    A record that is no longer there comes back as it was stored, with the reason. Each file is read
    once, forwards; of a compressed one what stands before the last record is inflated.
    """
    lines: list[Line] = []
    for key in sorted({w.file_key for w in wanted}):
        ours = {w.offset: w for w in wanted if w.file_key == key}
        ordered = [ours[offset] for offset in sorted(ours)]
        lines += _lines_of(known.get(key), ordered, names, otherwise)
    return sorted(lines, key=lambda line: (line.at, line.file_key, line.offset))


def _lines_of(
    known: KnownFile | None, wanted: Sequence[Wanted], names: Collection[str], otherwise: ReadWith
) -> list[Line]:
    if known is None:
        return [_gone(w, "", "its log file is not known any more") for w in wanted]
    found = Finder().find_alike(known)
    if isinstance(found, Absent):
        return [_gone(w, known.path, found.why) for w in wanted]
    try:
        reader = _FileLines(known, found, otherwise.of(known.format), names)
    except LogFileError as problem:
        return [_gone(w, known.path, problem.message) for w in wanted]
    try:
        for group in _groups(wanted):
            reader.read(group)
    except LogFileError as problem:
        reader.give_up(wanted, problem.message)
    finally:
        reader.close()
    return reader.lines


def _gone(wanted: Wanted, path: str, why: str) -> Line:
    w = wanted
    return Line(w.at, w.file_key, path, w.offset, w.level, None, w.stored, gone=why)


def _groups(wanted: Sequence[Wanted]) -> Iterator[list[Wanted]]:
    """Records of one file, by offset, cut where much lies between two or much has come together."""
    group: list[Wanted] = []
    for w in wanted:
        if group and (w.offset - group[-1].offset > _GAP or w.offset - group[0].offset > _STRETCH):
            yield group
            group = []
        group.append(w)
    if group:
        yield group


class _FileLines:
    """Reads the records of one file, group by group."""

    def __init__(
        self, known: KnownFile, stat: FileStat, read_with: ReadWith, names: Collection[str]
    ) -> None:
        self.lines: list[Line] = []
        self._file_key = known.file_key
        # no line names the request: its id is made from a place, or the file's name has it
        self._is_unnamed = any(map(_PLACE_ID.fullmatch, names)) or named_of(known.format) in names
        self._stat = stat
        self._parser = Parser(read_with.format, read_with.tz)
        self._names = tuple(names)
        self._word = re.compile(
            b"|".join(rb"(?<![\w-])" + re.escape(n.encode()) + rb"(?![\w-])" for n in names)
        )
        self._reader = LogReader(stat)
        self._done: set[int] = set()

    def close(self) -> None:
        """Let go of the file."""
        self._reader.close()

    def give_up(self, wanted: Sequence[Wanted], why: str) -> None:
        """What has not been read is gone."""
        for w in wanted:
            if w.offset not in self._done:
                self._add(w, _gone(w, str(self._stat.path), why))

    def read(self, group: Sequence[Wanted]) -> None:
        """Read a group's records, and those between them that name the request.

        :raises LogFileError: when the file cannot be read that far.
        """
        parsed = self._parse(group[0], group[-1].offset)
        places = {parsed.base + int(r[layout.R_START]): i for i, r in enumerate(parsed.records)}
        for w in group:
            place = places.get(w.offset)
            kind = layout.K_TRACEBACK + 1 if place is None else parsed.records[place][layout.R_KIND]
            if place is None or kind > layout.K_TRACEBACK or w.told is not None:
                self._add(w, self._bare(w, parsed))
            else:
                self._add(w, self._checked(w, parsed, place))
        first = places.get(group[0].offset)
        if first is not None and parsed.records[first][layout.R_KIND] <= layout.K_TRACEBACK:
            self._between(parsed, group, places)  # else the file has another format

    def _add(self, w: Wanted, line: Line) -> None:
        self._done.add(w.offset)
        self.lines.append(line)

    def _parse(self, first: Wanted, last_offset: int) -> Parsed:
        """Parse from a record on, so far that the one at ``last_offset`` is whole."""
        if self._reader.position > first.offset:
            self._reader.close()
            self._reader = LogReader(self._stat)
        self._reader.seek_to(first.offset)
        instant = (first.at - EPOCH) // timedelta(microseconds=1)
        span, behind, data, at_end = last_offset - first.offset, _BEHIND, b"", False
        if self._reader.position < first.offset:
            at_end = True
        while True:
            while not at_end and len(data) < span + behind:
                block = self._reader.read(span + behind - len(data))
                at_end = not block
                data += block
            parsed = self._parser.parse(
                memoryview(data), base=first.offset, final=at_end,
                last_instant=instant, fallback_instant=instant,
            )  # fmt: skip
            if at_end or parsed.consumed > span or behind > self._parser.max_record:
                return parsed
            behind *= 4

    def _checked(self, w: Wanted, parsed: Parsed, place: int) -> Line:
        """The record as it stands, if it is the one that was stored."""
        record = parsed.records[place]
        start, end = int(record[layout.R_START]), int(record[layout.R_END])
        if not self._is_it(w, bytes(parsed.data[start:end])):
            return _gone(w, str(self._stat.path), "another record stands there now")
        return self._line(parsed, place, w.at, True)

    def _is_it(self, w: Wanted, record: bytes) -> bool:
        text = raw_text(record)
        if w.told is not None:
            return w.told in text or bool(_ESCAPABLE.search(w.told)) or "\\" in text
        if self._is_unnamed:
            return True
        named = any(n in text or _ESCAPABLE.search(n) for n in self._names)
        return named and (w.event is None or w.event in text)

    def _line(self, parsed: Parsed, place: int, at: datetime, in_tables: bool) -> Line:
        r = [int(v) for v in parsed.records[place]]
        message_end, traceback_lines = r[layout.R_MSG_END], 0
        if r[layout.R_TRACEBACK] >= 0:
            message_end = min(message_end, r[layout.R_TRACEBACK])
            behind = bytes(parsed.data[r[layout.R_TRACEBACK] : r[layout.R_END]])
            traceback_lines = len(behind.rstrip().splitlines())
        return Line(
            at=at,
            file_key=self._file_key,
            path=str(self._stat.path),
            offset=parsed.base + r[layout.R_START],
            level=_LEVELS[r[layout.R_LEVEL]],
            logger=_text(parsed, r[layout.R_NAME], r[layout.R_NAME_END]) or None,
            message=_text(parsed, r[layout.R_MSG], message_end).rstrip(),
            traceback_lines=traceback_lines,
            in_tables=in_tables,
        )

    def _bare(self, w: Wanted, parsed: Parsed) -> Line:
        """The line at an offset where the format finds no record: still told by id and event."""
        start = w.offset - parsed.base
        data = bytes(parsed.data[start : start + _LINE])
        line = data.split(b"\n", 1)[0].rstrip(b"\r")
        if not line or not self._is_it(w, line):
            path = str(self._stat.path)
            return _gone(
                w, path, "another record stands there now" if line else "the file ends before it"
            )
        return Line(w.at, w.file_key, str(self._stat.path), w.offset, w.level, None, raw_text(line))

    def _between(self, parsed: Parsed, group: Sequence[Wanted], places: Mapping[int, int]) -> None:
        """Records without a row that name the request; their time follows a stored neighbour's."""
        shift, wanted = timedelta(0), {w.offset: w for w in group}
        for offset, place in places.items():
            at = EPOCH + timedelta(microseconds=int(parsed.instants[place]))
            if offset in wanted:
                shift = wanted[offset].at - at
            elif group[0].offset < offset < group[-1].offset and self._names_it(parsed, place):
                self.lines.append(self._line(parsed, place, at + shift, False))

    def _names_it(self, parsed: Parsed, place: int) -> bool:
        record = parsed.records[place]
        if record[layout.R_KIND] > layout.K_TRACEBACK or record[layout.R_EVENT] in _STORED_EVENTS:
            return False
        start, end = int(record[layout.R_START]), int(record[layout.R_END])
        if not self._word.search(parsed.data, start, end):
            return False
        first = int(record[layout.R_PAIR])
        for pair in parsed.pairs[first : first + int(record[layout.R_PAIRS])]:
            if pair[layout.P_CODE] == KEYS.index("id"):
                return _text(parsed, pair[layout.P_VALUE], pair[layout.P_VALUE_END]) in self._names
        return True


def _text(parsed: Parsed, start: int, end: int) -> str:
    return raw_text(bytes(parsed.data[start:end])) if 0 <= start < end else ""
