"""Logs of a service in which something went wrong, with the truth known; everything follows from the kind and the seed.

The service has hosts, languages, voices, releases, clients and a cache, failures now and then, and texts that have always
failed. A kind changes one thing from an instant on, or nothing (the healthy ones).
"""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

STAGES = ("text_normalize", "llm_prompt_gen", "llm_inference", "llm_postproc", "audio_render")
_BEGIN = datetime(2026, 3, 21, 8, 0, tzinfo=UTC).timestamp()
_PLACES = {
    "text_normalize": ("app/text.py", 61, "normalize"),
    "llm_prompt_gen": ("app/prompt.py", 40, "build"),
    "llm_inference": ("app/llm.py", 118, "infer"),
    "llm_postproc": ("app/tts_engine.py", 387, "_postproc"),
    "audio_render": ("app/audio.py", 77, "write_wav"),
}
Condition = dict[str, object]


@dataclass(frozen=True)
class Truth:
    """What is wrong: ``symptom`` None for a healthy log. Any of ``conditions`` is right; ``since`` in seconds, ± ``slack``."""

    symptom: str | None
    code: str | None = None
    conditions: tuple[Condition, ...] = ({},)
    since: float | None = None
    slack: float = 0.0
    stage: str | None = None
    period_s: float | None = None
    affected: int = 0


@dataclass
class Request:
    """One request, before its records are written. ``own`` are the stages' own milliseconds; ``extra`` its records beside them."""

    at: float
    host: str
    id: str
    text: str
    text_class: str
    lang: str
    voice: str
    release: str
    client: str
    cached: bool
    own: list[float]
    kb: float
    centroid: float
    saved: bool = True
    fails: tuple[str, str] | None = None
    hangs: bool = False
    extra: list[tuple[str, str]] = field(default_factory=list)

    @property
    def length(self) -> int:
        return len(self.text)


@dataclass
class Scene:
    """The service for a while: ``loose`` are records of no request (host, instant, logger, level, message)."""

    chance: random.Random
    begin: float
    span: float
    hosts: list[str]
    voices: list[str]
    langs: list[str]
    requests: list[Request]
    speed: float
    noise: float
    loose: list[tuple[str, float, str, str, str]] = field(default_factory=list)
    shifts: list[tuple[str, float, float]] = field(default_factory=list)  # host, from, seconds

    def instant(self, low: float = 0.35, high: float = 0.8) -> float:
        """An instant somewhere in the middle of the log."""
        return self.begin + self.span * self.chance.uniform(low, high)

    def after(self, at: float) -> list[Request]:
        return [r for r in self.requests if r.at >= at]

    @property
    def end(self) -> float:
        return self.begin + self.span


def make(kind: str, seed: int) -> tuple[Scene, Truth]:
    """The log of a kind."""
    chance = random.Random(f"{kind} {seed}")
    scene = _service(chance, kind)
    truth = KINDS[kind](scene)
    scene.requests.sort(key=lambda r: r.at)
    return scene, truth


def write(scene: Scene, folder: Path) -> dict[str, Path]:
    """The log file of each host."""
    folder.mkdir(parents=True, exist_ok=True)
    entries: dict[str, list[tuple[float, str]]] = {h: [] for h in scene.hosts}
    for request in scene.requests:
        entries[request.host] += _records(request)
    for host, at, logger, level, message in scene.loose:
        entries[host].append((at, f"{logger} - {level} - {message}"))
    found = {}
    for host, lines in entries.items():
        lines.sort(key=lambda line: line[0])
        jumps = [(at, by) for h, at, by in scene.shifts if h == host]
        path = folder / f"{host}.log"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(
                f"{_stamp(at + sum(by for since, by in jumps if at >= since))} - {text}\n"
                for at, text in lines
                if at <= scene.end
            )
        found[host] = path
    return found


def _stamp(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S},{moment.microsecond // 1000:03d}"


def _records(r: Request) -> Iterator[tuple[float, str]]:
    engine = "app.tts_engine - INFO - "
    text = r.text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    yield (
        r.at,
        f'{engine}synthesis_start: id={r.id}, text="{text}", lang={r.lang}, voice={r.voice}, '
        f"client={r.client}, release={r.release}, duration_ms=0, cache_hit={str(r.cached).lower()}",
    )
    elapsed = 0.0
    for code, logger in r.extra:
        yield r.at + 0.001, f"{logger} - WARNING - fallback: id={r.id}, warning_code={code}"
    if r.cached:
        elapsed = r.own[0] if not r.hangs else 0.0
    else:
        stop = STAGES.index(r.fails[1]) if r.fails else len(STAGES)
        if r.hangs:
            stop = 2
        for stage, own in zip(STAGES[:stop], r.own, strict=False):
            elapsed += own
            yield (
                r.at + elapsed / 1000,
                f"{engine}stage_time: stage={stage}, id={r.id}, duration_ms={elapsed:.0f}",
            )
        elapsed += r.own[stop] if r.fails else 0
    end = r.at + elapsed / 1000
    if r.hangs:
        return
    if r.fails:
        code, stage = r.fails
        file, line, name = _PLACES[stage]
        yield (
            end,
            f"app.tts_engine - ERROR - synthesis_failed: id={r.id}, error_code={code}, it failed\n"
            f'Traceback (most recent call last):\n  File "/app/app/tts_engine.py", line 300, in synthesize\n'
            f'    run()\n  File "/app/{file}", line {line}, in {name}\n    step()\nRuntimeError: {code}',
        )
        yield (
            end + 0.001,
            f"{engine}synthesis_complete: id={r.id}, status=failed, duration_ms={elapsed + 1:.0f}, "
            f"text_len={r.length} chars, error_code={code}, model_stage={stage}",
        )
        return
    yield (
        end + 0.001,
        f"app.audio - INFO - audio_metrics: id={r.id}, rms=0.18, spectral_centroid={r.centroid:.0f}",
    )
    yield (
        end + 0.002,
        f"{engine}synthesis_complete: id={r.id}, status=success, duration_ms={elapsed + 2:.0f}, "
        f"audio_size_kb={r.kb:.1f}, cache_saved={str(r.saved).lower()}, text_len={r.length} chars",
    )


# ---- the service


def _service(chance: random.Random, kind: str) -> Scene:
    hours = chance.choice((1.5, 3, 6, 12, 24))
    count = int(10 ** chance.uniform(3.0, 4.0))
    hosts = [f"tts-{n + 1}" for n in range(chance.choice((1, 2, 3, 4)))]
    if kind in ("host_ill", "host_slow", "host_silent", "clock"):
        hosts = [f"gpu{n:02d}" for n in range(chance.choice((2, 3, 5)))]
    voices = chance.sample(
        ("alloy", "nova", "onyx", "shimmer", "echo", "fable", "sage"), chance.randint(3, 7)
    )
    langs = chance.sample(("en", "zh", "de", "ja"), chance.randint(2, 4))
    speed, noise = chance.uniform(0.6, 1.8), chance.uniform(0.1, 0.3)
    scene = Scene(chance, _BEGIN, hours * 3600, hosts, voices, langs, [], speed, noise)
    shape = _uniform
    if kind == "healthy_diurnal":
        shape = _diurnal
    elif kind == "healthy_bursts":
        shape = _bursts
    elif chance.random() < 0.3:
        shape = chance.choice((_diurnal, _bursts))
    weights = {v: chance.uniform(0.4, 3) for v in voices}
    hit = chance.uniform(0.15, 0.5)
    base_failure = chance.uniform(0, 0.008)
    middle = math.log(chance.uniform(40, 200))
    for at in sorted(shape(chance, scene.begin, scene.span, count)):
        scene.requests.append(_request(scene, at, weights, hit, base_failure, middle))
    for host in hosts:
        _cache_health(scene, host, chance.uniform(30, 60), 0.0)
    return scene


def _uniform(chance: random.Random, begin: float, span: float, count: int) -> list[float]:
    return [begin + span * chance.random() for _ in range(count)]


def _diurnal(chance: random.Random, begin: float, span: float, count: int) -> list[float]:
    found: list[float] = []
    turn = chance.random()
    while len(found) < count:
        x = chance.random()
        if chance.random() < 0.15 + 0.85 * (0.5 + 0.5 * math.sin(2 * math.pi * (x + turn))) ** 2:
            found.append(begin + span * x)
    return found


def _bursts(chance: random.Random, begin: float, span: float, count: int) -> list[float]:
    found: list[float] = []
    while len(found) < count:
        at = begin + span * chance.random()
        size = chance.choice((1, 1, 1, 2, 4, 9, 20))
        found += [at + chance.uniform(0, 3) for _ in range(size)]
    return [a for a in found[:count] if a < begin + span]


_WORDS = [
    "the",
    "harbour",
    "at",
    "dawn",
    "keeps",
    "its",
    "boats",
    "and",
    "voices",
    "while",
    "a",
    "train",
    "leaves",
    "platform",
    "nine",
    "in",
    "rain",
]


def _text(chance: random.Random, lang: str, length: int) -> str:
    if lang in ("zh", "ja"):
        return "".join(chance.choices("列车即将到站请注意安全今天的天气很好欢迎使用", k=length))
    text = " ".join(chance.choices(_WORDS, k=length // 4 + 1))
    return (text + "." * length)[:length]


def _request(
    scene: Scene, at: float, weights: dict[str, float], hit: float,
    failure: float, middle: float,
) -> Request:  # fmt: skip
    chance = scene.chance
    length = max(2, min(4000, int(math.exp(chance.gauss(middle, 0.9)))))
    lang = chance.choice(scene.langs)
    text, kind = _text(chance, lang, length), "plain"
    odd = chance.random()
    if odd < 0.006:
        text, kind = "", "empty"
    elif odd < 0.03:
        text, kind = "🎉" + text[1:] + "👍", "emoji"
    cached = chance.random() < hit and kind != "empty"
    own = _own(chance, len(text), scene.speed, scene.noise, cached)
    request = Request(
        at, chance.choice(scene.hosts), f"ts_{chance.getrandbits(32):08x}", text, kind, lang,
        chance.choices(list(weights), list(weights.values()))[0], "2.4.0",
        chance.choice(("web", "ios", "android", "ivr")), cached, own,
        max(2.0, len(text) * chance.gauss(7.4, 0.5) + 3), chance.gauss(2450, 140),
    )  # fmt: skip
    if kind == "empty":
        request.fails = ("TEXT_EMPTY", "text_normalize")
    elif chance.random() < failure and not cached:
        request.fails = chance.choice(
            (
                ("TIMEOUT", "llm_inference"),
                ("SCIPY_FFT_INVALID", "llm_postproc"),
                ("CUDA_OOM", "llm_inference"),
            )
        )
    if chance.random() < 0.01:
        request.extra.append(
            (chance.choice(("VOICE_FALLBACK", "VOCODER_FALLBACK")), "app.tts_engine")
        )
    return request


def _own(
    chance: random.Random, length: int, speed: float, noise: float, cached: bool
) -> list[float]:
    if cached:
        return [chance.uniform(6, 38)]
    typical = (8 + length * 0.05, 14.0, 260 + length * 2.2, 30 + length * 0.1, 110 + length * 0.9)
    return [max(1.0, t * speed * chance.lognormvariate(0, noise)) for t in typical]


def _cache_health(scene: Scene, host: str, percent: float, slope: float) -> None:
    """A sample every five minutes; ``slope`` in points an hour from half of the log on."""
    at = scene.begin + 1
    while at < scene.end:
        grown = max(0.0, at - scene.begin - scene.span / 2) / 3600 * slope
        used = min(100.0, percent + grown + scene.chance.uniform(-0.3, 0.3))
        scene.loose.append(
            (host, at, "app.cache", "INFO",
             f"cache_health: path=/app/cache, used={used * 10:.0f}MB, total=1000MB, usage={used:.1f}%")
        )  # fmt: skip
        if used > 90:
            scene.loose.append(
                (host, at + 0.01, "app.cache", "WARNING",
                 f"cache_dir_usage: path=/app/cache, used_percent={used:.1f}, threshold=90.0, action=warn")
            )  # fmt: skip
        at += 300


# ---- what goes wrong


def _rate(scene: Scene) -> float:
    return scene.chance.choice((0.12, 0.25, 0.5, 0.8, 1.0))


def _fail(
    scene: Scene, chosen: list[Request], rate: float, code: str, stage: str, conditions: tuple[Condition, ...],
    since: float | None, least: int = 12,
) -> Truth:  # fmt: skip
    """Let a share of requests fail with a code."""
    chosen = [r for r in chosen if r.text]
    if scene.chance.random() < 0.3:  # what the cache has does not fail
        chosen = [r for r in chosen if not r.cached]
        conditions += tuple({**c, "cache_hit": False} for c in conditions)
    rate = max(rate, min(1.0, least / max(len(chosen), 1)))
    failed = [r for r in chosen if scene.chance.random() < rate]
    for r in failed:
        r.fails = (code, stage)
    return _truth("failures", code, conditions, since, [r.at for r in failed], stage)


def _truth(
    symptom: str, code: str | None, conditions: tuple[Condition, ...], since: float | None, times: list[float],
    stage: str | None = None,
) -> Truth:  # fmt: skip
    times = sorted(times)
    slack = 60.0
    if len(times) > 3:
        slack = max(
            60.0, 4 * (times[-1] - times[0]) / len(times), times[0] - (since or times[0]) + 60
        )
    first = None if since is None or not times else times[0]
    return Truth(symptom, code, conditions, first, slack, stage, affected=len(times))


def _common_voice(scene: Scene) -> str:
    count: dict[str, int] = {}
    for r in scene.requests:
        count[r.voice] = count.get(r.voice, 0) + 1
    return scene.chance.choice(sorted(count, key=lambda v: -count[v])[:3])


_CODES = ("SCIPY_FFT_INVALID", "MODEL_CRASH", "CUDA_OOM", "AUDIO_WRITE_FAILED", "PHONEME_ERROR")


def _code(scene: Scene) -> str:
    return scene.chance.choice(_CODES)


def _everyone(scene: Scene) -> Truth:
    at = scene.instant()
    return _fail(scene, scene.after(at), _rate(scene), _code(scene), "llm_inference", ({},), at)


def _ended(scene: Scene) -> Truth:
    at = scene.instant(0.2, 0.4)
    until = at + scene.span * scene.chance.uniform(0.1, 0.3)
    chosen = [r for r in scene.after(at) if r.at < until]
    return _fail(scene, chosen, _rate(scene), _code(scene), "llm_inference", ({},), at)


def _host_ill(scene: Scene) -> Truth:
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    chosen = [r for r in scene.after(at) if r.host == host]
    return _fail(scene, chosen, _rate(scene), _code(scene), "llm_inference", ({"host": host},), at)


def _voice(scene: Scene) -> Truth:
    at, voice = scene.instant(), _common_voice(scene)
    chosen = [r for r in scene.after(at) if r.voice == voice]
    return _fail(scene, chosen, _rate(scene), _code(scene), "llm_postproc", ({"voice": voice},), at)


def _pair(scene: Scene) -> Truth:
    at, voice, lang = (
        scene.instant(0.2, 0.6),
        _common_voice(scene),
        scene.chance.choice(scene.langs),
    )
    chosen = [r for r in scene.after(at) if r.voice == voice and r.lang == lang]
    rate = scene.chance.choice((0.4, 0.7, 1.0))
    return _fail(
        scene, chosen, rate, _code(scene), "llm_postproc", ({"lang": lang, "voice": voice},), at
    )


def _quantile(scene: Scene, share: float) -> int:
    lengths = sorted(r.length for r in scene.requests)
    return lengths[int(share * (len(lengths) - 1))]


def _long(scene: Scene) -> Truth:
    at, bound = scene.instant(), _quantile(scene, scene.chance.choice((0.7, 0.85, 0.95)))
    chosen = [r for r in scene.after(at) if r.length >= bound]
    return _fail(
        scene,
        chosen,
        _rate(scene),
        _code(scene),
        "llm_inference",
        ({"text_len": {">=": bound}},),
        at,
    )


def _short(scene: Scene) -> Truth:
    at, bound = scene.instant(), _quantile(scene, scene.chance.choice((0.1, 0.25)))
    chosen = [r for r in scene.after(at) if r.length < bound]
    return _fail(
        scene, chosen, _rate(scene), _code(scene), "llm_postproc", ({"text_len": {"<": bound}},), at
    )


def _exact(scene: Scene) -> Truth:
    at, length = scene.instant(), scene.chance.choice((86, 128, 512))
    chosen = [
        r for r in scene.after(at) if r.text_class == "plain" and scene.chance.random() < 0.06
    ]
    for r in chosen:
        r.text = _text(scene.chance, r.lang, length)
    before = [
        r
        for r in scene.requests
        if r.at < at and r.text_class == "plain" and scene.chance.random() < 0.06
    ]
    for r in before:
        r.text = _text(scene.chance, r.lang, length)
    chosen = [r for r in scene.after(at) if r.length == length]
    return _fail(scene, chosen, 0.8, _code(scene), "llm_postproc", ({"text_len": length},), at)


def _emoji(scene: Scene) -> Truth:
    at = scene.instant(0.2, 0.6)
    chosen = [r for r in scene.after(at) if r.text_class == "emoji"]
    return _fail(
        scene, chosen, 0.8, "TEXT_INVALID", "text_normalize", ({"text_class": "emoji"},), at
    )


def _misses(scene: Scene) -> Truth:
    at = scene.instant()
    chosen = [r for r in scene.after(at) if not r.cached]
    return _fail(
        scene,
        chosen,
        _rate(scene),
        "AUDIO_WRITE_FAILED",
        "audio_render",
        ({"cache_hit": False},),
        at,
    )


def _full_cache(scene: Scene) -> Truth:
    """The cache fills up, warns, and from then on misses fail."""
    scene.loose = [e for e in scene.loose if e[2] != "app.cache"]
    slope = 55 / (0.3 * scene.span / 3600)
    for host in scene.hosts:
        _cache_health(scene, host, 44, slope)
    at = scene.begin + 0.8 * scene.span
    chosen = [r for r in scene.after(at) if not r.cached]
    return _fail(
        scene, chosen, 0.6, "AUDIO_WRITE_FAILED", "audio_render", ({"cache_hit": False},), at
    )


def _release(scene: Scene) -> Truth:
    at = scene.instant(0.3, 0.7)
    rolled = scene.chance.uniform(0.02, 0.2) * scene.span
    for r in scene.after(at):
        if scene.chance.random() < min(1.0, (r.at - at) / rolled) * scene.chance.choice(
            (1.0, 1.0, 0.9)
        ):
            r.release = "2.4.1"
    chosen = [r for r in scene.requests if r.release == "2.4.1"]
    rate = scene.chance.choice((0.2, 0.5, 0.9))
    return _fail(
        scene, chosen, rate, _code(scene), "llm_inference", ({"attributes.release": "2.4.1"},), at
    )


def _repeated(scene: Scene) -> Truth:
    at = scene.instant(0.2, 0.6)
    text = _text(scene.chance, "en", scene.chance.randint(30, 90))
    for r in scene.requests:
        if scene.chance.random() < 0.05:
            r.text, r.text_class = text, "plain"
    chosen = [r for r in scene.after(at) if r.text == text]
    return _fail(
        scene,
        chosen,
        0.9,
        _code(scene),
        "llm_postproc",
        ({"text": text}, {"text_len": len(text)}),
        at,
    )


def _standing_voice(scene: Scene) -> Truth:
    voice = _common_voice(scene)
    chosen = [r for r in scene.requests if r.voice == voice]
    return _fail(scene, chosen, 0.5, "VOICE_BROKEN", "llm_postproc", ({"voice": voice},), None)


def _periodic(scene: Scene) -> Truth:
    period = scene.chance.choice((300.0, 600.0, 900.0))
    if scene.span / period < 12:
        period = 300.0
    width = period * 0.08
    chosen = [r for r in scene.requests if (r.at - scene.begin) % period < width]
    truth = _fail(scene, chosen, 0.8, "TIMEOUT", "llm_inference", ({},), None)
    return Truth("failures", "TIMEOUT", ({},), None, 0.0, None, period, truth.affected)


def _hang(scene: Scene) -> Truth:
    at, voice = scene.instant(), _common_voice(scene)
    is_all = scene.chance.random() < 0.5
    chosen = [r for r in scene.after(at) if (is_all or r.voice == voice) and r.text]
    rate = max(_rate(scene), min(1.0, 12 / max(len(chosen), 1)))
    hung = [r for r in chosen if scene.chance.random() < rate]
    for r in hung:
        r.hangs, r.fails = True, None
    seen = [r.at for r in hung if r.at < scene.end - 120]
    return _truth("unfinished", None, ({} if is_all else {"voice": voice},), at, seen)


def _slow(
    scene: Scene, chosen: list[Request], stage: str, conditions: tuple[Condition, ...], since: float | None
) -> Truth:  # fmt: skip
    factor = scene.chance.choice((1.8, 2.5, 4.0))
    slow = [r for r in chosen if not r.cached and not r.fails]
    for r in slow:
        r.own[STAGES.index(stage)] *= factor * scene.chance.lognormvariate(0, 0.1)
    return _truth("latency", None, conditions, since, [r.at for r in slow], stage)


def _stage_slow(scene: Scene) -> Truth:
    at = scene.instant()
    return _slow(
        scene, scene.after(at), scene.chance.choice(STAGES[2:]), ({}, {"cache_hit": False}), at
    )


def _early_slow(scene: Scene) -> Truth:
    at = scene.instant(0.2, 0.35)
    return _slow(scene, scene.after(at), "llm_inference", ({}, {"cache_hit": False}), at)


def _host_slow(scene: Scene) -> Truth:
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    chosen = [r for r in scene.after(at) if r.host == host]
    return _slow(scene, chosen, "llm_inference", ({"host": host},), at)


def _long_slow(scene: Scene) -> Truth:
    at, bound = scene.instant(0.3, 0.6), _quantile(scene, 0.8)
    chosen = [r for r in scene.after(at) if r.length >= bound]
    return _slow(scene, chosen, "llm_inference", ({"text_len": {">=": bound}},), at)


def _voice_slow(scene: Scene) -> Truth:
    at, voice = scene.instant(), _common_voice(scene)
    chosen = [r for r in scene.after(at) if r.voice == voice]
    return _slow(scene, chosen, "audio_render", ({"voice": voice},), at)


def _overload(scene: Scene) -> Truth:
    """Rushes: beyond so many in flight on a host inference gets slow."""
    limit = scene.chance.randint(6, 12)
    rushes = max(8, len(scene.requests) // 400)
    plain = scene.requests[0]
    for _ in range(rushes):
        at, host = (
            scene.begin + scene.span * scene.chance.random(),
            scene.chance.choice(scene.hosts),
        )
        for _ in range(limit * 3):
            twin = scene.chance.choice(scene.requests)
            own = _own(scene.chance, twin.length, scene.speed, scene.noise, False)
            scene.requests.append(
                Request(
                    at + scene.chance.uniform(0, 0.5),
                    host,
                    f"ts_{scene.chance.getrandbits(32):08x}",
                    twin.text or "a",
                    twin.text_class,
                    twin.lang,
                    twin.voice,
                    twin.release,
                    twin.client,
                    False,
                    own,
                    twin.kb,
                    plain.centroid,
                )
            )
    scene.requests = [r for r in scene.requests if r.at < scene.end]
    scene.requests.sort(key=lambda r: r.at)
    ends: dict[str, list[float]] = {h: [] for h in scene.hosts}
    slow = []
    for r in scene.requests:
        flying = [e for e in ends[r.host] if e > r.at]
        if len(flying) + 1 >= limit and not r.cached:
            r.own[2] *= 3.0
            slow.append(r.at)
        ends[r.host] = [*flying, r.at + sum(r.own) / 1000]
    return _truth("latency", None, ({"concurrency": {">=": limit}},), None, slow, "llm_inference")


def _timeouts(scene: Scene) -> Truth:
    """Inference gets slow and then times out: the failure is what is told, the slowness follows."""
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    chosen = [r for r in scene.after(at) if r.host == host and not r.cached]
    for r in chosen:
        r.own[2] = 30_000.0
    where = {"host": host} if len(scene.hosts) > 1 else {}
    both = ({**where}, {**where, "cache_hit": False}, {"cache_hit": False})
    return _fail(scene, chosen, 0.9, "TIMEOUT", "llm_postproc", both, at)


def _dull(scene: Scene) -> Truth:
    at, voice = scene.instant(), _common_voice(scene)
    chosen = [r for r in scene.after(at) if r.voice == voice and not r.fails]
    for r in chosen:
        r.centroid = scene.chance.gauss(1500, 90)
    return _truth("dull_audio", None, ({"voice": voice},), at, [r.at for r in chosen])


def _size(scene: Scene) -> Truth:
    at, lang = scene.instant(), scene.chance.choice(scene.langs)
    chosen = [
        r for r in scene.after(at) if r.lang == lang and not r.fails and scene.chance.random() < 0.7
    ]
    for r in chosen:
        r.kb /= 4
    return _truth("audio_size", None, ({"lang": lang},), at, [r.at for r in chosen])


def _not_saved(scene: Scene) -> Truth:
    at = scene.instant()
    host = scene.chance.choice(scene.hosts)
    chosen = [r for r in scene.after(at) if r.host == host and not r.fails]
    chosen = [r for r in chosen if scene.chance.random() < 0.6]
    for r in chosen:
        r.saved = False
    where: Condition = {"host": host} if len(scene.hosts) > 1 else {}
    return _truth("cache_write", None, (where,), at, [r.at for r in chosen])


def _no_hits(scene: Scene) -> Truth:
    at = scene.instant()
    turned = [r for r in scene.after(at) if r.cached]
    for r in turned:
        r.cached, r.own = False, _own(scene.chance, r.length, scene.speed, scene.noise, False)
    return _truth("cache_hits", None, ({},), at, [r.at for r in turned])


def _warned(scene: Scene) -> Truth:
    at, voice = scene.instant(), _common_voice(scene)
    chosen = [r for r in scene.after(at) if r.voice == voice]
    for r in chosen:
        r.extra.append(("STYLE_FALLBACK", "app.tts_engine"))
    return _truth("warnings", "STYLE_FALLBACK", ({"voice": voice},), at, [r.at for r in chosen])


def _mix(scene: Scene) -> Truth:
    """A client begins to send empty texts, which have always failed."""
    at = scene.instant()
    chosen = [r for r in scene.after(at) if scene.chance.random() < 0.12]
    for r in chosen:
        r.text, r.text_class, r.cached = "", "empty", False
        r.own, r.fails = (
            _own(scene.chance, 0, scene.speed, scene.noise, False),
            ("TEXT_EMPTY", "text_normalize"),
        )
    same: tuple[Condition, ...] = (
        {"text_class": "empty"}, {"text_len": 0}, {"text_len": {"<": 1}}, {"text_len": {"<": 2}}
    )  # fmt: skip
    return _truth("failures", "TEXT_EMPTY", same, at, [r.at for r in chosen])


def _silent(scene: Scene) -> Truth:
    at = scene.instant()
    gap = scene.span * 0.12
    scene.requests = [r for r in scene.requests if not at <= r.at < at + gap]
    before = max(r.at for r in scene.requests if r.at < at)
    return Truth("silence", None, ({},), before, 90.0)


def _host_silent(scene: Scene) -> Truth:
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    scene.requests = [r for r in scene.requests if r.host != host or r.at < at]
    before = max(r.at for r in scene.requests if r.host == host)
    return Truth("silence", None, ({"host": host},), before, 90.0)


def _clock(scene: Scene) -> Truth:
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    by = scene.chance.choice((-3600.0, -900.0, 1800.0, 7200.0))
    scene.shifts.append((host, at, by))
    return Truth("clock", None, ({"host": host},), at + min(by, 0), abs(by) + 300.0)


def _filling(scene: Scene) -> Truth:
    scene.loose = [e for e in scene.loose if e[2] != "app.cache"]
    hours = scene.span / 7200
    chosen = scene.chance.choice(scene.hosts)
    for host in scene.hosts:
        _cache_health(scene, host, 44, 35 / hours if host == chosen else 0.0)
    where: Condition = {"host": chosen}
    return Truth("cache_filling", None, (where,))


def _loose(scene: Scene) -> Truth:
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    count = scene.chance.randint(15, 80)
    times = sorted(scene.chance.uniform(at, scene.end) for _ in range(count))
    for t in times:
        scene.loose.append(
            (
                host,
                t,
                "app.gpu",
                "ERROR",
                f"gpu_lost: error_code=GPU_LOST, device={scene.chance.randint(0, 7)}",
            )
        )
    return _truth("errors", "GPU_LOST", ({}, {"host": host}), at, times)


def _ended_by_itself(scene: Scene, match: Callable[[Request], bool]) -> list[Request]:
    return [
        r
        for r in scene.requests
        if match(r) and r.text and not r.cached and not r.fails and r.at < scene.end - 60
    ]


def _few(
    scene: Scene,
    match: Callable[[Request], bool],
    condition: Condition,
    others: tuple[Condition, ...] = (),
) -> Truth:
    """Five to ten requests fail, not long before the end."""
    wanted = scene.chance.randint(5, 10)
    chosen = _ended_by_itself(scene, match)[-wanted:]
    others += ({**condition, "cache_hit": False},)
    at = chosen[0].at - 1
    return _fail(scene, chosen, 1.0, "PHONEME_ERROR", "llm_postproc", (condition, *others), at)


def _few_all(scene: Scene) -> Truth:
    return _few(scene, lambda r: True, {})


def _few_voice(scene: Scene) -> Truth:
    voice = _common_voice(scene)
    return _few(scene, lambda r: r.voice == voice, {"voice": voice})


def _few_host(scene: Scene) -> Truth:
    if len(scene.hosts) < 2:
        return _few(scene, lambda r: True, {})
    host = scene.chance.choice(scene.hosts)
    return _few(scene, lambda r: r.host == host, {"host": host})


def _few_long(scene: Scene) -> Truth:
    bound = _quantile(scene, 0.9)
    return _few(scene, lambda r: r.length >= bound, {"text_len": {">=": bound}})


def _few_known(scene: Scene) -> Truth:
    """Few more of a code that there is now and then."""
    voice = _common_voice(scene)
    wanted = scene.chance.randint(7, 10)
    chosen = _ended_by_itself(scene, lambda r: r.voice == voice)[-wanted:]
    both: tuple[Condition, ...] = ({"voice": voice}, {"voice": voice, "cache_hit": False})
    return _fail(scene, chosen, 1.0, "TIMEOUT", "llm_inference", both, chosen[0].at - 1)


def _healthy(scene: Scene) -> Truth:
    return Truth(None)


def _healthy_release(scene: Scene) -> Truth:
    at = scene.instant()
    for r in scene.after(at):
        if scene.chance.random() < min(1.0, (r.at - at) / (0.1 * scene.span)):
            r.release = "2.4.1"
    return Truth(None)


def _healthy_mix(scene: Scene) -> Truth:
    """Texts get longer, and so does what they take."""
    for r in scene.after(scene.instant()):
        if r.text_class == "plain" and not r.fails and scene.chance.random() < 0.7:
            r.text = (r.text * 4)[:4000]
            r.own = _own(scene.chance, r.length, scene.speed, scene.noise, r.cached)
            r.kb = max(2.0, r.length * scene.chance.gauss(7.4, 0.5) + 3)
    for r in scene.requests:
        if not r.cached:
            r.own = _own(scene.chance, r.length, scene.speed, scene.noise, False)
    return Truth(None)


def _healthy_voice(scene: Scene) -> Truth:
    """A new voice comes into use; it fares as the others do."""
    for r in scene.after(scene.instant()):
        if scene.chance.random() < 0.3:
            r.voice = "verse"
    return Truth(None)


def _healthy_noise(scene: Scene) -> Truth:
    """More failures than usual, all the time and everywhere, and texts that always fail."""
    for r in scene.requests:
        if scene.chance.random() < 0.02 and not r.cached:
            r.fails = ("TIMEOUT", "llm_inference")
        elif scene.chance.random() < 0.004:
            r.text, r.text_class, r.cached = "", "empty", False
            r.own, r.fails = (
                _own(scene.chance, 0, scene.speed, scene.noise, False),
                ("TEXT_EMPTY", "text_normalize"),
            )
    return Truth(None)


KINDS: dict[str, Callable[[Scene], Truth]] = {
    "everyone": _everyone, "ended": _ended, "host_ill": _host_ill, "voice": _voice, "pair": _pair,
    "long": _long, "short": _short, "exact": _exact, "emoji": _emoji, "misses": _misses,
    "full_cache": _full_cache, "release": _release, "repeated": _repeated,
    "standing_voice": _standing_voice, "periodic": _periodic, "hang": _hang,
    "stage_slow": _stage_slow, "early_slow": _early_slow, "host_slow": _host_slow,
    "long_slow": _long_slow, "voice_slow": _voice_slow, "overload": _overload,
    "timeouts": _timeouts, "dull": _dull, "size": _size, "not_saved": _not_saved,
    "no_hits": _no_hits, "warned": _warned, "mix": _mix, "silent": _silent,
    "host_silent": _host_silent, "clock": _clock, "filling": _filling, "loose": _loose,
    "few_all": _few_all, "few_voice": _few_voice, "few_host": _few_host, "few_long": _few_long,
    "few_known": _few_known,
    "healthy_plain": _healthy, "healthy_diurnal": _healthy, "healthy_bursts": _healthy,
    "healthy_release": _healthy_release, "healthy_mix": _healthy_mix, "healthy_voice": _healthy_voice,
    "healthy_noise": _healthy_noise,
}  # fmt: skip
