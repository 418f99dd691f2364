"""The rows of several small files as one batch, so that one commit takes them all; pure."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from ingest.assemble import Batch
from ingest.parse import I32


def join(batches: Sequence[Batch]) -> Batch:
    """One batch of several, each a file's from its beginning (nothing is carried), of one host and service."""
    if len(batches) == 1:
        return batches[0]
    counts = [b.parts.num_rows for b in batches]
    before = [0, *np.cumsum(counts[:-1]).tolist()]
    timed = [b for b in batches if b.ids]
    return Batch(
        origin=batches[0].origin,
        parts=_table([b.parts for b in batches]),
        settled=np.concatenate([b.settled for b in batches]),
        used=np.concatenate([b.used for b in batches]),
        carried=(),
        stages=_table([b.stages for b in batches]),
        stage_part=_moved([b.stage_part for b in batches], before),
        errors=_table([b.errors for b in batches]),
        error_part=_moved([b.error_part for b in batches], before),
        cache_samples=_table([b.cache_samples for b in batches]),
        rejects=tuple(r for b in batches for r in b.rejects),
        ids=sorted({i for b in batches for i in b.ids}),
        startless=sorted({i for b in batches for i in b.startless}),
        earliest=min((b.earliest for b in timed), default=0),
        latest=max((b.latest for b in timed), default=0),
    )


def _table(tables: Sequence[pa.Table]) -> pa.Table:
    """The tables' rows; equal strings of a dictionary column have one code in all."""
    return pa.concat_tables(tables).unify_dictionaries().combine_chunks()


def _moved(parts: Sequence[I32], before: Sequence[int]) -> I32:
    """Numbers of parts, counted on from batch to batch; -1 stays."""
    moved = [np.where(p >= 0, p + b, p) for p, b in zip(parts, before, strict=True)]
    return np.concatenate(moved).astype(np.int32)
