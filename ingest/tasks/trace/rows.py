"""The values that ``ttsq trace`` gathers: rows of the tables, each named as its columns are."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

from ingest.stores.contract import QueryResult

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Match:
    """A request that answers to what was asked for; without ``request_key`` only its errors are
    stored.

    ``rank`` 0: by id, 1: by X-Request-ID, 2: by the beginning of one, 3: by a client's address.
    ``text`` is its head. ``http_key`` is that of an access line of which no request is known.
    """

    request_key: int | None
    id: str | None
    request_id: str | None
    host: str
    service: str | None
    first_at: datetime
    last_at: datetime
    status: str | None
    error_code: str | None
    duration_ms: float | None
    text: str | None
    rank: int
    is_request: bool = True
    http_key: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """A row of ``requests``."""

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
    text: str | None
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
    attributes: object
    start_file_key: int | None
    start_offset: int | None
    end_file_key: int | None
    end_offset: int | None


@dataclass(frozen=True, slots=True)
class Stage:
    """A row of ``stage_timings``."""

    stage: str | None
    seq: int | None
    logged_at: datetime
    elapsed_ms: float | None
    duration_ms: float | None
    file_key: int
    byte_offset: int


@dataclass(frozen=True, slots=True)
class Error:
    """A row of ``errors``."""

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
    message: str | None
    exception_type: str | None
    exception_message: str | None
    traceback: str | None
    location: str | None
    attributes: object
    file_key: int
    byte_offset: int


@dataclass(frozen=True, slots=True)
class Http:
    """A row of ``http_requests``: an access line of the request."""

    http_key: int
    logged_at: datetime
    time_source: str
    host: str
    server: str | None
    client: str | None
    method: str | None
    path: str | None
    http_status: int | None
    bytes_sent: int | None
    request_ms: float | None
    upstream_ms: float | None
    id: str | None
    request_id: str | None
    request_key: int | None
    file_key: int
    byte_offset: int


@dataclass(frozen=True, slots=True)
class Sample:
    """A row of ``cache_samples``."""

    sampled_at: datetime
    path: str | None
    used_percent: float | None
    threshold_percent: float | None
    used_mb: float | None
    total_mb: float | None
    action: str | None
    event: str
    file_key: int
    byte_offset: int


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another request near by; ``total`` counts all that there are of its kind, shown or not."""

    id: str | None
    request_id: str | None
    host: str
    logged_at: datetime
    completed_at: datetime | None
    status: str | None
    error_code: str | None
    duration_ms: float | None
    text_len: int | None
    total: int


@dataclass(frozen=True, slots=True)
class NearError:
    """A WARNING or worse of something else near by; ``total`` as in :class:`Neighbour`."""

    occurred_at: datetime
    host: str
    level: str
    code: str | None
    id: str | None
    message: str | None
    file_key: int
    byte_offset: int
    total: int


@dataclass(frozen=True, slots=True)
class CodeCount:
    """How many records or requests have a code; ``here``: on the request's host."""

    level: str | None
    code: str | None
    records: int
    here: int


@dataclass(frozen=True, slots=True)
class InFlight:
    """Other requests in flight at an instant; ``endless`` are those without a known end."""

    everywhere: int
    here: int
    endless: int


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A row of ``log_files``: what tells the file, and where it was last seen."""

    file_key: int
    path: str
    fingerprint: str | None
    header_offset: int | None
    anchor: str | None
    committed_offset: int
    inode: int
    format: str | None = None


def rows_of(kind: type[T], result: QueryResult) -> list[T]:
    """Rows as values of a dataclass with the columns' names; fields without a column are None."""
    absent = {f.name: None for f in fields(kind) if f.name not in result.columns}  # type: ignore[arg-type]
    absent.pop("is_request", None)
    return [kind(**absent, **dict(zip(result.columns, row, strict=True))) for row in result.rows]
