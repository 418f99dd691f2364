-- name: failure_by_stage
-- group: failures
-- summary: failures by the stage that the service says it failed in
-- question: Where do failing requests stop?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- column: model_stage text -- stage logged at the end; null where none was
-- column: error_code text -- error code of the failed requests
-- column: failures integer -- failed requests of this stage and code
-- column: share number -- failures / all failures, 0 to 1
-- needs: status, model_stage
-- chart: bars x=model_stage y=failures by=error_code
-- order: failures desc, model_stage, error_code
-- next: ttsq run error_groups

with counted as (
    select model_stage, error_code, count(*) as failures
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and status <> 'success'
    group by model_stage, error_code
)
select
    model_stage,
    error_code,
    failures,
    cast(failures as double precision) / sum(failures) over () as share
from counted
order by failures desc, model_stage nulls last, error_code nulls last
