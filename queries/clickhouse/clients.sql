-- name: clients
-- group: http
-- summary: who asks how much, and how it goes, by the address of the client
-- question: Who asks, and how does it go?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: server text -- only lines of this server: nginx, uvicorn, ...
-- param: limit integer = 100 [0..] -- at most this many rows, in the query's order
-- column: client text -- address of the client
-- column: requests integer -- access lines
-- column: failures integer -- of them answered with 400 or above, or with a synthesis that failed
-- column: failure_rate number -- failures / requests, 0 to 1
-- column: p95_ms number -- 95 % took no longer, where the server says how long
-- column: last_at timestamp -- the last of them
-- column: server text -- server that logged them: a server behind another one logs it too
-- column: rejected integer -- answered with a status from 400 to 499
-- least: rejected, failures, last_at, server
-- chart: bars x=client y=requests
-- order: requests desc, client, server
-- next: ttsq run http_errors

with lines as (
    select http_key, request_key, request_id, logged_at, client, server, http_status, request_ms
    from http_requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and (cast(:server as text) is null or server = cast(:server as text))
),
-- A line belongs to the request that it names by key; without a key, to the one that has its X-Request-ID alone.
named as (
    select request_id, min(request_key) as request_key
    from requests
    where request_id in (select request_id from lines where request_key is null)
    group by request_id
    having count(*) = 1
),
-- Keys of requests go by file and place, so those that lines name lie between few numbers.
near as (
    select min(request_key) as low, max(request_key) as high
    from (select request_key from lines union all select request_key from named) as told
),
unsuccessful as (
    select request_key
    from requests
    where status <> 'success'
      and request_key >= (select low from near)
      and request_key <= (select high from near)
),
answered as (
    select lines.*, coalesce(lines.request_key, named.request_key) as answers
    from lines
    left join named on lines.request_key is null and named.request_id = lines.request_id
),
judged as (
    select
        answered.*,
        answered.http_status >= 400
            or coalesce(answered.answers in (select request_key from unsuccessful), false) as failed
    from answered
)
select
    client,
    count(*) as requests,
    count(*) filter (where failed) as failures,
    cast(count(*) filter (where failed) as double precision) / count(*) as failure_rate,
    percentile_cont(0.95) within group (order by request_ms) as p95_ms,
    max(logged_at) as last_at,
    server,
    count(*) filter (where http_status between 400 and 499) as rejected
from judged
group by client, server
order by requests desc, client nulls last, server nulls last
limit cast(:limit as bigint)
