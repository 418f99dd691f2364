"""A parsed chunk on its way to rows, and the rows of a table that has one per record."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ingest.model import Origin, Reject
from ingest.records.arrays import I32, Bools, Ints
from ingest.records.formats import Format
from ingest.records.parse import Parsed


class Events(NamedTuple):
    """The events of a chunk: records that make requests, or that name an id.

    ``rows`` int32[e] record numbers; ``kinds`` int32[e]; ``codes`` int32[e] into ``ids``, strings
    (-1: no id); ``instants`` int64[e]. ``n_stages`` of them tell a stage's time.

    Beside them the records of other tables, int32[n] each: those of level WARNING or worse, samples
    of a cache, access lines.
    """

    rows: I32
    kinds: I32
    codes: I32
    ids: pa.Array
    instants: Ints
    n_stages: int
    severe: I32
    samples: I32
    accesses: I32


class Chunk(NamedTuple):
    """What the rows of a table are made of.

    ``part_of`` int32[e] is the part of each event, of ``n_parts``. ``stages`` int32[4, s]: events
    that tell a stage's time, and their pairs of stage, duration and own time, -1 for none.
    """

    parsed: Parsed
    format: Format
    origin: Origin
    events: Events
    part_of: I32
    n_parts: int
    stages: I32

    def owners(self, records: I32) -> I32:
        """The parts int32[n] of records int32[n], -1 for none."""
        rows = self.events.rows
        if not len(rows):
            return np.full(len(records), -1, np.int32)
        at = np.minimum(np.searchsorted(rows, records), len(rows) - 1)
        return np.where(rows[at] == records, self.part_of[at], np.int32(-1))


class RecordRows(NamedTuple):
    """Rows that are one record each.

    ``part`` int32[n] is the part of a request that each belongs to, -1 for none; None for a table
    without requests. ``is_own`` bool[n], of stages alone: what was logged is the stage's own time,
    not the time since its request began.
    """

    table: pa.Table
    part: I32 | None = None
    is_own: Bools | None = None


@dataclass(frozen=True, slots=True)
class ChunkRows:
    """The rows of one chunk, and the parts that must still meet others.

    ``parts`` has a row for every part of this chunk, with the columns of request_parts but for the
    carried ones' own; ``whole`` bool[n_parts]: a request by itself unless the store knows other
    parts of its id; ``used``: has records in this chunk. ``records`` are the rows of the other
    tables, by name. ``carried`` are the ids of the first parts, which continue earlier ones of the
    file; ``ended`` are those of them whose earlier part has, or may have, ended: the store
    may have it as a whole request. ``ids``, each once, and
    ``startless`` those with a part without a start: strings.
    ``earliest`` and ``latest`` are the window of the events, microseconds. ``rejects`` are pieces
    with the key of their file. ``own_stage_times``: stage times as logged are each stage's own,
    where no profile says otherwise. ``content`` are rows of the tables that say what was read
    (rows.described.CONTENT). ``dates`` is the file's first instant, microseconds, where rows before
    these have only the file's time. ``rare`` are the records that errors, cache_samples and
    http_requests are made of, where ``records`` does not have these tables (rows.rare).
    """

    origin: Origin
    own_stage_times: bool
    parts: pa.Table
    whole: Bools
    used: Bools
    carried: tuple[str, ...]
    ended: frozenset[str]
    records: Mapping[str, RecordRows]
    rejects: tuple[tuple[int, Reject], ...]
    ids: pa.Array
    startless: pa.Array
    earliest: int
    latest: int
    content: Mapping[str, pa.Table] = field(default_factory=dict)
    dates: int | None = None
    rare: Chunk | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many rows the tables have, by name, that ``records`` has or that ``rare`` makes."""
        counts = {name: rows.table.num_rows for name, rows in self.records.items()}
        if self.rare is not None:
            of = self.rare.events
            counts["errors"], counts["cache_samples"] = len(of.severe), len(of.samples)
            counts["http_requests"] = len(of.accesses)
        return counts


@dataclass(frozen=True, slots=True)
class Batch(ChunkRows):
    """What one commit stores: the rows of a file's chunks, or of several small files read from
    their beginnings.

    Of several files nothing is carried, and ``origin`` is the first's. ``requests`` are the rows of
    ``requests`` that the whole parts make, in their order, where these were made ahead.
    """

    requests: pa.Table | None = None
