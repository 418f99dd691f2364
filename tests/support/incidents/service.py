"""A service for a while, before anything goes wrong: who asks what, and how long it takes."""

import math
import random

from tests.support.incidents.scene import BEGIN, Request, Scene


def service(chance: random.Random, kind: str) -> Scene:
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
    scene = Scene(chance, BEGIN, hours * 3600, hosts, voices, langs, [], speed, noise)
    shape = uniform
    if kind == "healthy_diurnal":
        shape = diurnal
    elif kind == "healthy_bursts":
        shape = bursts
    elif chance.random() < 0.3:
        shape = chance.choice((diurnal, bursts))
    weights = {v: chance.uniform(0.4, 3) for v in voices}
    hit = chance.uniform(0.15, 0.5)
    base_failure = chance.uniform(0, 0.008)
    middle = math.log(chance.uniform(40, 200))
    for at in sorted(shape(chance, scene.begin, scene.span, count)):
        scene.requests.append(made_request(scene, at, weights, hit, base_failure, middle))
    for host in hosts:
        cache_health(scene, host, chance.uniform(30, 60), 0.0)
    return scene


def uniform(chance: random.Random, begin: float, span: float, count: int) -> list[float]:
    return [begin + span * chance.random() for _ in range(count)]


def diurnal(chance: random.Random, begin: float, span: float, count: int) -> list[float]:
    found: list[float] = []
    turn = chance.random()
    while len(found) < count:
        x = chance.random()
        if chance.random() < 0.15 + 0.85 * (0.5 + 0.5 * math.sin(2 * math.pi * (x + turn))) ** 2:
            found.append(begin + span * x)
    return found


def bursts(chance: random.Random, begin: float, span: float, count: int) -> list[float]:
    found: list[float] = []
    while len(found) < count:
        at = begin + span * chance.random()
        size = chance.choice((1, 1, 1, 2, 4, 9, 20))
        found += [at + chance.uniform(0, 3) for _ in range(size)]
    return [a for a in found[:count] if a < begin + span]


WORDS = [
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


def text_of(chance: random.Random, lang: str, length: int) -> str:
    if lang in ("zh", "ja"):
        return "".join(chance.choices("列车即将到站请注意安全今天的天气很好欢迎使用", k=length))
    text = " ".join(chance.choices(WORDS, k=length // 4 + 1))
    return (text + "." * length)[:length]


def made_request(
    scene: Scene, at: float, weights: dict[str, float], hit: float,
    failure: float, middle: float,
) -> Request:  # fmt: skip
    chance = scene.chance
    length = max(2, min(4000, int(math.exp(chance.gauss(middle, 0.9)))))
    lang = chance.choice(scene.langs)
    text, kind = text_of(chance, lang, length), "plain"
    odd = chance.random()
    if odd < 0.006:
        text, kind = "", "empty"
    elif odd < 0.03:
        text, kind = "🎉" + text[1:] + "👍", "emoji"
    cached = chance.random() < hit and kind != "empty"
    own = own_times(chance, len(text), scene.speed, scene.noise, cached)
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


def own_times(
    chance: random.Random, length: int, speed: float, noise: float, cached: bool
) -> list[float]:
    if cached:
        return [chance.uniform(6, 38)]
    typical = (8 + length * 0.05, 14.0, 260 + length * 2.2, 30 + length * 0.1, 110 + length * 0.9)
    return [max(1.0, t * speed * chance.lognormvariate(0, noise)) for t in typical]


def cache_health(scene: Scene, host: str, percent: float, slope: float) -> None:
    """A sample every five minutes; ``slope`` in points an hour from half of the log on."""
    at = scene.begin + 1
    while at < scene.end:
        grown = max(0.0, at - scene.begin - scene.span / 2) / 3600 * slope
        used = min(100.0, percent + grown + scene.chance.uniform(-0.3, 0.3))
        scene.loose.append(
            (host, at, "app.cache", "INFO",
             f"cache_health: path=/app/cache, used={used * 10:.0f}MB, total=1000MB, " f"usage={used:.1f}%")  # noqa: E501
        )  # fmt: skip
        if used > 90:
            scene.loose.append(
                (host, at + 0.01, "app.cache", "WARNING",
                 f"cache_dir_usage: path=/app/cache, used_percent={used:.1f}, " "threshold=90.0, action=warn")  # noqa: E501
            )  # fmt: skip
        at += 300
