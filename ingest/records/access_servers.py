"""Access lines of servers that write them in a shape of their own (pure).

tornado, aiohttp, HAProxy, Envoy, BentoML, Ray Serve, sanic, gin, morgan, Quart; JSON of Caddy and
Traefik. Each shape is the server's default; durations become milliseconds.
"""

import re
from collections.abc import Mapping
from typing import Any

from ingest.lazily import matcher
from ingest.records.access import Access, access_of, client_of, request_of, split_request
from ingest.records.access_parts import by_parts
from ingest.records.moments import Stamp, stamp_at

_HEADERS = {"x-request-id": "request_id", "user-agent": "user_agent", "referer": "referer"}
_NANOSECONDS = 1e6  # in a millisecond
_LONGEST = 1e15  # a number of any unit beyond it is no length of time
_UNITS = {"ns": 1e-6, "us": 1e-3, "\u00b5s": 1e-3, "\u03bcs": 1e-3, "ms": 1.0, "s": 1e3}
_METHOD = rb"(?P<method>GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE)"
_MS = rb"(?P<ms>\d+(?:\.\d+)?) ?ms"
_REQUEST = rb'"(?P<request>(?:[^"\\]|\\.)*)"'
_MORE = ("frontend", "backend", "ended", "more")

# tornado.web's log_request: "200 POST /tts (10.0.0.1) 1834.52ms"
_TORNADO = matcher(
    rb"(?P<status>\d{3}) " + _METHOD + rb" (?P<target>\S+) \((?P<client>[^)\s]{1,100})\) " + _MS
)
# aiohttp.web_log's AccessLogger: '%a %t "%r" %s %b "%{Referer}i" "%{User-Agent}i"'
_AIOHTTP = matcher(
    rb"(?P<client>[0-9A-Fa-f:.]{2,45}|unix:) \[(?P<stamp>[^\]]{8,40})\] "
    + _REQUEST
    + rb' (?P<status>\d{3}) (?P<bytes>\d+)(?: "(?P<referer>[^"]*)" "(?P<user_agent>[^"]*)")?'
)
# HAProxy's option httplog
_HAPROXY = matcher(
    rb"(?P<client>[0-9A-Fa-f:.]{2,45}):\d{1,5} \[(?P<stamp>[^\]]{8,40})\] (?P<frontend>\S+) "
    rb"(?P<backend>\S+) -?\d+/-?\d+/-?\d+/(?P<up>-?\d+)/\+?(?P<ms>\d+) (?P<status>\d{3}) "
    rb"\+?(?P<bytes>\d+) \S+ \S+ (?P<ended>\S{4}) [\d/+]+ \d+/\d+ (?:\{[^}]*\} ){0,2}" + _REQUEST
)
# Envoy's default format, Istio's begins alike
_ENVOY = matcher(
    rb"\[(?P<stamp>\d{4}-[^\]]{8,40})\] "
    + _REQUEST
    + rb" (?P<status>\d{3}) \S+ (?:\S+ \S+ \"[^\"]*\" )?\d+ (?P<bytes>\d+) (?P<ms>\d+) "
    rb"(?P<up>\d+|-) \"(?P<client>[^\"]*)\" \"(?P<user_agent>[^\"]*)\" \"(?P<request_id>[^\"]*)\""
)
# BentoML's access log
_BENTOML = matcher(
    rb"(?P<client>[0-9A-Fa-f:.]{2,45}):\d{1,5} \(scheme=\w+,method="
    + _METHOD
    + rb",path=(?P<target>[^,)\s]+)[^)]*\) \(status=(?P<status>\d{3})"
    rb"(?:,type=[^,)]*)?(?:,length=(?P<bytes>\d+))?[^)]*\) " + _MS + rb"(?: \((?P<more>[^)]*)\))?"
)
# Ray Serve: "-- POST /tts 200 1834.5ms", "proxy.py:1089 - POST 200 1834.5ms" before 2.40
_RAY = matcher(
    rb"(?:(?:\S{1,100} ){0,3}(?P<request_id>[0-9a-f][0-9a-f-]{3,63}) |.{0,200} )?-- "
    + _METHOD
    + rb" (?P<target>\S+) (?P<status>\d{3}) "
    + _MS
)
_RAY_PROXY = matcher(
    rb"(?:.{0,200} )?(?P<target>/\S*) (?:http_)?proxy\.py:\d+ - "
    + _METHOD
    + rb" (?P<status>\d{3}) "
    + _MS
)
# sanic.access: "POST http://host/tts  200 1834"
_SANIC = matcher(_METHOD + rb" https?://[^/\s]+(?P<target>/\S*)\s+(?P<status>\d{3}) (?P<bytes>\d+)")
# gin: "[GIN] 2026/03/02 - 10:00:00 | 200 |  1.8s |  10.0.0.1 | POST  \"/tts\""
_GIN = matcher(
    rb"\[GIN\] (?P<day>\d{4}/\d\d/\d\d) - (?P<time>\d\d:\d\d:\d\d) \|\s*(?P<status>\d{3}) \|\s*"
    rb"(?P<took>[\dhm.]+)(?P<unit>ns|us|\xc2\xb5s|\xce\xbcs|ms|s) \|\s*(?P<client>\S+) \|\s*"
    + _METHOD
    + rb'\s+"(?P<target>[^"\s]*)"'
)
# morgan's dev and tiny: "POST /tts 200 1834.512 ms - 70342"
_MORGAN = matcher(
    _METHOD + rb" (?P<target>/\S*) (?P<status>\d{3}) " + _MS + rb" - (?P<bytes>\d+|-)"
)
# uWSGI's request logging, unless it is told another format
_UWSGI = matcher(
    rb"\[pid: \d+\|app: [\d-]+\|req: [\d/-]+\] (?P<client>\S*) \([^)]*\) \{[^}]*\} "
    rb"\[(?P<stamp>[^\]]{8,40})\] "
    + _METHOD
    + rb" (?P<target>\S+) => generated (?P<bytes>\d+) bytes in (?P<ms>\d+) msecs "
    rb"(?:via \S+ )?\((?P<protocol>HTTP/[\d.]+) (?P<status>\d{3})\)[^\n]*"
)
# Granian: '[%(time)s] %(addr)s - "%(method)s %(path)s %(protocol)s" %(status)d %(dt_ms).3f'
_GRANIAN = matcher(
    rb"(?:\[(?P<stamp>[^\]]{8,40})\] )?(?P<client>\S{1,100}) - "
    + _REQUEST
    + rb" (?P<status>\d{3}) (?P<ms>\d+\.\d{3})"
)
# Quart's format for hypercorn: "%(h)s %(r)s %(s)s %(b)s %(D)s", the last in microseconds
_QUART = matcher(
    rb"(?P<client>[0-9A-Fa-f:.]{2,45}:\d{1,5}|<\w{1,20}>) "
    + _METHOD
    + rb" (?P<target>/\S*) (?P<version>[123](?:\.[01])?) (?P<status>\d{3}) (?P<bytes>\d{1,15}|-) "
    rb"(?P<us>\d{1,15})[ \r\t]*"
)
# AWS's application load balancer
_ALB = matcher(
    rb"(?:https?|h2|grpcs|wss?) (?P<stamp>\d{4}-\S+Z) \S+ (?P<client>\S+) \S+ (?P<times>[-\d. ]+) "
    rb"(?P<status>\d{3}) (?:\d{3}|-) \d+ (?P<bytes>\d+) "
    + _REQUEST
    + rb" \"(?P<user_agent>[^\"]*)\" \S+ \S+ \S+ \"(?P<request_id>[^\"]*)\".*"
)


_MAY_BE_STATUS = re.compile(rb"\d{3}")  # every access line has one


def access_line(text: bytes, logger: bytes | None) -> Access | None:
    """The access line that a message is, or None; ``logger`` as its header named it."""
    if _MAY_BE_STATUS.search(text) is None:
        return None
    found = access_of(text, logger)
    if found is not None or not (
        b'"' in text or b"ms" in text or b"://" in text or b" HTTP/" in text
    ):
        if found is None and (quart := _QUART.fullmatch(text)) is not None:
            return _access("hypercorn", quart)
        return found
    return _server_line(text) or by_parts(text)


def _server_line(text: bytes) -> Access | None:
    for server, shape, is_likely in _SHAPES:
        if is_likely not in text:
            continue
        match = shape.match(text)
        if match is not None and not text[match.end() :].strip(b" \r\t"):
            return _access(server, match)
    return None


_SHAPES: tuple[tuple[str, re.Pattern[bytes], bytes], ...] = (
    ("tornado", _TORNADO, b") "),
    ("aiohttp", _AIOHTTP, b'] "'),
    ("haproxy", _HAPROXY, b'"'),
    ("envoy", matcher(_ENVOY.pattern + rb".*"), b'] "'),
    ("bentoml", _BENTOML, b"(scheme="),
    ("ray serve", _RAY, b"-- "),
    ("ray serve", _RAY_PROXY, b"proxy.py:"),
    ("sanic", _SANIC, b"://"),
    ("gin", _GIN, b"[GIN]"),
    ("morgan", _MORGAN, b"ms - "),
    ("uwsgi", _UWSGI, b"=> generated"),
    ("granian", _GRANIAN, b' - "'),
    ("alb", _ALB, b'" "'),
)


def _access(server: str, match: re.Match[bytes]) -> Access | None:
    group = {k: v.decode("utf-8", "replace") for k, v in match.groupdict().items() if v is not None}
    request = (
        request_of(match["request"])
        if "request" in group
        else split_request(group["method"], group["target"], group.get("protocol", ""))
    )
    if "version" in group and request is not None:
        request["protocol"] = f"HTTP/{group['version']}"
    more = {name: group[name] for name in _MORE if name in group}
    if request is None:  # what a server could not read (HAProxy's <BADREQ>)
        request = split_request("", "", "")
        more["request"] = group["request"][:1000]
    columns = {key: request[key] for key in ("query", "protocol") if request[key]}
    for name in ("user_agent", "referer", "request_id"):
        if group.get(name, "-") not in ("-", ""):
            columns[name] = group[name]
    if "client" in group and group["client"] not in ("-", ""):
        columns["client"] = client_of(group["client"])
    if group.get("bytes", "-") != "-":
        columns["bytes_sent"] = group["bytes"]
    if "ms" in group:
        columns["request_ms"] = group["ms"]
    if "us" in group:
        columns["request_ms"] = f"{int(group['us']) / 1000:.15g}"
    if group.get("up", "-").isdigit():
        columns["upstream_ms"] = group["up"]
    if "took" in group:
        found = _go_duration(group["took"], group["unit"])
        columns.update({} if found is None else {"request_ms": found})
    if "times" in group:
        columns.update(_balanced(group["times"]))
    return Access(
        server, request["method"], request["path"], int(group["status"]), columns, more,
        _stamp(match, group),
    )  # fmt: skip


def _stamp(match: re.Match[bytes], group: Mapping[str, str]) -> Stamp | None:
    written = f"{group['day']} {group['time']}" if "day" in group else group.get("stamp")
    found = None if written is None else stamp_at(written.encode())
    return None if found is None else found[0]


def _balanced(times: str) -> dict[str, str]:
    """The durations of AWS's load balancer: to take the request, to answer it, to send that."""
    taken = [float(part) for part in times.split() if part != "-" and float(part) >= 0]
    whole = {"request_ms": f"{round(sum(taken) * 1000, 3):.15g}"} if taken else {}
    return whole | ({"upstream_ms": f"{taken[1] * 1000:.15g}"} if len(taken) == 3 else {})


def _go_duration(text: str, unit: str) -> str | None:
    """Go's duration (``1m2.5s``) in milliseconds."""
    total = 0.0
    try:
        for mark, factor in (("h", 3600e3), ("m", 60e3)):
            if mark in text:
                head, _, text = text.partition(mark)
                total += float(head) * factor
        total += float(text or 0) * _UNITS[unit]
    except (ValueError, KeyError):
        return None
    return f"{round(total, 3):.15g}"


def server_object(found: Mapping[str, Any]) -> Access | None:
    """The access line, without its time, that a JSON object is by Caddy's or Traefik's names; None
    for any other.
    """
    if isinstance(found.get("request"), dict) and _is_status(found.get("status")):
        return _caddy(found, found["request"])
    if isinstance(found.get("RequestMethod"), str) and "DownstreamStatus" in found:
        return _traefik(found)
    return None


def _caddy(found: Mapping[str, Any], asked: Mapping[str, Any]) -> Access:
    """Caddy's ``handled request``: durations are seconds, headers lists."""
    request = split_request(
        str(asked.get("method", "")), str(asked.get("uri", "")), str(asked.get("proto", ""))
    )
    columns = {key: request[key] for key in ("query", "protocol") if request[key]}
    client = asked.get("client_ip") or asked.get("remote_ip") or asked.get("remote_addr")
    if client:
        columns["client"] = client_of(str(client))
    _headers(asked.get("headers"), columns)
    duration = found.get("duration")
    if (taken := _milliseconds(duration, 1e-3)) is not None:
        columns["request_ms"] = taken
    if (sent := _bytes(found.get("size"))) is not None:
        columns["bytes_sent"] = sent
    more = {"host": str(asked["host"])} if asked.get("host") else {}
    return Access("caddy", request["method"], request["path"], int(found["status"]), columns, more)


def _is_status(value: object) -> bool:
    return isinstance(value, int) and 100 <= value <= 999


def _bytes(value: object) -> str | None:
    """A size; None for what is none."""
    return str(value) if isinstance(value, int) and 0 <= value < _LONGEST else None


def _milliseconds(value: object, units: float) -> str | None:
    """A length of time, of which ``units`` are a millisecond; None for what is none."""
    if not isinstance(value, int | float) or not 0 <= value < _LONGEST:
        return None
    return f"{round(value / units, 3):.15g}"


def _headers(headers: object, columns: dict[str, str]) -> None:
    for name, value in headers.items() if isinstance(headers, dict) else ():
        column = _HEADERS.get(str(name).lower())
        value = value[0] if isinstance(value, list) and value else value
        if column is not None and isinstance(value, str) and value not in ("", "REDACTED"):
            columns[column] = value


def _traefik(found: Mapping[str, Any]) -> Access | None:
    """Traefik's access log as JSON: durations are nanoseconds."""
    status = found["DownstreamStatus"]
    if not _is_status(status):
        return None
    request = split_request(
        found["RequestMethod"],
        str(found.get("RequestPath", "")),
        str(found.get("RequestProtocol", "")),
    )
    columns = {key: request[key] for key in ("query", "protocol") if request[key]}
    client = found.get("ClientHost") or found.get("ClientAddr")
    if client:
        columns["client"] = client_of(str(client))
    for name, column in (("Duration", "request_ms"), ("OriginDuration", "upstream_ms")):
        if (taken := _milliseconds(found.get(name), _NANOSECONDS)) is not None:
            columns[column] = taken
    if (sent := _bytes(found.get("DownstreamContentSize"))) is not None:
        columns["bytes_sent"] = sent
    for key, value in found.items():
        header = _HEADERS.get(key.removeprefix("request_").lower())
        if header is not None and isinstance(value, str) and value:
            columns[header] = value
    more = {
        name: str(found[key])
        for key, name in (("RouterName", "router"), ("ServiceName", "backend"))
        if found.get(key)
    }
    return Access("traefik", request["method"], request["path"], status, columns, more)
