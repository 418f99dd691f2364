"""Logs of services give what the plain reference reads in them: envelopes, bars, colours, torn
lines, interleaved instances, texts that look like log lines; however they are cut.
"""

import json
import os
from datetime import UTC

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingest.compiled import layout
from ingest.records.chunks import ChunkReader
from ingest.records.formats import compile_format
from ingest.records.front import FrontParser
from ingest.records.parse import Parsed
from ingest.records.vocabulary import COMPLETE, HTTP_REQUEST, START
from tests.support.reference_assembly import ORDER
from tests.support.reference_service import Read, read
from tests.support.shipped_profiles import shipped

_PROFILE = settings(
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "60")),
    derandomize="TTSQ_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_FORMAT = compile_format()
_PRINTED = {
    "gpt_gen": ">> gpt_gen_time: {:.2f} seconds",
    "gpt_forward": ">> gpt_forward_time: {:.2f} seconds",
    "s2mel": ">> s2mel_time: {:.2f} seconds",
    "bigvgan": ">> bigvgan_time: {:.2f} seconds",
    "total": ">> Total inference time: {:.2f} seconds",
    "audio": ">> Generated audio length: {:.2f} seconds",
    "rtf": ">> RTF: {:.4f}",
}
_OPENS = ">> starting inference..."
_BAR = "\r 60%|██████    | 15/25 [00:00<00:00, 16.67it/s]"
_PODS = ["tts-6d8f7c9b4d-x7k2p tts", "tts-6d8f7c9b4d-z9q4m tts"]  # as stern prints them
_TRACE = [
    "Traceback (most recent call last):",
    '  File "/app/api.py", line 88, in tts',
    "    wav = infer()",
    "RuntimeError: no",
]
_HOSTILE = [
    "a plain print",
    f'the user said "{_OPENS}"',
    f"text={_OPENS}",
    f'x="] {_OPENS}',
    f"nothing {_OPENS}",
    ">> RTF: of a user",
    'a text - "POST /tts HTTP/1.1"',
    "tts | not a prefix",
    "tts-6d8f7c9b4d-abcde tts is no pod",
    "ERROR of a user's",
    "Traceback (most recent call last): of a user",
    "INFO:     10.3.0.7:1 - a text",
    "  an indented print",
    "",
    '"; drop table requests; --',
    "你好，世界",
]


def _block(number: int) -> list[str]:
    return [_OPENS, *(_PRINTED[name].format(number) for name in ORDER)]


_CHUNKS = st.one_of(
    st.builds(_block, st.integers(1, 9)),
    st.just([_OPENS]),
    st.just([f"[worker] {_OPENS}"]),
    st.builds(lambda n, k: [_PRINTED[n].format(k)], st.sampled_from(ORDER), st.integers(1, 9)),
    st.sampled_from([[_BAR], [_BAR + _BAR], [_BAR + _OPENS]]),
    st.builds(
        lambda status, port: [f'INFO:     10.3.0.7:{port} - "POST /tts HTTP/1.1" {status}'],
        st.sampled_from(["200 OK", "500 Internal Server Error", "404 Not Found"]),
        st.integers(1, 9),
    ),
    st.just(["ERROR:    Exception in ASGI application", *_TRACE]),
    st.just(_TRACE),
    st.just(["WARNING:  low memory"]),
    st.just(["2026-03-02 10:00:00,123 - app - WARNING - low memory", "which one", "says more"]),
    st.builds(lambda text: [text], st.sampled_from(_HOSTILE)),
    st.builds(lambda text: [f"INFO:     {text}"], st.sampled_from(_HOSTILE[:6])),
)


@st.composite
def _logs(draw: st.DrawFn) -> bytes:
    """A service's log: chunks of one or several instances, line by line in any order."""
    names = draw(st.sampled_from([[None], ["a-1"], ["a-1", "b-1"], [_PODS[0]], _PODS]))
    streams = [
        (name, [line for chunk in draw(st.lists(_CHUNKS, max_size=8)) for line in chunk])
        for name in names
    ]
    is_json = names == [None] and draw(st.booleans())
    lines: list[bytes] = []
    while any(left for _, left in streams):
        name, left = draw(st.sampled_from([s for s in streams if s[1]]))
        for _ in range(draw(st.integers(1, len(left)))):
            lines.append(_wrapped(left.pop(0), name, is_json, draw(st.booleans())))
    if lines and draw(st.booleans()):
        torn = draw(st.integers(0, len(lines) - 1))
        lines[torn] = lines[torn][: draw(st.integers(0, len(lines[torn]) - 1))] + b"\n"
    return b"".join(lines)


def _wrapped(line: str, name: str | None, is_json: bool, is_coloured: bool) -> bytes:
    if is_coloured:
        for level in ("INFO:", "WARNING:", "ERROR:"):
            line = line.replace(level, f"\x1b[32m{level}\x1b[0m", 1)
    if is_json:
        stamp = "2026-03-02T02:00:00.123456789Z"
        return json.dumps({"log": line + "\n", "stream": "stdout", "time": stamp}).encode() + b"\n"
    between = " " if name in _PODS else "  | "
    return f"{name}{between}{line}\n".encode() if name else f"{line}\n".encode()


@_PROFILE
@given(_logs(), st.integers(60, 3000))
def test_the_rows_are_those_of_the_plain_reference(data: bytes, chunk: int) -> None:
    note(repr(data))
    wanted, found = read(data), _found(data, chunk)
    assert found.http == wanted.http
    assert found.errors == [(e.offset, e.level, e.message, e.exception) for e in wanted.errors]
    assert found.unclaimed == wanted.unclaimed
    assert [row[:3] for row in found.requests] == [row[:3] for row in _wanted_requests(wanted)]
    for row, want in zip(found.requests, _wanted_requests(wanted), strict=True):
        assert want[3] in (None, row[3])  # where none is printed, it is that between two stamps


def _wanted_requests(wanted: Read) -> list[tuple[object, ...]]:
    return [
        (
            asked.offset,
            "failed" if asked.status == "interrupted" else asked.status,
            asked.values.get("rtf"),
            asked.values["total"] * 1000 if "total" in asked.values else None,
        )
        for asked in wanted.requests
    ]


class _Rows:
    """What the product's records say, of all chunks."""

    def __init__(self) -> None:
        self.requests: list[tuple[object, ...]] = []
        self.errors: list[tuple[object, ...]] = []
        self.http: list[tuple[object, ...]] = []
        self.unclaimed = 0


def _found(data: bytes, chunk: int) -> _Rows:
    at, rows = 0, _Rows()

    def of(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    starts: dict[str, int] = {}
    ends: dict[str, dict[str, str]] = {}
    parser = FrontParser(_FORMAT, UTC, shipped(), head=data[:1024])
    for parsed in ChunkReader(parser, of, 0, True, None, 0, chunk_bytes=chunk):
        rows.unclaimed += parsed.ledger.unclaimed
        for number, row in enumerate(parsed.records.tolist()):
            pairs = _pairs(parsed, row)
            event = row[layout.R_EVENT]
            if event == START:
                starts[pairs["id"]] = int(parsed.starts[number])
            elif event == COMPLETE:
                ends[pairs["id"]] = pairs
            elif event == HTTP_REQUEST:
                status = int(pairs["http_status"])
                rows.http.append((int(parsed.starts[number]), pairs["path"], status))
            if row[layout.R_LEVEL] >= layout.L_WARNING and row[layout.R_KIND] <= layout.K_TRACEBACK:
                rows.errors.append(_error(parsed, number, row))
    for id_, offset in sorted(starts.items(), key=lambda item: item[1]):
        pairs = ends.get(id_, {})
        rtf, took = pairs.get("rtf"), pairs.get("duration_ms")
        rows.requests.append(
            (
                offset,
                pairs.get("status", "open"),
                None if rtf is None else float(rtf),
                None if took is None else float(took),
            )
        )
    rows.http.sort(key=lambda row: str(row[0]).zfill(9))
    rows.errors.sort(key=lambda row: str(row[0]).zfill(9))
    return rows


def _pairs(parsed: Parsed, row: list[int]) -> dict[str, str]:
    found: dict[str, str] = {}
    first = row[layout.R_PAIR]
    for pair in parsed.pairs[first : first + row[layout.R_PAIRS]].tolist():
        key = bytes(parsed.data[pair[layout.P_KEY] : pair[layout.P_KEY_END]]).decode()
        value = bytes(parsed.data[pair[layout.P_VALUE] : pair[layout.P_VALUE_END]]).decode()
        found.setdefault(key, value)
    return found


def _error(parsed: Parsed, number: int, row: list[int]) -> tuple[object, ...]:
    message = bytes(parsed.data[row[layout.R_MSG] : row[layout.R_MSG_END]]).decode()
    begin = row[layout.R_TRACEBACK]
    trace = bytes(parsed.data[begin : row[layout.R_END]]).decode() if begin >= 0 else ""
    raised = [t for t in trace.split("\n") if t and not t.startswith((" ", "Traceback"))]
    level = "WARNING" if row[layout.R_LEVEL] == layout.L_WARNING else "ERROR"
    kind = raised[0].partition(":")[0] if raised else None
    return int(parsed.starts[number]), level, message.rstrip(), kind
