"""What a transaction asks of ``request_parts``.

Where its rows are few, which is so unless thousands of requests are open, all are read at once and
asked in memory: a statement takes DuckDB some milliseconds to plan, however few rows it reads, and
a batch has several questions. Else each question is a statement.
"""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb

from ingest.model import Origin
from ingest.records import kernels
from ingest.stores.duckdb.handed import related
from ingest.stores.duckdb.memory import Memory

if TYPE_CHECKING:
    import pyarrow as pa

_NARROW_BYTES = 16 << 20  # of all pieces together: however they are read, they fit little memory
_FEW = 10_000  # pieces that are asked in memory


class Pieces:
    """The rows of ``request_parts``, as one transaction finds them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, memory: Memory) -> None:
        self._connection = connection
        self._memory = memory
        self._bytes: int | None = None  # of all of them, as far as that was asked
        self._rows: pa.Table | None = None  # all of them, as they are
        self._are_many = False

    def added(self, table: "pa.Table") -> None:
        """Take note of rows that are inserted."""
        if self._bytes is not None:
            self._bytes += table.nbytes
        self.changed()

    def changed(self) -> None:
        """Take note that rows have changed, or are there no more."""
        self._rows = None

    def known(
        self, origin: Origin, ids: "pa.Array", earliest: datetime, latest: datetime
    ) -> "pa.Array":
        """As :meth:`ingest.stores.contract.Writer.known_ids`."""
        import pyarrow as pa

        if (rows := self._all()) is None:
            binds = (origin.host, origin.service, origin.file_key, earliest, latest)
            batch_ids = pa.table({"id": ids})
            return self._asked(_KNOWN, binds, batch_ids=batch_ids)["id"].combine_chunks()
        rows = _of(rows, origin)
        instants = rows["logged_at"].type
        is_near = kernels.both(
            kernels.call("greater_equal", rows["last_at"], pa.scalar(earliest, instants)),
            kernels.call("less_equal", rows["logged_at"], pa.scalar(latest, instants)),
        )
        is_mine = kernels.call("equal", rows["file_key"], pa.scalar(origin.file_key, pa.int64()))
        found = kernels.select(rows["id"], kernels.call("or", is_mine, is_near))
        stored = kernels.drop_null(found.combine_chunks())
        return kernels.unique(kernels.select(ids, kernels.is_in(ids, stored)))

    def last(self, origin: Origin, heads: "pa.Table") -> "pa.Table":
        """As :meth:`ingest.stores.contract.Writer.last_pieces`."""
        if (rows := self._all()) is None:
            key = origin.file_key
            return self._asked(_LAST, (key, key), batch_heads=heads)
        before = dict(zip(*heads.select(["id", "before"]).to_pydict().values(), strict=True))
        narrow = _narrow(rows, heads["id"], ("id", "file_key", "first_offset"))
        last: dict[str, tuple[int, int]] = {}  # of each id an offset, and the row that has it
        for place, name, file_key, offset in narrow:
            if file_key == origin.file_key and offset < before[name]:
                last[name] = max(last.get(name, (-1, -1)), (offset, place))
        return _at(rows, sorted(place for _, place in last.values()))

    def near(self, origin: Origin, windows: "pa.Table") -> "pa.Table":
        """As :meth:`ingest.stores.contract.Writer.pieces_near`."""
        if (rows := self._all()) is None:
            return self._asked(_NEAR, (origin.host, origin.service), batch_windows=windows)
        names = ("id", "host", "service", "request_key", "logged_at", "last_at",
                 "start_offset", "end_offset")  # fmt: skip
        mine: dict[str, list[tuple[int, datetime, datetime, bool]]] = {}
        for _, name, host, service, key, at, last, start, end in _narrow(
            rows, windows["id"], names
        ):
            if (host, service) == (origin.host, origin.service):
                mine.setdefault(name, []).append((key, at, last, (start is None) != (end is None)))
        found = set[int]()
        for name, low, high in zip(*windows.to_pydict().values(), strict=True):
            pieces = mine.get(name, ())
            loose = [at for _, at, _, is_loose in pieces if is_loose]
            edges = {
                max((at for at in loose if at < low), default=None),
                min((at for at in loose if at > high), default=None),
            }
            found.update(
                key
                for key, at, last, is_loose in pieces
                if (last >= low and at <= high) or (is_loose and at in edges)
            )
        return _with_keys(rows, found)

    def _all(self) -> "pa.Table | None":
        """All rows where they are few; None where they are many, or of long texts."""
        self._allow()
        if self._rows is None and not self._are_many:
            self._rows = self._asked(f"from request_parts limit {_FEW + 1}", ())
            if self._rows.num_rows > _FEW:
                self._rows, self._are_many = None, True
        return self._rows

    def _allow(self) -> None:
        """Allow more memory to read the rows, where these have long texts at all."""
        if self._bytes is None:
            self._memory.allow_more()
            row = self._connection.execute(_BYTES).fetchone()
            self._bytes = int(row[0]) if row else 0
        if self._bytes > _NARROW_BYTES:
            self._memory.allow_more()
            self._rows, self._are_many = None, True

    def _asked(self, sql: str, binds: tuple[object, ...], **tables: "pa.Table") -> "pa.Table":
        return related(self._connection, sql, binds, **tables)


def _of(rows: "pa.Table", origin: Origin) -> "pa.Table":
    """The rows of a host and a service."""
    import pyarrow as pa

    is_here = kernels.both(
        kernels.call("equal", rows["host"], pa.scalar(origin.host, pa.string())),
        kernels.call("equal", rows["service"], pa.scalar(origin.service, pa.string())),
    )
    return kernels.select(rows, is_here)


def _narrow(
    rows: "pa.Table", names: "pa.ChunkedArray", columns: tuple[str, ...]
) -> list[tuple[Any, ...]]:
    """Of the rows with one of these ids the place and the values of some columns."""
    places = kernels.are_in(rows["id"], names.combine_chunks()).nonzero()[0]
    found = kernels.take(rows.select(columns), places).to_pydict()
    return list(zip(places.tolist(), *found.values(), strict=True))


def _at(rows: "pa.Table", places: list[int]) -> "pa.Table":
    import numpy as np

    return kernels.take(rows, np.array(places, np.int64))


def _with_keys(rows: "pa.Table", keys: set[int]) -> "pa.Table":
    import pyarrow as pa

    among = kernels.are_in(rows["request_key"], pa.array(sorted(keys), pa.int64()))
    return kernels.select(rows, among)


_KNOWN = """
select distinct p.id from request_parts p semi join batch_ids b on p.id = b.id
where p.host = ? and p.service = ? and (p.file_key = ? or (p.last_at >= ? and p.logged_at <= ?))
"""

_BYTES = """
select coalesce(sum(coalesce(strlen(text), 0) + coalesce(strlen(attributes), 0)
    + coalesce(strlen(id), 0) + coalesce(strlen(request_id), 0) + 256), 0)::bigint
from request_parts
"""

_LAST = """
select p.* from request_parts p join (
    select p.id, max(p.first_offset) as place
    from request_parts p join batch_heads b on p.id = b.id and p.first_offset < b.before
    where p.file_key = ? group by p.id
) as l on p.id = l.id and p.first_offset = l.place
where p.file_key = ?
"""

# Narrow rows first: an id may have any number of them. A request is fetched with all its rows.
_NEAR = """
with windows as materialized (
    from batch_windows
), mine as materialized (
    select p.id, p.request_key, p.logged_at, p.last_at,
        (p.start_offset is null) <> (p.end_offset is null) as is_loose
    from request_parts p semi join windows w on p.id = w.id
    where p.host = ? and p.service = ?
), edges as (
    select w.id, w.low, w.high,
        max(case when m.is_loose and m.logged_at < w.low then m.logged_at end) as before,
        min(case when m.is_loose and m.logged_at > w.high then m.logged_at end) as behind
    from windows w join mine m on m.id = w.id
    group by w.id, w.low, w.high
), found as (
    select m.request_key from mine m join edges e on e.id = m.id
    where (m.last_at >= e.low and m.logged_at <= e.high)
       or (m.is_loose and (m.logged_at = e.before or m.logged_at = e.behind))
)
select p.* from request_parts p semi join found f on p.request_key = f.request_key
"""
