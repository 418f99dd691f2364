-- name: failure_by_length
-- group: begin here
-- summary: failures by text length and error code
-- question: Do failures gather at certain text lengths?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: length_band integer = 0 [0..1000000000] -- texts in the same band of this many characters count as alike; 0: only
--   those of the same length
-- param: limit integer [0..] -- at most this many rows, in the query's order (default: all)
-- column: text_len integer -- length of the text, characters, in bands the least; null where it is not known
-- column: error_code text -- error code of the failed requests
-- column: failures integer -- failed requests of this length and code
-- column: requests integer -- all requests of this length, whatever became of them
-- column: failure_rate number -- failures / requests, 0 to 1
-- column: text_len_to integer -- in bands the greatest length of the band; null without bands
-- least: text_len_to
-- needs: status, text_len
-- chart: heatmap x=text_len y=error_code value=failures
-- order: failures desc, failure_rate desc, text_len, error_code
-- next: ttsq run failure_by_stage

-- Lengths are counted over all requests, codes over the few that failed: one count of both takes twice as long.
with lengths as (
    select
        coalesce(text_len - text_len % nullif(cast(:length_band as bigint), 0), text_len) as text_len,
        count(*) as requests
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
    group by 1
),
failed as (
    select
        coalesce(text_len - text_len % nullif(cast(:length_band as bigint), 0), text_len) as text_len,
        error_code,
        count(*) as failures
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and status <> 'success'
    group by 1, 2
)
select
    failed.text_len,
    failed.error_code,
    failed.failures,
    lengths.requests,
    cast(failed.failures as double precision) / lengths.requests as failure_rate,
    case
        when cast(:length_band as bigint) = 0 then null
        when failed.text_len > 9000000000000000000 then 9223372036854775807
        else failed.text_len + cast(:length_band as bigint) - 1
    end as text_len_to
from failed
join lengths on lengths.text_len is not distinct from failed.text_len
order by failures desc, failure_rate desc, text_len nulls last, error_code nulls last
limit cast(:limit as bigint)
