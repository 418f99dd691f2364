-- Traffic, failures and times by hour, host and voice.
select
    date_trunc('hour', logged_at) as hour_at,
    host,
    voice,
    count(*) as requests,
    count(status) as finished,
    sum(case when failed then 1 else 0 end) as failures,
    avg(duration_ms) as mean_ms,
    percentile_cont(0.95) within group (order by duration_ms) as p95_ms
from {{ source('ttsq', 'all_requests') }}
group by 1, 2, 3
