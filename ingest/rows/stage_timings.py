"""stage_time records → rows of stage_timings."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import numbers
from ingest.compiled import parts as segments
from ingest.records.arrays import I32, Bools, nullable
from ingest.records.parse import Parsed
from ingest.records.vocabulary import STAGE_TIME
from ingest.rows.chunk import Chunk, RecordRows
from ingest.rows.columns import (
    instants,
    named,
    numbered_strings,
    offsets_of,
)

KEYS = ("stage", "duration_ms", "own_ms")
_Floats = npt.NDArray[np.float64]


def rows(chunk: Chunk) -> RecordRows:
    """Rows of stage_timings; request_key is left null."""
    parsed, first, origin, events = chunk.parsed, chunk.first, chunk.origin, chunk.events
    staged = events.kinds == STAGE_TIME
    at, part = events.rows[staged], chunk.part_of[staged]
    n = len(at)
    own = first["own_ms"][at]
    is_own = (own >= 0) | chunk.format.own_stage_times
    logged, valid = _numbers(parsed, np.where(own >= 0, own, first["duration_ms"][at]))
    seq, total, own_ms = _numbered(part, logged, valid, is_own, chunk.n_parts)
    table = pa.table(
        {
            "request_key": pa.nulls(n, pa.int64()),
            "stage": named(*numbered_strings(parsed, first["stage"][at])),
            "seq": seq,
            "logged_at": instants(parsed.instants[at]),
            "elapsed_ms": total,
            "duration_ms": own_ms,
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets_of(parsed, at)),
        }
    )
    return RecordRows(table, part, is_own)


def _numbers(parsed: Parsed, pairs: I32) -> tuple[_Floats, Bools]:
    """Values float64[n] of pairs int32[n] (-1: none), and which of them are numbers."""
    if not len(parsed.pairs):
        return np.zeros(len(pairs)), np.zeros(len(pairs), np.bool_)
    at = np.maximum(pairs, 0)
    return parsed.values[at], (pairs >= 0) & (parsed.states[at] == numbers.OK)


def numbered_stages(stages: pa.Table, part: I32, is_own: Bools, n_parts: int) -> pa.Table:
    """Rows of stage_timings, numbered anew within their parts int32[n], and split into own times
    again.

    ``is_own`` as in :class:`ingest.rows.chunk.RecordRows`.
    """
    elapsed, own = stages["elapsed_ms"], stages["duration_ms"]
    valid = elapsed.is_valid().to_numpy()
    logged = np.where(is_own, own.fill_null(0.0).to_numpy(), elapsed.fill_null(0.0).to_numpy())
    columns = _numbered(part, logged, valid, is_own, n_parts)
    for name, column in zip(("seq", "elapsed_ms", "duration_ms"), columns, strict=True):
        stages = stages.set_column(stages.column_names.index(name), name, column)
    return stages


def _numbered(
    part: I32, logged: _Floats, valid: Bools, is_own: Bools, n_parts: int
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Number, time since the request began and own time of stages, of the times as logged
    (float64[n], ms).
    """
    n = len(part)
    seq, own, elapsed = np.zeros(n, np.int32), np.zeros(n), np.zeros(n)
    segments.stages(
        np.ascontiguousarray(part), np.array(logged), valid.astype(np.uint8),
        is_own.astype(np.uint8), n_parts, seq, own, elapsed,
    )  # fmt: skip
    return (
        pa.array(seq),
        nullable(elapsed, valid, pa.float64()),
        nullable(own, valid, pa.float64()),
    )
