"""Trouble without failures: audio, cache, warnings, silence, clocks, errors of no request."""

from tests.support.incidents.scene import Condition, Scene, Truth
from tests.support.incidents.service import cache_health, own_times
from tests.support.incidents.truths import common_voice, truth_of


def dull_audio(scene: Scene) -> Truth:
    at, voice = scene.instant(), common_voice(scene)
    chosen = [r for r in scene.after(at) if r.voice == voice and not r.fails]
    for r in chosen:
        r.centroid = scene.chance.gauss(1500, 90)
    return truth_of("dull_audio", None, ({"voice": voice},), at, [r.at for r in chosen])


def odd_size(scene: Scene) -> Truth:
    at, lang = scene.instant(), scene.chance.choice(scene.langs)
    chosen = [
        r for r in scene.after(at) if r.lang == lang and not r.fails and scene.chance.random() < 0.7
    ]
    for r in chosen:
        r.kb /= 4
    return truth_of("audio_size", None, ({"lang": lang},), at, [r.at for r in chosen])


def not_saved(scene: Scene) -> Truth:
    at = scene.instant()
    host = scene.chance.choice(scene.hosts)
    chosen = [r for r in scene.after(at) if r.host == host and not r.fails]
    chosen = [r for r in chosen if scene.chance.random() < 0.6]
    for r in chosen:
        r.saved = False
    where: Condition = {"host": host} if len(scene.hosts) > 1 else {}
    return truth_of("cache_write", None, (where,), at, [r.at for r in chosen])


def no_hits(scene: Scene) -> Truth:
    at = scene.instant()
    turned = [r for r in scene.after(at) if r.cached]
    for r in turned:
        r.cached, r.own = False, own_times(scene.chance, r.length, scene.speed, scene.noise, False)
    return truth_of("cache_hits", None, ({},), at, [r.at for r in turned])


def warned(scene: Scene) -> Truth:
    at, voice = scene.instant(), common_voice(scene)
    chosen = [r for r in scene.after(at) if r.voice == voice]
    for r in chosen:
        r.extra.append(("STYLE_FALLBACK", "app.tts_engine"))
    return truth_of("warnings", "STYLE_FALLBACK", ({"voice": voice},), at, [r.at for r in chosen])


def silent(scene: Scene) -> Truth:
    at = scene.instant()
    gap = scene.span * 0.12
    scene.requests = [r for r in scene.requests if not at <= r.at < at + gap]
    before = max(r.at for r in scene.requests if r.at < at)
    return Truth("silence", None, ({},), before, 90.0)


def host_silent(scene: Scene) -> Truth:
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    scene.requests = [r for r in scene.requests if r.host != host or r.at < at]
    before = max(r.at for r in scene.requests if r.host == host)
    return Truth("silence", None, ({"host": host},), before, 90.0)


def clock_jumps(scene: Scene) -> Truth:
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    by = scene.chance.choice((-3600.0, -900.0, 1800.0, 7200.0))
    scene.shifts.append((host, at, by))
    return Truth("clock", None, ({"host": host},), at + min(by, 0), abs(by) + 300.0)


def filling(scene: Scene) -> Truth:
    scene.loose = [e for e in scene.loose if e[2] != "app.cache"]
    hours = scene.span / 7200
    chosen = scene.chance.choice(scene.hosts)
    for host in scene.hosts:
        cache_health(scene, host, 44, 35 / hours if host == chosen else 0.0)
    where: Condition = {"host": chosen}
    return Truth("cache_filling", None, (where,))


def loose_errors(scene: Scene) -> Truth:
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
    return truth_of("errors", "GPU_LOST", ({}, {"host": host}), at, times)
