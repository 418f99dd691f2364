"""A small, realistic log set of a text-to-speech service with an incident in it (SPEC §4).

Everything follows from ``seed`` and ``now``: the same call writes the same bytes.
"""

import gzip
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from ingest.tasks.demo_nginx import Exchange, exchange, request_id_of, write_access

STAGES = ("text_normalize", "llm_prompt_gen", "llm_inference", "llm_postproc", "audio_render")
FILE_NAMES = ("app.log.2.gz", "app.log.1.gz", "app.log")  # oldest first
SPAN = timedelta(hours=24)
INCIDENT = timedelta(hours=3)
RUSH = (timedelta(hours=9), timedelta(hours=8))  # before now: eight to fourteen requests at once
BAD_LENGTHS = (86, 512)
BAD_LENGTH_SHARE = 0.13  # of the requests of the incident; gives about 15 % failures
FULL_PERCENT = 90.0
CAPACITY_MB = 1024.0

_ZH = """\
你好, 世界
欢迎使用语音合成服务
今天的天气很好
列车即将到站, 请注意安全
您的包裹已经送达
这本书讲的是一座海边小城的故事""".splitlines()
_EN = """\
Hello, world
Your order has shipped and will arrive on Tuesday
Chapter one: the harbour at dawn
She said "come in" and closed the door
The next train leaves from platform nine
This call may be recorded""".splitlines()
_SPECIAL = (
    "🎉 恭喜您",
    "好 👍🏽",
    "¥99 + 5%",
    "C:\\voices\\a.wav",
    "a<b> & c",
    "x\u200by",
    "一\n二",
)
_VOICES = (("alloy", 50), ("nova", 25), ("onyx", 15), ("shimmer", 10))

_FFT_TRACEBACK = """Traceback (most recent call last):
  File "/app/app/tts_engine.py", line 352, in synthesize
    audio = self._postproc(embedding)
  File "/app/app/tts_engine.py", line 387, in _postproc
    spectrum = scipy.fft.rfft(embedding)
  File "/usr/lib/python3.11/site-packages/scipy/fft/_basic.py", line 217, in rfft
    return _execute(plan, x)
RuntimeWarning: invalid value encountered in true_divide"""

_OOM_TRACEBACK = """Traceback (most recent call last):
  File "/app/app/llm.py", line 118, in infer
    tokens = self.model.generate(prompt)
torch.cuda.OutOfMemoryError: CUDA out of memory

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/app/tts_engine.py", line 344, in synthesize
    tokens = self.llm.infer(prompt)
app.errors.SynthesisError: inference failed"""

_TEXT_TRACEBACK = """Traceback (most recent call last):
  File "/app/app/text.py", line 61, in normalize
    raise ValueError("control character in text")
ValueError: control character in text"""

# code: (stage that fails, words behind the code, traceback)
_FAULTS = {
    "SCIPY_FFT_INVALID": ("llm_postproc", "Invalid input to scipy.fft", _FFT_TRACEBACK),
    "CUDA_OOM": ("llm_inference", "CUDA out of memory", _OOM_TRACEBACK),
    "TEXT_INVALID": ("text_normalize", "control character in text", _TEXT_TRACEBACK),
}
# The service streams: it answers 200 once inference is done, before a later stage can fail.
_STATUS = {None: 200, "SCIPY_FFT_INVALID": 200, "CUDA_OOM": 500, "TEXT_INVALID": 400}


@dataclass(frozen=True)
class DemoSummary:
    """What was written: ``files`` of the service, oldest first, and nginx's ``access``; instants in
    the chosen zone.
    """

    folder: Path
    files: tuple[Path, ...]
    access: Path
    requests: int
    failures: int
    records: int
    first_at: datetime
    last_at: datetime
    incident_at: datetime


@dataclass(frozen=True)
class _Entry:
    """One record to be logged; an empty ``logger`` stands for a line without a header."""

    at: datetime
    logger: str
    level: str
    message: str


@dataclass(frozen=True)
class _Request:
    """What is decided about a request before its records are written."""

    at: datetime
    id: str
    text: str
    voice: str
    cached: bool
    fault: str | None
    unfinished: bool
    slowness: float


def write_demo(
    folder: Path, *, now: datetime, requests: int = 3000, seed: int = 7, tz: str
) -> DemoSummary:
    """Write the service's three log files and nginx's ``access.log`` into ``folder`` (made if
    missing).

    ``now`` is an aware instant; the logs cover the 24 hours before it, stamped in ``tz``.
    Raises OSError where the folder cannot be written.
    """
    zone = ZoneInfo(tz)
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    chance = random.Random(seed)
    drawn = [_draw_request(chance, at, now) for at in _arrivals(chance, now, requests)]
    logged = [(request, [*_request_entries(chance, request, now)]) for request in drawn]
    entries = [entry for _, own in logged for entry in own]
    entries += _cache_entries(now)
    entries += _model_entries(now, zone)
    entries = _in_order(entry for entry in entries if entry.at < now)
    folder.mkdir(parents=True, exist_ok=True)
    paths = tuple(folder / name for name in FILE_NAMES)
    for path, share in zip(paths, _rotated(entries), strict=True):
        _write(path, "".join(_line(entry, zone) for entry in share).encode())
    seen = (_exchange(request, own) for request, own in logged)
    return DemoSummary(
        folder=folder,
        files=paths,
        access=write_access(folder, seen, since=now - SPAN, until=now),
        requests=sum("synthesis_start:" in entry.message for entry in entries),
        failures=sum("synthesis_failed:" in entry.message for entry in entries),
        records=len(entries),
        first_at=entries[0].at.astimezone(zone),
        last_at=entries[-1].at.astimezone(zone),
        incident_at=(now - INCIDENT).astimezone(zone),
    )


def _arrivals(chance: random.Random, now: datetime, count: int) -> list[datetime]:
    """Draw ``count`` instants, whole milliseconds: small groups, larger ones in the rush."""
    arrivals: list[datetime] = []
    while len(arrivals) < count:
        if chance.random() < 0.035:
            age = RUSH[1] + (RUSH[0] - RUSH[1]) * chance.random() ** 0.5
            size = chance.randint(8, 14)
        else:
            age = SPAN * chance.random()
            size = chance.choice((1, 1, 2, 3, 5))
        began = now - timedelta(milliseconds=age // timedelta(milliseconds=1))
        arrivals += [_after(began, chance.randint(0, 1800)) for _ in range(size)]
    return sorted(arrivals[:count])


def _draw_request(chance: random.Random, at: datetime, now: datetime) -> _Request:
    in_incident = now - at < INCIDENT
    cached = chance.random() < 0.12
    length = None
    if chance.random() < (BAD_LENGTH_SHARE if in_incident else 0.03):
        length = chance.choice(BAD_LENGTHS)
        cached = cached and not in_incident
    text = _draw_text(chance, length)
    fault = None
    if in_incident and length is not None and chance.random() < 0.97:
        fault = "SCIPY_FFT_INVALID"
    elif "\x07" in text:
        fault = "TEXT_INVALID"
    elif not cached and chance.random() < 0.004:
        fault = "CUDA_OOM"
    rush = RUSH[1] <= now - at <= RUSH[0]
    return _Request(
        at=at,
        id=f"ts_{chance.getrandbits(32):08x}",
        text=text,
        voice=chance.choices([v for v, _ in _VOICES], [w for _, w in _VOICES])[0],
        cached=cached and fault is None,
        fault=fault,
        unfinished=chance.random() < 0.002,
        slowness=chance.uniform(3.0, 5.0) if rush else chance.uniform(0.8, 1.3),
    )


def _draw_text(chance: random.Random, length: int | None) -> str:
    """Join phrases to a text; exactly ``length`` code points where one is given."""
    phrases, joint, stop = (_ZH, ", ", "。") if chance.random() < 0.6 else (_EN, ". ", ".")
    parts = [chance.choice(phrases) for _ in range(chance.randint(1, 9))]
    if chance.random() < 0.08:
        parts.insert(chance.randint(0, len(parts)), chance.choice(_SPECIAL))
    if chance.random() < 0.003:
        parts.append("\x07")
    text = joint.join(parts) + stop
    if length is None:
        return text + "!" if len(text) in BAD_LENGTHS else text
    while len(text) < length:
        text += chance.choice(phrases) + joint
    return text[: length - 1] + stop


def _escape(text: str) -> str:
    """Write a text as the service does inside quotes."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(plain, escaped)
    return text


def _request_entries(chance: random.Random, request: _Request, now: datetime) -> Iterator[_Entry]:
    lang = "zh" if any(char >= "\u4e00" for char in request.text) else "en"
    yield _engine(
        request.at,
        f"synthesis_start: id={request.id}, request_id={request_id_of(request.id)}, "
        f'text="{_escape(request.text)}", lang={lang}, '
        f"voice={request.voice}, duration_ms=0, cache_hit={str(request.cached).lower()}",
    )
    if request.cached:
        yield _success_entry(chance, request, chance.randint(6, 38), now)
        return
    elapsed = 0
    fails_in = _FAULTS[request.fault][0] if request.fault else None
    for stage in STAGES:
        elapsed += _stage_ms(chance, stage, request)
        if stage == fails_in or (request.unfinished and stage == "llm_postproc"):
            break
        at = _after(request.at, elapsed)
        yield _engine(at, f"stage_time: stage={stage}, id={request.id}, duration_ms={elapsed}")
    if chance.random() < 0.015:
        yield _fallback_entry(chance, request, elapsed)
    if request.fault:
        yield from _failure_entries(request, request.fault, elapsed)
    elif not request.unfinished:
        yield _metrics_entry(chance, request, elapsed)
        yield _success_entry(chance, request, elapsed + 3, now)


def _exchange(request: _Request, entries: list[_Entry]) -> Exchange:
    """What nginx sees of a request."""
    return exchange(
        request.id,
        request.at,
        max(entry.at for entry in entries) - request.at,
        status=504 if request.unfinished and not request.cached else _STATUS[request.fault],
        bytes_sent=178 if request.fault or request.unfinished else 7400 * len(request.text),
        path="/v1/audio/speech",
    )


def _stage_ms(chance: random.Random, stage: str, request: _Request) -> int:
    """Draw a stage's own milliseconds; only inference suffers from a rush."""
    length = len(request.text)
    typical = {
        "text_normalize": 8 + length * 0.05,
        "llm_prompt_gen": 14.0,
        "llm_inference": (260 + length * 2.2) * request.slowness,
        "llm_postproc": 30 + length * 0.1,
        "audio_render": 110 + length * 0.9,
    }[stage]
    return max(1, round(typical * chance.lognormvariate(0, 0.18)))


def _failure_entries(request: _Request, code: str, elapsed: int) -> Iterator[_Entry]:
    stage, words, traceback = _FAULTS[code]
    message = f"synthesis_failed: id={request.id}, error_code={code}, {words}\n{traceback}"
    yield _engine(_after(request.at, elapsed), message, "ERROR")
    yield _engine(
        _after(request.at, elapsed + 1),
        f"synthesis_complete: id={request.id}, status=failed, duration_ms={elapsed + 1}, "
        f"text_len={len(request.text)} chars, error_code={code}, model_stage={stage}",
    )


def _success_entry(chance: random.Random, request: _Request, elapsed: int, now: datetime) -> _Entry:
    at = _after(request.at, elapsed)
    size = max(4, round(len(request.text) * chance.gauss(7.4, 0.5)))
    if chance.random() < 0.004:
        size = max(1, size // 9)
    full = _used_percent(at, now) >= FULL_PERCENT
    saved = request.cached or not (full and chance.random() < 0.4)
    return _engine(
        at,
        f"synthesis_complete: id={request.id}, status=success, duration_ms={elapsed}, "
        f"audio_size_kb={size}, cache_saved={str(saved).lower()}, "
        f"text_len={len(request.text)} chars",
    )


def _metrics_entry(chance: random.Random, request: _Request, elapsed: int) -> _Entry:
    dull = request.voice == "onyx" and chance.random() < 0.12
    centroid = chance.gauss(1600, 90) if dull else chance.gauss(2450, 140)
    return _Entry(
        _after(request.at, elapsed + 1),
        "app.audio",
        "INFO",
        f"audio_metrics: id={request.id}, rms={chance.gauss(0.18, 0.02):.4f}, "
        f"spectral_centroid={centroid:.1f}",
    )


def _fallback_entry(chance: random.Random, request: _Request, elapsed: int) -> _Entry:
    code, what = chance.choice(
        (("VOICE_FALLBACK", "voice=alloy"), ("VOCODER_FALLBACK", "vocoder=griffin_lim"))
    )
    pairs = f"id={request.id}, warning_code={code}, fallback_used=true, {what}"
    return _engine(_after(request.at, elapsed), f"fallback: {pairs}", "WARNING")


def _cache_entries(now: datetime) -> Iterator[_Entry]:
    """Report the cache every five minutes, with a warning every ten once it is nearly full."""
    for number in range(int(SPAN / timedelta(minutes=5))):
        at = now - SPAN + timedelta(minutes=5 * number, milliseconds=1)
        percent = _used_percent(at, now)
        used = round(percent * CAPACITY_MB / 100)
        pairs = f"path=/app/cache, used={used}MB, total={CAPACITY_MB:.0f}MB, usage={percent:.1f}%"
        yield _Entry(at, "app.cache", "INFO", f"cache_health: {pairs}")
        if percent >= FULL_PERCENT and number % 2 == 0:
            pairs = f"path=/app/cache, used_percent={percent:.1f}, threshold=90.0, action=warn"
            yield _Entry(_after(at, 2), "app.cache", "WARNING", f"cache_dir_usage: {pairs}")


def _used_percent(at: datetime, now: datetime) -> float:
    """Cache use at an instant: from 78 to 94 percent over the span."""
    return 94.0 - 16.0 * ((now - at) / SPAN)


def _model_entries(now: datetime, zone: ZoneInfo) -> Iterator[_Entry]:
    """A load failure in the night, and the change of model that begins the incident."""
    night = now.astimezone(zone).replace(hour=3, minute=0, second=12, microsecond=0)
    if night >= now - timedelta(minutes=5):
        night -= timedelta(days=1)
    night = night.astimezone(now.tzinfo)
    yield _Entry(night, "app.model", "INFO", "model_load: name=indextts-2-llm, attempt=1")
    yield _Entry(_after(night, 900), "", "ERROR", "failed to load model")
    yield _Entry(
        _after(night, 5000), "app.model", "INFO", "model_load: name=indextts-2-llm, attempt=2"
    )
    change = "model_changed: warning_code=MODEL_CHANGED, from=2.0.4, to=2.1.0"
    yield _Entry(now - INCIDENT, "app.model", "WARNING", change)


def _engine(at: datetime, message: str, level: str = "INFO") -> _Entry:
    return _Entry(at, "app.tts_engine", level, message)


def _after(at: datetime, milliseconds: int) -> datetime:
    return at + timedelta(milliseconds=milliseconds)


def _in_order(entries: Iterator[_Entry]) -> list[_Entry]:
    """Sort by time; of equal stamps the later is moved by a millisecond."""
    ordered: list[_Entry] = []
    for entry in sorted(entries, key=lambda entry: entry.at):
        at = max(entry.at, _after(ordered[-1].at, 1)) if ordered else entry.at
        ordered.append(replace(entry, at=at))
    return ordered


def _rotated(entries: list[_Entry]) -> list[list[_Entry]]:
    """Cut into three shares, each cut behind a stage so that a request spans it."""
    cuts = [0]
    for share in (1, 2):
        middle = len(entries) * share // 3
        behind = range(middle, len(entries))
        cuts.append(next((n + 1 for n in behind if "prompt_gen" in entries[n].message), middle))
    return [entries[a:b] for a, b in zip(cuts, [*cuts[1:], len(entries)], strict=True)]


def _line(entry: _Entry, zone: ZoneInfo) -> str:
    if not entry.logger:
        return f"{entry.level}: {entry.message}\n"
    local = entry.at.astimezone(zone)
    stamp = f"{local:%Y-%m-%d %H:%M:%S},{local.microsecond // 1000:03d}"
    return f"{stamp} - {entry.logger} - {entry.level} - {entry.message}\n"


def _write(path: Path, content: bytes) -> None:
    """Write plainly, or as gzip without a time of its own so that the bytes stay the same."""
    if path.suffix == ".gz":
        content = gzip.compress(content, compresslevel=zlib.Z_BEST_SPEED, mtime=0)
    path.write_bytes(content)
