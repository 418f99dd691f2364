"""Lines that are learnt give the records that the general path gives of them, in whatever order,
with whatever numbers and neighbours, however they are cut.
"""

import json
import os
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingest.compiled import layout
from ingest.records import in_turn
from ingest.records.chunks import ChunkReader
from ingest.records.formats import compile_format
from ingest.records.front import FrontParser
from ingest.records.learnt import modes
from tests.support.shipped_profiles import shipped

_PROFILE = settings(
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "15")),
    derandomize="TTSQ_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_FORMAT = compile_format()
_ZONE = ZoneInfo("Europe/Berlin")
_BAR = "\r  0%|          | 0/25 [00:00<?, ?it/s]\r100%|██████████| 25/25 [00:01<00:00, 16.7it/s]"
_BLOCK = (
    ">> gpt_gen_time: {:.2f} seconds", ">> gpt_forward_time: {:.2f} seconds",
    ">> s2mel_time: {:.2f} seconds", ">> bigvgan_time: {:.2f} seconds",
    ">> Total inference time: {:.2f} seconds", ">> Generated audio length: {:.2f} seconds",
    ">> RTF: {:.4f}",
)  # fmt: skip
_REQUEST = (
    ">> starting inference...", "Use the specified emotion vector", _BAR,
    "torch.Size([1, {:.0f}])", *_BLOCK, ">> wav file saved to: outputs/spk_{:.0f}.wav",
    'INFO:     10.3.0.{:.0f}:43122 - "POST /tts HTTP/1.1" 200 OK',
)  # fmt: skip
# a service without a duration of its own: its stamps tell it
_YIELDS = (
    _BAR, "INFO synthesis text 你好", "INFO yield speech len {:.2f}, rtf {:.4f}",
    'INFO:     10.3.0.{:.0f}:43122 - "POST /tts HTTP/1.1" 200 OK',
)  # fmt: skip
# services whose bars tell of a request
_BARS_TELL = (
    ("INFO synthesis text 你好", "INFO yield speech len {:.2f}, rtf 0.25"),
    ("gen_text 0 hello {:.2f}", "gen_text 1 said", "Generating audio in 2 batches..."),
)
# what else stands between them: known lines with other numbers, and what only looks like them
_OTHERS = (
    *_REQUEST,
    'INFO:     10.3.0.7:{:.0f} - "GET /health HTTP/1.1" 200 OK',
    'INFO:     10.3.0.7:{:.0f} - "POST /tts HTTP/1.1" 500 Internal Server Error',
    'INFO:     10.3.0.7:43122 - "GET /tts?text=12{:.0f} HTTP/1.1" 200 OK',
    "loaded model {:.0f} of 3", "loaded model 00{:.0f} of 3", "step {:.0f}#033[0m",
    "{:.0f}:12:07 x",
    "{:.0f}:1:7 INFO: began", "WARNING: only {:.0f} MB are left", "  indented {:.0f}", "",
    "ERROR: CUDA out of memory. Tried to allocate {:.0f} MiB", "worker exited with code {:.0f}",
    "Traceback (most recent call last):", '  File "a.py", line {:.0f}, in f', "ValueError: {:.0f}",
    "2026-03-02 10:00:{:02.0f},123 - tts - INFO - late", "2026-03-02 10:00:00 INFO tts: {:.0f}",
    "  3%|▎   | 1/{:.0f} [00:01<00:07, 1.2it/s]>> starting inference...",
    "\r100%|████| {:.0f}/9 [00:01<00:00, 9it/s]done", "生成音频大小：{:.0f} 字节", "处理 {:.0f}",
    ">> RTF: {:.4f}>> starting inference...", ">> gpt_gen_time: {:.7f} seconds", ">> RTF: {:.0e}",
    "origin text:number {:.0f}, it's 5, spk_audio_prompt:a.wav", "{:.0f} origin text:", '"{:.0f}',
    "synthesis_start: id=a{:.0f}, text=\"x 1\"", "id={:.0f} duration=3", '{{"message": "{:.0f}"}}',
    "INFO:     Started server process [{:.0f}]", "INFO:     Shutting down", "x{:.0f}y\t{:.0f}",
)  # fmt: skip

# lines that hardly come twice: what users say between what may mean something
_SAID = (
    "INFO:indextts.api:Received TTS request: ",
    "INFO:     text ",
    "said: ",
    "[api] ",
    "",
    "> ",
)
_WORDS = (
    "你好", "the train", "，", " ", ": ", "] ", " - ", " | ", ">> RTF: 1.5", "12", "3.25", '"', "'",
    "=", "id=", "ERROR", "WARNING: ", "10:00:05", "2026-03-02 10:00:00", "{", "\t", "tts-0 server ",
    "#011", ">> starting inference...", "synthesis_failed: ", 'text="', "\x1b[1m", "\u2028", "é",
    '"GET /tts HTTP/1.1" 200 OK', "100%|███| 3/3 [00:01<00:00, 1it/s]",
    "Traceback (most recent call last):",
)  # fmt: skip


def _said(chance: random.Random) -> str:
    words = (chance.choice(_WORDS) for _ in range(chance.randrange(1, 6)))
    return chance.choice(_SAID) + "".join(words)


def _bare(line: str, chance: random.Random, at: datetime) -> str:
    return line


def _compose(line: str, chance: random.Random, at: datetime) -> str:
    return f"indextts   | {line}"


def _several(line: str, chance: random.Random, at: datetime) -> str:
    """Two workers, of which one has a few lines of its own now and then."""
    name = "indextts-2" if at.minute % 3 == 0 or chance.random() < 0.02 else "indextts-1"
    return f"{name:10} | {line}"


def _json_file(line: str, chance: random.Random, at: datetime) -> str:
    end = "" if chance.random() < 0.01 else "\n"
    log = json.dumps(line + end, ensure_ascii=chance.random() < 0.3).replace(">", "\\u003e")
    return f'{{"log":{log},"stream":"stdout","time":"{at:%Y-%m-%dT%H:%M:%S.%f}789Z"}}'


def _cri(line: str, chance: random.Random, at: datetime) -> str:
    kind = "P" if chance.random() < 0.01 else "F"
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}789Z stdout {kind} {line}"


def _own_stamps(wrap: Any) -> Any:
    """An envelope whose program dates some of its lines by itself, with a zone or without."""

    def wrapped(line: str, chance: random.Random, at: datetime) -> str:
        if chance.random() < 0.1:
            own = at - timedelta(seconds=chance.randrange(1, 9))
            zone = chance.choice(("Z", "+0200", ""))
            line = f"{own:%Y-%m-%dT%H:%M:%S.%f}{zone} INFO tts: {line}"
        elif chance.random() < 0.7:
            line = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} | INFO | a.b:f:33 - {line}"
        return str(wrap(line, chance, at))

    return wrapped


_NUMBERS = (0, 0.5, 3, 7.25, 12, 137, 200, 404.125, 5, 99999, 123456789)
_ENVELOPES = (
    _bare, _compose, _several, _json_file, _cri, _own_stamps(_bare), _own_stamps(_compose),
    _own_stamps(_cri),
)  # fmt: skip


def _log(seed: int, hostile: float, lines: int) -> bytes:
    chance = random.Random(seed)
    wrap = chance.choice(_ENVELOPES)
    # in Berlin, an hour comes twice in the second of these nights
    at = chance.choice(
        (datetime(2026, 3, 2, 10, tzinfo=UTC), datetime(2026, 10, 25, 0, 50, tzinfo=UTC))
    )
    others = chance.sample(_OTHERS, 6)
    request = chance.choice((_REQUEST, _REQUEST, _YIELDS))
    made: list[bytes] = [b"the service begins " + b"." * 1100]
    while len(made) < lines:
        for text in request:
            texts = [text]
            if chance.random() < hostile:
                texts.insert(chance.randrange(2), chance.choice(others))
            if chance.random() < hostile / 8:
                texts.pop()
            is_odd = chance.random() < hostile
            number = chance.choice(_NUMBERS) if is_odd else chance.random()
            texts = [each.format(number, 1) for each in texts]
            if chance.random() < hostile / 2:
                texts.insert(chance.randrange(2), _said(chance))
            for each in texts:
                at += timedelta(milliseconds=chance.randrange(2000))
                made.append(_line(wrap(each, chance, at), hostile, chance))
    return b"".join(made)


def _line(line: str, hostile: float, chance: random.Random) -> bytes:
    end = b"\r\n" if chance.random() < hostile / 100 else b"\n"
    data = line.encode()
    if chance.random() < hostile / 200:
        data = chance.choice((b"\0", b"\xef\xbb\xbf", b"\xff\xfe", b"\xb0\xa1", b"\x1b[1m")) + data
    return data + end


@pytest.fixture(autouse=True)
def _small_chunks_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_turn, "LEAST", 1)


@_PROFILE
@given(
    st.integers(0, 1 << 30),
    st.sampled_from((0.0, 0.02, 0.1, 0.4)),
    st.sampled_from((4000, 30_000, 1 << 20)),
)
def test_learnt_lines_are_what_the_general_path_makes_of_them(
    seed: int, hostile: float, chunk: int
) -> None:
    data = _log(seed, hostile, 400)
    note(repr(data[:4000]))
    learnt = read_log(data, chunk, learns=True)
    assert learnt == read_log(data, chunk, learns=False)


@pytest.mark.parametrize("seed", range(6))
def test_a_bar_that_is_not_full_does_what_it_does_by_the_general_path(seed: int) -> None:
    """It ends no request, and of some services it tells how long one took."""
    chance = random.Random(seed)
    lines = _BARS_TELL[seed % 2]
    made = [b"the service begins " + b"." * 1100]
    for _ in range(400):
        done, of = chance.choice(((1, 2), (2, 2), (2, 20), (20, 20)))
        bar = (
            f"\r{100 * done // of:3}%|████| {done}/{of} [00:0{chance.randrange(9)}<00:00, 1.50it/s]"
        )
        made.append(chance.choice((*lines, bar, bar)).format(chance.random()).encode())
    data = b"\n".join(made) + b"\n"
    assert read_log(data, 4000, learns=True) == read_log(data, 4000, learns=False)


@pytest.mark.parametrize("seed", range(3))
def test_what_there_is_no_room_for_is_taken_in_turns(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "_ROWS", 16)
    monkeypatch.setattr(modes, "_PAIRS", 70)
    data = _log(seed, 0.02, 400)
    assert read_log(data, 1 << 20, learns=True) == read_log(data, 1 << 20, learns=False)


def read_log(data: bytes, chunk: int, *, learns: bool) -> tuple[Any, ...]:
    """All that comes of a log: records, rejects, ledger, state and rules seen."""
    parser = FrontParser(_FORMAT, _ZONE, shipped(), head=data[:1024])
    parser.general.learns = learns
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    records: list[Any] = []
    total = None
    for parsed in ChunkReader(parser, read, 0, True, None, 10**15, chunk_bytes=chunk):
        records += [_record(parsed, i) for i in range(len(parsed.records))]
        records += [(r.byte_offset, r.byte_length, r.reason, r.raw) for r in parsed.rejects]
        total = parsed.ledger if total is None else total + parsed.ledger
    seen = parser.general.seen
    return sorted(records, key=repr), total, json.loads(parser.reading or "null"), seen


def _record(parsed: Any, i: int) -> object:
    row = [int(v) for v in parsed.records[i]]

    def text(start: int, end: int) -> bytes:
        return bytes(parsed.data[start:end]) if 0 <= start < end else b""

    pairs = parsed.pairs[row[layout.R_PAIR] : row[layout.R_PAIR] + row[layout.R_PAIRS]].tolist()
    return (
        int(parsed.starts[i]),
        int(parsed.ends[i]),
        int(parsed.instants[i]),
        int(parsed.time_source[i]),
        [row[k] for k in (layout.R_KIND, layout.R_LEVEL, layout.R_ZONE, layout.R_EVENT)],
        text(row[layout.R_NAME], row[layout.R_NAME_END]),
        text(row[layout.R_MSG], row[layout.R_MSG_END]),
        [(text(*p[:2]), text(*p[2:4]), p[4], p[5]) for p in pairs],
    )
