"""Envelopes of the tools that gather the lines of many containers into one stream (pure).

Each puts names before a line and no sign behind them. So a name must be one that only a cluster or
a platform gives: a word of a text is never one.
"""

import re

from ingest.records.moments import read_stamp
from ingest.records.wrapped import Wrapped

# the letters and digits that Kubernetes makes names of, "rand.SafeEncodeString" of its apimachinery
_SAFE = rb"[bcdfghjklmnpqrstvwxz2456789]"
_LABEL = rb"[a-z0-9](?:[a-z0-9.-]{0,200}[a-z0-9])?"
# a pod of a deployment (hash of its template, then its own five) or of a daemon set or job
_STERN = re.compile(
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
# CloudWatch's streams: of a task (prefix/container/task), of a function, of a machine, of a build
_TAILED = re.compile(
    rb"(?P<Y>\d{4})-(?P<M>\d\d)-(?P<D>\d\d)T(?P<h>\d\d):(?P<m>\d\d):(?P<s>\d\d)(?:\.(?P<f>\d{6}))?"
    rb"(?P<z>[+-]\d\d:\d\d|Z) "
    rb"(?P<name>[\w./#-]{1,200}/[0-9a-f]{32}"
    rb"|\d{4}/\d\d/\d\d/(?:[\w.-]{1,100})?\[[\w$.-]{1,64}\][0-9a-f]{32}"
    rb"|i-[0-9a-f]{8,17}"
    rb"|(?:[\w./#-]{1,200}/)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?: |$)"
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


def tailed(line: bytes) -> Wrapped | None:
    """``aws logs tail``: ``stamp stream line``, the "detailed" format of its reference."""
    match = _TAILED.match(line)
    if match is None:
        return None
    return Wrapped(
        line[match.end() :], read_stamp(match), match["name"].decode(), names=("aws logs tail",)
    )
