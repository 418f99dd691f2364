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
    offsets_of,
    pair_strings,
    request_ids,
    row_keys,
    same,
    span_strings,
    time_sources,
)
from ingest.rows.tracebacks import read_tracebacks

KEYS = ("id", "request_id", "error_code", "warning_code", "exc", "instance", "location")
_LEVELS = pa.array(["", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])


def rows(chunk: Chunk) -> RecordRows:
    """Rows of errors; request_key is left null."""
    found = _records(chunk.parsed)
    return RecordRows(_table(chunk, found), chunk.owner_of[found])


def _records(parsed: Parsed) -> I32:
    """The records of level WARNING or worse."""
    records = parsed.records
    good = records[:, layout.R_KIND] <= layout.K_TRACEBACK
    worse = records[:, layout.R_LEVEL] >= layout.L_WARNING
    return np.flatnonzero(good & worse).astype(np.int32)


def _table(chunk: Chunk, rows: I32) -> pa.Table:
    parsed, origin, n = chunk.parsed, chunk.origin, len(rows)
    first = FirstPairs.of(parsed, rows, KEYS)
    id_pair, request_pair = first["id"], first["request_id"]
    instance_pair, location_pair = first["instance"], first["location"]
    error_pair = first["error_code"]
    code_pair = np.where(error_pair >= 0, error_pair, first["warning_code"])
    tracebacks = _tracebacks(parsed, rows)
    exceptions = read_tracebacks(tracebacks, pair_strings(parsed, first["exc"]))
    offsets = offsets_of(parsed, rows)
    taken = (id_pair, request_pair, code_pair, instance_pair, location_pair)
    used = np.concatenate([p[p >= 0] for p in taken])
    return pa.table(
        {
            "error_key": pa.array(row_keys(origin, offsets)),
            "occurred_at": instants(parsed.instants[rows]),
            "time_source": time_sources(parsed.time_source[rows]),
            "host": same(origin.host, n),
            "service": same(origin.service, n),
            "instance": pair_strings(parsed, instance_pair),
            "level": _LEVELS.take(pa.array(parsed.records[rows, layout.R_LEVEL])),
            "logger": span_strings(parsed, rows, layout.R_NAME, layout.R_NAME_END),
            "event": span_strings(parsed, rows, layout.R_EVENT_START, layout.R_EVENT_END),
            "code": pair_strings(parsed, code_pair),
            "id": pair_strings(parsed, id_pair),
            "request_id": request_ids(parsed, rows, request_pair),
            "request_key": pa.nulls(n, pa.int64()),
            "message": _messages(parsed, rows),
            "exception_type": exceptions.types,
            "exception_message": exceptions.messages,
            "traceback": tracebacks,
            "location": pc.coalesce(exceptions.locations, pair_strings(parsed, location_pair)),
            "attributes": free_pairs(parsed, chunk.format, rows, used),
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets),
        }
    )


def _messages(parsed: Parsed, rows: I32) -> pa.Array:
    return pc.coalesce(span_strings(parsed, rows, layout.R_MSG, layout.R_MSG_END), pa.scalar(""))


def _tracebacks(parsed: Parsed, rows: I32) -> pa.Array:
    start, end = parsed.records[rows, layout.R_TRACEBACK], parsed.records[rows, layout.R_END]
    column = string_column(parsed.data, start, end, np.zeros_like(end))
    return column if column.null_count == len(column) else pc.utf8_rtrim_whitespace(column)
