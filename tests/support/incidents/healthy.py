"""Logs in which nothing is wrong."""

from tests.support.incidents.scene import Scene, Truth
from tests.support.incidents.service import own_times


def healthy(scene: Scene) -> Truth:
    return Truth(None)


def healthy_release(scene: Scene) -> Truth:
    at = scene.instant()
    for r in scene.after(at):
        if scene.chance.random() < min(1.0, (r.at - at) / (0.1 * scene.span)):
            r.release = "2.4.1"
    return Truth(None)


def healthy_mix(scene: Scene) -> Truth:
    """Texts get longer, and so does what they take."""
    for r in scene.after(scene.instant()):
        if r.text_class == "plain" and not r.fails and scene.chance.random() < 0.7:
            r.text = (r.text * 4)[:4000]
            r.own = own_times(scene.chance, r.length, scene.speed, scene.noise, r.cached)
            r.kb = max(2.0, r.length * scene.chance.gauss(7.4, 0.5) + 3)
    for r in scene.requests:
        if not r.cached:
            r.own = own_times(scene.chance, r.length, scene.speed, scene.noise, False)
    return Truth(None)


def healthy_voice(scene: Scene) -> Truth:
    """A new voice comes into use; it fares as the others do."""
    for r in scene.after(scene.instant()):
        if scene.chance.random() < 0.3:
            r.voice = "verse"
    return Truth(None)


def healthy_noise(scene: Scene) -> Truth:
    """More failures than usual, all the time and everywhere, and texts that always fail."""
    for r in scene.requests:
        if scene.chance.random() < 0.02 and not r.cached:
            r.fails = ("TIMEOUT", "llm_inference")
        elif scene.chance.random() < 0.004:
            r.text, r.text_class, r.cached = "", "empty", False
            r.own, r.fails = (
                own_times(scene.chance, 0, scene.speed, scene.noise, False),
                ("TEXT_EMPTY", "text_normalize"),
            )
    return Truth(None)
