-- name: concurrency_bottleneck
-- group: time
-- summary: latency by how many requests were in flight, and the stage that gives way
-- question: At 50 in flight, which stage gives?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: width integer = 1 [1..1000000] -- concurrencies per row: 10 puts 1-10, 11-20, ... together
-- column: concurrency integer -- requests in flight on the host when these began, itself included; the least of the
--   row's where width is more than 1. A request whose end is not known counts for itself only
-- column: requests integer -- requests that began then
-- column: p50_ms number -- half of them took no longer, end to end
-- column: p95_ms number -- 95 % took no longer
-- column: slowest_stage text -- the stage with the highest p95 of its own time
-- column: stage_p95_ms number -- that p95
-- column: stage_growth number -- stage_p95_ms / p95 of the same stage at the lowest concurrency that has it
-- column: most_grown_stage text -- the stage whose p95 grew by the largest factor
-- column: most_growth number -- that factor
-- least: most_growth, most_grown_stage, p50_ms, requests
-- needs: started_at, completed_at, duration_ms, stage_times
-- timed: requests
-- chart: line x=concurrency y=p95_ms
-- order: concurrency
-- next: ttsq run stage_breakdown

-- Every request is a step up and a step down; the running sum is the number in flight.
with lives as (
    select
        request_key,
        host,
        service,
        logged_at,
        duration_ms,
        started_at,
        greatest(started_at, coalesce(completed_at, started_at)) as ended_at
    from requests
    where started_at is not null
      and time_source <> 'file'
      and (
          completed_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
          or logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      )
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
),
steps as (
    select
        host,
        service,
        started_at as instant,
        1 as step,
        case when ended_at > started_at then 0 else 1 end as itself,
        request_key,
        logged_at,
        duration_ms
    from lives
    union all
    select host, service, ended_at, -1, 0, null, null, null from lives
),
counted as (
    select
        request_key,
        logged_at,
        duration_ms,
        itself + sum(step) over (partition by host, service order by instant) as in_flight
    from steps
),
placed as (
    select
        request_key,
        duration_ms,
        cast(floor((in_flight - 1) / cast(:width as double precision)) as bigint)
            * cast(:width as bigint) + 1 as concurrency
    from counted
    where request_key is not null
      and logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
),
whole as (
    select
        concurrency,
        count(*) as requests,
        percentile_cont(0.5) within group (order by duration_ms) as p50_ms,
        percentile_cont(0.95) within group (order by duration_ms) as p95_ms
    from placed
    group by concurrency
),
-- Equal times are counted first: there are few different ones, so exact percentiles come cheap.
stage_times as (
    select placed.concurrency, stage_timings.stage, stage_timings.duration_ms, count(*) as times
    from stage_timings
    join placed on placed.request_key = stage_timings.request_key
    where stage_timings.duration_ms is not null
      and stage_timings.logged_at
          >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
    group by placed.concurrency, stage_timings.stage, stage_timings.duration_ms
),
ranked as (
    select
        *,
        sum(times) over (
            partition by concurrency, stage order by duration_ms rows unbounded preceding
        ) as upto,
        sum(times) over (partition by concurrency, stage) as samples
    from stage_times
),
bounded as (
    select
        concurrency,
        stage,
        min(case when upto > floor(0.95 * (samples - 1)) then duration_ms end) as p95_low,
        min(case when upto > ceil(0.95 * (samples - 1)) then duration_ms end) as p95_high,
        0.95 * (max(samples) - 1) - floor(0.95 * (max(samples) - 1)) as p95_part
    from ranked
    group by concurrency, stage
),
stages as (
    select
        concurrency,
        stage,
        cast(p95_low + (p95_high - p95_low) * p95_part as double precision) as p95_ms
    from bounded
),
grown as (
    select
        *,
        p95_ms / nullif(
            first_value(p95_ms) over (partition by stage order by concurrency), 0
        ) as growth
    from stages
),
sorted as (
    select
        *,
        row_number() over (
            partition by concurrency order by p95_ms desc, stage nulls last
        ) as slow_place,
        row_number() over (
            partition by concurrency order by growth desc nulls last, stage nulls last
        ) as growth_place
    from grown
)
select
    whole.concurrency,
    whole.requests,
    whole.p50_ms,
    whole.p95_ms,
    slow.stage as slowest_stage,
    slow.p95_ms as stage_p95_ms,
    slow.growth as stage_growth,
    most.stage as most_grown_stage,
    most.growth as most_growth
from whole
left join sorted as slow on slow.concurrency = whole.concurrency and slow.slow_place = 1
left join sorted as most on most.concurrency = whole.concurrency and most.growth_place = 1
order by whole.concurrency
