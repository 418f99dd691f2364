"""What a backend is: the protocol, the capabilities and the commit contract.

The commit contract, held by tests on every backend:

1. ``Writer.commit`` makes the rows and quarantine written before it durable together with the
   checkpoints, or none of them.
2. After it returns, a crash repeats nothing and loses nothing.
3. A crash before it returns leaves the store as if it had not been called.
4. The checkpoint lives nowhere else.
5. It is a compare-and-set: ``Store.writing`` proves that the checkpoints and the newest run are
   still those that the commit stands on. Locks between ingests only spare work.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from ingest.errors import IngestBusyError, StoreError
from ingest.model import Changes, Checkpoint, Origin, RunRow
from ingest.rows.described import TABLES, USER_TEXT, Described

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa
    from sqlalchemy import Engine


class QueryResult(NamedTuple):
    """Rows of a query: the columns' names, and tuples aligned with them.

    Many rows may be :class:`ingest.stores.results.TableRows`, which makes the tuples as they are
    asked for.
    """

    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]


class Capabilities(NamedTuple):
    """What a backend can do: each claim is read by the flow, and proven by a test.

    ``keys_without_store``: file keys are given out without a look at the store, also while a thread
    writes to it. ``shared_schema``: others may have tables of their own beside the store's, and the
    store indexes and partitions. ``has_one_writer``: nobody else can write while a transaction is
    open, so one that waits for its next rows keeps no other ingest from its own; it sees its rows,
    and so does :meth:`Store.reading` meanwhile, by the thread that writes.
    """

    keys_without_store: bool
    shared_schema: bool
    has_one_writer: bool


class Snapshot(NamedTuple):
    """What a run starts from: the known log files, and the newest run that stored (0: none)."""

    checkpoints: list[Checkpoint]
    newest_run: int


class Standing(NamedTuple):
    """What a run takes for true of its store; a commit that stands on it is refused where it is so
    no more.

    ``newest_run`` is the key of the newest run, this one or the one before it: another run,
    whatever files it has stored, has a greater one. ``offsets`` are the committed offsets of log
    files by their keys; None: no file has the key.
    """

    newest_run: int
    offsets: Mapping[int, int | None]


def require_standing(
    store: str, standing: Standing, newest_run: int, offsets: Mapping[int, int]
) -> None:
    """:raises IngestBusyError: when a store, within a transaction, has changed under the run."""
    moved = any(offsets.get(key) != offset for key, offset in standing.offsets.items())
    if moved or newest_run != standing.newest_run:
        raise IngestBusyError(
            f"another ingest stored into {store} meanwhile; what this one has read is not stored",
            "run it again: it continues where the other one ended",
        )


class AnswerWriter(Protocol):
    """Which access lines answer which requests, and which requests errors without an id belong to,
    within one transaction. Lines, requests and errors are rows of Arrow tables.

    A line has ``is_told``: its request is named by its own log, or by its X-Request-ID.
    """

    def has_lines(self, since: datetime, until: datetime) -> bool:
        """Whether any access line is of this time."""

    def lines_named(
        self, names: "pa.Array", keys: Sequence[int], since: datetime, until: datetime
    ) -> "pa.Table":
        """Lines with these X-Request-IDs, or that answer these requests, without an id of their
        own.
        """

    def requests_named(self, names: "pa.Array", since: datetime, until: datetime) -> "pa.Table":
        """Requests whose X-Request-ID or id is one of these."""

    def lines_between(self, since: datetime, until: datetime) -> "pa.Table":
        """The lines of a time."""

    def requests_between(self, since: datetime, until: datetime) -> "pa.Table":
        """The requests that began within a time."""

    def has_named_errors(self, since: datetime, until: datetime) -> bool:
        """Whether any error of this time has an X-Request-ID and no id."""

    def errors_named(
        self, names: "pa.Array", keys: Sequence[int], since: datetime, until: datetime
    ) -> "pa.Table":
        """Errors without an id that have one of these X-Request-IDs, or any and belong to one of
        these requests.
        """

    def proxy_errors_between(self, since: datetime, until: datetime) -> "pa.Table":
        """Errors of a time without an id or X-Request-ID that may be of nginx's error log."""

    def link(
        self,
        table: Described,
        rows: "npt.NDArray[np.int64]",
        requests: "npt.NDArray[np.int64]",
        since: datetime,
        until: datetime,
    ) -> None:
        """Note which requests rows of a linked table and of this time belong to: keys of both; 0:
        none. Not durable yet.
        """


class Forgetter(Protocol):
    """Takes the rows of one log file out of a store, within one transaction. What it takes comes
    as Arrow tables, ``most`` rows at a time: memory does not grow with the file.
    """

    def pieces(self, most: int) -> "pa.Table":
        """Rows of request_parts of the file, the first that are there."""

    def whole_beside(self, most: int) -> "pa.Table":
        """Requests of the file alone, without rows of request_parts, of whose ids other files have
        such rows.
        """

    def take_requests(self, most: int) -> "pa.Table":
        """Delete requests of the file alone: keys, names and instants of those deleted."""

    def take_lines(self, most: int) -> "pa.Table":
        """Delete access lines of the file: names and instants of those deleted."""

    def take_records(self) -> dict[str, int]:
        """Delete its other rows of one record each, and what is known of its content; how many, by
        table.
        """

    def set_quarantine_aside(self) -> int:
        """Keep its pieces in quarantine out of the way; how many."""

    def replace_quarantine(self, before: int, at: datetime) -> None:
        """Delete those pieces. Each of the new ones before an offset is as old as the one that was
        in its place, or as ``at``: retention goes by that.
        """

    def remove_pruned(self) -> dict[str, int]:
        """Remove what a pruning has removed from the tables before, rows and user text; how many
        rows, by table.
        """


class Writer(Protocol):
    """One transaction: leaving it without :meth:`commit` rolls back."""

    @property
    def answers(self) -> AnswerWriter:
        """The same transaction, for what access lines answer."""

    def forgetter(self, file_key: int) -> Forgetter:
        """The same transaction, to take the rows of a log file out."""

    def next_run_key(self, host: str | None) -> int:
        """A key no run has; runs of this host (None: of any) that were killed are marked so."""

    def carry(self, checkpoint: Checkpoint, ids: "pa.Array | None" = None) -> dict[str, int]:
        """Ids whose last part before the checkpoint is OPEN, or ended near its last instant.

        ``ids``: only of these (strings).
        """

    def has_many_parts(self, checkpoint: Checkpoint, many: int) -> bool:
        """Whether ``carry`` may find more than so many: parts that begin in a file before the
        checkpoint, and in a file without any instant its whole requests.
        """

    def known_ids(
        self, origin: Origin, ids: "pa.Array", earliest: datetime, latest: datetime
    ) -> "pa.Array":
        """Which of these ids (strings) have rows of request_parts in the window."""

    def last_pieces(self, origin: Origin, heads: "pa.Table") -> "pa.Table":
        """The file's last row of request_parts of each id that begins before an offset: ``heads``
        has both.
        """

    def last_requests(
        self, origin: Origin, heads: "pa.Table", earliest: datetime, latest: datetime
    ) -> "pa.Table":
        """The same of complete requests that touch the window and have no row in request_parts."""

    def pieces_near(self, origin: Origin, windows: "pa.Table") -> "pa.Table":
        """All rows of request_parts of each request that has one near a window.

        A window is a row of ``id``, ``low``, ``high``. Near it are the rows of its id that touch
        it, and the nearest before and after it, however far, that lack either start or end.
        """

    def requests_near(
        self, origin: Origin, windows: "pa.Table", earliest: datetime, latest: datetime
    ) -> "pa.Table":
        """Complete requests that touch a window of their id and have no row in request_parts.

        ``earliest`` and ``latest`` are the bounds of all windows.
        """

    def write(self, changes: Changes) -> None:
        """Write the rows of one batch; not durable yet."""

    def redate(self, file_key: int, at: datetime) -> None:
        """Give the stored rows of a file, which have only the file's time, its first instant; not
        durable yet.
        """

    def release(self, file_key: int, offsets: Sequence[int]) -> None:
        """Take pieces of a file out of quarantine; not durable yet."""

    def text_salt(self, new: str, at: datetime) -> str:
        """The secret key of text hashes; ``new`` in a store without one. Not durable yet."""

    def commit(self, checkpoints: Sequence[Checkpoint], run: RunRow | None) -> None:
        """Make the written rows durable, with the checkpoints and the run: see the contract."""


class Reader(Protocol):
    """A read-only session."""

    def revision(self) -> str | None:
        """The schema revision of the store, None for one without tables."""

    def query(self, sql: str, binds: Mapping[str, object] | None) -> QueryResult:
        """Run one statement with ``:name`` parameters bound; None runs it as it is."""

    def ask(self, sql: str, timeout_seconds: float, allow_superuser: bool) -> QueryResult:
        """Run a user's own SELECT: one, guarded, and stopped after ``timeout_seconds``.

        :raises StoreError: for what is more or else than one SELECT, runs for longer, or comes from
            a role that may do more than read, unless ``allow_superuser``.
        """

    def describe(self, sql: str, binds: Mapping[str, object]) -> list[tuple[str, str]]:
        """Name and database type of each column that a query would return; it does not run."""


def too_slow(timeout_seconds: float) -> StoreError:
    """What to raise when a user's statement was stopped."""
    return StoreError(
        f"the statement ran for longer than {timeout_seconds:g} seconds and was stopped",
        "ask for less, for example between two times, or give it longer with --timeout",
    )


def no_store(store: str) -> StoreError:
    """What to raise when there is nothing to read yet."""
    return StoreError(f"there is no store at {store}", "ingest something first: ttsq ingest PATH")


def schema_refused(store: str, reason: str) -> StoreError:
    """What to raise when a database refuses to make or to change the tables."""
    return StoreError(
        f"the store {store} refuses a change of its schema: {reason}",
        "nothing has changed; only the owner of the tables can change them, and your own views "
        "may depend on them",
    )


Subject = Literal["rows", "texts"]

# the instant that a table's age goes by
AGE_COLUMNS: Mapping[str, str] = {t.name: t.at for t in TABLES if t.at is not None}
# tables whose rows have the age of the request they belong to, and their own only without one
FOLLOWERS = tuple(t.name for t in TABLES if t.follows is not None)
TEXT_TABLES = tuple(USER_TEXT)  # those with user text


def text_changes(no_text: str, has_text: str) -> Mapping[str, tuple[str, str]]:
    """SQL that removes user text from rows of a table, and that finds the rows that have some.

    ``no_text`` assigns ``attributes`` without user text; ``has_text`` is true where there is some.
    """
    found = {}
    for table, columns in USER_TEXT.items():
        assigned, asked = [], []
        for column in columns:
            if column == "attributes":
                assigned.append(no_text)
                asked.append(has_text)
            elif column == "raw":  # never null
                assigned.append(f"{column} = ''")
                asked.append(f"{column} <> ''")
            else:
                assigned.append(f"{column} = null")
                asked.append(f"{column} is not null")
        found[table] = (", ".join(assigned), f"({' or '.join(asked)})")
    return found


class Minute(NamedTuple):
    """Rows of one minute: ``number`` of the minute since the epoch."""

    number: int
    rows: int


class Space(NamedTuple):
    """A store's bytes on disk, the free ones in it, and each table's (an estimate) with rows."""

    bytes: int
    free_bytes: int
    tables: Mapping[str, tuple[int, int]] = MappingProxyType({})


class Upkeep(Protocol):
    """Work on a whole store. Whoever calls what changes it holds ``Store.ingesting``."""

    def minutes(self, table: str, subject: Subject, before: datetime) -> list[Minute]:
        """Rows older than an instant per minute; of texts only the rows that still have some."""

    def remove(self, table: str, before: datetime) -> dict[str, int]:
        """Remove older rows and their followers in one transaction; how many per table."""

    def clear_texts(self, table: str, before: datetime) -> int:
        """Remove user text from the rows that are older, in one transaction; from how many."""

    def owes_space(self) -> bool:
        """Whether something was removed whose space was not given back since."""

    def space(self) -> Space:
        """What the store takes on disk now."""

    def require_prunable(self) -> None:
        """:raises StoreError: for a store of several names: pruning would split it in two."""

    def give_back(self, at: datetime) -> None:
        """Shrink the store to what it holds, and note that; a crash leaves the old store or the new
        one.

        :raises StoreError: when there is no room for it.
        """

    def state(self) -> str:
        """Differs whenever the store holds something else."""

    def state_of_copy(self, path: Path) -> str | None:
        """The state that was copied to a file or folder; None for what is no such copy."""

    def copy(self, target: Path) -> dict[str, int]:
        """Write what BI readers need into a new file; rows by table. Readers may read the store
        meanwhile.

        :raises StoreError: when there is no room for it.
        """

    def export(self, folder: Path) -> dict[str, int]:
        """The same as Parquet files, one a table, in a folder that exists."""


class Readable(NamedTuple):
    """A table, and the columns of it that stay closed."""

    table: str
    closed: tuple[str, ...]


class Granted(NamedTuple):
    """What a role may read now; ``warnings`` say what it can do beyond that, and why."""

    role: str
    store: str
    schema: str
    with_text: bool
    views: tuple[str, ...]
    tables: tuple[Readable, ...]
    warnings: tuple[str, ...]


class Store(Protocol):
    """A database that holds the tables."""

    name: str
    capabilities: Capabilities

    @property
    def description(self) -> str:
        """The store for people, without a password."""

    @property
    def file(self) -> Path | None:
        """The file that holds the store; None for a store on a server."""

    def exists(self) -> bool:
        """Whether there is anything yet."""

    def revision(self) -> str | None:
        """The schema revision of the store, None for an empty one."""

    def checkpoints(self) -> list[Checkpoint]:
        """All known log files."""

    def snapshot(self, head: str, host: str | None) -> Snapshot | None:
        """What the ingests of a host (None: of all) start from, in one look at a store that is at
        ``head``; None for any other.

        A store in one file has one ingest at a time: all hosts' files and runs. A server's has
        those of the host.
        """

    def next_file_key(self, last: int) -> int:
        """A key that no log file has or gets; ``last`` is the greatest that the caller knows."""

    def engine(self) -> "Engine":
        """A SQLAlchemy engine, for migrations."""

    def make(self, script: str) -> bool:
        """Run what all revisions together run on an empty store, in one transaction; False for a
        store that is not empty.

        :raises StoreError: when the database refuses; nothing is changed then.
        """

    def differences(self) -> list[str] | None:
        """How the schema differs from what the program expects; None: SQLAlchemy can tell."""

    def writing(self, standing: Standing | None = None) -> AbstractContextManager[Writer]:
        """A transaction; waits, bounded, for whoever holds the store.

        ``standing`` is proven within it, and stays so until it ends: two ingests never commit on
        the same one, whatever became of their locks. None is for what moves no checkpoint.

        :raises ingest.errors.IngestBusyError: when the store is not as the run takes it to be.
        """

    def reading(self) -> AbstractContextManager[Reader]:
        """A read-only session; waits, bounded, for whoever holds the store. Within :meth:`writing`,
        where the backend has one writer, it reads what was written, too.

        :raises StoreError: when there is no store.
        """

    def ingesting(
        self, wait_seconds: float, host: str | None = None
    ) -> AbstractContextManager[None]:
        """Exclude other ingests of this store; of this host alone, where the backend lets hosts
        ingest at once.

        :raises ingest.errors.IngestBusyError: after the wait.
        """

    def holder(self) -> str | None:
        """Who excludes other ingests now, described; None when nobody does."""

    def upkeep(self) -> "Upkeep":
        """Work on the whole store: retention, copies."""

    def grant_reader(self, role: str, with_text: bool) -> "Granted":
        """Let a role read the views and tables of a store at head and nothing else; user text only
        ``with_text``.

        :raises UsageProblem: where there are no roles.
        :raises StoreError: when there is no such role, or it cannot be held to that.
        """
