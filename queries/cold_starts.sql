-- name: cold_starts
-- group: cache
-- summary: what a cache miss costs, compared at the same text lengths
-- question: What does a cache miss cost?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: length_band integer = 20 [1..1000000000] -- texts in the same band of this many characters count as alike
-- column: cache_hit boolean -- served from the cache
-- column: requests integer -- requests, finished or not
-- column: p50_ms number -- half of them took no longer
-- column: p95_ms number -- 95 % took no longer
-- column: failure_rate number -- failures / requests, 0 to 1
-- column: failures integer -- failed requests
-- column: matched_requests integer -- those with a known duration in length bands where there are both hits and misses
-- column: matched_p50_ms number -- the bands' p50, averaged with the hits' numbers as weights: what hits and misses
--   take for the same texts; the difference of the rows is the cost of a miss
-- column: matched_p95_ms number -- the same of p95
-- least: matched_p95_ms, matched_p50_ms, matched_requests, failures
-- needs: cache_hit, duration_ms
-- chart: bars x=cache_hit y=matched_p50_ms
-- order: cache_hit
-- next: ttsq run cache_not_saved

-- Equal times are counted first: there are few different ones, so exact percentiles come cheap.
with counted as (
    select
        cache_hit,
        floor(text_len / cast(:length_band as double precision)) as band,
        duration_ms,
        count(*) as times,
        count(*) filter (where status <> 'success') as failures
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and cache_hit is not null
    group by 1, 2, 3
),
whole as (
    select cache_hit, sum(times) as requests, sum(failures) as failures
    from counted
    group by cache_hit
),
scoped as (
    select cache_hit, false as in_band, null as band, duration_ms, sum(times) as times
    from counted
    where duration_ms is not null
    group by cache_hit, duration_ms
    union all
    select cache_hit, true, band, duration_ms, times
    from counted
    where duration_ms is not null and band is not null
),
ranked as (
    select
        *,
        sum(times) over (
            partition by cache_hit, in_band, band order by duration_ms rows unbounded preceding
        ) as upto,
        sum(times) over (partition by cache_hit, in_band, band) as samples
    from scoped
),
bounded as (
    select
        cache_hit,
        in_band,
        band,
        max(samples) as requests,
        min(case when upto > floor(0.5 * (samples - 1)) then duration_ms end) as p50_low,
        min(case when upto > ceil(0.5 * (samples - 1)) then duration_ms end) as p50_high,
        0.5 * (max(samples) - 1) - floor(0.5 * (max(samples) - 1)) as p50_part,
        min(case when upto > floor(0.95 * (samples - 1)) then duration_ms end) as p95_low,
        min(case when upto > ceil(0.95 * (samples - 1)) then duration_ms end) as p95_high,
        0.95 * (max(samples) - 1) - floor(0.95 * (max(samples) - 1)) as p95_part
    from ranked
    group by cache_hit, in_band, band
),
measured as (
    select
        cache_hit,
        in_band,
        band,
        requests,
        p50_low + (p50_high - p50_low) * p50_part as p50_ms,
        p95_low + (p95_high - p95_low) * p95_part as p95_ms,
        count(*) over (partition by in_band, band) as kinds,
        sum(case when cache_hit then requests end) over (partition by in_band, band) as weight
    from bounded
),
-- Added up in one order, fractions come out the same in every run, whatever the threads.
matched as (
    select
        cache_hit,
        sum(requests) as requests,
        sum(p50_ms * weight order by band) / sum(weight) as p50_ms,
        sum(p95_ms * weight order by band) / sum(weight) as p95_ms
    from measured
    where in_band and kinds = 2
    group by cache_hit
)
select
    whole.cache_hit,
    cast(whole.requests as bigint) as requests,
    cast(measured.p50_ms as double precision) as p50_ms,
    cast(measured.p95_ms as double precision) as p95_ms,
    cast(whole.failures as double precision) / whole.requests as failure_rate,
    cast(whole.failures as bigint) as failures,
    cast(coalesce(matched.requests, 0) as bigint) as matched_requests,
    cast(matched.p50_ms as double precision) as matched_p50_ms,
    cast(matched.p95_ms as double precision) as matched_p95_ms
from whole
left join measured on measured.cache_hit = whole.cache_hit and not measured.in_band
left join matched on matched.cache_hit = whole.cache_hit
order by whole.cache_hit
