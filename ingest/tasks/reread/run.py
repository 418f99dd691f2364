"""Forget the rows of log files and read them anew, each file in one transaction."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import LogFileError, TtsqError
from ingest.logfiles.discover import expand
from ingest.logfiles.known import Known, LogFile
from ingest.logfiles.open_log import OpenLog
from ingest.logfiles.resume import Action, Decision
from ingest.model import Checkpoint, FileReport, Ledger, Origin, RunRow
from ingest.pipeline.answers import write
from ingest.pipeline.changes import make_changes
from ingest.pipeline.commits import Commits, Rows
from ingest.pipeline.known_content import Content
from ingest.pipeline.one_file import OneFile, Shared
from ingest.pipeline.options import Options
from ingest.pipeline.salt import redaction_of
from ingest.rows.content import Stretch
from ingest.rows.join import joined
from ingest.stores import migrate
from ingest.stores.contract import Snapshot, Standing, Store, Writer
from ingest.tasks.reread.choose import Chosen, choose
from ingest.tasks.reread.forget import forget
from ingest.tasks.reread.report import FileReread, RereadReport

if TYPE_CHECKING:
    from ingest.rows.chunk import ChunkRows


def reread(
    store: Store,
    patterns: Sequence[str],
    options: Options,
    *,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RereadReport:
    """Forget what is stored of log files and read them anew, as the options say; host and service
    stay those of the file.

    A file's rows are replaced in one transaction: readers see those before it or those after it,
    and a kill leaves either. A file that cannot be read as a whole keeps its rows, and is named. A
    dry run undoes its transactions.

    :raises IngestBusyError: when an ingest holds the store.
    :raises StoreError: when there is no store, or it fails.
    """
    paths, missing = expand(patterns, options.exclude)
    if options.dry_run or not store.exists():
        migrate.require_head(store)
    problems: list[TtsqError] = list(missing)
    done: list[FileReread] = []
    with store.ingesting(options.wait_seconds):
        migrate.ensure_head(store)
        for path in paths:
            try:
                done.append(_One(store, path, options, now, progress, problems).report())
            except LogFileError as problem:
                problems.append(problem)
    return RereadReport(store.description, tuple(done), tuple(problems))


class _One:
    """One log file, read anew within one transaction."""

    def __init__(
        self,
        store: Store,
        path: Path,
        options: Options,
        now: Callable[[], datetime],
        progress: Callable[[int, int], None],
        problems: list[TtsqError],
    ) -> None:
        found = store.snapshot(migrate.head(), None) or Snapshot([], 0)
        self._store = store
        self._now = now
        self._progress = progress
        self._problems = problems
        self._newest_run = found.newest_run
        self._started_at = now()
        chosen = choose(store, Known(found.checkpoints), path, final=options.final)
        before = chosen.checkpoint
        self._chosen, self._before = chosen, before
        self._options = options._replace(
            host=before.host, service=before.service, final=chosen.is_finished
        )
        self._redaction = redaction_of(store, options.text, now, dry_run=options.dry_run)
        others = [c for c in found.checkpoints if c.file_key != before.file_key]
        self._known = _Forgotten(others, before.file_key)
        self._file = _found(self._known, path)

    def report(self) -> FileReread:
        """Do it."""
        before = self._before
        standing = Standing(self._newest_run, {before.file_key: before.committed_offset})
        with self._store.writing(standing) as writer:
            run_key = writer.next_run_key(before.host)
            origin = Origin(before.file_key, before.host, before.service)
            own = self._options.format.own_stage_times
            went = forget(writer, origin, self._now, own_stage_times=own)
            commits = self._read(writer)
            forgetter = writer.forgetter(before.file_key)
            forgetter.replace_quarantine(before.committed_offset, before.last_ingested_at)
            for table, count in forgetter.remove_pruned().items():
                if table != "request_parts":  # no rows of their own
                    commits.rows[table] = commits.rows.get(table, 0) - count
            after, (file,) = self._after(), commits.reports
            if not self._options.dry_run:
                rows = sum(n for t, n in commits.rows.items() if n > 0 and t != "quarantine")
                writer.commit([after], self._run(run_key, file, rows))
        came = {table: count for table, count in commits.rows.items() if count}
        return FileReread(
            file.path, went, came, file.ledger, file.bytes_read, file.note, file.recognised
        )

    def _read(self, writer: Writer) -> "_InOneTransaction":
        """Read the file from its first byte; its rows go into the transaction.

        :raises LogFileError: when it is no log any more, or less of it can be read than before.
        """
        commits = _InOneTransaction(self._store, self._known, self._before.host, self._now, writer)
        shared = _Shared(
            store=self._store,
            options=self._options,
            known=self._known,
            redaction=self._redaction,
            commits=commits,
            now=self._now,
            progress=self._progress,
            has_store=True,
            problems=[],
            total=self._file.stat.stored_bytes,
        )
        shared.chosen = self._chosen
        with closing(OpenLog(self._file, Decision(Action.START, None, 0, "read anew"))) as opened:
            OneFile(shared, opened).read()
            if opened.damage is not None and opened.end < self._before.size_bytes:
                raise opened.damage
            if opened.end < self._before.committed_offset:
                raise LogFileError(
                    f"the log file {self._file.stat.path} became shorter while it was read",
                    "its rows stay as they were; run it again",
                )
        self._problems.extend(shared.problems)
        return commits

    def _after(self) -> Checkpoint:
        """The file's checkpoint, with what is true of it whatever it is read with."""
        before, after = self._before, self._known.known(self._before.file_key)
        edited = sum(s.end - s.begin for s in self._chosen.stretches if s.is_edited)
        is_further = after.committed_offset > before.committed_offset
        return after._replace(
            first_seen_at=before.first_seen_at,
            # old bytes are as old as they were: retention of quarantine goes by that
            last_ingested_at=after.last_ingested_at if is_further else before.last_ingested_at,
            lost_bytes=after.lost_bytes + max(0, before.lost_bytes - edited),
        )

    def _run(self, run_key: int, file: FileReport, rows: int) -> RunRow:
        return RunRow(
            run_key=run_key,
            host=self._before.host,
            started_at=self._started_at,
            finished_at=self._now(),
            status="done",
            files=1,
            bytes=file.bytes_read,
            rows=rows,
            error=None,
            **asdict(file.ledger),
        )


def _found(known: Known, path: Path) -> LogFile:
    """The file at a path, as one that nothing is known of.

    :raises LogFileError: when it cannot be looked at.
    """
    problems: list[LogFileError] = []
    for file in known.observe([path], problems.append):
        if file.stat.path == path:
            return known.seen_again(file)
    raise problems[0]


class _Forgotten(Known):
    """The other known files; the next new one is the forgotten one, with its key."""

    def __init__(self, others: Sequence[Checkpoint], file_key: int) -> None:
        super().__init__(others)
        self._key = file_key

    def next_key(self, new: Callable[[int], int]) -> int:
        return self._key

    def take_lost(self, file: LogFile, decision: Decision) -> int:
        return 0  # it replaces nothing: it stands where it stood


class _Kept(Content):
    """What of the file is stored from another place stays known; nothing else is recognised."""

    def __init__(self, store: Store, known: Known, stretches: list[Stretch]) -> None:
        super().__init__(store, known, is_usable=False)
        self._stretches = stretches

    def stretches(
        self, opened: OpenLog, origin: Origin, parse: object = None, *, final: bool = False
    ) -> list[Stretch]:
        return self._stretches


class _Shared(Shared):
    """What the reading of one file goes by."""

    chosen: Chosen

    @cached_property
    def content(self) -> Content:
        return _Kept(self.store, self.known, self.chosen.stretches)


class _InOneTransaction(Commits):
    """The rows of a file's batches, all written into a transaction that somebody else ends."""

    def __init__(
        self, store: Store, known: Known, host: str, now: Callable[[], datetime], writer: Writer
    ) -> None:
        super().__init__(store, known, host, 0, dry_run=False, now=now)
        self._writer = writer

    def commit(
        self,
        checkpoint: Checkpoint,
        replaced: Sequence[Checkpoint],
        rows: Rows,
        total: Ledger,
        *,
        size: int,
        apart: bool = False,
        goes_on: bool = False,
    ) -> None:
        """Write the rows of chunks."""
        batch = rows()
        changes = make_changes(self._writer, batch.batch, self._now())
        changes = changes._replace(rows={**changes.rows, **batch.content})
        del batch  # its rows, before others are made of them
        write(self._writer, changes)
        counts = changes.row_counts() | {"quarantine": len(changes.rejects)}
        for table, count in counts.items():
            self.rows[table] = self.rows.get(table, 0) + count
        self._known.update(checkpoint)

    def hold(self, checkpoint: Checkpoint, batches: "list[ChunkRows]", total: Ledger) -> None:
        """Write them as well."""
        self.commit(checkpoint, [], lambda: joined(batches), total, size=0)

    def flush(self, *, goes_on: bool = False) -> None:
        """Nothing is held."""

    def settle(self) -> None:
        """No thread commits."""

    def file_done(self, report: FileReport) -> None:
        """The file was read to its end."""
        self.reports.append(report)
