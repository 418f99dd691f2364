"""What all parts of a benchmark share."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.logs import LogSet
from benchmarks.measure import Command, ttsq


@dataclass(frozen=True, slots=True)
class Store:
    """A DuckDB store of the benchmark."""

    path: Path

    @property
    def url(self) -> str:
        """As --db takes it."""
        return f"duckdb:///{self.path}"

    def remove(self) -> None:
        """The store and what stands beside it."""
        for found in self.path.parent.glob(self.path.name + "*"):
            found.unlink()

    def ingest(self, *paths: Path) -> tuple[str, ...]:
        """The command line of an ingest."""
        return ttsq("--db", self.url, "ingest", *map(str, paths))


@dataclass(frozen=True, slots=True)
class Bench:
    """A run: where its files are, how often commands are taken, and what went wrong so far."""

    folder: Path
    logs: LogSet
    rounds: int
    quick: bool
    progress: Callable[[str], None]
    disagreements: list[str] = field(default_factory=list)

    @property
    def megabytes(self) -> float:
        """10^6 bytes of the uncompressed log."""
        return self.logs.plain_bytes / 1e6

    @property
    def plain(self) -> Store:
        """The store that the plain log is read into."""
        return Store(self.folder / "plain.duckdb")

    @property
    def rotated(self) -> Store:
        """The store that the rotated files are read into."""
        return Store(self.folder / "rotated.duckdb")

    @property
    def short_rounds(self) -> int:
        """Rounds of commands that take less than a second."""
        return max(3, self.rounds) if self.quick else max(9, self.rounds)

    def checked(self, comparison: tuple[bool, str], what: str) -> str:
        """The words of a comparison of answers; a difference is kept."""
        same, words = comparison
        if not same:
            self.disagreements.append(f"{what}: {words}")
        return words


IMPORT_MARK = Command("python -c 'import duckdb'", (sys.executable, "-c", "import duckdb"))
