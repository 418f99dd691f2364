"""Times every named query on a store of a million requests: ``python -m benchmarks.queries``.

The rows are made by SQL in DuckDB (30 days, three hosts, five stages a request, one failure in 25), in the order in which
an ingest would store them. Each query runs with its defaults, the newest record taken as now; the best of
``--repeat`` runs counts, the store already open, the file in the page cache.
"""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.backends.base import Reader
from ingest.backends.duckdb import DuckDBStore
from ingest.migrate import ensure_head
from ingest.named_queries import NamedQuery, load_library
from ingest.query_values import bind_values

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = timedelta(days=30)
GOAL_MS = 100  # for any query on a million requests
# A query without a limit of its own is asked about a day, as people would: its answer is a row a request.
WINDOWED = {"window_requests": {"since": "24h"}}

_REQUESTS = """
insert into requests by name
with drawn as (
    select range as n, timestamptz '{began}' + to_milliseconds(cast(range * {step} as bigint)) as instant,
        cast(hash(range) % 1000 as int) as r, cast(hash(range, 1) % 10000 as int) as s,
        cast(1 + hash(range, 2) % 600 as int) as text_len
    from range({count})
), shaped as (
    select *, r < 120 as cache_hit,
        case when text_len in (86, 512) and r >= 120 then 'SCIPY_FFT_INVALID'
             when s < 20 then 'CUDA_OOM' when s < 30 then 'TEXT_INVALID' end as error_code,
        s = 9999 as unfinished
    from drawn
)
select n as request_key, printf('ts_%08x', hash(n, 3) % 4294967296) as id, 'h' || n % 3 as host, 'tts' as service,
    instant as logged_at, instant as started_at,
    case when not unfinished then instant + to_milliseconds(cast(duration as bigint)) end as completed_at,
    case when not unfinished then if(error_code is null, 'success', 'failed') end as status,
    case when not unfinished then duration end as duration_ms, repeat('x', cast(text_len as int)) as text, text_len,
    ['plain', 'plain', 'plain', 'symbols', 'emoji'][1 + n % 5] as text_class, ['zh', 'en'][1 + r % 2] as lang,
    ['alloy', 'nova', 'onyx', 'shimmer'][1 + s % 4] as voice, cache_hit,
    case when error_code is null and not unfinished then r % 50 <> 0 end as cache_saved,
    case when error_code is not null then 'llm_postproc' end as model_stage, error_code,
    case when error_code is null then text_len * (7 + s / 10000.0) end as audio_size_kb,
    case when error_code is null then 0.18 + s / 100000.0 end as rms,
    case when error_code is null then 1790 + s / 5.0 end as spectral_centroid, 1 as start_file_key, n * 500 as start_offset,
    1 as end_file_key, n * 500 + 400 as end_offset
from (select *, cast(if(cache_hit, 20 + s % 40, 400 + text_len * 3 + s % 900) as double) as duration from shaped)
order by instant
"""
_STAGES = """
insert into stage_timings by name
select request_key, id, host, stage, seq, logged_at + to_milliseconds(cast(elapsed as bigint)) as logged_at,
    elapsed as elapsed_ms, own as duration_ms, 1 as file_key, start_offset + seq as byte_offset
from (
    select request_key, id, host, logged_at, start_offset, s.seq,
        ['text_normalize', 'llm_prompt_gen', 'llm_inference', 'llm_postproc', 'audio_render'][s.seq] as stage,
        floor(duration_ms * [0.02, 0.03, 0.7, 0.05, 0.2][s.seq]) as own, floor(duration_ms * [0.02, 0.05, 0.75, 0.8, 1.0][s.seq]) as elapsed
    from requests, (select unnest([1, 2, 3, 4, 5]) as seq) s
    where duration_ms is not null
) order by logged_at
"""
_ERRORS = """
insert into errors by name
select request_key as error_key, completed_at as occurred_at, false as time_inferred, host, service,
    if(error_code is null, 'WARNING', 'ERROR') as level, 'app.tts_engine' as logger,
    if(error_code is null, 'fallback', 'synthesis_failed') as event, coalesce(error_code, ['VOICE_FALLBACK', 'SLOW_DISK'][1 + request_key % 2]) as code,
    id, request_key, if(error_code is null,
      printf('fallback: id=%s, warning_code=VOICE_FALLBACK, fallback_used=true, voice=alloy', id),
      printf('synthesis_failed: id=%s, error_code=%s, failed after %d ms at 0x%x', id, error_code, cast(duration_ms as bigint), request_key)) as message,
    if(error_code is null, null, '/app/app/tts_engine.py:387 in _postproc') as location,
    if(error_code is null, '{{"fallback_used": "true"}}', null) as attributes, 1 as file_key, start_offset as byte_offset
from requests where error_code is not null or (status is not null and hash(request_key, 9) % 50 = 0) order by completed_at
"""
_SAMPLES = """
insert into cache_samples by name
select range as sample_key, timestamptz '{began}' + to_minutes(cast(range // 3 * 5 as int)) as sampled_at, 'h' || range % 3 as host,
    '/app/cache' as path, 60 + (range // 3 % 864) * 0.045 as used_percent, 90.0 as threshold_percent,
    'cache_health' as event, 1 as file_key, range as byte_offset
from range({days} * 864)
"""


def make_store(path: Path, count: int) -> DuckDBStore:
    """A migrated store with ``count`` requests and what belongs to them."""
    store = DuckDBStore(path)
    ensure_head(store)
    values = {
        "began": BEGAN,
        "step": SPAN.total_seconds() * 1000 / count,
        "count": count,
        "days": SPAN.days,
    }
    with store.engine().begin() as connection:
        for sql in (_REQUESTS, _STAGES, _ERRORS, _SAMPLES):
            connection.exec_driver_sql(sql.format(**values))
    return store


def time_query(reader: Reader, query: NamedQuery, repeat: int) -> tuple[float, int]:
    """The best time in milliseconds, and the number of rows."""
    end = BEGAN + SPAN
    values = bind_values(query, WINDOWED.get(query.name, {}), end, UTC)
    best, rows = float("inf"), 0
    for _ in range(repeat):
        began = time.perf_counter()
        rows = len(reader.query(query.sql, values).rows)
        best = min(best, time.perf_counter() - began)
    return best * 1000, rows


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=1_000_000)
    options.add_argument("--repeat", type=int, default=5)
    options.add_argument(
        "--store", type=Path, help="keep the store here, and use it if it is there"
    )
    options.add_argument("names", nargs="*", help="only these queries")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = given.store or Path(scratch) / "bench.duckdb"
        store = DuckDBStore(path) if path.exists() else make_store(path, given.requests)
        print(f"{'query':<26}{'ms':>7}{'rows':>9}")
        with store.reading() as reader:
            for query in load_library():
                if given.names and query.name not in given.names:
                    continue
                best, rows = time_query(reader, query, given.repeat)
                print(
                    f"{query.name:<26}{best:>7.0f}{rows:>9}{'  over the goal' if best > GOAL_MS else ''}"
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
