"""Where a known log file stands on disk now; nothing is believed without proof."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ingest.errors import LogFileError
from ingest.logfiles import reader, rotation
from ingest.logfiles.compression import PACKED
from ingest.logfiles.fingerprint import Match, anchor, anchor_length, compare
from ingest.logfiles.known import LogFile
from ingest.logfiles.open_log import OpenLog
from ingest.logfiles.resume import Action, Anchored, Decision
from ingest.logfiles.stat import FileStat, stat_file
from ingest.model import Checkpoint
from ingest.paths import real

_HEADS = 256  # first bytes kept of files that were looked at, 64 KiB each


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a known file's stored part cannot be read again; ``damaged``: it does not decompress."""

    why: str
    damaged: bool = False


class Seen(Protocol):
    """What tells a known file, and where it was last seen."""

    @property
    def path(self) -> str: ...
    @property
    def inode(self) -> int: ...
    @property
    def fingerprint(self) -> str | None: ...
    @property
    def header_offset(self) -> int | None: ...
    @property
    def anchor(self) -> str | None: ...
    @property
    def committed_offset(self) -> int: ...


class Finder:
    """Finds known files by content: near their last path, or only among the paths given."""

    def __init__(self, paths: Sequence[Path] | None = None) -> None:
        self._paths = paths
        self._heads: dict[Path, tuple[FileStat, bytes, str]] = {}
        self._matched: set[Path] = set()

    def find(self, checkpoint: Checkpoint) -> FileStat | Absent:
        """The file that has all stored bytes of a known one: by fingerprint and anchor."""
        absent = Absent("not on disk")
        for path in self._places(checkpoint):
            try:
                stat, head, compression = self._look(path)
                if compare(checkpoint.fingerprint, head)[0] is not Match.FULL:
                    continue
                proof, damage = _proof(checkpoint, stat, compression)
            except LogFileError as problem:
                if str(path) == checkpoint.path and os.path.exists(real(path)):
                    absent = Absent(problem.message, damaged=True)
                continue
            if proof is Anchored.EQUAL:
                self._matched.add(path)
                return stat
            if damage is not None:
                absent = Absent(damage.message, damaged=True)
        if not absent.damaged and os.path.exists(real(checkpoint.path)):
            return Absent(f"not on disk; something else stands at {checkpoint.path}")
        return absent

    def find_alike(self, known: Seen) -> FileStat | Absent:
        """The known file, or one that begins like it (a shorter copy, a compressed file), where
        only its records can tell.

        One whose anchor is proven wins; nothing is inflated for that.
        """
        alike, why = None, f"{known.path} is gone"
        for path in self._places(known):
            try:
                stat, head, compression = self._look(path)
                proof = _likeness(known, stat, head, compression)
            except LogFileError as problem:
                if str(path) == known.path and os.path.lexists(real(path)):
                    why = problem.message
                continue
            if proof is True:
                return stat
            if proof is None and alike is None:
                alike = stat
            if str(path) == known.path:
                why = f"another file stands at {known.path} now"
        return alike or Absent(why)

    @property
    def unmatched(self) -> list[Path]:
        """Paths given that hold no known file."""
        return [p for p in self._paths or () if p not in self._matched]

    def _places(self, known: Seen) -> Iterator[Path]:
        last = Path(known.path)
        if self._paths is not None:
            # the likeliest first: looking costs, and the first proven one is taken
            yield from sorted(self._paths, key=lambda p: p != last)
            return
        rotated = rotation.rotation_base(last.name)
        live = last.with_name(rotated[0]) if rotated else last
        packed = [Path(known.path + suffix) for suffix in PACKED]
        siblings = rotation.rotated_siblings(live, {known.inode})
        yield from dict.fromkeys([last, *packed, live, *siblings])

    def _look(self, path: Path) -> tuple[FileStat, bytes, str]:
        if path not in self._heads:
            if len(self._heads) >= _HEADS:
                self._heads.pop(next(iter(self._heads)))
            stat = stat_file(path)
            self._heads[path] = (stat, *reader.read_head(stat))
        return self._heads[path]


def _proof(
    checkpoint: Checkpoint, stat: FileStat, compression: str
) -> tuple[Anchored, LogFileError | None]:
    decision = Decision(Action.RESUME, checkpoint, checkpoint.committed_offset, "known")
    with closing(OpenLog(LogFile(stat, b"", compression), decision)) as opened:
        return opened.prove(), opened.damage


def _likeness(known: Seen, stat: FileStat, head: bytes, compression: str) -> bool | None:
    """Whether a file is the known one: True, False, or None where only its records can tell."""
    match, equal = compare(known.fingerprint, head)
    if match is Match.PREFIX:
        return None if 0 < (known.header_offset or 0) <= equal else False
    if match is not Match.FULL:
        return False
    if compression != "none" or not known.anchor:
        return None
    before = reader.read_before(stat, known.committed_offset, anchor_length(known.anchor))
    return True if before is not None and anchor(before) == known.anchor else None
