"""``ttsq status``: how the files stand that are known."""

import json
import os
import re
from pathlib import Path

import pytest

from ingest.stores.ingest_lock import exclusive
from ingest.stores.tables import log_files
from tests.support.command_line import CommandLine, lines


def _states(ttsq: CommandLine) -> list[tuple[str, str, bool]]:
    files = json.loads(ttsq.well("status", "--json"))["log_files"]
    return [(Path(f["path"]).name, f["state"], f["missing"]) for f in files]


def test_a_known_file_that_is_gone_is_missing(tmp_path: Path) -> None:
    """It is a look at the disk: the store keeps how the file stood when it was read, and the next
    run finds it again.
    """
    ttsq = CommandLine(tmp_path).with_tables()
    log = tmp_path / "app.log"
    log.write_text(lines(0, 5))
    ttsq.well("ingest", "app.log")
    assert _states(ttsq) == [("app.log", "live", False)]
    log.rename(tmp_path / "app.log.1")
    assert _states(ttsq) == [("app.log", "live", True)]
    assert re.search(r"^  missing .* app\.log|^  missing .*/app\.log$", ttsq.well("status"), re.M)
    log.write_text(lines(10, 5))
    ttsq.well("ingest", "app.log")
    assert _states(ttsq) == [("app.log.1", "finished", False), ("app.log", "live", False)]
    (tmp_path / "app.log.1").unlink()
    assert _states(ttsq) == [("app.log.1", "finished", True), ("app.log", "live", False)]


def test_a_replaced_file_is_not_expected_to_be_there(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    log = tmp_path / "app.log"
    log.write_text(lines(0, 5))
    ttsq.well("ingest", "app.log")
    log.write_text(lines(100, 9))
    ttsq.well("ingest", "app.log")
    log.unlink()
    assert _states(ttsq) == [("app.log", "replaced", False), ("app.log", "live", True)]


@pytest.mark.parametrize("state", ["live", "finished", "waiting", "damaged", "edited", "replaced"])
def test_the_column_says_every_state_that_the_program_writes(state: str) -> None:
    assert state in str(log_files.c.state.comment)
    source = (Path(__file__).parents[2] / "ingest").rglob("*.py")
    text = "".join(path.read_text() for path in source if path.name != "tables.py")
    assert f'"{state}"' in text


def test_the_column_says_no_other_state() -> None:
    comment = str(log_files.c.state.comment)
    assert len(re.split(r", | or ", comment)) == 6


def test_who_holds_the_store_is_told(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    (tmp_path / "app.log").write_text(lines(0, 5))
    ttsq.well("ingest", "app.log")
    assert "held by: nobody" in ttsq.well("status")
    with exclusive(Path(f"{ttsq.store}.lock"), 1, "the store"):
        assert f"held by: process {os.getpid()} (" in ttsq.well("status")
        assert json.loads(ttsq.well("status", "--json"))["holder"].startswith("process ")
    assert json.loads(ttsq.well("status", "--json"))["holder"] is None
