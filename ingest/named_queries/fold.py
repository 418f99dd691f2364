"""A statement with literals in place of its parameters, without the conditions that say nothing.

For people to read and paste; the answer stays the same.
"""

import re
from collections.abc import Iterator

from ingest.lazily import matcher

_QUOTED = matcher(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*")
_GIVEN = r"cast\((?:null|'(?:[^']|'')*'|[-\w.]+) as [\w ]+\)"
# (:x is null or …), and the same the other way round
_OPTIONAL = matcher(rf"\(\s*(?P<value>{_GIVEN}) is null\s+or\s+")
_AN_END = matcher(r"coalesce\((?P<value>cast\((?P<literal>null|'[^']*') as timestamptz\)),\s*"
                     r"(?P<end>timestamptz '-?infinity')\)")  # fmt: skip
# columns of instants that are never null
_ENDLESS = matcher(
    r"(?:\w+\.)?(?:logged_at|occurred_at|sampled_at)\s*"
    r"(?:>= timestamptz '-infinity'|< timestamptz 'infinity')"
)
_TRUE = "true"
_ENDS = ("'infinity'", "'-infinity'")
_ASIDE = matcher(r"'\0(\d+)'")
_SIMPLER = (
    (matcher(rf"\bwhere {_TRUE}\s+and\b"), "where"),
    (matcher(rf"\s+and {_TRUE}(?=\s|\))"), ""),
    (matcher(rf"\s+where {_TRUE}(?=\s|\)|$)"), ""),
    (matcher(r"\s+limit cast\(null as bigint\)"), ""),
)


def folded(sql: str) -> str:
    """The statement, in which ``(null is null or …)`` is gone, ``('a' is null or x = 'a')`` is
    ``x = 'a'``, and a window without an end is no condition.
    """
    literals: list[str] = []

    def aside(match: re.Match[str]) -> str:
        """A literal's number: what it says is no part of the statement."""
        if match[0][0] != "'" or match[0] in _ENDS:
            return match[0]
        literals.append(match[0])
        return f"'\0{len(literals) - 1}'"

    sql = _without_optional(_QUOTED.sub(aside, sql))
    sql = _AN_END.sub(lambda m: m["end"] if m["literal"] == "null" else m["value"], sql)
    sql = _ENDLESS.sub(_TRUE, sql)
    for pattern, text in _SIMPLER:
        while (simpler := pattern.sub(text, sql)) != sql:
            sql = simpler
    return _ASIDE.sub(lambda m: literals[int(m[1])], sql)


def _without_optional(sql: str) -> str:
    """Conditions that hold where nothing is given: gone where nothing is, else only what they
    ask.
    """
    start = 0
    while match := _OPTIONAL.search(sql, start):
        end = _closing(sql, match.start())
        rest = sql[match.end() : end]
        if match["value"].startswith("cast(null "):
            text = _TRUE
        elif _is_one_condition(rest):
            text = rest.strip()
        else:
            start = match.end()
            continue
        sql = sql[: match.start()] + text + sql[end + 1 :]
        start = match.start()
    return sql


def _closing(sql: str, opening: int) -> int:
    """The place of the parenthesis that closes the one at ``opening``."""
    depth = 0
    for place in _outside_quotes(sql, opening):
        depth += {"(": 1, ")": -1}.get(sql[place], 0)
        if depth == 0:
            return place
    return len(sql) - 1


def _outside_quotes(sql: str, start: int) -> Iterator[int]:
    place = start
    while place < len(sql):
        quoted = _QUOTED.match(sql, place)
        if quoted:
            place = quoted.end()
            continue
        yield place
        place += 1


def _is_one_condition(text: str) -> bool:
    """Whether it needs no parentheses of its own."""
    depth, bare = 0, []
    for place in _outside_quotes(text, 0):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            bare.append(text[place])
    return not re.search(r"\b(?:or|and)\b", "".join(bare))
