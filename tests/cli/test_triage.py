"""``ttsq triage``, as people and timers run it: on the demo's day, and on logs of an engine behind
a proxy.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.render.cells import display_width
from ingest.tasks.demo import write_demo
from tests.support import incidents
from tests.support.command_line import CommandLine

NOW = datetime(2026, 3, 3, 14, 40, tzinfo=UTC)
_RUN = re.compile(r"ttsq sql - <<'END'\n(.*)\nEND", re.DOTALL)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    ttsq = CommandLine(tmp_path_factory.mktemp("triage")).with_tables()
    write_demo(ttsq.folder / "logs", now=NOW, tz="UTC")
    ttsq.well("ingest", "logs", "--final", "--tz", "UTC")
    return ttsq


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    return _of_kind("proxy_errors", 2, tmp_path_factory.mktemp("proxied"))


def _of_kind(kind: str, seed: int, folder: Path) -> CommandLine:
    ttsq = CommandLine(folder).with_tables()
    for host, paths in incidents.written(kind, seed, folder / "logs")[0].items():
        ttsq.well("ingest", *paths, "--host", host, "--final", "--tz", "UTC")
    return ttsq


@pytest.mark.parametrize("language", ["en", "zh"])
def test_findings_fit_80_columns_and_each_ends_with_one_command(
    demo: CommandLine, language: str
) -> None:
    page = demo.well("triage", "--tz", "UTC", "--language", language)
    told = [line for line in page.splitlines() if "ttsq" not in line and "/" not in line]
    assert max(map(display_width, told)) <= 80
    blocks = [b for b in page.strip().split("\n\n") if b[0].isdigit() and "\n" in b]
    assert blocks and all(b.splitlines()[-1].split()[1:2] == ["ttsq"] for b in blocks)


def test_the_demos_incident_comes_first(demo: CommandLine) -> None:
    first = json.loads(demo.well("triage", "--json"))[0]
    assert (first["severity"], first["error_code"]) == ("critical", "SCIPY_FFT_INVALID")
    assert first["condition"] == {"text_len": {">=": 512}}
    assert first["location"] == "/app/app/tts_engine.py:387 in _postproc"
    assert first["next"] == f"ttsq trace {first['examples'][0]['id']}"


def test_a_trace_says_which_finding_its_request_belongs_to(demo: CommandLine) -> None:
    first = json.loads(demo.well("triage", "--json", "--tz", "UTC"))[0]
    wanted = first["examples"][0]["id"]
    page = demo.well("trace", wanted, "--tz", "UTC")
    assert re.search(r"finding +1: " + re.escape(first["title"].split(" since")[0]), page)
    assert json.loads(demo.well("trace", wanted, "--json"))["finding"].startswith("1: ")


def test_the_sql_behind_every_finding_runs_as_it_is_pasted(
    demo: CommandLine, proxied: CommandLine
) -> None:
    for ttsq in (demo, proxied):
        for rank in range(1, len(json.loads(ttsq.well("triage", "--json"))) + 1):
            explained = ttsq.well("triage", "--explain", str(rank))
            match = _RUN.search(explained)
            assert match, explained
            rows = json.loads(ttsq.well("sql", match[1], "--json"))
            assert rows, explained


def test_the_sql_behind_a_finding_names_the_store_that_was_asked(demo: CommandLine) -> None:
    store = f"duckdb:///{demo.store}"
    explained = demo.well("triage", "--db", store, "--explain", "1")
    assert f"\nttsq sql - --db {store} <<'END'\n" in explained


def test_answers_of_a_proxy_are_told_where_the_service_is_silent(proxied: CommandLine) -> None:
    first = json.loads(proxied.well("triage", "--json"))[0]
    assert (first["symptom"], first["error_code"], first["server"]) == (
        "http_errors",
        "502",
        "nginx",
    )
    assert first["severity"] == "critical" and first["examples"][0]["offset"] is not None


def test_what_changed_at_an_instant_is_told_whether_or_not_it_is_wrong(demo: CommandLine) -> None:
    found = json.loads(demo.well("triage", "--compare", "10:30", "--tz", "UTC", "--json"))
    assert found["enough"] and found["before"]["until_at"] == "2026-03-03T10:30:00.000Z"
    failures = next(c for c in found["changes"] if c["symptom"] == "failures")
    assert failures["name"] == "SCIPY_FFT_INVALID" and failures["after"] > failures["before"]
    page = demo.well("triage", "--compare", "10:30", "--tz", "UTC")
    assert page.splitlines()[0].startswith("before  2026-03-0") and "requests (" in page


def test_two_spans_are_compared_and_half_of_the_question_is_an_error(demo: CommandLine) -> None:
    words = ("--between", "06:00", "07:00", "--and", "08:00", "09:00", "--tz", "UTC")
    found = json.loads(demo.well("triage", *words, "--json"))
    assert found["after"]["since_at"] == "2026-03-03T08:00:00.000Z"
    assert demo("triage", "--between", "06:00", "07:00").code == 2
    assert demo("triage", "--compare", "2020-01-01").code == 2


def test_without_instants_a_finding_begins_at_a_place(tmp_path: Path) -> None:
    ttsq = _of_kind("engine_undated", 2, tmp_path)
    first = json.loads(ttsq.well("triage", "--json"))[0]
    assert (first["symptom"], first["stage"], first["since_at"]) == ("latency", "s2mel", None)
    assert first["since_place"].startswith(f"{tmp_path}/logs/gpu-") and first["changed"]
    assert "from " in first["title"] and first["since_place"] in first["title"]
    assert ttsq("triage", "--fail-if-any").code == 1


def test_a_healthy_window_says_what_was_looked_at(tmp_path: Path) -> None:
    ttsq = _of_kind("healthy_proxied", 1, tmp_path)
    page = ttsq.well("triage", "--tz", "UTC")
    assert re.match(r"nothing is wrong: [\d,]+ requests, [\d,]+ HTTP answers, 2026-03-21", page)
    assert "looked for failures" in page
    assert ttsq("triage", "--fail-if-any").code == 6


def test_the_path_of_the_access_line_is_a_condition_of_requests(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    records, lines = [], []
    for number in range(600):
        at = datetime(2026, 3, 3, 8, tzinfo=UTC) + timedelta(seconds=20 * number)
        path = ("/v1/audio/speech", "/v1/batch/speech", "/tts")[number % 3]
        ill = path == "/v1/batch/speech" and number >= 300
        head = f"{at:%Y-%m-%d %H:%M:%S},000 - app.tts_engine - INFO - "
        end = "status=failed, error_code=BATCH_BROKEN" if ill else "status=success"
        records += [
            f"{head}synthesis_start: id=ts_{number:08x}, request_id=r{number}, lang=en\n",
            f"{head}synthesis_complete: id=ts_{number:08x}, {end}, duration_ms=400\n",
        ]
        lines.append(
            f'10.0.0.{number % 7} - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "POST {path} HTTP/1.1" 200 '
            f'512 "-" "curl" rt=0.400 urt=0.400 rid=r{number}\n'
        )
    (tmp_path / "app.log").write_text("".join(records))
    (tmp_path / "access.log").write_text("".join(lines))
    ttsq.well("ingest", "app.log", "access.log", "--final", "--tz", "UTC")
    first = json.loads(ttsq.well("triage", "--json"))[0]
    assert first["error_code"] == "BATCH_BROKEN"
    assert first["condition"] == {"path": "/v1/batch/speech"}
    match = _RUN.search(ttsq.well("triage", "--explain", "1"))
    assert match
    assert len(json.loads(ttsq.well("sql", match[1], "--json"))) == 100
