"""The rows of the ClickHouse benchmark, made by the server: 30 days, three hosts with a log file a
day each, five stages a request, as ``benchmarks.queries`` makes them in DuckDB; and an access line
a request, in a file of its own.
"""

from datetime import timedelta
from itertools import pairwise

from benchmarks.queries import BEGAN, SPAN
from ingest.stores.clickhouse.store import ClickHouseStore

_REQUESTS = """
insert into requests_rows (request_key, id, host, service, logged_at, time_source, started_at,
    completed_at, status, duration_ms, text, text_len, text_class, lang, voice, cache_hit,
    cache_saved, model_stage, error_code, audio_size_kb, rms, spectral_centroid, start_file_key,
    start_offset, end_file_key, end_offset, version)
select bitOr(bitShiftLeft(file_key, 40), start_offset), concat('ts_', leftPad(lower(hex(toUInt32(cityHash64(n, 3)))), 8, '0')),
    concat('h', toString(n % 3)), 'tts', instant, 'logged', instant,
    if(unfinished, null, instant + toIntervalMillisecond(duration)),
    if(unfinished, null, if(error_code = '', 'success', 'failed')), if(unfinished, null, duration),
    repeat('x', text_len), text_len, ['plain', 'plain', 'plain', 'symbols', 'emoji'][1 + n % 5],
    ['zh', 'en'][1 + r % 2], ['alloy', 'nova', 'onyx', 'shimmer'][1 + s % 4], r < 120,
    if(error_code = '' and not unfinished, r % 50 <> 0, null), if(error_code = '', null, 'llm_postproc'),
    nullIf(error_code, ''), if(error_code = '', text_len * (7 + s / 10000), null),
    if(error_code = '', 0.18 + s / 100000, null), if(error_code = '', 1790 + s / 5, null), file_key, start_offset, file_key, start_offset + 1400, {version}
from (
    select number as n, cityHash64(number) % 1000 as r, cityHash64(number, 1) % 10000 as s,
        toInt64(1 + cityHash64(number, 2) % 600) as text_len,
        toDateTime64('{began:%Y-%m-%d} 00:00:00', 6, 'UTC') + toIntervalMillisecond(toInt64(number * {step})) as instant,
        s = 9999 as unfinished,
        multiIf(unfinished, '', text_len in (86, 512) and r >= 120, 'SCIPY_FFT_INVALID', s < 20, 'CUDA_OOM', s < 30, 'TEXT_INVALID', '') as error_code,
        toInt64(if(r < 120, 20 + s % 40, 400 + text_len * 3 + s % 900)) as duration,
        toInt64({file_key} + number % 3) as file_key, toInt64(intDiv(number - {low}, 3) * 1500) as start_offset
    from numbers({low}, {high} - {low})
)
"""  # noqa: E501
_STAGES = """
insert into stage_timings_rows ({columns}, version)
select request_key, ['text_normalize', 'llm_prompt_gen', 'llm_inference', 'llm_postproc', 'audio_render'][k],
    k, logged_at + toIntervalMillisecond(toInt64(elapsed)), elapsed,
    floor(duration_ms * [0.02, 0.03, 0.7, 0.05, 0.2][k]), start_file_key, start_offset + k, {version}
from (
    select *, k, floor(duration_ms * [0.02, 0.05, 0.75, 0.8, 1.0][k]) as elapsed
    from requests_rows array join [1, 2, 3, 4, 5] as k
    where start_file_key >= {file_key} and start_file_key < {file_key} + 3 and version = {version}
        and duration_ms is not null and {day}
)
"""  # noqa: E501
_ERRORS = """
insert into errors_rows (error_key, occurred_at, time_source, host, service, level, logger, event,
    code, id, request_key, message, location, attributes, file_key, byte_offset, version)
select request_key, completed_at, 'logged', host, service, if(error_code is null, 'WARNING', 'ERROR'),
    'app.tts_engine', if(error_code is null, 'fallback', 'synthesis_failed'),
    coalesce(error_code, ['VOICE_FALLBACK', 'SLOW_DISK'][1 + cityHash64(request_key) % 2]), id, request_key,
    if(error_code is null,
        concat('fallback: id=', id, ', warning_code=VOICE_FALLBACK, fallback_used=true, voice=alloy'),
        concat('synthesis_failed: id=', id, ', error_code=', error_code, ', failed after ',
            toString(duration_ms), ' ms at 0x', hex(request_key))),
    if(error_code is null, null, '/app/app/tts_engine.py:387 in _postproc'),
    if(error_code is null, '{{"fallback_used": "true"}}', null), start_file_key, start_offset, {version}
from requests_rows
where start_file_key >= {file_key} and start_file_key < {file_key} + 3 and version = {version} and {day}
    and status is not null and (error_code is not null or cityHash64(request_key, 9) % 50 = 0)
"""  # noqa: E501
_LINES = """
insert into http_requests_rows (http_key, logged_at, time_source, host, service, server, client, method, path,
    protocol, http_status, bytes_sent, request_ms, upstream_ms, id, request_key, user_agent,
    file_key, byte_offset, version)
select bitOr(bitShiftLeft(start_file_key + {lines_file}, 40), start_offset),
    coalesce(completed_at, logged_at) + toIntervalMillisecond(2), 'logged', host, 'tts', 'nginx',
    concat('10.', toString(s % 4), '.', toString(s % 8), '.', toString(s % 200)), 'POST', '/v1/audio/speech',
    'HTTP/1.1', multiIf(status = 'success', 200, error_code = 'TEXT_INVALID', 400, 500),
    toInt64(coalesce(audio_size_kb, 0.2) * 1000), coalesce(duration_ms, 60000) + 2 + s % 20,
    coalesce(duration_ms, 60000) + 1, id, request_key, 'python-requests/2.32',
    start_file_key + {lines_file}, start_offset, {version}
from (select *, cityHash64(request_key, 5) % 10000 as s from requests_rows)
where start_file_key >= {file_key} and start_file_key < {file_key} + 3 and version = {version} and {day}
"""  # noqa: E501
_SAMPLES = """
insert into cache_samples_rows (sample_key, sampled_at, host, path, used_percent,
    threshold_percent, event, file_key, byte_offset, version)
select number, toDateTime64('{began:%Y-%m-%d} 00:00:00', 6, 'UTC') + toIntervalMinute(intDiv(number, 3) * 5),
    concat('h', toString(number % 3)), '/app/cache', 60 + (intDiv(number, 3) % 864) * 0.045, 90.0,
    'cache_health', 1, number, {version}
from numbers({days} * 864)
"""  # noqa: E501
_LINES_FILE = 1000  # by so many greater are the keys of the access logs
_COLUMNS = "request_key, stage, seq, logged_at, elapsed_ms, duration_ms, file_key, byte_offset"


def fill(store: ClickHouseStore, count: int) -> None:
    """So many requests and their stages, one commit, day by day."""
    step = SPAN.total_seconds() * 1000 / count
    edges = [count * day // SPAN.days for day in range(SPAN.days + 1)]
    with store.writing() as writer, store.session("fills") as session:
        version = writer.versions._version
        for day, (low, high) in enumerate(pairwise(edges)):
            values = {
                "began": BEGAN, "step": step, "low": low, "high": high, "file_key": 1 + 3 * day,
                "version": version, "columns": _COLUMNS, "day": _within_day(day),
                "lines_file": _LINES_FILE,
            }  # fmt: skip
            for sql in (_REQUESTS, _STAGES, _ERRORS, _LINES):
                session.run(sql.format(**values))
        session.run(_SAMPLES.format(began=BEGAN, days=SPAN.days, version=version))
        writer.commit([], None)


def _within_day(day: int) -> str:
    """The requests of a day: a range of the ordering key, so nothing else is read."""
    since, until = BEGAN + timedelta(days=day), BEGAN + timedelta(days=day + 1)
    return f"logged_at between '{since:%Y-%m-%d} 00:00:00' and '{until:%Y-%m-%d} 00:00:00'"
