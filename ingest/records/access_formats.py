"""Access lines by a server's own format string: nginx's log_format, Apache's LogFormat, gunicorn's
and uvicorn's (pure).

The variables are those of nginx (``$remote_addr``, ngx_http_log_module), Apache (``%h``,
mod_log_config), gunicorn (``%(h)s``, access_log_format) and uvicorn (``%(client_addr)s``).
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ingest.errors import FormatError
from ingest.lazily import matcher
from ingest.records.access import Access, split_request
from ingest.records.access_rest import milliseconds
from ingest.records.moments import DAY, Stamp, stamp_at

_NGINX = matcher(r"\$(?:\{(?P<braced>\w+)\}|(?P<name>\w+))")
_LOGGING = matcher(r"%\((?P<name>\{[^}]+\}[ioe]|\w+)\)s")
_APACHE = matcher(
    r"%%|%[!\d,]*[<>]?(?:\{(?P<argument>[^}]*)\})?(?P<name>\^t[io]|[A-Za-z])"
)  # fmt: skip
_DIRECTIVE = matcher(r"\s*(?:log_format\s+\S+\s+(?:escape=\w+\s+)?|LogFormat\s+)(?P<rest>.*)", re.S)
_PIECES = matcher(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", re.S)
_ESCAPE = matcher(rb"\\(?:x([0-9A-Fa-f]{2})|(.))", re.S)
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_LONGEST = 64 << 10  # bytes of a line

# what a variable is: a column with its unit, or "line" (method, target, protocol), "stamp",
# "epoch", "target"
_NGINX_COLUMNS = {
    "remote_addr": "client", "time_local": "stamp", "time_iso8601": "stamp", "msec": "epoch",
    "request": "line",
    "request_method": "method", "request_uri": "target", "uri": "path", "document_uri": "path",
    "args": "query",
    "query_string": "query", "server_protocol": "protocol", "status": "status",
    "body_bytes_sent": "bytes_sent",
    "bytes_sent": "bytes_sent", "request_time": "request_s", "upstream_response_time": "upstream_s",
    "request_id": "request_id", "http_x_request_id": "request_id",
    "sent_http_x_request_id": "request_id",
    "upstream_http_x_request_id": "request_id", "http_referer": "referer",
    "http_user_agent": "user_agent",
    "remote_user": "user",
}  # fmt: skip
_APACHE_COLUMNS = {
    "h": "client", "a": "client", "t": "stamp", "r": "line", "m": "method", "U": "path",
    "q": "query", "H": "protocol",
    "s": "status", "b": "bytes_sent", "B": "bytes_sent", "O": "bytes_sent", "D": "request_us",
    "T": "request_s",
    "L": "", "l": "", "u": "user",
}  # fmt: skip
_GUNICORN_COLUMNS = {
    **_APACHE_COLUMNS, "f": "referer", "a": "user_agent", "L": "request_s", "M": "request_ms",
    "client_addr": "client",
    "request_line": "line", "full_path": "target", "status_code": "status", "asctime": "stamp",
}  # fmt: skip
_HEADERS = {
    "x-request-id": "request_id", "unique_id": "request_id", "referer": "referer",
    "user-agent": "user_agent",
}  # fmt: skip
_UNITS = {"request_s": 1000.0, "upstream_s": 1000.0, "request_us": 0.001, "request_ms": 1.0}
_SHAPES = {
    "status": rb"\d{3}",
    "bytes_sent": rb"\d+|-",
    "epoch": rb"\d{1,10}\.\d{1,9}",
    "request_s": rb"[\d.]+|-",
    "request_us": rb"\d+|-",
    "request_ms": rb"[\d.]+|-",
}
_LIST = rb"[^\s,\"]*(?:(?:, | : )[^\s,\"]+)*"  # several upstream servers, one after the other
_TIMES = {
    "time_local": rb"\d\d/\w{3}/\d{4}:[\d:]{8} [+-]\d{4}",
    "asctime": rb"\d{4}-\d\d-\d\d[ T][\d:]{8}(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?",
}


@dataclass(frozen=True, slots=True)
class _Field:
    """A variable of a format: what it is, and what it is called where it has no column."""

    column: str
    name: str


@dataclass(frozen=True, slots=True)
class AccessFormat:
    """A compiled format string; ``text`` as it was given."""

    text: str
    server: str
    fields: tuple[_Field, ...]
    is_json: bool
    pattern: "re.Pattern[bytes]" = field(compare=False)

    def of(self, line: bytes) -> Access | None:
        """The access line that a line is by this format, or None."""
        if len(line) > _LONGEST:
            return None
        match = self.pattern.fullmatch(line)
        if match is None:
            return None
        values = [
            (f, self._value(v)) for f, v in zip(self.fields, match.groups(), strict=True)
        ]  # fmt: skip
        return _access(self.server, values)

    def _value(self, written: bytes | None) -> str:
        """A value without what the server escaped in it."""
        text = written or b""
        if b"\\" in text:
            if self.is_json:
                try:
                    return str(json.loads(b'"' + text + b'"'))
                except ValueError:
                    pass
            text = _ESCAPE.sub(_unescaped, text)
        return text.decode("utf-8", "replace")


def _unescaped(match: "re.Match[bytes]") -> bytes:
    if match[1]:
        return bytes([int(match[1], 16)])
    return _PLAIN.get(match[2], match[2])


def compile_access(text: str) -> AccessFormat:
    """Compile a server's access format string, or the name of a built-in one.

    :raises FormatError: for one without a status or without method and path, or in which nothing
        shows where a value ends.
    """
    given = BUILT_IN[text].text if text in BUILT_IN and BUILT_IN[text].text else text
    written = _of_directive(given)
    kind, style, columns = _style(written)
    literals, fields, at = [""], [], 0
    for match in style.finditer(written):
        literals[-1] += written[at : match.start()]
        at = match.end()
        if match[0] == "%%":
            literals[-1] += "%"
            continue
        fields.append(_field_of(match, columns))
        literals.append("")
    literals[-1] += written[at:]
    _check(given, literals, fields)
    is_json = literals[0].lstrip().startswith("{")
    pattern = re.compile(_pattern(literals, fields) + rb"\s*", re.S)
    return AccessFormat(text, kind, tuple(fields), is_json, pattern)


def _of_directive(text: str) -> str:
    """The format in a configuration: ``log_format name '...';``, ``LogFormat "..." name``."""
    match = _DIRECTIVE.match(text)
    rest = match["rest"] if match is not None else text.strip()
    is_quoted = match is not None or rest[:1] == "'"
    pieces = _PIECES.findall(rest) if is_quoted else []
    if not pieces:
        return rest
    return "".join(re.sub(r"\\(.)", r"\1", a or b) for a, b in pieces)


def _style(text: str) -> tuple[str, "re.Pattern[str]", Mapping[str, str]]:
    if _LOGGING.search(text):
        is_uvicorn = "client_addr" in text or "request_line" in text
        return ("uvicorn" if is_uvicorn else "gunicorn"), _LOGGING, _GUNICORN_COLUMNS
    if _NGINX.search(text):
        return "nginx", _NGINX, _NGINX_COLUMNS
    return "apache", _APACHE, _APACHE_COLUMNS


def _field_of(match: "re.Match[str]", columns: Mapping[str, str]) -> _Field:
    group = match.groupdict()
    name = group.get("braced") or group["name"]
    argument = group.get("argument")
    header = re.fullmatch(r"\{([^}]+)\}[ioe]", name)
    if header or (argument and name in "ioe"):
        called = (header[1] if header else str(argument)).lower()
        return _Field(_HEADERS.get(called, "more"), called.replace("-", "_"))
    if argument and name == "T":
        unit = {"ms": "request_ms", "us": "request_us"}.get(argument, "request_s")
        return _Field(unit, name)
    if argument and name == "t":
        return _Field("stamp", "free_time")
    return _Field(columns.get(name, "more"), name)


def _check(text: str, literals: list[str], fields: list[_Field]) -> None:
    have = {f.column for f in fields}
    hint = (
        'for example: --access-format \'$remote_addr [$time_local] "$request" $status '
        "$request_time'"
    )
    if "status" not in have or not ("line" in have or "method" in have):
        raise FormatError(
            f"the access format {text[:200]!r} has no status, or no request line", hint
        )
    for before, behind, between in zip(fields, fields[1:], literals[1:-1], strict=False):
        if not between and not {before.column, behind.column} & {"stamp", "status"}:
            raise FormatError(
                f"the access format {text[:200]!r} has nothing between {before.name} and "
                f"{behind.name}",
                "nothing shows where one ends",
            )


def _pattern(literals: list[str], fields: list[_Field]) -> bytes:
    parts = [re.escape(literals[0].encode())]
    for number, of in enumerate(fields):
        before, behind = literals[number], literals[number + 1]
        parts.append(b"(" + _shape(of, before, behind) + b")")
        parts.append(re.escape(behind.encode()))
    return b"".join(parts)


def _shape(of: _Field, before: str, behind: str) -> bytes:
    """What a field's value may be: nothing past its quotes or the character after it."""
    quoted = before.endswith('"') and behind.startswith('"')
    if of.column == "stamp" and not quoted:
        if of.name in _TIMES:
            return _TIMES[of.name]
        if of.name == "t" and not before.endswith("["):
            return rb"\[[^\]]*\]"
        return rb"[^\]\"]*" if behind[:1] in ("]", '"') else rb"[^\s\"]+"
    if of.column in _SHAPES and not quoted:
        return _SHAPES[of.column]
    if quoted:
        return rb'(?:[^"\\]|\\.)*'
    if of.name.startswith("upstream_") and behind[:1] in (" ", ""):
        return _LIST
    if not behind:
        return rb".*"
    end = re.escape(behind[0].encode()[:1])
    return rb"[^" + end + rb"]*"


def _access(server: str, values: list[tuple[_Field, str]]) -> Access | None:
    request = {"method": "", "path": "", "query": "", "protocol": ""}
    columns: dict[str, str] = {}
    more: dict[str, str] = {}
    stamp: Stamp | None = None
    status = 0
    for of, value in values:
        column = of.column
        if column in ("stamp", "epoch"):
            stamp = stamp or _stamp(column, value)
        elif column == "status":
            status = int(value) if value.isdigit() else 0
        elif value in ("", "-"):
            continue
        elif column in ("line", "target"):
            request |= _request(column, value)
        elif column in request:
            request[column] = value.removeprefix("?") if column == "query" else value
        else:
            _take(of, value, columns, more)
    if not status:
        return None
    kept = {k: request[k] for k in ("query", "protocol") if request[k]}
    return Access(server, request["method"], request["path"], status, kept | columns, more, stamp)


def _request(column: str, value: str) -> dict[str, str]:
    """What a request line or a target says."""
    words = value.split(" ") if column == "line" else ["", value]
    found = split_request(*[*words, "", ""][:3])
    return {k: v for k, v in found.items() if v}


def _take(of: _Field, value: str, columns: dict[str, str], more: dict[str, str]) -> None:
    """A value with a column or without."""
    if of.column in _UNITS:
        ms = milliseconds(value)
        if ms is not None:
            name = "upstream_ms" if of.column == "upstream_s" else "request_ms"
            columns[name] = f"{float(ms) / 1000 * _UNITS[of.column]:.15g}"
        if "," in value or " : " in value:
            more[of.name] = value
    elif of.column in ("more", "user"):
        more["user" if of.column == "user" else of.name] = value
    elif of.column:
        columns.setdefault(of.column, value.strip("[]") if of.column == "client" else value)


def _stamp(column: str, value: str) -> Stamp | None:
    if column == "epoch":
        days, time = divmod(round(float(value) * 1e6), DAY)
        return Stamp(time, days, zone=0)
    found = stamp_at(value.strip("[] ").encode())
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A format recognised by itself: its server, and its format string or an example."""

    server: str
    text: str
    example: str = ""


_COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
    '"$http_referer" "$http_user_agent"'
)
BUILT_IN: Mapping[str, BuiltIn] = {
    "nginx-combined": BuiltIn("nginx", _COMBINED),
    "nginx-timed": BuiltIn(
        "nginx", _COMBINED + " rt=$request_time urt=$upstream_response_time rid=$request_id"
    ),
    "nginx-json": BuiltIn(
        "nginx",
        '{"time":"$time_iso8601","remote_addr":"$remote_addr","request":"$request","status":"$status",'
        '"body_bytes_sent":"$body_bytes_sent","request_time":"$request_time",'
        '"upstream_response_time":"$upstream_response_time","request_id":"$request_id"}',
    ),
    "apache-common": BuiltIn("apache", '%h %l %u %t "%r" %>s %b'),
    "apache-combined": BuiltIn("apache", '%h %l %u %t "%r" %>s %b "%{Referer}i" "%{User-Agent}i"'),
    "uvicorn": BuiltIn("uvicorn", '%(client_addr)s - "%(request_line)s" %(status_code)s'),
    "gunicorn": BuiltIn("gunicorn", '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'),
    "hypercorn": BuiltIn("hypercorn", "",
    '127.0.0.1:51712 - - [02/Mar/2026:10:00:00 +0000] "GET / 1.1" 200 512 "-" "curl/8.5"'),
    "werkzeug": BuiltIn("werkzeug", "",
    '10.0.0.7 - - [02/Mar/2026 10:00:00] "POST /tts HTTP/1.1" 200 -'),
    "gevent": BuiltIn("gevent", "",
    '10.0.0.7 - - [2026-03-02 10:00:00] "POST /tts HTTP/1.1" 200 512 0.731204'),
}  # fmt: skip
