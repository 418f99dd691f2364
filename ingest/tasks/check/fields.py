"""Parsed chunks → how many records hold each golden field; pure, in memory bounded by a chunk.

Requests are those that an ingest would store: the parts of :mod:`ingest.rows.assemble`, met by the
rules of
:mod:`ingest.rows.parts`. A request that lies in more than one chunk or file is counted once.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.named_queries.golden import FIELDS
from ingest.rows.grouping import group
from ingest.rows.parts import VALUE_COLUMNS, Part, continued

if TYPE_CHECKING:
    from ingest.rows.chunk import ChunkRows

Bools = npt.NDArray[np.bool_]
_BIT = {name: i for i, name in enumerate(VALUE_COLUMNS)}
_STATUS, _HIT = _BIT["status"], _BIT["cache_hit"]
# Parts that wait for others: beyond so many (some 40 MB) those of other files and chunks are
# counted as they are.
_MOST_WAITING = 50_000
# In place of a part's number in its chunk: it waits for the file's next chunk, or it stood at the
# end of a file.
_EARLIER, _EDGE = -1, -2
# Columns of a part that its meeting with others needs; the values themselves are not kept.
_PLACE = (
    "id", "request_key", "file_key", "first_offset", "last_offset", "logged_at", "time_source",
    "last_at",
    "started_at",
    "start_file_key", "start_offset", "completed_at", "end_file_key", "end_offset", "is_request",
    "end_columns",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldCount:
    """Of ``among`` requests (or records) that ought to have a field ``present`` have it."""

    name: str
    among: int
    present: int

    @property
    def share(self) -> float | None:
        """0 to 1; None where nothing ought to have it."""
        return self.present / self.among if self.among else None


@dataclass(slots=True)
class RequestTally:
    """Counts requests and their fields, chunk by chunk of one file after another."""

    bases: Counter[str] = field(default_factory=Counter)
    present: Counter[str] = field(default_factory=Counter)
    _pool: pa.Table | None = None
    _waiting: dict[str, dict[tuple[int, int], Part]] = field(default_factory=dict)
    _staged: set[tuple[int, int]] = field(default_factory=set)

    def add(self, batch: "ChunkRows", carry: dict[str, int]) -> None:
        """Take in a chunk; ``carry`` are the ids that the next chunk of the file may go on with."""
        rows = _slim(batch)
        company = self._company(batch)
        if self._pool is not None:
            rows = pa.concat_tables([self._pool, rows])
        ids = rows["id"].combine_chunks()
        slow = pc.is_in(ids, value_set=company).to_numpy(zero_copy_only=False)
        carried = pc.is_in(ids, value_set=pa.array(list(carry), pa.string()))
        edge = rows["number"].to_numpy() == _EDGE
        later = (carried.to_numpy(zero_copy_only=False) | edge) & ~slow
        self._meet(rows.filter(pa.array(slow)), batch)
        self._count(rows.filter(pa.array(~slow & ~later)))
        self._keep(rows.filter(pa.array(later)), edge[later])
        if sum(map(len, self._waiting.values())) > _MOST_WAITING:
            self._let_go(carry)

    def _keep(self, rows: pa.Table, edge: Bools) -> None:
        numbers = pa.array(np.where(edge, _EDGE, _EARLIER).astype(np.int64))
        self._pool = rows.set_column(rows.column_names.index("number"), "number", numbers)

    def end_file(self) -> None:
        """The next chunk is of another file: parts at this one's end may continue in any file."""
        if self._pool is not None:
            self._keep(self._pool, np.ones(self._pool.num_rows, np.bool_))

    def finish(self) -> None:
        """Count what still waited for more."""
        if self._pool is not None:
            self._count(self._pool)
        self._pool = None
        self._let_go({})

    def _company(self, batch: "ChunkRows") -> pa.Array:
        """Ids with parts that may meet: of this chunk and of those before it."""
        ids = _strings(batch.parts["id"])
        met = ids.filter(pa.array(~batch.whole & batch.used)).drop_null()
        known = pc.is_in(batch.ids, value_set=pa.array(list(self._waiting), pa.string()))
        return pa.concat_arrays([met, batch.ids.filter(known)]).unique()

    def _meet(self, rows: pa.Table, batch: "ChunkRows") -> None:
        """Add parts to those of their ids; a chunk's first parts continue the file's last ones."""
        for row in rows.to_pylist():
            part = _part(row)
            known = self._waiting.setdefault(part.id, {})
            if 0 <= row["number"] < len(batch.carried):
                before = [p for p in known.values() if p.file_key == part.file_key]
                if before:
                    last = max(before, key=lambda p: p.first_offset)
                    part = continued(last, part)
            known[part.place] = part
            if row["staged"]:
                self._staged.add(part.place)

    def _let_go(self, carry: dict[str, int]) -> None:
        """Count the requests of all waiting parts but those that the file may go on with."""
        done = [name for name in self._waiting if name not in carry]
        groups = [g for name in done for g in group(self._waiting.pop(name).values())]
        groups = [g for g in groups if g.request.is_request]
        rows = [(g.request, any(p.place in self._staged for p in g.parts)) for g in groups]
        self._staged -= {p.place for g in groups for p in g.parts}
        if rows:
            self._count(_of_parts(rows))

    def _count(self, rows: pa.Table) -> None:
        rows = rows.filter(rows["is_request"])
        if not rows.num_rows:
            return
        bases = _bases(rows)
        for name, mask in bases.items():
            self.bases[name] += int(mask.sum())
        for f in FIELDS:
            if f.base in bases:
                self.present[f.name] += int((_has(rows, f.name) & bases[f.base]).sum())


def _slim(batch: "ChunkRows") -> pa.Table:
    """A chunk's parts without values: bits of the present ones, and status and cache_hit."""
    parts = batch.parts
    bits = np.zeros(parts.num_rows, np.int64)
    for name, bit in _BIT.items():
        bits |= _valid(parts[name]).astype(np.int64) << bit
    staged = np.zeros(parts.num_rows, np.bool_)
    owner = batch.records["stage_timings"].part
    if owner is not None:
        staged[owner[owner >= 0]] = True
    columns = {name: parts[name] for name in _PLACE} | {
        name: _strings(parts[name]) for name in ("id", "time_source")
    }
    columns |= {
        "bits": pa.array(bits),
        "status": _strings(parts["status"]),
        "cache_hit": parts["cache_hit"],
        "staged": pa.array(staged),
        "number": pa.array(np.arange(parts.num_rows, dtype=np.int64)),
    }
    return pa.table(columns).filter(pa.array(batch.used))


def _strings(column: Any) -> pa.Array:
    """A column of strings in one piece, however it is encoded."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return whole.cast(pa.string())


def _valid(column: Any) -> Bools:
    return np.asarray(column.is_valid().to_numpy(zero_copy_only=False))


def _part(row: dict[str, Any]) -> Part:
    values: list[object] = [True if row["bits"] >> bit & 1 else None for bit in _BIT.values()]
    values[_STATUS], values[_HIT] = row["status"], row["cache_hit"]
    place = {name: row[name] for name in _PLACE}
    return Part(host="", service="", attributes=None, values=tuple(values), **place)


def _of_parts(requests: Sequence[tuple[Part, bool]]) -> pa.Table:
    """Rows as :func:`_slim` makes them, of joined requests; ``True`` beside one with stages."""
    parts = [p for p, _ in requests]
    return pa.table(
        {
            "id": pa.array([p.id for p in parts], pa.string()),
            "is_request": pa.array([p.is_request for p in parts], pa.bool_()),
            "started_at": pa.array([p.started_at for p in parts], pa.timestamp("us", "UTC")),
            "completed_at": pa.array([p.completed_at for p in parts], pa.timestamp("us", "UTC")),
            "bits": pa.array(
                [sum(1 << i for i, v in enumerate(p.values) if v is not None) for p in parts],
                pa.int64(),
            ),
            "status": pa.array([p.values[_STATUS] for p in parts], pa.string()),
            "cache_hit": pa.array([p.values[_HIT] for p in parts], pa.bool_()),
            "staged": pa.array([staged for _, staged in requests], pa.bool_()),
        }
    )


def _bases(rows: pa.Table) -> dict[str, Bools]:
    """Requests that count for each of :data:`~ingest.named_queries.golden.BASES`."""
    known = _valid(rows["status"])
    success = _true(pc.equal(rows["status"], "success"))
    computed = ~_true(rows["cache_hit"])
    return {
        "requests": np.ones(rows.num_rows, np.bool_),
        "ends": _valid(rows["completed_at"]),
        "successes": success,
        "failures": known & ~success,
        "computed": computed,
        "computed_successes": computed & success,
    }


def _true(column: Any) -> Bools:
    return np.asarray(column.fill_null(False).to_numpy(zero_copy_only=False), np.bool_)


def _has(rows: pa.Table, name: str) -> Bools:
    bits = rows["bits"].to_numpy()
    if name in ("id", "started_at", "completed_at"):
        return _valid(rows[name])
    if name == "stage_times":
        return _true(rows["staged"])
    if name == "text_len":  # as logged, else counted from the text
        return np.asarray(bits & (1 << _BIT["text_len"] | 1 << _BIT["text"]) != 0)
    if name in _BIT:
        return np.asarray(bits >> _BIT[name] & 1 == 1)
    return np.zeros(rows.num_rows, np.bool_)
