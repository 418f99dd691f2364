-- name: rtf_by_length
-- group: time
-- summary: real-time factor by the length of the audio made
-- question: Are short (or long) texts slow for their length?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: audio_band integer = 5 [1..1000000] -- width of a band of lengths, seconds of audio
-- column: audio_s_from number -- the band's shortest audio, seconds
-- column: audio_s_to number -- its audio is shorter than this
-- column: requests integer -- requests of the band whose real-time factor is known
-- column: p50_rtf number -- half of them had no higher one
-- column: p95_rtf number -- 95 % had no higher one
-- chart: bars x=audio_s_from y=p50_rtf
-- order: audio_s_from
-- next: ttsq run slow_requests

with banded as (
    select
        floor(audio_ms / 1000 / cast(:audio_band as double precision)) as band,
        count(*) as requests,
        percentile_cont(0.5) within group (order by rtf) as p50_rtf,
        percentile_cont(0.95) within group (order by rtf) as p95_rtf
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and audio_ms is not null
      and rtf is not null
    group by 1
)
select
    band * cast(:audio_band as double precision) as audio_s_from,
    (band + 1) * cast(:audio_band as double precision) as audio_s_to,
    requests,
    p50_rtf,
    p95_rtf
from banded
order by band
