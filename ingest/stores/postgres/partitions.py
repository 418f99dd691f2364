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
from ingest.records.arrays import Ints
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
LOCK_SECONDS = 1.0
_TURN_SECONDS = 60.0  # for whoever makes partitions, and may fill them; nobody waits behind us

# rows of a table that is no partition yet are neither published nor seen by the triggers of what it
# becomes a partition of
_MAY_FILL = """
select pg_try_advisory_xact_lock(%s) and not exists (select from pg_publication) and not exists (
    select from pg_trigger where tgrelid = any(%s::text[]::regclass[]) and not tgisinternal
)
"""

Days = Mapping[str, set[date]]


def partition_name(table: str, day: date) -> str:
    """What the partition of a UTC day is called."""
    return f"{table}_p{day:%Y%m%d}"


def default_name(table: str) -> str:
    """The partition of all other rows."""
    return f"{table}_default"


def day_number(day: date) -> int:
    """Days since the epoch."""
    return (day - EPOCH.date()).days


def numbers_of(column: "pa.ChunkedArray") -> Ints:
    """The UTC day of each instant, in days since the epoch."""
    numbers: Ints = column.cast("int64").to_numpy() // DAY_US
    return numbers


def days_of(column: "pa.ChunkedArray", today: date) -> set[date]:
    """The UTC days around the middle of some instants, and where that is now a few ahead."""
    numbers = numbers_of(column)
    if not len(numbers):
        return set()
    # rows stand by time, nearly: a day is a few runs
    runs = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    days, lengths = numbers[runs], np.diff(runs, append=len(numbers))
    order = np.argsort(days)
    middle = int(days[order][np.searchsorted(np.cumsum(lengths[order]), len(numbers) / 2)])
    near = {int(d) for d in days.tolist() if abs(d - middle) <= _AROUND.days}
    now = day_number(today)
    newest = max(near)
    if abs(newest - now) <= _AHEAD:
        near.update(range(newest + 1, newest + 1 + _AHEAD))
    first, last = day_number(date.min), day_number(date.max) - 1
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

    def settle(self, days: Days) -> None:
        """Note days that have a partition by now, or will have none."""
        for table, those in days.items():
            self._settled[table] |= those

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
            self.settle({table: days})
            self._connection.execute("begin isolation level read committed")
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
        connection.execute(f"set local lock_timeout = {int(_TURN_SECONDS * 1000)}")
        connection.execute("select pg_advisory_xact_lock(%s)", [self._key])
        connection.execute(f"set local lock_timeout = {int(LOCK_SECONDS * 1000)}")
        if not _lacking(connection, table, days):
            return
        connection.execute(f"lock table {default_name(table)} in access exclusive mode")
        for day in _makeable(connection, table, days):
            connection.execute(
                f"create table {partition_name(table, day)} (like {table} including all)"
            )
            connection.execute(attaching(table, day))

    def begin(self, missing: Days) -> Days | None:
        """Keep others from making partitions until the transaction ends, if nobody does just now,
        and nobody wants to be told of each row that is added to a table.

        :return: the days that can get one; None: somebody does.
        """
        connection = self._connection
        row = connection.execute(_MAY_FILL, [self._key, list(missing)]).fetchone()
        if not row or not row[0]:
            return None
        return {t: set(_makeable(connection, t, days)) for t, days in missing.items()}


def _lacking(connection: Connection, table: str, days: Iterable[date]) -> list[date]:
    """Those of some days that a partition may be made for."""
    there = partitions(connection, table)
    return sorted(set(days) - set(there))[: max(0, _MOST_PARTITIONS - len(there))]


def _makeable(connection: Connection, table: str, days: Iterable[date]) -> list[date]:
    """The same, without those of which the DEFAULT partition has rows, or somebody has detached the
    partition: it is theirs.
    """
    lacking = {partition_name(table, day): day for day in _lacking(connection, table, days)}
    if not lacking:
        return []
    taken = _days_in_default(connection, table)
    free = connection.execute(
        "select n from unnest(%s::text[]) as u(n) where to_regclass(n) is null order by n",
        [list(lacking)],
    ).fetchall()
    return [lacking[n] for (n,) in free if lacking[n] not in taken]


def _days_in_default(connection: Connection, table: str) -> set[date]:
    rows = connection.execute(
        f"select distinct cast(floor(extract(epoch from {PARTITIONED[table]}) / 86400) as bigint) "
        f"from {default_name(table)}"
    ).fetchall()
    first, last = day_number(date.min), day_number(date.max)
    return {EPOCH.date() + timedelta(days=int(d)) for (d,) in rows if first <= d <= last}


def attaching(table: str, day: date) -> str:
    """The statement that makes a table the partition of a day.

    Attaching locks only the DEFAULT partition; creating one in place would lock the table.
    """
    bounds = f"from ('{_midnight(day)}') to ('{_midnight(day + timedelta(days=1))}')"
    return f"alter table {table} attach partition {partition_name(table, day)} for values {bounds}"


def _midnight(day: date) -> str:
    return f"{day.isoformat()} 00:00:00+00"


def begins(day: date) -> datetime:
    """The instant that a UTC day begins at."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
