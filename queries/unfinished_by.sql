-- name: unfinished_by
-- group: failures
-- summary: requests that started and whose end was not logged, by the values of a dimension
-- question: For which kind of input do requests hang?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: by text = voice -- voice, lang, text_class, length, cache_hit, host, service, instance, profile, model_stage,
--   error_code, status, or an attribute that the requests were logged with
-- param: length_band integer = 100 [0..1000000000] -- with --by length: width of a band of lengths, characters; 0: none
-- param: limit integer [0..] -- at most this many rows, in the query's order (default: all)
-- column: value text -- value of the dimension; null where it was not logged
-- column: requests integer -- all requests with this value whose start was logged
-- column: unfinished integer -- those of them that never ended
-- column: share number -- unfinished / all unfinished, 0 to 1
-- column: unfinished_rate number -- unfinished / requests, 0 to 1
-- least: share
-- needs: started_at, completed_at
-- chart: bars x=value y=unfinished
-- order: unfinished desc, unfinished_rate desc, value
-- next: ttsq run unfinished_requests

with valued as (
    select
        case cast(:by as text)
            when 'voice' then voice
            when 'lang' then lang
            when 'text_class' then text_class
            when 'length' then case
                when cast(:length_band as bigint) = 0 then cast(text_len as text)
                when text_len < 9000000000000000000 then cast(text_len - text_len % nullif(cast(:length_band as bigint), 0) as text) || '-'
                    || cast(text_len - text_len % nullif(cast(:length_band as bigint), 0) + (cast(:length_band as bigint) - 1) as text)
            end
            when 'cache_hit' then case when cache_hit then 'true' when not cache_hit then 'false' end
            when 'host' then host
            when 'service' then service
            when 'instance' then instance
            when 'profile' then profile
            when 'model_stage' then model_stage
            when 'error_code' then error_code
            when 'status' then coalesce(status, 'unfinished')
            /* any other: */
            else attributes ->> case
                when cast(:by as text) <> '' and cast(:by as text) = translate(cast(:by as text), '$/*"\[]#', '')
                    then cast(:by as text)
                else 'no attribute is called so'
            end
            /* */
        end as value,
        started_at,
        completed_at is null and status is null as is_unfinished
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
)
select
    value,
    count(*) as requests,
    count(*) filter (where is_unfinished) as unfinished,
    cast(count(*) filter (where is_unfinished) as double precision)
    / nullif(sum(count(*) filter (where is_unfinished)) over (), 0) as share,
    cast(count(*) filter (where is_unfinished) as double precision) / count(*) as unfinished_rate
from valued
where started_at is not null
group by value
order by unfinished desc, unfinished_rate desc, value nulls last
limit cast(:limit as bigint)
