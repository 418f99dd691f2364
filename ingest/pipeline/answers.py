"""After the rows of a commit: which access lines answer which requests, as far as the new rows can
change that.

What a line answers depends on the rows that are stored, not on the order in which they came:
whatever may have changed is decided anew (docs/correlation.md).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa

from ingest.model import Changes
from ingest.rows.answers import (
    NAME_GAP_US,
    NONE,
    REACH_US,
    by_name,
    by_order,
    windows,
)
from ingest.rows.pairing import Bools, Ints
from ingest.rows.spans import EPOCH
from ingest.stores.contract import AnswerWriter, Writer

# decided in one go: so memory does not grow with the time that a batch covers
_SLICE_US = 6 * 3_600_000_000
_FIRST_US, _LAST_US = -62_000_000_000_000_000, 253_000_000_000_000_000


def write(writer: Writer, changes: Changes) -> None:
    """Write the rows of a commit, and which access lines answer which requests with them."""
    writer.write(changes)
    answer(writer.answers, changes)


def answer(store: AnswerWriter, changes: Changes) -> None:
    """Decide anew what the new rows of a commit, which are written, can have changed."""
    lines = _columns(changes, "http_requests", ("logged_at", "request_id"))
    requests = _columns(
        changes, "requests", ("logged_at", "started_at", "completed_at", "request_id", "id")
    )
    times = [_instants(lines["logged_at"])]
    times += [_instants(requests[n]) for n in ("logged_at", "started_at", "completed_at")]
    every = np.concatenate(times)
    if not len(every):
        return
    low, high = int(every.min()), int(every.max())
    if not store.has_lines(_at(low - NAME_GAP_US), _at(high + NAME_GAP_US)):
        return
    names = pa.concat_arrays(
        [_strings(c) for c in (lines["request_id"], requests["request_id"], requests["id"])]
    )
    moved = _by_name(store, names.unique().drop_null(), changes.delete_requests, low, high)
    for window in windows([*times, moved], 2 * REACH_US, _SLICE_US):
        _by_order(store, *window)


def _by_name(
    store: AnswerWriter, names: pa.Array, deleted: Sequence[int], low: int, high: int
) -> Ints:
    """Decide what lines with these names answer; the instants of those whose answer changes."""
    keys = sorted(set(deleted))
    since, until = _at(low - NAME_GAP_US), _at(high + NAME_GAP_US)
    lines = store.lines_named(names, keys, since, until)
    if not lines.num_rows:
        return np.zeros(0, np.int64)
    wanted = lines["request_id"].combine_chunks().unique().drop_null()
    requests = store.requests_named(wanted, _at(low - 2 * NAME_GAP_US), _at(high + 2 * NAME_GAP_US))
    before = _numbers(lines["request_key"])
    told = by_name(lines, requests)
    # what was joined by order stays until that is decided anew
    stays = (told == NONE) & ~_flags(lines["is_told"]) & ~np.isin(before, keys)
    after = np.where(stays, before, told)
    return _write(store, lines, before, after)


def _by_order(store: AnswerWriter, low: int, high: int) -> None:
    """Decide what the lines of a stretch of time answer that no name tells."""
    lines = store.lines_between(_at(low - 2 * REACH_US), _at(high + 2 * REACH_US))
    if not lines.num_rows or _flags(lines["is_told"]).all():
        return
    requests = store.requests_between(_at(low - 2 * REACH_US), _at(high + 2 * REACH_US))
    at, before = _instants(lines["logged_at"]), _numbers(lines["request_key"])
    told = _flags(lines["is_told"])
    decided = (at >= low) & (at <= high) & ~told
    after = np.where(decided, by_order(lines, requests), before)
    _write(store, lines, before, after)


def _write(store: AnswerWriter, lines: pa.Table, before: Ints, after: Ints) -> Ints:
    changed = np.flatnonzero(before != after)
    at = _instants(lines["logged_at"])[changed]
    if len(changed):
        keys = _numbers(lines["http_key"])[changed]
        store.answer(keys, after[changed], _at(int(at.min())), _at(int(at.max())))
    return at


def _columns(changes: Changes, table: str, names: tuple[str, ...]) -> "dict[str, pa.ChunkedArray]":
    tables = changes.rows.get(table, ())
    return {
        n: pa.chunked_array(
            [c for t in tables for c in _plain(t[n]).chunks], _TYPES.get(n, pa.string())
        )
        for n in names
    }


_TYPES = dict.fromkeys(("logged_at", "started_at", "completed_at"), pa.timestamp("us", "UTC"))


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
