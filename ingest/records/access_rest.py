"""What stands behind an access line's status and size: referer, user agent, durations, ids (pure).

nginx and Apache put there whatever their owner wants. Values with a name are known by it, the
others by their shape: nginx writes seconds with three digits behind the point, the lists of several
upstream servers with commas or colons, and its ``$request_id`` as 32 hexadecimal digits.
"""

import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field

from ingest.lazily import matcher

_MOST = 60  # values of a line that are looked at
_ITEM = rb'[^\s",=]+(?=[\s,"]|$)'
_BARE = rb'[^\s",]+(?:(?:, ?| : )' + _ITEM + rb")*"
_QUOTED = rb'"((?:[^"\\]|\\.)*)"'
_TOKEN = matcher(
    rb"[\s,|]*(?:" + _QUOTED + rb"|\[([^\]]*)\]"
    rb"|([A-Za-z_][\w.-]{0,40}[=:])(?:" + _QUOTED + rb"|(" + _BARE + rb"))?"
    rb"|(" + _BARE + rb"))"
)  # fmt: skip
_TIME = rb"\d{1,9}\.\d{3}(?:\d{3})?"
_TIMES = matcher(rb"(?:-(?:, ?| : ))*" + _TIME + rb"(?:(?:, ?| : )(?:" + _TIME + rb"|-))*")
_UNIT = matcher(rb"(\d{1,15}(?:\.\d{1,9})?)(us|\xc2\xb5s|\xce\xbcs|ms|s)")
_PER_UNIT = {b"ms": 1.0, b"s": 1000.0}
_ANY_SECONDS = matcher(rb"\d{1,9}\.\d+")
_ID = matcher(rb"[0-9a-f]{32}|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_ADDRESSES = matcher(rb"-|[0-9A-Fa-f:.]{3,45}(?:, ?[0-9A-Fa-f:.]{3,45})*")
_LETTERS = matcher(rb"[A-Za-z]{2}")
_ESCAPED = matcher(r"(?:\\x[0-9A-Fa-f]{2})+")

# names that log_format strings commonly give to nginx's variables, by column
_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("rt", "request_time", "req_time", "duration", "reqtime"), "request_ms"),
    **dict.fromkeys(
        ("urt", "upstream_response_time", "upstream_time", "uresp", "upstream"), "upstream_ms"
    ),
    **dict.fromkeys(
        ("rid", "reqid", "request_id", "req_id", "requestid", "x_request_id", "xrequestid",
         "http_x_request_id", "sent_http_x_request_id", "upstream_http_x_request_id",
         "correlation_id", "x_correlation_id", "http_x_correlation_id", "trace_id", "traceid"),
        "request_id",
    ),
    **dict.fromkeys(("ua", "http_user_agent", "user_agent", "useragent", "agent"), "user_agent"),
    **dict.fromkeys(("ref", "http_referer", "referer", "referrer"), "referer"),
}  # fmt: skip
_NGINX_NAMES = matcher(r"rt|u[crh]t|uresp|request_time|upstream_\w+|http_\w+|request_length")


@dataclass(slots=True)
class _Taken:
    """The values behind a status that were found by their shape."""

    times: list[tuple[str, str]] = field(default_factory=list)  # milliseconds, and as written
    quoted: list[bytes] = field(default_factory=list)
    digits: int = 0  # behind the point of the first duration
    has_names: bool = False
    has_id: bool = False


def take_rest(rest: bytes, columns: dict[str, str], more: dict[str, str]) -> str | None:
    """Take what stands behind a line's status and size into its columns, and into ``more``.

    :returns: the server that writes such a rest, None where it does not show.
    """
    taken = _Taken()
    last = b""
    is_first = True  # quoted values before anything else are referer and user agent
    for token in _tokens(rest):
        quoted, boxed, key, named, value, bare = token
        if key is not None:
            is_first = False
            _take_key(key, quoted if named is None else named, value, taken, columns, more)
        elif quoted is not None and is_first and len(taken.quoted) < 2:
            taken.quoted.append(quoted)
        elif quoted is not None:
            is_first = False
            _take_quoted(quoted, taken, columns, more)
        elif bare == b"ms" and _ANY_SECONDS.fullmatch(last):
            _take_bare(last + bare, taken, columns)
        elif boxed is None:
            is_first = False
            last = bare or b""
            _take_bare(last, taken, columns)
    _referer_and_agent(taken.quoted, columns)
    if not taken.times and _ANY_SECONDS.fullmatch(last):
        taken.times.append((milliseconds(last.decode()) or "", ""))
    _take_times(taken.times, columns, more)
    if taken.digits == 6:
        return "gunicorn"
    return "nginx" if taken.digits == 3 or taken.has_names or taken.has_id else None


_Token = tuple[bytes | None, ...]


def _tokens(rest: bytes) -> list[_Token]:
    """Quoted, in brackets, name with quoted or bare value, bare; as groups of which one is set."""
    found: list[_Token] = []
    at = 0
    while len(found) < _MOST:
        match = _TOKEN.match(rest, at)
        if match is None or match.end() == at:
            return found
        found.append(match.groups())
        at = match.end()
    return found


def _take_key(
    key: bytes,
    quoted: bytes | None,
    bare: bytes | None,
    taken: _Taken,
    columns: dict[str, str],
    more: dict[str, str],
) -> None:
    name = key[:-1].decode()
    if key.endswith(b":") and name.lower() not in _ALIASES:
        return
    value = quoted if quoted is not None else bare or b""
    taken.has_names |= _NGINX_NAMES.fullmatch(name.lower()) is not None
    take_named(name, as_text(value), columns, more)


def _take_quoted(
    value: bytes, taken: _Taken, columns: dict[str, str], more: dict[str, str]
) -> None:
    """nginx's "main" has the forwarded addresses behind the user agent; others quote numbers."""
    if _ADDRESSES.fullmatch(value):
        taken.has_names = True
        if value != b"-":
            more.setdefault("forwarded_for", as_text(value))
    elif not _take_bare(value, taken, columns) and _LETTERS.search(value):
        taken.quoted = taken.quoted or [b"-", value]  # an agent behind a number


def _take_bare(value: bytes, taken: _Taken, columns: dict[str, str]) -> bool:
    """Take a value by its shape; False where that shows nothing."""
    if _TIMES.fullmatch(value):
        first = re.search(rb"\.(\d+)", value)
        taken.digits = taken.digits or (len(first[1]) if first else 0)
        text = value.decode()
        taken.times.append((milliseconds(text) or "", text))
    elif (unit := _UNIT.fullmatch(value)) is not None:
        if taken.times and taken.times[-1][1].encode() == unit[1]:
            taken.times.pop()  # its unit stood apart
            taken.digits = 0
        ms = float(unit[1]) * _PER_UNIT.get(unit[2], 0.001)
        taken.times.append((f"{round(ms, 3):.15g}", ""))
    elif _ID.fullmatch(value) and "request_id" not in columns:
        columns["request_id"] = value.decode()
        taken.has_id = len(value) == 32
    else:
        return False
    return True


def _take_times(
    times: list[tuple[str, str]], columns: dict[str, str], more: MutableMapping[str, str]
) -> None:
    """Of durations without a name the first is the whole, the last that of the upstream server."""
    if times and "request_ms" not in columns:
        columns["request_ms"] = times[0][0]
        times = times[1:]
    if times and "upstream_ms" not in columns:
        columns["upstream_ms"], written = times[-1]
        if "," in written or ":" in written:
            more["upstream_response_time"] = written


def _referer_and_agent(quoted: list[bytes], columns: dict[str, str]) -> None:
    if len(quoted) == 1:
        is_place = b"://" in quoted[0][:12]
        quoted = [*quoted, b"-"] if is_place else [b"-", *quoted]
    for name, value in zip(("referer", "user_agent"), quoted, strict=False):
        if value not in (b"", b"-"):
            columns[name] = as_text(value)


def take_named(key: str, value: str, columns: dict[str, str], more: dict[str, str]) -> None:
    """A value of one of nginx's variables, by the name that a log_format gives it."""
    if value in ("", "-"):
        return
    name = _ALIASES.get(key.lower().replace("-", "_"))
    if name in ("request_ms", "upstream_ms"):
        found = milliseconds(value)
        if found is not None:
            columns[name] = found
        if "," in value or ":" in value:
            more[key] = value
    elif name is not None:
        columns.setdefault(name, value)
    elif value.strip("-, "):
        more[key] = value


def is_named(key: str) -> bool:
    """Whether a name is one of those that log_format strings give to nginx's variables."""
    name = key.lower().replace("-", "_")
    return name in _ALIASES or _NGINX_NAMES.fullmatch(name) is not None


def milliseconds(value: str) -> str | None:
    """nginx's seconds, or the sum of a list of them, in milliseconds; None without any."""
    total, found = 0.0, False
    for part in re.split(r"[,:]\s*", value):
        try:
            total, found = total + float(part), True
        except ValueError:
            continue
    return f"{round(total * 1000, 3):.15g}" if found and 0 <= total < 1e9 else None


def as_text(value: bytes) -> str:
    """A value as text, without what nginx and Apache escape in it (``\\x22``, ``\\"``)."""
    text = value.decode("utf-8", "replace")
    if "\\" not in text:
        return text
    text = _ESCAPED.sub(_bytes_of, text)
    return text.replace('\\"', '"').replace("\\\\", "\\").replace("\0", "\ufffd")


def _bytes_of(match: "re.Match[str]") -> str:
    return bytes.fromhex(match[0].replace("\\x", "")).decode("utf-8", "replace")
