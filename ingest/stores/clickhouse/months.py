"""Months that are older than what is kept: their partitions are dropped, not their rows deleted."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ingest.model import EPOCH
from ingest.rows.described import TABLES
from ingest.stores.clickhouse.cluster import SHARD, change, parts
from ingest.stores.clickhouse.layout import ROWS
from ingest.stores.contract import FOLLOWERS

if TYPE_CHECKING:
    from ingest.stores.clickhouse.connection import Session
    from ingest.stores.clickhouse.versions import Versions

# the instant that a table's partitions go by
MONTHLY: Mapping[str, str] = {t.name: t.at for t in TABLES if t.is_partitioned and t.at}
# of those, the ones that go with the requests of their month
MONTHLY_FOLLOWERS = tuple(name for name in FOLLOWERS if name in MONTHLY)
_DAY = timedelta(days=1)
_SINCE, _UNTIL = "{since:DateTime64(6, 'UTC')}", "{until:DateTime64(6, 'UTC')}"


def month_of(instant: datetime) -> datetime:
    """The beginning of its month, in UTC."""
    return datetime(instant.year, instant.month, 1, tzinfo=UTC)


def end_of(month: datetime) -> datetime:
    """The beginning of the month after it."""
    return month_of(month + 32 * _DAY)


def first_instants(days: Mapping[int, int], table: str, before: datetime) -> dict[datetime, int]:
    """Rows by the day since the epoch, as rows by what is removed at once: whole months where the
    table has partitions, else days; the instant is when it begins.
    """
    found: dict[datetime, int] = {}
    for day, rows in sorted(days.items()):
        begins = EPOCH + day * _DAY
        month = month_of(begins)
        if table in MONTHLY and end_of(month) <= before:
            begins = month
        found[begins] = found.get(begins, 0) + rows
    return found


def whole_months(session: "Session", table: str, before: datetime) -> list[datetime]:
    """The months before an instant that a table has partitions of."""
    if table not in MONTHLY:
        return []
    found = session.rows(
        f"select distinct toUInt32(partition) as month from {parts(session)} where active "
        "and database = currentDatabase() and table in {tables:Array(String)} order by month",
        {"tables": [table + ROWS, table + ROWS + SHARD]},
    )
    months = (datetime(m // 100, m % 100, 1, tzinfo=UTC) for (m,) in found)
    return [month for month in months if end_of(month) <= before]


def has_others(versions: "Versions", month: datetime) -> bool:
    """Whether rows of followers stand in a month that do not go with its requests, so that its
    partitions cannot be dropped: a day after the other, since a day's keys are in memory.
    """
    day = month
    while day < end_of(month):
        binds: dict[str, object] = {"since": day, "until": day + _DAY, "near": day - _DAY}
        for name in MONTHLY_FOLLOWERS:
            sql = (
                f"select 1 from {{{name}}} where {MONTHLY[name]} >= {_SINCE} "
                f"and {MONTHLY[name]} < {_UNTIL} and (request_key is null "
                "or request_key not in (select request_key from {requests} "
                "where logged_at >= {near:DateTime64(6, 'UTC')} "
                f"and logged_at < {_UNTIL})) limit 1"
            )
            if versions.rows(sql, binds):
                return True
        day += _DAY
    return False


def within(name: str) -> str:
    """Which rows of a table are of a month, told as ``since`` and ``until``."""
    return f"{MONTHLY[name]} >= {_SINCE} and {MONTHLY[name]} < {_UNTIL}"


def drop(session: "Session", name: str, month: datetime) -> None:
    """Drop a table's partition of a month, on every shard; nothing where there is none."""
    change(session, name + ROWS, f"alter table {{table}} drop partition {month:%Y%m}")
