-- name: rejected_requests
-- group: http
-- summary: requests answered with a status from 400 to 499 that no synthesis followed
-- question: What is refused before any synthesis?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: limit integer = 100 [0..] -- at most this many rows, in the query's order
-- filters: instance
-- filtered: http_requests
-- column: http_status integer -- status of the answer
-- column: path text -- path, without the query
-- column: client text -- address of the client
-- column: requests integer -- access lines
-- column: first_at timestamp -- the first of them
-- column: last_at timestamp -- the last of them
-- column: server text -- server that logged them: a server behind another one logs it too
-- least: first_at, server
-- chart: bars x=path y=requests by=http_status
-- order: requests desc, http_status, path, client, server
-- next: ttsq run clients

select
    http_status,
    path,
    client,
    count(*) as requests,
    min(logged_at) as first_at,
    max(logged_at) as last_at,
    server
from http_requests
where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
  and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
  and (cast(:host as text) is null or host = cast(:host as text))
  and (cast(:service as text) is null or service = cast(:service as text))
  and http_status between 400 and 499
  and request_key is null
  and (
      request_id is null
      or request_id not in (select request_id from requests where request_id is not null)
  )
group by http_status, path, client, server
order by
    requests desc,
    http_status,
    path nulls last,
    client nulls last,
    server nulls last
limit cast(:limit as bigint)
