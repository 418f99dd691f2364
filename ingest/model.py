"""The frozen values that every room speaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from operator import add, attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pyarrow as pa

    from ingest.errors import TtsqError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # instants in tables of numbers count from it
MINUTE_US, DAY_US = 60_000_000, 86_400_000_000  # microseconds

# a key is file_key << 40 | byte offset: a file may have 1 TiB, a store 8 million files
KEY_SHIFT = 40
# of an id or request id that count: an index of PostgreSQL takes values of up to 2,704 bytes, and a
# byte that is no UTF-8 becomes three
ID_BYTES = 512

# parsed in one go; what is made of it on the way stays in the processor's cache
CHUNK_BYTES = 3 << 20
BATCH_BYTES = 40 << 20  # whose rows are written to the store in one go
# that a commit takes at most, of one file or several: each commit writes the incomplete row groups
# of all tables once more, and twice the rows of a transaction that are few
COMMIT_BYTES = 8 * BATCH_BYTES


def make_key(file_key: int, offset: int) -> int:
    """The key of the row whose record stands at an offset of a file; unique without a counter."""
    return file_key << KEY_SHIFT | offset


class Origin(NamedTuple):
    """Where a chunk comes from: what every row of it carries."""

    file_key: int
    host: str
    service: str


# servers of the application itself: their lines are of one instance, their client may be a proxy
APPLICATION_SERVERS = (
    "uvicorn", "gunicorn", "hypercorn", "werkzeug", "gevent", "granian", "uwsgi", "daphne",
    "tornado", "aiohttp", "sanic", "bentoml", "ray serve", "torchserve",
)  # fmt: skip
REASONS = ("no_header", "bad_time", "too_long", "torn")  # for which a piece is in quarantine


class Reject(NamedTuple):
    """A piece of a log file that could not be understood: its place, reason and raw text."""

    byte_offset: int
    byte_length: int
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Ledger:
    """Where the bytes of a read went (SPEC §3.4); ``records``, ``quarantined`` and ``unclaimed``
    are counts.

    ``unclaimed`` are lines that nothing explains; ``already_stored_bytes`` belong to records that
    the store has from another place.
    """

    records: int = 0
    quarantined: int = 0
    record_bytes: int = 0
    quarantined_bytes: int = 0
    ignored_bytes: int = 0
    tail_bytes: int = 0
    lost_bytes: int = 0
    unclaimed: int = 0
    unclaimed_bytes: int = 0
    already_stored_bytes: int = 0

    def __add__(self, other: "Ledger") -> "Ledger":
        return Ledger(*map(add, _ACCOUNTS(self), _ACCOUNTS(other)))

    @property
    def settled_bytes(self) -> int:
        """Bytes that will not be read again."""
        return sum(getattr(self, name) for name in SETTLED)


_ACCOUNTS = attrgetter(*(f.name for f in fields(Ledger)))
# the classes of the ledger whose bytes will not be read again
SETTLED = (
    "record_bytes",
    "quarantined_bytes",
    "ignored_bytes",
    "unclaimed_bytes",
    "already_stored_bytes",
)
# what a file's checkpoint adds up of the ledgers of its reads; lost bytes are set once, when a read
# begins
_COUNTED = ("records", "quarantined", "unclaimed", *SETTLED)


class Checkpoint(NamedTuple):
    """What the store knows of one log file: its identity, and up to where it is stored.

    Offsets and sizes are uncompressed bytes, but ``stored_bytes``, the size on disk. ``format``
    says in JSON what the file is read with; ``reading`` is the state of that reading at
    ``committed_offset``, where it has one.
    """

    file_key: int
    host: str
    service: str
    path: str
    fingerprint: str | None
    header_offset: int | None
    anchor: str | None
    committed_offset: int
    size_bytes: int
    stored_bytes: int
    modified_ns: int
    device: int
    inode: int
    compression: str
    state: str
    records: int
    record_bytes: int
    quarantined: int
    quarantined_bytes: int
    ignored_bytes: int
    lost_bytes: int
    last_logged_at: datetime | None
    note: str | None
    first_seen_at: datetime
    last_ingested_at: datetime
    unclaimed: int = 0
    unclaimed_bytes: int = 0
    already_stored_bytes: int = 0
    encoding: str | None = None
    format: str | None = None
    reading: str | None = None

    def counting(self, ledger: Ledger) -> "Checkpoint":
        """The checkpoint with what a read has found added to its counts."""
        return self._replace(
            **{name: getattr(self, name) + getattr(ledger, name) for name in _COUNTED}
        )

    @property
    def settled_bytes(self) -> int:
        """Bytes accounted for; those up to ``committed_offset``."""
        return sum(getattr(self, name) for name in SETTLED)


class RunRow(NamedTuple):
    """The row of ``ingest_runs`` as it stands after a commit."""

    run_key: int
    host: str | None
    started_at: datetime
    finished_at: datetime | None
    status: str
    files: int
    bytes: int
    records: int
    rows: int
    quarantined: int
    record_bytes: int
    quarantined_bytes: int
    ignored_bytes: int
    tail_bytes: int
    lost_bytes: int
    error: str | None
    unclaimed: int = 0
    unclaimed_bytes: int = 0
    already_stored_bytes: int = 0


class Relink(NamedTuple):
    """Rows of one part that now belong to a request, None to none any more: a stretch of one file,
    one id.

    ``known_key``: the request that the part's stored rows belong to as yet; where none are stored,
    ``request_key``. ``part`` numbers the parts of the request in order; ``own_stage_times``: its
    stages were logged with their own times.
    """

    file_key: int
    id: str
    first_offset: int
    last_offset: int
    request_key: int | None
    known_key: int | None
    part: int
    own_stage_times: bool


class Changes(NamedTuple):
    """What one commit does to the rows, in this order: delete, insert, relink.

    ``rows`` are to be inserted, by table. Deletes name rows by key and lie within ``earliest`` …
    ``latest``; ``delete_parts`` are (file_key, first_offset); ``rejects`` are pieces with the key
    of their file.
    """

    quarantined_at: datetime
    rows: "Mapping[str, Sequence[pa.Table]]" = MappingProxyType({})
    rejects: Sequence[tuple[int, Reject]] = ()
    delete_requests: Sequence[int] = ()
    delete_parts: Sequence[tuple[int, int]] = ()
    relinks: Sequence[Relink] = ()
    earliest: datetime | None = None
    latest: datetime | None = None

    def row_counts(self) -> dict[str, int]:
        """Rows that this commit adds, by table; pieces of requests are none."""
        counts = {
            name: sum(t.num_rows for t in tables)
            for name, tables in self.rows.items()
            if name not in ("request_parts", "stored_lines", "known_stretches")
        }
        counts["requests"] = counts.get("requests", 0) - len(set(self.delete_requests))
        return counts


class FileReport(NamedTuple):
    """What a run did with one path; ``recognised``: what it was read with, for people."""

    path: str
    action: str
    note: str | None
    ledger: Ledger
    bytes_read: int = 0
    recognised: str | None = None


class RunReport(NamedTuple):
    """What a run did: its files, its ledger, the rows it added to each table.

    :ivar migrated: the schema revisions of the store before and after, where the run upgraded it.
    :ivar anew: files to be read anew: they begin with what goes on from a file that only this run
        has read to its end.
    """

    store: str
    started_at: datetime
    finished_at: datetime
    files: tuple[FileReport, ...]
    ledger: Ledger
    bytes_read: int
    rows: Mapping[str, int] = {}
    problems: "tuple[TtsqError, ...]" = ()
    migrated: tuple[str, str] | None = None
    anew: tuple[str, ...] = ()
