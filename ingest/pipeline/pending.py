"""Parsed chunks → rows, gathered to what one commit takes."""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from ingest.errors import DamagedFileError
from ingest.faults import reach
from ingest.logfiles.fingerprint import ANCHOR_BYTES
from ingest.model import Ledger, Origin
from ingest.records.formats import Format
from ingest.records.instants import LOGGED
from ingest.rows.spans import OPEN

if TYPE_CHECKING:
    from ingest.records.parse import Parsed
    from ingest.rows.chunk import ChunkRows
    from ingest.rows.content import Stretch
    from ingest.rows.join import Joined
    from ingest.rows.user_text import Redaction


# in a commit, but for those of one chunk: parts without a start or an end, and rows
_MOST_LOOSE, _MOST_ROWS = 20_000, 400_000
_HEAVY = {"http_requests": 6}  # rows that take as much memory as so many stage times
Ask = Callable[[Sequence[str]], Mapping[str, int]]


class Settled(NamedTuple):
    """The state after a chunk: ``before`` are the bytes just before ``offset``, ``latest`` as in
    :func:`ingest.pipeline.later.latest_of`.
    """

    offset: int
    before: bytes
    ledger: Ledger
    last_instant: int | None
    reading: str | None = None
    encoding: str | None = None
    latest: int | None = None


def built(
    chunks: Iterable["Parsed"],
    fmt: Format,
    origin: Origin,
    carry: Mapping[str, int],
    redaction: "Redaction",
    stretches: Sequence["Stretch"] = (),
    ask: "Ask | None" = None,
    *,
    is_dated: bool = True,
    keeps_rare: bool = False,
) -> Iterator["tuple[Settled, ChunkRows]"]:
    """Assemble parsed chunks of a file; ``carry`` as for :func:`ingest.rows.assemble.build`.

    ``stretches`` are stored from another place; a chunk whose bytes are already stored is one of
    them. ``ask`` says how the stored part of the file stands for some ids, where ``carry`` does not
    have all of it: each id of a chunk is asked for once. ``is_dated``: what was read of the file
    before has an instant. ``keeps_rare`` as there: their rows are looked at only when joined.
    """
    from ingest.pipeline.known_content import content_rows
    from ingest.pipeline.later import latest_of
    from ingest.rows.assemble import build, ids_of

    asked: set[str] = set()
    keeps_rare = keeps_rare and redaction.keeps_all

    for parsed in chunks:
        reach("parsed")
        original = parsed.original
        before = bytes(original[max(0, parsed.consumed - ANCHOR_BYTES) : parsed.consumed])
        offset = parsed.base + parsed.consumed
        settled = Settled(
            offset, before, parsed.ledger, parsed.last_instant, parsed.reading, parsed.encoding,
            latest_of(parsed),
        )  # fmt: skip
        if ask is not None:
            new = [i for i in ids_of(parsed) if i not in asked]
            asked.update(new)
            carry = {**carry, **ask(new)}
        dates = None
        if not is_dated and parsed.last_instant is not None:
            dates, is_dated = _first_instant(parsed), True
            carry = {name: end if end == OPEN else dates for name, end in carry.items()}
        rows, carry = build(parsed, fmt, origin, carry, keeps_rare=keeps_rare)
        rows = redaction.of(rows)
        content = content_rows(parsed, origin.file_key, stretches)
        rows = replace(rows, content=content, dates=dates if parsed.base else None)
        del parsed  # its bytes and tables, before the next ones are made
        reach("assembled")
        yield settled, rows


def _first_instant(parsed: "Parsed") -> int:
    """The first instant of a chunk that has one."""
    if parsed.first_instant is not None:
        return parsed.first_instant
    stamped = (parsed.time_source == LOGGED).nonzero()[0]
    return int(parsed.instants[stamped[0]]) if len(stamped) else int(parsed.last_instant or 0)


@dataclass(slots=True)
class Pending:
    """One commit's share of a file: its chunks' rows and states; ``last``: no other follows."""

    settled: list[Settled] = field(default_factory=list)
    batches: "list[ChunkRows]" = field(default_factory=list)
    last: bool = False
    _joined: "Joined | None" = None

    def joined(self) -> "Joined":
        """Its rows as one batch; from now on it has none."""
        from ingest.rows.join import joined

        if self._joined is None:
            return joined(self.batches)
        rows, self._joined = self._joined, None
        return rows

    def join(self) -> None:
        """Make that batch now."""
        self._joined = self.joined()

    @property
    def settled_bytes(self) -> int:
        """Bytes of the log file."""
        return sum(s.ledger.settled_bytes for s in self.settled)


def gathered(
    chunks: "Iterable[tuple[Settled, ChunkRows]]", most_bytes: int
) -> Generator[Pending, None, None]:
    """Assembled chunks, gathered up to a number of bytes of the log file, or up to damage.

    Parts of requests that are not whole become Python's objects: of these there are few at a time.
    Rows are counted, too: an access line of 70 bytes makes one of 25 columns, and all lines with a
    name are held against requests at once.
    """
    pending, loose, rows, size = Pending(), 0, 0, 0
    try:
        for settled, batch in chunks:
            more = int((batch.used & ~batch.whole).sum())
            further = len(batch.used) + sum(
                n * _HEAVY.get(name, 1) for name, n in batch.counts.items()
            )
            is_full = size > most_bytes or loose + more > _MOST_LOOSE or rows + further > _MOST_ROWS
            if pending.settled and is_full:
                yield pending
                pending, loose, rows, size = Pending(), 0, 0, 0
            size += settled.ledger.settled_bytes
            loose += more
            rows += further
            pending.settled.append(settled)
            pending.batches.append(batch)
            del batch
    except DamagedFileError:
        if pending.settled:
            yield pending
        raise
    if pending.settled:
        pending.last = True
        yield pending


def joining(source: Generator[Pending, None, None]) -> Generator[Pending, None, None]:
    """What is gathered, each commit's share joined as it comes: where a thread makes it, storing
    has the less to do.
    """
    with closing(source):
        for pending in source:
            pending.join()
            yield pending
            del pending
