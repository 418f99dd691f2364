-- name: stage_breakdown
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
-- chart: bars x=stage y=total_ms
-- order: total_ms desc, stage

with stages as (
    select
        stage,
        count(*) as samples,
        percentile_cont(0.5) within group (order by duration_ms) as p50_ms,
        percentile_cont(0.95) within group (order by duration_ms) as p95_ms,
        sum(duration_ms) as total_ms
    from stage_timings
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and duration_ms is not null
    group by stage
)
select
    stage,
    samples,
    p50_ms,
    p95_ms,
    total_ms,
    total_ms / nullif(sum(total_ms) over (), 0) as share
from stages
order by total_ms desc, stage nulls last
