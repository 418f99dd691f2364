"""``ttsq profiles``: the list, a profile, the check of a folder, and what takes the lines of a log."""  # noqa: E501

import json
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine
from tests.unit.test_profiles import GOOD

LOG = """\
>> starting inference...
>> gpt_gen_time: 2.93 seconds
>> Total inference time: 6.15 seconds
>> RTF: 2.4308
INFO:     10.3.0.7:54320 - "POST /tts HTTP/1.1" 200 OK
what is \x1b[31mthis
"""


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(LOG, encoding="utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.toml").write_text(GOOD, encoding="utf-8")
    return CommandLine(tmp_path)


def test_the_profiles_are_listed_with_their_services(ttsq: CommandLine) -> None:
    out = ttsq.well("profiles")
    assert any(line.startswith("indextts ") and "vLLM" in line for line in out.splitlines())
    found = json.loads(ttsq.well("profiles", "--json"))
    assert {"indextts", "gpt-sovits", "kokoro"} <= {profile["name"] for profile in found}


def test_a_profile_is_shown_with_the_origin_of_each_line(ttsq: CommandLine) -> None:
    out = ttsq.well("profiles", "show", "piper")
    assert "whole: factor" in out
    assert "rhasspy/piper src/cpp/main.cpp" in out
    ended = ttsq("profiles", "show", "pipe")
    assert ended.code == 2
    assert "there is no profile pipe" in ended.err


def test_a_folder_of_profiles_is_checked(ttsq: CommandLine) -> None:
    assert "every profile is well" in ttsq.well("profiles", "check", "own")
    path = ttsq.folder / "own" / "mine.toml"
    path.write_text(GOOD.replace("1500", "1501"), encoding="utf-8")
    ended = ttsq("profiles", "check", "own")
    assert ended.code == 2
    assert (
        "mine.toml, line 17: the sample's rows differ: request 1: duration_ms is 1500" in ended.err
    )
    path.write_text(GOOD.replace("opens", "ouvre"), encoding="utf-8")
    ended = ttsq("profiles", "check", "own")
    assert ended.code == 2
    assert "mine.toml, line 7: 'ouvre' is no value of does" in ended.err
    assert "hint: " in ended.err


def test_a_folder_that_is_not_there_is_told(ttsq: CommandLine) -> None:
    ended = ttsq("profiles", "check", "nowhere")
    assert ended.code == 2
    assert "cannot read the profile folder nowhere" in ended.err
    ended = ttsq("profiles", "check")
    assert ended.code == 2
    assert "profile_folder" in ended.err


def test_each_line_of_a_log_is_shown_with_the_rule_that_takes_it(ttsq: CommandLine) -> None:
    out = ttsq.well("profiles", "try", "app.log")
    rows = [line.split(maxsplit=2) for line in out.splitlines()]
    assert [row[0] for row in rows] == ["0", "25", "55", "93", "108", "163"]
    assert [row[1] for row in rows] == ["indextts:"] * 4 + ["access", "unclaimed"]
    assert "\x1b" not in out
    found = [
        json.loads(line) for line in ttsq.well("profiles", "try", "app.log", "--json").splitlines()
    ]
    assert found[3]["rule"] == "rtf"
    assert found[3]["id"] == found[4]["id"] == found[0]["id"]


def test_a_users_folder_adds_and_overrides(ttsq: CommandLine) -> None:
    (ttsq.folder / "ttsq.toml").write_text('profile_folder = "own"\n', encoding="utf-8")
    (ttsq.folder / "app.log").write_text("begin hello\ntook 1.5 s\n", encoding="utf-8")
    assert "mine" in ttsq.well("profiles")
    out = ttsq.well("profiles", "try", "app.log")
    assert "mine: start" in out
    assert "mine: end" in out
    ttsq.well("ingest", "--final", "app.log")
    rows = json.loads(
        ttsq.well("sql", "--format", "json", "select text, duration_ms, profile from requests")
    )
    assert rows == [{"text": "hello", "duration_ms": 1500.0, "profile": "mine"}]
