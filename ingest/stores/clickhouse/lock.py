"""Who may ingest: a statement that runs as long as the right to is held.

The server runs no two statements of one query id, and ends one whose client is gone. So a statement
that never ends, with an id made of what it stands for, is a lock that no crash leaves behind; and a
short one with an id is a critical section of the whole server.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from typing import BinaryIO, TypeVar, cast

from ingest.errors import IngestBusyError, StoreBusyError
from ingest.stores.clickhouse.connection import FAILURES, RUNS_ALREADY, Session, code_of

T = TypeVar("T")
_POLL_SECONDS = 0.05
_SECTION_SECONDS = 30.0  # a critical section is a statement of milliseconds
_ENDLESS = "select sleepEachRow(0.1) from system.numbers format TSV"
_HELD: dict[str, object] = {
    "readonly": 2,
    "cancel_http_readonly_queries_on_client_close": 1,
    "max_block_size": 1,
    "max_execution_time": 0,
    "http_response_buffer_size": 0,
    "wait_end_of_query": 0,
}


def lock_id(database: str, host: str | None) -> str:
    """The query id of the lock of a host's ingests; None: of the whole store."""
    return _prefix(database) + ("all" if host is None else f"host {_short(host)}")


def _prefix(database: str) -> str:
    return f"ttsq lock {_short(database)} "


def _short(name: str) -> str:
    return blake2b(name.encode(errors="surrogateescape"), digest_size=8).hexdigest()


@contextmanager
def locked(session: Session, host: str | None, wait_seconds: float, what: str) -> Iterator[None]:
    """Hold the lock of a host, while nobody has that of the whole store; or the latter alone.

    :raises IngestBusyError: when another session still has it after ``wait_seconds``.
    """
    deadline = time.monotonic() + wait_seconds
    query_id = lock_id(session.server.database, host)
    while True:
        stream = _begun(session, query_id)
        if stream is not None:
            if not _others(session, host):
                break
            stream.close()
            _wait_for_end(session, query_id)
        if time.monotonic() >= deadline:
            told = "; ".join(holders(session)) or "an unknown session"
            raise IngestBusyError(
                f"another ingest holds {what}: {told}",
                "wait for it to end, or give it longer with --wait",
            )
        # two that wait for each other must not do so in step
        time.sleep(_POLL_SECONDS * random.uniform(0.5, 1.5))
    try:
        yield
    finally:
        stream.close()
        _wait_for_end(session, query_id)


def _begun(session: Session, query_id: str) -> BinaryIO | None:
    """The answer of a statement that does not end; None when another one has its id."""
    try:
        stream = session.client.raw_stream(_ENDLESS, settings={**_HELD, "query_id": query_id})
    except FAILURES as error:
        if code_of(error) == RUNS_ALREADY:
            return None
        raise
    return cast(BinaryIO, stream)


def _others(session: Session, host: str | None) -> bool:
    """Whether a lock is held that excludes this one."""
    database = session.server.database
    mine = lock_id(database, host)
    held = [query_id for query_id, _ in _locks(session) if query_id != mine]
    return bool(held) if host is None else lock_id(database, None) in held


def _locks(session: Session) -> Sequence[tuple[str, str]]:
    return session.rows(
        "select query_id, http_user_agent from system.processes "
        "where startsWith(query_id, {prefix:String})",
        {"prefix": _prefix(session.server.database)},
    )


def holders(session: Session) -> list[str]:
    """Who holds locks of the store, described."""
    return sorted({agent.partition(" clickhouse-connect/")[0] for _, agent in _locks(session)})


def _wait_for_end(session: Session, query_id: str) -> None:
    """Wait until the server has noticed that a lock was let go: whoever asks next is to have it."""
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline and any(q == query_id for q, _ in _locks(session)):
        time.sleep(0.01)


def alone(session: Session, what: str, work: Callable[[str], T]) -> T:
    """Run one statement that no other session of the store runs meanwhile; ``work`` gets its id.

    :raises StoreBusyError: when it has no turn within half a minute.
    """
    query_id = f"ttsq {what} {_short(session.server.database)}"
    deadline = time.monotonic() + _SECTION_SECONDS
    while True:
        try:
            return work(query_id)
        except FAILURES as error:
            if code_of(error) != RUNS_ALREADY:
                raise
            if time.monotonic() >= deadline:
                raise StoreBusyError(
                    f"the store {session.server.description} is held by other commits",
                    "try again; if it stays so, look for long queries on the server",
                ) from error
        time.sleep(0.002 * random.uniform(0.5, 1.5))
