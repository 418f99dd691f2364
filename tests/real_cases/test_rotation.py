"""Logs of services that are rotated while they are written: a request goes on in the next file of
the series.
"""

import os
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


_OPENS = ">> starting inference...\n"


def _named(name: str, text: str) -> str:
    return "".join(f"{name}  | {line}\n" for line in text.splitlines())


def _read(folder: Path, *files: str) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
    """The requests, and the answers with the duration of the request answered, of a series."""
    store, live = harness.new_store(folder), folder / "app.log"
    for number, content in enumerate(files):
        path = live.with_name(f"app.log.{left}") if (left := len(files) - 1 - number) else live
        path.write_text(content)
        os.utime(path, (1_770_000_000 + number,) * 2)
    harness.run(store, [folder], final=True)
    requests = (
        "select instance, status, duration_ms, error_code from requests"
        " order by instance, duration_ms nulls first"
    )
    answers = (
        "select http_status, duration_ms from http_requests left join requests using (request_key)"
        " order by http_requests.file_key, byte_offset"
    )
    return asked(store, requests), asked(store, answers)


@pytest.mark.parametrize(
    "ends", ["a-1 exited with code 137\n", "a-1  | INFO:     Started server process [1]\n"]
)
def test_a_line_ends_a_request_of_the_file_before_and_another_ones_block_goes_on_there(
    ends: str, tmp_path: Path
) -> None:
    one, other = _named("a-1", _OPENS), _named("b-1", service(1))
    cut = other.index("b-1  | >> s2mel_time")
    requests, answers = _read(tmp_path, one + other[:cut], ends + other[cut:])
    assert requests == [
        ("a-1", "failed", None, "INTERRUPTED"),
        ("b-1", "success", 2150.0, None),
    ]
    assert answers == [(200, 2150.0)]


def test_one_line_ends_several_requests_of_the_file_before(tmp_path: Path) -> None:
    starts = "INFO:     Started server process [1]\n"
    requests, _ = _read(tmp_path, "a plain print\n" + _OPENS * 3, starts + service(1))
    assert [row[1] for row in requests] == ["failed"] * 3 + ["success"]


def test_a_file_that_begins_as_the_one_before_it_has_ids_of_its_own(tmp_path: Path) -> None:
    first, second = service(1), service(2)[len(service(1)) :]
    answer = first.index("INFO:")
    _, answers = _read(tmp_path, first[:answer], _OPENS + first[answer:] + second[len(_OPENS) :])
    assert answers == [(200, 2150.0), (200, 4150.0)]


def test_a_file_is_read_anew_where_the_file_before_it_ends_with_an_open_request(
    tmp_path: Path,
) -> None:
    store = harness.new_store(tmp_path)
    older, live = tmp_path / "app.log.1", tmp_path / "app.log"
    older.write_text(_OPENS)
    live.write_text("INFO:     Started server process [1]\n" + service(1))
    walk.read(store, [live], final=True)
    walk.read(store, [older], final=True)
    found = asked(store, "select status, error_code from requests order by duration_ms nulls first")
    assert found == [("failed", "INTERRUPTED"), ("success", None)]
