"""Work on a whole PostgreSQL store: retention, and giving space back to the server's disk."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, Protocol

import psycopg
from psycopg import errors

from ingest.errors import UsageProblem
from ingest.rows.user_text import FIGURE
from ingest.stores.contract import (
    AGE_COLUMNS,
    FOLLOWERS,
    Minute,
    Space,
    Subject,
    text_changes,
)
from ingest.stores.postgres.partitions import PARTITIONED, begins, partitions

Connection = psycopg.Connection[tuple[Any, ...]]

# Whoever reads a partition keeps it from being dropped or rewritten, and whoever comes behind us
# waits as long as we do.
_LOCK_SECONDS = 2.0
_DAY = timedelta(days=1)
_OURS = {*AGE_COLUMNS, "log_files", "pruned", "alembic_version"}
_STATE = "select md5(concat_ws('|', " + ", ".join(
    f"(select string_agg(cast(t as text), '|' order by cast(t as text)) from {table} t)"
    for table in ("log_files", "ingest_runs", "pruned", "alembic_version")
) + "))"  # fmt: skip

_HAS_TEXT = f"cast(attributes as text) !~ '^[{{]{FIGURE}(?:,{FIGURE})*[}}]$'"
_NO_TEXT = (
    "attributes = cast((select '{' || string_agg(f[1], ',' order by n) || '}' "
    f"from regexp_matches(cast(attributes as text), '{FIGURE}', 'g') with ordinality as m(f, "
    "n)) as json)"
)
TEXTS = text_changes(_NO_TEXT, _HAS_TEXT)
_NOTE = (
    "insert into pruned as p (table_name, pruned_before, text_pruned_before, rows, pruned_at) "
    "values (%s, %s, %s, %s, null) "
    "on conflict (table_name) do update set rows = p.rows + excluded.rows, pruned_at = null, "
    "pruned_before = greatest(p.pruned_before, excluded.pruned_before), "
    "text_pruned_before = greatest(p.text_pruned_before, excluded.text_pruned_before)"
)
_OLD = "(select request_key as key from requests where logged_at < %s) old"
_LEAVES = (
    "select c.relname, pg_total_relation_size(c.oid), p.relname "
    "from pg_class c left join pg_inherits i on i.inhrelid = c.oid "
    "left join pg_class p on p.oid = i.inhparent "
    "where c.relkind = 'r' and c.relnamespace = (select oid from pg_namespace where nspname "
    "= current_schema())"
)
# Rows that are gone or were replaced still take room; the counters of who has just done that come
# in with a delay.
_WASTEFUL = (
    f"select l.name from ({_LEAVES}) l(name, size, parent) join pg_stat_user_tables s "
    "on s.relname = l.name and s.schemaname = current_schema() "
    "where s.n_dead_tup * 5 > s.n_live_tup and s.n_dead_tup > 0 and coalesce(parent, l.name) "
    "= any(%s)"
)


class Sessions(Protocol):
    """What upkeep needs of a PostgreSQL store."""

    def session(self, purpose: str) -> AbstractContextManager[Connection]: ...


class PostgresUpkeep:
    """See :class:`ingest.stores.contract.Upkeep`."""

    def __init__(self, store: Sessions) -> None:
        self._store = store
        self._touched: set[str] = set()  # tables and partitions that have lost rows or words

    def minutes(self, table: str, subject: Subject, before: datetime) -> list[Minute]:
        age, source = AGE_COLUMNS[table], table
        if table in FOLLOWERS and subject == "rows":
            age = "coalesce(r.logged_at, f.logged_at)"
            source = f"{table} f left join requests r on r.request_key = f.request_key"
            which = "true"
        else:
            which = _which(table) if subject == "rows" else TEXTS[table][1]
        with self._store.session("reads") as connection:
            rows = connection.execute(
                f"select cast(floor(extract(epoch from {age}) / 60) as bigint), count(*) "
                f"from {source} where {age} < %s and {_escaped(which)} group by 1 order by 1",
                [before],
            ).fetchall()
        return [Minute(int(m), int(n)) for m, n in rows]

    def remove(self, table: str, before: datetime) -> dict[str, int]:
        removed: dict[str, int] = {}
        with self._store.session("prunes") as connection, connection.transaction():
            if table == "requests":
                for follower in FOLLOWERS:
                    removed[follower] = self._remove_followers(connection, follower, before)
            removed[table] = self._remove_old(connection, table, before)
            if removed[table]:
                _note(connection, table, removed[table], rows_before=before)
        return removed

    def _remove_old(self, connection: Connection, table: str, before: datetime) -> int:
        gone = 0
        if table in PARTITIONED and table not in FOLLOWERS:
            gone = _drop_days(connection, _whole_days(connection, table, before))
        return gone + self._changed(
            connection,
            f"delete from {table} where {AGE_COLUMNS[table]} < %s and {_which(table)} "
            "returning cast(cast(tableoid as regclass) as text)",
            [before],
        )

    def _remove_followers(self, connection: Connection, table: str, before: datetime) -> int:
        """Remove the rows that follow old requests."""
        latest = connection.execute(
            f"select max(logged_at) from {table} join {_OLD} on request_key = old.key", [before]
        ).fetchone()
        if latest is None or latest[0] is None:
            return 0
        gone = 0
        if table in PARTITIONED:
            days = _whole_days(connection, table, before)
            alone = {d: n for d, n in days.items() if not _has_others(connection, n, before)}
            gone = _drop_days(connection, alone)
        gone += self._changed(
            connection,
            f"delete from {table} using {_OLD} where request_key = old.key "
            f"returning cast(cast({table}.tableoid as regclass) as text)",
            [before],
        )
        # they may be younger than the request: the note must say up to where rows are missing
        until = max(before, latest[0] + timedelta(microseconds=1))
        _note(connection, table, gone, rows_before=until)
        return gone

    def clear_texts(self, table: str, before: datetime) -> int:
        change, which = TEXTS[table]
        with self._store.session("prunes") as connection, connection.transaction():
            cleared = self._changed(
                connection,
                f"update {table} set {_escaped(change)} "
                f"where {AGE_COLUMNS[table]} < %s and {_escaped(which)} "
                "returning cast(cast(tableoid as regclass) as text)",
                [before],
            )
            if cleared:
                _note(connection, table, 0, texts_before=before)
        return cleared

    def _changed(self, connection: Connection, sql: str, binds: list[object]) -> int:
        """Rows that a statement has changed; their partitions are noted."""
        counted = connection.execute(
            f"with changed(place) as ({sql}) select place, count(*) from changed group by 1", binds
        ).fetchall()
        self._touched.update(str(place) for place, _ in counted)
        return sum(int(count) for _, count in counted)

    def owes_space(self) -> bool:
        with self._store.session("reads") as connection:
            row = connection.execute(
                "select count(*) from pruned where pruned_at is null"
            ).fetchone()
        return bool(row and row[0])

    def space(self) -> Space:
        """The relations of the schema; what is free within them only a rewrite would tell."""
        sizes: dict[str, int] = dict.fromkeys(AGE_COLUMNS, 0)
        total = 0
        with self._store.session("reads") as connection:
            for name, size, parent in connection.execute(_LEAVES).fetchall():
                if (parent or name) in _OURS:
                    total += int(size)
                if (parent or name) in sizes:
                    sizes[parent or name] += int(size)
            rows = {
                t: int((connection.execute(f"select count(*) from {t}").fetchone() or (0,))[0])
                for t in sizes
            }
        return Space(total, 0, {t: (sizes[t], rows[t]) for t in sizes})

    def give_back(self, at: datetime) -> None:
        with self._store.session("gives space back") as connection:
            days = {t: partitions(connection, t) for t in PARTITIONED}
            _drop_empty(connection, days)
            wasteful = connection.execute(_WASTEFUL, [list(AGE_COLUMNS)]).fetchall()
            for name in sorted(self._touched | {str(row[0]) for row in wasteful}):
                _rewrite(connection, name)
            connection.execute("update pruned set pruned_at = %s where pruned_at is null", [at])
        self._touched.clear()

    def state(self) -> str:
        with self._store.session("reads") as connection:
            row = connection.execute(_STATE).fetchone()
        return str(row[0]) if row else ""

    def state_of_copy(self, path: Path) -> str | None:
        _no_copies()

    def require_prunable(self) -> None:
        pass

    def copy(self, target: Path) -> dict[str, int]:
        _no_copies()

    def export(self, folder: Path) -> dict[str, int]:
        _no_copies()


def _no_copies() -> NoReturn:
    """:raises UsageProblem: always."""
    raise UsageProblem(
        "a PostgreSQL store is not published: readers connect to PostgreSQL itself",
        "that delays no ingest; for a role that can only read: ttsq db grant-reader ROLE; a view "
        "as Parquet: ttsq sql 'select * from all_requests' -o all_requests.parquet",
    )


def _which(table: str) -> str:
    """Which rows that are old enough may go."""
    if table in FOLLOWERS:
        return f"not exists (select 1 from requests r where r.request_key = {table}.request_key)"
    # the last run stays: people look for it
    return "run_key < (select max(run_key) from ingest_runs)" if table == "ingest_runs" else "true"


def _escaped(sql: str) -> str:
    """A text of ours for a statement with parameters."""
    return sql.replace("%", "%%")


def _whole_days(connection: Connection, table: str, before: datetime) -> dict[date, str]:
    """The partitions of a table whose days have ended by an instant."""
    found = partitions(connection, table)
    return {d: n for d, n in sorted(found.items()) if begins(d) + _DAY <= before}


def _has_others(connection: Connection, partition: str, before: datetime) -> bool:
    """Whether a partition has rows that do not follow old requests."""
    row = connection.execute(
        f"select exists (select 1 from {partition} f where not exists "
        "(select 1 from requests r where r.request_key = f.request_key and r.logged_at < %s))",
        [before],
    ).fetchone()
    return bool(row and row[0])


def _drop_days(connection: Connection, days: Mapping[date, str]) -> int:
    """Drop whole partitions and count their rows; leave those that are read for long."""
    gone = 0
    for name in days.values():
        try:
            with connection.transaction():
                connection.execute(f"set local lock_timeout = {int(_LOCK_SECONDS * 1000)}")
                row = connection.execute(f"select count(*) from {name}").fetchone()
                connection.execute(f"drop table {name}")
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            return gone
        gone += int(row[0]) if row else 0
    return gone


def _drop_empty(connection: Connection, days: Mapping[str, Mapping[date, str]]) -> None:
    """Drop the partitions of pruned days that are empty; of other days one may just be new."""
    noted = connection.execute(
        "select table_name, pruned_before from pruned where pruned_before is not null"
    ).fetchall()
    for table, before in noted:
        for day, name in days.get(str(table), {}).items():
            if begins(day) + _DAY <= before:
                held = connection.execute(f"select 1 from {name} limit 1").fetchone()
                if held is None:
                    _drop_days(connection, {day: name})


def _rewrite(connection: Connection, name: str) -> None:
    """Rewrite a table without its dead rows; while it is read for long, free them for reuse."""
    found = connection.execute("select to_regclass(%s) is not null", [name]).fetchone()
    if found is None or not found[0]:
        return
    connection.execute(f"set lock_timeout = {int(_LOCK_SECONDS * 1000)}")
    try:
        connection.execute(f"vacuum (full, analyze) {name}")
    except errors.LockNotAvailable:
        connection.execute("reset lock_timeout")
        connection.execute(f"vacuum (analyze) {name}")
    finally:
        connection.execute("reset lock_timeout")


def _note(
    connection: Connection,
    table: str,
    rows: int,
    *,
    rows_before: datetime | None = None,
    texts_before: datetime | None = None,
) -> None:
    connection.execute(_NOTE, [table, rows_before, texts_before, rows])
