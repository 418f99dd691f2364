-- name: cache_usage
-- group: cache
-- summary: how full each cache directory was, in buckets of time
-- question: How full is the cache?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: bucket integer = 300 [1..3155760000] -- width of a time bucket, seconds
-- column: bucket_at timestamp -- start of the bucket; buckets without samples are left out
-- column: host text -- machine
-- column: path text -- cache directory
-- column: max_used_percent number -- the highest sample, percent
-- column: threshold_percent number -- the alarm threshold as logged in the bucket; null where it was not
-- column: samples integer -- samples in the bucket
-- least: samples, threshold_percent
-- needs: cache_health
-- timed: cache_samples
-- chart: line x=bucket_at y=max_used_percent by=host,path
-- order: bucket_at, host, path
-- next: ttsq run cache_full_forecast

with bucketed as (
    select
        floor(extract(epoch from sampled_at) / cast(:bucket as double precision)) as bucket,
        host,
        path,
        max(coalesce(used_percent, 100 * used_mb / nullif(total_mb, 0))) as max_used_percent,
        max(threshold_percent) as threshold_percent,
        count(*) as samples
    from cache_samples
    where sampled_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and sampled_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and time_source <> 'file'
    group by 1, 2, 3
)
select
    to_timestamp(bucket * cast(:bucket as double precision)) as bucket_at,
    host,
    path,
    max_used_percent,
    threshold_percent,
    samples
from bucketed
order by bucket, host, path nulls last
