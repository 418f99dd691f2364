-- name: http_errors
-- group: http
-- summary: answers of status 400 and above, by status and path
-- question: Which status, on which path?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: path text -- only this path
-- param: server text -- only lines of this server: nginx, uvicorn, ...
-- param: limit integer = 100 [0..] -- at most this many rows, in the query's order
-- column: http_status integer -- status of the answer
-- column: path text -- path, without the query
-- column: requests integer -- access lines
-- column: share number -- requests / all access lines of the server, 0 to 1
-- column: first_at timestamp -- the first of them
-- column: last_at timestamp -- the last of them
-- column: server text -- server that logged them: a server behind another one logs it too
-- least: first_at, share, server
-- chart: bars x=path y=requests by=http_status
-- order: requests desc, http_status, path, server
-- next: ttsq run rejected_requests

with lines as (
    select http_status, path, server, logged_at
    from http_requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and (cast(:path as text) is null or path = cast(:path as text))
      and (cast(:server as text) is null or server = cast(:server as text))
),
whole as (
    select server, count(*) as requests
    from lines
    group by server
)
select
    lines.http_status,
    lines.path,
    count(*) as requests,
    cast(count(*) as double precision) / max(whole.requests) as share,
    min(lines.logged_at) as first_at,
    max(lines.logged_at) as last_at,
    lines.server
from lines
join whole on whole.server is not distinct from lines.server
where lines.http_status >= 400
group by lines.http_status, lines.path, lines.server
order by count(*) desc, lines.http_status, lines.path nulls last, lines.server nulls last
limit cast(:limit as bigint)
