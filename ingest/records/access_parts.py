"""Access lines of a ``log_format`` that nobody has named, known by their parts (pure).

Such a line has a request line with its protocol (``"POST /tts HTTP/1.1"``) and a status, and before
them only what servers write there: addresses, host names, stamps, numbers, ids, values with a name
of nginx's. One word of a sentence, or an address with a scheme, and it is a record that quotes a
request: a client's own, or an application's.
"""

import re

from ingest.lazily import matcher
from ingest.records.access import Access, client_of, request_of
from ingest.records.access_rest import as_text, is_named, take_named, take_rest
from ingest.records.moments import DAY, Stamp, stamp_at

_METHOD = rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|CONNECT|TRACE|PROPFIND)"
_LINE = _METHOD + rb" [^\s\"]+ HTTP/\d(?:\.\d)?"
_REQUEST = matcher(rb'"(?P<quoted>' + _LINE + rb')"|(?:(?<=\s)|^)(?P<bare>' + _LINE + rb")(?=\s)")
_MOST = 16  # values before the request
_VALUE = matcher(
    rb'[\s,|]*(?:\[(?P<boxed>[^\]]{0,60})\]|"(?P<quoted>[^"]{0,200})"'
    rb'|(?P<key>[A-Za-z_]{1,40})[=:](?P<named>"[^"]{0,200}"|[^\s",]{1,200})(?=[\s,|]|$)'
    rb"|(?P<bare>[^\s\",|]{1,200})(?=[\s,|]|$))"
)
_ADDRESS = matcher(
    rb"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*|"
    rb"\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
)
_HOST = matcher(rb"(?=[^.]*[A-Za-z])[\w-]{1,63}(?:\.[\w-]{1,63})+(?::\d{1,5})?|localhost(?::\d+)?")
_ID = matcher(rb"[0-9a-f]{16,32}|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_NUMBER = matcher(rb"\d{1,16}(?:\.\d{1,9})?|-")
_EPOCH = matcher(rb"1\d{9}\.\d{3}")
_STATUS = matcher(rb"(?:^|\s)\"?(?P<status>[1-5]\d\d)\"?(?=\s|$)")
_BEFORE_STATUS = matcher(rb"(?:\s*(?:-|\d+(?:\.\d+)?))*\s*")
_SIZE = matcher(rb"\s*\"?(?P<bytes>\d{1,15}|-)\"?(?=\s|$)")


def by_parts(text: bytes) -> Access | None:
    """The access line that a message is by its parts, or None."""
    if b" HTTP/" not in text:
        return None
    match = _REQUEST.search(text)
    if match is None:
        return None
    columns: dict[str, str] = {}
    more: dict[str, str] = {}
    before = _Before(columns, more)
    if not before.takes(text[: match.start()]):
        return None
    behind = text[match.end() :]
    status = _STATUS.search(behind)
    if status is not None and _BEFORE_STATUS.fullmatch(behind[: status.start()]):
        rest = behind[: status.start()] + b" " + behind[status.end() :]
        told = int(status["status"])
    elif before.status:
        rest, told = behind, before.status
    else:
        return None
    if before.stamp is None and "client" not in columns:
        return None
    size = _SIZE.match(rest)
    if size is not None:
        columns.update({} if size["bytes"] == b"-" else {"bytes_sent": size["bytes"].decode()})
        rest = rest[size.end() :]
    server = "nginx" if take_rest(rest, columns, more) == "nginx" else "other"
    request = request_of(match["quoted"] or match["bare"], is_escaped=True)
    if request is None:
        return None
    columns.update((key, request[key]) for key in ("query", "protocol") if request[key])
    return Access(server, request["method"], request["path"], told, columns, more, before.stamp)


class _Before:
    """What stands before the request line.

    :ivar status: a number of three digits among it, 0 without one.
    """

    def __init__(self, columns: dict[str, str], more: dict[str, str]) -> None:
        self.stamp: Stamp | None = None
        self.status = 0
        self._columns = columns
        self._more = more

    def takes(self, text: bytes) -> bool:
        """Take it; False where anything else stands there."""
        at = 0
        for _ in range(_MOST):
            if not text[at:].strip(b" \t,|"):
                return True
            found = stamp_at(text[at:].lstrip(b" \t,|"))
            if found is not None and self.stamp is None:
                at = len(text) - len(text[at:].lstrip(b" \t,|")) + found[1]
                self.stamp = found[0]
                continue
            match = _VALUE.match(text, at)
            if match is None or not self._value(match):
                return False
            at = match.end()
        return False

    def _value(self, match: "re.Match[bytes]") -> bool:
        if match["key"] is not None:
            name = match["key"].decode()
            value = match["named"].strip(b'"')
            if name.lower() in ("status", "code") and value.isdigit() and len(value) == 3:
                self.status = int(value)
                return True
            if not is_named(name):
                return False
            take_named(name, as_text(value), self._columns, self._more)
            return True
        return self._plain(match["boxed"] or match["quoted"] or match["bare"] or b"-")

    def _plain(self, value: bytes) -> bool:
        """A value by its shape: stamp, address, number, id or host."""
        if _EPOCH.fullmatch(value):
            days, time = divmod(round(float(value) * 1e6), DAY)
            self.stamp = self.stamp or Stamp(time, days, zone=0)
        elif _ADDRESS.fullmatch(value):
            if "client" in self._columns:
                self._more.setdefault("forwarded_for", value.decode())
            self._columns.setdefault("client", client_of(value.decode()))
        elif _NUMBER.fullmatch(value):
            if len(value) == 3 and value[:1] in b"12345" and not self.status:
                self.status = int(value)
        elif _ID.fullmatch(value):
            self._columns.setdefault("request_id", value.decode())
        elif _HOST.fullmatch(value):
            self._more.setdefault("host", value.decode())
        else:
            found = stamp_at(value)
            self.stamp = self.stamp or (None if found is None else found[0])
            return found is not None
        return True
