"""Access lines in JSON: a server's variables, or what a service's own middleware logs (pure).

Caddy and Traefik have objects of their own (:mod:`ingest.records.access_servers`). All others are
known by the names of their fields, in any spelling and inside containers such as ``req``, ``http``
or ``nginx``: a method, a path or a request line, and a status.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from ingest.lazily import matcher
from ingest.records.access import Access, client_of, split_request
from ingest.records.access_rest import milliseconds, take_named
from ingest.records.access_servers import server_object

_CONTAINERS = {
    "req", "request", "res", "response", "http", "nginx", "access", "httprequest", "fields",
    "extra", "headers", "event", "client", "url",
}  # fmt: skip
_NAMES: Mapping[str, str] = {
    **dict.fromkeys(
        ("status", "statuscode", "responsecode", "httpstatus", "httpstatuscode", "responsestatus",
         "responsestatuscode", "httpresponsestatuscode"),
        "status",
    ),
    **dict.fromkeys(
        ("method", "requestmethod", "httpmethod", "verb", "httprequestmethod"), "method"
    ),
    **dict.fromkeys(("request", "requestline"), "line"),
    **dict.fromkeys(
        ("path", "uri", "url", "requesturi", "requesturl", "requestpath", "target", "urlpath",
         "httptarget", "httproute", "fullpath"),
        "target",
    ),
    **dict.fromkeys(("args", "querystring", "query", "urlquery"), "query"),
    **dict.fromkeys(("serverprotocol", "protocol", "proto", "httpversion"), "protocol"),
    **dict.fromkeys(
        ("remoteaddr", "remoteaddress", "client", "clientip", "remoteip", "clientaddr",
         "clientaddress", "ip", "downstreamremoteaddress"),
        "client",
    ),
    **dict.fromkeys(
        ("bodybytessent", "bytessent", "bytes", "bytesout", "responsesize", "responselength",
         "contentlength"),
        "bytes_sent",
    ),
}  # fmt: skip
# a length of time by its name, and of how many milliseconds its unit is; 0: shown by the value
_TIMES: Mapping[str, tuple[str, float]] = {
    **dict.fromkeys(("requesttime", "rt"), ("request_ms", 1000.0)),
    **dict.fromkeys(
        ("upstreamresponsetime", "urt", "upstreamtime"), ("upstream_ms", 1000.0)
    ),
    "responsetime": ("request_ms", 1.0),
    "upstreamservicetime": ("upstream_ms", 1.0),
    **dict.fromkeys(
        ("duration", "elapsed", "latency", "latencyhuman", "took", "processtime", "reqtime"),
        ("request_ms", 0.0),
    ),
}  # fmt: skip
_UNIT = matcher(r"(?P<of>[a-z]+?)_?(?:in_?)?(?P<unit>ms|millis|milliseconds|msec|s|sec|secs|"
                   r"seconds|us|micros|microseconds|ns|nanos|nanoseconds)", re.I)  # fmt: skip
_PER_UNIT = {"m": 1.0, "s": 1000.0, "u": 1e-3, "n": 1e-6}
_WRITTEN = matcher(r"([0-9]{1,15}(?:\.[0-9]{1,15})?) ?(ms|s|us|\u00b5s|\u03bcs|ns)")
_WRITTEN_UNITS = {"ms": 1.0, "s": 1000.0, "ns": 1e-6}
_OF_NGINX = matcher(
    r"body_bytes_sent|time_iso8601|time_local|msec|request_time|upstream_\w+|http_\w+|remote_user"
    r"|rt|urt"
)
_RAISED = ("exc_info", "exception", "traceback", "stack", "exc_text", "stack_trace", "err")
_TOLD = {"level", "severity", "levelname", "lvl", "msg", "message", "pid", "hostname", "logger"}
_STATUS = matcher(r"[1-5][0-9]{2}")
_SIZE = matcher(r"[0-9]{1,18}")
_WORD = matcher(r"[A-Z]{3,12}")
_SHORT = 64  # characters of a name: of these, many are remembered
_LONGEST_MS, _LONGEST_NUMBER = 1e9, 1 << 60
_SECONDS_WRITTEN = matcher(r"\d+\.\d{6}")
_SECONDS_OF_NGINX = matcher(r"\d+\.\d{3}(?:\d{3})?")


def access_object(found: Mapping[str, Any], times: tuple[str, ...]) -> Access | None:
    """The access line, without its time, that a JSON object is; None for any other.

    ``times`` are the names under which its time is looked for.
    """
    access = server_object(found)
    if access is not None:
        return access
    if not _may_be(found) or any(found.get(name) for name in _RAISED):
        return None  # or the record of an error, which has more to say
    parts: dict[str, str] = {}
    rest: list[tuple[str, str]] = []
    for name, value in _fields(found):
        column = _NAMES.get(_plain(name))
        if column == "line" and value[:1] == "/":
            column = "target"
        if column is not None and column not in parts and _fits(column, value):
            parts[column] = value
        elif name not in times:
            rest.append((name, value))
    if "status" not in parts or not ("line" in parts or {"method", "target"} <= parts.keys()):
        return None
    return _access(parts, rest)


def _may_be(found: Mapping[str, Any]) -> bool:
    """Whether names are among its own that an access line has, or other members stand in one."""
    columns = {_NAMES.get(_plain(name)) for name in found}
    has_names = "status" in columns and ("line" in columns or "method" in columns)
    return has_names or any(isinstance(value, Mapping) for value in found.values())


def _fields(found: Mapping[str, Any], depth: int = 0) -> Iterator[tuple[str, str]]:
    """The members with a plain value, also of known containers."""
    for name, value in found.items():
        if isinstance(value, Mapping):
            if depth < 3 and _plain(name) in _CONTAINERS:
                yield from _fields(value, depth + 1)
        elif isinstance(value, str):
            yield name, value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            if -_LONGEST_NUMBER < value < _LONGEST_NUMBER:
                yield name, str(value) if isinstance(value, int) else f"{value:.15g}"
        elif isinstance(value, list) and value and isinstance(value[0], str):
            yield name, value[0]


def _plain(name: str) -> str:
    return _plain_known(name) if len(name) <= _SHORT else _plain_known.__wrapped__(name)


@lru_cache(4096)
def _plain_known(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _fits(column: str, value: str) -> bool:
    if column == "status":
        return _STATUS.fullmatch(value) is not None
    if column == "method":
        return _WORD.fullmatch(value) is not None
    if column == "line":
        return value == "" or (value.count(" ") in (1, 2) and _WORD.match(value) is not None)
    if column == "target":
        return value[:1] == "/" or "://" in value[:8]
    return column != "bytes_sent" or _SIZE.fullmatch(value) is not None


def _access(parts: Mapping[str, str], rest: list[tuple[str, str]]) -> Access:
    words = ("", "", "")
    if "method" in parts and "target" in parts:
        words = (parts["method"], parts["target"], "")
    elif parts.get("line"):
        first, second, third = [*parts["line"].split(" "), "", ""][:3]
        words = (first, second, third)
    request = split_request(*words)
    request["query"] = request["query"] or parts.get("query", "").removeprefix("?")
    request["protocol"] = request["protocol"] or parts.get("protocol", "")
    columns = {k: request[k] for k in ("query", "protocol") if request[k] not in ("", "-")}
    more: dict[str, str] = {}
    if parts.get("client", "-") not in ("", "-"):
        columns["client"] = client_of(parts["client"])
    if "bytes_sent" in parts:
        columns["bytes_sent"] = parts["bytes_sent"]
    names = {name for name, _ in rest}
    server = _server(names, parts)
    has_own_id = any("request" in _plain(name) and "id" in name.lower() for name in names)
    for name, value in rest:
        if name == "id" and not has_own_id and server != "nginx" and len(value) >= 8:
            columns.setdefault("request_id", value)
        elif not _take_time(name, value, server, columns, more):
            take_named(_spelled(name), value, columns, more)
    return Access(
        server, request["method"], request["path"], int(parts["status"]), columns,
        {k: v for k, v in more.items() if k not in _TOLD},
    )  # fmt: skip


def _server(names: set[str], parts: Mapping[str, str]) -> str:
    """Who writes such names."""
    if "response_flags" in names:
        return "envoy"
    is_nginx = "line" in parts or any(_OF_NGINX.fullmatch(name) for name in names)
    return "nginx" if is_nginx else "other"


def _spelled(name: str) -> str:
    """A name in nginx's spelling: ``requestId`` and ``X-Request-Id`` as it writes them."""
    return _spelled_known(name) if len(name) <= _SHORT else _spelled_known.__wrapped__(name)


@lru_cache(4096)
def _spelled_known(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_").replace(".", "_")


def _take_time(
    name: str, value: str, server: str, columns: dict[str, str], more: dict[str, str]
) -> bool:
    """Take a length of time by its name and unit; False for anything else."""
    found = _time_known(name) if len(name) <= _SHORT else _time_known.__wrapped__(name)
    if found is None:
        return False
    column, per_unit = found
    if not per_unit and server == "envoy":
        per_unit = 1.0
    if not per_unit and server == "nginx" and _SECONDS_OF_NGINX.fullmatch(value):
        per_unit = 1000.0
    taken = _in_ms(value, per_unit)
    if taken is not None:
        columns.setdefault(column, taken)
    if value not in ("", "-") and (taken is None or "," in value or " : " in value):
        more[_spelled(name)] = value
    return True


@lru_cache(4096)
def _time_known(name: str) -> tuple[str, float] | None:
    """The column of a length of time by its name, and how many milliseconds its unit is."""
    found = _TIMES.get(_plain(name))
    if found is not None:
        return found
    match = _UNIT.fullmatch(_spelled(name))
    known = _TIMES.get(_plain(match["of"])) if match is not None else None
    if match is None or known is None:
        return None
    return known[0], _PER_UNIT[match["unit"][0].lower()]


def _in_ms(value: str, per_unit: float) -> str | None:
    """Milliseconds; a number whose name has no unit is taken where its shape shows it: seconds
    with a fraction below ten, milliseconds otherwise from 3600 on.
    """
    written = _WRITTEN.fullmatch(value)
    if written is not None:
        number, per_unit = float(written[1]), _WRITTEN_UNITS.get(written[2], 1e-3)
        return f"{round(number * per_unit, 3):.15g}"
    if per_unit == 1000.0:
        return milliseconds(value)
    try:
        number = float(value)
    except ValueError:
        return None
    if not per_unit:  # nothing names the unit
        is_seconds = ("." in value and number < 10) or _SECONDS_WRITTEN.fullmatch(value) is not None
        if not is_seconds and not 3600 <= number < _LONGEST_MS / 1000:
            return None
        per_unit = 1000.0 if is_seconds else 1.0
    ms = number * per_unit
    return f"{round(ms, 3):.15g}" if 0 <= ms < _LONGEST_MS else None
