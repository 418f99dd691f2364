-- name: time_outside_synthesis
-- group: http
-- summary: how long HTTP requests took outside the synthesis that they asked for
-- question: Where does a slow answer's time go?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: limit integer = 20 [0..] -- at most this many rows, in the query's order
-- column: request_id text -- X-Request-ID
-- column: id text -- id of the request
-- column: request_ms number -- whole time of the HTTP request, milliseconds
-- column: upstream_ms number -- the part of it that upstream servers took; null where not logged
-- column: synthesis_ms number -- the synthesis, end to end
-- column: outside_ms number -- request_ms - synthesis_ms: queues, transfer, conversion, the client's line
-- column: proxy_ms number -- request_ms - upstream_ms: the proxy and the client's line alone
-- column: requested_at timestamp -- instant of the access line
-- column: server text -- server that logged the line
-- column: http_status integer -- status of the answer
-- column: http_key integer -- key of the access line
-- least: http_key, server, http_status, proxy_ms, requested_at, request_id
-- needs: duration_ms
-- chart: bars x=id y=synthesis_ms,outside_ms
-- order: outside_ms desc, http_key
-- next: ttsq trace {request_id}

with lines as (
    select http_key, request_key, request_id, logged_at, request_ms, upstream_ms, http_status, server
    from http_requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and request_ms is not null
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
answered as (
    select lines.*, coalesce(lines.request_key, named.request_key) as answers
    from lines
    left join named on lines.request_key is null and named.request_id = lines.request_id
),
-- The longest first, by key and time alone: only for these the rest is fetched.
longest as (
    select
        answered.*,
        requests.duration_ms as synthesis_ms,
        answered.request_ms - requests.duration_ms as outside_ms
    from answered
    semi join (
        select request_key, duration_ms
        from requests
        where duration_ms is not null
          and request_key >= (select low from near)
          and request_key <= (select high from near)
    ) as requests on requests.request_key = answered.answers
    order by outside_ms desc, answered.http_key
    limit cast(:limit as bigint)
)
select
    coalesce(longest.request_id, requests.request_id) as request_id,
    requests.id,
    longest.request_ms,
    longest.upstream_ms,
    longest.synthesis_ms,
    longest.outside_ms,
    longest.request_ms - longest.upstream_ms as proxy_ms,
    longest.logged_at as requested_at,
    longest.server,
    longest.http_status,
    longest.http_key
from longest
join (
    select request_key, request_id, id
    from requests
    where request_key in (select answers from longest)
) as requests on requests.request_key = longest.answers
order by longest.outside_ms desc, longest.http_key
