"""What terminals are for, off a line: colours, overwritten parts, progress bars (pure)."""

import re
from codecs import BOM_UTF8
from dataclasses import dataclass

from ingest.lazily import matcher

# ECMA-48 control sequences, operating system commands, two-byte escapes
_ANSI = matcher(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\^-~])")
# tqdm's bar: [description: ]NN%|…| i/n [elapsed<remaining, rate], and that of a total that is not
# known
BAR = matcher(
    rb"[ \t]*(?:[A-Za-z][\w .()/-]{0,39}:[ \t]*)?"
    rb"(?:(?P<share>\d{1,5})%\|[^|\r\n]{0,400}\|[ "
    rb"\t]*(?P<n>[\d.]+)[kMGTBi]*/(?P<of>[\d.?]+)[\w.]*[ \t]*"
    rb"|(?P<count>[\d.]+)[a-zA-Z]{1,12}[ \t])"
    rb"\[(?P<elapsed>[\d:?]{2,12})(?:<[^\]\r\n]{0,80}|,[^\]\r\n]{0,60}/[^\]\r\n]{1,20})\]"
)
_RUN = matcher(rb"(?:" + re.sub(rb"\(\?P<\w+>", b"(?:", BAR.pattern) + rb"[ \t]*\r)+")
_BLANK = b" \t\x1a\0" + BOM_UTF8


@dataclass(frozen=True, slots=True)
class Bar:
    """A progress bar: its last elapsed time, and whether it is full."""

    elapsed_ms: int
    done: bool


def without_colours(text: bytes) -> bytes:
    """A line without terminal sequences; rsyslog's ``#033`` for their first byte is understood."""
    if b"#033[" in text:
        text = text.replace(b"#033[", b"\x1b[")
    return _ANSI.sub(b"", text) if b"\x1b" in text else text


def parts_of(text: bytes) -> tuple[list[tuple[int, bytes]], Bar | None]:
    """What a terminal would show of a line one after another: (position, text) of each part, bars
    dropped; the last bar.

    A line is cut at carriage returns; what stands behind a bar stays. Blank parts are left out.
    """
    if b"#015" in text:
        text = text.replace(b"#015", b"\r")
    if b"\r" not in text and not _may_be_bar(text):
        return [(0, text)], None
    parts, bar = [], None
    run = _RUN.match(text, 1 if text[:1] == b"\r" else 0)  # all but the last bar at once
    at = 0
    if run is not None:
        at = run.end()
        bar = _without_bars(text[:at].rstrip(b"\r").rpartition(b"\r")[2])[1]
    for piece in text[at:].split(b"\r"):
        rest, found = _without_bars(piece)
        bar = found or bar
        if rest.strip(_BLANK):
            parts.append((at + len(piece) - len(rest), rest))
        at += len(piece) + 1
    return parts, bar


def _may_be_bar(text: bytes) -> bool:
    return b"[" in text and (b"%|" in text or b"it" in text or b"/s" in text)


def _without_bars(piece: bytes) -> tuple[bytes, Bar | None]:
    """A piece behind the bars that it begins with, and the last of these."""
    bar = None
    match = BAR.match(piece)
    while match is not None:
        bar = _bar(match)
        piece = piece[match.end() :]
        match = BAR.match(piece)
    return piece, bar


def _bar(match: re.Match[bytes]) -> Bar:
    seconds = 0
    if b"?" not in match["elapsed"]:
        for part in match["elapsed"].split(b":"):
            seconds = seconds * 60 + int(part or 0)
    done = match["n"] is not None and match["n"] == match["of"]
    return Bar(seconds * 1000, done)
