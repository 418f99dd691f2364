"""Access lines of HTTP servers: their usual shapes, and those of ``log_format`` strings (pure).

Shapes: uvicorn, hypercorn, daphne, gunicorn, werkzeug, gevent, TorchServe, nginx, Apache and
Traefik ("common", "combined", and what follows them).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingest.lazily import matcher
from ingest.records.access_rest import as_text, take_rest
from ingest.records.moments import Stamp, stamp_at

_CLIENT = rb"(?P<client>\[?[0-9A-Za-z:.%_-]{1,100}\]?(?::\d{1,5})?)"
_REQUEST = rb'"(?P<request>(?:[^"\\]|\\.)*)"'
_STATUS = rb"(?P<status>\d{3})(?!\d)"
_UVICORN = matcher(
    rb"(?:\s*(?:INFO|WARNING|ERROR)\s{2,8})?"  # as the command line of FastAPI writes the level
    rb"(?P<client>\S{0,100}?)(?::(?P<port>\d{1,5}))?(?:^| )- "
    + _REQUEST
    + rb" (?P<status>\d{3})(?: [A-Z][\w' -]*)?\s*$"
)
_SOCKET = matcher(rb'\S{1,100} - "WebSocket [^"]*" (?:\[accepted\]|403)\s*$')
_COMMON = matcher(
    rb"(?P<client>\[?[0-9A-Za-z:.%_-]{0,100}\]?(?::\d{1,5})?)"  # none behind a Unix socket
    + rb" (?P<ident>\S{1,100}) (?P<user>[^\[\"]{1,200}?) \["
    + rb"(?P<stamp>[^\]]{8,40})"
    + rb"\] "
    + _REQUEST
    + rb" "
    + _STATUS
    + rb" (?P<bytes>\d+|-)(?P<rest>.*)$",
    re.S,
)
_STAMPLESS = matcher(
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
_RAW = matcher(
    _CLIENT
    + rb" - - \["
    + rb"(?P<stamp>\d\d/[A-Z][a-z]{2}/\d{4} [\d:]{8}|\d{4}-\d\d-\d\d [\d:]{8})"
    + rb'\] "(?P<request>.*)" '
    + _STATUS
    + rb" (?P<bytes>\d+|-)(?P<rest>(?: \d+\.\d+)?\s*)$",
    re.S,
)
_LINE = matcher(
    rb"(?P<method>[A-Z]{3,20}|WebSocket) (?P<target>\S+)(?: (?P<protocol>(?:HTTP/)?[\d.]+))?$"
)
_REQUEST_PARTS = ("method", "path", "query", "protocol")
_APACHE = b"(internal dummy connection)"  # Apache wakes its own children so
# a byte that nginx writes in capital digits, Apache in small ones; both escape a backslash
_NGINX_BYTE = matcher(rb"(?<!\\)\\x(?=[0-9A-F]{2})(?:[A-F]|.[A-F])")
_APACHE_BYTE = matcher(rb"(?<!\\)\\x(?=[0-9a-f]{2})(?:[a-f]|.[a-f])")
_OWN_OF_NGINX = (b"444", b"494", b"495", b"496", b"497", b"499")
_ADDRESS = matcher(rb"[0-9.]{7,15}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")
_ID = matcher(rb"[0-9a-f]{32}|[0-9a-f]{8}-[0-9a-f-]{27}")
_PORT = matcher(r"(?:\[([0-9A-Fa-f:.]+)\]|([\d.]+)):\d{1,5}$")
# Traefik, behind the user agent: number, router, server, duration
_TRAEFIK = matcher(rb' \d+ "(?P<router>[^"]*)" "(?P<backend>[^"]*)" (?P<ms>\d+)ms\s*$')
_TORCHSERVE = matcher(
    rb"(?P<client>/[\d.:\[\]A-Fa-f]+):\d{1,5} " + _REQUEST + rb" (?P<status>\d{3}) (?P<ms>\d+)\s*$"
)


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
    is_escaped = "ident" in group
    request = request_of(match["request"], is_escaped=is_escaped) or dict.fromkeys(
        _REQUEST_PARTS, ""
    )
    columns: dict[str, str] = {}
    more: dict[str, str] = {}
    client, user = _first_words(group, columns, more)
    shown = take_rest(match["rest"], columns, more)
    server, is_sure = _server(group, request["protocol"], stamp, logger, shown)
    if server == "combined" and "vhost" in more:
        server, is_sure = "apache", True
    if server == "hypercorn" and request["protocol"][:1].isdigit():
        request["protocol"] = f"HTTP/{request['protocol']}"
    columns |= _rest_of(request)
    if client not in (b"", b"-"):
        columns["client"] = client_of(_text(client))
    if match["bytes"] not in (None, b"-"):
        columns["bytes_sent"] = match["bytes"].decode()
    if user not in (b"", b"-"):
        more["user"] = _text(user)
    if not request["method"]:
        more["request"] = _text(match["request"])[:1000]
    traefik = _TRAEFIK.search(match["rest"])
    if traefik is not None:
        columns["request_ms"] = _text(traefik["ms"])
        more |= {k: v for k in ("router", "backend") if (v := _text(traefik[k])) not in ("", "-")}
        server, is_sure = "traefik", True
    return Access(
        server, request["method"], request["path"], int(match["status"]), columns, more, stamp,
        is_sure,
    )  # fmt: skip


def _first_words(
    group: Mapping[str, bytes], columns: dict[str, str], more: dict[str, str]
) -> tuple[bytes, bytes]:
    """Client and user; Apache may write its virtual host before them, nginx an id."""
    client, ident, user = group["client"], group.get("ident") or b"-", group.get("user") or b"-"
    if _ADDRESS.fullmatch(client) or not _ADDRESS.fullmatch(ident):
        return client, user
    if _ID.fullmatch(client):
        columns["request_id"] = _text(client)
    else:
        host, _, port = client.rpartition(b":")
        more["vhost" if host and port.isdigit() else "host"] = _text(client)
    return ident, user.partition(b" ")[2] or b"-"


def _server(
    group: Mapping[str, bytes],
    protocol: str,
    stamp: Stamp | None,
    logger: bytes | None,
    shown: str | None,
) -> tuple[str, bool]:
    """Who wrote a line, and whether it shows that: nginx, Apache and gunicorn write "combined"
    alike. ``shown``: what its rest shows.
    """
    rest, written = group["rest"], group.get("stamp") or b""
    if logger in (b"hypercorn.access", b"daphne.access") or _PORT.match(_text(group["client"])):
        is_daphne = logger == b"daphne.access" or b" " not in rest.strip()
        return "daphne" if is_daphne else "hypercorn", True
    if logger == b"werkzeug" or (
        rest.strip() == b"" and b"/" in written and b" " in written and not _has_zone(stamp)
    ):
        return "werkzeug", True
    if written[:4].isdigit():
        return "gevent", True
    if stamp is None or protocol[:1].isdigit():
        return "hypercorn", True
    if logger == b"gunicorn.access":
        return "gunicorn", True
    if _APACHE in rest or (group["request"] == b"-" and group["status"] == b"408"):
        return "apache", True
    if shown is not None:
        return shown, True
    if group["status"] in _OWN_OF_NGINX or not group["request"]:
        return "nginx", True
    asked = group["request"] + rest
    if _NGINX_BYTE.search(asked):
        return "nginx", True
    return ("apache", True) if _APACHE_BYTE.search(asked) else ("combined", False)


def _has_zone(stamp: Stamp | None) -> bool:
    return stamp is not None and stamp.zone is not None


def request_of(line: bytes, *, is_escaped: bool = False) -> dict[str, str] | None:
    """Method, path, query and protocol of a request line; None for what is none."""
    match = _LINE.match(line)
    if match is None:
        return None
    read = as_text if is_escaped else _text
    return split_request(*(read(match[k] or b"") for k in ("method", "target", "protocol")))


def split_request(method: str, target: str, protocol: str) -> dict[str, str]:
    """Method, path, query and protocol of a request line's three words."""
    if target[:4] == "http" and "://" in target[:8]:  # what a client of a proxy asks for
        target = "/" + target.partition("://")[2].partition("/")[2]
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
