-- name: audio_size_outliers
-- group: audio
-- summary: audio much larger or smaller than that of other texts of the same length and language
-- question: Same length, odd size?
-- param: since timestamp -- from this instant on: an instant, a date or an age such as 24h (default: everything)
-- param: until timestamp -- up to, not including, this instant (default: no end)
-- param: host text -- only this host
-- param: service text -- only this service
-- param: length_band integer = 20 [1..1000000000] -- texts in the same band of this many characters count as alike
-- param: min_z number = 3 [0..] -- report from this many standard deviations
-- param: limit integer [0..] -- at most this many rows, in the query's order (default: all)
-- column: id text -- id of the request
-- column: text_len integer -- length of the text, characters
-- column: audio_size_kb number -- size of the audio, KB
-- column: kb_per_char number -- audio_size_kb / text_len
-- column: z_score number -- standard deviations from the mean kb_per_char of successful requests of the same language
--   and length band, to nine places
-- column: request_key integer -- key of its row
-- column: lang text -- language
-- column: voice text -- voice
-- column: alike integer -- requests it was compared with, itself included
-- least: request_key, alike, lang, voice, audio_size_kb
-- needs: status, text_len, audio_size_kb
-- chart: none
-- order: abs(z_score) desc, request_key
-- next: ttsq trace {id}

with sized as (
    select
        request_key,
        id,
        text_len,
        audio_size_kb,
        audio_size_kb / text_len as kb_per_char,
        lang,
        voice,
        floor(text_len / cast(:length_band as double precision)) as band
    from requests
    where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
      and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
      and (cast(:host as text) is null or host = cast(:host as text))
      and (cast(:service as text) is null or service = cast(:service as text))
      and status = 'success'
      and text_len > 0
      and audio_size_kb is not null
),
groups as (
    select
        lang,
        band,
        count(*) as alike,
        avg(kb_per_char) as mean,
        stddev_samp(kb_per_char) as deviation
    from sized
    group by lang, band
),
-- Rounded: the last digits of a sum of fractions depend on the order in which threads add them up.
scored as (
    select
        sized.*,
        groups.alike,
        floor(
            (sized.kb_per_char - groups.mean) / nullif(groups.deviation, 0) * 1e9 + 0.5
        ) / 1e9 as z_score
    from sized
    join groups on groups.band = sized.band and groups.lang is not distinct from sized.lang
)
select
    id,
    text_len,
    audio_size_kb,
    kb_per_char,
    z_score,
    request_key,
    lang,
    voice,
    alike
from scored
where abs(z_score) >= cast(:min_z as double precision)
order by abs(z_score) desc, request_key
limit cast(:limit as bigint)
