-- name: slow_requests
-- group: time
-- summary: the slowest requests, each with the stage that took longest
-- question: Which were slow, and in which stage?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: slower_than_ms number -- only requests that took longer, milliseconds (default: any)
-- param: limit integer = 20 [0..] -- at most this many rows, in the query's order
-- column: id text -- id of the request
-- column: started_at timestamp -- when it began; null where its start was not logged
-- column: duration_ms number -- end to end, milliseconds
-- column: slowest_stage text -- the stage that took longest; null where no stages were logged
-- column: slowest_stage_ms number -- that stage's own time
-- column: slowest_stage_share number -- slowest_stage_ms / duration_ms
-- column: request_key integer -- key of its row
-- column: host text -- machine
-- column: text_len integer -- length of the text, characters
-- column: cache_hit boolean -- served from the cache
-- column: status text -- success, failed or as logged
-- least: request_key, status, cache_hit, host, text_len, slowest_stage_share, started_at
-- needs: duration_ms
-- chart: bars x=id y=duration_ms
-- order: duration_ms desc, request_key
-- next: ttsq trace {id}

with slow as (
    select request_key, id, started_at, logged_at, duration_ms, host, text_len, cache_hit, status
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and duration_ms is not null
      and (
          cast(:slower_than_ms as double precision) is null
          or duration_ms > cast(:slower_than_ms as double precision)
      )
    order by duration_ms desc, request_key
    limit cast(:limit as bigint)
),
-- Looked up by their keys, so that an index tells where their rows lie.
ranked as (
    select
        request_key,
        stage,
        duration_ms,
        row_number() over (
            partition by request_key order by duration_ms desc, seq
        ) as place
    from stage_timings
    where request_key in (select request_key from slow)
      and duration_ms is not null
      and logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
)
select
    slow.id,
    slow.started_at,
    slow.duration_ms,
    ranked.stage as slowest_stage,
    ranked.duration_ms as slowest_stage_ms,
    ranked.duration_ms / nullif(slow.duration_ms, 0) as slowest_stage_share,
    slow.request_key,
    slow.host,
    slow.text_len,
    slow.cache_hit,
    slow.status
from slow
left join ranked on ranked.request_key = slow.request_key and ranked.place = 1
order by slow.duration_ms desc, slow.request_key
