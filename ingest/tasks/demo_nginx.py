"""The nginx in front of the demo's services: what it logs of each request.

Half of the interest of an access log is what it does not say: a streamed answer has its status
before the synthesis fails.
"""

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ACCESS_NAME = "access.log"
GIVEN_UP = timedelta(seconds=60)  # nginx's proxy_read_timeout
_HEALTH_EVERY = timedelta(minutes=5)
_AGENTS = ("python-httpx/0.27.0", "okhttp/4.12.0", "Mozilla/5.0")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request as nginx sees it: ``upstream`` is None where nginx answered by itself."""

    began: datetime
    took: timedelta
    upstream: timedelta | None
    client: str
    request: str
    status: int
    bytes_sent: int
    request_id: str = "-"


def request_id_of(name: str) -> str:
    """The X-Request-ID of a request, which follows from its own id."""
    return f"{random.Random(name).getrandbits(128):032x}"


def write_access(
    folder: Path, exchanges: Iterable[Exchange], *, since: datetime, until: datetime
) -> Path:
    """Write ``access.log`` into ``folder``: the exchanges, health checks and refusals that end
    between the instants.

    Raises OSError where it cannot be written.
    """
    every = [*exchanges, *_others(since, until)]
    ended = sorted((e.began + e.took, number) for number, e in enumerate(every))
    path = folder / ACCESS_NAME
    lines = [_line(at, every[number]) for at, number in ended if since <= at < until]
    path.write_text("".join(lines), encoding="utf-8", newline="")
    return path


def exchange(
    name: str,
    began: datetime,
    upstream: timedelta,
    *,
    status: int,
    bytes_sent: int,
    path: str,
    has_id: bool = True,
) -> Exchange:
    """What nginx sees of a request that the service answers: a little before it and after it."""
    chance = random.Random(name)
    before = timedelta(milliseconds=chance.randint(1, 4))
    after = timedelta(milliseconds=chance.randint(1, 40))
    upstream += before
    if status == 504:
        upstream = GIVEN_UP
    return Exchange(
        began=began - before,
        took=upstream + after,
        upstream=upstream,
        client=f"10.3.0.{chance.randint(2, 9)}",
        request=f"POST {path} HTTP/1.1",
        status=status,
        bytes_sent=bytes_sent,
        request_id=request_id_of(name) if has_id else f"{chance.getrandbits(128):032x}",
    )


def _others(since: datetime, until: datetime) -> Iterator[Exchange]:
    """Health checks, and a client without a key, whom nginx refuses now and then."""
    chance, at = random.Random("others"), since
    while at < until:
        yield _short(chance, at, "10.3.0.1", "GET /health HTTP/1.1", 200, 2)
        if chance.random() < 0.05:
            later = at + timedelta(seconds=chance.randint(1, 200))
            yield _short(chance, later, "10.3.7.12", "POST /v1/audio/speech HTTP/1.1", 401, 179)
        at += _HEALTH_EVERY


def _short(
    chance: random.Random, at: datetime, client: str, request: str, status: int, size: int
) -> Exchange:
    took = timedelta(milliseconds=chance.randint(1, 3))
    upstream = took if status == 200 else None
    name = f"{chance.getrandbits(128):032x}"
    return Exchange(at, took, upstream, client, request, status, size, name)


def _line(at: datetime, of: Exchange) -> str:
    """A line of the format of docs/correlation.md."""
    agent = "kube-probe/1.30" if "/health" in of.request else _AGENTS[int(of.client[-1]) % 3]
    upstream = "-" if of.upstream is None else f"{of.upstream.total_seconds():.3f}"
    return (
        f"{of.client} - - [{at.astimezone(UTC):%d/%b/%Y:%H:%M:%S %z}] "
        f'"{of.request}" {of.status} {of.bytes_sent} "-" "{agent}" '
        f"rt={of.took.total_seconds():.3f} urt={upstream} rid={of.request_id}\n"
    )
