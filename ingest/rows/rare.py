"""Records of which a chunk has few, kept until rows are made of a whole batch's at once: a table
costs as much to make for thirty of them as for a thousand.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from ingest.compiled import layout, picked
from ingest.model import Ledger
from ingest.records.arrays import I32, view
from ingest.records.parse import Parsed
from ingest.rows.chunk import Chunk, Events

MOST = 1000  # of a chunk: of more, the bytes that are kept would outweigh what it saves
_NO_NUMBERS = np.empty(0, np.int32)


def rare_of(chunk: Chunk) -> Chunk | None:
    """The records of a chunk that make rows of errors, cache_samples and http_requests, with copies
    of their bytes, as a chunk of these alone: each is an event of its part. None where these are
    many, or where records are no pieces of the file.
    """
    parsed, events = chunk.parsed, chunk.events
    counts = [len(n) for n in (events.severe, events.samples, events.accesses)]
    most = sum(counts)
    if parsed.source is not None or parsed.offsets is not None or most > MOST:
        return None
    rows, parts, places = np.empty((3, most), np.int32)
    n = picked.together(
        view(events.severe), view(events.samples), view(events.accesses), view(events.rows),
        view(chunk.part_of), view(rows), view(parts), view(places),
    )  # fmt: skip
    severe, samples, accesses = np.split(places, np.cumsum(counts)[:-1])
    return _chunk(chunk, _picked(parsed, rows[:n]), parts[:n], (severe, samples, accesses))


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
    n, (size, n_pairs) = len(rows), picked.sizes(view(parsed.records), view(rows))
    data, offsets = np.empty(size, np.uint8), np.empty(n, np.int64)
    records = np.empty((n, parsed.records.shape[1]), np.int32)
    pairs = np.empty((n_pairs, layout.PAIR_WIDTH), np.int32)
    values, states = np.empty(n_pairs, np.float64), np.empty(n_pairs, np.int8)
    if n:
        picked.pick(
            parsed.data, view(parsed.records), view(parsed.pairs), view(parsed.values),
            view(parsed.states), view(rows), parsed.base, view(data), view(offsets),
            (view(records), view(pairs)), (view(values), view(states)),
        )  # fmt: skip
    return replace(
        parsed,
        data=view(data),
        records=records,
        pairs=pairs,
        instants=parsed.instants[rows],
        time_source=parsed.time_source[rows],
        values=values,
        states=states,
        offsets=offsets,
        consumed=size,
        rejects=(),
        ledger=Ledger(),
    )


def _together(pieces: Sequence[Parsed]) -> Parsed:
    """What was picked of several chunks, as one."""
    size = records_before = pairs_before = 0
    for piece in pieces:
        picked.move(view(piece.records), view(piece.pairs), size, pairs_before, records_before)
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
