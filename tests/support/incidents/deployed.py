"""What deployments, clients and a process of its own do to a service: all at once, little by
little, again and again, or to a few requests of a new kind.
"""

import math

from tests.support.incidents.scene import Condition, Scene, Truth
from tests.support.incidents.service import made_request, own_times
from tests.support.incidents.truths import truth_of


def _with_misses(condition: Condition) -> tuple[Condition, ...]:
    return condition, {**condition, "cache_hit": False}


def cache_off(scene: Scene) -> Truth:
    """A release for everybody that does not use the cache."""
    since = scene.instant()
    for r in scene.after(since):
        r.release = "2.5.0"
        if r.cached:
            r.cached = False
            r.own = own_times(scene.chance, r.length, scene.speed, scene.noise, False)
    conditions: tuple[Condition, ...] = ({}, {"attributes.release": "2.5.0"})
    return Truth("cache_hits", None, conditions, since, 0.06 * scene.span)


def few_new(scene: Scene) -> Truth:
    """The first requests of a new client, all refused for the same reason."""
    failed = []
    for _ in range(scene.chance.randint(5, 9)):
        at = scene.end - scene.chance.uniform(60, 0.02 * scene.span + 300)
        made = made_request(scene, at, dict.fromkeys(scene.voices, 1.0), 0, 0, math.log(90))
        made.client, made.fails = "kiosk", ("TOKEN_SCOPE", "text_normalize")
        scene.requests.append(made)
        failed.append(at)
    conditions = _with_misses({"attributes.client": "kiosk"})
    return truth_of("failures", "TOKEN_SCOPE", conditions, min(failed), failed)


def reloads(scene: Scene) -> Truth:
    """A watchdog loads the model again and again, and what is at work then fails."""
    period = scene.chance.choice((420, 660, 900))
    failed = [
        r for r in scene.requests if r.at % period < 0.06 * period and r.text and not r.cached
    ]
    for r in failed:
        r.fails = ("MODEL_RELOADING", "llm_inference")
    return Truth("failures", "MODEL_RELOADING", period_s=period, affected=len(failed))


def flood(scene: Scene) -> Truth:
    """A client asks much more than it may."""
    since, failed = scene.instant(), []
    until = min(scene.end - 60, since + 1500)
    for _ in range(len(scene.requests) // 3):
        at = scene.chance.uniform(since, until)
        made = made_request(scene, at, dict.fromkeys(scene.voices, 1.0), 0, 0, math.log(90))
        made.client = "crawler"
        if made.text and scene.chance.random() < 0.7:
            made.fails = ("RATE_LIMITED", "text_normalize")
            failed.append(at)
        scene.requests.append(made)
    conditions = _with_misses({"attributes.client": "crawler"})
    return truth_of("failures", "RATE_LIMITED", conditions, since, failed)


def ramp(scene: Scene) -> Truth:
    """Something runs out, and ever more requests fail."""
    since, failed = scene.instant(0.2, 0.5), []
    for r in scene.after(since):
        part = 0.45 * (r.at - since) / (scene.end - since)
        if r.text and not r.cached and scene.chance.random() < part:
            r.fails = ("FILES_EXHAUSTED", "audio_render")
            failed.append(r.at)
    slack = 0.3 * scene.span
    conditions = _with_misses({})
    return Truth("failures", "FILES_EXHAUSTED", conditions, since, slack, affected=len(failed))


def waiting(scene: Scene) -> Truth:
    """One in five waits for a lock."""
    since, count = scene.instant(), 0
    for r in scene.after(since):
        if not r.cached and scene.chance.random() < 0.2:
            r.own[0] += scene.chance.uniform(3000, 5000)
            count += 1
    slack = 0.1 * scene.span
    return Truth("latency", None, _with_misses({}), since, slack, "text_normalize", affected=count)
