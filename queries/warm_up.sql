-- name: warm_up
-- group: time
-- summary: the first requests after a start or a long rest, beside what the instance usually takes
-- question: What do the first requests after a start cost?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: idle integer = 1800 [1..3155760000] -- seconds without a request after which the next one counts as the first
-- param: first integer = 3 [1..1000] -- so many requests after a start
-- column: instance text -- container, pod, unit or process; null where the log names none
-- column: started_at timestamp -- when the first request after the start began
-- column: nth integer -- 1 for that request, 2 for the one after it, ...
-- column: duration_ms number -- end to end, milliseconds
-- column: usual_ms number -- median of the instance's requests that are not among the first; null without any
-- column: factor number -- duration_ms / usual_ms
-- column: request_key integer -- key of its row
-- column: id text -- id of the request
-- column: host text -- machine
-- column: service text -- service
-- least: request_key, service, host, id, factor
-- needs: duration_ms
-- timed: requests
-- chart: bars x=nth y=duration_ms,usual_ms
-- order: started_at, host, service, instance, nth
-- next: ttsq trace {id}

-- Requests of one slot of time are less than a rest apart, so only the first of a slot can follow
-- one. There are few slots: requests themselves are put in order only where a run begins.
with served as not materialized (
    select
        request_key,
        id,
        host,
        service,
        instance,
        logged_at,
        duration_ms,
        floor(
            cast(extract(epoch from logged_at) as double precision)
            / cast(:idle as double precision)
        ) as slot
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and time_source <> 'file'
      and duration_ms is not null
),
slots as (
    select
        host,
        service,
        instance,
        slot,
        count(*) as requests,
        min(logged_at) as first_at,
        max(logged_at) as last_at
    from served
    group by host, service, instance, slot
),
rested as (
    select
        *,
        lag(last_at) over (partition by host, service, instance order by slot) as before_at
    from slots
),
numbered as (
    select
        *,
        count(*) filter (
            where before_at is null
               or extract(epoch from first_at) - extract(epoch from before_at)
                   >= cast(:idle as bigint)
        ) over (
            partition by host, service, instance
            order by slot
            rows unbounded preceding
        ) as run
    from rested
),
runs as (
    select
        host,
        service,
        instance,
        slot,
        run,
        min(first_at) over (partition by host, service, instance, run) as started_at,
        sum(requests) over (
            partition by host, service, instance, run
            order by slot
            rows unbounded preceding
        ) - requests as earlier
    from numbered
),
placed as (
    select
        served.request_key,
        served.id,
        served.host,
        served.service,
        served.instance,
        served.duration_ms,
        runs.started_at,
        row_number() over (
            partition by served.host, served.service, served.instance, runs.run
            order by served.logged_at, served.request_key
        ) as nth
    from served
    join runs
        on runs.host = served.host
        and runs.service = served.service
        and runs.instance is not distinct from served.instance
        and runs.slot = served.slot
    where runs.earlier < cast(:first as bigint)
),
usual as (
    select
        host,
        service,
        instance,
        percentile_cont(0.5) within group (order by duration_ms) as usual_ms
    from served
    where request_key not in (
        select request_key from placed where nth <= cast(:first as bigint)
    )
    group by host, service, instance
)
select
    placed.instance,
    placed.started_at,
    placed.nth,
    placed.duration_ms,
    usual.usual_ms,
    placed.duration_ms / nullif(usual.usual_ms, 0) as factor,
    placed.request_key,
    placed.id,
    placed.host,
    placed.service
from placed
left join usual
    on usual.host = placed.host
    and usual.service = placed.service
    and usual.instance is not distinct from placed.instance
where placed.nth <= cast(:first as bigint)
order by
    placed.started_at, placed.host, placed.service, placed.instance nulls last, placed.nth
