"""An ingest into a store of an older schema revision: it upgrades and says so, or refuses."""

import json
from pathlib import Path

import pytest

from ingest.stores import migrate
from tests.support.command_line import CommandLine, lines


@pytest.fixture
def older(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(lines(0, 6))
    found = CommandLine(tmp_path)
    found.well("ingest", "app.log")
    found.well("db", "downgrade", migrate.revisions()[-2])
    with (tmp_path / "app.log").open("a") as log:
        log.write(lines(10, 4))
    return found


def test_an_ingest_that_upgrades_says_so(older: CommandLine) -> None:
    before, after = migrate.revisions()[-2:]
    done = older("ingest", "app.log", "--json")
    assert done.code == 0, done.err
    assert f"went from schema revision {before} to {after}" in done.err
    assert json.loads(done.out)["migrated"] == [before, after]
    again = older("ingest", "app.log", "--json")
    assert "revision" not in again.err and json.loads(again.out)["migrated"] is None


def test_no_migrate_refuses_an_older_store_and_makes_a_new_one(older: CommandLine) -> None:
    refused = older("ingest", "app.log", "--no-migrate")
    assert refused.code == 4 and "ttsq db upgrade" in refused.err
    assert migrate.revisions()[-2] in older.well("db", "current")
    older.well("db", "upgrade")
    older.well("ingest", "app.log", "--no-migrate")
    older.store.unlink()
    older.well("ingest", "app.log", "--no-migrate")
