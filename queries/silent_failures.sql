-- name: silent_failures
-- group: failures
-- summary: requests that failed although HTTP answered with success
-- question: HTTP said 200, synthesis said failed?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: limit integer = 100 [0..] -- at most this many rows, in the query's order
-- column: request_id text -- X-Request-ID
-- column: id text -- id of the request
-- column: requested_at timestamp -- instant of the access line
-- column: http_status integer -- status of the answer: below 400
-- column: error_code text -- error code of the synthesis
-- column: server text -- server that logged the line: a server behind another one logs it too
-- column: path text -- path, without the query
-- column: status text -- failed, or as the synthesis logged it
-- column: request_key integer -- key of the request
-- column: http_key integer -- key of the access line
-- least: request_key, http_key, path, status, request_id, server
-- needs: status
-- chart: none
-- order: requested_at desc, http_key
-- next: ttsq trace {id}

with lines as (
    select http_key, request_key, request_id, logged_at, http_status, server, path
    from http_requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and http_status < 400
),
-- A line belongs to the request that it names by key; without a key, to the one that has its X-Request-ID alone.
named as (
    select request_id, min(request_key) as request_key
    from requests
    where request_id in (select request_id from lines where request_key is null)
    group by request_id
    having count(*) = 1
),
answered as (
    select lines.*, coalesce(lines.request_key, named.request_key) as answers
    from lines
    left join named on lines.request_key is null and named.request_id = lines.request_id
)
select
    coalesce(answered.request_id, requests.request_id) as request_id,
    requests.id,
    answered.logged_at as requested_at,
    answered.http_status,
    requests.error_code,
    answered.server,
    answered.path,
    requests.status,
    requests.request_key,
    answered.http_key
from answered
join requests on requests.request_key = answered.answers
where requests.status <> 'success'
order by answered.logged_at desc, answered.http_key
limit cast(:limit as bigint)
