"""Logs of services around engines in their default logging: task queues, model servers, loggers
that print a header before each line of a traceback.
"""

from pathlib import Path

import pytest

from tests.real_cases.test_services import asked, ingested

_FRAMES = (
    "Traceback (most recent call last):\n"
    '  File "/app/engine.py", line 33, in synthesize\n    return self.model(text)\n'
    "RuntimeError: CUDA error: device-side assert triggered\n"
)
_TOLD = ("RuntimeError", "/app/engine.py:33 in synthesize")
_ERRORS = "select level, exception_type, location from errors order by byte_offset"
_CELERY = """\
[2026-03-02 10:00:02,100: INFO/MainProcess] Task tasks.synthesize_speech[0f8b2c3d-1111] received
[2026-03-02 10:00:02,100: INFO/MainProcess] Task tasks.synthesize_speech[0f8b2c3d-2222] received
[2026-03-02 10:00:02,105: WARNING/ForkPoolWorker-1] >> starting inference...
[2026-03-02 10:00:04,205: WARNING/ForkPoolWorker-1] >> gpt_gen_time: 1.20 seconds
[2026-03-02 10:00:04,205: WARNING/ForkPoolWorker-1] >> Total inference time: 2.10 seconds
[2026-03-02 10:00:04,205: WARNING/ForkPoolWorker-1] >> RTF: 0.7000
[2026-03-02 10:00:04,300: INFO/ForkPoolWorker-1] Task tasks.synthesize_speech[0f8b2c3d-1111] \
succeeded in 2.195s: '/out/a.wav'
[2026-03-02 10:00:05,400: ERROR/ForkPoolWorker-1] Task tasks.synthesize_speech[0f8b2c3d-2222] \
raised unexpected: RuntimeError('CUDA error: device-side assert triggered')
"""


def test_a_task_of_celery_is_the_request_of_the_engine_that_it_runs(tmp_path: Path) -> None:
    store = ingested(tmp_path, (_CELERY + _FRAMES).encode())
    columns = "id, status, duration_ms, rtf, error_code, assembly"
    assert asked(store, f"select {columns} from requests order by start_offset") == [
        ("0f8b2c3d-1111", "success", 2100.0, 0.7, None, "id"),
        ("0f8b2c3d-2222", "failed", 3300.0, None, "CUDA_ASSERT", "id"),
    ]
    assert asked(store, _ERRORS) == [("ERROR", *_TOLD)]  # what was printed is no warning


def test_a_header_before_each_line_of_a_traceback(tmp_path: Path) -> None:
    vllm = "(APIServer pid=1) ERROR 03-02 10:00:09 [serving.py:400] "
    torchserve = "2026-03-02T10:00:07,123 [WARN ] W-9000-tts_1.0-stderr MODEL_LOG - "
    log = f"{vllm}Error in preprocessing\n"
    log += "".join(f"{vllm}{line}\n" for line in _FRAMES.splitlines())
    log += "".join(f"{torchserve}{line}\n" for line in _FRAMES.splitlines())
    log += f"{torchserve}something else\n"
    store = ingested(tmp_path, log.encode())
    found = asked(store, _ERRORS)
    assert found == [("ERROR", *_TOLD), ("ERROR", *_TOLD), ("WARNING", None, None)]
    assert asked(store, "select message, logger from errors order by byte_offset")[0] == (
        "Error in preprocessing",
        "serving.py:400",
    )


def test_lines_of_another_logger_are_not_of_the_traceback(tmp_path: Path) -> None:
    head = "ERROR 03-02 10:00:09 [serving.py:400] "
    log = f"{head}Error\n{head}Traceback (most recent call last):\n"
    log += 'ERROR 03-02 10:00:09 [other.py:7]   File "/tmp/x.py", line 1, in evil\n'
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select location from errors order by byte_offset") == [(None,), (None,)]


def test_a_traceback_behind_a_message_and_a_stamp_with_ranks(tmp_path: Path) -> None:
    log = "[2026-03-02 10:00:50 TP0] Scheduler hit an exception: " + _FRAMES
    store = ingested(tmp_path, log.encode())
    assert asked(store, _ERRORS) == [("ERROR", *_TOLD)]


def test_a_traceback_as_loguru_diagnoses_it(tmp_path: Path) -> None:
    log = (
        "2026-03-02 10:00:07.100 | ERROR    | app.api:tts:60 - generation failed\n"
        'Traceback (most recent call last):\n\n  File "/app/server.py", line 91, in speech\n'
        "    audio = engine.synthesize(text)\n            │      └ <function f at 0x7f>\n\n"
        '> File "/app/engine.py", line 33, in synthesize\n    return self.model(text)\n'
        "           └ <E object>\n\nRuntimeError: no\n"
    )
    store = ingested(tmp_path, log.encode())
    assert asked(store, _ERRORS) == [("ERROR", *_TOLD)]


def test_an_exception_as_pybind11_tells_it(tmp_path: Path) -> None:
    log = (
        "E0302 10:00:02.123456 1 pb_stub.cc:731] Failed to process the request(s) for model "
        "'tts_0', message: RuntimeError: no\n\nAt:\n  /app/engine.py(33): synthesize\n"
    )
    store = ingested(tmp_path, log.encode())
    assert asked(store, _ERRORS) == [("ERROR", *_TOLD)]


def test_a_service_with_lines_of_its_own_in_english_and_chinese(tmp_path: Path) -> None:
    log = """\
2026-03-02 10:00:07,100 - tts - INFO - Synthesizing text: 'Second one' (10 chars) with voice 'nova'
2026-03-02 10:00:08,100 - tts - INFO - Generated 2.40s of audio in 1.00s (RTF: 0.417)
2026-03-02 10:00:09,100 - tts - INFO - Generating speech for 44 characters
2026-03-02 10:00:11,100 - tts - INFO - Generated 3.20 seconds of audio in 2.00 seconds
2026-03-02 10:00:12,100 - tts - INFO - 收到合成请求，文本：今天天气不错，音色：xiaoyan
2026-03-02 10:00:13,600 - tts - INFO - 合成完成，耗时 1.50 秒，音频时长 3.20 秒
"""
    store = ingested(tmp_path, log.encode())
    columns = "status, text, text_len, voice, duration_ms, audio_ms"
    assert asked(store, f"select {columns} from requests order by start_offset") == [
        ("success", "Second one", 10, "nova", 1000.0, 2400.0),
        ("success", None, 44, None, 2000.0, 3200.0),
        ("success", "今天天气不错", 6, "xiaoyan", 1500.0, 3200.0),
    ]


_ORPHEUS = """\
INFO:     Started server process [1]
Starting speech generation for 'Hello there, how are you?'
Using voice: tara, GPU acceleration: Yes (High-end)
Processing first audio chunk with 7 tokens
Producer completed - setting done event
Generated 38 audio segments
Generated 3.24 seconds of audio in 1.80 seconds
Realtime factor: 1.80x
✓ Generation is 1.8x faster than realtime
Total speech generation completed in 1.81 seconds
INFO:     10.3.0.7:43122 - "POST /v1/audio/speech HTTP/1.1" 200 OK
INFO:     10.3.0.7:43124 - "GET /health HTTP/1.1" 200 OK
Starting speech generation for 'It's status=failed, isn't it? Total speech generat...'
Using voice: leo, GPU acceleration: Yes (High-end)
Error in token processing: CUDA out of memory. Tried to allocate 2.00 GiB
Traceback (most recent call last):
  File "/app/tts_engine/inference.py", line 321, in async_producer
    async for audio_chunk in tokens_decoder(async_token_gen()):
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB
INFO:     10.3.0.7:43126 - "POST /v1/audio/speech HTTP/1.1" 500 Internal Server Error
"""


@pytest.mark.parametrize("around", ["{}", "tts-1  | {}", "tts-6d8f7c9b4d-x7k2p tts {}"])
def test_orpheus_and_the_error_that_ends_its_second_request(around: str, tmp_path: Path) -> None:
    log = "".join(around.format(line) + "\n" for line in _ORPHEUS.splitlines())
    store = ingested(tmp_path, log.encode())
    columns = "status, text, voice, duration_ms, audio_ms, error_code"
    assert asked(store, f"select {columns} from requests order by start_offset") == [
        ("success", "Hello there, how are you?", "tara", 1810.0, 3240.0, None),
        ("failed", None, "leo", None, None, "CUDA_OOM"),
    ]
    assert asked(store, "select code, request_key is not null from errors") == [("CUDA_OOM", True)]
    joined = "select http_status, request_key is not null from http_requests order by byte_offset"
    assert asked(store, joined) == [(200, True), (200, False), (500, True)]


def test_a_server_that_prints_one_line_a_request_when_it_is_done(tmp_path: Path) -> None:
    log = """\
2026-03-02 10:00:05,120 - tts - INFO - Took 2.31 seconds to generate audio for 12 words using CPU
INFO:     10.3.0.7:43122 - "POST /v1/audio/speech HTTP/1.1" 200 OK
2026-03-02 10:00:09,120 - tts - INFO - Took 0.9 seconds to generate audio for 3 words using CUDA:0
INFO:     10.3.0.7:43122 - "POST /v1/audio/speech HTTP/1.1" 200 OK
"""
    store = ingested(tmp_path, log.encode())
    found = asked(store, "select status, duration_ms from requests order by end_offset")
    assert found == [("success", 2310.0), ("success", 900.0)]
    assert asked(store, "select count(request_key) from http_requests") == [(2,)]
