"""PostgreSQL as a store: the commit contract, locks, lost connections, and what its users' SQL and
passwords may not do.
"""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from ingest import faults
from ingest.errors import IngestBusyError, StoreError, UsageProblem
from ingest.model import Origin
from ingest.stores.open import open_store
from ingest.stores.postgres.store import PostgresStore
from tests.support import harness, postgres_server
from tests.support.command_line import CommandLine
from tests.support.fault_machine import KILLED, counting, ended_in_child, hooked
from tests.support.log_writer import Journal, to_bytes

_CHUNK = 5000  # bytes: two chunks of what is new in the second log
_ACROSS = (
    b'2026-03-02 00:00:01,000 - app - INFO - synthesis_start: id=ts_0a0a0a0a, text="two files"\n'
    b"2026-03-02 00:00:01,100 - app - INFO - stage_time: stage=text_normalize, "
    b"id=ts_0a0a0a0a, duration_ms=9\n"
    b"2026-03-02 00:00:01,200 - app - ERROR - out of memory: id=ts_0a0a0a0a, error_code=OOM\n",
    b"2026-03-02 00:00:02,000 - app - INFO - stage_time: stage=audio_render, id=ts_0a0a0a0a, "
    b"duration_ms=90\n"
    b"2026-03-02 00:00:02,200 - app - INFO - synthesis_complete: id=ts_0a0a0a0a, "
    b"status=success, duration_ms=95\n",
)
_OTHERS = (
    b"2026-03-02 00:00:03,000 - app.cache - INFO - cache_health: path=/c, used=1MB, "
    b"total=2MB, usage=50%\n"
    b"2026-02-31 00:00:03,000 - app.cache - INFO - a day that there is not\n\n"
)
_NOT_ON_A_SERVER = {"migrated"}  # its template is at head


class Half:
    """A database that knows the first part of two logs; both have grown since."""

    def __init__(self, folder: Path) -> None:
        journal = Journal()
        self.paths = [folder / "a.log", folder / "b.log"]
        self.url = postgres_server.new_url()
        self._append(_ACROSS[0], to_bytes(journal.mixed(4)))
        self.run(PostgresStore(self.url))
        self._append(to_bytes(journal.mixed(8)), _ACROSS[1] + _OTHERS + to_bytes(journal.mixed(12)))

    def _append(self, *data: bytes) -> None:
        for path, more in zip(self.paths, data, strict=True):
            with path.open("ab") as file:
                file.write(more)

    def copy(self) -> PostgresStore:
        """The store as it is at the beginning."""
        server = postgres_server.server()
        name = self.url.partition("@/")[2].partition("?")[0]
        return PostgresStore(server.url(server.new_database(name)))

    def run(self, store: PostgresStore) -> None:
        """One run over both logs, in small chunks."""
        assert not harness.run(store, self.paths, final=True, chunk_bytes=_CHUNK).problems


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Half:
    return Half(tmp_path_factory.mktemp("half"))


@pytest.fixture(scope="module")
def expected(half: Half) -> harness.Tables:
    store = half.copy()
    half.run(store)
    tables = harness.dump(store, half.paths)
    assert all(tables[t] for t in harness.TABLES)
    return tables


@pytest.fixture
def store() -> PostgresStore:
    return postgres_server.new_store()


def _committed(store: PostgresStore) -> int:
    return sum(c.committed_offset for c in store.checkpoints())


def _rows(store: PostgresStore, sql: str) -> list[tuple[object, ...]]:
    with store.reading() as reader:
        return reader.query(sql, {}).rows


def _expect_repaired(
    half: Half, store: PostgresStore, expected: harness.Tables, when: object
) -> None:
    """A second run makes the tables those of an undisturbed one; behind it all is at rest."""
    half.run(store)
    got = harness.dump(store, half.paths)
    for table in harness.TABLES:
        assert got[table] == expected[table], (when, table)
    known = store.checkpoints()
    size = sum(p.stat().st_size for p in half.paths)
    assert _committed(store) == size, when
    assert sum(c.record_bytes + c.quarantined_bytes + c.ignored_bytes for c in known) == size
    states = {str(s) for (s,) in _rows(store, "select distinct status from ingest_runs")}
    assert states <= {"done", "failed", "interrupted"}, when
    before = store.upkeep().state()
    half.run(store)
    assert store.upkeep().state() == before, when


def test_every_point_of_the_flow_is_passed(half: Half) -> None:
    with counting() as passed:
        half.run(half.copy())
    assert set(passed.times) == set(faults.POINTS) - _NOT_ON_A_SERVER


@pytest.mark.parametrize("point", [p for p in faults.POINTS if p not in _NOT_ON_A_SERVER])
def test_killed_at_each_point_the_next_run_repairs_everything(
    half: Half, expected: harness.Tables, point: str
) -> None:
    store = half.copy()
    before = _committed(store)
    assert ended_in_child(lambda: half.run(store), point) == KILLED
    if faults.POINTS.index(point) < faults.POINTS.index("committed"):  # type: ignore[arg-type]
        assert _committed(store) == before
    _expect_repaired(half, store, expected, point)


@pytest.mark.parametrize("point", ["begun", "inserted", "rows_in", "before_commit"])
def test_a_connection_that_is_lost_once_is_made_again(
    half: Half, expected: harness.Tables, point: str
) -> None:
    store = half.copy()
    with hooked(point, 2, lambda: _cut(store)):
        report = harness.run(store, half.paths, final=True, chunk_bytes=_CHUNK)
    (problem,) = report.problems
    assert "connection" in problem.message and problem.exit_code == 4
    _expect_repaired(half, store, expected, point)


@pytest.mark.parametrize("point", ["begun", "inserted", "rows_in", "before_commit"])
def test_a_connection_lost_again_and_again_moves_nothing_and_is_told(
    half: Half, expected: harness.Tables, point: str
) -> None:
    store = half.copy()
    before = _committed(store)
    times = []

    def cut() -> None:
        times.append(1)
        _cut(store)
        faults._fault.left = 1  # type: ignore[union-attr]

    with hooked(point, 1, cut), pytest.raises(StoreError) as caught:
        half.run(store)
    assert caught.value.exit_code == 4
    assert len(times) >= 3
    assert "connection" in caught.value.message
    with_rows = {c.file_key: c.committed_offset for c in store.checkpoints()}
    stored = _rows(store, "select file_key, max(byte_offset) from errors group by 1")
    assert all(offset < with_rows[key] for key, offset in stored)  # type: ignore[index,operator]
    assert _committed(store) >= before
    _expect_repaired(half, store, expected, point)


def _cut(store: PostgresStore) -> None:
    """End every other session of the database that ingests."""
    with store.connected("tests") as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = "
            "current_database() "
            "and pid <> pg_backend_pid() and application_name like 'ttsq ingests%'"
        )


def test_without_its_lock_a_session_cannot_write(half: Half) -> None:
    store = half.copy()
    before = _committed(store)
    (known, *_) = store.checkpoints()
    with store.ingesting(1, "h"):
        _cut(store)
        with PostgresStore(_url(store)).ingesting(1, "h"):  # another one has it now
            with pytest.raises(StoreError, match="connection"), store.writing() as writer:
                writer.commit([known._replace(committed_offset=10**9)], None)
            with pytest.raises(StoreError, match="connection"):
                store.next_file_key(0)
    assert _committed(store) == before


def test_a_server_that_restarts_is_waited_for_and_one_that_is_gone_is_told(tmp_path: Path) -> None:
    server = postgres_server.make_server()
    try:
        url = server.tcp_url("postgres", "postgres")
        store = PostgresStore(url)
        assert store.revision() is None
        server.stop(signal.SIGINT)
        with pytest.raises(StoreError) as caught:
            store.revision()
        assert "cannot connect" in caught.value.message and caught.value.exit_code == 4
        with ThreadPoolExecutor(1) as other:
            asked = other.submit(store.revision)
            time.sleep(0.2)
            server.start()
            assert asked.result() is None
    finally:
        server.remove()


def test_one_hosts_ingests_exclude_each_other_and_hosts_do_not(store: PostgresStore) -> None:
    other = PostgresStore(_url(store))
    with store.ingesting(0, "web-1"):
        begin = time.monotonic()
        for wait in (0.0, 0.4):
            with pytest.raises(IngestBusyError) as caught, other.ingesting(wait, "web-1"):
                pass
        assert time.monotonic() - begin >= 0.4
        assert "server process" in caught.value.message
        assert "ttsq ingests web-1 on " in caught.value.message
        assert caught.value.exit_code == 5
        with other.ingesting(0, "web-2"):
            assert "web-2" in str(store.holder())
        with pytest.raises(IngestBusyError, match="web-1"), other.ingesting(0, None):
            pass
    assert store.holder() is None
    with store.ingesting(0, None):
        with pytest.raises(IngestBusyError, match="all hosts"), other.ingesting(0, "web-1"):
            pass
        with pytest.raises(IngestBusyError), other.ingesting(0, None):
            pass
    with other.ingesting(0, "web-1"):
        pass


def test_schemas_of_one_database_do_not_exclude_each_other(store: PostgresStore) -> None:
    with store.connected("tests") as connection:
        connection.execute("create schema apart")
    apart = PostgresStore(_url(store) + "&options=-csearch_path%3Dapart")
    with store.ingesting(0, None), apart.ingesting(0, None):
        assert apart.revision() is None
        assert store.revision() is not None


def test_roles_with_other_search_paths_exclude_each_other(store: PostgresStore) -> None:
    """The store is where its tables are, and not where the path of a role begins."""
    with store.connected("tests") as connection:
        connection.execute("create schema apart; create schema other")
        connection.execute("create table other.alembic_version as select 'x' as version_num")
    found = PostgresStore(_url(store) + "&options=-csearch_path%3Dapart,public")
    with store.ingesting(0, "h"), pytest.raises(IngestBusyError), found.ingesting(0, "h"):
        pass
    empty = PostgresStore(_url(store) + "&options=-csearch_path%3Dapart,other")
    assert empty.revision() is None


def test_limits_of_a_role_end_no_ingest_and_bind_who_asks(store: PostgresStore) -> None:
    limits = ("statement_timeout", "idle_session_timeout", "idle_in_transaction_session_timeout")
    with store.connected("tests") as connection:
        for limit in limits:
            connection.execute(f"alter database {connection.info.dbname} set {limit} = '9s'")
    shown = [f"select current_setting('{limit}')" for limit in limits]
    with store.ingesting(0, "h"), store.session("prunes") as connection:
        assert [connection.execute(sql).fetchone() for sql in shown] == [("0",)] * len(limits)
    with store.reading() as reader:
        assert [reader.query(sql, {}).rows for sql in shown] == [[("9s",)]] * len(limits)


def _url(store: PostgresStore) -> str:
    with store.connected("tests") as connection:
        name = connection.info.dbname
    return postgres_server.server().url(name)


def test_a_reader_is_not_stopped_by_a_writer_nor_stops_it(half: Half) -> None:
    store = half.copy()
    seen: list[object] = []

    def look() -> None:
        seen.append(_rows(PostgresStore(_url(store)), "select count(*) from requests")[0][0])

    with ExitStack() as stack:
        held = stack.enter_context(store.reading())
        (before,) = held.query("select count(*) from requests", {}).rows[0]
        stack.enter_context(hooked("before_commit", 1, look))
        half.run(store)
        assert seen == [before]
        assert held.query("select count(*) from requests", {}).rows == [(before,)]
    assert _rows(store, "select count(*) from requests")[0][0] > before  # type: ignore[operator]


def test_while_access_lines_are_joined_a_reader_is_not_stopped_on_a_new_day_either(
    store: PostgresStore, tmp_path: Path
) -> None:
    lines, path = tmp_path / "access.log", tmp_path / "app.log"
    lines.write_bytes(
        b'10.0.0.1 - - [02/Mar/2026:00:00:03 +0000] "POST /tts HTTP/1.1" 200 9 "-" "-" "-"\n' * 3
    )
    harness.run(store, [lines], final=True)
    path.write_bytes(b"".join(_ACROSS).replace(b"2026-03-02", b"2026-03-03"))
    found: list[object] = []

    def look() -> None:
        with store.connected("tests") as connection:
            connection.execute("set lock_timeout = 2000")
            found.append(connection.execute("select count(*) from requests").fetchone())

    with hooked("before_commit", 1, look):
        harness.run(store, [path], final=True)
    assert found == [(0,)]
    assert _rows(store, "select count(*) from requests") == [(1,)]


_TOLD = {
    "a trigger": "create table told (n int); create function tell() returns trigger "
    "language plpgsql as $$ begin insert into told values (1); return new; end $$; "
    "create trigger told after insert on errors for each row execute function tell()",
    "a publication": "create publication told for table errors",
}


@pytest.mark.parametrize("how", _TOLD)
def test_who_is_told_of_rows_is_told_of_those_of_a_new_day(
    store: PostgresStore, tmp_path: Path, how: str
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(_days(1, 2))
    attached = "select count(*) from pg_inherits where inhparent = 'errors'::regclass"
    found: list[object] = []

    def look() -> None:  # what comes into a partition is told
        found.extend(_rows(store, attached))

    with store.connected("tests") as connection:
        connection.execute(_TOLD[how])
        with hooked("deleted", 1, look):
            harness.run(store, [path], final=True)
        if how == "a trigger":
            assert connection.execute("select count(*) from told").fetchone() == (2,)
    assert found == [(3,)]
    assert _places(store) == {"errors_p20260301": 1, "errors_p20260302": 1}


_WRITING = (
    "delete from requests",
    "select 1; delete from requests",
    "select 1; commit; delete from requests",
    "with gone as (delete from requests returning 1) select * from gone",
    "explain analyze delete from requests",
    "select nextval('file_keys')",
    "set transaction read write",
    "commit",
    "/* select */ drop table requests",
    "copy requests to '/tmp/stolen'",
    "copy (select 1) to program 'touch /tmp/stolen'",
    "do $$ begin delete from requests; end $$",
    "select * into taken from requests",
    "create table taken as select 1",
)


@pytest.mark.parametrize("sql", _WRITING)
def test_sql_of_users_cannot_write(half: Half, sql: str) -> None:
    store = PostgresStore(half.url)
    before = _rows(store, "select count(*) from requests")
    for binds in (None, {}):
        with pytest.raises(StoreError) as caught, store.reading() as reader:
            reader.query(sql, binds)
        assert caught.value.exit_code == 4
    assert _rows(store, "select count(*) from requests") == before
    assert not Path("/tmp/stolen").exists()


def test_sql_of_users_is_one_select_of_a_role_that_only_reads(half: Half) -> None:
    store = PostgresStore(half.url)
    with store.reading() as reader:
        assert reader.ask("select 1 as a, 2 as a order by 1; ", 60, True).rows == [(1, 2)]
        assert reader.ask("values (3) -- ;", 60, True).rows == [(3,)]
    for sql in (
        *_WRITING,
        "/* /* */ select */ copy (select 1) to '/tmp/stolen'",
        "-- \rcopy (\nselect 1) to '/tmp/stolen'",
        "select 1) as x; copy (select 1) to '/tmp/stolen'; select (1",
    ):
        with pytest.raises(StoreError), store.reading() as reader:
            reader.ask(sql, 60, True)
    assert not Path("/tmp/stolen").exists()
    with pytest.raises(StoreError, match="superuser"), store.reading() as reader:
        reader.ask("select 1", 60, False)
    with pytest.raises(StoreError, match=r"longer than 0\.1 seconds"), store.reading() as reader:
        reader.ask("select pg_sleep(60)", 0.1, True)


def test_a_statement_may_begin_with_comments_and_hold_percent_signs(half: Half) -> None:
    with PostgresStore(half.url).reading() as reader:
        found = reader.query("-- why\n/* so */ select '100 %s %(x)s' as a, 7 % 4 as b", None)
        assert (found.columns, found.rows) == (("a", "b"), [("100 %s %(x)s", 3)])
        bound = reader.query("select cast(:x as text) || '%', '%s'", {"x": "a\0b"}).rows
        assert bound == [("a\ufffdb%", "%s")]


_SECRET = postgres_server.PASSWORD
_QUOTED = "s3cret-p%40ss%2Fw%3Ard"


def test_a_password_opens_the_store_and_is_never_told(tmp_path: Path) -> None:
    server = postgres_server.server()
    name = server.new_database()
    ttsq = CommandLine(tmp_path)
    (tmp_path / "app.log").write_bytes(to_bytes(Journal().requests(3)))
    url = server.tcp_url(name, "guarded", _QUOTED)
    told = [ttsq("--db", url, *words) for words in (("ingest", "app.log", "--final"), ("status",))]
    assert [t.code for t in told] == [0, 0], told
    wrong = (
        server.tcp_url(name, "guarded", _QUOTED + "x"),
        server.tcp_url("nowhere", "guarded", _QUOTED),
        url.replace(f":{server.port}/", ":1/"),
        url.replace("127.0.0.1", "no.such.host.invalid"),
        url.replace(_QUOTED, _SECRET),
        url.replace(_QUOTED, _QUOTED + "%zz"),
        url + "?sslmode=s3cret",
        url + f"?password={_QUOTED}&connect_timeout=s3cret",
    )
    refused = [ttsq("--db", u, "--debug", "status") for u in (wrong[0], wrong[4])]
    refused += [ttsq("--db", u, "status") for u in wrong]
    assert all(r.code != 0 for r in refused), refused
    for ended in (*told, *refused):
        for part in (_SECRET, _QUOTED, "p@ss", "s3cret-p"):
            assert part not in ended.out + ended.err, ended
    assert "postgresql://guarded@127.0.0.1" in told[1].out


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:a@b@h/d",
        "postgresql://u:a/b@h/d",
        "postgresql://u:a#b@h/d",
        "postgresql+psycopg://u:a?b@h/d",
        "postgresql://h:port/d",
        "postgresql://h/d?nonsense=1",
        "postgresql://u:%zz@h/d",
    ],
)
def test_a_url_that_cannot_be_read_is_not_repeated(url: str) -> None:
    with pytest.raises(UsageProblem) as caught:
        open_store(url)
    assert url not in caught.value.message
    assert "%40" in (caught.value.hint or "")


def test_what_postgresql_cannot_store_is_replaced(store: PostgresStore, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(
        b'2026-03-02 00:00:01,000 - app - INFO - synthesis_start: id=ts_0a0a0a0a, ' b'text="a\0b", odd=c\0d\n'  # noqa: E501
        b"2026-03-02 00:00:02,000 - app - ERROR - bad \0 thing: id=ts_0b0b0b0b, " b"odd=\"\\u0000 \0 \\\\u0000\"\n"  # noqa: E501
        b"2026-02-31 00:00:03,000 - app - INFO - no \0 day\n"
    )  # fmt: skip
    harness.run(store, [path], final=True)
    assert _rows(store, "select text, text_class, attributes ->> 'odd' from requests") == [
        ("a\ufffdb", "symbols", "c\ufffdd")
    ]
    ((message, odd),) = _rows(store, "select message, attributes ->> 'odd' from errors")
    assert "bad \ufffd thing" in str(message)
    assert "\0" not in str(odd) and "\ufffd" in str(odd)
    assert "no \ufffd day" in str(_rows(store, "select raw from quarantine")[0][0])
    with path.open("ab") as file:
        file.write(
            b"2026-03-02 00:00:04,000 - app - INFO - synthesis_complete: id=ts_0a0a0a0a, "
            b"status=success\n"
        )
    harness.run(store, [path], final=True)
    found = _rows(store, "select text, text_class, status from requests where id = 'ts_0a0a0a0a'")
    assert found == [("a\ufffdb", "symbols", "success")]


@pytest.mark.parametrize("engine", harness.ENGINES)
def test_of_a_long_id_there_is_as_much_as_an_index_takes(engine: str, tmp_path: Path) -> None:
    """The same of pairs and headers, in every run; without escapes and with some."""
    store, path = harness.new_store_of(engine, tmp_path), tmp_path / "app.log"
    long = b"".join(b"%08x" % (n * 2654435761 % 2**32) for n in range(1000))
    head = b"2026-03-02 00:00:0%d,000 - %s - app - %s - "
    first, then, named = b"1" + long, b"2" + long, b'3\\"' + long
    path.write_bytes(
        head % (1, b"-", b"INFO") + b'synthesis_start: id=%s, text="a"\n' % first
        + head % (1, b"-", b"INFO") + b'synthesis_start: id="%s", text="b"\n' % named
    )  # fmt: skip
    log_format = "%(asctime)s - %(request_id)s - %(name)s - %(levelname)s - %(message)s"
    harness.run(store, [path], final=True, log_format=log_format)
    with path.open("ab") as file:
        for i in (first, named):
            file.write(head % (2, then, b"INFO") + b'synthesis_complete: id="%s", status=ok\n' % i)
        file.write(head % (3, then, b"ERROR") + b'e: id=%s, request_id="%s"\n' % (first, named))
        file.write(head % (3, then, b"ERROR") + b"broken\n")
    harness.run(store, [path], final=True, log_format=log_format)
    with store.reading() as reader:
        requests = reader.query("select id, request_id, status from requests order by id", {}).rows
        errors = reader.query("select id, request_id from errors order by error_key", {}).rows
    one, two = first[:512].decode(), then[:512].decode()
    three = named[:512].decode().replace('\\"', '"')
    assert requests == [(one, two, "ok"), (three, two, "ok")]
    assert errors == [(one, three), (None, two)]


@pytest.mark.parametrize("few", [1, 3, 4, 5000])
def test_which_ids_are_known_does_not_depend_on_how_many_are_asked_for(
    store: PostgresStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("ingest.stores.postgres.writer._FEW", few)
    path, names = tmp_path / "app.log", ["ts_00000001", "ts_00000002", "ts_00000003"]
    path.write_text(
        "".join(
            f"2026-03-02 00:00:0{n},000 - app - INFO - synthesis_start: id={name}, text=x\n"
            for n, name in enumerate(names)
        )
    )
    harness.run(store, [path], final=True)
    origin = Origin(0, "h", "s")  # another file
    begin = datetime(2026, 3, 2, tzinfo=UTC)
    for more in (1, 5000):
        ids = pa.array([*names[:2], *(f"other {n}" for n in range(more))])
        for until, known in ((0, set(names[:1])), (9, set(names[:2]))):
            with store.writing() as writer:
                found = writer.known_ids(origin, ids, begin, begin + timedelta(seconds=until))
            assert set(found.to_pylist()) == known
            assert len(found) == len(known)


def _days(first: int, count: int, *, year: int = 2026) -> bytes:
    return b"".join(
        f"{year}-03-{day:02} 10:00:00,000 - app - ERROR - failed: id=ts_{day:08x}, "
        "error_code=X\n".encode()
        for day in range(first, first + count)
    )


def _places(store: PostgresStore) -> dict[str, int]:
    sql = "select cast(cast(tableoid as regclass) as text), count(*) from errors group by 1"
    return {str(name): int(str(rows)) for name, rows in _rows(store, sql)}


def test_each_day_has_a_partition_and_a_wrong_clock_has_none(
    store: PostgresStore, tmp_path: Path
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(_days(1, 5) + _days(9, 1, year=1999) + _days(9, 1, year=9998) + _days(6, 1))
    harness.run(store, [path], final=True)
    days = {f"errors_p202603{day:02}": 1 for day in range(1, 7)}
    assert _places(store) == days | {"errors_default": 2}


def test_more_days_than_one_transaction_makes_have_their_partitions_too(
    store: PostgresStore, tmp_path: Path
) -> None:
    path, days = tmp_path / "app.log", [datetime(2026, 3, 1) + timedelta(n) for n in range(150)]
    path.write_text("".join(f"{day},000 - app - ERROR - x\n" for day in days))
    harness.run(store, [path], final=True)
    assert len(_places(store)) == 150
    assert "errors_default" not in _places(store)


def test_a_new_day_has_every_index_of_its_table_also_those_of_others(
    store: PostgresStore, tmp_path: Path
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(_days(1, 2))
    with store.connected("tests") as connection:
        connection.execute(
            'create index "by % host" on errors (lower(host) desc) where error_key > 1'
        )
        harness.run(store, [path], final=True)
        sql = "select regexp_replace(pg_get_indexdef(indexrelid), '.* USING', '') from pg_index "
        wanted = connection.execute(f"{sql} where indrelid = 'errors'::regclass").fetchall()
        for table in _places(store):
            own = connection.execute(f"{sql} where indrelid = '{table}'::regclass").fetchall()
            assert sorted(own) == sorted(wanted) and len(own) > 1
            joined = connection.execute(
                "select count(*) from pg_inherits join pg_index on indexrelid = inhrelid "
                f"where indrelid = '{table}'::regclass"
            )
            assert joined.fetchone() == (len(own),)


def test_a_reader_that_ends_soon_is_waited_for(store: PostgresStore, tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(_days(1, 2))
    with store.connected("tests") as reader, ThreadPoolExecutor() as other:
        reader.execute("begin")
        reader.execute("select count(*) from errors").fetchall()
        running = other.submit(harness.run, store, [path], final=True)
        time.sleep(0.4)
        reader.execute("commit")
        running.result()
    assert _places(store) == {"errors_p20260301": 1, "errors_p20260302": 1}


def test_a_host_waits_for_the_partitions_that_another_one_makes(
    store: PostgresStore, tmp_path: Path
) -> None:
    path, begun = tmp_path / "app.log", []
    path.write_bytes(_days(1, 2))

    def another() -> None:
        again = PostgresStore(_url(store))
        begun.append(other.submit(harness.run, again, [path], final=True, host="web-2"))
        time.sleep(1.5)  # longer than what others wait behind is waited for

    with ThreadPoolExecutor() as other:
        with hooked("relinked", 1, another):
            harness.run(store, [path], final=True, host="web-1")
        begun[0].result()
    assert _places(store) == {"errors_p20260301": 2, "errors_p20260302": 2}


def test_where_a_reader_is_in_the_way_rows_go_to_the_default_partition(
    store: PostgresStore, tmp_path: Path
) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(_days(1, 2))
    with store.connected("tests") as reader:
        reader.execute("begin")
        reader.execute("select count(*) from errors").fetchall()
        harness.run(store, [path], final=True)
    assert _places(store) == {"errors_default": 2}
    path.write_bytes(_days(1, 4))
    harness.run(store, [path], final=True)  # a day that has rows there stays there
    path.write_bytes(_days(1, 4) + _days(2, 1))
    harness.run(store, [path], final=True)
    assert _places(store) == {"errors_default": 3, "errors_p20260303": 1, "errors_p20260304": 1}
