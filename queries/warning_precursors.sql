-- name: warning_precursors
-- group: failures
-- summary: which warnings precede which errors on the same host, and by how long
-- question: Which warnings came before this error?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: error_code text -- only this error
-- param: within integer = 600 [0..3155760000] -- a warning precedes an error when it came at most so many seconds before it
-- column: error_code text -- code of the errors (level ERROR or CRITICAL)
-- column: warning_code text -- code of the warnings
-- column: errors integer -- errors of this code
-- column: preceded integer -- those of them that this warning preceded
-- column: median_lead_ms number -- from the last such warning to the error, half of them less
-- column: share number -- preceded / errors, 0 to 1
-- least: share, errors
-- needs: warning_code
-- chart: heatmap x=error_code y=warning_code value=preceded
-- order: preceded desc, error_code, warning_code
-- next: ttsq run fallbacks

with coded as (
    select host, level, code, occurred_at, error_key
    from errors
    where occurred_at >= coalesce(
        to_timestamp(
            extract(epoch from cast(:since as timestamptz)) - cast(:within as double precision)
        ),
        timestamptz '-infinity'
    )
      and occurred_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and code is not null
),
failures as (
    select *
    from coded
    where level <> 'WARNING'
      and occurred_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and (cast(:error_code as text) is null or code = cast(:error_code as text))
),
warnings as (
    select distinct host, code, occurred_at from coded where level = 'WARNING'
),
pairs as (
    select host, code as warning_code, null as error_code, occurred_at, occurred_at as warned_at
    from warnings
    union all
    select failures.host, codes.code, failures.code, failures.occurred_at, null
    from failures
    join (select distinct host, code from warnings) as codes on codes.host = failures.host
),
led as (
    select
        warning_code,
        error_code,
        (
            extract(epoch from occurred_at) - extract(epoch from max(warned_at) over (
                partition by host, warning_code order by occurred_at
            ))
        ) as lead_s
    from pairs
),
preceded as (
    select
        error_code,
        warning_code,
        count(*) as preceded,
        round(cast(
            percentile_cont(0.5) within group (order by lead_s) * 1000 as numeric
        ), 3) as median_lead_ms
    from led
    where error_code is not null and lead_s <= cast(:within as double precision)
    group by error_code, warning_code
),
totals as (
    select code, count(*) as errors from failures group by code
)
select
    preceded.error_code,
    preceded.warning_code,
    totals.errors,
    preceded.preceded,
    cast(preceded.median_lead_ms as double precision) as median_lead_ms,
    cast(preceded.preceded as double precision) / totals.errors as share
from preceded
join totals on totals.code = preceded.error_code
order by preceded.preceded desc, preceded.error_code, preceded.warning_code
