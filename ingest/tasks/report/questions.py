"""The questions that a report asks of a window, section by section, and their answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from ingest.named_queries.help import shown_sql
from ingest.named_queries.library import NamedQuery
from ingest.named_queries.values import bind_values
from ingest.stores.contract import QueryResult, Reader

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "failures": (
        "failure_rate_over_time",
        "error_codes",
        "failure_by_length",
        "failure_by_cause",
        "unfinished_requests",
    ),
    "time": ("latency_over_time", "stage_breakdown", "slow_requests", "rtf_over_time"),
    "errors": ("error_groups", "warning_precursors"),
    "cache": ("cache_usage", "cache_full_forecast"),
    "http": ("silent_failures", "http_errors", "http_latency_over_time"),
    "hosts": ("hosts", "voices"),
}
_ROWS = "25"  # rows of a table
_BUCKETS = 96  # points of a line over the window
_WIDTHS = (60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 86400)  # seconds


@dataclass(frozen=True, slots=True)
class Answer:
    """One question's rows, with the SQL that gave them, its values written in."""

    query: NamedQuery
    result: QueryResult
    sql: str


def bucket_seconds(since: datetime, until: datetime) -> int:
    """The least usual width of a bucket that cuts a window into at most 96."""
    wanted = (until - since) / timedelta(seconds=1) / _BUCKETS
    return next((w for w in _WIDTHS if w >= wanted), 86400 * max(1, round(wanted / 86400)))


def ask(
    reader: Reader, query: NamedQuery, since: datetime, until: datetime, tz: tzinfo
) -> Answer | None:
    """The answer to one question about a window; None where it has no rows.

    :raises StoreError: when the store fails.
    """
    wanted = {
        "since": since.isoformat(),
        "until": (until + timedelta(seconds=1)).isoformat(),
        "bucket": str(bucket_seconds(since, until)),
        "limit": _ROWS,
    }
    given = {name: text for name, text in wanted.items() if query.param(name) is not None}
    values = bind_values(query, given, until, tz, until)
    result = reader.query(query.sql, values)
    if not result.rows:
        return None
    return Answer(query, result, shown_sql(query, values, literals=True))


def ask_all(
    reader: Reader,
    library: Mapping[str, NamedQuery],
    since: datetime,
    until: datetime,
    tz: tzinfo,
) -> dict[str, Sequence[Answer]]:
    """The answers of each section, in order; a section without any is left out.

    :raises StoreError: when the store fails.
    """
    found: dict[str, Sequence[Answer]] = {}
    for section, names in SECTIONS.items():
        answers = []
        for name in names:
            query = library.get(name)
            if query is None:
                continue
            answer = ask(reader, query, since, until, tz)
            if answer is not None:
                answers.append(answer)
        if answers:
            found[section] = answers
    return found
