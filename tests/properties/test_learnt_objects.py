"""JSON lines whose shape is learnt give the records that the general path gives of them: whatever
their values are, however they are written, between whatever other lines.
"""

import json
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from ingest.records.learnt import modes
from tests.properties.envelopes import ENVELOPES
from tests.properties.learnt import assert_both_read_the_same, examples, learn_from_little

_PROFILE = examples(15)
Members = dict[str, Any]


def _iso(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}Z"


def _events(chance: random.Random, number: int, at: datetime) -> Members:
    """structlog, by the names of this product's own events."""
    name = {"id": f"ts_{number}", "level": "info", "logger": "tts.engine", "timestamp": _iso(at)}
    return chance.choice((
        {"text": f"你好 {number}", "voice": "alloy", "event": "synthesis_start", **name},
        {"stage": "llm", "duration_ms": number, "event": "stage_time", **name},
        {"status": "success", "duration_ms": number / 8, "event": "synthesis_complete", **name},
    ))  # fmt: skip


def _told(chance: random.Random, number: int, at: datetime) -> Members:
    """python-json-logger, by a service's own words."""
    name = {"levelname": "INFO", "name": "api", "request_id": f"req-{number // 3:08x}",
            "asctime": f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03}"}  # fmt: skip
    return (
        {**name, "message": "synthesis started", "text": f"hello {number}", "voice": "nova"},
        {**name, "message": "vocoder", "stage": "vocoder", "elapsed_ms": number / 4},
        {**name, "message": "synthesis completed", "duration": number / 1000, "rtf": number / 64,
         "status": "ok", "queue_depth": number % 9},
    )[number % 3]  # fmt: skip


def _pino(chance: random.Random, number: int, at: datetime) -> Members:
    name = {"level": 30, "time": int(at.timestamp() * 1000), "pid": 7, "hostname": "tts-0"}
    return chance.choice((
        {**name, "reqId": number, "msg": "cache is warm", "hits": number},
        {**name, "req_id": str(number), "msg": "request completed", "responseTime": number / 3},
    ))  # fmt: skip


def _zap(chance: random.Random, number: int, at: datetime) -> Members:
    return {"level": "info", "ts": at.timestamp(), "caller": "tts/serve.go:71", "msg": "loaded",
            "trace_id": f"{number:032x}", "took": number / 7, "ok": number % 2 == 0}  # fmt: skip


def _loguru(chance: random.Random, number: int, at: datetime) -> Members:
    message = chance.choice(("synthesis_start", "voice loaded", "TTS request received"))
    told = {"repr": f"{at:%Y-%m-%d %H:%M:%S.%f}+00:00", "timestamp": at.timestamp()}
    return {"text": f"{at} | {message}\n", "record": {
        "elapsed": {"repr": "0:00:01.5", "seconds": number / 16}, "exception": None,
        "extra": {"request_id": f"r{number}", "text": f"say {number}"}, "function": "infer",
        "level": {"icon": "i", "name": "INFO", "no": 20}, "line": 33, "message": message,
        "name": "tts.api", "process": {"id": 7, "name": "MainProcess"}, "time": told,
    }}  # fmt: skip


_SHAPES: tuple[Callable[[random.Random, int, datetime], Members], ...] = (
    _events, _told, _pino, _zap, _loguru,
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    "", " ", "x", "ERROR", "warning", "synthesis_start", "tts request failed", "failed", "success",
    "200", 0, -1, 500, 3.5, 1e300, 1e-7, float("nan"), float("inf"), 10**17, -0.0, 0.1 + 0.2,
    12345.6789012345, True, None, [], ["a", 1], {}, {"request_id": "z"}, {"status": "failed"},
    "你好，世界", "😀", "\ud800", "\0", "\n", "a\nb", '"', "\\", "}", "{", '{"a": 1}', "\x1b[1m",
    "\x7f", "\u2028", "#033[1m", "MESSAGE", "__REALTIME_TIMESTAMP", "2026-03-02T10:00:00Z",
    "10:00:05", "1772438400", 1772438400, 1772438400.25, "GET /tts HTTP/1.1", "/tts", 'text="',
    "synthesis_failed: id=7", "Traceback (most recent call last):\n  File", "1.2s", "x" * 999,
    "100%|###| 3/3 [00:01<00:00, 1it/s]", "2026-03-02 10:00:00,123 - a - INFO - b", "\r",
    "tts-0 server x", "error", "stdout", "zh-CN",
)  # fmt: skip
_KEYS = (
    "message", "event", "msg", "text", "id", "request_id", "level", "logger", "time", "timestamp",
    "stage", "status", "error", "exc_info", "voice", "duration_ms", "log", "stream", "labels",
    "method", "path", "status_code", "x", "耗时", "a\"b", "record", "kubernetes", "MESSAGE",
)  # fmt: skip
_OTHERS = (
    '{"message": "x"', '{"a": 1}', "{}", '{"message": "m", "message": "n"}', "loaded 7 of 9", "",
    '{"level": "error", "message": "it broke"}', '{"msg": "x", "n": 01}', '{"msg":"x","n":1e5}',
    '{"msg": "x",}', "{'message': 'x'}", '{"log": "x\\n", "stream": "stdout"}', "  indented",
    '{"level": "warning", "event": "synthesis_start", "id": "w1"}', '{"event": "stage_time"} ',
    ">> starting inference...", ">> Total inference time: 3.25 seconds", "Traceback (most recent",
    'INFO:     10.3.0.7:43122 - "POST /tts HTTP/1.1" 200 OK', '[{"message": "x"}]', "{x}",
    '{"method": "POST", "path": "/tts", "status": 200, "duration": 0.25, "message": "done"}',
)  # fmt: skip


def _changed(members: Members, chance: random.Random) -> Members:
    """Members with one that is odd."""
    key = chance.choice((*members, *_KEYS))
    changed = {**members, key: chance.choice(_VALUES)}
    if chance.random() < 0.2:
        changed = dict(chance.sample(list(changed.items()), len(changed)))
    return changed


def _json_log(seed: int, hostile: float, lines: int) -> bytes:
    chance = random.Random(seed)
    wrap = chance.choice(ENVELOPES[:5])
    shapes = chance.sample(_SHAPES, chance.randrange(1, 3))
    is_ascii = chance.random() < 0.5
    between = chance.choice(((", ", ": "), (",", ":")))
    at = chance.choice(
        (datetime(2026, 3, 2, 10, tzinfo=UTC), datetime(2026, 10, 25, 0, 50, tzinfo=UTC))
    )
    made: list[bytes] = [b"the service begins " + b"." * 1100]
    for number in range(lines):
        at += timedelta(milliseconds=chance.randrange(2000))
        members = chance.choice(shapes)(chance, number, at)
        if chance.random() < hostile:
            members = _changed(members, chance)
        line = json.dumps(members, ensure_ascii=is_ascii, separators=between)
        if chance.random() < hostile / 4:
            line = chance.choice(_OTHERS)
        data = wrap(line, chance, at).encode("utf-8", "surrogatepass")
        if chance.random() < hostile / 20:
            at_byte = chance.randrange(len(data) + 1)
            odd = chance.choice((b"\xff", b"\xc3", b"\t", b" ", b"\\", b'"', b"\x1b[0m"))
            data = data[:at_byte] + odd + data[at_byte:]
        made.append(data)
    return b"\n".join(made) + b"\n"


@pytest.fixture(autouse=True)
def _small_chunks_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    learn_from_little(monkeypatch)


@_PROFILE
@given(
    st.integers(0, 1 << 30),
    st.sampled_from((0.0, 0.03, 0.2)),
    st.sampled_from((9000, 40_000)),
)
def test_learnt_objects_are_what_the_general_path_makes_of_them(
    seed: int, hostile: float, chunk: int
) -> None:
    data = _json_log(seed, hostile, 400)
    note(repr(data[1100:4000]))
    assert_both_read_the_same(data, chunk)


@pytest.mark.parametrize("seed", range(3))
def test_objects_that_there_is_no_room_for_are_taken_in_turns(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "_ROWS", 16)
    monkeypatch.setattr(modes, "_PAIRS", 70)
    data = _json_log(seed, 0.02, 400)
    assert_both_read_the_same(data, 40_000)
