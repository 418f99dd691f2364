"""``ttsq trace`` over a proxy's access lines: by X-Request-ID, by a client's address, and without a
synthesis.
"""

import json
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine

_NAME = "4bf92f3577b34da6"
_APPLICATION = f"""\
2026-03-02 14:22:37,892 - app - INFO - synthesis_start: id=ts_7f3a2b1c, request_id={_NAME}, text="Hello"
2026-03-02 14:22:38,375 - app - INFO - stage_time: stage=llm_inference, id=ts_7f3a2b1c, duration_ms=483
2026-03-02 14:22:38,416 - app - INFO - synthesis_complete: id=ts_7f3a2b1c, status=failed, duration_ms=523, error_code=OOM
"""  # noqa: E501
_ACCESS = f"""\
10.3.0.7 - - [02/Mar/2026:14:22:38 +0000] "POST /tts HTTP/1.1" 200 512 "-" "curl/8.5" rt=0.540 urt=0.538 rid={_NAME}
10.3.0.8 - - [02/Mar/2026:14:25:38 +0000] "POST /tts HTTP/1.1" 422 12 "-" "curl/8.5" rt=0.004 urt=0.003 rid=77f92f3577
10.3.0.8 - - [02/Mar/2026:16:25:38 +0000] "POST /tts HTTP/1.1" 429 12 "-" "curl/8.5" rt=0.001 rid=88f92f3577
"""  # noqa: E501


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(_APPLICATION)
    (tmp_path / "access.log").write_text(_ACCESS)
    found = CommandLine(tmp_path)
    found.well("ingest", "access.log", "app.log", "--final", "--tz", "UTC")
    return found


@pytest.mark.parametrize("wanted", [_NAME, "ts_7f3a2b1c", "10.3.0.7"])
def test_one_timeline_has_the_proxy_s_line_and_the_application_s(
    ttsq: CommandLine, wanted: str
) -> None:
    out = ttsq.well("trace", wanted, "--tz", "UTC")
    assert out.startswith("request ts_7f3a2b1c: failed, OOM, 523 ms\n")
    assert (
        "nginx  200  POST /tts  10.3.0.7  540 ms, 538 ms of it upstream  by X-Request-ID\n" in out
    )
    assert "answered with success, although the synthesis failed" in out
    lines = out[out.index("log lines: 4") :]
    assert lines.index("synthesis_start") < lines.index('"POST /tts') < lines.index("stage_time")
    assert f"{ttsq.folder}/access.log:0\n" in lines


def test_a_refused_request_is_its_access_line(ttsq: CommandLine) -> None:
    out = ttsq.well("trace", "77f92f3577", "--tz", "UTC")
    assert out.startswith("request 77f92f3577: HTTP 422, 4 ms\n")
    assert "log lines: 1\n" in out


def test_a_client_s_requests_are_listed_and_an_instant_chooses(ttsq: CommandLine) -> None:
    listed = json.loads(ttsq.well("trace", "10.3.0.8", "--json"))
    assert (listed["by"], len(listed["matches"])) == ("client", 2)
    out = ttsq.well("trace", "10.3.0.8", "--at", "2026-03-02T16:25Z", "--tz", "UTC")
    assert out.startswith("request 88f92f3577: HTTP 429")


def test_a_line_that_is_gone_is_shown_as_stored(ttsq: CommandLine) -> None:
    (ttsq.folder / "access.log").unlink()
    out = ttsq.well("trace", "ts_7f3a2b1c", "--tz", "UTC")
    assert "nginx POST /tts: 200, 540 ms (538 ms upstream), 10.3.0.7" in out
