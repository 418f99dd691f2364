"""What a backend does for retention and for copies, beside holding the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

Subject = Literal["rows", "texts"]

# the instant that a table's age goes by
AGE_COLUMNS: Mapping[str, str] = {
    "requests": "logged_at",
    "stage_timings": "logged_at",
    "request_parts": "logged_at",
    "errors": "occurred_at",
    "cache_samples": "sampled_at",
    "quarantine": "quarantined_at",
    "ingest_runs": "started_at",
}
# tables whose rows have the age of the request they belong to, and their own only without one
FOLLOWERS = ("stage_timings", "request_parts")
TEXT_TABLES = ("requests", "request_parts", "errors", "quarantine")  # those with users' words


def text_changes(no_words: str, wordy: str) -> Mapping[str, tuple[str, str]]:
    """What takes users' words from a row of a table, and which rows have some, as SQL.

    ``no_words`` assigns ``attributes`` without them, ``wordy`` says whether there are some in it.
    """
    return {
        "requests": (f"text = null, {no_words}", f"(text is not null or {wordy})"),
        "request_parts": (f"text = null, {no_words}", f"(text is not null or {wordy})"),
        "errors": (
            f"message = null, exception_message = null, traceback = null, {no_words}",
            "(message is not null or exception_message is not null or traceback is not null "
            f"or {wordy})",
        ),
        "quarantine": ("raw = ''", "raw <> ''"),
    }


class Minute(NamedTuple):
    """Rows of one minute: ``number`` of the minute since the epoch."""

    number: int
    rows: int


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes of a store on disk, of them free within it, and what each table takes (an estimate) with its rows."""

    bytes: int
    free_bytes: int
    tables: Mapping[str, tuple[int, int]] = field(default_factory=dict)


class Upkeep(Protocol):
    """Work on a whole store. Whoever calls what changes it holds ``Store.ingesting``."""

    def minutes(self, table: str, subject: Subject, before: datetime) -> list[Minute]:
        """Rows older than an instant, or of such rows those that still hold users' words, by their minute."""

    def remove(self, table: str, before: datetime) -> dict[str, int]:
        """Remove the rows that are older, with those that follow them, in one transaction; how many of each table."""

    def clear_texts(self, table: str, before: datetime) -> int:
        """Remove users' words from the rows that are older, in one transaction; from how many."""

    def owes_space(self) -> bool:
        """Whether something was removed whose space was not given back since."""

    def space(self) -> Space:
        """What the store takes on disk now."""

    def give_back(self, at: datetime) -> None:
        """Shrink the store to what it holds, and note that; a crash leaves the old store or the new one.

        :raises StoreError: when there is no room for it.
        """

    def state(self) -> str:
        """Differs whenever the store holds something else."""

    def state_of_copy(self, path: Path) -> str | None:
        """The state that was copied to a file or folder; None for what is no such copy."""

    def copy(self, target: Path) -> dict[str, int]:
        """Write what BI readers need into a new file; rows by table. Readers may read the store meanwhile.

        :raises StoreError: when there is no room for it.
        """

    def export(self, folder: Path) -> dict[str, int]:
        """The same as Parquet files, one a table, in a folder that exists."""
