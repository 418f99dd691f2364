"""A chunk's parts + what the store knows of their ids → what one commit changes; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.model import Changes, Relink
from ingest.rows.chunk import Batch, RecordRows
from ingest.rows.part_table import (
    chosen,
    finish_requests,
    part_list,
    part_table,
    request_table,
    with_classes,
    without,
)
from ingest.rows.parts import (
    ALL_COLUMNS,
    VALUE_COLUMNS,
    Group,
    Part,
    continued,
    group,
)

_SLACK = timedelta(hours=1)  # how far a record's stamp may lie outside its part, when clocks step


@dataclass(slots=True)
class _Rewrite:
    """What changes because parts met."""

    own_stage_times: bool
    requests: list[Group] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    delete_requests: list[int] = field(default_factory=list)
    delete_parts: list[tuple[int, int]] = field(default_factory=list)
    relinks: list[Relink] = field(default_factory=list)
    keys: dict[tuple[int, int], int | None] = field(default_factory=dict)
    kept: set[int] = field(default_factory=set)
    earliest: datetime | None = None
    latest: datetime | None = None

    def span(self, parts: Iterable[Part]) -> None:
        """Widen the window to these parts."""
        for part in parts:
            self.earliest = min(self.earliest or part.logged_at, part.logged_at)
            self.latest = max(self.latest or part.last_at, part.last_at)


def stored_parts(parts: pa.Table, requests: pa.Table) -> list[Part]:
    """What the store knows of some ids as parts: its open parts, and its complete requests."""
    return part_list(with_classes(parts)) + [_part_of_request(row) for row in requests.to_pylist()]


def _part_of_request(row: dict[str, object]) -> Part:
    names = set(Part.__slots__) - {
        "file_key", "first_offset", "last_offset", "last_at", "is_request", "end_columns", "values",
    }  # fmt: skip
    return Part(
        **{name: row[name] for name in names},  # type: ignore[arg-type]
        file_key=row["start_file_key"],  # type: ignore[arg-type]
        first_offset=row["start_offset"],  # type: ignore[arg-type]
        last_offset=row["end_offset"],  # type: ignore[arg-type]
        last_at=row["completed_at"],  # type: ignore[arg-type]
        is_request=True,
        end_columns=ALL_COLUMNS,
        values=tuple(row.get(name) for name in VALUE_COLUMNS),
    )


def _carried(batch: Batch, stored: Iterable[Part]) -> dict[int, Part]:
    """What the chunk's first parts continue: of each id, the last part that the file has so far."""
    numbers = {name: i for i, name in enumerate(batch.carried)}
    first = batch.parts["first_offset"].slice(0, len(numbers)).to_pylist()
    last: dict[int, Part] = {}
    for part in stored:
        number = numbers.get(part.id)
        if part.file_key != batch.origin.file_key or number is None:
            continue
        if batch.used[number] and part.first_offset > first[number]:
            continue  # it stands behind the chunk: this one is read again
        if number not in last or last[number].first_offset < part.first_offset:
            last[number] = part
    return last


def resolve(batch: Batch, stored: Sequence[Part], at: datetime) -> Changes:
    """Decide which requests the chunk's parts are, alone or with stored ones; ``at`` is now."""
    fast = batch.settled & ~_in_company(batch, {p.id for p in stored})
    slow = np.flatnonzero(~fast)
    slow_parts = part_list(chosen(batch.parts, slow))
    numbered = list(zip(slow.tolist(), slow_parts, strict=True))
    rewrite = _rewrite(batch, stored, numbered)
    schema = batch.parts.schema
    requests = [finish_requests(without(batch.parts, slow)).combine_chunks()]
    if rewrite.requests:
        requests.append(request_table(rewrite.requests, schema))
    part_keys = _part_keys(batch, numbered, rewrite, _carried(batch, stored))
    return Changes(
        quarantined_at=at,
        rows={
            "requests": requests,
            "request_parts": [part_table(rewrite.parts, schema)] if rewrite.parts else [],
            **{name: [_with_keys(rows, part_keys)] for name, rows in batch.records.items()},
        },
        rejects=batch.rejects,
        delete_requests=rewrite.delete_requests,
        delete_parts=rewrite.delete_parts,
        relinks=rewrite.relinks,
        earliest=rewrite.earliest - _SLACK if rewrite.earliest else None,
        latest=rewrite.latest + _SLACK if rewrite.latest else None,
    )


def _in_company(batch: Batch, known: set[str]) -> npt.NDArray[np.bool_]:
    """Which of the chunk's parts have an id of which there are parts that may meet them."""
    ids = batch.parts["id"].unify_dictionaries().combine_chunks()
    codes = ids.indices.fill_null(-1).to_numpy()
    company = pc.is_in(ids.dictionary, value_set=pa.array(sorted(known), pa.string()))
    mates = np.append(company.to_numpy(zero_copy_only=False), False)  # the last one: no id
    unsettled = codes[~batch.settled]
    mates[unsettled[unsettled >= 0]] = True
    return mates[codes]  # type: ignore[no-any-return]


def _rewrite(batch: Batch, stored: Sequence[Part], slow: Sequence[tuple[int, Part]]) -> _Rewrite:
    result = _Rewrite(batch.own_stage_times)
    by_id: dict[str, list[Part]] = {}
    changed: set[tuple[int, int]] = set()
    replaced = {p.place: p for p in stored}
    before_by_number = _carried(batch, stored)
    for number, part in slow:
        if not batch.used[number]:
            continue
        before = before_by_number.get(number)
        if before is not None:
            replaced[before.place] = continued(before, part)
            changed.add(before.place)
        else:
            replaced[part.place] = part
            changed.add(part.place)
    for part in replaced.values():
        by_id.setdefault(part.id, []).append(part)
    old = _places_by_key(stored)
    for parts in by_id.values():
        for g in group(parts):
            _place_group(g, result, old, changed)
    _delete_old(stored, result)
    return result


def _places_by_key(stored: Sequence[Part]) -> dict[int, set[tuple[int, int]]]:
    old: dict[int, set[tuple[int, int]]] = {}
    for part in stored:
        old.setdefault(part.request_key, set()).add(part.place)
    return old


def _place_group(
    g: Group,
    result: _Rewrite,
    old: dict[int, set[tuple[int, int]]],
    changed: set[tuple[int, int]],
) -> None:
    key = g.request.request_key
    places = {p.place for p in g.parts}
    for part in g.parts:
        result.keys[part.place] = key if g.request.is_request else None
    if not places & changed and old.get(key) == places:
        result.kept.add(key)
        return
    result.span(g.parts)
    if g.request.is_request:
        result.requests.append(g)
    if not g.is_settled:
        result.parts.extend(g.parts)
    stored_places = set().union(*old.values()) if old else set()
    # stages were numbered within their part: of several parts, and of stored ones, they are numbered anew
    if g.request.is_request and (len(g.parts) > 1 or places & stored_places):
        result.relinks.extend(
            Relink(
                p.file_key,
                p.id,
                p.first_offset,
                p.last_offset,
                key,
                i,
                result.own_stage_times or g.request.profile is not None,
            )
            for i, p in enumerate(g.parts)
        )


def _delete_old(stored: Sequence[Part], result: _Rewrite) -> None:
    for part in stored:
        if part.request_key in result.kept:
            continue
        result.delete_parts.append(part.place)
        if part.is_request:
            result.delete_requests.append(part.request_key)
            result.span([part])


def _part_keys(
    batch: Batch, slow: Sequence[tuple[int, Part]], rewrite: _Rewrite, carried: dict[int, Part]
) -> pa.Array:
    """The final request key of each part of the batch, null for those that are no request."""
    keys = batch.parts["request_key"].to_numpy().copy()
    none = np.zeros(len(keys), np.bool_)
    for number, part in slow:
        key = rewrite.keys.get(carried.get(number, part).place)
        keys[number], none[number] = key or 0, key is None
    return pa.array(keys, pa.int64(), mask=none)


def _with_keys(rows: RecordRows, keys: pa.Array) -> pa.Table:
    """Rows of records with the keys of the requests that their parts are."""
    table, parts = rows.table, rows.part
    if parts is None:
        return table
    index = pa.array(np.maximum(parts, 0), mask=parts < 0)
    at = table.column_names.index("request_key")
    column = keys.take(index) if len(keys) else pa.nulls(len(parts), pa.int64())
    return table.set_column(at, "request_key", column)
