"""Headers whose level is one letter, and stamps that are seconds or milliseconds since 1970 (pure).

A letter or a number is a level or a stamp only where something else of a header stands beside it: a
tag, a place in a source file, bars or brackets. Each shape says whose it is.
"""

from ingest.lazily import matcher
from ingest.model import DAY_US
from ingest.records.levels import LETTERS, LEVELS, Header
from ingest.records.moments import Stamp, stamp_of

_LETTER = rb"(?P<level>[VDIWECF])"
# seconds, with a fraction or without; milliseconds; zap's own of seconds (EpochTimeEncoder)
_EPOCH = matcher(
    rb"\[?(?:(?P<s>[12]\d{9})(?:[.,](?P<f>\d{1,9}))?|(?P<ms>[12]\d{12})"
    rb"|(?P<zap>[12]\.\d{6,18}[eE]\+0?9))\]?(?=[ \t:|,])"
)
_BEHIND = (
    # Android's logcat: "  pid   tid E Tag     : "
    matcher(rb" +\d{1,7} +\d{1,7} " + _LETTER + rb" (?P<name>[\w./ -]{1,60}?) *: "),
    # TensorFlow's ": E place/of/file.cc:123] "
    matcher(rb":? +" + _LETTER + rb" +(?P<name>[\w./-]{1,150}\.\w{1,4}:\d{1,6})\] ?"),
    matcher(rb"(?: [|-])? +\[" + _LETTER + rb"\](?: \[?(?P<name>[\w.-]{1,60})\]?:)? "),
    matcher(rb" (?P<bar>[|-]) " + _LETTER + rb" +(?P=bar) (?P<name>(?!))?"),
    matcher(rb" " + _LETTER + rb" (?P<name>[A-Za-z_][\w.-]{0,60}): "),
)
# zerolog's ConsoleWriter, whose time is Go's time.Kitchen: "10:00AM INF file.go:12 > text"
_KITCHEN = matcher(
    rb"(?P<h>1?\d):(?P<m>\d\d)(?P<a>[AP])M (?P<level>TRC|DBG|INF|WRN|ERR|FTL|PNC) "
    rb"(?:(?P<name>[\w./-]{1,150}\.go:\d{1,6}) > )?"
)
# PyTorch's own: "[W socket.cpp:601] ", "[rank0]:[W1113 12:00:00.123456789 socket.cpp:601] "
_TORCH = matcher(
    rb"(?:\[rank\d{1,5}\]: ?)?\["
    + _LETTER
    + rb"(?:(?P<M>\d{1,2}?)(?P<D>\d\d) (?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)\.(?P<f>\d{6,9}))? "
    rb"(?P<name>[\w./-]{1,150}\.(?:cpp|cc|cu|h|py):\d{1,6})\] ?"
)

# a letter before a whole stamp, as loggers of C++ and Dart are set up
_LETTER_FIRST = matcher(
    _LETTER + rb" (?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d)[ T](?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)"
    rb"(?:[.,](?P<f>\d{1,9}))?(?P<z>Z|[+-]\d\d:\d\d)? +"
    rb"(?:(?P<name>[\w./-]{1,150}:\d{1,6})[\]:]? +)?"
)


def epoch_at(text: bytes, *, is_exact: bool = False) -> tuple[Stamp, int] | None:
    """The seconds or milliseconds since 1970 that a text begins with, and where they end.

    ``is_exact``: only those of seconds with milli-, micro- or nanoseconds.
    """
    match = _EPOCH.match(text)
    if match is None or (text[:1] == b"[") != (text[match.end() - 1 : match.end()] == b"]"):
        return None
    fraction = match["f"] or b""
    if is_exact and len(fraction) not in (3, 6, 9):
        return None
    if match["zap"]:
        micros = round(float(match["zap"]) * 1_000_000)
    elif match["ms"]:
        micros = int(match["ms"]) * 1000
    else:
        micros = int(match["s"]) * 1_000_000 + int((fraction + b"000000")[:6])
    days, time = divmod(micros, DAY_US)
    return Stamp(time, days, zone=0), match.end()


def lettered(text: bytes, end: int, stamp: Stamp) -> Header | None:
    """The header of a line whose level is a letter behind its ``stamp``, which ends at ``end``."""
    for shape in _BEHIND:
        match = shape.match(text, end)
        if match is not None:
            return Header(LETTERS[match["level"]], match.end(), stamp, match["name"])
    return None


def kitchen(text: bytes) -> Header | None:
    """The header of what zerolog writes to a console."""
    match = _KITCHEN.match(text)
    stamp = stamp_of({**match.groupdict(), "s": b"0"}) if match is not None else None
    if match is None or stamp is None:
        return None
    return Header(LEVELS[match["level"].lower()], match.end(), stamp, match["name"])


def named_letter(text: bytes) -> Header | None:
    """The header of what PyTorch's C++ side writes: a letter and a place, with a stamp or none."""
    match = _TORCH.match(text)
    if match is None:
        return None
    stamp = stamp_of({**match.groupdict(), "Y": None}) if match["h"] else None
    return Header(LETTERS[match["level"]], match.end(), stamp, match["name"])


def letter_first(text: bytes) -> Header | None:
    """The header of a line that begins with a letter and a stamp with its date."""
    match = _LETTER_FIRST.match(text)
    stamp = stamp_of(match.groupdict()) if match is not None else None
    if match is None or stamp is None:
        return None
    return Header(LETTERS[match["level"]], match.end(), stamp, match["name"])
