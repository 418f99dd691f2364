"""The same revisions on a server: up and down with rows in the tables, partitions and indexes where they belong."""

from pathlib import Path

from ingest import migrate
from ingest.backends.postgres import PostgresStore
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
    assert _ask(store, f"{left} and relkind in ('r', 'p', 'S') and relname <> 'alembic_version'") == []  # fmt: skip
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
            "union all select distinct count(*) from pg_index join pg_inherits on indrelid = inhrelid "
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
        ("sql", "select count(*) from requests"),
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
