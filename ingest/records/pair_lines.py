"""Lines of pairs: logfmt, and what structlog prints to a console → message and pairs, as a JSON
line has them (pure).

logfmt is ``time=… level=info msg="…" key=value`` (logrus, log/slog, structlog's LogfmtRenderer);
structlog's ConsoleRenderer prints ``stamp [level    ] event      [logger] key=value``, a value in
Python's quotes where it holds a space; logrus' TextFormatter on a terminal ``INFO[0001] message
key=value``; zap's console encoder ``stamp level logger place message {"key": value}`` with tabs;
zerolog's ``stamp INF message key=value``; winston's ``level: message {"key": value}``; any
logger's whose message tells of a request by its id.
"""

import ast
import json
import re
from dataclasses import replace

from ingest.compiled.layout import L_NONE, L_WARNING
from ingest.lazily import matcher
from ingest.records.event_names import names_event
from ingest.records.header_shapes import epoch_at
from ingest.records.headers import header_of
from ingest.records.json_lines import JsonLine, access_record, record_of
from ingest.records.levels import LEVELS
from ingest.records.moments import stamp_at
from ingest.records.structured import phrase_of
from ingest.records.structured_words import TEXTS

MOST = 64 << 10  # bytes of a line that is looked at
_VALUE = r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"'=][^\s"=]*|"""
_PAIR = matcher(rf"(?P<key>[A-Za-z_@][\w.@-]{{0,63}})=(?P<value>{_VALUE})(?=\s|$)\s*")
_LOGFMT = matcher(rb"[A-Za-z_@][\w.@-]{0,63}=")
_NAMES = matcher(rb"(?:^|\s)(?:level|lvl|severity)=")
_STATUS = matcher(rb"(?:^|\s)(?:status|code|status_code)=\"?[1-5]\d\d\"?(?:\s|$)")
_WORD = "|".join(sorted((word.decode() for word in LEVELS), key=len, reverse=True))
_LEVEL = matcher(rf"\s*\[(?P<level>{_WORD}) *\] ")
_LOGGER = matcher(r"\[(?P<name>[A-Za-z_][\w.]{0,100})\](?:\s+|$)")
_PADDED = matcher(r"(?P<event>\S.*?)(?:\s{2,}|\s+(?=\[[A-Za-z_][\w.]*\](?:\s|$))|$)")
_LOGRUS = matcher(
    r"(?P<level>TRAC|DEBU|INFO|WARN|ERRO|FATA|PANI)\[(?P<since>[^\]\s]{4,35})\] ?(?P<rest>.*)"
)
_LOGRUS_WORDS = {"TRAC": "trace", "FATA": "fatal", "PANI": "panic"}
_COMMA_PAIR = matcher(
    r"""(?P<key>[A-Za-z_@][\w.@-]{0,63})=(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'"""
    r"""|[^\s"'=,][^\s"=,]*|)(?:,\s*|$)"""
)
_HAS_ID = matcher(rb"[ ,](?:[A-Za-z_]{1,24}_)?(?:[iI][dD]|[a-z]{1,24}Id)=")
_ZEROLOG = matcher(rb"[MZ\d] (?:TRC|DBG|INF|WRN|ERR|FTL|PNC) ")
_PLACE = matcher(r"[\w./@-]{1,200}\.\w{1,4}:\d{1,6}")
_NAME = matcher(r"[A-Za-z_][\w.-]{0,100}")
_FIRST = matcher(r"\s(?=[A-Za-z_][\w.-]*=)")


def pair_line(text: bytes) -> JsonLine | None:
    """The record of a line of pairs, or None for any other line."""
    if len(text) > MOST:
        return None
    if text.endswith(b"}") and b' {"' in text and (found := _braced(text)) is not None:
        return found
    if b"=" not in text:
        return _tabbed(text) if b"\t" in text else None
    if _LOGFMT.match(text):
        is_likely = _NAMES.search(text) or _STATUS.search(text)
        return _logfmt(text.decode("utf-8", "replace")) if is_likely else None
    if text[4:5] == b"[":
        return _logrus(text.decode("utf-8", "replace"))
    if b"\t" in text and (found := _tabbed(text)) is not None:
        return found
    if text[:1].isdigit() and b" [" in text[:64] and (found := _console(text)) is not None:
        return found
    if text[:1].isdigit() and _ZEROLOG.search(text[:48]):
        return _zerolog(text)
    return _headed(text) if _HAS_ID.search(text) else None


def _logfmt(text: str) -> JsonLine | None:
    data = _pairs(text)
    if data is None:
        return None
    found = access_record(dict(data))
    has_level = _NAMES.search(text.encode()) is not None
    return found or (record_of(dict(data)) if has_level else None)


def _logrus(text: str) -> JsonLine | None:
    """logrus' line: seconds since its start or a stamp in brackets, its message padded."""
    match = _LOGRUS.fullmatch(text.rstrip())
    event = _PADDED.match(match["rest"]) if match is not None else None
    if match is None or event is None:
        return None
    told, rest = event["event"], match["rest"][event.end() :]
    if not rest and (first := _FIRST.search(told)) is not None:
        told, rest = told[: first.start()], told[first.end() :]
    data = _pairs(rest)
    record = None if data is None else record_of({**dict(data), "event": told})
    if record is None:
        return None
    found = stamp_at(match["since"].encode())
    word = _LOGRUS_WORDS.get(match["level"], match["level"].lower())
    return replace(
        record, message=told, level=LEVELS[word.encode()], stamp=found[0] if found else None,
        grows=True,
    )  # fmt: skip


def _tabbed(line: bytes) -> JsonLine | None:
    """zap's line: a stamp and a level, then tabs between logger, place, message and fields."""
    first, *parts = line.decode("utf-8", "replace").split("\t")
    if len(parts) < 2 or (level := LEVELS.get(parts[0].lower().encode())) is None:
        return None
    written = first.encode()
    found = stamp_at(written) or epoch_at(written + b" ")
    if found is None or found[1] != len(written):
        return None
    if not parts[-1].startswith("{"):
        return None  # a header like any other
    try:
        members = json.loads(parts[-1])
    except (ValueError, RecursionError):
        return None
    parts = parts[1:-1]
    if not parts:
        return None
    logger = parts.pop(0) if len(parts) > 1 and _NAME.fullmatch(parts[0]) else None
    place = parts.pop(0) if len(parts) > 1 and _PLACE.fullmatch(parts[0]) else None
    record = record_of({**members, "message": "\t".join(parts)})
    if record is None:
        return None
    name = logger or place
    return replace(record, level=level, stamp=found[0], logger=name, grows=True)


def _console(line: bytes) -> JsonLine | None:
    """structlog's line: its event is padded, or the logger or the first pair stands behind it."""
    found = stamp_at(line)
    if found is None:
        return None
    text = line[found[1] :].decode("utf-8", "replace")
    level = _LEVEL.match(text)
    if level is None or names_event(line[found[1] + level.end() :]):
        return None
    rest = text[level.end() :]
    event = _PADDED.match(rest)
    if event is None:
        return None
    rest, told = rest[event.end() :], event["event"]
    logger = _LOGGER.match(rest)
    rest = rest[logger.end() :] if logger else rest
    if not rest and logger is None:  # not padded: the pairs stand directly behind a long event
        first = _FIRST.search(told)
        told, rest = (told[: first.start()], told[first.end() :]) if first else (told, "")
    data = _pairs(rest)
    if not data:
        return None
    members = {**dict(data), "event": told}
    asked = access_record(members)
    if asked is not None and asked.access is not None:
        return replace(asked, stamp=found[0], access=replace(asked.access, stamp=found[0]))
    record = record_of(members)
    if record is None:
        return None
    return JsonLine(
        told,
        LEVELS.get(level["level"].encode(), L_NONE),
        logger["name"] if logger else record.logger,
        found[0],
        record.request_id,
        record.traceback,
        record.pairs,
        grows=True,
        members=record.members,
    )


def _headed(line: bytes) -> JsonLine | None:
    """A header of any logger, a message that tells of a request, and pairs with its id.

    A text without quotes could hold further pairs: then these are none.
    """
    header = header_of(line)
    if header is None:
        return None
    text = line[header.message :].decode("utf-8", "replace")
    first = _FIRST.search(text)
    if first is None:
        return None
    told, rest = text[: first.start()].rstrip(" :,|-"), text[first.end() :]
    if names_event(line[header.message :]) or phrase_of(told) is None:
        return None
    data = _comma_pairs(rest) or _pairs(rest)
    members = dict(data or ())
    if not data or len(members) < len(data) or _has_bare_text(rest, members):
        return None
    record = record_of({**members, "message": told})
    if record is None:
        return None
    logger = header.logger.decode("utf-8", "replace") if header.logger else record.logger
    return replace(
        record, message=text, level=header.level, stamp=header.stamp, logger=logger, grows=True
    )


def _braced(line: bytes) -> JsonLine | None:
    """winston's line: a level, a message, and an object of all else that is known.

    A text at a message's end could hold an object, too: so it counts only behind what tells of a
    request, or in a warning or error, and never behind a colon.
    """
    header = header_of(line)
    if header is None or names_event(line[header.message :]):
        return None
    text = line[header.message :].decode("utf-8", "replace")
    told, brace, rest = text.partition(' {"')
    told = told.rstrip()
    if not brace or told.endswith((":", "=", ",")) or '"' in told:
        return None
    if header.level < L_WARNING and phrase_of(told) is None:
        return None
    try:
        members = json.loads('{"' + rest)
    except (ValueError, RecursionError):
        return None
    record = record_of({**members, "message": told})
    if record is None:
        return None
    logger = header.logger.decode("utf-8", "replace") if header.logger else record.logger
    stamp = header.stamp or record.stamp
    return replace(record, level=header.level, stamp=stamp, logger=logger, grows=True)


def _comma_pairs(text: str) -> list[tuple[str, str]] | None:
    """Pairs with commas between them."""
    pairs, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _COMMA_PAIR.match(text, at)
        if match is None:
            return None
        pairs.append((match["key"], _unquoted(match["value"])))
        at = match.end()
    return pairs


def _has_bare_text(rest: str, members: dict[str, str]) -> bool:
    return any(
        name in members and not re.search(rf"(?:^|[\s,]){name}=[\"']", rest) for name in TEXTS
    )


def _zerolog(line: bytes) -> JsonLine | None:
    """zerolog's line on a console: a header with a level of three letters, a message, pairs."""
    header = header_of(line)
    if header is None:
        return None
    text = line[header.message :].decode("utf-8", "replace")
    first = _FIRST.search(" " + text)
    told, rest = ("", "") if first is None else (text[: first.start()], text[first.start() :])
    data = _pairs(rest.lstrip())
    if not data:
        return None
    members = {**dict(data), "message": told.rstrip()}
    asked = access_record(members)
    if asked is not None and asked.access is not None:
        return replace(asked, stamp=header.stamp, access=replace(asked.access, stamp=header.stamp))
    record = record_of(members)
    if record is None:
        return None
    logger = header.logger.decode() if header.logger else record.logger
    return replace(record, level=header.level, stamp=header.stamp, logger=logger, grows=True)


def _pairs(text: str) -> list[tuple[str, str]] | None:
    """The pairs that a text is made of as a whole; None where anything else stands in it."""
    pairs, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _PAIR.match(text, at)
        if match is None:
            return None
        pairs.append((match["key"], _unquoted(match["value"])))
        at = match.end()
    return pairs


def _unquoted(value: str) -> str:
    if value[:1] not in ('"', "'"):
        return value
    try:
        found = ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value[1:-1]
    return found if isinstance(found, str) else value[1:-1]
