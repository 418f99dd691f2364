"""Services with structured logs of their own: what a message or event says of a request, by id."""

import json
import random
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.real_cases.test_services import asked, ingested
from tests.support import harness

_COLUMNS = "id, status, duration_ms, text, text_len, voice"
_REQUESTS = f"select {_COLUMNS} from requests order by logged_at, id"


def _lines(*records: Mapping[str, object]) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


def _at(second: float) -> str:
    return f"2026-03-02T10:00:{second:06.3f}Z"


def _zap() -> bytes:
    return _lines(
        {"level": "info", "ts": 1772445600.1, "logger": "tts", "msg": "request received",
         "request_id": "z1", "chars": 11, "voice": "alloy"},
        {"level": "info", "ts": 1772445601.3, "logger": "tts", "msg": "request completed",
         "request_id": "z1", "duration": 1.198},
        {"level": "error", "ts": 1772445602.0, "logger": "tts", "msg": "request failed",
         "request_id": "z2", "error": "CUDA out of memory", "latency_ms": 12},
    )  # fmt: skip


def _pino() -> bytes:
    node = {"pid": 7, "hostname": "a"}
    return _lines(
        {"level": 30, "time": 1772445600100, **node, "reqId": "p1", "input": "Hi there",
         "speaker": "nova", "msg": "Speech generation started"},
        {"level": 30, "time": 1772445600950, **node, "reqId": "p1", "msg": "Speech generated",
         "elapsedMs": 843},
        {"level": 50, "time": 1772445602000, **node, "reqId": "p2",
         "msg": "Speech generation failed",
         "err": {"type": "Error", "message": "no voice", "stack": "Error: no voice"}},
    )  # fmt: skip


def _loguru() -> bytes:
    def record(message: str, second: float, **extra: object) -> dict[str, object]:
        told = {"message": message, "level": {"name": "INFO"}, "extra": extra, "name": "app.worker",
                "time": {"repr": f"2026-03-02 10:00:{second:09.6f}+00:00"}}  # fmt: skip
        return {"text": f"{message}\n", "record": told}

    return _lines(
        record("Job started", 0, job_id="l1", text="你好", voice="zh-1"),
        record("Job finished", 2.5, job_id="l1", took="2.4s"),
        record("Job started", 3, job_id="clean-1", name="cleanup"),
        record("Job finished", 4, job_id="clean-1", took="1.0s"),
    )


def _structlog() -> bytes:
    lines = (
        "[info     ] tts.request.accepted           [tts.api] request_id=s1 text='a b' voice=v",
        "[info     ] tts.synthesis.started          [tts.api] request_id=s1 model=xtts",
        "[info     ] tts.stage.completed       [tts.api] request_id=s1 stage=vocoder took=95ms",
        "[info     ] tts.synthesis.completed        [tts.api] request_id=s1 elapsed_s=0.812",
        "[info     ] tts.request.completed          [tts.api] request_id=s1 elapsed_s=0.9",
    )
    return "".join(
        f"2026-03-02T10:00:0{n}.000000Z {line}\n" for n, line in enumerate(lines)
    ).encode()


def _logfmt() -> bytes:
    return (
        f'time={_at(0)} level=info msg="synthesis started" task_id=f1 text="say it" speaker=3\n'
        f'time={_at(1.5)} level=info msg="synthesis finished in 1.48s" task_id=f1 status=ok\n'
        f'time={_at(2)} level=error msg="synthesis failed: RuntimeError: boom" task_id=f2\n'
    ).encode()


def _camel() -> bytes:
    return _lines(
        {"@timestamp": _at(0), "event": "SynthesisCompleted", "data": {
            "traceId": "c1", "textLength": 9, "latency": "1m2.5s", "audio_seconds": 4.2}},
        {"@timestamp": _at(1), "message": "语音合成完成", "request_id": "c2", "elapsed_ms": 700},
    )  # fmt: skip


_SHAPES: list[tuple[Callable[[], bytes], list[tuple[object, ...]]]] = [
    (_zap, [("z1", "success", 1198.0, None, 11, "alloy"),
            ("z2", "failed", 12.0, None, None, None)]),
    (_pino, [("p1", "success", 843.0, "Hi there", 8, "nova"),
             ("p2", "failed", None, None, None, None)]),
    (_loguru, [("l1", "success", 2400.0, "你好", 2, "zh-1")]),
    (_structlog, [("s1", "success", 812.0, "a b", 3, "v")]),
    (_logfmt, [("f1", "success", 1480.0, "say it", 6, "3"),
               ("f2", "failed", None, None, None, None)]),
    (_camel, [("c1", "success", 62500.0, None, 9, None),
              ("c2", "success", 700.0, None, None, None)]),
]  # fmt: skip


@pytest.mark.parametrize(("log", "rows"), _SHAPES, ids=lambda item: getattr(item, "__name__", ""))
def test_a_structured_log_gives_its_requests(
    log: Callable[[], bytes], rows: list[tuple[object, ...]], tmp_path: Path
) -> None:
    assert asked(ingested(tmp_path, log()), _REQUESTS) == rows


@pytest.mark.parametrize("log", [log for log, _ in _SHAPES], ids=lambda log: log.__name__)
def test_a_structured_log_read_as_it_grows_gives_the_same(
    log: Callable[[], bytes], tmp_path: Path
) -> None:
    text = log()
    cuts = sorted(random.Random(log.__name__).sample(range(1, len(text)), 3))
    queries = ("requests", "stage_timings", "errors")
    whole, pieces = tmp_path / "whole", tmp_path / "pieces"
    whole.mkdir()
    pieces.mkdir()
    stores = [
        ingested(whole, text),
        ingested(pieces, *(text[:cut] for cut in cuts), text, chunk=200),
    ]
    for table in queries:
        told = f"select * exclude (file_key) from {table} order by all"
        if table == "requests":
            told = f"{_REQUESTS.replace('id, ', 'id, started_at, completed_at, assembly, ', 1)}"
        elif table == "stage_timings":
            told = "select stage, seq, duration_ms, elapsed_ms from stage_timings order by all"
        else:
            told = "select level, message, code, id from errors order by byte_offset"
        assert asked(stores[0], told) == asked(stores[1], told)


def test_failures_have_their_errors_and_stages_their_times(tmp_path: Path) -> None:
    store = ingested(tmp_path, _zap() + _structlog() + _logfmt())
    assert asked(store, "select id, code, message from errors order by byte_offset") == [
        ("z2", "CUDA_OOM", "request failed"),
        ("f2", "RuntimeError", "synthesis failed: RuntimeError: boom"),
    ]
    assert asked(store, "select error_code from requests where status = 'failed' order by id") == [
        ("RuntimeError",), ("CUDA_OOM",)
    ]  # fmt: skip
    assert asked(store, "select stage, duration_ms from stage_timings") == [("vocoder", 95.0)]


_HOSTILE = [
    {"event": "chat.received", "message": "synthesis completed", "id": "1", "duration_ms": 9},
    {"msg": 'user said "synthesis completed"', "id": "2", "duration_ms": 9},
    {"text": "request completed", "id": "3", "duration_ms": 9},
    {"msg": "text: request completed", "id": "4", "duration_ms": 9},
    {"msg": "received", "id": "5", "text": '{"event": "synthesis completed", "id": "6"}'},
    {"msg": "got a body", "body": {"event": "synthesis completed", "id": "7", "duration_ms": 9}},
    {"msg": "synthesis completed", "body": {"id": "8", "duration_ms": 9}},
    {"msg": "synthesis completed", "data": '{"id": "9", "duration_ms": 9}'},
    {"event": "request_finished", "request": "GET /health", "code": 200, "request_id": "10",
     "duration_ms": 9},
    {"event": "request completed", "path": "/metrics", "status": 200, "request_id": "11",
     "duration_ms": 9},
    {"msg": "request completed", "req": {"method": "GET", "url": "/v1/models"}, "reqId": "12",
     "responseTime": 9},
    {"event": "tts worker started", "id": "13"},
    {"event": "model loading completed", "id": "14", "duration_ms": 9},
    {"event": "job completed", "job_id": "15", "duration_ms": 9},
    {"event": "request completed", "request_id": "16", "operation": "list", "took": "9ms"},
    {"event": "12 requests completed", "id": "17", "duration_ms": 9},
    {"event": "synthesis completed", "duration_ms": 9},
    {"event": "request rerouted completed", "request_id": "19", "duration_ms": 9},
    {"event": "synthesis cache warmed, completed", "request_id": "20", "duration_ms": 9},
    {"event": "speech_ended", "id": "21", "component": "vad", "duration_ms": 9},
    {"event": "audio processed", "id": "22", "service": "transcriber", "duration_ms": 9},
    {"event": "request failed", "request_id": "23", "component": "auth", "error": "no token"},
    {"event": "vocoder done", "request_id": "18", "stage": "vocoder", "duration_ms": 9},
]  # fmt: skip


@pytest.mark.parametrize("record", _HOSTILE, ids=lambda record: json.dumps(record)[:40])
def test_what_is_no_synthesis_makes_no_request(record: dict[str, object], tmp_path: Path) -> None:
    log = _lines({"timestamp": _at(0), "level": "info", **record})
    store = ingested(tmp_path, b"2026-03-02 10:00:00,000 - app - INFO - up\n" + log)
    assert asked(store, _REQUESTS) == []


@pytest.mark.parametrize("status", ["²", "9" * 5000, "1e999", 10**400, -1, True, None, [200]])
def test_a_status_that_is_none_ends_no_ingest(status: object, tmp_path: Path) -> None:
    log = _lines({"timestamp": _at(0), "event": "synthesis completed", "request_id": "r",
                  "status": status, "duration_ms": 3})  # fmt: skip
    assert asked(ingested(tmp_path, log), "select id, duration_ms from requests") == [("r", 3.0)]


def test_a_synthesis_behind_another_step_of_its_id_has_its_own_duration(tmp_path: Path) -> None:
    told = (
        ("generation started", {"model": "gpt-4o"}),
        ("generation completed", {"took": "0.8s"}),
        ("synthesis started", {"text": "hi"}),
        ("synthesis completed", {"took": "0.9s"}),
    )
    log = _lines(*({"timestamp": _at(n), "event": event, "trace_id": "t", **fields}
                   for n, (event, fields) in enumerate(told)))  # fmt: skip
    assert asked(
        ingested(tmp_path, log), "select text, duration_ms from requests where text is not null"
    ) == [("hi", 900.0)]


def test_an_id_that_is_used_again_is_of_another_request(tmp_path: Path) -> None:
    def run(second: int, text: str) -> tuple[dict[str, object], ...]:
        return (
            {"timestamp": _at(second), "event": "synthesis started", "id": 1, "text": text},
            {"timestamp": _at(second + 1), "event": "synthesis completed", "id": 1, "took": "1 s"},
        )

    store = ingested(tmp_path, _lines(*run(0, "a"), *run(5, "b"), *run(10, "c")[:1], *run(20, "d")))
    assert asked(store, "select text, status from requests order by logged_at") == [
        ("a", "success"), ("b", "success"), ("c", None), ("d", "success")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"elapsed": 2}, 2000.0),
        ({"elapsed": 2001.5}, 2001.5),
        ({"elapsed": 77}, 2000.0),  # of no unit that fits: what passed between the stamps
        ({"elapsed_parsecs": 3}, 2000.0),
        ({"latency": "3 parsecs"}, 2000.0),
        ({"duration": 4.1, "took_ms": 1990}, 1990.0),
        ({"total_time": "0:00:01.990"}, 1990.0),
        ({"duration_us": 1990000}, 1990.0),
        ({}, 2000.0),
    ],
    ids=str,
)
def test_a_duration_is_read_in_the_unit_that_its_name_its_value_or_the_stamps_tell(
    fields: dict[str, object], wanted: float, tmp_path: Path
) -> None:
    start = {"timestamp": _at(0), "event": "tts_request_started", "request_id": "a"}
    end = {"timestamp": _at(2), "event": "tts_request_completed", "request_id": "a", **fields}
    store = ingested(tmp_path, _lines(start, end))
    assert asked(store, "select duration_ms from requests") == [(wanted,)]


def test_an_end_alone_has_a_duration_only_where_its_unit_is_sure(tmp_path: Path) -> None:
    told = ((1.25, 1250.0), (77, None), (4200, 4200.0))
    log = _lines(
        *({"timestamp": _at(n), "event": "tts_done", "id": f"a{n}", "elapsed": elapsed}
          for n, (elapsed, _) in enumerate(told))
    )  # fmt: skip
    store = ingested(tmp_path, log)
    assert asked(store, "select duration_ms from requests order by id") == [(w,) for _, w in told]


def test_a_servers_record_counts_on_a_path_of_synthesis(tmp_path: Path) -> None:
    log = _lines(
        {"timestamp": _at(0), "event": "request_started", "path": "/v1/audio/speech",
         "request_id": "a"},
        {"timestamp": _at(1), "event": "request_finished", "path": "/v1/audio/speech",
         "status_code": 500, "request_id": "a", "duration_ms": 990},
    )  # fmt: skip
    store = ingested(tmp_path, log)
    assert asked(store, _REQUESTS) == [("a", "failed", 990.0, None, None, None)]


def test_a_state_beside_the_name_of_an_event_says_what_became_of_it(tmp_path: Path) -> None:
    log = _lines(
        {"timestamp": _at(0), "event": "synthesis", "status": "started", "id": "a", "text": "x"},
        {"timestamp": _at(1), "event": "synthesis", "status": "completed", "id": "a", "took": "1s"},
        {"timestamp": _at(2), "event": "synthesis", "status": "error", "id": "b", "text": "y"},
    )
    assert asked(ingested(tmp_path, log), _REQUESTS) == [
        ("a", "success", 1000.0, "x", 1, None), ("b", "failed", None, "y", 1, None)
    ]  # fmt: skip


def test_parts_of_a_request_with_its_id_are_no_requests_of_their_own(tmp_path: Path) -> None:
    log = _lines(
        {"timestamp": _at(0), "event": "request received", "request_id": "a", "text": "x. y."},
        *({"timestamp": _at(n), "event": f"synthesis {what}", "request_id": "a", "chunk": n}
          for n, what in enumerate(("started", "completed") * 3, start=1)),
        {"timestamp": _at(8), "event": "request completed", "request_id": "a", "took": "8s"},
    )  # fmt: skip
    assert asked(ingested(tmp_path, log), "select id, status, text from requests") == [
        ("a", "success", "x. y.")
    ]


def test_a_start_and_its_end_in_two_files_of_a_series_are_one_request(tmp_path: Path) -> None:
    start, end = _lines(
        {"timestamp": _at(0), "event": "job started", "job_id": "a", "text": "x"},
        {"timestamp": _at(2), "event": "job finished", "job_id": "a"},
    ).splitlines(keepends=True)
    (tmp_path / "app.log.1").write_bytes(start)
    (tmp_path / "app.log").write_bytes(end)
    store = harness.new_store(tmp_path)
    harness.run(store, [tmp_path / "app.log.1", tmp_path / "app.log"], final=True)
    assert asked(store, _REQUESTS) == [("a", "success", 2000.0, "x", 1, None)]


def test_an_event_named_alike_may_have_another_id(tmp_path: Path) -> None:
    log = _lines(
        {"timestamp": _at(0), "event": "synthesis_start", "request_id": "a", "text": "x"},
        {"timestamp": _at(1), "event": "synthesis_complete", "request_id": "a", "elapsed_s": 0.9},
    )
    assert asked(ingested(tmp_path, log), _REQUESTS) == [("a", "success", 900.0, "x", 1, None)]


def test_a_message_that_an_engines_profile_knows_is_the_engines(tmp_path: Path) -> None:
    told = (">> starting inference...", ">> gpt_gen_time: 1.2 seconds")
    log = _lines(
        *({"timestamp": _at(n), "message": message, "request_id": "a", "took": "2s"}
          for n, message in enumerate(told))
    )  # fmt: skip
    columns = "select profile, id_source from requests"
    assert asked(ingested(tmp_path, log), columns) == [("indextts", "place")]


def test_records_around_an_engine_that_prints_begin_no_second_request(tmp_path: Path) -> None:
    log = b">> starting inference...\n>> gpt_gen_time: 1.2 seconds\n" + _lines(
        {"timestamp": _at(1), "event": "synthesis started", "request_id": "a", "text": "x"},
        {"timestamp": _at(3), "event": "synthesis completed", "request_id": "a", "took": "2s"},
    )
    columns = "select profile, id_source from requests"
    assert asked(ingested(tmp_path, log), columns) == [("indextts", "place")]


def test_fields_of_speech_count_on_any_path(tmp_path: Path) -> None:
    log = _lines(
        {"timestamp": _at(0), "event": "request started", "path": "/say", "id": "a", "voice": "v"},
        {"timestamp": _at(1), "event": "request completed", "path": "/say", "id": "a"},
    )
    assert asked(ingested(tmp_path, log), _REQUESTS) == [("a", "success", 1000.0, None, None, "v")]


_WORDS = ("synthesis", "completed", "request", "failed", '"', "\\", "\n", "=", " ", "id", "{", "语")


@settings(max_examples=12, derandomize=True, deadline=None)
@given(text=st.lists(st.sampled_from(_WORDS), max_size=12).map("".join))
def test_a_text_is_a_text_whatever_it_contains(text: str) -> None:
    log = _lines(
        {"timestamp": _at(0), "event": "tts.started", "id": "a", "text": text},
        {"timestamp": _at(1), "event": "user.said", "message": text, "id": "b", "took": "1s"},
        {"timestamp": _at(2), "event": "tts.done", "id": "a", "took": "2s", "body": {"id": text}},
    )
    with tempfile.TemporaryDirectory() as folder:
        found = asked(ingested(Path(folder), log), "select id, status, text from requests")
    assert found == [("a", "success", text)]
