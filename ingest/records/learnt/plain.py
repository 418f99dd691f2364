"""Lines of a known head and plain words: of these, only the rules are asked (pure).

A text of letters, digits and the signs of sentences begins no envelope, header, pair, quote, access
line, progress bar or traceback. So a line with such a text behind a head that is known is seen by
the general path as the line was from which it is known, but for the rules that take its message;
these are asked for each line. What the class of plain words says is tried besides, with words that
mean something elsewhere.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ingest.records.learnt.others import PLAIN_WORDS
from ingest.records.learnt.symbols import Unlearnable
from ingest.records.learnt.templates import Seen, Templates
from ingest.records.profiles import Profiles

MOST = 16  # heads, and attempts to learn one
LEAST = 4  # bytes of a head
# it begins with a word and does not end with a space; a hyphen stands in or before a word
_PLAIN = (
    rb"(?:(?=[\w'\x80-\xff])(?:[^\x00- \"#$%&()*+/:;<=>@[\\\]^`{|}~\x7f]|(?<!-) (?=[^ ]))*(?<!-))"
)
IS_PLAIN = re.compile(_PLAIN)
_PATTERNS = (b"", rb"\d+", _PLAIN)
_NUMBERS = (b"0", b"1", b"7", b"00", b"42", b"200", b"500", b"1234", b"123456789", b"2026")


@dataclass(frozen=True, slots=True)
class _Head:
    """What lines look like of a head, and how the first of them was seen."""

    shape: re.Pattern[bytes]
    seen: Seen


class PlainLines:
    """Sees lines by their heads, as far as these are known."""

    def __init__(self, makes: Templates, profiles: Profiles) -> None:
        self._makes, self._profiles = makes, profiles
        self._heads: list[_Head] = []
        self._tried = [0, 0]  # of lines that no rule takes, that one takes

    def seen(self, text: bytes, *, is_dated: bool) -> Seen | None:
        """What the general path sees in a text, None of one that is not known so; ``is_dated``: it
        begins with a possible stamp.
        """
        for head in self._heads:
            if head.seen.dated == is_dated and head.shape.fullmatch(text) is not None:
                first = head.seen
                message = text[first.at :]
                try:
                    matches = self._profiles.match(message.decode())
                except UnicodeDecodeError:
                    return None
                return Seen(text, first.line, None, message, matches, first.dated)
        return None

    def learn(self, seen: Seen) -> None:
        """Know lines like this one from now on, as far as it is one of plain words."""
        is_claimed = bool(seen.matches)
        if self._tried[is_claimed] >= MOST or seen.line.text != seen.text:
            return  # or it was seen by its head
        shape = _shape(seen, self._makes.stamp_end(seen.text))
        if shape is None:
            return
        self._tried[is_claimed] += 1
        parts, pattern = shape
        if all(self._is_alike(seen, other, pattern) for other in _others(parts)):
            self._heads.append(_Head(pattern, seen))

    def _is_alike(self, seen: Seen, text: bytes, pattern: re.Pattern[bytes]) -> bool:
        """Whether the general path sees the same in another text, but for what rules see."""
        if pattern.fullmatch(text) is None:
            return True
        try:
            other = self._makes.read(text)
        except Unlearnable:
            return False
        return _head(other) == _head(seen) and other.message == text[seen.at :]


def _head(seen: Seen) -> tuple[object, ...]:
    header = seen.line.header
    told = None if header is None else (header.level, header.message, header.logger)
    return told, seen.dated, seen.access is None, seen.line.is_blank


Parts = list[tuple[bytes, int]]  # of a text, each with what may stand in its place
_FIXED, _WHOLE, _ANY = range(3)  # nothing else, any number, any plain words


def _shape(seen: Seen, stamp: int) -> tuple[Parts, re.Pattern[bytes]] | None:
    """A line's parts, and the pattern of lines like it; None where its texts are not plain."""
    spans = _spans(seen)
    text, at = seen.text, stamp
    parts: Parts = [(text[:stamp], _FIXED)]
    pattern = re.sub(rb"\d", rb"\\d", re.escape(text[:stamp]))
    for start, end, is_text in spans:
        is_plain = IS_PLAIN.fullmatch(text[start:end]) is not None
        if start < at or (is_text and not is_plain):
            return None
        if is_plain:
            before = text[at:start]  # numbers of a head may be of its logger
            parts += _around_numbers(before) if len(parts) > 1 else [(before, _FIXED)]
            parts.append((text[start:end], _ANY))
            at = end
    if not spans or spans[0][0] - stamp < LEAST:
        return None
    parts += _around_numbers(text[at:])
    rest = (_PATTERNS[kind] or re.escape(part) for part, kind in parts[1:])
    return parts, re.compile(pattern + b"".join(rest))


def _around_numbers(text: bytes) -> Parts:
    pieces = re.split(rb"(\d+)", text)
    return [(piece, number % 2 * _WHOLE) for number, piece in enumerate(pieces) if piece]


def _spans(seen: Seen) -> list[tuple[int, int, bool]]:
    """Where a line's values stand, and which of them are texts; all of its message where no rule
    takes it.
    """
    if not seen.matches:
        return [(seen.at, len(seen.text), True)]
    found = {
        (seen.at + start, seen.at + end, column.name == "text")
        for match in seen.matches
        for column in match.rule.columns
        for start, end in (match.spans[column.group],)
        if start >= 0
    }
    return sorted(found)


def _others(parts: Parts) -> Iterator[bytes]:
    """The text with other numbers and plain words, one part at a time and all together."""
    for kind, words in ((_WHOLE, _NUMBERS), (_ANY, PLAIN_WORDS)):
        free = [number for number, part in enumerate(parts) if part[1] == kind]
        for chosen in (free, *([one] for one in free if len(free) > 1)):
            for word in words if chosen else ():
                yield b"".join(
                    word if number in chosen else part[0] for number, part in enumerate(parts)
                )
