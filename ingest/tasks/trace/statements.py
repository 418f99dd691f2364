"""The statements behind ``ttsq trace``: for DuckDB and PostgreSQL alike, every value a parameter.

Lookups by id read one column of a whole table; all others are bounded by a window of time.
"""

# Several values of one statement: how a row answers to what was asked for; 0 is the best.
_RANK = "case when id = :wanted then 0 when request_id = :wanted then 1 else 2 end"
_ANSWERS = """(id = :wanted or request_id = :wanted
    or starts_with(id, cast(:prefix as text)) or starts_with(request_id, cast(:prefix as text)))"""
_DISTANCE = """case when cast(:at as timestamptz) is null then 0
    else abs(extract(epoch from {0}) - extract(epoch from cast(:at as timestamptz))) end"""

_MATCH = """request_key, id, request_id, host, service, logged_at as first_at,
    coalesce(completed_at, logged_at) as last_at, status, error_code, duration_ms,
    substr(text, 1, 200) as text"""

FIND_REQUESTS = f"""
select {_MATCH}, {_RANK} as rank
from requests
where {_ANSWERS}
order by rank, {_DISTANCE.format("logged_at")}, logged_at desc, request_key
limit cast(:most as bigint)
"""

FIND_ERRORS = f"""
select request_key, id, request_id, host, service, occurred_at, code, {_RANK} as rank
from errors
where {_ANSWERS}
order by rank, {_DISTANCE.format("occurred_at")}, occurred_at desc, error_key
limit cast(:most as bigint)
"""

# Requests that only their errors name: an X-Request-ID may stand in those alone.
FIND_LINKED = f"""
select {_MATCH}, 1 as rank
from requests
where request_key in (select request_key from errors where {_ANSWERS} and {_RANK} <= :rank)
order by logged_at desc, request_key
limit cast(:most as bigint)
"""

# Access lines that have the X-Request-ID or its beginning, or come from a client; with the requests
# that they answer.
FIND_LINES = f"""
select h.http_key, h.request_key, h.request_id, h.host, h.service, h.logged_at, h.request_ms,
    h.http_status, h.client, h.method, h.path,
    case when h.request_id = :wanted then 1
        when starts_with(h.request_id, cast(:prefix as text)) then 2 else 3 end as rank
from http_requests h
where h.request_id = :wanted or starts_with(h.request_id, cast(:prefix as text))
   or (h.client = :wanted and (cast(:at as timestamptz) is null
       or (h.logged_at >= cast(:at as timestamptz) - interval '1' hour
           and h.logged_at <= cast(:at as timestamptz) + interval '1' hour)))
order by rank, {_DISTANCE.format("h.logged_at")}, h.logged_at desc, h.http_key
limit cast(:most as bigint)
"""

REQUEST_OF_KEY = f"""
select {_MATCH}, 3 as rank
from requests
where request_key = :key
"""

# Of a request, or of no known one: then the line itself, and others that have its X-Request-ID.
LINES = """
select http_key, logged_at, time_source, host, server, client, method, path, http_status,
    bytes_sent,
    request_ms, upstream_ms, id, request_id, request_key, file_key, byte_offset
from http_requests
where (request_key = :key or http_key = :http_key
    or (request_key is null and request_id = :request_id))
  and logged_at >= :since and logged_at <= :until
order by logged_at, http_key
limit cast(:most as bigint)
"""

ANY_FILE = "select 1 from log_files limit 1"
OTHER_CASE = """
select id from requests where lower(id) = lower(cast(:wanted as text))
union all
select request_id from requests where lower(request_id) = lower(cast(:wanted as text))
limit 1
"""
SPAN = "select count(*), min(logged_at), max(logged_at) from requests"

REQUEST = """
select request_key, id, request_id, host, service, logged_at, started_at, completed_at, status,
    duration_ms, text, text_len, text_class, lang, voice, cache_hit, cache_saved, model_stage,
    error_code, audio_size_kb, rms, spectral_centroid, attributes,
    start_file_key, start_offset, end_file_key, end_offset
from requests
where request_key = :key and logged_at = :logged_at
"""

_STAGE = "stage, seq, logged_at, elapsed_ms, duration_ms, file_key, byte_offset"
_ERROR = """occurred_at, time_source, host, service, level, logger, event, code, id, request_id,
    message, exception_type, exception_message, traceback, location, attributes,
    file_key, byte_offset"""

STAGES = f"""
select {_STAGE}
from stage_timings
where request_key = :key and logged_at >= :since and logged_at <= :until
order by seq, logged_at, byte_offset
limit cast(:most as bigint)
"""

# What has the X-Request-ID and no id is of this one, too.
ERRORS = f"""
select {_ERROR}
from errors
where (request_key = :key
      or (request_key is null and request_id = :request_id and (id is null or id = :id)))
  and occurred_at >= :since and occurred_at <= :until
order by occurred_at, file_key, byte_offset
limit cast(:most as bigint)
"""

ERRORS_OF_ID = f"""
select {_ERROR}
from errors
where (id = :id or (id is null and request_id = :request_id)) and host = :host
  and coalesce(request_key, -1) = :key
  and occurred_at >= :since and occurred_at <= :until
order by occurred_at, file_key, byte_offset
limit cast(:most as bigint)
"""

LOG_FILE = """
select file_key, path, fingerprint, header_offset, anchor, committed_offset, inode, format
from log_files
where file_key = :key
"""

_SAMPLE = """sampled_at, path, used_percent, threshold_percent, used_mb, total_mb, action, event,
    file_key, byte_offset"""

SAMPLES = f"""
select {_SAMPLE}
from cache_samples
where host = :host and sampled_at >= :since and sampled_at <= :until
order by sampled_at, sample_key
limit cast(:most as bigint)
"""

SAMPLES_BEFORE = f"""
with placed as (
    select {_SAMPLE}, row_number() over (
        partition by path order by sampled_at desc, sample_key desc
    ) as place
    from cache_samples
    where host = :host and sampled_at >= :earliest and sampled_at < :since
)
select {_SAMPLE}
from placed
where place = 1
order by sampled_at, path
limit cast(:most as bigint)
"""

IN_FLIGHT = """
select count(*) as everywhere, count(case when host = :host then 1 end) as here,
    count(case when completed_at is null then 1 end) as endless
from requests
where logged_at >= :earliest and logged_at <= :at
  and (completed_at >= :at or completed_at is null)
  and request_key <> :key
"""

_NEIGHBOUR = """id, request_id, host, logged_at, completed_at, status, error_code, duration_ms,
    text_len"""
_HERE_FIRST = "case when host = :host then 0 else 1 end"

RUNNING = f"""
select {_NEIGHBOUR}, count(*) over () as total
from requests
where logged_at >= :earliest and logged_at <= :until
  and (completed_at >= :since or completed_at is null)
  and request_key <> :key
order by {_HERE_FIRST}, logged_at, request_key
limit cast(:most as bigint)
"""

_OTHER_FAILURES = """from requests
where logged_at >= :earliest and logged_at <= :until
  and coalesce(completed_at, logged_at) >= :since
  and coalesce(completed_at, logged_at) <= :until
  and status <> 'success' and request_key <> :key"""

FAILURES_BY_CODE = f"""
select cast(null as text) as level, error_code as code, count(*) as records,
    count(case when host = :host then 1 end) as here
{_OTHER_FAILURES}
group by error_code
order by records desc, code nulls last
limit cast(:most as bigint)
"""

FAILURES = f"""
select {_NEIGHBOUR}, count(*) over () as total
{_OTHER_FAILURES}
order by {_HERE_FIRST}, coalesce(completed_at, logged_at), request_key
limit cast(:few as bigint)
"""

_OTHER_ERRORS = """from errors
where occurred_at >= :since and occurred_at <= :until
  and (request_key <> :key or (request_key is null
      and (cast(:id as text) is null or id is null or id <> cast(:id as text))
      and (cast(:request_id as text) is null or id is not null or request_id is null
          or request_id <> cast(:request_id as text))))"""

ERRORS_BY_CODE = f"""
select level, coalesce(code, exception_type, event) as code, count(*) as records,
    count(case when host = :host then 1 end) as here
{_OTHER_ERRORS}
group by level, coalesce(code, exception_type, event)
order by records desc, level, 2 nulls last
limit cast(:most as bigint)
"""

NEAR_ERRORS = f"""
select occurred_at, host, level, code, id, substr(message, 1, 300) as message, file_key,
    byte_offset, count(*) over () as total
{_OTHER_ERRORS}
order by {_HERE_FIRST}, occurred_at, error_key
limit cast(:few as bigint)
"""
