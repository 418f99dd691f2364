-- name: fallbacks
-- group: failures
-- summary: warnings that report a fallback: the request was served, with less than was asked for
-- question: Where is quality degraded without an error?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- column: warning_code text -- code of the warning
-- column: logger text -- logger that wrote it
-- column: records integer -- warnings with fallback_used=true, or named a fallback by their code or event
-- column: requests integer -- different requests among them
-- column: last_at timestamp -- the last of them
-- column: first_at timestamp -- the first of them
-- least: first_at, logger, requests
-- chart: bars x=warning_code y=records by=logger
-- order: records desc, warning_code, logger
-- next: ttsq run degradations

with warnings as (
    select
        code,
        logger,
        request_key,
        occurred_at,
        event,
        lower(attributes ->> 'fallback_used') as fallback_used
    from errors
    where occurred_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and occurred_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and level = 'WARNING'
)
select
    code as warning_code,
    logger,
    count(*) as records,
    count(distinct request_key) as requests,
    max(occurred_at) as last_at,
    min(occurred_at) as first_at
from warnings
where fallback_used in ('true', 'yes', '1')
   or (
       fallback_used is null
       and (lower(code) like '%fallback%' or lower(event) like '%fallback%')
   )
group by code, logger
order by records desc, code nulls last, logger nulls last
