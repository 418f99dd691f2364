"""What is joined stays joined: through kill -9 between and within the logs, pruning, and replay."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.correlation.service import Service
from tests.support.busy_hour import BusyHour, busy_hour
from tests.support.command_line import ROOT

ENGINES = ("duckdb", "postgresql")
_PRUNED = "2026-03-02T14:04:00Z"
_OWNERS = (
    "select e.message, r.id from errors e left join requests r on r.request_key = e.request_key "
    "order by 1"
)


def _logs(seed: int, has_names: bool) -> dict[str, list[str]]:
    """Ten minutes of a proxy and a service, the proxy's error log, and a worker's errors."""
    hour: BusyHour = busy_hour(seed, per_minute=20, has_names=has_names, seconds=600)
    given_up = [line for line in hour.access if '" 504 ' in line or '" 499 ' in line]
    error = [
        f"2026/03/02 {line.split('2026:')[1][:8]} [error] 31#31: *{number} upstream timed out "
        "(110: Connection timed out) while reading response header from upstream, client: "
        f'10.3.0.7, server: , request: "POST /v1/audio/speech HTTP/1.1", upstream: "http://u/{number}"\n'
        for number, line in enumerate(given_up)
    ]
    worker = [
        f"{line[:23]} - worker - ERROR - vocoder of {number} failed, "
        f"request_id={line.split('request_id=')[1].split(',')[0]}\n"
        for number, line in enumerate(hour.application)
        if "request_id=" in line and number % 9 == 0
    ]
    return {"access": hour.access, "app": hour.application, "error": error, "worker": worker}


def _written(service: Service, logs: dict[str, list[str]]) -> dict[str, Path]:
    paths = {name: service.access.with_name(f"{name}.log") for name in logs}
    for name, lines in logs.items():
        paths[name].write_text("".join(lines))
    return paths


def _found(service: Service) -> tuple[object, object]:
    answers = service.rows(
        "select h.byte_offset, r.id from http_requests h "
        "left join requests r on r.request_key = h.request_key order by h.byte_offset"
    )
    return answers, service.rows(_OWNERS)


def _killed(service: Service, path: Path, seconds: float) -> None:
    """An ingest with small commits, killed after so long."""
    words = ["-m", "tests.support.ttsq_in_small_chunks", "4096", "--db", service.url, "ingest"]
    process = subprocess.Popen(
        [sys.executable, *words, str(path), "--tz", "UTC", "--final"],
        cwd=ROOT, env=os.environ | {"TZ": "UTC"}, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(seconds)
    process.kill()
    process.wait()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("has_names", [False, True], ids=["by order", "by name"])
def test_killed_between_the_logs_the_joins_are_those_of_an_undisturbed_run(
    tmp_path: Path, engine: str, has_names: bool
) -> None:
    logs, draw = _logs(11, has_names), random.Random(12)
    whole, other = Service(tmp_path / "whole", engine), Service(tmp_path / "other", engine)
    for path in _written(whole, logs).values():
        whole.ingest(path)
    paths = [*_written(other, logs).values()]
    for path in draw.sample(paths, len(paths)):
        _killed(other, path, draw.uniform(0.5, 1.5))
    for path in draw.sample(paths, len(paths)):
        other.ingest(path)
    answers, owners = _found(whole)
    assert _found(other) == (answers, owners)
    assert len(whole.answers()) > 80
    assert not has_names or any(name for _, name in _pairs(owners))


def _pairs(rows: object) -> Sequence[tuple[object, object]]:
    assert isinstance(rows, list)
    return rows


@pytest.mark.parametrize("engine", ENGINES)
def test_a_log_read_after_pruning_joins_what_is_left(tmp_path: Path, engine: str) -> None:
    logs = _logs(13, has_names=True)
    whole, other = Service(tmp_path / "whole", engine), Service(tmp_path / "other", engine)
    for service, early, late in (
        (whole, ("app", "access", "error", "worker"), ()),
        (other, ("app", "worker"), ("error", "access")),
    ):
        paths = _written(service, logs)
        for name in early:
            service.ingest(paths[name])
        service.run("prune", "--older-than", _PRUNED)
        for name in late:
            service.ingest(paths[name])
        service.run("prune", "--older-than", _PRUNED)
    assert _found(other) == _found(whole)
    assert len(whole.answers()) > 60


@pytest.mark.parametrize("engine", ENGINES)
def test_replay_and_reading_anew_change_no_join(tmp_path: Path, engine: str) -> None:
    logs = _logs(14, has_names=False)
    service = Service(tmp_path, engine)
    paths = _written(service, logs)
    for name in ("access", "error", "app"):
        service.ingest(paths[name])
    before = _found(service)
    service.run("replay")
    assert _found(service) == before
    for name in ("access", "app", "error"):
        service.run("reread", paths[name], "--tz", "UTC")
    assert _found(service) == before
    assert "lost 0, doubled 0" in service.run("verify")
