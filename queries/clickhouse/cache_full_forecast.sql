-- name: cache_full_forecast
-- group: cache
-- summary: how fast each cache fills, and when it will be full
-- question: When will it be full?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: hours number = 24 [0..876600] -- measured over this many hours before a directory's newest sample
-- param: drop_percent number = 5 [0..] -- a fall by more than this between two samples is a purge: only what comes after
--   it is measured
-- column: host text -- machine
-- column: path text -- cache directory
-- column: used_percent number -- the newest sample, percent
-- column: percent_per_hour number -- growth: slope of the straight line that fits the samples best; null when they are too few
-- column: full_at timestamp -- when it will be full at that pace, to the second; null unless the forecast is growing
-- column: forecast text -- growing; not growing (flat, falling, or too irregular: r2 under 0.5); full; beyond a year;
--   too few samples (fewer than three, or of less than ten minutes)
-- column: samples integer -- samples measured
-- column: last_at timestamp -- the newest sample
-- least: samples, last_at, forecast, percent_per_hour
-- needs: cache_health
-- timed: cache_samples
-- chart: none
-- order: full_at, host, path
-- next: ttsq run cache_usage

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
compared as (
    select
        *,
        used_percent - lag(used_percent) over (
            partition by host, path order by sampled_at, sample_key
        ) as change,
        max(sampled_at) over (partition by host, path) as last_at,
        row_number() over (
            partition by host, path order by sampled_at desc, sample_key desc
        ) as newest
    from samples
    where used_percent is not null
),
marked as (
    select
        *,
        sum(case when change < -cast(:drop_percent as double precision) then 1 else 0 end)
            over (
                partition by host, path order by newest rows unbounded preceding
            ) as later_drops,
        case when change < -cast(:drop_percent as double precision) then 1 else 0 end as is_drop
    from compared
),
timed as (
    select *, (extract(epoch from sampled_at) - extract(epoch from last_at)) / 3600 as hour
    from marked
    where later_drops - is_drop = 0
),
measured as (
    select
        host,
        path,
        last_at,
        max(case when newest = 1 then used_percent end) as used_percent,
        covarPop(hour, used_percent) / nullIf(varPop(hour), 0) as slope,
        if(varPop(used_percent) = 0, 1, pow(corr(hour, used_percent), 2)) as fit,
        count(*) >= 3 and min(hour) <= -1.0 / 6 as is_enough,
        count(*) as samples
    from timed
    where hour >= -cast(:hours as double precision)
    group by host, path, last_at
),
judged as (
    select
        *,
        case
            when used_percent >= 100 then 'full'
            when not is_enough then 'too few samples'
            when slope <= 0 or fit < 0.5 then 'not growing'
            when (100 - used_percent) / slope > 8760 then 'beyond a year'
            else 'growing'
        end as forecast
    from measured
),
dated as (
    select
        *,
        case
            when forecast = 'growing' then to_timestamp(
                round(extract(epoch from last_at) + (100 - used_percent) / slope * 3600)
            )
        end as full_at
    from judged
)
select
    host,
    path,
    used_percent,
    case when is_enough then slope end as percent_per_hour,
    full_at,
    forecast,
    samples,
    last_at
from dated
order by full_at nulls last, host, path nulls last
