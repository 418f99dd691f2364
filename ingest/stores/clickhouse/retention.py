"""How long the server itself keeps rows: a TTL of the tables whose rows have an age.

The server drops a part of a table once all of its rows are too old. What it may have dropped is
noted beforehand, as of rows that were pruned, so that nobody takes such rows for lost.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from ingest.errors import UsageProblem
from ingest.lazily import matcher
from ingest.stores.clickhouse.cluster import SHARD, change, of_shards
from ingest.stores.clickhouse.layout import ROWS
from ingest.stores.clickhouse.months import MONTHLY
from ingest.stores.clickhouse.notes import note, pruned_before

if TYPE_CHECKING:
    from ingest.stores.clickhouse.connection import Session
    from ingest.stores.clickhouse.writer import ClickHouseWriter

_DAYS = matcher(r"(\d{1,4})d")
_TTL = matcher(r"\bTTL .*?toIntervalDay\((\d+)\)")
# the server reckons a TTL in seconds from 1970 to 2106, and takes what overflows for long past
_FIRST, _LAST = "1971-01-01 00:00:00", "2070-01-01 00:00:00"
# a part goes as a whole, and its rows are not written anew for that
_SETTINGS = "ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1"
# noted so much ahead: the next ingest may come that much later than this one
_AHEAD = timedelta(days=2)


def days_of(written: str) -> int | None:
    """The days that ``400d`` names, 0 of ``0d``: as long as nobody prunes; None where nothing is
    said.

    :raises UsageProblem: for anything else.
    """
    if not written:
        return None
    found = _DAYS.fullmatch(written.strip())
    if found is None:
        raise UsageProblem(
            f"retention is given {written!r}, expected 1 to 9999 days, such as 400d",
            "0d: rows are kept until ttsq prune removes them",
        )
    return int(found[1])


def keep(session: "Session", days: int) -> None:
    """Let the server keep rows for so many days, on every shard; 0: for good."""
    stored: dict[str, set[int]] = {}
    for table, engine in session.rows(
        f"select name, engine_full from {of_shards(session, 'system.tables')} "
        "where database = {database:String} and engine like '%MergeTree'",
        {"database": session.server.database},
    ):
        told = _TTL.search(str(engine))
        of_table = stored.setdefault(str(table).removesuffix(SHARD), set())
        of_table.add(int(told[1]) if told else 0)
    for name, at in MONTHLY.items():
        if stored.get(name + ROWS) == {days}:
            continue
        if days:
            change(session, name + ROWS, f"alter table {{table}} modify setting {_SETTINGS}")
            change(session, name + ROWS, f"alter table {{table}} modify ttl {_ttl(at, days)}")
        else:
            change(session, name + ROWS, "alter table {table} remove ttl")


def _ttl(at: str, days: int) -> str:
    first, last = (f"toDateTime64('{i}', 6, 'UTC')" for i in (_FIRST, _LAST))
    return f"toDateTime(least(greatest({at}, {first}), {last})) + toIntervalDay({days})"


def noted_until(days: int, now: datetime) -> datetime:
    """What may be gone before the next ingest: rows older than this."""
    until = now.astimezone(UTC) - timedelta(days=days) + _AHEAD
    return until.replace(hour=0, minute=0, second=0, microsecond=0)


def note_all(writer: "ClickHouseWriter", until: datetime) -> None:
    """Note of each table that the server drops rows of it that are older."""
    for name in MONTHLY:
        note(writer.versions, name, 0, rows_before=until)


def is_noted(session: "Session", until: datetime) -> bool:
    """Whether that is noted already."""
    told = pruned_before(session)
    return all(name in told and told[name] >= until for name in MONTHLY)
