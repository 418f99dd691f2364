"""Records of a chunk → rows of the tables, as Arrow (docs/parsing.md)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.compiled import layout
from ingest.compiled import numbers as convert_numbers
from ingest.compiled import parts as segments
from ingest.model import Origin
from ingest.records.arrays import I8, I32, Ints, nullable, string_column, view
from ingest.records.formats import STANDARD_EXTRAS, Format
from ingest.records.instants import FILE, LOGGED
from ingest.records.parse import Parsed
from ingest.records.units import FAMILIES
from ingest.records.vocabulary import (
    AUDIO_METRICS,
    COMPLETE,
    FAILED,
    HTTP_REQUEST,
    KEYS,
    STAGE_TIME,
    START,
)
from ingest.rows import cache_samples, errors, http_requests, stage_timings
from ingest.rows.attributes import Entries, attribute_objects
from ingest.rows.chunk import Chunk, ChunkRows, Events
from ingest.rows.columns import (
    CODE,
    instants,
    named,
    numbered_strings,
    offsets_of,
    row_keys,
    same,
    time_sources,
    value_column,
)
from ingest.rows.parts import BIT_OF, LOGGED_COLUMNS, TEXT_BIT, TOLD_BITS
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


def _column_map() -> I32:
    """Column of each (event kind, key), numbered by its bit: see
    :func:`ingest.compiled.parts.choose`.
    """
    result = np.full((6, len(KEYS)), -1, np.int32)
    for kind in (START, COMPLETE, FAILED, STAGE_TIME, AUDIO_METRICS):
        result[kind, CODE["id"]] = segments.TAKEN
        for name in LOGGED_COLUMNS:
            if name not in ("duration_ms", "status") or kind == COMPLETE:
                result[kind, CODE[name]] = BIT_OF[name]
    result[START, CODE["duration_ms"]] = segments.TAKEN
    result[STAGE_TIME, CODE["duration_ms"]] = segments.TAKEN
    result[STAGE_TIME, CODE["stage"]] = segments.TAKEN
    result[STAGE_TIME, CODE["own_ms"]] = segments.TAKEN
    return result


_COLUMNS = _column_map()
_TEXTS = (FAMILIES == convert_numbers.N_TEXT).astype(np.uint8)


# for :func:`ingest.compiled.parts.events`
_LAYOUT = (
    layout.R_KIND, layout.R_EVENT, layout.R_LEVEL, layout.K_TRACEBACK, layout.L_WARNING,
    layout.P_VALUE, layout.P_VALUE_END,
)  # fmt: skip


def find_events(parsed: Parsed) -> Events:
    """The events of a chunk, in its order."""
    n = len(parsed.records)
    rows, kinds, ids = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    found = segments.events(
        view(parsed.records), view(parsed.pairs), CODE["id"], (START, AUDIO_METRICS, HTTP_REQUEST),
        _LAYOUT, view(rows), view(kinds), view(ids),
    )  # fmt: skip
    rows, kinds = rows[:found].copy(), kinds[:found].copy()
    codes, names = numbered_strings(parsed, ids[:found])
    return Events(rows, kinds, codes, names, parsed.instants[rows])


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
    return events.ids.take(np.flatnonzero(codes[1:]))


def _carried_ids(events: Events, carry: Iterable[str]) -> list[tuple[int, str]]:
    """Which of these ids the chunk has, with their codes."""
    names = list(carry)
    if not names:
        return []
    found = pc.index_in(events.ids, value_set=pa.array(names, pa.string())).fill_null(-1).to_numpy()
    return [(code, names[found[code]]) for code in np.flatnonzero(found >= 0).tolist()]


def build(
    parsed: Parsed, fmt: Format, origin: Origin, carry: Mapping[str, int]
) -> tuple[ChunkRows, dict[str, int]]:
    """Make the rows of a chunk; and ``carry`` as the next chunk of the file needs it.

    ``carry`` says of ids how their last part in this file stands: the instant of its end
    (microseconds), or OPEN. Ended ones are dropped when nothing can follow them any more.
    """
    events = find_events(parsed)
    carried = _carried_ids(events, carry)
    ends = np.array([carry[name] for _, name in carried], np.int64)
    part_of = np.zeros(len(events.rows), np.int32)
    parts = np.zeros((len(carried) + len(events.rows), segments.PART_WIDTH), np.int32)
    n = segments.cut(
        events.kinds, events.codes, events.instants,
        np.array([code for code, _ in carried], np.int32), ends, len(events.ids), part_of, parts,
    )  # fmt: skip
    parts = parts[:n]
    whole = (parts[:, segments.STARTED] >= 0) & (parts[:, segments.COMPLETED] >= 0)
    whole[: len(carried)] = False
    no_id = np.zeros(n, np.bool_)
    no_id[part_of[events.codes < 0]] = True
    owner_of = np.full(len(parsed.records), -1, np.int32)
    owner_of[events.rows] = part_of
    chunk = Chunk(parsed, fmt, origin, events, part_of, n, owner_of)
    extents = _Extents.of(chunk)
    rows = ChunkRows(
        origin=origin,
        own_stage_times=fmt.own_stage_times,
        parts=_part_rows(chunk, parts, extents),
        whole=whole | no_id,
        used=parts[:, segments.FIRST] >= 0,
        carried=tuple(name for _, name in carried),
        records={name: table.rows(chunk) for name, table in RECORD_TABLES.items()},
        rejects=tuple((origin.file_key, r) for r in parsed.rejects),
        ids=events.ids,
        startless=_startless_ids(events, parts),
        earliest=int(events.instants.min()) if len(events.instants) else 0,
        latest=int(events.instants.max()) if len(events.instants) else 0,
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
    for code, name in zip(keep.tolist(), events.ids.take(keep).to_pylist(), strict=True):
        if completed[code] == -1:
            carry[name] = OPEN
        elif completed[code] >= 0:
            carry[name] = int(at[code])
    for code, name in carried:
        if completed[code] >= 0 and abs(int(at[code]) - newest) > CARRY_US:
            carry.pop(name, None)
    return carry


@dataclass(frozen=True, slots=True)
class _Extents:
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


def _part_rows(chunk: Chunk, parts: I32, extents: _Extents) -> pa.Table:
    parsed, events, origin = chunk.parsed, chunk.events, chunk.origin
    n = len(parts)
    first, last = np.maximum(parts[:, segments.FIRST], 0), np.maximum(parts[:, segments.LAST], 0)
    started, completed = parts[:, segments.STARTED], parts[:, segments.COMPLETED]
    at_start, at_end = np.maximum(started, 0), np.maximum(completed, 0)
    stamps = events.instants if len(events.rows) else np.zeros(1, np.int64)

    def offsets(event: I32) -> Ints:
        """Offsets of events; without any there are only carried parts, of which none is used."""
        return offsets_of(parsed, events.rows[event]) if len(events.rows) else np.zeros(n, np.int64)

    first_offsets = offsets(first)
    values, from_end, attributes = _part_values(chunk, parts)
    host, service = same(origin.host, n), same(origin.service, n)
    file_key = np.full(n, origin.file_key, np.int64)
    columns: dict[str, Any] = {
        "request_key": pa.array(row_keys(origin, first_offsets)),
        "id": named(extents.codes, events.ids),
        "host": host,
        "service": service,
        "logged_at": instants(extents.lowest),
        "time_source": time_sources(_sources(chunk, extents.lowest)),
        "started_at": instants(stamps[at_start], started >= 0),
        "completed_at": _ended_at(chunk, completed),
        **values,
        "attributes": attributes,
        "start_file_key": nullable(file_key, started >= 0, pa.int64()),
        "start_offset": nullable(offsets(at_start), started >= 0, pa.int64()),
        "end_file_key": nullable(file_key, completed >= 0, pa.int64()),
        "end_offset": nullable(offsets(at_end), completed >= 0, pa.int64()),
        "file_key": pa.array(file_key),
        "first_offset": pa.array(first_offsets),
        "last_offset": pa.array(offsets(last)),
        "last_at": instants(extents.highest),
        "is_request": pa.array(parts[:, segments.IS_REQUEST] == 1),
        "end_columns": pa.array(from_end),
    }
    return pa.table(columns)


def _ended_at(chunk: Chunk, completed: I32) -> pa.Array:
    """When each part ended: at its completing event, else at the first that says it failed."""
    ended = completed.astype(np.int64)
    failed = np.flatnonzero(chunk.events.kinds == FAILED)
    if len(failed):
        first = np.full(len(ended), len(chunk.events.rows), np.int64)
        np.minimum.at(first, chunk.part_of[failed], failed)
        known = first < len(chunk.events.rows)
        ended = np.where((ended < 0) & known, first, ended)
    stamps = chunk.events.instants if len(chunk.events.rows) else np.zeros(1, np.int64)
    return instants(stamps[np.maximum(ended, 0)], ended >= 0)


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


def _part_values(chunk: Chunk, parts: I32) -> tuple[dict[str, pa.Array], Ints, pa.Array]:
    """Value columns of the parts, the bits of those an end filled, and their attributes."""
    parsed, events, part_of, n = chunk.parsed, chunk.events, chunk.part_of, len(parts)
    slots = np.full((max(BIT_OF.values()) + 1, max(n, 1)), -1, np.int32)
    from_end = np.zeros(max(n, 1), np.int64)
    free = np.empty((2, len(parsed.pairs)), np.int32)
    n_free = segments.choose(
        events.kinds, events.rows, part_of, parsed.records, parsed.pairs, _TEXTS, parsed.states,
        _COLUMNS, slots, from_end, free[0], free[1],
    )  # fmt: skip
    columns: dict[str, pa.Array] = {}
    for name in LOGGED_COLUMNS:
        columns[name] = value_column(parsed, name, slots[BIT_OF[name], :n])
    columns["status"] = pc.if_else(
        pc.and_(columns["status"].is_null(), pa.array(parts[:, segments.HAS_FAILED] == 1)),
        pa.scalar("failed"),
        columns["status"],
    )
    columns["request_id"] = pc.coalesce(
        columns["request_id"], _header_request_ids(parsed, events, part_of, n)
    )
    columns["text_class"], columns["text_points"] = describe_texts(columns["text"])
    from_end |= np.where(from_end & TEXT_BIT, TOLD_BITS, 0)
    attributes = _part_attributes(chunk, free[0, :n_free], free[1, :n_free])
    return columns, from_end[:n], attributes


def _header_request_ids(parsed: Parsed, events: Events, part_of: I32, n: int) -> pa.Array:
    """The request id in the headers of each part's records: the first real one, not ``-``."""
    if not parsed.records[:, layout.R_REQUEST_ID_END].any():
        return pa.nulls(n, pa.string())
    start = parsed.records[events.rows, layout.R_REQUEST_ID]
    end = parsed.records[events.rows, layout.R_REQUEST_ID_END]
    if not (end > start).any():
        return pa.nulls(n, pa.string())
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
