"""A demo of an upstream service: what ``docker compose logs -t`` shows of a day of IndexTTS-2.

The lines are those of index-tts ``indextts/infer_v2.py`` behind uvicorn. Everything follows from
``seed`` and ``now``: the same call writes the same bytes.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ingest.tasks.demo_nginx import Exchange, exchange, write_access

FILE_NAME = "indextts.log"
SPAN = timedelta(hours=24)
INCIDENT = timedelta(hours=3)
OOM_SHARE = 0.02
OOM_SHARE_OF_INCIDENT = 0.18
_STEPS = 25  # of the diffusion, a bar each request

_START = """\
>> GPT weights restored from: checkpoints/gpt.pth
>> Failed to load DeepSpeed. Falling back to normal inference. Error: No module named 'deepspeed'
>> s2mel weights restored from: checkpoints/s2mel.pth
>> bigvgan weights restored from: nvidia/bigvgan_v2_22khz_80band_256x
>> TextNormalizer loaded
>> bpe model loaded from: checkpoints/bpe.model
INFO:     Started server process [1]
INFO:     Waiting for application startup.
INFO:     Application startup complete.
INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)""".splitlines()
_OOM = """\
ERROR:    Exception in ASGI application
Traceback (most recent call last):
  File "/app/.venv/lib/python3.10/site-packages/fastapi/routing.py", line 301, in app
    raw_response = await run_endpoint_function(
  File "/app/api.py", line 88, in tts
    wav = tts_model.infer(spk_audio_prompt=spk, text=req.text, output_path=None)
  File "/app/indextts/infer_v2.py", line 589, in infer_generator
    codes, speech_conditioning_latent = self.gpt.inference_speech(
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {gib:.2f} GiB. \
GPU 0 has a total capacity of 7.75 GiB of which {free:.2f} MiB is free.""".splitlines()


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """What was written: the container's log, and nginx's ``access``."""

    path: Path
    access: Path
    requests: int
    failures: int
    lines: int
    first_at: datetime
    last_at: datetime
    incident_at: datetime


def write_indextts(
    folder: Path, *, now: datetime, requests: int = 3000, seed: int = 7
) -> ServiceSummary:
    """Write ``indextts.log`` and ``access.log`` into ``folder`` (made if missing): the 24 hours
    before ``now``.

    Raises OSError where the folder cannot be written.
    """
    chance, now = random.Random(seed), now.astimezone(UTC)
    at = now - SPAN
    text, failures, first_at = _lines(at, _START), 0, at
    seen: list[Exchange] = []
    at += timedelta(seconds=40)
    for number in range(requests):
        least = now - SPAN + (number + 1) * (SPAN - timedelta(minutes=2)) / (requests + 1)
        at = max(at + timedelta(milliseconds=300), least)
        in_incident = now - at < INCIDENT
        fails = chance.random() < (OOM_SHARE_OF_INCIDENT if in_incident else OOM_SHARE)
        failures += fails
        streamed = fails and number % 2 == 0
        if fails:
            lines, ended = _failure(chance, at, streamed)
        else:
            lines, ended = _success(chance, at, in_incident)
        text += lines
        seen.append(_exchange(number, at, ended, 500 if fails and not streamed else 200))
        at = ended
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.write_text(text, encoding="utf-8", newline="")
    access = write_access(folder, seen, since=now - SPAN, until=now)
    lines_of_it = text.count("\n")
    return ServiceSummary(
        path, access, requests, failures, lines_of_it, first_at, at, now - INCIDENT
    )


def _exchange(number: int, began: datetime, ended: datetime, status: int) -> Exchange:
    """What nginx sees of a request."""
    return exchange(
        f"indextts-{number}", began, ended - began, status=status,
        bytes_sent=200_000 if status == 200 else 21, path="/tts", has_id=False,
    )  # fmt: skip


def _success(chance: random.Random, at: datetime, slow: bool) -> tuple[str, datetime]:
    """One request that ends well, and when it has ended; the engine is slower while ``slow``."""
    audio = chance.uniform(1.5, 14.0)
    gpt = audio * chance.uniform(0.5, 0.7) * (1.9 if slow else 1.0)
    s2mel, bigvgan = audio * chance.uniform(0.12, 0.2), chance.uniform(0.05, 0.2)
    total = gpt + s2mel + bigvgan + chance.uniform(0.05, 0.3)
    end = at + timedelta(seconds=total)
    printed = [
        f">> gpt_gen_time: {gpt:.2f} seconds",
        f">> gpt_forward_time: {chance.uniform(0.01, 0.03):.2f} seconds",
        f">> s2mel_time: {s2mel:.2f} seconds",
        f">> bigvgan_time: {bigvgan:.2f} seconds",
        f">> Total inference time: {total:.2f} seconds",
        f">> Generated audio length: {audio:.2f} seconds",
        f">> RTF: {total / audio:.4f}",
        _access(chance, "200 OK"),
    ]
    opened = _lines(at, [">> starting inference...", "Use the specified emotion vector"])
    bar = _lines(end, ["".join(_bars(s2mel)), f"torch.Size([1, {int(audio * 22050)}])"])
    return opened + bar + _lines(end, printed), end


def _failure(chance: random.Random, at: datetime, streamed: bool) -> tuple[str, datetime]:
    """One request for which the GPU has no memory left; a streamed one has its 200 by then."""
    end = at + timedelta(seconds=chance.uniform(0.8, 2.5))
    told = [line.format(gib=chance.uniform(0.5, 2), free=chance.uniform(1, 800)) for line in _OOM]
    opened = [">> starting inference..."]
    if streamed:
        answer = _access(chance, "200 OK")
        return _lines(at, [*opened, answer]) + _lines(end, told), end
    answer = _access(chance, "500 Internal Server Error")
    return _lines(at, opened) + _lines(end, [answer, *told]), end


def _bars(seconds: float) -> Iterator[str]:
    """What tqdm overwrites on one line."""
    for done in (0, 7, 15, _STEPS):
        full = round(10 * done / _STEPS)
        rate = _STEPS / seconds
        yield (
            f"\r{100 * done // _STEPS:3}%|{'█' * full}{' ' * (10 - full)}| {done}/{_STEPS} "
            f"[00:{int(seconds * done / _STEPS):02}<00:{int(seconds * (1 - done / _STEPS)):02}, "
            f"{rate:.2f}it/s]"
        )


def _access(chance: random.Random, status: str) -> str:
    client = f"10.3.0.{chance.randint(2, 9)}:{chance.randint(32768, 60999)}"
    return f'INFO:     {client} - "POST /tts HTTP/1.1" {status}'


def _lines(at: datetime, lines: list[str]) -> str:
    """Lines as ``docker compose logs -t`` shows them, a microsecond after each other."""
    stamps = (at + timedelta(microseconds=number) for number in range(len(lines)))
    return "".join(
        f"indextts-1  | {stamp:%Y-%m-%dT%H:%M:%S.%f}000Z {line}\n"
        for stamp, line in zip(stamps, lines, strict=True)
    )
