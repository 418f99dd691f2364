"""``ttsq ingest --follow``: a run whenever a log file has changed, until a signal ends it."""

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import typer

from ingest.cli.commands.run_report import as_line, as_object, print_upgrade
from ingest.cli.options.context import print_error
from ingest.cli.process.systemd import ServiceManager
from ingest.errors import ExitCode, TtsqError
from ingest.logfiles.discover import expand
from ingest.model import RunReport
from ingest.render.harmless import json_shown

_PUBLISH_SECONDS = 60.0  # a copy of the whole store costs more than a run
_MOST_FAILURES = 10  # in a row: about six minutes
_LONGEST_PAUSE_SECONDS = 60.0
_RETRIED = (ExitCode.STORE, ExitCode.BUSY, ExitCode.LOG_FILE)

Seen = tuple[tuple[str, int, int, int, int], ...]


def look(patterns: Sequence[str]) -> Seen:
    """Name, inode, size and times of every file: a change in them is a reason for a run."""
    found = []
    for path in expand(patterns)[0]:
        try:
            s = os.stat(path)
        except OSError:
            continue  # rotated away just now; the next look finds its new name
        found.append((str(path), s.st_ino, s.st_size, s.st_mtime_ns, s.st_ctime_ns))
    return tuple(found)


@dataclass(slots=True)
class News:
    """Reports what is new in each run, one line per file read; problems when they first occur."""

    as_json: bool
    _told: frozenset[str] = frozenset()

    def tell(self, report: RunReport) -> None:
        """One run, on stdout and stderr."""
        print_upgrade(report)
        if report.ledger.settled_bytes or report.ledger.lost_bytes:
            self._print(report)
        for problem in report.problems:
            if problem.message not in self._told:
                print_error(problem)
        self._told = frozenset(p.message for p in report.problems)

    def _print(self, report: RunReport) -> None:
        if self.as_json:
            typer.echo(json_shown(as_object(report), indent=None))
        else:
            at = report.finished_at.astimezone()
            for file in report.files:
                if file.ledger.settled_bytes or file.ledger.lost_bytes:
                    typer.echo(f"{at:%H:%M:%S} {as_line(file)}")
        sys.stdout.flush()


@dataclass(slots=True)
class Follower:
    """What following needs: ``run`` does one run over all files and says whether it stored
    anything.

    ``publish`` makes the copy for readers that the settings ask for; ``seconds`` lie between two
    looks.
    """

    patterns: Sequence[str]
    run: Callable[[], bool]
    publish: Callable[[], None]
    seconds: float
    manager: ServiceManager
    now: Callable[[], float] = time.monotonic
    _seen: Seen | None = None
    _failures: int = 0
    _told: str = ""
    _is_unpublished: bool = False
    _published_at: float = field(default=float("-inf"))

    def follow(self) -> None:
        """Look and run, for ever; a signal ends it.

        :raises TtsqError: when runs have failed again and again.
        """
        self.manager.ready()
        try:
            while True:
                self._turn()
                self._sleep(self._pause())
        finally:
            self.manager.stopping()

    def _turn(self) -> None:
        seen = look(self.patterns)
        if seen != self._seen:
            self._attempt(seen)
        if self._is_unpublished and self.now() - self._published_at >= _PUBLISH_SECONDS:
            self._is_unpublished, self._published_at = False, self.now()
            self.publish()
        self.manager.alive()

    def _attempt(self, seen: Seen) -> None:
        """One run; what stops it is told once, and tried again after a pause."""
        try:
            self._is_unpublished |= self.run()
        except TtsqError as problem:
            self._failures += 1
            if problem.exit_code not in _RETRIED or self._failures >= _MOST_FAILURES:
                raise
            if problem.message != self._told:
                print_error(problem)
                self.manager.status(f"tries again: {problem.message}")
            self._told = problem.message
            if problem.exit_code is ExitCode.LOG_FILE:
                self._seen, self._failures = seen, 0  # until a file changes
            return
        if self._failures or self._told:
            self.manager.status("follows the log files")
        self._seen, self._failures, self._told = seen, 0, ""

    def _pause(self) -> float:
        longer = self.seconds * 2.0**self._failures
        return self.seconds if not self._failures else min(longer, _LONGEST_PAUSE_SECONDS)

    def _sleep(self, seconds: float) -> None:
        """Sleep, and be alive meanwhile."""
        end = self.now() + seconds
        while (left := end - self.now()) > 0:
            time.sleep(min(left, self.manager.alive_seconds or left))
            self.manager.alive()
