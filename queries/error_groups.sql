-- name: error_groups
-- group: failures
-- summary: warnings and errors grouped by what they say, ids and numbers aside
-- question: Which errors are the same one?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: level text -- only this level: WARNING, ERROR or CRITICAL
-- param: limit integer [0..] -- at most this many rows, in the query's order (default: all)
-- column: level text -- WARNING, ERROR or CRITICAL
-- column: code text -- error or warning code
-- column: location text -- deepest frame of the service's own code
-- column: message text -- first 500 characters; the request's own ids as <id>, every other word with a digit in it
--   as #, the user's text as "..."
-- column: occurrences integer -- records
-- column: requests integer -- different requests among them
-- column: first_at timestamp -- first record
-- column: last_at timestamp -- last record
-- least: last_at, requests, level, first_at
-- chart: bars x=code,message y=occurrences by=level
-- order: occurrences desc, level, code, location, message
-- next: ttsq run warning_precursors

with named as (
    select
        level,
        code,
        location,
        occurred_at,
        request_key,
        id,
        request_id,
        case
            when message like '%text="%' then regexp_replace(left(message, 500), 'text="[^"]*"?', 'text="..."', 'g')
            else left(message, 500)
        end as message
    from errors
    where occurred_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and occurred_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and (cast(:level as text) is null or level = upper(cast(:level as text)))
),
without_id as (
    select
        level,
        code,
        location,
        occurred_at,
        request_key,
        request_id,
        case when id <> '' then replace(message, id, '<id>') else message end as message
    from named
),
without_ids as (
    select
        level,
        code,
        location,
        occurred_at,
        request_key,
        case
            when request_id <> '' then replace(message, request_id, '<id>') else message
        end as message
    from without_id
),
grouped as (
    select
        level,
        code,
        location,
        regexp_replace(
            message,
            '[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}'
            || '|[A-Za-z0-9]*[0-9][A-Za-z0-9]*([.][0-9]+)*',
            '#',
            'g'
        ) as message,
        occurred_at,
        request_key
    from without_ids
)
select
    level,
    code,
    location,
    message,
    count(*) as occurrences,
    count(distinct request_key) as requests,
    min(occurred_at) as first_at,
    max(occurred_at) as last_at
from grouped
group by level, code, location, message
order by
    occurrences desc,
    level,
    code nulls last,
    location nulls last,
    message nulls last
limit cast(:limit as bigint)
