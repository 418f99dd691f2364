"""Records of a chunk → rows of the tables, as Arrow (docs/parsing.md)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest.compiled import layout
from ingest.compiled import numbers as convert_numbers
from ingest.compiled import parts as segments
from ingest.model import Origin, Reject
from ingest.records.arrays import I32, Bools, Ints, nullable, string_column, view
from ingest.records.formats import STANDARD_EXTRAS, Format
from ingest.records.parse import Parsed
from ingest.records.units import FAMILIES
from ingest.records.vocabulary import AUDIO_METRICS, COMPLETE, FAILED, KEYS, STAGE_TIME, START
from ingest.rows.attributes import Entries, attribute_objects
from ingest.rows.columns import (
    CODE,
    FirstPairs,
    instants,
    named,
    numbered_strings,
    offsets_of,
    row_keys,
    same,
    value_column,
)
from ingest.rows.parts import LOGGED_COLUMNS, TEXT_BIT, TOLD_BITS
from ingest.rows.single_records import EVENT_KEYS, cache_rows, error_records, error_rows, stage_rows
from ingest.rows.text_class import describe_texts

# How long an ended part may still be continued, microseconds: the grace, and as much for stamps out of order.
_CARRY_US = 2 * segments.GRACE_US


def _column_map() -> I32:
    """Column of each (event kind, key): see :func:`ingest.compiled.parts.choose`."""
    result = np.full((6, len(KEYS)), -1, np.int32)
    for kind in (START, COMPLETE, FAILED, STAGE_TIME, AUDIO_METRICS):
        result[kind, CODE["id"]] = segments.TAKEN
        for column, name in enumerate(LOGGED_COLUMNS):
            if name not in ("duration_ms", "status") or kind == COMPLETE:
                result[kind, CODE[name]] = column
    result[START, CODE["duration_ms"]] = segments.TAKEN
    result[STAGE_TIME, CODE["duration_ms"]] = segments.TAKEN
    result[STAGE_TIME, CODE["stage"]] = segments.TAKEN
    return result


_COLUMNS = _column_map()
_TEXTS = (FAMILIES == convert_numbers.N_TEXT).astype(np.uint8)


# for :func:`ingest.compiled.parts.events`
_LAYOUT = (
    layout.R_KIND, layout.R_EVENT, layout.R_LEVEL, layout.K_TRACEBACK, layout.L_WARNING,
    layout.P_VALUE, layout.P_VALUE_END,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a chunk: records that make requests, or errors that name an id.

    ``rows`` int32[e] record numbers; ``kinds`` int32[e]; ``codes`` int32[e] into ``ids``, strings (-1: no id); ``instants`` int64[e].
    """

    rows: I32
    kinds: I32
    codes: I32
    ids: pa.Array
    instants: Ints


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one chunk, and the parts that must still meet others.

    Its rows are those of one file, or of several small ones read from their beginnings (:mod:`ingest.rows.join`): then nothing is carried, and ``origin`` is the first's.

    ``parts`` has a row for every part of this chunk, with the columns of request_parts but for the carried ones' own; ``settled`` bool[n_parts]:
    a request by itself unless the store knows other parts of its id; ``used``: has records in this chunk; ``stage_part``, ``error_part`` int32 are the part of each row, -1 for none. ``carried`` are the ids of
    the first parts, which continue earlier ones of the file; ``ids``, each once, and ``startless`` those with a part without a start: strings. ``earliest`` and ``latest`` are
    the window of the events, microseconds. ``rejects`` are pieces with the key of their file.
    """

    origin: Origin
    parts: pa.Table
    settled: Bools
    used: Bools
    carried: tuple[str, ...]
    stages: pa.Table
    stage_part: I32
    errors: pa.Table
    error_part: I32
    cache_samples: pa.Table
    rejects: tuple[tuple[int, Reject], ...]
    ids: pa.Array
    startless: pa.Array
    earliest: int
    latest: int


def find_events(parsed: Parsed, first: FirstPairs) -> Events:
    """The events of a chunk, in its order."""
    n = len(parsed.records)
    rows, kinds, ids = np.empty(n, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    found = segments.events(
        view(parsed.records), view(parsed.pairs), view(first["id"]),
        (START, AUDIO_METRICS), _LAYOUT, view(rows), view(kinds), view(ids),
    )  # fmt: skip
    rows, kinds = rows[:found].copy(), kinds[:found].copy()
    codes, names = numbered_strings(parsed, ids[:found])
    return Events(rows, kinds, codes, names, parsed.instants[rows])


def _startless_ids(events: Events, parts: I32) -> pa.Array:
    """Ids with a part that does not begin with a start: a request of another chunk or file may be theirs."""
    chosen = (parts[:, segments.STARTED] < 0) & (parts[:, segments.FIRST] >= 0)
    codes = np.bincount(events.codes[parts[chosen, segments.FIRST]] + 1)  # in 0 those without an id
    return events.ids.take(np.flatnonzero(codes[1:]))


def _carried_ids(events: Events, carry: Iterable[str]) -> list[tuple[int, str]]:
    """Which of these ids the chunk has, with their codes."""
    names = list(carry)
    codes = pc.index_in(pa.array(names, pa.string()), value_set=events.ids).to_pylist()
    return sorted((code, name) for code, name in zip(codes, names, strict=True) if code is not None)


def build(parsed: Parsed, fmt: Format, origin: Origin, carry: dict[str, int]) -> Batch:
    """Make the rows of a chunk, and bring ``carry`` up to date.

    ``carry`` says of ids how their last part in this file stands: the instant of its end (microseconds), or
    OPEN. Ended ones are dropped when nothing can follow them any more.
    """
    first = FirstPairs.of(parsed, EVENT_KEYS)
    events = find_events(parsed, first)
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
    staged = events.kinds == STAGE_TIME
    stage_part = part_of[staged]
    stages = stage_rows(
        parsed, first, origin, fmt.own_stage_times, events.rows[staged], stage_part, n,
        events.codes[staged], events.ids,
    )  # fmt: skip
    errors = error_records(parsed)
    owner_of = np.full(len(parsed.records), -1, np.int32)
    owner_of[events.rows] = part_of
    _update_carry(carry, carried, events, parts, part_of)
    return Batch(
        origin=origin,
        parts=_part_rows(parsed, events, fmt, origin, part_of, parts),
        settled=whole | no_id,
        used=parts[:, segments.FIRST] >= 0,
        carried=tuple(name for _, name in carried),
        stages=stages,
        stage_part=stage_part,
        errors=error_rows(parsed, first, fmt, origin, errors),
        error_part=owner_of[errors],
        cache_samples=cache_rows(parsed, first, origin),
        rejects=tuple((origin.file_key, r) for r in parsed.rejects),
        ids=events.ids,
        startless=_startless_ids(events, parts),
        earliest=int(events.instants.min()) if len(events.instants) else 0,
        latest=int(events.instants.max()) if len(events.instants) else 0,
    )


def _update_carry(
    carry: dict[str, int],
    carried: Sequence[tuple[int, str]],
    events: Events,
    parts: I32,
    part_of: I32,
) -> None:
    """Note how the last part of each id stands; only the last chunk's ends are remembered."""
    if not len(events.rows):
        return
    newest = int(events.instants.max())
    for name in [
        n for n, end in carry.items() if end != segments.OPEN and end < newest - _CARRY_US
    ]:
        del carry[name]
    last = np.full(len(events.ids), -1, np.int64)
    known = events.codes >= 0
    last[events.codes[known]] = part_of[known]
    completed = parts[last, segments.COMPLETED]
    at = events.instants[np.maximum(completed, 0)]
    keep = np.flatnonzero((completed < 0) | (np.abs(at - newest) <= _CARRY_US))
    for code, name in zip(keep.tolist(), events.ids.take(keep).to_pylist(), strict=True):
        if completed[code] == -1:
            carry[name] = segments.OPEN
        elif completed[code] >= 0:
            carry[name] = int(at[code])
    for code, name in carried:
        if completed[code] >= 0 and abs(int(at[code]) - newest) > _CARRY_US:
            carry.pop(name, None)


def _part_rows(
    parsed: Parsed, events: Events, fmt: Format, origin: Origin, part_of: I32, parts: I32
) -> pa.Table:
    n = len(parts)
    offsets = offsets_of(parsed, events.rows)
    first, last = np.maximum(parts[:, segments.FIRST], 0), np.maximum(parts[:, segments.LAST], 0)
    started, completed = parts[:, segments.STARTED], parts[:, segments.COMPLETED]
    lowest = np.full(n, np.iinfo(np.int64).max)
    highest = np.full(n, np.iinfo(np.int64).min)
    np.minimum.at(lowest, part_of, events.instants)
    np.maximum.at(highest, part_of, events.instants)
    if not len(events.rows):
        offsets, stamps = np.zeros(1, np.int64), np.zeros(1, np.int64)
    else:
        stamps = events.instants
    used = parts[:, segments.FIRST] >= 0
    lowest, highest = np.where(used, lowest, 0), np.where(used, highest, 0)
    codes = np.full(n, -1, np.int32)
    codes[part_of] = events.codes
    values, from_end, attributes = _part_values(parsed, events, fmt, part_of, parts)
    host, service = same(origin.host, n), same(origin.service, n)
    file_key = np.full(n, origin.file_key, np.int64)
    columns: dict[str, Any] = {
        "request_key": pa.array(row_keys(origin, offsets[first])),
        "id": named(codes, events.ids),
        "host": host,
        "service": service,
        "logged_at": instants(lowest),
        "started_at": instants(stamps[np.maximum(started, 0)], started >= 0),
        "completed_at": instants(stamps[np.maximum(completed, 0)], completed >= 0),
        **values,
        "attributes": attributes,
        "start_file_key": nullable(file_key, started >= 0, pa.int64()),
        "start_offset": nullable(offsets[np.maximum(started, 0)], started >= 0, pa.int64()),
        "end_file_key": nullable(file_key, completed >= 0, pa.int64()),
        "end_offset": nullable(offsets[np.maximum(completed, 0)], completed >= 0, pa.int64()),
        "file_key": pa.array(file_key),
        "first_offset": pa.array(offsets[first]),
        "last_offset": pa.array(offsets[last]),
        "last_at": instants(highest),
        "is_request": pa.array(parts[:, segments.IS_REQUEST] == 1),
        "end_columns": pa.array(from_end),
    }
    return pa.table(columns)


def _part_values(
    parsed: Parsed, events: Events, fmt: Format, part_of: I32, parts: I32
) -> tuple[dict[str, pa.Array], Ints, pa.Array]:
    """Value columns of the parts, the bits of those an end filled, and their attributes."""
    n = len(parts)
    slots = np.full((len(LOGGED_COLUMNS), max(n, 1)), -1, np.int32)
    from_end = np.zeros(max(n, 1), np.int64)
    taken = np.zeros(max(len(parsed.pairs), 1), np.uint8)
    segments.choose(
        events.kinds, events.rows, part_of, parsed.records, parsed.pairs, _TEXTS, parsed.states,
        _COLUMNS, slots, from_end, taken,
    )  # fmt: skip
    columns: dict[str, pa.Array] = {}
    for column, name in enumerate(LOGGED_COLUMNS):
        columns[name] = value_column(parsed, name, slots[column, :n])
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
    attributes = _part_attributes(parsed, events, fmt, part_of, n, taken)
    return columns, from_end[:n], attributes


def _header_request_ids(parsed: Parsed, events: Events, part_of: I32, n: int) -> pa.Array:
    """The request id in the headers of each part's records: the first that is one (``-`` is none)."""
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


def _part_attributes(
    parsed: Parsed, events: Events, fmt: Format, part_of: I32, n: int, taken: npt.NDArray[np.uint8]
) -> pa.Array:
    owner_of = np.full(len(parsed.records), -1, np.int32)
    chosen = events.kinds != segments.E_OTHER
    owner_of[events.rows[chosen]] = part_of[chosen]
    free = np.flatnonzero(taken[: len(parsed.pairs)] == 0)
    owners = owner_of[parsed.pairs[free, layout.P_RECORD]]
    entries = Entries.of_pairs(parsed, free[owners >= 0], owners[owners >= 0])
    extras = [(i, e) for i, e in enumerate(fmt.extras) if e not in STANDARD_EXTRAS]
    rows = events.rows[chosen]
    entries = entries.with_extras(parsed, extras, rows, part_of[chosen])
    return attribute_objects(parsed.data, entries, n)
