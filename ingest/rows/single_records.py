"""Records of a chunk → rows of stage_timings, errors and cache_samples, which are one record each."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.compiled import layout, numbers
from ingest.compiled import parts as segments
from ingest.model import Origin
from ingest.records.arrays import I32, Bools, nullable, string_column
from ingest.records.formats import Format
from ingest.records.parse import Parsed
from ingest.records.vocabulary import CACHE_DIR_USAGE, CACHE_HEALTH
from ingest.rows.attributes import Entries, attribute_objects
from ingest.rows.columns import (
    FirstPairs,
    instants,
    named,
    numbered_strings,
    offsets_of,
    pair_numbers,
    pair_strings,
    row_keys,
    same,
    span_strings,
)
from ingest.rows.tracebacks import read_tracebacks

_LEVELS = pa.array(["", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])
# The keys of pairs that these rows are made of.
EVENT_KEYS = (
    "id", "request_id", "stage", "duration_ms", "error_code", "warning_code", "exc",
    "path", "used_percent", "usage", "threshold", "used", "total", "action",
)  # fmt: skip


def stage_rows(
    parsed: Parsed,
    first: FirstPairs,
    origin: Origin,
    own_stage_times: bool,
    rows: I32,
    owners: I32,
    n_parts: int,
    id_codes: I32,
    ids: pa.Array,
) -> pa.Table:
    """Rows of stage_timings of records ``rows`` int32[n], whose parts are ``owners`` int32[n]; request_key is left null."""
    n = len(rows)
    logged = first["duration_ms"][rows]
    at = np.maximum(logged, 0)
    have = len(parsed.pairs) > 0
    valid = (logged >= 0) & (parsed.states[at] == numbers.OK) if have else np.zeros(n, np.bool_)
    elapsed = parsed.values[at] if have else np.zeros(n)
    seq, total, own = _numbered(owners, elapsed, valid, own_stage_times, n_parts)
    return pa.table(
        {
            "request_key": pa.nulls(n, pa.int64()),
            "id": named(id_codes, ids),
            "host": same(origin.host, n),
            "stage": named(*numbered_strings(parsed, first["stage"][rows])),
            "seq": seq,
            "logged_at": instants(parsed.instants[rows]),
            "elapsed_ms": total,
            "duration_ms": own,
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets_of(parsed, rows)),
        }
    )


def numbered_stages(stages: pa.Table, owners: I32, n_parts: int, own_stage_times: bool) -> pa.Table:
    """Rows of stage_timings, numbered anew within their parts ``owners`` int32[n], and split into own times again."""
    logged = stages["duration_ms" if own_stage_times else "elapsed_ms"]
    valid = logged.is_valid().to_numpy()
    columns = _numbered(owners, logged.fill_null(0.0).to_numpy(), valid, own_stage_times, n_parts)
    for name, column in zip(("seq", "elapsed_ms", "duration_ms"), columns, strict=True):
        stages = stages.set_column(stages.column_names.index(name), name, column)
    return stages


def _numbered(
    owners: I32,
    logged: npt.NDArray[np.float64],
    valid: Bools,
    own_stage_times: bool,
    n_parts: int,
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Number, time since the request began and own time of stages, of the times as logged (float64[n], ms)."""
    n = len(owners)
    seq, own, elapsed = np.zeros(n, np.int32), np.zeros(n), np.zeros(n)
    segments.stages(
        np.ascontiguousarray(owners), np.array(logged), valid.astype(np.uint8),
        own_stage_times, n_parts, seq, own, elapsed,
    )  # fmt: skip
    return (
        pa.array(seq),
        nullable(elapsed, valid, pa.float64()),
        nullable(own, valid, pa.float64()),
    )


def error_records(parsed: Parsed) -> I32:
    """The records of level WARNING or worse."""
    records = parsed.records
    good = records[:, layout.R_KIND] <= layout.K_TRACEBACK
    worse = records[:, layout.R_LEVEL] >= layout.L_WARNING
    return np.flatnonzero(good & worse).astype(np.int32)


def error_rows(
    parsed: Parsed, first: FirstPairs, fmt: Format, origin: Origin, rows: I32
) -> pa.Table:
    """Rows of errors of records ``rows`` int32[n]; request_key is left null."""
    n = len(rows)
    id_pair, request_pair = first["id"][rows], first["request_id"][rows]
    error_pair = first["error_code"][rows]
    code_pair = np.where(error_pair >= 0, error_pair, first["warning_code"][rows])
    tracebacks = _tracebacks(parsed, rows)
    exceptions = read_tracebacks(tracebacks, pair_strings(parsed, first["exc"][rows]))
    offsets = offsets_of(parsed, rows)
    used = np.concatenate([p[p >= 0] for p in (id_pair, request_pair, code_pair)])
    return pa.table(
        {
            "error_key": pa.array(row_keys(origin, offsets)),
            "occurred_at": instants(parsed.instants[rows]),
            "time_inferred": pa.array(parsed.inferred[rows]),
            "host": same(origin.host, n),
            "service": same(origin.service, n),
            "level": _LEVELS.take(pa.array(parsed.records[rows, layout.R_LEVEL])),
            "logger": span_strings(parsed, rows, layout.R_NAME, layout.R_NAME_END),
            "event": span_strings(parsed, rows, layout.R_EVENT_START, layout.R_EVENT_END),
            "code": pair_strings(parsed, code_pair),
            "id": pair_strings(parsed, id_pair),
            "request_id": _request_ids(parsed, rows, request_pair),
            "request_key": pa.nulls(n, pa.int64()),
            "message": _messages(parsed, rows),
            "exception_type": exceptions.types,
            "exception_message": exceptions.messages,
            "traceback": tracebacks,
            "location": exceptions.locations,
            "attributes": _attributes(parsed, fmt, rows, used),
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


def _request_ids(parsed: Parsed, rows: I32, pairs: I32) -> pa.Array:
    header = span_strings(parsed, rows, layout.R_REQUEST_ID, layout.R_REQUEST_ID_END)
    header = pc.if_else(pc.equal(header, "-"), pa.scalar(None, pa.string()), header)
    return pc.coalesce(pair_strings(parsed, pairs), header)


def _attributes(parsed: Parsed, fmt: Format, rows: I32, used: npt.NDArray[Any]) -> pa.Array:
    first, count = parsed.records[rows, layout.R_PAIR], parsed.records[rows, layout.R_PAIRS]
    owners = np.repeat(np.arange(len(rows), dtype=np.int32), count)
    pairs = np.arange(len(owners)) + np.repeat(first - np.cumsum(count) + count, count)
    free = np.ones(len(parsed.pairs), np.bool_)
    free[used] = False
    entries = Entries.of_pairs(parsed, pairs[free[pairs]], owners[free[pairs]])
    entries = entries.with_extras(
        parsed, list(enumerate(fmt.extras)), rows, np.arange(len(rows), dtype=np.int32)
    )
    return attribute_objects(parsed.data, entries, len(rows))


def cache_rows(parsed: Parsed, first: FirstPairs, origin: Origin) -> pa.Table:
    """Rows of cache_samples."""
    event = parsed.records[:, layout.R_EVENT]
    good = parsed.records[:, layout.R_KIND] <= layout.K_TRACEBACK
    found = good & ((event == CACHE_DIR_USAGE) | (event == CACHE_HEALTH))
    rows = np.flatnonzero(found).astype(np.int32)
    n = len(rows)

    def number(key: str) -> pa.Array:
        return pair_numbers(parsed, first[key][rows])

    offsets = offsets_of(parsed, rows)
    return pa.table(
        {
            "sample_key": pa.array(row_keys(origin, offsets)),
            "sampled_at": instants(parsed.instants[rows]),
            "host": same(origin.host, n),
            "path": pair_strings(parsed, first["path"][rows]),
            "used_percent": pc.coalesce(number("used_percent"), number("usage")),
            "threshold_percent": number("threshold"),
            "used_mb": number("used"),
            "total_mb": number("total"),
            "action": pair_strings(parsed, first["action"][rows]),
            "event": span_strings(parsed, rows, layout.R_EVENT_START, layout.R_EVENT_END),
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets),
        }
    )
