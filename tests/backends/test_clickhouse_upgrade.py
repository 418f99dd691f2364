"""A ClickHouse store of an older revision is upgraded with its rows, on one server and on two."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.stores import migrate
from ingest.stores.clickhouse.store import ClickHouseStore
from tests.backends.test_clickhouse import Growing
from tests.support import clickhouse_server, harness
from tests.support.clickhouse_server import Server

_GONE = ("id", "host")  # columns of stage_timings that revision 0013 takes away


class Stored:
    """A store, the servers that have its rows, and their table of stage times."""

    def __init__(self, shards: int) -> None:
        self.servers: tuple[Server, ...]
        if shards == 1:
            self.servers, words, self.table = (
                (clickhouse_server.server(),),
                "",
                "stage_timings_rows",
            )
        else:
            self.servers, words = clickhouse_server.two_shards(), "?cluster=two"
            self.table = "stage_timings_rows_shard"
        self.name = self.servers[0].new_database()
        self.store = ClickHouseStore(self.servers[0].url(self.name) + words)
        migrate.ensure_head(self.store)

    def ask(self, sql: str) -> list[str]:
        """What each server says."""
        return [server.ask(sql, self.name).strip() for server in self.servers]

    def set_back(self) -> None:
        """Make it a store of revision 0012, with values in the columns that this has more."""
        migrate.downgrade(self.store, "0012")
        assert self.store.revision() == "0012"
        self.ask(
            f"alter table {self.table} update id = 'ts_1', host = 'h' where true "
            "settings mutations_sync = 2"
        )
        assert "0" not in self.ask(f"select countIf(id = 'ts_1' and host = 'h') from {self.table}")


@pytest.fixture(params=[1, 2], ids=["one server", "two shards"])
def stored(request: pytest.FixtureRequest) -> Iterator[Stored]:
    made = Stored(request.param)
    yield made
    made.ask(f"drop database {made.name} sync")


def test_the_next_ingest_upgrades_it_and_all_rows_stay(stored: Stored, tmp_path: Path) -> None:
    logs, other = Growing(tmp_path), harness.new_store(tmp_path)
    for _ in range(2):
        logs.grow()
        logs.run(stored.store)
    before = harness.dump(stored.store, logs.paths)
    stored.set_back()
    migrate.ensure_head(stored.store)
    assert harness.dump(stored.store, logs.paths) == before
    assert migrate.differences(stored.store) == []
    columns = (
        "select count() from system.columns where database = currentDatabase() "
        f"and table = '{stored.table}' and name in {_GONE}"
    )
    assert set(stored.ask(columns)) == {"0"}
    logs.grow()
    logs.run(stored.store)
    logs.run(other)
    assert harness.dump(stored.store, logs.paths) == harness.dump(other, logs.paths)


def test_an_upgrade_that_was_cut_off_is_completed(stored: Stored, tmp_path: Path) -> None:
    """Of several servers only the last had begun: the others follow."""
    logs = Growing(tmp_path)
    logs.grow()
    logs.run(stored.store)
    before = harness.dump(stored.store, logs.paths)
    stored.set_back()
    stored.servers[-1].ask(f"alter table {stored.table} drop index id_bloom", stored.name)
    stored.servers[-1].ask(f"alter table {stored.table} drop column id", stored.name)
    migrate.ensure_head(stored.store)
    assert harness.dump(stored.store, logs.paths) == before
    assert migrate.differences(stored.store) == []
