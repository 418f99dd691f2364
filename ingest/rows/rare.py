"""Records of which a chunk has few, kept until rows are made of a whole batch's at once: a table
costs as much to make for thirty of them as for a thousand.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ingest.compiled import layout
from ingest.model import Ledger
from ingest.records.arrays import I32
from ingest.records.parse import Parsed
from ingest.rows.chunk import Chunk, Events

MOST = 1000  # of a chunk: of more, the bytes that are kept would outweigh what it saves
_PLACES = (layout.R_START, layout.R_END, layout.R_LOW)  # that every record has
_SPANS = (layout.R_NAME, layout.R_MSG, layout.R_REQUEST_ID, layout.R_EVENT_START)
_NO_NUMBERS = np.empty(0, np.int32)


def rare_of(chunk: Chunk) -> Chunk | None:
    """The records of a chunk that make rows of errors, cache_samples and http_requests, with copies
    of their bytes, as a chunk of these alone: each is an event of its part. None where these are
    many, or where records are no pieces of the file.
    """
    parsed, events = chunk.parsed, chunk.events
    numbers = events.severe, events.samples, events.accesses
    if parsed.source is not None or parsed.offsets is not None or sum(map(len, numbers)) > MOST:
        return None
    # np.unique loads numpy.ma, to see whether these are of it
    rows = np.flatnonzero(np.bincount(np.concatenate(numbers))).astype(np.int32)
    severe, samples, accesses = (np.searchsorted(rows, n).astype(np.int32) for n in numbers)
    return _chunk(chunk, _picked(parsed, rows), chunk.owners(rows), (severe, samples, accesses))


def joined(chunks: Sequence[Chunk], before: Sequence[int]) -> Chunk:
    """Such chunks of one file as one, their parts numbered on: ``before`` those of each."""
    parts = [
        np.where(c.part_of >= 0, c.part_of + n, -1) for c, n in zip(chunks, before, strict=True)
    ]
    counts = np.cumsum([0, *(len(c.parsed.records) for c in chunks)]).tolist()
    of = [(c.events.severe, c.events.samples, c.events.accesses) for c in chunks]
    numbers = [
        np.concatenate([found + n for found, n in zip(column, counts, strict=False)])
        for column in zip(*of, strict=True)
    ]
    parsed = _together([c.parsed for c in chunks])
    severe, samples, accesses = (found.astype(np.int32) for found in numbers)
    part_of = np.concatenate(parts).astype(np.int32)
    return _chunk(chunks[0], parsed, part_of, (severe, samples, accesses))


def _chunk(of: Chunk, parsed: Parsed, part_of: I32, numbers: tuple[I32, I32, I32]) -> Chunk:
    """A chunk of which all records are events, without stages."""
    n = len(parsed.records)
    events = Events(
        np.arange(n, dtype=np.int32), _NO_NUMBERS, _NO_NUMBERS, pa.array([], pa.string()),
        parsed.instants, 0, *numbers,
    )  # fmt: skip
    return Chunk(parsed, of.format, of.origin, events, part_of, 0, _NO_NUMBERS.reshape(4, 0))


def _picked(parsed: Parsed, rows: I32) -> Parsed:
    """Records int32[n], ascending, and their bytes; spans and pairs as they lie in these."""
    records = parsed.records[rows]
    starts, ends = records[:, layout.R_START].copy(), records[:, layout.R_END].copy()
    sizes, counts = ends - starts, records[:, layout.R_PAIRS]
    owners = np.repeat(np.arange(len(rows), dtype=np.int32), counts)
    before = (np.cumsum(counts) - counts).astype(np.int32)
    chosen = np.arange(len(owners)) + (records[:, layout.R_PAIR] - before)[owners]
    by = (np.cumsum(sizes) - sizes - starts).astype(np.int32)
    pairs = parsed.pairs[chosen]
    _move(records, pairs, by, by[owners])
    records[:, layout.R_PAIR], pairs[:, layout.P_RECORD] = before, owners
    spans = zip(starts.tolist(), ends.tolist(), strict=True)
    data = b"".join([parsed.data[start:end] for start, end in spans])
    return replace(
        parsed,
        data=memoryview(data),
        records=records,
        pairs=pairs,
        instants=parsed.instants[rows],
        time_source=parsed.time_source[rows],
        values=parsed.values[chosen],
        states=parsed.states[chosen],
        offsets=starts.astype(np.int64) + parsed.base,
        consumed=len(data),
        rejects=(),
        ledger=Ledger(),
    )


def _together(pieces: Sequence[Parsed]) -> Parsed:
    """What was picked of several chunks, as one."""
    size = records_before = pairs_before = 0
    for piece in pieces:
        n = np.int32(size)
        _move(piece.records, piece.pairs, n, n)
        piece.records[:, layout.R_PAIR] += np.int32(pairs_before)
        piece.pairs[:, layout.P_RECORD] += np.int32(records_before)
        size += len(piece.data)
        records_before += len(piece.records)
        pairs_before += len(piece.pairs)
    return replace(
        pieces[0],
        data=memoryview(b"".join([p.data for p in pieces]) or b"\0"),
        records=np.concatenate([p.records for p in pieces]),
        pairs=np.concatenate([p.pairs for p in pieces]),
        instants=np.concatenate([p.instants for p in pieces]),
        time_source=np.concatenate([p.time_source for p in pieces]),
        values=np.concatenate([p.values for p in pieces]),
        states=np.concatenate([p.states for p in pieces]),
        offsets=np.concatenate([p.starts for p in pieces]),
        consumed=size,
    )


def _move(records: I32, pairs: I32, by: I32 | np.int32, pairs_by: I32 | np.int32) -> None:
    """Put the spans of records, each or all, and those of pairs so many bytes further on; what a
    record does not have stays as it is.
    """
    for place in _PLACES:
        records[:, place] += by
    for first in (*_SPANS, *range(layout.REC_WIDTH, records.shape[1], 2)):
        there = by * (records[:, first + 1] > records[:, first])
        records[:, first] += there
        records[:, first + 1] += there
    records[:, layout.R_TRACEBACK] += by * (records[:, layout.R_TRACEBACK] >= 0)
    for place in range(layout.P_VALUE_END + 1):
        pairs[:, place] += pairs_by
