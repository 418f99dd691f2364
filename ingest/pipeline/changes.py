"""One chunk's rows → one commit: fetch what the store knows of its ids, and resolve."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

from ingest.model import Changes
from ingest.rows.chunk import Batch
from ingest.rows.parts import Part
from ingest.rows.resolve import resolve, stored_parts
from ingest.rows.spans import EPOCH, GRACE, JOIN_GAP
from ingest.stores.contract import Writer

_LAST = datetime(9999, 12, 30, tzinfo=UTC)
_FIRST = datetime(1, 1, 3, tzinfo=UTC)


def make_changes(writer: Writer, batch: Batch, at: datetime) -> Changes:
    """What the commit of a chunk does to the store; ``at`` is now."""
    return resolve(batch, _related(writer, batch), at)


def _related(writer: Writer, batch: Batch) -> list[Part]:
    if not len(batch.ids):
        return []
    parts = writer.related_parts(
        batch.origin,
        batch.ids,
        _shifted(batch.earliest, -JOIN_GAP),
        _shifted(batch.latest, JOIN_GAP),
    )
    requests: pa.Table = (
        writer.related_requests(
            batch.origin,
            batch.startless,
            _shifted(batch.earliest, -GRACE),
            _shifted(batch.latest, GRACE),
        )
        if len(batch.startless)
        else pa.table({})
    )
    return stored_parts(parts, requests)


def _shifted(micros: int, by: timedelta) -> datetime:
    """An instant moved, kept within what a datetime can hold."""
    try:
        return min(max(EPOCH + timedelta(microseconds=micros) + by, _FIRST), _LAST)
    except OverflowError:
        return _LAST if micros > 0 else _FIRST
