"""Recount the log files on disk against the tables: lost 0, doubled 0, or which (SPEC §3.4)."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from pathlib import Path

from ingest.errors import LogFileError
from ingest.logfiles.fingerprint import anchor, anchor_length
from ingest.logfiles.locate import Absent, Finder
from ingest.logfiles.reader import LogReader, read_head
from ingest.logfiles.stat import FileStat
from ingest.model import Checkpoint, Ledger, Origin
from ingest.pipeline.known_content import known_stretches
from ingest.pipeline.profiles import profiles
from ingest.records.arrays import raw_text
from ingest.records.formats import Format
from ingest.records.front import FrontParser
from ingest.records.parse import ChunkParser
from ingest.records.read_with import ReadWith, begun_with
from ingest.rows.assemble import build
from ingest.stores import migrate
from ingest.stores.contract import Store
from ingest.stores.recorded import Stored, stored_places
from ingest.tasks.verify.compare import Mismatch, compare, expected
from ingest.tasks.verify.recount import CHUNK_BYTES, Beginning, Piece, Recount
from ingest.tasks.verify.store_rules import StoreFinding, gone_doubles, store_findings

SHOWN = 5  # places told of each file
MOST_STRAYS = 10_000  # rows of a file that nothing was found for yet: a later line may tell of them
_LINE = 160  # bytes told of a line
_LEDGER = (
    "records", "record_bytes", "quarantined", "quarantined_bytes", "ignored_bytes",
    "unclaimed", "unclaimed_bytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding: the row's table and place, and how its line begins, if it was read."""

    kind: str
    table: str
    path: str
    offset: int
    line: str = ""


@dataclass(frozen=True, slots=True)
class FileResult:
    """What the recount of one known file came to.

    ``state``: recounted, absent (no longer on disk), unreadable, changed (while it was read) or
    empty (nothing stored yet); ``counts`` how many places are lost, doubled or stray; ``findings``
    the first of them; ``ledger`` what in ``log_files`` does not add up; ``understood`` pieces in
    quarantine that are records by now; ``lost_bytes`` were gone before they were read, and said so
    then.
    """

    file_key: int
    path: str
    state: str
    note: str | None
    bytes: int
    records: int
    lost_bytes: int
    counts: tuple[tuple[str, int], ...] = ()
    findings: tuple[Finding, ...] = ()
    ledger: tuple[str, ...] = ()
    understood: int = 0

    def count(self, kind: str) -> int:
        """How many places are wrong in one way."""
        return dict(self.counts).get(kind, 0)


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """A verification: files, what is wrong in the store itself, and paths of unknown files."""

    store: str
    files: tuple[FileResult, ...]
    store_findings: tuple[StoreFinding, ...]
    unknown: tuple[str, ...]

    def total(self, kind: str) -> int:
        """Places that are wrong in one way, in all files and in the store."""
        in_store = sum(f.rows for f in self.store_findings if f.kind == kind)
        return sum(f.count(kind) for f in self.files) + in_store

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return not self.store_findings and not any(f.counts or f.ledger for f in self.files)


@dataclass(frozen=True, slots=True)
class Options:
    """How to read files whose checkpoints do not say it: the record grammar, and the zone of its
    stamps.

    ``is_asked``: the others, too.
    """

    format: Format
    tz: tzinfo
    is_asked: bool = False
    chunk_bytes: int = CHUNK_BYTES
    profile_folder: Path | None = None


def verify(
    store: Store,
    options: Options,
    paths: Sequence[Path] | None = None,
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> VerifyReport:
    """Recount all known files, or only those that stand at ``paths``; an ingest may run beside it.

    :raises StoreError: when there is no store, or it fails.
    """
    migrate.require_head(store)
    run = _Run(store, options, Finder(paths), progress)
    checkpoints = store.checkpoints()
    files = run.over(checkpoints, only_found=paths is not None)
    keys = None if paths is None else {f.file_key for f in files}
    recounted = {f.file_key for f in files if f.state == "recounted"}
    return VerifyReport(
        store.description,
        tuple(files),
        tuple(store_findings(store, checkpoints, recounted, keys)),
        tuple(str(p) for p in run.finder.unmatched),
    )


class _Run:
    def __init__(
        self, store: Store, options: Options, finder: Finder, progress: Callable[[int, int], None]
    ) -> None:
        self.store = store
        self.options = options
        self.finder = finder
        self._progress = progress
        self._done = 0
        self._total = 0

    def over(self, checkpoints: Sequence[Checkpoint], *, only_found: bool) -> list[FileResult]:
        """Recount file by file."""
        self._total = sum(c.committed_offset for c in checkpoints)
        results = []
        for checkpoint in checkpoints:
            found = self.finder.find(checkpoint) if checkpoint.committed_offset else None
            if isinstance(found, FileStat):
                results.append(self._file(checkpoint, found))
            elif not only_found:
                results.append(self._absent(checkpoint, found))
            else:
                self._total -= checkpoint.committed_offset
        return results

    def _absent(self, c: Checkpoint, absent: Absent | None) -> FileResult:
        self._total -= c.committed_offset
        if absent is None:
            return _result(c, c.path, "empty", "nothing of it is stored yet")
        state = "unreadable" if absent.damaged else "absent"
        found = gone_doubles(self.store, c)
        return replace(
            _result(c, c.path, state, f"{absent.why}, not recounted"),
            counts=(("doubled", len(found)),) if found else (),
            findings=tuple(Finding("doubled", t, c.path, o) for t, o in found[:SHOWN]),
        )

    def _file(self, c: Checkpoint, stat: FileStat) -> FileResult:
        """Recount a file; twice if its row in the store changed and something seemed wrong."""
        result = self._recounted(c, stat)
        if result.counts or result.ledger:
            now = next((k for k in self.store.checkpoints() if k.file_key == c.file_key), None)
            if now is not None and now != c:
                self._done -= c.committed_offset
                self._total += now.committed_offset - c.committed_offset
                return self._recounted(now, stat)
        return result

    def _recounted(self, c: Checkpoint, stat: FileStat) -> FileResult:
        tally = _Tally(c, str(stat.path))
        path, before = str(stat.path), self._done
        try:
            with LogReader(stat) as reader:
                is_it = self._read(c, stat, reader, tally)
        except LogFileError as problem:
            self._done = before + c.committed_offset
            return _result(c, path, "unreadable", problem.message)
        self._done = before + c.committed_offset
        if not is_it:
            return _result(c, path, "changed", "changed while it was read, not recounted")
        return tally.result()

    def _read(self, c: Checkpoint, stat: FileStat, reader: LogReader, tally: "_Tally") -> bool:
        """Read a file's stored part; false if the file turns out to be another one."""
        origin, carry = Origin(c.file_key, c.host, c.service), dict[str, int]()
        begun: set[str] = set()
        beginning = Beginning(reader, c.committed_offset)
        options = self.options
        read_with = ReadWith(options.format, options.tz, options.is_asked).of(c.format)
        head, _ = read_head(stat)

        def parser(reading: str | None) -> ChunkParser:
            return FrontParser(
                read_with.format, read_with.tz, profiles(self.options.profile_folder),
                head=head[:1024], reading=reading,
            )  # fmt: skip

        def stored_at(low: int, high: int) -> Stored:
            with self.store.reading() as session:
                return stored_places(session, c.file_key, low, high)

        stretches = known_stretches(self.store, c.file_key)
        recount = Recount(
            parser, stat.modified_ns // 1000, stored_at, self.options.chunk_bytes, stretches,
            begun_with(c.format),
        )  # fmt: skip
        for piece in recount.pieces(beginning.read, beginning.skip_hole):
            batch, carry = build(piece.parsed, read_with.format, origin, carry)
            want = expected(piece.parsed, batch)
            compared = compare(piece.parsed, want, piece.stored, begun)
            tally.add(piece, compared.mismatches, compared.understood)
            self._progress(self._done + piece.parsed.base + piece.parsed.consumed, self._total)
        return beginning.is_whole and _anchored(c, beginning.last)


def _anchored(c: Checkpoint, last: bytes) -> bool:
    return not c.anchor or anchor(last[-anchor_length(c.anchor) :]) == c.anchor


def _result(c: Checkpoint, path: str, state: str, note: str | None) -> FileResult:
    return FileResult(c.file_key, path, state, note, c.committed_offset, c.records, c.lost_bytes)


@dataclass(slots=True)
class _Tally:
    """What is found in one file, piece by piece."""

    checkpoint: Checkpoint
    path: str
    counts: Counter[str] = field(default_factory=Counter)
    counts_of_parts: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    understood: int = 0
    ledger: Ledger = field(default_factory=Ledger)
    strays: dict[tuple[str, int], str] = field(default_factory=dict)

    def add(self, piece: Piece, mismatches: Sequence[Mismatch], understood: int) -> None:
        """Count a piece."""
        self.ledger = self.ledger + piece.parsed.ledger
        self.understood += understood
        for m in mismatches:
            place = m.table, m.offset
            if m.kind == "lost" and place in self.strays:  # told by a line of a later piece
                del self.strays[place]
            elif m.kind == "stray" and len(self.strays) < MOST_STRAYS:
                self.strays[place] = _line_at(piece, m.offset)
            else:
                self._count(m.kind, *place, _line_at(piece, m.offset))

    def _count(self, kind: str, table: str, offset: int, line: str) -> None:
        self.counts[kind] += 1
        self.counts_of_parts[kind] += table == "request_parts"
        if len(self.findings) < SHOWN:
            self.findings.append(Finding(kind, table, self.path, offset, line))

    def result(self) -> FileResult:
        """What the file came to."""
        c = self.checkpoint
        for (table, offset), line in self.strays.items():
            self._count("stray", table, offset, line)
        self.strays = {}
        if (
            self.understood
        ):  # pieces of requests begin elsewhere when one of their records is in quarantine
            self.findings = [f for f in self.findings if f.table != "request_parts"]
            self.counts -= self.counts_of_parts
        return replace(
            _result(c, self.path, "recounted", None),
            records=self.ledger.records,
            counts=tuple(sorted(self.counts.items())),
            findings=tuple(self.findings),
            ledger=tuple(self._ledger_differences()),
            understood=self.understood,
        )

    def _ledger_differences(self) -> list[str]:
        c = self.checkpoint
        settled = c.settled_bytes
        found = []
        if settled != c.committed_offset:
            found.append(f"{settled} bytes accounted for, {c.committed_offset} stored")
        if self.understood:  # it is counted as quarantined still
            return found
        return found + [
            f"{name} is {getattr(c, name)}, recounted {getattr(told, name)}"
            for told in [_blanks_ignored(c, self.ledger)]
            for name in _LEDGER
            if getattr(c, name) != getattr(told, name)
        ]


def _blanks_ignored(c: Checkpoint, recounted: Ledger) -> Ledger:
    """A recount's ledger, with the lines after a run's end counted as the run did."""
    loose = c.unclaimed_bytes - recounted.unclaimed_bytes
    blank = c.ignored_bytes - recounted.ignored_bytes + loose
    records = recounted.record_bytes - c.record_bytes
    rejects = recounted.quarantined_bytes - c.quarantined_bytes
    if min(blank, records, rejects) < 0 or records + rejects != blank:
        return recounted
    return replace(
        recounted,
        record_bytes=c.record_bytes,
        quarantined_bytes=c.quarantined_bytes,
        ignored_bytes=c.ignored_bytes,
        unclaimed=c.unclaimed if loose else recounted.unclaimed,
        unclaimed_bytes=c.unclaimed_bytes,
    )


def _line_at(piece: Piece, offset: int) -> str:
    at = offset - piece.parsed.base
    if not 0 <= at < len(piece.parsed.original):
        return ""
    head = bytes(piece.parsed.original[at : at + _LINE])
    return raw_text(head.split(b"\n", 1)[0].rstrip(b"\r"))
