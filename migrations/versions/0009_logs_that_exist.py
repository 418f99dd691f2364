"""Logs that name no requests: where ids and instants come from, what was left unclaimed, access
lines; the format of each log file.

Revision ID: 0009
Revises: 0008
"""

import runpy
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alembic import op

from ingest.stores.migrate import is_postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_SOURCE = "where the instant comes from: logged, envelope, neighbour, read or file"
_INSTANCE = "container, pod, unit or process within the log"
_OF_REQUESTS = (
    ("instance", "text", _INSTANCE),
    ("id_source", "text", "logged, or place: made from where the request begins in its log"),
    ("assembly", "text", "how its records were put together: id, sequence or uncertain"),
    ("profile", "text", "profile that its lines were read by; null for events of its own"),
    ("audio_ms", "double precision", "length of the audio made, milliseconds"),
    ("rtf", "double precision", "real-time factor: as logged, else time taken per time of audio"),
    ("tokens", "bigint", "tokens generated"),
)
_COUNTS = (
    ("unclaimed", "lines that nothing explains"),
    ("unclaimed_bytes", "bytes in these"),
    ("already_stored_bytes", "bytes of records stored from another place before"),
)
_OF_FILES = (
    ("encoding", "encoding of the text; null where nothing has told it yet"),
    ("format", "what it is read with, JSON"),
    ("reading", "state of the reading at committed_offset, JSON; null without one"),
)
_BITS = "bit set of the columns that synthesis_complete filled"
_NAMED_BITS = (
    "bits of the columns that synthesis_complete filled: 0 request_id, 1 text, 2 "
    "text_len, 3 lang, 4 voice, 5 duration_ms, 6 cache_hit, 7 cache_saved, 8 status, "
    "9 model_stage, 10 error_code, 11 audio_size_kb, 12 rms, 13 spectral_centroid, 14"
    " text_class, 15 text_points, 16 instance, 17 profile, 18 audio_ms, 19 rtf, 20 "
    "tokens, 21 id_source, 22 assembly"
)
_INFERRED = "true: the record has no stamp; taken from the one before"
_HTTP_COMMENT = "One row per access line: a request as an HTTP server logged it."
# name, type, whether it is never null, comment
_HTTP = (
    ("http_key", "bigint", True, "unique key: file_key and byte_offset"),
    ("logged_at", "timestamp with time zone", True, "instant of the line"),
    ("time_source", "text", True, _SOURCE),
    ("host", "text", True, "machine the log comes from"),
    ("service", "text", True, "service the log comes from"),
    ("instance", "text", False, _INSTANCE),
    ("server", "text", False, "server that logged it: nginx, uvicorn, ..."),
    ("client", "text", False, "address of the client"),
    ("method", "text", False, "GET, POST, ..."),
    ("path", "text", False, "path, without the query"),
    ("query", "text", False, "query string (users' words)"),
    ("protocol", "text", False, "HTTP/1.1, ..."),
    ("http_status", "bigint", False, "status of the answer"),
    ("bytes_sent", "bigint", False, "bytes sent"),
    ("request_ms", "double precision", False, "whole time of the request, milliseconds"),
    (
        "upstream_ms",
        "double precision",
        False,
        "time of the servers behind, milliseconds; of several the sum",
    ),
    ("id", "text", False, "the service's id of the request that it answers, where known"),
    ("request_id", "text", False, "X-Request-ID"),
    ("request_key", "bigint", False, "the request that it answers, where known"),
    ("user_agent", "text", False, "what the client calls itself (users' words)"),
    ("referer", "text", False, "page that the client came from (users' words)"),
    ("attributes", "json", False, "every other field of the line"),
    ("file_key", "bigint", True, "log file"),
    ("byte_offset", "bigint", True, "of the line's first byte, uncompressed"),
)
_DEFAULTS = {"time_source": " default 'logged'"}
_HTTP_INDEXES = (
    ("unique index http_requests_key", "http_requests (http_key, logged_at)"),
    ("index http_requests_id", "http_requests (id) where id is not null"),
    ("index http_requests_request_id", "http_requests (request_id) where request_id is not null"),
    ("index http_requests_request_key", "http_requests (request_key)"),
)
_CHANGED_VIEWS = ("all_requests", "logged_errors", "cache_levels")
# name, comment, query, columns with their comments
_VIEWS = (
    (
        "all_requests",
        "One row a synthesis request, with where its log begins.",
        """\
select
    r.request_key,
    r.id,
    r.request_id,
    r.host,
    r.service,
    cast(r.logged_at at time zone 'UTC' as date) as day,
    r.logged_at,
    r.time_source,
    r.started_at,
    r.completed_at,
    r.status,
    coalesce(r.status <> 'success', false) as failed,
    r.status is not null as finished,
    r.duration_ms,
    r.text_len,
    r.text_class,
    r.lang,
    r.voice,
    r.cache_hit,
    r.cache_saved,
    r.model_stage,
    r.error_code,
    r.audio_size_kb,
    r.rms,
    r.spectral_centroid,
    r.instance,
    r.profile,
    r.audio_ms,
    r.rtf,
    r.tokens,
    r.id_source,
    r.assembly,
    f.path as log_path,
    coalesce(r.start_offset, r.end_offset) as byte_offset
from requests r
left join log_files f on f.file_key = coalesce(r.start_file_key, r.end_file_key)""",
        (
            ("request_key", "key of the request; joins the views with each other"),
            ("id", "the service's id of the request (ts_7f3a2b1c); ids may be reused"),
            ("request_id", "X-Request-ID, where the log has it"),
            ("host", "machine the log comes from"),
            ("service", "service the log comes from"),
            ("day", "UTC day of logged_at; for ranges, logged_at is faster"),
            ("logged_at", "first instant known of the request; never null"),
            (
                "time_source",
                "where the instant comes from: logged, envelope, neighbour, read or file",
            ),
            ("started_at", "when it began; null where its start was not logged"),
            ("completed_at", "when it ended; null while unfinished"),
            ("status", "success, failed, as logged otherwise; null while unfinished"),
            ("failed", "true: it ended, and not with success; false also while unfinished"),
            ("finished", "true: its end was logged"),
            ("duration_ms", "end to end, milliseconds"),
            ("text_len", "length of the text, characters"),
            ("text_class", "kind of text: empty, control, emoji, symbols or plain"),
            ("lang", "language"),
            ("voice", "voice"),
            ("cache_hit", "served from the cache"),
            ("cache_saved", "the result was written to the cache"),
            ("model_stage", "stage reached or failed in"),
            ("error_code", "error code of a failed request"),
            ("audio_size_kb", "size of the audio, KB"),
            ("rms", "loudness of the audio (root mean square)"),
            ("spectral_centroid", "brightness of the audio, Hz"),
            ("instance", "container, pod, unit or process within the log"),
            ("profile", "profile that its lines were read by; null for events of its own"),
            ("audio_ms", "length of the audio made, milliseconds"),
            ("rtf", "real-time factor: time taken per time of audio"),
            ("tokens", "tokens generated"),
            ("id_source", "logged, or place: made from where the request begins"),
            ("assembly", "how it was put together: id, sequence or uncertain"),
            (
                "log_path",
                "log file of its start (or, without one, its end): where it was seen last",
            ),
            (
                "byte_offset",
                "where its start (or, without one, its end) begins in that file, "
                "uncompressed bytes",
            ),
        ),
    ),
    (
        "logged_errors",
        "One row a WARNING, ERROR or CRITICAL record, without what it says.",
        """\
select
    e.error_key,
    e.request_key,
    e.id,
    e.request_id,
    e.host,
    e.service,
    cast(e.occurred_at at time zone 'UTC' as date) as day,
    e.occurred_at,
    e.time_source,
    e.instance,
    e.level,
    e.logger,
    e.event,
    e.code,
    e.exception_type,
    e.location,
    coalesce(
        lower(e.attributes ->> 'fallback_used') in ('true', 'yes', '1'),
        lower(e.code) like '%fallback%' or lower(e.event) like '%fallback%',
        false
    ) as is_fallback,
    f.path as log_path,
    e.byte_offset
from errors e
left join log_files f on f.file_key = e.file_key""",
        (
            ("error_key", "key of the record"),
            ("request_key", "key of the request it belongs to, where that is known"),
            ("id", "the service's id of the request (ts_7f3a2b1c); ids may be reused"),
            ("request_id", "X-Request-ID, where the log has it"),
            ("host", "machine the log comes from"),
            ("service", "service the log comes from"),
            ("day", "UTC day of occurred_at; for ranges, occurred_at is faster"),
            ("occurred_at", "instant of the record"),
            (
                "time_source",
                "where the instant comes from: logged, envelope, neighbour, read or file",
            ),
            ("instance", "container, pod, unit or process within the log"),
            ("level", "WARNING, ERROR or CRITICAL"),
            ("logger", "name of the Python logger"),
            ("event", "the event's name, where the message begins with one"),
            ("code", "error code or warning code"),
            ("exception_type", "type of the exception raised last"),
            ("location", "file, line and function of the deepest frame of the service's own"),
            ("is_fallback", "the service made do with less: a fallback was used, or named"),
            ("log_path", "log file of the record: where it was seen last"),
            ("byte_offset", "where the record begins in that file, uncompressed bytes"),
        ),
    ),
    (
        "cache_levels",
        "One row a look of the service at how full a cache is.",
        """\
select
    c.sample_key,
    c.host,
    cast(c.sampled_at at time zone 'UTC' as date) as day,
    c.sampled_at,
    c.time_source,
    c.path as cache_path,
    c.used_percent,
    c.threshold_percent,
    c.used_percent >= c.threshold_percent as above_threshold,
    c.used_mb,
    c.total_mb,
    c.action,
    c.event,
    f.path as log_path,
    c.byte_offset
from cache_samples c
left join log_files f on f.file_key = c.file_key""",
        (
            ("sample_key", "key of the record"),
            ("host", "machine the log comes from"),
            ("day", "UTC day of sampled_at; for ranges, sampled_at is faster"),
            ("sampled_at", "instant of the record"),
            (
                "time_source",
                "where the instant comes from: logged, envelope, neighbour, read or file",
            ),
            ("cache_path", "cache directory"),
            ("used_percent", "used, percent"),
            ("threshold_percent", "alarm threshold, percent"),
            ("above_threshold", "the threshold was reached; null without one"),
            ("used_mb", "used, MB"),
            ("total_mb", "capacity, MB"),
            ("action", "what the service did about it"),
            ("event", "cache_dir_usage or cache_health"),
            ("log_path", "log file of the record: where it was seen last"),
            ("byte_offset", "where the record begins in that file, uncompressed bytes"),
        ),
    ),
    (
        "http_answers",
        "One row per access line, without what users sent.",
        """\
select
    h.http_key,
    h.request_key,
    h.id,
    h.request_id,
    h.host,
    h.service,
    h.instance,
    cast(h.logged_at at time zone 'UTC' as date) as day,
    h.logged_at,
    h.time_source,
    h.server,
    h.client,
    h.method,
    h.path,
    h.protocol,
    h.http_status,
    h.http_status >= 400 as failed,
    h.bytes_sent,
    h.request_ms,
    h.upstream_ms,
    f.path as log_path,
    h.byte_offset
from http_requests h
left join log_files f on f.file_key = h.file_key""",
        (
            ("http_key", "key of the line"),
            ("request_key", "key of the request that it answers, where that is known"),
            ("id", "the service's id of the request (ts_7f3a2b1c); ids may be reused"),
            ("request_id", "X-Request-ID, where the log has it"),
            ("host", "machine the log comes from"),
            ("service", "service the log comes from"),
            ("instance", "container, pod, unit or process within the log"),
            ("day", "UTC day of logged_at; for ranges, logged_at is faster"),
            ("logged_at", "instant of the line"),
            (
                "time_source",
                "where the instant comes from: logged, envelope, neighbour, read or file",
            ),
            ("server", "server that logged it: nginx, uvicorn, ..."),
            ("client", "address of the client"),
            ("method", "GET, POST, ..."),
            ("path", "path, without the query"),
            ("protocol", "HTTP/1.1, ..."),
            ("http_status", "status of the answer"),
            ("failed", "true: a status of 400 or above; null without one"),
            ("bytes_sent", "bytes sent"),
            ("request_ms", "whole time of the request, milliseconds"),
            ("upstream_ms", "time of the servers behind, milliseconds"),
            ("log_path", "log file of the line: where it was seen last"),
            ("byte_offset", "where the line begins in that file, uncompressed bytes"),
        ),
    ),
)


def _is_postgresql() -> bool:
    return is_postgresql(op.get_bind())


def _type(kind: str) -> str:
    """A column's type; texts are compared by code point."""
    return 'varchar collate "C"' if kind == "text" and _is_postgresql() else kind


def upgrade() -> None:
    for name in _CHANGED_VIEWS:
        op.execute(f"drop view {name}")
    for table in ("requests", "request_parts"):
        _add(table, "time_source", "text", _SOURCE, "'logged'")
        for name, kind, comment in _OF_REQUESTS:
            _add(table, name, kind, comment)
    # what is stored was logged with its id; pieces get it when they are put together
    op.execute("update requests set id_source = 'logged', assembly = 'id' where id is not null")
    _comment("column request_parts.end_columns", _NAMED_BITS)
    op.execute(
        f"alter table errors alter column time_inferred type {_type('text')} "
        "using case when time_inferred then 'neighbour' else 'logged' end"
    )
    op.execute("alter table errors rename column time_inferred to time_source")
    _comment("column errors.time_source", _SOURCE)
    _add("errors", "instance", "text", _INSTANCE)
    _add("cache_samples", "time_source", "text", _SOURCE, "'logged'")
    for table in ("log_files", "ingest_runs"):
        for name, comment in _COUNTS:
            _add(table, name, "bigint", comment, "0")
    for name, comment in _OF_FILES:
        _add("log_files", name, "text", comment)
    _make_http_requests()
    _make_views(_VIEWS)


def downgrade() -> None:
    for name, *_ in _VIEWS:
        op.execute(f"drop view {name}")
    op.execute("drop table http_requests")
    for name, _ in _OF_FILES:
        _drop("log_files", name)
    for table in ("ingest_runs", "log_files"):
        for name, _ in _COUNTS:
            _drop(table, name)
    _drop("cache_samples", "time_source")
    _drop("errors", "instance")
    op.execute("alter table errors rename column time_source to time_inferred")
    op.execute(
        "alter table errors alter column time_inferred type boolean using time_inferred <> 'logged'"
    )
    _comment("column errors.time_inferred", _INFERRED)
    _comment("column request_parts.end_columns", _BITS)
    for table in ("request_parts", "requests"):
        for name, *_ in _OF_REQUESTS:
            _drop(table, name)
        _drop(table, "time_source")
    before = runpy.run_path(str(Path(__file__).with_name("0007_views.py")))["_VIEWS"]
    _make_views([view for view in before if view[0] in _CHANGED_VIEWS])


def _add(table: str, name: str, kind: str, comment: str, value: str | None = None) -> None:
    """Add a column; one with a value has that where nothing else is said, and is never null."""
    default = f" default {value}" if value else ""
    op.execute(f"alter table {table} add column {name} {_type(kind)}{default}")
    if value:
        op.execute(f"alter table {table} alter column {name} set not null")
    _comment(f"column {table}.{name}", comment)


def _drop(table: str, name: str) -> None:
    op.execute(f"alter table {table} drop column {name}")


def _make_http_requests() -> None:
    columns = ", ".join(
        f"{name} {_type(kind)}{_DEFAULTS.get(name, '')}{' not null' if is_needed else ''}"
        for name, kind, is_needed, _ in _HTTP
    )
    by_day = " partition by range (logged_at)" if _is_postgresql() else ""
    op.execute(f"create table http_requests ({columns}){by_day}")
    _comment("table http_requests", _HTTP_COMMENT)
    for name, _, _, comment in _HTTP:
        _comment(f"column http_requests.{name}", comment)
    if _is_postgresql():
        op.execute("create table http_requests_default partition of http_requests default")
        for index, rows in _HTTP_INDEXES:
            op.execute(f"create {index} on {rows}")


def _make_views(views: Iterable[tuple[Any, ...]]) -> None:
    for name, comment, query, columns in views:
        op.execute(f"create view {name} as {query}")
        _comment(f"view {name}", comment)
        for column, meaning in columns:
            _comment(f"column {name}.{column}", meaning)


def _comment(what: str, words: str) -> None:
    quoted = words.replace("'", "''")
    op.execute(f"comment on {what} is '{quoted}'")
