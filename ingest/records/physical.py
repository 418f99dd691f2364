"""Bytes of a file in whatever encoding → physical lines in UTF-8, each with its place (pure).

UTF-8 where nine in ten sequences beyond ASCII are valid, else GB18030 where that gives Chinese:
fixed at the first line that tells. UTF-16 is seen by its mark or its NULs wherever it begins
(docs/parsing.md, "Encodings").
"""

import re
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.lazily import matcher

UTF8, GB18030, UTF16LE, UTF16BE, UNKNOWN = "utf-8", "gb18030", "utf-16-le", "utf-16-be", "unknown"
_SEQUENCE = matcher(
    rb"(?P<good>[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})"
    rb"|[\x80-\xff]"
)
_LOOKED_AT = 4096  # bytes of a line by which its encoding is told


@dataclass(slots=True)
class Physical:
    """A physical line: the places of its first byte and behind its end, and its text in UTF-8
    without line ends.

    A byte order mark and NULs before the text are left out of both; ``nuls`` says how many of these
    there are, ``cr`` that it ends in CR LF.
    """

    start: int
    end: int
    text: bytes
    nuls: int = 0
    cr: bool = False


class Lines:
    """Physical lines of a file by chunk; ``encoding`` is None while all was ASCII."""

    def __init__(self, encoding: str | None, pinned: bool = False) -> None:
        self.encoding = encoding
        self.pinned = pinned
        self._wide = encoding if pinned and encoding in (UTF16LE, UTF16BE) else ""
        self.decided_at = -1

    def of(self, data: memoryview, base: int, *, final: bool) -> Iterator[Physical]:
        """A chunk's whole lines, the unfinished last one only if ``final``; places in the file."""
        whole = bytes(data)
        self.decided_at = -1
        at, wide = 0, ""
        while at < len(whole):
            wide = self._wide or ("" if self.pinned else _wide_at(whole, at, wide))
            if wide:
                end, text = _wide_line(whole, at, wide)
            else:
                end = whole.find(b"\n", at) + 1
                text = whole[at : end or len(whole)]
            if not end:
                if not final:
                    return
                end = len(whole)
            if wide:
                yield Physical(base + at, base + end, text)
            else:
                yield self._narrow(text, base + at)
            at = end

    def _narrow(self, text: bytes, start: int) -> Physical:
        end = start + len(text)
        if text[:1] in (b"\xef", b"\0"):
            text = text.removeprefix(BOM_UTF8)
            solid = text.lstrip(b"\0")
            nuls, text = len(text) - len(solid), solid
        else:
            nuls = 0
        place = end - len(text)
        cr = text.endswith(b"\r\n")
        text = text.removesuffix(b"\n").removesuffix(b"\r")
        return Physical(place, end, text if text.isascii() else self._utf8(text, place), nuls, cr)

    def _utf8(self, text: bytes, place: int) -> bytes:
        if text.isascii():
            return text
        if self.encoding is None and not self.pinned:
            self.encoding = encoding_of(text)
            if self.encoding is not None:
                self.decided_at = place
        if self.encoding in (None, UTF8):
            return text
        return text.decode(self.encoding, "replace").encode()


def _wide_at(data: bytes, at: int, before: str) -> str:
    """UTF-16 in its byte order where it is what a line begins with, else the empty string."""
    start = data[at : at + 2]
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return UTF16LE if start == b"\xff\xfe" else UTF16BE
    if b"\0" not in data[at : at + 256]:
        return ""
    head = data[at : at + 256]
    stop = head.find(b"\n")
    line = head if stop < 0 else head[: stop + 2]
    odd, even = line[1::2].count(0), line[::2].count(0)
    if odd > len(line) // 8 and even <= odd // 8:
        return UTF16LE
    if even > len(line) // 8 and odd <= even // 8:
        return UTF16BE
    return before if before and (odd or even) else ""


def _wide_line(data: bytes, at: int, encoding: str) -> tuple[int, bytes]:
    """Where a line of UTF-16 ends, 0 where it does not, and its text."""
    mark = b"\n\0" if encoding == UTF16LE else b"\0\n"
    found = data.find(mark, at)
    while found >= 0 and (found - at) % 2:
        found = data.find(mark, found + 1)
    end = found + 2 if found >= 0 else 0
    text = data[at : end or len(data)].decode(encoding, "replace").lstrip("\ufeff").rstrip("\r\n")
    return end, text.encode("utf-8", "replace")


def encoding_of(text: bytes) -> str | None:
    """What a line's bytes beyond ASCII are; None where neither UTF-8 nor GB18030 explains them."""
    sequences = [match.lastgroup is not None for match in _SEQUENCE.finditer(text[:_LOOKED_AT])]
    good = sum(sequences)
    # a broken sequence counts once, not once a byte
    bad = len(
        re.findall(
            rb"[\x80-\xff]+",
            _SEQUENCE.sub(lambda m: b"" if m.lastgroup else m[0], text[:_LOOKED_AT]),
        )
    )
    if good >= 9 * bad:
        return UTF8
    return GB18030 if _is_chinese(text[:_LOOKED_AT]) else (UTF8 if good > bad else None)


def _is_chinese(text: bytes) -> bool:
    decoded = text.decode(GB18030, "replace")
    beyond = [c for c in decoded if c > "\x7f"]
    broken = sum(c == "\ufffd" for c in beyond)
    common = sum(_is_common(c) for c in beyond)
    return bool(beyond) and broken * 10 <= len(beyond) and common * 2 >= len(beyond)


def _is_common(character: str) -> bool:
    """Whether a character is one of GB 2312, which a few thousand common ones are."""
    try:
        character.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True
