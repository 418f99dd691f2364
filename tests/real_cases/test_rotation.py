"""Logs of services that are rotated while they are written: a request goes on in the next file of
the series.
"""

import random
from pathlib import Path

import pytest

from ingest.records import in_turn
from tests.real_cases import walk
from tests.real_cases.test_services import BARS, ENVELOPES, asked
from tests.support import harness


def service(requests: int) -> str:
    """What a service prints of so many requests, each with figures of its own; every third fails."""  # noqa: E501
    return "".join(_request(number) for number in range(requests))


def _request(number: int) -> str:
    port = 40_000 + number
    if number % 3 == 2:
        return (
            ">> starting inference...\n"
            f'INFO:     10.3.0.7:{port} - "POST /tts HTTP/1.1" 500 Internal Server Error\n'
            "ERROR:    Exception in ASGI application\nTraceback (most recent call last):\n"
            f'  File "/app/api.py", line {number + 1}, in tts\n    wav = infer()\n'
            f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {number}.27 GiB.\n"
        )
    return (
        f">> starting inference...\n{BARS}>> gpt_gen_time: {number}.93 seconds\n"
        f">> s2mel_time: {number}.56 seconds\n>> bigvgan_time: 0.07 seconds\n"
        f">> Total inference time: {2 * number + 2}.15 seconds\n>> Generated audio length: "
        f"2.5{number} seconds\n"
        f'>> RTF: 1.4308\nINFO:     10.3.0.7:{port} - "POST /tts HTTP/1.1" 200 OK\n'
        f"a plain print of {number}\n"
    )


# kubelet renames to a date; Docker, logrotate and who keeps another transport's output count up
@pytest.mark.parametrize(
    ("name", "numbered"), [*((name, True) for name in ENVELOPES if name != "CRI"), ("CRI", False)]
)
def test_a_rotated_log_gives_the_rows_of_one_undisturbed_run(
    name: str, numbered: bool, tmp_path: Path
) -> None:
    lines = ENVELOPES[name](service(3)).encode().splitlines(keepends=True)
    live = "tts-json.log" if numbered else "0.log"
    whole = walk.rotated(lines, live, numbered, tmp_path / "whole", random.Random(0), 0)
    assert sorted(r["status"] for r in whole["requests"]) == ["failed"] + ["success"] * 2
    assert len(whole["stage_timings"]) == 2 * 3 and not whole["quarantine"]
    assert all(row["request_key"] for row in whole["errors"] + whole["http_requests"])
    often = 0.4 if numbered else 0.1
    read_often = walk.rotated(lines, live, numbered, tmp_path / "often", random.Random(name), often)
    assert walk.differing(whole, read_often) == []


@pytest.mark.parametrize("name", ENVELOPES)
def test_runs_that_are_killed_over_a_rotated_log_lose_and_repeat_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ENVELOPES[name](service(4)).encode().splitlines(keepends=True)
    whole = walk.rotated(lines, "0.log", True, tmp_path / "whole", random.Random(0), 0)
    monkeypatch.setattr(in_turn, "LEAST", 1)  # small chunks are learnt from, too
    chosen = random.Random(f"killed {name}")
    found = walk.rotated(lines, "0.log", True, tmp_path / "k", chosen, 0.15, killed=True)
    assert walk.differing(whole, found) == []


@pytest.mark.parametrize("name", ["docker json-file", "CRI"])
def test_so_do_they_on_postgresql(name: str, tmp_path: Path) -> None:
    lines = ENVELOPES[name](service(3)).encode().splitlines(keepends=True)
    whole = walk.rotated(lines, "0.log", True, tmp_path / "whole", random.Random(0), 0)
    chosen = random.Random(f"on postgresql {name}")
    found = walk.rotated(
        lines, "0.log", True, tmp_path / "k", chosen, 0.1, killed=True, engine="postgresql"
    )
    assert walk.differing(whole, found) == []


def test_a_request_goes_on_in_the_next_file(tmp_path: Path) -> None:
    store, live = harness.new_store(tmp_path), tmp_path / "app.log"
    text = service(1)
    cut = text.index(">> s2mel_time")
    live.write_text(text[:cut])
    harness.run(store, [live])
    live.rename(tmp_path / "app.log.1")
    live.write_text(text[cut:])
    harness.run(store, [live], final=True)
    assert asked(store, "select status, duration_ms from requests") == [("success", 2150.0)]
    stages = asked(store, "select stage, duration_ms from stage_timings order by seq")
    assert stages == [("gpt_gen", 930.0), ("s2mel", 560.0), ("bigvgan", 70.0)]
    assert asked(store, "select count(*) from http_requests where request_key is not null") == [
        (1,)
    ]
