"""One request's life: which request is meant, and what the store has of it and around it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from ingest.errors import ExitCode, TtsqError
from ingest.model import ID_BYTES
from ingest.rows.spans import GRACE, JOIN_GAP
from ingest.stores.contract import Reader
from ingest.tasks.trace import statements as sql
from ingest.tasks.trace.http import NO_KEY, access_line, known_by_lines, lines_of
from ingest.tasks.trace.lines import Wanted
from ingest.tasks.trace.rows import (
    CodeCount,
    Error,
    Http,
    InFlight,
    KnownFile,
    Match,
    NearError,
    Neighbour,
    Request,
    Sample,
    Stage,
    rows_of,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LEAST_PREFIX = 3  # characters: fewer begin too many ids
MATCHES = 50  # listed at most
ROWS = 500  # of a table, for one request; the ids of some services are no ids
NEIGHBOURS = 50  # requests listed that ran at the same time
FEW = 5  # failures and errors listed of those around
ALL = 10_000  # any of these, when all is asked for
_BY = ("id", "request_id", "prefix", "client")
_TOLD = 60  # characters of a message without an id that its line is told by
_LONGEST = timedelta(hours=1)  # what began longer ago is not taken to be in flight
_SAMPLE_AGE = timedelta(days=1)  # an older cache sample tells nothing

T = TypeVar("T", bound="DataclassInstance")


class NotTraced(TtsqError):
    """No row answers to the id."""

    exit_code = ExitCode.FOUND


@dataclass(frozen=True, slots=True)
class Found:
    """Requests that match ``wanted``, newest first; ``more``: there are others."""

    wanted: str
    by: str
    matches: tuple[Match, ...]
    more: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else there was between two instants; ``running`` is None where it was not asked for."""

    since: datetime
    until: datetime
    in_flight: InFlight
    samples_before: tuple[Sample, ...]
    samples: tuple[Sample, ...]
    failures_by_code: tuple[CodeCount, ...]
    failures: tuple[Neighbour, ...]
    errors_by_code: tuple[CodeCount, ...]
    errors: tuple[NearError, ...]
    running: tuple[Neighbour, ...] | None


@dataclass(frozen=True, slots=True)
class Trace:
    """One request's life. Without ``request`` only errors of the id are stored.

    ``first_at`` … ``last_at`` is its time as far as known; ``cut`` names tables of which it has
    more rows than these.
    """

    match: Match
    request: Request | None
    first_at: datetime
    last_at: datetime
    stages: tuple[Stage, ...]
    errors: tuple[Error, ...]
    files: Mapping[int, KnownFile]
    around: Surroundings
    cut: tuple[str, ...]
    http: tuple[Http, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """What its records may call it."""
        return tuple(n for n in (self.match.id, self.match.request_id) if n)


def find(reader: Reader, wanted: str, at: datetime | None = None) -> Found:
    """The requests that an id, an X-Request-ID or the beginning of one means; the first kind that
    there is.

    With ``at``, only the one nearest to that instant.

    :raises NotTraced: when there is none, with what is nearest to a reason.
    """
    given = wanted.encode(errors="replace")
    if len(given) > ID_BYTES:
        wanted = given[:ID_BYTES].decode(errors="replace")
    prefix = wanted if len(wanted) >= LEAST_PREFIX else None
    binds = {"wanted": wanted, "prefix": prefix, "at": at, "most": MATCHES + 1}
    matches = rows_of(Match, reader.query(sql.FIND_REQUESTS, binds))
    if len(matches) <= MATCHES:
        matches += _known_by_errors(reader, binds, matches)
    if not matches:
        matches = known_by_lines(reader, binds)
    if not matches:
        raise _not_traced(reader, wanted)
    best = min(m.rank for m in matches)
    chosen = [m for m in matches if m.rank == best]
    if at is not None:
        chosen = [min(chosen, key=lambda m: (_distance(m, at), m.first_at, m.host))]
    chosen.sort(key=lambda m: (m.first_at, m.host), reverse=True)
    return Found(wanted, _BY[best], tuple(chosen[:MATCHES]), len(chosen) > MATCHES)


def _distance(match: Match, at: datetime) -> timedelta:
    return max(match.first_at - at, at - match.last_at, timedelta(0))


@dataclass(frozen=True, slots=True)
class _ErrorMatch:
    """An error that answers to what was asked for."""

    request_key: int | None
    id: str | None
    request_id: str | None
    host: str
    service: str
    occurred_at: datetime
    code: str | None
    rank: int


def _known_by_errors(
    reader: Reader, binds: Mapping[str, object], requests: Sequence[Match]
) -> list[Match]:
    """Matches that only errors tell: requests that they belong to, and ids that have no request."""
    found = rows_of(_ErrorMatch, reader.query(sql.FIND_ERRORS, binds))
    best = min([r.rank for r in requests] + [e.rank for e in found], default=0)
    keys = {r.request_key for r in requests}
    found = [e for e in found if e.rank == best and e.request_key not in keys]
    linked: list[Match] = []
    if any(e.request_key is not None for e in found):
        linked = rows_of(Match, reader.query(sql.FIND_LINKED, {**binds, "rank": best}))
        linked = [replace(m, rank=best) for m in linked if m.request_key not in keys]
    keys = keys | {m.request_key for m in linked}
    rest = [e for e in found if e.request_key not in keys]
    return linked + _clusters([e for e in rest if not _belongs(e, [*requests, *linked])])


def _belongs(error: _ErrorMatch, requests: Sequence[Match]) -> bool:
    """Whether an error without an id is, by its X-Request-ID, one of a request at hand."""
    return error.id is None and any(
        r.rank == error.rank
        and r.first_at - GRACE <= error.occurred_at <= r.last_at + JOIN_GAP + GRACE
        for r in requests
    )


def _clusters(errors: Sequence[_ErrorMatch]) -> list[Match]:
    """Errors without a request, joined if of one id and host and within a day of each other."""
    clusters: list[Match] = []
    for e in sorted(errors, key=lambda e: (str(e.id), e.host, e.request_key or 0, e.occurred_at)):
        same = clusters[-1] if clusters else None
        if (
            same is not None
            and (same.id, same.host, same.request_key) == (e.id, e.host, e.request_key)
            and e.occurred_at - same.last_at <= JOIN_GAP
        ):
            clusters[-1] = replace(
                same, last_at=e.occurred_at, error_code=e.code or same.error_code
            )
            continue
        clusters.append(
            Match(
                e.request_key, e.id, e.request_id, e.host, e.service, e.occurred_at, e.occurred_at,
                None, e.code, None, None, e.rank, is_request=False,
            )
        )  # fmt: skip
    return clusters


def _not_traced(reader: Reader, wanted: str) -> NotTraced:
    message = f"no request or error has the id {wanted!r}"
    if not reader.query(sql.ANY_FILE, {}).rows:
        return NotTraced(f"{message}: nothing has been ingested yet", "ttsq ingest PATH")
    other = reader.query(sql.OTHER_CASE, {"wanted": wanted}).rows
    if other:
        return NotTraced(message, f"an id in another spelling exists: ttsq trace {other[0][0]}")
    if len(wanted) < LEAST_PREFIX:
        return NotTraced(
            message, f"the beginning of an id needs at least {LEAST_PREFIX} characters"
        )
    count, first, last = reader.query(sql.SPAN, {}).rows[0]
    if not isinstance(first, datetime) or not isinstance(last, datetime):
        return NotTraced(f"{message}; no requests are stored at all", "ttsq status")
    return NotTraced(
        f"{message}; the {count} requests stored are of {first:%Y-%m-%d %H:%M} to "
        f"{last:%Y-%m-%d %H:%M} UTC",
        "ttsq ingest PATH reads what is newer; ttsq status shows what is held back",
    )


def gather(
    reader: Reader, match: Match, window: timedelta, *, running: bool = False, full: bool = False
) -> Trace:
    """Everything the store knows of a request, and of ``window`` before and after it.

    ``running`` adds the requests that ran then; ``full`` does not stop at the usual number of rows.
    """
    most = ALL if full else ROWS
    request = _request(reader, match)
    match, stages, errors = _ownrows_of(reader, match, request, most + 1)
    times = [match.first_at, match.last_at]
    times += [s.logged_at for s in stages] + [e.occurred_at for e in errors]
    http = lines_of(reader, match, most)
    times += [h.logged_at for h in http]
    first, last = min(times), max(times)
    if request is not None and request.started_at is not None:
        first = request.started_at  # a stamp of whole seconds may be before it
    cut = tuple(name for name, rows in (("stages", stages), ("errors", errors)) if len(rows) > most)
    stages, errors = stages[:most], errors[:most]
    around = _surroundings(reader, match, first - window, last + window, running, full)
    return Trace(
        match, request, first, last, tuple(stages), tuple(errors),
        _files(reader, request, [*stages, *errors, *http]), around, cut, tuple(http),
    )  # fmt: skip


def _request(reader: Reader, match: Match) -> Request | None:
    if not match.is_request:
        return None
    binds = {"key": match.request_key, "logged_at": match.first_at}
    return next(iter(rows_of(Request, reader.query(sql.REQUEST, binds))), None)


def _ownrows_of(
    reader: Reader, match: Match, request: Request | None, most: int
) -> tuple[Match, list[Stage], list[Error]]:
    key = NO_KEY if match.request_key is None else match.request_key
    of_errors = sql.ERRORS if request else sql.ERRORS_OF_ID
    while True:
        binds: dict[str, Any] = {
            "key": key, "id": match.id, "request_id": match.request_id, "host": match.host,
            "since": match.first_at - (GRACE if request else timedelta(0)),
            "until": match.last_at + (JOIN_GAP + GRACE if request else timedelta(0)),
            "most": most,
        }  # fmt: skip
        stages = rows_of(Stage, reader.query(sql.STAGES, binds))
        errors = rows_of(Error, reader.query(of_errors, binds))
        named = {e.request_id for e in errors if e.request_id}
        if request is None or match.request_id is not None or len(named) != 1:
            return match, stages, errors
        # only its errors name its X-Request-ID: ask once more, with that
        match = replace(match, request_id=named.pop())


def _files(
    reader: Reader, request: Request | None, rows: Sequence[Stage | Error | Http]
) -> dict[int, KnownFile]:
    keys = {row.file_key for row in rows}
    if request is not None:
        keys |= {k for k in (request.start_file_key, request.end_file_key) if k is not None}
    found = (rows_of(KnownFile, reader.query(sql.LOG_FILE, {"key": k})) for k in sorted(keys))
    return {f.file_key: f for rows in found for f in rows}


def _surroundings(
    reader: Reader, match: Match, since: datetime, until: datetime, running: bool, full: bool
) -> Surroundings:
    binds: dict[str, Any] = {
        "key": NO_KEY if match.request_key is None else match.request_key,
        "id": match.id, "request_id": match.request_id, "host": match.host,
        "since": since, "until": until, "earliest": since - _LONGEST,
        "at": match.first_at, "most": ALL if full else NEIGHBOURS, "few": ALL if full else FEW,
    }  # fmt: skip

    def rows(kind: type[T], statement: str, **others: object) -> tuple[T, ...]:
        return tuple(rows_of(kind, reader.query(statement, {**binds, **others})))

    return Surroundings(
        since=since,
        until=until,
        in_flight=rows(InFlight, sql.IN_FLIGHT, earliest=match.first_at - _LONGEST)[0],
        samples_before=rows(Sample, sql.SAMPLES_BEFORE, earliest=since - _SAMPLE_AGE),
        samples=rows(Sample, sql.SAMPLES),
        failures_by_code=rows(CodeCount, sql.FAILURES_BY_CODE),
        failures=rows(Neighbour, sql.FAILURES),
        errors_by_code=rows(CodeCount, sql.ERRORS_BY_CODE),
        errors=rows(NearError, sql.NEAR_ERRORS),
        running=rows(Neighbour, sql.RUNNING) if running else None,
    )


def wanted_records(trace: Trace) -> list[Wanted]:
    """The records of which the tables know the place."""
    found: list[Wanted] = []
    if trace.request is not None:
        found += _ends(trace.request)
    for s in trace.stages:
        stored = _pairs("stage_time", id=trace.match.id, stage=s.stage, elapsed_ms=s.elapsed_ms)
        found.append(Wanted(s.logged_at, s.file_key, s.byte_offset, "stage_time", None, stored))
    for e in trace.errors:
        stored = e.message or e.exception_message or "(no message)"
        told = stored[:_TOLD] if e.id is None and e.request_id is None else None
        found.append(
            Wanted(e.occurred_at, e.file_key, e.byte_offset, e.event, e.level, stored, told)
        )
    for h in trace.http:
        found.append(
            Wanted(h.logged_at, h.file_key, h.byte_offset, None, None, access_line(h), h.path)
        )
    return found


def _ends(r: Request) -> list[Wanted]:
    found = []
    if r.start_file_key is not None and r.start_offset is not None:
        stored = _pairs(
            "synthesis_start", id=r.id, text=r.text, lang=r.lang, voice=r.voice,
            cache_hit=r.cache_hit,
        )  # fmt: skip
        at = r.started_at or r.logged_at
        found.append(Wanted(at, r.start_file_key, r.start_offset, "synthesis_start", None, stored))
    if r.end_file_key is not None and r.end_offset is not None:
        stored = _pairs(
            "synthesis_complete", id=r.id, status=r.status, duration_ms=r.duration_ms,
            error_code=r.error_code,
        )  # fmt: skip
        at = r.completed_at or r.logged_at
        found.append(Wanted(at, r.end_file_key, r.end_offset, "synthesis_complete", None, stored))
    return found


def _pairs(event: str, **values: object) -> str:
    """What is stored of a record, in the shape that it had."""
    told = (f"{k}={_value(v)}" for k, v in values.items() if v is not None)
    return f"{event}: {', '.join(told)}"


def _value(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return f'"{value}"' if isinstance(value, str) and " " in value else str(value)
