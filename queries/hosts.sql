-- name: hosts
-- group: begin here
-- summary: requests, failures, latency and errors by host
-- question: Which node is ill?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- column: host text -- machine; also one that only logs errors
-- column: requests integer -- requests
-- column: failures integer -- failed requests
-- column: failure_rate number -- failures / requests, 0 to 1; null without requests
-- column: p95_ms number -- 95 % of those with a known duration took no longer
-- column: last_at timestamp -- the last sign of life: start or end of a request, or a warning or error
-- column: errors integer -- ERROR and CRITICAL records
-- column: warnings integer -- WARNING records
-- least: warnings, errors, last_at
-- chart: bars x=host y=failure_rate
-- order: failure_rate desc, errors desc, host
-- next: ttsq run error_groups --host {host}

with served as (
    select
        host,
        count(*) as requests,
        count(*) filter (where status <> 'success') as failures,
        percentile_cont(0.95) within group (order by duration_ms) as p95_ms,
        max(greatest(logged_at, coalesce(completed_at, logged_at))) as last_at
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
    group by host
),
complained as (
    select
        host,
        count(*) filter (where level <> 'WARNING') as errors,
        count(*) filter (where level = 'WARNING') as warnings,
        max(occurred_at) as last_at
    from errors
    where occurred_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and occurred_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
    group by host
)
select
    coalesce(served.host, complained.host) as host,
    coalesce(served.requests, 0) as requests,
    coalesce(served.failures, 0) as failures,
    cast(served.failures as double precision) / served.requests as failure_rate,
    served.p95_ms,
    greatest(
        coalesce(served.last_at, complained.last_at), coalesce(complained.last_at, served.last_at)
    ) as last_at,
    coalesce(complained.errors, 0) as errors,
    coalesce(complained.warnings, 0) as warnings
from served
full join complained on complained.host = served.host
order by failure_rate desc nulls last, errors desc, host
