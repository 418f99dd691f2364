-- name: latency_over_time
-- group: time
-- summary: end-to-end latency in buckets of time
-- question: When did 800 ms become 3.2 s?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: bucket integer = 300 [1..3155760000] -- width of a time bucket, seconds
-- column: bucket_at timestamp -- start of the bucket; buckets without finished requests are left out
-- column: requests integer -- requests that began in it and whose duration is known
-- column: p50_ms number -- half of them took no longer
-- column: p95_ms number -- 95 % took no longer
-- column: p99_ms number -- 99 % took no longer
-- column: max_ms number -- the longest
-- least: max_ms, p99_ms
-- needs: duration_ms
-- timed: requests
-- chart: line x=bucket_at y=p50_ms,p95_ms
-- order: bucket_at
-- next: ttsq run stage_breakdown

-- One list of percentiles, and buckets of whole microseconds: half the time of the portable text.
with bucketed as (
    select
        epoch_us(logged_at) // (cast(:bucket as bigint) * 1000000) as bucket,
        count(*) as requests,
        quantile_cont(duration_ms, [0.5, 0.95, 0.99]) as percentiles,
        max(duration_ms) as max_ms
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and time_source <> 'file'
      and duration_ms is not null
    group by 1
)
select
    to_timestamp(bucket * cast(:bucket as bigint)) as bucket_at,
    requests,
    percentiles[1] as p50_ms,
    percentiles[2] as p95_ms,
    percentiles[3] as p99_ms,
    max_ms
from bucketed
order by bucket
