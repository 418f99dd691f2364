"""Records of a chunk → rows of the tables, as Arrow (docs/parsing.md)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from ingest.compiled import layout
from ingest.compiled import numbers as convert_numbers
from ingest.compiled import parts as segments
from ingest.model import ID_BYTES, Origin, make_key
from ingest.records import kernels
from ingest.records.arrays import I8, I32, Bools, Ints, column, string_column, truths, view
from ingest.records.formats import STANDARD_EXTRAS, Format
from ingest.records.instants import FILE, LOGGED
from ingest.records.parse import Parsed
from ingest.records.units import FAMILIES
from ingest.records.vocabulary import (
    AUDIO_METRICS,
    CACHE_DIR_USAGE,
    CACHE_HEALTH,
    COMPLETE,
    FAILED,
    HTTP_REQUEST,
    KEYS,
    STAGE_TIME,
    START,
)
from ingest.rows import cache_samples, errors, http_requests, stage_timings
from ingest.rows.attributes import Entries, attribute_objects
from ingest.rows.chunk import Chunk, ChunkRows, Events, RecordRows
from ingest.rows.columns import (
    CODE,
    TIMESTAMP,
    Numbered,
    cut_header_ids,
    instants,
    named,
    numbered,
    own_offsets,
    same,
    same_number,
    time_sources,
    value_columns,
)
from ingest.rows.parts import BIT_OF, LOGGED_COLUMNS, TOLD_BITS
from ingest.rows.rare import rare_of
from ingest.rows.spans import CARRY_US, OPEN
from ingest.rows.text_class import describe_texts

# The tables of one row per record, each with what it is made by: ``KEYS`` of its pairs, and
# ``rows``.
RECORD_TABLES = {
    "stage_timings": stage_timings,
    "errors": errors,
    "cache_samples": cache_samples,
    "http_requests": http_requests,
}
_OFTEN = "stage_timings"  # what every request has several of


def rare_rows(chunk: Chunk) -> dict[str, RecordRows]:
    """The rows of the other tables, of records that were kept for that."""
    return {name: table.rows(chunk) for name, table in RECORD_TABLES.items() if name != _OFTEN}


def _column_map() -> I32:
    """Column of each (event kind, key), numbered as in LOGGED_COLUMNS: see
    :func:`ingest.compiled.parts.choose`.
    """
    result = np.full((6, len(KEYS)), -1, np.int32)
    for kind in (START, COMPLETE, FAILED, STAGE_TIME, AUDIO_METRICS):
        result[kind, CODE["id"]] = segments.TAKEN
        for number, name in enumerate(LOGGED_COLUMNS):
            if name not in ("duration_ms", "status") or kind == COMPLETE:
                result[kind, CODE[name]] = number
    result[START, CODE["duration_ms"]] = segments.TAKEN
    result[STAGE_TIME, CODE["duration_ms"]] = segments.TAKEN
    result[STAGE_TIME, CODE["stage"]] = segments.TAKEN
    result[STAGE_TIME, CODE["own_ms"]] = segments.TAKEN
    return result


_COLUMNS = _column_map()
# what an end that fills a column leaves in ``end_columns``
_BITS: Ints = np.array(
    [1 << BIT_OF[name] | (TOLD_BITS if name == "text" else 0) for name in LOGGED_COLUMNS], np.int64
)
_TEXTS = (FAMILIES == convert_numbers.N_TEXT).astype(np.uint8)
_STAGE_KEYS = CODE["stage"], CODE["duration_ms"], CODE["own_ms"]
_EVENT_CODES = START, AUDIO_METRICS, HTTP_REQUEST, CACHE_DIR_USAGE, CACHE_HEALTH
_STARTS, _ENDS, _ENDED, _REQUESTS = range(4)  # bitmaps of :class:`_Places`


def find_events(parsed: Parsed) -> Events:
    """The events of a chunk, in its order."""
    return _events(parsed)[0]


def _events(parsed: Parsed) -> tuple[Events, Numbered]:
    """The events of a chunk, and their ids."""
    n = len(parsed.records)
    rows, kinds, ids = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    others = np.empty((3, n), np.int32)
    found, n_stages, counts = segments.events(
        view(parsed.records), view(parsed.pairs), CODE["id"], _EVENT_CODES, view(rows), view(kinds),
        view(ids), view(others),
    )  # fmt: skip
    rows, kinds = rows[:found].copy(), kinds[:found].copy()
    named = numbered(parsed, ids[:found], ID_BYTES)
    beside = (numbers[:count].copy() for numbers, count in zip(others, counts, strict=True))
    instants = parsed.instants[rows]
    return Events(rows, kinds, named.codes, named.names, instants, n_stages, *beside), named


def ids_of(parsed: Parsed) -> list[str]:
    """The ids in a chunk's records, each once."""
    found: list[str] = find_events(parsed).ids.to_pylist()
    return found


def _startless_ids(events: Events, parts: I32) -> pa.Array:
    """Ids with a part that does not begin with a start: a request of another chunk or file may be
    theirs.
    """
    chosen = (parts[:, segments.STARTED] < 0) & (parts[:, segments.FIRST] >= 0)
    codes = np.bincount(events.codes[parts[chosen, segments.FIRST]] + 1)  # in 0 those without an id
    return kernels.take(events.ids, np.flatnonzero(codes[1:]))


def _carried_ids(parsed: Parsed, ids: Numbered, carry: Iterable[str]) -> list[tuple[int, str]]:
    """Which of these ids the chunk has, with their codes."""
    names = list(carry)
    if not names:
        return []
    codes = ids.find(parsed, names).tolist()
    return sorted((code, name) for code, name in zip(codes, names, strict=True) if code >= 0)


def build(
    parsed: Parsed,
    fmt: Format,
    origin: Origin,
    carry: Mapping[str, int],
    *,
    keeps_rare: bool = False,
) -> tuple[ChunkRows, dict[str, int]]:
    """Make the rows of a chunk; and ``carry`` as the next chunk of the file needs it.

    ``carry`` says of ids how their last part in this file stands: the instant of its end
    (microseconds), or OPEN. Ended ones are dropped when nothing can follow them any more.
    ``keeps_rare``: rows of which there are few are left to :func:`ingest.rows.join.join`.
    """
    cut_header_ids(parsed)
    events, ids = _events(parsed)
    carried = _carried_ids(parsed, ids, carry)
    ends = np.array([carry[name] for _, name in carried], np.int64)
    part_of = np.empty(len(events.rows), np.int32)
    parts = np.empty((len(carried) + len(events.rows), segments.PART_WIDTH), np.int32)
    n = segments.cut(
        events.kinds, events.codes, events.instants,
        np.array([code for code, _ in carried], np.int32), ends, len(events.ids), part_of, parts,
    )  # fmt: skip
    parts = parts[:n]
    chosen = _Chosen.of(parsed, events, part_of, n)
    chunk = Chunk(parsed, fmt, origin, events, part_of, n, chosen.stages)
    extents, places = _Extents.of(chunk), _Places.of(chunk, parts, len(carried))
    rare = rare_of(chunk) if keeps_rare else None
    tables = RECORD_TABLES if rare is None else {_OFTEN: RECORD_TABLES[_OFTEN]}
    rows = ChunkRows(
        origin=origin,
        own_stage_times=fmt.own_stage_times,
        parts=_part_rows(chunk, parts, chosen, extents, places),
        whole=places.whole,
        used=places.used,
        carried=tuple(name for _, name in carried),
        ended=frozenset(name for _, name in carried if carry[name] != OPEN),
        records={name: table.rows(chunk) for name, table in tables.items()},
        rejects=tuple((origin.file_key, r) for r in parsed.rejects),
        ids=events.ids,
        startless=_startless_ids(events, parts),
        earliest=int(events.instants.min()) if len(events.instants) else 0,
        latest=int(events.instants.max()) if len(events.instants) else 0,
        rare=rare,
    )
    return rows, _going_on(_carry_on(carry, carried, events, parts, extents.codes), parsed)


def _going_on(carry: dict[str, int], parsed: Parsed) -> dict[str, int]:
    """``carry`` without what no line behind the chunk names.

    A file without stamps has one instant for all its requests: by their time none ever ends.
    """
    if parsed.placed is None:
        return carry
    return {
        name: end
        for name, end in carry.items()
        if name in parsed.going_on or not name.startswith(parsed.placed)
    }


def _carry_on(
    before: Mapping[str, int],
    carried: Sequence[tuple[int, str]],
    events: Events,
    parts: I32,
    codes: I32,
) -> dict[str, int]:
    """How the last part of each id stands behind a chunk; only the last chunk's ends are
    remembered. ``codes`` int32[n_parts]: their ids, -1 for none and for a part without records.
    """
    carry = dict(before)
    if not len(events.rows):
        return carry
    newest = int(events.instants.max())
    for name in [n for n, end in carry.items() if end != OPEN and end < newest - CARRY_US]:
        del carry[name]
    last = np.full(len(events.ids), -1, np.int64)
    known = np.flatnonzero(codes >= 0)
    last[codes[known]] = known  # of several the last one, which is the id's last
    completed = parts[last, segments.COMPLETED]
    at = events.instants[np.maximum(completed, 0)]
    keep = np.flatnonzero((completed < 0) | (np.abs(at - newest) <= CARRY_US))
    names = kernels.take(events.ids, keep).to_pylist()
    for code, name in zip(keep.tolist(), names, strict=True):
        if completed[code] == -1:
            carry[name] = OPEN
        elif completed[code] >= 0:
            carry[name] = int(at[code])
    for code, name in carried:
        if completed[code] >= 0 and abs(int(at[code]) - newest) > CARRY_US:
            carry.pop(name, None)
    return carry


class _Chosen(NamedTuple):
    """Pairs that were chosen for the parts, the bits of columns that an end filled, pairs without a
    column and their parts, and stages: see :func:`ingest.compiled.parts.choose`.
    """

    slots: I32
    from_end: Ints
    free: I32
    owners: I32
    stages: I32

    @classmethod
    def of(cls, parsed: Parsed, events: Events, part_of: I32, n: int) -> "_Chosen":
        slots, from_end = np.full((n, len(LOGGED_COLUMNS)), -1, np.int32), np.zeros(n, np.int64)
        free = np.empty((2, len(parsed.pairs)), np.int32)
        stages = np.empty((4, events.n_stages), np.int32)
        n_free = segments.choose(
            view(events.kinds), view(events.rows), view(part_of), view(parsed.records),
            view(parsed.pairs), _TEXTS, view(parsed.states), _COLUMNS, _BITS, view(slots),
            view(from_end), view(free[0]), view(free[1]), _STAGE_KEYS, view(stages),
        )  # fmt: skip
        return cls(slots, from_end, free[0, :n_free], free[1, :n_free], stages)


class _Extents(NamedTuple):
    """First and last instants int64[n] of the parts, and their ids, int32[n] (-1: none)."""

    lowest: Ints
    highest: Ints
    codes: I32

    @classmethod
    def of(cls, chunk: Chunk) -> "_Extents":
        n, events = chunk.n_parts, chunk.events
        low, high, codes = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n, np.int32)
        segments.extents(
            view(chunk.part_of), view(events.codes), view(events.instants),
            view(low), view(high), view(codes),
        )  # fmt: skip
        return cls(low, high, codes)


class _Places(NamedTuple):
    """Where and when the parts begin and end: see :func:`ingest.compiled.parts.place`."""

    numbers: Ints
    valid: npt.NDArray[np.uint8]
    nulls: list[int]
    whole: Bools
    used: Bools
    any_failed: bool

    @classmethod
    def of(cls, chunk: Chunk, parts: I32, n_carried: int) -> "_Places":
        n, parsed, events = len(parts), chunk.parsed, chunk.events
        numbers, valid = np.empty((7, n), np.int64), np.zeros((4, (n + 7) // 8), np.uint8)
        nulls, told = np.zeros(4, np.int64), np.zeros((2, n), np.uint8)
        any_failed = segments.place(
            view(parts), view(events.kinds), view(events.codes), view(chunk.part_of),
            view(events.instants), view(events.rows), view(parsed.records),
            view(own_offsets(parsed)), parsed.base, make_key(chunk.origin.file_key, 0), n_carried,
            view(numbers), view(valid), view(nulls), view(told[0]), view(told[1]),
        )  # fmt: skip
        whole, used = told.view(np.bool_)
        return cls(numbers, valid, nulls.tolist(), whole.copy(), used.copy(), any_failed)

    def column(self, row: int, kind: pa.DataType, bitmap: int | None = None) -> pa.Array:
        """A column of the numbers."""
        has_nulls = bitmap is not None and self.nulls[bitmap]
        bits = self.valid[bitmap] if has_nulls else None
        return column(kind, self.numbers.shape[1], bits, self.numbers[row])


def _part_rows(
    chunk: Chunk, parts: I32, chosen: _Chosen, extents: _Extents, places: _Places
) -> pa.Table:
    events, origin, n = chunk.events, chunk.origin, len(parts)
    values = _part_values(chunk, parts, chosen.slots, places.any_failed)

    def file_keys(bitmap: int) -> pa.Array:
        bits = places.valid[bitmap] if places.nulls[bitmap] else None
        return same_number(origin.file_key, n, bits)

    columns: dict[str, Any] = {
        "request_key": places.column(0, pa.int64()),
        "id": named(extents.codes, events.ids),
        "host": same(origin.host, n),
        "service": same(origin.service, n),
        "logged_at": instants(extents.lowest),
        "time_source": time_sources(_sources(chunk, extents.lowest)),
        "started_at": places.column(5, TIMESTAMP, _STARTS),
        "completed_at": places.column(6, TIMESTAMP, _ENDED),
        **values,
        "attributes": _part_attributes(chunk, chosen.free, chosen.owners),
        "start_file_key": file_keys(_STARTS),
        "start_offset": places.column(3, pa.int64(), _STARTS),
        "end_file_key": file_keys(_ENDS),
        "end_offset": places.column(4, pa.int64(), _ENDS),
        "file_key": same_number(origin.file_key, n),
        "first_offset": places.column(1, pa.int64()),
        "last_offset": places.column(2, pa.int64()),
        "last_at": instants(extents.highest),
        "is_request": column(pa.bool_(), n, None, places.valid[_REQUESTS]),
        "end_columns": column(pa.int64(), n, None, chosen.from_end),
    }
    return pa.table(columns)


def _sources(chunk: Chunk, first_at: Ints) -> I8:
    """Where the first instants int64[n] of the parts come from: int8[n]; of equal instants the
    surest.
    """
    result = np.full(len(first_at), LOGGED, np.int8)
    if not chunk.parsed.time_source.any():
        return result
    events, sources = chunk.events, chunk.parsed.time_source[chunk.events.rows]
    if not (sources != LOGGED).any():
        return result
    result[chunk.part_of] = FILE
    is_first = events.instants == first_at[chunk.part_of]
    np.minimum.at(result, chunk.part_of[is_first], sources[is_first])
    return result


def _part_values(chunk: Chunk, parts: I32, slots: I32, any_failed: bool) -> dict[str, pa.Array]:
    """Value columns of the parts, of pairs int32[n, columns]."""
    columns = value_columns(chunk.parsed, LOGGED_COLUMNS, slots)
    if any_failed:
        failed = truths(parts[:, segments.HAS_FAILED] == 1)
        unsaid = kernels.both(kernels.is_null(columns["status"]), failed)
        columns["status"] = kernels.if_else(unsaid, pa.scalar("failed"), columns["status"])
    header = _header_request_ids(chunk.parsed, chunk.events, chunk.part_of, len(parts))
    if header is not None:
        columns["request_id"] = kernels.coalesce(columns["request_id"], header)
    columns["text_class"], columns["text_points"] = describe_texts(columns["text"])
    return columns


def _header_request_ids(parsed: Parsed, events: Events, part_of: I32, n: int) -> pa.Array | None:
    """The request id in the headers of each part's records: the first real one, not ``-``; None
    where no record has any.
    """
    if not parsed.records[:, layout.R_REQUEST_ID_END].any():
        return None
    start = parsed.records[events.rows, layout.R_REQUEST_ID]
    end = parsed.records[events.rows, layout.R_REQUEST_ID_END]
    if not (end > start).any():
        return None
    data = np.frombuffer(parsed.data, np.uint8)
    dash = (end - start == 1) & (data[np.minimum(start, max(len(data) - 1, 0))] == 45)
    rows = np.flatnonzero((end > start) & ~dash & (events.kinds != segments.E_OTHER))
    starts, ends = np.full(n, -1, np.int32), np.zeros(n, np.int32)
    owners, first = np.unique(part_of[rows], return_index=True)
    starts[owners], ends[owners] = start[rows[first]], end[rows[first]]
    return string_column(parsed.data, starts, ends, np.zeros(n, np.int32))


def _part_attributes(chunk: Chunk, free: I32, owners: I32) -> pa.Array:
    """What parts' events have without a column: pairs ``free`` of ``owners``, header fields."""
    parsed, events = chunk.parsed, chunk.events
    entries = Entries.of_pairs(parsed, free, owners)
    extras = [(i, e) for i, e in enumerate(chunk.format.extras) if e not in STANDARD_EXTRAS]
    if extras:
        chosen = events.kinds != segments.E_OTHER
        entries = entries.with_extras(parsed, extras, events.rows[chosen], chunk.part_of[chosen])
    return attribute_objects(parsed.data, entries, chunk.n_parts)
