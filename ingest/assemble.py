"""Records of a chunk → rows of the tables, as Arrow (docs/parsing.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingest import convert, segments, spans
from ingest.attributes import Entries, attribute_objects
from ingest.formats import (
    AUDIO_METRICS,
    CACHE_DIR_USAGE,
    CACHE_HEALTH,
    COMPLETE,
    FAILED,
    KEYS,
    STAGE_TIME,
    STANDARD_EXTRAS,
    START,
    Format,
)
from ingest.model import KEY_SHIFT, Origin, Reject
from ingest.parse import FAMILIES, I32, Parsed, nullable, string_column, whole_numbers
from ingest.parts import VALUE_COLUMNS, Group, Part
from ingest.text import text_classes, text_lengths
from ingest.tracebacks import read_tracebacks

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
TIMESTAMP = pa.timestamp("us", "UTC")
_CODE = {k: i for i, k in enumerate(KEYS)}
_ID, _REQUEST_ID, _STAGE = _CODE["id"], _CODE["request_id"], _CODE["stage"]
_ERROR_CODE, _WARNING_CODE = _CODE["error_code"], _CODE["warning_code"]
# How long an ended part may still be continued, microseconds: the grace, and as much for stamps out of order.
_CARRY_US = 2 * segments.GRACE_US
_LEVELS = pa.array(["", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])


def _column_map() -> I32:
    """Column of each (event kind, key): see :func:`ingest.segments.choose`."""
    result = np.full((6, len(KEYS)), -1, np.int32)
    for kind in (START, COMPLETE, FAILED, STAGE_TIME, AUDIO_METRICS):
        result[kind, _ID] = segments.TAKEN
        for column, name in enumerate(VALUE_COLUMNS):
            if name not in ("duration_ms", "status") or kind == COMPLETE:
                result[kind, _CODE[name]] = column
    result[START, _CODE["duration_ms"]] = segments.TAKEN
    result[STAGE_TIME, _CODE["duration_ms"]] = segments.TAKEN
    result[STAGE_TIME, _STAGE] = segments.TAKEN
    return result


_COLUMNS = _column_map()


@dataclass(frozen=True, slots=True)
class Events:
    """The events of a chunk: records that make requests, or errors that name an id.

    ``rows`` int32[e] record numbers; ``kinds`` int32[e]; ``codes`` int32[e] into ``ids`` (-1: no id); ``instants`` int64[e].
    """

    rows: I32
    kinds: I32
    codes: I32
    ids: list[str]
    instants: Ints


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one chunk, and the parts that must still meet others.

    ``parts`` has a row for every part of this chunk, with the columns of request_parts but for the carried ones' own; ``settled`` bool[n_parts]:
    a request by itself unless the store knows other parts of its id; ``used``: has records in this chunk; ``stage_part``, ``error_part`` int32 are the part of each row, -1 for none. ``carried`` are the ids of
    the first parts, which continue earlier ones of the file; ``startless`` ids have a part without a start. ``earliest`` and ``latest`` are
    the window of the events, microseconds.
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
    rejects: tuple[Reject, ...]
    ids: list[str]
    startless: list[str]
    earliest: int
    latest: int


def find_events(parsed: Parsed) -> Events:
    """The events of a chunk, in its order."""
    records = parsed.records
    event = records[:, spans.R_EVENT]
    good = records[:, spans.R_KIND] <= spans.K_TRACEBACK
    id_pairs = _first_pairs(parsed, _ID)
    id_pairs[id_pairs >= 0] = np.where(
        _is_empty(parsed, id_pairs[id_pairs >= 0]), -1, id_pairs[id_pairs >= 0]
    )
    request_event = good & (event >= START) & (event <= AUDIO_METRICS)
    other = good & ~request_event & (records[:, spans.R_LEVEL] >= spans.L_WARNING)
    rows = np.flatnonzero(request_event | (other & (id_pairs >= 0))).astype(np.int32)
    kinds = np.where(request_event[rows], event[rows], segments.E_OTHER).astype(np.int32)
    pairs = id_pairs[rows]
    encoded = _pair_strings(parsed, pairs).dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Events(rows, kinds, codes, encoded.dictionary.to_pylist(), parsed.instants[rows])


def _startless_ids(events: Events, parts: I32) -> list[str]:
    """Ids with a part that does not begin with a start: a request of another chunk or file may be theirs."""
    chosen = (parts[:, segments.STARTED] < 0) & (parts[:, segments.FIRST] >= 0)
    first = parts[chosen, segments.FIRST]
    return [events.ids[c] for c in np.unique(events.codes[first]).tolist() if c >= 0]


def _is_empty(parsed: Parsed, pairs: I32) -> Bools:
    rows = parsed.pairs[pairs]
    return np.asarray(rows[:, spans.P_VALUE] == rows[:, spans.P_VALUE_END])


def _first_pairs(parsed: Parsed, code: int) -> I32:
    """int32[n]: the first pair of each record with a key code, -1 for none."""
    result = np.full(len(parsed.records), -1, np.int32)
    chosen = np.flatnonzero(parsed.pairs[:, spans.P_CODE] == code)
    owners, first = np.unique(parsed.pairs[chosen, spans.P_RECORD], return_index=True)
    result[owners] = chosen[first]
    return result


def _pair_strings(parsed: Parsed, chosen: npt.NDArray[Any]) -> pa.Array:
    """Arrow strings of pair values; -1 gives null."""
    if not len(parsed.pairs):
        return pa.nulls(len(chosen), pa.string())
    at = np.maximum(chosen, 0)
    starts = np.where(chosen >= 0, parsed.pairs[at, spans.P_VALUE], np.int32(-1))
    ends, flags = parsed.pairs[at, spans.P_VALUE_END], parsed.pairs[at, spans.P_FLAGS]
    return string_column(parsed.data, starts, ends, flags)


def _pair_numbers(parsed: Parsed, chosen: npt.NDArray[Any]) -> pa.Array:
    if not len(parsed.pairs):
        return pa.nulls(len(chosen), pa.float64())
    at = np.maximum(chosen, 0)
    valid = (chosen >= 0) & (parsed.states[at] == convert.OK)
    return nullable(parsed.values[at], valid, pa.float64())


def _spans(parsed: Parsed, rows: I32, first: int, last: int) -> pa.Array:
    """Strings of a span of the record table; an empty span is null."""
    picked = parsed.records[rows]
    start, end = picked[:, first], picked[:, last]
    return string_column(
        parsed.data, np.where(end > start, start, -1).astype(np.int32), end, np.zeros_like(end)
    )


def _same(value: str | None, n: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(
        pa.array(np.zeros(n, np.int32)), pa.array([value], pa.string())
    ).cast(pa.string())


def _instants(values: Ints, valid: Bools | None = None) -> pa.Array:
    mask = None if valid is None else ~valid
    return pa.array(values, type=pa.int64(), mask=mask).cast(TIMESTAMP)


def build(parsed: Parsed, fmt: Format, origin: Origin, carry: dict[str, int]) -> Batch:
    """Make the rows of a chunk, and bring ``carry`` up to date.

    ``carry`` says of ids how their last part in this file stands: the instant of its end (microseconds), or
    OPEN. Ended ones are dropped when nothing can follow them any more.
    """
    events = find_events(parsed)
    carried = [(code, name) for code, name in enumerate(events.ids) if name in carry]
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
    stages, stage_part = _stage_rows(parsed, events, fmt, origin, part_of, n)
    errors, error_part = _error_rows(parsed, events, fmt, origin, part_of)
    _update_carry(carry, events, parts, part_of)
    return Batch(
        origin=origin,
        parts=_part_rows(parsed, events, fmt, origin, part_of, parts),
        settled=whole | no_id,
        used=parts[:, segments.FIRST] >= 0,
        carried=tuple(name for _, name in carried),
        stages=stages,
        stage_part=stage_part,
        errors=errors,
        error_part=error_part,
        cache_samples=_cache_rows(parsed, origin),
        rejects=parsed.rejects,
        ids=events.ids,
        startless=_startless_ids(events, parts),
        earliest=int(events.instants.min()) if len(events.instants) else 0,
        latest=int(events.instants.max()) if len(events.instants) else 0,
    )


def _update_carry(carry: dict[str, int], events: Events, parts: I32, part_of: I32) -> None:
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
    for code in keep.tolist():
        name = events.ids[code]
        if completed[code] == -1:
            carry[name] = segments.OPEN
        elif completed[code] >= 0:
            carry[name] = int(at[code])
    for code in np.flatnonzero((completed >= 0) & (np.abs(at - newest) > _CARRY_US)).tolist():
        carry.pop(events.ids[code], None)


def _keys(origin: Origin, offsets: Ints) -> Ints:
    return offsets | np.int64(origin.file_key << KEY_SHIFT)


def _part_rows(
    parsed: Parsed, events: Events, fmt: Format, origin: Origin, part_of: I32, parts: I32
) -> pa.Table:
    n = len(parts)
    offsets = parsed.records[events.rows, spans.R_START].astype(np.int64) + parsed.base
    first, last = np.maximum(parts[:, segments.FIRST], 0), np.maximum(parts[:, segments.LAST], 0)
    started, completed = parts[:, segments.STARTED], parts[:, segments.COMPLETED]
    lowest = np.full(n, np.iinfo(np.int64).max)
    highest = np.full(n, np.iinfo(np.int64).min)
    np.minimum.at(lowest, part_of, events.instants)
    np.maximum.at(highest, part_of, events.instants)
    if not len(events.rows):
        offsets, instants = np.zeros(1, np.int64), np.zeros(1, np.int64)
    else:
        instants = events.instants
    used = parts[:, segments.FIRST] >= 0
    lowest, highest = np.where(used, lowest, 0), np.where(used, highest, 0)
    ids = pa.array(events.ids, pa.string()).take(_part_codes(events, part_of, n))
    values, from_end, attributes = _part_values(parsed, events, fmt, part_of, parts)
    host, service = _same(origin.host, n), _same(origin.service, n)
    file_key = np.full(n, origin.file_key, np.int64)
    columns: dict[str, Any] = {
        "request_key": pa.array(_keys(origin, offsets[first])),
        "id": ids,
        "host": host,
        "service": service,
        "logged_at": _instants(lowest),
        "started_at": _instants(instants[np.maximum(started, 0)], started >= 0),
        "completed_at": _instants(instants[np.maximum(completed, 0)], completed >= 0),
        **values,
        "attributes": attributes,
        "start_file_key": nullable(file_key, started >= 0, pa.int64()),
        "start_offset": nullable(offsets[np.maximum(started, 0)], started >= 0, pa.int64()),
        "end_file_key": nullable(file_key, completed >= 0, pa.int64()),
        "end_offset": nullable(offsets[np.maximum(completed, 0)], completed >= 0, pa.int64()),
        "file_key": pa.array(file_key),
        "first_offset": pa.array(offsets[first]),
        "last_offset": pa.array(offsets[last]),
        "last_at": _instants(highest),
        "is_request": pa.array(parts[:, segments.IS_REQUEST] == 1),
        "end_columns": pa.array(from_end),
    }
    return pa.table(columns)


def _part_codes(events: Events, part_of: I32, n: int) -> pa.Array:
    codes = np.full(n, -1, np.int64)
    codes[part_of] = events.codes
    return nullable(np.maximum(codes, 0), codes >= 0, pa.int64())


def _part_values(
    parsed: Parsed, events: Events, fmt: Format, part_of: I32, parts: I32
) -> tuple[dict[str, pa.Array], Ints, pa.Array]:
    """Value columns of the parts, the bits of those an end filled, and their attributes."""
    n = len(parts)
    slots = np.full((len(VALUE_COLUMNS), max(n, 1)), -1, np.int32)
    from_end = np.zeros(max(n, 1), np.int64)
    taken = np.zeros(max(len(parsed.pairs), 1), np.uint8)
    codes = np.ascontiguousarray(parsed.pairs[:, spans.P_CODE])
    usable = ((FAMILIES[codes] == convert.N_TEXT) | (parsed.states == convert.OK)).astype(np.uint8)
    first = np.ascontiguousarray(parsed.records[events.rows, spans.R_PAIR])
    count = np.ascontiguousarray(parsed.records[events.rows, spans.R_PAIRS])
    segments.choose(
        events.kinds, part_of, first, count, codes, usable, _COLUMNS, slots, from_end, taken
    )
    columns: dict[str, pa.Array] = {}
    for column, name in enumerate(VALUE_COLUMNS):
        columns[name] = _value_column(parsed, name, slots[column, :n])
    columns["status"] = pc.if_else(
        pc.and_(columns["status"].is_null(), pa.array(parts[:, segments.HAS_FAILED] == 1)),
        pa.scalar("failed"),
        columns["status"],
    )
    columns["request_id"] = pc.coalesce(
        columns["request_id"], _header_request_ids(parsed, events, part_of, n)
    )
    attributes = _part_attributes(parsed, events, fmt, part_of, n, taken)
    return columns, from_end[:n], attributes


def _value_column(parsed: Parsed, name: str, chosen: I32) -> pa.Array:
    family = FAMILIES[_CODE[name]]
    if family == convert.N_TEXT:
        return _pair_strings(parsed, chosen)
    numbers = _pair_numbers(parsed, chosen)
    if family == convert.N_BOOL:
        return pc.not_equal(numbers, 0.0)
    return whole_numbers(parsed, chosen, numbers) if family == convert.N_LENGTH else numbers


def _header_request_ids(parsed: Parsed, events: Events, part_of: I32, n: int) -> pa.Array:
    """The request id in the headers of each part's records: the first that is one (``-`` is none)."""
    picked = parsed.records[events.rows]
    start, end = picked[:, spans.R_REQUEST_ID], picked[:, spans.R_REQUEST_ID_END]
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
    pairs = np.flatnonzero(
        (owner_of[parsed.pairs[:, spans.P_RECORD]] >= 0) & (taken[: len(parsed.pairs)] == 0)
    )
    entries = Entries.of_pairs(parsed, pairs, owner_of[parsed.pairs[pairs, spans.P_RECORD]])
    extras = [(i, e) for i, e in enumerate(fmt.extras) if e not in STANDARD_EXTRAS]
    rows = events.rows[chosen]
    entries = entries.with_extras(parsed, extras, rows, part_of[chosen])
    return attribute_objects(parsed.data, entries, n)


def _stage_rows(
    parsed: Parsed, events: Events, fmt: Format, origin: Origin, part_of: I32, n_parts: int
) -> tuple[pa.Table, I32]:
    chosen = events.kinds == STAGE_TIME
    rows, owners = events.rows[chosen], np.ascontiguousarray(part_of[chosen])
    n = len(rows)
    logged = _first_pairs(parsed, _CODE["duration_ms"])[rows]
    at = np.maximum(logged, 0)
    valid = (logged >= 0) & (parsed.states[at] == convert.OK) if n else np.zeros(0, np.bool_)
    elapsed = np.ascontiguousarray(parsed.values[at]) if n else np.zeros(0)
    seq = np.zeros(n, np.int32)
    own, total = np.zeros(n), np.zeros(n)
    segments.stages(
        owners, elapsed, valid.astype(np.uint8), fmt.own_stage_times, n_parts, seq, own, total
    )
    offsets = parsed.records[rows, spans.R_START].astype(np.int64) + parsed.base
    table = pa.table(
        {
            "request_key": pa.nulls(n, pa.int64()),
            "id": _pair_strings(parsed, _first_pairs(parsed, _ID)[rows]),
            "host": _same(origin.host, n),
            "stage": _pair_strings(parsed, _first_pairs(parsed, _STAGE)[rows]),
            "seq": pa.array(seq),
            "logged_at": _instants(parsed.instants[rows]),
            "elapsed_ms": nullable(total, valid, pa.float64()),
            "duration_ms": nullable(own, valid, pa.float64()),
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets),
        }
    )
    return table, owners


def _error_rows(
    parsed: Parsed, events: Events, fmt: Format, origin: Origin, part_of: I32
) -> tuple[pa.Table, I32]:
    records = parsed.records
    good = records[:, spans.R_KIND] <= spans.K_TRACEBACK
    rows = np.flatnonzero(good & (records[:, spans.R_LEVEL] >= spans.L_WARNING)).astype(np.int32)
    n = len(rows)
    owner_of = np.full(len(records), -1, np.int32)
    owner_of[events.rows] = part_of
    id_pair, request_pair = _first_pairs(parsed, _ID)[rows], _first_pairs(parsed, _REQUEST_ID)[rows]
    error_pair = _first_pairs(parsed, _ERROR_CODE)[rows]
    code_pair = np.where(error_pair >= 0, error_pair, _first_pairs(parsed, _WARNING_CODE)[rows])
    tracebacks = _tracebacks(parsed, rows)
    exceptions = read_tracebacks(
        tracebacks, _pair_strings(parsed, _first_pairs(parsed, _CODE["exc"])[rows])
    )
    request_ids = _request_id_column(parsed, rows, request_pair)
    offsets = records[rows, spans.R_START].astype(np.int64) + parsed.base
    used = np.concatenate([p[p >= 0] for p in (id_pair, request_pair, code_pair)])
    table = pa.table(
        {
            "error_key": pa.array(_keys(origin, offsets)),
            "occurred_at": _instants(parsed.instants[rows]),
            "time_inferred": pa.array(parsed.inferred[rows]),
            "host": _same(origin.host, n),
            "service": _same(origin.service, n),
            "level": _LEVELS.take(pa.array(records[rows, spans.R_LEVEL])),
            "logger": _spans(parsed, rows, spans.R_NAME, spans.R_NAME_END),
            "event": _spans(parsed, rows, spans.R_EVENT_START, spans.R_EVENT_END),
            "code": _pair_strings(parsed, code_pair),
            "id": _pair_strings(parsed, id_pair),
            "request_id": request_ids,
            "request_key": pa.nulls(n, pa.int64()),
            "message": _messages(parsed, rows),
            "exception_type": exceptions.types,
            "exception_message": exceptions.messages,
            "traceback": tracebacks,
            "location": exceptions.locations,
            "attributes": _error_attributes(parsed, fmt, rows, used),
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets),
        }
    )
    return table, owner_of[rows]


def _messages(parsed: Parsed, rows: I32) -> pa.Array:
    return pc.coalesce(_spans(parsed, rows, spans.R_MSG, spans.R_MSG_END), pa.scalar(""))


def _tracebacks(parsed: Parsed, rows: I32) -> pa.Array:
    picked = parsed.records[rows]
    start, end = picked[:, spans.R_TRACEBACK], picked[:, spans.R_END]
    column = string_column(parsed.data, start.copy(), end, np.zeros_like(end))
    return column if column.null_count == len(column) else pc.utf8_rtrim_whitespace(column)


def _request_id_column(parsed: Parsed, rows: I32, pairs: I32) -> pa.Array:
    header = _spans(parsed, rows, spans.R_REQUEST_ID, spans.R_REQUEST_ID_END)
    header = pc.if_else(pc.equal(header, "-"), pa.scalar(None, pa.string()), header)
    return pc.coalesce(_pair_strings(parsed, pairs), header)


def _error_attributes(parsed: Parsed, fmt: Format, rows: I32, used: npt.NDArray[Any]) -> pa.Array:
    owner_of = np.full(len(parsed.records), -1, np.int32)
    owner_of[rows] = np.arange(len(rows))
    free = np.ones(len(parsed.pairs), np.bool_)
    free[used] = False
    pairs = np.flatnonzero(free & (owner_of[parsed.pairs[:, spans.P_RECORD]] >= 0))
    entries = Entries.of_pairs(parsed, pairs, owner_of[parsed.pairs[pairs, spans.P_RECORD]])
    entries = entries.with_extras(
        parsed, list(enumerate(fmt.extras)), rows, np.arange(len(rows), dtype=np.int32)
    )
    return attribute_objects(parsed.data, entries, len(rows))


def _cache_rows(parsed: Parsed, origin: Origin) -> pa.Table:
    records = parsed.records
    event = records[:, spans.R_EVENT]
    good = records[:, spans.R_KIND] <= spans.K_TRACEBACK
    found = good & ((event == CACHE_DIR_USAGE) | (event == CACHE_HEALTH))
    rows = np.flatnonzero(found).astype(np.int32)
    n = len(rows)

    def number(key: str) -> pa.Array:
        return _pair_numbers(parsed, _first_pairs(parsed, _CODE[key])[rows])

    offsets = records[rows, spans.R_START].astype(np.int64) + parsed.base
    return pa.table(
        {
            "sample_key": pa.array(_keys(origin, offsets)),
            "sampled_at": _instants(parsed.instants[rows]),
            "host": _same(origin.host, n),
            "path": _pair_strings(parsed, _first_pairs(parsed, _CODE["path"])[rows]),
            "used_percent": pc.coalesce(number("used_percent"), number("usage")),
            "threshold_percent": number("threshold"),
            "used_mb": number("used"),
            "total_mb": number("total"),
            "action": _pair_strings(parsed, _first_pairs(parsed, _CODE["action"])[rows]),
            "event": _spans(parsed, rows, spans.R_EVENT_START, spans.R_EVENT_END),
            "file_key": pa.array(np.full(n, origin.file_key, np.int64)),
            "byte_offset": pa.array(offsets),
        }
    )


def finish_requests(parts: pa.Table) -> pa.Table:
    """Rows of ``requests`` from rows of parts: the class of the text, and its length where none was logged."""
    texts = parts["text"].combine_chunks()
    classes, lengths = text_classes(texts), text_lengths(texts)
    length = pc.coalesce(parts["text_len"], lengths)
    drop = ("file_key", "first_offset", "last_offset", "last_at", "is_request", "end_columns")
    table = parts.drop_columns(list(drop))
    table = table.set_column(table.column_names.index("text_len"), "text_len", length)
    return table.append_column("text_class", classes)


def part_list(table: pa.Table) -> list[Part]:
    """Rows of parts as values."""
    return [
        Part(
            attributes=row["attributes"],
            values=tuple(row[name] for name in VALUE_COLUMNS),
            **{name: row[name] for name in _PART_FIELDS},
        )
        for row in table.to_pylist()
    ]


_PART_FIELDS = tuple(f for f in Part.__slots__ if f not in ("attributes", "values"))


def part_table(parts: Sequence[Part], schema: pa.Schema) -> pa.Table:
    """Values as rows of parts."""
    rows = [
        {**{name: getattr(p, name) for name in _PART_FIELDS}, "attributes": p.attributes,
         **dict(zip(VALUE_COLUMNS, p.values, strict=True))}
        for p in parts
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def request_table(groups: Sequence[Group], schema: pa.Schema) -> pa.Table:
    """Rows of ``requests`` of groups that are requests."""
    return finish_requests(part_table([g.request for g in groups if g.request.is_request], schema))
