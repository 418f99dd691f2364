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

-- Every request is a step up and a step down; the running sum is the number in flight. Sorted are
-- plain integers, which take a third of the time of names and instants. Each expression is named
-- once: on a cluster, what is named twice is worked out twice.
with lives as (
    select
        request_key,
        logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity') as is_shown,
        cityHash64(host, service) as lane,
        toUnixTimestamp64Micro(assumeNotNull(started_at)) as began_at,
        greatest(
            began_at, toUnixTimestamp64Micro(coalesce(completed_at, assumeNotNull(started_at)))
        ) as ended_at
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
sides as (
    select
        lane,
        request_key,
        arrayJoin([
            (began_at, toInt8(1), toInt8(ended_at <= began_at), is_shown),
            (ended_at, toInt8(-1), toInt8(0), false)
        ]) as side
    from lives
),
steps as (
    select
        lane,
        request_key,
        tupleElement(side, 1) as instant,
        tupleElement(side, 2) as step,
        tupleElement(side, 3) as itself,
        tupleElement(side, 4) as is_shown
    from sides
),
flown as (
    select
        request_key,
        is_shown,
        itself + sum(step) over (partition by lane order by instant) as in_flight
    from steps
),
placed as (
    select
        request_key,
        toInt64(intDiv(in_flight - 1, cast(:width as bigint)) * cast(:width as bigint) + 1)
            as concurrency
    from flown
    where is_shown
),
-- The time of a request as a whole stands beside the times of its stages.
spent as (
    select assumeNotNull(request_key) as request_key, false as is_whole, stage, duration_ms
    from stage_timings
    where request_key is not null
      and duration_ms is not null
      and logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
    union all
    select request_key, true, null, duration_ms
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
),
-- Equal times are counted first: there are few different ones, so exact percentiles come cheap.
counted as (
    select placed.concurrency, spent.is_whole, spent.stage, spent.duration_ms, count(*) as times
    from spent
    semi join placed on placed.request_key = spent.request_key
    group by placed.concurrency, spent.is_whole, spent.stage, spent.duration_ms
),
ranked as (
    select
        *,
        sum(times) over (partition by concurrency, is_whole, stage) as requests,
        sum(if(duration_ms is null, 0, times)) over (partition by concurrency, is_whole, stage)
            as samples,
        sum(times) over (
            partition by concurrency, is_whole, stage
            order by duration_ms nulls last
            rows unbounded preceding
        ) as upto
    from counted
),
bounded as (
    select
        concurrency,
        is_whole,
        stage,
        max(requests) as requests,
        minIf(duration_ms, upto > floor(0.5 * (samples - 1))) as p50_low,
        minIf(duration_ms, upto > ceil(0.5 * (samples - 1))) as p50_high,
        0.5 * (max(samples) - 1) - floor(0.5 * (max(samples) - 1)) as p50_part,
        minIf(duration_ms, upto > floor(0.95 * (samples - 1))) as p95_low,
        minIf(duration_ms, upto > ceil(0.95 * (samples - 1))) as p95_high,
        0.95 * (max(samples) - 1) - floor(0.95 * (max(samples) - 1)) as p95_part
    from ranked
    group by concurrency, is_whole, stage
),
measured as (
    select
        concurrency,
        is_whole,
        stage,
        requests,
        p50_low + (p50_high - p50_low) * p50_part as p50_ms,
        p95_low + (p95_high - p95_low) * p95_part as p95_ms
    from bounded
),
grown as (
    select
        *,
        p95_ms / nullif(
            first_value(p95_ms) over (partition by is_whole, stage order by concurrency), 0
        ) as growth
    from measured
),
sorted as (
    select
        *,
        row_number() over (
            partition by concurrency, is_whole order by p95_ms desc, stage nulls last
        ) as slow_place,
        row_number() over (
            partition by concurrency, is_whole order by growth desc nulls last, stage nulls last
        ) as growth_place
    from grown
)
select
    concurrency,
    toInt64(anyIf(requests, is_whole)) as requests,
    anyIf(p50_ms, is_whole) as p50_ms,
    anyIf(p95_ms, is_whole) as p95_ms,
    anyIf(stage, not is_whole and slow_place = 1) as slowest_stage,
    anyIf(p95_ms, not is_whole and slow_place = 1) as stage_p95_ms,
    anyIf(growth, not is_whole and slow_place = 1) as stage_growth,
    anyIf(stage, not is_whole and growth_place = 1) as most_grown_stage,
    anyIf(growth, not is_whole and growth_place = 1) as most_growth
from sorted
group by concurrency
order by concurrency
