"""Headers in the manners that loggers have: level, message, engine's line and access line behind
each, and its time.
"""

import json
from datetime import datetime
from pathlib import Path

import pytest

from ingest.records.event_names import names_event
from ingest.records.headers import header_of
from tests.real_cases.test_services import asked, ingested

_TRACE = (
    'Traceback (most recent call last):\n  File "/app/api.py", line 88, in tts\n    wav = infer()\n'
    "RuntimeError: no\n"
)
# what stands before a message; {0} is the level, {1} in small letters
_STAMPED = [
    "2026-03-02 10:00:05,123 - {0} - app.api - ",
    "2026-03-02 10:00:05,123 - app.api - {1} - ",
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
    "1772445605.123 {0} app.api: ",
    "[1772445605.123456] [{1}] ",
    "1772445605123 {0} ",
    "1.772445605123e+09\t{1}\tapp/api.go:88\t",
    "2026-03-02T10:00:05.123Z\t{0}\tapp\tapp/api.go:88\t",
    "2026-03-02T10:00:05.123Z {0:>5} 7 --- [main] c.e.tts.Api                  : ",
    "2026-03-02T10:00:05.123Z {0:>5} 7 --- [tts] [  worker-1] c.e.tts.Api : ",
    "2026-03-02T10:00:05.123456Z {0:>5} app::api: ",
    "2026-03-02T10:00:05.123456Z {0:>5} request{{id=1}}: app::api: ",
    "[2026-03-02T10:00:05Z {0:<5} app::api] ",
    "[10:00:05 {0}] ",
    "[Mon Mar 02 10:00:05.123456 2026] [{1}] ",
    "Mar 02 10:00:05 {0} ",
    "[ 2026-03-02 10:00:05 ] {0} ",
    "2026-03-02 10:00:05.123|{1}|",
    "{0}: 2026-03-02 10:00:05,123: app.api: ",
    "{1}: 2026-03-02 10:00:05 ",
    "[{0:<8}] 2026-03-02 10:00:05 ",
    "[{1}] [2026-03-02 10:00:05] ",
]
# the same with one letter for a level
_LETTERED = [
    "03-02 10:00:05.123  1234  1235 {0} TtsApi  : ",
    "2026-03-02 10:00:05.123456: {0} app/api.cc:88] ",
    "2026-03-02 10:00:05.123 [{0}] app: ",
    "2026-03-02 10:00:05.123 | {0} | ",
    "2026-03-02 10:00:05,123 {0} app: ",
    "[NeMo {0} 2026-03-02 10:00:05 api:88] ",
    "[{0}302 10:00:05.123456789 api.cpp:88] ",
    "[rank0]:[{0}302 10:00:05.123456789 api.cpp:88] ",
    "{0}0302 10:00:05.123456       1 api.go:88] ",
]
_UNSTAMPED = [
    "{0}:     ", "{0}:app.api:", "{0} - ", "{0} | ", "[{0}] ", "[{0}] app.api: ", "[{0}][app.api] ",
    "app.api - {0} - ", "[{1}] ",
]  # fmt: skip
# with a logger that nothing separates from the message
_LOOSE = [
    "2026-03-02T10:00:05.123 {0} app.api ",
    "2026-03-02 10:00:05 {0} 12 MainThread api ",
    "1772445605.123 {0} api ",
    "2026-03-02 10:00:05,123,{0},app.api,",
    "2026-03-02 10:00:05 [{1}     ] ",
]


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


@pytest.mark.parametrize("before", [*_STAMPED, *_UNSTAMPED, *_LOOSE])
def test_a_colon_in_a_message_hides_no_level_and_no_event(before: str, tmp_path: Path) -> None:
    def line(level: str, message: str) -> str:
        return before.format(level, level.lower()) + message + "\n"

    log = (
        line("INFO", 'synthesis_start: id=ts_1, text="a: b, status=ok", lang=zh, voice=nova')
        + line("ERROR", "disk is full: now")
        + line("INFO", "synthesis_complete: id=ts_1, status=failed, duration_ms=523")
    )
    store = ingested(tmp_path, log.encode())
    columns = "id, status, duration_ms, text, voice"
    assert asked(store, f"select {columns} from requests") == [
        ("ts_1", "failed", 523.0, "a: b, status=ok", "nova")
    ]
    assert asked(store, "select level from errors where message like '%disk is full: now'") == [
        ("ERROR",)
    ]


@pytest.mark.parametrize("before", ["2026-03-02 10:00:05 ", "[2026-03-02 10:00:05] app.api: "])
def test_an_event_behind_a_stamp_needs_no_level(before: str, tmp_path: Path) -> None:
    log = f"{before}synthesis_start: id=ts_1, voice=nova\n{before}a line of words\n"
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select id, voice from requests") == [("ts_1", "nova")]
    assert asked(store, "select unclaimed from log_files") == [(1,)]


@pytest.mark.parametrize("level", ["ERROR", "WARNING"])
@pytest.mark.parametrize("before", _LETTERED)
def test_a_letter_is_a_level_beside_a_tag_or_a_place(
    before: str, level: str, tmp_path: Path
) -> None:
    def line(word: str, message: str) -> str:
        return before.format(word[0]) + message + "\n"

    log = line(level, "disk is full now") + line("INFO", ">> starting inference...")
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select level, message from errors") == [(level, "disk is full now")]
    assert asked(store, "select count(*) from requests") == [(1,)]
    ((at,),) = asked(store, "select occurred_at at time zone 'UTC' from errors")
    assert isinstance(at, datetime) and (at.minute, at.second) == (0, 5)


@pytest.mark.parametrize(
    "line",
    [
        'WARN[0005] disk is full now                              disk=sda1 used=99',
        "WARN[2026-03-02T10:00:05Z] disk is full now                    disk=sda1 used=99",
        '2026-03-02T10:00:05Z\twarn\tapi\ta.go:8\tdisk is full now\t{"disk": "sda1", "used": 99}',
        'time=2026-03-02T10:00:05Z level=warning msg="disk is full now" disk=sda1 used=99',
    ],
)  # fmt: skip
def test_fields_behind_a_message_are_attributes(line: str, tmp_path: Path) -> None:
    store = ingested(tmp_path, (line + "\n").encode())
    ((message, level, attributes),) = asked(store, "select message, level, attributes from errors")
    assert (message, level) == ("disk is full now", "WARNING")
    assert json.loads(str(attributes)).items() >= {"disk": "sda1", "used": "99"}.items()


@pytest.mark.parametrize(
    "text",
    [
        "1772445605 bytes were read, no ERROR among them",
        "1772445605123: E is a letter",
        "2026-03-02 10:00:05 E is for error",
        "2026-03-02 10:00:05 W",
        "[E] is a letter",
        "[W302] is a code",
        "E/Tts: no",
        "ERRO[0001]",
        "a\tERROR\tb",
        "1.5\tERROR\tb.go:1\tc",
        "a-b tts ERROR: no",
        "two-words tts ERROR: no",
        "tts-six66 container ERROR: no",
    ],
)  # fmt: skip
def test_a_text_with_a_letter_a_number_or_a_tab_has_no_level(text: str, tmp_path: Path) -> None:
    log = f"2026-03-02 10:00:05,123 - app - INFO - ok\n{text}\n"
    assert asked(ingested(tmp_path, log.encode()), "select message from errors") == []


@pytest.mark.parametrize(
    "text",
    ["[ERROR] in a text", "ERROR is a word", "errors - none", "a - ERROR", "[Errno 28] no space"],
)
def test_a_text_within_a_line_has_no_level(text: str, tmp_path: Path) -> None:
    log = f"2026-03-02 10:00:05,123 - app - INFO - {text}\nx {text}\n"
    assert asked(ingested(tmp_path, log.encode()), "select message from errors") == []


@pytest.mark.parametrize(
    "line",
    [
        b"INFO" + b" " * 500_000,
        b"[INFO" + b" " * 500_000,
        b" ".join([b"." * 100] * 4),
        b" ".join([b"A1." * 40] * 4),
        b"INFO " + b"- " * 200_000,
        b"x.y " * 200_000,
    ],
)
def test_a_line_that_repeats_itself_is_looked_through_once(line: bytes) -> None:
    """Expressions that try each way to part it would take minutes, or hours, for these."""
    for begin in (b"", b"2026-03-02 10:00:00 ", b"[INFO] "):
        header_of(begin + line)
        assert not names_event(begin + line)


@pytest.mark.parametrize(
    "line",
    ["error: disk is full", "error  disk is full", "ERROR   disk is full", "ERROR\tdisk is full",
     "fail: Tts.Engine[13]\n      disk is full",
     'error: disk is full {"service":"tts","timestamp":"2026-03-02 10:00:05"}',
     '2026-03-02T10:00:05.123Z error: disk is full {"service":"tts"}',
     'E0302 10:00:05.123456 1 model_lifecycle.cc:626] "disk is full"'],
)  # fmt: skip
def test_a_small_level_alone_is_a_header(line: str, tmp_path: Path) -> None:
    log = f"info: ready\n{line}\ninfo: ready\ninfo  >> starting inference...\n"
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select level, message from errors") == [("ERROR", "disk is full")]
    assert asked(store, "select count(*) from requests") == [(1,)]


def test_winstons_object_tells_of_a_request(tmp_path: Path) -> None:
    log = (
        'info: synthesis started {"requestId":"r1","voice":"nova","timestamp":"2026-03-02 10:00"}'
        '\nerror: synthesis failed {"requestId":"r1","timestamp":"2026-03-02 10:00:06"}\n'
    )
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select id, voice, status, time_source from requests") == [
        ("r1", "nova", "failed", "logged")
    ]
    ((at,),) = asked(store, "select occurred_at at time zone 'UTC' from errors")
    assert isinstance(at, datetime) and at.second == 6


@pytest.mark.parametrize(
    "line",
    ['info: saying hello {"requestId":"r2","timestamp":"2031-03-02 10:00:05"}',
     'info: synthesis failed: {"requestId":"r2","timestamp":"2031-03-02 10:00:05"}',
     'warn: text: {"requestId":"r2","timestamp":"2031-03-02 10:00:05"}',
     'info: synthesis started text="x {"requestId":"r2"}'],
)  # fmt: skip
def test_an_object_at_the_end_of_a_text_is_no_field(line: str, tmp_path: Path) -> None:
    store = ingested(tmp_path, f"info: ready\n{line}\n2026-03-02 10:00:05 [ERROR] no\n".encode())
    assert asked(store, "select count(*) from requests") == [(0,)]
    assert asked(store, "select count(*) from errors where request_id is not null") == [(0,)]
    assert asked(store, "select count(*) from errors where occurred_at > '2030-01-01'") == [(0,)]
