"""ClickHouse: a server that many hosts ingest into at once, without transactions (SPEC §3.9)."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ingest.errors import StoreError
from ingest.faults import reach
from ingest.model import Checkpoint
from ingest.stores.clickhouse import cluster, retention
from ingest.stores.clickhouse.connection import (
    CLUSTER_WORD,
    FAILURES,
    NO_DATABASE,
    NO_TABLE,
    RETENTION_WORD,
    WRITING,
    Server,
    Session,
    code_of,
)
from ingest.stores.clickhouse.layout import Seen
from ingest.stores.clickhouse.ledger import looked, next_number, plan, tidy
from ingest.stores.clickhouse.lock import alone, holders, locked
from ingest.stores.clickhouse.reader import ClickHouseReader
from ingest.stores.clickhouse.writer import CHECKPOINT_COLUMNS, ClickHouseWriter
from ingest.stores.contract import Capabilities, Snapshot, Standing, no_store
from ingest.stores.urls import without_option

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ingest.stores.clickhouse.upkeep import ClickHouseUpkeep
    from ingest.stores.contract import Granted

_VERSION = "alembic_version"


class ClickHouseStore:
    """A store in one database of a server."""

    name = "clickhouse"
    capabilities = Capabilities(keys_without_store=False, shared_schema=True, has_one_writer=False)

    def __init__(self, url: str) -> None:
        """:raises UsageProblem: for a URL that cannot be read."""
        self._server = Server(url)
        self._url = url
        self._days = retention.days_of(self._server.retention)
        self._ingesting: tuple[Session, str | None] | None = None

    @property
    def description(self) -> str:
        return self._server.description

    @property
    def file(self) -> None:
        return None

    def exists(self) -> bool:
        return self.revision() is not None

    def revision(self) -> str | None:
        with self.session("reads") as session:
            return _revision(session)

    def checkpoints(self) -> list[Checkpoint]:
        with self.session("reads") as session:
            return _checkpoints(session, looked(session), None)

    def snapshot(self, head: str, host: str | None) -> Snapshot | None:
        with self.session("reads") as session:
            if _revision(session) != head:
                return None
            if self._ingesting is not None:
                tidy(session, self._ingesting[1])
                self._keep(session)
            seen = looked(session)
            which = "" if host is None else "where host is null or host = {host:String}"
            newest = session.value(
                f"select coalesce(max(run_key), 0) from {seen.table('ingest_runs')} {which}",
                {} if host is None else {"host": host},
            )
            return Snapshot(_checkpoints(session, seen, host), int(newest))

    def _keep(self, session: Session) -> None:
        """Let the server keep rows as long as the settings say, where these say something."""
        if self._days is None:
            return
        retention.keep(session, self._days)
        until = retention.noted_until(self._days, datetime.now(UTC))
        if self._days and not retention.is_noted(session, until):
            with self.writing() as writer:
                retention.note_all(writer, until)
                writer.commit([], None)

    def next_file_key(self, last: int) -> int:
        """A dry run stores nothing: it has no session, and needs no unique key."""
        if self._ingesting is None:
            return last + 1
        with self._server.reporting():
            return next_number(self._ingesting[0], "file")

    def engine(self) -> "Engine":
        """A SQLAlchemy engine without a pool; on a cluster, what it does to tables is done on each
        server.
        """
        from sqlalchemy import create_engine, event
        from sqlalchemy.pool import NullPool

        plain = without_option(without_option(self._url, CLUSTER_WORD), RETENTION_WORD)
        engine = create_engine(plain, poolclass=NullPool)

        @event.listens_for(engine, "before_cursor_execute", retval=True)
        def everywhere(*told: Any) -> tuple[str, object]:
            sql, given = told[2:4]
            with self.session("migrates") as session:
                return ("select 1", ()) if cluster.run_everywhere(session, sql) else (sql, given)

        return engine

    def make(self, script: str) -> bool:
        """Statement by statement, each of which does nothing where it was run before; the revision
        comes last: whoever is killed meanwhile leaves an empty store.
        """
        with self.session("migrates") as session:
            if _revision(session) is not None:
                return False
            with self._server.migrating():
                statements = _statements(script)
                cluster.make_database(session)
                if self._server.cluster:
                    cluster.make(session, [s for s in statements if not _is_insert(s)])
                    statements = [s for s in statements if _is_insert(s)]
                for statement in statements:
                    alone(session, "migration", lambda i, s=statement: _run(session, s, i))  # type: ignore[misc]
                session.__dict__.pop("cluster", None)  # what it was before there was a store
        return True

    def differences(self) -> list[str]:
        from ingest.stores.clickhouse.check import differences

        with self.session("compares") as session:
            return differences(session)

    @contextmanager
    def writing(self, standing: Standing | None = None) -> Iterator[ClickHouseWriter]:
        host = self._ingesting[1] if self._ingesting else None
        with self.session("writes") as session:
            reach("store_opened")
            writer = ClickHouseWriter(session, plan(session, host), host)
            try:
                reach("begun")
                if standing is not None:
                    writer.prove(standing)
                yield writer
            finally:
                if not writer.committed:
                    with suppress(StoreError, *FAILURES):
                        writer.roll_back()
        reach("closed")

    @contextmanager
    def reading(self) -> Iterator[ClickHouseReader]:
        with self.session("reads") as session:
            revision = _revision(session)
            if revision is None:
                raise no_store(self.description)
            yield ClickHouseReader(session, revision, looked(session))

    @contextmanager
    def ingesting(self, wait_seconds: float, host: str | None = None) -> Iterator[None]:
        purpose = "ingests all hosts" if host is None else f"ingests {host}"
        what = self.description if host is None else f"{self.description} for the host {host}"
        with self.connected(purpose) as session, ExitStack() as held:
            _ensure_database(session)  # every statement is one within it
            held.enter_context(locked(session, host, wait_seconds, what))
            if _revision(session) is not None:
                cluster.require_first(session)
            self._ingesting = (session, host)
            try:
                yield
            finally:
                self._ingesting = None

    def holder(self) -> str | None:
        with self.session("reads") as session:
            return "; ".join(holders(session)) or None

    def upkeep(self) -> "ClickHouseUpkeep":
        from ingest.stores.clickhouse.upkeep import ClickHouseUpkeep

        return ClickHouseUpkeep(self)

    def grant_reader(self, role: str, with_text: bool) -> "Granted":
        from ingest.stores.clickhouse.roles import grant_reader

        with self.session("grants") as session:
            return grant_reader(session, role, with_text)

    @contextmanager
    def connected(self, purpose: str) -> Iterator[Session]:
        """A session of its own, closed in the end."""
        session = self._server.session(purpose)
        try:
            with self._server.reporting():
                yield session
        finally:
            session.close()

    @contextmanager
    def session(self, purpose: str) -> Iterator[Session]:
        """A session; while this process ingests always the same one."""
        if self._ingesting is not None:
            with self._server.reporting():
                yield self._ingesting[0]
            return
        with self.connected(purpose) as session:
            yield session


def _statements(script: str) -> list[str]:
    """The statements of a script, each of which may be run again."""
    lines = [line for line in script.splitlines() if not line.startswith("--")]
    made = [s.strip() for s in "\n".join(lines).split(";\n") if s.strip()]
    return [s.replace("CREATE TABLE `", "CREATE TABLE IF NOT EXISTS `", 1) for s in made]


def _is_insert(statement: str) -> bool:
    return statement.startswith("INSERT")


def _run(session: Session, statement: str, query_id: str) -> None:
    if _is_insert(statement) and _revision(session) is not None:
        return  # another process was quicker
    session.client.command(statement, settings={**WRITING, "query_id": query_id})


def _ensure_database(session: Session) -> None:
    """Make the database if it is not there: who may only use one that is there need not ask."""
    try:
        session.value("select 1")
    except FAILURES as error:
        if code_of(error) != NO_DATABASE:
            raise
        cluster.make_database(session)


def _revision(session: Session) -> str | None:
    try:
        rows = session.rows(f"select max(version_num) from {_VERSION} having count() > 0")
    except FAILURES as error:
        if code_of(error) in (NO_DATABASE, NO_TABLE):
            return None
        raise
    return str(rows[0][0]) if rows else None


def _checkpoints(session: Session, seen: Seen, host: str | None) -> list[Checkpoint]:
    which = "" if host is None else "where host = {host:String}"
    names = ", ".join(CHECKPOINT_COLUMNS)
    rows: list[tuple[Any, ...]] = session.rows(
        f"select {names} from {seen.table('log_files')} {which} order by file_key",
        {} if host is None else {"host": host},
    )
    return [Checkpoint(*row) for row in rows]
