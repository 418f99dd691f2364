"""A line's text → what every text of its mask is to the general path, or that there is no such
thing (pure).

The text is read with other numbers in it, one place at a time and all together: of all lengths, of
all first digits, and those that patterns name. A template holds only where all of them are read the
same way; of a number that may not have every length, the lengths around the text's own count.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ingest.compiled.layout import L_WARNING
from ingest.compiled.masks import Masker
from ingest.records.access import Access, is_socket
from ingest.records.collectors import is_ordinal
from ingest.records.envelopes import unwrap
from ingest.records.gather import level_of, message_of
from ingest.records.learnt.symbols import Unlearnable
from ingest.records.levels import Header
from ingest.records.logical import Logical, Reader, access_in
from ingest.records.moments import DAY
from ingest.records.profiles import Match, Profiles
from ingest.records.vocabulary import PUBLIC_EVENTS
from ingest.records.wrapped import Wrapped

Edge = tuple[int, int]  # so many bytes behind the end of a number (-1: the text's beginning)
MOST_DIGITS, MOST_WHOLE = 15, 9  # of a whole number, of one with a fraction before its point
_EVENTS = tuple(event.encode() for event in PUBLIC_EVENTS)
_LEFT_ALONE = (b"Traceback (most recent call last):", b'text="')
# numbers by which the general path tells what a line is
_KNOWN = (b"015", b"033", b"0", b"00", b"1", b"100", b"137", b"200", b"302", b"404", b"499", b"500",
          b"503", b"1970", b"2026", b"20260302", b"260302")  # fmt: skip


_MOMENTS = (b"1970-01-01 00:00:00", b"1999-12-31 23:59:59", b"2024-02-29 12:34:56",
            b"2026-03-02 02:00:00", b"2026-10-25 02:30:00", b"2032-11-30 19:07:05")  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What the general path sees in a text: the line, and the rules that may take its message;
    ``dated``: it begins with a stamp of its own.
    """

    text: bytes
    line: Logical
    access: Access | None
    message: bytes
    matches: list[Match]
    dated: bool = False

    @property
    def at(self) -> int:
        """Where the message begins in the text."""
        return self.line.header.message if self.line.header is not None else 0


@dataclass(slots=True)
class Template:
    """What texts of one mask are: that of ``seen``, with its numbers' spans, and how many digits
    each may have before its point.

    ``columns`` and ``more`` are an access line's: constants, or two edges.
    """

    seen: Seen
    spans: list[tuple[int, int]]
    limits: list[tuple[int, int]]
    columns: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def edge(self, place: int) -> Edge:
        """Where a place of the text is in any text of the mask.

        :raises Unlearnable: inside a number.
        """
        return _edge(self.spans, place)

    def is_stamp(self, number: int) -> bool:
        """Whether a number is the stamp that the text begins with."""
        return self.seen.dated and number == 0

    def number_at(self, start: int, end: int) -> int | None:
        """The number that a stretch of the text is, None where it is none."""
        return self.spans.index((start, end)) if (start, end) in self.spans else None


def _edge(spans: list[tuple[int, int]], place: int) -> Edge:
    before = -1
    for number, (start, end) in enumerate(spans):
        if start < place < end:
            raise Unlearnable("a place inside a number")
        if end <= place:
            before = number
    return before, place - (spans[before][1] if before >= 0 else 0)


class Templates:
    """Makes templates by one reader and all profiles."""

    def __init__(self, reader: Reader, profiles: Profiles) -> None:
        self._reader = reader
        self._profiles = profiles
        self._masker = Masker(0)

    @cached_property
    def _special(self) -> list[bytes]:
        """Numbers that stand in rules, and those by which other lines are told."""
        found = {n for r in self._profiles.rules for n in re.findall(rb"\d+", r.pattern.encode())}
        found.update(n for p in self._profiles.profiles for c in p.codes
                     for n in re.findall(rb"\d+", c.pattern.encode()))  # fmt: skip
        return sorted(found.union(_KNOWN))

    def of(self, text: bytes) -> Template:
        """The template of a text.

        :raises Unlearnable: where texts of its mask are not all alike to the general path.
        """
        masked = self._masker.of(text)
        if masked is None:
            raise Unlearnable("no mask")
        spans = masked[1]
        seen = self._seen(text)
        template = Template(seen, spans, [])
        for number in range(len(spans)):
            template.limits.append(self._lengths(template, number))
        others = [self._seen(other) for other in self._variants(template)
                  if self._mask(other) == masked[0]]  # fmt: skip
        for other in others:
            if not self._alike(template, other):
                raise Unlearnable("a number tells what the line is")
        if seen.access is not None:
            template.columns = self._spans_of(template, others, lambda a: a.columns)
            template.more = self._spans_of(template, others, lambda a: a.more)
        return template

    def is_unclaimed(self, text: bytes) -> bool:
        """Whether nothing claims a text, whatever is open, and no line goes on with it."""
        try:
            seen = self._seen(text)
        except Unlearnable:
            return False
        return (
            not seen.matches
            and not seen.dated
            and seen.access is None
            and not seen.line.is_blank
            and level_of(seen.line) < L_WARNING
        )

    def _numbers(self, text: bytes) -> list[tuple[int, int]]:
        masked = self._masker.of(text)
        return [] if masked is None else masked[1]

    def _mask(self, text: bytes) -> bytes | None:
        masked = self._masker.of(text)
        return None if masked is None else masked[0]

    def _seen(self, text: bytes) -> Seen:
        """What the general path sees in a text.

        :raises Unlearnable: where it is more than one plain line.
        """
        if any(word in text for word in (*_LEFT_ALONE, *_EVENTS)):
            raise Unlearnable("a traceback, an event or a quoted text")
        if unwrap(text).names or is_ordinal(text):
            raise Unlearnable("a further envelope")
        lines = list(self._reader.lines_of(0, len(text) + 1, len(text) + 1, Wrapped(text)))
        line = lines[0]
        if len(lines) != 1 or line.text != text or line.bar is not None or line.torn is not None:
            raise Unlearnable("not one plain line")
        if line.native is not None or line.json is not None or line.begins_traceback:
            raise Unlearnable("a header of the format, or pairs")
        access = access_in(line)
        stamp = line.header.stamp if line.header is not None else None
        local = self._local(text)
        told = None if stamp is None or stamp.days is None else stamp.days * DAY + stamp.time
        if (access is not None and access.stamp is not None) or (
            stamp is not None and (stamp.zone is not None or told is None)
        ):
            raise Unlearnable("a stamp of its own")
        if told != local:
            raise Unlearnable("a stamp that the masker reads otherwise")
        message = message_of(line)
        try:
            matches = self._profiles.match(message.decode())
        except UnicodeDecodeError:
            raise Unlearnable("no UTF-8") from None
        return Seen(text, line, access, message, matches, dated=stamp is not None)

    def _local(self, text: bytes) -> int | None:
        """The time of the stamp that a text begins with, None where it begins with none."""
        self._masker.of(text)
        return self._masker.local if self._masker.dated else None

    def _lengths(self, template: Template, number: int) -> tuple[int, int]:
        """The fewest and most digits of a number with which the text is read the same way."""
        start, end = template.spans[number]
        written = template.seen.text[start:end]
        if template.is_stamp(number):
            return end, end
        whole, point, rest = written.partition(b".")
        if rest.count(b"."):
            return 0, 3  # an address, whose groups are tried as they are
        low = high = len(whole)
        most = MOST_WHOLE if point else MOST_DIGITS
        while high < most and self._holds(template, number, high + 1, point + rest):
            high += 1
        while low > 1 and self._holds(template, number, low - 1, point + rest):
            low -= 1
        return low, high

    def _holds(self, template: Template, number: int, length: int, rest: bytes) -> bool:
        return all(
            self._is_alike(template, {number: digit * length + rest}) for digit in (b"1", b"9")
        )

    def _is_alike(self, template: Template, numbers: dict[int, bytes]) -> bool:
        try:
            return self._alike(template, self._seen(_with(template, numbers)))
        except Unlearnable:
            return False

    def _variants(self, template: Template) -> Iterator[bytes]:
        """The text with other numbers."""
        chance = random.Random(7)
        count = len(template.spans)
        for number in range(count):
            for written in self._others(template, number, chance):
                yield _with(template, {number: written})
        for length in (1, 2, 3, 4, 6):
            yield _with(
                template, {k: self._number(template, k, length, chance) for k in range(count)}
            )
        for first in (2, 4):
            yield _with(
                template,
                {k: self._number(template, k, 2 if k else first, chance) for k in range(count)},
            )
        for _ in range(6):
            lengths = [chance.randint(*limit) for limit in template.limits]
            yield _with(
                template,
                {k: self._number(template, k, n, chance) for k, n in enumerate(lengths)},
            )

    def _others(self, template: Template, number: int, chance: random.Random) -> Iterator[bytes]:
        start, end = template.spans[number]
        if template.is_stamp(number):
            yield from (_stamp(template.seen.text[:end], at, chance) for at in _MOMENTS)
            return
        _, point, rest = template.seen.text[start:end].partition(b".")
        if rest.count(b"."):
            yield from (b"0.0.0.0", b"127.0.0.1", b"255.255.255.255", b"1.22.3.44", b"10.3.0.107")
            return
        low, high = template.limits[number]
        fractions = {rest, b"0" * len(rest), b"9" * len(rest), b"5" * len(rest)}
        for length in range(low, high + 1):
            for digit in b"0123456789":
                yield bytes([digit]) + _digits(length - 1, chance) + point + rest
        for special in self._special:
            if low <= len(special) <= high:
                for fraction in fractions if point else {b""}:
                    yield special + point + fraction

    def _number(self, template: Template, number: int, length: int, chance: random.Random) -> bytes:
        start, end = template.spans[number]
        if template.is_stamp(number):
            return _stamp(template.seen.text[:end], chance.choice(_MOMENTS), chance)
        _, point, rest = template.seen.text[start:end].partition(b".")
        if rest.count(b"."):
            return b".".join(_digits(1 + length % 3, chance) for _ in range(4))
        low, high = template.limits[number]
        length = min(max(length, low), high)
        return _digits(length, chance) + point + _digits(len(rest), chance)

    def _alike(self, template: Template, other: Seen) -> bool:
        """Whether the general path sees the same in another text of the mask, but for numbers."""
        seen = template.seen
        spans = self._numbers(other.text)
        if len(spans) != len(template.spans):
            return False
        if seen.line.is_blank != other.line.is_blank or is_socket(seen.message) != is_socket(
            other.message
        ):
            return False
        if level_of(seen.line) != level_of(other.line) or len(seen.matches) != len(other.matches):
            return False
        try:
            return (
                _header(template.spans, seen.line.header) == _header(spans, other.line.header)
                and _access(seen.access) == _access(other.access)
                and all(
                    a.rule is b.rule
                    and _places(template.spans, a, seen.at) == _places(spans, b, other.at)
                    for a, b in zip(seen.matches, other.matches, strict=True)
                )
            )
        except Unlearnable:
            return False

    def _spans_of(
        self, template: Template, others: list[Seen], part: Callable[[Access], Any]
    ) -> dict[str, Any]:
        """Where an access line's fields stand in it, or what they always are.

        :raises Unlearnable: of a field that is neither.
        """
        found: dict[str, Any] = {}
        assert template.seen.access is not None
        maskings = [self._numbers(other.text) for other in others]
        for key, value in part(template.seen.access).items():
            values = [part(other.access)[key] for other in others if other.access is not None]
            if all(v == value for v in values):
                found[key] = value
                continue
            found[key] = _stretch(template, value, list(zip(others, maskings, values, strict=True)))
        return found


def _stretch(
    template: Template, value: str, others: list[tuple[Seen, list[tuple[int, int]], str]]
) -> tuple[Edge, Edge]:
    text, wanted = template.seen.text, value.encode()
    at = text.find(wanted)
    while at >= 0:
        try:
            edges = template.edge(at), template.edge(at + len(wanted))
        except Unlearnable:
            edges = None
        if edges is not None and all(
            seen.text[_place(spans, edges[0]) : _place(spans, edges[1])] == v.encode()
            for seen, spans, v in others
        ):
            return edges
        at = text.find(wanted, at + 1)
    raise Unlearnable("a field that is no stretch of the line")


def _place(spans: list[tuple[int, int]], edge: Edge) -> int:
    return (spans[edge[0]][1] if edge[0] >= 0 else 0) + edge[1]


def _header(spans: list[tuple[int, int]], header: Header | None) -> object:
    if header is None:
        return None
    return header.level, _edge(spans, header.message), header.logger


def _access(access: Access | None) -> object:
    if access is None:
        return None
    return (
        access.server, access.method, access.path, access.status,
        tuple(access.columns), tuple(access.more),
    )  # fmt: skip


def _places(spans: list[tuple[int, int]], match: Match, at: int) -> list[object]:
    places: list[object] = [_edge(spans, at + match.start)]
    for start, end in match.spans:
        if start < 0:
            places.append(None)
        else:
            places.append((_edge(spans, at + start), _edge(spans, at + end)))
    return places


def _with(template: Template, numbers: dict[int, bytes]) -> bytes:
    """The text with other numbers in these places."""
    parts, at = [], 0
    for number, (start, end) in enumerate(template.spans):
        parts += [template.seen.text[at:start], numbers.get(number, template.seen.text[start:end])]
        at = end
    return b"".join([*parts, template.seen.text[at:]])


def _stamp(like: bytes, at: bytes, chance: random.Random) -> bytes:
    """A stamp as another one is written, at a moment."""
    fraction = like[20:]
    tail = like[19:20] + _digits(len(fraction), chance) if fraction else b""
    return at[:10] + like[10:11] + at[11:] + tail


def _digits(count: int, chance: random.Random) -> bytes:
    return bytes(chance.choice(b"0123456789") for _ in range(count))
