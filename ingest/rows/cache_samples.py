"""Records of how full a cache is → rows of cache_samples."""

import pyarrow as pa

from ingest.compiled import layout
from ingest.records import kernels
from ingest.records.arrays import numbers
from ingest.rows.chunk import Chunk, RecordRows
from ingest.rows.columns import (
    FirstPairs,
    instants,
    offsets_of,
    row_keys,
    same,
    same_number,
    span_strings,
    time_sources,
)

KEYS = ("path", "used_percent", "usage", "threshold", "used", "total", "action")


def rows(chunk: Chunk) -> RecordRows:
    """Rows of cache_samples."""
    parsed, origin = chunk.parsed, chunk.origin
    at = chunk.events.samples
    n = len(at)
    values = FirstPairs.of(parsed, at, KEYS).columns(parsed)
    offsets = offsets_of(parsed, at)
    table = pa.table(
        {
            "sample_key": numbers(row_keys(origin, offsets)),
            "sampled_at": instants(parsed.instants[at]),
            "host": same(origin.host, n),
            "path": values["path"],
            "used_percent": kernels.coalesce(values["used_percent"], values["usage"]),
            "threshold_percent": values["threshold"],
            "used_mb": values["used"],
            "total_mb": values["total"],
            "action": values["action"],
            "event": span_strings(parsed, at, [(layout.R_EVENT_START, layout.R_EVENT_END)])[0],
            "time_source": time_sources(parsed.time_source[at]),
            "file_key": same_number(origin.file_key, n),
            "byte_offset": numbers(offsets),
        }
    )
    return RecordRows(table)
