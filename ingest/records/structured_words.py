"""The words and fields by which services with structured logs tell of requests: the data of
:mod:`ingest.records.structured`.

The names are those of structlog, zap, pino, loguru and log/slog, of OpenTelemetry's semantic
conventions (``trace_id``, ``duration``, ``error``) and of speech services with such logs. A word
or name added here is understood everywhere.
"""

from typing import Final

START, DONE, FAILED = "start", "complete", "failed"


def _each(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What a message is about.
SPEECH: Final = _each(
    "tts speech speak synthesis synth synthesize synthesise synthesizing synthesising synthesized "
    "synthesised utterance audio voice 语音合成 文本转语音 合成 语音"
)
# What is said, heard or drawn as well as synthesized: alone it names no synthesis.
THINGS: Final = _each("speech speak audio voice 语音")
REQUEST: Final = _each(
    "request req generation generate generating generated inference infer inferring 请求 生成 推理"
)
JOB: Final = _each("job task 任务")
STAGE: Final = _each("stage step phase 阶段 步骤")
UNITS: Final = (REQUEST | JOB | STAGE) | _each("synthesis utterance 语音合成 合成")
# What runs requests: "tts worker started" is about none.
RUNNERS: Final = _each(
    "api app service server worker engine model backend handler process pipeline 服务 模型 引擎"
)
FILLERS: Final = _each(
    "a an the for of with to is was has been and successfully text event on by at id in during "
    "while 已 已经 处理"
)

# What has become of it; the later kind counts where a message has several ("failed to start").
STARTS: Final = _each(
    "start started starting begin began begun beginning received receiving accepted queued "
    "enqueued dequeued scheduled dispatched created submitted processing handling incoming new "
    "running 开始 收到 接收 接收到 新"
)
ENDS: Final = _each(
    "complete completed done finish finished finishing succeed succeeded success successful end "
    "ended ok processed handled served 完成 成功 结束"
)
FAILURES: Final = _each(
    "fail failed failure failing error errored exception crashed abort aborted cancelled canceled "
    "timeout timed out rejected 失败 出错 错误 异常 超时 取消"
)
# What says of itself that it goes on or is over, where no other word does.
GOING_ON: Final = _each("synthesizing synthesising generating inferring")
OVER: Final = _each("synthesized synthesised generated")

# Fields: names in lower case with "_" between words; the first that is there counts.
IDS: Final = (
    "request_id", "req_id", "x_request_id", "correlation_id", "id", "tts_id", "synthesis_id",
    "speech_id", "utterance_id", "generation_id", "task_id", "job_id", "trace_id",
)  # fmt: skip
TEXTS: Final = ("text", "input_text", "input", "sentence", "utterance", "tts_text")
COLUMNS: Final = {
    "text_len": (
        "text_len", "text_length", "chars", "char_count", "num_chars", "characters", "text_chars",
        "input_length", "input_chars", "input_len", "n_chars",
    ),
    "voice": (
        "voice", "speaker", "voice_id", "voice_name", "speaker_id", "speaker_name", "spk", "spk_id",
    ),
    "lang": ("lang", "language", "lang_code", "locale"),
    "rtf": ("rtf", "real_time_factor"),
    "error_code": ("error_code", "err_code"),
}  # fmt: skip
# Durations by the name without its unit.
TAKEN: Final = (
    "elapsed", "latency", "took", "elapsed_time", "time_taken", "processing_time", "total_time",
    "total", "synthesis_time", "inference_time", "generation_time", "response_time", "runtime",
    "wall_time", "request_time", "process_time", "total_duration", "synthesis_duration",
    "request_duration", "duration", "dur", "time",
)  # fmt: skip
ONLY_WITH_UNIT: Final = _each("time total")  # without one, a stamp or a number of things
AUDIO: Final = ("audio_duration", "audio_length", "audio_len", "audio", "audio_time")
SIZES: Final = ("audio_size", "audio_bytes", "output_size", "output_bytes", "wav_size")
UNIT_OF_NAME: Final = {
    "ms": 1.0, "msec": 1.0, "millis": 1.0, "milliseconds": 1.0, "s": 1e3, "sec": 1e3, "secs": 1e3,
    "seconds": 1e3, "us": 1e-3, "micros": 1e-3, "microseconds": 1e-3, "ns": 1e-6, "nanos": 1e-6,
    "nanoseconds": 1e-6,
}  # fmt: skip
UNIT_OF_VALUE: Final = UNIT_OF_NAME | {
    "m": 6e4, "min": 6e4, "h": 3.6e6, "µs": 1e-3, "μs": 1e-3, "second": 1e3, "millisecond": 1.0,
    "秒": 1e3, "毫秒": 1.0,
}  # fmt: skip
STAGES: Final = ("stage", "step", "phase", "stage_name", "step_name")
ERRORS: Final = ("error", "err", "reason", "error_message", "exc", "error_msg", "cause")
STATES: Final = ("status", "state", "phase", "action", "event_type")
SUCCEEDED: Final = _each("ok success succeeded successful completed complete done finished true")
HAS_FAILED: Final = _each("failed fail failure error errored false timeout aborted")
LEVEL_WORDS: Final = _each("trace debug info notice warn warning")

# Objects whose members count as the record's own; what a client sent (body, payload) is none.
CONTAINERS: Final = _each(
    "extra fields data context ctx attributes attrs details metrics meta metadata props tags timing"
)
# Names of what a record comes from, or is about: a word of speech in them is evidence.
ABOUT: Final = (
    "logger", "service", "component", "service_name", "app", "module", "subsystem", "queue",
)  # fmt: skip
OPERATIONS: Final = (
    "operation", "op", "job_type", "task_type", "task_name", "job_name", "kind", "type", "action",
    "request_type", "task", "job", "component", "subsystem", "queue",
)  # fmt: skip
PATHS: Final = ("path", "url", "uri", "route", "endpoint", "request_path", "http_path", "http_url")
HTTP: Final = _each(
    "method status_code http_status http_method response_code user_agent remote_addr client_ip "
    "req res http http_status_code http_request_method url uri route endpoint request_path "
    "http_path http_url"
)
