"""Requests that fail, or never end."""

from tests.support.incidents.scene import Condition, Scene, Truth
from tests.support.incidents.service import cache_health, own_times, text_of
from tests.support.incidents.truths import (
    any_code,
    any_rate,
    common_voice,
    fail,
    length_quantile,
    truth_of,
)


def everyone(scene: Scene) -> Truth:
    at = scene.instant()
    return fail(
        scene, scene.after(at), any_rate(scene), any_code(scene), "llm_inference", ({},), at
    )


def ended(scene: Scene) -> Truth:
    at = scene.instant(0.2, 0.4)
    until = at + scene.span * scene.chance.uniform(0.1, 0.3)
    chosen = [r for r in scene.after(at) if r.at < until]
    return fail(scene, chosen, any_rate(scene), any_code(scene), "llm_inference", ({},), at)


def host_ill(scene: Scene) -> Truth:
    at, host = scene.instant(), scene.chance.choice(scene.hosts)
    chosen = [r for r in scene.after(at) if r.host == host]
    return fail(
        scene, chosen, any_rate(scene), any_code(scene), "llm_inference", ({"host": host},), at
    )


def voice_ill(scene: Scene) -> Truth:
    at, voice = scene.instant(), common_voice(scene)
    chosen = [r for r in scene.after(at) if r.voice == voice]
    return fail(
        scene, chosen, any_rate(scene), any_code(scene), "llm_postproc", ({"voice": voice},), at
    )


def pair(scene: Scene) -> Truth:
    at, voice, lang = (
        scene.instant(0.2, 0.6),
        common_voice(scene),
        scene.chance.choice(scene.langs),
    )
    chosen = [r for r in scene.after(at) if r.voice == voice and r.lang == lang]
    rate = scene.chance.choice((0.4, 0.7, 1.0))
    return fail(
        scene, chosen, rate, any_code(scene), "llm_postproc", ({"lang": lang, "voice": voice},), at
    )


def long_texts(scene: Scene) -> Truth:
    at, bound = scene.instant(), length_quantile(scene, scene.chance.choice((0.7, 0.85, 0.95)))
    chosen = [r for r in scene.after(at) if r.length >= bound]
    return fail(
        scene,
        chosen,
        any_rate(scene),
        any_code(scene),
        "llm_inference",
        ({"text_len": {">=": bound}},),
        at,
    )


def short_texts(scene: Scene) -> Truth:
    at, bound = scene.instant(), length_quantile(scene, scene.chance.choice((0.1, 0.25)))
    chosen = [r for r in scene.after(at) if r.length < bound]
    return fail(
        scene,
        chosen,
        any_rate(scene),
        any_code(scene),
        "llm_postproc",
        ({"text_len": {"<": bound}},),
        at,
    )


def exact_length(scene: Scene) -> Truth:
    at, length = scene.instant(), scene.chance.choice((86, 128, 512))
    chosen = [
        r for r in scene.after(at) if r.text_class == "plain" and scene.chance.random() < 0.06
    ]
    for r in chosen:
        r.text = text_of(scene.chance, r.lang, length)
    before = [
        r
        for r in scene.requests
        if r.at < at and r.text_class == "plain" and scene.chance.random() < 0.06
    ]
    for r in before:
        r.text = text_of(scene.chance, r.lang, length)
    chosen = [r for r in scene.after(at) if r.length == length]
    return fail(scene, chosen, 0.8, any_code(scene), "llm_postproc", ({"text_len": length},), at)


def emoji(scene: Scene) -> Truth:
    at = scene.instant(0.2, 0.6)
    chosen = [r for r in scene.after(at) if r.text_class == "emoji"]
    return fail(
        scene, chosen, 0.8, "TEXT_INVALID", "text_normalize", ({"text_class": "emoji"},), at
    )


def cache_misses(scene: Scene) -> Truth:
    at = scene.instant()
    chosen = [r for r in scene.after(at) if not r.cached]
    return fail(
        scene,
        chosen,
        any_rate(scene),
        "AUDIO_WRITE_FAILED",
        "audio_render",
        ({"cache_hit": False},),
        at,
    )


def full_cache(scene: Scene) -> Truth:
    """The cache fills up, warns, and from then on misses fail."""
    scene.loose = [e for e in scene.loose if e[2] != "app.cache"]
    slope = 55 / (0.3 * scene.span / 3600)
    for host in scene.hosts:
        cache_health(scene, host, 44, slope)
    at = scene.begin + 0.8 * scene.span
    chosen = [r for r in scene.after(at) if not r.cached]
    return fail(
        scene, chosen, 0.6, "AUDIO_WRITE_FAILED", "audio_render", ({"cache_hit": False},), at
    )


def bad_release(scene: Scene) -> Truth:
    at = scene.instant(0.3, 0.7)
    rolled = scene.chance.uniform(0.02, 0.2) * scene.span
    for r in scene.after(at):
        if scene.chance.random() < min(1.0, (r.at - at) / rolled) * scene.chance.choice(
            (1.0, 1.0, 0.9)
        ):
            r.release = "2.4.1"
    chosen = [r for r in scene.requests if r.release == "2.4.1"]
    rate = scene.chance.choice((0.2, 0.5, 0.9))
    return fail(
        scene,
        chosen,
        rate,
        any_code(scene),
        "llm_inference",
        ({"attributes.release": "2.4.1"},),
        at,
    )


def repeated(scene: Scene) -> Truth:
    at = scene.instant(0.2, 0.6)
    text = text_of(scene.chance, "en", scene.chance.randint(30, 90))
    for r in scene.requests:
        if scene.chance.random() < 0.05:
            r.text, r.text_class = text, "plain"
    chosen = [r for r in scene.after(at) if r.text == text]
    return fail(
        scene,
        chosen,
        0.9,
        any_code(scene),
        "llm_postproc",
        ({"text": text}, {"text_len": len(text)}),
        at,
    )


def standing_voice(scene: Scene) -> Truth:
    voice = common_voice(scene)
    chosen = [r for r in scene.requests if r.voice == voice]
    return fail(scene, chosen, 0.5, "VOICE_BROKEN", "llm_postproc", ({"voice": voice},), None)


def periodic(scene: Scene) -> Truth:
    period = scene.chance.choice((300.0, 600.0, 900.0))
    if scene.span / period < 12:
        period = 300.0
    width = period * 0.08
    chosen = [r for r in scene.requests if (r.at - scene.begin) % period < width]
    truth = fail(scene, chosen, 0.8, "TIMEOUT", "llm_inference", ({},), None)
    return Truth("failures", "TIMEOUT", ({},), None, 0.0, None, period, truth.affected)


def hangs(scene: Scene) -> Truth:
    at, voice = scene.instant(), common_voice(scene)
    is_all = scene.chance.random() < 0.5
    chosen = [r for r in scene.after(at) if (is_all or r.voice == voice) and r.text]
    rate = max(any_rate(scene), min(1.0, 12 / max(len(chosen), 1)))
    hung = [r for r in chosen if scene.chance.random() < rate]
    for r in hung:
        r.hangs, r.fails = True, None
    seen = [r.at for r in hung if r.at < scene.end - 120]
    return truth_of("unfinished", None, ({} if is_all else {"voice": voice},), at, seen)


def bad_mix(scene: Scene) -> Truth:
    """A client begins to send empty texts, which have always failed."""
    at = scene.instant()
    chosen = [r for r in scene.after(at) if scene.chance.random() < 0.12]
    for r in chosen:
        r.text, r.text_class, r.cached = "", "empty", False
        r.own, r.fails = (
            own_times(scene.chance, 0, scene.speed, scene.noise, False),
            ("TEXT_EMPTY", "text_normalize"),
        )
    same: tuple[Condition, ...] = (
        {"text_class": "empty"}, {"text_len": 0}, {"text_len": {"<": 1}}, {"text_len": {"<": 2}}
    )  # fmt: skip
    return truth_of("failures", "TEXT_EMPTY", same, at, [r.at for r in chosen])
