"""A log file in a ClickHouse store is read anew by one commit: readers see the rows before it or
those after it, however it ended.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.pipeline.options import Options
from ingest.records.formats import compile_format
from ingest.stores.clickhouse import versions
from ingest.stores.contract import Store
from ingest.tasks.demo import write_demo
from ingest.tasks.prune import cuts, prune
from ingest.tasks.reread.report import RereadReport
from ingest.tasks.reread.run import reread
from tests.properties.test_both_stores import _expect_equal
from tests.support import clickhouse_server, harness
from tests.support.fault_machine import KILLED, ended_in_child

_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def logs(tmp_path: Path) -> list[Path]:
    """An application's logs and its proxy's, one with a piece that nobody understands."""
    found = sorted(write_demo(tmp_path / "logs", now=_NOW, requests=40, tz="UTC").files)
    with found[0].open("ab") as file:
        file.write(b"nonsense before any header that could be one\n")
    return found


def _reread(store: Store, path: Path, *, dry_run: bool = False, tz: str = "UTC") -> RereadReport:
    options = Options("h", "s", compile_format(), ZoneInfo(tz), final=True, dry_run=dry_run)
    return reread(store, [str(path)], options, now=lambda: datetime.now(UTC))


def _told(report: RereadReport) -> list[object]:
    assert not report.problems
    return [(f.went, f.came, f.note) for f in report.files]


def _both(folder: Path) -> tuple[Store, Store]:
    return harness.new_store(folder), clickhouse_server.new_store()


def test_what_goes_and_comes_is_what_goes_and_comes_on_duckdb(
    logs: list[Path], tmp_path: Path
) -> None:
    stores = _both(tmp_path)
    for store in stores:
        harness.run(store, logs, final=True, tz="Asia/Kolkata")
    for path in logs:
        done, expected = (_told(_reread(store, path)) for store in stores)
        assert done == expected
    _expect_equal(list(stores), ({},))


def test_a_dry_run_says_what_would_be_done_and_does_nothing(logs: list[Path]) -> None:
    store = clickhouse_server.new_store()
    harness.run(store, logs, final=True, tz="Asia/Kolkata")
    before = harness.dump(store, logs)
    foreseen = _told(_reread(store, logs[0], dry_run=True))
    assert harness.dump(store, logs) == before
    assert _told(_reread(store, logs[0])) == foreseen


def test_what_was_pruned_stays_pruned(logs: list[Path], tmp_path: Path) -> None:
    stores = _both(tmp_path)
    for store in stores:
        harness.run(store, logs, final=True)
        rows, texts = _NOW - timedelta(hours=15), _NOW - timedelta(hours=6)
        chosen = cuts(rows.isoformat(), texts.isoformat(), {}, _NOW, UTC)
        prune(store, chosen, now=lambda: _NOW)
        for path in logs:
            assert not _reread(store, path).problems
    _expect_equal(list(stores), ())


@pytest.mark.parametrize("most", [1, 3])
def test_a_commit_of_more_steps_than_a_number_has_takes_several(
    most: int, logs: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "MOST_STEPS", most)
    stores = _both(tmp_path)
    for store in stores:
        harness.run(store, logs, final=True, tz="Asia/Kolkata")
        for path in logs[:2]:
            assert not _reread(store, path).problems
    _expect_equal(list(stores), ())


@pytest.mark.parametrize("point", ["deleted:1", "inserted:3", "before_commit:1"])
def test_killed_meanwhile_the_file_is_as_it_was(point: str, logs: list[Path]) -> None:
    store = clickhouse_server.new_store()
    harness.run(store, logs, final=True, tz="Asia/Kolkata")
    before = harness.dump(store, logs)
    work: Callable[[], object] = lambda: _reread(store, logs[0])  # noqa: E731
    assert ended_in_child(work, point) == KILLED
    assert harness.dump(store, logs) == before
    assert not _reread(store, logs[0]).problems
    assert not _reread(store, logs[0], tz="Asia/Kolkata").problems
    assert harness.dump(store, logs) == before
