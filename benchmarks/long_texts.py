"""Write a native log of long texts, tracebacks and hostile texts: python -m benchmarks.long_texts
SIZE_MB FILE.

Every request has a text of its own, of words that come as often as a language's do, so that texts
compress about as real ones. The same seed writes the same bytes.
"""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

MB = 1_000_000
_BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
_LONGEST, _SHORTEST = 2_500, 1_500  # characters of a text
_FAILS_EVERY, _HOSTILE_EVERY = 8, 10  # requests
_DRAWN = 1 << 18  # words at once
_ENGLISH, _CHINESE = 6_000, 8_000  # words of a vocabulary
_ENGLISH_WORDS, _CHINESE_WORDS = 6.0, 2.0  # characters of a word and what follows it, on average
_FRAMES = 11  # of a traceback of 25 lines: two each, beside its first one and two at its end
_STAGES = ("text_normalize", "llm_inference", "llm_postproc", "audio_render")
_VOICES = ("alloy", "nova", "echo")
_MODULES = ("tts_engine", "vocoder", "frontend", "alignment", "sampler", "codec", "batching")
_ERRORS = (
    ("SCIPY_FFT_INVALID", "ValueError: rfft of {} samples met an invalid value"),
    ("MODEL_OOM", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {} MiB"),
    ("PROMPT_TOO_LONG", "RuntimeError: a prompt of {} tokens exceeds the model's context"),
)
# letters as often as English has them, and the commonest signs of Chinese
_LETTERS = ("tttttnnnnssssrrrrhhhdddlllccmmwwffggyypbvk", "eeeeeeaaaaoooiiiuu")
_SIGNS = (
    "的一是不了在人有我他这中大来上个国和地到说们为子时要以就出会可也你对生能而那得于着下自之年过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定"
    "天分还进好小部其些主样理心她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间由问很最重并物手应战向头文体政美相见被"
)
_HOSTILE = (
    '" and then she said \\"come in\\", status=failed, error_code=FORGED',
    "=cmd|' /C calc'!A0",
    "+SUM(1+1)*cmd|' /C calc'!A0, @SUM(A1)",
    "id=ts_00000000, duration_ms=-1, stage=forged, text_len=9 chars",
    "\\n2026-03-02 00:00:00,000 - app.tts_engine - ERROR - synthesis_failed: id=ts_0",
    "\x1b[31mred\x1b[0m \x07 \x08 \x7f \u202eright to left\u202c",
    '\'; drop table requests; -- \\\\ \\t {\\"a\\": [1, 2]} <script>alert(1)</script>',
    "👩‍👩‍👧‍👦 🎉 \u200bzero\ufeffwidth",
)


class _Language:
    """Words drawn by Zipf's law, some with a sign behind them; ``joint`` stands between words."""

    def __init__(
        self, words: Sequence[str], joint: str, signs: tuple[str, str], chance: np.random.Generator
    ) -> None:
        self._forms = [w + sign + joint for sign in ("", *signs) for w in words]
        self._chance, self._words = chance, len(words)
        self._below = np.cumsum(1 / (np.arange(len(words)) + 2.7))
        self._drawn: list[int] = []

    def text(self, words: int) -> str:
        """So many words."""
        if len(self._drawn) < words:
            ranks = np.searchsorted(
                self._below, self._chance.random(_DRAWN) * self._below[-1], side="right"
            )
            behind = self._chance.choice(3, _DRAWN, p=(0.86, 0.07, 0.07))
            self._drawn = (ranks + behind * self._words).tolist()
        taken = self._drawn[-words:]
        del self._drawn[-words:]
        return "".join(self._forms[n] for n in taken)


def _languages(chance: np.random.Generator) -> tuple[_Language, _Language]:
    """English of made-up words, and Chinese of one to three signs each."""
    consonants, vowels = _LETTERS
    english = [
        "".join(
            consonants[chance.integers(len(consonants))] + vowels[chance.integers(len(vowels))]
            for _ in range(1 + chance.integers(1 + min(n // 40, 3)))
        )
        + consonants[chance.integers(len(consonants))]
        for n in range(_ENGLISH)
    ]
    chinese = [
        "".join(_SIGNS[int(len(_SIGNS) * chance.random() ** 2)] for _ in range(1 + n % 3))
        for n in range(_CHINESE)
    ]
    return (
        _Language(english, " ", (",", "."), chance),
        _Language(chinese, "", ("，", "。"), chance),
    )


def _texts(chance: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Texts and their languages: English, Chinese, both; some with something hostile in them."""
    english, chinese = _languages(chance)
    number = 0
    while True:
        number += 1
        size = int(chance.integers(_SHORTEST, _LONGEST))
        share = (1.0, 0.0, 0.5)[number % 3]  # of English
        text = english.text(1 + int(size * share / _ENGLISH_WORDS))
        text += chinese.text(1 + int(size * (1 - share) / _CHINESE_WORDS))
        if number % _HOSTILE_EVERY == 0:
            place = int(chance.integers(len(text)))
            hostile = _HOSTILE[number // _HOSTILE_EVERY % len(_HOSTILE)]
            text = text[:place] + hostile + text[place:]
        yield text, "en" if share == 1 else "zh"


def _traceback(chance: np.random.Generator, said: str) -> str:
    """25 lines, the frames and the message other ones each time."""
    frames = []
    for module, line in zip(
        chance.integers(len(_MODULES), size=_FRAMES).tolist(),
        chance.integers(10, 900, size=_FRAMES).tolist(),
        strict=True,
    ):
        name = _MODULES[module]
        folder = "/app/app" if line % 3 else "/usr/lib/python3.11/site-packages/torch"
        frames.append(
            f'  File "{folder}/{name}.py", line {line}, in _{name}_{line % 40}\n'
            f"    result = self._{name}(batch[{line % 16}], sizes=sizes, rate={line / 900:.3f})\n"
        )
    return f"Traceback (most recent call last):\n{''.join(frames)}    ^^^^^^^^^^^\n{said}\n"


def _head(at: datetime, logger: str = "app.tts_engine", level: str = "INFO") -> str:
    return f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} - {logger} - {level} - "


def _request(
    number: int, at: datetime, text: str, lang: str, chance: np.random.Generator
) -> Iterator[str]:
    """The records of a request."""
    own, took = f"id=ts_{(number * 2654435761) % (1 << 32):08x}", 0
    yield (
        f'{_head(at)}synthesis_start: {own}, text="{text}", lang={lang}, '
        f"voice={_VOICES[number % len(_VOICES)]}, duration_ms=0, cache_hit=false\n"
    )
    for stage, spent in zip(
        _STAGES, chance.integers(5, 400, size=len(_STAGES)).tolist(), strict=True
    ):
        took += spent
        later = at + timedelta(milliseconds=took)
        yield f"{_head(later)}stage_time: stage={stage}, {own}, duration_ms={took}\n"
    later = at + timedelta(milliseconds=took + 1)
    if number % _FAILS_EVERY:
        size = len(text) / 10
        yield (
            f"{_head(later, 'app.audio')}audio_metrics: {own}, rms=0.{1000 + number % 8000}, "
            f"spectral_centroid={1700 + number % 900}.{number % 10}\n"
            f"{_head(later)}synthesis_complete: {own}, status=success, duration_ms={took}, "
            f"audio_size_kb={size}, cache_saved=true, text_len={len(text)} chars\n"
        )
        return
    code, message = _ERRORS[number // _FAILS_EVERY % len(_ERRORS)]
    said = message.format(number * 7)
    yield (
        f"{_head(later, level='ERROR')}synthesis_failed: {own}, error_code={code}, {said}\n"
        f"{_traceback(chance, said)}"
        f"{_head(later)}synthesis_complete: {own}, status=failed, duration_ms={took}, "
        f"text_len={len(text)} chars, error_code={code}, model_stage=llm_postproc\n"
    )


def write_log(path: Path, megabytes: float, seed: int = 7) -> None:
    """Write a log of about so many MB."""
    chance = np.random.default_rng(seed)
    size, written, at = int(megabytes * MB), 0, _BEGAN
    with path.open("wb") as file:
        for number, (text, lang) in enumerate(_texts(chance)):
            at += timedelta(milliseconds=2000 + number % 997)
            written += file.write("".join(_request(number, at, text, lang, chance)).encode())
            if written >= size:
                last = _head(at + timedelta(seconds=9), "app")
                file.write(f"{last}the last record of the log\n".encode())
                return


def main() -> None:
    """Read the command line, write the log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size_mb", type=float, help="size in MB (10^6)")
    parser.add_argument("file", type=Path, help="where to write it")
    parser.add_argument("--seed", type=int, default=7, help="other seeds, other logs")
    given = parser.parse_args()
    write_log(given.file, given.size_mb, given.seed)


if __name__ == "__main__":
    main()
