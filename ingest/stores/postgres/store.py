"""PostgreSQL: a server that hosts ingest into at once, while others read (SPEC §3.9)."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import psycopg

from ingest.errors import StoreError
from ingest.faults import reach
from ingest.lazily import matcher
from ingest.model import Checkpoint
from ingest.stores.binds import binds as names_of
from ingest.stores.binds import replace_binds
from ingest.stores.contract import Capabilities, QueryResult, Snapshot, Standing, no_store, too_slow
from ingest.stores.postgres.connection import (
    ONE_MIGRATES,
    Connection,
    Server,
    close,
    holders,
    take_lock,
)
from ingest.stores.postgres.copy import shown
from ingest.stores.postgres.partitions import Partitions
from ingest.stores.postgres.writer import (
    CHECKPOINT_COLUMNS,
    PostgresWriter,
    Session,
    newest_run,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ingest.stores.contract import Granted
    from ingest.stores.postgres.upkeep import PostgresUpkeep

_SNAPSHOT = "begin isolation level repeatable read read only"
_READING = ("select", "with", "values", "table", "show", "explain", "(")
_LEADING = matcher(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.S)
# a read-only transaction does not bind these: they reach files, programs and other sessions
_MIGHTY = r"""
select session_user, rolname || case when rolsuper then ' (superuser)'
    when rolreplication then ' (replication)' else '' end
from pg_catalog.pg_roles
where pg_catalog.pg_has_role(session_user, oid, 'member')
and (rolsuper or rolreplication or rolname ~ '^pg_.*_server_')
order by rolsuper desc, rolname limit 1
"""
_CHECKPOINTS = f"select {', '.join(CHECKPOINT_COLUMNS)} from log_files"


class PostgresStore:
    """A store in one schema of a database, the first one of the search path that has one, else the
    first of all.
    """

    name = "postgresql"
    capabilities = Capabilities(keys_without_store=False, shared_schema=True, has_one_writer=False)

    def __init__(self, url: str) -> None:
        """:raises UsageProblem: for a URL that cannot be read."""
        self._server = Server(url)
        self._session: Session | None = None  # while this process ingests

    @property
    def description(self) -> str:
        return self._server.description

    @property
    def file(self) -> None:
        return None

    def exists(self) -> bool:
        return self.revision() is not None

    def revision(self) -> str | None:
        with self._connected("reads") as connection:
            return _revision(connection)

    def checkpoints(self) -> list[Checkpoint]:
        with self._connected("reads") as connection:
            return _checkpoints(connection, f"{_CHECKPOINTS} order by file_key", [])

    def snapshot(self, head: str, host: str | None) -> Snapshot | None:
        with self.session("reads") as connection, connection.transaction():
            connection.execute("set transaction isolation level repeatable read read only")
            if _revision(connection) != head:
                return None
            if host is None:
                found = _checkpoints(connection, f"{_CHECKPOINTS} order by file_key", [])
            else:
                sql = f"{_CHECKPOINTS} where host = %s order by file_key"
                found = _checkpoints(connection, sql, [shown(host)])
            return Snapshot(found, newest_run(connection, host))

    def next_file_key(self, last: int) -> int:
        """A dry run stores nothing: it has no session, and needs no unique key."""
        if self._session is None:
            return last + 1
        with self._server.reporting():
            row = self._session.connection.execute("select nextval('file_keys')").fetchone()
        assert row is not None
        return int(row[0])

    def engine(self) -> "Engine":
        """A SQLAlchemy engine without a pool."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        return create_engine(
            "postgresql+psycopg://",
            creator=lambda: self._server.connect("migrates", autocommit=False),
            poolclass=NullPool,
        )

    def make(self, script: str) -> bool:
        """Of several processes that find the schema empty, one creates it, the others wait."""
        with (
            self.session("migrates") as connection,
            self._server.migrating(),
            connection.transaction(),
        ):
            connection.execute(ONE_MIGRATES)
            if _has_revisions(connection):
                return False
            connection.execute(script)
        return True

    def differences(self) -> None:
        return None

    @contextmanager
    def writing(self, standing: Standing | None = None) -> Iterator[PostgresWriter]:
        with self._writing_session() as session, self._server.reporting():
            reach("store_opened")
            writer = PostgresWriter(session, self.description, standing)
            try:
                writer.begin()
                yield writer
            finally:
                if not writer.committed:
                    with suppress(psycopg.Error):
                        writer.roll_back()
        reach("closed")

    @contextmanager
    def _writing_session(self) -> Iterator[Session]:
        """The session that holds the lock: if it breaks, the lock and the right to write go."""
        if self._session is not None:
            yield self._session
            return
        with self.connected("writes") as connection:
            yield self._new_session(connection, None)

    def _new_session(self, connection: Connection, host: str | None) -> Session:
        commits = [(_key(connection, "commits"), host is not None)]
        if host is not None:
            commits.append((_key(connection, f"commits of {host}"), False))
        partitions = Partitions(connection, _key(connection, "partitions"))
        return Session(connection, host, partitions, commits)

    @contextmanager
    def reading(self) -> Iterator["PostgresReader"]:
        with self._connected("reads") as connection:
            if not _has_revisions(connection):
                raise no_store(self.description)
            connection.execute(_SNAPSHOT)
            connection.execute("select 1")  # from here on nothing can make it a writing one
            yield PostgresReader(connection)

    @contextmanager
    def ingesting(self, wait_seconds: float, host: str | None = None) -> Iterator[None]:
        purpose = "ingests all hosts" if host is None else f"ingests {host}"
        with self.connected(purpose) as connection:
            with self._server.reporting():
                self._lock(connection, wait_seconds, host)
                self._session = self._new_session(connection, host)
            try:
                yield
            finally:
                self._session = None
                with suppress(psycopg.Error):
                    connection.execute("select pg_advisory_unlock_all()")

    def _lock(self, connection: Connection, wait_seconds: float, host: str | None) -> None:
        """The whole store shared and the host alone; or the whole store alone."""
        what, whole = self.description, _key(connection, "store")
        shared = host is not None
        take_lock(connection, whole, shared=shared, wait_seconds=wait_seconds, what=what)
        if host is not None:
            key, what = _key(connection, f"host {host}"), f"{what} for the host {host}"
            take_lock(connection, key, shared=False, wait_seconds=wait_seconds, what=what)

    def holder(self) -> str | None:
        with self._connected("reads") as connection:
            return holders(connection, [_key(connection, "store")])

    def upkeep(self) -> "PostgresUpkeep":
        from ingest.stores.postgres.upkeep import PostgresUpkeep

        return PostgresUpkeep(self)

    def grant_reader(self, role: str, with_text: bool) -> "Granted":
        from ingest.stores.postgres.roles import grant_reader

        with self._connected("grants") as connection, connection.transaction():
            return grant_reader(connection, role, with_text, self.description)

    @contextmanager
    def connected(self, purpose: str) -> Iterator[Connection]:
        """A connection of its own, closed in the end."""
        connection = self._server.connect(purpose)
        try:
            yield connection
        finally:
            close(connection)

    @contextmanager
    def _connected(self, purpose: str) -> Iterator[Connection]:
        with self.connected(purpose) as connection, self._server.reporting():
            yield connection

    @contextmanager
    def session(self, purpose: str) -> Iterator[Connection]:
        """A connection for upkeep: that which holds the lock, where there is one."""
        with self._server.reporting():
            if self._session is not None:
                yield self._session.connection
                return
            with self.connected(purpose) as connection:
                yield connection


def _key(connection: Connection, what: str) -> int:
    """The key of an advisory lock; the database is part of every lock, the schema of the key."""
    row = connection.execute("select current_schema()").fetchone()
    if row is None or row[0] is None:
        raise StoreError(
            "the search path names no schema that exists", "create the schema, or correct the URL"
        )
    digest = blake2b(f"ttsq\0{row[0]}\0{what}".encode(errors="surrogateescape"), digest_size=8)
    return int.from_bytes(digest.digest(), "big", signed=True)


def _has_revisions(connection: Connection) -> bool:
    found = connection.execute(
        "select to_regclass(quote_ident(current_schema()) || '.alembic_version') is not null"
    ).fetchone()
    return bool(found and found[0])


def _revision(connection: Connection) -> str | None:
    if not _has_revisions(connection):
        return None
    row = connection.execute("select version_num from alembic_version").fetchone()
    return str(row[0]) if row else None


def _checkpoints(connection: Connection, sql: str, binds: list[object]) -> list[Checkpoint]:
    return [Checkpoint(*row) for row in connection.execute(sql, binds).fetchall()]


# how a named query's filters put a table's rows before it
_ROWS_OF = matcher(
    r"(?P<before>\bas not materialized \(\n    select )\*(?P<behind>\n    from (?P<table>\w+)\n)"
)
_AS_TEXT = matcher(r"\bas text\b|:\w+|'[^']*'")
_COLUMNS = """
    select attname, has_column_privilege(attrelid, attnum, 'SELECT') from pg_attribute
    where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""


class PostgresReader:
    """A read-only session on one snapshot, that takes only statements that read."""

    def __init__(self, connection: Connection) -> None:
        connection.prepare_threshold = 0
        self._connection = connection
        self._cursor: psycopg.RawCursor[Any] = psycopg.RawCursor(connection)

    def revision(self) -> str | None:
        return _revision(self._connection)

    def query(self, sql: str, binds: Mapping[str, object] | None) -> QueryResult:
        cursor = self._run(_ROWS_OF.sub(self._readable, sql), binds)
        columns = tuple(d.name for d in cursor.description or ())
        return QueryResult(columns, cursor.fetchall())

    def _readable(self, rows: "re.Match[str]") -> str:
        """The rows of a table, with the columns that this role may read, if it asks for no others;
        unread columns need a right, too.
        """
        found = self._connection.execute(_COLUMNS, [rows["table"]]).fetchall()
        closed = [name for name, is_open in found if not is_open]
        asked = _AS_TEXT.sub("", rows.string)
        if not closed or any(re.search(rf"\b{name}\b", asked) for name in closed):
            return rows[0]
        columns = ", ".join(name for name, is_open in found if is_open)
        return f"{rows['before']}{columns}{rows['behind']}"

    def ask(self, sql: str, timeout_seconds: float, allow_superuser: bool) -> QueryResult:
        if not allow_superuser:
            self._require_plain_role()
        limit = (
            f"set local statement_timeout = {max(1, min(int(timeout_seconds * 1000), 2**31 - 1))}"
        )
        self._connection.execute(limit.encode())
        # a subquery is one that reads, whatever it begins with; its rows keep their order
        asked = f"select * from ({sql.rstrip().rstrip(';')}\n) as asked"
        try:
            cursor = self._cursor.execute(asked.encode(), [], prepare=True)
        except psycopg.errors.QueryCanceled as error:
            if "statement timeout" not in str(error):
                raise
            raise too_slow(timeout_seconds) from error
        return QueryResult(tuple(d.name for d in cursor.description or ()), cursor.fetchall())

    def _require_plain_role(self) -> None:
        """:raises StoreError: for a role that could do more than read in such a transaction."""
        row = self._connection.execute(_MIGHTY).fetchone()
        if row is not None:
            raise StoreError(
                f"a user's SQL is not run as {row[0]}, which the server lets do more "
                f"than read: {row[1]}",
                "connect as a role prepared by ttsq db grant-reader, or pass --allow-superuser",
            )

    def describe(self, sql: str, binds: Mapping[str, object]) -> list[tuple[str, str]]:
        cursor = self._run(f"select * from ({sql}\n) as described limit 0", binds)
        found = [
            (d.name, psycopg.postgres.types.get(d.type_code)) for d in cursor.description or ()
        ]
        return [(name, info.regtype if info else "unknown") for name, info in found]

    def _run(self, sql: str, binds: Mapping[str, object] | None) -> "psycopg.RawCursor[Any]":
        _require_reading(sql)
        names: list[str] = [] if binds is None else list(names_of(sql))
        if binds is not None:
            sql = replace_binds(sql, lambda name: f"${names.index(name) + 1}")
        values = [_bound(binds[n]) for n in names] if binds is not None else []
        # a prepared statement is a single one: nothing can stand behind it
        return self._cursor.execute(sql.encode(), values, prepare=True)


def _bound(value: object) -> object:
    return shown(value) if isinstance(value, str) else value


def _require_reading(sql: str) -> None:
    """:raises StoreError: for a statement that is no query: COPY could write files."""
    start = _LEADING.match(sql)
    rest = sql[start.end() if start else 0 :].lower()
    if not rest.startswith(_READING):
        raise StoreError(
            "the store runs only queries",
            "begin it with select, with, values, table, show or explain",
        )
