"""The last minutes of a store as one value: traffic, failures, stages, errors.

In: a reader, an instant. Out: a View. Knows nothing of a terminal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingest.stores.contract import Reader
from ingest.stores.results import whole

_STAGES = 8
_ERRORS = 6
_MESSAGE = 200  # characters


@dataclass(frozen=True, slots=True)
class StageTimes:
    """One stage: how often it was gone through, and its own milliseconds."""

    stage: str
    samples: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """One WARNING or worse."""

    occurred_at: datetime
    level: str
    code: str
    location: str
    message: str


@dataclass(frozen=True, slots=True)
class View:
    """``since`` to ``until``; milliseconds. ``unfinished`` requests began and have no end yet."""

    since: datetime
    until: datetime
    requests: int
    finished: int
    failures: int
    unfinished: int
    p50_ms: float | None
    p95_ms: float | None
    codes: tuple[tuple[str, int], ...]
    stages: tuple[StageTimes, ...]
    errors: tuple[ErrorLine, ...]

    @property
    def per_second(self) -> float:
        """Requests that began per second."""
        return self.requests / max((self.until - self.since).total_seconds(), 1e-9)

    @property
    def failure_rate(self) -> float | None:
        """Failures of the finished ones, 0 to 1; None where none has finished."""
        return self.failures / self.finished if self.finished else None


_WINDOW = "logged_at >= :since and logged_at <= :until"
_REQUESTS = f"""
select count(*), count(status), count(*) filter (where status <> 'success'),
    percentile_cont(0.5) within group (order by duration_ms),
    percentile_cont(0.95) within group (order by duration_ms)
from requests where {_WINDOW}
"""
_CODES = f"""
select coalesce(error_code, 'no code') as code, count(*) as failures
from requests where {_WINDOW} and status <> 'success'
group by 1 order by 2 desc, 1 limit 5
"""
_OF_STAGES = f"""
select stage, count(*) as samples,
    percentile_cont(0.5) within group (order by duration_ms),
    percentile_cont(0.95) within group (order by duration_ms) as p95
from stage_timings where {_WINDOW} and duration_ms is not null
group by stage order by p95 desc, stage limit {_STAGES}
"""
_OF_ERRORS = f"""
select occurred_at, level, code, location, message
from errors where occurred_at >= :since and occurred_at <= :until
order by occurred_at desc, error_key desc limit {_ERRORS}
"""
_NEWEST = "select max(logged_at) from requests"


def newest_request(reader: Reader) -> datetime | None:
    """The instant of the newest request; None in a store without any."""
    found = reader.query(_NEWEST, {}).rows[0][0]
    return found.astimezone(UTC) if isinstance(found, datetime) else None


def last_minutes(reader: Reader, until: datetime, window: timedelta) -> View:
    """What happened in the window that ends at ``until``.

    :raises StoreError: when the store fails.
    """
    binds: Mapping[str, object] = {"since": until - window, "until": until}
    total, finished, failures, p50, p95 = reader.query(_REQUESTS, binds).rows[0]
    requests, ended = whole(total), whole(finished)
    return View(
        since=until - window,
        until=until,
        requests=requests,
        finished=ended,
        failures=whole(failures),
        unfinished=requests - ended,
        p50_ms=_number(p50),
        p95_ms=_number(p95),
        codes=tuple((str(c), whole(n)) for c, n in reader.query(_CODES, binds).rows),
        stages=tuple(
            StageTimes(str(s), whole(n), _number(a) or 0.0, _number(b) or 0.0)
            for s, n, a, b in reader.query(_OF_STAGES, binds).rows
        ),
        errors=tuple(_error(row) for row in reader.query(_OF_ERRORS, binds).rows),
    )


def _error(row: tuple[object, ...]) -> ErrorLine:
    at, level, code, location, message = row
    assert isinstance(at, datetime)
    told = str(message or "").split("\n", 1)[0][:_MESSAGE]
    return ErrorLine(at.astimezone(UTC), str(level), str(code or ""), str(location or ""), told)


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))
