"""One log file's rows are taken out of a store, within a transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa

from ingest.model import Changes, Origin
from ingest.pipeline.answers import answer, write
from ingest.pipeline.changes import settle
from ingest.rows.described import CONTENT
from ingest.rows.removal import Removal
from ingest.stores.contract import Writer

_PARTS = 1000  # taken in one go; each may have a text of a megabyte
_ROWS = 50_000  # likewise, of rows without texts
# of a request, what access lines that answered it are found by
_TOLD = ["id", "request_id", "logged_at", "started_at", "completed_at"]


@dataclass
class Went:
    """Rows that are gone, by table."""

    rows: dict[str, int] = field(default_factory=dict)

    def add(self, table: str, count: int) -> None:
        """Count some more."""
        self.rows[table] = self.rows.get(table, 0) + count


def forget(
    writer: Writer, origin: Origin, now: Callable[[], datetime], *, own_stage_times: bool
) -> dict[str, int]:
    """Take a file's rows out; its pieces in quarantine are only set aside.

    Requests that have parts in other files, too, become what these alone are. What access lines
    answer is decided anew. ``own_stage_times`` as in :class:`ingest.rows.chunk.ChunkRows`.

    :return: rows that are gone, by table.
    """
    went, forgetter = Went(), writer.forgetter(origin.file_key)
    went.add("quarantine", forgetter.set_quarantine_aside())
    for table, count in forgetter.take_records().items():
        if table not in CONTENT:
            went.add(table, count)
    while True:
        pieces = forgetter.pieces(_PARTS)
        beside = forgetter.whole_beside(0 if pieces.num_rows else _PARTS)
        if not pieces.num_rows and not beside.num_rows:
            break
        removal = Removal(origin, pieces, beside, own_stage_times=own_stage_times)
        settle(writer, origin, removal)
        changes = removal.changes(now())
        write(writer, changes)
        went.add("requests", -changes.row_counts()["requests"])
        gone = [table.select(_TOLD) for table in (pieces, beside)]
        _answer(writer, "requests", gone, changes.delete_requests, now)
    _take(writer, went, "requests", forgetter.take_requests, now)
    _take(writer, went, "http_requests", forgetter.take_lines, now)
    return {table: count for table, count in went.rows.items() if count}


def _take(
    writer: Writer,
    went: Went,
    table: str,
    take: Callable[[int], pa.Table],
    now: Callable[[], datetime],
) -> None:
    """Take rows of a table out, and decide anew what lines answer in their time."""
    while (gone := take(_ROWS)).num_rows:
        went.add(table, gone.num_rows)
        keys = gone["request_key"].to_pylist() if table == "requests" else []
        _answer(writer, table, [gone], keys, now)


def _answer(
    writer: Writer,
    table: str,
    gone: Sequence[pa.Table],
    keys: Sequence[int],
    now: Callable[[], datetime],
) -> None:
    changes = Changes(quarantined_at=now(), rows={table: gone}, delete_requests=keys)
    answer(writer.answers, changes)
