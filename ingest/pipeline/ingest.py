"""The one flow: look at the files, decide, read, parse, assemble, commit."""

import gc
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ingest.errors import DamagedFileError, LogFileError, StoreLostError, TtsqError
from ingest.faults import reach
from ingest.logfiles.discover import expand
from ingest.logfiles.fingerprint import covered, extended
from ingest.logfiles.known import Known, LogFile
from ingest.logfiles.open_log import OpenLog, first_checkpoint
from ingest.logfiles.resume import Action, Anchored, Decision
from ingest.model import BATCH_BYTES, CHUNK_BYTES, Checkpoint, FileReport, Ledger, Origin, RunReport
from ingest.pipeline.ahead import Ahead, read_ahead
from ingest.pipeline.commits import SMALL_BYTES, Commits
from ingest.pipeline.pending import Pending, Settled, built, gathered
from ingest.pipeline.salt import words_of
from ingest.records.formats import Format
from ingest.records.read_with import ReadWith
from ingest.rows.words import TextPolicy, Words
from ingest.stores import migrate
from ingest.stores.contract import Snapshot, Store

if TYPE_CHECKING:
    from ingest.pipeline.known_content import Content
    from ingest.records.parse import ChunkParser, Parsed
    from ingest.rows.content import Stretch

_PAUSES_SECONDS = (0.5, 2.0)  # before another try, where the connection was lost
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_WORTH_A_THREAD = 4 << 20  # bytes whose rows are stored while the next file is opened and scanned


@dataclass(frozen=True, slots=True)
class Options:
    """How to ingest: names for the rows, the record grammar, the zone of its stamps, what is final."""

    host: str
    service: str
    format: Format
    tz: tzinfo
    final: bool = False
    dry_run: bool = False
    wait_seconds: float = 10.0
    chunk_bytes: int = CHUNK_BYTES
    batch_bytes: int = BATCH_BYTES
    text: TextPolicy = "keep"
    exclude: tuple[str, ...] = ()
    profile_folder: Path | None = None


def ingest(
    store: Store,
    patterns: Sequence[str],
    options: Options,
    *,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> RunReport:
    """Read what is new in the files named, exactly once, and say what was done.

    Where the connection to the store is lost it begins anew, twice at most: what was committed is not read again, and the report
    tells of the rest.

    :raises LogFileError: when no file can be found or read at all.
    :raises IngestBusyError: when another ingest holds the store.
    :raises StoreError: when the store fails or refuses.
    """
    lost: list[TtsqError] = []
    while True:
        try:
            report = _ingest(store, patterns, options, now, progress)
        except StoreLostError as problem:
            if len(lost) == len(_PAUSES_SECONDS):
                raise
            time.sleep(_PAUSES_SECONDS[len(lost)])
            lost.append(problem)
        else:
            return replace(report, problems=(*lost, *report.problems))


def _ingest(
    store: Store,
    patterns: Sequence[str],
    options: Options,
    now: Callable[[], datetime],
    progress: Callable[[int, int], None],
) -> RunReport:
    paths, missing = expand(patterns, options.exclude)
    if not paths:
        raise missing[0] if missing else LogFileError("no log files are named", "ttsq ingest PATH")
    if options.dry_run:
        known = Known(store.checkpoints() if migrate.check_known(store) == migrate.head() else [])
        words = words_of(store, options.text, now, dry_run=True)
        return Run(store, options, known, 0, words, now, progress).over(paths, missing)
    with store.ingesting(options.wait_seconds, options.host):
        reach("locked")
        found = store.snapshot(migrate.head(), options.host)
        if found is None:
            migrate.ensure_head(store)
            reach("migrated")
            found = store.snapshot(migrate.head(), options.host) or Snapshot([], 0)
        reach("known")
        words = words_of(store, options.text, now, dry_run=False)
        known = Known(found.checkpoints)
        run = Run(store, options, known, found.newest_run, words, now, progress)
        return run.over(paths, missing)


class Run:
    """One run over log files."""

    def __init__(
        self,
        store: Store,
        options: Options,
        known: Known,
        newest_run: int,
        words: Words,
        now: Callable[[], datetime],
        progress: Callable[[int, int], None],
    ) -> None:
        self.store = store
        self.options = options
        self.known = known
        self.words = words
        self.now = now
        self.commits = Commits(
            store,
            known,
            options.host,
            newest_run,
            dry_run=options.dry_run,
            now=now,
        )
        self._read_with = ReadWith(options.format, options.tz)
        self._has_store = known.has_files or not options.dry_run
        self._progress = progress
        self._done = 0
        self._total = 0
        self._problems: list[TtsqError] = []

    @cached_property
    def _content(self) -> "Content":
        """What the store has of lines; made when a file is read: Arrow is a third of a run's start."""
        from ingest.pipeline.known_content import Content

        return Content(self.store, self.known, is_usable=self._has_store)

    def over(self, paths: Iterable[Path], missing: Sequence[LogFileError]) -> RunReport:
        """Go over the files, oldest first."""
        self._problems.extend(missing)
        identified = self.known.observe(paths, self._unreadable)
        reach("looked")
        self._total = sum(f.stat.stored_bytes for f in identified if f.untouched is None)
        status, error = "done", None
        try:
            for file in identified:
                self._file(file)
            self.commits.flush()
            self.commits.join_thread()
        except BaseException as failure:
            stopped = isinstance(failure, KeyboardInterrupt)
            status, error = ("interrupted" if stopped else "failed"), str(failure) or "interrupted"
            raise
        finally:
            error = error or "; ".join(p.message for p in self._problems) or None
            self.commits.finish(status, error)
        return self._report()

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
        )

    def _file(self, file: LogFile) -> None:
        try:
            file = self.known.seen_again(file)
            decision = self._decide(file)
            if decision.action is Action.SKIP:
                self._skip(file, decision)
                return
            if decision.action is Action.RESUME:
                self.commits.flush()  # it may go on behind rows that are held
            with closing(OpenLog(file, decision)) as opened:
                proof = opened.prove()
                reach("proved")
                if proof is Anchored.DIFFERENT:
                    self.known.reject(file, decision)
                    self._file(file)
                elif proof is Anchored.SHORT:
                    note = (
                        opened.damage.message if opened.damage else "a shorter copy of a known file"
                    )
                    self._skip(file, replace(decision, reason=note))
                else:
                    self._read(opened)
        except LogFileError as problem:
            self._problems.append(problem)
            self.commits.flush()
            stored = self.commits.reading
            self.commits.file_done(
                FileReport(str(file.stat.path), "unreadable", problem.message, stored)
            )

    def _decide(self, file: LogFile) -> Decision:
        """Where to start in a file; one that was edited is a new one, of which what is stored is recognised."""
        decision = self.known.decide(file, final=self.options.final)
        if not decision.edited or decision.checkpoint is None:
            return decision
        self.commits.join_thread()
        if self._content.is_usable and self._content.knows(decision.checkpoint.file_key):
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
            self.known.update(replace(checkpoint, state="edited", note=problem.message))
        self.commits.note(FileReport(str(file.stat.path), "skipped", decision.reason, Ledger()))

    def _read(self, opened: OpenLog) -> None:
        from ingest.pipeline.profiles import profiles
        from ingest.pipeline.recognise import BOM, recognised
        from ingest.records.front import FrontParser

        _freeze_loaded()
        file = opened.file
        checkpoint = opened.decision.checkpoint
        parser = FrontParser(
            self.options.format,
            self.options.tz,
            profiles(self.options.profile_folder),
            head=file.head[:1024],
            reading=checkpoint.reading if checkpoint is not None else None,
        )
        if checkpoint is not None and checkpoint.state == "replaced":
            checkpoint = replace(checkpoint, lost_bytes=0)  # found again under another name
        read_with = None
        if checkpoint is None:
            found = recognised(
                file.stat, file.head, self.options.format, self.options.tz, parser.profiles,
                shown=self.words.are_kept,
            )  # fmt: skip
            read_with = found.text(parser.profiles.digests)
        final = self.known.is_finished(file, final=self.options.final)
        # before the scanner goes to its thread
        opened.header_offset = (checkpoint and checkpoint.header_offset) or 0
        if opened.header_offset <= 0:
            opened.header_offset = parser.header_end(memoryview(file.head.removeprefix(BOM)))
        base = checkpoint or replace(self._first(file), format=read_with)
        if base.file_key <= 0:
            if not self.store.capabilities.keys_without_store:
                self.commits.join_thread()
            base = replace(base, file_key=self.known.next_key(self.store.next_file_key))
        origin = Origin(base.file_key, base.host, base.service)
        self.commits.join_thread()
        stretches = self._content.stretches(opened, origin)
        opened.note = _edits(stretches)
        ends = [s.stored_file_key for s in stretches if self._content.ends_in(s)]
        lost = self.known.take_lost(file, opened.decision, ends)
        replaced = [c for c in self.known.changed() if c.state == "replaced"] if lost else []
        total = Ledger(lost_bytes=lost)
        carry = self._carry(base)
        is_small = file.compression == "none" and file.stat.stored_bytes <= SMALL_BYTES
        waits = is_small and opened.decision.action is Action.START and not lost
        if not waits:
            self.commits.flush()
        with read_ahead(opened.reader, self.options.chunk_bytes) as read:
            chunks = self._chunks(parser, opened, _passing(read), final, stretches)
            source = gathered(
                built(chunks, self.options.format, origin, carry, self.words, stretches),
                self.options.batch_bytes - self.options.chunk_bytes,
            )
            with closing(source if is_small else Ahead(source)) as made:
                base, total = self._store(made, opened, base, total, replaced, waits)
        total = total + Ledger(tail_bytes=opened.end - opened.committed)
        _assert_ledger(total, opened.end - opened.offset)
        reach("before_settle")
        self._note_state(opened, base, final, total)

    def _chunks(
        self,
        parser: "ChunkParser",
        opened: OpenLog,
        read: Callable[[int], bytes],
        final: bool,
        stretches: Sequence["Stretch"],
    ) -> "Iterable[Parsed]":
        from ingest.pipeline.known_content import Around, no_hole
        from ingest.records.chunks import ChunkReader
        from ingest.records.parse import Parser

        known = opened.decision.checkpoint
        last = known.last_logged_at if known else None
        instant = None if last is None else (last - _EPOCH) // timedelta(microseconds=1)

        def chunks(
            read: Callable[[int], bytes], at: int, end: bool, last: int | None
        ) -> ChunkReader:
            skip_hole = no_hole if stretches else opened.reader.skip_hole
            modified = opened.file.stat.modified_ns // 1000
            return ChunkReader(
                parser, read, at, end, last, modified,
                chunk_bytes=self.options.chunk_bytes, skip_hole=skip_hole,
            )  # fmt: skip

        if not stretches:
            return chunks(read, opened.offset, final, instant)
        stamps = Parser(self.options.format, self.options.tz)
        state = (known.reading, known.encoding) if known else (None, None)
        return Around(stamps, chunks, stretches, state).over(
            read, opened.offset, instant, final=final
        )

    def _store(
        self,
        made: Iterable[Pending],
        opened: OpenLog,
        checkpoint: Checkpoint,
        total: Ledger,
        replaced: Sequence[Checkpoint],
        waits: bool,
    ) -> tuple[Checkpoint, Ledger]:
        """Store what is gathered of a file as it comes; how it stands then, and what became of its bytes.

        ``waits``: the first one is held until those of other small files are there, too.
        """
        self.commits.join_thread()  # before a second one is made: memory holds two
        try:
            for pending in made:
                apart = pending.last and pending.settled_bytes >= _WORTH_A_THREAD
                for settled in pending.settled:
                    total = total + settled.ledger
                    checkpoint = self._advanced(checkpoint, opened, settled)
                if waits:
                    self._content.hold(pending.batches)
                    self.commits.hold(checkpoint, pending.batches, total)
                    waits = False
                else:
                    self.commits.commit(checkpoint, replaced, pending.batches, total, apart=apart)
                self._done += pending.settled_bytes
                self._progress(self._done, max(self._done, self._total))
                del pending  # its rows, before the next ones are made
                replaced = []
        except DamagedFileError as problem:
            opened.damage = problem
            self._problems.append(problem)
        return checkpoint, total

    def _note_state(
        self, opened: OpenLog, checkpoint: Checkpoint, final: bool, total: Ledger
    ) -> None:
        """Note how a file stands after it was read to its end."""
        from ingest.pipeline.recognise import words_of_format

        stat, tail = opened.file.stat, total.tail_bytes
        state = "finished" if final else "live" if checkpoint.committed_offset else "waiting"
        note = f"{tail} bytes held back: the last record may still grow" if tail else None
        note = opened.note or note
        if opened.damage is not None:
            state, note = "damaged", opened.damage.message
        self.known.update(
            replace(
                checkpoint,
                path=str(stat.path),
                fingerprint=_longest_print(checkpoint, opened.file),
                size_bytes=opened.end,
                stored_bytes=stat.stored_bytes,
                modified_ns=stat.modified_ns,
                device=stat.device,
                inode=stat.inode,
                compression=opened.file.compression,
                state=state,
                note=note,
            )
        )
        self.known.present(checkpoint.file_key, stat)
        reach("settled")
        self.commits.file_done(
            FileReport(
                str(stat.path),
                "read" if total.settled_bytes else "unchanged",
                note,
                total,
                opened.end - opened.offset,
                words_of_format(checkpoint.format),
            )
        )

    def _first(self, file: LogFile) -> Checkpoint:
        return first_checkpoint(file, self.options.host, self.options.service, self.now())

    def _carry(self, base: Checkpoint) -> dict[str, int]:
        """How the requests that a file's stored part left open, or only just ended, stand."""
        if base.committed_offset == 0 or self.options.dry_run:
            return {}
        self.commits.join_thread()
        with self.store.writing() as writer:
            return writer.carry(base)

    def _advanced(self, base: Checkpoint, opened: OpenLog, settled: Settled) -> Checkpoint:
        """The checkpoint behind a chunk."""
        last, ledger = settled.last_instant, settled.ledger
        return replace(
            base.counting(ledger),
            path=str(opened.file.stat.path),
            fingerprint=_longest_print(base, opened.file),
            header_offset=opened.header_offset,
            anchor=opened.advance(settled.offset, settled.before),
            committed_offset=settled.offset,
            size_bytes=max(opened.end, settled.offset),
            reading=self.words.of_reading(settled.reading),
            encoding=settled.encoding,
            # what has understood nothing is not what the file is to be read with
            format=self._read_with.as_text(base.format) if ledger.records else base.format,
            modified_ns=0,  # not read to its end: ended here, the run must not leave a file that passes for untouched
            state="live",
            lost_bytes=base.lost_bytes + ledger.lost_bytes,
            last_logged_at=base.last_logged_at
            if last is None
            else _EPOCH + timedelta(microseconds=last),
            last_ingested_at=self.now(),
        )


def _longest_print(base: Checkpoint, file: LogFile) -> str | None:
    """The fingerprint of all that was seen of a file's beginning."""
    longer = len(file.head) > covered(base.fingerprint)
    return extended(base.fingerprint, file.head) if longer else base.fingerprint


def _edits(stretches: Sequence["Stretch"]) -> str | None:
    """What to say of stretches that were edited after they were stored; None without any."""
    edited = [s for s in stretches if s.is_edited]
    if not edited:
        return None
    size, first = sum(s.end - s.begin for s in edited), edited[0].begin
    return (
        f"{size} bytes were edited after they had been stored, the first at offset {first}: "
        "what was stored stays, what they say now is lost"
    )


def _assert_ledger(total: Ledger, read: int) -> None:
    """Every byte read is accounted for (SPEC §3.4)."""
    accounted = total.settled_bytes + total.tail_bytes
    if accounted != read:
        raise AssertionError(f"ledger: {accounted} bytes accounted for, {read} read")


def _freeze_loaded() -> None:
    """Before the rows of many chunks are made: what is loaded is no longer looked through for garbage (0.2 s of a long run)."""
    if gc.get_freeze_count() == 0:
        gc.freeze()


def _passing(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """``read``, between the fault points of a read."""

    def block(size: int) -> bytes:
        reach("before_read")
        data = read(size)
        reach("after_read")
        return data

    return block
