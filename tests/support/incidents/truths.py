"""What the kinds share: how many are ill, with which code, and the truth of it."""

from tests.support.incidents.scene import Condition, Request, Scene, Truth


def any_rate(scene: Scene) -> float:
    return scene.chance.choice((0.12, 0.25, 0.5, 0.8, 1.0))


def fail(
    scene: Scene, chosen: list[Request], rate: float, code: str, stage: str,
    conditions: tuple[Condition, ...],
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
    return truth_of("failures", code, conditions, since, [r.at for r in failed], stage)


def truth_of(
    symptom: str, code: str | None, conditions: tuple[Condition, ...], since: float | None,
    times: list[float],
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


def common_voice(scene: Scene) -> str:
    count: dict[str, int] = {}
    for r in scene.requests:
        count[r.voice] = count.get(r.voice, 0) + 1
    return scene.chance.choice(sorted(count, key=lambda v: -count[v])[:3])


CODES = ("SCIPY_FFT_INVALID", "MODEL_CRASH", "CUDA_OOM", "AUDIO_WRITE_FAILED", "PHONEME_ERROR")


def any_code(scene: Scene) -> str:
    return scene.chance.choice(CODES)


def length_quantile(scene: Scene, share: float) -> int:
    lengths = sorted(r.length for r in scene.requests)
    return lengths[int(share * (len(lengths) - 1))]
