"""The trace that docs/correlation.md prints is what ttsq prints of such logs."""

import os
from datetime import UTC, datetime
from pathlib import Path

from tests.support.command_line import ROOT, CommandLine

_ID, _NAME = "ts_7f3a2b1c", "5c1b3f0e9d2a4b6c8e7f10213243546a"
_APPLICATION = f"""\
2026-03-02 09:18:40,120 - app.tts_engine - INFO - synthesis_start: id={_ID}, request_id={_NAME}, text="Hello, world", lang=en, voice=nova
2026-03-02 09:18:40,131 - app.tts_engine - INFO - stage_time: stage=text_normalize, id={_ID}, duration_ms=11
2026-03-02 09:18:40,702 - app.tts_engine - INFO - stage_time: stage=llm_inference, id={_ID}, duration_ms=582
2026-03-02 09:18:40,951 - app.tts_engine - ERROR - synthesis_failed: id={_ID}, error_code=FFMPEG_FAILED, ffmpeg ended with exit status 1
2026-03-02 09:18:40,952 - app.tts_engine - INFO - synthesis_complete: id={_ID}, status=failed, duration_ms=832, text_len=12 chars, error_code=FFMPEG_FAILED, model_stage=audio_render
"""  # noqa: E501
_ACCESS = f"""\
10.3.0.7 - - [02/Mar/2026:09:18:40 +0000] "POST /v1/audio/speech HTTP/1.1" 200 178 "-" "python-httpx/0.27.0" rt=0.861 urt=0.839 rid={_NAME}
"""  # noqa: E501
_PROXY = """\
2026/03/02 09:18:40 [error] 31#31: *7 upstream prematurely closed connection while reading upstream, client: 10.3.0.7, server: tts.example, request: "POST /v1/audio/speech HTTP/1.1", upstream: "http://127.0.0.1:8000/v1/audio/speech", host: "tts.example"
"""  # noqa: E501
_FFMPEG = """\
[libmp3lame @ 0x5581] Invalid sample rate 7999
Error while opening encoder for output stream #0:0 - maybe incorrect parameters
Conversion failed!
"""


def test_the_trace_of_the_page_crosses_nginx_the_application_and_ffmpeg(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path).with_tables()
    logs = tmp_path / "log"
    logs.mkdir()
    for name, text in (
        ("app.log", _APPLICATION), ("access.log", _ACCESS), ("error.log", _PROXY),
        (f"ffmpeg-{_ID}.log", _FFMPEG),
    ):  # fmt: skip
        (logs / name).write_text(text)
        at = datetime(2026, 3, 2, 9, 18, 40, 940_000, tzinfo=UTC).timestamp()
        os.utime(logs / name, (at, at))
    ttsq.well("ingest", "log", "--final", "--tz", "UTC", "--host", "tts-1")
    page = (ROOT / "docs/correlation.md").read_text(encoding="utf-8")
    command, shown = page.split("```text\n$ ttsq ")[1].split("```")[0].split("\n", 1)
    assert ttsq.well(*command.split()) == shown.replace("/srv/", f"{tmp_path}/")
