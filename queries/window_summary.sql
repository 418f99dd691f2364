-- name: window_summary
-- group: failures
-- summary: warnings and errors of a window by level and code
-- question: How bad was 14:00-15:00?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- column: level text -- CRITICAL, ERROR or WARNING, the worst first
-- column: code text -- error or warning code; null for records without one
-- column: records integer -- records of this level and code
-- column: requests integer -- different requests among them
-- column: hosts integer -- different hosts among them
-- column: first_at timestamp -- first record
-- column: last_at timestamp -- last record
-- least: hosts, last_at, requests
-- chart: bars x=code y=records by=level
-- order: level, records desc, code
-- next: ttsq run window_requests

select
    level,
    code,
    count(*) as records,
    count(distinct request_key) as requests,
    count(distinct host) as hosts,
    min(occurred_at) as first_at,
    max(occurred_at) as last_at
from errors
where occurred_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
  and occurred_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
  and (cast(:host as text) is null or host = cast(:host as text))
  and (cast(:service as text) is null or service = cast(:service as text))
group by level, code
order by level, records desc, code nulls last
