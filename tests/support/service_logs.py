"""What services print, unit by unit, and what transports make of it: for walks over their files.

A unit is what a service prints of one request, start or accident. Unit number n has figures of its
own, and the same bytes wherever it is made.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Told = tuple[str, str]  # which of two services says it, and the line
KINDS = "sssfffowpu"  # of units; see :func:`unit`
_START = datetime(2026, 3, 2, 2, tzinfo=UTC)
_BETWEEN = timedelta(milliseconds=230)  # two lines
_BAR = (
    "\r  0%|          | 0/25 [00:00<?, ?it/s]\r 60%|██████    | 15/25 [00:00<00:00, 16.67it/s]"
    "\r100%|██████████| 25/25 [00:01<00:00, 16.67it/s]"
)
_RESTART = [
    ">> GPT weights restored from: checkpoints/gpt.pth",
    "INFO:     Started server process [1]",
    "INFO:     Waiting for application startup.",
    "INFO:     Application startup complete.",
    "INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)",
]
_ENTER = (
    "[request {id}] Enter speech, args: <x>, kwargs: input=Again {n},voice=z,response_format=mp3"
)
_LEAVE = "[request {id}] Leave speech, {said}elapsed time: 2 s"
_PODS = {"a": "x7k2p", "b": "z9q4m"}


def instant(line: int) -> datetime:
    """When a log's line of a number is printed."""
    return _START + line * _BETWEEN


def _opening(n: int) -> list[str]:
    return [">> starting inference...", _BAR]


def _block(n: int) -> list[str]:
    return [
        f">> gpt_gen_time: {n}.93 seconds",
        f">> s2mel_time: {n}.56 seconds",
        ">> bigvgan_time: 0.07 seconds",
        f">> Total inference time: {2 * n + 2}.15 seconds",
        f">> Generated audio length: 2.5{n} seconds",
        ">> RTF: 1.4308",
    ]


def _answer(n: int, status: str) -> str:
    return f'INFO:     10.3.0.7:{40_000 + n} - "POST /tts HTTP/1.1" {status}'


def _trace(n: int) -> list[str]:
    return [
        "Traceback (most recent call last):",
        f'  File "/app/api.py", line {n + 1}, in tts',
        "    wav = infer()",
        f"torch.OutOfMemoryError: CUDA out of memory. Tried to allocate {n}.27 GiB.",
    ]


def _of_indextts(kind: str, n: int) -> list[str]:
    if kind == "f":
        answer = _answer(n, "500 Internal Server Error")
        error = "ERROR:    Exception in ASGI application"
        return [">> starting inference...", answer, error, *_trace(n)]
    if kind == "o":  # two requests at once, each with its own block
        both = [*_opening(n), *_opening(n), *_block(n), *_block(n + 1)]
        return [*both, _answer(n, "200 OK"), _answer(n + 1, "200 OK")]
    if kind == "r":
        return _RESTART
    if kind == "u":  # killed while it works
        return [*_opening(n), *_RESTART]
    return [*_opening(n), *_block(n), _answer(n, "200 OK")]


def _id(n: int) -> str:
    return f"5f0c1e2a-16c1-11f0-8d4a-{n:012x}"


def _of_ids(kind: str, n: int) -> list[str]:
    """Calls with ids, of which several may run at once."""
    enter = _ENTER.format(id=_id(n), n=n)
    leave = _LEAVE.format(id=_id(n), said="error: CUDA out of memory., " if kind == "f" else "")
    if kind == "f":
        return [enter, leave, *_trace(n)]
    if kind == "o":
        other = 10_000 + n
        both = [enter, _ENTER.format(id=_id(other), n=other)]
        return [*both, leave, _LEAVE.format(id=_id(other), said="")]
    if kind in "ru":
        return [enter, *_RESTART][kind == "r" :]
    return [enter, f"synthesis text Again {n}", "yield speech len 2.4, rtf 1.04", leave]


def _of_json(kind: str, n: int) -> list[str]:
    """A structured logger's lines."""
    id_ = f"ts_{n:08x}"

    def line(event: str, level: str = "info", **more: object) -> str:
        stamp = f"{instant(10 * n):%Y-%m-%dT%H:%M:%S.%f}Z"
        return json.dumps({"timestamp": stamp, "level": level, "event": event, "id": id_, **more})

    start = line("synthesis_start", text=f"Hello {n}")
    if kind in "fu":
        raised = "\n".join(_trace(n))
        return [start, line("synthesis_failed", "error", error_code="OOM", exception=raised)]
    stage = line("stage_time", stage="llm", duration_ms=n)
    return [start, stage, line("synthesis_complete", status="success", duration_ms=n)]


SERVICES = {"indextts": _of_indextts, "ids": _of_ids, "JSON": _of_json}


def unit(service: str, kind: str, n: int) -> list[Told]:
    """What is printed: ``s`` a request that ends well, ``f`` one that fails, ``o`` two at once,
    ``u`` one that a restart interrupts, ``r`` a start, ``w`` a warning, ``p`` a plain print.
    ``b``: two services of which each prints a request, line by line in turn.
    """
    if kind == "w":
        return [("a", f"WARNING:  low memory, {n}")]
    if kind == "p":
        return [("a", f"a plain print of {n}")]
    if kind == "b":
        pair = zip(*(SERVICES[service]("s", n + k) for k in (0, 1)), strict=True)
        return [told for lines in pair for told in zip("ab", lines, strict=True)]
    return [("a", line) for line in SERVICES[service](kind, n)]


def _none(name: str, line: str, at: datetime) -> str:
    return f"{line}\n"


def _stamped(name: str, line: str, at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z {line}\n"


def _compose(name: str, line: str, at: datetime) -> str:
    return f"tts-{name}-1  | {line}\n"


def _docker(name: str, line: str, at: datetime) -> str:
    stamp = f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z"
    return json.dumps({"log": f"{line}\n", "stream": "stdout", "time": stamp}) + "\n"


def _kubelet(name: str, line: str, at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}000Z stdout F {line}\n"


def _stern(name: str, line: str, at: datetime) -> str:
    return f"tts-6d8f7c9b4d-{_PODS[name]} tts {line}\n"


ENVELOPES: dict[str, Callable[[str, str, datetime], str]] = {
    "none": _none,
    "stamped": _stamped,
    "compose": _compose,
    "docker": _docker,
    "CRI": _kubelet,
    "stern": _stern,
}
OF_SEVERAL = ("compose", "stern")  # that say which service prints a line
OF_SHELLS = ("none", "stamped", "compose", "stern")  # whose files logrotate rotates
