"""The same revisions on a server: up and down with rows in the tables, partitions and indexes where
they belong.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.errors import StoreError
from ingest.stores import migrate
from ingest.stores.postgres.connection import ONE_MIGRATES, Connection
from ingest.stores.postgres.store import PostgresStore
from tests.support import harness, postgres_server
from tests.support.command_line import CommandLine
from tests.support.log_writer import Journal, to_bytes


def _ask(store: PostgresStore, sql: str) -> list[tuple[object, ...]]:
    with store.connected("tests") as connection:
        return connection.execute(sql).fetchall()


def _filled(folder: Path) -> tuple[PostgresStore, list[Path]]:
    store, path = postgres_server.new_store(), folder / "app.log"
    path.write_bytes(to_bytes(Journal().mixed(40)) + b"no header\n")
    harness.run(store, [path], final=True)
    return store, [path]


def test_the_store_is_as_the_program_expects_it_also_with_partitions(tmp_path: Path) -> None:
    store, _ = _filled(tmp_path)
    assert migrate.differences(store) == []
    with store.connected("tests") as connection:
        connection.execute("alter table errors add column odd text")
        connection.execute("comment on column requests.text is 'odd'")
    assert len(migrate.differences(store)) == 2


def test_each_revision_goes_down_and_up_with_rows_in_the_tables(tmp_path: Path) -> None:
    store, paths = _filled(tmp_path)
    before = harness.dump(store, paths)
    for revision in reversed(migrate.revisions()[:-1]):
        migrate.downgrade(store, revision)
        assert store.revision() == revision
    migrate.upgrade(store)
    assert migrate.differences(store) == []
    assert harness.dump(store, paths) == before
    with paths[0].open("ab") as file:
        file.write(b"2026-03-03 00:00:00,000 - app - ERROR - later\n")
    harness.run(store, paths, final=True)
    assert len(harness.dump(store, paths)["errors"]) == len(before["errors"]) + 1


def test_down_to_the_base_nothing_is_left(tmp_path: Path) -> None:
    store, _ = _filled(tmp_path)
    migrate.downgrade(store, "base")
    assert store.revision() is None
    left = "select relname from pg_class where relnamespace = cast('public' as regnamespace)"
    assert _ask(store, f"{left} and relkind in ('r', 'p', 'S') and relname <> 'alembic_version'") == []  # fmt: skip  # noqa: E501
    migrate.upgrade(store)
    assert migrate.differences(store) == []


def test_the_large_tables_are_partitioned_and_every_partition_has_the_indexes(
    tmp_path: Path,
) -> None:
    store, _ = _filled(tmp_path)
    kinds = dict(_ask(store, "select relname, relkind from pg_class where relkind in ('p', 'r')"))
    for table in ("requests", "stage_timings", "errors", "cache_samples"):
        assert kinds[table] == "p"
        counted = _ask(
            store,
            f"select count(*) from pg_index where indrelid = cast('{table}' as regclass) "
            "union all select distinct count(*) from pg_index join pg_inherits on indrelid = "
            "inhrelid "
            f"where inhparent = cast('{table}' as regclass) group by indrelid",
        )
        assert counted[0] == counted[1] and len(counted) == 2


def test_new_keys_follow_those_that_an_older_revision_gave(tmp_path: Path) -> None:
    store, _ = _filled(tmp_path)
    migrate.downgrade(store, "0004")
    with store.connected("tests") as connection:
        connection.execute("update log_files set file_key = 41")
    migrate.upgrade(store)
    with store.ingesting(1, "h"):
        assert store.next_file_key(0) == 42


def _empty() -> PostgresStore:
    return postgres_server.store_of(postgres_server.server().new_database())


def _make(store: PostgresStore) -> bool:
    return store.make(migrate.script(store).read_text(encoding="utf-8"))


@contextmanager
def _one_at_a_time(
    store: PostgresStore, *works: Callable[[], object]
) -> Iterator[tuple[Connection, list[Future[object]]]]:
    """Somebody migrates, and all the works have found the schema empty and wait for it."""
    waiting = "select count(*) from pg_locks where locktype = 'advisory' and not granted"
    with ThreadPoolExecutor(len(works)) as threads, store.connected("tests") as first:
        first.execute(f"begin; {ONE_MIGRATES}")
        futures = [threads.submit(work) for work in works]
        deadline = time.monotonic() + 60
        while _ask(store, waiting) != [(len(works),)]:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield first, futures


def test_of_processes_that_find_it_empty_at_once_one_makes_the_tables() -> None:
    store = _empty()
    with _one_at_a_time(store, *[lambda: _make(store)] * 4) as (first, futures):
        first.execute("rollback")
    assert sorted(bool(f.result()) for f in futures) == [False, False, False, True]
    assert migrate.differences(store) == []


def test_the_script_and_the_revisions_exclude_each_other() -> None:
    store = _empty()
    works = (lambda: _make(store), lambda: migrate.upgrade(store))
    with _one_at_a_time(store, *works) as (first, futures):
        first.execute("rollback")
    assert [f.exception() for f in futures] == [None, None]
    assert migrate.differences(store) == []


def test_who_waited_for_a_newer_program_is_told_so() -> None:
    store = _empty()
    with _one_at_a_time(store, lambda: migrate.ensure_head(store)) as (first, futures):
        first.execute("create table alembic_version (version_num text)")
        first.execute("insert into alembic_version values ('9999')")
        first.execute("commit")
    with pytest.raises(StoreError, match="revision 9999, newer than this ttsq"):
        futures[0].result()


def test_it_is_made_beside_the_tables_of_others() -> None:
    store = _empty()
    with store.connected("tests") as connection:
        connection.execute("create table bills (amount integer); insert into bills values (9)")
    assert not store.exists() and migrate.ensure_head(store)
    assert migrate.differences(store) == []
    assert _ask(store, "select * from bills") == [(9,)]


def test_it_is_made_in_the_schema_that_the_url_names() -> None:
    server = postgres_server.server()
    name = server.new_database()
    with server.connect(name) as connection:
        connection.execute("create schema team; create table errors (theirs integer)")
    store = PostgresStore(f"{server.url(name)}&options=-csearch_path%3Dteam")
    assert migrate.ensure_head(store)
    assert migrate.differences(store) == []
    places = (
        "select distinct schemaname from pg_tables where tablename in ('requests', 'pruned', "
        "'requests_default')"
    )
    assert _ask(store, places) == [("team",)]


def test_where_it_cannot_be_made_nothing_is_and_it_is_said_why(tmp_path: Path) -> None:
    server = postgres_server.server()
    store = _empty()
    with store.connected("tests") as connection:
        connection.execute("create table stage_timings (theirs integer)")
        connection.execute("create role maker login; revoke create on schema public from public")
    with pytest.raises(StoreError, match=r'change of its schema: .*"stage_timings" already exists'):
        migrate.ensure_head(store)
    kinds = "select relname from pg_class where relnamespace = cast('public' as regnamespace)"
    assert _ask(store, kinds) == [("stage_timings",)]
    ttsq = CommandLine(tmp_path)
    (tmp_path / "app.log").write_bytes(to_bytes(Journal().mixed(9)))
    url = server.url(postgres_server.name_of(store), "maker")
    told = ttsq("--db", url, "ingest", "app.log", "--host", "h")
    assert told.code == 4 and "permission denied for schema public" in told.err
    assert "hint: nothing has changed; only the owner of the tables" in told.err


def test_the_commands_work_on_a_server(tmp_path: Path) -> None:
    server = postgres_server.server()
    ttsq = CommandLine(tmp_path)
    db = ("--db", server.url(server.new_database()))
    assert ttsq(*db, "status").code == 4
    ttsq.well(*db, "db", "upgrade")
    (tmp_path / "app.log").write_bytes(to_bytes(Journal().mixed(9)) + b"no header\n")
    ttsq.well(*db, "ingest", "app.log", "--final", "--host", "h")
    for words in (
        ("db", "current"),
        ("db", "check"),
        ("status",),
        ("status", "--json"),
        ("status", "--metrics", "-"),
        ("queries", "check"),
        ("run", "error_codes", "--as-of", "data"),
        ("run", "window_requests", "--since", "2030-01-01"),
        ("sql", "select count(*) from requests", "--allow-superuser"),
        ("trace", "ts_00000002"),
        ("verify",),
        ("replay",),
        ("prune", "--older-than", "1h", "--dry-run"),
        ("prune", "--older-than", "1h"),
        ("verify",),
    ):
        ttsq.well(*db, *words)
    refused = ttsq(*db, "publish", str(tmp_path / "published"))
    assert refused.code == 2 and "readers connect to PostgreSQL itself" in refused.err
