"""Access lines, as records of the event http_request → rows of http_requests."""

import pyarrow as pa

from ingest.compiled import layout
from ingest.records.arrays import I32, numbers
from ingest.rows.attributes import free_pairs
from ingest.rows.chunk import Chunk, RecordRows
from ingest.rows.columns import (
    FirstPairs,
    instants,
    nulls,
    offsets_of,
    request_ids,
    row_keys,
    same,
    same_number,
    span_strings,
    time_sources,
)

_VALUES = (
    "server", "client", "method", "path", "query", "protocol", "http_status", "bytes_sent",
    "request_ms", "upstream_ms",
)  # fmt: skip
_FROM = ("user_agent", "referer")
KEYS = ("id", "request_id", "instance", *_VALUES, *_FROM)
# the table without rows, once made: most logs have none, and making no row takes as long as some
_no_rows: list[pa.Table] = []


def rows(chunk: Chunk) -> RecordRows:
    """Rows of http_requests; request_key is left null."""
    found = chunk.events.accesses
    if not len(found) and _no_rows:
        return RecordRows(_no_rows[0], found)
    table = _table(chunk, found)
    if not _no_rows:
        _no_rows.append(table.schema.empty_table())
    return RecordRows(table, chunk.owners(found))


def _table(chunk: Chunk, rows: I32) -> pa.Table:
    parsed, origin, n = chunk.parsed, chunk.origin, len(rows)
    offsets = offsets_of(parsed, rows)
    first = FirstPairs.of(parsed, rows, KEYS)
    values = first.columns(parsed)
    header = nulls(n, pa.string())
    if parsed.records[rows, layout.R_REQUEST_ID_END].any():
        header = span_strings(parsed, rows, [(layout.R_REQUEST_ID, layout.R_REQUEST_ID_END)])[0]
    return pa.table(
        {
            "http_key": numbers(row_keys(origin, offsets)),
            "logged_at": instants(parsed.instants[rows]),
            "time_source": time_sources(parsed.time_source[rows]),
            "host": same(origin.host, n),
            "service": same(origin.service, n),
            "instance": values["instance"],
            **{name: values[name] for name in _VALUES},
            "id": values["id"],
            "request_id": request_ids(values["request_id"], header),
            "request_key": nulls(n, pa.int64()),
            **{name: values[name] for name in _FROM},
            "attributes": free_pairs(parsed, chunk.format, rows, first.table),
            "file_key": same_number(origin.file_key, n),
            "byte_offset": numbers(offsets),
        }
    )
