"""How fast ttsq reads what services print by themselves: IndexTTS-2 with progress bars behind each
transport, and shapes of other services.

``python -m benchmarks.foreign --mb 300`` writes each log, reads it into a new store in a process of
its own, and prints MB per second of wall and of CPU time, the peak of memory, and the ratio to a
native log of the same size. Shapes that are not learnt are a tenth as large.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.make_log import make_log

MB = 1_000_000
FIRST = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
STEPS = 25  # of the diffusion, and of its bar
_FILL = "▏▎▍▌▋▊▉█"


Lines = Iterator[tuple[str, str]]


def service_lines(
    request: "Callable[[random.Random, int], Lines]", seed: int = 1
) -> Iterator[tuple[str, datetime, str]]:
    """What one worker prints for ever, request by request: (stream, instant, line without its
    end).
    """
    chance = random.Random(seed)
    now, number = FIRST, 0
    while True:
        number += 1
        for stream, text in request(chance, number):
            now += timedelta(milliseconds=chance.randrange(1, 400))
            yield stream, now, text
        now += timedelta(milliseconds=chance.randrange(1, 2000))


def _told(chance: random.Random, number: int) -> Lines:
    """A request that a wrapper tells the text of, with what goes wrong now and then."""
    text = "，".join(chance.choice(_WORDS) for _ in range(chance.randrange(2, 12)))
    yield "stderr", f"INFO:indextts.api:Received TTS request: {text}"
    if number % 10 == 0:
        yield "stderr", f"WARNING:indextts.api:Input text of {len(text)} characters was cut"
    if number % 300 == 0:
        yield "stdout", ">> starting inference..."
        yield "stderr", "ERROR:    Exception in ASGI application"
        yield from (("stderr", line) for line in _TRACEBACK)
    yield from _request(chance, number)


_WORDS = ("你好", "欢迎使用语音合成服务", "the next train leaves at nine", "第三章", "谢谢您的来电")
_TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/app/api.py", line 88, in tts',
    "    wav = engine.infer(text)",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
)


def _asked(chance: random.Random, number: int) -> Lines:
    """What uvicorn prints alone."""
    client = f"10.3.{number % 7}.{number % 200}:{40000 + number % 20000}"
    yield "stdout", f'INFO:     {client} - "POST /v1/audio/speech HTTP/1.1" 200 OK'
    yield "stdout", f'INFO:     {client} - "GET /health HTTP/1.1" 200 OK'
    if number % 30 == 0:
        yield "stdout", f'INFO:     {client} - "GET /favicon.ico HTTP/1.1" 404 Not Found'


def _proxied(chance: random.Random, number: int) -> Lines:
    """What nginx writes in front of it: "combined" with durations and an id, its stamp to come."""
    client, took = f"10.3.{number % 7}.{number % 200}", chance.uniform(0.05, 4)
    text = f"/v1/audio/speech?text={chance.randrange(10**6)}%20{chance.choice('abcdef')}"
    path = chance.choice(("/tts", "/v1/audio/speech", "/health", f"/audio/{number:08x}.wav", text))
    method = "GET" if path[1] in "ha" or "?" in path else "POST"
    status = chance.choices((200, 404, 499, 500), (97, 1, 1, 1))[0]
    agent = f"{chance.choice(_AGENTS)}{chance.randrange(9)}"
    yield (
        "nginx",
        f'{client} - - [] "{method} {path} HTTP/1.1" {status} {chance.randrange(10**6)} "-" '
        f'"{agent}" rt={took + 0.003:.3f} urt={took:.3f} rid={chance.getrandbits(128):032x}',
    )


_AGENTS = ("curl/8.5.", "python-httpx/0.2", "okhttp/4.12.", "Mozilla/5.0 (X11; Linux) Chrome/12")


def _yields(chance: random.Random, number: int) -> Lines:
    """CosyVoice: stamps of its own, bars, an access line."""
    for part in range(chance.randrange(1, 4)):
        audio, rate = chance.uniform(1, 9), chance.uniform(8, 20)
        yield "stderr", _bar(rate)
        text = chance.choice(_WORDS) * (part + 1)
        yield "own", f"INFO synthesis text {text}"
        yield "own", f"INFO yield speech len {audio:.2f}, rtf {chance.uniform(0.2, 3):.4f}"
    yield "stdout", f'INFO:     10.3.0.7:{40000 + number % 20000} - "POST /tts HTTP/1.1" 200 OK'


def _reads_aloud(chance: random.Random, number: int) -> Lines:
    """CosyVoice, of texts that come once."""
    for stream, line in _yields(chance, number):
        if stream == "own" and "text" in line:
            words = (chance.choice(_WORDS) for _ in range(chance.randrange(2, 12)))
            line = f"INFO synthesis text {number}，{'，'.join(words)}。"
        yield stream, line


def _structured(chance: random.Random, number: int) -> Lines:
    """structlog's JSON, by the names of this product's own events."""
    name = {"id": f"ts_{number}", "level": "info", "logger": "tts.engine"}
    said = chance.choice(_WORDS) * chance.randrange(1, 9)
    took = chance.randrange(200, 4000)
    parts: tuple[dict[str, object], ...] = (
        {"text": said, "voice": "alloy", "event": "synthesis_start"},
        {"stage": "llm_inference", "duration_ms": took - 100, "event": "stage_time"},
        {"status": "success", "duration_ms": took, "event": "synthesis_complete"},
    )
    for part in parts:
        yield "json", json.dumps({**part, **name}, ensure_ascii=False)


def _request(chance: random.Random, number: int) -> Lines:
    rate = chance.uniform(8, 20)
    parts = [chance.uniform(*span) for span in ((0.8, 4), (0.01, 0.05), (0.4, 2), (0.05, 0.1))]
    total, audio = sum(parts) + 0.4, chance.uniform(1, 9)
    client = f"10.3.0.{number % 200}:{40000 + number % 20000}"
    yield "stdout", ">> starting inference..."
    yield "stdout", "Use the specified emotion vector"
    yield "stderr", _bar(rate)
    yield "stdout", f"torch.Size([1, {int(audio * 22050)}])"
    names = ("gpt_gen_time", "gpt_forward_time", "s2mel_time", "bigvgan_time")
    for name, seconds in zip(names, parts, strict=True):
        yield "stdout", f">> {name}: {seconds:.2f} seconds"
    yield "stdout", f">> Total inference time: {total:.2f} seconds"
    yield "stdout", f">> Generated audio length: {audio:.2f} seconds"
    yield "stdout", f">> RTF: {total / audio:.4f}"
    yield "stdout", f">> wav file saved to: outputs/spk_{1763361141 + number}.wav"
    yield "stdout", f'INFO:     {client} - "POST /tts HTTP/1.1" 200 OK'
    if number % 20 == 0:
        yield "stdout", f'INFO:     {client} - "GET /health HTTP/1.1" 200 OK'


def _bar(rate: float) -> str:
    """tqdm's bar as it is drawn again and again: behind a carriage return each."""
    drawn = []
    for step in range(STEPS + 1):
        eighths = step * 80 // STEPS
        filled = "█" * (eighths // 8) + (_FILL[eighths % 8 - 1] if eighths % 8 else "")
        took, left = int(step / rate), int((STEPS - step) / rate)
        speed = f"{rate:.2f}it/s" if step else "?it/s"
        rest = f"{left // 60:02}:{left % 60:02}" if step else "?"
        drawn.append(
            f"\r{step * 100 // STEPS:3}%|{filled:10}| {step}/{STEPS} "
            f"[{took // 60:02}:{took % 60:02}<{rest}, {speed}]"
        )
    return "".join(drawn)


def _compose(stream: str, now: datetime, text: str) -> str:
    return f"indextts  | {text}\n"


def _json_file(stream: str, now: datetime, text: str) -> str:
    """As dockerd writes it: Go's encoder escapes <, > and &."""
    log = json.dumps(text + "\n", ensure_ascii=False)
    for sign in "<>&":
        log = log.replace(sign, f"\\u{ord(sign):04x}")
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"
    return f'{{"log":{log},"stream":"{stream}","time":"{stamp}"}}\n'


def _cri(stream: str, now: datetime, text: str) -> str:
    return f"{now.strftime('%Y-%m-%dT%H:%M:%S.%f')}123Z {stream} F {text}\n"


def _split(stream: str, now: datetime, text: str) -> str:
    """CRI, where a runtime cuts long lines."""
    if len(text) < 400:
        return _cri(stream, now, text)
    first = _cri(stream, now, text[:300]).replace(f"{stream} F ", f"{stream} P ")
    return first + _cri(stream, now, text[300:])


def _bare(stream: str, now: datetime, text: str) -> str:
    """What the program writes: a stamp of its own before some lines, a member of others."""
    if stream == "own":
        return f"{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03} {text}\n"
    if stream == "nginx":
        return text.replace("[]", f"[{now:%d/%b/%Y:%H:%M:%S +0000}]", 1) + "\n"
    if stream == "json":
        return f'{text[:-1]}, "timestamp": "{now:%Y-%m-%dT%H:%M:%S.%fZ}"}}\n'
    return f"{text}\n"


def _loguru(stream: str, now: datetime, text: str) -> str:
    at = f"{now:%Y-%m-%d %H:%M:%S}.{now.microsecond // 1000:03}"
    if stream == "stderr":
        return f"{text}\n"
    return f"{at} | INFO     | indextts.infer_vllm_v2:infer:{len(text)} - {text}\n"


Wrap = Callable[[str, datetime, str], str]
SHAPES: "dict[str, tuple[Wrap, Callable[[random.Random, int], Lines]]]" = {
    "compose": (_compose, _request),
    "json-file": (_json_file, _request),
    "cri": (_cri, _request),
    "compose, texts and errors": (_compose, _told),
    "access lines alone": (_bare, _asked),
    "nginx, access lines": (_bare, _proxied),
    "cri, split lines": (_split, _request),
    "loguru's stamps": (_loguru, _request),
    "CosyVoice": (_bare, _yields),
    "CosyVoice, texts that come once": (_bare, _reads_aloud),
    "structlog's JSON": (_bare, _structured),
}
SLOW = 10  # times smaller are logs of which the general path reads many lines
_SLOW = frozenset(list(SHAPES)[6:])


def write_log(path: Path, shape: str, megabytes: float) -> None:
    """Write a service's log of about so many MB."""
    (wrap, request), size, written = SHAPES[shape], int(megabytes * MB), 0
    with path.open("w", encoding="utf-8", newline="") as file:
        for stream, now, text in service_lines(request):
            line = wrap(stream, now, text)
            file.write(line)
            written += len(line.encode())
            if written >= size and ("HTTP/1.1" in line or "_complete" in line):
                return


def first_ingest(log: Path, folder: Path) -> tuple[float, float, float]:
    """Wall and CPU seconds of a first ingest into a new store, and its peak of memory in MB."""
    store = folder / "store"
    shutil.rmtree(store, ignore_errors=True)
    store.mkdir()
    begun = time.monotonic()
    done = subprocess.Popen(
        [sys.executable, "-m", "ingest", "--db", f"duckdb:///{store}/ttsq.duckdb", "ingest",
        str(log)],
        stdout=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, used = os.wait4(done.pid, 0)  # what it alone has used
    wall = time.monotonic() - begun
    if status:
        raise SystemExit(f"the ingest of {log.name} has failed")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    """Print a line per shape."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=float, default=300)
    parser.add_argument("--shapes", nargs="*", choices=list(SHAPES), default=list(SHAPES))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ttsq-foreign-") as name:
        folder = Path(name)
        native = folder / "app.log"
        make_log(native, int(given.mb * MB))
        usual = _tell("native", native, folder, None)
        for shape in given.shapes:
            log = folder / f"{shape.replace(' ', '-')}.log"
            write_log(log, shape, given.mb / (SLOW if shape in _SLOW else 1))
            _tell(shape, log, folder, usual)
            log.unlink()


def _tell(shape: str, log: Path, folder: Path, usual: float | None) -> float:
    wall, cpu, peak = first_ingest(log, folder)
    size = log.stat().st_size / MB
    ratio = "" if usual is None else f"   {usual / (size / wall):.1f} times the native log's time"
    print(
        f"{shape:31} {size / wall:7.1f} MB/s wall {size / cpu:7.1f} MB/s CPU   peak "
        f"{peak:.0f} MB{ratio}"
    )
    return size / wall


if __name__ == "__main__":
    main()
