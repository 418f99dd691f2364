"""Which request an access line answers, where its own log does not say it (docs/correlation.md);
pure.

By name: the line's X-Request-ID is the request's, or its id. By order: the request was at work
within the line's time, and lines and requests that fit each other pair off in exactly one way. All
instants are int64 microseconds.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.model import APPLICATION_SERVERS
from ingest.rows.pairing import LONGEST_US, Bools, Ints, Lines, Spans, paired
from ingest.rows.spans import NAME_GAP_US

NONE = 0  # no request has this key: files are numbered from 1
SAME_NAME = 64  # a name that so many requests have is no name
SECOND_US = 1_000_000
JITTER_US = 50_000  # two programs of one machine stamp what they do so far apart
# How long before a line without a duration its synthesis may have ended: the application converts
# the audio, and a proxy's line waits for the client to take it.
_APPLICATION_US, _PROXY_US = 10_000_000, 30_000_000
REACH_US = LONGEST_US + _PROXY_US + SECOND_US + JITTER_US  # no line fits a request further off
_AT_START = ("apache", "aiohttp", "envoy", "uwsgi")  # their stamp is when the request came
_AT_EITHER = ("combined", "other", "haproxy", "traefik", "granian")  # or when it was answered
_GIVEN_UP = (408, 499, 502, 503, 504)  # the proxy did not wait for the application
# what paths of synthesis have in them, and what others do
_SYNTHESIS = (
    r"(?i)tts|speech|speak|synth|generat|infer|audio|voice|predict|gradio_api/call|/say\b|^/$"
)
_OTHER = (
    r"(?i)^/(?:gradio_api/[^c]|queue\b|health|live|ready|metrics|docs|redoc|openapi|favicon|static|assets)"
    r"|/(?:voices|models|speakers|languages|characters|config|info|status)/?$"
)


def asking(lines: pa.Table) -> Bools:
    """Which access lines bool[n] may be those of a synthesis: by method, path and status."""
    paths = as_strings(lines["path"]).dictionary_encode()
    words = paths.dictionary
    named = pc.and_(
        pc.match_substring_regex(words, _SYNTHESIS),
        pc.invert(pc.match_substring_regex(words, _OTHER)),
    )
    by_path = pc.and_(named.take(paths.indices).fill_null(False), True)
    method = as_strings(lines["method"])
    by_method = pc.or_(
        pc.is_in(method, pa.array(["POST", "PUT"])),
        pc.and_(pc.equal(method, "GET"), pc.not_equal(as_strings(lines["path"]), "/")),
    )
    status = as_ints(lines["http_status"])
    refused = (status >= 300) & (status < 500) & ~np.isin(status, _GIVEN_UP)
    asks: Bools = pc.and_(by_path, by_method.fill_null(False)).to_numpy(zero_copy_only=False)
    return asks & ~refused


class _Server(NamedTuple):
    """Who wrote an access line."""

    host: str
    service: str
    server: str | None
    instance: str | None


def by_name(lines: pa.Table, requests: pa.Table) -> Ints:
    """The key int64[n] of the request that each line's X-Request-ID names, NONE where it names none
    or several.

    Of several requests that have the name, it is the one that fits the line, if one alone does.
    """
    found = np.full(lines.num_rows, NONE, np.int64)
    if not lines.num_rows or not requests.num_rows:
        return found
    names = pc.unique(as_strings(lines["request_id"])).drop_null()
    code_of = pc.index_in(as_strings(lines["request_id"]), value_set=names)
    codes = code_of.fill_null(-1).to_numpy(zero_copy_only=False)
    rows, owners = _named(requests, names)
    first = np.searchsorted(owners, codes, "left")
    count = np.searchsorted(owners, codes, "right") - first
    count[codes < 0] = 0
    keys, logged = as_ints(requests["request_key"]), as_ints(requests["logged_at"])
    at = as_ints(lines["logged_at"])
    alone = np.flatnonzero(count == 1)
    row = rows[first[alone]]
    near = np.abs(logged[row] - at[alone]) <= NAME_GAP_US
    found[alone[near]] = keys[row[near]]
    many = np.flatnonzero((count > 1) & (count <= SAME_NAME))
    if len(many):
        low, high = reach(lines, np.zeros(lines.num_rows, np.bool_))
        start, end = times(requests)
        for i in many.tolist():
            own = rows[first[i] : first[i] + count[i]]
            own = own[(start[own] >= low[i]) & (end[own] <= high[i])]
            if len(own) == 1:
                found[i] = keys[own[0]]
    return found


def _named(requests: pa.Table, names: pa.Array) -> tuple[Ints, Ints]:
    """Rows of the requests that have one of the names, and which one, ordered by it."""
    logged = pc.equal(as_strings(requests["id_source"]), "logged").fill_null(False)
    by_request_id = pc.index_in(as_strings(requests["request_id"]), value_set=names)
    by_id = pc.index_in(
        pc.if_else(logged, as_strings(requests["id"]), pa.scalar(None, pa.string())),
        value_set=names,
    )
    first = by_request_id.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    second = by_id.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    second = np.where(second == first, -1, second)
    rows = np.concatenate([np.flatnonzero(first >= 0), np.flatnonzero(second >= 0)])
    owners = np.concatenate([first[first >= 0], second[second >= 0]])
    order = np.argsort(owners, kind="stable")
    return rows[order], owners[order]


def free_lines(lines: pa.Table) -> Bools:
    """Which lines bool[n] may answer a request by order."""
    free = ~_flags(lines["is_told"]) & _flags(is_timed(lines["time_source"]))
    return free & asking(lines) if free.any() else free


def by_order(lines: pa.Table, requests: pa.Table, is_free: Bools) -> Ints:
    """The key int64[n] of the request that each line answers by order, NONE where that is not
    certain.

    ``lines`` may be those of many servers, ``is_free`` as of :func:`free_lines`; those that are
    told their request otherwise (``is_told``: by their log or by name) only keep that request from
    the other lines of their server.
    """
    found = np.full(lines.num_rows, NONE, np.int64)
    if not lines.num_rows or not requests.num_rows:
        return found
    keys = as_ints(requests["request_key"])
    told = _flags(lines["is_told"])
    answered = as_ints(lines["request_key"])
    for server, rows in _servers(lines):
        of = _requests_of(requests, server)
        of = of[~np.isin(keys[of], answered[rows[told[rows]]])]
        free = rows[is_free[rows]]
        if len(of) and len(free):
            found[free] = _matched(lines.take(free), server, requests.take(of))
    return found


def is_timed(source: pa.ChunkedArray) -> pa.Array:
    """Whether instants come from the log: a file's time or a reading's has no order."""
    return pc.is_in(as_strings(source), pa.array(["logged", "envelope", "neighbour"]))


def _flags(column: pa.ChunkedArray) -> Bools:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    found: Bools = whole.fill_null(False).to_numpy(zero_copy_only=False)
    return found


def _servers(lines: pa.Table) -> Iterator[tuple[_Server, Ints]]:
    """The servers that wrote lines, with the rows of each."""
    named = lines.select(_Server._fields)
    # until a log shows what wrote it, its lines are "combined": they are of the same server
    server = as_strings(named["server"])
    server = pc.if_else(pc.equal(server, "combined"), "nginx", server)
    named = named.set_column(named.column_names.index("server"), "server", server)
    columns = [as_strings(named[n]).dictionary_encode() for n in _Server._fields]
    codes = [c.indices.fill_null(len(c.dictionary)).to_numpy() for c in columns]
    sizes = [len(c.dictionary) + 1 for c in columns]
    of = np.ravel_multi_index(codes, sizes)
    order = np.argsort(of, kind="stable")
    ends = np.flatnonzero(np.diff(of[order])) + 1
    for rows in np.split(order, ends):
        names = [
            c.dictionary[int(code[rows[0]])].as_py() if code[rows[0]] < len(c.dictionary) else None
            for c, code in zip(columns, codes, strict=True)
        ]
        host, service, server, instance = names
        yield _Server(host or "", service or "", server, instance), rows


def _requests_of(requests: pa.Table, server: _Server) -> Ints:
    """The requests that a server's lines may answer: its host's; an application's own."""
    of = pc.equal(as_strings(requests["host"]), server.host)
    if server.server in APPLICATION_SERVERS:
        of = pc.and_(of, pc.equal(as_strings(requests["service"]), server.service))
        instance = as_strings(requests["instance"])
        same = (
            pc.is_null(instance)
            if server.instance is None
            else pc.equal(instance, server.instance).fill_null(False)
        )
        of = pc.and_(of, same)
    found: Ints = np.flatnonzero(
        of.to_numpy(zero_copy_only=False) & _flags(is_timed(requests["time_source"]))
    )
    return found


def _matched(lines: pa.Table, server: _Server, requests: pa.Table) -> Ints:
    """The keys of the requests that one server's lines answer, NONE where uncertain."""
    is_proxy = server.server not in APPLICATION_SERVERS
    low, high = reach(lines, np.full(lines.num_rows, is_proxy, np.bool_))
    timed = _milliseconds(lines)[1]
    given_up = timed & np.isin(as_ints(lines["http_status"]), _GIVEN_UP)
    start, end = times(requests)
    order = np.argsort(start, kind="stable")
    ended = requests["completed_at"].is_valid().to_numpy()
    spans = Spans(start[order], end[order], ended[order])
    mine = Lines(low, high, timed, given_up)
    found = paired(mine, spans)
    # two names that differ are two requests, whatever the order says
    request_id = as_strings(requests["request_id"]).take(pa.array(order))
    mate = pa.array(np.maximum(found, 0))
    differ = pc.not_equal(as_strings(lines["request_id"]), request_id.take(mate))
    certain = (found >= 0) & ~differ.fill_null(False).to_numpy(zero_copy_only=False)
    return np.where(certain, as_ints(requests["request_key"])[order][np.maximum(found, 0)], NONE)


def reach(lines: pa.Table, is_proxy: Bools) -> tuple[Ints, Ints]:
    """From when to when each line's request may have been at work: int64[n] twice."""
    at = as_ints(lines["logged_at"])
    fine = np.where(at % SECOND_US == 0, SECOND_US, 1000)  # a whole second may be one cut off
    ms, timed = _milliseconds(lines)
    longest = np.where(is_proxy, _PROXY_US, _APPLICATION_US)
    took = np.where(timed, ms * 1000, longest).astype(np.int64)
    server = as_strings(lines["server"])
    at_start, at_either = (
        pc.is_in(server, pa.array(names)).to_numpy(zero_copy_only=False)
        for names in (_AT_START, _AT_EITHER)
    )
    low, high = np.where(at_start, at, at - took), np.where(at_start | at_either, at + took, at)
    return low - JITTER_US, high + fine + JITTER_US


def _milliseconds(lines: pa.Table) -> tuple[npt.NDArray[np.float64], Bools]:
    """The durations of the lines, and which of them have one."""
    column = lines["request_ms"]
    ms = column.fill_null(0.0).to_numpy().astype(np.float64)
    timed: Bools = column.is_valid().to_numpy() & (ms >= 0) & (ms < 1e9)
    return np.where(timed, ms, 0.0), timed


def times(requests: pa.Table) -> tuple[Ints, Ints]:
    """When each request began and ended; without an end it works as long as any may."""
    started, completed = requests["started_at"], requests["completed_at"]
    logged = as_ints(requests["logged_at"])
    has_end = completed.is_valid().to_numpy()
    took = requests["duration_ms"].fill_null(-1.0).to_numpy()
    ended = as_ints(completed)
    told = has_end & (took >= 0) & (took < 1e9)
    since = np.where(told, ended - (np.where(told, took, 0) * 1000).astype(np.int64), logged)
    start = np.where(started.is_valid().to_numpy(), as_ints(started), since)
    return start, np.where(has_end, np.maximum(ended, start), start + LONGEST_US)


def as_ints(column: pa.ChunkedArray) -> Ints:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    whole = whole.cast(pa.int64()) if not pa.types.is_int64(whole.type) else whole
    found: Ints = whole.fill_null(NONE).to_numpy(zero_copy_only=False)
    return found


def as_strings(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.cast(pa.string())


def windows(times: Sequence[Ints], reach_us: int, most_us: int) -> list[tuple[int, int]]:
    """Disjoint stretches of at most ``most_us`` that hold ``reach_us`` around each instant."""
    every = np.unique(np.concatenate([np.zeros(0, np.int64), *times]))
    if not len(every):
        return []
    cuts = np.flatnonzero(np.diff(every) > max(2 * reach_us, most_us // 4))
    first, last = np.concatenate([[0], cuts + 1]), np.concatenate([cuts, [len(every) - 1]])
    found = []
    for a, b in zip(every[first].tolist(), every[last].tolist(), strict=True):
        low, high = a - reach_us, b + reach_us
        found += [(at, min(at + most_us, high)) for at in range(low, high, most_us)]
    return found
