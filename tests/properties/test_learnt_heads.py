"""Texts behind known heads, and warnings, give the records that the general path gives of them,
whatever stands in them and around them; and they do so without the general path.
"""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from ingest.records.learnt import heads
from ingest.records.learnt.templates import Templates
from tests.properties.envelopes import ENVELOPES
from tests.properties.learnt import assert_both_read_the_same, examples, learn_from_little

_PROFILE = examples(20)
# beginnings of lines with a text: of ones that nothing claims, of ones that rules take
_HEADS = (
    "INFO:indextts.api:Received TTS request: ", "INFO:     text ", "[api] said: ", "said [3] ",
    "2026-03-02 10:00:0{n},123 INFO synthesis text ", "INFO synthesis text ", "> Model input: ",
    "gen_text 0 ", "Received text: ", "Processing batch 0.{n} of {n}: ", "INFO - tts.api - ",
    "tts.api:f:{n} - Encoded text: ", "x.y.z: job {n} | ", "id-{n} got (", "",
)  # fmt: skip
_WORDS = (
    "你好", "the next train", "，", " leaves", " at nine", "。", "it's", " 12", ", ", "3.25", "?",
    "twenty-one", "é", "x", "_", "\u3000", "\u2028", "\u212a",
)  # fmt: skip
# plain words by which rules tell a line
_RULES = (
    "TTS推理完成", "Inference completed.", "start inference", "bad zero prediction", "cfm loaded",
    "Application startup complete", "Use the specified emotion vector", "synthesis_start",
    " too short than prompt text 好, this may lead to bad performance", "App x exited",
    "Audio data generated successfully", "Shutting down", "Using cached result.", "WORKER TIMEOUT",
    "tts-0 exited with code 137", "uvicorn.access said", "a.b Starting inference...", "x.y 7",
    "Generated 3 segments", "TTS completed in 3.25 seconds", "合成完成，耗时3.25秒", "ERROR",
    "Killed", "WARNING",
)  # fmt: skip
_HOSTILE = (": ", '"', "'", "=", "  ", " - ", "-", "\t", "{", "\\", " | ", "] ", "%", "\x1b[1m")
_BLOCK = (
    ">> starting inference...", ">> gpt_gen_time: {n}.25 seconds", ">> RTF: 0.{n}",
    'INFO:     10.3.0.7:4{n} - "POST /tts HTTP/1.1" 200 OK',
    "\r100%|██████████| 25/25 [00:0{n}<00:00, 16.7it/s]",
)  # fmt: skip
_WARNINGS = (
    "WARNING:indextts.api:Input text of {n} characters was cut", "[WARNING] {n} of 9 workers",
    "2026-03-02 10:00:0{n} WARNING tts.api: only {n} MB of 7 are left", "WARNING:  slow id={n}",
    "WARNING:root:CUDA out of memory, {n} left", "WARNING:x:text=\"{n}", "WARNING: x {n} ",
    "indextts.py:{n}: RuntimeWarning: generation stopped due to {n}", "ERROR:tts:failed {n} times",
    "WARNING:tts:upstream {n} timed out, client: 10.0.0.{n}", "WARNING: said: 你好{n}",
    ">> Failed to load custom CUDA kernel for BigVGAN. {n}",
)  # fmt: skip
_BEHIND = (
    "", " ", "  indented {n}", "goes on {n}", "Traceback (most recent call last):",
    '  File "a.py", line {n}, in f', "ValueError: {n}", "WARNING:tts:again {n}", *_BLOCK[3:],
    "[h264 @ 0x{n}] error while decoding", "INFO:     said {n}", "loaded {n}",
    '{"message": "{n}"}',
)  # fmt: skip


def _text(chance: random.Random, hostile: float) -> str:
    made = []
    for _ in range(chance.choice((1, 3, 8, 20))):
        odd = chance.random()
        made.append(chance.choice(
            _HOSTILE if odd < hostile / 4 else _RULES if odd < hostile else _WORDS
        ))  # fmt: skip
    return "".join(made)


def _log(seed: int, hostile: float, requests: int) -> bytes:
    chance = random.Random(seed)
    wrap = chance.choice(ENVELOPES)
    begun, warning = chance.sample(_HEADS, 2), chance.sample(_WARNINGS, 2)
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    lines = [b"the service begins " + b"." * 1100]
    for _ in range(requests):
        made = [chance.choice(begun) + _text(chance, hostile)]
        if chance.random() < 0.3 + hostile:
            made += [chance.choice(warning)]
        if chance.random() < hostile:
            made += [chance.choice(_BEHIND) for _ in range(chance.randrange(1, 4))]
        for each in (*made, *_BLOCK):
            at += timedelta(milliseconds=chance.randrange(2000))
            filled = wrap(each.replace("{n}", str(chance.randrange(1, 9))), chance, at).encode()
            if filled and each not in _BLOCK and chance.random() < hostile / 10:
                place = chance.randrange(len(filled))
                odd = chance.choice((b"\xff", b"\xe4\xbd", b"\r"))
                filled = filled[:place] + odd + filled[place:]
            lines.append(filled)
    return b"\n".join(lines) + b"\n"


@pytest.fixture(autouse=True)
def _small_chunks_are_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    learn_from_little(monkeypatch)
    monkeypatch.setattr(heads, "_OFTEN", 3)
    monkeypatch.setattr(heads, "_OFTEN_FIRST", 3)


@_PROFILE
@given(
    st.integers(0, 1 << 30),
    st.sampled_from((0.0, 0.05, 0.2, 0.5)),
    st.sampled_from((3000, 20_000, 1 << 20)),
)
def test_heads_and_warnings_are_what_the_general_path_makes_of_them(
    seed: int, hostile: float, chunk: int
) -> None:
    data = _log(seed, hostile, 80)
    note(repr(data[1100:4000]))
    assert_both_read_the_same(data, chunk)


@pytest.mark.parametrize("head", ("INFO:api:Received TTS request: ", "gen_text 0 ", "said: "))
def test_texts_behind_a_head_that_is_known_are_read_by_compiled_code(
    head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Templates.read
    texts: list[bytes] = []

    def counted(self: Templates, text: bytes) -> object:
        if b" unlike " in text:
            texts.append(text)
        return read(self, text)

    monkeypatch.setattr(Templates, "read", counted)
    lines = [f"{head}a text unlike {'any other ' * (k % 7)}你好{k}" for k in range(600)]
    data = "\n".join(["the service begins " + "." * 1100, *lines, ""]).encode()
    assert_both_read_the_same(data, 1 << 20)
    assert len(texts) < 300  # by the general path alone 600


def test_a_warning_is_learnt_and_one_that_goes_on_is_whole() -> None:
    lines = [f"WARNING:tts:text of {k} characters was cut" for k in range(50)]
    for k in range(10, 50, 9):
        lines[k] += f"\nTraceback (most recent call last):\n  File {k}\nValueError: {k}"
    lines[20] += "\n\n  and so on"
    data = "\n".join(["the service begins " + "." * 1100, *lines, ""]).encode()
    assert_both_read_the_same(data, 1 << 20)


def test_a_rule_that_only_re2_understands_is_no_obstacle() -> None:
    assert not heads._is_last(r"said: \pL(?P<text>.*)$", 1)
    assert heads._is_last(r"said: ?\d+ (?P<text>.*)$", 1)
    assert not heads._is_last(r"said: [a-z ]+ (?P<text>.*)$", 1)
    assert not heads._is_last(r"said: (?P<text>.*)", 1)
