"""What may not be looked at is told, never passed over: the user who asks is seldom the one who
writes the logs.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, Ended, lines

LOG_FILE, STORE, USAGE = 3, 4, 2


@pytest.fixture
def ttsq(tmp_path: Path) -> Iterator[CommandLine]:
    """Logs in ``logs/``, more in ``logs/closed/``, which nobody may list or look into."""
    (tmp_path / "logs" / "closed").mkdir(parents=True)
    (tmp_path / "logs" / "app.log").write_text(lines(0, 20))
    (tmp_path / "logs" / "closed" / "other.log").write_text(lines(20, 20))
    (tmp_path / "logs" / "closed").chmod(0)
    yield CommandLine(tmp_path).with_tables()
    (tmp_path / "logs" / "closed").chmod(0o700)


def _refused(ended: Ended, code: int, *said: str) -> None:
    assert ended.code == code, ended
    told = [line for line in ended.err.splitlines() if line.startswith("ttsq: error:")]
    assert len(told) == 1, ended.err
    assert "hint: " in ended.err and "Traceback" not in ended.err + ended.out
    for text in ("Permission denied", *said):
        assert text in told[0]


def _requests(ttsq: CommandLine) -> int:
    counts = ttsq.counts()
    return counts["requests"] if counts else 0


def test_a_folder_below_that_may_not_be_listed_is_told_and_the_rest_is_read(
    ttsq: CommandLine,
) -> None:
    _refused(ttsq.as_anyone("ingest", "--final", "logs"), LOG_FILE, "directory logs/closed")
    assert _requests(ttsq) == 20
    (ttsq.folder / "logs" / "closed").chmod(0o700)
    assert ttsq.as_anyone("ingest", "--final", "logs").code == 0
    assert _requests(ttsq) == 40


@pytest.mark.parametrize("command", ["ingest", "check", "verify"])
@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("logs/closed", "directory logs/closed"),
        ("logs/closed/other.log", "log file logs/closed/other.log"),
        ("logs/closed/*.log", "directory logs/closed"),
    ],
)
def test_logs_that_may_not_be_looked_at(
    ttsq: CommandLine, command: str, path: str, told: str
) -> None:
    _refused(ttsq.as_anyone(command, path), LOG_FILE, told)
    assert _requests(ttsq) == 0


def test_a_pattern_in_a_folder_that_may_be_entered_but_not_listed(ttsq: CommandLine) -> None:
    (ttsq.folder / "logs" / "closed").chmod(0o100)
    _refused(ttsq.as_anyone("ingest", "logs/closed/*.log"), LOG_FILE, "directory logs/closed")
    assert ttsq.as_anyone("ingest", "--final", "logs/closed/other.log").code == 0
    assert _requests(ttsq) == 20


def test_a_link_to_what_may_not_be_looked_at(ttsq: CommandLine) -> None:
    os.symlink("closed/other.log", ttsq.folder / "logs" / "linked.log")
    os.symlink("nowhere.log", ttsq.folder / "logs" / "dangling.log")
    ended = ttsq.as_anyone("ingest", "--final", "logs")
    assert ended.code == LOG_FILE and "linked.log" in ended.err and "dangling" not in ended.err
    assert _requests(ttsq) == 20


def test_the_folder_of_a_file_system_is_no_place_of_logs(ttsq: CommandLine) -> None:
    (ttsq.folder / "logs" / "closed").rename(ttsq.folder / "logs" / "lost+found")
    assert ttsq.as_anyone("ingest", "--final", "logs").code == 0
    (ttsq.folder / "logs" / "lost+found").rename(ttsq.folder / "logs" / "closed")
    assert _requests(ttsq) == 20


def test_nothing_but_the_folder_of_a_file_system(ttsq: CommandLine) -> None:
    (ttsq.folder / "logs" / "closed").rename(ttsq.folder / "logs" / "lost+found")
    (ttsq.folder / "logs" / "app.log").unlink()
    ended = ttsq.as_anyone("ingest", "logs")
    (ttsq.folder / "logs" / "lost+found").rename(ttsq.folder / "logs" / "closed")
    assert ended.code == LOG_FILE and "holds no log files" in ended.err


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("run", "failure_by_length"),
        ("sql", "select 1"),
        ("trace", "ts_b"),
        ("verify",),
        ("replay",),
        ("prune", "--older-than", "1d"),
        ("publish", "published"),
        ("db", "current"),
        ("ingest", "logs/app.log"),
    ],
)
def test_a_store_that_may_not_be_looked_at(ttsq: CommandLine, words: tuple[str, ...]) -> None:
    place = f"duckdb:///{ttsq.folder}/logs/closed/store.duckdb"
    _refused(ttsq.as_anyone("--db", place, *words), STORE, "logs/closed/store.duckdb")


def test_a_place_where_nothing_may_be_written(ttsq: CommandLine) -> None:
    _refused(ttsq.as_anyone("demo", "logs/closed/demo"), STORE, "logs/closed/demo")
    assert "Traceback" in ttsq.as_anyone("--debug", "demo", "logs/closed/demo").err


@pytest.mark.parametrize("folder", ["logs/closed", "logs/closed/queries"])
def test_queries_that_may_not_be_listed(ttsq: CommandLine, folder: str) -> None:
    (ttsq.folder / "ttsq.toml").write_text(f'query_folder = "{folder}"\n')
    for words in (["queries"], ["run", "failure_by_length"]):
        _refused(ttsq.as_anyone(*words), USAGE, folder)


def test_the_backend_s_own_queries_may_not_be_listed(ttsq: CommandLine) -> None:
    (ttsq.folder / "own" / "duckdb").mkdir(parents=True)
    (ttsq.folder / "own" / "duckdb").chmod(0)
    (ttsq.folder / "ttsq.toml").write_text('query_folder = "own"\n')
    ended = ttsq.as_anyone("queries")
    (ttsq.folder / "own" / "duckdb").chmod(0o700)
    _refused(ended, USAGE, "own/duckdb")


@pytest.mark.parametrize("command", ["ingest", "check", "verify"])
def test_the_home_of_nobody(ttsq: CommandLine, command: str) -> None:
    ended = ttsq(command, "~no-such-user/app.log")
    assert ended.code == LOG_FILE and "~no-such-user/app.log does not exist" in ended.err
    ended = ttsq("--db", "duckdb:///~no-such-user/store.duckdb", "status")
    assert ended.code == USAGE and "unknown user" in ended.err


def test_an_empty_path_is_not_the_working_folder(ttsq: CommandLine) -> None:
    ended = ttsq("ingest", "")
    assert ended.code == LOG_FILE and "a path is empty" in ended.err
    assert _requests(ttsq) == 0
