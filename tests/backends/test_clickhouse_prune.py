"""What ``prune`` removes from a ClickHouse store: whole months by their partitions, else rows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import UsageProblem
from ingest.records.formats import compile_format
from ingest.stores import migrate
from ingest.stores.clickhouse.store import ClickHouseStore
from ingest.stores.contract import Store
from ingest.tasks.prune import cuts, prune
from ingest.tasks.verify.run import Options, verify
from tests.support import clickhouse_server, harness
from tests.support.clickhouse_server import Server
from tests.support.fault_machine import KILLED, ended_in_child

_NOW = datetime(2026, 4, 20, tzinfo=UTC)
_BEFORE = "2026-03-03T00:00:00+00:00"
_BEGUN = '{} - app - INFO - synthesis_start: id=ts_{:08x}, text="hello"\n'
_STAGE = "{} - app - INFO - stage_time: stage=audio_render, id=ts_{:08x}, duration_ms=90\n"
_ENDED = "{} - app - INFO - synthesis_complete: id=ts_{:08x}, status=success, duration_ms=95\n"
_ERROR = "{} - app - ERROR - out of memory: id=ts_{:08x}, error_code=OOM\n"


def _request(number: int, day: str) -> list[str]:
    return [
        line.format(f"{day} 23:59:{50 + at},000", number)
        for at, line in enumerate((_BEGUN, _STAGE, _ERROR, _ENDED))
    ]


def _log(folder: Path, *more: str) -> Path:
    """Requests of three months, one of which begins in the first and ends in the second."""
    days = ["2026-01-31", "2026-02-28", "2026-03-02", "2026-03-04"]
    lines = [line for n, day in enumerate(days) for line in _request(n, day)]
    lines += [
        _BEGUN.format("2026-01-31 23:59:59,500", 99),
        _STAGE.format("2026-02-01 00:00:03,000", 99),
        _ENDED.format("2026-02-01 00:00:04,000", 99),
        *more,
    ]
    path = folder / "app.log"
    path.write_text("".join(sorted(lines)))
    return path


class Stored:
    """A store, and the servers that have its rows."""

    def __init__(self, shards: int) -> None:
        self.servers: tuple[Server, ...] = (clickhouse_server.server(),)
        words = ""
        if shards == 2:
            self.servers, words = clickhouse_server.two_shards(), "?cluster=two"
        self.name = self.servers[0].new_database()
        self.store = ClickHouseStore(self.servers[0].url(self.name) + words)
        migrate.ensure_head(self.store)

    def ask(self, sql: str) -> list[str]:
        """What each server says."""
        return [server.ask(sql, self.name).strip() for server in self.servers]

    def months(self) -> set[str]:
        """The partitions that there are."""
        told = self.ask(
            "select distinct partition from system.parts where active and "
            "database = currentDatabase() and startsWith(partition, '20')"
        )
        return set("\n".join(told).split())


@pytest.fixture(params=[1, 2], ids=["one server", "two shards"])
def stored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    made = Stored(request.param)
    yield made
    made.ask(f"drop database {made.name} sync")


def _pruned(store: Store) -> tuple[object, ...]:
    chosen = cuts(_BEFORE, None, {}, _NOW, UTC)
    report = prune(store, chosen, now=lambda: _NOW)
    return {t.table: t.rows for t in report.tables}, *_left(store)


def _left(store: Store) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """What is noted, and which requests and stage times are there."""
    noted = "select table_name, pruned_before, rows from pruned order by table_name"
    kept = (
        "select r.id, s.stage, s.logged_at from requests r "
        "full join stage_timings s on s.request_key = r.request_key order by 1, 3"
    )
    with store.reading() as reader:
        one, two = (list(reader.query(sql, None).rows) for sql in (noted, kept))
    return one, two


def test_a_month_that_is_older_goes_with_its_partitions(stored: Stored, tmp_path: Path) -> None:
    other = harness.new_store(tmp_path)
    for store in (stored.store, other):
        harness.run(store, [_log(tmp_path)], final=True)
    assert stored.months() == {"202601", "202602", "202603"}
    assert _pruned(stored.store) == _pruned(other)
    assert stored.months() == {"202603"}


def test_a_month_with_rows_that_stay_is_pruned_row_by_row(stored: Stored, tmp_path: Path) -> None:
    """A clock was set back: a stage of February's last minute belongs to a request of March."""
    lines = (
        _STAGE.format("2026-02-28 23:59:59,900", 77),
        _BEGUN.format("2026-03-05 00:00:01,000", 77),
        _ENDED.format("2026-03-05 00:00:02,000", 77),
    )
    other = harness.new_store(tmp_path)
    for store in (stored.store, other):
        harness.run(store, [_log(tmp_path, *lines)], final=True)
    assert _pruned(stored.store) == _pruned(other)


def test_what_follows_a_request_of_the_last_day_goes_with_it(
    stored: Stored, tmp_path: Path
) -> None:
    """Also what was logged later than all that goes: one that has ended, and one that has not."""
    lines = (
        _BEGUN.format("2026-03-02 23:59:59,500", 77),
        _STAGE.format("2026-03-03 00:00:03,000", 77),
        _ENDED.format("2026-03-03 00:00:04,000", 77),
        _BEGUN.format("2026-03-02 23:59:59,600", 78),
        _STAGE.format("2026-03-03 00:00:05,000", 78),
    )
    other = harness.new_store(tmp_path)
    for store in (stored.store, other):
        harness.run(store, [_log(tmp_path, *lines)], final=True)
    assert _pruned(stored.store) == _pruned(other)
    assert not [row for row in _left(stored.store)[1] if row[0] is None]


@pytest.mark.parametrize("point", ["before_commit:1", "committed:1", "committed:2"])
def test_the_next_one_completes_a_pruning_that_was_killed(point: str, tmp_path: Path) -> None:
    store, other = clickhouse_server.new_store(), harness.new_store(tmp_path)
    for one in (store, other):
        harness.run(one, [_log(tmp_path)], final=True)
    assert ended_in_child(lambda: _pruned(store), point) == KILLED
    _pruned(store)
    _pruned(other)
    assert _left(store)[1] == _left(other)[1]


_ALL = {"requests_rows", "stage_timings_rows", "errors_rows", "cache_samples_rows",
        "http_requests_rows"}  # fmt: skip


def _kept(stored: Stored) -> list[set[str]]:
    """What each server has a TTL of, as ``table days``."""
    told = stored.ask(
        "select replaceOne(name, '_shard', ''), "
        "extract(engine_full, 'TTL .*toIntervalDay.([0-9]+)') "
        "from system.tables where database = currentDatabase() and engine_full like '%TTL %' "
        "and engine_full like '%ttl_only_drop_parts = 1%'"
    )
    return [{line.replace("\t", " ") for line in one.splitlines()} for one in told]


def test_the_server_removes_what_is_older_than_the_settings_say(
    stored: Stored, tmp_path: Path
) -> None:
    def run(retention: str) -> None:
        joined = "&" if "?" in stored.store._url else "?"
        store = ClickHouseStore(f"{stored.store._url}{joined}retention={retention}")
        assert not harness.run(store, [log], final=True).problems

    shard = "_shard" if len(stored.servers) == 2 else ""
    log = _log(tmp_path, *_request(98, "2150-01-01"))
    run("9999d")
    assert _kept(stored) == [{f"{t} 9999" for t in _ALL}] * len(stored.servers)
    for table in ("requests_rows", "stage_timings_rows"):
        stored.ask(f"optimize table {table}{shard} final")
    assert len(_left(stored.store)[1]) == 6, "none is so old"
    run("30d")
    assert _kept(stored) == [{f"{t} 30" for t in _ALL}] * len(stored.servers)
    for table in ("requests_rows", "stage_timings_rows"):
        stored.ask(f"optimize table {table}{shard} final")
    assert [row[0] for row in _left(stored.store)[1]] == ["ts_00000062"], "all others are older"
    noted = _left(stored.store)[0]
    assert {str(row[0]) for row in noted} == {t.removesuffix("_rows") for t in _ALL}
    report = verify(stored.store, Options(compile_format(), UTC))
    assert report.is_clean, report
    run("0d")
    assert _kept(stored) == [set()] * len(stored.servers)


@pytest.mark.parametrize("written", ["30", "a month", "-3d", "30h", "36500d"])
def test_an_age_that_is_none_is_refused(written: str) -> None:
    with pytest.raises(UsageProblem, match="retention is given"):
        ClickHouseStore(f"clickhousedb://h/d?retention={written}")
