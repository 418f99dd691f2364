"""What access lines answer and what errors belong to, decided anew where new rows can have changed
it; loaded where there are such lines or errors at all.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingest.pipeline.instants import instants, moment, times
from ingest.rows.answers import (
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
from ingest.rows.spans import NAME_GAP_US
from ingest.stores.contract import AnswerWriter

Span = tuple[int, int]  # the first and last instant of rows that are new
Columns = Mapping[str, pa.ChunkedArray]
# decided in one go: so memory does not grow with the time that a batch covers
_SLICE_US = 6 * 3_600_000_000
# how far from a row what it changes may be, and what that depends on
_CHANGED_US = 2 * REACH_US + MISSING_US


def decide_lines(
    store: AnswerWriter,
    lines: Columns,
    requests: Columns,
    deleted: Sequence[int],
    span: Span,
) -> Ints:
    """Decide what access lines answer, by new lines and requests; the instants of those whose
    answer changes by name.
    """
    ids = requests["id"].filter(pc.not_equal(requests["id_source"], "place").fill_null(True))
    names = [_strings(c) for c in (lines["request_id"], requests["request_id"], ids)]
    renamed = _by_name(store, _distinct(names), deleted, *span)
    # what has its file's time has no order
    ordered = [*times(_timed(lines)), *times(_timed(requests)), renamed]
    for window in windows(ordered, _CHANGED_US, _SLICE_US):
        _by_order(store, *window)
    return renamed


def decide_errors(
    store: AnswerWriter,
    errors: Columns,
    requests: Columns,
    deleted: Sequence[int],
    span: Span,
) -> None:
    """Decide what errors with an X-Request-ID belong to, by new errors and requests."""
    nameless = errors["request_id"].filter(errors["id"].is_null())
    names = [_strings(c) for c in (nameless, requests["request_id"])]
    _errors_by_name(store, _distinct(names), deleted, *span)


def decide_errors_of_lines(store: AnswerWriter, changed: Sequence[Ints]) -> None:
    """Decide what lines of nginx's error log belong to, near instants at which rows changed."""
    for window in windows(changed, _CHANGED_US + REACH_US, _SLICE_US):
        _errors_by_line(store, *window)


def _distinct(names: Sequence[pa.Array]) -> pa.Array:
    return pa.concat_arrays(names).unique().drop_null()


def _errors_by_name(
    store: AnswerWriter, names: pa.Array, deleted: Sequence[int], low: int, high: int
) -> None:
    """Decide what errors with these X-Request-IDs belong to."""
    if not len(names) and not deleted:
        return
    since, until = moment(low - NAME_GAP_US), moment(high + NAME_GAP_US)
    errors = store.errors_named(names, deleted, since, until)
    if not errors.num_rows:
        return
    wanted = errors["request_id"].combine_chunks().unique().drop_null()
    requests = store.requests_named(
        wanted, moment(low - 2 * NAME_GAP_US), moment(high + 2 * NAME_GAP_US)
    )
    _note(store, errors, owner_by_name(errors, requests))


def _errors_by_line(store: AnswerWriter, low: int, high: int) -> None:
    """Decide what lines of nginx's error log belong to, by the access lines about the same."""
    errors = store.proxy_errors_between(moment(low), moment(high))
    if errors.num_rows:
        lines = store.lines_between(moment(low - REACH_US), moment(high + REACH_US))
        _note(store, errors, by_access_line(errors, lines))


def _note(store: AnswerWriter, errors: pa.Table, after: Ints) -> None:
    """Write what errors belong to, where that has changed."""
    changed = np.flatnonzero(_numbers(errors["request_key"]) != after)
    if len(changed):
        at = instants(errors["occurred_at"])[changed]
        keys = _numbers(errors["error_key"])[changed]
        store.link(
            BY_NAME["errors"], keys, after[changed], moment(int(at.min())), moment(int(at.max()))
        )


def _by_name(
    store: AnswerWriter, names: pa.Array, deleted: Sequence[int], low: int, high: int
) -> Ints:
    """Decide what lines with these names answer; the instants of those whose answer changes."""
    if not len(names) and not deleted:
        return np.zeros(0, np.int64)
    since, until = moment(low - NAME_GAP_US), moment(high + NAME_GAP_US)
    lines = store.lines_named(names, deleted, since, until)
    if not lines.num_rows:
        return np.zeros(0, np.int64)
    wanted = lines["request_id"].combine_chunks().unique().drop_null()
    requests = store.requests_named(
        wanted, moment(low - 2 * NAME_GAP_US), moment(high + 2 * NAME_GAP_US)
    )
    before = _numbers(lines["request_key"])
    told = by_name(lines, requests)
    # what was joined by order stays until that is decided anew
    stays = (told == NONE) & ~_flags(lines["is_told"]) & ~np.isin(before, deleted)
    after = np.where(stays, before, told)
    return _write(store, lines, before, after)


def _by_order(store: AnswerWriter, low: int, high: int) -> None:
    """Decide what the lines of a stretch of time answer that no name tells."""
    since, until = moment(low - _CHANGED_US), moment(high + _CHANGED_US)
    lines = store.lines_between(since, until)
    if not lines.num_rows:
        return
    at, before = instants(lines["logged_at"]), _numbers(lines["request_key"])
    decided = (at >= low) & (at <= high) & ~_flags(lines["is_told"])
    free = free_lines(lines)
    if not (decided & (free | (before != NONE))).any():
        return  # they answer none, as before
    answered = by_order(lines, store.requests_between(since, until), free)
    after = np.where(decided, answered, before)
    _write(store, lines, before, after)


def _write(store: AnswerWriter, lines: pa.Table, before: Ints, after: Ints) -> Ints:
    changed = np.flatnonzero(before != after)
    at = instants(lines["logged_at"])[changed]
    if len(changed):
        keys = _numbers(lines["http_key"])[changed]
        store.link(
            BY_NAME["http_requests"],
            keys,
            after[changed],
            moment(int(at.min())),
            moment(int(at.max())),
        )
    return at


def _timed(rows: "Mapping[str, pa.ChunkedArray]") -> "dict[str, pa.ChunkedArray]":
    """The rows whose instants come from the log; of some it is not told."""
    source = rows["time_source"]
    timed = pc.or_(is_timed(source), source.is_null())
    return {name: column.filter(timed) for name, column in rows.items()}


def _strings(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole


def _numbers(column: pa.ChunkedArray) -> Ints:
    found: Ints = column.fill_null(NONE).to_numpy()
    return found


def _flags(column: pa.ChunkedArray) -> Bools:
    flags: Bools = column.fill_null(False).to_numpy()
    return flags
