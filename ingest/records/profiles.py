"""Profiles: what engines print, as data, and the one pass that says which rules may take a line
(pure).

A profile's TOML is read by profile_file.py. Here are the profiles together: every pattern of every
profile stands in one RE2 set, so a line costs one pass however many rules there are.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from re2 import _re2

from ingest.errors import ProfileError
from ingest.lazily import matcher
from ingest.records import structured_words as words
from ingest.records.levels import LEVELS
from ingest.records.profile_rules import (
    OUTER_CLOSES,
    OUTER_FAILS,
    OUTER_OPENS,
    Anchor,
    Rule,
    compiled,
    options,
)
from ingest.records.rule_steps import RuleSteps

LOGGER = r"[a-z_]\w{0,40}(?:\.[A-Za-z_]\w{0,40}){1,8}(?::\d+)? "  # no sign behind it
_LOGGER = matcher(LOGGER.encode())
_SEPARATORS = matcher(rb"\] |: | - | \| ")
_NAME = matcher(rb"[\w.\-/<>()\[\]#:@+]+\Z")
_MARKS = matcher(
    rb"[\d._\-/<>()\[\]#@]|[a-z][A-Z]|[\w)]:\w"
)  # of a logger, a place, a thread, a tag
_NAMES_OF_PARTS = frozenset(
    word.encode() for word in (words.SPEECH | words.UNITS | words.RUNNERS | {"main", "root"})
) | {level.lower() for level in LEVELS}
_WORDS_OF_USERS = matcher(
    rb"(?i)(?:text|input|prompt|query|content|msg|message|body|said|says|quote|title|subject|comment|"
    rb"todo|fixme|note|notes|hint|tip|example|reminder)\Z"
)
FIRST_PART = 160  # bytes of a message in which a relay's own prefix may stand
MOST_PREFIXES = 6
MOST_TRIED = 16 << 10  # bytes of a message that the rules see; a longer one has its head tried
REMEMBERED, MOST_REMEMBERED = 8192, 120  # messages whose rules are remembered, and their longest


@dataclass(frozen=True, slots=True)
class Code:
    """A row of the table of codes: what a message holds, and the code that says so."""

    code: str
    pattern: str
    level: str = ""


@dataclass(frozen=True)
class Profile:
    """One engine: its rules, and what is true of all its requests.

    ``workers``: ``one`` where a next opening line ends the request before. ``access``: whether the
    access line comes ``before`` or ``after`` the block that it answers, ``either``, or tells
    nothing (``none``).
    """

    name: str
    summary: str
    origin: str
    rules: tuple[Rule, ...]
    services: tuple[str, ...] = ()
    stage_time: str = "own"
    workers: str = "many"
    access: str = "after"
    access_closes: bool = False
    bars: str = ""
    paths: tuple[str, ...] = ()
    fail_statuses: tuple[int, ...] = ()
    codes: tuple[Code, ...] = ()
    samples: tuple["Sample", ...] = ()
    digest: str = ""

    @cached_property
    def closes(self) -> bool:
        """Whether it prints a line that ends a request."""
        return any(rule.does in ("closes", "outer closes") for rule in self.rules)

    @cached_property
    def has_ids(self) -> bool:
        """Whether its requests carry ids of their own."""
        return any(rule.has_id for rule in self.rules)

    @cached_property
    def rule_named(self) -> dict[str, Rule]:
        """Its rules by their names."""
        return {rule.name: rule for rule in self.rules}


@dataclass(frozen=True, slots=True)
class Sample:
    """Lines, and the rows expected of them."""

    line_number: int
    lines: tuple[str, ...]
    requests: tuple[dict[str, Any], ...] = ()
    errors: tuple[dict[str, Any], ...] = ()
    unclaimed: int = 0


@dataclass(slots=True)
class Match:
    """A rule that takes a message from ``start`` on (bytes), and the spans of its groups."""

    rule: Rule
    start: int
    data: bytes
    spans: list[tuple[int, int]]

    @property
    def tag(self) -> str:
        """What stands before the rule's words, where a number in it may tell requests apart."""
        before = self.data[: self.start]
        return before.decode("utf-8", "replace") if any(48 <= c < 58 for c in before) else ""

    def values(self) -> dict[str, str | int | float | bool]:
        """The columns that the line fills."""
        return self.rule.values(self.data, self.spans)


@dataclass(frozen=True)
class Profiles:
    """All profiles; made by ``together``. Their patterns are compiled when a line first asks."""

    profiles: tuple[Profile, ...]
    rules: tuple[Rule, ...]
    by_name: dict[str, Profile]
    digests: dict[str, str]
    _seen: dict[str, list[Match]] = field(default_factory=dict, repr=False)
    _regexes: dict[int, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def _set(self) -> Any:
        patterns = _re2.Set(Anchor.ANCHOR_START, options())
        for rule in self.rules:
            patterns.Add(rule.pattern.encode())
        patterns.Compile()
        return patterns

    @cached_property
    def read_by_steps(self) -> RuleSteps:
        """The rules as states and steps."""
        return RuleSteps(self.rules, LOGGER)

    @cached_property
    def _codes(self) -> tuple[tuple[Any, str], ...]:
        codes = (code for profile in self.profiles for code in profile.codes)
        return tuple((compiled(code.pattern), code.code) for code in codes)

    @cached_property
    def _paths(self) -> Any:
        globs = sorted({path for profile in self.profiles for path in profile.paths})
        paths = "|".join(re.escape(path).replace(r"\*", ".*") for path in globs)
        return compiled(paths or r"[^\s\S]")

    @cached_property
    def closed_outers(self) -> frozenset[str]:
        """Names of the wrappers' opening rules that have closing lines of their own."""
        return frozenset(rule.name for rule in self.rules if rule.closed_by)

    def pinned(self, name: str | None) -> "Profiles":
        """Only the profile of a name, and the codes that all share; None: all.

        :raises ProfileError: where there is no such profile.
        """
        if name is None:
            return self
        if name not in self.by_name:
            raise ProfileError(f"there is no profile {name[:60]!r}", "ttsq profiles lists them")
        return together(
            [self.by_name[name], *([self.by_name["codes"]] if "codes" in self.by_name else [])]
        )

    def match(self, message: str) -> list[Match]:
        """Rules that take a message, in the order to be tried: at its beginning first, then behind
        each prefix.

        Linear in the message; about two microseconds where no rule fits, less where the same short
        message has been seen before: an engine says few different things.
        """
        if len(message) > MOST_REMEMBERED:
            return self._match(message)
        found = self._seen.get(message)
        if found is None:
            if len(self._seen) >= REMEMBERED:
                self._seen.clear()
            found = self._seen[message] = self._match(message)
        return found

    def prints_text_at(self, message: bytes, at: int) -> bool:
        """Whether a rule takes a message as one that prints a text, and a place is inside it."""
        return any(
            match.spans[column.group][0] <= at < match.spans[column.group][1]
            for match in self.match(message.decode("utf-8", "replace"))
            for column in match.rule.columns
            if column.name == "text"
        )

    def _match(self, message: str) -> list[Match]:
        data = message.encode("utf-8", "replace")[:MOST_TRIED]
        found = self._at(data, 0)
        if found:
            return found
        named = _LOGGER.match(data)
        if named is not None:
            found = self._at(data, named.end())
            if found:
                return found
        for start in behind_prefixes(data[:FIRST_PART].partition(b"=")[0]):
            found = self._at(data, start)
            if found and not _is_prefix(data[:start]):
                found = [match for match in found if not _is_in_plain_words(match.rule)]
            if found:
                return found
        return []

    def _at(self, data: bytes, start: int) -> list[Match]:
        """Rules that take what begins at a place."""
        candidates = self._set.Match(data[start:] if start else data)
        if not candidates:
            return []
        found = []
        for index in sorted(candidates):
            rule = self.rules[index]
            if start and rule.bare:
                continue
            regex = self._regexes.get(index)
            if regex is None:
                regex = self._regexes[index] = compiled(rule.pattern)
            spans = regex.Match(Anchor.ANCHOR_START, data, start, len(data))
            if spans[0][0] >= 0:
                found.append(Match(rule, start, data, spans))
        return found

    def code_of(self, text: str) -> str | None:
        """The code of an error's message or exception, by the tables of all profiles."""
        data = text[:MOST_TRIED].encode("utf-8", "replace")
        for regex, code in self._codes:
            if regex.Match(Anchor.UNANCHORED, data, 0, len(data))[0][0] >= 0:
                return code
        return None

    def is_synthesis(self, path: str) -> bool:
        """Whether a path (without its query) is one that some profile names for synthesis."""
        data = path.encode("utf-8", "replace")
        return bool(self._paths.Match(Anchor.ANCHOR_BOTH, data, 0, len(data))[0][0] >= 0)


@lru_cache(maxsize=REMEMBERED)
def behind_prefixes(head: bytes) -> tuple[int, ...]:
    """Places after a relay's prefix: each separator that no user's text precedes. ``head`` is what
    stands before a message's first equals sign, behind which is none of these.
    """
    places: list[int] = []
    for separator in _SEPARATORS.finditer(head):
        before = head[: separator.start()]
        if len(places) == MOST_PREFIXES or b'"' in before or b"'" in before:
            break
        if separator[0] == b": ":
            name = _NAME.search(before)
            if name is None or _WORDS_OF_USERS.search(name[0]):
                break
        places.append(separator.end())
    return tuple(places)


def is_of_users(logger: str) -> bool:
    """Whether what seems to be a logger's name is a word before a text: ``[INFO] todo: text``."""
    return _WORDS_OF_USERS.match(logger.encode("utf-8", "replace")) is not None


def _is_in_plain_words(rule: Rule) -> bool:
    """Whether a rule's line is one of a service's own, in words that anybody may write."""
    return rule.alone or rule.does in (OUTER_OPENS, OUTER_CLOSES, OUTER_FAILS)


def _is_prefix(before: bytes) -> bool:
    """Whether all words of a prefix behind which a separator stands are names, levels or tags, or
    say what handles requests: none is a word of a sentence.
    """
    if before.endswith((b"] ", b" | ")):
        return True
    return all(
        _MARKS.search(word) or word.strip(b":").lower() in _NAMES_OF_PARTS
        for word in before.split()
        if word != b"-"
    )


def together(profiles: Iterable[Profile]) -> Profiles:
    """Profiles as one; of two with the same name the later counts."""
    by_name = {profile.name: profile for profile in profiles}
    chosen = tuple(by_name.values())
    rules = tuple(rule for profile in chosen for rule in profile.rules)
    digests = {profile.name: profile.digest for profile in chosen}
    return Profiles(chosen, rules, by_name, digests)


def digest(text: str) -> str:
    """What a profile's rules are recognised by: 16 hexadecimal digits of the file's text."""
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()
