"""``ttsq check``: what it prints, its exit codes, and that it leaves nothing behind."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.tasks.demo import write_demo
from tests.support.command_line import ROOT, CommandLine, lines
from tests.unit.test_coverage import FULL, STAMP


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(lines(0, 20))
    (tmp_path / "full.log").write_text(FULL, encoding="utf-8")
    return CommandLine(tmp_path)


def test_a_log_with_every_field_is_well(ttsq: CommandLine) -> None:
    out = ttsq.well("check", "full.log")
    assert "every golden field is there" in out
    assert "no answer" not in out
    assert ttsq.counts() is None
    assert not list(ttsq.folder.glob("*.lock"))


def test_gaps_are_told_with_queries_and_lines_to_add(ttsq: CommandLine) -> None:
    ended = ttsq("check", "app.log")
    assert ended.code == 1
    assert ended.err == ""
    shown = ended.out.splitlines()
    assert "1 file, 7,470 bytes, 80 records: 80 with a header, 0 without" in shown
    assert any(
        line.split() == ["voice", "requests", "20", "0", "0.0", "%", "gap"] for line in shown
    )
    assert any(line.split() == ["no", "answer", "voices", "voice"] for line in shown)
    assert any("synthesis_start: id=%s, request_id=%s, lang=%s" in line for line in shown)
    assert any(line.split()[:3] == ["rms", "successful", "ones"] and "none asked" in line for line in shown)  # fmt: skip  # noqa: E501


def test_json_says_the_same(ttsq: CommandLine) -> None:
    ended = ttsq("check", "app.log", "--json")
    assert ended.code == 1
    found = json.loads(ended.out)
    fields = {f["field"]: f for f in found["fields"]}
    assert fields["voice"] == {
        "field": "voice", "counted_among": "requests", "records": 20, "present": 0, "coverage": 0.0,
        "gap": True,
    }  # fmt: skip
    assert (fields["error_code"]["coverage"], fields["rms"]["coverage"]) == (1.0, None)
    answers = {q["query"]: q["answer"] for q in found["queries"]}
    assert (answers["voices"], answers["error_codes"], answers["window_requests"]) == ("no", "yes", "in part")  # fmt: skip  # noqa: E501
    assert found["events"]["synthesis_start"] == 20
    assert {a["event"] for a in found["add"]} >= {"synthesis_start", "cache_health"}


def test_unreadable_files_end_in_3_and_the_others_are_read(ttsq: CommandLine) -> None:
    (ttsq.folder / "other.log").write_text("10:00 hello\n" * 5)
    whole = gzip.compress(FULL.encode())
    (ttsq.folder / "cut.log.gz").write_bytes(whole[:-20])
    for words in (["other.log"], ["absent.log"]):
        ended = ttsq("check", *words)
        assert (ended.code, ended.out) == (3, "")
        assert words[0] in ended.err
    ended = ttsq("check", "full.log", "other.log", "absent.log", "cut.log.gz")
    assert ended.code == 3
    assert "records: " in ended.out
    for name in ("other.log", "absent.log", "cut.log.gz"):
        assert name in ended.err


def test_settings_and_options_say_how_records_look(ttsq: CommandLine) -> None:
    text = FULL.replace("2026-03-02 ", "02.03.2026/").replace(",203 - app - ", ";")
    (ttsq.folder / "short.log").write_text(text.replace(" - ", ";"), encoding="utf-8")
    assert ttsq("check", "short.log").code == 3
    form, stamp = "%(asctime)s;%(levelname)s;%(message)s", "%d.%m.%Y/%H:%M:%S"
    assert "every golden field" in ttsq.well(
        "check", "short.log", "--log-format", form, "--datefmt", stamp
    )
    (ttsq.folder / "ttsq.toml").write_text(f'log_format = "{form}"\ndatefmt = "{stamp}"\n')
    assert "every golden field" in ttsq.well("check", "short.log", "--tz", "Asia/Shanghai")
    assert ttsq("check", "short.log", "--tz", "Mars/Base").code == 2
    assert ttsq("check", "short.log", "--log-format", "nothing").code == 2
    assert ttsq("check").code == 2


def test_log_text_does_not_steer_the_terminal(ttsq: CommandLine) -> None:
    hostile = STAMP + "INFO - cache_health: path=/c\x1b[31m\u202e\x9b, usage=5%\n"
    (ttsq.folder / "odd.log").write_text(FULL + hostile, encoding="utf-8")
    for words in ([], ["--json"]):
        out = ttsq.well("check", "odd.log", *words)
        assert not {"\x1b", "\u202e", "\x9b"} & set(out)
    paths = [c["path"] for c in json.loads(out)["cache_directories"]]
    assert "/c\x1b[31m\u202e\x9b" in paths


def test_names_that_are_nearly_known_are_told(ttsq: CommandLine) -> None:
    line = STAMP + "WARNING - synthesis_completed: warning_code=W, request-id=7, colour=red\n"
    (ttsq.folder / "near.log").write_text(FULL + line, encoding="utf-8")
    out = ttsq.well("check", "near.log")
    assert "other events: synthesis_completed 1 (synthesis_complete?)" in out
    assert "other keys: colour 1, request-id 1 (request_id?)" in out


def test_the_output_in_the_documentation_is_that_of_the_demo(ttsq: CommandLine) -> None:
    write_demo(ttsq.folder / "demo/logs", now=datetime(2026, 3, 2, 15, 0, tzinfo=UTC), tz="UTC")
    page = (ROOT / "docs/check.md").read_text(encoding="utf-8")
    shown = page.split("```text\n$ ttsq check demo/logs\n")[1].split("```")[0]
    assert ttsq("check", "demo/logs").out == shown


def test_the_log_of_a_service_is_told_by_rule_and_by_unclaimed_shape(ttsq: CommandLine) -> None:
    prints = "".join(f"loaded voice {n} from '/v/{n}.pt'\n" for n in range(3))
    text = f">> starting inference...\n{prints}>> gpt_gen_time: 1.5 seconds\n"
    (ttsq.folder / "service.log").write_text(text)
    out = ttsq("check", "service.log").out
    assert "profile indextts: start 1, gpt_gen 1" in out
    assert "unclaimed: 3 lines" in out and "3  loaded voice # from '…'" in out
    assert "what indextts does not print itself" in out and "logger." not in out
    found = json.loads(ttsq("check", "service.log", "--json").out)
    assert found["unclaimed_shapes"] == [{"shape": "loaded voice # from '…'", "lines": 3}]
    assert {"profile": "indextts", "rule": "start", "lines": 1} in found["rules"]
