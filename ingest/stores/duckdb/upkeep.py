"""Work on a whole DuckDB store: retention, giving space back, copies for BI readers."""

import os
import shutil
import stat
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

import duckdb

from ingest.errors import StoreError
from ingest.rows.described import TABLES
from ingest.rows.user_text import FIGURE
from ingest.stores.contract import (
    AGE_COLUMNS,
    FOLLOWERS,
    Minute,
    Space,
    Subject,
    text_changes,
)
from ingest.stores.duckdb.connection import ROW_GROUP_SIZE, STORAGE_VERSION
from ingest.stores.durable import sync
from ingest.stores.views import VIEWS

Connection = duckdb.DuckDBPyConnection

# With one thread DuckDB packs what it copies loosely (a third larger files), and 160 MB make it
# spill.
_COPY_SETTINGS: Mapping[str, Any] = {
    "threads": 2,
    "memory_limit": "1GB",
    "storage_compatibility_version": STORAGE_VERSION,
}
_EXPORTED = tuple(t.name for t in TABLES if t.is_published)
_VIEWS = tuple(v.name for v in VIEWS)
_PUBLISHED = (*_EXPORTED, "alembic_version")
_STATE_KEY = "ttsq_state"
# every commit changes a row of one of these
_STATE = "select md5(concat_ws('|', " + ", ".join(
    f"(select string_agg(t::varchar, '|' order by t::varchar) from {{source}}{table} t)"
    for table in ("log_files", "ingest_runs", "pruned", "alembic_version")
) + "))"  # fmt: skip

_ONLY_FIGURES = f"[{{]{FIGURE}(?:,{FIGURE})*[}}]"
_FIGURES_LEFT = (
    f"nullif('{{' || array_to_string(regexp_extract_all(attributes::varchar, '{FIGURE}'), ',') "
    f"|| '}}', '{{}}')::json"
)
_HAS_TEXT = f"not regexp_full_match(attributes::varchar, '{_ONLY_FIGURES}')"
_NO_TEXT = f"attributes = {_FIGURES_LEFT}"
TEXTS = text_changes(_NO_TEXT, _HAS_TEXT)
_OLD_REQUESTS = "(select request_key as key from requests where logged_at < $before) old"
_NOTE = (
    "insert into pruned as p values ($table, $rows_before, $texts_before, $rows, null) "
    "on conflict (table_name) do update set rows = p.rows + excluded.rows, pruned_at = null, "
    "pruned_before = greatest(p.pruned_before, excluded.pruned_before), "
    "text_pruned_before = greatest(p.text_pruned_before, excluded.text_pruned_before)"
)


class StoreFile(Protocol):
    """What upkeep needs of a DuckDB store."""

    @property
    def path(self) -> Path: ...

    @property
    def given(self) -> Path: ...

    @property
    def spill(self) -> Path: ...

    def clear_leftovers(self) -> None: ...

    def session(
        self, read_only: bool, connect: Callable[[], Connection] | None = None
    ) -> AbstractContextManager[Connection]: ...


class DuckDBUpkeep:
    """See :class:`ingest.stores.contract.Upkeep`."""

    def __init__(self, store: StoreFile) -> None:
        self._store = store

    def minutes(self, table: str, subject: Subject, before: datetime) -> list[Minute]:
        age, source = AGE_COLUMNS[table], table
        if table in FOLLOWERS and subject == "rows":
            age = "coalesce(r.logged_at, f.logged_at)"
            source = f"{table} f left join requests r on r.request_key = f.request_key"
            which = "true"
        else:
            which = _which(table) if subject == "rows" else TEXTS[table][1]
        with self._store.session(True) as connection:
            rows = connection.execute(
                f"select epoch_us({age}) // 60000000 as minute, count(*) from {source} "
                f"where {age} < $before and {which} group by 1 order by 1",
                {"before": before},
            ).fetchall()
        return [Minute(int(m), int(n)) for m, n in rows]

    def remove(self, table: str, before: datetime) -> dict[str, int]:
        removed: dict[str, int] = {}
        with self._store.session(False) as connection:
            connection.execute("begin")
            if table == "requests":
                for follower in FOLLOWERS:
                    removed[follower] = _remove_followers(connection, follower, before)
            removed[table] = _changed(
                connection,
                f"delete from {table} where {AGE_COLUMNS[table]} < $before and {_which(table)}",
                before,
            )
            if removed[table]:
                _note(connection, table, removed[table], rows_before=before)
            connection.execute("commit")
        return removed

    def clear_texts(self, table: str, before: datetime) -> int:
        change, which = TEXTS[table]
        with self._store.session(False) as connection:
            connection.execute("begin")
            cleared = _changed(
                connection,
                f"update {table} set {change} where {AGE_COLUMNS[table]} < $before and {which}",
                before,
            )
            if cleared:
                _note(connection, table, 0, texts_before=before)
            connection.execute("commit")
        return cleared

    def owes_space(self) -> bool:
        with self._store.session(True) as connection:
            row = connection.execute("select count(*) from pruned where pruned_at is null")
            return _number(row) > 0

    def space(self) -> Space:
        with self._store.session(True) as connection:
            size, free = _blocks(connection, "current_database()")
            counted = {
                table: (
                    _number(
                        connection.execute(
                            "select count(distinct block_id) from pragma_storage_info(?) "
                            "where block_id >= 0",
                            [table],
                        )
                    ),
                    _number(connection.execute(f"select count(*) from {table}")),
                )
                for table in AGE_COLUMNS
            }
        blocks = sum(b for b, _ in counted.values()) or 1
        shares = {t: ((size - free) * b // blocks, rows) for t, (b, rows) in counted.items()}
        return Space(self._store.path.stat().st_size, free, shares)

    def require_prunable(self) -> None:
        if os.stat(self._store.path).st_nlink > 1:
            raise StoreError(
                f"the store {self._store.given} has other names (hard links), and pruning "
                "would leave the old rows under them",
                "find them with find -samefile, remove all but one, and prune again",
            )

    def give_back(self, at: datetime) -> None:
        self.require_prunable()
        path = Path(os.path.realpath(self._store.path))
        target = path.with_name(path.name + ".compact")
        _clear(target)
        self._store.clear_leftovers()
        try:
            with self._store.session(False) as connection:
                connection.execute("checkpoint store")
            _require_no_log(path)
            with self._store.session(True, self._attached) as connection:
                self._require_room(connection, path.parent, "to give its space back")
                options = f"row_group_size {ROW_GROUP_SIZE}, storage_version '{STORAGE_VERSION}'"
                connection.execute(f"attach {_quoted(target)} as copy ({options})")
                connection.execute("copy from database store to copy")
                _require_equal(connection)
                connection.execute(
                    "update copy.pruned set pruned_at = ? where pruned_at is null", [at]
                )
                _finish(connection, target)
                _like(target, path)
                os.replace(target, path)
                sync(path.parent)
        finally:
            _clear(target)

    def state(self) -> str:
        with self._store.session(True) as connection:
            return _text(connection.execute(_STATE.format(source="")))

    def state_of_copy(self, path: Path) -> str | None:
        with duckdb.connect(":memory:") as connection:
            try:
                connection.execute("set TimeZone = 'UTC'")
                if path.is_dir():
                    return _text(
                        connection.execute(
                            "select decode(value) from parquet_kv_metadata(?) where "
                            "decode(key) = ?",
                            [str(path / "requests.parquet"), _STATE_KEY],
                        )
                    )
                connection.execute(f"attach {_quoted(path)} as copy (read_only)")
                return _text(connection.execute(_STATE.format(source="copy.")))
            except (duckdb.Error, OSError):
                return None

    def copy(self, target: Path) -> dict[str, int]:
        with self._store.session(True, self._attached) as connection:
            self._require_room(connection, target.parent, "for a copy")
            connection.execute(
                f"attach {_quoted(target)} as copy (storage_version '{STORAGE_VERSION}')"
            )
            connection.execute("copy from database store to copy (schema)")
            _drop_others(connection)
            rows = {
                t: _number(connection.execute(f"insert into copy.{t} select * from store.{t}"))
                for t in _PUBLISHED
            }
            _finish(connection, target)
            _readable_as(target, self._store.path)
        return {t: rows[t] for t in _EXPORTED}

    def export(self, folder: Path) -> dict[str, int]:
        with self._store.session(True, self._attached) as connection:
            self._require_room(connection, folder, "for a copy")
            state = _text(connection.execute(_STATE.format(source="store.")))
            rows = {}
            for name in (*_EXPORTED, *_VIEWS):
                file = folder / f"{name}.parquet"
                rows[name] = _number(
                    connection.execute(
                        f"copy store.{name} to {_quoted(file)} "
                        f"(format parquet, compression zstd, kv_metadata {{{_STATE_KEY}: "
                        f"'{state}'}})"
                    )
                )
                sync(file)
        _readable_as(folder, self._store.path)
        return {t: rows[t] for t in _EXPORTED}

    def _attached(self) -> Connection:
        """The store, to be copied: beside other readers, without any writer."""
        connection = duckdb.connect(
            ":memory:", config=dict(_COPY_SETTINGS) | {"temp_directory": str(self._store.spill)}
        )
        try:
            connection.execute(f"attach {_quoted(self._store.path)} as store (read_only)")
        except BaseException:
            connection.close()
            raise
        return connection

    def _require_room(self, connection: Connection, folder: Path, what: str) -> None:
        """:raises StoreError: when the file system has less room than a copy may take."""
        size, free = _blocks(connection, "'store'")
        needed = (size - free) * 5 // 4
        room = shutil.disk_usage(folder).free
        if needed > room:
            raise StoreError(
                f"the store {self._store.path} needs {needed:,} bytes {what} in {folder}, "
                f"{room:,} are free",
                "make room there, then run it again; what is stored or pruned stays so",
            )


def _which(table: str) -> str:
    """Which rows that are old enough may go."""
    if table in FOLLOWERS:
        return f"not exists (select 1 from requests r where r.request_key = {table}.request_key)"
    # the last run stays: the next one's key follows it
    return "run_key < (select max(run_key) from ingest_runs)" if table == "ingest_runs" else "true"


def _remove_followers(connection: Connection, table: str, before: datetime) -> int:
    """Remove the rows that follow old requests."""
    latest = connection.execute(
        f"select max(logged_at) from {table} join {_OLD_REQUESTS} on request_key = old.key",
        {"before": before},
    ).fetchone()
    removed = _changed(
        connection, f"delete from {table} using {_OLD_REQUESTS} where request_key = old.key", before
    )
    if removed and latest is not None:
        # they may be younger than the request: the note must say up to where rows are missing
        until = max(before, latest[0] + timedelta(microseconds=1))
        _note(connection, table, removed, rows_before=until)
    return removed


def _changed(connection: Connection, sql: str, before: datetime) -> int:
    return _number(connection.execute(sql, {"before": before}))


def _note(
    connection: Connection,
    table: str,
    rows: int,
    *,
    rows_before: datetime | None = None,
    texts_before: datetime | None = None,
) -> None:
    connection.execute(
        _NOTE,
        {"table": table, "rows": rows, "rows_before": rows_before, "texts_before": texts_before},
    )


def _number(cursor: Connection) -> int:
    row = cursor.fetchone()
    return int(row[0]) if row else 0


def _text(cursor: Connection) -> str:
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _blocks(connection: Connection, name: str) -> tuple[int, int]:
    """Bytes of a database's file, and of these the free ones."""
    row = connection.execute(
        "select total_blocks * block_size, free_blocks * block_size "
        f"from pragma_database_size() where database_name = {name}"
    ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _names(
    connection: Connection, kind: Literal["tables", "views"], database: str
) -> list[tuple[str, str]]:
    """Schemas and names of a database's tables or views."""
    return [
        (str(schema), str(name))
        for schema, name in connection.execute(
            f"select schema_name, {kind[:-1]}_name from duckdb_{kind}() where database_name "
            "= ? and not internal",
            [database],
        ).fetchall()
    ]


def _identifier(*names: str) -> str:
    return ".".join('"' + n.replace('"', '""') + '"' for n in names)


def _require_equal(connection: Connection) -> None:
    """:raises StoreError: when the copy lacks rows; it is about to take the store's place."""
    for names in _names(connection, "tables", "store"):
        counts = [
            _number(connection.execute(f"select count(*) from {_identifier(database, *names)}"))
            for database in ("store", "copy")
        ]
        if counts[0] != counts[1]:
            raise StoreError(
                f"the copy of the table {names[1]} has {counts[1]} rows, the table {counts[0]}",
                "the store has not changed; run ttsq prune again, and report this",
            )


def _drop_others(connection: Connection) -> None:
    """Leave secret tables out of a copy, and the views that depend on them."""
    for schema, table in _names(connection, "tables", "copy"):
        if schema != "main" or table not in _PUBLISHED:
            connection.execute(f"drop table {_identifier('copy', schema, table)}")
    for names in _names(connection, "views", "copy"):
        view = _identifier("copy", *names)
        try:
            connection.execute(f"describe {view}")
        except duckdb.Error:
            connection.execute(f"drop view {view}")


def _finish(connection: Connection, target: Path) -> None:
    """Write a copy out, whole and for good."""
    connection.execute("checkpoint copy")
    connection.execute("detach copy")
    _require_no_log(target)
    sync(target)


def _require_no_log(path: Path) -> None:
    """:raises StoreError: when a file's write-ahead log could meet another file under its name."""
    if _log_of(path).exists():
        raise StoreError(f"{path} could not be written back", "is there disk space?")


def _log_of(path: Path) -> Path:
    return path.with_name(path.name + ".wal")


def _clear(target: Path) -> None:
    for path in (target, _log_of(target)):
        path.unlink(missing_ok=True)


def _readable_as(target: Path, path: Path) -> None:
    """Let those read a copy who may read the store; nobody ingests into a copy by mistake."""
    mode = stat.S_IMODE(path.stat().st_mode) & 0o444
    if target.is_dir():
        for file in target.iterdir():
            os.chmod(file, mode)
        os.chmod(target, 0o700 | mode | mode >> 2)  # where files are read, the folder is entered
    else:
        os.chmod(target, mode)


def _like(target: Path, path: Path) -> None:
    """Give a file the mode and, where allowed, the owner of another."""
    status = path.stat()
    os.chmod(target, stat.S_IMODE(status.st_mode))
    with suppress(OSError):
        os.chown(target, status.st_uid, status.st_gid)
