"""Every query of the library against a plain oracle, on a real store of every engine."""

import math
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingest.errors import UsageProblem
from ingest.named_queries.check import header_problems, store_problems
from ingest.named_queries.library import (
    NamedQuery,
    load_library,
    ordered_by,
    query_paths,
    read_query,
)
from ingest.named_queries.values import bind_values
from ingest.render.formats import FORMATS, Look, render
from ingest.resources import folder
from ingest.stores.contract import Reader, Store
from ingest.stores.duckdb.store import DuckDBReader, DuckDBStore
from tests.queries.engines import ENGINES, session_in, store_of
from tests.queries.oracle import ORACLES
from tests.queries.rows import BEGAN, Rows, draw_rows, make_store

SEEDS = (1, 2, 4)  # of which every query has something to answer
NOW = BEGAN + timedelta(hours=9)
# Both texts of a query with one for a backend of its own answer the same.
COMMON = sorted(folder("queries").glob("*.sql"))
FILES = {e: [*COMMON, *sorted(folder("queries").glob(f"{e}/*.sql"))] for e in ENGINES}
QUERIES = {
    e: sorted((read_query(path) for path in FILES[e]), key=lambda q: (q.name, str(q.path)))
    for e in ENGINES
}
each_query = pytest.mark.parametrize(
    ("engine", "query"),
    [
        pytest.param(e, q, id=f"{e}-{q.path.parent.name}-{q.name}")
        for e in ENGINES
        for q in QUERIES[e]
    ],
)
each_text = pytest.mark.parametrize("query", QUERIES["duckdb"], ids=lambda q: str(q.name))

WINDOWS: tuple[dict[str, str], ...] = (
    {},
    {"since": "2026-03-02T07:00:00Z"},
    {"until": "2026-03-02T08:00:00Z"},
    {"since": "2026-03-02T07:00:00Z", "until": "2026-03-02T07:30:00Z"},
    {"host": "h1", "service": "tts"},
    {"since": "2026-03-02T08:00:00Z", "until": "2026-03-02T07:00:00Z"},
    {"since": "2030-01-01"},
    {"host": "'; drop table requests; --"},
)
ODD: dict[str, tuple[str, ...]] = {
    "limit": ("0", "1", "9223372036854775807"),
    "bucket": ("1", "3600", "3155760000"),
    "by": (
        "lang",
        "text_class",
        "length",
        "cache_hit",
        "host",
        "service",
        "instance",
        "profile",
        "model_stage",
        "error_code",
        "status",
        "priority",
        "none",
        "$[",
        "/a",
    ),
    "level": ("error", "nonsense"),
    "slower_than_ms": ("0", "40", "1e9", "-1"),
    "width": ("3", "1000000"),
    "length_band": ("1", "200", "1000000000"),
    "above_percent": ("-1", "80", "1e6"),
    "samples": ("1", "2", "1000000"),
    "within": ("0", "60", "3155760000"),
    "hours": ("0", "1", "876600"),
    "drop_percent": ("0", "1000"),
    "error_code": ("CUDA_OOM", ""),
    "stage": ("llm_inference", "none"),
    "older_than_ms": ("0", "20000000"),
    "as_of": ("2026-03-02", "2030-01-01"),
    "below_hz": ("0", "1e9"),
    "min_z": ("0", "2", "1e9"),
    "audio_band": ("1", "1000000"),
    "idle": ("1", "60", "3155760000"),
    "first": ("1", "1000"),
    "path": ("/tts", "/none"),
    "server": ("nginx", "none"),
}


@pytest.fixture(scope="module")
def truths() -> dict[int, Rows]:
    return {seed: draw_rows(seed) for seed in SEEDS}


@pytest.fixture(scope="module")
def stores(
    tmp_path_factory: pytest.TempPathFactory, truths: dict[int, Rows]
) -> dict[tuple[str, int], Store]:
    place = tmp_path_factory.mktemp("stores")
    return {
        (e, seed): store_of(e, place / f"{seed}.duckdb", truths[seed])
        for e in ENGINES
        for seed in SEEDS
    }


@pytest.fixture(scope="module")
def readers(stores: dict[tuple[str, int], Store]) -> Iterator[dict[tuple[str, int], Reader]]:
    with ExitStack() as stack:
        yield {key: stack.enter_context(store.reading()) for key, store in stores.items()}


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Reader]]:
    path = tmp_path_factory.mktemp("empty") / "s.duckdb"
    with ExitStack() as stack:
        yield {e: stack.enter_context(store_of(e, path, Rows()).reading()) for e in ENGINES}


def ask(reader: Reader, query: NamedQuery, given: dict[str, str]) -> list[tuple[Any, ...]]:
    return reader.query(query.sql, bind_values(query, given, NOW, UTC)).rows


def same(found: object, expected: object) -> bool:
    if isinstance(found, float | int) and isinstance(expected, float | int):
        return math.isclose(found, expected, rel_tol=1e-6, abs_tol=1e-9)
    return found == expected


def assert_same(
    found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]], what: object
) -> None:
    assert len(found) == len(expected), what
    for place, (f, e) in enumerate(zip(found, expected, strict=True)):
        assert len(f) == len(e), what
        assert all(map(same, f, e)), f"{what}: row {place}: found {f}, expected {e}"


def cases(query: NamedQuery) -> Iterator[dict[str, str]]:
    names = {p.name for p in query.params}
    for window in WINDOWS:
        yield {k: v for k, v in window.items() if k in names}
    for name in names & set(ODD):
        for value in ODD[name]:
            yield {name: value}


def touching_windows(query: NamedQuery, rows: Rows) -> Iterator[dict[str, str]]:
    """Windows that begin and end at instants of rows: the first belongs to them, the last does not."""  # noqa: E501
    for times in (
        [r.logged_at for r in rows.requests if r.failed],
        [r.logged_at for r in rows.requests if r.status == "success"],
        [r.logged_at for r in rows.requests if r.status is None and r.started_at],
        [s.logged_at for s in rows.stage_timings],
        [e.occurred_at for e in rows.errors],
        [s.sampled_at for s in rows.cache_samples],
    ):
        times.sort()
        for place in (0, len(times) // 3):
            window = {"since": times[place], "until": times[-1 - place]}
            yield {name: at.isoformat() for name, at in window.items()}


def test_every_query_has_an_oracle_and_every_oracle_a_query() -> None:
    for queries in QUERIES.values():
        assert set(ORACLES) == {q.name for q in queries}


def test_every_parameter_is_tried() -> None:
    tried = set(ODD) | {name for window in WINDOWS for name in window}
    assert {p.name for qs in QUERIES.values() for q in qs for p in q.params} <= tried


@each_query
@pytest.mark.parametrize("seed", SEEDS)
def test_rows_equal_the_oracle(
    engine: str,
    query: NamedQuery,
    seed: int,
    truths: dict[int, Rows],
    readers: dict[tuple[str, int], Reader],
) -> None:
    for given in [*cases(query), *touching_windows(query, truths[seed])]:
        values = bind_values(query, given, NOW, UTC)
        expected = ORACLES[query.name](truths[seed], values)
        assert_same(ask(readers[engine, seed], query, given), expected, given)


@each_text
def test_the_seeds_give_every_query_something_to_answer(
    query: NamedQuery, truths: dict[int, Rows]
) -> None:
    given = {"min_z": "1"} if query.param("min_z") else {}
    values = bind_values(query, given, NOW, UTC)
    answers = [ORACLES[query.name](truths[seed], values) for seed in SEEDS]
    assert sum(map(len, answers)) >= 3


@each_query
def test_columns_and_types_are_those_of_the_header(
    engine: str,
    query: NamedQuery,
    readers: dict[tuple[str, int], Reader],
    empty: dict[str, Reader],
) -> None:
    for reader in (readers[engine, 1], empty[engine]):
        assert store_problems(query, reader) == []


@each_query
def test_an_empty_store_has_no_rows(
    engine: str, query: NamedQuery, empty: dict[str, Reader]
) -> None:
    found = ask(empty[engine], query, {})
    if query.name == "field_coverage":
        assert {row[1:] for row in found} == {(0, 0, None)}
    else:
        assert found == []


@each_query
@pytest.mark.parametrize("kind", [f for f in FORMATS if f != "parquet"])
def test_two_runs_print_the_same(
    engine: str, query: NamedQuery, kind: str, readers: dict[tuple[str, int], Reader]
) -> None:
    values = bind_values(query, {}, NOW, UTC)
    look = Look(None, UTC, types={c.name: c.type for c in query.columns})
    first, again = (
        render(readers[engine, 2].query(query.sql, values), kind, look) for _ in range(2)
    )
    assert first == again


@each_query
def test_the_session_zone_changes_nothing(
    engine: str, query: NamedQuery, stores: dict[tuple[str, int], Store]
) -> None:
    given = {"since": "2026-03-02T05:30Z"} | ({"min_z": "1"} if query.param("min_z") else {})
    answers = []
    for zone in ("UTC", "Asia/Kolkata", "America/St_Johns"):
        with session_in(stores[engine, 1], zone) as reader:
            rows = ask(reader, query, given)
        answers.append(
            [tuple(x.astimezone(UTC) if isinstance(x, datetime) else x for x in r) for r in rows]
        )
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]


@each_query
def test_rows_are_in_the_order_that_the_header_says(
    engine: str, query: NamedQuery, readers: dict[tuple[str, int], Reader]
) -> None:
    names = [c.name for c in query.columns]
    rows = ask(readers[engine, SEEDS[-1]], query, {})
    parts = [
        (names.index(ordered_by(p)), p.endswith(" desc"), p.startswith("abs(")) for p in query.order
    ]

    def before(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
        for place, falling, absolute in parts:
            x, y = a[place], b[place]
            if x is None or y is None:
                if (x is None) != (y is None):
                    return y is None
                continue
            x, y = (abs(x), abs(y)) if absolute else (x, y)
            if x != y:
                return bool(x > y) if falling else bool(x < y)
        return False  # equal in everything it is ordered by: the order would be a matter of luck

    for one, two in pairwise(rows):
        assert before(one, two), (one, two)


@each_text
def test_a_bad_value_names_what_was_expected(query: NamedQuery) -> None:
    for param in query.params:
        if param.type == "text":
            continue
        with pytest.raises(UsageProblem, match=f"{param.option} is given 'soon', expected "):
            bind_values(query, {param.name: "soon"}, NOW, UTC)


def test_sqlalchemy_sees_the_same_parameters() -> None:
    files = sorted({path for paths in FILES.values() for path in paths})
    found = list(header_problems({str(path): path for path in files}))
    assert [f.name for f in found if isinstance(f, NamedQuery)] == [
        q.name for q in map(read_query, files)
    ]


def test_windows_reach_the_row_groups(tmp_path: Path) -> None:
    """A window of a store in time order reads the row groups it touches, not the others."""
    store = DuckDBStore(tmp_path / "s.duckdb")
    make_store(store.path, Rows())
    with store.engine().begin() as connection:
        connection.exec_driver_sql(
            "insert into requests by name select range as request_key, 'h' as host, 's' as "
            "service, "
            "timestamptz '2026-03-02 00:00:00+00' + to_seconds(range) as logged_at, 'failed' "
            "as status, "
            "range::double as duration_ms from range(500000)"
        )
    query = next(q for q in load_library() if q.name == "failure_by_length")
    with duckdb.connect(str(store.path), read_only=True) as connection:
        connection.execute("set threads = 1")
        scanned = {}
        for name, since in (("all", {}), ("last hour", {"since": "2026-03-07T18:00Z"})):
            values = bind_values(query, since, NOW, UTC)
            explained = DuckDBReader(connection).query(
                f"explain (analyze, format json) {query.sql}", values
            )
            scanned[name] = _rows_scanned(str(explained.rows[0][1]))
    assert scanned["all"] == 500_000
    assert 0 < scanned["last hour"] <= 2 * 122_880  # at most the two row groups it touches


def _rows_scanned(profile: str) -> int:
    import json

    def walk(node: dict[str, Any]) -> int:
        own = int(node.get("operator_rows_scanned", 0) or 0)
        return max([own, *(walk(child) for child in node.get("children", []))])

    return walk(json.loads(profile))


def test_names_are_those_of_the_specification() -> None:
    first = {
        "failure_by_length": "text_len, error_code, failures, requests, failure_rate",
        "failure_by_cause": "text_class, error_code, failures, share, failure_rate",
        "failure_by_stage": "model_stage, error_code, failures, share",
        "failure_rate_over_time": "bucket_at, requests, failures, failure_rate",
        "error_codes": "error_code, failures, share, first_at, last_at, example_id",
        "error_groups": "level, code, location, message, occurrences, requests, first_at, last_at",
        "window_summary": "level, code, records, requests",
        "window_requests": "id, started_at, status, error_code, duration_ms",
        "latency_over_time": "bucket_at, requests, p50_ms, p95_ms, p99_ms, max_ms",
        "stage_breakdown": "stage, samples, p50_ms, p95_ms, total_ms, share",
        "slow_requests": "id, started_at, duration_ms, slowest_stage, slowest_stage_ms, slowest_stage_share",  # noqa: E501
        "concurrency_bottleneck": "concurrency, requests, p50_ms, p95_ms, slowest_stage, stage_p95_ms, stage_growth",  # noqa: E501
        "cold_starts": "cache_hit, requests, p50_ms, p95_ms, failure_rate",
        "cache_not_saved": "id, completed_at, duration_ms, audio_size_kb",
        "cache_usage": "bucket_at, host, path, max_used_percent, threshold_percent",
        "cache_alert": "host, path, from_at, to_at, samples, max_used_percent",
        "cache_full_forecast": "host, path, used_percent, percent_per_hour, full_at",
        "warning_precursors": "error_code, warning_code, errors, preceded, median_lead_ms",
        "unfinished_requests": "id, started_at, last_stage, age_ms",
        "muffled_audio": "id, completed_at, spectral_centroid, rms, voice",
        "audio_size_outliers": "id, text_len, audio_size_kb, kb_per_char, z_score",
        "fallbacks": "warning_code, logger, records, requests, last_at",
        "voices": "voice, lang, requests, share, failure_rate, p95_ms",
        "hosts": "host, requests, failures, failure_rate, p95_ms, last_at",
        "silent_failures": "request_id, id, requested_at, http_status, error_code",
        "rtf_over_time": "bucket_at, requests, p50_rtf, p95_rtf, audio_s",
        "rtf_by_length": "audio_s_from, audio_s_to, requests, p50_rtf, p95_rtf",
        "latency_by_length": "text_len_from, text_len_to, requests, p50_ms, p95_ms",
        "warm_up": "instance, started_at, nth, duration_ms, usual_ms",
        "degradations": "code, instance, first_at, last_at, requests, rtf_with, rtf_without",
        "http_errors": "http_status, path, requests, share, first_at, last_at",
        "http_latency_over_time": "bucket_at, requests, p50_ms, p95_ms, p99_ms",
        "time_outside_synthesis": "request_id, id, request_ms, upstream_ms, synthesis_ms, outside_ms",  # noqa: E501
        "rejected_requests": "http_status, path, client, requests, first_at, last_at",
        "clients": "client, requests, failures, failure_rate, p95_ms, last_at",
        "latency_by": "value, requests, p50_ms, p95_ms",
        "failures_by": "value, requests, failures, failure_rate",
        "unfinished_by": "value, requests, unfinished, share",
        "field_coverage": "field, requests, present, coverage",
    }
    assert set(query_paths()) == set(first)
    for query in load_library():
        assert ", ".join(c.name for c in query.columns).startswith(first[query.name])
