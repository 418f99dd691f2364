-- name: error_codes
-- group: begin here
-- summary: the leading error codes of failed requests
-- question: Which codes lead?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: limit integer = 5 [0..] -- at most this many rows, in the query's order
-- column: error_code text -- error code; null where a failed request has none
-- column: failures integer -- failed requests with it
-- column: share number -- failures / all failures, also those beyond the limit, 0 to 1
-- column: first_at timestamp -- when the first of these requests began
-- column: last_at timestamp -- when the last of them began
-- column: example_id text -- id of the last of them: ttsq trace ID
-- least: example_id, share, last_at
-- needs: status, error_code
-- chart: bars x=error_code y=failures
-- order: failures desc, error_code
-- next: ttsq trace {example_id}

with failed as (
    select
        error_code,
        id,
        logged_at,
        row_number() over (
            partition by error_code order by logged_at desc, request_key desc
        ) as newest
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and status <> 'success'
),
codes as (
    select
        error_code,
        count(*) as failures,
        min(logged_at) as first_at,
        max(logged_at) as last_at,
        max(case when newest = 1 then id end) as example_id
    from failed
    group by error_code
)
select
    error_code,
    failures,
    cast(failures as double precision) / sum(failures) over () as share,
    first_at,
    last_at,
    example_id
from codes
order by failures desc, error_code nulls last
limit cast(:limit as bigint)
