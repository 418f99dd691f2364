"""Errors that ffmpeg writes, in the service's log or in a file that the request's id names."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import CommandLine

_APPLICATION = """\
2026-03-02 14:22:37,892 - app - INFO - synthesis_start: id=ts_7f3a2b1c, text="Hello"
2026-03-02 14:22:38,415 - app - ERROR - synthesis_failed: id=ts_7f3a2b1c, ffmpeg returned 1
[mp3 @ 0x55d0c0] Specified sample rate 12345 is not supported
2026-03-02 14:22:38,416 - app - INFO - synthesis_complete: id=ts_7f3a2b1c, status=failed
"""
_OWN = """\
ffmpeg version 5.1.6-0+deb12u1 Copyright (c) 2000-2024 the FFmpeg developers
  built with gcc 12 (Debian 12.2.0-14)
Input #0, wav, from '/tmp/x.wav':
  Duration: 00:00:01.00, bitrate: 352 kb/s
[libmp3lame @ 0x55d0c0] Specified sample rate 12345 is not supported
Conversion failed!
"""
_ERRORS = (
    "select code, id, request_key is not null as known, message from errors order by error_key"
)


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(_APPLICATION)
    return CommandLine(tmp_path)


def _errors(ttsq: CommandLine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(ttsq.well("sql", _ERRORS, "--json"))
    return found


def test_its_lines_within_a_record_stay_in_its_message(ttsq: CommandLine) -> None:
    ttsq.well("ingest", "app.log", "--final", "--tz", "UTC")
    (error,) = _errors(ttsq)
    assert error["message"].endswith("Specified sample rate 12345 is not supported")


@pytest.mark.parametrize("is_first", [True, False])
def test_a_file_of_its_own_is_of_the_request_that_its_name_says(
    ttsq: CommandLine, is_first: bool
) -> None:
    own = ttsq.folder / "ffmpeg-ts_7f3a2b1c.log"
    own.write_text(_OWN)
    order = [own, "app.log"] if is_first else ["app.log", own]
    os.utime(own, (1772461360, 1772461360))  # 14:22:40 UTC on the day of the request
    for path in order:
        ttsq.well("ingest", path, "--final", "--tz", "UTC")
    errors = [e for e in _errors(ttsq) if not e["message"].startswith("synthesis_failed")]
    assert [e["message"] for e in errors] == [
        "[libmp3lame @ 0x55d0c0] Specified sample rate 12345 is not supported",
        "Conversion failed!",
    ]
    assert {(e["code"], e["id"], e["known"]) for e in errors} == {
        ("FFMPEG_FAILED", "ts_7f3a2b1c", True)
    }
    own.rename(ttsq.folder / "moved.log")  # the id was taken from the name that it first had
    assert "lost 0, doubled 0" in ttsq.well("verify")
    out = ttsq.well("trace", "ts_7f3a2b1c", "--tz", "UTC")
    assert "Conversion failed!" in out[out.index("log lines:") :]


def test_a_file_without_an_error_is_a_log_without_rows(ttsq: CommandLine) -> None:
    (ttsq.folder / "ffmpeg-ts_1.log").write_text(_OWN.split("[libmp3lame")[0])
    ttsq.well("ingest", "ffmpeg-ts_1.log", "--final")
    assert _errors(ttsq) == []


def test_how_it_ended_is_kept(ttsq: CommandLine) -> None:
    (ttsq.folder / "plain.log").write_text("ffmpeg returned non-zero exit status 187\n")
    ttsq.well("ingest", "plain.log", "--final")
    sql = "select code, attributes from errors"
    (row,) = json.loads(ttsq.well("sql", sql, "--json"))
    assert row["code"] == "FFMPEG_FAILED"
    assert "187" in json.dumps(row["attributes"])
