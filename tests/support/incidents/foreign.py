"""Logs as upstream engines print them: IndexTTS under uvicorn, its container's stamps or none, and
a proxy before it.

No line has an id, a text, a voice or a language. An engine serves one request at a time.
"""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tests.support.incidents.scene import BEGIN, Condition, Truth

_STAGES = ("gpt_gen", "gpt_forward", "s2mel", "bigvgan")
_SHARES = (0.45, 0.01, 0.3, 0.06)  # seconds a second of audio
_OOM = """\
Traceback (most recent call last):
  File "/usr/local/lib/python3.11/site-packages/uvicorn/protocols/http/h11_impl.py", line 403, in run_asgi
    result = await app(self.scope, self.receive, self.send)
  File "/app/server.py", line 88, in tts
    return tts.infer(prompt, text)
  File "/app/indextts/infer_v2.py", line 512, in infer
    codes = self.gpt.inference_speech(cond, tokens)
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."""  # noqa: E501


@dataclass
class Call:
    """One call of the service: what the engine does of it, and how the proxy answers."""

    at: float
    host: str
    audio_s: float
    own_s: list[float]
    client: str
    path: str = "/tts"
    fails: bool = False
    hangs: bool = False
    status: int = 200
    refused: bool = False  # by the proxy: the engine never sees it
    outside_s: float = 0.02
    started: float = 0.0

    @property
    def took(self) -> float:
        return 0.8 if self.fails else sum(self.own_s) + 0.15


@dataclass
class Engines:
    """The service for a while; ``restarts`` are instants at which a host's process starts anew."""

    chance: random.Random
    begin: float
    span: float
    hosts: list[str]
    calls: list[Call]
    stamped: bool = True
    proxied: bool = False
    restarts: list[tuple[str, float]] = field(default_factory=list)
    notes: list[tuple[str, float, str]] = field(default_factory=list)

    def instant(self, low: float = 0.35, high: float = 0.8) -> float:
        return self.begin + self.span * self.chance.uniform(low, high)

    def after(self, at: float) -> list[Call]:
        return [c for c in self.calls if c.at >= at and c.path == "/tts"]


def engines(chance: random.Random) -> Engines:
    """A healthy service."""
    hosts = [f"gpu-{n}" for n in range(chance.choice((1, 1, 2, 3)))]
    count, load = chance.randint(400, 1500) * len(hosts), chance.uniform(0.2, 0.5)
    middle = math.log(chance.uniform(2.5, 6))
    speed, noise = chance.uniform(0.6, 1.2), chance.uniform(0.04, 0.15)
    calls = []
    for _ in range(count):
        audio = min(60.0, chance.lognormvariate(middle, 0.6))
        own = [audio * s * speed * chance.lognormvariate(0, noise) for s in _SHARES]
        client = f"10.3.0.{chance.randint(2, 9)}"
        calls.append(Call(0.0, chance.choice(hosts), audio, own, client))
    span = sum(c.took for c in calls) / len(hosts) / load
    for c in calls:
        c.at = BEGIN + span * chance.random()
    calls.sort(key=lambda c: c.at)
    return Engines(chance, BEGIN, span, hosts, calls, restarts=[(h, BEGIN - 30) for h in hosts])


def write_engines(scene: Engines, folder: Path) -> dict[str, list[Path]]:
    """The log files of each host: the container's, and the proxy's where there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[Path]] = {}
    for host in scene.hosts:
        calls = [c for c in scene.calls if c.host == host]
        lines = sorted(_container(scene, host, calls), key=lambda line: line[0])
        found[host] = [folder / f"{host}.log"]
        text = "".join(f"{_docker(at) if scene.stamped else ''}{line}\n" for at, line in lines)
        found[host][0].write_text(text, encoding="utf-8")
        if scene.proxied:
            found[host].append(folder / f"{host}-access.log")
            ended = sorted(calls, key=lambda c: c.started + c.took + c.outside_s)
            found[host][1].write_text("".join(map(_nginx, ended)), encoding="utf-8")
    return found


def _docker(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}471Z "


def _container(scene: Engines, host: str, calls: list[Call]) -> Iterator[tuple[float, str]]:
    for _, at in (r for r in scene.restarts if r[0] == host):
        yield at, "INFO:     Started server process [1]"
        yield at + 0.1, "INFO:     Waiting for application startup."
        yield at + 9, ">> GPT weights restored from: checkpoints/gpt.pth"
        yield at + 9.1, "INFO:     Application startup complete."
    yield from ((at, text) for h, at, text in scene.notes if h == host)
    free = scene.begin
    starts = sorted(at for h, at in scene.restarts if h == host)
    for call in calls:
        if call.refused:
            call.started = call.at
            continue
        free = max(free, call.at)
        call.started = free
        following = next((s for s in starts if s > free), math.inf)
        yield from _of_call(call, following)
        if call.hangs and following == math.inf:
            return  # it hangs for good, and nobody else is served
        free = following + 9.2 if call.hangs else free + call.took + 0.002
        if free >= following:
            free = max(free, following + 9.2)


def _of_call(call: Call, restart: float) -> Iterator[tuple[float, str]]:
    at = call.started
    if call.path != "/tts":
        yield at, f'INFO:     {call.client}:4000 - "GET {call.path} HTTP/1.1" {call.status} OK'
        return
    yield at, ">> starting inference..."
    if call.hangs or at + call.took >= restart:
        return
    if call.fails:
        yield (
            at + 0.7,
            f'INFO:     {call.client}:4000 - "POST /tts HTTP/1.1" 500 Internal Server Error',
        )
        yield at + 0.701, "ERROR:    Exception in ASGI application"
        for n, line in enumerate(_OOM.splitlines()):
            yield at + 0.702 + n * 1e-6, line
        return
    end = at + sum(call.own_s) + 0.1
    for n, (stage, own) in enumerate(zip(_STAGES, call.own_s, strict=True)):
        yield end + n * 1e-4, f">> {stage}_time: {own:.2f} seconds"
    total = end - at
    yield end + 5e-4, f">> Total inference time: {total:.2f} seconds"
    yield end + 6e-4, f">> Generated audio length: {call.audio_s:.2f} seconds"
    yield end + 7e-4, f">> RTF: {total / call.audio_s:.4f}"
    yield end + 0.03, f'INFO:     {call.client}:4000 - "POST /tts HTTP/1.1" 200 OK'


def _nginx(call: Call) -> str:
    took = call.outside_s if call.refused else call.took + call.outside_s
    moment = datetime.fromtimestamp(call.started + took, UTC)
    status = 500 if call.fails else 504 if call.hangs else call.status
    size = 170 if status >= 400 else int(call.audio_s * 44_100)
    upstream = "-" if call.refused else f"{call.took:.3f}"
    return (
        f'{call.client} - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] "POST {call.path} HTTP/1.1" '
        f"{status} {size} "
        f'"-" "curl/8.5" "-" rt={took:.3f} uct="0.001" uht="{upstream}" urt="{upstream}" rid=-\n'
    )


def _told(
    symptom: str, code: str | None, conditions: tuple[Condition, ...], calls: list[Call],
    stage: str | None = None,
) -> Truth:  # fmt: skip
    times = sorted(c.at for c in calls)
    slack = max(180.0, 6 * (times[-1] - times[0]) / len(times))
    return Truth(symptom, code, conditions, times[0], slack, stage, affected=len(times))


def _chosen(scene: Engines, at: float) -> tuple[list[Call], tuple[Condition, ...]]:
    """The calls of one host after an instant; of all where there is but one."""
    host = scene.chance.choice(scene.hosts)
    where: Condition = {"host": host} if len(scene.hosts) > 1 else {}
    return [c for c in scene.after(at) if c.host == host], (where,)


def engine_oom(scene: Engines) -> Truth:
    calls, where = _chosen(scene, scene.instant())
    failed = [c for c in calls if scene.chance.random() < 0.4]
    for c in failed:
        c.fails = True
    return _told("failures", "CUDA_OOM", where, failed)


def engine_slow(scene: Engines) -> Truth:
    calls, where = _chosen(scene, scene.instant())
    factor = scene.chance.choice((1.7, 2.5))
    for c in calls:
        c.own_s[2] *= factor
    return _told("latency", None, where, calls, "s2mel")


def engine_leak(scene: Engines) -> Truth:
    """A stage gets slower little by little."""
    at = scene.begin + scene.span * 0.4
    for c in scene.after(at):
        c.own_s[0] *= 1 + 2.5 * (c.at - at) / (scene.begin + scene.span - at)
    truth = _told("latency", None, ({},), scene.after(at), "gpt_gen")
    return Truth("latency", None, ({},), truth.since, scene.span * 0.25, "gpt_gen", None, 1)


def engine_undated(scene: Engines) -> Truth:
    """No line has a stamp."""
    scene.stamped = False
    at = scene.instant(0.4, 0.7)
    for c in scene.after(at):
        c.own_s[2] *= 2.5
    return Truth("latency", None, ({},), None, 0.0, "s2mel", None, len(scene.after(at)))


def engine_restarts(scene: Engines) -> Truth:
    """A process that is killed every few minutes takes the open request with it."""
    host, at = scene.chance.choice(scene.hosts), scene.instant(0.5, 0.7)
    end = scene.begin + scene.span
    calls = [c for c in scene.after(at) if c.host == host]
    hung = calls[3 :: max(4, len(calls) // 25)]
    for c in hung:
        c.hangs = True
        scene.restarts.append((host, c.at + 45))
    where: tuple[Condition, ...] = ({"host": host}, {}) if len(scene.hosts) > 1 else ({},)
    seen = [c for c in hung if c.at < end]
    return _told("failures", "INTERRUPTED", where, seen)


def proxy_errors(scene: Engines) -> Truth:
    """The proxy answers 502 for the engine, which says nothing of it."""
    scene.proxied = True
    calls, where = _chosen(scene, scene.instant())
    failed = [c for c in calls if scene.chance.random() < 0.35]
    for c in failed:
        c.refused, c.status = True, 502
    return _told("http_errors", "502", where, failed)


def proxy_slow(scene: Engines) -> Truth:
    """Answers take long although the synthesis does not."""
    scene.proxied = True
    calls, where = _chosen(scene, scene.instant())
    for c in calls:
        c.outside_s = scene.chance.uniform(4, 9)
    return _told("http_latency", None, where, calls)


def proxy_limit(scene: Engines) -> Truth:
    """One client is refused for asking too much."""
    scene.proxied = True
    client, at = scene.calls[0].client, scene.instant()
    refused = [c for c in scene.after(at) if c.client == client and scene.chance.random() < 0.7]
    for c in refused:
        c.refused, c.status = True, 429
    return _told("http_errors", "429", ({"client": client},), refused)


def engine_healthy(scene: Engines) -> Truth:
    return Truth(None)


def engine_healthy_undated(scene: Engines) -> Truth:
    scene.stamped = False
    return Truth(None)


def engine_healthy_proxied(scene: Engines) -> Truth:
    """Strangers look for pages that are not there; health is asked for all the time."""
    scene.proxied = True
    at = scene.instant()
    for n in range(60):
        path = f"/wp-{n}.php"
        call = Call(at + n, scene.hosts[0], 0.1, [0.0] * 4, "45.9.1.7", path, status=404)
        call.refused = True
        scene.calls.append(call)
    for c in scene.calls[::150]:  # one client gives up now and then
        c.outside_s, c.status = 2.0, 499
    scene.calls.sort(key=lambda c: c.at)
    return Truth(None)


def engine_healthy_restart(scene: Engines) -> Truth:
    """A restart by hand, and texts that get longer."""
    at = scene.instant()
    scene.restarts.append((scene.hosts[0], at))
    for c in scene.after(at):
        c.audio_s *= 2
        c.own_s = [s * 2 for s in c.own_s]
    return Truth(None)


ENGINE_KINDS: dict[str, Callable[[Engines], Truth]] = {
    "engine_oom": engine_oom, "engine_slow": engine_slow, "engine_leak": engine_leak,
    "engine_undated": engine_undated, "engine_restarts": engine_restarts,
    "proxy_errors": proxy_errors, "proxy_slow": proxy_slow, "proxy_limit": proxy_limit,
    "healthy_engine": engine_healthy, "healthy_undated": engine_healthy_undated,
    "healthy_proxied": engine_healthy_proxied, "healthy_restart": engine_healthy_restart,
}  # fmt: skip
