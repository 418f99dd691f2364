"""Lines that print a text which comes once give the records that the general path gives of them,
whatever the text holds, whichever service prints it, and however the log is cut.
"""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from tests.properties.learnt import assert_both_read_the_same, examples, learn_from_little

_PROFILE = examples(20)
_STAMP = "%Y-%m-%d %H:%M:%S"
# services by what they print for a request: {t} is its text, {s} a stamp, {n} a number
_SERVICES = (
    ("{s},123 INFO synthesis text {t}", "{s},456 INFO yield speech len {n}.25, rtf 0.{n}",
     'INFO:     10.3.0.7:4{n} - "POST /tts HTTP/1.1" 200 OK'),
    (">> starting inference...", "origin text:{t}", ">> gpt_gen_time: {n}.25 seconds",
     ">> Total inference time: {n}.50 seconds", ">> RTF: 0.{n}",
     'INFO:     10.3.0.7:4{n} - "POST /tts HTTP/1.1" 200 OK'),
    ("origin text:{t}, spk_audio_prompt:a{n}.wav", ">> Total inference time: {n}.50 seconds"),
    ('{s},123 INFO tts.api Received TTS request: text="{t}", voice=af_{n}', "{s},130 INFO tts.api "
     "loading {t}", "{s},456 INFO tts.api: TTS request completed in {n}.5s"),
    ("{s}.123 | INFO     | tts.api:f:{n} - Encoded text: {t}",
     "{s}.456 | INFO     | tts.api:f:12 - Generated {n} tokens in {n}.25 seconds, 41.5 tokens/sec"),
    ("> Model input: {t}", " > Processing time: {n}.25", " > Real-time factor: 0.{n}"),
    ("INFO:piper:Synthesizing text: '{t}' with config=None", "INFO:piper:Real-time factor: 0.{n} "
     "(infer=0.{n} sec, audio={n}.5 sec)"),
    ("Text input: {r}", "INFO:     10.3.0.7:4{n} - \"POST /tts HTTP/1.1\" 200 OK"),
    ("处理TTS请求：text={t}, reference_id=v{n}", "gen_text 0 {t}", "gen_text 1 {t}"),
    ("len:{n} text：{t}", "收到TTS请求：{t}，音色：a{n}", "INFO:root:Received text: {t}"),
    ("[{n}] - Input text: {t}", "[INFO] api - said: {t}", "INFO:     text {t}", "{t}"),
)  # fmt: skip
_PLAIN = (
    "你好", "the train", "，", " leaves", " at nine", "。", "it's", " 12", ", ", "3.25", "?",
    " too short than prompt text 好", "ERROR", " INFO", "twenty-one", "é", "，音色：b",
)  # fmt: skip
_HOSTILE = (
    "=", "level=error ", "id=7", ": ", "] ", " - ", " | ", "[", "{", "}", '"', "'", "\\n", "\\",
    "\t", "%", "10:00:05", "2026-03-02 10:00:00", "2026-03-02 10:00:00,123 - a.b - INFO - x",
    "#011", "#033[0m", "\x1b[1m", "\u2028", "\x85",
    "100%|███| 3/3 [00:01<00:00, 1it/s]", ">> RTF: 1.5",
    ">> starting inference...", "synthesis text x", "synthesis_failed: ", 'text="', "ERROR: ",
    "WARNING - ", '"GET /tts HTTP/1.1" 200 OK', "Traceback (most recent call last):", "<b>", "...",
    ", spk_audio_prompt:x", "', voice='b", '", voice=b', "tts-0 server ", "- ", " -", "  ", "_",
    "`", "INFO:     Started server process [1]", "GET /x 200 5 ms - 3", "😀", "\ufeff", "\u200b",
)  # fmt: skip


def _text(chance: random.Random, hostile: float) -> str:
    made = []
    for _ in range(chance.choice((1, 3, 8, 20))):
        made.append(chance.choice(_HOSTILE if chance.random() < hostile else _PLAIN))
    text = "".join(made)
    if chance.random() < hostile / 2:
        text = text * chance.choice((0, 30, 300))
    return text


def _log(seed: int, hostile: float, requests: int) -> bytes:
    chance = random.Random(seed)
    wrap = chance.choice(
        ("{}", "{}", "indextts  | {}", "{at:%Y-%m-%dT%H:%M:%S.%f}789Z stdout F {}")
    )
    service = chance.choice(_SERVICES)
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    lines = ["the service begins " + "." * 1100]
    for _ in range(requests):
        text = _text(chance, hostile)
        for line in service:
            at += timedelta(milliseconds=chance.randrange(3000))
            filled = line.format(
                t=text, r=repr(text), s=f"{at:{_STAMP}}", n=chance.randrange(1, 900)
            )
            if chance.random() > hostile / 10:
                lines.append(wrap.format(filled, at=at))
            if chance.random() < hostile / 10:
                lines.append(wrap.format(_text(chance, hostile), at=at))
    return "".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass")


# access lines of which no mask is made: in JSON, in pairs, with something escaped or beyond ASCII
_ANSWERS: tuple[Callable[[dict[str, Any], str], str], ...] = (
    lambda f, t: json.dumps({"time_iso8601": f["at"] + "+00:00", "status": str(f["status"]),
                             "request": f"{f['method']} {f['path']} HTTP/1.1", "http_referer": t,
                             "remote_addr": "10.0.0.7", "request_time": "0.250",
                             "http_user_agent": t, "request_id": f["id"]}),
    lambda f, t: json.dumps({"level": "info", "ts": f["ts"], "msg": "handled request", "request": {
        "remote_ip": "10.0.0.7", "proto": "HTTP/2.0", "method": f["method"], "host": "tts",
        "uri": f["path"], "headers": {"User-Agent": [t]}}, "duration": 0.5, "size": 7,
        "status": f["status"]}, ensure_ascii=False),
    lambda f, t: json.dumps({"method": f["method"], "path": f["path"], "status": f["status"],
                             "duration_ms": 12.5, "timestamp": f["at"], "note": t,
                             "voice": f["id"]}, ensure_ascii=False),
    lambda f, t: f"time={f['at']}Z level=info method={f['method']} path={f['path']} "
                 f"status={f['status']} note={json.dumps(t)} duration=12ms",
    lambda f, t: f'10.3.0.7 - - [02/Mar/2026:10:00:00 +0100] "{f["method"]} {f["path"]}\\x22é '
                 f'HTTP/1.1" {f["status"]} 512 "-" "{t}" rt=1.250 urt="0.100, 0.250"',
)  # fmt: skip
_PATHS = ("/tts", "/v1/audio/speech", "/health", "/tts?text=你好", "/a%20b", "*", "", "/x'y",
          "/favicon.ico", "/é")  # fmt: skip


def _answers(seed: int, hostile: float, requests: int) -> bytes:
    chance = random.Random(seed)
    wrap = chance.choice(("{}", "{}", "proxy  | {}", "{at:%Y-%m-%dT%H:%M:%S.%f}789Z stdout F {}"))
    answer, engine = chance.choice(_ANSWERS), chance.random() < 0.5
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    lines = ["the service begins " + "." * 1100]
    for _ in range(requests):
        at += timedelta(milliseconds=chance.randrange(3000))
        text = _text(chance, hostile)
        fields = {
            "method": chance.choice(("POST", "POST", "GET")), "path": chance.choice(_PATHS[:3]),
            "status": chance.choice((200, 200, 200, 404, 500)), "at": f"{at:%Y-%m-%dT%H:%M:%S}",
            "ts": at.timestamp(), "id": f"{chance.getrandbits(64):016x}",
        }  # fmt: skip
        if chance.random() < hostile:
            fields["path"] = chance.choice(_PATHS)
        if engine and chance.random() < 0.7:
            lines.append(wrap.format(f"INFO synthesis text {text}", at=at))
        lines.append(wrap.format(answer(fields, text), at=at))
    return "".join(line + "\n" for line in lines).encode("utf-8", "surrogatepass")


@pytest.fixture(autouse=True)
def _small_chunks_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    learn_from_little(monkeypatch)


@_PROFILE
@given(
    st.integers(0, 1 << 30),
    st.sampled_from((0.0, 0.02, 0.1, 0.4)),
    st.sampled_from((3000, 20_000, 1 << 20)),
)
def test_texts_that_come_once_are_what_the_general_path_makes_of_them(
    seed: int, hostile: float, chunk: int
) -> None:
    data = _log(seed, hostile, 60)
    note(repr(data[1100:4000]))
    assert_both_read_the_same(data, chunk)


@_PROFILE
@given(
    st.integers(0, 1 << 30),
    st.sampled_from((0.0, 0.02, 0.1, 0.4)),
    st.sampled_from((3000, 20_000, 1 << 20)),
)
def test_access_lines_without_a_mask_are_what_the_general_path_makes_of_them(
    seed: int, hostile: float, chunk: int
) -> None:
    data = _answers(seed, hostile, 100)
    note(repr(data[1100:4000]))
    assert_both_read_the_same(data, chunk)


def test_half_a_character_in_a_quoted_text_is_left_to_the_general_path() -> None:
    lines = [f"Text input: ['{'ab' * k}\\ud800']" for k in range(1, 30)]
    data = "\n".join(["the service begins " + "." * 1100, *lines, ""]).encode()
    assert_both_read_the_same(data, 1 << 20)
