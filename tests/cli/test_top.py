"""``ttsq top``: the last minutes, once and live."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.stores.contract import Store
from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks.top import last_minutes, newest_request
from tests.support import harness, postgres_server
from tests.support.command_line import CommandLine

_STAMP = "2026-03-02 14:{minute:02d}:00,000"


def _log(folder: Path) -> Path:
    """One request a minute from 14:00 to 14:29; every fifth fails, the last one does not end."""
    lines = []
    for n in range(30):
        at, name = _STAMP.format(minute=n), f"ts_{n:08x}"
        lines.append(f'{at} - app - INFO - synthesis_start: id={name}, text="hello"')
        lines.append(
            f"{at} - app - INFO - stage_time: stage=llm_inference, id={name}, duration_ms={100 + n}"
        )
        if n == 29:
            continue
        code = ", error_code=CUDA_OOM" if n % 5 == 0 else ""
        status = "failed" if code else "success"
        if code:
            lines.append(
                f"{at} - app - ERROR - synthesis_failed: id={name}{code}, out of \x1b[31mmemory"
            )
        lines.append(
            f"{at} - app - INFO - synthesis_complete: id={name}, status={status}, "
            f"duration_ms={200 + n}{code}"
        )
    path = folder / "app.log"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    line = CommandLine(tmp_path).with_tables()
    line.well("ingest", _log(tmp_path), "--final", "--tz", "UTC")
    return line


def test_the_minutes_before_the_newest_request(ttsq: CommandLine) -> None:
    told = json.loads(ttsq.well("top", "--as-of", "data", "--window", "9m", "--json"))
    assert (told["requests"], told["finished"], told["failures"], told["unfinished"]) == (
        10,
        9,
        2,
        1,
    )
    assert told["codes"] == [["CUDA_OOM", 2]]
    assert told["p50_ms"] == 224
    assert [s["stage"] for s in told["stages"]] == ["llm_inference"]
    assert told["stages"][0]["samples"] == 10
    assert len(told["errors"]) == 2
    shown = ttsq.well("top", "--as-of", "data", "--window", "9m", "--tz", "UTC")
    assert "2 failed (22.2 %)" in shown and "1 unfinished" in shown
    assert "\x1b[31mmemory" not in shown


def test_a_window_without_anything_says_what_to_do(ttsq: CommandLine) -> None:
    assert "nothing was logged in this window" in ttsq.well("top", "--once")


def test_a_window_that_is_none_is_refused(ttsq: CommandLine) -> None:
    ended = ttsq("top", "--window", "soon")
    assert ended.code == 2
    assert "the option --window is given 'soon'" in ended.err


def test_both_stores_tell_the_same(tmp_path: Path) -> None:
    path = _log(tmp_path)
    stores: list[Store] = [DuckDBStore(tmp_path / "s.duckdb"), postgres_server.new_store()]
    views = []
    for store in stores:
        harness.run(store, [path], final=True)
        with store.reading() as reader:
            newest = newest_request(reader)
            assert newest == datetime(2026, 3, 2, 14, 29, tzinfo=UTC)
            views.append(last_minutes(reader, newest, timedelta(minutes=20)))
    assert views[0] == views[1]


def test_it_draws_in_a_terminal_until_it_is_interrupted(ttsq: CommandLine) -> None:
    main, side = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "ingest",
        "top",
        "--as-of",
        "data",
        "--window",
        "1h",
        "--every",
        "0.5",
    ]
    process = subprocess.Popen(
        command, cwd=ttsq.folder, env=ttsq.environment | {"TERM": "xterm"},
        stdin=side, stdout=side, stderr=side, start_new_session=True,
    )  # fmt: skip
    os.close(side)
    seen = b""
    deadline = time.monotonic() + 60
    while b"CUDA_OOM" not in seen and time.monotonic() < deadline:
        if select.select([main], [], [], 1)[0]:
            seen += os.read(main, 65536)
    assert b"CUDA_OOM" in seen
    process.send_signal(signal.SIGINT)
    while select.select([main], [], [], 0.2)[0] or process.poll() is None:
        try:
            seen += os.read(main, 65536)
        except OSError:
            break
    assert process.wait(30) == 130
    assert b"Traceback" not in seen
