"""When an alarm cannot tell: what it looks at is not there, is old, or does not say enough.

That nothing was found is good news only where something was looked at (docs/alarms.md).
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ingest.errors import BlindAlarm
from ingest.lazily import matcher
from ingest.named_queries.filters import tables_read
from ingest.named_queries.library import NamedQuery
from ingest.rows.described import BY_NAME, TABLES, Described
from ingest.stores.contract import Reader
from ingest.stores.results import whole

_WITHOUT_SERVICE = ("stage_timings", "cache_samples")  # their host is all that they name
_OF_FILES = ("stage_timings",)  # whose host is that of their log file
# an hour without an error is no hour without data
_SAY_LITTLE = ("errors",)
_READ = tuple(t.name for t in TABLES if t.kind in ("rows", "records"))
_ENDS = matcher(r"\b(?:status|error_code|duration_ms|completed_at|rtf|model_stage)\b", re.I)
_STALE_SHARE = 2  # the newest record must be of the window's last half
_ENDED_SHARE = 2  # at least every second request must have a known end
_LEAST = 10  # requests; of fewer it says nothing that most are still under way
_YOUNG = timedelta(minutes=1)  # a request that began later may still be under way
_PROBLEM = (
    "select host, status, error from (select host, status, error, finished_at, "
    "row_number() over (partition by host order by run_key desc) as place from ingest_runs "
    "where status <> 'running') as ended "
    "where place = 1 and (error is not null or status = 'failed') order by host"
)


class Look(NamedTuple):
    """What an alarm looks at: ``tables``, of which it needs one with rows, in a window, of a host
    and a service.

    ``needs_ends``: it judges how requests ended. ``timed``: rows without a time of their own do not
    count.
    """

    tables: tuple[str, ...] = _READ
    since: datetime | None = None
    until: datetime | None = None
    host: str | None = None
    service: str | None = None
    needs_ends: bool = False
    timed: bool = True

    @classmethod
    def of_query(cls, query: NamedQuery, values: Mapping[str, object], end: datetime) -> "Look":
        """What a named query looks at with these values; ``end`` is now, or what stands for it."""
        tables = tuple(t for t in tables_read(query.sql) if t not in _SAY_LITTLE)
        since, until = values.get("since"), values.get("until")
        host, service = values.get("host"), values.get("service")
        return cls(
            tables=tables or _READ,
            since=since if isinstance(since, datetime) else None,
            until=until if isinstance(until, datetime) else end,
            host=host if isinstance(host, str) else None,
            service=service if isinstance(service, str) else None,
            needs_ends="requests" in tables and _ENDS.search(query.sql) is not None,
            timed=query.timed is not None,
        )


def why_blind(reader: Reader, look: Look) -> BlindAlarm | None:
    """Why an alarm that found nothing could not have found anything; None where it could."""
    try:
        _require_sight(reader, look)
    except BlindAlarm as problem:
        return problem
    return None


def _require_sight(reader: Reader, look: Look) -> None:
    if not reader.query("select 1 from log_files limit 1", {}).rows:
        raise _blind("nothing has been ingested yet", "ttsq ingest PATH")
    _require_run(reader, look)
    counted = [_counted(reader, BY_NAME[name], look) for name in look.tables]
    if not any(count for count, _ in counted):
        raise _blind(
            f"there are no {_nouns(look)} {_window(look)}",
            "ttsq status tells whether logs are read; --as-of data looks at the newest there is",
        )
    newest = max((at for _, at in counted if at is not None), default=None)
    if look.since and look.until and newest:
        missing = look.until - newest
        if missing * _STALE_SHARE > look.until - look.since:
            raise _blind(
                f"the newest of the {_nouns(look)} is of {_shown(newest)}, "
                f"{_long(missing)} before the end of the window",
                "is the service running, and its log ingested? ttsq status tells",
            )
    if look.needs_ends:
        _require_ends(reader, look)


def _require_run(reader: Reader, look: Look) -> None:
    for host, status, error in reader.query(_PROBLEM, {}).rows:
        if look.host is None or host is None or host == look.host:
            whose = f" of {host}" if host is not None else ""
            raise _blind(
                f"the last ingest{whose} {'failed' if status == 'failed' else 'read not all'}: "
                f"{error or 'it does not say why'}",
                "mend that, or leave the file out with --exclude; the next ingest that stores "
                "something ends this",
            )


def _counted(reader: Reader, table: Described, look: Look) -> tuple[int, datetime | None]:
    """Rows of a table in the window, and the newest since its beginning."""
    where, binds = _where(table, look)
    row = reader.query(
        f"select count(case when {table.at} < :until then 1 end), max({table.at}) "
        f"from {table.name} where {where}",
        binds,
    ).rows[0]
    return whole(row[0]), row[1] if isinstance(row[1], datetime) else None


def _require_ends(reader: Reader, look: Look) -> None:
    where, binds = _where(BY_NAME["requests"], look)
    row = reader.query(
        "select count(*), count(completed_at) from requests "
        f"where {where} and logged_at < :until and started_at is not null",
        binds | {"until": (look.until or datetime.now(UTC)) - _YOUNG},
    ).rows[0]
    requests, ended = whole(row[0]), whole(row[1])
    if requests >= _LEAST and ended * _ENDED_SHARE < requests:
        raise _blind(
            f"of {requests:,} requests {_window(look)} only {ended:,} have a known end",
            "ttsq run unfinished_requests shows the others; is the log that has their ends "
            "ingested?",
        )


def _where(table: Described, look: Look) -> tuple[str, dict[str, object]]:
    binds: dict[str, object] = {
        "since": look.since or datetime(1, 1, 3, tzinfo=UTC),
        "until": look.until or datetime(9999, 12, 30, tzinfo=UTC),
    }
    where = f"{table.at} >= :since"
    if look.host is not None:
        of_host = "host = :host"
        if table.name in _OF_FILES:
            of_host = f"file_key in (select file_key from log_files where {of_host})"
        where, binds = f"{where} and {of_host}", binds | {"host": look.host}
    if look.service is not None and table.name not in _WITHOUT_SERVICE:
        where, binds = f"{where} and service = :service", binds | {"service": look.service}
    if look.timed and table.has_time_source:
        where += " and time_source <> 'file'"
    return where, binds


def _blind(reason: str, hint: str) -> BlindAlarm:
    return BlindAlarm(f"the alarm cannot tell: {reason}", hint)


def _nouns(look: Look) -> str:
    if look.tables == _READ:
        return "records"
    return " or ".join(BY_NAME[name].noun for name in look.tables)


def _window(look: Look) -> str:
    told = [
        " ".join(f"of {name}" for name in (look.service, look.host) if name),
        f"from {_shown(look.since)}" if look.since else "",
        f"up to {_shown(look.until)}" if look.until else "",
    ]
    return " ".join(filter(None, told))


def _shown(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _long(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} minutes"
    hours = minutes // 60
    return f"{hours} hours" if hours < 72 else f"{hours // 24} days"
