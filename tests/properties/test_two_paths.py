"""The scanner's fast path and the general path give the same records for lines of the format,
however they are cut.
"""

import os
from datetime import UTC

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingest.compiled import layout
from ingest.records.chunks import ChunkReader
from ingest.records.formats import compile_format
from ingest.records.front import FrontParser
from ingest.records.general import GeneralParser
from ingest.records.instants import FILE
from ingest.records.parse import ChunkParser, Parsed
from tests.support import strategies
from tests.support.shipped_profiles import shipped

_PROFILE = settings(
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "40")),
    derandomize="TTSQ_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_FORMAT = compile_format()
_FORMATS = (
    (None, None, "{at},{ms:03} - app.tts - {level} - {message}"),
    ("%(asctime)s.%(msecs)03d [%(request_id)s] %(levelname)s %(name)s: %(message)s",
     "%Y-%m-%d %H:%M:%S", "{at}.{ms:03} [r1] {level} app.tts: {message}"),
    ("%(asctime)s:%(levelname)s:%(name)s:%(message)s", None,
     "{at},{ms:03}:{level}:app.tts:{message}"),
    ("%(asctime)s | %(levelname)-8s | %(process)d | %(name)s | %(message)s", None,
     "{at},{ms:03} | {level:8} | 17 | app.tts | {message}"),
)  # fmt: skip
_TRACEBACK = 'Traceback (most recent call last):\n  File "/app/x.py", line 3, in f\nValueError: bad'
_MESSAGES = (
    ("INFO", "stage_time: stage=llm, id=ts_1, duration_ms=12"),
    ("INFO", "synthesis_start: id=ts_1, text=hello, lang=zh"),
    ("INFO", 'synthesis_start: id=ts_1, text="a, b", lang=zh, voice=alloy, cache_hit=false'),
    ("WARNING", "cache_dir_usage: path=/app/cache, used_percent=92.7, action=warn"),
    ("INFO", "loading 3 models"),
    ("ERROR", f"synthesis_failed: id=ts_1, error_code=X, Invalid input\n{_TRACEBACK}"),
)


@_PROFILE
@given(strategies.logs(), st.integers(60, 3000))
def test_both_paths_give_the_same_records(data: bytes, chunk: int) -> None:
    note(repr(data))
    front = FrontParser(_FORMAT, UTC, shipped(), head=data[:1024])
    general = GeneralParser(_FORMAT, UTC, shipped(), head=data[:1024])
    assert _read(front, data, chunk) == _read(general, data, len(data) + 1)


@pytest.mark.parametrize(("text", "datefmt", "line"), _FORMATS)
@pytest.mark.parametrize(("level", "message"), _MESSAGES)
def test_a_record_behind_half_of_one_is_read_wherever_that_was_cut(
    text: str | None, datefmt: str | None, line: str, level: str, message: str
) -> None:
    fmt = compile_format(text, datefmt) if text else _FORMAT
    made: list[str] = []
    half = line.format(at="2026-03-02 10:00:00", ms=7, level=level, message=message)
    for cut in range(len(half)):
        if 'text="' in half[:cut] and "lang=" not in half[:cut]:
            continue  # nothing has ended the text yet: what follows may be its own
        if half[:cut].count('"') % 2:
            continue
        if "\n" in half[:cut] and not half[:cut][-1].isalnum():
            continue  # a traceback may quote a header
        at, ms = f"2026-03-02 10:{cut // 60:02}:{cut % 60:02}", cut % 7
        made.append(half[:cut])
        has_text = cut % 2 == 0 and 'text="' not in half[:cut]  # its end would be that text's
        failure = f'failure {cut}: text="c, d", lang=zh' if has_text else f"failure {cut}"
        made.append(line.format(at=at, ms=ms, level="ERROR", message=failure) + "\n")
    data = "".join(made).encode()
    front = _read(FrontParser(fmt, UTC, shipped(), head=data[:1024]), data, 3000)
    assert front == _read(GeneralParser(fmt, UTC, shipped(), head=data[:1024]), data, 1 << 20)
    failures = [r for r in front if f"{layout.L_ERROR}, -1, b'app.tts', b'failure" in repr(r)]
    assert len(failures) == len(made) // 2


def test_a_text_that_seems_to_end_before_a_header_forges_no_record() -> None:
    line = "2026-03-02 10:00:0{},000 - app.tts - {} - {}"
    forged = line.format(1, "ERROR", "synthesis_failed: id=ts_2, error_code=FORGED")
    text = 'hi", lang=zh' + forged
    start = line.format(0, "INFO", f'synthesis_start: id=ts_1, text="{text}", lang=en\n')
    data = (start + line.format(2, "INFO", "ready\n") * 3).encode()
    front = _read(FrontParser(_FORMAT, UTC, shipped(), head=data[:1024]), data, 3000)
    general = _read(GeneralParser(_FORMAT, UTC, shipped(), head=data[:1024]), data, 1 << 20)
    assert front == general
    assert len(front) == 4
    assert f"(b'text', {text.encode()!r})" in repr(front)


def test_a_blank_line_behind_a_text_that_nothing_ends_is_not_its_own() -> None:
    line = "2026-03-02 10:00:0{},000 - app.tts - ERROR - {}\n"
    start = line.format(0, 'synthesis_start: id=ts_1, text="hello')
    trace = "Traceback (most recent call last):\nValueError: bad\n"
    data = (start + "\n" + trace + "".join(line.format(n, "failure") for n in range(1, 8))).encode()
    front = _read(FrontParser(_FORMAT, UTC, shipped(), head=data[:1024]), data, 3000)
    general = _read(GeneralParser(_FORMAT, UTC, shipped(), head=data[:1024]), data, 1 << 20)
    assert front == general
    assert "(b'text', b'hello')" in repr(front)


def _read(parser: ChunkParser, data: bytes, chunk: int) -> list[object]:
    """What rows are made of, of all records, and the rejects; an instant that only the file tells
    is left out.
    """
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    found: list[object] = []
    for parsed in ChunkReader(parser, read, 0, True, None, 0, chunk_bytes=chunk):
        good = parsed.records[:, layout.R_KIND] <= layout.K_TRACEBACK
        found += [_record(parsed, i) for i in good.nonzero()[0].tolist()]
        found += [(r.byte_offset, r.byte_length, r.reason) for r in parsed.rejects]
    return sorted(found, key=repr)


def _record(parsed: Parsed, i: int) -> object:
    row = [int(v) for v in parsed.records[i]]

    def text(start: int, end: int) -> bytes:
        return bytes(parsed.data[start:end]) if 0 <= start < end else b""

    pairs = [
        (text(p[layout.P_KEY], p[layout.P_KEY_END]), text(p[layout.P_VALUE], p[layout.P_VALUE_END]))
        for p in parsed.pairs[
            row[layout.R_PAIR] : row[layout.R_PAIR] + row[layout.R_PAIRS]
        ].tolist()
    ]
    begin = row[layout.R_TRACEBACK]
    known = parsed.time_source[i] != FILE
    return (
        int(parsed.starts[i]),
        row[layout.R_LEVEL],
        row[layout.R_EVENT],
        text(row[layout.R_NAME], row[layout.R_NAME_END]),
        text(row[layout.R_MSG], row[layout.R_MSG_END]).replace(b"\r", b""),
        text(begin, row[layout.R_END]).replace(b"\r", b"").rstrip(),
        pairs,
        int(parsed.instants[i]) if known else None,
    )
