"""Work on a whole ClickHouse store: retention, and giving space back to the server's disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from ingest.errors import UsageProblem
from ingest.model import EPOCH
from ingest.stores.clickhouse import months
from ingest.stores.clickhouse.cluster import change, parts, table_of_part
from ingest.stores.clickhouse.layout import ROWS, TABLES, Seen
from ingest.stores.clickhouse.ledger import looked, sweep
from ingest.stores.clickhouse.notes import note
from ingest.stores.clickhouse.texts import clear_texts, has_text
from ingest.stores.clickhouse.types import bounded
from ingest.stores.contract import AGE_COLUMNS, FOLLOWERS, Minute, Space, Subject

if TYPE_CHECKING:
    from ingest.stores.clickhouse.connection import Session
    from ingest.stores.clickhouse.store import ClickHouseStore
    from ingest.stores.clickhouse.writer import ClickHouseWriter

_MINUTE_SECONDS, _DAY_SECONDS = 60, 86_400
_BEFORE = "{before:DateTime64(6, 'UTC')}"
_OLD = f"(select request_key from {{requests}} where logged_at < {_BEFORE})"
_STATE = ("log_files", "ingest_runs", "pruned")


class ClickHouseUpkeep:
    """See :class:`ingest.stores.contract.Upkeep`."""

    def __init__(self, store: "ClickHouseStore") -> None:
        self._store = store

    def minutes(self, table: str, subject: Subject, before: datetime) -> list[Minute]:
        with self._looking() as (session, seen):
            age, source, which = AGE_COLUMNS[table], seen.table(table), "true"
            if table in FOLLOWERS and subject == "rows":
                age = "coalesce(r.logged_at, f.logged_at)"
                source = (
                    f"{source} as f left join {seen.table('requests')} as r "
                    "on r.request_key = f.request_key"
                )
            elif subject == "rows":
                which = _which(table).replace("{requests}", seen.table("requests"))
                which = which.replace("{ingest_runs}", seen.table("ingest_runs"))
            else:
                which = has_text(table)
            unit = _DAY_SECONDS if subject == "rows" else _MINUTE_SECONDS
            rows = session.rows(
                f"select toInt64(floor(toUnixTimestamp64Micro({age}) / {unit * 1_000_000})) as at, "
                f"count() from {source} where {age} < {_BEFORE} and ({which}) "
                "group by at order by at",
                {"before": bounded(before)},
            )
        counts = {int(at): int(n) for at, n in rows}
        if subject == "texts":
            return [Minute(at, n) for at, n in counts.items()]
        begins = months.first_instants(counts, table, bounded(before))
        return [
            Minute((at - EPOCH) // timedelta(seconds=_MINUTE_SECONDS), n)
            for at, n in begins.items()
        ]

    @contextmanager
    def _looking(self) -> "Iterator[tuple[Session, Seen]]":
        with self._store.session("reads") as session:
            yield session, looked(session)

    def remove(self, table: str, before: datetime) -> dict[str, int]:
        """Whole months by their partitions, else a day after the other: the server has the keys of
        a day's rows in memory. Whoever is killed meanwhile leaves whole days, or a month that the
        next one removes.
        """
        removed: dict[str, int] = {}
        with self._looking() as (session, _):
            found = months.whole_months(session, table, bounded(before))
        for month in found:
            _add(removed, self._remove_month(table, month, before))
        for until in self._days(table, before):
            _add(removed, self._remove(table, until, before))
        return removed

    def _remove_month(self, table: str, month: datetime, before: datetime) -> dict[str, int]:
        """Note that a month's rows are removed, then drop its partitions: those of what follows
        requests first. Nothing is done where it has rows that must stay.
        """
        followers = FOLLOWERS if table == "requests" else ()
        dropped = [*months.MONTHLY_FOLLOWERS, table] if followers else [table]
        binds = {"since": month, "until": months.end_of(month)}
        with self._store.writing() as writer:
            if followers and months.has_others(writer.versions, month):
                return {}
            removed = {t: writer.versions.count(t, months.within(t), binds) for t in dropped}
            for name in followers:
                keys = f"(select request_key from {{requests}} where {months.within('requests')})"
                which = f"request_key in {keys}"
                if name in dropped:
                    which += f" and {months.MONTHLY[name]} >= {{until:DateTime64(6, 'UTC')}}"
                late = writer.versions.count(name, which, binds)
                if late:
                    _note_latest(writer, name, which, binds, before)
                    writer.versions.remove({name: which}, binds)
                removed[name] = removed.get(name, 0) + late
            for name, count in removed.items():
                if count:
                    note(writer.versions, name, count, rows_before=before)
            writer.commit([], None)
        with self._store.session("prunes") as session:
            for name in dropped:
                months.drop(session, name, month)
        self._sweep()
        return removed

    def _days(self, table: str, before: datetime) -> "Iterator[datetime]":
        """The ends of the days that have old rows; the last one is ``before``."""
        with self._looking() as (session, seen):
            age = AGE_COLUMNS[table]
            days = session.rows(
                f"select distinct toInt64(floor(toUnixTimestamp64Micro({age}) / "
                f"{_DAY_SECONDS * 1_000_000})) as day from {seen.table(table)} "
                f"where {age} < {_BEFORE} order by day",
                {"before": bounded(before)},
            )
        yield from (EPOCH + timedelta(days=int(day) + 1) for (day,) in days[:-1])
        yield before

    def _remove(self, table: str, until: datetime, before: datetime) -> dict[str, int]:
        """Remove the rows older than ``until``; what is noted is the age that was asked for."""
        removed: dict[str, int] = {}
        with self._store.writing() as writer:
            binds = {"before": bounded(until)}
            if table == "requests":
                for follower in FOLLOWERS:
                    removed[follower] = _remove_followers(writer, follower, until, before)
            which = f"{AGE_COLUMNS[table]} < {_BEFORE} and {_which(table)}"
            removed[table] = writer.versions.count(table, which, binds)
            writer.versions.remove({table: which}, binds)
            if removed[table]:
                note(writer.versions, table, removed[table], rows_before=before)
            writer.commit([], None)
        self._sweep()
        return removed

    def clear_texts(self, table: str, before: datetime) -> int:
        with self._store.writing() as writer:
            old, binds = f"{AGE_COLUMNS[table]} < {_BEFORE}", {"before": bounded(before)}
            count = clear_texts(writer.versions, table, old, binds)
            if count:
                note(writer.versions, table, 0, texts_before=before)
            writer.commit([], None)
        self._sweep()
        return count

    def _sweep(self) -> None:
        """Delete at once what is hidden now: a text that is to go must not stay on the disk."""
        with self._store.session("prunes") as session:
            sweep(session, timedelta(0))

    def owes_space(self) -> bool:
        with self._looking() as (session, seen):
            sql = f"select count() from {seen.table('pruned')} where pruned_at is null"
            return bool(session.value(sql))

    def space(self) -> Space:
        with self._looking() as (session, seen):
            found = session.rows(
                f"select table, sum(bytes_on_disk) from {parts(session)} "
                "where active and database = currentDatabase() group by table"
            )
            sizes = {table_of_part(str(table)): size for table, size in found}
            rows = {
                t: int(session.value(f"select count() from {seen.table(t)}")) for t in AGE_COLUMNS
            }
        shares = {t: (int(sizes.get(t + ROWS, 0)), n) for t, n in rows.items()}
        return Space(int(sum(sizes.values())), 0, shares)

    def require_prunable(self) -> None:
        pass

    def give_back(self, at: datetime) -> None:
        """Rows that were deleted leave the disk when their parts are written anew: so these are
        now, and no others.
        """
        with self._store.session("gives space back") as session:
            touched = session.rows(
                f"select distinct table from {parts(session)} where active "
                "and database = currentDatabase() and has_lightweight_delete"
            )
            for table in (table_of_part(str(t)) for (t,) in touched):
                if table.removesuffix(ROWS) in TABLES:
                    change(session, table, "alter table {table} apply deleted mask")
        with self._store.writing() as writer:
            binds = {"at": bounded(at)}
            rows = writer.versions.arrow(
                "select * replace ({at:DateTime64(6, 'UTC')} as pruned_at) from "
                "(select * from {pruned} where pruned_at is null)",
                binds,
            )
            if rows.num_rows:
                writer.versions.remove({"pruned": "pruned_at is null"}, binds)
                writer.versions.insert("pruned", rows)
            writer.commit([], None)

    def state(self) -> str:
        with self._looking() as (session, seen):
            told = [
                session.value(f"select sum(cityHash64(*)) from {seen.table(t)}") for t in _STATE
            ]
        return f"{self._store.revision()} {told}"

    def state_of_copy(self, path: Path) -> str | None:
        _no_copies()

    def copy(self, target: Path) -> dict[str, int]:
        _no_copies()

    def export(self, folder: Path) -> dict[str, int]:
        _no_copies()


def _no_copies() -> NoReturn:
    """:raises UsageProblem: always."""
    raise UsageProblem(
        "a ClickHouse store is not published: readers connect to ClickHouse itself",
        "that delays no ingest; for a role that can only read: ttsq db grant-reader ROLE; a view "
        "as Parquet: ttsq sql 'select * from all_requests' -o all_requests.parquet",
    )


def _which(table: str) -> str:
    """Which rows that are old enough may go."""
    if table in FOLLOWERS:
        return "(request_key is null or request_key not in (select request_key from {requests}))"
    # the last run stays: people look for it
    return (
        "run_key < (select max(run_key) from {ingest_runs})" if table == "ingest_runs" else "true"
    )


def _remove_followers(
    writer: "ClickHouseWriter", table: str, until: datetime, before: datetime
) -> int:
    """Remove the rows that follow requests older than ``until``."""
    binds = {"before": bounded(until)}
    which = f"request_key in {_OLD}"
    gone = writer.versions.count(table, which, binds)
    if gone:
        _note_latest(writer, table, which, binds, before)
        writer.versions.remove({table: which}, binds)
        note(writer.versions, table, gone, rows_before=before)
    return gone


def _note_latest(
    writer: "ClickHouseWriter",
    table: str,
    which: str,
    binds: dict[str, datetime],
    before: datetime,
) -> None:
    """Rows that follow requests may be younger than these: the note must say up to where rows are
    missing.
    """
    ((latest,),) = writer.versions.rows(
        f"select max(logged_at) from {{{table}}} where {which}", binds
    )
    noted = max(bounded(before), latest + timedelta(microseconds=1))
    note(writer.versions, table, 0, rows_before=noted)


def _add(total: dict[str, int], more: dict[str, int]) -> None:
    for name, count in more.items():
        total[name] = total.get(name, 0) + count
