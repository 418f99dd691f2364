-- name: http_latency_over_time
-- group: http
-- summary: time of HTTP requests as their server logged it, in buckets of time
-- question: How slow is it for the client?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: path text -- only this path
-- param: server text -- only lines of this server: nginx, uvicorn, ...
-- param: bucket integer = 300 [1..3155760000] -- width of a time bucket, seconds
-- column: bucket_at timestamp -- start of the bucket; buckets without such lines are left out
-- column: requests integer -- access lines in it that say how long the request took
-- column: p50_ms number -- half of them took no longer
-- column: p95_ms number -- 95 % took no longer
-- column: p99_ms number -- 99 % took no longer
-- column: max_ms number -- the longest
-- least: max_ms, p99_ms
-- timed: http_requests
-- chart: line x=bucket_at y=p50_ms,p95_ms
-- order: bucket_at
-- next: ttsq run time_outside_synthesis

with measured as (
    select
        floor(extract(epoch from logged_at) / cast(:bucket as double precision)) as bucket,
        request_ms
    from http_requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and (cast(:path as text) is null or path = cast(:path as text))
      and (cast(:server as text) is null or server = cast(:server as text))
      and time_source <> 'file'
      and request_ms is not null
),
bucketed as (
    select
        bucket,
        count(*) as requests,
        percentile_cont(0.5) within group (order by request_ms) as p50_ms,
        percentile_cont(0.95) within group (order by request_ms) as p95_ms,
        percentile_cont(0.99) within group (order by request_ms) as p99_ms,
        max(request_ms) as max_ms
    from measured
    group by bucket
)
select
    to_timestamp(bucket * cast(:bucket as double precision)) as bucket_at,
    requests,
    p50_ms,
    p95_ms,
    p99_ms,
    max_ms
from bucketed
order by bucket
