"""stage_time records → rows of stage_timings."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import parts as segments
from ingest.records.arrays import I32, Bools, column, numbers, view
from ingest.rows.chunk import Chunk, RecordRows
from ingest.rows.columns import (
    instants,
    named,
    nulls,
    numbered,
    own_offsets,
    same_number,
)

_Bytes = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float64]


def rows(chunk: Chunk) -> RecordRows:
    """Rows of stage_timings; request_key is left null."""
    parsed, origin, events = chunk.parsed, chunk.origin, chunk.events
    n = chunk.events.n_stages
    part, places = np.empty(n, np.int32), np.empty((2, n), np.int64)
    logged, told = np.empty(n), np.empty((2, n), np.uint8)
    valid = np.zeros((n + 7) // 8, np.uint8)
    valued = segments.stage_times(
        view(chunk.stages), view(events.rows), view(chunk.part_of), view(events.instants),
        view(parsed.records), view(own_offsets(parsed)), parsed.base, view(parsed.values),
        view(parsed.states), chunk.format.own_stage_times, view(part), view(places), view(logged),
        view(told), view(valid),
    )  # fmt: skip
    is_own = told[1].view(np.bool_).copy()  # it stays
    bits = valid if valued < n else None
    seq, total, own_ms = _numbered(part, logged, told[0], told[1], chunk.n_parts, bits)
    stages = numbered(parsed, chunk.stages[1])
    table = pa.table(
        {
            "request_key": nulls(n, pa.int64()),
            "stage": named(stages.codes, stages.names),
            "seq": seq,
            "logged_at": instants(places[0]),
            "elapsed_ms": total,
            "duration_ms": own_ms,
            "file_key": same_number(origin.file_key, n),
            "byte_offset": numbers(places[1]),
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
    told = valid.view(np.uint8), is_own.view(np.uint8)
    bits = None if valid.all() else np.packbits(valid, bitorder="little")
    columns = _numbered(part, logged, *told, n_parts, bits)
    for name, new in zip(("seq", "elapsed_ms", "duration_ms"), columns, strict=True):
        stages = stages.set_column(stages.column_names.index(name), name, new)
    return stages


def _numbered(
    part: I32, logged: _Floats, told: _Bytes, own: _Bytes, n_parts: int, bits: _Bytes | None
) -> tuple[pa.Array, pa.Array, pa.Array]:
    """Number, time since the request began and own time of stages, of the times as logged
    (float64[n], ms): ``told`` and ``own`` uint8[n], ``bits`` the former as Arrow's bitmap.
    """
    n = len(part)
    seq, own_ms, elapsed = np.zeros(n, np.int32), np.zeros(n), np.zeros(n)
    segments.stages(
        view(np.ascontiguousarray(part)), view(np.ascontiguousarray(logged)), view(told), view(own),
        n_parts, view(seq), view(own_ms), view(elapsed),
    )  # fmt: skip
    return (
        numbers(seq),
        column(pa.float64(), n, bits, elapsed),
        column(pa.float64(), n, bits, own_ms),
    )
