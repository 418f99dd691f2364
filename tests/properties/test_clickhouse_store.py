"""The same logs give the same tables and the same answers on ClickHouse as on DuckDB, and on
PostgreSQL.
"""

import os
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingest.pipeline.options import Options
from ingest.records.formats import compile_format
from ingest.stores.contract import Store
from ingest.tasks.demo import write_demo
from ingest.tasks.reread.run import reread
from tests.properties.comparison import compare, expected
from tests.properties.test_any_order import Logs, logs_in_files
from tests.properties.test_both_stores import _expect_equal
from tests.support import clickhouse_server, harness, postgres_server, strategies
from tests.support.truth import make_truth

_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_SETTINGS = settings(
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "3")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def _stores(folder: Path) -> list[Store]:
    return [harness.new_store(folder), clickhouse_server.new_store()]


def _all_stores(folder: Path) -> list[Store]:
    return [*_stores(folder), postgres_server.new_store()]


def test_a_demo_day_with_its_access_lines(tmp_path: Path) -> None:
    logs = sorted(write_demo(tmp_path / "logs", now=_NOW, requests=90, tz="UTC").files)
    stores = _all_stores(tmp_path)
    for store in stores:
        harness.run(store, logs[::2], chunk_bytes=60_000)
        harness.run(store, logs, final=True)
    _expect_equal(stores, ({},))


def test_logs_of_real_services(tmp_path: Path) -> None:
    folder = Path(__file__).parents[1] / "cases" / "real"
    stores = _all_stores(tmp_path)
    logs = [p for p in sorted(folder.glob("*/*.log*")) if p.is_file()]
    assert len(logs) > 10
    for store in stores:
        harness.run(store, logs, final=True, chunk_bytes=100_000)
    _expect_equal(stores, ({},))


def test_files_that_share_requests(tmp_path: Path) -> None:
    truth = make_truth(1, 60, files=3)
    paths = [tmp_path / f"app{i}.log" for i in range(3)]
    for path, data in zip(paths, truth.files, strict=True):
        path.write_bytes(data)
        os.utime(path, (_NOW.timestamp(), _NOW.timestamp()))
    stores = _stores(tmp_path)
    for store in stores:
        for path in reversed(paths):
            harness.run(store, [path], final=True, chunk_bytes=9000)
    _expect_equal(stores, ())


@_SETTINGS
@given(
    data=strategies.logs().flatmap(lambda d: st.tuples(st.just(d), strategies.split_points(d))),
)
def test_any_log_in_any_pieces(data: tuple[bytes, list[int]]) -> None:
    content, points = data
    with TemporaryDirectory() as name:
        path = Path(name) / "app.log"
        stores = _stores(Path(name))
        note(repr((content, points)))
        for point in [*sorted(points)[:2], len(content)]:
            path.write_bytes(content[:point])
            os.utime(path, (_NOW.timestamp(), _NOW.timestamp()))
            for store in stores:
                harness.run(store, [path], final=point == len(content), chunk_bytes=3000)
        _expect_equal(stores, ())


@_SETTINGS
@given(data=st.data())
def test_files_that_were_read_in_a_wrong_zone_and_are_read_anew(data: st.DataObject) -> None:
    logs: Logs = data.draw(logs_in_files())
    note("\n".join(f"{i}: {line.decode()}" for i, f in enumerate(logs.files) for line in f))
    options = Options("h", "s", compile_format(), UTC, final=True)
    with TemporaryDirectory() as name:
        store = clickhouse_server.new_store()
        paths = [Path(name) / f"{i}.log" for i in range(len(logs.files))]
        for path, content in zip(paths, logs.contents(), strict=True):
            path.write_bytes(content)
            harness.run(store, [path], final=True, tz="Asia/Kolkata")
        for path in data.draw(st.permutations(paths)):
            report = reread(store, [str(path)], options, now=lambda: datetime.now(UTC))
            assert not report.problems
        compare(harness.dump(store, paths), expected(logs.contents()))
