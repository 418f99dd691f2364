"""What a replay is told, and what it tells."""

from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from ingest.errors import TtsqError
from ingest.model import Ledger
from ingest.records.formats import Format
from ingest.rows.user_text import TextPolicy

_CHUNK_BYTES = 8 << 20  # parsed in one go


@dataclass(frozen=True, slots=True)
class Options:
    """How to read files whose checkpoints do not say it; ``is_asked``: the others, too.

    ``final``: nothing will follow the ends of live files. What a profile of ``profile_folder`` or
    a shipped one may claim does not leave quarantine as unclaimed.
    """

    format: Format
    tz: tzinfo
    final: bool = False
    dry_run: bool = False
    wait_seconds: float = 10.0
    chunk_bytes: int = _CHUNK_BYTES
    text: TextPolicy = "keep"
    is_asked: bool = False
    profile_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class FileReplay:
    """What was done with one file's pieces: ``source`` is where their bytes came from, ``file`` or
    ``quarantine``.

    ``pieces`` were in quarantine, ``released`` of them are not any more, ``left`` are in it now;
    ``held_bytes`` may be a record that still grows.
    """

    path: str
    source: str
    pieces: int
    released: int
    left: int
    held_bytes: int
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay did: its files, and the rows it added to each table."""

    store: str
    files: tuple[FileReplay, ...]
    rows: dict[str, int] = field(default_factory=dict)
    problems: tuple[TtsqError, ...] = ()
