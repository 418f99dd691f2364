"""``ttsq trace``: what it prints, its exit codes, and that it leaves the store alone."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.tasks.demo import write_demo
from tests.support.command_line import ROOT, CommandLine
from tests.support.traced import Log, failing

ID = "ts_7f3a2b1c"


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    log = failing(failing(Log()), "ts_7f3a2b1d", "14:23")
    (tmp_path / "app.log").write_bytes(log.content)
    return CommandLine(tmp_path).with_tables()


def test_a_request_by_its_id_and_by_its_beginning(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log", "--final")
    out = ttsq.well("trace", ID)
    assert out.startswith(f"request {ID}: failed, SCIPY_FFT_INVALID, 523 ms\n")
    assert f"{ttsq.folder}/app.log:0\n" in out
    assert "other requests running" not in out
    listed = ttsq.well("trace", "ts_7f3")
    assert listed.startswith("2 requests begin with ts_7f3:\n")
    assert listed.endswith("hint: give a whole id: ttsq trace ts_7f3a2b1d\n")
    assert ttsq.well("trace", "ts_7f3", "--at", "2026-03-02T14:22:40") == out
    assert "other requests running: 3\n" in ttsq.well("trace", ID, "--around", "1m")


def test_json_is_one_object(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log", "--final", "--tz", "Asia/Shanghai")
    out = ttsq.well("trace", ID, "--json", "--tz", "Asia/Shanghai")
    assert out.count("\n") == 1
    told = json.loads(out)
    assert told["request"]["text"] == "你好, 世界"
    assert told["first_at"] == "2026-03-02T14:22:37.892000+08:00"
    assert [line["at"] for line in told["lines"]] == sorted(line["at"] for line in told["lines"])
    assert [line["gone"] for line in told["lines"]] == [None] * 6
    assert told["around"]["running"] is None
    listed = json.loads(ttsq.well("trace", "ts_7f3", "--json"))
    assert (listed["by"], len(listed["matches"]), listed["more"]) == ("prefix", 2, False)


def test_a_removed_log_file_is_told(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log", "--final")
    (ttsq.folder / "app.log").unlink()
    out = ttsq.well("trace", ID)
    assert f"no longer on disk, shown as stored: {ttsq.folder}/app.log is gone\n" in out
    assert out.count("app.log:") == 6  # five lines, and the error's place
    assert 'text="你好, 世界"' in out and "RuntimeWarning: invalid value" in out


def test_settings_say_how_records_look(ttsq: CommandLine) -> None:
    (ttsq.folder / "ttsq.toml").write_text('log_format = "%(asctime)s %(levelname)s %(message)s"\n')
    (ttsq.folder / "short.log").write_text(
        "2026-03-02 14:00:00,000 INFO synthesis_start: id=ts_1\n"
        "2026-03-02 14:00:01,000 INFO synthesis_complete: id=ts_1, status=success\n"
    )
    ttsq.well("ingest", "short.log", "--final")
    assert "+1000 ms  INFO  synthesis_complete: id=ts_1, status=success\n" in ttsq.well("trace", "ts_1")  # fmt: skip  # noqa: E501
    given = ttsq.well("trace", "ts_1", "--log-format", "%(asctime)s|%(message)s")
    assert "2026-03-02 14:00:00,000 INFO synthesis_start: id=ts_1\n" in given


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("ts_nothing",), 1, "no request or error has the id 'ts_nothing'"),
        (("ts",), 1, "hint: the beginning of an id needs at least 3 characters"),
        (("%%%",), 1, "no request"),
        (("\x1b[31m\udcff",), 1, "no request"),
        (("",), 2, "the id is empty"),
        ((), 2, "trace --help"),
        ((ID, "--around", "soon"), 2, "expected a length of time up to 7d"),
        ((ID, "--around", "8d"), 2, "expected a length of time up to 7d"),
        ((ID, "--around", "-5s"), 2, "expected a length of time"),
        ((ID, "--at", "noon"), 2, "expected an instant"),
        ((ID, "--tz", "Mars/Base"), 2, "Mars/Base"),
        ((ID, "--log-format", "nothing"), 2, "nothing"),
    ],
)
def test_exit_codes(ttsq: CommandLine, words: tuple[str, ...], code: int, told: str) -> None:
    ttsq.well("ingest", "app.log", "--final")
    ended = ttsq("trace", *words)
    assert (ended.code, ended.out) == (code, "")
    assert told in ended.err
    assert "Traceback" not in ended.err and "\x1b" not in ended.err


def test_without_a_store_and_with_an_empty_one(ttsq: CommandLine) -> None:
    ttsq.store.unlink()
    ended = ttsq("trace", ID)
    assert (ended.code, ended.out) == (4, "")
    ttsq.well("db", "upgrade")
    ended = ttsq("trace", ID)
    assert ended.code == 1
    assert "nothing has been ingested yet" in ended.err and "hint: ttsq ingest PATH" in ended.err


def test_the_output_in_the_documentation_is_that_of_the_demo(ttsq: CommandLine) -> None:
    write_demo(ttsq.folder / "demo/logs", now=datetime(2026, 3, 2, 15, 0, tzinfo=UTC), tz="UTC")
    ttsq.well("ingest", "demo/logs", "--host", "gpu-1")
    page = (ROOT / "docs/trace.md").read_text(encoding="utf-8")
    command, shown = page.split("```text\n$ ttsq ")[1].split("```")[0].split("\n", 1)
    assert ttsq.well(*command.split()) == shown.replace("/srv/", f"{ttsq.folder}/")
