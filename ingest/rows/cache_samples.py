"""Records of how full a cache is → rows of cache_samples."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.compiled import layout
from ingest.records.vocabulary import CACHE_DIR_USAGE, CACHE_HEALTH
from ingest.rows.chunk import Chunk, RecordRows
from ingest.rows.columns import (
    FirstPairs,
    instants,
    offsets_of,
    pair_numbers,
    pair_strings,
    row_keys,
    same,
    span_strings,
    time_sources,
)

KEYS = ("path", "used_percent", "usage", "threshold", "used", "total", "action")


def rows(chunk: Chunk) -> RecordRows:
    """Rows of cache_samples."""
    parsed, origin = chunk.parsed, chunk.origin
    event = parsed.records[:, layout.R_EVENT]
    good = parsed.records[:, layout.R_KIND] <= layout.K_TRACEBACK
    found = good & ((event == CACHE_DIR_USAGE) | (event == CACHE_HEALTH))
    at = np.flatnonzero(found).astype(np.int32)
    n = len(at)
    first = FirstPairs.of(parsed, at, KEYS)

    def number(key: str) -> pa.Array:
        return pair_numbers(parsed, first[key])

    offsets = offsets_of(parsed, at)
    table = pa.table(
        {
            "sample_key": pa.array(row_keys(origin, offsets)),
            "sampled_at": instants(parsed.instants[at]),
            "host": same(origin.host, n),
            "path": pair_strings(parsed, first["path"]),
            "used_percent": pc.coalesce(number("used_percent"), number("usage")),
            "threshold_percent": number("threshold"),
            "used_mb": number("used"),
            "total_mb": number("total"),
            "action": pair_strings(parsed, first["action"]),
            "event": span_strings(parsed, at, layout.R_EVENT_START, layout.R_EVENT_END),
            "time_source": time_sources(parsed.time_source[at]),
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets),
        }
    )
    return RecordRows(table)
