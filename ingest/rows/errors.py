"""WARNING, ERROR and CRITICAL records → rows of errors."""

import numpy as np
import pyarrow as pa

from ingest.compiled import layout
from ingest.records import kernels
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
from ingest.rows.tracebacks import read_tracebacks

KEYS = ("id", "request_id", "error_code", "warning_code", "exc", "instance", "location")
_TAKEN = tuple(key for key in KEYS if key not in ("warning_code", "exc"))
_SPANS = (
    (layout.R_NAME, layout.R_NAME_END), (layout.R_EVENT_START, layout.R_EVENT_END),
    (layout.R_MSG, layout.R_MSG_END), (layout.R_REQUEST_ID, layout.R_REQUEST_ID_END),
    (layout.R_TRACEBACK, layout.R_END),
)  # fmt: skip
_LEVELS = pa.array(["", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])


def rows(chunk: Chunk) -> RecordRows:
    """Rows of errors; request_key is left null."""
    found = chunk.events.severe
    return RecordRows(_table(chunk, found), chunk.owners(found))


def _table(chunk: Chunk, rows: I32) -> pa.Table:
    parsed, origin, n = chunk.parsed, chunk.origin, len(rows)
    first = FirstPairs.of(parsed, rows, KEYS)
    warned = first["error_code"] < 0
    first["error_code"][warned] = first["warning_code"][warned]
    values = first.columns(parsed)
    name, event, message, header, traceback = span_strings(parsed, rows, _SPANS)
    message = kernels.filled(message, "") if message.null_count else message
    told = read_tracebacks(message, _tracebacks(traceback), values["exc"])
    offsets = offsets_of(parsed, rows)
    taken = np.ascontiguousarray(first.table[:, [KEYS.index(key) for key in _TAKEN]])
    return pa.table(
        {
            "error_key": numbers(row_keys(origin, offsets)),
            "occurred_at": instants(parsed.instants[rows]),
            "time_source": time_sources(parsed.time_source[rows]),
            "host": same(origin.host, n),
            "service": same(origin.service, n),
            "instance": values["instance"],
            "level": kernels.take(_LEVELS, parsed.records[rows, layout.R_LEVEL]),
            "logger": name,
            "event": event,
            "code": values["error_code"],
            "id": values["id"],
            "request_id": request_ids(values["request_id"], header),
            "request_key": nulls(n, pa.int64()),
            "message": told.messages,
            "exception_type": told.types,
            "exception_message": told.exception_messages,
            "traceback": told.tracebacks,
            "location": _either(told.locations, values["location"]),
            "attributes": free_pairs(parsed, chunk.format, rows, taken),
            "file_key": same_number(origin.file_key, n),
            "byte_offset": numbers(offsets),
        }
    )


def _either(first: pa.Array, second: pa.Array) -> pa.Array:
    """The first column's values, those of the second in place of its nulls."""
    if second.null_count == len(second):
        return first
    return second if first.null_count == len(first) else kernels.coalesce(first, second)


def _tracebacks(column: pa.Array) -> pa.Array:
    if column.null_count == len(column):
        return column
    return kernels.call("utf8_rtrim_whitespace", column)
