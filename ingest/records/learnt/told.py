"""Lines of texts that come once, and access lines of which no mask is made: each is read by the
general path; what follows from it is learnt (pure).

Two lines are of one kind where the general path sees the same header, the same rules, and values of
the same columns in them. What a text holds cannot change that unseen, since each is looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from ingest.compiled.layout import L_WARNING
from ingest.compiled.line_values import MOST_VALUES
from ingest.records import profile_rules as does
from ingest.records.access import Access
from ingest.records.gather import level_of
from ingest.records.learnt import symbols
from ingest.records.learnt.templates import Seen
from ingest.records.profile_rules import Value
from ingest.records.profiles import Match, Profiles
from ingest.records.written import written

Kind = tuple[Any, ...]
Fields = dict[str, str | symbols.Slot]
# what lines do that may be told: others are about the words of their message, too
_TELLING = frozenset((does.OPENS, does.ADDS, does.CLOSES, does.WHOLE, does.FOLLOWS, does.NOISE,
                      does.OUTER_OPENS, does.OUTER_CLOSES))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """What the general path sees in a line: the kind, and the values as they are written, in the
    order of rules and their columns. ``comes_once``: it may hold a text.
    """

    kind: Kind
    values: list[bytes]
    comes_once: bool

    @property
    def laid_out(self) -> tuple[bytes, list[int]]:
        """The values behind each other, each before a newline, and where they end."""
        ends = accumulate(len(value) + 1 for value in self.values)
        return b"\n".join([*self.values, b""]), [end - 1 for end in ends]


def told(seen: Seen, profiles: Profiles) -> Told | None:
    """What is told of a line; None of one of which more than its values counts."""
    if seen.line.is_blank or level_of(seen.line) >= L_WARNING:
        return None
    header = seen.line.header if seen.matches else None  # of no account where nothing claims it
    values: list[str] = []
    rules: list[Any] = []
    has_text = False
    for match in seen.matches:
        if match.rule.does not in _TELLING or match.tag or _goes_on(match, profiles):
            return None
        columns = []
        for name, value in match.values().items():
            columns.append((name, _kind_of(value)))
            has_text = has_text or isinstance(value, str)
            if not _is_constant(value):
                values.append(value if isinstance(value, str) else written(value))
        rules.append((match.rule.profile, match.rule.name, *columns))
    named = None if header is None else (header.level, header.logger)
    return _told((seen.dated, named, *rules), values, comes_once=has_text or not rules)


def told_access(seen: Seen, kind_of_path: Callable[[str], int]) -> Told | None:
    """What is told of an access line, of whose path the kind is asked for."""
    access, header = seen.access, seen.line.header
    is_behind = seen.line.access is None  # a header, or a logger's, with a level of its own
    if (
        access is None
        or not access.path
        or "?" in access.path
        or (is_behind and level_of(seen.line) >= L_WARNING)
    ):
        return None
    named = None if header is None else (header.level, header.logger)
    fields = [*access.columns.items(), *access.more.items()]
    kind = (
        named, seen.dated, seen.stamp is not None and seen.stamp.zone is not None,
        access.server, access.is_sure, access.method, access.status, kind_of_path(access.path),
        len(access.columns), *((name, bool(value)) for name, value in fields),
    )  # fmt: skip
    values = [access.path, *(value for _, value in fields if value)]
    return _told(kind, values, comes_once=True)


def _told(kind: Kind, values: list[str], *, comes_once: bool) -> Told | None:
    try:
        written_ = [value.encode() for value in values]
    except UnicodeEncodeError:  # half a character, which is written as another one
        return None
    return Told(kind, written_, comes_once) if len(values) <= MOST_VALUES else None


def _goes_on(match: Match, profiles: Profiles) -> bool:
    """Whether a further message stands behind what a rule takes."""
    rest = match.data[match.spans[0][1] :]
    return bool(rest.strip()) and any(
        further.start == 0 for further in profiles.match(rest.decode("utf-8", "replace"))
    )


def _is_constant(value: Value) -> bool:
    return isinstance(value, bool) or value == ""


def _kind_of(value: Value) -> object:
    return value if _is_constant(value) else isinstance(value, str)


def given_access(access: Access) -> tuple[Fields, Fields]:
    """An access line's columns, and what else it says, with slots in place of what is told behind
    its path.
    """
    number, found = 1, []
    for fields in (access.columns, access.more):
        slots: Fields = {}
        for name, value in fields.items():
            slots[name] = ("told", number) if value else ""
            number += bool(value)
        found.append(slots)
    return found[0], found[1]


def given(seen: Seen) -> list[dict[str, Value]]:
    """The values of a line's matches, with symbols in place of those that are told."""
    found, number = [], 0
    for match in seen.matches:
        columns: dict[str, Value] = {}
        for name, value in match.values().items():
            if _is_constant(value):
                columns[name] = value
                continue
            slot = ("told", number)
            is_text = isinstance(value, str)
            columns[name] = symbols.text(slot, is_solid=True) if is_text else symbols.number(slot)
            number += 1
        found.append(columns)
    return found
