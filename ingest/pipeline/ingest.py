"""The one flow: look at the files, decide where to start in each, prove that, read, commit."""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import LogFileError, StoreLostError, TtsqError
from ingest.faults import reach
from ingest.logfiles.discover import expand, named_by
from ingest.logfiles.known import Known, LogFile
from ingest.logfiles.open_log import OpenLog
from ingest.logfiles.resume import Action, Anchored, Decision
from ingest.model import FileReport, Ledger, RunReport
from ingest.pipeline.commits import Commits
from ingest.pipeline.options import Options
from ingest.pipeline.salt import redaction_of
from ingest.pipeline.series import to_read_anew
from ingest.rows.user_text import Redaction
from ingest.stores import migrate
from ingest.stores.contract import Snapshot, Store

if TYPE_CHECKING:
    from ingest.pipeline.one_file import Shared

_PAUSES_SECONDS = (0.5, 2.0)  # before another try, where the connection was lost


def ingest(
    store: Store,
    patterns: Sequence[str],
    options: Options,
    *,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, total: None,
    on_file: Callable[[str], None] = lambda path: None,
    pause: Callable[[float], None] = time.sleep,
) -> RunReport:
    """Read what is new in the files named, exactly once, and report what was done.

    ``progress`` is told the bytes done and their total, ``on_file`` the file that is read now.
    When the connection to the store is lost, the run starts again, at most twice: what was
    committed is not read again, and the report names the lost connections.

    :raises LogFileError: when no file can be found or read at all.
    :raises IngestBusyError: when another ingest holds the store.
    :raises StoreError: when the store fails or refuses.
    """
    lost: list[TtsqError] = []
    while True:
        try:
            report = _ingest(store, patterns, options, now, progress, on_file)
        except StoreLostError as problem:
            if len(lost) == len(_PAUSES_SECONDS):
                raise
            pause(_PAUSES_SECONDS[len(lost)])
            lost.append(problem)
        else:
            return report._replace(problems=(*lost, *report.problems))


def _ingest(
    store: Store,
    patterns: Sequence[str],
    options: Options,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None],
    on_file: Callable[[str], None],
) -> RunReport:
    paths, missing = expand(patterns, options.exclude)
    if not paths:
        raise missing[0] if missing else LogFileError("no log files are named", "ttsq ingest PATH")
    if options.dry_run:
        known = Known(store.checkpoints() if migrate.check_known(store) == migrate.head() else [])
        redaction = redaction_of(store, options.text, now, dry_run=True)
        run = Run(store, options, known, 0, redaction, now, progress, on_file)
        return run.over(paths, missing)
    with store.ingesting(options.wait_seconds, options.host):
        reach("locked")
        found = store.snapshot(migrate.head(), options.host)
        migrated = None
        if found is None:
            migrated = _migrated(store, options.migrate)
            reach("migrated")
            found = store.snapshot(migrate.head(), options.host) or Snapshot([], 0)
        reach("known")
        redaction = redaction_of(store, options.text, now, dry_run=False)
        known = Known(found.checkpoints)
        run = Run(store, options, known, found.newest_run, redaction, now, progress, on_file)
        is_named = named_by(patterns, options.exclude)
        return run.over(paths, missing, is_named)._replace(migrated=migrated)


def _migrated(store: Store, may_upgrade: bool) -> tuple[str, str] | None:
    """Bring the store to head; its revisions before and after, where it was older.

    :raises StoreError: for an older store that may not be upgraded, or one of a newer program.
    """
    before = migrate.check_known(store)
    if before not in (None, migrate.head()) and not may_upgrade:
        migrate.require_head(store)
    migrate.ensure_head(store)
    return None if before in (None, migrate.head()) else (str(before), migrate.head())


class Run:
    """One run over log files."""

    def __init__(
        self,
        store: Store,
        options: Options,
        known: Known,
        newest_run: int,
        redaction: Redaction,
        now: Callable[[], datetime],
        progress: Callable[[int, int], None],
        on_file: Callable[[str], None],
    ) -> None:
        self.store = store
        self.options = options
        self.known = known
        self.redaction = redaction
        self.now = now
        self.commits = Commits(
            store, known, options.host, newest_run, dry_run=options.dry_run, now=now
        )
        self._has_store = known.has_files or not options.dry_run
        self._knows_files = known.has_files
        self._progress = progress
        self._on_file = on_file
        self._total = 0
        self._problems: list[TtsqError] = []
        self._begun: Ledger | None = None  # of a file of which only the beginning has been read

    @cached_property
    def _shared(self) -> "Shared":
        """What the files that are read share; imported then: a run with nothing new reads none."""
        from ingest.pipeline.later import UNKNOWN
        from ingest.pipeline.one_file import Shared

        return Shared(
            store=self.store,
            options=self.options,
            known=self.known,
            redaction=self.redaction,
            commits=self.commits,
            now=self.now,
            progress=self._progress,
            has_store=self._has_store,
            latest=UNKNOWN if self._knows_files else None,
            problems=self._problems,
            total=self._total,
        )

    def over(
        self,
        paths: Iterable[Path],
        missing: Sequence[LogFileError],
        is_named: Callable[[Path], bool] = lambda path: False,
    ) -> RunReport:
        """Go over the files, oldest first; ``is_named``: whether one that is gone belongs to
        them.
        """
        self._problems.extend(missing)
        identified = self._in_order(self.known.observe(paths, self._unreadable))
        reach("looked")
        self._total = sum(f.stat.stored_bytes for f in identified if f.untouched is None)
        status, error = "done", None
        try:
            for file in identified:
                self._file(file)
            if len(self._problems) == len(missing):  # what could not be read may be any of them
                self._note_gone(is_named)
            self.commits.flush(goes_on=True)
            self.commits.end(self._problems_told())
            self.commits.settle()
        except BaseException as failure:
            stopped = isinstance(failure, KeyboardInterrupt)
            status, error = ("interrupted" if stopped else "failed"), str(failure) or "interrupted"
            raise
        finally:
            error = error or self._problems_told()
            self.commits.finish(status, error)
        return self._report()

    def _in_order(self, files: list[LogFile]) -> list[LogFile]:
        if sum(f.untouched is None for f in files) < 2:
            return files
        from ingest.pipeline.order import oldest_first

        return oldest_first(files, self.options.tz)

    def _problems_told(self) -> str | None:
        return "; ".join(p.message for p in self._problems) or None

    def _unreadable(self, problem: LogFileError) -> None:
        self._problems.append(problem)

    def _report(self) -> RunReport:
        reports = self.commits.reports
        return RunReport(
            store=self.store.description,
            started_at=self.commits.started_at,
            finished_at=self.now(),
            files=tuple(reports),
            ledger=sum((r.ledger for r in reports), Ledger()),
            bytes_read=sum(r.bytes_read for r in reports),
            rows=dict(self.commits.rows),
            problems=tuple(self._problems),
            anew=to_read_anew(self.known, [r.path for r in reports if r.action != "unchanged"]),
        )

    def _file(self, file: LogFile) -> None:
        self._on_file(str(file.stat.path))
        self._begun = None
        if self.commits.patience == 0:
            self.commits.settle()
        try:
            file = self.known.seen_again(file)
            while not self._is_dealt_with(file):
                pass  # the known file that it looked like is out of question now
        except LogFileError as problem:
            self._problems.append(problem)
            self.commits.flush()
            self.commits.settle()
            stored = self.commits.reading
            self.commits.file_done(
                FileReport(str(file.stat.path), "unreadable", problem.message, stored)
            )

    def _is_dealt_with(self, file: LogFile) -> bool:
        """Skip or read a file; False where it is not the known file that it looks like."""
        decision = self._decide(file)
        if decision.action is Action.SKIP:
            self._skip(file, decision)
            return True
        if decision.action is Action.RESUME:
            self.commits.flush()  # the rows before its offset may be held
            self.commits.settle()  # to get there may take long
        with closing(OpenLog(file, decision)) as opened:
            proof = opened.prove()
            reach("proved")
            if proof is Anchored.DIFFERENT:
                self.known.reject(file, decision)
                return False
            if proof is Anchored.SHORT:
                damage = opened.damage
                note = damage.message if damage else "a shorter copy of a known file"
                self._skip(file, decision._replace(reason=note))
            else:
                return self._is_read(opened)
        return True

    def _is_read(self, opened: OpenLog) -> bool:
        """Read a file; False where it goes on with its own first lines: what follows is compared
        with what has been stored of it.
        """
        from ingest.pipeline.one_file import OneFile

        one = OneFile(self._shared, opened)
        stops = self._begun is None and not self.options.dry_run
        self._begun = one.read(self._begun, stops=stops)
        return self._begun is None

    def _note_gone(self, is_named: Callable[[Path], bool]) -> None:
        for gone in self.known.take_gone(self.options.host, is_named):
            lost = Ledger(lost_bytes=gone.size_bytes - gone.committed_offset)
            self.commits.note(FileReport(gone.path, "gone", gone.note, lost))

    def _decide(self, file: LogFile) -> Decision:
        """Where to start in a file.

        An edited file is read as a new one: its stored lines are known.
        """
        decision = self.known.decide(file, final=self.options.final)
        if not decision.edited or decision.checkpoint is None:
            return decision
        self.commits.join()
        if self._shared.content.is_usable and self._shared.content.knows(
            decision.checkpoint.file_key
        ):
            return Decision(Action.START, None, 0, "edited")
        return decision

    def _skip(self, file: LogFile, decision: Decision) -> None:
        checkpoint = decision.checkpoint
        if decision.edited and checkpoint is not None:
            problem = LogFileError(
                f"the log file {file.stat.path} was {decision.reason}; nothing is read from it",
                "restore it, or ingest the new content under another name",
            )
            self._problems.append(problem)
            self.commits.flush()
            self.known.update(checkpoint._replace(state="edited", note=problem.message))
        self.commits.note(FileReport(str(file.stat.path), "skipped", decision.reason, Ledger()))
