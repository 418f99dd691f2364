"""Logical lines → records: which lines continue one (docs/parsing.md, "Continuation"; pure)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from operator import attrgetter

from ingest.compiled.layout import L_ERROR, L_NONE, L_WARNING, LOOKAHEAD
from ingest.lazily import matcher
from ingest.records.dumps import Dump, dump_of
from ingest.records.logical import Logical, access_in
from ingest.records.native import NativeFormat

# Lines of other instances, behind which a record of one that fell silent counts as ended: it must
# not hold the others back.
PATIENCE = 256
NO_TRACEBACK, FRAMES, ENDED, CHAINED = 0, 1, 2, 3

# a quoted text as Python's repr of an object has it: its fields stand behind spaces, or none does.
# The format's own texts end before a comma or at the line's end, and may hold such a look-alike.
_REPR = matcher(rb'text="(?:[^"\\]|\\.)*"(?: [A-Za-z_]\w*=|[)\]}])')
_EXCEPTION = matcher(rb"[A-Za-z_][\w.]*(?:\([\w.]+\))?(?::(?: .*)?|\s*)$", re.S)
_FURTHER = matcher(rb"[\w.]+\([\w.]+\): ray::")  # Ray's: frames and the exception itself follow
_CAUGHT = b'> File "'  # loguru's mark of the frame that caught
_CHAIN = (
    b"During handling of the above exception, another exception occurred:",
    b"The above exception was the direct cause of the following exception:",
)


@dataclass(slots=True)
class Record:
    """A line and those that go on with it.

    ``more`` are the texts behind the first line's, ``traceback`` the number of the line (0 is the
    first) with which one begins, -1 without. ``start`` … ``end`` is the stretch of the file,
    ``size`` the bytes of it that are its own. ``index`` is that of its last line in the chunk;
    ``open_text``: a quoted text is open, in which ``text_lines`` of ``more`` lie. The lines
    ``blanks``, of ``blank_size`` bytes, have come after ``more``: they are its own once it goes on.
    """

    first: Logical
    level: int
    start: int
    end: int
    size: int
    index: int
    more: list[bytes] = field(default_factory=list)
    traceback: int = -1
    state: int = NO_TRACEBACK
    open_text: bool = False
    grows: bool = False
    blanks: list[bytes] = field(default_factory=list)
    blank_size: int = 0
    text_lines: int = 0
    first_end: bytes = b""
    cr: bool = False
    dump: Dump | None = None

    @property
    def message_lines(self) -> int:
        """How many lines of ``more`` are the message's, before a traceback."""
        return len(self.more) if self.traceback < 0 else max(self.traceback - 1, 0)

    def settle(self) -> None:
        """Say what a dump is once all of it has come: nothing where its frames have not."""
        if self.dump is None:
            return
        if not self.dump.is_proven(self.more):
            self.dump, self.level = None, L_NONE
        elif self.dump.is_told and self.more:
            self.traceback = 1 if self.more[0].strip() else 2


@dataclass(slots=True)
class Gathered:
    """A chunk's records by their beginnings; ``held``: the first that may grow, or -1."""

    records: list[Record]
    held: int


class Gatherer:
    """Gathers the records of one chunk; ``is_claimed`` tells lines that a rule takes."""

    def __init__(
        self, native: NativeFormat, is_claimed: Callable[[bytes], bool], max_record: int
    ) -> None:
        self._native = native
        self._is_claimed = is_claimed
        self._max_record = max_record
        self._records: list[Record] = []
        self._growing: dict[str | None, Record] = {}
        self._lines: list[Logical] = []
        self._held = -1

    def gather(self, lines: list[Logical], *, final: bool) -> Gathered:
        """The records of these lines; those that may still grow are among them, too."""
        self._lines = lines
        at = 0
        while at < len(lines):
            at = self._take(at, final)
            if self._held >= 0:
                break
        starts = [r.start for r in self._growing.values() if r.grows]
        if self._held >= 0:
            starts.append(self._held)
        self._records.sort(key=attrgetter("start"))  # of one start, they are in order
        return Gathered(self._records, -1 if final or not starts else min(starts))

    def _take(self, at: int, final: bool) -> int:
        """Take the line at ``at``; the number of the next one to take."""
        line = self._lines[at]
        instance = line.wrapped.instance
        record = self._growing.get(instance)
        if len(self._growing) > 1:
            self._forget_silent(at)
        if record is not None and record.open_text:
            taken = self._in_text(record, at, final)
            if taken:
                return taken
        if record is not None and line.torn is not None and _may_quote(record, line.torn):
            quoting = _untorn(line)
            if self._in_traceback(record, quoting):
                self._append(record, quoting, at)
                return at + 1
        if (
            record is not None
            and not line.begins
            and line.torn is None
            and self._goes_on(record, line)
        ):
            self._append(record, line, at)
            return at + 1
        if line.is_blank and line.bar is None:
            self._add_blank(line, at)
            return at + 1
        if record is not None and line.header is not None and self._relays(record, line):
            self._append(record, _without_header(line), at)
            return at + 1
        self._begin(line, at)
        return at + 1

    def _relays(self, record: Record, line: Logical) -> bool:
        """Whether a line's own header was printed before each line of the record's traceback, as
        vLLM's and TorchServe's loggers do.
        """
        first = record.first.header
        if first is None or line.header is None or record.open_text or line.torn is not None:
            return False
        if (first.level, first.logger) != (line.header.level, line.header.logger):
            return False
        bare = _without_header(line)
        if bare.begins_traceback and record.state == NO_TRACEBACK:
            return not record.more and record.level >= L_ERROR and self._takes_traceback(record)
        if record.state == NO_TRACEBACK or (bare.is_blank and not bare.text):
            return False
        return self._in_traceback(record, bare)

    def _forget_silent(self, at: int) -> None:
        silent = [k for k, r in self._growing.items() if at - r.index > PATIENCE]
        for instance in silent:
            del self._growing[instance]

    def _add_blank(self, line: Logical, at: int) -> None:
        """Blank lines belong to nobody, except inside a record that continues after them."""
        record = self._growing.get(line.wrapped.instance)
        if record is not None:
            record.blanks.append(line.text + b"\r" if line.cr else line.text)
            record.blank_size += line.size

    # inside a quoted text

    def _in_text(self, record: Record, at: int, final: bool) -> int:
        """Take the line at ``at`` as a part of an open text; the next line, 0 if it is none."""
        if not self._looks_like_beginning(record, self._lines[at]):
            self._append(record, self._lines[at], at)
            self._close_text(record)
            return at + 1
        end = self._text_end(record, at, final)
        if end < 0:
            record.open_text = False
            return 0
        if end == len(self._lines):
            self._held = record.start
            return end
        for i in range(at, end + 1):
            if self._lines[i].wrapped.instance == self._lines[at].wrapped.instance:
                self._append(record, self._lines[i], i)
            else:
                self._take(i, final)
        self._close_text(record)
        return end + 1

    def _looks_like_beginning(self, record: Record, line: Logical) -> bool:
        if record.first.native is not None:
            return self._native.is_beginning(line.wrapped.text)
        return line.begins or line.begins_traceback

    def _text_end(self, record: Record, at: int, final: bool) -> int:
        """The line that ends an open text across beginnings; -1: none; past the last: unknown."""
        seen, instance = 0, self._lines[at].wrapped.instance
        for i in range(at, len(self._lines)):
            line = self._lines[i]
            if line.wrapped.instance != instance:
                continue
            if line.end - record.start > self._max_record:
                return -1
            if self._looks_like_beginning(record, line):
                seen += 1
                if seen > LOOKAHEAD:
                    return -1
            if self._native.ends_text(line.wrapped.text):
                return i
        return -1 if final else len(self._lines)

    def _close_text(self, record: Record) -> None:
        """Close an open text where the last line may do so."""
        record.open_text = not self._native.closes(record.more[-1])

    # other lines

    def _goes_on(self, record: Record, line: Logical) -> bool:
        """Whether a line without a header goes on with a record."""
        if line.is_blank:
            return False
        if line.bar is not None:
            self._stop(record)
            return False
        if record.blanks and line.end - record.end > self._max_record:
            self._stop(record)  # so much white space ends a record
            return False
        if record.dump is not None:
            goes_on = self._in_dump(record.dump, record, line)
        elif record.state != NO_TRACEBACK:
            goes_on = self._in_traceback(record, line)
        elif line.begins_traceback:
            goes_on = self._takes_traceback(record)
        elif line.is_indented or (record.level >= L_WARNING and line.stamp is None):
            goes_on = not self._is_claimed(line.text)
        else:
            goes_on = False
        if not goes_on:
            self._stop(record)
        return goes_on

    def _in_dump(self, dump: Dump, record: Record, line: Logical) -> bool:
        if line.begins_traceback or not dump.takes(line.text, record.more):
            return False
        return not self._is_claimed(line.text)

    def _takes_traceback(self, record: Record) -> bool:
        """A traceback belongs to the error before it, to a warning where it follows directly."""
        if record.level < L_WARNING or (record.level < L_ERROR and record.more):
            return False
        record.traceback = len(record.more) + 1 + (1 if record.blanks else 0)
        record.state = FRAMES
        return True

    def _in_traceback(self, record: Record, line: Logical) -> bool:
        if line.is_indented or line.text.startswith(_CAUGHT):
            return True
        if line.text.startswith(_CHAIN):
            record.state = CHAINED
            return True
        if line.begins_traceback and record.state == CHAINED:
            record.state = FRAMES
            return True
        if record.state == FRAMES and _EXCEPTION.match(line.text):
            record.state = FRAMES if _FURTHER.match(line.text) else ENDED
            return True
        return False

    def _stop(self, record: Record) -> None:
        self._growing.pop(record.first.wrapped.instance, None)

    def _append(self, record: Record, line: Logical, at: int) -> None:
        if record.cr and record.more:
            record.more[-1] += b"\r"
        elif record.cr:
            record.first_end = b"\r"
        record.cr = line.cr
        if record.blanks:
            record.more.append(b"\n".join(record.blanks))
            record.size += record.blank_size
            record.blanks, record.blank_size = [], 0
        text = line.wrapped.text if record.open_text else line.text
        record.text_lines += record.open_text
        record.more.append(b"\0" * line.nuls + text if line.nuls else text)
        record.end = max(record.end, line.end)
        record.size += line.size
        record.index = at
        if record.end - record.start > self._max_record:
            self._stop(record)

    def _begin(self, line: Logical, at: int) -> None:
        self._growing.pop(line.wrapped.instance, None)
        record = Record(line, level_of(line), line.start, line.end, line.size, at)
        message = message_of(line)
        if line.begins_traceback or message.startswith(b"Traceback (most recent call last):"):
            record.traceback, record.state = 0, FRAMES
            record.level = max(record.level, L_ERROR)
        elif not line.begins and line.stamp is None and line.bar is None:
            self._begin_dump(record)
        record.cr = line.cr
        record.open_text = leaves_open(self._native, line, message)
        record.grows = self._may_grow(record)
        self._records.append(record)
        if record.grows:
            self._growing[line.wrapped.instance] = record

    def _begin_dump(self, record: Record) -> None:
        dump = dump_of(record.first.text)
        if dump is not None and (dump.is_told or not self._is_claimed(record.first.text)):
            record.dump, record.level = dump, dump.level

    def _may_grow(self, record: Record) -> bool:
        line = record.first
        if line.access is not None or (line.json is not None and not line.json.grows):
            return False
        if record.state != NO_TRACEBACK or record.open_text:
            return True
        if line.native is not None:
            return access_in(line) is None
        return record.level >= L_WARNING


def leaves_open(native: NativeFormat, line: Logical, message: bytes) -> bool:
    """Whether a line, whose message this is, leaves a quoted text open."""
    return (
        line.json is None
        and native.text_open(message)
        and (line.native is not None or _REPR.search(message) is None)
    )


def _may_quote(record: Record, torn: bytes) -> bool:
    """Whether a header in the middle of a line may be what a traceback quotes: that has something
    before it.
    """
    return record.state != NO_TRACEBACK and not torn[-1:].isalnum()


def _untorn(line: Logical) -> Logical:
    """A line as it would be if no header stood in it."""
    torn = line.torn or b""
    place = line.place - len(torn)
    return replace(line, text=torn + line.text, place=place, native=None, torn=None)


def _without_header(line: Logical) -> Logical:
    """A line as it would be without its header."""
    return replace(line, text=message_of(line), header=None, access=None)


def level_of(line: Logical) -> int:
    """The level that a line's header says."""
    if line.native is not None:
        return line.native.level
    if line.header is not None:
        return line.header.level
    return line.json.level if line.json is not None else L_NONE


def message_of(line: Logical) -> bytes:
    """What stands behind a line's header, the whole line where it has none."""
    if line.native is not None:
        return line.native.message_of(line.text)
    if line.header is not None:
        return line.text[line.header.message :]
    return line.json.message.encode("utf-8", "replace") if line.json is not None else line.text


def before(records: list[Record], held: int, base: int) -> tuple[list[Record], int]:
    """The records that lie whole before a place that none of them reaches over, and the bytes up to
    it.
    """
    place = held
    for record in reversed(records):
        if record.start < place < record.end:
            place = record.start
    return [r for r in records if r.start < place], place - base
