"""What a log file is read with, as the JSON that its checkpoint keeps (``log_files.format``)."""

import hashlib
import json
from datetime import UTC, timedelta, timezone, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from ingest.errors import FormatError
from ingest.records.formats import Format, Pins, compile_format

_BEGUN, _AFTER_FILE, _PINNED = "begun_with", "begun_after", "pinned"


class ReadWith(NamedTuple):
    """The format of a file's own lines, and the zone of stamps without one.

    ``is_asked``: somebody asks for just this, whatever a file was read with.
    """

    format: Format
    tz: tzinfo
    is_asked: bool = False

    def as_text(self, before: str | None) -> str:
        """As JSON; ``before`` is what the file was read with: what others keep there stays."""
        members = _members(before) | {
            "log_format": self.format.text,
            "datefmt": self.format.datefmt,
            "escapes": "backslash" if self.format.escapes else "none",
            "stage_time": "own" if self.format.own_stage_times else "elapsed",
            "tz": _zone_name(self.tz),
        }
        for name in ("access_format", "named", "after", _PINNED):
            members.pop(name, None)
        if self.format.after is not None:
            members["after"] = self.format.after
        if self.format.pins != Pins():
            members[_PINNED] = self.format.pins._asdict()
        if self.format.named is not None:
            members["named"] = self.format.named
        if self.format.access is not None:
            members["access_format"] = self.format.access.text
        return json.dumps(members, ensure_ascii=False, separators=(",", ":"))

    def of(self, text: str | None) -> "ReadWith":
        """What a file was read with; these where its text does not say, or cannot be understood."""
        if self.is_asked:
            return self
        members = _members(text)
        written = members.get("log_format")
        if not isinstance(written, str):
            return self
        try:
            fmt = compile_format(
                written,
                members.get("datefmt"),
                escapes=members.get("escapes", "backslash"),
                stage_time=members.get("stage_time", "elapsed"),
                access_format=members.get("access_format"),
                pins=_pins(members),
            )
        except (FormatError, TypeError):
            return self
        fmt = fmt._replace(named=named_of(text), after=after_of(text))
        return ReadWith(fmt, _zone(members.get("tz")) or self.tz)


def _pins(members: dict[str, Any]) -> Pins:
    found = members.get(_PINNED)
    if not isinstance(found, dict):
        return Pins()
    envelopes = found.get("envelopes")
    return Pins(
        found.get("profile"), found.get("encoding"), None if envelopes is None else tuple(envelopes)
    )


def begun_with(format_text: str | None) -> str | None:
    """The state in which a file's reading began: that at the end of the file before it."""
    found = _members(format_text).get(_BEGUN)
    return found if isinstance(found, str) else None


def begun_after(format_text: str | None) -> "tuple[int, str] | None":
    """The key of the file at whose end the reading of this one began, and the mark of that one's
    own beginning then.
    """
    found = _members(format_text).get(_AFTER_FILE)
    return (int(found[0]), str(found[1])) if isinstance(found, list) else None


def mark_of_beginning(format_text: str | None) -> str:
    """What tells apart the states in which a file's reading may begin: the same mark, the same
    state.
    """
    return hashlib.blake2b((begun_with(format_text) or "").encode(), digest_size=8).hexdigest()


def beginning_with(
    format_text: str | None, state: str | None, after: "tuple[int, str] | None"
) -> str | None:
    """What a checkpoint keeps of a file whose reading begins with a state: that at the end of
    another file, which is told by its key and the mark of its beginning.
    """
    if state is None:
        return format_text
    members = _members(format_text) | {_BEGUN: state, _AFTER_FILE: after}
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"))


def named_of(text: str | None) -> str | None:
    """The id of the one request that a file is of, as its checkpoint keeps it."""
    found = _members(text).get("named")
    return found if isinstance(found, str) else None


def after_of(text: str | None) -> int | None:
    """The instant of the last record before a file's first, as its checkpoint keeps it."""
    found = _members(text).get("after")
    return found if isinstance(found, int) else None


def _members(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _zone_name(tz: tzinfo) -> str:
    """An IANA name, or the minutes east of UTC of a zone without one."""
    if tz is UTC:
        return "UTC"
    if isinstance(tz, ZoneInfo) and tz.key:
        return tz.key
    offset = tz.utcoffset(None)
    return "UTC" if offset is None else str(offset // timedelta(minutes=1))


def _zone(name: object) -> tzinfo | None:
    if not isinstance(name, str):
        return None
    if name == "UTC":
        return UTC
    try:
        return timezone(timedelta(minutes=int(name)))
    except ValueError:
        pass
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
