-- name: degradations
-- group: failures
-- summary: fallbacks that are on: since when, for which requests, and what they cost
-- question: Which fallbacks are on, since when, and what do they cost?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- filtered: requests
-- column: code text -- code of the warning
-- column: instance text -- container, pod, unit or process; null where the log names none
-- column: first_at timestamp -- the first warning
-- column: last_at timestamp -- the last one
-- column: requests integer -- requests that it concerns: those that its warnings name; where they name none,
--   all of the instance from the first warning on
-- column: rtf_with number -- median real-time factor of these
-- column: rtf_without number -- median of the service's other requests; null where none is known
-- column: warnings integer -- warnings
-- column: host text -- machine
-- column: service text -- service
-- least: service, host, warnings, last_at
-- needs: warning_code
-- chart: bars x=code y=requests
-- order: requests desc, code, host, service, instance
-- next: ttsq run warning_precursors

-- The view says what is a fallback without user text: readers who must not see these can ask this.
-- The server keeps the right side of a join in memory: the small one.
with warnings as (
    select code, host, service, instance, request_key, occurred_at
    from logged_errors
    where occurred_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and occurred_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and level = 'WARNING'
      and code is not null
      and (is_fallback or code in ('MAX_MEL_TOKENS', 'UNKNOWN_TOKENS'))
),
switched as (
    select
        code,
        host,
        service,
        instance,
        min(occurred_at) as first_at,
        max(occurred_at) as last_at,
        count(*) as warnings,
        count(request_key) as named
    from warnings
    group by code, host, service, instance
),
served as (
    select request_key, host, service, instance, logged_at, rtf
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
),
concerned as (
    select distinct warnings.code, warnings.host, warnings.service, warnings.instance, served.request_key
    from served
    join warnings on warnings.request_key = served.request_key
    union
    select switched.code, switched.host, switched.service, switched.instance, served.request_key
    from served
    join switched
        on switched.host = served.host
        and switched.service = served.service
        and switched.instance is not distinct from served.instance
        and switched.first_at <= served.logged_at
    where switched.named = 0
),
cost as (
    select
        concerned.code,
        concerned.host,
        concerned.service,
        concerned.instance,
        count(*) as requests,
        percentile_cont(0.5) within group (order by served.rtf) as rtf
    from served
    join concerned on concerned.request_key = served.request_key
    group by concerned.code, concerned.host, concerned.service, concerned.instance
),
others as (
    select
        codes.code,
        served.service,
        percentile_cont(0.5) within group (order by served.rtf) as rtf
    from served
    join (select distinct code, service from switched) as codes on codes.service = served.service
    left join concerned
        on concerned.code = codes.code
        and concerned.request_key = served.request_key
    where served.rtf is not null
      and concerned.request_key is null
    group by codes.code, served.service
)
select
    switched.code,
    switched.instance,
    switched.first_at,
    switched.last_at,
    coalesce(cost.requests, 0) as requests,
    cost.rtf as rtf_with,
    others.rtf as rtf_without,
    switched.warnings,
    switched.host,
    switched.service
from switched
left join cost
    on cost.code = switched.code
    and cost.host = switched.host
    and cost.service = switched.service
    and cost.instance is not distinct from switched.instance
left join others on others.code = switched.code and others.service = switched.service
order by
    coalesce(cost.requests, 0) desc,
    switched.code,
    switched.host,
    switched.service,
    switched.instance nulls last
