"""Requests that are not whole yet, kept out of a transaction's rows until it ends.

Most of them become whole with the next batch of the transaction, which deletes them. Where one row
of a table is deleted in the transaction that inserted it, DuckDB does not take over what it has
written of the table: it reads all its rows of the transaction again and compresses them once more.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingest.model import Changes

if TYPE_CHECKING:
    import pyarrow as pa


class OpenRequests:
    """Rows of ``requests`` that wait, of one transaction.

    What is decided about requests does not see them: their parts, in ``request_parts``, stand for
    them.
    """

    def __init__(self) -> None:
        self._rows: list[pa.Table] = []

    def without(self, changes: Changes, *, last: bool) -> Changes:
        """``changes`` as they are to be written: those of its requests wait that are not whole, and
        what it deletes of those that wait is gone. ``last``: no further one waits.
        """
        gone = self._forget(changes.delete_requests) if self._rows else frozenset[int]()
        deletes = [key for key in changes.delete_requests if key not in gone]
        changes = changes._replace(delete_requests=deletes)
        return changes if last else self._keep(changes)

    def take(self) -> "list[pa.Table]":
        """The rows that wait; from now on none does."""
        rows, self._rows = [t for t in self._rows if t.num_rows], []
        return rows

    def _forget(self, keys: Sequence[int]) -> frozenset[int]:
        """Drop the rows with these keys; those that there were."""
        import pyarrow as pa

        from ingest.records import kernels

        deleted, found = pa.array(sorted(set(keys)), pa.int64()), set[int]()
        for i, table in enumerate(self._rows):
            hit = kernels.are_in(table["request_key"], deleted)
            found.update(kernels.select(table["request_key"], hit).to_pylist())
            self._rows[i] = kernels.select(table, ~hit)
        return frozenset(found)

    def _keep(self, changes: Changes) -> Changes:
        import pyarrow as pa

        from ingest.records import kernels

        parts = [t["request_key"] for t in changes.rows.get("request_parts", ())]
        loose = pa.chunked_array([c for keys in parts for c in keys.chunks], pa.int64())
        if not len(loose):
            return changes
        stay = []
        for table in changes.rows.get("requests", ()):
            waits = kernels.are_in(table["request_key"], loose.combine_chunks())
            if waits.any():
                self._rows.append(kernels.select(table, waits))
                table = kernels.select(table, ~waits)
            stay.append(table)
        return changes._replace(rows={**changes.rows, "requests": stay})
