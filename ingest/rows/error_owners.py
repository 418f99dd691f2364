"""Which request an error without an id belongs to (docs/correlation.md); pure.

By name: its X-Request-ID is that of one request. By its access line: a line of nginx's error log
tells the request that it is about, and one access line alone is of that request and that time.
All instants are int64 microseconds.
"""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.lazily import matcher
from ingest.rows.answers import (
    JITTER_US,
    NONE,
    SAME_NAME,
    SECOND_US,
    as_ints,
    as_strings,
    reach,
    times,
)
from ingest.rows.pairing import Ints, alone_over
from ingest.rows.spans import NAME_GAP_US

# How ngx_log_error ends a line about a request; what stands before it may quote a path.
_ABOUT = matcher(
    r", client: (?P<client>[^,\s]{1,100}), server: [^,]{0,255}, "
    r'request: "(?P<method>[A-Z]{3,20}) (?P<target>\S{1,8192})(?: HTTP/[\d.]+)?"(?:, |$)'
)
_MAY_BE_NGINX = ("nginx", "combined", "other")
# nginx answers by itself then: with an error, unless another upstream server has answered
_ENDS = matcher(
    r"(?:while (?:connecting to|sending request to|reading response header from) upstream"
    r"|no live upstreams|client intended to send too large)"
)
_ERROR = 400


def by_name(errors: pa.Table, requests: pa.Table) -> Ints:
    """The key int64[n] of the request that has each error's X-Request-ID, NONE where none has it or
    several have.

    Of several, it is the one that was at work then, if one alone was.
    """
    found = np.full(errors.num_rows, NONE, np.int64)
    names = as_strings(errors["request_id"]).dictionary_encode()
    place = _place_among(requests["request_id"], names.dictionary)
    order = np.argsort(place, kind="stable")
    order = order[place[order] >= 0]
    codes = names.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    first = np.searchsorted(place[order], codes, "left")
    count = np.searchsorted(place[order], codes, "right") - first
    count[codes < 0] = 0
    at, keys = as_ints(errors["occurred_at"]), as_ints(requests["request_key"])
    logged = as_ints(requests["logged_at"])
    start, end = times(requests)
    for i in np.flatnonzero((count > 0) & (count <= SAME_NAME)).tolist():
        own = order[first[i] : first[i] + count[i]]
        own = own[np.abs(logged[own] - at[i]) <= NAME_GAP_US]
        if len(own) > 1:
            own = own[(start[own] <= at[i] + JITTER_US) & (end[own] >= at[i] - JITTER_US)]
        if len(own) == 1:
            found[i] = keys[own[0]]
    return found


def _place_among(column: pa.ChunkedArray, names: pa.Array) -> Ints:
    """Where each value stands among the names: int64[n], -1 where it does not."""
    place = pc.index_in(as_strings(column), value_set=names)
    found: Ints = place.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return found


def by_access_line(errors: pa.Table, lines: pa.Table) -> Ints:
    """The key int64[n] of the request of the one access line that each error of nginx is about,
    NONE where that is not certain.
    """
    found = np.full(errors.num_rows, NONE, np.int64)
    nginx = lines.filter(pc.is_in(as_strings(lines["server"]), pa.array(_MAY_BE_NGINX)))
    if not errors.num_rows or not nginx.num_rows:
        return found
    at = as_ints(errors["occurred_at"])
    low, high = reach(nginx, np.ones(nginx.num_rows, np.bool_))
    status, keys = as_ints(nginx["http_status"]), as_ints(nginx["request_key"])
    told = as_strings(errors["message"]).to_pylist()
    for of_errors, of_lines in _about_the_same(errors, told, nginx):
        line = alone_over(low[of_lines], high[of_lines], at[of_errors], at[of_errors] + SECOND_US)
        for error, place in zip(of_errors.tolist(), line.tolist(), strict=True):
            if place < 0:
                continue
            row = of_lines[place]
            if status[row] >= _ERROR or not _ENDS.search(told[error] or ""):
                found[error] = keys[row]
    return found


def _about_the_same(
    errors: pa.Table, told: list[str | None], lines: pa.Table
) -> Iterator[tuple[Ints, Ints]]:
    """Errors and lines of one host, client, method, path and query: rows of each."""
    columns = [as_strings(lines[n]) for n in ("host", "client", "method", "path", "query")]
    of_lines: dict[tuple[str, ...], list[int]] = {}
    wanted: dict[tuple[str, ...], list[int]] = {}
    hosts = as_strings(errors["host"]).to_pylist()
    for row, message in enumerate(told):
        about = _request_of(message or "")
        if about is not None:
            wanted.setdefault((hosts[row] or "", *about), []).append(row)
    for row, values in enumerate(zip(*(c.to_pylist() for c in columns), strict=True)):
        key = tuple(value or "" for value in values)
        if key in wanted:
            of_lines.setdefault(key, []).append(row)
    for key, rows in wanted.items():
        if key in of_lines:
            yield np.array(rows, np.int64), np.array(of_lines[key], np.int64)


def _request_of(message: str) -> tuple[str, str, str, str] | None:
    """Client, method, path and query of the request that a line of nginx's error log is about; None
    where a quoted text could pass for it.
    """
    if message.count(", client: ") != 1 or message.count(', request: "') != 1:
        return None
    match = _ABOUT.search(message)
    if match is None:
        return None
    path, _, query = match["target"].partition("?")
    return match["client"], match["method"], path, query
