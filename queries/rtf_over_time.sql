-- name: rtf_over_time
-- group: time
-- summary: real-time factor in buckets of time: how long a second of audio takes to make
-- question: Is synthesis getting slower than speech?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: bucket integer = 300 [1..3155760000] -- width of a time bucket, seconds
-- column: bucket_at timestamp -- start of the bucket; buckets without such requests are left out
-- column: requests integer -- requests that began in it and whose real-time factor is known
-- column: p50_rtf number -- half of them had no higher one; above 1 synthesis is slower than speech
-- column: p95_rtf number -- 95 % had no higher one
-- column: audio_s number -- audio that they made, seconds; null where no length is known
-- least: audio_s
-- timed: requests
-- chart: line x=bucket_at y=p50_rtf,p95_rtf
-- order: bucket_at
-- next: ttsq run rtf_by_length

with measured as (
    select
        floor(extract(epoch from logged_at) / cast(:bucket as double precision)) as bucket,
        request_key,
        rtf,
        audio_ms
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and time_source <> 'file'
      and rtf is not null
),
bucketed as (
    select
        bucket,
        count(*) as requests,
        percentile_cont(0.5) within group (order by rtf) as p50_rtf,
        percentile_cont(0.95) within group (order by rtf) as p95_rtf,
        sum(audio_ms order by audio_ms, request_key) / 1000 as audio_s
    from measured
    group by bucket
)
select
    to_timestamp(bucket * cast(:bucket as double precision)) as bucket_at,
    requests,
    p50_rtf,
    p95_rtf,
    audio_s
from bucketed
order by bucket
