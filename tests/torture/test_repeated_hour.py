"""A log that is rotated in the hour that exists twice goes on where the file before it ended."""

import gzip
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.command_line import CommandLine

_ZONE = ZoneInfo("America/New_York")  # the clocks went back on 2026-11-01 at 06:00 UTC
_FIRST = datetime(2026, 11, 1, 4, 30, tzinfo=UTC)
_REQUESTS = 36  # one in five minutes: half an hour before, both passes, half an hour behind


def _stamped(at: datetime, is_native: bool) -> str:
    wall = at.astimezone(_ZONE)
    if is_native:
        return f"{wall:%Y-%m-%d %H:%M:%S},{wall.microsecond // 1000:03} - app - INFO - "
    return f"{wall:%Y-%m-%d %H:%M:%S}.{wall.microsecond // 1000:03} | INFO     | app:f:1 - "


def _lines(is_native: bool) -> list[str]:
    lines = []
    for n in range(_REQUESTS):
        at = _FIRST + timedelta(minutes=5 * n)
        lines.append(_stamped(at, is_native) + f"synthesis_start: id=ts_{n}, text_len=3\n")
        lines.append(
            _stamped(at + timedelta(seconds=1), is_native)
            + f"synthesis_complete: id=ts_{n}, status=success, duration_ms=1000\n"
        )
    return lines


@pytest.mark.parametrize("is_native", [True, False])
@pytest.mark.parametrize("cuts", [[27], [37], [13, 29, 33], [31, 45]])
@pytest.mark.parametrize("polls", ["once", "each", "packed"])
def test_a_log_rotated_in_the_repeated_hour(
    cuts: list[int], is_native: bool, polls: str, tmp_path: Path
) -> None:
    ttsq, logs = CommandLine(tmp_path).with_tables(), tmp_path / "logs"
    logs.mkdir()
    lines, begin = _lines(is_native), 0
    for number, end in enumerate([*cuts, len(lines)]):
        for age in range(number, 0, -1):  # app.log becomes app.log.1, that app.log.2, …
            newer = f"app.log.{age - 1}" if age > 1 else "app.log"
            (logs / newer).rename(logs / f"app.log.{age}")
        (logs / "app.log").write_text("".join(lines[begin:end]))
        begin = end
        if polls == "each":
            ttsq.well("ingest", "logs", "--tz", _ZONE.key)
    for path in sorted(logs.glob("app.log.*")) if polls == "packed" else []:
        packed = path.with_name(path.name + ".gz")
        packed.write_bytes(gzip.compress(path.read_bytes()))
        os.utime(packed, ns=(path.stat().st_mtime_ns,) * 2)  # as gzip does
        path.unlink()
    ttsq.well("ingest", "logs", "--final", "--tz", _ZONE.key)
    rows = ttsq.well(
        "sql",
        "select id, cast(epoch(started_at) as bigint), cast(epoch(completed_at) as bigint) "
        "from requests order by started_at",
        "--format",
        "csv",
    )
    began = int(_FIRST.timestamp())
    assert [line.split(",") for line in rows.splitlines()[1:]] == [
        [f"ts_{n}", str(began + 300 * n), str(began + 300 * n + 1)] for n in range(_REQUESTS)
    ]
    assert "lost 0, doubled 0" in ttsq.well("verify", "logs")
