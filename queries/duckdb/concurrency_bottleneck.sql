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

-- Two plain filters, each of which skips row groups; one with an "or" would read all of them.
with lives as not materialized (
    select
        request_key,
        hash(host, service) as place,
        duration_ms,
        started_at,
        greatest(started_at, completed_at) as ended_at,
        true as is_asked
    from requests
    where started_at is not null
      and time_source <> 'file'
      and logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
    union all
    select
        request_key,
        hash(host, service),
        duration_ms,
        started_at,
        greatest(started_at, completed_at),
        false
    from requests
    where started_at is not null
      and time_source <> 'file'
      and logged_at < coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and completed_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
),
-- In flight at an instant are those that end later, less those that begin later: ranks, which are
-- cheaper than a running sum of steps, and sorted as the rows are stored, starts and ends apart.
starts as (
    select
        place,
        started_at,
        request_key,
        duration_ms,
        is_asked,
        case when ended_at > started_at then 0 else 1 end
        - rank() over (partition by place order by started_at desc) as itself
    from lives
),
ends as (
    select
        place,
        ended_at,
        rank() over (partition by place order by ended_at desc) as later
    from (
        select place, ended_at from lives
        union all
        select distinct place, timestamptz '-infinity' from lives
    )
),
placed as materialized (
    select
        starts.request_key,
        starts.duration_ms,
        cast(
            (starts.itself + ends.later - 1) // cast(:width as bigint) * cast(:width as bigint) + 1
            as integer
        ) as concurrency
    from starts
    asof join ends on ends.place = starts.place and ends.ended_at <= starts.started_at
    where starts.is_asked
),
whole as (
    select
        concurrency,
        count(*) as requests,
        quantile_cont(duration_ms, [0.5, 0.95]) as percentiles
    from placed
    group by concurrency
),
-- Equal times are counted first: there are few different ones, so exact percentiles come cheap.
-- By a number for the stage: by its name it would take twice as long.
stage_times as (
    select
        placed.concurrency,
        first(stage_timings.stage) as stage,
        stage_timings.duration_ms,
        count(*) as times
    from stage_timings
    join placed on placed.request_key = stage_timings.request_key
    where stage_timings.duration_ms is not null
      and stage_timings.logged_at
          >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
    group by placed.concurrency, hash(stage_timings.stage), stage_timings.duration_ms
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
    cast(whole.concurrency as bigint) as concurrency,
    whole.requests,
    whole.percentiles[1] as p50_ms,
    whole.percentiles[2] as p95_ms,
    slow.stage as slowest_stage,
    slow.p95_ms as stage_p95_ms,
    slow.growth as stage_growth,
    most.stage as most_grown_stage,
    most.growth as most_growth
from whole
left join sorted as slow on slow.concurrency = whole.concurrency and slow.slow_place = 1
left join sorted as most on most.concurrency = whole.concurrency and most.growth_place = 1
order by whole.concurrency
