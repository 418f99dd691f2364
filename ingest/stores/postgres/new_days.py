"""Rows of days that have no partition yet: they fill tables of their own, which get their indexes
and become partitions once they are full.

To build an index over a day's rows costs a third of adding them to it one by one. Nobody sees such
a table before the transaction has committed; readers of the DEFAULT partition wait from the moment
that it becomes a partition until then.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from psycopg import errors

from ingest.records.arrays import Ints
from ingest.stores.postgres.copy import Step, steps
from ingest.stores.postgres.partitions import (
    LOCK_SECONDS,
    PARTITIONED,
    Connection,
    Days,
    attaching,
    day_number,
    default_name,
    numbers_of,
    partition_name,
)

if TYPE_CHECKING:
    import pyarrow as pa

MOST = 100  # in one transaction: each takes ten locks, and a server has room for some six thousand
_PAUSE_SECONDS = 0.02  # between attempts to have the DEFAULT partitions for itself
_STALL_SECONDS = 60  # of this process, behind which the server ends the transaction: readers wait
# a constraint's index is made with the constraint, by attaching
_INDEXES = """
select case when i.indisunique then 'unique ' else '' end,
    substring(pg_get_indexdef(i.indexrelid) from ' USING .*$')
from pg_index i where i.indrelid = to_regclass(%s) and i.indisvalid
and not exists (select 1 from pg_constraint c where c.conindid = i.indexrelid)
order by i.indexrelid
"""


class NewDays:
    """The partitions that a transaction makes, and fills.

    :ivar days: of each table, those whose rows go to tables of their own.
    """

    def __init__(self, connection: Connection, days: Days) -> None:
        self._connection = connection
        self.days: Mapping[str, Sequence[date]] = {t: sorted(d) for t, d in days.items() if d}
        self._indexes = {t: connection.execute(_INDEXES, [t]).fetchall() for t in self.days}

    def made(self) -> Iterator[Step]:
        """What makes the tables: all at first, so that rows are encoded while indexes are built."""
        if self.days:
            yield Step("; ".join(_making(t, day) for t, days in self.days.items() for day in days))

    def steps(self, name: str, rows: "Sequence[pa.Table]") -> Iterator[Step]:
        """What stores a table's rows."""
        days = self.days.get(name, ())
        split = [(table, *_places(table, name, days)) for table in rows]
        for table, rest, _ in split:
            if len(rest):
                yield from steps(name, _chosen(table, rest))
        for day in days:
            for table, _, places in split:
                if len(places[day]):
                    yield from steps(partition_name(name, day), _chosen(table, places[day]))
        if days:
            yield Step("; ".join(s for day in days for s in self._indexing(name, day)))

    def _indexing(self, name: str, day: date) -> list[str]:
        partition = partition_name(name, day)
        return [f"create {kind}index on {partition}{how}" for kind, how in self._indexes[name]]

    def attach(self) -> bool:
        """Make partitions of those tables; whether nobody was in the way of that for long.

        Nobody is waited for meanwhile, so nobody has to wait behind us.
        """
        connection = self._connection
        connection.execute(f"set local lock_timeout = {int(LOCK_SECONDS * 1000)}")
        deadline = time.monotonic() + LOCK_SECONDS
        while not self._attach():
            if time.monotonic() > deadline:
                return False
            time.sleep(_PAUSE_SECONDS)
        connection.execute(
            "set local lock_timeout to default; "
            f"set local idle_in_transaction_session_timeout = {_STALL_SECONDS * 1000}"
        )
        return True

    def _attach(self) -> bool:
        defaults = ", ".join(map(default_name, self.days))
        attached = [attaching(table, day) for table, days in self.days.items() for day in days]
        try:
            with self._connection.transaction():
                self._connection.execute(f"lock table {defaults} in access exclusive mode nowait")
                self._connection.execute("; ".join(attached))
        except (errors.LockNotAvailable, errors.DeadlockDetected, errors.CheckViolation):
            return False
        return True


def _making(name: str, day: date) -> str:
    partition = partition_name(name, day)
    return f"create table {partition} (like {name} including all excluding indexes)"


def _places(table: "pa.Table", name: str, days: Sequence[date]) -> tuple[Ints, Mapping[date, Ints]]:
    """Which rows are of none of some days, and which are of each."""
    if not days:
        return np.arange(table.num_rows), {}
    numbers = numbers_of(table[PARTITIONED[name]])
    places = {day: np.flatnonzero(numbers == day_number(day)) for day in days}
    rest = np.ones(table.num_rows, np.bool_)
    for found in places.values():
        rest[found] = False
    return np.flatnonzero(rest), places


def _chosen(table: "pa.Table", rows: Ints) -> "pa.Table":
    """Rows of a table: not copied where they follow each other."""
    first, last = int(rows[0]), int(rows[-1])
    return table.slice(first, len(rows)) if last - first + 1 == len(rows) else table.take(rows)
