"""DuckDB: one file, held only while a batch commits (SPEC §3.9)."""

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from datetime import timedelta
from itertools import count
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import duckdb

from ingest.errors import StoreBusyError, StoreError, UsageProblem
from ingest.faults import reach
from ingest.model import Checkpoint
from ingest.rows.spans import EPOCH
from ingest.stores.binds import binds as names_of
from ingest.stores.binds import replace_binds
from ingest.stores.contract import (
    Capabilities,
    QueryResult,
    Snapshot,
    Standing,
    no_store,
    require_standing,
    too_slow,
)
from ingest.stores.duckdb.connection import COMMITTING, NEW, SETTINGS, UTC, attach, make, unattached
from ingest.stores.duckdb.fetch import fetched
from ingest.stores.duckdb.guard import require_select
from ingest.stores.duckdb.meant import meant
from ingest.stores.duckdb.turns import asked, asking
from ingest.stores.duckdb.writer import CHECKPOINT_COLUMNS, DuckDBWriter
from ingest.stores.holders import holder_of
from ingest.stores.ingest_lock import exclusive, holder_of_lock, waiting_for_names

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ingest.stores.duckdb.upkeep import DuckDBUpkeep

T = TypeVar("T")
_WAIT_SECONDS = 30.0  # a batch of another process commits in well under a second
_POLL_SECONDS = 0.02
_SPILL = ".spill"
# Readers hold back for a writer that waits, or a crowd of them would keep it out for good. They do
# no longer than this, many times what a query takes: a writer that still waits does so for a reader
# that stays.
_TURN_SECONDS = 5.0
# Queries: somebody waits for them, and they end; an ingest shares its machine with the service for
# hours. MB; half of the machine's between these: beyond it, ten million rows are sorted and joined
# on the disk
_READ_MEMORY = (1024, 4096)
_MEMORY_OF_CONTAINER = Path("/sys/fs/cgroup/memory.max")
_LOCKED_DOWN = "set enable_external_access = false; set lock_configuration = true"
_REFUSALS = (
    duckdb.ParserException,
    duckdb.BinderException,
    duckdb.CatalogException,
    duckdb.InvalidInputException,
    duckdb.PermissionException,
    duckdb.ConversionException,
)


class DuckDBStore:
    """A store in one DuckDB file."""

    name = "duckdb"
    capabilities = Capabilities(keys_without_store=True, shared_schema=False, has_one_writer=True)

    def __init__(self, path: Path, wait_seconds: float = _WAIT_SECONDS) -> None:
        """``path`` may be a symbolic link: lock and log are beside the real file."""
        self.given = path
        self.path = Path(os.path.realpath(path))
        self.wait_seconds = wait_seconds
        self._idle: duckdb.DuckDBPyConnection | None = None
        self._reading: duckdb.DuckDBPyConnection | None = None  # kept between the looks of a run
        self._writing: duckdb.DuckDBPyConnection | None = None  # of the open transaction
        self._is_ingesting = False
        self._numbers = count()  # of transactions with rows

    @property
    def description(self) -> str:
        return str(self.given)

    @property
    def file(self) -> Path:
        return self.given

    def exists(self) -> bool:
        try:
            return os.stat(self.path).st_size > 0
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise StoreError(
                f"the store {self.given} cannot be examined: {error.strerror}",
                "run ttsq as a user who may read it, or name another with --db "
                "duckdb:///PATH or TTSQ_DB",
            ) from error

    def revision(self) -> str | None:
        return self._read(_revision) if self.exists() else None

    def checkpoints(self) -> list[Checkpoint]:
        return self._read(_checkpoints)

    def next_file_key(self, last: int) -> int:
        return last + 1

    def snapshot(self, head: str, host: str | None) -> Snapshot | None:
        if not self.exists():
            return None
        return self._read(
            lambda c: Snapshot(_checkpoints(c), newest_run(c)) if _revision(c) == head else None
        )

    def engine(self) -> "Engine":
        """A SQLAlchemy engine without a pool: a connection that lingers would keep others out."""
        from sqlalchemy import create_engine
        from sqlalchemy.pool import NullPool

        self.release()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        config = {**SETTINGS, "temp_directory": str(self.spill)}
        return create_engine(
            f"duckdb:///{self.path}", poolclass=NullPool, connect_args={"config": config}
        )

    def make(self, script: str) -> bool:
        if self.exists():
            return False
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with _interrupted_by_signals():
                make(self.path, script, self.spill)
        except (duckdb.Error, OSError) as error:
            raise self._error(error) from error
        return True

    def differences(self) -> None:
        return None

    @contextmanager
    def writing(self, standing: Standing | None = None) -> Iterator[DuckDBWriter]:
        with self._kept() as connection:
            try:
                self._writing = connection
                reach("store_opened")
                connection.execute(UTC)
                connection.execute("begin")
                reach("begun")
                if standing is not None:
                    self._prove(connection, standing)
                writer = DuckDBWriter(connection, self._numbers)
                yield writer
                if not writer.committed:
                    connection.execute("rollback")
                writer.end()
            except (duckdb.Error, OSError) as error:
                raise self._error(error) from error
            finally:
                self._writing = None
        reach("closed")

    def _prove(self, connection: duckdb.DuckDBPyConnection, standing: Standing) -> None:
        keys = ", ".join(map(str, standing.offsets)) or "-1"  # a list to be bound takes 3 ms
        found = connection.execute(
            f"select file_key, committed_offset from log_files where file_key in ({keys})"
        ).fetchall()
        require_standing(self.description, standing, newest_run(connection), dict(found))

    @contextmanager
    def reading(self) -> Iterator["DuckDBReader"]:
        if not self.exists():
            raise no_store(self.description)
        if self._writing is not None:
            with self._errors():
                yield DuckDBReader(self._writing)
            return
        if self._is_ingesting:
            with self._reading_again() as connection, self._errors():
                yield DuckDBReader(connection)
            return
        with self._opened(True) as connection, self._errors():
            _lock_down(connection)
            yield DuckDBReader(connection)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except duckdb.Error as error:
            raise self._error(error) from error

    @contextmanager
    def _reading_again(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection that reads, of a run which looks at the store for each of its files: it is
        kept until the store is used in another way. To open one takes half as long as a small file.
        """
        with _interrupted_by_signals():
            connection, self._reading = self._reading, None
            if connection is None:
                with self._turn(True):
                    connection = self._connect(True, self._attached_to_read)
            try:
                yield connection
            except BaseException:
                connection.close()
                raise
            self.release()  # of a look within this one
            self._reading = connection

    def release(self) -> None:
        """Let go of the file that a run reads; it is opened anew when it is next looked at."""
        connection, self._reading = self._reading, None
        if connection is not None:
            self._let_go(connection, read_only=True)

    @contextmanager
    def ingesting(self, wait_seconds: float, host: str | None = None) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                stack.enter_context(exclusive(self._lock_path, wait_seconds, self.description))
            except OSError as error:
                raise StoreError(
                    f"cannot write beside the store {self.given}: {error.strerror}",
                    "choose another place with --db duckdb:///PATH or TTSQ_DB",
                ) from error
            stack.callback(self._end_spill)
            stack.enter_context(_interrupted_by_signals())
            stack.enter_context(waiting_for_names(self.path, wait_seconds))
            self.clear_leftovers()
            self._is_ingesting = True
            try:
                yield
            finally:
                self._is_ingesting = False
                self.release()

    def holder(self) -> str | None:
        return holder_of_lock(self._lock_path)

    @property
    def _lock_path(self) -> Path:
        return self.path.with_name(self.path.name + ".lock")

    def _read(self, work: Callable[[duckdb.DuckDBPyConnection], T]) -> T:
        opened = self._kept(read_only=True) if self._is_ingesting else self._opened(True)
        with opened as connection, self._errors():
            return work(connection)

    @contextmanager
    def _opened(
        self, read_only: bool, connect: Callable[[], duckdb.DuckDBPyConnection] | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        self.release()
        with _interrupted_by_signals():
            with self._turn(read_only):
                connection = self._connect(read_only, connect)
            try:
                yield connection
            finally:
                connection.close()

    @contextmanager
    def _kept(self, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of an ingest, for a commit or a look: behind it the store is let go, the
        connection stays for the next one.

        To make one, and to have the memory given back that it leaves, takes as long as a sixth of a
        commit of many rows, and four times as long as to attach the store anew.
        """
        self.release()
        attached = self._attached_to_read if read_only else self._attached_again
        with _interrupted_by_signals():
            with self._turn(read_only):
                connection = self._connect(read_only, attached)
            try:
                yield connection
                self._let_go(connection, read_only)
            except BaseException:
                connection.close()
                raise

    def _let_go(self, connection: duckdb.DuckDBPyConnection, read_only: bool) -> None:
        try:
            connection.execute("use memory")
            connection.execute("detach store")
            if read_only:
                connection.execute(f"set memory_limit = '{COMMITTING['memory_limit']}'")
                connection.execute(f"set threads = {COMMITTING['threads']}")
        except duckdb.Error:  # what it was kept for is done: its end lets go as well
            connection.close()
        else:
            self._idle = connection

    @contextmanager
    def session(
        self, read_only: bool, connect: Callable[[], duckdb.DuckDBPyConnection] | None = None
    ) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for upkeep; ``connect`` opens the store in its own way."""
        with self._opened(read_only, connect) as connection:
            try:
                connection.execute(UTC)
                yield connection
            except (duckdb.Error, OSError) as error:
                raise self._error(error) from error

    def upkeep(self) -> "DuckDBUpkeep":
        from ingest.stores.duckdb.upkeep import DuckDBUpkeep

        return DuckDBUpkeep(self)

    def grant_reader(self, role: str, with_text: bool) -> NoReturn:
        raise UsageProblem(
            f"the store {self.given} is a file without roles: its permissions say who reads it",
            "give readers a copy of their own: ttsq publish DIR",
        )

    @contextmanager
    def _turn(self, read_only: bool) -> Iterator[None]:
        """A writer asks for the store, readers let one that asks go first."""
        deadline = time.monotonic() + min(_TURN_SECONDS, self.wait_seconds)
        while read_only and asked(self._lock_path) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        beside = os.access(self.path.parent, os.W_OK) and not read_only
        with asking(self._lock_path) if beside else nullcontext():
            yield

    def _connect(
        self, read_only: bool, connect: Callable[[], duckdb.DuckDBPyConnection] | None
    ) -> duckdb.DuckDBPyConnection:
        deadline = time.monotonic() + self.wait_seconds
        connect = connect or (self._read_only if read_only else self._attached)
        while True:
            try:
                return connect()
            except duckdb.IOException as error:
                holder = holder_of(self.path)
                if holder is None and not self._still_opens(read_only):
                    raise self._error(error) from error
                if time.monotonic() >= deadline:
                    raise StoreBusyError(
                        f"the store {self.given} is held by {holder or 'another process'}",
                        "let that process end; BI tools should read the published copy",
                    ) from error
            except duckdb.Error as error:
                raise self._error(error) from error
            time.sleep(_POLL_SECONDS)

    @property
    def spill(self) -> Path:
        """The folder, made when it is needed, for what exceeds a session's memory.

        DuckDB's own choice is one that all processes in a working folder, or at a store, share:
        they overwrite each other's files there, and fail or crash (1.5.6).
        """
        return self.path.with_name(f"{self.path.name}.{os.getpid()}{_SPILL}")

    def clear_leftovers(self) -> None:
        """Remove what processes that were killed have left beside the store."""
        left = re.compile(rf"{re.escape(self.path.name)}\.(\d+)({_SPILL}|{NEW}|{NEW}\.wal)")
        for name in os.listdir(self.path.parent):
            match = left.fullmatch(name)
            if match is None or Path("/proc", match[1]).exists():
                continue
            if match[2] == _SPILL:
                shutil.rmtree(self.path.with_name(name), ignore_errors=True)
            else:
                self.path.with_name(name).unlink(missing_ok=True)

    def _read_only(self) -> duckdb.DuckDBPyConnection:
        config: dict[str, Any] = {
            "memory_limit": f"{_read_memory()}MB",
            "temp_directory": str(self.spill),
        }
        return duckdb.connect(str(self.path), read_only=True, config=config)

    def _attached(self) -> duckdb.DuckDBPyConnection:
        """A connection for writing, which holds the store."""
        return attach(unattached(SETTINGS, self.spill), self.path)

    def _attached_again(self) -> duckdb.DuckDBPyConnection:
        """As :meth:`_attached`, the one that was kept where there is one."""
        return attach(self._unattached(), self.path)

    def _attached_to_read(self) -> duckdb.DuckDBPyConnection:
        """The same, for what an ingest asks: it cannot write, and may use what a reader may."""
        connection = self._unattached()
        connection.execute(f"set memory_limit = '{_read_memory()}MB'")
        connection.execute(f"set threads = {os.cpu_count() or 1}")
        connection.execute(UTC)
        return attach(connection, self.path, read_only=True)

    def _unattached(self) -> duckdb.DuckDBPyConnection:
        idle, self._idle = self._idle, None
        return idle or unattached(COMMITTING, self.spill)

    def _end_spill(self) -> None:
        """What a kept connection has spilled goes with it."""
        if self._idle is not None and self.spill.exists():
            self._idle.close()
            self._idle = None

    def _still_opens(self, read_only: bool) -> bool:
        """Whether the file opens now: its holder may have gone since the failure."""
        try:
            duckdb.connect(str(self.path), read_only=read_only).close()
        except duckdb.Error:
            return holder_of(self.path) is not None
        return True

    def _error(self, error: Exception) -> StoreError:
        text, *more = str(error).strip().splitlines() or [type(error).__name__]
        text = f"{text} {meant(more)}".strip()
        text = text.rpartition("Original error: ")[2]  # what it says of itself only frightens
        if isinstance(error, _REFUSALS):
            return StoreError(
                f"the store {self.given} refuses the statement: {text}",
                "queries are read only, and see no files or settings; ttsq show NAME has examples",
            )
        return StoreError(
            f"cannot use the store {self.given}: {text}",
            "is it a DuckDB file, writable, and is there disk space? ttsq status says more",
        )


def _read_memory() -> int:
    """MB for a reading session: half of the memory of machine or container (cgroups(7) v2)."""
    least, most = _READ_MEMORY
    has = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):  # "max": there is none
        has = min(has, int(_MEMORY_OF_CONTAINER.read_text()))
    return min(max(has // 2**21, least), most)


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Raise the exception of a signal's handler, which DuckDB hides behind one of its own."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise error.__cause__ from None
        raise


def _lock_down(connection: duckdb.DuckDBPyConnection) -> None:
    """Make a connection one that sees no files and keeps its settings; instants are in UTC."""
    connection.execute(UTC)
    connection.execute(_LOCKED_DOWN)


def _revision(connection: duckdb.DuckDBPyConnection) -> str | None:
    try:
        row = connection.execute("select version_num from alembic_version").fetchone()
    except duckdb.CatalogException:  # no such table; to look for it takes longer than to read it
        return None
    return str(row[0]) if row else None


def newest_run(connection: duckdb.DuckDBPyConnection) -> int:
    """The key of the newest run, 0 where there is none."""
    row = connection.execute("select coalesce(max(run_key), 0) from ingest_runs").fetchone()
    assert row is not None
    return int(row[0])


def _checkpoints(connection: duckdb.DuckDBPyConnection) -> list[Checkpoint]:
    columns = ", ".join(f"epoch_us({c})" if c.endswith("_at") else c for c in CHECKPOINT_COLUMNS)
    rows = connection.execute(f"select {columns} from log_files order by file_key").fetchall()
    return [_checkpoint(row) for row in rows]


def _checkpoint(row: Sequence[Any]) -> Checkpoint:
    values: list[Any] = [
        EPOCH + timedelta(microseconds=v) if c.endswith("_at") and v is not None else v
        for c, v in zip(CHECKPOINT_COLUMNS, row, strict=True)
    ]
    return Checkpoint(*values)


class DuckDBReader:
    """A read-only session that cannot touch files or settings."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def revision(self) -> str | None:
        return _revision(self._connection)

    def query(self, sql: str, binds: Mapping[str, object] | None) -> QueryResult:
        if binds is None:
            return fetched(lambda: self._connection.execute(sql))
        used = {name: binds[name] for name in names_of(sql)}
        marked = replace_binds(sql, lambda name: f"${name}")
        return fetched(lambda: self._connection.execute(marked, used))

    def ask(self, sql: str, timeout_seconds: float, allow_superuser: bool) -> QueryResult:
        """``allow_superuser`` says nothing here: a file knows no roles."""
        require_select(self._connection, sql)
        stop = Timer(timeout_seconds, self._connection.interrupt)
        stop.daemon = True
        began = time.monotonic()  # before the timer's own time begins: no stop of its comes earlier
        stop.start()
        try:
            return fetched(lambda: self._connection.execute(sql))
        except duckdb.InterruptException:
            if time.monotonic() - began < timeout_seconds:
                raise  # by a signal
            raise too_slow(timeout_seconds) from None
        finally:
            stop.cancel()

    def describe(self, sql: str, binds: Mapping[str, object]) -> list[tuple[str, str]]:
        return [(str(r[0]), str(r[1])) for r in self.query(f"describe {sql}", binds).rows]
