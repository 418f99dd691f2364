"""After the rows of a commit: which access lines answer which requests, and which requests errors
without an id belong to, as far as the new rows can change that.

That depends on the rows that are stored, not on the order in which they came: whatever may have
changed is decided anew (docs/correlation.md).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.model import Changes
from ingest.rows.answers import (
    NAME_GAP_US,
    NONE,
    REACH_US,
    by_name,
    by_order,
    free_lines,
    is_timed,
    windows,
)
from ingest.rows.described import BY_NAME
from ingest.rows.error_owners import by_access_line
from ingest.rows.error_owners import by_name as owner_by_name
from ingest.rows.pairing import MISSING_US, Bools, Ints
from ingest.rows.spans import EPOCH
from ingest.stores.contract import AnswerWriter, Writer

# decided in one go: so memory does not grow with the time that a batch covers
_SLICE_US = 6 * 3_600_000_000
# how far from a row what it changes may be, and what that depends on
_CHANGED_US = 2 * REACH_US + MISSING_US
_FIRST_US, _LAST_US = -62_000_000_000_000_000, 253_000_000_000_000_000


def write(writer: Writer, changes: Changes) -> None:
    """Write the rows of a commit, and which access lines answer which requests with them."""
    writer.write(changes)
    answer(writer.answers, changes)


def answer(store: AnswerWriter, changes: Changes) -> None:
    """Decide anew what the new rows of a commit, which are written, can have changed."""
    lines = _columns(changes, "http_requests", ("logged_at", "request_id", "time_source"))
    requests = _columns(
        changes,
        "requests",
        ("logged_at", "started_at", "completed_at", "request_id", "id", "id_source", "time_source"),
    )
    errors = _columns(changes, "errors", ("occurred_at", "request_id", "id"))
    unowned = [_instants(errors["occurred_at"].filter(errors["id"].is_null()))]
    times = [*_times(lines), *_times(requests), *unowned]
    every = np.concatenate(times)
    if not len(every):
        return
    low, high = int(every.min()), int(every.max())
    deleted = sorted(set(changes.delete_requests))
    has_lines = store.has_lines(_at(low - NAME_GAP_US), _at(high + NAME_GAP_US))
    if has_lines:
        ids = requests["id"].filter(pc.not_equal(requests["id_source"], "place").fill_null(True))
        names = [_strings(c) for c in (lines["request_id"], requests["request_id"], ids)]
        told = pa.concat_arrays(names).unique().drop_null()
        renamed = _by_name(store, told, deleted, low, high)
        # what has its file's time has no order
        ordered = [*_times(_timed(lines)), *_times(_timed(requests)), renamed]
        for window in windows(ordered, _CHANGED_US, _SLICE_US):
            _by_order(store, *window)
        times.append(renamed)
    if store.has_named_errors(_at(low - NAME_GAP_US), _at(high + NAME_GAP_US)):
        nameless = errors["request_id"].filter(errors["id"].is_null())
        names = [_strings(c) for c in (nameless, requests["request_id"])]
        _errors_by_name(store, pa.concat_arrays(names).unique().drop_null(), deleted, low, high)
    if has_lines:
        for window in windows(times, _CHANGED_US + REACH_US, _SLICE_US):
            _errors_by_line(store, *window)


def _errors_by_name(
    store: AnswerWriter, names: pa.Array, deleted: Sequence[int], low: int, high: int
) -> None:
    """Decide what errors with these X-Request-IDs belong to."""
    if not len(names) and not deleted:
        return
    since, until = _at(low - NAME_GAP_US), _at(high + NAME_GAP_US)
    errors = store.errors_named(names, deleted, since, until)
    if not errors.num_rows:
        return
    wanted = errors["request_id"].combine_chunks().unique().drop_null()
    requests = store.requests_named(wanted, _at(low - 2 * NAME_GAP_US), _at(high + 2 * NAME_GAP_US))
    _note(store, errors, owner_by_name(errors, requests))


def _errors_by_line(store: AnswerWriter, low: int, high: int) -> None:
    """Decide what lines of nginx's error log belong to, by the access lines about the same."""
    errors = store.proxy_errors_between(_at(low), _at(high))
    if errors.num_rows:
        lines = store.lines_between(_at(low - REACH_US), _at(high + REACH_US))
        _note(store, errors, by_access_line(errors, lines))


def _note(store: AnswerWriter, errors: pa.Table, after: Ints) -> None:
    """Write what errors belong to, where that has changed."""
    changed = np.flatnonzero(_numbers(errors["request_key"]) != after)
    if len(changed):
        at = _instants(errors["occurred_at"])[changed]
        keys = _numbers(errors["error_key"])[changed]
        store.link(BY_NAME["errors"], keys, after[changed], _at(int(at.min())), _at(int(at.max())))


def _by_name(
    store: AnswerWriter, names: pa.Array, deleted: Sequence[int], low: int, high: int
) -> Ints:
    """Decide what lines with these names answer; the instants of those whose answer changes."""
    if not len(names) and not deleted:
        return np.zeros(0, np.int64)
    since, until = _at(low - NAME_GAP_US), _at(high + NAME_GAP_US)
    lines = store.lines_named(names, deleted, since, until)
    if not lines.num_rows:
        return np.zeros(0, np.int64)
    wanted = lines["request_id"].combine_chunks().unique().drop_null()
    requests = store.requests_named(wanted, _at(low - 2 * NAME_GAP_US), _at(high + 2 * NAME_GAP_US))
    before = _numbers(lines["request_key"])
    told = by_name(lines, requests)
    # what was joined by order stays until that is decided anew
    stays = (told == NONE) & ~_flags(lines["is_told"]) & ~np.isin(before, deleted)
    after = np.where(stays, before, told)
    return _write(store, lines, before, after)


def _by_order(store: AnswerWriter, low: int, high: int) -> None:
    """Decide what the lines of a stretch of time answer that no name tells."""
    since, until = _at(low - _CHANGED_US), _at(high + _CHANGED_US)
    lines = store.lines_between(since, until)
    if not lines.num_rows:
        return
    at, before = _instants(lines["logged_at"]), _numbers(lines["request_key"])
    decided = (at >= low) & (at <= high) & ~_flags(lines["is_told"])
    free = free_lines(lines)
    if not (decided & (free | (before != NONE))).any():
        return  # they answer none, as before
    answered = by_order(lines, store.requests_between(since, until), free)
    after = np.where(decided, answered, before)
    _write(store, lines, before, after)


def _write(store: AnswerWriter, lines: pa.Table, before: Ints, after: Ints) -> Ints:
    changed = np.flatnonzero(before != after)
    at = _instants(lines["logged_at"])[changed]
    if len(changed):
        keys = _numbers(lines["http_key"])[changed]
        store.link(
            BY_NAME["http_requests"], keys, after[changed], _at(int(at.min())), _at(int(at.max()))
        )
    return at


def _times(rows: "Mapping[str, pa.ChunkedArray]") -> list[Ints]:
    """All instants of rows."""
    return [_instants(rows[n]) for n in ("logged_at", "started_at", "completed_at") if n in rows]


def _timed(rows: "Mapping[str, pa.ChunkedArray]") -> "dict[str, pa.ChunkedArray]":
    """The rows whose instants come from the log; of some it is not told."""
    source = rows["time_source"]
    timed = pc.or_(is_timed(source), source.is_null())
    return {name: column.filter(timed) for name, column in rows.items()}


def _columns(changes: Changes, table: str, names: tuple[str, ...]) -> "dict[str, pa.ChunkedArray]":
    tables = changes.rows.get(table, ())
    return {
        n: pa.chunked_array(
            [c for t in tables for c in _plain(_column(t, n)).chunks], _TYPES.get(n, pa.string())
        )
        for n in names
    }


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column; rows that were taken from the store have some of them only."""
    if name in table.column_names:
        return table[name]
    return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])


_TYPES = dict.fromkeys(
    ("logged_at", "started_at", "completed_at", "occurred_at"), pa.timestamp("us", "UTC")
)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _strings(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _instants(column: pa.ChunkedArray) -> Ints:
    found: Ints = column.drop_null().cast(pa.int64()).to_numpy()
    return found


def _numbers(column: pa.ChunkedArray) -> Ints:
    found: Ints = column.fill_null(NONE).to_numpy()
    return found


def _flags(column: pa.ChunkedArray) -> Bools:
    flags: Bools = column.fill_null(False).to_numpy()
    return flags


def _at(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=min(max(micros, _FIRST_US), _LAST_US))
