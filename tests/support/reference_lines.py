"""Lines, records and stamps: the reference reading of one file (docs/parsing.md)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.support import reference_values as values

LEVELS = ("DEBUG", "INFO", "WARNING", "WARN", "ERROR", "CRITICAL", "FATAL")
SEVERE = ("WARNING", "ERROR", "CRITICAL")
BLANK = b" \t\r\v\f"
LOOK_ALIKES = 4

_SAME_LEVEL = {"WARN": "WARNING", "FATAL": "CRITICAL"}
_HEADERLESS = re.compile(rb"(%s):(?: (.*)||([^\s:]+):(.*))" % "|".join(LEVELS).encode(), re.DOTALL)
_EVENT = re.compile(
    rb"(synthesis_(start|complete|failed)|stage_time|audio_metrics|cache_dir_usage|cache_health):(?!\S)"
)
_STAMP = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:[.,][0-9]{1,9})?(?: ?(?:Z|[+-][0-9]{2}:?[0-9]{2}))?"
)
_NAMES = {"b": r"\w+", "B": r"\w+", "a": r"\w+", "A": r"\w+", "p": r"\w+", "%": "%"}
_DIGITS = {"Y": "{4}", "f": "{1,6}", "j": "{3}"}
_ZONE = r"(?:Z|[+-][0-9]{2}:?[0-9]{2})"


@dataclass(frozen=True)
class Line:
    """A physical line: ``content`` without its end, ``raw`` with it.

    Both, and ``offset``, leave the BOM and the NULs at its beginning out; ``ignored`` counts
    them. A line that continues a record keeps its NULs.
    """

    offset: int
    content: bytes
    raw: bytes
    ignored: int

    @property
    def size(self) -> int:
        """Bytes with the line's end."""
        return len(self.raw)

    @property
    def nuls(self) -> bytes:
        """What a line that continues a record has before ``raw``."""
        return b"\0" * self.ignored

    @property
    def whole(self) -> bool:
        """False for a last line that may still grow."""
        return self.raw.endswith(b"\n")

    @property
    def blank(self) -> bool:
        """True for a line of nothing but white space."""
        return not self.content.strip(BLANK)


@dataclass(frozen=True)
class Beginning:
    """What the first line of a record says; ``stamp`` is None for a headerless one."""

    stamp: str | None
    level: str
    logger: str | None
    request_id: str | None
    rest: bytes
    severe: bool


@dataclass
class Record:
    """A beginning and its lines; ``in_text`` marks lines that lie inside a ``text`` value.

    ``own`` of the lines may hold pairs: the first, and those of a text that it leaves open.
    """

    beginning: Beginning
    lines: list[Line]
    in_text: list[bool]
    own: int = 1

    @property
    def offset(self) -> int:
        """Offset of the first byte."""
        return self.lines[0].offset

    @property
    def size(self) -> int:
        """Bytes of the lines, without those ignored before the first."""
        return len(self.raw)

    @property
    def raw(self) -> bytes:
        """The bytes of the lines."""
        rest = (line.nuls + line.raw for line in self.lines[1:])
        return b"".join([self.lines[0].raw, *rest])


@dataclass(frozen=True)
class Source:
    """How the files are to be read."""

    header: "re.Pattern[bytes]"
    datefmt: str | None
    zone: ZoneInfo
    host: str
    service: str
    final: bool
    escapes: str
    modified_at: datetime


def header_pattern(log_format: str, datefmt: str | None = None) -> "re.Pattern[bytes]":
    """Turn a Python ``logging`` format into the pattern of a header line."""
    if not log_format.endswith("%(message)s"):
        raise ValueError(f"the format must end with %(message)s: {log_format!r}")
    pattern = ""
    for literal, name, kind in re.findall(r"([^%]+)|%\((\w+)\)[-0-9.]*([a-z])", log_format):
        pattern += re.escape(literal) if literal else f"(?P<{name}>{_field(name, kind, datefmt)})"
    return re.compile(pattern.encode(), re.DOTALL)


def _field(name: str, kind: str, datefmt: str | None) -> str:
    if name == "asctime":
        return _STAMP if datefmt is None else _datefmt_pattern(datefmt)
    if name == "message":
        return ".*"
    if name == "levelname":
        return r" *[A-Za-z]+ *"
    return r" *-?[0-9]+ *" if kind == "d" else ".*?"


def _datefmt_pattern(datefmt: str) -> str:
    pattern = ""
    for directive, literal in re.findall(r"%(.)|([^%]+)", datefmt):
        if literal:
            pattern += re.escape(literal)
        elif directive == "z":
            pattern += _ZONE
        else:
            digits = "[0-9]" + _DIGITS.get(directive, "{2}")
            pattern += _NAMES.get(directive, digits)
    return pattern


def split_lines(data: bytes) -> list[Line]:
    """Cut the content at ``\\n``; take one ``\\r`` before it, a BOM and leading NULs off."""
    lines = []
    at = 0
    while at < len(data):
        newline = data.find(b"\n", at)
        end = newline + 1 if newline >= 0 else len(data)
        raw = data[at:end]
        kept = raw[3:] if at == 0 and raw.startswith(b"\xef\xbb\xbf") else raw
        kept = kept.lstrip(b"\0")
        ignored = len(raw) - len(kept)
        content = re.sub(rb"\r?\n\Z", b"", kept)
        lines.append(Line(at + ignored, content, kept, ignored))
        at = end
    return lines


def beginning_of(line: Line, source: Source) -> Beginning | None:
    """Say what begins at a line that looks like a beginning, else None (Lines 2)."""
    found = source.header.match(line.content)
    if found:
        named = {name: as_text(value).strip() for name, value in found.groupdict().items()}
        level = named.get("levelname", "INFO").upper()
        level = _SAME_LEVEL.get(level, level)
        request_id = named.get("request_id")
        request_id = None if request_id in ("", "-") else request_id
        stamp = named["asctime"]
        if "msecs" in named and source.datefmt is not None:
            stamp += f",{named['msecs']:0>3}"
        logger = named.get("name")
        rest = found["message"]
        return Beginning(stamp, level, logger, request_id, rest, level in SEVERE)
    if line.content.rstrip(BLANK) == values.TRACEBACK.encode():
        return Beginning(None, "ERROR", None, None, line.content, True)
    found = _HEADERLESS.fullmatch(line.content)
    if found is None:
        return None
    level = _SAME_LEVEL.get(found[1].decode(), found[1].decode())
    logger = as_text(found[3]) if found[3] is not None else None
    rest = found[2] or found[4] or b""
    return Beginning(None, level, logger, None, rest, level in SEVERE)


def is_record(line: Line, source: Source) -> bool:
    """Whether a record begins at a line; ``INFO: …`` of others is none."""
    found = record_of(line, source)
    if found is None or found.stamp is not None or found.severe:
        return found is not None
    return _EVENT.match(found.rest) is not None


def record_of(line: Line, source: Source) -> Beginning | None:
    """What looks like the beginning of a record, and the traceback of a group."""
    found = beginning_of(line, source)
    if found is None and is_traceback(line.content):
        return Beginning(None, "ERROR", None, None, line.content, True)
    return found


def is_traceback(content: bytes) -> bool:
    """Tell whether a traceback starts at a line."""
    text = as_text(content.rstrip(BLANK))
    return text in (values.TRACEBACK, values.GROUP_TRACEBACK)


def as_text(raw: bytes) -> str:
    """Decode; invalid UTF-8 and NULs become U+FFFD."""
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")


def take(lines: list[Line], start: int, source: Source) -> tuple[Record | None, int]:
    """Take the record that begins at ``start``: it and the line after it; None if held back."""
    beginning = record_of(lines[start], source)
    assert beginning is not None
    record = Record(beginning, [lines[start]], [False])
    open_text = values.read_message(as_text(beginning.rest).rstrip(values.SPACE), source.escapes)
    is_open = open_text.open_text
    at = start + 1
    trace = "frames" if is_traceback(beginning.rest) else ""
    blanks: list[Line] = []
    while at < len(lines):
        looks = _looks_like_beginning(lines[at], source)
        if is_open and looks:
            end, decided = _text_end(lines, at, source)
            if end is None and not decided and not source.final:
                return None, at
            is_open = False
            if end is not None:
                record.lines += lines[at : end + 1]
                record.in_text += [True] * (end + 1 - at)
                at = end + 1
                continue
        if lines[at].blank and not is_open:
            blanks.append(lines[at])
            at += 1
            continue
        if not is_open:
            after = _goes_on(lines[at], looks, trace, beginning, len(record.lines) == 1)
            if after is None:
                break
            trace = after
        record.lines += [*blanks, lines[at]]
        record.in_text += [False] * len(blanks) + [is_open]
        blanks = []
        is_open = is_open and not values.holds_text_end(as_text(lines[at].content), source.escapes)
        at += 1
    if at == len(lines) and not source.final:
        return None, at
    record.own = 1 + sum(record.in_text)
    if is_open:
        record.in_text = [False] * len(record.lines)
    while record.lines[-1].blank and len(record.lines) > 1:
        record.lines.pop()
        record.in_text.pop()
    return record, at


_EXCEPTION = re.compile(rb"[A-Za-z_][A-Za-z0-9_.]*(: .*|:|[ \t]*)", re.DOTALL)
_CHAINS = (b"During handling of the above exception", b"The above exception was the direct cause")


def _goes_on(
    line: Line, looks: bool, trace: str, beginning: Beginning, is_second: bool
) -> str | None:
    """Where a continuation line has a traceback ("" without one); None: it is none."""
    traceback = is_traceback(line.content)
    if not trace:
        if traceback and beginning.severe and (is_second or beginning.level != "WARNING"):
            return "frames"
        if looks or traceback:
            return None
        goes_on = line.content[:1] in (b" ", b"\t") or beginning.severe
        return "" if goes_on else None
    if line.content[:1] in (b" ", b"\t"):
        return trace
    if line.content.startswith(_CHAINS):
        return "chained"
    if trace == "chained" and traceback:
        return "frames"
    if trace == "frames" and not looks and _EXCEPTION.fullmatch(line.content):
        return "ended"
    return None


def _looks_like_beginning(line: Line, source: Source) -> bool:
    return beginning_of(line, source) is not None


def _text_end(lines: list[Line], at: int, source: Source) -> tuple[int | None, bool]:
    """Look for the end of an open text from look-alike ``at`` on: its line, and if it is sure."""
    look_alikes = 0
    for number in range(at, len(lines)):
        look_alikes += _looks_like_beginning(lines[number], source)
        if look_alikes > LOOK_ALIKES:
            return None, True
        if values.holds_text_end(as_text(lines[number].content), source.escapes):
            return number, True
    return None, False


def read_stamp(stamp: str, source: Source, before: datetime | None) -> datetime | None:
    """Return the UTC instant of a stamp, None if it is no date.

    A time that exists twice is the earlier one, unless that lies more than five minutes before
    ``before``, the instant of the last record of the file.
    """
    try:
        naive = _naive(stamp, source.datefmt)
        if not 1900 <= naive.year <= 9998:
            return None
        if naive.tzinfo is not None:
            return naive.astimezone(UTC)
        first = naive.replace(tzinfo=source.zone, fold=0)
        second = naive.replace(tzinfo=source.zone, fold=1)
        instant = first.astimezone(UTC)
        twice = second.astimezone(UTC) > instant
        if twice and before is not None and instant < before - timedelta(minutes=5):
            return second.astimezone(UTC)
        return instant
    except (ValueError, OverflowError):
        return None


def _naive(stamp: str, datefmt: str | None) -> datetime:
    if datefmt is not None:
        plain, _, millis = stamp.partition(",") if "," not in datefmt else (stamp, "", "")
        read = datetime.strptime(plain, datefmt)
        return read.replace(microsecond=int(millis) * 1000) if millis else read
    found = re.fullmatch(r"(.{19})(?:[.,]([0-9]+))? ?(Z|[+-].*)?", stamp)
    assert found is not None
    read = datetime.strptime(found[1].replace("T", " "), "%Y-%m-%d %H:%M:%S")
    read = read.replace(microsecond=int(f"{found[2] or 0:0<6}"[:6]))
    if found[3] is None:
        return read
    zone = datetime.strptime("+0000" if found[3] == "Z" else found[3], "%z").tzinfo
    return read.replace(tzinfo=zone)
