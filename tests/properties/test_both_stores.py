"""The same logs give the same tables and the same answers on DuckDB and on PostgreSQL."""

import math
import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingest.named_queries.library import load_library
from ingest.named_queries.values import bind_values
from ingest.stores.contract import Store
from ingest.tasks.demo import write_demo
from tests.support import harness, strategies
from tests.support.truth import make_truth

_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_SETTINGS = settings(
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "6")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
# what depends on the instant of the run
_CLOCK = {"first_seen_at", "last_ingested_at", "started_at", "finished_at", "quarantined_at"}
_KEYS = {
    "requests": "request_key",
    "stage_timings": "file_key, byte_offset, seq",
    "errors": "error_key",
    "cache_samples": "sample_key",
    "http_requests": "http_key",
    "request_parts": "file_key, first_offset",
    "log_files": "file_key",
    "ingest_runs": "run_key",
    "quarantine": "file_key, byte_offset",
    "pruned": "table_name",
}
_GIVEN: tuple[dict[str, str], ...] = (
    {},
    {"since": "6h"},
    {"until": "2h", "host": "h"},
    {"limit": "3"},
)


def _stores(folder: Path) -> list[Store]:
    return [harness.new_store_of(engine, folder) for engine in harness.ENGINES]


def _table(store: Store, table: str) -> list[harness.Row]:
    with store.reading() as reader:
        found = reader.query(f"select * from {table} order by {_KEYS[table]}", {})
    clock = _CLOCK if table in ("log_files", "ingest_runs", "quarantine") else set()
    return [
        {k: _plain(v) for k, v in zip(found.columns, row, strict=True) if k not in clock}
        for row in found.rows
    ]


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


def _expect_equal(stores: list[Store], tried: tuple[dict[str, str], ...] = _GIVEN) -> None:
    """Every table, row by row; every query, with several parameters, in order: each store beside
    the first.
    """
    for other in stores[1:]:
        _expect_two_equal([stores[0], other], tried)


def _expect_two_equal(stores: list[Store], tried: tuple[dict[str, str], ...]) -> None:
    for table in _KEYS:
        ours, theirs = (_table(store, table) for store in stores)
        for mine, other in zip(ours, theirs, strict=True):
            assert mine == other, table
    if not tried:
        return
    libraries = [{q.name: q for q in load_library(None, s.name)} for s in stores]
    assert libraries[0].keys() == libraries[1].keys()
    readers = [s.reading() for s in stores]
    with readers[0] as one, readers[1] as two:
        for name in libraries[0]:
            for given in tried:
                rows = []
                for reader, library in ((one, libraries[0]), (two, libraries[1])):
                    known = {k: v for k, v in given.items() if library[name].param(k)}
                    values = bind_values(library[name], known, _NOW, UTC)
                    rows.append(reader.query(library[name].sql, values).rows)
                assert len(rows[0]) == len(rows[1]), (name, given)
                for a, b in zip(*rows, strict=True):
                    assert all(map(_same, a, b)), (name, given, a, b)


def _same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)
    return type(a) is type(b) and _plain(a) == _plain(b)


def test_a_demo_day(tmp_path: Path) -> None:
    logs = write_demo(tmp_path / "logs", now=_NOW, requests=900, tz="UTC").files
    stores = _stores(tmp_path)
    for store in stores:
        for path in sorted(logs):
            harness.run(store, [path], chunk_bytes=50_000)
        harness.run(store, logs, final=True)
    _expect_equal(stores)


@pytest.mark.parametrize("seed", [1, 2])
def test_files_that_share_requests(seed: int, tmp_path: Path) -> None:
    truth = make_truth(seed, 60, files=3)
    paths = [tmp_path / f"app{i}.log" for i in range(3)]
    for path, data in zip(paths, truth.files, strict=True):
        path.write_bytes(data)
        os.utime(path, (_NOW.timestamp(), _NOW.timestamp()))
    stores = _stores(tmp_path)
    for store in stores:
        for path in reversed(paths):
            harness.run(store, [path], final=True, chunk_bytes=3000)
    _expect_equal(stores)


@_SETTINGS
@given(
    data=strategies.logs().flatmap(lambda d: st.tuples(st.just(d), strategies.split_points(d))),
    stage_time=st.sampled_from(["elapsed", "own"]),
)
def test_any_log_in_any_pieces(data: tuple[bytes, list[int]], stage_time: str) -> None:
    content, points = data
    with TemporaryDirectory() as name:
        path = Path(name) / "app.log"
        stores = _stores(Path(name))
        note(repr((content, points)))
        for point in [*sorted(points), len(content)]:
            path.write_bytes(content[:point])
            os.utime(path, (_NOW.timestamp(), _NOW.timestamp()))
            for store in stores:
                harness.run(
                    store, [path], final=point == len(content), stage_time=stage_time,
                    chunk_bytes=900
                )  # fmt: skip
        _expect_equal(stores)
