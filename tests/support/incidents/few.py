"""Incidents of few requests, not long before the log ends."""

from collections.abc import Callable

from tests.support.incidents.scene import Condition, Request, Scene, Truth
from tests.support.incidents.truths import common_voice, fail, length_quantile


def unharmed(scene: Scene, match: Callable[[Request], bool]) -> list[Request]:
    return [
        r
        for r in scene.requests
        if match(r) and r.text and not r.cached and not r.fails and r.at < scene.end - 60
    ]


def few_of(
    scene: Scene,
    match: Callable[[Request], bool],
    condition: Condition,
    others: tuple[Condition, ...] = (),
) -> Truth:
    """Five to ten requests fail, not long before the end."""
    wanted = scene.chance.randint(5, 10)
    chosen = unharmed(scene, match)[-wanted:]
    others += ({**condition, "cache_hit": False},)
    at = chosen[0].at - 1
    return fail(scene, chosen, 1.0, "PHONEME_ERROR", "llm_postproc", (condition, *others), at)


def few_all(scene: Scene) -> Truth:
    return few_of(scene, lambda r: True, {})


def few_voice(scene: Scene) -> Truth:
    voice = common_voice(scene)
    return few_of(scene, lambda r: r.voice == voice, {"voice": voice})


def few_host(scene: Scene) -> Truth:
    if len(scene.hosts) < 2:
        return few_of(scene, lambda r: True, {})
    host = scene.chance.choice(scene.hosts)
    return few_of(scene, lambda r: r.host == host, {"host": host})


def few_long(scene: Scene) -> Truth:
    bound = length_quantile(scene, 0.9)
    return few_of(scene, lambda r: r.length >= bound, {"text_len": {">=": bound}})


def few_known(scene: Scene) -> Truth:
    """Few more of a code that there is now and then."""
    voice = common_voice(scene)
    wanted = scene.chance.randint(7, 10)
    chosen = unharmed(scene, lambda r: r.voice == voice)[-wanted:]
    both: tuple[Condition, ...] = ({"voice": voice}, {"voice": voice, "cache_hit": False})
    return fail(scene, chosen, 1.0, "TIMEOUT", "llm_inference", both, chosen[0].at - 1)
