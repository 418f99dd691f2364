"""Connections to a PostgreSQL server: bounded waits, no hostile SQL, no password shown."""

import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.string import TextLoader

from ingest.errors import IngestBusyError, StoreError, StoreLostError, UsageProblem
from ingest.lazily import matcher
from ingest.stores.contract import schema_refused

Connection = psycopg.Connection[tuple[Any, ...]]

_TRIES = 3
_PAUSES_SECONDS = (0.5, 1.5)  # between the tries: a server that restarts takes about that
_CONNECT_SECONDS = 10
_NAME_BYTES = 63  # of an application's name, more is cut by the server
# A server that does not answer any more is noticed within a minute, whatever the URL leaves open.
_KEEPALIVE: dict[str, int] = {
    "keepalives_idle": 20,
    "keepalives_interval": 10,
    "keepalives_count": 3,
}
# compiling an expression costs more than the queries take; locks and new tables go by the schema
# that has the store, which need not be the first one of every role's search path
_SETTINGS = """
set jit = off; set time zone 'UTC'; set intervalstyle = 'postgres'; set datestyle = 'ISO';
select set_config('search_path', quote_ident(nspname) || ', ' || current_setting('search_path'),
    false)
from pg_class c join pg_namespace n on n.oid = relnamespace
where c.oid = to_regclass('request_parts') and nspname <> current_schema()
"""
# who ingests is idle while it reads, and works for as long as it takes; limits of the role, of the
# database or of the server are meant for questions
_NO_LIMITS = """
select set_config(name, '0', false) from pg_settings where name in ('statement_timeout',
    'idle_session_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
"""
# One process at a time migrates a schema that several may find empty at once; its transaction holds
# the lock.
ONE_MIGRATES = (
    "select pg_advisory_xact_lock(hashtextextended('ttsq migrations of ' || current_schema(), 0))"
)
_OLDEST = 140000  # server version: extract() is exact from 14 on
# user, password, host, port and database may hold nothing that another part begins with
_URL = matcher(
    r"postgresql(?:\+psycopg)?://(?:[^:@/?#]*(?::[^@/?#]*)?@)?"
    r"(?:\[[0-9a-fA-F:.]+\]|[^:@/?#\[\]]*)(?::[0-9]*)?(?:/[^/?#]*)?(?:\?[^#]*)?$"
)
_REFUSALS = (
    psycopg.ProgrammingError,
    psycopg.DataError,
    psycopg.NotSupportedError,
    errors.ReadOnlySqlTransaction,
)
# the server ends the session with these
_GONE = (
    errors.AdminShutdown,
    errors.CrashShutdown,
    errors.IdleSessionTimeout,
    errors.IdleInTransactionSessionTimeout,
    errors.TransactionTimeout,
)
# libpq gives no code for what a server says to one who connects
_PASSING = ("starting up", "shutting down", "too many clients", "recovery mode")


class Server:
    """Where a store is, and how to get there."""

    def __init__(self, url: str) -> None:
        """:raises UsageProblem: for a URL that cannot be read; the message does not repeat it."""
        if not _URL.match(url):
            raise _unreadable()
        self._uri = "postgresql://" + url.partition("://")[2]
        try:
            self._parts = conninfo_to_dict(self._uri)
        except psycopg.ProgrammingError:
            raise _unreadable() from None  # it repeats parts of the URL
        self.description = _described(url)

    def connect(self, purpose: str, *, autocommit: bool = True) -> Connection:
        """A connection in UTC; a few tries, for a server may just restart.

        :raises StoreError: when there is none to be had.
        """
        for pause in (*_PAUSES_SECONDS, None):
            try:
                return self._connected(purpose, autocommit)
            except psycopg.OperationalError as error:
                if pause is None or not _may_pass(error):
                    raise self.error(error, connecting=True) from error
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _connected(self, purpose: str, autocommit: bool) -> Connection:
        name = f"ttsq {purpose} on {socket.gethostname()}, process {os.getpid()}"
        given: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, **_KEEPALIVE, **self._parts}
        given |= {"client_encoding": "UTF8"}
        given.setdefault("application_name", name.encode()[:_NAME_BYTES].decode(errors="ignore"))
        connection = psycopg.connect(**given, autocommit=True, prepare_threshold=None)
        try:
            self._require_fit(connection)
            connection.execute(_SETTINGS)
            if purpose != "reads":
                connection.execute(_NO_LIMITS)
            connection.autocommit = autocommit
        except BaseException:
            connection.close()
            raise
        if autocommit:  # ours: JSON as the text that is stored, like the other backends hand it out
            connection.adapters.register_loader("json", TextLoader)
            connection.adapters.register_loader("jsonb", TextLoader)
        return connection

    def _require_fit(self, connection: Connection) -> None:
        """:raises StoreError: for a server that cannot hold every text, or is too old."""
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise StoreError(
                f"the database of {self.description} has the encoding {encoding}, not UTF8",
                "create one for ttsq: createdb --encoding UTF8 --template template0 NAME",
            )
        if connection.info.server_version < _OLDEST:
            raise StoreError(
                f"the server of {self.description} is older than PostgreSQL 14", "upgrade it"
            )

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Turn the driver's errors into ours."""
        try:
            yield
        except psycopg.Error as error:
            raise self.error(error) from error

    @contextmanager
    def migrating(self) -> Iterator[None]:
        """The same, for what makes tables or changes them."""
        with self.reporting():
            try:
                yield
            except _REFUSALS as error:
                reason = self._scrubbed(_first_line(error))
                raise schema_refused(self.description, reason) from error

    def error(self, error: psycopg.Error, *, connecting: bool = False) -> StoreError:
        """What happened, without a password, and what to do about it."""
        text = self._scrubbed(_first_line(error))
        if connecting:
            return StoreError(
                f"cannot connect to {self.description}: {text}",
                "is the server up, and are user, password (PGPASSWORD, ~/.pgpass) and "
                "database right?",
            )
        if isinstance(error, errors.InsufficientPrivilege):
            return StoreError(
                f"the store {self.description} refuses: {text}",
                "its owner says who may read: ttsq db grant-reader ROLE; user text (texts, "
                "messages, tracebacks) needs --with-text",
            )
        if isinstance(error, _REFUSALS):
            return StoreError(
                f"the store {self.description} refuses the statement: {self._meant(error, text)}",
                "queries are read only; ttsq show NAME has examples",
            )
        if _is_lost(error):
            return StoreLostError(
                f"the connection to {self.description} was lost: {text}",
                "what was committed stays; run it again when the server is back",
            )
        return StoreError(
            f"cannot use the store {self.description}: {text}",
            "the server's log says more; what was committed stays",
        )

    def _meant(self, error: psycopg.Error, text: str) -> str:
        """The text, with the name that the server proposes for one that it does not know."""
        hint = error.diag.message_hint or ""
        return f"{text}. {self._scrubbed(hint)}" if hint.startswith("Perhaps you meant") else text

    def _scrubbed(self, text: str) -> str:
        for name in ("password", "sslpassword"):
            secret = self._parts.get(name)
            if isinstance(secret, str) and len(secret) > 3:
                text = text.replace(secret, "***")
        return text


def _unreadable() -> UsageProblem:
    return UsageProblem(
        "the store's PostgreSQL URL cannot be read",
        "postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE, with @ : / ? # % in a part "
        "written as %40 %3A %2F %3F %23 %25",
    )


def _described(url: str) -> str:
    """The URL with nothing in it but who, where and which database."""
    split = urlsplit(url)
    options = dict(parse_qsl(split.query))
    user, at, place = split.netloc.rpartition("@")
    user = user.partition(":")[0] or options.get("user", "")
    place = place or options.get("host", "")
    database = unquote(split.path.lstrip("/")) or options.get("dbname", "")
    return f"postgresql://{user}{'@' if user else at}{place}/{database}"


def _first_line(error: psycopg.Error) -> str:
    text = (error.diag.message_primary or str(error)).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _is_lost(error: psycopg.Error) -> bool:
    return isinstance(error, _GONE) or (
        isinstance(error, psycopg.OperationalError) and error.sqlstate is None
    )


def _may_pass(error: psycopg.Error) -> bool:
    """Whether a retry may help: no answer, or the server is starting, stopping or full."""
    text = str(error)
    return "FATAL:" not in text or any(words in text for words in _PASSING)


def close(connection: Connection) -> None:
    """Let go of a connection, broken or not."""
    with suppress(psycopg.Error):
        connection.close()


def take_lock(
    connection: Connection, key: int, *, shared: bool, wait_seconds: float, what: str
) -> None:
    """Take an advisory lock that lives as long as the connection.

    :raises IngestBusyError: when another session still has it after ``wait_seconds``.
    """
    kind = "_shared" if shared else ""
    if wait_seconds <= 0:
        row = connection.execute(f"select pg_try_advisory_lock{kind}(%s)", [key]).fetchone()
        taken = bool(row and row[0])
    else:
        connection.execute(f"set lock_timeout = {max(1, round(wait_seconds * 1000))}")
        try:
            connection.execute(f"select pg_advisory_lock{kind}(%s)", [key])
            taken = True
        except errors.LockNotAvailable:
            taken = False
        connection.execute("reset lock_timeout")
    if not taken:
        raise IngestBusyError(
            f"another ingest holds {what}: {holders(connection, [key]) or 'an unknown session'}",
            "wait for it to end, or give it longer with --wait",
        )


def holders(connection: Connection, keys: Sequence[int]) -> str | None:
    """Sessions of this database that hold one of some advisory locks; None if none does."""
    rows = connection.execute(
        "select distinct a.pid, a.application_name, host(a.client_addr) "
        "from pg_locks l join pg_stat_activity a on a.pid = l.pid "
        "where l.locktype = 'advisory' and l.granted and l.objsubid = 1 "
        "and l.database = (select oid from pg_database where datname = current_database()) "
        "and (cast(l.classid as bigint) << 32) | cast(l.objid as bigint) = any(%s) order by 1",
        [list(keys)],
    ).fetchall()
    told = [
        f"server process {pid} ({name}{', ' if address else ''}{address or ''})"
        for pid, name, address in rows
    ]
    return "; ".join(told) or None
