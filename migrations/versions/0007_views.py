"""Views for people who build dashboards, and a comment on every table and column that had none.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

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
        "failed_requests",
        "One row a request that failed: with what input, in which function, and which line "
        "of which log file says so.",
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
            ("request_key", "key of the request; joins the views with each other"),
            ("id", "the service's id of the request (ts_7f3a2b1c); ids may be reused"),
            ("request_id", "X-Request-ID, where the log has it"),
            ("host", "machine the log comes from"),
            ("service", "service the log comes from"),
            ("day", "UTC day of logged_at; for ranges, logged_at is faster"),
            ("logged_at", "first instant known of the request; never null"),
            ("completed_at", "when it ended"),
            ("status", "failed, or as logged"),
            ("duration_ms", "end to end, milliseconds"),
            ("text_len", "length of the text, characters"),
            ("text_class", "kind of text: empty, control, emoji, symbols or plain"),
            ("lang", "language"),
            ("voice", "voice"),
            ("cache_hit", "served from the cache"),
            ("model_stage", "stage it failed in"),
            ("error_code", "error code, from its end or else from its first error"),
            (
                "exception_type",
                "type of the exception of its first error; the first with a traceback, if "
                "any has one",
            ),
            ("location", "file, line and function of the service's own code where that was raised"),
            (
                "log_path",
                "log file of that error's record (without one, the request's end or start): "
                "where it was seen last",
            ),
            (
                "byte_offset",
                "where that error's record (without one, the request's end or start) begins "
                "in that file, uncompressed bytes",
            ),
        ),
    ),
    (
        "stage_times",
        "One row a stage that a request went through, with what the request was.",
        """\
select
    s.request_key,
    s.id,
    s.host,
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
            ("request_key", "key of the request; joins the views with each other"),
            ("id", "the service's id of the request (ts_7f3a2b1c); ids may be reused"),
            ("host", "machine the log comes from"),
            ("service", "service the log comes from"),
            ("day", "UTC day of logged_at; for ranges, logged_at is faster"),
            ("logged_at", "when the stage ended"),
            ("stage", "text_normalize, llm_prompt_gen, llm_inference, ..."),
            ("seq", "1, 2, ... in time within the request"),
            ("own_ms", "the stage's own milliseconds"),
            ("elapsed_ms", "milliseconds since the request began"),
            ("request_ms", "the request's milliseconds, end to end"),
            ("status", "the request's: success, failed, as logged; null while unfinished"),
            ("failed", "true: the request ended, and not with success"),
            ("text_len", "length of the text, characters"),
            ("text_class", "kind of text: empty, control, emoji, symbols or plain"),
            ("lang", "language"),
            ("voice", "voice"),
            ("cache_hit", "served from the cache"),
            ("log_path", "log file of the stage's record: where it was seen last"),
            ("byte_offset", "where the stage's record begins in that file, uncompressed bytes"),
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
    e.time_inferred,
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
            ("time_inferred", "true: the record has no stamp; taken from the one before"),
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
)
_ON_REVISION = (
    ("table alembic_version", "The schema revision of this store."),
    ("column alembic_version.version_num", "the revision"),
)


def upgrade() -> None:
    for name, comment, query, columns in _VIEWS:
        op.execute(f"create view {name} as {query}")
        _comment(f"view {name}", comment)
        for column, meaning in columns:
            _comment(f"column {name}.{column}", meaning)
    for what, comment in _ON_REVISION:
        _comment(what, comment)


def downgrade() -> None:
    for what, _ in _ON_REVISION:
        op.execute(f"comment on {what} is null")
    for name, *_ in reversed(_VIEWS):
        op.execute(f"drop view {name}")


def _comment(what: str, words: str) -> None:
    quoted = words.replace("'", "''")
    op.execute(f"comment on {what} is '{quoted}'")
