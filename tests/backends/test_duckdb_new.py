"""A new store is there when it is complete, and not before."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ingest.errors import StoreError
from ingest.stores.duckdb.store import DuckDBStore
from tests.support.command_line import ROOT, CommandLine, lines


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(lines(0, 20))
    return CommandLine(tmp_path)


def _requests(ttsq: CommandLine) -> int:
    counts = ttsq.counts()
    assert counts is not None
    return counts["requests"]


def test_an_empty_file_is_no_store_yet(ttsq: CommandLine) -> None:
    ttsq.store.touch()
    ttsq.store.chmod(0o640)
    assert "there is no store" in ttsq("status").err
    ttsq.well("ingest", "app.log", "--final")
    assert _requests(ttsq) == 20
    assert ttsq.store.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("exists", [True, False])
def test_a_symlink_leads_to_the_new_store(ttsq: CommandLine, exists: bool) -> None:
    (ttsq.folder / "elsewhere").mkdir()
    place = ttsq.folder / "elsewhere" / "real.duckdb"
    if exists:
        place.touch()
    ttsq.store.symlink_to(place)
    ttsq.well("ingest", "app.log", "--final")
    assert ttsq.store.is_symlink() and place.stat().st_size > 0
    assert _requests(ttsq) == 20


@pytest.mark.parametrize("command", [("db", "upgrade"), ("db", "upgrade", "head")])
def test_upgrade_makes_one_where_an_empty_file_is(
    ttsq: CommandLine, command: tuple[str, ...]
) -> None:
    ttsq.store.touch()
    ttsq.well(*command)
    ttsq.well("db", "check")


def test_a_script_that_fails_leaves_nothing(tmp_path: Path) -> None:
    store = DuckDBStore(tmp_path / "store.duckdb")
    with pytest.raises(StoreError):
        store.make("create table t as select 1 as i; select error('no');")
    assert not store.exists() and os.listdir(tmp_path) == []


_MAKER = """
import sys
from pathlib import Path
from ingest.stores.duckdb.store import DuckDBStore
store = DuckDBStore(Path(sys.argv[1]))
with store.ingesting(5):
    store.make("create table t as select range as i from range(100_000_000_000);")
"""


def test_whoever_is_killed_leaves_no_store(ttsq: CommandLine) -> None:
    environment = {**ttsq.environment, "PYTHONPATH": str(ROOT)}
    maker = subprocess.Popen([sys.executable, "-c", _MAKER, str(ttsq.store)], env=environment)
    new = ttsq.folder / f"store.duckdb.{maker.pid}.new"
    deadline = time.monotonic() + 60
    while not (new.exists() and new.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    maker.send_signal(signal.SIGKILL)
    assert maker.wait() == -signal.SIGKILL
    assert new.exists() and not ttsq.store.exists()
    ttsq.well("ingest", "app.log", "--final")
    assert _requests(ttsq) == 20
    assert sorted(os.listdir(ttsq.folder)) == ["app.log", "store.duckdb", "store.duckdb.lock"]
