"""Access lines of HTTP servers: their usual shapes, and those of ``log_format`` strings (pure).

Shapes: uvicorn, hypercorn, daphne, gunicorn, werkzeug, gevent, TorchServe, nginx, Apache and
Traefik ("common", "combined", and what follows them).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.records.moments import Stamp, stamp_at

_CLIENT = rb"(?P<client>\[?[0-9A-Za-z:.%_-]{1,100}\]?(?::\d{1,5})?)"
_REQUEST = rb'"(?P<request>(?:[^"\\]|\\.)*)"'
_STATUS = rb"(?P<status>\d{3})(?!\d)"
_UVICORN = re.compile(
    rb"(?P<client>\S{1,100}?)(?::(?P<port>\d{1,5}))? - "
    + _REQUEST
    + rb" (?P<status>\d{3})(?: [A-Z][\w' -]*)?\s*$"
)
_SOCKET = re.compile(rb'\S{1,100} - "WebSocket [^"]*" (?:\[accepted\]|403)\s*$')
_COMMON = re.compile(
    _CLIENT
    + rb" \S{1,100} (?P<user>[^\[\"]{1,200}?) \["
    + rb"(?P<stamp>[^\]]{8,40})"
    + rb"\] "
    + _REQUEST
    + rb" "
    + _STATUS
    + rb" (?P<bytes>\d+|-)(?P<rest>.*)$",
    re.S,
)
_STAMPLESS = re.compile(
    rb"(?P<server_line>) ?"
    + _CLIENT
    + rb" - - "
    + _REQUEST
    + rb" "
    + _STATUS
    + rb"(?: (?P<bytes>\d+|-))?(?P<rest>.*)$",
    re.S,
)
# werkzeug and gevent write a client's quotes as they are: what stands behind the last one is theirs
_RAW = re.compile(
    _CLIENT
    + rb" - - \["
    + rb"(?P<stamp>\d\d/[A-Z][a-z]{2}/\d{4} [\d:]{8}|\d{4}-\d\d-\d\d [\d:]{8})"
    + rb'\] "(?P<request>.*)" '
    + _STATUS
    + rb" (?P<bytes>\d+|-)(?P<rest>(?: \d+\.\d+)?\s*)$",
    re.S,
)
_LINE = re.compile(
    rb"(?P<method>[A-Z]{3,20}|WebSocket) (?P<target>\S+)(?: (?P<protocol>(?:HTTP/)?[\d.]+))?$"
)
_APACHE = b"(internal dummy connection)"  # Apache wakes its own children so
_QUOTED = re.compile(rb' "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"')
_NAMED = re.compile(rb'[\s"](?P<key>[A-Za-z_]{1,40})=(?:"(?P<quoted>[^"]*)"|(?P<bare>\S+))')
_PORT = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([\d.]+)):\d{1,5}$")
# Traefik, behind the user agent: number, router, server, duration
_TRAEFIK = re.compile(rb' \d+ "(?P<router>[^"]*)" "(?P<backend>[^"]*)" (?P<ms>\d+)ms\s*$')
_TORCHSERVE = re.compile(
    rb"(?P<client>/[\d.:\[\]A-Fa-f]+):\d{1,5} " + _REQUEST + rb" (?P<status>\d{3}) (?P<ms>\d+)\s*$"
)
_SECONDS = re.compile(rb" (?P<seconds>\d+\.\d+)\s*$")

# names that log_format strings commonly give to nginx's variables, by column
_ALIASES: Mapping[str, str] = {
    **dict.fromkeys(("rt", "request_time", "req_time", "duration", "reqtime"), "request_ms"),
    **dict.fromkeys(("urt", "upstream_response_time", "upstream_time", "uresp"), "upstream_ms"),
    **dict.fromkeys(
        ("rid", "request_id", "req_id", "reqid", "x_request_id", "trace_id"), "request_id"
    ),
    **dict.fromkeys(("ua", "http_user_agent", "user_agent", "agent"), "user_agent"),
    **dict.fromkeys(("ref", "http_referer", "referer", "referrer"), "referer"),
}


@dataclass(frozen=True, slots=True)
class Access:
    """An access line: columns of http_requests as text, and fields without one (``more``).

    ``is_sure``: the line shows that its server wrote it, not another one that writes the same.
    """

    server: str
    method: str
    path: str
    status: int
    columns: Mapping[str, str]
    more: Mapping[str, str]
    stamp: Stamp | None = None
    is_sure: bool = True


def access_of(text: bytes, logger: bytes | None) -> Access | None:
    """The access line that a message is, or None; ``logger`` as its header named it."""
    if b'"' not in text or len(text) > 64 << 10:
        return None
    match = _UVICORN.match(text)
    if match is not None:
        return _uvicorn(match, logger)
    match = _RAW.match(text) or _COMMON.match(text) or _STAMPLESS.match(text)
    if match is not None:
        return _common(match, logger)
    match = _TORCHSERVE.match(text) if text[:1] == b"/" else None
    return None if match is None else _torchserve(match)


def is_socket(text: bytes) -> bool:
    """Whether a message is uvicorn's line of an opened web socket: no request with a status."""
    return b'"WebSocket ' in text and _SOCKET.match(text) is not None


def _uvicorn(match: re.Match[bytes], logger: bytes | None) -> Access | None:
    request = request_of(match["request"])
    if request is None:
        return None
    return Access(
        "uvicorn", request["method"], request["path"], int(match["status"]),
        {**_rest_of(request), "client": client_of(_text(match["client"]))},
        {"client_port": match["port"].decode()} if match["port"] else {},
    )  # fmt: skip


def _torchserve(match: re.Match[bytes]) -> Access | None:
    request = request_of(match["request"])
    if request is None:
        return None
    columns = {**_rest_of(request), "client": client_of(_text(match["client"][1:]))}
    columns["request_ms"] = match["ms"].decode()
    return Access(
        "torchserve", request["method"], request["path"], int(match["status"]), columns, {}
    )


def _common(match: re.Match[bytes], logger: bytes | None) -> Access | None:
    group = match.groupdict()
    stamp = None
    if group.get("stamp") is not None:
        found = stamp_at(group["stamp"].strip())
        if found is None:
            return None
        stamp = found[0]
    request = request_of(match["request"]) or {
        "method": "",
        "path": "",
        "query": "",
        "protocol": "",
    }
    rest = match["rest"]
    traefik = _TRAEFIK.search(rest)
    server, is_sure = _server(group, request["protocol"], stamp, logger)
    if server == "hypercorn" and request["protocol"][:1].isdigit():
        request["protocol"] = f"HTTP/{request['protocol']}"
    columns = {**_rest_of(request), "client": client_of(_text(match["client"]))}
    more: dict[str, str] = {}
    if match["bytes"] not in (None, b"-"):
        columns["bytes_sent"] = match["bytes"].decode()
    user = group.get("user")
    if user and user != b"-":
        more["user"] = _text(user)
    if not request["method"]:
        more["request"] = _text(match["request"])[:1000]
    _take_rest(rest, columns, more)
    if traefik is not None:
        columns["request_ms"] = _text(traefik["ms"])
        more |= {k: v for k in ("router", "backend") if (v := _text(traefik[k])) not in ("", "-")}
        server, is_sure = "traefik", True
    return Access(
        server, request["method"], request["path"], int(match["status"]), columns, more, stamp,
        is_sure,
    )  # fmt: skip


def _server(
    group: Mapping[str, bytes], protocol: str, stamp: Stamp | None, logger: bytes | None
) -> tuple[str, bool]:
    """Who wrote a line, and whether it shows that: nginx, Apache and gunicorn write "combined"
    alike.
    """
    rest, written = group["rest"], group.get("stamp") or b""
    if logger in (b"hypercorn.access", b"daphne.access") or _PORT.match(_text(group["client"])):
        is_daphne = logger == b"daphne.access" or b" " not in rest.strip()
        return "daphne" if is_daphne else "hypercorn", True
    if logger == b"werkzeug" or (
        rest.strip() == b"" and b"/" in written and b" " in written and b"+" not in written
    ):
        return "werkzeug", True
    if written[:4].isdigit():
        return "gevent", True
    if stamp is None or protocol[:1].isdigit():
        return "hypercorn", True
    if logger == b"gunicorn.access":
        return "gunicorn", True
    # "common" is no format of nginx; it writes 0 where Apache writes "-", and hides quotes
    if not rest.strip() or group["bytes"] == b"-" or _APACHE in rest or b'\\"' in rest:
        return "apache", True
    if group["request"] == b"-" and group["status"] == b"408":
        return "apache", True
    quoted = _QUOTED.match(rest)
    return "nginx", quoted is None or bool(rest[quoted.end() :].strip())


def _take_rest(rest: bytes, columns: dict[str, str], more: dict[str, str]) -> None:
    """Referer and user agent, a duration at the end, and ``name=value`` pairs of a log_format."""
    quoted = _QUOTED.match(rest)
    if quoted is not None:
        for name, value in (("referer", quoted[1]), ("user_agent", quoted[2])):
            if value not in (b"", b"-"):
                columns[name] = _text(value)
        rest = rest[quoted.end() :]
    for pair in _NAMED.finditer(rest):
        value = pair["quoted"] if pair["bare"] is None else pair["bare"]
        take_named(pair["key"].decode(), _text(value), columns, more)
    seconds = _SECONDS.search(rest)
    if seconds is not None and "request_ms" not in columns:
        columns["request_ms"] = milliseconds(seconds["seconds"].decode()) or ""


def take_named(key: str, value: str, columns: dict[str, str], more: dict[str, str]) -> None:
    """A value of one of nginx's variables, by the name that a log_format gives it."""
    if value in ("", "-"):
        return
    name = _ALIASES.get(key.lower())
    if name in ("request_ms", "upstream_ms"):
        found = milliseconds(value)
        if found is not None:
            columns[name] = found
        if "," in value or ":" in value:
            more[key] = value
    elif name is not None:
        columns[name] = value
    elif value.strip("-, "):
        more[key] = value


def milliseconds(value: str) -> str | None:
    """nginx's seconds, or the sum of a list of them, in milliseconds; None without any."""
    total, found = 0.0, False
    for part in re.split(r"[,:]\s*", value):
        try:
            total, found = total + float(part), True
        except ValueError:
            continue
    return f"{round(total * 1000, 3):.15g}" if found and abs(total) < 1e9 else None


def request_of(line: bytes) -> dict[str, str] | None:
    """Method, path, query and protocol of a request line; None for what is none."""
    match = _LINE.match(line)
    return (
        None
        if match is None
        else split_request(*(_text(match[k] or b"") for k in ("method", "target", "protocol")))
    )


def split_request(method: str, target: str, protocol: str) -> dict[str, str]:
    """Method, path, query and protocol of a request line's three words."""
    path, _, query = target.partition("?")
    return {"method": method, "path": path, "query": query, "protocol": protocol}


def _rest_of(request: Mapping[str, str]) -> dict[str, str]:
    return {key: request[key] for key in ("query", "protocol") if request[key]}


def client_of(text: str) -> str:
    """A client's address without brackets, and without a port behind it."""
    match = _PORT.match(text)
    return (match[1] or match[2]) if match is not None else text.strip("[]")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
