"""Envelopes of the tools that gather the lines of many containers into one stream (pure).

Each puts names before a line and no sign behind them. So a name must be one that only a cluster or
a platform gives: a word of a text is never one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ingest.lazily import matcher
from ingest.records.headers import bare_stamp, header_of
from ingest.records.moments import read_stamp
from ingest.records.wrapped import Wrapped

# the letters and digits that Kubernetes makes names of, "rand.SafeEncodeString" of its apimachinery
_SAFE = rb"[bcdfghjklmnpqrstvwxz2456789]"
_LABEL = rb"[a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?"
# a pod of a deployment (hash of its template, then its own five) or of a daemon set or job
_STERN = matcher(
    rb"(?:" + _LABEL + rb" )?(?P<pod>[a-z](?:[a-z0-9.-]{0,200}[a-z0-9])?-"
    rb"(?:"
    + _SAFE
    + rb"{6,10}-"
    + _SAFE
    + rb"{5}|(?=[bcdfghjklmnpqrstvwxz]*\d)"
    + _SAFE
    + rb"{5}))"
    rb" (?P<name>" + _LABEL + rb")(?: |$)"
)
# a pod of a stateful set: its name and its number, which any word of a text may look like
_ORDINAL = matcher(
    rb"(?:" + _LABEL + rb" )?(?P<pod>[a-z](?:[a-z0-9.-]{0,200}[a-z0-9])?-\d{1,3})"
    rb" (?P<name>" + _LABEL + rb")(?: |$)"
)
# what begins a line of a program and no rest of a sentence
_EVIDENT = matcher(
    rb'>> |\{"|\([A-Za-z_]\w* pid=\d|Traceback \(most recent call last\):|  File "|\s*\d{1,3}%\|'
    rb"|\d{1,3}(?:\.\d{1,3}){3}(?::\d+)? - "
)
MOST_PODS = 1000
# CloudWatch's streams: of a task (prefix/container/task), of a function, of a machine, of a build
_TAILED = matcher(
    rb"(?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d)T(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:\.(?P<f>\d{6}))?"
    rb"(?P<z>[+-]\d\d:\d\d|Z) "
    rb"(?P<name>[\w./#-]{1,200}/[0-9a-f]{32}"
    rb"|\d{4}/\d\d/\d\d/(?:[\w.-]{1,100})?\[[\w$.-]{1,64}\][0-9a-f]{32}"
    rb"|i-[0-9a-f]{8,17}"
    rb"|(?:[\w./#-]{1,200}/)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?: |$)"
)
# Loki's labels behind a stamp, as logcli prints what its queries find
_QUERIED = matcher(
    rb"(?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d)T(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:\.(?P<f>\d{1,9}))?"
    rb"(?P<z>[+-]\d\d:\d\d|Z) "
    rb"\{(?P<labels>(?:[A-Za-z_]\w{0,60}=\"(?:[^\"\\]|\\.){0,300}\"(?:, ?|(?=\}))){0,40})\} "
)
_LABEL_OF = matcher(rb"(?:^|[, ])(?P<key>\w+)=\"(?P<value>[^\"\\]*)\"")
_ORIGINS = (b"pod", b"container", b"container_name", b"instance", b"unit", b"app", b"job")
# Grafana's "Download logs" of a query: milliseconds since 1970, the instant, the line
_EXPLORED = matcher(
    rb"\d{13}\t(?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d)T(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)"
    rb"\.(?P<f>\d{3})(?P<z>Z)\t"
)
# foreman, honcho: the time of day, the process of the Procfile and its number
_PROCFILE = matcher(
    rb"(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d) (?P<name>[A-Za-z][\w-]{0,60}\.\d{1,3}|system) +\|(?: |$)"
)
# TAI64N of multilog and s6-log; these differ by the leap seconds, so it is no instant
_TAI64N = matcher(rb"@4[0-9a-f]{23} ")
# a table as Datadog, Excel and others save it: a stamp first, the line last, each in quotes
_TABLED = matcher(
    rb'"(?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d)[T ](?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)'
    rb'(?:\.(?P<f>\d{1,9}))?(?P<z>Z|[+-]\d\d:\d\d)?",(?:"(?:[^"]|""){0,300}",){0,8}'
    rb'"(?P<text>(?:[^"]|"")*)(?:"|$)'
)


def stern(line: bytes) -> Wrapped | None:
    """``stern``: ``pod container line``, the namespace before it with ``-A``; its default template
    in stern's cmd/cmd.go.
    """
    match = _STERN.match(line)
    if match is None:
        return None
    name = f"{match['pod'].decode()}/{match['name'].decode()}"
    return Wrapped(line[match.end() :], instance=name, names=("stern",))


def is_ordinal(line: bytes) -> bool:
    """Whether a line may be one of a stateful set's pod."""
    return _ORDINAL.match(line) is not None


@dataclass(slots=True)
class Pods:
    """The pods of stateful sets in one file: prefix → the offset of the line that showed it.

    ``tts-0 server `` could begin a sentence. So such a prefix counts from the first line on that
    has behind it what only a program's line begins with; that line's offset is kept, since a line
    is read by what stands before it, however often its bytes are read.
    """

    known: dict[bytes, int] = field(default_factory=dict)

    @classmethod
    def of(cls, kept: Iterable[tuple[str, int]]) -> "Pods":
        """Pods as they were kept."""
        return cls({prefix.encode(): offset for prefix, offset in kept})

    def kept(self, end: int) -> list[tuple[str, int]]:
        """The pods that lines before an offset have shown."""
        return [(prefix.decode(), at) for prefix, at in self.known.items() if at < end]

    def unwrap(self, line: bytes, start: int, *, is_pinned: bool) -> Wrapped | None:
        """A line of stern's without its prefix; None for any other line."""
        match = _ORDINAL.match(line)
        if match is None:
            return None
        prefix, rest = match.group(), line[match.end() :]
        if not is_pinned and not self._is_known(prefix, rest, start):
            return None
        name = f"{match['pod'].decode()}/{match['name'].decode()}"
        return Wrapped(rest, instance=name, names=("stern",))

    def _is_known(self, prefix: bytes, rest: bytes, start: int) -> bool:
        shown = self.known.get(prefix)
        if shown is not None and shown <= start:
            return True
        if len(self.known) >= MOST_PODS or not _is_evident(rest):
            return False
        self.known[prefix] = start
        return True


def _is_evident(rest: bytes) -> bool:
    return (
        _EVIDENT.match(rest) is not None
        or header_of(rest) is not None
        or bare_stamp(rest) is not None
    )


def tailed(line: bytes) -> Wrapped | None:
    """``aws logs tail``: ``stamp stream line``, the "detailed" format of its reference."""
    match = _TAILED.match(line)
    if match is None:
        return None
    return Wrapped(
        line[match.end() :], read_stamp(match), match["name"].decode(), names=("aws logs tail",)
    )


def queried(line: bytes) -> Wrapped | None:
    """``logcli query``: ``stamp {labels} line``, Loki's pkg/logcli/output/default.go."""
    match = _QUERIED.match(line)
    if match is None:
        return None
    labels = {m["key"]: m["value"] for m in _LABEL_OF.finditer(match["labels"])}
    name = next((labels[key] for key in _ORIGINS if labels.get(key)), b"")
    return Wrapped(
        line[match.end() :],
        read_stamp(match),
        name.decode("utf-8", "replace") or None,
        names=("logcli",),
    )


def explored(line: bytes) -> Wrapped | None:
    """What Grafana's "Explore" saves of a query as text."""
    match = _EXPLORED.match(line)
    if match is None:
        return None
    return Wrapped(line[match.end() :], read_stamp(match), names=("Grafana",))


def procfile(line: bytes) -> Wrapped | None:
    """foreman and honcho: ``10:00:00 tts.1   | line``."""
    match = _PROCFILE.match(line)
    if match is None:
        return None
    return Wrapped(
        line[match.end() :], read_stamp(match), match["name"].decode(), names=("Procfile",)
    )


def labelled(line: bytes) -> Wrapped | None:
    """multilog's and s6-log's labels before a line."""
    match = _TAI64N.match(line)
    return None if match is None else Wrapped(line[match.end() :], names=("TAI64N",))


def tabled(line: bytes) -> Wrapped | None:
    """A row of a table in quotes; the rest of a line that has several follows bare."""
    match = _TABLED.fullmatch(line)
    if match is None:
        return None
    return Wrapped(match["text"].replace(b'""', b'"'), read_stamp(match), names=("CSV",))
