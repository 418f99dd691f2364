"""stage_time records → rows of stage_timings."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import parts as segments
from ingest.records.arrays import I32, Bools, nullable, view
from ingest.rows.chunk import Chunk, RecordRows
from ingest.rows.columns import (
    CODE,
    instants,
    named,
    numbered_strings,
    offsets_of,
)

_CODES = CODE["stage"], CODE["duration_ms"], CODE["own_ms"]
_Floats = npt.NDArray[np.float64]


def rows(chunk: Chunk) -> RecordRows:
    """Rows of stage_timings; request_key is left null."""
    parsed, origin, events = chunk.parsed, chunk.origin, chunk.events
    found, logged = np.empty((3, len(events.rows)), np.int32), np.empty(len(events.rows))
    told = np.empty((2, len(events.rows)), np.bool_)
    n = segments.stage_pairs(
        events.kinds, events.rows, chunk.part_of, view(parsed.records), view(parsed.pairs),
        view(parsed.values), view(parsed.states), _CODES, chunk.format.own_stage_times, view(found),
        view(logged), view(told.view(np.uint8)),
    )  # fmt: skip
    at, part, stage = found[:, :n]
    valid, is_own = told[:, :n].copy()
    part = part.copy()  # it stays, and what is behind it does not
    seq, total, own_ms = _numbered(part, logged[:n], valid, is_own, chunk.n_parts)
    table = pa.table(
        {
            "request_key": pa.nulls(n, pa.int64()),
            "stage": named(*numbered_strings(parsed, stage)),
            "seq": seq,
            "logged_at": instants(parsed.instants[at]),
            "elapsed_ms": total,
            "duration_ms": own_ms,
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets_of(parsed, at)),
        }
    )
    return RecordRows(table, part, is_own)


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
        np.ascontiguousarray(part), np.ascontiguousarray(logged), valid.astype(np.uint8),
        is_own.astype(np.uint8), n_parts, seq, own, elapsed,
    )  # fmt: skip
    return (
        pa.array(seq),
        nullable(elapsed, valid, pa.float64()),
        nullable(own, valid, pa.float64()),
    )
