"""Day partitions of the large tables: made ahead, a few at a time, without stopping anybody.

A day without a partition of its own is in the table's DEFAULT partition: so a row always has a
place, and partitions are never a condition of storing it. A day that has rows there stays there.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import psycopg
from psycopg import errors

from ingest.lazily import matcher
from ingest.model import DAY_US, EPOCH
from ingest.rows.described import TABLES

if TYPE_CHECKING:
    import pyarrow as pa

Connection = psycopg.Connection[tuple[Any, ...]]

# the instant that a table's partitions go by
PARTITIONED: Mapping[str, str] = {t.name: t.at for t in TABLES if t.is_partitioned and t.at}
_NAME = matcher(r"_p(\d{8})$")
_AHEAD = 3  # days; made while the ones before are filled
_MOST_DAYS = 400  # new ones for one batch
_AROUND = timedelta(days=200)  # of a batch's middle row: what lies farther off has a wrong clock
_MOST_PARTITIONS = 4000  # of a table; planning a statement looks at each
# Adding a partition waits for whoever reads the DEFAULT one, and whoever comes then waits behind
# it.
_LOCK_SECONDS = 1.0

Days = Mapping[str, set[date]]


def partition_name(table: str, day: date) -> str:
    """What the partition of a UTC day is called."""
    return f"{table}_p{day:%Y%m%d}"


def default_name(table: str) -> str:
    """The partition of all other rows."""
    return f"{table}_default"


def days_of(column: "pa.ChunkedArray", today: date) -> set[date]:
    """The UTC days around the middle of some instants, and where that is now a few ahead."""
    micros = column.cast("int64").to_numpy()
    days, counts = np.unique(micros // DAY_US, return_counts=True)
    if not len(days):
        return set()
    middle = int(days[np.searchsorted(np.cumsum(counts), len(micros) / 2)])
    near = {int(d) for d in days.tolist() if abs(d - middle) <= _AROUND.days}
    now = (today - EPOCH.date()).days
    newest = max(near)
    if abs(newest - now) <= _AHEAD:
        near.update(range(newest + 1, newest + 1 + _AHEAD))
    first, last = (date.min - EPOCH.date()).days, (date.max - EPOCH.date()).days - 1
    chosen = [d for d in sorted(near, reverse=True) if first <= d <= last][:_MOST_DAYS]
    return {EPOCH.date() + timedelta(days=d) for d in chosen}


def partitions(connection: Connection, table: str) -> dict[date, str]:
    """The day partitions of a table."""
    rows = connection.execute(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid "
        "where i.inhparent = to_regclass(%s)",
        [table],
    ).fetchall()
    found = {}
    for (name,) in rows:
        match = _NAME.search(name)
        if match:
            found[datetime.strptime(match[1], "%Y%m%d").date()] = str(name)
    return found


class Partitions:
    """The partitions that a session knows of; it tries each missing day only once."""

    def __init__(self, connection: Connection, key: int) -> None:
        self._connection = connection
        self._key = key  # of the lock for making some
        self._settled: dict[str, set[date]] = {}

    def missing(self, wanted: Days) -> Days:
        """The days that have no partition yet, and were not tried yet."""
        found = {}
        for table, days in wanted.items():
            if table not in self._settled:
                self._settled[table] = set(partitions(self._connection, table))
            if days - self._settled[table]:
                found[table] = days - self._settled[table]
        return found

    def make(self, missing: Days) -> None:
        """Create partitions, one transaction per table; on conflict the DEFAULT one is used."""
        for table, days in missing.items():
            self._settled[table] |= days
            self._connection.execute("begin")
            try:
                self._make(table, days)
                self._connection.execute("commit")
            except (errors.LockNotAvailable, errors.DeadlockDetected):
                self._connection.execute("rollback")
            except BaseException:
                if not self._connection.closed:
                    self._connection.execute("rollback")
                raise

    def _make(self, table: str, days: Iterable[date]) -> None:
        connection = self._connection
        connection.execute(f"set local lock_timeout = {int(_LOCK_SECONDS * 1000)}")
        connection.execute("select pg_advisory_xact_lock(%s)", [self._key])
        there = partitions(connection, table)
        days = sorted(set(days) - set(there))[: max(0, _MOST_PARTITIONS - len(there))]
        if not days:
            return
        connection.execute(f"lock table {default_name(table)} in access exclusive mode")
        taken = _days_in_default(connection, table)
        for day in days:
            if day not in taken:
                _attach(connection, table, day)


def _days_in_default(connection: Connection, table: str) -> set[date]:
    rows = connection.execute(
        f"select distinct cast(floor(extract(epoch from {PARTITIONED[table]}) / 86400) as bigint) "
        f"from {default_name(table)}"
    ).fetchall()
    first, last = (date.min - EPOCH.date()).days, (date.max - EPOCH.date()).days
    return {EPOCH.date() + timedelta(days=int(d)) for (d,) in rows if first <= d <= last}


def _attach(connection: Connection, table: str, day: date) -> None:
    """Attaching locks only the DEFAULT partition; creating in place would lock the table."""
    name = partition_name(table, day)
    found = connection.execute("select to_regclass(%s) is not null", [name]).fetchone()
    if found is None or found[0]:
        return  # somebody has detached it: theirs
    connection.execute(f"create table {name} (like {table} including all)")
    bounds = f"from ('{_midnight(day)}') to ('{_midnight(day + timedelta(days=1))}')"
    connection.execute(f"alter table {table} attach partition {name} for values {bounds}")


def _midnight(day: date) -> str:
    return f"{day.isoformat()} 00:00:00+00"


def begins(day: date) -> datetime:
    """The instant that a UTC day begins at."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
