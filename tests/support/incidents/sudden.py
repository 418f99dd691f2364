"""Small logs, releases that are minutes old, requests that are sent again and again, and what looks
like them.
"""

import math
from collections.abc import Callable
from dataclasses import replace

from tests.support.incidents.scene import Condition, Request, Scene, Truth
from tests.support.incidents.service import made_request, own_times, text_of
from tests.support.incidents.truths import truth_of


def _with_misses(condition: Condition) -> tuple[Condition, ...]:
    """What the cache has does not fail: that may be said, too."""
    return condition, {**condition, "cache_hit": False}


def _unharmed(scene: Scene, match: Callable[[Request], bool]) -> list[Request]:
    return [r for r in scene.requests if match(r) and r.text and not r.cached and not r.fails]


def _shrunk(scene: Scene, low: int, high: int) -> None:
    kept = scene.chance.sample(scene.requests, scene.chance.randint(low, high))
    scene.requests[:] = sorted(kept, key=lambda r: r.at)


def _again(scene: Scene, r: Request, at: float) -> Request:
    name = f"ts_{scene.chance.getrandbits(32):08x}"
    return replace(r, at=at, id=name, own=list(r.own), extra=[], cached=False)


def _failed(
    chosen: list[Request], code: str, stage: str, conditions: tuple[Condition, ...]
) -> Truth:
    for r in chosen:
        r.fails = (code, stage)
    times = [r.at for r in chosen]
    return truth_of("failures", code, conditions, min(times), times)


def retry_storm(scene: Scene) -> Truth:
    """A host fails, and each client asks it again and again for the same."""
    since, host = scene.instant(0.4, 0.8), scene.chance.choice(scene.hosts)
    here = _unharmed(scene, lambda r: r.at >= since and r.host == host)
    chosen = [r for r in here if scene.chance.random() < 0.3] or here[:30]
    for r in list(chosen):
        at = r.at
        for again in range(scene.chance.randint(2, 6)):
            at += scene.chance.uniform(1, 4) * 1.6**again
            copy = _again(scene, r, at)
            scene.requests.append(copy)
            if scene.chance.random() < 0.8:
                chosen.append(copy)
    condition: Condition = {"host": host} if len(scene.hosts) > 1 else {}
    return _failed(chosen, "UPSTREAM_RESET", "llm_inference", _with_misses(condition))


def _deployed(scene: Scene, least: int, most: int) -> float:
    """A release for everybody some minutes before the end, with traffic enough to tell."""
    since = scene.end - scene.chance.uniform(240, 500)
    scene.requests[:] = [r for r in scene.requests if r.at < since]
    for _ in range(scene.chance.randint(least, most)):
        at = scene.chance.uniform(since, scene.end - 20)
        made = made_request(scene, at, dict.fromkeys(scene.voices, 1.0), 0.3, 0, math.log(90))
        made.release = "2.5.0"
        scene.requests.append(made)
    return since


_RELEASED = (*_with_misses({}), *_with_misses({"attributes.release": "2.5.0"}))


def fast_release(scene: Scene) -> Truth:
    since = _deployed(scene, 30, 90)
    new = _unharmed(scene, lambda r: r.at >= since)
    chosen = [r for r in new if scene.chance.random() < 0.5] or new
    return _failed(chosen, "MODEL_CRASH", "audio_render", _RELEASED)


def fast_slow(scene: Scene) -> Truth:
    since = _deployed(scene, 50, 100)
    times = []
    for r in scene.after(since):
        if not r.cached:
            r.own[2] *= 2.5
            times.append(r.at)
    return Truth("latency", None, _RELEASED, min(times), 400, "llm_inference", affected=len(times))


def small_all(scene: Scene) -> Truth:
    _shrunk(scene, 60, 120)
    chosen = _unharmed(scene, lambda r: True)[-8:]
    return _failed(chosen, "MODEL_CRASH", "llm_inference", _with_misses({}))


def small_slow(scene: Scene) -> Truth:
    _shrunk(scene, 90, 220)
    since, times = scene.instant(0.4, 0.7), []
    for r in scene.after(since):
        if not r.cached:
            r.own[2] *= 3
            times.append(r.at)
    slack = 0.15 * scene.span
    conditions = _with_misses({})
    return Truth(
        "latency", None, conditions, min(times), slack, "llm_inference", affected=len(times)
    )


def small_voice_slow(scene: Scene) -> Truth:
    _shrunk(scene, 120, 250)
    voices = [r.voice for r in scene.requests]
    since, voice, count = scene.instant(0.1, 0.3), max(voices, key=voices.count), 0
    for r in scene.after(since):
        if not r.cached and r.voice == voice:
            r.own[4] *= 4
            count += 1
    conditions = _with_misses({"voice": voice})
    return Truth("latency", None, conditions, stage="audio_render", affected=count)


def healthy_retries(scene: Scene) -> Truth:
    """Failures now and then, each sent again at once."""
    for r in _unharmed(scene, lambda r: scene.chance.random() < 0.006):
        r.fails = (scene.chance.choice(("TIMEOUT", "CUDA_OOM")), "llm_inference")
        at = r.at
        for _ in range(scene.chance.randint(1, 3)):
            at += scene.chance.uniform(1, 5)
            copy = _again(scene, r, at)
            copy.fails = r.fails if scene.chance.random() < 0.3 else None
            scene.requests.append(copy)
    return Truth(None)


def healthy_small(scene: Scene) -> Truth:
    _shrunk(scene, 40, 200)
    for r in _unharmed(scene, lambda r: scene.chance.random() < 0.03):
        r.fails = (scene.chance.choice(("TIMEOUT", "CUDA_OOM")), "llm_inference")
    return Truth(None)


def healthy_long(scene: Scene) -> Truth:
    """Few requests, some of whose texts are long."""
    _shrunk(scene, 50, 150)
    for r in scene.requests:
        if scene.chance.random() < 0.1:
            r.text = text_of(scene.chance, r.lang, scene.chance.randint(1500, 4000))
            r.own = own_times(scene.chance, r.length, scene.speed, scene.noise, r.cached)
            r.kb = r.length * scene.chance.gauss(7.4, 0.5) + 3
    return Truth(None)


def healthy_warm(scene: Scene) -> Truth:
    """The first requests of each host are slow."""
    for host in scene.hosts:
        for r in [r for r in scene.requests if r.host == host][:12]:
            r.own = [own * 3 for own in r.own]
    return Truth(None)


def healthy_batch(scene: Scene) -> Truth:
    """For an hour or so somebody asks for long texts."""
    since = scene.instant(0.3, 0.7)
    weights = dict.fromkeys(scene.voices, 1.0)
    for _ in range(len(scene.requests) // 6):
        at = since + scene.chance.uniform(0, 0.1 * scene.span)
        made = made_request(scene, at, weights, 0, 0.002, math.log(900))
        made.client = "batch"
        scene.requests.append(made)
    return Truth(None)


def healthy_deploys(scene: Scene) -> Truth:
    """Releases, the last one minutes before the end, that change nothing."""
    times = [scene.instant(0.05, 0.95) for _ in range(3)] + [scene.end - 300]
    for r in scene.requests:
        r.release = f"2.{sum(r.at >= t for t in times)}.0"
    return Truth(None)
