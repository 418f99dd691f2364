-- name: window_requests
-- group: raw
-- summary: the requests that began in a window, in time
-- question: Which requests fell in that window?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: limit integer [0..] -- at most this many rows, in the query's order (default: all)
-- column: id text -- id of the request
-- column: started_at timestamp -- when it began; null where its start was not logged
-- column: status text -- success, failed or as logged; null while unfinished
-- column: error_code text -- error code of a failed one
-- column: duration_ms number -- end to end, milliseconds
-- column: logged_at timestamp -- first instant known of it, by which it fell in the window
-- column: request_key integer -- key of its row
-- column: request_id text -- X-Request-ID
-- column: host text -- machine
-- column: voice text -- voice
-- column: text_len integer -- length of the text, characters
-- least: request_key, logged_at, request_id, host, voice, text_len
-- chart: none
-- order: logged_at, request_key
-- next: ttsq trace {id}

select
    id,
    started_at,
    status,
    error_code,
    duration_ms,
    logged_at,
    request_key,
    request_id,
    host,
    voice,
    text_len
from requests
where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
  and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
  and (cast(:host as text) is null or host = cast(:host as text))
  and (cast(:service as text) is null or service = cast(:service as text))
order by logged_at, request_key
limit cast(:limit as bigint)
