"""The statements of triage, one per table, for every engine. Instants are epoch seconds."""

_IN_WINDOW = "{at} >= :since and {at} <= :until"
_WRONG = """\
(status is null or status <> 'success' or cache_saved = false or request_key in (
    select request_key from errors
    where request_key is not null and level = 'WARNING'
      and occurred_at >= :since and occurred_at <= :until
))"""

LAST = """\
select max(instant) from (
    select max(logged_at) as instant from requests
    union all select max(occurred_at) from errors
    union all select max(sampled_at) from cache_samples
    union all select max(last_logged_at) from log_files
) as newest"""

COUNT = f"""\
select count(*), coalesce(sum(case when {_WRONG} then 1 else 0 end), 0)
from requests where logged_at >= :since and logged_at <= :until"""

HOSTS = """\
select host, cast(extract(epoch from max(last_logged_at)) as double precision) as last_at
from log_files group by host order by host"""

HTTP_COUNT = """\
select count(*), coalesce(sum(case when http_status >= 500 then 1 else 0 end), 0)
from http_requests where logged_at >= :since and logged_at <= :until"""

# a line belongs to the request that it names by key, else to the one that has its X-Request-ID
# alone
ANSWERS = """\
select
    h.http_key,
    cast(extract(epoch from h.logged_at) as double precision) as instant,
    case when h.time_source = 'file' then 0 else 1 end as dated,
    h.http_status,
    h.request_ms,
    cast(h.bytes_sent as double precision) as bytes_sent,
    coalesce(h.request_key, named.request_key) as request_key,
    h.host,
    h.instance,
    h.server,
    h.path,
    h.client,
    h.method
from http_requests h
left join (
    select request_id, min(request_key) as request_key
    from requests
    where logged_at >= :since and logged_at <= :until and request_id is not null
    group by request_id
    having count(*) = 1
) named on h.request_key is null and named.request_id = h.request_id
where h.logged_at >= :since and h.logged_at <= :until
  and (h.http_key % :every = 0 or (h.http_key % :wrong = 0 and h.http_status >= 500))"""

ARRIVALS = """\
select
    host,
    cast(extract(epoch from started_at) as double precision) as started,
    cast(extract(epoch from completed_at) as double precision) as completed
from requests
where logged_at >= :since and logged_at <= :until and started_at is not null
  and time_source <> 'file'"""

STAGES = """\
select request_key, stage, duration_ms
from stage_timings
where logged_at >= :since and logged_at <= :until and duration_ms is not null
  and request_key is not null and request_key % :every = 0"""

ERRORS = """\
select
    error_key,
    cast(extract(epoch from occurred_at) as double precision) as instant,
    case when time_source = 'file' then 0 else 1 end as dated,
    level,
    request_key,
    host,
    coalesce(code, event) as code,
    case when code is null and event is null then substr(message, 1, 200) end as message,
    location
from errors
where occurred_at >= :since and occurred_at <= :until
  and level in ('WARNING', 'ERROR', 'CRITICAL') and error_key % :every = 0"""

COUNT_ERRORS = "select count(*) from errors where occurred_at >= :since and occurred_at <= :until"

SAMPLES = """\
select
    sample_key,
    cast(extract(epoch from sampled_at) as double precision) as instant,
    used_percent,
    host,
    path
from cache_samples
where sampled_at >= :since and sampled_at <= :until and sample_key % :every = 0"""

_REPEATED = """\
select text, min(request_key) as text_key
from requests
where logged_at >= :since and logged_at <= :until
  and (status is null or status <> 'success') and text is not null and text <> ''
group by text
having count(*) >= 8
order by count(*) desc, min(request_key)
limit 20"""

TEXTS = f"""\
select requests.request_key, repeated.text_key
from requests join ({_REPEATED}) as repeated on repeated.text = requests.text
where requests.logged_at >= :since and requests.logged_at <= :until
  and (requests.request_key % :every = 0 or requests.status is null or requests.status <> 'success')"""  # noqa: E501

TEXT_OF = "select text, text_len from requests where request_key = :key"

EXAMPLES = """\
select
    r.request_key as key,
    r.id,
    f.path,
    coalesce(r.end_offset, r.start_offset) as byte_offset
from requests r
left join log_files f on f.file_key = coalesce(r.end_file_key, r.start_file_key)
where r.request_key in ({keys})"""

RECORD_EXAMPLES = """\
select e.error_key as key, e.id, f.path, e.byte_offset
from errors e left join log_files f on f.file_key = e.file_key
where e.error_key in ({keys})"""

ANSWER_EXAMPLES = """\
select h.http_key as key, coalesce(r.id, h.id, h.request_id) as id, f.path, h.byte_offset
from http_requests h
left join log_files f on f.file_key = h.file_key
left join requests r on r.request_key = h.request_key
where h.http_key in ({keys})"""

PLACE = """\
select path from log_files where file_key = :file_key"""

SAMPLE_EXAMPLES = """\
select s.sample_key as key, null as id, f.path, s.byte_offset
from cache_samples s left join log_files f on f.file_key = s.file_key
where s.sample_key in ({keys})"""


def requests(optional: tuple[str, ...], dated: bool) -> str:
    """A window's requests, or a sample; ``optional`` are columns of later schemas."""
    more = "".join(f"    {name},\n" for name in optional)
    is_dated = "case when time_source = 'file' then 0 else 1 end" if dated else "1"
    return f"""\
select
    request_key,
    cast(extract(epoch from logged_at) as double precision) as logged,
    cast(extract(epoch from started_at) as double precision) as started,
    cast(extract(epoch from completed_at) as double precision) as completed,
    {is_dated} as dated,
    status,
    duration_ms,
    cast(text_len as double precision) as text_len,
    audio_size_kb,
    spectral_centroid,
    case when cache_hit then 1 when not cache_hit then 0 else -1 end as cache_hit,
    case when cache_saved then 1 when not cache_saved then 0 else -1 end as cache_saved,
    host,
    service,
    lang,
    voice,
    text_class,
    error_code,
    model_stage,
{more}    cast(attributes as text) as attributes
from requests
where logged_at >= :since and logged_at <= :until
  and (request_key % :every = 0
    or (request_key % nullif(cast(:wrong as bigint), 0) = 0 and {_WRONG}))"""
