"""The reference assembly: events to rows (docs/parsing.md, Requests and Errors)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from tests.support import reference_values as values

Row = dict[str, Any]
Place = tuple[int, int]

NEAR = timedelta(seconds=60)
JOIN = timedelta(hours=24)
MS = timedelta(milliseconds=1)

REQUEST_EVENTS = (
    "synthesis_start",
    "synthesis_complete",
    "synthesis_failed",
    "stage_time",
    "audio_metrics",
)
CACHE_EVENTS = ("cache_dir_usage", "cache_health")


TYPES: dict[str, Callable[[str], Any]] = {
    "id": str,
    "request_id": str,
    "status": str,
    "duration_ms": partial(values.number, kind="ms"),
    "text": str,
    "text_len": values.whole,
    "lang": str,
    "voice": str,
    "cache_hit": values.boolean,
    "cache_saved": values.boolean,
    "model_stage": str,
    "error_code": str,
    "audio_size_kb": partial(values.number, kind="kb"),
    "rms": partial(values.number, kind="number"),
    "spectral_centroid": partial(values.number, kind="number"),
    "instance": str,
    "profile": str,
    "audio_ms": partial(values.number, kind="ms"),
    "rtf": partial(values.number, kind="number"),
    "tokens": values.whole,
    "id_source": str,
    "assembly": str,
}
SOURCES = ("logged", "envelope", "neighbour", "read", "file")  # of instants, the surest first


@dataclass(frozen=True)
class Event:
    """A record taken apart; ``pairs`` are text, the first of a key being the one that counts."""

    file: int
    offset: int
    at: datetime
    time_source: str
    level: str
    severe: bool
    logger: str | None
    header_request_id: str | None
    message: str
    traceback: str | None
    name: str | None
    pairs: tuple[tuple[str, str], ...]

    @property
    def place(self) -> Place:
        """File and offset of the record."""
        return (self.file, self.offset)

    @property
    def counted(self) -> dict[str, str]:
        """The pairs that count: the first of each key; a header's request id where none is."""
        pairs: dict[str, str] = {}
        for key, value in self.pairs:
            pairs.setdefault(key, value)
        if self.header_request_id is not None:
            pairs.setdefault("request_id", self.header_request_id)
        return pairs

    @property
    def later(self) -> list[tuple[str, str]]:
        """The pairs whose key was seen before in the record."""
        seen: set[str] = set()
        rest = []
        for key, value in self.pairs:
            if key in seen:
                rest.append((key, value))
            seen.add(key)
        return rest

    @property
    def id(self) -> str | None:
        """The request's id; an empty one is none."""
        return self.counted.get("id") or None


@dataclass
class Part:
    """Records of one request in one log file."""

    events: list[Event]
    start: Event | None = None
    end: Event | None = None

    @property
    def first_at(self) -> datetime:
        """The earliest instant."""
        return min(event.at for event in self.events)

    @property
    def last_at(self) -> datetime:
        """The latest instant."""
        return max(event.at for event in self.events)

    @property
    def ended_at(self) -> datetime:
        """The instant of its end, else the latest one."""
        return self.end.at if self.end else self.last_at

    @property
    def is_request(self) -> bool:
        """False for a part of only errors."""
        return any(event.name in REQUEST_EVENTS for event in self.events)


@dataclass
class Request:
    """Parts that are one request: those with its start and end, and those that came to it by their
    time.

    ``guests`` are errors that name it, no more.
    """

    core: list[Part]
    strays: list[Part] = field(default_factory=list)
    guests: list[Part] = field(default_factory=list)

    @property
    def frame(self) -> list[Part]:
        """The parts that say when it was."""
        return self.core or self.strays

    @property
    def first_at(self) -> datetime:
        """When it began, as far as that is known."""
        return min(part.first_at for part in self.frame)

    @property
    def last_at(self) -> datetime:
        """When it ended; one that is open lasts no longer than its beginning."""
        if not self.core:
            return max(part.last_at for part in self.strays)
        if not any(part.end for part in self.core):
            return self.first_at
        return max(self.first_at, *(part.ended_at for part in self.core if part.end))

    @property
    def parts(self) -> list[Part]:
        """All but guests: a start first, then the others in time."""
        head = [part for part in self.core if part.start]
        rest = [part for part in self.core if not part.start]
        return head + sorted(rest + self.strays, key=_order)

    @property
    def events(self) -> list[Event]:
        """Its records, part by part."""
        return [event for part in self.parts for event in part.events]

    @property
    def events_in_time(self) -> list[Event]:
        """Its records as they followed each other: in time, of one file as they stand there."""
        placed = []
        for number, part in enumerate(self.parts):
            reached = part.events[0].at
            stages = [event for event in part.events if event.name == "stage_time"]
            reached = stages[0].at if stages else reached
            for event in stages:
                reached = max(reached, event.at)
                placed.append((reached, number, event.offset, event))
        return [event for _, _, _, event in sorted(placed, key=lambda p: p[:3])]


def assemble(
    events: list[Event], *, host: str, service: str, own: bool
) -> tuple[list[Row], list[Row], list[Row], list[Row]]:
    """Return the rows of requests, stage_timings, errors and cache_samples."""
    requests = []
    for group in gather(events):
        requests += meet(group)
    keys: dict[Place, Place] = {}
    request_rows: list[Row] = []
    stage_rows: list[Row] = []
    for request in requests:
        key = request.frame[0].events[0].place
        guests = [event for part in request.guests for event in part.events]
        keys |= {event.place: key for event in request.events + guests}
        request_rows.append(_request_row(request.events, key, host, service))
        stage_rows += _stage_rows(request.events_in_time, key, host, own)
    errors = [_error_row(event, keys, host, service) for event in events if event.severe]
    samples = [_sample_row(event, host) for event in events if event.name in CACHE_EVENTS]
    return request_rows, stage_rows, errors, samples


def gather(events: list[Event]) -> list[list[Part]]:
    """Make parts of each file's events (Requests 1), a list for each id."""
    by_id: dict[str, list[Part]] = {}
    alone: list[list[Part]] = []
    open_parts: dict[tuple[int, str], Part] = {}
    for event in events:
        if event.name not in REQUEST_EVENTS and not event.severe:
            continue
        if event.id is None:
            alone.append([_begin(event)])
            continue
        at = (event.file, event.id)
        part = open_parts.get(at)
        if part is None or not _belongs(event, part):
            part = _begin(event)
            by_id.setdefault(event.id, []).append(part)
            open_parts[at] = part
        else:
            part.events.append(event)
            if event.name == "synthesis_complete":
                part.end = event
    return alone + list(by_id.values())


def _begin(event: Event) -> Part:
    start = event if event.name == "synthesis_start" else None
    end = event if event.name == "synthesis_complete" else None
    return Part([event], start, end)


def _belongs(event: Event, part: Part) -> bool:
    if event.name == "synthesis_start":
        return False
    if part.end is None:
        return True
    return event.name != "synthesis_complete" and abs(event.at - part.end.at) <= NEAR


Order = tuple[datetime, int, int, str]


def _order(part: Part) -> Order:
    """Return where a part stands among those of its id: in time, a start first, an end last, errors
    behind.
    """
    kind = 0 if part.start else 2 if part.end else 1 if part.is_request else 3
    held = repr([(event.message, event.traceback) for event in part.events])
    return (part.first_at, kind, part.events[0].offset, held)


def meet(parts: list[Part]) -> list[Request]:
    """Make requests of the parts of one id (Requests 2 and 3)."""
    parts = sorted(parts, key=_order)
    requests = _with_core(parts)
    hosts = [*requests]
    unhosted = []
    for part in parts:
        if part.is_request and not part.start and not part.end:
            host = _host_of(part.first_at, hosts)
            if host:
                host.strays.append(part)
            else:
                unhosted.append(part)
    requests += _clusters(unhosted)
    hosts = [*requests]
    for part in parts:
        host = None if part.is_request else _host_of(part.first_at, hosts)
        if host:
            host.guests.append(part)
    return requests


def _with_core(parts: list[Part]) -> list[Request]:
    """Make the requests of which a start or an end is known; an end goes to the start right before
    it.
    """
    requests = [Request([part]) for part in parts if part.start and part.end]
    loose = [part for part in parts if bool(part.start) != bool(part.end)]
    taken = set()
    for before, part in pairwise(loose):
        if before.start and part.end and part.first_at - before.last_at <= JOIN:
            requests.append(Request([before, part]))
            taken |= {id(before), id(part)}
    requests += [Request([part]) for part in loose if id(part) not in taken]
    return sorted(requests, key=lambda request: _order(request.core[0]))


def _clusters(unhosted: list[Part]) -> list[Request]:
    """Make requests of parts of which neither start nor end is known: of one day, with no gap above
    NEAR.
    """
    clusters: list[list[Part]] = []
    for part in unhosted:
        near = clusters and part.first_at - max(p.last_at for p in clusters[-1]) <= NEAR
        if near and part.first_at.date() == clusters[-1][0].first_at.date():
            clusters[-1].append(part)
        else:
            clusters.append([part])
    return [Request([], strays=cluster) for cluster in clusters]


def _host_of(at: datetime, requests: list[Request]) -> Request | None:
    """Find the request that a part belongs to: that spans it and began last, else the nearest, else
    one still open.
    """
    spanning = [r for r in requests if r.first_at <= at <= r.last_at]
    if spanning:
        return max(spanning, key=lambda r: (r.first_at, _order(r.frame[0])))
    return _ending(at, requests) or _nearest(at, requests) or _open(at, requests)


def _ending(at: datetime, requests: list[Request]) -> Request | None:
    """Find the request whose end alone is known and comes next, where it had begun by then."""
    loose = [(_order(p), p, r) for r in requests for p in r.core if bool(p.start) != bool(p.end)]
    later = sorted((order, n) for n, (order, p, _) in enumerate(loose) if p.first_at > at)
    if not later:
        return None
    _, part, request = loose[later[0][1]]
    took = values.number(part.end.counted.get("duration_ms", ""), "ms") if part.end else None
    if len(request.core) > 1 or part.start or took is None or not 0 < took <= JOIN / MS:
        return None
    return request if part.ended_at - timedelta(microseconds=int(took * 1000)) <= at else None


def _nearest(at: datetime, requests: list[Request]) -> Request | None:
    before = [r for r in requests if r.last_at < at <= r.last_at + NEAR]
    after = [r for r in requests if at < r.first_at <= at + NEAR]
    last = max(before, key=lambda r: (r.last_at, r.first_at, _order(r.frame[0])), default=None)
    first = min(after, key=lambda r: (r.first_at, _order(r.frame[0])), default=None)
    if last and first:
        return last if at - last.last_at <= first.first_at - at else first
    return last or first


def _open(at: datetime, requests: list[Request]) -> Request | None:
    """Find the last request that has started by then, where its start is in a part without an end
    and nothing ended it.
    """
    started = [
        r for r in requests if r.core and r.core[0].start and not r.core[0].end and r.first_at <= at
    ]
    last = max(started, key=lambda r: _order(r.core[0]), default=None)
    return last if last and len(last.core) == 1 and at - last.first_at <= JOIN else None


def _request_row(events: list[Event], key: Place, host: str, service: str) -> Row:
    start = next((event for event in events if event.name == "synthesis_start"), None)
    end = next((event for event in events if event.name == "synthesis_complete"), None)
    own = [event for event in events if event.name in REQUEST_EVENTS]
    row: Row = dict.fromkeys(TYPES)
    for event in ([end] if end else []) + own:
        for name, value in _columns(event).items():
            row[name] = value if row[name] is None else row[name]
    failed = next((event for event in own if event.name == "synthesis_failed"), None)
    if row["status"] is None and failed:
        row["status"] = "failed"
    if row["id"] is not None:
        row |= {"id_source": row["id_source"] or "logged", "assembly": row["assembly"] or "id"}
    if row["rtf"] is None and row["duration_ms"] is not None and (row["audio_ms"] or 0) > 0:
        row["rtf"] = row["duration_ms"] / row["audio_ms"]
    text = row["text"]
    if row["text_len"] is None and text is not None:
        row["text_len"] = len(text)
    return row | {
        "request_key": key,
        "host": host,
        "service": service,
        "logged_at": min(event.at for event in events),
        "time_source": SOURCES[min((e.at, SOURCES.index(e.time_source)) for e in events)[1]],
        "started_at": start.at if start else None,
        "completed_at": end.at if end else failed.at if failed else None,
        "text_class": None if text is None else values.text_class(text),
        "attributes": _attributes(own),
        "start_file": start.file if start else None,
        "start_offset": start.offset if start else None,
        "end_file": end.file if end else None,
        "end_offset": end.offset if end else None,
    }


def _columns(event: Event) -> Row:
    """Return the request columns that an event has a value for."""
    names = [name for name in event.counted if _fills(event, name)]
    row = {name: TYPES[name](event.counted[name]) for name in names}
    return row | {"id": event.id}


def _fills(event: Event, name: str) -> bool:
    """Tell whether a pair of the event has a column of requests; two are the end's alone."""
    ends_own = name in ("status", "duration_ms")
    return name in TYPES and (event.name == "synthesis_complete" or not ends_own)


def _is_elsewhere(event: Event, name: str) -> bool:
    """Tell whether a pair is a stage's, or the duration that a start always logs as 0."""
    if event.name == "stage_time":
        return name in ("stage", "duration_ms", "own_ms")
    return event.name == "synthesis_start" and name == "duration_ms"


def _attributes(events: list[Event]) -> dict[str, Any] | None:
    """Gather every pair that has no column, or did not fit it, or came second in its record."""
    found: dict[str, list[str]] = {}
    for event in events:
        rest = []
        for name, value in event.counted.items():
            has_column = _fills(event, name) or _is_elsewhere(event, name)
            if not has_column or (name in TYPES and TYPES[name](value) is None):
                rest.append((name, value))
        for name, value in rest + event.later:
            seen = found.setdefault(name, [])
            if value not in seen:
                seen.append(value)
    return {name: seen[0] if len(seen) == 1 else seen for name, seen in found.items()} or None


def _stage_rows(events: list[Event], key: Place, host: str, own: bool) -> list[Row]:
    rows: list[Row] = []
    before = 0.0
    for event in events:
        if event.name != "stage_time":
            continue
        is_own = own or "own_ms" in event.counted
        duration_key = "own_ms" if "own_ms" in event.counted else "duration_ms"
        logged = values.number(event.counted.get(duration_key, ""), "ms")
        elapsed = duration = logged
        if logged is not None and is_own:
            elapsed = before + logged
        elif logged is not None:
            duration = logged - before if logged >= before else logged
        before = before if elapsed is None else elapsed
        rows.append(
            {
                "request_key": key,
                "id": event.id,
                "host": host,
                "stage": event.counted.get("stage"),
                "seq": len(rows) + 1,
                "logged_at": event.at,
                "elapsed_ms": elapsed,
                "duration_ms": duration,
                "file": event.file,
                "byte_offset": event.offset,
            }
        )
    return rows


def _error_row(event: Event, keys: dict[Place, Place], host: str, service: str) -> Row:
    pairs = event.counted
    code_key = "error_code" if "error_code" in pairs else "warning_code"
    found = values.exception_of(event.traceback, pairs.get("exc"))
    taken = (code_key, "id", "request_id", "instance")
    rest: dict[str, list[str]] = {}
    for name, value in [pair for pair in pairs.items() if pair[0] not in taken] + event.later:
        seen = rest.setdefault(name, [])
        if value not in seen:
            seen.append(value)
    return {
        "occurred_at": event.at,
        "time_source": event.time_source,
        "host": host,
        "service": service,
        "instance": pairs.get("instance"),
        "level": event.level,
        "logger": event.logger,
        "event": event.name,
        "code": pairs.get(code_key),
        "id": event.id,
        "request_id": pairs.get("request_id"),
        "request_key": keys.get(event.place),
        "message": event.message,
        "exception_type": found[0],
        "exception_message": found[1],
        "traceback": event.traceback,
        "location": values.location_of(event.traceback),
        "attributes": {name: v[0] if len(v) == 1 else v for name, v in rest.items()} or None,
        "file": event.file,
        "byte_offset": event.offset,
    }


def _sample_row(event: Event, host: str) -> Row:
    pairs = event.counted
    used = pairs.get("used_percent", pairs.get("usage", ""))
    return {
        "sampled_at": event.at,
        "time_source": event.time_source,
        "host": host,
        "path": pairs.get("path"),
        "used_percent": values.number(used, "percent"),
        "threshold_percent": values.number(pairs.get("threshold", ""), "percent"),
        "used_mb": values.number(pairs.get("used", ""), "mb"),
        "total_mb": values.number(pairs.get("total", ""), "mb"),
        "action": pairs.get("action"),
        "event": event.name,
        "file": event.file,
        "byte_offset": event.offset,
    }
