"""Rows as an ingest would store them, drawn from a seed, and a store that holds them."""

import json
import random
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness

BEGAN = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
STAGES = ("text_normalize", "llm_prompt_gen", "llm_inference", "llm_postproc", "audio_render")
CODES = ("SCIPY_FFT_INVALID", "CUDA_OOM", "TEXT_INVALID", None)
WARNINGS = ("VOICE_FALLBACK", "SLOW_DISK", "MODEL_CHANGED", None)
SOURCES = ("logged", "logged", "logged", "neighbour", "file")
INSTANCES = ("tts-1", "tts-1", "tts-2", None)


HOSTS = ("h1", "h2", "h3")
TABLES = ("requests", "stage_timings", "errors", "cache_samples", "http_requests")


@dataclass(frozen=True)
class Request:
    request_key: int
    id: str | None
    request_id: str | None
    host: str
    service: str
    logged_at: datetime
    started_at: datetime | None
    completed_at: datetime | None
    status: str | None
    duration_ms: float | None
    text_len: int | None
    text_class: str | None
    lang: str | None
    voice: str | None
    cache_hit: bool | None
    cache_saved: bool | None
    model_stage: str | None
    error_code: str | None
    audio_size_kb: float | None
    rms: float | None
    spectral_centroid: float | None
    time_source: str = "logged"
    instance: str | None = None
    profile: str | None = None
    audio_ms: float | None = None
    rtf: float | None = None
    tokens: int | None = None
    attributes: str | None = None

    @property
    def failed(self) -> bool:
        return self.status is not None and self.status != "success"


@dataclass(frozen=True)
class Stage:
    """A stage; its id is its request's, its host its log file's."""

    request_key: int
    id: str | None
    host: str
    stage: str | None
    seq: int
    logged_at: datetime
    elapsed_ms: float | None
    duration_ms: float | None
    file_key: int = 1
    byte_offset: int = 0


@dataclass(frozen=True)
class Error:
    error_key: int
    occurred_at: datetime
    time_source: str
    host: str
    service: str
    level: str
    logger: str | None
    event: str | None
    code: str | None
    id: str | None
    request_id: str | None
    request_key: int | None
    message: str | None
    location: str | None
    attributes: str | None
    instance: str | None = None
    file_key: int = 1
    byte_offset: int = 0
    exception_type: str | None = None
    exception_message: str | None = None


@dataclass(frozen=True)
class Sample:
    sample_key: int
    sampled_at: datetime
    host: str
    path: str | None
    used_percent: float | None
    threshold_percent: float | None
    used_mb: float | None
    total_mb: float | None
    event: str
    time_source: str = "logged"
    file_key: int = 1
    byte_offset: int = 0


@dataclass(frozen=True)
class Http:
    http_key: int
    logged_at: datetime
    time_source: str
    host: str
    service: str
    server: str | None
    client: str | None
    path: str | None
    http_status: int | None
    request_ms: float | None
    upstream_ms: float | None
    request_id: str | None
    request_key: int | None
    instance: str | None = None
    file_key: int = 1
    byte_offset: int = 0


@dataclass
class Rows:
    """All rows of a store, in the order in which they were drawn."""

    requests: list[Request] = field(default_factory=list)
    stage_timings: list[Stage] = field(default_factory=list)
    errors: list[Error] = field(default_factory=list)
    cache_samples: list[Sample] = field(default_factory=list)
    http_requests: list[Http] = field(default_factory=list)


class _Draw:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def maybe(self, value: Any, chance: float = 0.9) -> Any:
        return value if self.random.random() < chance else None

    def one(self, *values: Any) -> Any:
        return self.random.choice(values)

    def after(self, at: datetime, most_ms: int) -> datetime:
        return at + timedelta(milliseconds=self.random.randint(0, most_ms))


def draw_rows(seed: int, count: int = 240) -> Rows:
    """``count`` requests of six hours in bursts, on two hosts and two services, with gaps in every
    column.
    """
    draw, rows, at = _Draw(seed), Rows(), BEGAN
    for key in range(count):
        at = draw.after(at, draw.one(0, 300, 2000, 200_000))
        request = _draw_request(draw, key, at)
        rows.requests.append(request)
        _draw_stages(draw, rows, request)
        _draw_errors(draw, rows, request)
        _draw_http(draw, rows, request)
    _share_ids(rows)
    _draw_samples(draw, rows)
    _draw_ill_host(rows)
    for name in TABLES:
        table = getattr(rows, name)
        draw.random.shuffle(table)
    return rows


def _draw_request(draw: _Draw, key: int, at: datetime) -> Request:
    status = draw.one("success", "success", "success", "failed", "cancelled", None)
    length = draw.maybe(draw.one(0, 5, 80, 86, 86, 87, 90, 512), 0.95)
    duration = draw.one(draw.random.randint(0, 4000), 40, draw.random.randint(0, 4000) / 4)
    ended = None if status is None else at + timedelta(milliseconds=duration)
    if ended and draw.random.random() < 0.05:
        ended -= timedelta(seconds=5)  # a clock that steps back
    good = status == "success"
    return Request(
        request_key=key,
        id=draw.maybe(f"ts_{draw.random.getrandbits(5):08x}", 0.97),
        request_id=draw.maybe(f"req-{key}", 0.5),
        host=draw.one("h1", "h1", "h2"),
        service=draw.one("tts", "tts", "batch"),
        logged_at=at,
        started_at=draw.maybe(at, 0.95),
        completed_at=ended,
        status=status,
        duration_ms=None if status is None else draw.maybe(float(duration), 0.97),
        text_len=length,
        text_class=draw.maybe(draw.one("plain", "plain", "plain", "symbols", "emoji", "control")),
        lang=draw.maybe(draw.one("zh", "en")),
        voice=draw.maybe(draw.one("alloy", "nova", "onyx")),
        cache_hit=draw.maybe(draw.random.random() < 0.3),
        cache_saved=draw.maybe(draw.random.random() < 0.6) if good else None,
        model_stage=draw.maybe(draw.one(*STAGES), 0.7) if status and not good else None,
        error_code=draw.one(*CODES) if status and not good else None,
        audio_size_kb=draw.maybe(_size(draw, length)) if good else None,
        rms=draw.maybe(draw.random.random()) if good else None,
        spectral_centroid=draw.maybe(draw.random.uniform(1500, 3000)) if good else None,
        time_source=draw.one(*SOURCES),
        instance=draw.one(*INSTANCES),
        attributes=(None, '{"priority": "high"}', '{"priority": "low", "none": null}')[key % 3],
        audio_ms=draw.maybe(float(draw.random.randint(0, 30_000)), 0.7) if good else None,
        rtf=draw.maybe(draw.one(0.5, round(draw.random.uniform(0, 3), 4)), 0.7) if good else None,
    )


def _size(draw: _Draw, length: int | None) -> float:
    size = (length or 1) * draw.random.gauss(7, 0.4)
    return round(size * (9 if draw.random.random() < 0.02 else 1), 1)


def _draw_stages(draw: _Draw, rows: Rows, request: Request) -> None:
    elapsed = 0.0
    for seq in range(1, 1 + draw.one(0, 0, 1, 3, 5, 5)):
        own = draw.maybe(float(draw.one(10, 20, draw.random.randint(0, 900))), 0.97)
        elapsed += own or 0
        rows.stage_timings.append(
            Stage(
                request.request_key,
                request.id,
                request.host,
                draw.maybe(STAGES[seq - 1], 0.99),
                seq,
                request.logged_at + timedelta(milliseconds=elapsed),
                elapsed,
                own,
            )
        )


def _draw_errors(draw: _Draw, rows: Rows, request: Request) -> None:
    for _ in range(draw.one(0, 1, 1, 2)):
        level = draw.one("WARNING", "WARNING", "ERROR", "CRITICAL")
        code = draw.one(*(WARNINGS if level == "WARNING" else CODES))
        known = draw.random.random() < 0.8
        fallback = draw.one(None, "true", "TRUE", "false", "yes")
        name = request.id if known else None
        rows.errors.append(
            Error(
                error_key=len(rows.errors),
                occurred_at=draw.after(request.logged_at, draw.one(0, 400_000)),
                time_source=draw.one(*SOURCES),
                host=request.host,
                service=request.service,
                level=level,
                logger=draw.maybe(draw.one("app.tts_engine", "app.cache")),
                event=draw.one("fallback", "synthesis_failed", None),
                code=code,
                id=name,
                request_id=request.request_id if known else None,
                request_key=request.request_key if known else None,
                message=_message(draw, request),
                location=draw.maybe(draw.one("/app/a.py:1 in f", "/app/a.py:2 in g"), 0.4),
                attributes=fallback and json.dumps({"fallback_used": fallback}),
                instance=request.instance,
                exception_type=draw.maybe("ValueError", 0.4),
                exception_message=draw.one(None, "", f'{request.id} text="hello" 7', "disk"),
            )
        )


def _draw_http(draw: _Draw, rows: Rows, request: Request) -> None:
    """Access lines of a request: of a proxy and of the service, tied to it by key, by X-Request-ID
    or not at all.
    """
    for server in draw.one((), ("nginx",), ("nginx", "uvicorn"), (None,)):
        took = draw.maybe((request.duration_ms or 0) + draw.random.randint(0, 400), 0.8)
        rows.http_requests.append(
            Http(
                http_key=len(rows.http_requests),
                logged_at=draw.after(request.logged_at, 5000),
                time_source=draw.one(*SOURCES),
                host=request.host,
                service=request.service,
                server=server,
                client=draw.maybe(draw.one("10.0.0.1", "10.0.0.1", "10.0.0.2")),
                path=draw.maybe(draw.one("/tts", "/tts", "/v1/audio/speech", "/health")),
                http_status=draw.maybe(draw.one(200, 200, 200, 404, 422, 500, 502), 0.97),
                request_ms=took,
                upstream_ms=draw.maybe(took, 0.5) if server == "nginx" else None,
                request_id=draw.one(request.request_id, None, f"other-{request.request_key}"),
                request_key=draw.one(request.request_key, None, None),
                instance=request.instance,
            )
        )


def _share_ids(rows: Rows) -> None:
    """Some requests have the X-Request-ID of the one before: it was sent again."""
    for place in range(7, len(rows.requests), 40):
        before = rows.requests[place - 1]
        rows.requests[place] = replace(rows.requests[place], request_id=before.request_id)


def _draw_ill_host(rows: Rows) -> None:
    """Errors of a host that serves nothing, and errors that are told twice of one request."""
    for error in rows.errors[::4]:
        twice = replace(
            error,
            error_key=len(rows.errors),
            occurred_at=error.occurred_at + timedelta(milliseconds=1),
        )
        rows.errors.append(twice)
    alone = replace(rows.errors[0], error_key=len(rows.errors), host="h3", request_key=None)
    rows.errors.append(alone)


def _message(draw: _Draw, request: Request) -> str | None:
    number = draw.random.randint(1, 10**9)
    return draw.one(
        f"id={request.id or 'none'}, took {number} ms",
        f"id={request.id or 'none'}, took {number / 8} ms",
        f'text="{draw.one("a", "b 5", "c, d=e")}", lang=zh',
        f"request 7f3a2b1c-aaaa-bbbb-cccc-{number:012x} from {request.request_id}",
        f"{'long ' * 110}{number}",
        "failed to load model",
        f"fallback: id={request.id}, warning_code=SLOW_DISK, exit status {number % 2}",
        f"synthesis_failed: id={request.id}, error_code=CUDA_OOM, [Errno 28] of {number}",
        f"synthesis_failed: id={request.id}, error_code=CUDA_OOM",
        None,
    )


def _draw_samples(draw: _Draw, rows: Rows) -> None:
    for host, path in (("h1", "/app/cache"), ("h1", None), ("h2", "/app/cache")):
        at, percent = BEGAN, draw.random.uniform(75, 92)
        for _ in range(draw.random.randint(20, 60)):
            at = draw.after(at, draw.one(1, 120_000, 400_000))
            percent = min(100.0, percent + draw.random.uniform(-1, 1.6))
            percent -= 20 if draw.random.random() < 0.03 else 0
            shown = draw.maybe(round(percent, 1), 0.85)
            total = draw.maybe(draw.one(1024.0, 1024.0, 0.0), 0.8)
            rows.cache_samples.append(
                Sample(
                    sample_key=len(rows.cache_samples),
                    sampled_at=at,
                    host=host,
                    path=path,
                    used_percent=shown,
                    threshold_percent=draw.maybe(draw.one(90.0, 95.0), 0.5),
                    used_mb=None if total is None else round(percent * 10, 0),
                    total_mb=total,
                    time_source=draw.one(*SOURCES),
                    event="cache_health",
                )
            )


def contents(rows: Rows) -> dict[str, list[dict[str, Any]]]:
    """What a store has of the rows, by table; and a log file of each host."""
    # no asdict: it copies each value deeply
    found = {name: [dict(vars(row)) for row in getattr(rows, name)] for name in TABLES}
    for stage in found["stage_timings"]:
        del stage["id"]
        stage["file_key"] = _FIRST_FILE + HOSTS.index(stage.pop("host"))
    if found["stage_timings"]:
        found["log_files"] = [
            _FILE | {"file_key": _FIRST_FILE + n, "host": host, "path": f"/{host}.log"}
            for n, host in enumerate(HOSTS)
        ]
    return {name: told for name, told in found.items() if told}


_FIRST_FILE = 101
_COUNTS = (
    "committed_offset", "size_bytes", "stored_bytes", "modified_ns", "device", "inode", "records",
    "record_bytes", "quarantined", "quarantined_bytes", "ignored_bytes", "lost_bytes", "unclaimed",
    "unclaimed_bytes", "already_stored_bytes",
)  # fmt: skip
_FILE = {"service": "tts", "compression": "none", "state": "live", "first_seen_at": BEGAN}
_FILE |= dict.fromkeys(_COUNTS, 0)


def make_store(path: Path, rows: Rows) -> DuckDBStore:
    """A store at head that holds the rows."""
    import pyarrow as pa

    store = harness.new_store_at(path)
    with store.engine().begin() as connection:
        raw: Any = connection.connection.driver_connection
        for name, content in contents(rows).items():
            raw.register("drawn", pa.Table.from_pylist(content))
            columns = ", ".join(content[0])
            raw.execute(f"insert into {name} ({columns}) select {columns} from drawn")
            raw.unregister("drawn")
    return store
