"""A ClickHouse store on two shards: rows are on both, and are seen once, whatever a shard does."""

import os
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import StoreError, StoreLostError, UsageProblem
from ingest.resources import folder
from ingest.stores import migrate
from ingest.stores.clickhouse.cluster import on_cluster, spread
from ingest.stores.clickhouse.store import ClickHouseStore, _statements
from ingest.stores.contract import Store
from tests.backends.test_clickhouse import Growing, _lines
from tests.backends.test_triage_engines import crowded
from tests.support import clickhouse_server, harness
from tests.support.fault_machine import KILLED, begun_in_child, ended_in_child, hooked, waited

_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_COUNTS = "select (select count(*) from requests) * 1000 + (select count(*) from stage_timings)"


def _url(database: str, server: int = 0) -> str:
    return f"{clickhouse_server.two_shards()[server].url(database)}?cluster=two"


@pytest.fixture
def store() -> Iterator[ClickHouseStore]:
    one, two = clickhouse_server.two_shards()
    name = one.new_database()
    made = ClickHouseStore(_url(name))
    migrate.ensure_head(made)
    yield made
    for server in (one, two):
        server.ask(f"drop database {name} sync")


def _database(store: ClickHouseStore) -> str:
    return store.description.rpartition("/")[2]


def _rows_of_shards(store: ClickHouseStore, table: str) -> list[int]:
    servers = clickhouse_server.two_shards()
    sql = f"select count() from {table}_rows_shard"
    return [int(s.ask(sql, _database(store))) for s in servers]


def _seen(store: Store) -> object:
    with store.reading() as reader:
        return reader.query(_COUNTS, {}).rows[0][0]


def test_rows_are_on_both_shards_and_the_same_as_in_one_store(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    logs, other = Growing(tmp_path), harness.new_store(tmp_path)
    for _ in range(2):
        logs.grow()
        logs.run(store)
    logs.run(other)
    assert harness.dump(store, logs.paths) == harness.dump(other, logs.paths)
    assert min(_rows_of_shards(store, "requests")) > 0
    assert min(_rows_of_shards(store, "stage_timings")) > 0
    assert _rows_of_shards(store, "log_files")[1] == 0, "one server says what is done"
    second = ClickHouseStore(clickhouse_server.two_shards()[1].url(_database(store)))
    assert _seen(second) == _seen(other), "any server answers"
    assert migrate.differences(store) == migrate.differences(second) == []
    views = "select count() from failed_requests"
    told = [s.ask(views, _database(store)) for s in clickhouse_server.two_shards()]
    assert told[0] == told[1] != "0\n", "views need no settings of ttsq's"


def test_the_sql_of_a_crowd_shows_it(store: ClickHouseStore, tmp_path: Path) -> None:
    crowded(store, tmp_path)


def test_killed_at_any_point_nothing_is_lost_or_doubled(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    logs, other = Growing(tmp_path), harness.new_store(tmp_path)
    for point in ("inserted:1", "inserted:4", "before_commit:2", "committed:1"):
        logs.grow()
        assert ended_in_child(lambda: logs.run(store), point) == KILLED, point
    logs.run(store)
    logs.run(other)
    assert harness.dump(store, logs.paths) == harness.dump(other, logs.paths)


def test_an_insert_that_is_sent_again_is_stored_once(store: ClickHouseStore) -> None:
    with store.writing() as writer:
        for _ in range(3):
            writer.versions._sent = 0
            writer.versions.insert("stored_lines", _lines())
        writer.commit([], None)
    assert sum(_rows_of_shards(store, "stored_lines")) == 1


def test_a_shard_goes_away_in_the_middle_of_a_commit_and_comes_back(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    """The ingest fails, or goes on by itself; a reader is told, or sees all: never a part."""
    second = clickhouse_server.two_shards()[1]
    logs, other = Growing(tmp_path), harness.new_store(tmp_path)
    logs.grow()
    logs.run(store)
    before = _seen(store)
    logs.grow()
    with (
        hooked("inserted", 2, second.stop),
        pytest.raises(StoreError, match="a shard of the store"),
    ):
        logs.run(store)
    assert not second.process
    with pytest.raises(StoreLostError, match="is not there"):
        _seen(store)
    second.start()
    assert _seen(store) == before, "a part of a commit is seen"
    logs.run(store)
    logs.run(other)
    assert harness.dump(store, logs.paths) == harness.dump(other, logs.paths)


def test_a_reader_sees_whole_commits_while_another_process_ingests(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    logs = Growing(tmp_path)
    logs.grow()
    logs.run(store)
    seen = {_seen(store)}
    logs.grow()
    child = begun_in_child(lambda: logs.run(store), None)
    reading = ClickHouseStore(clickhouse_server.two_shards()[1].url(_database(store)))
    while os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
        seen.add(_seen(reading))
    assert waited(child) == 0
    commits = int(
        clickhouse_server.two_shards()[0].ask(
            "select count() from commits where state = 1 and place > 0", _database(store)
        )
    )
    assert len(seen | {_seen(store)}) <= commits


def test_a_server_that_stops_in_the_middle_loses_nothing(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    first = clickhouse_server.two_shards()[0]
    logs, other = Growing(tmp_path), harness.new_store(tmp_path)
    logs.grow()
    logs.run(store)
    logs.grow()

    def restart() -> None:
        first.stop(signal.SIGKILL)
        first.start()
        stopped.append(first)

    stopped: list[object] = []
    with hooked("rows_in", 1, restart):
        harness.run(store, logs.paths, chunk_bytes=8000, final=True)
    logs.run(store)
    logs.run(other)
    assert stopped
    assert harness.dump(store, logs.paths) == harness.dump(other, logs.paths)


def test_prune_deletes_on_every_shard(store: ClickHouseStore, tmp_path: Path) -> None:
    logs, other = Growing(tmp_path), harness.new_store(tmp_path)
    logs.grow()
    logs.run(store)
    logs.run(other)
    left = []
    for one in (store, other):
        with one.ingesting(5, None):
            upkeep = one.upkeep()
            found: list[object] = [upkeep.remove("errors", _NOW)]
            found.append(upkeep.clear_texts("requests", _NOW))
            upkeep.give_back(_NOW)
            found.append(upkeep.space().tables["errors"][1])
            assert upkeep.space().bytes > 0
        left.append((found, harness.dump(one, logs.paths)))
    assert left[0] == left[1]
    assert _rows_of_shards(store, "errors") == [0, 0]
    texts = "select count() from requests_rows_shard where text is not null " \
        "settings apply_deleted_mask = 0"  # fmt: skip
    for server in clickhouse_server.two_shards():
        assert server.ask(texts, _database(store)) == "0\n", "user text is on the disk still"


def test_ingests_go_through_the_first_server(store: ClickHouseStore, tmp_path: Path) -> None:
    logs = Growing(tmp_path)
    logs.grow()
    other = ClickHouseStore(_url(_database(store), server=1))
    with pytest.raises(StoreError, match=r"go through its first server, 127\.0\.0\.1"):
        logs.run(other)


def test_a_cluster_that_is_not_there_or_not_the_stores_is_told(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    first = clickhouse_server.two_shards()[0]
    logs = Growing(tmp_path)
    logs.grow()
    name = first.new_database()
    with pytest.raises(StoreError, match="knows no cluster three"):
        migrate.ensure_head(ClickHouseStore(f"{first.url(name)}?cluster=three"))
    first.ask(f"drop database if exists {name}")
    with pytest.raises(StoreError, match="was made on the cluster two, not on the cluster three"):
        logs.run(ClickHouseStore(f"{first.url(_database(store))}?cluster=three"))
    with pytest.raises(UsageProblem, match="no name of a cluster"):
        ClickHouseStore(f"{first.url('d')}?cluster=a'b")


def test_what_is_of_rows_alone_is_told_to_the_shards_alone() -> None:
    for change in ("drop index if exists x", "update a = 1 where true"):
        alone = [f"alter table requests_rows_shard {change}"]
        assert spread(f"alter table requests_rows {change}", "two") == alone
    assert len(spread("alter table requests_rows drop column if exists `id`", "two")) == 2


_MADE = """create table if not exists numbers_rows (
    `kind` String comment 'of what'
)
engine = ReplacingMergeTree(number)
order by kind
comment 'Numbers.'"""


def test_with_replicas_the_servers_of_a_shard_hold_the_same_table() -> None:
    """Not run: it needs Keeper. The server reads what it would be told."""
    there, over = spread(_MADE, "many", is_replicated=True)
    assert (
        "engine = ReplicatedReplacingMergeTree('/clickhouse/ttsq/{database}/numbers_rows/{shard}', "
        "'{replica}', number)" in there
    )
    assert "engine = Distributed('many', currentDatabase(), numbers_rows_shard, 0)" in over
    for statement in (there, over):
        with clickhouse_server.new_store().session("tests") as session:
            session.value("select formatQuerySingleLine({sql:String})", {"sql": statement})


def test_statements_that_the_servers_pass_on_are_read_by_the_server() -> None:
    """``ON CLUSTER`` needs Keeper, which the server of the tests has not: it is only parsed."""
    script = (folder("migrations") / "clickhouse.sql").read_text(encoding="utf-8")
    written = [s for s in _statements(script) if not s.startswith("INSERT")]
    told = [own for s in written for own in spread(s, "two", is_replicated=True)]
    told += ["create database if not exists `a \\` b`", "drop table if exists requests_rows sync"]
    server = clickhouse_server.server()
    for statement in told:
        passed_on = on_cluster(statement, "two")
        read = server.ask(f"select formatQuery($q${passed_on}$q$) format TSVRaw")
        assert "ON CLUSTER two" in read, read
        assert server.ask(f"select formatQuery($q${statement}$q$) format TSVRaw") == read.replace(
            " ON CLUSTER two", ""
        )
