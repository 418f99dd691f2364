"""What a log holds + what each named query needs → which of them it can answer."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ingest.lazily import matcher
from ingest.named_queries.golden import BY_NAME, logging_lines
from ingest.named_queries.library import NO_NEEDS, NamedQuery
from ingest.rows.described import TABLES
from ingest.tasks.check.fields import FieldCount

YES, PART, NO = "yes", "in part", "no"
_TABLE = matcher(
    rf"\b(?:from|join)\s+({'|'.join(t.name for t in TABLES if t.kind in ('rows', 'records'))})\b"
)
_NOISE = matcher(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_WORD = matcher(r"(?<![:\w])[a-z_]+\b")
# Columns that a field fills, by table; None: every row of the table is of the field.
_COLUMNS: Mapping[str, Mapping[str, str] | str] = {
    # text is also the name of a type, and no query shows the texts themselves
    "requests": {name: name for name in BY_NAME if name != "text"} | {"text_class": "text"},
    "errors": {"code": "warning_code", "id": "id", "request_id": "request_id"},
    "stage_timings": "stage_times",
    "cache_samples": "cache_health",
    "http_requests": {},
}


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a query can be answered (:data:`YES`, :data:`PART`, :data:`NO`); lacking fields."""

    query: str
    question: str
    answer: str
    lacks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Addition:
    """An addition to the service's logging: the record, its fields, the lines of Python."""

    event: str
    fields: tuple[str, ...]
    lines: tuple[str, ...]


def uses(query: NamedQuery) -> set[str]:
    """Golden fields that the statement reads: those of its tables' columns that it names."""
    if query.needs == NO_NEEDS:
        return set()
    sql = _NOISE.sub(" ", query.sql).lower()
    words = set(_WORD.findall(sql))
    found = set(query.needs)
    for table in set(_TABLE.findall(sql)):
        columns = _COLUMNS[table]
        if isinstance(columns, str):
            found.add(columns)
        else:
            found |= {field for column, field in columns.items() if column in words}
    return found


def is_absent(count: FieldCount, counts: Mapping[str, FieldCount]) -> bool:
    """Whether the log has nothing of a field: no record has it, nor the ones it would be counted
    among.

    Without any failure an error code is not missed, unless failures cannot be told because the
    status is not logged.
    """
    if count.present:
        return False
    if count.among:
        return True
    base = BY_NAME[count.name].base
    if base in ("requests", "ends"):
        return True
    if base == "warnings":
        return False
    return not counts["status"].present and not counts["error_code"].present


def gaps(fields: Iterable[FieldCount]) -> list[FieldCount]:
    """Fields that are absent, or that fewer have than ought to."""
    counts = {c.name: c for c in fields}
    return [c for c in counts.values() if is_gap(c, counts)]


def is_gap(count: FieldCount, counts: Mapping[str, FieldCount]) -> bool:
    """Whether a field is absent, or in a smaller share of the records than its least."""
    if is_absent(count, counts):
        return True
    return count.share is not None and count.share < BY_NAME[count.name].least


def answers(queries: Iterable[NamedQuery], fields: Iterable[FieldCount]) -> list[Answer]:
    """Of each query, whether a log with these fields can answer it."""
    counts = {c.name: c for c in fields}
    missing = {c.name for c in gaps(counts.values())}
    absent = {c.name for c in counts.values() if is_absent(c, counts)}
    found = []
    for query in queries:
        needed = [n for n in query.needs if n in absent]
        lacks = needed or [name for name in counts if name in uses(query) & missing]
        kind = NO if needed else PART if lacks else YES
        found.append(Answer(query.name, query.question, kind, tuple(lacks)))
    return found


def additions(fields: Iterable[FieldCount]) -> list[Addition]:
    """What to add to the logging for every gap; one addition a record."""
    by_event: dict[str, list[str]] = {}
    for count in gaps(fields):
        by_event.setdefault(BY_NAME[count.name].event, []).append(count.name)
    return [Addition(e, tuple(n), tuple(logging_lines(e, n))) for e, n in by_event.items()]
