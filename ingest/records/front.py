"""The front of all parsing: a file's own format by the compiled scanner alone, everything else by
the general path.

Both give the same rows for lines of the format. The scanner stops where it meets anything else, and
the general path reads on from there, a little at first, and more each time that the format does not
come back.
"""

from codecs import BOM_UTF8
from dataclasses import replace
from datetime import tzinfo
from typing import TYPE_CHECKING

import numpy as np

from ingest.compiled import layout
from ingest.compiled.parts import unnamed
from ingest.lazily import matcher
from ingest.records.arrays import I32, view
from ingest.records.formats import DEFAULT_FORMAT, HEAD_BYTES, MAX_RECORD_BYTES, Format
from ingest.records.native import NativeFormat
from ingest.records.native import is_swapped as swapped
from ingest.records.parse import Parsed, Parser
from ingest.records.physical import UTF8, encoding_of
from ingest.records.profiles import Profiles

if TYPE_CHECKING:
    from ingest.records.general import GeneralParser

FIRST_SLICE = 64 << 10  # bytes that the general path reads before the scanner is tried again
# bytes of the format at a stretch, behind which the general path begins with little again
NATIVE_RUN = 256 << 10
_BEYOND = matcher(rb"[^\n]*[\x80-\xff][^\n]*")
# of an access line; what each needs is found much sooner
_QUOTED_REQUEST = matcher(rb'" \d{3}(?!\d)')
_STATUS_FIRST = matcher(rb"\b\d{3} [A-Z]{3,7} /")
_STATUS = matcher(rb" \d{3}(?!\d)")
_STATUS_LAST = matcher(rb"[A-Z]{3,7} \S+ +\d{3}(?!\d)")
_STAMP = matcher(rb"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[,.]\d{3}")


class FrontParser:
    """Parses any log file's chunks; arguments as of :class:`~.general.GeneralParser`."""

    def __init__(
        self,
        fmt: Format,
        tz: tzinfo,
        profiles: Profiles,
        *,
        head: bytes = b"",
        reading: str | None = None,
        encoding: str | None = None,
        max_record: int = MAX_RECORD_BYTES,
    ) -> None:
        self.format = fmt
        self.max_record = max_record
        profiles = profiles.pinned(fmt.pins.profile)
        encoding = encoding or fmt.pins.encoding
        self.profiles = profiles
        self._tz, self._head, self._pinned = tz, head, encoding
        self._line_format = NativeFormat(fmt, max_record)
        self._native = _NativeParser(fmt, tz, max_record, profiles)
        self._reading = reading
        self._encoding: str | None = None  # that the format's own lines told
        self._general: GeneralParser | None = None
        self._slice = FIRST_SLICE
        self._run = 0
        self._told_at = -1

    @property
    def general(self) -> "GeneralParser":
        """The general path, loaded for lines that need it, or a file that had such."""
        if self._general is None:
            from ingest.records.general import GeneralParser

            self._general = GeneralParser(
                self.format, self._tz, self.profiles, head=self._head, reading=self._reading,
                encoding=self._pinned, max_record=self.max_record, native=self._line_format,
            )  # fmt: skip
            if self._encoding is not None:
                self._general.encoding = self._encoding
        return self._general

    @property
    def _is_simple(self) -> bool:
        """Whether there were only the format's own lines."""
        return self._general is None and self._reading is None

    @property
    def encoding(self) -> str | None:
        """What the file's text is encoded in, None as long as all of it was ASCII."""
        return (self._pinned or self._encoding) if self._is_simple else self.general.encoding

    @encoding.setter
    def encoding(self, told: str) -> None:
        if self._is_simple:
            self._encoding = told
        else:
            self.general.encoding = told

    @property
    def reading(self) -> str | None:
        """The state after what was consumed; None if there were only the format's own lines."""
        return self._reading

    def next_beginning(self, data: memoryview, start: int, final: bool) -> int:
        """Where the first line begins that may begin a record, from a line's start on, or -1."""
        return self.general.next_beginning(data, start, final)

    def header_end(self, data: memoryview) -> int | None:
        """Offset after the first line with a stamped header; None where no line has one."""
        return self._native.header_end(data)

    def parse(
        self,
        data: memoryview,
        *,
        base: int,
        final: bool,
        last_instant: int | None,
        fallback_instant: int,
        more: bool = False,
    ) -> Parsed:
        """Parse what is complete in a chunk that begins at a record (file offset ``base``)."""
        if base == 0 and len(data[:HEAD_BYTES]) > len(self._head):
            self._head = bytes(data[:HEAD_BYTES])
            if self._general is not None:
                self._general.begin(self._head)
        if self._may_be_native(data):
            parsed = self._native.parse(
                data, base=base, final=final, last_instant=last_instant,
                fallback_instant=fallback_instant,
            )  # fmt: skip
            beside_giant = parsed.giant and self._ends_in_giant(data)
            if parsed.consumed or not (self._native.foreign or beside_giant):
                self._run += parsed.consumed
                if self._run > NATIVE_RUN:
                    self._slice = FIRST_SLICE
                if 0 <= self._told_at < parsed.consumed:
                    self.encoding = UTF8
                return replace(parsed, reading=self._reading, encoding=self.encoding)
        self._run = 0
        parsed = self._by_parts(data, base, final, last_instant, fallback_instant, more)
        self._reading = parsed.reading
        return parsed

    def _ends_in_giant(self, data: memoryview) -> bool:
        """Whether what follows the complete lines is too long by itself, and these are not."""
        whole = len(bytes(data[: bytes(data).rfind(b"\n") + 1]).rstrip())
        return 0 < whole <= self.max_record < len(data) - whole

    def _may_be_native(self, data: memoryview) -> bool:
        """Whether the scanner may read: UTF-8, no open request, a line of the format is next."""
        if not self._is_simple and self.general.has_open:
            return False
        if not self._line_format.may_begin(bytes(data[:4096])):
            return False
        encoding = self.encoding
        self._told_at = -1
        if encoding is None:
            encoding = self._told(data)
        return encoding in (None, UTF8)

    def _told(self, data: memoryview) -> str | None:
        """The encoding that the first line tells which is not ASCII; ``_told_at`` is its place."""
        if not len(data) or np.frombuffer(data, np.uint8).max() < 128:
            return None
        for match in _BEYOND.finditer(data):
            found = encoding_of(match[0].removeprefix(BOM_UTF8))
            if found is not None:
                self._told_at = match.start()
                return found
        return None

    def _by_parts(
        self,
        data: memoryview,
        base: int,
        final: bool,
        last: int | None,
        fallback: int,
        more: bool,
    ) -> Parsed:
        size = self._slice
        self._slice = min(2 * size, 1 << 30)
        while size < len(data):
            end = bytes(data[:size]).rfind(b"\n") + 1
            if end:
                parsed = self.general.parse(
                    data[:end], base=base, final=False, last_instant=last,
                    fallback_instant=fallback, more=True,
                )  # fmt: skip
                if parsed.consumed:
                    return parsed
            size *= 4
        return self.general.parse(
            data, base=base, final=final, last_instant=last, fallback_instant=fallback, more=more
        )


class _NativeParser(Parser):
    """The scanner's parser, which stops before records that other rules may explain."""

    def __init__(self, fmt: Format, tz: tzinfo, max_record: int, profiles: Profiles) -> None:
        super().__init__(fmt, tz, max_record)
        self._profiles = profiles
        self._access = fmt.access
        self._is_default = fmt.text == DEFAULT_FORMAT and fmt.datefmt is None

    def _own(self, data: memoryview, records: I32) -> int:
        plain = np.empty(len(records), np.int32)
        numbers: list[int] = plain[: unnamed(view(records), view(plain))].tolist()
        for i in numbers:
            row = records[i]
            message = bytes(data[row[layout.R_MSG] : row[layout.R_MSG_END]])
            is_swapped = self._is_default and row[layout.R_LEVEL] == 0 and swapped(data, row)
            if is_swapped or self._is_others(message):
                return i
        return len(records)

    def _is_others(self, message: bytes) -> bool:
        if _is_like_access(message) or (message.count(b":") > 1 and _STAMP.search(message)):
            return True
        if self._access is not None and self._access.of(message) is not None:
            return True
        return bool(self._profiles.match(message.decode("utf-8", "replace")))


def _is_like_access(message: bytes) -> bool:
    """Whether a message may be an access line."""
    if b'"WebSocket ' in message or b"(scheme=" in message:
        return True
    if b'" ' in message and _QUOTED_REQUEST.search(message):
        return True
    if b" /" in message and _STATUS_FIRST.search(message):
        return True
    return bool(_STATUS.search(message) and _STATUS_LAST.search(message))
