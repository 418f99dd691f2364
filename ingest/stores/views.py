"""The views for people who build dashboards: plain names, comments, none of user text; as data.

One text of each serves every backend. A migration creates them from a copy of its own;
``ttsq db check`` compares the two.
"""

from dataclasses import dataclass
from typing import NamedTuple


class ViewColumn(NamedTuple):
    """A column: its name, its type in SQL's words, what it means."""

    name: str
    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class View:
    """A view: ``select`` gives the columns, in their order."""

    name: str
    comment: str
    select: str
    columns: tuple[ViewColumn, ...]


_TEXT, _NUMBER, _WHOLE, _YES_NO = "varchar", "double precision", "bigint", "boolean"
_INSTANT = "timestamp with time zone"

_KEY = ViewColumn("request_key", _WHOLE, "key of the request; joins the views with each other")
_ID = ViewColumn("id", _TEXT, "the service's id of the request (ts_7f3a2b1c); ids may be reused")
_REQUEST_ID = ViewColumn("request_id", _TEXT, "X-Request-ID, where the log has it")
_HOST = ViewColumn("host", _TEXT, "machine the log comes from")
_SERVICE = ViewColumn("service", _TEXT, "service the log comes from")
_INSTANCE = ViewColumn("instance", _TEXT, "container, pod, unit or process within the log")
_TIME_SOURCE = ViewColumn(
    "time_source", _TEXT, "where the instant comes from: logged, envelope, neighbour, read or file"
)
_STATUS = ViewColumn("status", _TEXT, "success, failed, as logged otherwise; null while unfinished")
_FAILED = ViewColumn(
    "failed", _YES_NO, "true: it ended, and not with success; false also while unfinished"
)
_INPUT = (
    ViewColumn("text_len", _WHOLE, "length of the text, characters"),
    ViewColumn("text_class", _TEXT, "kind of text: empty, control, emoji, symbols or plain"),
    ViewColumn("lang", _TEXT, "language"),
    ViewColumn("voice", _TEXT, "voice"),
    ViewColumn("cache_hit", _YES_NO, "served from the cache"),
)


def _day(of: str) -> ViewColumn:
    return ViewColumn("day", "date", f"UTC day of {of}; for ranges, {of} is faster")


def _place(record: str) -> tuple[ViewColumn, ViewColumn]:
    return (
        ViewColumn("log_path", _TEXT, f"log file of {record}: where it was seen last"),
        ViewColumn(
            "byte_offset", _WHOLE, f"where {record} begins in that file, uncompressed bytes"
        ),
    )


_ALL_REQUESTS = View(
    "all_requests",
    "One row per synthesis request, with where its log begins.",
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
        _KEY,
        _ID,
        _REQUEST_ID,
        _HOST,
        _SERVICE,
        _day("logged_at"),
        ViewColumn("logged_at", _INSTANT, "first instant known of the request; never null"),
        _TIME_SOURCE,
        ViewColumn("started_at", _INSTANT, "when it began; null where its start was not logged"),
        ViewColumn("completed_at", _INSTANT, "when it ended; null while unfinished"),
        _STATUS,
        _FAILED,
        ViewColumn("finished", _YES_NO, "true: its end was logged"),
        ViewColumn("duration_ms", _NUMBER, "end to end, milliseconds"),
        *_INPUT,
        ViewColumn("cache_saved", _YES_NO, "the result was written to the cache"),
        ViewColumn("model_stage", _TEXT, "stage reached or failed in"),
        ViewColumn("error_code", _TEXT, "error code of a failed request"),
        ViewColumn("audio_size_kb", _NUMBER, "size of the audio, KB"),
        ViewColumn("rms", _NUMBER, "loudness of the audio (root mean square)"),
        ViewColumn("spectral_centroid", _NUMBER, "brightness of the audio, Hz"),
        _INSTANCE,
        ViewColumn(
            "profile", _TEXT, "profile that its lines were read by; null for events of its own"
        ),
        ViewColumn("audio_ms", _NUMBER, "length of the audio made, milliseconds"),
        ViewColumn("rtf", _NUMBER, "real-time factor: time taken per time of audio"),
        ViewColumn("tokens", _WHOLE, "tokens generated"),
        ViewColumn("id_source", _TEXT, "logged, or place: made from where the request begins"),
        ViewColumn("assembly", _TEXT, "how it was put together: id, sequence or uncertain"),
        *_place("its start (or, without one, its end)"),
    ),
)

_FAILED_REQUESTS = View(
    "failed_requests",
    "One row per failed request: with what input, in which function, and where in which log file.",
    """\
select
    r.request_key,
    r.id,
    r.request_id,
    r.host,
    r.service,
    cast(r.logged_at at time zone 'UTC' as date) as day,
    r.logged_at,
    r.completed_at,
    r.status,
    r.duration_ms,
    r.text_len,
    r.text_class,
    r.lang,
    r.voice,
    r.cache_hit,
    r.model_stage,
    coalesce(r.error_code, e.code) as error_code,
    e.exception_type,
    e.location,
    f.path as log_path,
    case
        when e.file_key is not null then e.byte_offset
        when r.end_file_key is not null then r.end_offset
        else r.start_offset
    end as byte_offset
from requests r
left join lateral (
    select x.code, x.exception_type, x.location, x.file_key, x.byte_offset
    from errors x
    where x.request_key = r.request_key
      and x.level <> 'WARNING'
    order by x.location is null, x.occurred_at, x.error_key
    limit 1
) e on true
left join log_files f on f.file_key = coalesce(e.file_key, r.end_file_key, r.start_file_key)
where r.status <> 'success'""",
    (
        _KEY,
        _ID,
        _REQUEST_ID,
        _HOST,
        _SERVICE,
        _day("logged_at"),
        ViewColumn("logged_at", _INSTANT, "first instant known of the request; never null"),
        ViewColumn("completed_at", _INSTANT, "when it ended"),
        _STATUS._replace(comment="failed, or as logged"),
        ViewColumn("duration_ms", _NUMBER, "end to end, milliseconds"),
        *_INPUT,
        ViewColumn("model_stage", _TEXT, "stage it failed in"),
        ViewColumn("error_code", _TEXT, "error code, from its end or else from its first error"),
        ViewColumn(
            "exception_type",
            _TEXT,
            "type of the exception of its first error; the first with a traceback, if any has one",
        ),
        ViewColumn(
            "location",
            _TEXT,
            "file, line and function of the service's own code where that was raised",
        ),
        *_place("that error's record (without one, the request's end or start)"),
    ),
)

_STAGE_TIMES = View(
    "stage_times",
    "One row per stage that a request went through, with what the request was.",
    """\
select
    s.request_key,
    r.id,
    f.host,
    r.service,
    cast(s.logged_at at time zone 'UTC' as date) as day,
    s.logged_at,
    s.stage,
    s.seq,
    s.duration_ms as own_ms,
    s.elapsed_ms,
    r.duration_ms as request_ms,
    r.status,
    coalesce(r.status <> 'success', false) as failed,
    r.text_len,
    r.text_class,
    r.lang,
    r.voice,
    r.cache_hit,
    f.path as log_path,
    s.byte_offset
from stage_timings s
left join requests r on r.request_key = s.request_key
left join log_files f on f.file_key = s.file_key""",
    (
        _KEY,
        _ID,
        _HOST,
        _SERVICE,
        _day("logged_at"),
        ViewColumn("logged_at", _INSTANT, "when the stage ended"),
        ViewColumn("stage", _TEXT, "text_normalize, llm_prompt_gen, llm_inference, ..."),
        ViewColumn("seq", "integer", "1, 2, ... in time within the request"),
        ViewColumn("own_ms", _NUMBER, "the stage's own milliseconds"),
        ViewColumn("elapsed_ms", _NUMBER, "milliseconds since the request began"),
        ViewColumn("request_ms", _NUMBER, "the request's milliseconds, end to end"),
        _STATUS._replace(
            comment="the request's: success, failed, as logged; null while unfinished"
        ),
        _FAILED._replace(comment="true: the request ended, and not with success"),
        *_INPUT,
        *_place("the stage's record"),
    ),
)

_LOGGED_ERRORS = View(
    "logged_errors",
    "One row per WARNING, ERROR or CRITICAL record, without its message.",
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
        ViewColumn("error_key", _WHOLE, "key of the record"),
        _KEY._replace(comment="key of the request it belongs to, where that is known"),
        _ID,
        _REQUEST_ID,
        _HOST,
        _SERVICE,
        _day("occurred_at"),
        ViewColumn("occurred_at", _INSTANT, "instant of the record"),
        _TIME_SOURCE,
        _INSTANCE,
        ViewColumn("level", _TEXT, "WARNING, ERROR or CRITICAL"),
        ViewColumn("logger", _TEXT, "name of the Python logger"),
        ViewColumn("event", _TEXT, "the event's name, where the message begins with one"),
        ViewColumn("code", _TEXT, "error code or warning code"),
        ViewColumn("exception_type", _TEXT, "type of the exception raised last"),
        ViewColumn(
            "location", _TEXT, "file, line and function of the deepest frame of the service's own"
        ),
        ViewColumn(
            "is_fallback", _YES_NO, "the service made do with less: a fallback was used, or named"
        ),
        *_place("the record"),
    ),
)

_CACHE_LEVELS = View(
    "cache_levels",
    "One row per sample of how full a cache is.",
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
        ViewColumn("sample_key", _WHOLE, "key of the record"),
        _HOST,
        _day("sampled_at"),
        ViewColumn("sampled_at", _INSTANT, "instant of the record"),
        _TIME_SOURCE,
        ViewColumn("cache_path", _TEXT, "cache directory"),
        ViewColumn("used_percent", _NUMBER, "used, percent"),
        ViewColumn("threshold_percent", _NUMBER, "alarm threshold, percent"),
        ViewColumn("above_threshold", _YES_NO, "the threshold was reached; null without one"),
        ViewColumn("used_mb", _NUMBER, "used, MB"),
        ViewColumn("total_mb", _NUMBER, "capacity, MB"),
        ViewColumn("action", _TEXT, "what the service did about it"),
        ViewColumn("event", _TEXT, "cache_dir_usage or cache_health"),
        *_place("the record"),
    ),
)

_HTTP_ANSWERS = View(
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
        ViewColumn("http_key", _WHOLE, "key of the line"),
        _KEY._replace(comment="key of the request that it answers, where that is known"),
        _ID,
        _REQUEST_ID,
        _HOST,
        _SERVICE,
        _INSTANCE,
        _day("logged_at"),
        ViewColumn("logged_at", _INSTANT, "instant of the line"),
        _TIME_SOURCE,
        ViewColumn("server", _TEXT, "server that logged it: nginx, uvicorn, ..."),
        ViewColumn("client", _TEXT, "address of the client"),
        ViewColumn("method", _TEXT, "GET, POST, ..."),
        ViewColumn("path", _TEXT, "path, without the query"),
        ViewColumn("protocol", _TEXT, "HTTP/1.1, ..."),
        ViewColumn("http_status", _WHOLE, "status of the answer"),
        ViewColumn("failed", _YES_NO, "true: a status of 400 or above; null without one"),
        ViewColumn("bytes_sent", _WHOLE, "bytes sent"),
        ViewColumn("request_ms", _NUMBER, "whole time of the request, milliseconds"),
        ViewColumn("upstream_ms", _NUMBER, "time of the upstream servers, milliseconds"),
        *_place("the line"),
    ),
)

VIEWS = (
    _ALL_REQUESTS,
    _FAILED_REQUESTS,
    _STAGE_TIMES,
    _LOGGED_ERRORS,
    _CACHE_LEVELS,
    _HTTP_ANSWERS,
)
