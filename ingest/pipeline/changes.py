"""One batch's rows → one commit: ask what the store has near its parts, and resolve."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from ingest.model import Changes, Origin
from ingest.records import kernels
from ingest.rows.chunk import Batch
from ingest.rows.resolve import Resolution, Window
from ingest.rows.spans import EPOCH, GRACE, JOIN_GAP
from ingest.stores.contract import Writer

_LAST = datetime(9999, 12, 30, tzinfo=UTC)
_FIRST = datetime(1, 1, 3, tzinfo=UTC)


def make_changes(writer: Writer, batch: Batch, at: datetime) -> Changes:
    """What the commit of a batch does to the store; ``at`` is now."""
    resolution = Resolution(batch, _known(writer, batch), _before(writer, batch))
    settle(writer, batch.origin, resolution)
    return resolution.changes(at)


def settle(writer: Writer, origin: Origin, resolution: Resolution) -> None:
    """Ask the store for all that a resolution must know, until nothing more changes."""
    while not resolution.is_done:
        if pieces := resolution.pieces_wanted():
            table, _, _ = _windows(pieces)
            resolution.add(writer.pieces_near(origin, table), None)
        if requests := resolution.requests_wanted():
            table, earliest, latest = _windows(requests)
            resolution.add(None, writer.requests_near(origin, table, earliest, latest))
        resolution.find()


def _known(writer: Writer, batch: Batch) -> set[str]:
    """The batch's ids of which the store has pieces."""
    if not len(batch.ids):
        return set()
    low, high = _instant(batch.earliest), _instant(batch.latest)
    found = writer.known_ids(
        batch.origin, batch.ids, _moved(low, -JOIN_GAP), _moved(high, JOIN_GAP)
    )
    return set(found.to_pylist())


def _before(writer: Writer, batch: Batch) -> tuple[pa.Table | None, pa.Table | None]:
    """What the batch's first parts continue."""
    n = len(batch.carried)
    used = batch.used[:n].nonzero()[0]
    if not len(used):
        return None, None
    firsts = batch.parts["first_offset"].slice(0, n).to_pylist()
    heads = pa.table(
        {
            "id": pa.array([batch.carried[i] for i in used], pa.string()),
            "before": pa.array([firsts[i] for i in used], pa.int64()),
        }
    )
    pieces = writer.last_pieces(batch.origin, heads)
    is_ended = [i in batch.ended for i in heads["id"].to_pylist()]
    ended = kernels.select(heads, pa.array(is_ended, pa.bool_()))
    if not ended.num_rows:  # what an open part is of has rows of request_parts
        return pieces, None
    low, high = _moved(_instant(batch.earliest), -GRACE), _moved(_instant(batch.latest), GRACE)
    return pieces, writer.last_requests(batch.origin, ended, low, high)


def _windows(windows: Sequence[Window]) -> tuple[pa.Table, datetime, datetime]:
    """The windows, a minute wider, as the store is asked for them; their first and last instant."""
    lows = [_moved(_instant(low), -GRACE) for _, low, _ in windows]
    highs = [_moved(_instant(high), GRACE) for _, _, high in windows]
    instants = pa.timestamp("us", "UTC")
    table = pa.table(
        {
            "id": pa.array([name for name, _, _ in windows], pa.string()),
            "low": pa.array(lows, instants),
            "high": pa.array(highs, instants),
        }
    )
    return table, min(lows), max(highs)


def _instant(micros: int) -> datetime:
    """Microseconds since the epoch, kept within what a datetime can hold."""
    try:
        return EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return _LAST if micros > 0 else _FIRST


def _moved(at: datetime, by: timedelta) -> datetime:
    try:
        return min(max(at + by, _FIRST), _LAST)
    except OverflowError:
        return _LAST if by > timedelta(0) else _FIRST
