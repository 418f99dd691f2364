"""What a reread tells."""

from collections.abc import Sequence
from dataclasses import dataclass

from ingest.errors import TtsqError
from ingest.model import Ledger


@dataclass(frozen=True, slots=True)
class FileReread:
    """What was done with one file: rows that went and that came, by table; ``ledger`` is of what
    was read. ``note``: how the file stands now; ``recognised``: what it was read with.
    """

    path: str
    went: dict[str, int]
    came: dict[str, int]
    ledger: Ledger
    bytes_read: int
    note: str | None
    recognised: str | None


@dataclass(frozen=True, slots=True)
class RereadReport:
    """What a reread did: its files, and those that stay as they are, with the reason."""

    store: str
    files: tuple[FileReread, ...]
    problems: tuple[TtsqError, ...]


def together(reports: Sequence[RereadReport]) -> RereadReport:
    """At least one report of a store, as one."""
    return RereadReport(
        reports[0].store,
        tuple(file for report in reports for file in report.files),
        tuple(problem for report in reports for problem in report.problems),
    )
