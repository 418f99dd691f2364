"""The views for dashboards as ClickHouse writes them: their columns are those of the other engines.

:mod:`ingest.stores.views` says what the views are, and what their columns mean.
"""

from ingest.stores.views import VIEWS

_OWN = {
    "failed_requests": """\
select
    r.request_key as request_key,
    r.id as id,
    r.request_id as request_id,
    r.host as host,
    r.service as service,
    toDate32(r.logged_at, 'UTC') as day,
    r.logged_at as logged_at,
    r.completed_at as completed_at,
    r.status as status,
    r.duration_ms as duration_ms,
    r.text_len as text_len,
    r.text_class as text_class,
    r.lang as lang,
    r.voice as voice,
    r.cache_hit as cache_hit,
    r.model_stage as model_stage,
    coalesce(r.error_code, e.code) as error_code,
    e.exception_type as exception_type,
    e.location as location,
    f.path as log_path,
    multiIf(
        e.file_key is not null, e.byte_offset,
        r.end_file_key is not null, r.end_offset,
        r.start_offset
    ) as byte_offset
from requests as r
left join (
    select request_key, code, exception_type, location, file_key, byte_offset
    from errors
    where level <> 'WARNING' and request_key is not null
    order by location is null, occurred_at, error_key
    limit 1 by request_key
) as e on e.request_key = r.request_key
left join log_files as f on f.file_key = coalesce(e.file_key, r.end_file_key, r.start_file_key)
where r.status <> 'success'""",
    "logged_errors": """\
select
    e.error_key as error_key,
    e.request_key as request_key,
    e.id as id,
    e.request_id as request_id,
    e.host as host,
    e.service as service,
    toDate32(e.occurred_at, 'UTC') as day,
    e.occurred_at as occurred_at,
    e.time_source as time_source,
    e.instance as instance,
    e.level as level,
    e.logger as logger,
    e.event as event,
    e.code as code,
    e.exception_type as exception_type,
    e.location as location,
    coalesce(
        lower(if(JSONHas(assumeNotNull(e.attributes), 'fallback_used'),
            JSONExtractString(assumeNotNull(e.attributes), 'fallback_used'), null))
            in ('true', 'yes', '1'),
        lower(e.code) like '%fallback%' or lower(e.event) like '%fallback%',
        false
    ) as is_fallback,
    f.path as log_path,
    e.byte_offset as byte_offset
from errors as e
left join log_files as f on f.file_key = e.file_key""",
}


def _as_here(select: str) -> str:
    """A view's text where it differs in nothing but the day."""
    return select.replace("cast(", "toDate32(").replace(" at time zone 'UTC' as date)", ", 'UTC')")


# a view is read with the settings of whoever reads it, but for those in its text
_SETTINGS = "\nsettings join_use_nulls = 1"
SELECTS = {v.name: (_OWN.get(v.name) or _as_here(v.select)) + _SETTINGS for v in VIEWS}
