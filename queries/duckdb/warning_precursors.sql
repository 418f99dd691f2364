-- name: warning_precursors
-- group: failures
-- summary: which warnings precede which errors on the same host, by how long, and how much more often than they precede
--   successes
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
-- column: base_share number -- the same of the successful requests on the hosts of these errors: what chance would give
-- column: lift number -- share / base_share, with half an event added to each; 1: the warning says nothing
-- column: lift_low number -- lower end of the 95 % confidence interval of the lift; above 1: more than chance
-- least: base_share, errors, share, lift_low
-- needs: warning_code
-- timed: errors
-- chart: heatmap x=error_code y=warning_code value=lift
-- order: lift_low desc, preceded desc, error_code, warning_code
-- next: ttsq run fallbacks

-- A last_value that passes over nulls, which PostgreSQL lacks, finds the last warning in a third of the time of a
-- running maximum.
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
      and time_source <> 'file'
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
            extract(epoch from occurred_at) - extract(epoch from last_value(warned_at ignore nulls) over (
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
),
-- The ends of successful requests, in sixtieths of the lead that counts: how often a warning comes before nothing.
settled as (
    select
        host,
        (
            floor(
                cast(extract(epoch from coalesce(completed_at, logged_at)) as double precision)
                / greatest(cast(:within as double precision) / 60, 1)
            ) + 1
        ) * greatest(cast(:within as double precision) / 60, 1) as at_s,
        count(*) as requests
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and status = 'success'
      and time_source <> 'file'
    group by 1, 2
),
compared as (
    select
        host,
        code as warning_code,
        0 as requests,
        cast(extract(epoch from occurred_at) as double precision) as at_s,
        cast(extract(epoch from occurred_at) as double precision) as warned_s
    from warnings
    union all
    select settled.host, codes.code, settled.requests, settled.at_s, null
    from settled
    join (select distinct host, code from warnings) as codes on codes.host = settled.host
),
covered as (
    select
        host,
        warning_code,
        requests,
        at_s - last_value(warned_s ignore nulls) over (partition by host, warning_code order by at_s) as lead_s
    from compared
),
usual as (
    select
        host,
        warning_code,
        sum(requests) as successes,
        sum(case when lead_s <= cast(:within as double precision) then requests else 0 end) as preceded
    from covered
    group by host, warning_code
),
struck as (
    select host, code, count(*) as errors from failures group by host, code
),
expected as (
    select
        struck.code as error_code,
        usual.warning_code,
        cast(sum(usual.successes) as double precision) as successes,
        sum(
            struck.errors * cast(usual.preceded as double precision) / nullif(usual.successes, 0)
            order by struck.host
        ) as errors
    from struck
    join usual on usual.host = struck.host
    group by struck.code, usual.warning_code
),
rated as (
    select
        preceded.error_code,
        preceded.warning_code,
        totals.errors,
        preceded.preceded,
        preceded.median_lead_ms,
        cast(preceded.preceded as double precision) / totals.errors as share,
        expected.errors / totals.errors as base_share,
        expected.successes,
        expected.errors / totals.errors * expected.successes + 0.5 as base
    from preceded
    join totals on totals.code = preceded.error_code
    join expected
        on expected.error_code = preceded.error_code and expected.warning_code = preceded.warning_code
),
lifted as (
    select
        *,
        (preceded + 0.5) / (errors + 1) / (base / (successes + 1)) as lift,
        sqrt(
            greatest(1 / (preceded + 0.5) - 1.0 / (errors + 1) + 1 / base - 1 / (successes + 1), 0)
        ) as deviation
    from rated
)
select
    error_code,
    warning_code,
    errors,
    preceded,
    cast(median_lead_ms as double precision) as median_lead_ms,
    share,
    base_share,
    cast(lift as double precision) as lift,
    cast(lift * exp(-1.96 * deviation) as double precision) as lift_low
from lifted
order by lift_low desc nulls last, preceded desc, error_code, warning_code
