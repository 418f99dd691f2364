"""Headers in the manners that loggers have: level, message, engine's line and access line behind
each, and its time.
"""

from datetime import datetime
from pathlib import Path

import pytest

from tests.real_cases.test_services import asked, ingested

_TRACE = (
    'Traceback (most recent call last):\n  File "/app/api.py", line 88, in tts\n    wav = infer()\n'
    "RuntimeError: no\n"
)
# what stands before a message; {0} is the level, {1} in small letters
_STAMPED = [
    "2026-03-02 10:00:05,123 - {0} - app.api - ",
    "2026-03-02 10:00:05,123 [{0:>8}] (app.api) ",
    "2026-03-02 10:00:05,123 gpu1 app[12] {0} ",
    "2026-03-02 10:00:05.123 | {0:<8} | app.api:f:88 - ",
    "2026-03-02T10:00:05.123Z {1} ",
    "2026-03-02 10:00:05+00:00 {0} ",
    "2026-03-02_10:00:05 {0} ",
    "2026.03.02 10:00:05 {0} ",
    "20260302-10:00:05 {0} ",
    "260302 10:00:05 {0} ",
    "2026/03/02 10:00:05 [{1}] 12#12: ",
    "02/Mar/2026 10:00:05 {0} app: ",
    "Mon, 02 Mar 2026 10:00:05 {0} app: ",
    "Mon Mar  2 10:00:05 2026 {0} ",
    "[2026-03-02 10:00:05 {0}] ",
    "[2026-03-02 10:00:05 +0000] [12] [{0}] ",
    "[{0}] 2026-03-02 10:00:05 app.api: ",
    "<{0}> 2026-03-02 10:00:05 ",
    "03-02 10:00:05.123 {0} api.py:88] ",
    "{0} 03-02 10:00:05 api.py:88] ",
    "10:00:05.123 [{0}] app.api - ",
]
_UNSTAMPED = [
    "{0}:     ", "{0}:app.api:", "{0} - ", "{0} | ", "[{0}] ", "[{0}] app.api: ", "[{0}][app.api] ",
    "app.api - {0} - ",
]  # fmt: skip


def _log(before: str, level: str) -> str:
    def line(word: str, message: str) -> str:
        return before.format(word, word.lower()) + message + "\n"

    return (
        line(level, "disk is full now") + (_TRACE if level == "ERROR" else "")
        + line("INFO", "ok then") + line("INFO", ">> starting inference...")
        + line("INFO", '10.0.0.1:5 - "POST /tts HTTP/1.1" 200 OK')
    )  # fmt: skip


@pytest.mark.parametrize("level", ["ERROR", "WARNING"])
@pytest.mark.parametrize("before", [*_STAMPED, *_UNSTAMPED])
def test_a_header_is_told_from_its_message(before: str, level: str, tmp_path: Path) -> None:
    store = ingested(tmp_path, _log(before, level).encode())
    raised = "RuntimeError" if level == "ERROR" else None
    found = asked(store, "select level, message, exception_type from errors")
    assert found == [(level, "disk is full now", raised)]
    assert asked(store, "select count(*) from requests") == [(1,)]
    assert asked(store, "select client, path from http_requests") == [("10.0.0.1", "/tts")]
    if before in _STAMPED:
        ((at,),) = asked(store, "select occurred_at at time zone 'UTC' from errors")
        assert isinstance(at, datetime) and (at.minute, at.second) == (0, 5)


@pytest.mark.parametrize(
    "text",
    ["[ERROR] in a text", "ERROR is a word", "errors - none", "a - ERROR", "[Errno 28] no space"],
)
def test_a_text_within_a_line_has_no_level(text: str, tmp_path: Path) -> None:
    log = f"2026-03-02 10:00:05,123 - app - INFO - {text}\nx {text}\n"
    assert asked(ingested(tmp_path, log.encode()), "select message from errors") == []
