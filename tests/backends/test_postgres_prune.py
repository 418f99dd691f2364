"""Retention on a server takes the same rows as on DuckDB, drops whole partitions, and gives their
space back.
"""

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.errors import UsageProblem
from ingest.stores.contract import Store
from ingest.stores.postgres.store import PostgresStore
from ingest.tasks import prune as retention
from ingest.tasks.prune import PruneReport
from tests.support import harness, postgres_server
from tests.support.fault_machine import begun_in_child, waited

_NOW = datetime(2026, 3, 12, tzinfo=UTC)
_FIRST = datetime(2026, 3, 1, 12, tzinfo=UTC)
_DAYS = 6
_A_DAY = 40  # requests
_TEXT = "words of a user " * 20


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03}"


def _log() -> str:
    """Requests of six days, some across midnight, some never ending, with samples, errors and text
    without a header.
    """
    text = ""
    for number in range(_DAYS * _A_DAY):
        at = _FIRST + timedelta(days=number // _A_DAY, minutes=18 * (number % _A_DAY))
        id_ = f"ts_{number:08x}"
        end = at + timedelta(seconds=1200 if number % _A_DAY == _A_DAY - 1 else 1)
        text += (
            f'{_stamp(at)} - app - INFO - synthesis_start: id={id_}, text="{_TEXT}{number}", '
            'said="a word", rate=12kHz\n'
        )
        text += (
            f"{_stamp(at)} - app - INFO - stage_time: stage=text_normalize, id={id_}, "
            "duration_ms=9\n"
        )
        if number % 7:
            text += (
                f"{_stamp(end)} - app - INFO - stage_time: stage=audio_render, id={id_}, "
                "duration_ms=90\n"
            )
            text += (
                f"{_stamp(end)} - app - ERROR - synthesis_failed: id={id_}, error_code=OOM, of "
                f"{_TEXT}\n"
            )
            text += (
                f"{_stamp(end)} - app - INFO - synthesis_complete: id={id_}, status=failed, "
                "duration_ms=100\n"
            )
        if number % 5 == 0:
            text += (
                f"{_stamp(at)} - app.cache - INFO - cache_health: path=/c, used=1MB, total=2MB, "
                "usage=50%\n"
            )
    return text + "2026-02-31 00:00:00,000 - app - INFO - no such day\n"


def _make(engine: str, folder: Path) -> Store:
    (folder / engine).mkdir()
    store = harness.new_store_of(engine, folder / engine)
    path = folder / "app.log"
    if not path.exists():
        path.write_text(_log())
    harness.run(store, [path], final=True, chunk_bytes=20_000)
    return store


def _prune(store: Store, older: str | None, texts: str | None, **options: object) -> PruneReport:
    cuts = retention.cuts(older, texts, {}, _NOW, UTC)
    return retention.prune(store, cuts, now=lambda: _NOW, batch_rows=60, **options)  # type: ignore[arg-type]


def _ask(store: Store, sql: str) -> list[tuple[object, ...]]:
    with store.reading() as reader:
        return reader.query(sql, {}).rows


def _noted(store: Store) -> list[tuple[object, ...]]:
    return _ask(
        store,
        "select table_name, pruned_before, text_pruned_before, rows, pruned_at is null from "
        "pruned order by 1",
    )


@pytest.mark.parametrize(
    ("older", "texts"),
    [
        ("2026-03-04T00:00:00Z", None),
        ("2026-03-04T09:30:00Z", "2026-03-06T01:00:00Z"),
        (None, "2026-03-05T00:00:00Z"),
        ("2026-03-11T00:00:00Z", None),
    ],
)
def test_the_same_goes_from_both_stores(
    older: str | None, texts: str | None, tmp_path: Path
) -> None:
    stores = [_make(engine, tmp_path) for engine in harness.ENGINES]
    foreseen = [_prune(s, older, texts, dry_run=True) for s in stores]
    reports = [_prune(s, older, texts) for s in stores]
    for report in (foreseen, reports):
        gone = [[(t.table, t.rows, t.texts) for t in r.tables] for r in report]
        assert gone[0] == gone[1]
    assert reports[1].rows + reports[1].texts > 0
    assert [t.rows for t in reports[1].tables] == [t.rows for t in foreseen[1].tables]
    dumps = [harness.dump(s, [tmp_path / "app.log"]) for s in stores]
    assert dumps[0] == dumps[1]
    assert _noted(stores[0]) == _noted(stores[1])
    assert _prune(stores[1], older, texts).rows == 0
    harness.run(stores[1], [tmp_path / "app.log"], final=True)
    assert harness.dump(stores[1], [tmp_path / "app.log"]) == dumps[1]


def _partitions(store: Store) -> set[str]:
    sql = "select relname from pg_inherits join pg_class on oid = inhrelid where relkind = 'r'"
    return {str(name) for (name,) in _ask(store, sql)}


def test_days_that_are_over_are_dropped_whole_and_the_disk_has_their_space(tmp_path: Path) -> None:
    store = _make("postgresql", tmp_path)
    report = _prune(store, "2026-03-05T00:00:00Z", None)
    left = _partitions(store)
    for table in ("requests", "stage_timings", "errors", "cache_samples"):
        days = {name for name in left if name.startswith(f"{table}_p")}
        assert days and min(days) == f"{table}_p20260305", table
    assert report.space_given_back
    assert report.bytes_after < report.bytes_before * 0.8
    assert not store.upkeep().owes_space()


def test_cleared_texts_leave_no_room_behind(tmp_path: Path) -> None:
    store = _make("postgresql", tmp_path)
    report = _prune(store, None, "2026-03-11T00:00:00Z")
    assert report.texts > 0
    assert report.bytes_after < report.bytes_before
    kept = _ask(store, "select distinct cast(attributes as text) from requests")
    assert kept == [('{"rate":"12kHz"}',)]
    for sql in (
        "select count(*) from requests where text is not null or text_len is null",
        "select count(*) from errors where message is not null",
    ):
        assert _ask(store, sql) == [(0,)], sql


def test_a_reader_that_stays_delays_nothing_for_long_and_loses_nothing(tmp_path: Path) -> None:
    store = _make("postgresql", tmp_path)
    before = _ask(store, "select count(*) from requests")[0][0]
    with store.reading() as reader:
        assert reader.query("select count(*) from requests", {}).rows == [(before,)]
        with store.ingesting(1):
            removed = store.upkeep().remove("requests", datetime(2026, 3, 3, tzinfo=UTC))
        assert reader.query("select count(*) from requests", {}).rows == [(before,)]
    left = _ask(store, "select count(*), min(logged_at) from requests")[0]
    assert left[0] == before - removed["requests"]  # type: ignore[operator]
    assert left[1] >= datetime(2026, 3, 3, tzinfo=UTC)  # type: ignore[operator]


def test_killed_the_next_pruning_goes_on(tmp_path: Path) -> None:
    store = _make("postgresql", tmp_path)
    other = _make("duckdb", tmp_path)
    _prune(other, "2026-03-05T00:00:00Z", None)
    with store.connected("tests") as connection:
        url = postgres_server.server().url(connection.info.dbname)
    child = begun_in_child(
        lambda: _killed_behind_a_batch(PostgresStore(url), datetime(2026, 3, 3, tzinfo=UTC)), None
    )
    assert waited(child) == -signal.SIGKILL
    _prune(store, "2026-03-05T00:00:00Z", None)
    paths = [tmp_path / "app.log"]
    assert harness.dump(store, paths) == harness.dump(other, paths)
    assert _noted(store) == _noted(other)


def _killed_behind_a_batch(store: PostgresStore, before: datetime) -> None:
    import os

    with store.ingesting(5):
        store.upkeep().remove("requests", before)
        with store.session("tests") as connection:
            connection.execute("begin")
            connection.execute("delete from errors")
            os.kill(os.getpid(), signal.SIGKILL)


def test_there_is_nothing_to_publish(tmp_path: Path) -> None:
    upkeep = postgres_server.new_store().upkeep()
    for work in (upkeep.copy, upkeep.export, upkeep.state_of_copy):
        with pytest.raises(UsageProblem, match="readers connect to PostgreSQL itself"):
            work(tmp_path / "copy")
