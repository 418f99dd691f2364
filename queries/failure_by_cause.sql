-- name: failure_by_cause
-- group: failures
-- summary: failures by kind of text and error code: what users typed, or what the code did
-- question: How many failures are the user's special characters, how many are FFT overflow?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- column: text_class text -- empty, control, emoji, symbols or plain; null where the text is not known
-- column: error_code text -- error code of the failed requests
-- column: failures integer -- failed requests of this class and code
-- column: share number -- failures / all failures, 0 to 1
-- column: failure_rate number -- failures / requests of this class, 0 to 1
-- column: requests integer -- requests of this class
-- column: expected number -- failures there would be if the class failed with this code as often as plain texts do
-- column: cause text -- code (no more than plain texts give reason to expect), text (3 failures or more, and over
--   expected + 2 * sqrt(expected)), unclear (too few to tell); null where the class is not known
-- least: expected, share, requests
-- needs: status, text
-- chart: heatmap x=error_code y=text_class value=failures
-- order: failures desc, text_class, error_code
-- next: ttsq run failure_by_length

with counted as (
    select
        text_class,
        coalesce(status <> 'success', false) as failed,
        case when status <> 'success' then error_code end as error_code,
        count(*) as failures
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
    group by 1, 2, 3
),
rated as (
    select
        *,
        cast(sum(failures) over (partition by text_class) as bigint) as requests
    from counted
),
plain as (
    select
        error_code,
        failed,
        max(case when text_class = 'plain' then cast(failures as double precision) / requests end) as rate
    from rated
    where failed
    group by error_code, failed
),
compared as (
    select
        rated.text_class,
        rated.error_code,
        rated.failures,
        cast(rated.failures as double precision) / sum(rated.failures) over () as share,
        cast(rated.failures as double precision) / rated.requests as failure_rate,
        rated.requests,
        rated.requests * coalesce(plain.rate, 0) as expected
    from rated
    join plain on plain.error_code is not distinct from rated.error_code
    where rated.failed
)
select
    text_class,
    error_code,
    failures,
    share,
    failure_rate,
    requests,
    expected,
    case
        when text_class is null then null
        when text_class = 'plain' or failures <= expected + 2 * sqrt(expected) then 'code'
        when failures >= 3 then 'text'
        else 'unclear'
    end as cause
from compared
order by failures desc, text_class nulls last, error_code nulls last
