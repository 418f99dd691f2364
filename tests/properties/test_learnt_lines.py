"""Lines that are learnt give the records that the general path gives of them, in whatever order,
with whatever numbers and neighbours, however they are cut.
"""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from ingest.records.learnt import modes
from tests.properties.envelopes import ENVELOPES
from tests.properties.learnt import assert_both_read_the_same, examples, learn_from_little

_PROFILE = examples(15)
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


_NUMBERS = (0, 0.5, 3, 7.25, 12, 137, 200, 404.125, 5, 99999, 123456789)


def _log(seed: int, hostile: float, lines: int) -> bytes:
    chance = random.Random(seed)
    wrap = chance.choice(ENVELOPES)
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
    learn_from_little(monkeypatch)


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
    assert_both_read_the_same(data, chunk)


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
    assert_both_read_the_same(data, 4000)


@pytest.mark.parametrize("seed", range(3))
def test_what_there_is_no_room_for_is_taken_in_turns(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(modes, "_ROWS", 16)
    monkeypatch.setattr(modes, "_PAIRS", 70)
    data = _log(seed, 0.02, 400)
    assert_both_read_the_same(data, 1 << 20)
