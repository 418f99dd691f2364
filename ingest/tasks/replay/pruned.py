"""Pruned rows stay away: a replay's rows that are older than the removed ones go; pure."""

from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from ingest.compiled import layout
from ingest.model import Changes
from ingest.records.parse import Parsed
from ingest.records.vocabulary import AUDIO_METRICS, START
from ingest.rows.described import BY_NAME, RECORDS
from ingest.stores.recorded import Pruned

_NO_EVENT = -1


def without_requests(parsed: Parsed, before: int) -> Parsed:
    """The chunk, its records older than an instant (microseconds) no events of requests any more;
    errors they may still be.

    A request that lies across the instant begins behind it, as one does whose beginning was pruned
    before its end came.
    """
    event = parsed.records[:, layout.R_EVENT]
    old = (event >= START) & (event <= AUDIO_METRICS) & (parsed.instants < before)
    if not old.any():
        return parsed
    records = parsed.records.copy()
    records[old, layout.R_EVENT] = _NO_EVENT
    return replace(parsed, records=records)


def without_rows(changes: Changes, pruned: Pruned) -> Changes:
    """The changes without rows of records that are older than what was pruned of their tables."""
    requests = pruned.of("requests")
    rows = {
        **changes.rows,
        "request_parts": [
            _of_requests_or_newer(table, requests) for table in changes.rows["request_parts"]
        ],
    }
    for table in (BY_NAME[name] for name in RECORDS):
        if table.follows is None:
            before = pruned.of(table.name)
            rows[table.name] = [_newer(t, table.at, before) for t in changes.rows[table.name]]
    return changes._replace(rows=rows)


def _of_requests_or_newer(parts: pa.Table, before: int) -> pa.Table:
    """Pieces that are only errors naming an id are as old as those."""
    return parts.filter(
        pc.or_(parts["is_request"], pc.greater_equal(parts["last_at"], _at(before)))
    )


def _newer(table: pa.Table, column: str | None, before: int) -> pa.Table:
    return table.filter(pc.greater_equal(table[column], _at(before)))


def _at(micros: int) -> pa.Scalar:
    return pa.scalar(micros, pa.timestamp("us", "UTC"))
