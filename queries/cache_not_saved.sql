-- name: cache_not_saved
-- group: cache
-- summary: successful requests computed anew whose audio did not reach the cache
-- question: Which successes will be computed again?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: limit integer [0..] -- at most this many rows, in the query's order (default: all)
-- column: id text -- id of the request
-- column: completed_at timestamp -- when it ended
-- column: duration_ms number -- what computing it took, and will take again
-- column: audio_size_kb number -- size of the audio
-- column: request_key integer -- key of its row
-- column: host text -- machine
-- column: text_len integer -- length of the text, characters
-- least: request_key, host, audio_size_kb, duration_ms
-- needs: status, cache_saved
-- chart: none
-- order: duration_ms desc, request_key
-- next: ttsq trace {id}

select
    id,
    completed_at,
    duration_ms,
    audio_size_kb,
    request_key,
    host,
    text_len
from requests
where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
  and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
  and (cast(:host as text) is null or host = cast(:host as text))
  and (cast(:service as text) is null or service = cast(:service as text))
  and status = 'success'
  and not cache_saved
  and (cache_hit is null or not cache_hit)
order by duration_ms desc nulls last, request_key
limit cast(:limit as bigint)
