"""An hour of a service behind nginx: both logs, and which line belongs to which request."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_BEGAN = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)
HOUR = 3600.0
_ABORTED, _REFUSED, _GATEWAY_TIMEOUT = 499, 422, 504


@dataclass(frozen=True)
class BusyHour:
    """Lines of both logs, each with its second, and the id of the request that each access line
    answers.

    ``answers`` maps the number of an access line to an id; lines of health checks, pages and
    refused requests have none.
    """

    application: list[str]
    access: list[str]
    answers: dict[int, str]


@dataclass(frozen=True)
class _Call:
    """One call of a client, in seconds of the hour: ``id`` is None where no synthesis follows."""

    began: float
    ended: float
    path: str
    status: int
    id: str | None = None
    synthesis: tuple[float, float] = (0.0, 0.0)
    failed: bool = False


def busy_hour(
    seed: int,
    *,
    per_minute: float = 20,
    has_names: bool = False,
    has_times: bool = True,
    seconds: float = HOUR,
) -> BusyHour:
    """Draw an hour: so many syntheses a minute, some failing silently, some given up by the client
    or by nginx.

    ``has_names``: both logs have the X-Request-ID; ``has_times``: nginx writes ``$request_time``.
    """
    draw = random.Random(seed)
    calls = sorted(_calls(draw, per_minute, seconds), key=lambda c: c.ended)
    names = {c.id: f"{draw.getrandbits(128):032x}" for c in calls}
    access, answers = [], {}
    for number, call in enumerate(calls):
        name = names[call.id] if call.id else f"{draw.getrandbits(128):032x}"
        access.append(_access(call, name if has_names else "-", has_times))
        if call.id is not None:
            answers[number] = call.id
    lines = [line for c in calls for line in _application(c, names[c.id] if has_names else None)]
    return BusyHour([line for _, line in sorted(lines)], access, answers)


def _calls(draw: random.Random, per_minute: float, seconds: float) -> list[_Call]:
    calls, at, number = [], 0.0, 0
    while True:
        at += draw.expovariate(per_minute / 60)
        if at > seconds:
            return calls + _others(draw, seconds)
        number += 1
        calls.append(_synthesis(draw, at, f"ts_{number:08x}"))


def _synthesis(draw: random.Random, began: float, name: str) -> _Call:
    queued = draw.uniform(0.002, 0.02) if draw.random() < 0.8 else draw.uniform(0.1, 1.5)
    took = min(draw.lognormvariate(0.6, 0.6), 120.0)
    first, last = began + queued, began + queued + took
    sent = draw.expovariate(1 / 0.05) if draw.random() < 0.9 else draw.expovariate(1 / 2.0)
    ended, status = last + 0.002 + sent, 200
    fate = draw.random()
    if fate < 0.01:
        ended, status = began + draw.uniform(queued, queued + took), _ABORTED
    elif fate < 0.015 and took > 3:
        ended, status = began + 3.0, _GATEWAY_TIMEOUT
    failed = draw.random() < 0.08
    return _Call(began, ended, "/v1/audio/speech", status, name, (first, last), failed)


def _others(draw: random.Random, seconds: float) -> list[_Call]:
    found = [_Call(at, at + 0.001, "/health", 200) for at in _every(5.0, seconds)]
    for _ in range(int(seconds / 30)):
        at = draw.uniform(0, seconds)
        found.append(_Call(at, at + 0.004, "/v1/audio/speech", _REFUSED))
        at = draw.uniform(0, seconds)
        found.append(_Call(at, at + draw.uniform(0.001, 4.0), "/static/app.js", 200))
        at = draw.uniform(0, seconds)
        found.append(_Call(at, at + draw.uniform(0.001, 0.2), "/v1/audio/voices", 200))
    return found


def _every(step: float, seconds: float) -> list[float]:
    return [i * step for i in range(int(seconds / step))]


def _access(call: _Call, name: str, has_times: bool) -> str:
    at = _BEGAN + timedelta(seconds=int(call.ended))
    method = "POST" if call.path == "/v1/audio/speech" else "GET"
    took = f" rt={call.ended - call.began:.3f} rid={name}" if has_times else ""
    return (
        f'10.3.0.7 - - [{at:%d/%b/%Y:%H:%M:%S} +0000] "{method} {call.path} HTTP/1.1" '
        f'{call.status} 51200 "-" "python-httpx/0.27"{took}\n'
    )


def _application(call: _Call, name: str | None) -> list[tuple[float, str]]:
    if call.id is None:
        return []
    first, last = call.synthesis
    said = f", request_id={name}" if name else ""
    end = (
        f"status={'failed' if call.failed else 'success'}, duration_ms={(last - first) * 1000:.0f}"
    )
    if call.failed:
        end += ", error_code=SCIPY_FFT_INVALID"
    return [
        (first, _line(first, f'synthesis_start: id={call.id}{said}, text="Hello", voice=alloy')),
        (last, _line(last, f"synthesis_complete: id={call.id}, {end}")),
    ]


def _line(second: float, message: str) -> str:
    at = _BEGAN + timedelta(seconds=second)
    return (
        f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} - app.tts_engine - INFO - {message}\n"
    )
