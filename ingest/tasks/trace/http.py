"""Access lines of a traced request: what they answer to, and what they say."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ingest.stores.contract import Reader
from ingest.tasks.trace import statements as sql
from ingest.tasks.trace.rows import Http, Match, rows_of

NO_KEY = -1
_BY_CLIENT = 3  # the rank of a line that only its client's address tells
_LINE_GAP = timedelta(hours=1)  # an access line stands so far at most from its request


@dataclass(frozen=True, slots=True)
class _LineMatch:
    """An access line that answers to what was asked for."""

    http_key: int
    request_key: int | None
    request_id: str | None
    host: str
    service: str
    logged_at: datetime
    request_ms: float | None
    http_status: int | None
    client: str | None
    method: str | None
    path: str | None
    rank: int


def known_by_lines(reader: Reader, binds: Mapping[str, object]) -> list[Match]:
    """Matches that only access lines tell: the requests that they answer, and lines of which no
    request is known.
    """
    found = rows_of(_LineMatch, reader.query(sql.FIND_LINES, binds))
    matches: dict[object, Match] = {}
    for line in found:
        requests: list[Match] = []
        if line.request_key is not None:
            binds_of = {"key": line.request_key}
            requests = rows_of(Match, reader.query(sql.REQUEST_OF_KEY, binds_of))
        for request in requests:
            matches.setdefault(line.request_key, replace(request, rank=line.rank))
        if not requests:
            # of lines with one name, the first tells the others
            name = (line.request_id, line.rank) if line.rank < _BY_CLIENT else line.http_key
            matches.setdefault(name, _line_alone(line))
    return list(matches.values())


def _line_alone(line: _LineMatch) -> Match:
    took = timedelta(milliseconds=min(line.request_ms or 0.0, 1e9))
    told = " ".join(t for t in (line.method, line.path) if t)
    return Match(
        None, None, line.request_id, line.host, line.service, line.logged_at - took,
        line.logged_at, f"HTTP {line.http_status}", None, line.request_ms, told or None, line.rank,
        is_request=False, http_key=line.http_key,
    )  # fmt: skip


def lines_of(reader: Reader, match: Match, most: int) -> list[Http]:
    """The access lines of a request, in time."""
    binds: dict[str, Any] = {
        "key": NO_KEY if match.request_key is None else match.request_key,
        "http_key": NO_KEY if match.http_key is None else match.http_key,
        "request_id": match.request_id or match.id,
        "since": match.first_at - _LINE_GAP, "until": match.last_at + _LINE_GAP, "most": most,
    }  # fmt: skip
    return rows_of(Http, reader.query(sql.LINES, binds))


def access_line(h: Http) -> str:
    """What is stored of an access line, in few words."""
    took = "" if h.request_ms is None else f", {h.request_ms:g} ms"
    behind = "" if h.upstream_ms is None else f" ({h.upstream_ms:g} ms upstream)"
    said = " ".join(t for t in (h.server, h.method, h.path) if t)
    return f"{said}: {h.http_status}{took}{behind}, {h.client or 'client unknown'}"
