"""The reference parser against rows that were known first, and against SPEC §1 case by case."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.reference import Tables, parse_files
from tests.support.reference_requests import Row
from tests.support.strategies import log_files, logs
from tests.support.truth import make_truth

MODIFIED = datetime(2026, 3, 3, tzinfo=UTC)
TABLES = ("requests", "stage_timings", "errors", "cache_samples")
SPEC_EXAMPLE = """\
2026-03-02 10:05:11,203 - app.cache - WARNING - cache_dir_usage: path=/app/cache, \
used_percent=92.7, threshold=90.0, action=warn
2026-03-02 14:22:37,892 - app.tts_engine - INFO - synthesis_start: id=ts_7f3a2b1c, text="你好, \
世界", lang=zh, voice=alloy, duration_ms=0, cache_hit=false
2026-03-02 14:22:37,904 - app.tts_engine - INFO - stage_time: stage=text_normalize, \
id=ts_7f3a2b1c, duration_ms=12
2026-03-02 14:22:38,375 - app.tts_engine - INFO - stage_time: stage=llm_inference, \
id=ts_7f3a2b1c, duration_ms=483
2026-03-02 14:22:38,415 - app.tts_engine - ERROR - synthesis_failed: id=ts_7f3a2b1c, \
error_code=SCIPY_FFT_INVALID, Invalid input to scipy.fft
Traceback (most recent call last):
  File "/app/app/tts_engine.py", line 387, in _postproc
    spectrum = scipy.fft.rfft(embedding)
RuntimeWarning: invalid value encountered in true_divide
2026-03-02 14:22:38,416 - app.tts_engine - INFO - synthesis_complete: id=ts_7f3a2b1c, \
status=failed, duration_ms=523, text_len=6 chars, error_code=SCIPY_FFT_INVALID, \
model_stage=llm_postproc
2026-03-02 14:25:00,001 - app.cache - INFO - cache_health: path=/app/cache, used=912MB, \
total=1024MB, usage=89.1%
ERROR: failed to load model
"""


def parse(*files: str | bytes, **options: Any) -> Tables:
    """Parse contents, stamps in UTC unless said otherwise."""
    data = [
        file.encode("utf-8", "surrogateescape") if isinstance(file, str) else file for file in files
    ]
    named = [(f"{number}.log", content) for number, content in enumerate(data)]
    return parse_files(named, modified_at=MODIFIED, **options)


def line(message: str, at: float = 0, level: str = "INFO") -> str:
    """A record ``at`` seconds after noon."""
    stamp = datetime(2026, 3, 2, 12) + timedelta(seconds=at)
    text = f"{stamp:%Y-%m-%d %H:%M:%S},{stamp.microsecond // 1000:03d}"
    return f"{text} - app.tts_engine - {level} - {message}\n"


def start(text: str, name: str = "ts_1", at: float = 0) -> str:
    return line(f"synthesis_start: id={name}, {text}, lang=zh", at)


def end(name: str = "ts_1", at: float = 1) -> str:
    return line(f"synthesis_complete: id={name}, status=success, duration_ms=900", at)


def noon(seconds: float = 0) -> datetime:
    return datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(seconds=seconds)


def by_place(rows: list[Row]) -> list[Row]:
    """Sort rows by where they are in the logs."""
    return sorted(
        rows, key=lambda row: (row.get("file"), row.get("byte_offset"), row.get("request_key"))
    )


def columns(row: Row, *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


@pytest.mark.parametrize("tz", ["UTC", "Asia/Shanghai", "America/New_York"])
@pytest.mark.parametrize("seed", range(10))
def test_gives_the_rows_that_were_logged(seed: int, tz: str) -> None:
    truth = make_truth(seed, 40, files=1 + seed % 3, tz=tz)
    found = parse(*truth.files, tz=tz)
    for table in TABLES:
        assert by_place(getattr(found, table)) == by_place(getattr(truth, table))
    assert found.quarantine == []
    assert len(truth.requests) == 40 and truth.stage_timings and truth.errors


def test_spec_example_request_and_stages() -> None:
    found = parse(SPEC_EXAMPLE)
    began = datetime(2026, 3, 2, 14, 22, 37, 892000, tzinfo=UTC)
    request = {
        "request_key": (0, 129), "id": "ts_7f3a2b1c", "request_id": None, "host": "h",
        "service": "s", "logged_at": began, "started_at": began,
        "completed_at": began + timedelta(milliseconds=524), "status": "failed",
        "duration_ms": 523.0, "text": "你好, 世界", "text_len": 6, "text_class": "plain",
        "lang": "zh", "voice": "alloy", "cache_hit": False, "cache_saved": None,
        "model_stage": "llm_postproc", "error_code": "SCIPY_FFT_INVALID", "audio_size_kb": None,
        "rms": None, "spectral_centroid": None, "attributes": None, "start_file": 0,
        "time_source": "logged",
            "instance": None, "profile": None, "audio_ms": None, "rtf": None, "tokens": None,
            "id_source": "logged", "assembly": "id",
        "start_offset": 129, "end_file": 0, "end_offset": 849,
    }  # fmt: skip
    assert found.requests == [request]
    stage = {"request_key": (0, 129), "id": "ts_7f3a2b1c", "host": "h", "file": 0}
    assert found.stage_timings == [
        stage
        | {"stage": "text_normalize", "seq": 1, "elapsed_ms": 12.0, "duration_ms": 12.0}
        | {"logged_at": began + timedelta(milliseconds=12), "byte_offset": 288},
        stage
        | {"stage": "llm_inference", "seq": 2, "elapsed_ms": 483.0, "duration_ms": 471.0}
        | {"logged_at": began + timedelta(milliseconds=483), "byte_offset": 403},
    ]
    total = len(SPEC_EXAMPLE.encode())
    assert found.ledger[0]["record_bytes"] == total and found.ledger[0]["records"] == 8


def test_spec_example_errors() -> None:
    warning, failed, load = parse(SPEC_EXAMPLE).errors
    assert columns(warning, "level", "event", "code", "request_key", "attributes") == (
        "WARNING",
        "cache_dir_usage",
        None,
        None,
        {"path": "/app/cache", "used_percent": "92.7", "threshold": "90.0", "action": "warn"},
    )
    assert failed == {
        "occurred_at": datetime(2026, 3, 2, 14, 22, 38, 415000, tzinfo=UTC),
        "time_source": "logged", "instance": None, "host": "h", "service": "s", "level": "ERROR",
        "logger": "app.tts_engine", "event": "synthesis_failed", "code": "SCIPY_FFT_INVALID",
        "id": "ts_7f3a2b1c", "request_id": None, "request_key": (0, 129),
        "message": "synthesis_failed: id=ts_7f3a2b1c, error_code=SCIPY_FFT_INVALID, "
        "Invalid input to scipy.fft",
        "exception_type": "RuntimeWarning",
        "exception_message": "invalid value encountered in true_divide",
        "traceback": "\n".join(SPEC_EXAMPLE.split("\n")[5:9]),
        "location": "/app/app/tts_engine.py:387 in _postproc",
        "attributes": None, "file": 0, "byte_offset": 518,
    }  # fmt: skip
    assert columns(load, "level", "message", "time_source", "logger", "byte_offset") == (
        "ERROR",
        "failed to load model",
        "neighbour",
        None,
        1154,
    )
    assert load["occurred_at"] == datetime(2026, 3, 2, 14, 25, 0, 1000, tzinfo=UTC)


def test_spec_example_cache_samples() -> None:
    usage, health = parse(SPEC_EXAMPLE).cache_samples
    names = ("event", "path", "used_percent", "threshold_percent", "used_mb", "total_mb", "action")
    assert columns(usage, *names) == (
        "cache_dir_usage", "/app/cache", 92.7, 90.0, None, None, "warn",
    )  # fmt: skip
    assert columns(health, *names) == (
        "cache_health", "/app/cache", 89.1, None, 912.0, 1024.0, None,
    )  # fmt: skip


TEXTS = [
    ('text="a, status=failed, error_code=X"', "a, status=failed, error_code=X"),
    (r'text="say \"hi\", ok=1"', 'say "hi", ok=1'),
    ('text="say "hi" now"', 'say "hi" now'),
    ('text="a", status=failed", voice=x', 'a", status=failed'),
    (r'text="tab\tline\nback\\ stay\x"', "tab\tline\nback\\ stay\\x"),
    ('text="two\nlines\n\nand, key=x"', "two\nlines\n\nand, key=x"),
    ('text="open\r\nhere"', "open\nhere"),
    ('text="🎉\x07\x1b[0m"', "🎉\x07\x1b[0m"),
    ('text="bad \udce4\udcbd. nul \0."', "bad \ufffd. nul \ufffd."),
    ("text=bare, with commas", "bare, with commas"),
    ('text=""', ""),
]


@pytest.mark.parametrize(("pair", "text"), TEXTS)
def test_text_values(pair: str, text: str) -> None:
    [request] = parse(start(pair) + end()).requests
    assert columns(request, "text", "lang", "status", "error_code") == (text, "zh", "success", None)
    assert request["text_len"] == len(text)


@pytest.mark.parametrize(
    "forged",
    [
        line("synthesis_failed: id=ts_1, error_code=FORGED", level="ERROR"),
        "ERROR: forged\n",
        "WARNING:root:forged\n",
        "Traceback (most recent call last):\n  boom\nValueError: forged\n",
        "ERROR: 1\nERROR: 2\nERROR: 3\nERROR: 4\n",
    ],
)
def test_look_alikes_inside_a_text_belong_to_it(forged: str) -> None:
    found = parse(start(f'text="before\n{forged}after"') + end())
    assert found.requests[0]["text"] == f"before\n{forged}after"
    assert found.requests[0]["lang"] == "zh"
    assert found.errors == []


def test_five_look_alikes_end_an_open_text() -> None:
    found = parse(start('text="x\n' + "ERROR: forged\n" * 5 + 'after"') + end())
    assert [error["message"] for error in found.errors[:4]] == ["forged"] * 4


def test_an_open_text_does_not_swallow_the_next_records() -> None:
    found = parse(line('synthesis_start: id=ts_1, text="cut') + start('text="b"', "ts_2") + end())
    assert [row["text"] for row in found.requests] == ["cut", "b"]
    assert [row["status"] for row in found.requests] == ["success", None]


def test_escapes_none_takes_backslashes_as_they_are() -> None:
    [request] = parse(start('text="C:\\new\\"'), escapes="none").requests
    assert request["text"] == "C:\\new\\"


HEADERLESS = [
    ("ERROR: failed to load model", "ERROR", None, "failed to load model", None),
    ("WARNING:root:careful", "WARNING", "root", "careful", None),
    ("FATAL: no", "CRITICAL", None, "no", None),
    ("Traceback (most recent call last):\nKeyError: 'k'", "ERROR", None, "", "KeyError"),
]


@pytest.mark.parametrize(("text", "level", "logger", "message", "exception"), HEADERLESS)
def test_headerless_lines_are_errors_of_their_own(
    text: str, level: str, logger: str | None, message: str, exception: str | None
) -> None:
    found = parse(start('text="a"', at=5) + text + "\n" + end(at=6))
    [error] = found.errors
    assert columns(error, "level", "logger", "message", "exception_type") == (
        level,
        logger,
        message,
        exception,
    )
    assert error["time_source"] == "neighbour" and error["occurred_at"] == noon(5)
    assert found.requests[0]["text"] == "a"


def test_time_of_headerless_records_without_one_before() -> None:
    assert parse("ERROR: x\n" + end(at=9)).errors[0]["occurred_at"] == noon(9)
    assert parse("ERROR: x\n").errors[0]["occurred_at"] == MODIFIED


def test_chained_traceback_stays_one_error() -> None:
    trace = (
        'Traceback (most recent call last):\n  File "/app/a.py", line 1, in f\nKeyError: 1\n\n'
        "During handling of the above exception, another exception occurred:\n\n"
        'Traceback (most recent call last):\n  File "/app/b.py", line 2, in g\n'
        '  File "/x/site-packages/c.py", line 3, in h\napp.Bad: why\n  and more'
    )
    [error] = parse(line("boom", level="ERROR") + trace + "\n").errors
    assert error["traceback"] == trace and error["message"] == "boom"
    assert columns(error, "exception_type", "exception_message") == ("app.Bad", "why\n  and more")
    assert error["location"] == "/app/b.py:2 in g"


def test_exception_from_a_pair_and_from_nowhere() -> None:
    records = line("x: exc=ValueError: no", level="ERROR") + line("y: a=b", level="ERROR")
    first, second = parse(records).errors
    assert columns(first, "exception_type", "exception_message") == ("ValueError", "no")
    assert columns(second, "exception_type", "traceback", "location") == (None, None, None)


def test_bytes_that_are_ignored() -> None:
    data = b"\xef\xbb\xbf\0\0\n \t\r\n\0" + start('text="a"').encode().replace(b"\n", b"\r\n")
    found = parse(data + b"\n\n")
    assert found.requests[0]["start_offset"] == 11
    assert found.ledger[0]["ignored_bytes"] == 11 + 2
    assert found.requests[0]["lang"] == "zh"


def test_nuls_inside_a_record_are_its_own() -> None:
    found = parse(line("a", level="ERROR") + "\0\0more\n" + "\0\0ERROR: next\n")
    assert [row["message"] for row in found.errors] == ["a\n\ufffd\ufffdmore", "next"]
    assert found.ledger[0]["ignored_bytes"] == 2


def test_pairs_of_the_end_alone_are_attributes_elsewhere() -> None:
    records = line("synthesis_start: id=a, status=queued, duration_ms=0, voice=x") + line(
        "synthesis_complete: id=a, status=success, duration_ms=7, voice=y"
    )
    [request] = parse(records).requests
    assert columns(request, "status", "duration_ms", "voice") == ("success", 7.0, "y")
    assert request["attributes"] == {"status": "queued"}


def test_quarantine() -> None:
    bad = "2026-02-30 25:00:00,000 - a - INFO - never\n"
    found = parse("cut \udcff short\n\nagain\n" + bad + "more of it\n" + end())
    assert [columns(row, "byte_offset", "byte_length", "reason", "raw") for row in
            found.quarantine] == [
        (19, len(bad), "bad_time", bad),
    ]  # fmt: skip
    assert found.ledger[0] == {
        "records": 1,
        "record_bytes": len(end()),
        "quarantined": 1,
        "quarantined_bytes": len(bad),
        "ignored_bytes": 1,
        "tail_bytes": 0,
        "unclaimed": 3,
        "unclaimed_bytes": 18 + len("more of it\n"),
    }


def test_too_long_a_record() -> None:
    found = parse(start(f'text="{"x" * 5_000_000}"') + end())
    [row] = found.quarantine
    assert (row["reason"], len(row["raw"])) == ("too_long", 65536)
    assert len(found.requests) == 1


NUMBERS = [
    ("duration_ms=1.5s", "duration_ms", 1500.0, None),
    ("duration_ms=900us", "duration_ms", 0.9, None),
    ("duration_ms=2min", "duration_ms", 120_000.0, None),
    ("duration_ms=1240ms", "duration_ms", 1240.0, None),
    ("duration_ms=abc", "duration_ms", None, {"duration_ms": "abc"}),
    ("duration_ms=1e400", "duration_ms", None, {"duration_ms": "1e400"}),
    ("duration_ms=1e19", "duration_ms", None, {"duration_ms": "1e19"}),
    ("text_len=9223372036854775807", "text_len", 2**63 - 1, None),
    ("duration_ms=1e-999999999", "duration_ms", 0.0, None),
    ("audio_size_kb=2MB", "audio_size_kb", 2048.0, None),
    ("audio_size_kb=512B", "audio_size_kb", 0.5, None),
    ("text_len=86 chars", "text_len", 86, None),
    ("text_len=1 char", "text_len", 1, None),
    ("text_len=9223372036854775808", "text_len", None, {"text_len": "9223372036854775808"}),
    ("text_len=1e-999999999", "text_len", None, {"text_len": "1e-999999999"}),
    ("cache_saved=YES", "cache_saved", True, None),
    ("cache_saved=maybe", "cache_saved", None, {"cache_saved": "maybe"}),
    ("new=1, new=2, new=1", "rms", None, {"new": ["1", "2"]}),
    ('model_stage="a b"', "model_stage", "a b", None),
    ("model_stage=a b", "model_stage", "a", None),
]


@pytest.mark.parametrize(("pairs", "column", "value", "attributes"), NUMBERS)
def test_typed_values(pairs: str, column: str, value: object, attributes: object) -> None:
    [request] = parse(line(f"synthesis_complete: id=a, {pairs}")).requests
    assert request[column] == value
    assert request["attributes"] == attributes


def test_ids_used_again_and_late_records() -> None:
    late = line("audio_metrics: id=ts_1, rms=0.5", 60)
    lost = line("audio_metrics: id=ts_1, rms=0.7", 200)
    found = parse(start('text="a"') + end() + late + start('text="b"', at=70) + end(at=71) + lost)
    assert [columns(row, "text", "rms") for row in found.requests] == [
        ("a", 0.5),
        ("b", None),
        (None, 0.7),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_requests_that_span_files(order: tuple[int, ...]) -> None:
    stage = line("stage_time: stage=llm_inference, id=ts_1, duration_ms=7", 0.5)
    fails = line("synthesis_failed: id=ts_1, error_code=X", 0.7, "ERROR")
    files = [start('text="a"'), stage + fails, end()]
    found = parse(*(files[number] for number in order))
    [request] = found.requests
    assert columns(request, "text", "status", "error_code") == ("a", "success", "X")
    assert request["start_file"] == order.index(0) and request["end_file"] == order.index(2)
    assert found.stage_timings[0]["request_key"] == (order.index(0), 0)
    assert found.errors[0]["request_key"] == (order.index(0), 0)


def test_parts_that_do_not_meet() -> None:
    day = 24 * 3600
    assert len(parse(start('text="a"'), end(at=day)).requests) == 1
    assert len(parse(start('text="a"'), end(at=day + 0.001)).requests) == 2
    assert parse(line("w: id=ts_1", level="WARNING")).requests == []


def test_an_error_before_its_request_meets_it() -> None:
    warning = line("w: id=ts_1, warning_code=W", -5, "WARNING")
    found = parse(warning + start('text="a"') + end())
    assert found.errors[0]["request_key"] == (0, len(warning))
    assert found.requests[0]["logged_at"] == noon()


def test_strays_go_to_the_whole_request_they_begin_near() -> None:
    whole = start('text="a"') + end()
    late = line("audio_metrics: id=ts_1, rms=0.5, voice=later", 2)
    other_end = end(at=20 * 3600)
    found = parse(whole, late, other_end)
    assert [columns(row, "rms", "voice", "started_at") for row in found.requests] == [
        (0.5, "later", noon()),
        (None, None, None),
    ]
    early = line("audio_metrics: id=ts_1, rms=0.5", -3) + start('text="a"') + end()
    [request] = parse(early).requests
    assert columns(request, "rms", "logged_at") == (0.5, noon(-3))
    assert request["request_key"] == (0, len(line("audio_metrics: id=ts_1, rms=0.5")))


def test_of_several_requests_near_a_stray_the_better_wins() -> None:
    first = start('text="a"') + end(at=10)
    second = start('text="b"', at=30) + end(at=40)
    for at, text in ((5, "a"), (20, "a"), (35, "b"), (45, "b"), (-10, "a")):
        stray = line("audio_metrics: id=ts_1, rms=0.5", at)
        found = parse(first + second, stray).requests
        assert [row["text"] for row in found if row["rms"]] == [text]


def test_a_failure_alone_is_a_request_and_a_warning_is_none() -> None:
    found = parse(line("synthesis_failed: id=ts_1, error_code=X", level="ERROR"))
    assert columns(found.requests[0], "status", "error_code") == ("failed", "X")
    assert found.errors[0]["request_key"] == found.requests[0]["request_key"]
    found = parse(line("w: id=ts_1, error_code=X", level="ERROR"))
    assert found.requests == [] and found.errors[0]["request_key"] is None


def test_exception_groups_and_messages_of_many_lines() -> None:
    group = (
        "  + Exception Group Traceback (most recent call last):\n"
        '  |   File "/app/a.py", line 3, in h\n'
        "  | ExceptionGroup: two (1 sub-exception)\n"
        "  +-+---------------- 1 ----------------\n"
        "    | ValueError: one\n"
        "    +------------------------------------"
    )
    lines = "Traceback (most recent call last):\nValueError: first\nsecond"
    errors = parse(line("x", level="ERROR") + group + "\n" + lines + "\n").errors
    assert len(errors) == 2
    [error] = parse(line("x", level="ERROR") + group + "\n").errors
    assert columns(error, "exception_type", "exception_message", "location") == (
        "ExceptionGroup",
        "two (1 sub-exception)",
        "/app/a.py:3 in h",
    )
    [error] = parse(line("x", level="ERROR") + lines + "\n").errors
    assert columns(error, "exception_type", "exception_message") == (
        "ValueError",
        "first",
    )


def test_stage_clocks() -> None:
    records = "".join(
        line(f"stage_time: stage=s{number}, id=a, duration_ms={value}", number)
        for number, value in enumerate((10, 30, 5))
    )
    found = parse(records).stage_timings
    assert [row["duration_ms"] for row in found] == [10.0, 20.0, 5.0]
    found = parse(records, stage_time="own").stage_timings
    assert [row["elapsed_ms"] for row in found] == [10.0, 40.0, 45.0]


FORMATS = [
    ("[%(asctime)s] %(levelname)-8s %(name)s[%(process)d] (%(request_id)s): %(message)s",
     None, "[2026-03-02T12:00:00.250+08:00] WARNING  app.x[77] (req-1): m", "04:00:00.250"),
    ("%(asctime)s %(levelname)s %(name)s %(request_id)s %(message)s",
     "%d/%b/%Y %H:%M:%S", "02/Mar/2026 12:00:00 WARN app.x req-1 m", "12:00:00.000"),
    ("%(asctime)s.%(msecs)03d|%(levelname)s|%(name)s|%(request_id)s|%(message)s",
     "%Y-%m-%dT%H:%M:%S", "2026-03-02T12:00:00.007|WARNING|app.x|req-1|m", "12:00:00.007"),
]  # fmt: skip


@pytest.mark.parametrize(("log_format", "datefmt", "text", "time"), FORMATS)
def test_formats(log_format: str, datefmt: str | None, text: str, time: str) -> None:
    [error] = parse(text + "\n", log_format=log_format, datefmt=datefmt).errors
    assert columns(error, "level", "logger", "request_id", "message") == (
        "WARNING",
        "app.x",
        "req-1",
        "m",
    )
    assert error["occurred_at"] == datetime.fromisoformat(f"2026-03-02T{time}+00:00")


def test_hours_that_come_twice_or_never() -> None:
    def instants(tz: str, *stamps: str) -> list[str]:
        records = "".join(f"{stamp},000 - a - ERROR - x\n" for stamp in stamps)
        return [f"{row['occurred_at']:%H:%M}" for row in parse(records, tz=tz).errors]

    twice = ("2026-10-25 02:10:00", "2026-10-25 02:50:00", "2026-10-25 02:44:59")
    assert instants("Europe/Berlin", *twice) == ["00:10", "00:50", "01:44"]
    assert instants("Europe/Berlin", *twice[:2], "2026-10-25 02:45:00") == [
        "00:10",
        "00:50",
        "00:45",
    ]
    assert instants("Europe/Berlin", "2026-03-29 02:30:00") == ["01:30"]


def test_the_last_record_of_a_live_file_is_held_back() -> None:
    data = start('text="a"') + end()
    assert parse(data, final=False).ledger[0]["tail_bytes"] == len(end())
    assert parse(data + "ERROR: cut", final=False).ledger[0]["tail_bytes"] == len(end()) + 10
    assert parse(data + "ERROR: cut\n", final=False).ledger[0]["tail_bytes"] == 11
    open_text = line('synthesis_start: id=ts_1, text="cut') + end() * 4
    assert parse(open_text, final=False).ledger[0]["tail_bytes"] == len(open_text)
    assert parse(open_text + end(), final=False).ledger[0]["tail_bytes"] == len(end())


@given(log_files(), st.sampled_from(["UTC", "Europe/Berlin"]), st.booleans())
@settings(max_examples=100, deadline=None)
def test_every_byte_is_somewhere(files: list[bytes], tz: str, final: bool) -> None:
    found = parse(*files, tz=tz, final=final)
    for content, ledger in zip(files, found.ledger, strict=True):
        assert len(content) == sum(value for name, value in ledger.items() if "bytes" in name)
        assert not final or ledger["tail_bytes"] == 0
    keys = [row["request_key"] for row in found.requests]
    assert len(set(keys)) == len(keys)
    assert {row["request_key"] for row in found.stage_timings} <= set(keys)


@given(logs(), st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_not_held_back_stays_as_it_was(content: bytes, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(content)))
    early, whole = parse(content[:cut], final=False), parse(content)
    steady = ("byte_offset", "message", "traceback", "exception_message", "attributes")
    known = [columns(row, *steady) for row in whole.errors]
    assert [columns(row, *steady) for row in early.errors] == known[: len(early.errors)]
    assert early.quarantine == whole.quarantine[: len(early.quarantine)]
