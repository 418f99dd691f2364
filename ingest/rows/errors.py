"""WARNING, ERROR and CRITICAL records → rows of errors."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.compiled import layout
from ingest.records.arrays import I32, string_column
from ingest.records.parse import Parsed
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
    span_strings,
    time_sources,
)
from ingest.rows.tracebacks import read_tracebacks

KEYS = ("id", "request_id", "error_code", "warning_code", "exc", "instance", "location")
_TAKEN = tuple(key for key in KEYS if key not in ("warning_code", "exc"))
_LEVELS = pa.array(["", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])


def rows(chunk: Chunk) -> RecordRows:
    """Rows of errors; request_key is left null."""
    found = chunk.events.severe
    return RecordRows(_table(chunk, found), chunk.owner_of[found])


def _table(chunk: Chunk, rows: I32) -> pa.Table:
    parsed, origin, n = chunk.parsed, chunk.origin, len(rows)
    first = FirstPairs.of(parsed, rows, KEYS)
    warned = first["error_code"] < 0
    first["error_code"][warned] = first["warning_code"][warned]
    values = first.columns(parsed)
    tracebacks = _tracebacks(parsed, rows)
    exceptions = read_tracebacks(tracebacks, values["exc"])
    offsets = offsets_of(parsed, rows)
    used = np.concatenate([first[key][first[key] >= 0] for key in _TAKEN])
    return pa.table(
        {
            "error_key": pa.array(row_keys(origin, offsets)),
            "occurred_at": instants(parsed.instants[rows]),
            "time_source": time_sources(parsed.time_source[rows]),
            "host": same(origin.host, n),
            "service": same(origin.service, n),
            "instance": values["instance"],
            "level": _LEVELS.take(pa.array(parsed.records[rows, layout.R_LEVEL])),
            "logger": span_strings(parsed, rows, layout.R_NAME, layout.R_NAME_END),
            "event": span_strings(parsed, rows, layout.R_EVENT_START, layout.R_EVENT_END),
            "code": values["error_code"],
            "id": values["id"],
            "request_id": request_ids(parsed, rows, values["request_id"]),
            "request_key": nulls(n, pa.int64()),
            "message": _messages(parsed, rows),
            "exception_type": exceptions.types,
            "exception_message": exceptions.messages,
            "traceback": tracebacks,
            "location": _either(exceptions.locations, values["location"]),
            "attributes": free_pairs(parsed, chunk.format, rows, used),
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets),
        }
    )


def _either(first: pa.Array, second: pa.Array) -> pa.Array:
    """The first column's values, those of the second in place of its nulls."""
    if second.null_count == len(second):
        return first
    return second if first.null_count == len(first) else pc.coalesce(first, second)


def _messages(parsed: Parsed, rows: I32) -> pa.Array:
    messages = span_strings(parsed, rows, layout.R_MSG, layout.R_MSG_END)
    return messages.fill_null("") if messages.null_count else messages


def _tracebacks(parsed: Parsed, rows: I32) -> pa.Array:
    start, end = parsed.records[rows, layout.R_TRACEBACK], parsed.records[rows, layout.R_END]
    column = string_column(parsed.data, start, end, np.zeros_like(end))
    return column if column.null_count == len(column) else pc.utf8_rtrim_whitespace(column)
