-- name: field_coverage
-- summary: which of the fields that the queries need are in the logs, and in what share of requests
-- question: Do the logs hold the golden fields?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- column: field text -- the field; stage_times: at least one stage_time record; cache_health: any cache sample of the
--   request's host in the window
-- column: requests integer -- requests that ought to have it: error_code and model_stage the failed ones; cache_saved and
--   audio_size_kb the successful ones; stage_times those not served from the cache; rms and spectral_centroid the
--   successful of these; status and duration_ms those with an end; other fields all
-- column: present integer -- those that have it
-- column: coverage number -- present / requests, 0 to 1; null without such requests
-- needs: none
-- chart: bars x=field y=coverage
-- order: coverage, field

with counted as (
    select
        count(*) as requests,
        count(completed_at) as ends,
        count(*) filter (where status = 'success') as successes,
        count(*) filter (where status <> 'success') as failures,
        count(id) as ids,
        count(request_id) as request_ids,
        count(started_at) as starts,
        count(status) filter (where completed_at is not null) as statuses,
        count(duration_ms) filter (where completed_at is not null) as durations,
        count(text_len) as text_lens,
        count(lang) as langs,
        count(voice) as voices,
        count(cache_hit) as cache_hits,
        count(cache_saved) filter (where status = 'success') as cache_saves,
        count(audio_size_kb) filter (where status = 'success') as audio_sizes,
        count(rms) filter (
            where status = 'success' and (cache_hit is null or not cache_hit)
        ) as loudnesses,
        count(spectral_centroid) filter (
            where status = 'success' and (cache_hit is null or not cache_hit)
        ) as centroids,
        count(error_code) filter (where status <> 'success') as error_codes,
        count(model_stage) filter (where status <> 'success') as model_stages,
        count(*) filter (where cache_hit is null or not cache_hit) as computed,
        count(*) filter (
            where status = 'success' and (cache_hit is null or not cache_hit)
        ) as computed_successes
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
),
staged as (
    select count(*) as present
    from requests
    join stage_timings on stage_timings.request_key = requests.request_key
    where requests.logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and requests.logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or requests.host = cast(:host as text))
      and (cast(:service as text) is null or requests.service = cast(:service as text))
      and (requests.cache_hit is null or not requests.cache_hit)
      and stage_timings.seq = 1
      and stage_timings.logged_at
          >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
),
hosts as (
    select host, count(*) as requests
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
    group by host
),
sampled as (
    select cast(coalesce(sum(requests), 0) as bigint) as present
    from hosts
    where host in (
        select host
        from cache_samples
        where sampled_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
          and sampled_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
    )
),
fields as (
    select 'id' as field, requests as requests, ids as present from counted
    union all
    select 'request_id', requests, request_ids from counted
    union all
    select 'started_at', requests, starts from counted
    union all
    select 'completed_at', requests, ends from counted
    union all
    select 'status', ends, statuses from counted
    union all
    select 'duration_ms', ends, durations from counted
    union all
    select 'text_len', requests, text_lens from counted
    union all
    select 'lang', requests, langs from counted
    union all
    select 'voice', requests, voices from counted
    union all
    select 'cache_hit', requests, cache_hits from counted
    union all
    select 'cache_saved', successes, cache_saves from counted
    union all
    select 'audio_size_kb', successes, audio_sizes from counted
    union all
    select 'rms', computed_successes, loudnesses from counted
    union all
    select 'spectral_centroid', computed_successes, centroids from counted
    union all
    select 'error_code', failures, error_codes from counted
    union all
    select 'model_stage', failures, model_stages from counted
    union all
    select 'stage_times', counted.computed, staged.present from counted cross join staged
    union all
    select 'cache_health', counted.requests, sampled.present from counted cross join sampled
)
select
    field,
    requests,
    present,
    cast(present as double precision) / nullif(requests, 0) as coverage
from fields
order by coverage nulls last, field
