"""Requests that take longer."""

from tests.support.incidents.scene import STAGES, Condition, Request, Scene, Truth
from tests.support.incidents.service import own_times
from tests.support.incidents.truths import common_voice, fail, length_quantile, truth_of


def slow(
    scene: Scene, chosen: list[Request], stage: str, conditions: tuple[Condition, ...],
    since: float | None
) -> Truth:  # fmt: skip
    factor = scene.chance.choice((1.8, 2.5, 4.0))
    slow = [r for r in chosen if not r.cached and not r.fails]
    for r in slow:
        r.own[STAGES.index(stage)] *= factor * scene.chance.lognormvariate(0, 0.1)
    return truth_of("latency", None, conditions, since, [r.at for r in slow], stage)


def stage_slow(scene: Scene) -> Truth:
    at = scene.instant()
    return slow(
        scene, scene.after(at), scene.chance.choice(STAGES[2:]), ({}, {"cache_hit": False}), at
    )


def early_slow(scene: Scene) -> Truth:
    at = scene.instant(0.2, 0.35)
    return slow(scene, scene.after(at), "llm_inference", ({}, {"cache_hit": False}), at)


def host_slow(scene: Scene) -> Truth:
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    chosen = [r for r in scene.after(at) if r.host == host]
    return slow(scene, chosen, "llm_inference", ({"host": host},), at)


def long_slow(scene: Scene) -> Truth:
    at, bound = scene.instant(0.3, 0.6), length_quantile(scene, 0.8)
    chosen = [r for r in scene.after(at) if r.length >= bound]
    return slow(scene, chosen, "llm_inference", ({"text_len": {">=": bound}},), at)


def voice_slow(scene: Scene) -> Truth:
    at, voice = scene.instant(), common_voice(scene)
    chosen = [r for r in scene.after(at) if r.voice == voice]
    return slow(scene, chosen, "audio_render", ({"voice": voice},), at)


def overload(scene: Scene) -> Truth:
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
            own = own_times(scene.chance, twin.length, scene.speed, scene.noise, False)
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
    return truth_of("latency", None, ({"concurrency": {">=": limit}},), None, slow, "llm_inference")


def timeouts(scene: Scene) -> Truth:
    """Inference gets slow and then times out: the failure is what is told, the slowness follows."""
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    chosen = [r for r in scene.after(at) if r.host == host and not r.cached]
    for r in chosen:
        r.own[2] = 30_000.0
    where: Condition = {"host": host} if len(scene.hosts) > 1 else {}
    both: tuple[Condition, ...] = ({**where}, {**where, "cache_hit": False}, {"cache_hit": False})
    return fail(scene, chosen, 0.9, "TIMEOUT", "llm_postproc", both, at)


def leak(scene: Scene) -> Truth:
    """Inference gets slower and slower; each restart, one now and then, makes it fast again."""
    rises, count = scene.chance.uniform(0.8, 2.5), scene.chance.randint(4, 9)
    even = scene.span / count
    restarts = {
        host: [scene.begin + even * (k + scene.chance.uniform(-0.2, 0.2)) for k in range(1, count)]
        for host in scene.hosts
    }
    slow = []
    for r in scene.requests:
        last = max((at for at in restarts[r.host] if at <= r.at), default=scene.begin)
        grown = rises * (r.at - last) / even
        if r.fails or r.cached:
            continue
        r.own[STAGES.index("llm_inference")] *= 1 + grown
        slow += [r.at] if grown > rises / 2 else []
    both: tuple[Condition, ...] = ({}, {"cache_hit": False})
    return truth_of("latency", None, both, None, slow, "llm_inference")
