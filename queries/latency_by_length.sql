-- name: latency_by_length
-- group: time
-- summary: end-to-end latency by the length of the text
-- question: How does time grow with the text?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: length_band integer = 20 [1..1000000000] -- width of a band of lengths, characters
-- column: text_len_from integer -- shortest text of the band, characters
-- column: text_len_to integer -- longest text of the band
-- column: requests integer -- requests of the band whose duration is known
-- column: p50_ms number -- half of them took no longer
-- column: p95_ms number -- 95 % took no longer
-- column: p50_ms_per_char number -- half of them took no longer for each character; null for empty texts
-- least: p50_ms_per_char
-- needs: duration_ms, text_len
-- chart: bars x=text_len_from y=p50_ms
-- order: text_len_from
-- next: ttsq run slow_requests

with banded as (
    select
        text_len - text_len % cast(:length_band as bigint) as text_len_from,
        count(*) as requests,
        percentile_cont(0.5) within group (order by duration_ms) as p50_ms,
        percentile_cont(0.95) within group (order by duration_ms) as p95_ms,
        percentile_cont(0.5) within group (
            order by duration_ms / nullif(text_len, 0)
        ) as p50_ms_per_char
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and text_len is not null
      and duration_ms is not null
    group by 1
)
select
    text_len_from,
    text_len_from
        + least(cast(:length_band as bigint) - 1, 9223372036854775807 - text_len_from)
        as text_len_to,
    requests,
    p50_ms,
    p95_ms,
    p50_ms_per_char
from banded
order by text_len_from
