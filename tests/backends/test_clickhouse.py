"""A ClickHouse store, which has no transactions: what is done is seen at once, and once."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from ingest.errors import IngestBusyError, StoreError, UsageProblem
from ingest.model import Changes
from ingest.stores import migrate
from ingest.stores.clickhouse import layout, ledger, roles, versions
from ingest.stores.clickhouse.store import ClickHouseStore
from ingest.stores.contract import Standing, Store
from tests.support import clickhouse_server, harness
from tests.support.fault_machine import KILLED, begun_in_child, ended_in_child, waited
from tests.support.log_writer import Journal, to_bytes

_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
_CHUNK = 8000
# each several times: in the batch of the first file, and later
_KILLS = (
    "begun:1", "inserted:1", "inserted:4", "inserted:8", "relinked:2", "checkpoint_in:1",
    "before_commit:2", "committed:1",
)  # fmt: skip


@pytest.fixture
def store() -> ClickHouseStore:
    return clickhouse_server.new_store()


class Growing:
    """Two logs that share requests and grow before every run."""

    def __init__(self, folder: Path) -> None:
        self.paths = [folder / "a.log", folder / "b.log"]
        self._journal = Journal()
        self._number = 0

    def grow(self) -> None:
        self._number += 1
        number = f"ts_{self._number:08x}"
        at = f"2026-03-02 01:{self._number:02}"
        start = (
            f'{at}:01,000 - app - INFO - synthesis_start: id={number}, text="across"\n'
            f"{at}:01,100 - app - INFO - stage_time: stage=text_normalize, id={number}, "
            "duration_ms=9\n"
            f"{at}:01,200 - app - ERROR - out of memory: id={number}, error_code=OOM\n"
        )
        end = (
            f"{at}:02,000 - app - INFO - stage_time: stage=audio_render, id={number}, "
            "duration_ms=90\n"
            f"{at}:02,200 - app - INFO - synthesis_complete: id={number}, status=success, "
            "duration_ms=95\n"
        )
        for path, own in zip(self.paths, (start, end), strict=True):
            with path.open("ab") as file:
                file.write(own.encode() + to_bytes(self._journal.mixed(2)))

    def run(self, store: Any) -> None:
        assert not harness.run(store, self.paths, chunk_bytes=_CHUNK, final=True).problems


def _counts(store: ClickHouseStore) -> dict[str, int]:
    with store.reading() as reader:
        return {
            t: int(reader.query(f"select count(*) from {t}", None).rows[0][0])  # type: ignore[call-overload]
            for t in (*harness.TABLES, "request_parts", "stored_lines")
        }


def _committed(store: ClickHouseStore) -> dict[int, int]:
    return {c.file_key: c.committed_offset for c in store.checkpoints()}


def test_killed_at_any_point_nothing_is_lost_or_doubled(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    logs, other = Growing(tmp_path), harness.new_store(tmp_path)
    logs.grow()
    logs.run(store)
    for point in _KILLS:
        logs.grow()
        before, rows = _committed(store), _counts(store)
        assert ended_in_child(lambda: logs.run(store), point) == KILLED, point
        if _committed(store) == before:
            assert _counts(store) == rows, f"{point}: rows are seen whose commit is not done"
    logs.run(store)
    logs.run(other)
    assert harness.dump(store, logs.paths) == harness.dump(other, logs.paths)
    with store.reading() as reader:
        states = reader.query("select distinct status from ingest_runs", None).rows
        hidden = reader.query(f"select count(*) from {layout.COMMITS} where state = 2", None).rows
    assert {s[0] for s in states} == {"done", "interrupted"}
    assert int(hidden[0][0]) > 0  # type: ignore[call-overload]


def test_rows_are_seen_when_their_commit_is_done_and_not_before(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    logs = Growing(tmp_path)
    logs.grow()
    with store.ingesting(0, "h"), store.writing() as writer:
        key = store.next_file_key(0)
        stamp = pa.array([_NOW], pa.timestamp("us", "UTC"))
        row = {
            "sample_key": [key << 40], "sampled_at": stamp, "time_source": ["logged"],
            "host": ["h"], "event": ["cache_health"], "file_key": [key], "byte_offset": [0],
        }  # fmt: skip
        writer.write(Changes(_NOW, {"cache_samples": [pa.table(row)]}))
        assert _seen(store) == 0
        assert writer.versions.rows("select count() from {cache_samples}") == [(1,)]
        writer.commit([], None)
    assert _seen(store) == 1


def _seen(store: ClickHouseStore) -> int:
    other = ClickHouseStore(store._url)
    with other.reading() as reader:
        view = reader.query("select count(*) from cache_levels", None).rows[0][0]
        assert view == reader.query("select count(*) from cache_samples", None).rows[0][0]
    return int(view)  # type: ignore[call-overload]


def test_a_reader_sees_one_instant_of_the_store(store: ClickHouseStore, tmp_path: Path) -> None:
    logs = Growing(tmp_path)
    logs.grow()
    logs.run(store)
    with store.reading() as reader:
        before = reader.query("select * from requests order by request_key", None).rows
        logs.grow()
        logs.run(store)
        assert reader.query("select * from requests order by request_key", None).rows == before
    assert _counts(store)["requests"] > len(before)


def _two(store: ClickHouseStore) -> Iterator[ClickHouseStore]:
    yield from (store, ClickHouseStore(store._url))


def test_of_two_commits_that_stand_on_the_same_the_second_is_refused(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    logs = Growing(tmp_path)
    logs.grow()
    logs.run(store)
    one, two = _two(store)
    checkpoint = store.checkpoints()[0]
    standing = Standing(1, {checkpoint.file_key: checkpoint.committed_offset})
    with ExitStack() as stack:
        first = stack.enter_context(one.writing(standing))
        second = stack.enter_context(two.writing(standing))
        second.commit([checkpoint._replace(note="second")], None)
        with pytest.raises(IngestBusyError, match="meanwhile"):
            first.commit([checkpoint._replace(note="first")], None)
    assert {c.note for c in store.checkpoints()} >= {"second"}
    assert "first" not in {c.note for c in store.checkpoints()}


def test_what_a_process_sends_that_was_believed_dead_is_never_seen(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    logs = Growing(tmp_path)
    logs.grow()
    with store.ingesting(0, "h"), store.writing() as late:
        with ClickHouseStore(store._url).session("tests") as session:
            ledger.tidy(session, "h")  # as another ingest of this host would
        late.versions.insert("stored_lines", _lines())
        with pytest.raises(IngestBusyError):
            late.commit([], None)
    assert _counts(store)["stored_lines"] == 0


def _lines() -> pa.Table:
    return pa.table(
        {
            "file_key": [1],
            "byte_offset": [0],
            "byte_length": [9],
            "mark": [7],
            "line_hashes": [b"x"],
        }
    )


def test_a_second_log_of_many_lines_is_stored(store: ClickHouseStore, tmp_path: Path) -> None:
    """Which of its lines are stored already is asked for thousands of them at once."""
    journal = Journal()
    for name, count in (("a", 20), ("b", 9000)):
        path = tmp_path / f"{name}.log"
        path.write_bytes(to_bytes(journal.failures(count)))
        assert not harness.run(store, [path], final=True).problems
    assert _counts(store)["errors"] == 9020


def test_an_insert_whose_answer_was_lost_is_stored_once(store: ClickHouseStore) -> None:
    with store.writing() as writer:
        for _ in range(3):
            writer.versions._sent = 0
            writer.versions.insert("stored_lines", _lines())
        writer.commit([], None)
    assert _counts(store)["stored_lines"] == 1


def test_one_ingest_of_a_host_at_a_time_and_hosts_at_once(store: ClickHouseStore) -> None:
    other = ClickHouseStore(store._url)
    with store.ingesting(0, "one"):
        assert "ingests one" in str(other.holder())
        held = pytest.raises(IngestBusyError, match=r"another ingest holds .* ttsq ingests one on")
        with held, other.ingesting(0, "one"):
            pass
        with other.ingesting(0, "two"):
            pass
        with pytest.raises(IngestBusyError), other.ingesting(0, None):
            pass
    with other.ingesting(0, None), pytest.raises(IngestBusyError), store.ingesting(0, "one"):
        pass
    assert other.holder() is None


def test_the_lock_of_a_killed_process_is_free(store: ClickHouseStore) -> None:
    def hold() -> None:
        with ClickHouseStore(store._url).ingesting(0, "one"):
            signal.pause()

    child = begun_in_child(hold, None)
    while store.holder() is None:
        pass
    os.kill(child, signal.SIGKILL)
    assert waited(child) == KILLED
    with store.ingesting(10, "one"):
        pass


def test_hosts_that_ingest_at_once_get_all_their_rows(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    children = []
    for host in ("one", "two", "three"):
        (tmp_path / host).mkdir()
        logs = Growing(tmp_path / host)
        logs.grow()
        work = _ingest_as(store._url, logs, host)
        children.append(begun_in_child(work, None))
    assert [waited(c) for c in children] == [0, 0, 0]
    with store.reading() as reader:
        found = dict(
            reader.query("select host, count(*) from requests group by host", None).rows  # type: ignore[arg-type]
        )
    assert set(found) == {"one", "two", "three"}
    assert len(set(found.values())) == 1
    assert len({c.file_key for c in store.checkpoints()}) == 6


def _ingest_as(url: str, logs: Growing, host: str) -> Callable[[], object]:
    return lambda: harness.run(ClickHouseStore(url), logs.paths, host=host, final=True)


def _planted(store: ClickHouseStore, folder: Path, point: str) -> bool:
    """Whether runs, one of them killed at a point, fail or leave wrong tables."""
    logs, other = Growing(folder), harness.new_store(folder)
    logs.grow()
    ended_in_child(lambda: logs.run(store), point)
    try:
        logs.run(store)
    except IngestBusyError:
        return True
    logs.run(other)
    return harness.dump(store, logs.paths) != harness.dump(other, logs.paths)


def test_the_planted_fault_is_caught_of_a_token_that_names_no_content(
    store: ClickHouseStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions.Versions, "_token", lambda self, name: name)
    assert _planted(store, tmp_path, "before_commit:1")


def test_the_planted_fault_is_caught_of_a_checkpoint_before_its_rows(
    store: ClickHouseStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingest.stores.clickhouse.writer import ClickHouseWriter

    write = ClickHouseWriter.write

    def done_first(self: ClickHouseWriter, changes: Changes) -> None:
        plan = self.versions.plan
        self._session.client.command(
            f"insert into {layout.COMMITS} (commit, state, lane, place, nonce) "
            f"values ({plan.newest}, {layout.DONE}, 'h', {plan.last_done + 1}, '')"
        )
        write(self, changes)

    monkeypatch.setattr(ClickHouseWriter, "write", done_first)
    logs = Growing(tmp_path)
    logs.grow()
    assert ended_in_child(lambda: logs.run(store), "rows_in:1") == KILLED
    assert _counts(store)["requests"] > 0
    assert not store.checkpoints(), "rows are seen without their checkpoint"


@pytest.mark.parametrize(
    "url", ["clickhousedb://", "clickhousedb://h:x/d", "clickhousedb://u:p:q@h/d"]
)
def test_a_url_that_cannot_be_read_is_refused(url: str) -> None:
    with pytest.raises(UsageProblem, match="cannot be read"):
        ClickHouseStore(url)


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    store = ClickHouseStore("clickhousedb://u:secret%40word@127.0.0.1:1/d")
    with pytest.raises(StoreError) as told:
        store.revision()
    assert "clickhousedb://u@127.0.0.1:1/d" in told.value.message
    assert "secret" not in told.value.message


def test_a_database_that_is_not_there_is_an_empty_store() -> None:
    server = clickhouse_server.server()
    store = ClickHouseStore(server.url(server.new_database()))
    assert store.revision() is None
    with pytest.raises(StoreError, match="there is no store"), store.reading():
        pass


def test_the_first_ingest_makes_the_database(tmp_path: Path) -> None:
    server = clickhouse_server.server()
    store = ClickHouseStore(server.url(server.new_database()))
    logs = Growing(tmp_path)
    logs.grow()
    logs.run(store)
    assert _counts(store)["requests"] > 0


@pytest.mark.parametrize(
    "sql",
    [
        "insert into requests_rows select * from requests_rows",
        "drop table requests",
        "select * from file('/etc/passwd', 'LineAsString')",
        "select * from url('http://127.0.0.1/', 'LineAsString')",
        "select * from system.users",
        "select 1 settings readonly = 0",
        "select 1 into outfile '/tmp/x'",
        "select 1; select 2",
        "with x as (select 1) insert into pruned_rows select * from x",
    ],
)
def test_a_users_sql_reads_the_store_and_nothing_else(sql: str, asked: ClickHouseStore) -> None:
    with pytest.raises(StoreError), asked.reading() as reader:
        reader.ask(sql, 5, False)


@pytest.fixture(scope="module")
def asked() -> ClickHouseStore:
    return clickhouse_server.new_store()


def test_a_users_sql_is_stopped(asked: ClickHouseStore) -> None:
    with pytest.raises(StoreError, match=r"longer than 0\.2 seconds"), asked.reading() as reader:
        reader.ask("select count(*) from numbers(1000000000000)", 0.2, False)


def test_sql_of_the_other_engines_is_understood(asked: ClickHouseStore) -> None:
    """As triage prints it, for example."""
    with asked.reading() as reader:
        sql = (
            "select percentile_cont(0.5) within group (order by r.duration_ms) as p from requests r"
        )
        assert reader.ask(sql + " where r.attributes ->> 'a' = '1'", 5, False).columns == ("p",)


def test_the_store_is_not_published(asked: ClickHouseStore, tmp_path: Path) -> None:
    with pytest.raises(UsageProblem, match="readers connect to ClickHouse itself"):
        asked.upkeep().copy(tmp_path / "copy")


_HOSTILE = ["'; drop table requests; --", "tab\there", "line\nbreak", "back\\slash", "\\'",
            "{x:String}", "\u0000nul", "日本語🎤", ":name", "%s", "\\N", "null"]  # fmt: skip


def test_hostile_text_is_a_value_as_it_is(asked: ClickHouseStore) -> None:
    with asked.reading() as reader:
        for text in _HOSTILE:
            assert reader.query("select cast(:x as text), :x", {"x": text}).rows == [(text, text)]


@pytest.mark.parametrize("part", ["'", "\\", "\0", "語"])
def test_a_text_of_any_length_is_a_value(part: str, asked: ClickHouseStore) -> None:
    """The server takes no parameter of more than 128 KiB."""
    with asked.reading() as reader:
        for length in (15_999, 16_001, 300_000):
            text = part * length
            found = reader.query("select cast(:x as text), length(:x)", {"x": text})
            assert found.rows == [(text, length)]


def test_instants_keep_their_microseconds(asked: ClickHouseStore) -> None:
    at = datetime(2026, 3, 2, 1, 2, 3, 456789, tzinfo=UTC)
    with asked.reading() as reader:
        found = reader.query("select :at, cast(:at as timestamptz)", {"at": at}).rows
    assert found == [(at, at)]


def test_prune_removes_what_is_old_and_the_text_from_the_disk(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    logs, other = Growing(tmp_path), harness.new_store(tmp_path)
    for _ in range(2):
        logs.grow()
    stores: tuple[Store, ...] = (store, other)
    for one in stores:
        logs.run(one)
    before = datetime(2026, 3, 2, 1, 2, tzinfo=UTC)
    left = []
    for one in stores:
        with one.ingesting(5, None):
            upkeep = one.upkeep()
            found: list[object] = [
                sum(m.rows for m in upkeep.minutes(table, "rows", before))
                for table in ("requests", "stage_timings")
            ]
            found.append(upkeep.remove("requests", before))
            found.append(upkeep.remove("errors", before))
            found.append(upkeep.minutes("requests", "texts", _NOW))
            found.append(upkeep.clear_texts("requests", _NOW))
            found.append(upkeep.clear_texts("errors", _NOW))
            assert upkeep.owes_space()
            upkeep.give_back(_NOW)
            assert not upkeep.owes_space()
            assert upkeep.space().tables["requests"][1] > 0
        with one.reading() as reader:
            sql = "select table_name, rows, pruned_before, text_pruned_before, pruned_at"
            found.append(reader.query(f"{sql} from pruned order by table_name", None).rows)
        left.append((found, harness.dump(one, logs.paths)))
    assert left[0] == left[1]
    data = clickhouse_server.server().ask(
        "select count() from requests_rows where text is not null settings apply_deleted_mask = 0",
        store._url.rpartition("/")[2],
    )
    assert data == "0\n", "user text is on the disk still"


def test_days_that_are_removed_one_by_one_are_noted_as_one(
    store: ClickHouseStore, tmp_path: Path
) -> None:
    line = "2026-03-{:02} 01:00:0{},000 - app - INFO - {}: id=ts_{:08x}, status=success\n"
    log = tmp_path / "app.log"
    log.write_text(
        "".join(
            line.format(day, at, event, day)
            for day in range(1, 6)
            for at, event in enumerate(("synthesis_start", "synthesis_complete"))
        )
    )
    found = []
    for one in (store, harness.new_store(tmp_path)):
        harness.run(one, [log], final=True)
        with one.ingesting(5, None):
            removed = one.upkeep().remove("requests", datetime(2026, 3, 4, tzinfo=UTC))
        with one.reading() as reader:
            sql = "select table_name, pruned_before, rows from pruned order by table_name"
            kept = "select id from requests order by id"
            rows = [reader.query(q, None).rows for q in (sql, kept)]
        found.append((removed, rows))
    assert found[0] == found[1]
    assert found[0][0]["requests"] == 3


_USERS = """<clickhouse>
<profiles><default/><ttsq_reader>{values}<constraints>{bounds}</constraints></ttsq_reader></profiles>
<users><default><password></password><networks><ip>::/0</ip></networks><profile>default</profile>
<quota>default</quota></default>
<reader><password>secret</password><networks><ip>::/0</ip></networks><profile>ttsq_reader</profile>
<quota>default</quota><grants>{grants}</grants></reader></users>
<quotas><default/></quotas></clickhouse>"""


def _profile() -> dict[str, str]:
    """The settings of a reader, as the server's configuration has them."""
    values = "".join(f"<{b.setting}>{b.value}</{b.setting}>" for b in roles.BOUNDS)
    bounds = "".join(
        f"<{b.setting}><min>{b.least}</min><max>{b.most}</max></{b.setting}>" for b in roles.BOUNDS
    )
    return {"values": values, "bounds": bounds}


def test_a_reader_role_reads_tables_and_views_and_no_text(tmp_path: Path) -> None:
    """The server of the tests keeps no users that a statement makes: one of its configuration is
    given what ``ttsq db grant-reader`` grants.
    """
    users = tmp_path / "users.xml"
    made = clickhouse_server.new_store()
    with made.session("tests") as session:
        columns = roles._columns(session)
        granted = [*roles.statements("store", "reader", roles.readable(False), columns)]
        for statement in granted:
            session.value("select formatQuerySingleLine({sql:String})", {"sql": statement})
    queries = [g.removesuffix(" to `reader`") for g in granted if g.startswith("grant")]
    listed = "".join(f"<query>{g}</query>" for g in queries)
    users.write_text(_USERS.format(grants=listed, **_profile()))
    server = clickhouse_server.make_server(f"<users_config>{users}</users_config>")
    try:
        logs = Growing(tmp_path)
        logs.grow()
        migrate.ensure_head(ClickHouseStore(server.url("store")))
        logs.run(ClickHouseStore(server.url("store")))
        reading = ClickHouseStore(server.url("store", "reader:secret"))
        for sql in ("select count(*) from all_requests", "select id, status from requests"):
            with reading.reading() as reader:
                assert reader.query(sql, {}).rows
                assert reader.ask(sql, 5, False).rows
        for sql in ("select text from requests", "select text from requests_rows",
                    "select * from text_salts_rows"):  # fmt: skip
            with pytest.raises(StoreError, match="refuses"), reading.reading() as reader:
                reader.ask(sql, 5, False)
        with pytest.raises(StoreError, match="refuses"):
            logs.run(reading)
        _assert_bounded(server)
    finally:
        server.remove()


def _assert_bounded(server: clickhouse_server.Server) -> None:
    """What a reader sends to the server by itself cannot leave the bounds."""
    with ClickHouseStore(server.url("store", "reader:secret")).session("tests") as session:
        sql = "select count() from requests settings {} = {}"
        for bound in roles.BOUNDS:
            assert session.rows(sql.format(bound.setting, bound.value))
            for value in (0, bound.most + 1):
                with pytest.raises(DatabaseError, match=r"should(n.t| not) be|Cannot modify"):
                    session.rows(sql.format(bound.setting, value))
        for statement in ("create table t (n Int8) engine = Memory", "drop table requests",
                          "insert into pruned_rows (table_name) values ('requests')"):  # fmt: skip
            with pytest.raises(DatabaseError, match=r"privileges|readonly"):
                session.run(statement)


def test_a_role_that_is_not_there_is_told(asked: ClickHouseStore) -> None:
    with pytest.raises(StoreError, match="there is no user or role nobody"):
        asked.grant_reader("nobody", False)
