-- name: stage_breakdown
-- group: begin here
-- summary: where the time goes: each stage's own time
-- question: Inference or text cleaning?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- column: stage text -- stage
-- column: samples integer -- times it was gone through, with a known time
-- column: p50_ms number -- half of them took no longer
-- column: p95_ms number -- 95 % took no longer
-- column: total_ms number -- all of them together
-- column: share number -- total_ms / that of all stages, 0 to 1
-- least: total_ms, samples
-- needs: stage_times
-- chart: bars x=stage y=total_ms
-- order: total_ms desc, stage
-- next: ttsq run slow_requests

-- Equal times are counted first: there are few different ones, so exact percentiles come cheap.
with counted as (
    select stage, duration_ms, count(*) as times
    from stage_timings
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (
          cast(:host as text) is null
          or file_key in (select file_key from log_files where host = cast(:host as text))
      )
      and duration_ms is not null
    group by stage, duration_ms
),
ranked as (
    select
        *,
        sum(times) over (
            partition by stage order by duration_ms rows unbounded preceding
        ) as upto,
        sum(times) over (partition by stage) as samples
    from counted
),
-- Added up in one order, fractions come out the same in every run, whatever the threads.
stages as (
    select
        stage,
        max(samples) as samples,
        sum(duration_ms * times order by duration_ms) as total_ms,
        min(case when upto > floor(0.5 * (samples - 1)) then duration_ms end) as p50_low,
        min(case when upto > ceil(0.5 * (samples - 1)) then duration_ms end) as p50_high,
        0.5 * (max(samples) - 1) - floor(0.5 * (max(samples) - 1)) as p50_part,
        min(case when upto > floor(0.95 * (samples - 1)) then duration_ms end) as p95_low,
        min(case when upto > ceil(0.95 * (samples - 1)) then duration_ms end) as p95_high,
        0.95 * (max(samples) - 1) - floor(0.95 * (max(samples) - 1)) as p95_part
    from ranked
    group by stage
)
select
    stage,
    cast(samples as bigint) as samples,
    cast(p50_low + (p50_high - p50_low) * p50_part as double precision) as p50_ms,
    cast(p95_low + (p95_high - p95_low) * p95_part as double precision) as p95_ms,
    cast(total_ms as double precision) as total_ms,
    cast(total_ms / nullif(sum(total_ms) over all_of_them, 0) as double precision) as share
from stages
window all_of_them as (
    order by total_ms, stage rows between unbounded preceding and unbounded following
)
order by total_ms desc, stage nulls last
