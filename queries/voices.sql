-- name: voices
-- group: audio
-- summary: requests, failures and latency by voice and language
-- question: Who uses which voice, and how does each fare?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- column: voice text -- voice; null where it was not logged
-- column: lang text -- language
-- column: requests integer -- requests
-- column: share number -- requests / all requests, 0 to 1
-- column: failure_rate number -- failures / requests, 0 to 1
-- column: p95_ms number -- 95 % of those with a known duration took no longer
-- column: failures integer -- failed requests
-- least: failures, share
-- needs: voice
-- chart: bars x=voice,lang y=failure_rate
-- order: requests desc, voice, lang
-- next: ttsq run failure_by_length

with grouped as (
    select
        voice,
        lang,
        count(*) as requests,
        count(*) filter (where status <> 'success') as failures,
        percentile_cont(0.95) within group (order by duration_ms) as p95_ms
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
    group by voice, lang
)
select
    voice,
    lang,
    requests,
    cast(requests as double precision) / sum(requests) over () as share,
    cast(failures as double precision) / requests as failure_rate,
    p95_ms,
    failures
from grouped
order by requests desc, voice nulls last, lang nulls last
