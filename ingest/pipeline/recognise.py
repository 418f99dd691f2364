"""What a log file is read with, and the refusal of one that is no log."""

import json
from codecs import BOM_UTF8
from datetime import tzinfo
from typing import TYPE_CHECKING

from ingest.errors import LogFileError
from ingest.lazily import matcher
from ingest.logfiles.fingerprint import HEAD_BYTES
from ingest.logfiles.reader import read_head
from ingest.logfiles.stat import FileStat
from ingest.records.formats import Format
from ingest.records.profiles import Profiles

if TYPE_CHECKING:
    from ingest.records.recognise import Recognised

_NAMED = matcher(r"\.(?:log|out|err)(?:[.-][\w.-]{1,40})?$")  # app.log, app.log.1, nohup.out
LOOKED_AT = 16 << 10  # bytes of a beginning in which a log shows what it is
SHORT_BYTES = 2 << 10  # so much a service may print before anything that shows what its log is
BANNER_BYTES = 4 << 20  # so much before its first record a log may say at its start


def recognised(
    stat: FileStat,
    head: bytes,
    fmt: Format,
    tz: tzinfo,
    profiles: Profiles,
    *,
    shown: bool,
    goes_on: bool = False,
    may_wait: bool = False,
) -> "Recognised":
    """What a file is; ``head`` are its first bytes, ``shown``: its first line may be quoted;
    ``goes_on``: the file before it in its series is a log; ``may_wait``: a short file that is named
    as a log is one, though its service has printed nothing yet but a banner.

    :raises LogFileError: for a binary file, or a text in whose first bytes, a banner of
        BANNER_BYTES at most, no line shows what it is.
    """
    from ingest.records.recognise import guess_format, recognise  # a known file needs neither

    found = recognise(head[:LOOKED_AT], fmt, profiles)
    if found.is_log or not head.strip(b"\0\r\n\t " + BOM_UTF8):
        return found
    _refuse_binary(stat, head, found)
    if goes_on or (may_wait and len(head) < SHORT_BYTES and _NAMED.search(stat.path.name)):
        return found
    if b"\n" not in head and len(head) < HEAD_BYTES:
        return found  # its first line may still be being written
    if len(head) > LOOKED_AT:
        more = head if len(head) < HEAD_BYTES else read_head(stat, BANNER_BYTES)[0]
        found = recognise(more, fmt, profiles)
        if found.is_log:
            return found
    first = next(iter(head.decode("utf-8", "replace").splitlines()), "")[:120]
    first = first.encode("unicode_escape").decode()
    better = guess_format(head, tz)
    raise LogFileError(
        f"no line of {stat.path} has the log format" + (f"; it begins: {first}" if shown else ""),
        f"its lines look like: --log-format '{better}'"
        if better
        else "give the service's logging format string: --log-format '%(asctime)s %(levelname)s "
        "...'",
    )


def format_in_short(text: str | None) -> str | None:
    """What a file is read with, by its checkpoint, in short; None for the log format alone."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return None
    parts = [
        *([found["encoding"]] if found.get("encoding") not in (None, "utf-8") else []),
        *found.get("envelopes", ()),
        *([found["header"]] if found.get("header") not in (None, "the log format") else []),
        *(f"access lines of {server}" for server in found.get("servers", ())),
        *(f"profile {name}" for name in found.get("profiles", ())),
    ]
    return ", ".join(map(str, parts)) or None


def _refuse_binary(stat: FileStat, head: bytes, found: "Recognised") -> None:
    text = head.decode(found.encoding or "utf-8", "replace")
    odd = sum(1 for c in text if (c < " " and c not in "\t\n\r\x1b\0") or c == "\ufffd")
    if odd > len(text) // 10 or (b"\n" not in head and len(head) >= HEAD_BYTES and odd):
        raise LogFileError(
            f"{stat.path} is a binary file, not a log file",
            "name text logs, plain or compressed",
        )
