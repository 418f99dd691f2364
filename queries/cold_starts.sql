-- name: cold_starts
-- summary: what a cache miss costs, compared at the same text lengths
-- question: What does a cache miss cost?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: length_band integer = 20 [1..] -- texts whose lengths fall in the same band of so many characters are alike
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
-- chart: bars x=cache_hit y=matched_p50_ms
-- order: cache_hit

with windowed as (
    select
        cache_hit,
        status,
        duration_ms,
        floor(text_len / cast(:length_band as double precision)) as band
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and cache_hit is not null
),
whole as (
    select
        cache_hit,
        count(*) as requests,
        percentile_cont(0.5) within group (order by duration_ms) as p50_ms,
        percentile_cont(0.95) within group (order by duration_ms) as p95_ms,
        count(*) filter (where status <> 'success') as failures
    from windowed
    group by cache_hit
),
bands as (
    select
        band,
        cache_hit,
        count(*) as requests,
        percentile_cont(0.5) within group (order by duration_ms) as p50_ms,
        percentile_cont(0.95) within group (order by duration_ms) as p95_ms
    from windowed
    where band is not null and duration_ms is not null
    group by band, cache_hit
),
weighted as (
    select
        *,
        count(*) over (partition by band) as kinds,
        sum(case when cache_hit then requests end) over (partition by band) as weight
    from bands
),
matched as (
    select
        cache_hit,
        cast(sum(requests) as bigint) as requests,
        cast(sum(p50_ms * weight) / sum(weight) as double precision) as p50_ms,
        cast(sum(p95_ms * weight) / sum(weight) as double precision) as p95_ms
    from weighted
    where kinds = 2
    group by cache_hit
)
select
    whole.cache_hit,
    whole.requests,
    whole.p50_ms,
    whole.p95_ms,
    cast(whole.failures as double precision) / whole.requests as failure_rate,
    whole.failures,
    coalesce(matched.requests, 0) as matched_requests,
    matched.p50_ms as matched_p50_ms,
    matched.p95_ms as matched_p95_ms
from whole
left join matched on matched.cache_hit = whole.cache_hit
order by whole.cache_hit
