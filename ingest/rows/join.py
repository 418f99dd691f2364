"""The rows of chunks, and of several files, as one batch that one commit takes; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from ingest.records import kernels
from ingest.records.arrays import I32, Ints
from ingest.rows import rare
from ingest.rows.assemble import rare_rows
from ingest.rows.chunk import Batch, ChunkRows, RecordRows
from ingest.rows.described import CONTENT
from ingest.rows.part_table import chosen, part_list, part_table, whole_requests, without
from ingest.rows.parts import Part, continued
from ingest.rows.stage_timings import numbered_stages


def join(batches: Sequence[ChunkRows]) -> Batch:
    """One batch of several of one host and service: chunks that follow each other in their file,
    and whole small files.

    A part that a chunk carries on from one before it becomes one with it, as if both had been read
    in one go.
    """
    if len(batches) == 1:
        batch = Batch(*(getattr(batches[0], f.name) for f in fields(ChunkRows)))
        few = {} if batch.rare is None else rare_rows(batch.rare)
        return replace(batch, records={**batch.records, **few}, rare=None)
    order = _Order(batches)
    table = _table([b.parts for b in batches])
    merged = order.merge(table)
    parts = order.rows(table, [part for _, part in merged])
    whole = np.concatenate([b.whole for b in batches])
    for root, part in merged:
        whole[root] = part.has_start and part.has_end and root not in order.slots
    records = {name: _records(rows, order) for name, rows in _tables_of(batches, order).items()}
    if merged:
        records["stage_timings"] = _numbered(records["stage_timings"], parts.num_rows)
    timed = [b for b in batches if len(b.ids)]
    ids = parts["id"].unify_dictionaries().combine_chunks()
    parts = parts.set_column(parts.column_names.index("id"), "id", ids)
    startless = parts["start_offset"].is_null()
    return Batch(
        origin=batches[0].origin,
        own_stage_times=batches[0].own_stage_times,
        parts=parts,
        whole=whole[order.chosen],
        used=np.ones(parts.num_rows, np.bool_),  # a carried part without records is left out
        carried=tuple(order.slots.values()),
        ended=frozenset(order.ended),
        records=records,
        rejects=tuple(r for b in batches for r in b.rejects),
        ids=ids.dictionary,
        startless=ids.filter(startless).unique().dictionary_decode().drop_null(),
        earliest=min((b.earliest for b in timed), default=0),
        latest=max((b.latest for b in timed), default=0),
    )


class Joined(NamedTuple):
    """A batch with the rows that say what was read, by table, and the first instants (microseconds)
    of files, by key, of which earlier rows have only the file's time.
    """

    batch: Batch
    content: Mapping[str, Sequence[pa.Table]]
    dates: Mapping[int, int]


def joined(batches: list[ChunkRows]) -> Joined:
    """Join chunks, and make the rows of their whole requests; ``batches`` is empty afterwards, so
    that memory holds the rows once.
    """
    dates = {b.origin.file_key: b.dates for b in batches if b.dates is not None}
    batch, content = join(batches), content_of(batches)
    batches.clear()
    return Joined(replace(batch, requests=whole_requests(batch.parts, batch.whole)), content, dates)


_Rows = list[tuple[int, RecordRows]]


def _tables_of(batches: Sequence[ChunkRows], order: "_Order") -> dict[str, _Rows]:
    """The rows of each table that has one per record, as tables, each with the number of parts that
    come before those that it numbers.
    """
    found: dict[str, _Rows] = {}
    for batch, before in zip(batches, order.before, strict=True):
        for name, rows in batch.records.items():
            found.setdefault(name, []).append((before, rows))
    kept = [(b.rare, n) for b, n in zip(batches, order.before, strict=True) if b.rare is not None]
    for _, group in groupby(kept, lambda pair: pair[0].origin):
        chunks, before_each = zip(*group, strict=True)
        for name, rows in rare_rows(rare.joined(chunks, before_each)).items():
            found.setdefault(name, []).append((0, rows))
    return found


def _records(tables: _Rows, order: "_Order") -> RecordRows:
    """One table's rows of all batches, their parts numbered as in the joined one."""
    rows = [r for _, r in tables]
    parts = [(before, r.part) for before, r in tables if r.part is not None]
    own = [r.is_own for r in rows if r.is_own is not None]
    return RecordRows(
        _table([r.table for r in rows]),
        order.moved(parts) if parts else None,
        np.concatenate(own) if own else None,
    )


def _numbered(stages: RecordRows, n_parts: int) -> RecordRows:
    """The stages of parts that have become longer, numbered anew."""
    if stages.part is None or stages.is_own is None:
        return stages
    table = numbered_stages(stages.table, stages.part, stages.is_own, n_parts)
    return stages._replace(table=table)


def content_of(batches: Sequence[ChunkRows]) -> dict[str, list[pa.Table]]:
    """The chunks' rows of the tables that say what was read."""
    return {n: [b.content[n] for b in batches if n in b.content] for n in CONTENT}


class _Order:
    """Where the parts of the batches stand in the joined one; those before it are numbered on from
    batch to batch.

    :ivar before: how many parts stand before each batch's.
    :ivar slots: numbers and ids of the parts that continue one which the store has; they come
        first.
    :ivar ended: those of these ids of which that one has ended.
    :ivar chosen: int64[n]: the number, before, of each part of the joined batch.
    """

    def __init__(self, batches: Sequence[ChunkRows]) -> None:
        counts = [b.parts.num_rows for b in batches]
        self._before = [0, *np.cumsum(counts).tolist()]
        self.before: list[int] = self._before[:-1]
        self._batches = batches
        self._continues: dict[int, list[int]] = {}  # a part, and what follows it in later chunks
        self._root_of: dict[int, int] = {}
        self.slots: dict[int, str] = {}
        self.ended: set[str] = set()
        left_out = np.zeros(self._before[-1], np.bool_)
        for number, batch in enumerate(batches):
            self._place_carried(number, batch)
            unused = np.flatnonzero(~batch.used[: len(batch.carried)])
            left_out[unused + self._before[number]] = True
        roots = [root for root in self._continues if root not in self.slots]
        self._head = np.array([*self.slots, *roots], np.int64)  # what does not stay as it is
        left_out[self._head] = True
        left_out[list(self._root_of)] = True
        self._left_out = np.flatnonzero(left_out)
        self.chosen: Ints = np.concatenate([self._head, np.flatnonzero(~left_out)])
        self._place = np.full(max(self._before[-1], 1), -1, np.int32)
        self._place[self.chosen] = np.arange(len(self.chosen), dtype=np.int32)
        for fragment, root in self._root_of.items():
            self._place[fragment] = self._place[root]

    def _place_carried(self, number: int, batch: ChunkRows) -> None:
        """Find what carried parts continue: a part of an earlier chunk, or a stored one."""
        wanted = {
            name: self._before[number] + at
            for at, name in enumerate(batch.carried)
            if batch.used[at]
        }
        for earlier in range(number - 1, -1, -1):
            other = self._batches[earlier]
            if wanted and other.origin.file_key == batch.origin.file_key:
                for name, at in _last_parts(other, wanted).items():
                    root = self._before[earlier] + at
                    root = self._root_of.get(root, root)
                    self._root_of[wanted[name]] = root
                    self._continues.setdefault(root, []).append(wanted.pop(name))
        self.slots.update((at, name) for name, at in wanted.items())
        self.ended.update(name for name in wanted if name in batch.ended)

    def merge(self, table: pa.Table) -> list[tuple[int, Part]]:
        """What parts have become by those that continue them, with their numbers."""
        numbers = [n for root, fragments in self._continues.items() for n in (root, *fragments)]
        rows = iter(part_list(chosen(table, np.array(numbers, np.int64))))
        merged = []
        for root, fragments in self._continues.items():
            part = next(rows)
            for _ in fragments:
                part = continued(part, next(rows))
            merged.append((root, part))
        return merged

    def rows(self, table: pa.Table, merged: Sequence[Part]) -> pa.Table:
        """The rows of the joined batch: of ``table``, all batches' rows, and of ``merged``."""
        if not len(self._left_out):
            return table
        at = {root: len(self._head) + i for i, root in enumerate(self._continues)}
        order = [at.get(number, i) for i, number in enumerate(self._head.tolist())]
        head = _table([chosen(table, self._head), part_table(merged, table.schema)])
        return _table([chosen(head, np.array(order, np.int64)), without(table, self._left_out)])

    def moved(self, parts: Sequence[tuple[int, I32]]) -> I32:
        """The rows' parts, numbered behind so many others, as numbers in the joined one; -1
        stays.
        """
        numbers = np.concatenate([np.where(p >= 0, p + before, -1) for before, p in parts])
        return np.where(numbers >= 0, self._place[numbers], -1).astype(np.int32)


def _last_parts(batch: ChunkRows, names: Iterable[str]) -> dict[str, int]:
    """The last part with records of each of these ids that the batch has."""
    ids = batch.parts["id"].combine_chunks()
    wanted = kernels.are_in(ids.dictionary, pa.array(list(names), pa.string()))
    codes = kernels.filled(ids.indices, -1).to_numpy()
    mates = np.append(wanted, False)[codes] & batch.used
    found = np.flatnonzero(mates)
    return {ids.dictionary[int(codes[at])].as_py(): int(at) for at in found}


def _table(tables: Sequence[pa.Table]) -> pa.Table:
    """The tables' rows, not copied; each keeps the dictionaries of its columns."""
    return pa.concat_tables(tables)
