"""What an ingest is told: names for the rows, the format, the time zone, what is final."""

from datetime import tzinfo
from pathlib import Path
from typing import NamedTuple

from ingest.model import BATCH_BYTES, CHUNK_BYTES
from ingest.records.formats import Format
from ingest.rows.user_text import TextPolicy


class Options(NamedTuple):
    """How to ingest.

    :ivar format: used for log files that the store does not know yet; a known one keeps its own.
    :ivar tz: zone of timestamps that name none.
    :ivar migrate: an older store is upgraded; otherwise it is refused.
    :ivar final: no more is written to the files: their last records are stored, too.
    """

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
    migrate: bool = True
