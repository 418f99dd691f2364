"""No command ends in a traceback, whatever is wrong around it: one sentence, a hint, and the exit
code that the table of exit codes has for it.
"""

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from tests.support import walked
from tests.support.command_line import CommandLine, Ended, lines

_DONE, _FOUND, _USAGE, _LOG_FILE, _STORE = 0, 1, 2, 3, 4
_WORDS = {
    "ingest": ["app.log", "--final"],
    "check": ["app.log"],
    "run": ["failure_by_length"],
    "show": ["failure_by_length"],
    "sql": ["select count(*) from requests"],
    "trace": ["ts_1"],
    "prune": ["--older-than", "1d"],
    "publish": ["published"],
    "report": ["-o", "page.html"],
    "demo": ["demo", "--requests", "20"],
    "help": ["run"],
    "formats try": ['$remote_addr [$time_local] "$request" $status', "app.log"],
    "profiles show": ["indextts"],
    "profiles check": ["own"],
    "db downgrade": ["base"],
    "db grant-reader": ["reader"],
}
# exit codes that are right for every command
_CODES = {
    "no store": {_DONE, _FOUND, _STORE},
    "empty store": {_DONE, _FOUND, _LOG_FILE},
    "newer store": {_DONE, _FOUND, _STORE},
    "no log files": {_DONE, _FOUND, _LOG_FILE},
    "no psycopg": {_DONE, _FOUND, _USAGE},
    "no server": {_DONE, _FOUND, _STORE},
    "no matplotlib": {_DONE, _FOUND},
    "closed stdout": {_DONE, _FOUND},
    "tiny memory": {_DONE, _FOUND, _STORE},
    "read-only folder": {_DONE, _FOUND, _STORE},
}
_REFUSED = {"db grant-reader"}  # asks for a server
_LISTS = {("queries check", "tiny memory")}  # a line a query instead of a sentence
_LEAVES = [" ".join(words) for words in walked.leaves()]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a log that is stored."""
    ttsq = CommandLine(tmp_path_factory.mktemp("stored")).with_tables()
    (ttsq.folder / "own").mkdir()
    (ttsq.folder / "app.log").write_text(lines(0, 20))
    ttsq.well("ingest", "app.log", "--final")
    return ttsq.folder


def _folder(stored: Path, place: Path, what: str) -> CommandLine:
    """A folder of its own with what is wrong."""
    shutil.copytree(stored, place)
    ttsq = CommandLine(place)
    if what == "no store":
        ttsq.store.unlink()
    elif what == "empty store":
        ttsq.with_tables()
    elif what == "newer store":
        with duckdb.connect(str(ttsq.store)) as connection:
            connection.execute("update alembic_version set version_num = '9999'")
    elif what == "no log files":
        (place / "app.log").unlink()
    elif what == "read-only folder":
        for path in (place, *place.rglob("*")):
            path.chmod(0o555 if path.is_dir() else 0o444)
    return ttsq


def _ended(ttsq: CommandLine, command: str, what: str) -> Ended:
    own = _WORDS.get(command)
    words = [*command.split(), *(walked.arguments(command.split()) if own is None else own)]
    environment = ttsq.environment
    if what in ("no psycopg", "no server"):
        environment["TTSQ_DB"] = "postgresql+psycopg://u@127.0.0.1:9/x"
    if what == "no matplotlib" and command == "run":
        words += ["-o", "chart.png"]
    return walked.run(
        words, ttsq.folder, environment, {"read-only folder": "bound user"}.get(what, what)
    )


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Path]:
    os.chmod(tmp_path, 0o755)
    yield tmp_path
    for path in tmp_path.rglob("*"):
        if path.is_dir():
            path.chmod(0o755)


@pytest.mark.parametrize("command", _LEAVES)
def test_whatever_is_wrong_a_command_says_so(command: str, stored: Path, places: Path) -> None:
    def tried(what: str) -> tuple[str, Ended]:
        return what, _ended(_folder(stored, places / what.replace(" ", "_"), what), command, what)

    with ThreadPoolExecutor(2) as pool:
        for what, ended in pool.map(tried, _CODES):
            told = (what, command, ended)
            assert "Traceback" not in ended.out + ended.err, told
            may_be = _CODES[what] | ({_USAGE} if command in _REFUSED else set())
            if what == "no matplotlib" and command == "run":
                may_be = {_USAGE}
            if (command, what) in _LISTS:
                continue
            assert ended.code in may_be, told
            if ended.code >= _USAGE:
                errors = [x for x in ended.err.splitlines() if x.startswith("ttsq: error: ")]
                assert len(errors) == 1 and "\nhint: " in ended.err, told


def test_every_command_is_walked() -> None:
    assert {words.split()[0] for words in _LEAVES} >= {"ingest", "reread", "db", "top", "help"}
    assert "db grant-reader" in _LEAVES and set(_WORDS) <= set(_LEAVES)
