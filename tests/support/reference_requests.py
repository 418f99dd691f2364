"""The reference assembly: events to rows (docs/parsing.md, Requests and Errors)."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from tests.support import reference_values as values

Row = dict[str, Any]
Place = tuple[int, int]

NEAR = timedelta(seconds=60)
JOIN = timedelta(hours=24)

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
    """Parts that are one request, in order; ``guests`` are errors that name it, no more."""

    parts: list[Part]
    guests: list[Part] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """Its records in order."""
        return [event for part in self.parts for event in part.events]


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
        key = request.events[0].place
        guests = [event for part in request.guests for event in part.events]
        keys |= {event.place: key for event in request.events + guests}
        request_rows.append(_request_row(request.events, key, host, service))
        stage_rows += _stage_rows(request.events, key, host, own)
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


def _in_time(part: Part) -> tuple[datetime, bool, Place]:
    return (part.first_at, part.start is None, part.events[0].place)


def meet(parts: list[Part]) -> list[Request]:
    """Make requests of the parts of one id (Requests 2 and 3)."""
    parts = sorted(parts, key=_in_time)
    requests = [Request([part]) for part in parts if part.start and part.end]
    spans = _spans(requests)
    others = [part for part in parts if part.is_request and not (part.start and part.end)]
    strays = []
    pending: Part | None = None
    for part in others:
        host = None if part.start or part.end else _host_of(part.first_at, spans)
        if host is not None:
            strays.append((host, part))
            continue
        if pending and part.start is None and part.first_at - pending.last_at <= JOIN:
            requests[-1].parts.append(part)
        else:
            requests.append(Request([part]))
        pending = None if part.end else part
    spans = _spans(requests)
    for host, part in strays:
        host.parts.append(part)
    for part in parts:
        host = None if part.is_request else _host_of(part.first_at, spans)
        if host is not None:
            host.guests.append(part)
    return requests


Span = tuple[datetime, datetime, Request]


def _spans(requests: list[Request]) -> list[Span]:
    """Return the time of each request: its earliest instant, its end's or latest, and itself."""
    return [
        (
            min(part.first_at for part in request.parts),
            max(part.ended_at for part in request.parts),
            request,
        )
        for request in requests
    ]


def _host_of(at: datetime, spans: list[Span]) -> Request | None:
    """Find the request in whose time ``at`` lies: that spans it, else the last, else the next."""
    spanning = [(at - first, n) for n, (first, last, _) in enumerate(spans) if first <= at <= last]
    before = [(at - last, n) for n, (_, last, _) in enumerate(spans) if last < at <= last + NEAR]
    after = [(first - at, n) for n, (first, _, _) in enumerate(spans) if first - NEAR <= at < first]
    for found in (spanning, before, after):
        if found:
            return spans[min(found)[1]][2]
    return None


def _request_row(events: list[Event], key: Place, host: str, service: str) -> Row:
    start = next((event for event in events if event.name == "synthesis_start"), None)
    end = next((event for event in events if event.name == "synthesis_complete"), None)
    own = [event for event in events if event.name in REQUEST_EVENTS]
    row: Row = dict.fromkeys(TYPES)
    for event in ([end] if end else []) + own:
        for name, value in _columns(event).items():
            row[name] = value if row[name] is None else row[name]
    if row["status"] is None and any(event.name == "synthesis_failed" for event in own):
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
        "completed_at": end.at if end else None,
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
