-- name: cache_alert
-- group: cache
-- summary: times when a cache stayed above a limit for several consecutive samples
-- question: Three samples running above 90 % within 10 min?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: above_percent number = 90 -- the limit, percent; a sample counts when it is higher
-- param: samples integer = 3 [1..1000000] -- this many consecutive samples make an alarm
-- param: within integer = 600 [0..3155760000] -- if they come within this many seconds
-- column: host text -- machine
-- column: path text -- cache directory
-- column: from_at timestamp -- first sample above the limit, of an unbroken run of them that made an alarm
-- column: to_at timestamp -- last sample of the run
-- column: samples integer -- samples in the run
-- column: max_used_percent number -- the highest of them, percent
-- least: to_at, samples
-- needs: cache_health
-- timed: cache_samples
-- chart: none
-- order: from_at, host, path
-- next: ttsq run cache_full_forecast

with samples as (
    select
        host,
        path,
        sampled_at,
        sample_key,
        coalesce(used_percent, 100 * used_mb / nullif(total_mb, 0)) as used_percent
    from cache_samples
    where sampled_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and sampled_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and time_source <> 'file'
),
numbered as (
    select
        *,
        sum(case when used_percent > cast(:above_percent as double precision) then 0 else 1 end)
            over (
                partition by host, path order by sampled_at, sample_key
                rows unbounded preceding
            ) as run
    from samples
    where used_percent is not null
),
above as (
    select
        *,
        row_number() over w as place,
        lag(sampled_at, cast(:samples as integer) - 1) over w as earlier_at
    from numbered
    where used_percent > cast(:above_percent as double precision)
    window w as (partition by host, path, run order by sampled_at, sample_key)
)
select
    host,
    path,
    min(sampled_at) as from_at,
    max(sampled_at) as to_at,
    count(*) as samples,
    max(used_percent) as max_used_percent
from above
group by host, path, run
having max(
    case
        when extract(epoch from sampled_at) - extract(epoch from earlier_at)
            <= cast(:within as double precision) then 1
        else 0
    end
) = 1
order by from_at, host, path nulls last
