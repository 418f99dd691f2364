"""What a record header and an event look like, as data: Python ``logging`` format strings compiled.

The grammar of the strings is that of the standard library's ``logging.Formatter`` (styles ``%``,
``{`` and ``$``) and of ``time.strftime`` for the date format.
"""

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ingest.compiled import layout
from ingest.errors import FormatError
from ingest.lazily import matcher
from ingest.records.clock import check_text, compile_clock
from ingest.records.vocabulary import ONE_WORD_KEYS, PUBLIC_EVENTS, PUBLIC_KEYS

if TYPE_CHECKING:
    from ingest.records.access_formats import AccessFormat

DEFAULT_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"

MAX_WIDTH = 1000  # characters that a field may be padded to; far beyond what a header has
HEAD_BYTES = 1024  # of a file, that its requests' ids are made from
MAX_RECORD_BYTES = 4 << 20  # a record longer than this is quarantined by its head (docs/parsing.md)


class _Style(NamedTuple):
    """A style of logging's format strings: its fields, and the escapes of its own marks.

    ``field`` matches an escape, too, then without a name.
    """

    field: re.Pattern[str]
    escapes: tuple[str, ...]

    def unescape(self, literal: str) -> str:
        """What stands for itself between two fields."""
        for escape in self.escapes:
            literal = literal.replace(escape, escape[0])
        return literal


_PERCENT = _Style(
    matcher(r"%%|%\((?P<name>\w+)\)[#0+ -]*(?P<width>[0-9]*)(?:\.[0-9]+)?(?P<type>[a-zA-Z])"),
    ("%%",),
)
_BRACE = _Style(
    matcher(
        r"\{\{|\}\}"
        r"|\{(?P<name>\w+)(?:![rsa])?(?::[^{}0-9]*(?P<width>[0-9]*)[^{}]*?(?P<type>[a-zA-Z]?))?\}"
    ),
    ("{{", "}}"),
)
_DOLLAR = _Style(
    matcher(r"\$\$|\$(?P<open>\{)?(?P<name>[_A-Za-z][_A-Za-z0-9]*)(?(open)\})"), ("$$",)
)
_NUMERIC = {"process", "thread", "lineno", "levelno", "relativeCreated"}
# Attributes that every LogRecord has: of interest with an error, noise with a request.
STANDARD_EXTRAS = _NUMERIC | {
    "processName",
    "threadName",
    "taskName",
    "filename",
    "funcName",
    "module",
    "pathname",
}


# names that envelopes are pinned by, each with what it is called where it is recognised
ENVELOPES = {
    "compose": "compose", "pm2": "pm2", "docker-json-file": "docker json-file", "cri": "CRI",
    "kubectl-prefix": "kubectl prefix", "stern": "stern", "aws-logs-tail": "aws logs tail",
    "rfc3339": "RFC 3339 stamp", "journald-json": "journald json",
    "journald-short-iso": "journald short-iso", "syslog": "syslog", "process": "process",
    "shipped-json": "shipped json", "logcli": "logcli", "grafana": "Grafana",
    "procfile": "Procfile", "tai64n": "TAI64N", "csv": "CSV",
}  # fmt: skip
ENCODINGS = {
    "utf-8": "utf-8", "gb18030": "gb18030", "gbk": "gb18030", "gb2312": "gb18030", "big5": "big5",
    "shift-jis": "shift_jis", "euc-kr": "euc_kr", "latin-1": "latin-1", "utf-16-le": "utf-16-le",
    "utf-16-be": "utf-16-be", "utf-16": "utf-16-le",
}  # fmt: skip


class Pins(NamedTuple):
    """What is said of a log instead of being recognised: names of a profile, an encoding,
    envelopes.

    ``envelopes`` None: whatever stands there; empty: none.
    """

    profile: str | None = None
    encoding: str | None = None
    envelopes: tuple[str, ...] | None = None


NO_PINS = Pins()


class Format(NamedTuple):
    """A compiled record grammar: what the scanner needs to find records and pairs.

    ``fields`` are (kind, literal before it, least width, extra number or -1); ``extras`` the names
    of header fields without a column; ``clock`` the steps that read a stamp; ``suffix`` is text
    behind the message; ``access`` how an HTTP server writes its lines, where that was said;
    ``named`` the id of the one request that a file is of; ``after`` the instant (microseconds) of
    the last record of the file before it in its series, where a zone has its hour twice.
    """

    text: str
    datefmt: str | None
    escapes: bool
    own_stage_times: bool
    fields: tuple[tuple[int, bytes, int, int], ...]
    suffix: bytes
    clock: tuple[tuple[int, int], ...]
    extras: tuple[str, ...]
    access: "AccessFormat | None" = None
    pins: Pins = NO_PINS
    named: str | None = None
    after: int | None = None


_FILE_OF_REQUEST = matcher(
    r"(?:^|.*/)ffmpeg[-_.](?P<id>\w[\w-]{2,63})\.(?:log|err|stderr|txt)(?:\.\d+)?(?:\.gz|\.zst)?"
)


def request_of_file(path: str) -> str | None:
    """The id in the name of a file that one request's ffmpeg wrote: ``ffmpeg-ts_7f3a2b1c.log``."""
    match = _FILE_OF_REQUEST.fullmatch(path)
    return match["id"] if match is not None and re.search(r"\d", match["id"]) else None


def compile_format(
    text: str = DEFAULT_FORMAT,
    datefmt: str | None = None,
    *,
    escapes: str = "backslash",
    stage_time: str = "elapsed",
    access_format: str | None = None,
    pins: Pins = NO_PINS,
) -> Format:
    """Compile a ``logging`` format string; ``access_format`` is that of an HTTP server whose lines
    may stand between.

    :raises FormatError: when it has no message or no time, names a field twice in a row without
        anything between, or is not a format string at all.
    """
    if escapes not in ("backslash", "none"):
        raise FormatError(f"escapes is {escapes!r}", "it is 'backslash' or 'none'")
    if stage_time not in ("elapsed", "own"):
        raise FormatError(f"stage_time is {stage_time!r}", "it is 'elapsed' or 'own'")
    check_text("log format", text)
    literals, names = _split(text)
    _check(text, names, literals)
    _check_widths(text, names)
    fields, extras = _fields(literals, names)
    return Format(
        text=text,
        datefmt=datefmt,
        escapes=escapes == "backslash",
        own_stage_times=stage_time == "own",
        fields=fields,
        suffix=literals[-1].encode(),
        clock=compile_clock(datefmt),
        extras=extras,
        access=_access(access_format) if access_format else None,
        pins=pins,
    )


def pinned(profile: str | None, envelope: str | None, encoding: str | None) -> Pins:
    """Pins as they are written: ``envelope`` has names of ENVELOPES with commas between, or
    ``none``.

    :raises FormatError: for an envelope or an encoding that there is not.
    """
    names = [name.strip().lower() for name in envelope.split(",")] if envelope else None
    for name in names or ():
        if name not in (*ENVELOPES, "none"):
            raise FormatError(
                f"there is no envelope {name[:60]!r}", f"known are none, {', '.join(ENVELOPES)}"
            )
    chosen = encoding.lower().replace("_", "-") if encoding else None
    chosen = ENCODINGS.get(chosen, chosen) if chosen else None
    if chosen is not None and chosen not in ENCODINGS.values():
        raise FormatError(
            f"there is no encoding {str(encoding)[:60]!r}", f"known are {', '.join(ENCODINGS)}"
        )
    envelopes = None if names is None else tuple(n for n in names if n != "none")
    return Pins(profile or None, chosen, envelopes)


def _access(text: str) -> "AccessFormat":
    # few need it, and what it reads instants with needs NumPy: a command that reads no log would
    # load that
    from ingest.records.access_formats import compile_access

    return compile_access(text)


def _check_widths(text: str, names: list[dict[str, str]]) -> None:
    for name in names:
        width = name.get("width", "")
        if len(width) > 9 or int(width or 0) > MAX_WIDTH:
            raise FormatError(
                f"the log format {text[:200]!r} pads {name['name']} to more than {MAX_WIDTH} "
                "characters",
                f"a complete one is '{DEFAULT_FORMAT}'",
            )


def _split(text: str) -> tuple[list[str], list[dict[str, str]]]:
    styles = (_PERCENT, _DOLLAR, _BRACE)
    style = next((s for s in styles if any(m["name"] for m in s.field.finditer(text))), None)
    if style is None:
        raise FormatError(
            f"the log format {text!r} has no fields",
            f"give the service's logging format string, such as '{DEFAULT_FORMAT}'",
        )
    literals, names, at = [], [], 0
    for match in style.field.finditer(text):
        if not match["name"]:
            continue
        literals.append(text[at : match.start()])
        names.append({k: v or "" for k, v in match.groupdict().items()})
        at = match.end()
    literals.append(text[at:])
    if style is _PERCENT:
        for part in literals:
            if "%" in part.replace("%%", ""):
                raise FormatError(
                    f"the log format {text!r} is malformed near {part.strip()!r}",
                    "a field looks like %(levelname)s; a plain percent sign is written %%",
                )
    return [style.unescape(part) for part in literals], names


def _check(text: str, specs: list[dict[str, str]], literals: list[str]) -> None:
    names = [spec["name"] for spec in specs]
    hint = f"a complete one is '{DEFAULT_FORMAT}'"
    if "message" not in names:
        raise FormatError(f"the log format {text!r} has no %(message)s", hint)
    if "asctime" not in names and "created" not in names:
        raise FormatError(
            f"the log format {text!r} has no %(asctime)s, so its records have no time", hint
        )
    times = [i for i, name in enumerate(names) if name in ("asctime", "created")]
    if times[0] > names.index("message"):
        raise FormatError(
            f"the log format {text!r} has the time after the message",
            "a message of several lines would hide it; put %(asctime)s before %(message)s",
        )
    for i in range(1, len(names)):
        if not literals[i] and _kind(specs[i - 1]) not in _FIXED and names[i - 1] != "message":
            raise FormatError(
                f"the log format {text!r} has nothing between {names[i - 1]} and {names[i]}",
                "put a space or a dash between them: nothing else shows where one ends",
            )
    for name in names:
        if names.count(name) > 1:
            raise FormatError(f"the log format {text!r} names {name} twice", hint)


_KINDS = {
    "asctime": layout.F_ASCTIME,
    "created": layout.F_CREATED,
    "msecs": layout.F_MSECS,
    "levelname": layout.F_LEVEL,
    "name": layout.F_NAME,
    "message": layout.F_MESSAGE,
    "request_id": layout.F_REQUEST_ID,
    "x_request_id": layout.F_REQUEST_ID,
    "correlation_id": layout.F_REQUEST_ID,
}


_FIXED = {layout.F_ASCTIME, layout.F_CREATED, layout.F_MSECS, layout.F_DIGITS}


def _kind(spec: dict[str, str]) -> int:
    """The kind of a field; a number that is not written in decimal digits is text."""
    if spec["name"] in _NUMERIC:
        return layout.F_DIGITS if (spec.get("type") or "s") in "sdiuf" else layout.F_TEXT
    return _KINDS.get(spec["name"], layout.F_TEXT)


def _fields(
    literals: list[str], names: list[dict[str, str]]
) -> tuple[tuple[tuple[int, bytes, int, int], ...], tuple[str, ...]]:
    extras: list[str] = []
    fields = []
    for literal, spec in zip(literals, names, strict=False):
        kind = _kind(spec)
        extra = -1
        if kind in (layout.F_DIGITS, layout.F_TEXT):
            extra = len(extras)
            extras.append(spec["name"])
        width = int(spec.get("width") or 0)
        fields.append((kind, literal.encode(), width, extra))
    return tuple(fields), tuple(extras)


def scanner_arguments(fmt: Format, max_record: int = MAX_RECORD_BYTES) -> tuple[Any, ...]:
    """The arguments of :class:`ingest.compiled.records.Scanner` for a format, as plain buffers."""
    literals = b"".join(f[1] for f in fmt.fields) + fmt.suffix
    program = (
        memoryview(bytearray(4 * 5 * len(fmt.fields))).cast("B").cast("i", [len(fmt.fields), 5])
    )
    at = 0
    for i, (kind, literal, width, extra) in enumerate(fmt.fields):
        for j, value in enumerate((kind, at, len(literal), width, extra)):
            program[i, j] = value
        at += len(literal)
    clock = memoryview(bytearray(8 * len(fmt.clock))).cast("B").cast("i", [len(fmt.clock), 2])
    for i, (step, argument) in enumerate(fmt.clock):
        clock[i, 0], clock[i, 1] = step, argument
    return (
        program,
        memoryview(literals or b"\0"),
        (at, len(fmt.suffix)),
        clock,
        fmt.datefmt is None,
        [e.encode() for e in PUBLIC_EVENTS],
        [k.encode() for k in PUBLIC_KEYS],
        {k.encode() for k in ONE_WORD_KEYS},
        fmt.escapes,
        max_record,
    )
