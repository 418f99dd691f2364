"""Times every named query on ClickHouse, and what several hosts store at once:
``python -m benchmarks.clickhouse --requests 20000000 --shards 2``.

The rows are made by the server (30 days, three hosts with a log file a day each, five stages a
request), as ``benchmarks.queries`` makes them in DuckDB. Each query runs with its defaults, over
everything and over the last day, the newest record taken as now; the median of ``--repeat`` runs
counts. Then ``--hosts`` processes ingest a log of ``--mb`` megabytes each at once, into a store of
their own. The servers are those of the tests, on this machine.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from benchmarks.make_log import make_log
from benchmarks.queries import BEGAN, SPAN, show_times
from ingest.named_queries.library import load_library
from ingest.stores.clickhouse.store import ClickHouseStore
from ingest.stores.migrate import ensure_head
from tests.support import clickhouse_server

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
_SAMPLES = """
insert into cache_samples_rows (sample_key, sampled_at, host, path, used_percent,
    threshold_percent, event, file_key, byte_offset, version)
select number, toDateTime64('{began:%Y-%m-%d} 00:00:00', 6, 'UTC') + toIntervalMinute(intDiv(number, 3) * 5),
    concat('h', toString(number % 3)), '/app/cache', 60 + (intDiv(number, 3) % 864) * 0.045, 90.0,
    'cache_health', 1, number, {version}
from numbers({days} * 864)
"""  # noqa: E501
_COLUMNS = "request_key, stage, seq, logged_at, elapsed_ms, duration_ms, file_key, byte_offset"


def new_store(shards: int) -> ClickHouseStore:
    """An empty migrated store on one server or on two."""
    if shards == 1:
        return clickhouse_server.new_store()
    first = clickhouse_server.two_shards()[0]
    store = ClickHouseStore(f"{first.url(first.new_database())}?cluster=two")
    ensure_head(store)
    return store


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
            }  # fmt: skip
            for sql in (_REQUESTS, _STAGES, _ERRORS):
                session.run(sql.format(**values))
        session.run(_SAMPLES.format(began=BEGAN, days=SPAN.days, version=version))
        writer.commit([], None)


def _within_day(day: int) -> str:
    """The requests of a day: a range of the ordering key, so nothing else is read."""
    since, until = BEGAN + timedelta(days=day), BEGAN + timedelta(days=day + 1)
    return f"logged_at between '{since:%Y-%m-%d} 00:00:00' and '{until:%Y-%m-%d} 00:00:00'"


def show_sizes(store: ClickHouseStore) -> None:
    """Rows and bytes a row on disk."""
    for table, (size, rows) in sorted(store.upkeep().space().tables.items()):
        if rows:
            print(f"{table:<26}{rows:>14,} rows {size / rows:>8.1f} bytes a row")


def ingest_at_once(store: ClickHouseStore, hosts: int, megabytes: int) -> None:
    """Several hosts, a process each."""
    with tempfile.TemporaryDirectory() as name:
        logs = [Path(name) / f"h{n}.log" for n in range(hosts)]
        for number, path in enumerate(logs):
            make_log(path, megabytes * 1_000_000, seed=number + 1)
        began = time.perf_counter()
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "ingest", "--db", store._url, "ingest", "--final",
                 "--host", path.stem, str(path)],
                stdout=subprocess.DEVNULL, env={**os.environ, "TTSQ_TZ": "UTC"},
            )
            for path in logs
        ]  # fmt: skip
        codes = [process.wait() for process in running]
        seconds = time.perf_counter() - began
    rows = sum(n for _, n in store.upkeep().space().tables.values())
    print(
        f"{hosts} hosts at once, {megabytes} MB each: {seconds:.1f} s, exit codes {codes}, "
        f"{hosts * megabytes / seconds:.1f} MB/s, {rows / seconds:,.0f} rows/s"
    )
    show_sizes(store)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=1_000_000)
    options.add_argument("--shards", type=int, choices=(1, 2), default=1)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--hosts", type=int, default=3)
    options.add_argument("--mb", type=int, default=20)
    options.add_argument("names", nargs="*", help="only these queries")
    given = options.parse_args()
    ingest_at_once(new_store(given.shards), given.hosts, given.mb)
    store = new_store(given.shards)
    began = time.perf_counter()
    fill(store, given.requests)
    seconds = timedelta(seconds=round(time.perf_counter() - began))
    print(f"made {given.requests:,} requests with {5 * given.requests:,} stages in {seconds}")
    show_sizes(store)
    with store.reading() as reader:
        show_times(reader, given.names, given.repeat, load_library(None, "clickhouse"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
