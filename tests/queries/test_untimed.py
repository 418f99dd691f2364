"""Queries over time leave out rows of logs that tell no time, and say how many."""

from pathlib import Path

import pytest

from ingest.named_queries.library import NamedQuery, load_library
from ingest.named_queries.untimed import left_out
from tests.queries.rows import draw_rows, make_store

LIBRARY = {query.name: query for query in load_library()}
OVER_TIME = {
    "cache_alert": "cache_samples",
    "cache_full_forecast": "cache_samples",
    "cache_usage": "cache_samples",
    "concurrency_bottleneck": "requests",
    "failure_rate_over_time": "requests",
    "http_latency_over_time": "http_requests",
    "latency_over_time": "requests",
    "rtf_over_time": "requests",
    "warm_up": "requests",
    "warning_precursors": "errors",
}


@pytest.mark.parametrize("query", LIBRARY.values(), ids=list(LIBRARY))
def test_a_query_over_time_leaves_out_rows_without_a_time(query: NamedQuery) -> None:
    table = OVER_TIME.get(query.name)
    assert query.timed == table
    assert ("time_source <> 'file'" in query.sql) == (table is not None)
    assert "bucket_at" not in query.sql or table is not None


def test_it_says_how_many_it_left_out(tmp_path: Path) -> None:
    rows = draw_rows(1)
    store = make_store(tmp_path / "store.duckdb", rows)
    with store.reading() as reader:
        for name, table in OVER_TIME.items():
            count = sum(row.time_source == "file" for row in getattr(rows, table))
            said = left_out(reader, LIBRARY[name])
            assert said is not None and said.startswith(f"left out: {count:,} ")
        assert left_out(reader, LIBRARY["slow_requests"]) is None
