"""The generic header: stamp, level, logger and place at a line's beginning, in whatever order and
brackets (pure).

No format is enumerated: a stamp at the line's beginning and a level word within REACH characters
make a header, as do the shapes that begin with a level (docs/parsing.md, "Headers").
"""

import re

from ingest.compiled.layout import L_DEBUG, L_ERROR
from ingest.lazily import matcher
from ingest.records.header_shapes import epoch_at, kitchen, letter_first, lettered, named_letter
from ingest.records.levels import LETTERS, LEVELS, Header
from ingest.records.moments import Stamp, read_stamp, stamp_at, stamp_of
from ingest.records.vocabulary import PUBLIC_EVENTS

REACH = 80  # bytes behind a stamp in which its level stands
_MOST_BEFORE = 8  # words between a stamp and its level; behind a number that is one, one at most

_WORDS = b"|".join(sorted(LEVELS, key=lambda word: -len(bytes(word))))
# a level in brackets, or in capitals between things that are no word, or before a colon, or between
# bars
_LEVEL = matcher(
    rb"[\[(<] ?(?P<boxed>(?i:" + _WORDS + rb")) *[\])>]"
    rb"|(?<![\w.])(?P<capital>" + _WORDS.upper() + rb")(?![\w.(=])"
    rb"|(?<![\w.])(?P<colon>(?i:" + _WORDS + rb")):(?=\s|$)"
    rb"|^ ?\|(?P<piped>(?i:" + _WORDS + rb")) *\|"
    rb"|(?<=[|-] )(?P<barred>(?i:" + _WORDS + rb")) *(?=[|-] )"
    rb"|^[ \t](?P<lower>error|warning|warn|info|debug|critical|fatal)(?=[ \t])"
    rb"|^[ |:-]*(?P<first>(?i:" + _WORDS + rb"))(?= +[\[|:-]|  )"
    rb"|\[(?P<letter>[VIWEF]):onnxruntime:[^\]]{0,200}\]"
    rb"|^: (?P<named>(?i:"
    + _WORDS
    + rb"))/[\w-]{1,60}\]"  # Celery, whose bracket holds the stamp, too
)
_UVICORN = matcher(rb"(?P<level>" + _WORDS.upper() + rb"):(?P<pad> +|$)")
_BASIC = matcher(rb"(?P<level>" + _WORDS.upper() + rb"):(?P<name>[A-Za-z_][\w.-]*):")
_GLOG = matcher(
    rb"(?P<level>[DIWEF])(?:(?P<Y>\d{4}))?(?P<M>\d\d)(?P<D>\d\d) "
    rb"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)\.(?P<f>\d{6,9}) +"
    rb"\d+ (?P<place>[^\s:\]]{1,100}:\d+)\] ?"
)
# tornado's LogFormatter, Jupyter's: [I 260302 10:00:00 web:2348] text; NeMo's, with its name first
_TORNADO = matcher(
    rb"\[(?:NeMo )?(?P<level>[DIWEC]) (?:(?P<y>\d\d)(?P<M>\d\d)(?P<D>\d\d)"
    rb"|(?P<Y>\d{4})-(?P<Mo>\d\d)-(?P<Da>\d\d)) "
    rb"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{3,6}))? (?P<place>[\w.:<>-]{1,100})\] ?"
)
_LEADING = matcher(
    rb"(?:\[[A-Za-z][\w .-]{0,30}\] )?[\[(<]?(?P<level>(?i:"
    + _WORDS
    + rb"))(?: {0,8}[\])>])?[ :|-]+(?=[\[(]?\d)"
)
# a level at the beginning and no stamp: "[ERROR] ", "[ERROR][app] ", "ERROR - ", "ERROR | ",
# "app - ERROR - "
_BOXED = matcher(
    rb"(?:\[(?P<level>(?i:" + _WORDS + rb")) *\]|(?P<bare>" + _WORDS.upper() + rb") +[-|])"
    rb"(?:: ?| ?(?:\[(?P<name>[A-Za-z_][\w./-]{0,60}(?::\d+)?)\]|"
    rb"(?P<named>[A-Za-z_]\w*(?:\.\w+)+|[a-z_]\w{0,30}):(?= ))?(?: [-|:] |:? |$))"
)
_NAMED = matcher(rb"(?P<name>[A-Za-z_][\w.-]{0,60}) - (?P<level>" + _WORDS.upper() + rb") - ")
# small letters and no stamp: winston's "error: text" and "error  text"; .NET's line with a
# category, whose text stands below
_SMALL = matcher(
    rb"(?P<level>error|warning|warn|info|debug|verbose|silly|trace|trce|dbug|fatal|critical|crit"
    rb"|fail)(?:: (?P<name>[A-Z]\w*(?:\.[\w`]+)+)\[\d+\]$|: +(?=\S)| {2,8}(?=[^\s|:]))"
    rb"|(?P<capital>" + _WORDS.upper() + rb")(?: {2,8}|\t)(?=[^\s|:])"
)
_SMALL_LEVELS = {b"silly": L_DEBUG, b"trce": L_DEBUG, b"fail": L_ERROR}
# logger, function and line in colons: logging's "%(asctime)s:%(levelname)s:%(name)s:%(message)s"
_CHAINED = matcher(
    rb":(?P<name>[A-Za-z_][\w.]{0,100})(?::[A-Za-z_<][\w<>]{0,100})?(?::\d{1,6}: ?|:(?=\S))"
)
_RANKS = matcher(rb"(?: [A-Z]{2}\d{1,4}){1,4}\]")  # sglang's, behind its stamp
_SEPARATOR = matcher(rb":? (?:[-|] )?")  # and no more: an indented line stays one
_BEHIND = matcher(rb"[ \t]*(?:[-|:\])>,]+[ \t]*)*")
# what stands between level and message: [file.py:12], name:function:12 -, name -, name:, | name |,
# in name:, 12#12:
_PLACES = (
    matcher(rb"\[(?P<name>[\w./-]{1,100}:\d+)\] ?"),
    matcher(rb"(?P<name>[\w.<>/-]{1,100}:[\w<>.]{1,100}:\d+) (?:-|\||:)(?! ?\"[A-Z]+ ) ?"),
    matcher(  # no client's port
        rb"(?!\d{1,3}(?:\.\d{1,3}){3}:)(?P<name>[\w.<>/-]{1,100}:\d+) (?:-|\||:)(?! ?\"[A-Z]+ ) ?"
    ),
    matcher(rb"(?P<name>[\w./-]{1,100}:\d+)\] "),
    # Spring Boot's "pid --- [application] [thread] logger : "
    matcher(rb"\d{1,10} --- (?:\[[^\]]{0,60}\] ?){1,3}(?P<name>[\w.$\[\]/-]{1,100}) *: "),
    # Rust's target, behind the spans it is in: "request{id=1}: tts::server: "; env_logger's "tts] "
    matcher(rb"(?:[a-z_]\w{0,60}(?:\{[^{}]{0,300}\})?:){0,4} ?(?P<name>[a-z_]\w*(?:::\w+)+): "),
    matcher(rb"(?P<name>[a-z_]\w{0,60}(?:::\w{1,60}){0,4})\] "),
    matcher(rb"(?P<name>[\w./@-]{1,200}(?::\d{1,6})?)\t(?:[\w./@-]{1,200}:\d{1,6}\t)?"),  # zap's
    matcher(rb"in (?P<name>[\w.]{1,100}): "),
    matcher(rb"\((?P<name>[A-Za-z_][\w.:-]{0,60})\) "),
    matcher(rb"(?P<name>\d+#\d+): (?:\*\d+ )?"),
    matcher(rb"\[(?P<name>[A-Za-z_][\w./:-]{0,100})\] ?(?:[-:|] )?"),
    matcher(rb"(?P<name>[A-Za-z_][\w.]{0,100}) (?:\||-) (?:(?P<more>[A-Za-z_]\w{0,60}) \| )?"),
    # log4j's "thread logger - ", of TorchServe
    matcher(rb"[\w.:-]{1,80} (?P<name>[A-Z]+_[A-Z_]+|[a-z]\w*(?:\.\w+)+) - "),
    matcher(rb"(?P<name>[a-z_][\w.]{0,60}): "),
)
_UNBOXED = (
    *_PLACES[:-1],
    matcher(
        rb"(?P<name>[A-Za-z_]\w*(?:\.\w+)+|__\w+__"
        rb"|root|werkzeug|uvicorn|gunicorn|fastapi|flask|app|api|main|server|engine|tts|worker): "
    ),
)
# behind the logger, by OpenTelemetry's instrumentation of logging: [file.py:12] [trace_id=…
# span_id=…] -
_TRACED = matcher(rb"(?:\[[\w./<>-]{1,100}:\d+\] )?\[trace_id=[^\]]{0,200}\] ?(?:- )?")
# Rich, within one second
_IN_BRACKET = matcher(rb" +(?:" + _WORDS.upper() + rb")(?: *\]| +[A-Za-z_][\w:]{0,100}\] )")
_BLANK_STAMP = matcher(rb" {8,30}(?P<level>" + _WORDS.upper() + rb") +")
_NAME_BEFORE = matcher(
    rb"(?<![\w.])(?P<name>[A-Za-z_][\w.]{0,100}(?::\w+)?(?::\d+)?)[ \t\]]*[-|: ]*[\[( ]*$"
)
_EVENTS = frozenset(event.encode() for event in PUBLIC_EVENTS)
_THREAD = matcher(rb"(?:Exception (?:in thread|ignored in|in callback)\b|Uncaught exception\b)")


def header_of(text: bytes) -> Header | None:
    """The generic header of a line, or None where the line has none."""
    first = text[:1]
    if first.isdigit() or (first in b"[+(" and first):
        found = _stamped(text) or kitchen(text)
        if found is not None:
            return found
    elif first == b" ":
        blank = _BLANK_STAMP.match(text)
        return Header(LEVELS[blank["level"].lower()], blank.end()) if blank else None
    elif first.isalpha():
        found = _glog(text) if first in b"DIWEF" else None
        if found is None and text[1:3] == b" 2":
            found = letter_first(text)
        if found is not None:
            return found
        found = _leading(text)
        if found is None and first.isupper():
            found = _by_level(text) or _stamped(text)
        if found is not None:
            return found
        if first == b"E" and _THREAD.match(text):
            return Header(L_ERROR, 0)
        if first in b"ewivdstfcEWIDFC" and (small := _SMALL.match(text)) is not None:
            return _small(small)
    if first and first in b"[(<":
        found = _leading(text) or (_tornado(text) if b" " in text[2:6:3] else None)
        found = found or named_letter(text)
        return found or (_unstamped(text) if first == b"[" else None)
    return _unstamped(text) if first.isalpha() else None


def _small(match: re.Match[bytes]) -> Header:
    word = match["level"] or match["capital"].lower()
    level = _SMALL_LEVELS.get(word) or LEVELS[word]
    return Header(level, match.end(), logger=match["name"])


def _unstamped(text: bytes) -> Header | None:
    """A level at a line's beginning, where no stamp is."""
    match = _BOXED.match(text)
    if match is not None:
        level, logger = LEVELS[(match["level"] or match["bare"]).lower()], match["named"]
        if logger in _EVENTS:
            return Header(level, match.start("named"))
        return Header(level, match.end(), logger=match["name"] or logger)
    match = _NAMED.match(text)
    if match is None:
        return None
    return Header(LEVELS[match["level"].lower()], match.end(), logger=match["name"])


def bare_stamp(text: bytes) -> tuple[Stamp, int] | None:
    """A date and a time before a line without a level, and where the line's own text begins."""
    first = text[:1]
    is_named = first.isupper() and text[3:4] in (b" ", b",")  # a month or a weekday
    if not (first.isdigit() or is_named or (first == b"[" and text[1:2].isdigit())):
        return None
    found = stamp_at(text, bracketed=first == b"[") or epoch_at(text, is_exact=True)
    if found is None and first == b"[":
        found = stamp_at(text[1:])
        ranks = _RANKS.match(text, found[1] + 1) if found is not None else None
        found = (found[0], ranks.end()) if found is not None and ranks is not None else None
    if found is None or not (found[0].month or found[0].days):
        return None
    behind = _SEPARATOR.match(text, found[1])
    return None if behind is None else (found[0], behind.end())


def _stamped(text: bytes) -> Header | None:
    if text[:1].isalpha() and text[3:4] not in (b" ", b","):
        return None  # of stamps only a month's or a weekday's name begins with a letter
    found = stamp_at(text, bracketed=text[:1] == b"[")
    most = _MOST_BEFORE
    if found is None and (found := epoch_at(text)) is not None:
        most = 1
    if found is None and text[:1] == b"[":
        found = stamp_at(text[1:])  # [stamp: LEVEL/process] text, [stamp LEVEL] text
        if found is not None:
            found = (found[0], found[1] + 1)
            if text[found[1] : found[1] + 2] != b": " and not _IN_BRACKET.match(text, found[1]):
                return None
    if found is None:
        return None
    stamp, end = found
    window = text[end : end + REACH]
    level = _LEVEL.search(window)
    if level is None or not _is_early(window, level, most):
        return lettered(text, end, stamp)
    return _finished(text, end, end + level.start(), end + level.end(), _level_of(level), stamp)


def _is_early(window: bytes, level: re.Match[bytes], most: int) -> bool:
    """Whether a level is part of a header, not of a message: few words precede it."""
    before = window[: level.start()]
    return b'"' not in before and b"=" not in before and len(before.split()) <= most


def _level_of(match: re.Match[bytes]) -> int:
    word = match.group(match.lastgroup or 0)
    return LETTERS[word] if match.lastgroup == "letter" else LEVELS[word.lower()]


def _finished(
    text: bytes, after_stamp: int, level_start: int, level_end: int, level: int, stamp: Stamp | None
) -> Header:
    """The header with its logger, which stands between stamp and level or behind the level."""
    name = _NAME_BEFORE.search(text[after_stamp:level_start].rstrip(b" \t"))
    logger = name["name"] if name is not None else None
    at = _BEHIND.match(text, level_end).end()  # type: ignore[union-attr]
    if text[level_start - 1 : level_start] == b":" and (chained := _CHAINED.match(text, level_end)):
        return Header(level, chained.end(), stamp, chained["name"])
    boxed = text[level_start : level_start + 1] in (b"[", b"(", b"<")
    for place in _PLACES if boxed else _UNBOXED:  # else ``exited: …`` is the message's own
        match = place.match(text, at)
        if match is not None and match["name"] not in _EVENTS:
            if logger is None:
                logger = match["name"]
                at = match.end()
            elif place in _PLACES[:3]:
                at = match.end()
            at += 2 if text[at : at + 2] == b": " else 0  # sanic: [client]: text
            break
    traced = _TRACED.match(text, at)
    return Header(level, traced.end() if traced else at, stamp, logger)


def _by_level(text: bytes) -> Header | None:
    """uvicorn's ``LEVEL:     text`` and basicConfig's ``LEVEL:logger:text``."""
    match = _BASIC.match(text)
    if match is not None:
        return Header(LEVELS[match["level"].lower()], match.end(), logger=match["name"])
    match = _UVICORN.match(text)
    if match is not None:
        return Header(LEVELS[match["level"].lower()], match.end())
    return None


def _tornado(text: bytes) -> Header | None:
    match = _TORNADO.match(text)
    if match is None:
        return None
    group = match.groupdict()
    group["M"], group["D"] = group["M"] or group["Mo"], group["D"] or group["Da"]
    stamp = stamp_of(group)
    if stamp is None:
        return None
    return Header(LETTERS[match["level"]], match.end(), stamp, match["place"])


def _glog(text: bytes) -> Header | None:
    match = _GLOG.match(text)
    if match is None:
        return None
    stamp = read_stamp(match)
    if stamp is None:
        return None
    return Header(LETTERS[match["level"]], match.end(), stamp, match["place"])


def _leading(text: bytes) -> Header | None:
    """A level and then a stamp, as vLLM prints them."""
    match = _LEADING.match(text)
    if match is None:
        return None
    start = match.end()
    found = stamp_at(text[start:], bracketed=text[start : start + 1] == b"[")
    if found is None:
        return None
    stamp, end = found
    return _finished(
        text, start + end, start + end, start + end, LEVELS[match["level"].lower()], stamp
    )
