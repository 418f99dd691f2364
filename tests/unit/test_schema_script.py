"""A new store is made by one script: it is what the revisions run, and makes what they make."""

import subprocess
from pathlib import Path

import duckdb
import pytest

from ingest.errors import StoreError
from ingest.resources import folder
from ingest.stores import migrate
from ingest.stores.contract import Store
from ingest.stores.duckdb.store import DuckDBStore
from tests.support import clickhouse_server, postgres_server, schema_script
from tests.support.harness import ENGINES

_SCRIPTS = (*ENGINES, "clickhouse")
both_engines = pytest.mark.parametrize("engine", ENGINES)


def _empty(engine: str, folder: Path) -> Store:
    if engine == "postgresql":
        return postgres_server.store_of(postgres_server.server().new_database())
    return DuckDBStore(folder / "empty.duckdb")


def _make(store: Store) -> bool:
    return store.make(migrate.script(store).read_text(encoding="utf-8"))


def _definition(store: Store) -> list[object]:
    """All that can be known of an empty store's tables and views."""
    return _of_file(store) if isinstance(store, DuckDBStore) else [_dumped(store)]


def _of_file(store: DuckDBStore) -> list[object]:
    """The same, and how a row of each column of text is compressed."""
    with duckdb.connect(str(store.path)) as connection:
        connection.execute(
            "insert into quarantine values (1, 2, 3, 'no_header', 'a text', now());"
            "insert into text_salts values (1, 'a salt', now()); checkpoint"
        )
        return [
            connection.execute(sql).fetchall()
            for sql in (
                "select table_name, sql, comment from duckdb_tables() order by 1",
                "select view_name, sql, comment from duckdb_views() where not internal order by 1",
                "select table_name, column_name, comment from duckdb_columns() where not "
                "internal order by all",
                "select table_name, constraint_text from duckdb_constraints() order by all",
                "select version_num from alembic_version",
                "select column_name, compression from pragma_storage_info('quarantine') "
                "order by all",
                "select column_name, compression from pragma_storage_info('text_salts') "
                "order by all",
            )
        ]


def _dumped(store: Store) -> list[str]:
    """What pg_dump writes: tables, partitions, indexes, sequences and where they stand, views,
    comments, owners, grants, rows.
    """
    server = postgres_server.server()
    command = [
        str(server.binaries / "pg_dump"), "-h", str(server.folder), "-p", str(server.port),
        "-U", "postgres", postgres_server.name_of(store),
    ]  # fmt: skip
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    return [line for line in lines if not line.startswith(("\\restrict ", "\\unrestrict "))]


@both_engines
def test_it_makes_what_the_revisions_make(engine: str, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    made, migrated = _empty(engine, tmp_path), _empty(engine, tmp_path / "other")
    assert _make(made)
    migrate.upgrade(migrated)
    assert made.revision() == migrate.head()
    assert migrate.differences(made) == []
    expected = _definition(migrated)
    assert _definition(made) == expected
    if engine == "duckdb":
        assert ("raw", "ZSTD") in expected[5] and ("raw", "ZSTD") not in expected[6]  # type: ignore[operator]


@both_engines
def test_a_new_store_is_made_by_it_and_an_emptied_one_by_the_revisions(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = _empty(engine, tmp_path)
    with monkeypatch.context() as without_revisions:
        without_revisions.setattr(migrate, "upgrade", None)
        assert migrate.ensure_head(store)
    migrate.downgrade(store, "base")
    assert migrate.ensure_head(store) and not migrate.ensure_head(store)
    assert migrate.differences(store) == []


@both_engines
def test_a_script_that_fails_leaves_nothing(engine: str, tmp_path: Path) -> None:
    store = _empty(engine, tmp_path)
    with pytest.raises(StoreError, match="number"):
        store.make("create table extra (a integer); insert into extra values ('no number');")
    with pytest.raises(StoreError, match="there is no store"), store.reading() as reader:
        reader.query("select * from extra", None)
    assert migrate.ensure_head(store)


@both_engines
def test_a_store_that_is_there_is_not_made_again(engine: str, tmp_path: Path) -> None:
    store = _empty(engine, tmp_path)
    assert _make(store) and not _make(store)


def test_the_scripts_are_those_of_the_revisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schema_script.main(["--check"]) == 0
    monkeypatch.setattr(migrate, "script", lambda store: tmp_path / f"{store.name}.sql")
    assert schema_script.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert told.count("write it anew: python -m tests.support.schema_script") == len(_SCRIPTS)
    assert schema_script.main([]) == 0
    assert schema_script.main(["--check"]) == 0
    for engine in _SCRIPTS:
        script = tmp_path / f"{engine}.sql"
        whole = script.read_text(encoding="utf-8")
        script.write_text(whole.replace("logged_at", "logged_on", 1), encoding="utf-8")
        assert schema_script.main(["--check"]) == 1
        assert str(script) in capsys.readouterr().err
        script.write_text(whole, encoding="utf-8")


def test_on_clickhouse_it_makes_what_its_own_revisions_make() -> None:
    made, migrated = clickhouse_server.empty_store(), clickhouse_server.empty_store()
    assert _make(made) and not _make(made)
    migrate.upgrade(migrated)
    assert made.revision() == migrated.revision() == migrate.head()
    assert migrate.differences(made) == migrate.differences(migrated) == []
    migrate.downgrade(migrated, "base")
    assert migrate.ensure_head(migrated) and not migrate.ensure_head(migrated)
    with migrated.session("tests") as session:
        session.client.command("alter table requests_rows add column extra Int8")
        session.client.command("drop view cache_levels")
    assert migrate.differences(migrated) == [
        "requests_rows.extra is ('Int8', ''), expected None",
        "the table cache_levels is missing",
        "the view cache_levels has another query",
    ]


def test_half_a_schema_is_completed() -> None:
    """Statements on ClickHouse take effect one by one: a process may be killed between two."""
    store = clickhouse_server.empty_store()
    whole = migrate.script(store).read_text(encoding="utf-8")
    with pytest.raises(StoreError):
        store.make(whole[: len(whole) // 2] + "; no statement;\n")
    assert store.revision() is None
    assert migrate.ensure_head(store)
    assert migrate.differences(store) == []


def test_a_revision_of_the_schema_is_one_of_every_engine() -> None:
    own = sorted((folder("migrations") / "clickhouse").glob("*.py"))
    assert own[-1].name.split("_")[0] == migrate.head()
