"""Text from logs, file names and databases, made harmless for a terminal: the one place for it."""

import re

from ingest.lazily import matcher

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
# Control characters (C0, DEL, C1), and format characters but for the joiners of scripts and emoji:
# bidi overrides, zero-width spaces, separators, tags.
STEERING = (  # as in the brackets of a regular expression
    "\x00-\x1f\x7f-\x9f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
)
_IN_JSON = matcher(f"(?!\n)[{STEERING}\ud800-\udfff]")  # without the line ends between members
UNSAFE = matcher(f"[{STEERING}\ud800-\udfff]")


def escape_controls(text: str) -> str:
    """The text with visible escapes for all that could steer a terminal or reorder a line."""
    return UNSAFE.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    code = ord(char)
    if char in _NAMED:
        return _NAMED[char]
    return (
        f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"
    )


def printable(text: str) -> str:
    """The same for texts of several lines, which keep their line ends."""
    return "\n".join(map(escape_controls, text.split("\n")))


def json_shown(value: object, *, indent: int | None = 2) -> str:
    """A value as JSON that may be looked at in a terminal: characters that could steer it are
    escaped as JSON does.
    """
    import json  # every command loads this module, few of them that one

    written = json.dumps(value, ensure_ascii=False, indent=indent, default=_other)
    return _IN_JSON.sub(lambda match: json.dumps(match[0])[1:-1], written)


def _other(value: object) -> object:
    written = getattr(value, "isoformat", None)  # of an instant
    return int(str(value)) if written is None else written()
