"""A line's text → what every text of its mask is to the general path, or that there is no such
thing (pure).

The text is read with other numbers in it, one place at a time and all together: of all lengths, of
all first digits, and those that patterns name. A template holds only where all of them are read the
same way; of a number that may not have every length, the lengths around the text's own count.
Words, paths, ids and addresses of a line with a request are tried likewise.
"""

import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ingest.compiled import line_values, masks
from ingest.compiled.layout import L_WARNING
from ingest.compiled.masks import Masker
from ingest.records.access import Access, is_socket
from ingest.records.claims import words_of
from ingest.records.collectors import is_ordinal
from ingest.records.dumps import dump_of
from ingest.records.envelopes import unwrap
from ingest.records.event_names import names_event
from ingest.records.gather import leaves_open, level_of, message_of
from ingest.records.learnt.others import digits, other_stamp, others_of
from ingest.records.learnt.symbols import Slot, Unlearnable
from ingest.records.levels import Header
from ingest.records.logical import TRACEBACK, Logical, Reader, access_in
from ingest.records.moments import DAY, SECOND, Stamp
from ingest.records.profile_rules import Value
from ingest.records.profiles import Match, Profiles
from ingest.records.vocabulary import PUBLIC_EVENTS
from ingest.records.wrapped import Wrapped

Edge = tuple[int, int]  # so many bytes behind the end of a number (-1: the text's beginning)
MOST_DIGITS, MOST_WHOLE = 15, 9  # of a whole number, of one with a fraction before its point
_EVENTS = tuple(event.encode() for event in PUBLIC_EVENTS)
_LEFT_ALONE = (TRACEBACK, b'text="')
# numbers by which the general path tells what a line is
_KNOWN = (b"015", b"033", b"0", b"00", b"1", b"100", b"137", b"200", b"302", b"404", b"499", b"500",
          b"503", b"1970", b"2026", b"20260302", b"260302")  # fmt: skip


@dataclass(slots=True)
class Seen:
    """What the general path sees in a text: the line, and the rules that may take its message,
    unless it is an access line; ``dated``: it has a stamp of its own, which may be ``stamp``.
    """

    text: bytes
    line: Logical
    access: Access | None
    message: bytes
    matches: list[Match]
    dated: bool = False
    stamp: Stamp | None = None

    @property
    def is_free(self) -> bool:
        """Whether nothing claims the text, whatever is open, and no line goes on with it."""
        return not (
            self.matches
            or self.dated
            or self.access is not None
            or self.line.is_blank
            or level_of(self.line) >= L_WARNING
        )

    @property
    def at(self) -> int:
        """Where the message begins in the text."""
        return self.line.header.message if self.line.header is not None else 0


@dataclass(slots=True)
class Template:
    """What texts of one mask are: that of ``seen``, with its parts' spans and marks, and how many
    digits each number may have before its point.

    ``path``, ``columns`` and ``more`` are an access line's: constants, or slots. ``given`` are the
    values of the matches where each line is read by the general path, ``code`` what the message of
    a warning tells.
    """

    seen: Seen
    spans: list[tuple[int, int]]
    limits: list[tuple[int, int]]
    marks: list[int] = field(default_factory=list)
    path: str | Slot = ""
    columns: dict[str, str | Slot] = field(default_factory=dict)
    more: dict[str, str | Slot] = field(default_factory=dict)
    given: list[dict[str, Value]] | None = None
    code: str | None = None

    @property
    def holds(self) -> bool:
        """Whether a line of its instance that follows may go on with it."""
        return self.seen.access is None and level_of(self.seen.line) >= L_WARNING

    @property
    def ends(self) -> bool:
        """Whether it goes on with no line before it, a warning without a traceback."""
        seen = self.seen
        return not seen.line.is_blank and (
            seen.line.begins or any(match.rule.profile != "ffmpeg" for match in seen.matches)
        )

    def edge(self, place: int) -> Edge:
        """Where a place of the text is in any text of the mask.

        :raises Unlearnable: inside a number.
        """
        return _edge(self.spans, place)

    def written(self, number: int) -> bytes:
        """A part as the text has it."""
        start, end = self.spans[number]
        return self.seen.text[start:end]

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

    def know(self, tell: Callable[[Masker], None]) -> None:
        """``tell`` knows what more a masker is to know."""
        tell(self._masker)

    def ask_of_paths(self, tell: Callable[[str], int]) -> None:
        """``tell`` knows the kinds of paths from now on."""
        self._masker.ask_of_paths(tell)

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
        spans, marks = masked[1], self._masker.marked()
        seen = self._seen(text)
        template = Template(seen, spans, [], marks, code=self._code(seen))
        if template.holds and masks.TEXT in marks:
            raise Unlearnable("a warning with a text, which may tell a code")
        for number in range(len(spans)):
            template.limits.append(self._lengths(template, number))
        others = [self._seen(other) for other in self._variants(template)
                  if self._mask(other) == masked[0]]  # fmt: skip
        for other in others:
            if not self._alike(template, other):
                raise Unlearnable("a number tells what the line is")
        if seen.access is not None:
            template.path = self._spans_of(template, others, lambda a: {"path": a.path})["path"]
            template.columns = self._spans_of(template, others, lambda a: a.columns)
            template.more = self._spans_of(template, others, lambda a: a.more)
        return template

    def _code(self, seen: Seen) -> str | None:
        """The code that the words of a warning tell."""
        if level_of(seen.line) < L_WARNING:
            return None
        return self._profiles.code_of(words_of(seen.message.decode()))

    def stamp_end(self, text: bytes) -> int:
        """Where the stamp ends that a text begins with, 0 without one."""
        self._masker.of(text)  # without a mask, too, it has read the stamp
        is_own = self._masker.dated and self._masker.marked()[0] == masks.STAMP
        return self._masker.taken()[1][0][1] if is_own else 0

    def _numbers(self, text: bytes) -> list[tuple[int, int]]:
        masked = self._masker.of(text)
        return [] if masked is None else masked[1]

    def _mask(self, text: bytes) -> bytes | None:
        masked = self._masker.of(text)
        return None if masked is None else masked[0]

    def _seen(self, text: bytes) -> Seen:
        """What the general path sees in a text of a template.

        :raises Unlearnable: where it is more than one plain line, or holds what begins others.
        """
        seen = self.read(text)
        if seen.line.json is not None or _told(seen.stamp) != self._told(text):
            raise Unlearnable("pairs, or a stamp that the masker reads otherwise")
        if seen.access is None and any(word in text for word in (*_LEFT_ALONE, *_EVENTS)):
            raise Unlearnable("a traceback, an event or a quoted text")
        return seen

    def read(self, text: bytes) -> Seen:
        """What the general path sees in a text; of JSON and pairs, only of access lines.

        :raises Unlearnable: where it is more than one plain line.
        """
        if unwrap(text).names or is_ordinal(text):
            raise Unlearnable("a further envelope")
        lines = list(self._reader.lines_of(0, len(text) + 1, len(text) + 1, Wrapped(text)))
        line = lines[0]
        if len(lines) != 1 or line.text != text or line.bar is not None or line.torn is not None:
            raise Unlearnable("not one plain line")
        if line.native is not None or line.begins_traceback:
            raise Unlearnable("a header of the format")
        if not line.begins and line.stamp is None and dump_of(text) is not None:
            raise Unlearnable("what begins a dump")
        if line.json is not None and line.access is None:
            raise Unlearnable("pairs")
        access = access_in(line)
        stamp = line.header.stamp if line.header is not None else None
        if stamp is None and access is not None:
            stamp = access.stamp
        if stamp is not None and stamp.days is None:
            raise Unlearnable("a stamp without a date")
        if access is None and _told(stamp) != self._told(text):
            raise Unlearnable("a stamp that the masker reads otherwise")
        message = message_of(line)
        try:
            decoded = message.decode()
        except UnicodeDecodeError:
            raise Unlearnable("no UTF-8") from None
        if access is None and (
            names_event(message)
            or message.startswith(TRACEBACK)
            or leaves_open(self._reader.native, line, message)
        ):
            raise Unlearnable("an event, a traceback or an open text")
        matches = self._profiles.match(decoded) if access is None else []
        return Seen(text, line, access, message, matches, stamp is not None, stamp)

    def _told(self, text: bytes) -> tuple[int, bool] | None:
        """The time of the stamp that a text has, and whether it has a zone; None without any."""
        masker = self._masker
        masker.of(text)
        if not masker.dated:
            return None
        return (masker.instant, True) if masker.zoned else (masker.local, False)

    def _lengths(self, template: Template, number: int) -> tuple[int, int]:
        """The fewest and most digits of a number with which the text is read the same way."""
        written, mark = template.written(number), template.marks[number]
        if mark == masks.STAMP:
            return len(written), len(written)
        if mark not in (masks.INT, masks.DECIMAL, masks.ADDRESS):
            return 0, 0
        whole, point, rest = written.partition(b".")
        if rest.count(b"."):
            return 0, 3  # an address, whose groups are tried as they are
        low = high = len(whole)
        most = MOST_WHOLE if point else MOST_DIGITS
        if template.seen.access is not None and all(
            self._holds(template, number, length, point + rest) for length in (1, most)
        ):
            return 1, most
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
        if template.seen.access is not None:
            yield from self._at_once(template, chance)
        else:
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

    def _at_once(self, template: Template, chance: random.Random) -> Iterator[bytes]:
        """An access line with all its parts changed: what each may be comes once at least."""
        mask = self._mask(template.seen.text)
        lists = []
        for number in range(len(template.spans)):
            others = self._others(template, number, chance)
            fitting = [o for o in others if self._mask(_with(template, {number: o})) == mask]
            chance.shuffle(fitting)
            lists.append(fitting or [template.written(number)])
        for k in range(max(map(len, lists), default=0)):
            yield _with(template, {n: each[k % len(each)] for n, each in enumerate(lists)})

    def _others(self, template: Template, number: int, chance: random.Random) -> Iterator[bytes]:
        written, mark = template.written(number), template.marks[number]
        if mark not in (masks.INT, masks.DECIMAL):
            yield from others_of(mark, written, chance)
            return
        _, point, rest = written.partition(b".")
        low, high = template.limits[number]
        fractions = [rest, b"0" * len(rest), b"9" * len(rest), b"5" * len(rest)]
        if template.seen.access is not None:  # no rule of a profile is asked
            for length in range(low, high + 1):
                yield b"019"[length % 3 :][:1] + digits(length - 1, chance) + point + rest
            for k, special in enumerate(_KNOWN):
                if low <= len(special) <= high:
                    yield special + point + fractions[k % 4]
            return
        for length in range(low, high + 1):
            for digit in b"0123456789":
                yield bytes([digit]) + digits(length - 1, chance) + point + rest
        for special in self._special:
            if low <= len(special) <= high:
                for fraction in set(fractions) if point else {b""}:
                    yield special + point + fraction

    def _number(self, template: Template, number: int, length: int, chance: random.Random) -> bytes:
        written, mark = template.written(number), template.marks[number]
        if mark in (masks.STAMP, masks.BOXED):
            return other_stamp(mark, written, chance)
        if mark not in (masks.INT, masks.DECIMAL, masks.ADDRESS):
            return chance.choice([*others_of(mark, written, chance), written])
        _, point, rest = written.partition(b".")
        if mark == masks.ADDRESS:
            return b".".join(digits(1 + length % 3, chance) for _ in range(4))
        low, high = template.limits[number]
        length = min(max(length, low), high)
        return digits(length, chance) + point + digits(len(rest), chance)

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
        if template.code != self._code(other):
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
            seen = list(zip(others, maskings, values, strict=True))
            found[key] = _stretch(template, value, seen) or _scaled(template, value, seen)
            if found[key] is None:
                raise Unlearnable("a field that is no stretch of the line")
        return found


_Fields = list[tuple[Seen, list[tuple[int, int]], str]]  # of other texts: parts, and a field


def _stretch(template: Template, value: str, others: _Fields) -> Slot | None:
    """The slot of a field that is a stretch of the line."""
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
            return ("text", *edges)
        at = text.find(wanted, at + 1)
    return None


def _scaled(template: Template, value: str, others: _Fields) -> Slot | None:
    """The slot of a field that is a number of the line in another unit."""
    for number, mark in enumerate(template.marks):
        for shift in (3, 0) if mark in (masks.INT, masks.DECIMAL) else ():
            if _moved(template.written(number), shift) == value and all(
                _moved(seen.text[slice(*spans[number])], shift) == v for seen, spans, v in others
            ):
                return ("number", number, shift, line_values.MILLI)
    return None


def _moved(written: bytes, shift: int) -> str:
    """A number whose point is moved, as access lines' durations are told."""
    return f"{round(float(written) * 10**shift, 3):.15g}"


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
        access.server, access.is_sure, access.method, access.status,
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


def _told(stamp: Stamp | None) -> tuple[int, bool] | None:
    """A stamp's instant, or its time in no known zone, and whether it has one."""
    if stamp is None or stamp.days is None:
        return None
    local = stamp.days * DAY + stamp.time
    return (local, False) if stamp.zone is None else (local - stamp.zone * 60 * SECOND, True)
