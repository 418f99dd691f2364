-- name: failure_rate_over_time
-- group: begin here
-- summary: requests and failures in buckets of time, those that never ended apart
-- question: When did it start?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: bucket integer = 300 [1..3155760000] -- width of a time bucket, seconds
-- column: bucket_at timestamp -- start of the bucket; buckets without requests are left out
-- column: requests integer -- requests that began in it
-- column: failures integer -- those of them that failed
-- column: failure_rate number -- failures / finished, 0 to 1; null where nothing finished
-- column: finished integer -- those of them whose end was logged
-- column: unfinished integer -- those of them that never ended: still running, hanging or killed
-- needs: status
-- timed: requests
-- chart: line x=bucket_at y=failure_rate
-- order: bucket_at
-- next: ttsq triage

with bucketed as (
    select
        floor(extract(epoch from logged_at) / cast(:bucket as double precision)) as bucket,
        count(*) as requests,
        count(status) as finished,
        count(*) filter (where status <> 'success') as failures
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and time_source <> 'file'
    group by 1
)
select
    to_timestamp(bucket * cast(:bucket as double precision)) as bucket_at,
    requests,
    failures,
    cast(failures as double precision) / nullif(finished, 0) as failure_rate,
    finished,
    requests - finished as unfinished
from bucketed
order by bucket
