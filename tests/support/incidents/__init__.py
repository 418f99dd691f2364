"""Logs of a service in which something went wrong, with the truth known; everything follows from
the kind and the seed.

The service has hosts, languages, voices, releases, clients and a cache, failures now and then, and
texts that have always failed. A kind changes one thing from an instant on, or nothing (the healthy
ones).
"""

import random
from collections.abc import Callable
from pathlib import Path

from tests.support.incidents.deployed import cache_off, few_new, flood, ramp, reloads, waiting
from tests.support.incidents.failures import (
    bad_mix,
    bad_release,
    cache_misses,
    emoji,
    ended,
    everyone,
    exact_length,
    full_cache,
    hangs,
    host_ill,
    long_texts,
    pair,
    periodic,
    repeated,
    short_texts,
    standing_voice,
    voice_ill,
)
from tests.support.incidents.few import few_all, few_host, few_known, few_long, few_voice
from tests.support.incidents.foreign import ENGINE_KINDS, engines, write_engines
from tests.support.incidents.healthy import (
    healthy,
    healthy_mix,
    healthy_noise,
    healthy_release,
    healthy_voice,
)
from tests.support.incidents.native import write
from tests.support.incidents.others import (
    clock_jumps,
    dull_audio,
    filling,
    host_silent,
    loose_errors,
    no_hits,
    not_saved,
    odd_size,
    silent,
    warned,
)
from tests.support.incidents.scene import Scene, Truth
from tests.support.incidents.service import service
from tests.support.incidents.slowness import (
    early_slow,
    host_slow,
    leak,
    long_slow,
    overload,
    stage_slow,
    timeouts,
    voice_slow,
)
from tests.support.incidents.sudden import (
    fast_release,
    fast_slow,
    healthy_batch,
    healthy_deploys,
    healthy_long,
    healthy_retries,
    healthy_small,
    healthy_warm,
    retry_storm,
    small_all,
    small_slow,
    small_voice_slow,
)


def make(kind: str, seed: int) -> tuple[Scene, Truth]:
    """The log of a kind."""
    chance = random.Random(f"{kind} {seed}")
    scene = service(chance, kind)
    truth = KINDS[kind](scene)
    scene.requests.sort(key=lambda r: r.at)
    return scene, truth


KINDS: dict[str, Callable[[Scene], Truth]] = {
    "everyone": everyone, "ended": ended, "host_ill": host_ill, "voice": voice_ill, "pair": pair,
    "long": long_texts, "short": short_texts, "exact": exact_length, "emoji": emoji,
    "misses": cache_misses,
    "full_cache": full_cache, "release": bad_release, "repeated": repeated,
    "standing_voice": standing_voice, "periodic": periodic, "hang": hangs,
    "stage_slow": stage_slow, "early_slow": early_slow, "host_slow": host_slow,
    "long_slow": long_slow, "voice_slow": voice_slow, "overload": overload,
    "timeouts": timeouts, "leak": leak, "dull": dull_audio, "size": odd_size,
    "not_saved": not_saved,
    "no_hits": no_hits, "warned": warned, "mix": bad_mix, "silent": silent,
    "host_silent": host_silent, "clock": clock_jumps, "filling": filling, "loose": loose_errors,
    "few_all": few_all, "few_voice": few_voice, "few_host": few_host, "few_long": few_long,
    "few_known": few_known, "retry_storm": retry_storm, "fast_release": fast_release,
    "fast_slow": fast_slow, "small_all": small_all, "small_slow": small_slow,
    "small_voice_slow": small_voice_slow, "cache_off": cache_off, "few_new": few_new,
    "reloads": reloads, "flood": flood, "ramp": ramp, "waiting": waiting,
    "healthy_plain": healthy, "healthy_diurnal": healthy, "healthy_bursts": healthy,
    "healthy_release": healthy_release, "healthy_mix": healthy_mix, "healthy_voice": healthy_voice,
    "healthy_noise": healthy_noise, "healthy_retries": healthy_retries,
    "healthy_small": healthy_small, "healthy_long": healthy_long, "healthy_warm": healthy_warm,
    "healthy_batch": healthy_batch, "healthy_deploys": healthy_deploys,
}  # fmt: skip


ALL_KINDS = (*KINDS, *ENGINE_KINDS)


def written(kind: str, seed: int, folder: Path) -> tuple[dict[str, list[Path]], Truth]:
    """Write the logs of a kind: the files of each host, and what is wrong in them."""
    if kind in KINDS:
        scene, truth = make(kind, seed)
        return {host: [path] for host, path in write(scene, folder).items()}, truth
    service_of = engines(random.Random(f"{kind} {seed}"))
    truth = ENGINE_KINDS[kind](service_of)
    return write_engines(service_of, folder), truth


__all__ = ["ALL_KINDS", "KINDS", "Scene", "Truth", "make", "write", "written"]
