"""Gathered records → native events, access lines, lines of rules, errors, or nothing (pure)."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ingest.compiled import layout
from ingest.compiled.layout import L_ERROR, L_INFO, L_WARNING
from ingest.lazily import matcher
from ingest.model import Ledger, Reject
from ingest.records import profile_rules as does
from ingest.records.access import Access, is_socket
from ingest.records.arrays import raw_text
from ingest.records.dumps import raised_in
from ingest.records.event_names import begins_with_event, event_behind
from ingest.records.gather import Record, message_of
from ingest.records.instants import ENVELOPE, FILE, LOGGED, NEIGHBOUR
from ingest.records.logical import Logical, access_in
from ingest.records.moments import Clock
from ingest.records.native import NativeFormat
from ingest.records.profiles import Profiles
from ingest.records.sequence import START, Claim, Event, Line, Sequencer
from ingest.records.shapes import Unclaimed
from ingest.records.structured import Memory, Told, is_event, structured
from ingest.records.vocabulary import PUBLIC_EVENTS
from ingest.records.written import Place, Value, Writer

REJECT_HEAD_BYTES = 64 << 10
MOST_INSTANCES = 4096  # whose last instant is remembered
WRAPPERS = "wrappers"  # a profile of services' own lines, which any of them may print
_AROUND = frozenset((WRAPPERS, "celery", "ffmpeg", "codes", ""))  # profiles of no engine's own
_ENDS = ("synthesis_complete", "synthesis_failed")  # by which a structured record ends a request
_RENAMED = {"exception": "exc"}  # of a rule's columns, as the table of errors reads them
_PARTS = frozenset((does.OPENS, does.ADDS, does.CLOSES, does.WHOLE))  # of an engine's request
# how pybind11 tells of an exception of Python: "…: ValueError: told\n\nAt:\n  file(88): function"
_AT = matcher(
    r"(?:^|: )(?P<exc>[A-Za-z_][\w.]*(?:Error|Exception|Interrupt)\b.*?)\n\s*\nAt:\n"
    r"(?:.*\n)*?  (?P<file>\S.*)\((?P<line>\d+)\): (?P<name>\S+)",
    re.S,
)
_EXCEPTION = matcher(rb"^(?P<type>[A-Za-z_][\w.]*)(?:: ?(?P<message>.*))?$", re.S)


@dataclass(slots=True)
class Counts:
    """What became of the bytes of a chunk."""

    records: int = 0
    record_bytes: int = 0
    unclaimed: int = 0
    unclaimed_bytes: int = 0
    quarantined: int = 0
    quarantined_bytes: int = 0

    def ledger(self, settled: int) -> Ledger:
        """The ledger of so many settled bytes: what no record has is ignored."""
        known = self.record_bytes + self.unclaimed_bytes + self.quarantined_bytes
        return Ledger(
            records=self.records,
            quarantined=self.quarantined,
            record_bytes=self.record_bytes,
            quarantined_bytes=self.quarantined_bytes,
            ignored_bytes=settled - known,
            unclaimed=self.unclaimed,
            unclaimed_bytes=self.unclaimed_bytes,
        )


@dataclass(slots=True)
class Claims:
    """Says of each record what it stands for, in the order of the file, and writes the rows'
    records.

    ``stamps`` are the last instants by instance; ``original`` the chunk from ``base`` on where its
    text is UTF-8; ``seen`` counts claimed lines by (profile, rule).
    """

    native: NativeFormat
    profiles: Profiles
    sequencer: Sequencer
    clock: Clock
    writer: Writer
    max_record: int
    fallback: int
    last: int | None
    stamps: dict[str, int]
    original: memoryview | None = None
    base: int = 0
    counts: Counts = field(default_factory=Counts)
    rejects: list[Reject] = field(default_factory=list)
    seen: dict[tuple[str, str], int] = field(default_factory=dict)
    dated: dict[str, int] = field(default_factory=dict)
    unclaimed: Unclaimed | None = None
    told: Memory = field(default_factory=Memory)
    _sizes: dict[int, int] = field(default_factory=dict)
    _first: int | None = None
    _taken: set[tuple[str, int]] = field(default_factory=set)
    _begun: dict[int, str] = field(default_factory=dict)

    @property
    def first_instant(self) -> int | None:
        """The file's first instant, where it is among these records."""
        return self._first

    def is_undated(self, records: Sequence[Record]) -> bool:
        """Whether neither these records nor any before them have an instant."""
        return self.last is None and self._first_instant(records) is None

    @property
    def is_dated(self) -> bool:
        """Whether any record that has come has an instant."""
        return self.last is not None or self._first is not None

    def sized(self, place: int, size: int) -> None:
        """Note the size of a line that was taken elsewhere, and may yet turn out to be torn."""
        self._sizes[place] = size

    def take(self, records: Sequence[Record], arrived: Sequence[Record]) -> None:
        """Take records of one chunk, by their beginnings; ``arrived`` are these and held ones."""
        if self.last is None:
            self._first = self._first_instant(arrived)
        for record in records:
            self._take(record)

    def _take(self, record: Record) -> None:
        first = record.first
        record.settle()
        if first.torn is not None:
            self._reject(first.start, first.torn, min(len(first.torn), record.size), "torn")
        reason = self._reason(record)
        if reason:
            self._reject(record.start, self._raw(record), record.size, reason)
            return
        instant, time_source = self._time(first)
        place = (first.place, record.end, *self._known_time(first, instant, time_source))
        if first.bar is not None:
            self._bar(record, instant)
            if first.is_blank:
                return
        line = self._line(record, instant)
        self._body(record, line, place)

    # time

    def _first_instant(self, records: Sequence[Record]) -> int | None:
        """The instant of the first stamped record: for those that precede it."""
        kept = self.clock.last, self.clock.today, self.clock.before
        found = (self._time(record.first)[0] for record in records)
        instant = next((at for at in found if at is not None), None)
        self.clock.last, self.clock.today, self.clock.before = kept
        return instant

    def _time(self, line: Logical) -> tuple[int | None, int]:
        """The instant that a line itself or its envelope says, and which of them."""
        outer = line.wrapped.stamp
        own = line.stamp
        if outer is None and own is None and not line.begins:
            return None, ENVELOPE
        if line.native is not None:
            own = line.native.stamp
        elif line.header is not None:
            own = line.header.stamp or own
        elif line.json is not None:
            own = line.json.stamp
        if own is None and line.access is not None:
            own = line.access.stamp
        if own is None and (line.header is not None or line.native is not None):
            access = access_in(line)
            own = access.stamp if access is not None else None
        around = self.clock.instant(outer) if outer is not None else None
        if own is not None and (
            around is None or own.is_whole or (outer is not None and outer.zone is None)
        ):
            return self.clock.instant(own, around), LOGGED
        return around, ENVELOPE if own is None else LOGGED

    def _known_time(self, line: Logical, instant: int | None, source: int) -> tuple[int, int]:
        instance = line.wrapped.instance
        if instant is not None and instance is not None:
            if instance not in self.stamps and len(self.stamps) >= MOST_INSTANCES:
                del self.stamps[next(iter(self.stamps))]
            self.stamps[instance] = instant
        if instant is not None:
            self.last = instant
            return instant, source
        return self._near(instance)

    def _near(self, instance: str | None) -> tuple[int, int]:
        """The instant of the nearest stamped record of instance or file, else the file's own."""
        near = self.stamps.get(instance, self.last) if instance is not None else self.last
        near = self._first if near is None else near
        return (self.fallback, FILE) if near is None else (near, NEIGHBOUR)

    def _line(self, record: Record, instant: int | None) -> Line:
        first = record.first
        logger = None
        if first.native is not None:
            logger = first.native.logger_of(first.text)
        elif first.header is not None:
            logger = first.header.logger
        elif first.json is not None and first.json.logger is not None:
            logger = first.json.logger.encode("utf-8", "replace")
        return Line(
            first.place,
            record.end,
            first.wrapped.instance,
            (message_of(first) or _first_below(record)).decode("utf-8", "replace"),
            record.level,
            None if logger is None else logger.decode("utf-8", "replace"),
            instant,
        )

    # what a record is

    def _bar(self, record: Record, instant: int | None) -> None:
        bar = record.first.bar
        assert bar is not None
        line = Line(
            record.first.start, record.end, record.first.wrapped.instance, "", 0, None, instant
        )
        self._write_claim(self.sequencer.bar(line, bar.elapsed_ms, bar.done), record, None)

    def _body(self, record: Record, line: Line, place: Place) -> None:
        first = record.first
        self._sizes[first.place] = record.size
        access = access_in(first)
        if access is not None:
            self._access(record, line, place, access)
        elif (told := self._told(record, line, place)) is not None:
            self._count(record)
            self._structured(record, line, place, told)
        elif self._is_native_event(record):
            self._count(record)
            self._native(record, line, place, ())
        elif is_socket(message_of(first)):
            self._count_unclaimed(record)
        else:
            self._other(record, line, place)

    def _is_native_event(self, record: Record) -> bool:
        first = record.first
        if first.native is None and first.header is None and first.json is None:
            return False
        message = message_of(first)
        if first.json is not None:
            return first.json.message.partition(":")[0] in PUBLIC_EVENTS
        if begins_with_event(message):
            return True
        if first.native is not None or first.header is None:
            return False
        later = event_behind(message)
        if later < 0 or self.profiles.prints_text_at(message, later):
            return False
        first.header = replace(first.header, message=first.header.message + later)
        return True

    def _told(self, record: Record, line: Line, place: Place) -> Told | None:
        """What a structured record tells of a request, where no engine's profile takes it."""
        json = record.first.json
        if json is None or not json.members or self.native.format.pins.profile is not None:
            return None
        if is_event(json):
            return None
        for match in self.profiles.match(line.message):
            is_wrapper = match.rule.profile == WRAPPERS
            is_open = self.sequencer.id_of_open(line.instance) is not None
            if not is_wrapper or (is_open and not self.sequencer.is_around(line.instance)):
                return None
        at = place[2] if place[3] in (LOGGED, ENVELOPE) else None
        return structured(
            json,
            self.sequencer.has_engine(line.instance),
            self.sequencer.has_other(line.instance),
            at,
            self.told,
            self.profiles.is_synthesis,
            self.profiles.code_of,
        )

    def _structured(self, record: Record, line: Line, place: Place, told: Told) -> None:
        """Write a structured record as the event that it tells of."""
        self.sequencer.structured(line, told.event, told.id)
        pairs = self._around(record, line, told)
        if record.level >= L_WARNING:
            place = (self._alone("error", place[0]), *place[1:])
        self.writer.record(
            line.message.encode("utf-8", "replace"),
            level=record.level,
            place=place,
            event=told.event,
            logger=(line.logger or "").encode("utf-8", "replace"),
            traceback=self._traceback(record),
            pairs=self._instanced(line, pairs),
            logged=told.logged,
        )

    def _around(self, record: Record, line: Line, told: Told) -> list[tuple[str, Value]]:
        """A structured record's pairs with what an engine printed between it and others of its
        request.
        """
        if told.event == "synthesis_start":
            found = self.sequencer.begun(line, told.id)
        elif told.event in _ENDS and told.id not in self.told.opened:
            pairs = dict(told.pairs)
            took = pairs.get("duration_ms")
            found = self.sequencer.ended(
                line, told.id, took if isinstance(took, int | float) else None,
                failed=told.event == "synthesis_failed" or pairs.get("status") == "failed",
            )  # fmt: skip
        else:
            return [*told.pairs]
        for id_, at in found.completed:
            self.told.ends(id_, "", at)
        if found.events:
            self._write_claim(Claim(tuple(found.events), "", ""), record, None)
        return found.over(told.pairs)

    def _access(self, record: Record, line: Line, place: Place, access: Access) -> None:
        self._count(record)
        claim = None
        if access.method:
            claim = self.sequencer.access(line, access.method, access.path, access.status)
        pairs: list[tuple[str, Value]] = [
            ("server", self.sequencer.server(line, access.server, access.is_sure)),
            ("method", access.method),
            ("path", access.path),
            ("http_status", access.status),
            *access.columns.items(),
        ]
        if claim is not None and claim.id is not None:
            pairs.append(("id", claim.id))
            place = (*place[:2], *self._dated(claim.id, place[2:]))
        self.writer.record(
            b"",
            level=L_INFO,
            place=(self._alone("http", place[0]), *place[1:]),
            event="http_request",
            pairs=[(k, v) for k, v in self._instanced(line, pairs) if v != ""],
            logged=access.more.items(),
        )
        self._write_claim(claim, record, place)

    def _other(self, record: Record, line: Line, place: Place) -> None:
        claim = self.sequencer.line(line) if line.message else None
        failed = None
        traceback = self._traceback(record)
        if record.dump is not None and claim is None and record.level >= L_ERROR:
            kind, told = raised_in(message_of(record.first), record.more)
            failed = self.sequencer.failed(line, kind, told or line.message)
        elif traceback and record.dump is None:
            failed = self.sequencer.failed(line, *_exception(traceback))
        elif claim is None and record.level >= L_ERROR:
            failed = self.sequencer.failed(line, "", line.message)
        if record.level >= L_WARNING and not self._is_told(record, claim):
            self._error(record, line, place, claim, failed, traceback)
        elif claim is None and record.first.native is not None:
            self._native(record, line, place, ())  # no row's, but one of the log's own records
        self._write_claim(claim, record, place, traceback)
        self._write_claim(failed, record, place)
        if claim is not None and claim.events and claim.profile not in _AROUND:
            self.sequencer.prints(line)
        if claim is not None and not claim.held:
            self.seen[claim.profile, claim.rule] = self.seen.get((claim.profile, claim.rule), 0) + 1
        if (
            (claim is None or claim.held)
            and record.level < L_WARNING
            and record.first.native is None
        ):
            self._count_unclaimed(record)
        elif claim is None or not claim.torn:
            self._count(record)

    def _is_told(self, record: Record, claim: Claim | None) -> bool:
        """Whether a rule's line needs no row of an error: it writes one, or it is an engine's print
        that a logger relays as a warning (Celery's redirected stdout).
        """
        if claim is None or _tells(claim):
            return claim is not None
        profile = self.profiles.by_name.get(claim.profile)
        if profile is None or record.level >= L_ERROR or record.traceback >= 0:
            return False
        return not claim.held and profile.rule_named[claim.rule].does in _PARTS

    def _error(
        self,
        record: Record,
        line: Line,
        place: Place,
        claim: Claim | None,
        failed: Claim | None,
        traceback: bytes,
    ) -> None:
        """The row of a warning or error that no rule tells of."""
        pairs: list[tuple[str, Value]] = []
        owner = (failed.id if failed else None) or (claim.id if claim else None)
        owner = owner or self.native.format.named or self.sequencer.id_of_open(line.instance)
        if owner is not None:
            pairs.append(("id", owner))
            place = (*place[:2], *self._dated(owner, place[2:]))
        kind, told = _exception(traceback) if traceback else ("", "")
        if record.dump is not None:
            kind, told = raised_in(message_of(record.first), record.more)
        code = self.profiles.code_of(f"{kind}: {told}" if kind else words_of(line.message))
        if code is not None:
            pairs.append(("error_code" if record.level >= L_ERROR else "warning_code", code))
        if not traceback:
            pairs += _told_at(record)
        self._native(record, line, place, pairs, is_error=True)

    def _native(
        self,
        record: Record,
        line: Line,
        place: Place,
        pairs: Iterable[tuple[str, Value]],
        *,
        is_error: bool = False,
    ) -> None:
        """A record as its own lines have it: message, pairs, traceback."""
        first = record.first
        if is_error:
            place = (self._alone("error", place[0]), *place[1:])
        message_lines = record.message_lines
        extra = self._instanced(line, pairs)
        if first.native is not None:
            text = b"\n".join([first.text + record.first_end, *record.more])
            message_end = len(
                b"\n".join([first.text + record.first_end, *record.more[:message_lines]])
            )
            own_end = int(first.native.row[layout.R_MSG_END])
            if record.text_lines:
                taken = [first.text + record.first_end, *record.more[: record.text_lines]]
                own_end = len(b"\n".join(taken).rstrip())
            begin = -1
            if record.traceback > 0:
                begin = (
                    len(
                        b"\n".join(
                            [first.text + record.first_end, *record.more[: record.traceback - 1]]
                        )
                    )
                    + 1
                )
            self.writer.native(
                first.native.row, text, first=len(first.text),
                message_end=message_end if message_lines else 0,
                own_end=own_end,
                traceback=begin if record.traceback else int(first.native.row[layout.R_MSG]),
                place=place, pairs=extra,
            )  # fmt: skip
            return
        message = b"\n".join([message_of(first) + record.first_end, *record.more[:message_lines]])
        if _is_alone(record):
            message = message.lstrip()
        own = -1
        logged: tuple[tuple[str, str], ...] = ()
        if first.header is not None:
            own = len(
                b"\n".join(
                    [message_of(first) + record.first_end, *record.more[: record.text_lines]]
                )
            )
        elif first.json is not None:
            own = len(message)
            logged = first.json.pairs
            if first.json.request_id is not None:
                extra.append(("request_id", first.json.request_id))
        self.writer.record(
            b"" if record.traceback == 0 else message,
            level=record.level,
            place=place,
            event=self._named_event(first),
            logger=(line.logger or "").encode("utf-8", "replace"),
            traceback=self._traceback(record),
            own_end=-1 if record.traceback == 0 else own,
            pairs=extra,
            logged=logged,
        )

    def _named_event(self, line: Logical) -> str:
        """The event of a JSON record whose message is an event's name alone."""
        if line.json is None:
            return ""
        return line.json.message if line.json.message in PUBLIC_EVENTS else ""

    def _instanced(self, line: Line, pairs: Iterable[tuple[str, Value]]) -> list[tuple[str, Value]]:
        instance = line.instance
        return [*pairs] if instance is None else [*pairs, ("instance", instance)]

    def _traceback(self, record: Record) -> bytes:
        if record.first.json is not None and not record.first.json.grows:
            return (record.first.json.traceback or "").encode("utf-8", "replace")
        if record.traceback < 0:
            return b""
        if record.traceback == 0:
            return b"\n".join([message_of(record.first) + record.first_end, *record.more])
        return b"\n".join(record.more[record.traceback - 1 :])

    # what a claim says

    def _write_claim(
        self,
        claim: Claim | None,
        record: Record,
        place: Place | None,
        traceback: bytes = b"",
    ) -> None:
        if claim is None:
            return
        if claim.access is not None and claim.id is not None:
            self.writer.answers_with(claim.access, claim.id)
        own = [e.line.offset for e in claim.events if e.line.offset >= 0]
        for event in claim.events:
            if event.event == START and event.id is not None:
                self._begun[event.line.offset] = event.id
        for event in claim.events:
            below = b"" if place is None or event.line.offset != place[0] else _below(record)
            least = min(own, default=record.first.place)
            self._write_event(event, place, (below, traceback), least)
        for line in claim.torn:
            if line.offset < 0:
                continue  # it stands in the file before
            size = self._sizes.pop(line.offset, None)
            self.rejects.append(Reject(line.offset, line.end - line.offset, "torn", line.message))
            self.counts.quarantined += 1
            if size is not None:
                self.counts.quarantined_bytes += size
                if line.offset != record.first.place:
                    self.counts.records -= 1
                    self.counts.record_bytes -= size

    def _dated(
        self, id_: str | None, time: tuple[int, int], *, begins: bool = False
    ) -> tuple[int, int]:
        """The file's time when the request's first line was read: its rows agree on it."""
        if id_ is None or time[1] != FILE:
            return time
        if begins:
            self.dated.setdefault(id_, time[0])
        return self.dated.get(id_, time[0]), FILE

    def _write_event(
        self, event: Event, place: Place | None, below: tuple[bytes, bytes], least: int
    ) -> None:
        """``below`` are the lines behind an error's first one, and its traceback; ``least`` is the
        place of lines of the file before: of the first line here that goes on with them.
        """
        line = event.line
        if line.instant is not None:
            time = (line.instant, self._source_of(line, place))
        elif place is not None and line.offset == place[0]:
            time = place[2:]
        else:
            time = self._near(line.instance)
        if time[1] == FILE:
            time = self._dated(event.id, time, begins=event.event == START)
        offset = line.offset if line.offset >= 0 else least
        if event.is_first and event.id is not None:
            offset = self._begins(event.id, offset)
            if offset >= line.end:
                return  # a line that ends more requests than it has bytes: these stay unfinished
        is_error = event.level >= L_WARNING
        if is_error:
            offset = self._alone("error", offset)
        pairs, is_named = [], line.instance is None
        for key, value in event.pairs:
            is_named = is_named or key == "instance"
            pairs.append((_RENAMED.get(key, key), value))
        if not is_named:
            assert line.instance is not None
            pairs.append(("instance", line.instance))
        named = self.native.format.named
        if is_error and named is not None and not any(key == "id" for key, _ in pairs):
            pairs.append(("id", named))
        more, traceback = below if is_error else (b"", b"")
        message = event.message.encode("utf-8", "replace")
        self.writer.record(
            b"\n".join((message, more)) if more else message,
            level=event.level,
            place=(offset, line.end, *time),
            event=event.event,
            logger=(line.logger or "").encode("utf-8", "replace"),
            traceback=traceback,
            pairs=pairs,
        )

    def _source_of(self, line: Line, place: Place | None) -> int:
        """Whether an instant is a line's own or its envelope's, as for the current line."""
        return place[3] if place is not None and place[3] in (LOGGED, ENVELOPE) else LOGGED

    # the ledger

    def _begins(self, id_: str, offset: int) -> int:
        """A place where no other request of this chunk begins: one line may end several requests of
        the file before, and open one.
        """
        while self._begun.setdefault(offset, id_) != id_:
            offset += 1
        return offset

    def _alone(self, table: str, offset: int) -> int:
        """An offset that no other row of a table has in this chunk: lines may share one."""
        while (table, offset) in self._taken:
            offset += 1
        self._taken.add((table, offset))
        return offset

    def _count(self, record: Record) -> None:
        self.counts.records += 1
        self.counts.record_bytes += self._own_size(record)

    def _count_unclaimed(self, record: Record) -> None:
        self.counts.unclaimed += 1 + len(record.more)
        if self.unclaimed is not None:
            self.unclaimed.add(message_of(record.first))
        self.counts.unclaimed_bytes += self._own_size(record)

    def _own_size(self, record: Record) -> int:
        return record.size - (
            0 if record.first.torn is None else min(len(record.first.torn), record.size)
        )

    def _reason(self, record: Record) -> str:
        """Why a record is quarantined; empty where it is not."""
        if record.end - record.start > self.max_record:
            return "too_long"
        native = record.first.native
        return "bad_time" if native is not None and native.is_bad else ""

    def _raw(self, record: Record) -> bytes:
        """A record's bytes as they stand in the file, where they are its own and UTF-8."""
        if record.end - record.start == record.size and self.original is not None:
            at = record.start - self.base
            return bytes(self.original[at : at + record.size])
        return b"\n".join([record.first.text + record.first_end, *record.more])

    def _reject(self, start: int, text: bytes, size: int, reason: str) -> None:
        self.rejects.append(Reject(start, size, reason, raw_text(text[:REJECT_HEAD_BYTES])))
        self.counts.quarantined += 1
        self.counts.quarantined_bytes += size


def _below(record: Record) -> bytes:
    """The lines of a record's message behind the first."""
    return b"\n".join(record.more[: record.message_lines]).rstrip()


def words_of(message: str) -> str:
    """The words of an error: behind them nginx quotes what a client asked for."""
    return message.partition(", client: ")[0]


def _is_alone(record: Record) -> bool:
    """Whether a header with a category stands alone above its text, as .NET's console writes it."""
    header = record.first.header
    return header is not None and header.logger is not None and not message_of(record.first)


def _first_below(record: Record) -> bytes:
    """The first line of the text below a header that stands alone."""
    is_above = record.traceback < 0 and record.more and _is_alone(record)
    return record.more[0].strip() if is_above else b""


def _told_at(record: Record) -> list[tuple[str, Value]]:
    """Exception and place of an error that a Python extension tells of, as pairs."""
    first = message_of(record.first)
    if b"At:" not in record.more and rb"\n\nAt:\n  " not in first:
        return []
    text = b"\n".join([first, *record.more]).decode("utf-8", "replace")
    if rb"\n\nAt:\n  " in first:  # Triton quotes its messages
        text = text.replace(r"\n", "\n")
    match = _AT.search(text)
    if match is None:
        return []
    place = f"{match['file']}:{match['line']} in {match['name']}"
    return [("exc", match["exc"]), ("location", place)]


def _tells(claim: Claim | None) -> bool:
    """Whether a claim writes the row of the error by itself."""
    return claim is not None and any(event.level >= L_WARNING for event in claim.events)


def _exception(traceback: bytes) -> tuple[str, str]:
    """Type and message of the exception that a traceback ends with."""
    for line in reversed(traceback.rstrip().split(b"\n")):
        if line[:1] in (b" ", b"\t", b""):
            continue
        match = _EXCEPTION.match(line)
        if match is not None:
            return match["type"].decode(), (match["message"] or b"").decode("utf-8", "replace")
        break
    return "", ""
