-- name: field_coverage
-- group: raw
-- summary: the fields that the queries need: in what share of requests the logs have them
-- question: Do the logs hold the golden fields?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- filters: voice, lang, error_code, text_class, min_len, max_len, instance, status
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
-- next: ttsq status

-- Grouped by what the counts depend on first: a filter to each count would take twice as long.
with grouped as (
    select
        host,
        status,
        cache_hit,
        completed_at is not null as ended,
        count(*) as requests,
        count(id) as ids,
        count(request_id) as request_ids,
        count(started_at) as starts,
        count(duration_ms) as durations,
        count(text_len) as text_lens,
        count(lang) as langs,
        count(voice) as voices,
        count(cache_saved) as cache_saves,
        count(audio_size_kb) as audio_sizes,
        count(rms) as loudnesses,
        count(spectral_centroid) as centroids,
        count(error_code) as error_codes,
        count(model_stage) as model_stages
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
    group by 1, 2, 3, 4
),
judged as (
    select
        *,
        coalesce(status = 'success', false) as is_success,
        coalesce(status <> 'success', false) as is_failure,
        cache_hit is null or not cache_hit as is_computed
    from grouped
),
summed as (
    select
        sum(requests) as requests,
        sum(requests) filter (where ended) as ends,
        sum(requests) filter (where is_success) as successes,
        sum(requests) filter (where is_failure) as failures,
        sum(ids) as ids,
        sum(request_ids) as request_ids,
        sum(starts) as starts,
        sum(requests) filter (where ended and status is not null) as statuses,
        sum(durations) filter (where ended) as durations,
        sum(text_lens) as text_lens,
        sum(langs) as langs,
        sum(voices) as voices,
        sum(requests) filter (where cache_hit is not null) as cache_hits,
        sum(cache_saves) filter (where is_success) as cache_saves,
        sum(audio_sizes) filter (where is_success) as audio_sizes,
        sum(loudnesses) filter (where is_success and is_computed) as loudnesses,
        sum(centroids) filter (where is_success and is_computed) as centroids,
        sum(error_codes) filter (where is_failure) as error_codes,
        sum(model_stages) filter (where is_failure) as model_stages,
        sum(requests) filter (where is_computed) as computed,
        sum(requests) filter (where is_success and is_computed) as computed_successes
    from judged
),
staged as (
    select count(*) as present
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and (cache_hit is null or not cache_hit)
      and request_key in (
          select request_key
          from stage_timings
          where seq = 1
            and logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      )
),
sampled as (
    select sum(requests) as present
    from grouped
    where host in (
        select host
        from cache_samples
        where sampled_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
          and sampled_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
    )
),
fields as (
    select 'id' as field, requests, ids as present from summed
    union all
    select 'request_id', requests, request_ids from summed
    union all
    select 'started_at', requests, starts from summed
    union all
    select 'completed_at', requests, ends from summed
    union all
    select 'status', ends, statuses from summed
    union all
    select 'duration_ms', ends, durations from summed
    union all
    select 'text_len', requests, text_lens from summed
    union all
    select 'lang', requests, langs from summed
    union all
    select 'voice', requests, voices from summed
    union all
    select 'cache_hit', requests, cache_hits from summed
    union all
    select 'cache_saved', successes, cache_saves from summed
    union all
    select 'audio_size_kb', successes, audio_sizes from summed
    union all
    select 'rms', computed_successes, loudnesses from summed
    union all
    select 'spectral_centroid', computed_successes, centroids from summed
    union all
    select 'error_code', failures, error_codes from summed
    union all
    select 'model_stage', failures, model_stages from summed
    union all
    select 'stage_times', summed.computed, staged.present from summed cross join staged
    union all
    select 'cache_health', summed.requests, sampled.present from summed cross join sampled
)
select
    field,
    cast(coalesce(requests, 0) as bigint) as requests,
    cast(coalesce(present, 0) as bigint) as present,
    cast(coalesce(present, 0) as double precision) / nullif(requests, 0) as coverage
from fields
order by coverage nulls last, field
