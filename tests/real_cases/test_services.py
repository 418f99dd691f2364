"""Logs as services print them, in the envelopes of transports: the rows of each, with no option at
all.
"""

import json
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.errors import FormatError
from ingest.pipeline import ingest as pipeline
from ingest.pipeline.options import Options
from ingest.records.formats import Pins, compile_format, pinned
from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks.verify import run as flow
from tests.support import harness

BARS = (
    "\r  0%|          | 0/25 [00:00<?, ?it/s]\r 60%|██████    | 15/25 [00:00<00:00, 16.67it/s]"
    "\r100%|██████████| 25/25 [00:01<00:00, 16.67it/s]\n"
)
BLOCK = (
    ">> starting inference...\n"
    + BARS
    + ">> gpt_gen_time: 2.93 seconds\n>> gpt_forward_time: 0.02 seconds\n>> s2mel_time: 1.56 "
    "seconds\n"
    ">> bigvgan_time: 0.07 seconds\n>> Total inference time: 6.15 seconds\n"
    ">> Generated audio length: 2.53 seconds\n>> RTF: 2.4308\n"
)
FAILED = (
    ">> starting inference...\n"
    'INFO:     10.3.0.7:54334 - "POST /tts HTTP/1.1" 500 Internal Server Error\n'
    "ERROR:    Exception in ASGI application\n"
    "Traceback (most recent call last):\n"
    '  File "/app/api.py", line 88, in tts\n    wav = infer()\n'
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.27 GiB.\n"
)
SERVICE = (
    BLOCK + 'INFO:     10.3.0.7:5 - "POST /tts HTTP/1.1" 200 OK\n' + FAILED + "a plain print\n"
)
NATIVE = "2026-03-02 10:00:0{0},000 - app.tts_engine - {1} - {2}\n"


def ingested(folder: Path, *contents: bytes, chunk: int = 1 << 20) -> DuckDBStore:
    """A store that has read a growing file, as it stood each time."""
    store, path = harness.new_store(folder), folder / "app.log"
    for number, content in enumerate(contents, start=1):
        path.write_bytes(content)
        last = number == len(contents)
        report = harness.run(store, [path], final=last, chunk_bytes=chunk)
        assert not report.problems
    return store


def asked(store: DuckDBStore, sql: str) -> list[tuple[object, ...]]:
    with store.reading() as reader:
        return [tuple(row) for row in reader.query(sql, {}).rows]


def compose(text: str) -> str:
    return "".join(f"tts-1  | {line}\n" for line in text.splitlines())


def docker_json(text: str) -> str:
    return "".join(
        json.dumps({"log": line + "\n", "stream": "stdout", "time": f"2026-03-02T02:00:{n:02}.5Z"})
        + "\n"
        for n, line in enumerate(text.split("\n")[:-1])
    )


def cri(text: str) -> str:
    return "".join(
        f"2026-03-02T10:00:{n:02}.230000789+08:00 stdout F {line}\n"
        for n, line in enumerate(text.split("\n")[:-1])
    )


def journal(text: str) -> str:
    return "".join(
        f"2026-03-02T10:00:{n:02}+0800 gpu01 tts[2231]: {line}\n"
        for n, line in enumerate(text.split("\n")[:-1])
    )


ENVELOPES = {
    "none": lambda text: text,
    "compose": compose,
    "docker json-file": docker_json,
    "CRI": cri,
    "journald": journal,
}
_TASK = "ecs/tts/0123456789abcdef0123456789abcdef"
_BEFORE = {
    "journald short-full": "Mon 2026-03-02 10:00:0{0} UTC gpu1 tts[812]: ",
    "journald with-unit": "Mon 2026-03-02 10:00:0{0}.123456 UTC gpu1 tts.service[812]: ",
    "journald short-unix": "177244560{0}.123456 gpu1 tts[812]: ",
    "journald short-monotonic": "[ 4560{0}.123456] gpu1 tts[812]: ",
    "syslog of docker": "Mar  2 10:00:0{0} gpu1 docker/tts/3f2a9c[812]: ",
    "pm2 --time": "0|tts  | 2026-03-02T10:00:0{0}: ",
    "pm2 with its documented format": "2026-03-02 10:0{0} +00:00: ",
    "compose -t around docker -t": "tts-1  | 2026-03-02T02:00:0{0}.123456789Z "
    "2026-03-02T02:00:0{0}.120456789Z ",
    "a platform": "2026-03-02T02:00:0{0}.123456+00:00 app[web.1]: ",
    "supervisor-stdout": "tts stdout | ",
    "stern": "tts-6d8f7c9b4d-x7k2p tts ",
    "stern -A": "speech tts-6d8f7c9b4d-x7k2p tts ",
    "stern -t of a daemon set": "tts-x7k2p tts 2026-03-02T02:00:0{0}.123456789Z ",
    "kubectl logs --prefix": "[pod/tts-6d8f7c9b4d-x7k2p/tts] ",
    "aws logs tail": f"2026-03-02T02:00:0{{0}}.123000+00:00 {_TASK} ",
    "aws logs tail --format short": "2026-03-02T02:00:0{0} ",
    "docker service logs": "tts_web.1.x7k2p9q8z7y6@gpu1    | ",
    "docker service logs -t": "2026-03-02T02:00:0{0}.123456789Z tts_web.1.x7k2p9q8z7y6@gpu1  | ",
    "seconds since 1970": "177241680{0}.123 ",
    "a stamp": "2026-03-02 10:00:0{0} ",
    "a stamp in brackets": "[2026-03-02 10:00:0{0}] ",
    "a stamp by ts(1)": "Mar 02 10:00:0{0} ",
}
_UNDATED = {
    "journald short-monotonic", "supervisor-stdout", "stern", "stern -A", "kubectl logs --prefix",
    "docker service logs",
}  # fmt: skip


@pytest.mark.parametrize("name", ENVELOPES)
def test_a_service_gives_the_same_rows_in_every_envelope(name: str, tmp_path: Path) -> None:
    store = ingested(tmp_path, ENVELOPES[name](SERVICE).encode())
    found = asked(
        store, "select status, duration_ms, audio_ms, rtf from requests order by start_offset"
    )
    assert found[0] == ("success", 6150.0, 2530.0, 2.4308)
    assert (found[1][0], found[1][2:]) == ("failed", (None, None))
    stages = asked(store, "select stage, duration_ms from stage_timings order by byte_offset")
    assert stages == [
        ("gpt_gen", 2930.0),
        ("gpt_forward", 20.0),
        ("s2mel", 1560.0),
        ("bigvgan", 70.0),
    ]
    errors = asked(store, "select level, code, exception_type, location from errors")
    assert errors == [("ERROR", "CUDA_OOM", "torch.OutOfMemoryError", "/app/api.py:88 in tts")]
    http = asked(
        store, "select method, path, http_status, client from http_requests order by byte_offset"
    )
    assert http == [("POST", "/tts", 200, "10.3.0.7"), ("POST", "/tts", 500, "10.3.0.7")]
    assert asked(store, "select unclaimed from log_files") == [(1,)]


@pytest.mark.parametrize("name", _BEFORE)
def test_transports_that_are_seldom_seen(name: str, tmp_path: Path) -> None:
    lines = enumerate(SERVICE.splitlines(keepends=True))
    log = "".join(_BEFORE[name].format(number // 4) + line for number, line in lines)
    store = ingested(tmp_path, log.encode())
    found = asked(store, "select status, audio_ms, rtf from requests order by start_offset")
    assert found == [("success", 2530.0, 2.4308), ("failed", None, None)]
    errors = asked(store, "select level, code, exception_type, location from errors")
    assert errors == [("ERROR", "CUDA_OOM", "torch.OutOfMemoryError", "/app/api.py:88 in tts")]
    http = asked(store, "select path, http_status from http_requests order by byte_offset")
    assert http == [("/tts", 200), ("/tts", 500)]
    if name not in _UNDATED:
        (first,) = asked(store, "select min(started_at) from requests")[0]
        assert isinstance(first, datetime) and first.date() == datetime(2026, 3, 2).date()


@pytest.mark.parametrize("name", ENVELOPES)
def test_any_split_among_runs_and_chunks_gives_the_same_rows(name: str, tmp_path: Path) -> None:
    content = ENVELOPES[name](SERVICE * 2).encode()
    columns = "id, status, duration_ms, rtf, start_offset, end_offset, instance"
    whole = ingested(tmp_path, content)
    expected = asked(whole, f"select {columns} from requests order by start_offset")
    chosen = random.Random(name)
    for attempt in range(2):
        folder = tmp_path / str(attempt)
        folder.mkdir()
        cuts = sorted(chosen.sample(range(1, len(content)), 4))
        store = ingested(
            folder, *(content[:cut] for cut in cuts), content, chunk=chosen.choice([100, 700])
        )
        assert asked(store, f"select {columns} from requests order by start_offset") == expected
        ours = "select byte_offset, code, id from errors order by 1"
        assert asked(store, ours) == asked(whole, ours)
        unclaimed = "select unclaimed, unclaimed_bytes, records, record_bytes from log_files"
        assert asked(store, unclaimed) == asked(whole, unclaimed)


def test_parts_of_a_line_are_joined_at_the_place_of_the_first(tmp_path: Path) -> None:
    line = NATIVE.format(0, "INFO", 'synthesis_start: id=ts_1, text="long, very long", voice=v')
    first, second = line[:70], line[70:].rstrip("\n")
    stamp = "2026-03-02T10:00:00.230000789+08:00 stdout"
    other = "2026-03-02T10:00:00.230000789+08:00 stderr F a print between\n"
    store = ingested(tmp_path, f"{stamp} P {first}\n{other}{stamp} F {second}\n".encode())
    assert asked(store, "select id, text, voice, start_offset from requests") == [
        ("ts_1", "long, very long", "v", 0)
    ]


def test_lines_of_two_instances_never_continue_each_other(tmp_path: Path) -> None:
    lines = [f"a-1  | {line}" for line in FAILED.splitlines()]
    others = [f"b-1  | {line}" for line in BLOCK.replace(BARS, "").splitlines()]
    mixed = [line for pair in zip(lines, others, strict=False) for line in pair]
    mixed += others[len(lines) :] + lines[len(others) :]
    store = ingested(tmp_path, "\n".join([*mixed, ""]).encode())
    found = asked(store, "select instance, status, duration_ms from requests order by instance")
    assert found == [("a-1", "failed", None), ("b-1", "success", 6150.0)]
    (error,) = asked(store, "select instance, exception_type, exception_message from errors")
    assert error[:2] == ("a-1", "torch.OutOfMemoryError") and ">>" not in str(error[2])


def test_what_stands_behind_a_record_gives_it_no_pairs(tmp_path: Path) -> None:
    log = NATIVE.format(0, "INFO", 'synthesis_start: id=ts_1, text="one"')
    log += NATIVE.format(1, "INFO", "synthesis_complete: id=ts_1, status=success, duration_ms=5")
    log += "voice=evil, text=other\n" + NATIVE.format(2, "INFO", "done")
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select text, voice from requests") == [("one", None)]
    assert asked(store, "select unclaimed from log_files") == [(1,)]


def test_a_traceback_ends_at_its_exception_line(tmp_path: Path) -> None:
    trace = (
        'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    x()\nValueError: '
        "bad\n"
    )
    chain = "\nDuring handling of the above exception, another exception occurred:\n\n"
    log = NATIVE.format(0, "ERROR", "boom") + trace + chain + trace + "text of another user\n"
    log += NATIVE.format(1, "WARNING", "unrelated") + "a print\n" + trace
    store = ingested(tmp_path, log.encode())
    found = asked(
        store, "select message, exception_type, exception_message from errors order by byte_offset"
    )
    assert found[0] == ("boom", "ValueError", "bad")
    assert found[1] == ("unrelated\na print", None, None)
    assert found[2][1:] == ("ValueError", "bad")


def test_a_header_in_a_torn_line_is_a_record_and_in_a_text_it_is_text(tmp_path: Path) -> None:
    whole = NATIVE.format(1, "INFO", "synthesis_start: id=ts_2, lang=zh")
    log = NATIVE.format(0, "INFO", "synthesis_start: id=ts_1, lang=zh")[:-9] + whole
    log += NATIVE.format(2, "INFO", f'synthesis_start: id=ts_3, text="{whole.strip()}"')
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select id from requests order by id") == [("ts_2",), ("ts_3",)]
    assert asked(store, "select reason, byte_offset from quarantine") == [("torn", 0)]


@pytest.mark.parametrize(
    "before", [b"\r", b"\x1b[0m", b"\x1a", b"\xef\xbb\xbf", BARS.rstrip("\n").encode() + b"\r"]
)
def test_a_header_is_found_behind_what_terminals_need(before: bytes, tmp_path: Path) -> None:
    first = NATIVE.format(0, "INFO", "synthesis_start: id=ts_1, lang=zh").encode()
    second = NATIVE.format(1, "INFO", "synthesis_start: id=ts_2, lang=zh").encode()
    store = ingested(tmp_path, first + before + second)
    assert asked(store, "select id from requests order by id") == [("ts_1",), ("ts_2",)]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le"])
def test_chinese_text_in_the_encodings_of_windows(encoding: str, tmp_path: Path) -> None:
    start = NATIVE.format(0, "INFO", "warm").encode()
    rest = NATIVE.format(
        1, "INFO", 'synthesis_start: id=ts_1, text="系统上的文件, 你好", voice=晓晓'
    )
    store = ingested(tmp_path, start + rest.encode(encoding))
    assert asked(store, "select text, voice from requests") == [("系统上的文件, 你好", "晓晓")]


def test_a_stamp_without_a_year_or_a_date_takes_it_from_the_file(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("ERROR 12-31 23:59:58 [a.py:3] one\n23:59:59 | ERROR | b:4 | two\n")
    at = datetime(2026, 1, 1, 0, 30, tzinfo=UTC).timestamp()
    os.utime(path, (at, at))
    store = harness.new_store(tmp_path)
    harness.run(store, [path], final=True)
    found = asked(store, "select occurred_at, message from errors order by byte_offset")
    instants = [when.astimezone(UTC) for when, _ in found if isinstance(when, datetime)]
    assert instants == [
        datetime(2025, 12, 31, 23, 59, 58, tzinfo=UTC),
        datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC),
    ]
    assert [message for _, message in found] == ["one", "two"]


def test_json_lines_fill_the_same_rows(tmp_path: Path) -> None:
    lines = [
        {"event": "synthesis_start", "id": "ts_1", "text": "a, status=failed", "level": "info",
         "timestamp": "2026-03-02T10:00:00.1Z", "request_id": "q1", "profile": "mine"},
        {"message": "synthesis_complete: id=ts_1, status=success, duration_ms=523",
        "levelname": "INFO",
         "asctime": "2026-03-02 10:00:00,700"},
    ]  # fmt: skip
    store = ingested(tmp_path, "".join(json.dumps(line) + "\n" for line in lines).encode())
    found = asked(store, "select id, request_id, status, text, duration_ms, profile from requests")
    assert found == [("ts_1", "q1", "success", "a, status=failed", 523.0, None)]


def _pinned(folder: Path, content: bytes, pins: Pins) -> DuckDBStore:
    folder.mkdir()
    path, store = folder / "app.log", harness.new_store(folder)
    path.write_bytes(content)
    options = Options("h", "s", compile_format(pins=pins), UTC, final=True)
    pipeline.ingest(store, [str(path)], options, now=lambda: datetime.now(UTC))
    return store


def test_pins_are_taken_instead_of_what_is_recognised(tmp_path: Path) -> None:
    count = "select count(*) from requests"
    compose_log = compose(SERVICE).encode()
    other = _pinned(tmp_path / "profile", compose_log, pinned("piper", None, None))
    assert asked(other, count) == [(0,)]
    none = _pinned(tmp_path / "envelope", compose_log, pinned(None, "none", None))
    assert asked(none, "select count(instance) from requests") == [(0,)]
    start = 'synthesis_start: id=ts_1, text="ｱｲｳ"'
    text = NATIVE.format(0, "INFO", start).encode("shift_jis")
    said = _pinned(tmp_path / "encoding", text, pinned(None, None, "shift-jis"))
    assert asked(said, "select text from requests") == [("ｱｲｳ",)]
    assert asked(said, "select encoding from log_files") == [("shift_jis",)]


def test_verify_reads_with_the_pins_of_a_file(tmp_path: Path) -> None:
    store = _pinned(tmp_path / "f", compose(SERVICE).encode(), pinned("piper", None, None))
    options = flow.Options(compile_format(), UTC)
    assert flow.verify(store, options).is_clean


@pytest.mark.parametrize("pins", [("indextts", "box", None), (None, None, "klingon")])
def test_a_pin_that_there_is_not_is_refused(
    pins: tuple[str | None, str | None, str | None],
) -> None:
    with pytest.raises(FormatError, match="there is no"):
        pinned(*pins)


def test_a_log_that_holds_only_a_banner_yet_is_read_and_grows(tmp_path: Path) -> None:
    banner = " Speech for everybody\n * Server running on http://localhost:5050\n"
    line = '10.3.0.7 - - [2026-03-02 10:00:03] "POST /v1/audio/speech HTTP/1.1" 200 70 1.5\n'
    store = ingested(tmp_path, banner.encode(), (banner + line).encode())
    assert asked(store, "select http_status, request_ms from http_requests") == [(200, 1500.0)]
    assert asked(store, "select unclaimed from log_files") == [(2,)]


def test_a_log_whose_first_lines_fill_the_first_look_is_read(tmp_path: Path) -> None:
    text = "你好" * 4000
    start = f'2026-03-02 10:00:00,123 - app - INFO - synthesis_start: id=ts_1, text="{text}"\n'
    end = "2026-03-02 10:00:03,123 - app - INFO - synthesis_complete: id=ts_1, status=success\n"
    cut = [start[:6000], start[6000:], end]
    lines = [{"log": part, "stream": "stdout", "time": "2026-03-02T10:00:03Z"} for part in cut]
    log = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select status, text_len from requests") == [("success", 8000)]


def test_a_json_file_with_bare_escapes_of_a_terminal(tmp_path: Path) -> None:
    log = docker_json(SERVICE).replace("ERROR:", "\x1b[31mERROR:\x1b[0m")
    store = ingested(tmp_path, log.encode())
    assert asked(store, "select level, code, exception_type from errors") == [
        ("ERROR", "CUDA_OOM", "torch.OutOfMemoryError")
    ]
