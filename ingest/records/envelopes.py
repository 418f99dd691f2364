"""What a transport puts around a line: stamp, container, pod, unit, stream (pure).

Each envelope is matched on each line by itself, up to MOST of them around each other. Where the
shapes come from is said beside them; docs/parsing.md, "Envelopes", has the table.
"""

import re
from collections.abc import Callable, Collection
from functools import lru_cache

from ingest.lazily import matcher
from ingest.model import DAY_US
from ingest.records.collectors import explored, labelled, procfile, queried, stern, tabled, tailed
from ingest.records.moments import Stamp, read_stamp, stamp_of
from ingest.records.shipped import inside, json_object, shipped
from ingest.records.wrapped import Wrapped

MOST = 4
_STAMP = (
    rb"(?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d)T(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:[.,](?P<f>\d{1,9}))?"
    rb"(?P<z>Z|[+-]\d\d:?\d\d)?"
)
_BSD = (
    rb"(?P<N>[A-Z][a-z]{2}) [ \d]?(?P<D>\d{1,2}) "
    rb"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:\.(?P<f>\d{1,6}))?"
)
_SENDER = (
    rb" (?P<host>[\w.:-]{1,255}) "
    rb"(?P<name>[^\s:\[\]]{1,64}|[\w@.\\/-]{1,64})(?:\[(?P<pid>\d{1,10})\])?: ?"
)
_RFC3339 = matcher(_STAMP + rb"[ \t]")
_PM2_TIME = matcher(
    rb"(?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d)(?:T(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)"
    rb"| (?P<h2>\d\d):(?P<m2>\d\d)(?::(?P<s2>\d\d)(?:\.(?P<f>\d{3}))?)? (?P<z>[+-]\d\d:?\d\d)): "
)
_APP = matcher(
    _STAMP + rb" (?P<name>[A-Za-z][\w.-]{0,63}\[[\w.-]{1,64}\])(?:: | \w{2,4} \[\w{2,9}\] ?)"
)
_FULL = matcher(
    rb"[A-Z][a-z]{2} (?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d) (?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)"
    rb"(?:\.(?P<f>\d{6}))? (?:(?P<z>UTC|GMT|[+-]\d\d)|[A-Z]{2,5})" + _SENDER
)
_UNIX = matcher(rb"(?P<since>\d{10})\.(?P<f>\d{6})" + _SENDER)
_MONOTONIC = matcher(rb"\[ {0,6}\d{1,10}\.\d{6}\]" + _SENDER)
_CRI = matcher(_STAMP + rb" (?P<stream>stdout|stderr) (?P<part>[PF])(?::\S*)?(?: |$)")
_SHORT_ISO = matcher(_STAMP + _SENDER)
_RFC3164 = matcher(rb"(?:<(?P<pri>\d{1,3})>)?" + _BSD + _SENDER)
_RFC5424 = matcher(
    rb"<(?P<pri>\d{1,3})>1 (?:"
    + _STAMP
    + rb"|-) (?P<host>\S{1,255}) (?P<name>\S{1,48}) (?P<pid>\S{1,128}) \S{1,32} "
    rb"(?:-|(?:\[(?:[^\]\\\"]|\"(?:[^\"\\]|\\.)*\")*\])+)(?: (?:\xef\xbb\xbf)?|$)"
)
_DOCKERS = frozenset(("log", "stream", "time", "attrs"))
# of journald's JSON: microseconds since 1970, and a level of syslog
_MICROSECONDS, _PRIORITY = matcher(r"[0-9]{1,16}"), matcher(r"[0-9]{1,2}")
_COMPOSE = matcher(rb"(?P<name>[A-Za-z0-9][\w.@-]{0,127})(?P<pad> *) \|")
_NUMBERED = matcher(rb"[._-]\d+$")
_PM2 = matcher(rb"(?P<id>\d{1,4})\|(?P<name>[^|\s][^|]{0,63}?) *\|(?: |$)")
_RELAYED = matcher(rb"(?P<name>[\w.:-]{1,64}) std(?P<stream>out|err) \|(?: |$)")
_POD = matcher(rb"\[pod/(?P<pod>[^/\]\s]{1,253})/(?P<name>[^\]\s]{1,253})\] ?")
_PROCESS = matcher(
    rb"\((?P<name>[A-Za-z_][\w\[\],:.-]{0,63}) pid=(?P<pid>\d{1,10})(?:, ip=[\d.:a-f]+)?\)(?: |$)"
)
_LEVELS = frozenset(b"TRACE DEBUG INFO NOTICE WARN WARNING ERROR CRITICAL FATAL".split())


Step = Callable[[bytes], Wrapped | None]


def unwrap(line: bytes, only: Collection[str] | None = None) -> Wrapped:
    """A line without its envelopes; ``only`` those of these names, where they are pinned."""
    whole = None
    for _ in range(MOST):
        inner = _outermost(line)
        if inner is not None and only is not None and inner.names[0] not in only:
            break
        if inner is None:
            break
        whole = inner if whole is None else joined(whole, inner)
        line = inner.text
    return Wrapped(line) if whole is None else whole


def _outermost(line: bytes) -> Wrapped | None:
    """A line without its outermost envelope, or None where it has none."""
    for step in _STEPS.get(line[:1], ()):
        inner = step(line)
        if inner is not None:
            return inner
    return None


def joined(outer: Wrapped, inner: Wrapped) -> Wrapped:
    """What two envelopes say together, one around the other."""
    names = (*outer.names, *inner.names)
    instance = "/".join(part for part in (outer.instance, inner.instance) if part) or None
    return Wrapped(
        inner.text,
        inner.stamp if outer.stamp is None else outer.stamp,
        instance,
        inner.stream or outer.stream,
        outer.priority if inner.priority is None else inner.priority,
        outer.partial or inner.partial,
        names,
    )


def _docker_json(line: bytes) -> Wrapped | None:
    """docker's json-file driver: daemon/logger/jsonfilelog of moby."""
    if not line.startswith((b'{"log":', b'{"time":', b'{"stream":')):
        return shipped(line)
    found = json_object(line)
    if found is None:
        return None
    if not isinstance(found.get("log"), str) or not _DOCKERS.issuperset(found):
        return inside(found)
    if not {"stream", "time"} & set(found):
        return None
    text = found["log"].encode("utf-8", "replace")
    stamp = _RFC3339.match(str(found.get("time", "")).encode() + b" ")
    return Wrapped(
        text.removesuffix(b"\n"),
        read_stamp(stamp) if stamp else None,
        stream=str(found.get("stream", "")) or None,
        partial=not text.endswith(b"\n"),
        names=("docker json-file",),
    )


def _journal_json(line: bytes) -> Wrapped | None:
    """journalctl -o json ("Journal Export Formats"); a binary message comes as numbers."""
    if b'"MESSAGE"' not in line or b"__REALTIME_TIMESTAMP" not in line:
        return None
    found = json_object(line)
    if found is None:
        return None
    message = found.get("MESSAGE")
    if isinstance(message, list):
        message = bytes(n for n in message if isinstance(n, int) and 0 <= n < 256).decode(
            "utf-8", "replace"
        )
    if not isinstance(message, str):
        message = ""
    stamp = None
    if _MICROSECONDS.fullmatch(written := str(found.get("__REALTIME_TIMESTAMP"))):
        days, time = divmod(int(written), DAY_US)
        stamp = Stamp(time, days, zone=0)
    name = found.get("SYSLOG_IDENTIFIER") or found.get("_SYSTEMD_UNIT") or found.get("_COMM") or ""
    pid = found.get("_PID") or found.get("SYSLOG_PID")
    return Wrapped(
        message.encode("utf-8", "replace"),
        stamp,
        _sender(found.get("_HOSTNAME"), name, pid),
        priority=int(p) if _PRIORITY.fullmatch(p := str(found.get("PRIORITY", ""))) else None,
        names=("journald json",),
    )


def _sender(host: object, name: object, pid: object) -> str | None:
    sender = f"{name}[{pid}]" if pid else str(name)
    return f"{host}/{sender}" if host else sender or None


def _syslog_sender(match: re.Match[bytes]) -> str | None:
    host, name, pid = (
        b"" if (v := match[k]) in (None, b"-") else v for k in ("host", "name", "pid")
    )
    return _sender(
        host.decode("utf-8", "replace"),
        name.decode("utf-8", "replace"),
        pid.decode("utf-8", "replace"),
    )


def _priority(match: re.Match[bytes]) -> int | None:
    text = match.groupdict().get("pri")
    return int(text) & 7 if text else None


def _cri(line: bytes) -> Wrapped | None:
    """The kubelet's container logs: "CRI logging format" of Kubernetes' design documents."""
    match = _CRI.match(line)
    if match is None:
        return None
    text = line[match.end() :]
    return Wrapped(
        text,
        read_stamp(match),
        stream=match["stream"].decode(),
        partial=match["part"] == b"P",
        names=("CRI",),
    )


def _short_iso(line: bytes) -> Wrapped | None:
    """journalctl -o short-iso, short-iso-precise; rsyslog's RSYSLOG_FileFormat."""
    match = _SHORT_ISO.match(line)
    if match is None or match["name"].isdigit() or len(match["f"] or b"") > 6:
        return None  # nine digits are Go's, a container's
    if not _LEVELS.isdisjoint((match["host"].upper(), match["name"].upper())):
        return None
    return Wrapped(
        line[match.end() :], read_stamp(match), _syslog_sender(match), names=("journald short-iso",)
    )


def _app(line: bytes) -> Wrapped | None:
    """Platforms' own: Heroku's and Logplex' ``app[web.1]: ``, fly's ``app[id] region [level]``."""
    match = _APP.match(line)
    if match is None:
        return None
    return Wrapped(
        line[match.end() :], read_stamp(match), match["name"].decode(), names=("platform",)
    )


def _full(line: bytes) -> Wrapped | None:
    """journalctl -o short-full and with-unit; a zone's letters say nothing but UTC."""
    match = _FULL.match(line)
    if match is None:
        return None
    return Wrapped(
        line[match.end() :],
        read_stamp(match),
        _syslog_sender(match),
        names=("journald short-full",),
    )


def _unix(line: bytes) -> Wrapped | None:
    """journalctl -o short-unix."""
    match = _UNIX.match(line)
    if match is None:
        return None
    days, second = divmod(int(match["since"]), DAY_US // 1_000_000)
    stamp = Stamp(second * 1_000_000 + int(match["f"]), days, zone=0)
    return Wrapped(
        line[match.end() :], stamp, _syslog_sender(match), names=("journald short-unix",)
    )


def _monotonic(line: bytes) -> Wrapped | None:
    """journalctl -o short-monotonic: seconds since the machine's start, which are no instant."""
    match = _MONOTONIC.match(line)
    if match is None:
        return None
    return Wrapped(
        line[match.end() :], instance=_syslog_sender(match), names=("journald short-monotonic",)
    )


def _pm2_time(line: bytes) -> Wrapped | None:
    """pm2 start --time, and the log_date_format of its documentation, which has no seconds."""
    match = _PM2_TIME.match(line)
    if match is None:
        return None
    group = match.groupdict()
    for name in ("h", "m", "s"):
        group[name] = group[name] or group[f"{name}2"] or b"0"
    return Wrapped(line[match.end() :], stamp_of(group), names=("pm2 stamp",))


def _rfc3339(line: bytes) -> Wrapped | None:
    """docker logs -t, kubectl logs --timestamps: a stamp of its own before the line.

    A service may begin its own lines so: with nine digits it is a transport's, as Go prints it.
    """
    match = _RFC3339.match(line)
    if match is None:
        return None
    rest = line[match.end() :]
    digits = len(match["f"] or b"")
    if digits < 7 and _OWN.match(rest) is not None:
        return None
    return Wrapped(rest, read_stamp(match), names=("RFC 3339 stamp",))


# behind a stamp, what shows that it is the program's own: a level, or a name and then a level
_OWN = matcher(
    rb"[\s|:-]*(?:[\[(<]?(?i:debug|info|warn|warning|error|critical|fatal|trace|notice)\b(?!:  )"
    rb"|[\w.:-]{1,60}[\s|-]{1,5}[\[(<]?(?:DEBUG|INFO|WARN|WARNING|ERROR|CRITICAL|FATAL)\b)"
)


def _rfc3164(line: bytes) -> Wrapped | None:
    """RFC 3164, which journalctl -o short and short-precise follow."""
    match = _RFC3164.match(line)
    if match is None or match["host"].upper() in _LEVELS:
        return None
    return Wrapped(
        line[match.end() :],
        read_stamp(match),
        _syslog_sender(match),
        priority=_priority(match),
        names=("syslog",),
    )


def _syslog(line: bytes) -> Wrapped | None:
    """RFC 5424, else RFC 3164 with its priority."""
    match = _RFC5424.match(line)
    if match is None:
        return _rfc3164(line)
    stamp = read_stamp(match) if match["Y"] else None
    return Wrapped(
        line[match.end() :],
        stamp,
        _syslog_sender(match),
        priority=_priority(match),
        names=("syslog",),
    )


def _compose(line: bytes) -> Wrapped | None:
    """docker compose logs: the container's name, padded; docker service logs with the node; what
    supervisord's listener supervisor-stdout relays.
    """
    bar = line.find(b"|")
    if bar < 0 or (line[bar + 1 : bar + 2] not in (b" ", b"")):
        return None
    relayed = _RELAYED.match(line) if line[bar - 8 : bar - 4] == b" std" else None
    if relayed is not None:
        return Wrapped(
            line[relayed.end() :],
            instance=relayed["name"].decode(),
            stream=relayed["stream"].decode(),
            names=("supervisord",),
        )
    name = _container(line[: bar + 1])
    return None if name is None else Wrapped(line[bar + 2 :], instance=name, names=("compose",))


@lru_cache(1024)
def _container(prefix: bytes) -> str | None:
    """The container that a prefix of compose names, or None where it is no such prefix."""
    match = _COMPOSE.fullmatch(prefix)
    if match is None or match["name"] in _LEVELS:
        return None
    name = match["name"]
    if not match["pad"] and not _NUMBERED.search(name) and b"@" not in name:
        return None
    return name.decode("utf-8", "replace")


def _pm2(line: bytes) -> Wrapped | None:
    """pm2 logs: number and name of the process."""
    match = _PM2.match(line)
    if match is None:
        return None
    return Wrapped(
        line[match.end() :],
        instance=f"{match['id'].decode()}|{match['name'].decode('utf-8', 'replace')}",
        names=("pm2",),
    )


def _pod(line: bytes) -> Wrapped | None:
    """kubectl logs --prefix."""
    match = _POD.match(line)
    if match is None:
        return None
    name = f"{match['pod'].decode('utf-8', 'replace')}/{match['name'].decode('utf-8', 'replace')}"
    return Wrapped(line[match.end() :], instance=name, names=("kubectl prefix",))


def _process(line: bytes) -> Wrapped | None:
    """vLLM's prefix of what its processes print, Ray's of its workers."""
    match = _PROCESS.match(line)
    if match is None:
        return None
    return Wrapped(
        line[match.end() :], instance=match.group().strip(b"() ").decode(), names=("process",)
    )


def _steps() -> dict[bytes, tuple[Step, ...]]:
    """The envelopes that may begin with a byte."""
    digit: tuple[Step, ...] = (
        _cri, tailed, queried, _short_iso, _app, _rfc3339, _pm2_time, _unix, _pm2, procfile,
        explored, _compose,
    )  # fmt: skip
    letter: tuple[Step, ...] = (_compose,)
    steps: dict[bytes, tuple[Step, ...]] = {bytes([c]): digit for c in b"0123456789"}
    for c in b"ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        steps[bytes([c])] = letter
        steps[bytes([c]).lower()] = (*letter, stern)
    for month in b"JFMASOND":
        steps[bytes([month])] = (_rfc3164, _compose)
    for weekday in b"MTWFS":
        steps[bytes([weekday])] = (*steps[bytes([weekday])], _full)
    steps[b"{"] = (_journal_json, _docker_json)
    steps[b"<"] = (_syslog,)
    steps[b"@"] = (labelled,)
    steps[b'"'] = (tabled,)
    steps[b"["] = (_pod, _monotonic)
    steps[b"("] = (_process,)
    return steps


_STEPS = _steps()
