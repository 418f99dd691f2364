"""A new DuckDB store is made by one script: it is what the revisions run, and makes what they make."""

from pathlib import Path

import duckdb
import pytest

from ingest import migrate, schema_script
from ingest.backends.duckdb import DuckDBStore
from ingest.errors import StoreError
from tests.support import harness
from tests.support.harness import ENGINES


def _definition(store: DuckDBStore) -> list[list[tuple[object, ...]]]:
    """All that can be known of the tables and views, and how a row of each column of text is compressed."""
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
                "select table_name, column_name, comment from duckdb_columns() where not internal order by all",
                "select table_name, constraint_text from duckdb_constraints() order by all",
                "select version_num from alembic_version",
                "select column_name, compression from pragma_storage_info('quarantine') order by all",
                "select column_name, compression from pragma_storage_info('text_salts') order by all",
            )
        ]


def test_it_makes_what_the_revisions_make(tmp_path: Path) -> None:
    made, migrated = DuckDBStore(tmp_path / "made.duckdb"), DuckDBStore(tmp_path / "other.duckdb")
    made.make(schema_script.SCRIPT.read_text(encoding="utf-8"))
    migrate.upgrade(migrated)
    assert made.revision() == migrate.head()
    assert migrate.differences(made) == []
    expected = _definition(migrated)
    assert _definition(made) == expected
    assert ("raw", "ZSTD") in expected[5] and ("raw", "ZSTD") not in expected[6]


def test_a_new_store_is_made_by_it_and_an_emptied_one_by_the_revisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DuckDBStore(tmp_path / "store.duckdb")
    with monkeypatch.context() as without_revisions:
        without_revisions.setattr(migrate, "upgrade", None)
        assert migrate.ensure_head(store)
    migrate.downgrade(store, "base")
    assert migrate.ensure_head(store) and not migrate.ensure_head(store)
    assert migrate.differences(store) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_a_script_that_fails_leaves_nothing(engine: str, tmp_path: Path) -> None:
    store = harness.new_store_of(engine, tmp_path)
    with pytest.raises(StoreError, match="number"):
        store.make("create table extra (a integer); insert into extra values ('no number');")
    with pytest.raises(StoreError, match="extra"), store.reading() as reader:
        reader.query("select * from extra", None)


def test_the_script_is_that_of_the_revisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert schema_script.main(["--check"]) == 0
    monkeypatch.setattr(schema_script, "SCRIPT", tmp_path / "duckdb.sql")
    assert schema_script.main(["--check"]) == 1
    assert "write it anew: python -m ingest.schema_script" in capsys.readouterr().err
    assert schema_script.main([]) == 0
    assert schema_script.main(["--check"]) == 0
