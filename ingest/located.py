"""Where the stored part of a known log file stands on disk now; nothing is believed without proof."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from ingest import files
from ingest.checkpoints import Identified
from ingest.errors import LogFileError
from ingest.files import FileStat
from ingest.fingerprint import Match, compare
from ingest.model import Checkpoint
from ingest.opened import Opened
from ingest.resume import Action, Anchored, Decision

_HEADS = 256  # first bytes kept of files that were looked at, 64 KiB each


@dataclass(frozen=True, slots=True)
class Absent:
    """Why the stored part of a known file cannot be read again; ``damaged``: it is there, but does not decompress."""

    why: str
    damaged: bool = False


class Finder:
    """Finds known files by content: at their last path and its rotated siblings, or only among the paths given."""

    def __init__(self, paths: Sequence[Path] | None = None) -> None:
        self._paths = paths
        self._heads: dict[Path, tuple[FileStat, bytes, str]] = {}
        self._matched: set[Path] = set()

    def find(self, checkpoint: Checkpoint) -> FileStat | Absent:
        """The file that holds all that is stored of a known one: by its fingerprint, and the bytes before the offset."""
        absent = Absent("not on disk")
        for path in self._places(checkpoint):
            try:
                stat, head, compression = self._look(path)
                if compare(checkpoint.fingerprint, head)[0] is not Match.FULL:
                    continue
                proof, damage = _proof(checkpoint, stat, compression)
            except LogFileError as problem:
                if path.exists() and str(path) == checkpoint.path:
                    absent = Absent(problem.message, damaged=True)
                continue
            if proof is Anchored.EQUAL:
                self._matched.add(path)
                return stat
            if damage is not None:
                absent = Absent(damage.message, damaged=True)
        if not absent.damaged and Path(checkpoint.path).exists():
            return Absent(f"not on disk; something else stands at {checkpoint.path}")
        return absent

    @property
    def unmatched(self) -> list[Path]:
        """Paths given that hold no known file."""
        return [p for p in self._paths or () if p not in self._matched]

    def _places(self, checkpoint: Checkpoint) -> Iterator[Path]:
        last = Path(checkpoint.path)
        if self._paths is not None:
            # the likeliest first: looking costs, and the first proven one is taken
            yield from sorted(self._paths, key=lambda p: p != last)
            return
        yield last
        rotated = files.rotation_base(last.name)
        live = last.with_name(rotated[0]) if rotated else last
        seen = {last}
        for path in (live, *files.rotated_siblings(live, {checkpoint.inode})):
            if path not in seen:
                seen.add(path)
                yield path

    def _look(self, path: Path) -> tuple[FileStat, bytes, str]:
        if path not in self._heads:
            if len(self._heads) >= _HEADS:
                self._heads.pop(next(iter(self._heads)))
            stat = files.stat_file(path)
            self._heads[path] = (stat, *files.read_head(stat))
        return self._heads[path]


def _proof(
    checkpoint: Checkpoint, stat: FileStat, compression: str
) -> tuple[Anchored, LogFileError | None]:
    decision = Decision(Action.RESUME, checkpoint, checkpoint.committed_offset, "known")
    with closing(Opened(Identified(stat, b"", compression), decision)) as opened:
        return opened.prove(), opened.damage
