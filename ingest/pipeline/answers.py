"""After the rows of a commit: which access lines answer which requests, and which requests errors
without an id belong to, as far as the new rows can change that.

That depends on the rows that are stored, not on the order in which they came: whatever may have
changed is decided anew (docs/correlation.md).
"""

import numpy as np
import pyarrow as pa

from ingest.model import Changes
from ingest.pipeline.instants import instants, moment, times
from ingest.records import kernels
from ingest.rows.spans import NAME_GAP_US
from ingest.stores.contract import AnswerWriter, Writer

_INSTANTS = ("logged_at", "started_at", "completed_at", "occurred_at")
_TYPES = dict.fromkeys(_INSTANTS, pa.timestamp("us", "UTC"))
_REQUEST_TIMES = ("logged_at", "started_at", "completed_at")


def write(writer: Writer, changes: Changes) -> None:
    """Write the rows of a commit, and which access lines answer which requests with them."""
    writer.write(changes)
    answer(writer.answers, changes)


def answer(store: AnswerWriter, changes: Changes) -> None:
    """Decide anew what the new rows of a commit, which are written, can have changed."""
    errors = _columns(changes, "errors", ("occurred_at", "request_id", "id"))
    changed = [
        *times(_columns(changes, "http_requests", ("logged_at",))),
        *times(_columns(changes, "requests", _REQUEST_TIMES)),
        instants(kernels.select(errors["occurred_at"], kernels.is_null(errors["id"]))),
    ]
    every = np.concatenate(changed)
    if not len(every):
        return
    low, high = int(every.min()), int(every.max())
    near = moment(low - NAME_GAP_US), moment(high + NAME_GAP_US)
    has_lines, has_errors = store.has_lines(*near), store.has_named_errors(*near)
    if not (has_lines or has_errors):
        return
    from ingest.pipeline import changed_answers  # most logs have neither

    lines = _columns(changes, "http_requests", ("logged_at", "request_id", "time_source"))
    names = ("request_id", "id", "id_source", "time_source")
    requests = _columns(changes, "requests", (*_REQUEST_TIMES, *names))
    deleted = sorted(set(changes.delete_requests))
    if has_lines:
        changed.append(changed_answers.decide_lines(store, lines, requests, deleted, (low, high)))
    if has_errors:
        changed_answers.decide_errors(store, errors, requests, deleted, (low, high))
    if has_lines:
        changed_answers.decide_errors_of_lines(store, changed)


def _columns(changes: Changes, table: str, names: tuple[str, ...]) -> "dict[str, pa.ChunkedArray]":
    tables = changes.rows.get(table, ())
    return {
        n: pa.chunked_array(
            [c for t in tables for c in kernels.decoded(_column(t, n)).chunks],
            _TYPES.get(n, pa.string()),
        )
        for n in names
    }


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    """A column; rows that were taken from the store have some of them only."""
    if name in table.column_names:
        return table[name]
    return pa.chunked_array([pa.nulls(table.num_rows, pa.string())])
