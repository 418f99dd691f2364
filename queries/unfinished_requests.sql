-- name: unfinished_requests
-- group: failures
-- summary: requests that started and whose end was not logged
-- question: Which started and never ended?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: older_than_ms number -- only those older than this, milliseconds (default: any; the youngest may still be running)
-- param: stage text -- only those whose last stage is this
-- param: as_of timestamp = now -- the instant up to which ages are counted
-- param: limit integer [0..] -- at most this many rows, in the query's order (default: all)
-- column: id text -- id of the request
-- column: started_at timestamp -- when it began
-- column: last_stage text -- the last stage it came through; null where there is none
-- column: age_ms number -- time since it began, milliseconds; negative where the log's clock is ahead
-- column: request_key integer -- key of its row
-- column: request_id text -- X-Request-ID
-- column: host text -- machine
-- least: request_key, request_id, host
-- needs: started_at, completed_at
-- chart: none
-- order: started_at desc, request_key
-- next: ttsq trace {id}

with unfinished as (
    select
        request_key,
        id,
        request_id,
        host,
        started_at,
        round(
            (extract(epoch from cast(:as_of as timestamptz)) - extract(epoch from started_at))
            * 1000
        ) as age_ms
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and started_at is not null
      and completed_at is null
      and status is null
),
-- Looked up by their keys, so that an index tells where their rows lie.
stages as (
    select
        request_key,
        stage,
        row_number() over (partition by request_key order by seq desc) as place
    from stage_timings
    where request_key in (select request_key from unfinished)
      and logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
)
select
    unfinished.id,
    unfinished.started_at,
    stages.stage as last_stage,
    cast(unfinished.age_ms as double precision) as age_ms,
    unfinished.request_key,
    unfinished.request_id,
    unfinished.host
from unfinished
left join stages on stages.request_key = unfinished.request_key and stages.place = 1
where (
    cast(:older_than_ms as double precision) is null
    or unfinished.age_ms > cast(:older_than_ms as double precision)
)
  and (cast(:stage as text) is null or stages.stage = cast(:stage as text))
order by unfinished.started_at desc, unfinished.request_key
limit cast(:limit as bigint)
