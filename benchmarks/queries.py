"""Times every named query on a store of many requests:
``python -m benchmarks.queries --requests 10000000``.

The rows are made by SQL in DuckDB (30 days, three hosts with a log file a day each, five stages a
request, one failure in 25), in the order and the row groups in which an ingest would store them.
Each query runs with its defaults, over everything and over the last day, the newest record taken as
now; the median of ``--repeat`` runs counts, the store already open, the file in the page cache.
Behind each time stands the CPU time of all threads, which other work on the machine changes less.
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

from ingest.named_queries.library import NamedQuery, load_library
from ingest.named_queries.values import bind_values
from ingest.stores.contract import Reader
from ingest.stores.duckdb.store import DuckDBStore
from ingest.stores.migrate import ensure_head

BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
SPAN = timedelta(days=30)
EVERYTHING: Mapping[str, str] = {}
LAST_DAY: Mapping[str, str] = {"since": "24h"}
GOALS_MS = {"everything": 1000, "last day": 100}
# A query that answers with a row a request is asked about a day, as people would.
A_ROW_A_REQUEST = ("window_requests",)

_REQUESTS = """
insert into requests by name
with drawn as (
    select range as n, timestamptz '{began}' + to_milliseconds(cast(range * {step} as bigint)) as instant,
        cast(hash(range) % 1000 as int) as r, cast(hash(range, 1) % 10000 as int) as s,
        cast(1 + hash(range, 2) % 600 as int) as text_len
    from range({low}, {high})
), shaped as (
    select *, r < 120 as cache_hit,
        case when s = 9999 then null
             when text_len in (86, 512) and r >= 120 then 'SCIPY_FFT_INVALID'
             when s < 20 then 'CUDA_OOM' when s < 30 then 'TEXT_INVALID' end as error_code,
        s = 9999 as unfinished
    from drawn
)
select file_key * 1099511627776 + start_offset as request_key, printf('ts_%08x', hash(n, 3) % 4294967296) as id, 'h' || n % 3 as host, 'tts' as service,
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
    case when error_code is null then 1790 + s / 5.0 end as spectral_centroid, file_key as start_file_key, start_offset,
    file_key as end_file_key, start_offset + 1400 as end_offset
from (
    select *, cast(if(cache_hit, 20 + s % 40, 400 + text_len * 3 + s % 900) as double) as duration,
        {file_key} + n % 3 as file_key, (n - {low}) // 3 * 1500 as start_offset
    from shaped
)
order by instant
"""  # noqa: E501
_STAGES = """
insert into stage_timings by name
select request_key, stage, seq, logged_at + to_milliseconds(cast(elapsed as bigint)) as logged_at,
    elapsed as elapsed_ms, own as duration_ms, file_key, start_offset + seq as byte_offset
from (
    select request_key, logged_at, start_file_key as file_key, start_offset, s.seq,
        ['text_normalize', 'llm_prompt_gen', 'llm_inference', 'llm_postproc', 'audio_render'][s.seq] as stage,
        floor(duration_ms * [0.02, 0.03, 0.7, 0.05, 0.2][s.seq]) as own, floor(duration_ms * [0.02, 0.05, 0.75, 0.8, 1.0][s.seq]) as elapsed
    from requests, (select unnest([1, 2, 3, 4, 5]) as seq) s
    where duration_ms is not null and start_file_key >= {file_key}
) order by logged_at
"""  # noqa: E501
_ERRORS = """
insert into errors by name
select request_key as error_key, completed_at as occurred_at, 'logged' as time_source, host, service,
    if(error_code is null, 'WARNING', 'ERROR') as level, 'app.tts_engine' as logger,
    if(error_code is null, 'fallback', 'synthesis_failed') as event, coalesce(error_code, ['VOICE_FALLBACK', 'SLOW_DISK'][cast(1 + hash(request_key) % 2 as int)]) as code,
    id, request_key, if(error_code is null,
      printf('fallback: id=%s, warning_code=VOICE_FALLBACK, fallback_used=true, voice=alloy', id),
      printf('synthesis_failed: id=%s, error_code=%s, failed after %d ms at 0x%x', id, error_code, cast(duration_ms as bigint), request_key)) as message,
    if(error_code is null, null, '/app/app/tts_engine.py:387 in _postproc') as location,
    if(error_code is null, '{{"fallback_used": "true"}}', null) as attributes, start_file_key as file_key, start_offset as byte_offset
from requests
where start_file_key >= {file_key} and (error_code is not null or (status is not null and hash(request_key, 9) % 50 = 0))
order by completed_at
"""  # noqa: E501
_SAMPLES = """
insert into cache_samples by name
select range as sample_key, timestamptz '{began}' + to_minutes(cast(range // 3 * 5 as int)) as sampled_at, 'h' || range % 3 as host,
    '/app/cache' as path, 60 + (range // 3 % 864) * 0.045 as used_percent, 90.0 as threshold_percent,
    'cache_health' as event, 1 as file_key, range as byte_offset
from range({days} * 864)
"""  # noqa: E501


def make_store(path: Path, count: int) -> DuckDBStore:
    """A migrated store with ``count`` requests and what belongs to them, written day by day."""
    store = DuckDBStore(path)
    ensure_head(store)
    with store.session(read_only=False) as connection:
        connection.execute("set memory_limit = '2GB'; set enable_progress_bar = false")
        for values in _days(count):
            for sql in (_REQUESTS, _STAGES, _ERRORS):
                connection.execute(sql.format(**values))
        connection.execute(_SAMPLES.format(began=BEGAN, days=SPAN.days))
    return store


def _days(count: int) -> Iterator[dict[str, object]]:
    """Of each day, which requests began in it."""
    step = SPAN.total_seconds() * 1000 / count
    edges = [count * day // SPAN.days for day in range(SPAN.days + 1)]
    for day, (low, high) in enumerate(pairwise(edges)):
        yield {"began": BEGAN, "step": step, "low": low, "high": high, "file_key": 1 + 3 * day}


def time_query(
    reader: Reader, query: NamedQuery, given: Mapping[str, str], repeat: int
) -> tuple[float, float]:
    """The medians of wall and CPU time in milliseconds, rows fetched."""
    values = bind_values(query, given, BEGAN + SPAN, UTC)
    walls, used = [], []
    for _ in range(repeat):
        began, before = time.perf_counter(), _cpu_seconds()
        reader.query(query.sql, values)
        walls.append(time.perf_counter() - began)
        used.append(_cpu_seconds() - before)
    return median(walls) * 1000, median(used) * 1000


def _cpu_seconds() -> float:
    """Of this process, all threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def show_times(
    reader: Reader, names: list[str], repeat: int, library: Sequence[NamedQuery] | None = None
) -> None:
    """A line a query: wall and CPU time of both windows, a star behind what is over the goal."""
    print(f"{'query':<26}{'everything':>12}{'CPU':>9}{'last day':>12}{'CPU':>9}  ms")
    for query in library or load_library():
        if names and query.name not in names:
            continue
        print(f"{query.name:<26}", end="", flush=True)
        for window, given in (("everything", EVERYTHING), ("last day", LAST_DAY)):
            if query.name in A_ROW_A_REQUEST and given is EVERYTHING:
                print(f"{'-':>11} {'-':>9}", end="")
                continue
            wall, used = time_query(reader, query, given, repeat)
            star = "*" if wall > GOALS_MS[window] else " "
            print(f"{wall:>11.0f}{star}{used:>9.0f}", end="", flush=True)
        print()


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
        with store.reading() as reader:
            show_times(reader, given.names, given.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
