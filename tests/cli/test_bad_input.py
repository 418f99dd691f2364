"""What cannot be done is told in one sentence with a hint and an exit code, and leaves nothing half
done.
"""

import fcntl
import os
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, Ended, lines

LOG_FILE, STORE, USAGE, BUSY = 3, 4, 2, 5


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(lines(0, 20))
    return CommandLine(tmp_path)


def _refused(ended: Ended, code: int, *said: str) -> None:
    assert ended.code == code, ended
    told = [line for line in ended.err.splitlines() if line.startswith("ttsq: error:")]
    assert len(told) == 1, ended.err
    assert sum(line.startswith("hint: ") for line in ended.err.splitlines()) == 1, ended.err
    assert "Traceback" not in ended.err + ended.out
    for text in said:
        assert text in ended.err


def _no_rows(ttsq: CommandLine) -> None:
    counts = ttsq.counts()
    assert counts is None or not any(counts.values()), counts


def _write(ttsq: CommandLine, name: str, data: bytes) -> str:
    (ttsq.folder / name).write_bytes(data)
    return name


def test_no_such_path(ttsq: CommandLine) -> None:
    _refused(ttsq("ingest", "nowhere.log"), LOG_FILE, "nowhere.log", "does not exist")
    assert not ttsq.store.exists()


def test_a_pattern_that_nothing_matches(ttsq: CommandLine) -> None:
    _refused(ttsq("ingest", "nowhere*.log"), LOG_FILE, "nowhere*.log")
    assert not ttsq.store.exists()


def test_a_folder_without_logs(ttsq: CommandLine) -> None:
    (ttsq.folder / "empty").mkdir()
    (ttsq.folder / "empty" / "notes.txt").write_text("hello")
    _refused(ttsq("ingest", "empty"), LOG_FILE, "holds no log files")
    assert not ttsq.store.exists()


def test_a_binary_file(ttsq: CommandLine) -> None:
    name = _write(ttsq, "image.log", bytes(range(256)) * 400)
    _refused(ttsq("ingest", name), LOG_FILE, "image.log", "binary")
    _no_rows(ttsq)


def test_a_text_of_another_format(ttsq: CommandLine) -> None:
    name = _write(ttsq, "access.log", b'10.0.0.1 - - [02/Mar/2026] "GET / HTTP/1.1" 200\n' * 50)
    _refused(ttsq("ingest", name), LOG_FILE, "access.log", "--log-format")
    _no_rows(ttsq)


def test_a_file_in_utf_16_is_read_as_what_it_is(ttsq: CommandLine) -> None:
    name = _write(ttsq, "wide.log", lines(0, 5).encode("utf-16"))
    ttsq.well("ingest", name, "--final")
    counts = ttsq.counts()
    assert counts is not None and counts["requests"] == 5
    ttsq.well("verify")


def test_a_bad_file_beside_a_good_one_is_told_and_the_good_one_read(ttsq: CommandLine) -> None:
    name = _write(ttsq, "picture.log", bytes(range(256)) * 20)
    _refused(ttsq("ingest", "app.log", name, "--final"), LOG_FILE, "binary file")
    counts = ttsq.counts()
    assert counts is not None and counts["requests"] == 20


def test_a_store_of_a_newer_revision(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log")
    before = ttsq.counts()
    ttsq.execute("update alembic_version set version_num = '9999'")
    (ttsq.folder / "app.log").write_text(lines(0, 40))
    for words in (["ingest", "app.log"], ["run", "error_codes"], ["status"], ["db", "upgrade"]):
        _refused(ttsq(*words), STORE, "9999", "upgrade")
    assert ttsq.counts() == before


def test_a_store_of_no_revision(ttsq: CommandLine) -> None:
    ttsq.execute("create table other (x int)")
    _refused(ttsq("run", "error_codes"), STORE, "ttsq db upgrade")


def test_a_file_that_is_no_store(ttsq: CommandLine) -> None:
    ttsq.store.write_text("this is no database\n" * 1000)
    for words in (["ingest", "app.log"], ["run", "error_codes"], ["status"]):
        _refused(ttsq(*words), STORE, "store.duckdb")
    assert ttsq.store.read_text() == "this is no database\n" * 1000


def test_a_place_where_no_store_can_be(ttsq: CommandLine) -> None:
    url = f"duckdb:///{ttsq.folder}/app.log/below/x.duckdb"
    _refused(ttsq("--db", url, "ingest", "app.log"), STORE, "app.log/below")
    _refused(ttsq("--db", url, "db", "upgrade"), STORE, "app.log/below")


def test_a_folder_that_cannot_be_written(ttsq: CommandLine) -> None:
    _refused(ttsq("--db", "duckdb:////proc/x.duckdb", "ingest", "app.log"), STORE, "/proc/x.duckdb")


def test_a_folder_in_place_of_a_store(ttsq: CommandLine) -> None:
    (ttsq.folder / "d").mkdir()
    _refused(ttsq("--db", f"duckdb:///{ttsq.folder}/d", "ingest", "app.log"), STORE, "/d")


def test_a_url_of_an_unknown_kind(ttsq: CommandLine) -> None:
    ended = ttsq("--db", "oracle://x", "ingest", "app.log")
    assert ended.code in (USAGE, STORE)
    _refused(ended, ended.code, "oracle")


@pytest.mark.parametrize(
    "text", ["%(asctime)s %(levelname)s", "%(asctime %(message)s", "no fields"]
)
def test_a_malformed_log_format(ttsq: CommandLine, text: str) -> None:
    _refused(ttsq("ingest", "app.log", "--log-format", text), USAGE, "log format")
    assert not ttsq.store.exists()


def test_a_date_format_that_cannot_be_read(ttsq: CommandLine) -> None:
    _refused(ttsq("ingest", "app.log", "--datefmt", "%c"), USAGE, "%c")
    assert not ttsq.store.exists()


@pytest.mark.parametrize("words", [["ingest", "app.log"], ["sql", "select 1"], ["run", "hosts"]])
def test_an_unknown_time_zone(ttsq: CommandLine, words: list[str]) -> None:
    ttsq.well("ingest", "app.log")
    before = ttsq.counts()
    _refused(ttsq(*words, "--tz", "Mars/Olympus"), USAGE, "Mars/Olympus")
    assert ttsq.counts() == before


@pytest.mark.parametrize(
    "words",
    [
        ["ingest", "app.log", "--colour", "red"],
        ["ingest", "app.log", "--wait", "long"],
        ["ingest"],
        ["--frobnicate"],
        ["ingset", "app.log"],
        ["db", "sideways"],
        ["run", "error_codes", "--colour", "red"],
        ["run", "eror_codes"],
        ["run", "error_codes", "--since", "yesterdayish"],
        ["run", "error_codes", "--since", "-"],
        ["run", "error_codes", "--format", "docx"],
        ["db", "upgrade", "0000"],
    ],
    ids=" ".join,
)
def test_words_that_are_wrong(ttsq: CommandLine, words: list[str]) -> None:
    ttsq.well("ingest", "app.log")
    before = ttsq.counts()
    _refused(ttsq(*words), USAGE)
    assert ttsq.counts() == before


@pytest.mark.parametrize(
    "words",
    [["run", "error_codes"], ["sql", "select 1"], ["status"], ["db", "check"]],
    ids=" ".join,
)
def test_a_store_that_is_not_there(ttsq: CommandLine, words: list[str]) -> None:
    _refused(ttsq(*words), STORE, "ttsq ingest")
    assert not ttsq.store.exists()


def test_settings_with_an_unknown_key(ttsq: CommandLine) -> None:
    _write(ttsq, "ttsq.toml", b'servise = "tts"\n')
    _refused(ttsq("ingest", "app.log"), USAGE, "servise", "'service'")
    assert not ttsq.store.exists()


@pytest.mark.parametrize("text", ["service = 5\n", "service = \n", "\xff"])
def test_settings_that_cannot_be_read(ttsq: CommandLine, text: str) -> None:
    name = _write(ttsq, "own.toml", text.encode("latin-1"))
    _refused(ttsq("--config", name, "ingest", "app.log"), USAGE, "own.toml")
    _refused(ttsq("--config", "absent.toml", "ingest", "app.log"), USAGE, "absent.toml")
    assert not ttsq.store.exists()


def test_a_second_ingest_at_the_same_time(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log")
    before = ttsq.counts()
    (ttsq.folder / "app.log").write_text(lines(0, 40))
    lock = os.open(f"{ttsq.store}.lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.lockf(lock, fcntl.LOCK_EX, 1)
        _refused(ttsq("ingest", "app.log", "--wait", "0"), BUSY, "another ingest")
    finally:
        os.close(lock)
    assert ttsq.counts() == before
    ttsq.well("ingest", "app.log", "--final", "--wait", "0")
    after = ttsq.counts()
    assert after is not None and after["requests"] == 40


def test_control_characters_of_a_file_name_do_not_reach_the_terminal(ttsq: CommandLine) -> None:
    ended = ttsq("ingest", "bad\x1b[31m.log")
    _refused(ended, LOG_FILE)
    assert "\x1b" not in ended.err
