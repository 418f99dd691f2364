-- name: muffled_audio
-- group: audio
-- summary: requests whose audio is dull
-- question: Whose audio is dull?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: below_hz number = 1800 -- dull is a spectral centroid below this, Hz
-- param: limit integer [0..] -- at most this many rows, in the query's order (default: all)
-- column: id text -- id of the request
-- column: completed_at timestamp -- when it ended
-- column: spectral_centroid number -- brightness of the audio, Hz
-- column: rms number -- loudness of the audio
-- column: voice text -- voice
-- column: request_key integer -- key of its row
-- column: host text -- machine
-- column: lang text -- language
-- least: request_key, lang, host, rms
-- needs: spectral_centroid
-- chart: bars x=id y=spectral_centroid by=voice
-- order: spectral_centroid, request_key
-- next: ttsq trace {id}

select
    id,
    completed_at,
    spectral_centroid,
    rms,
    voice,
    request_key,
    host,
    lang
from requests
where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
  and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
  and (cast(:host as text) is null or host = cast(:host as text))
  and (cast(:service as text) is null or service = cast(:service as text))
  and spectral_centroid < cast(:below_hz as double precision)
order by spectral_centroid, request_key
limit cast(:limit as bigint)
