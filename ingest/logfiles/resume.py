"""Where to start in a file, and why: one decision as a pure function (SPEC §3.3)."""

from enum import Enum
from typing import NamedTuple

from ingest.logfiles.fingerprint import Match
from ingest.model import Checkpoint


class Action(Enum):
    """What to do with a file."""

    START = "start"  # an unknown file: read it from its first byte
    RESUME = "resume"  # a known one: read on behind what is stored
    SKIP = "skip"  # nothing in it can be new


class Anchored(Enum):
    """What stands before a known file's committed offset, in the file at hand."""

    EQUAL = "equal"
    DIFFERENT = "different"
    SHORT = "short"  # the file at hand ends before that offset
    UNKNOWN = "unknown"  # compressed: told while reading


class Candidate(NamedTuple):
    """A known file compared with the file at hand.

    ``equal_bytes`` first bytes are known to be equal; ``same_place``: last seen under this path, or
    this inode; ``elsewhere``: another path of this run holds its content.
    """

    checkpoint: Checkpoint
    match: Match
    equal_bytes: int
    anchored: Anchored
    same_place: bool
    elsewhere: bool


class Decision(NamedTuple):
    """Where to start in a file, and why."""

    action: Action
    checkpoint: Checkpoint | None
    offset: int
    reason: str
    edited: bool = False


def decide(candidates: list[Candidate]) -> Decision:
    """Decide on a file by the known files it resembles; ``tests/unit/test_resume.py`` has the
    table.
    """
    full = [c for c in candidates if c.match is Match.FULL]
    known = [c for c in full if c.anchored in (Anchored.EQUAL, Anchored.UNKNOWN)]
    if known:
        best = max(known, key=_likeness)
        return Decision(Action.RESUME, best.checkpoint, best.checkpoint.committed_offset, "known")
    short = [
        c
        for c in candidates
        if c.match is Match.PREFIX or (c.match is Match.FULL and c.anchored is Anchored.SHORT)
    ]
    if short:
        best = max(short, key=_likeness)
        return Decision(Action.SKIP, best.checkpoint, 0, "a shorter copy of a known file")
    for c in candidates:
        if _is_edited(c):
            return Decision(
                Action.SKIP,
                c.checkpoint,
                c.checkpoint.committed_offset,
                "edited before the offset up to which it is stored",
                edited=True,
            )
    return Decision(Action.START, None, 0, "new")


def _likeness(c: Candidate) -> tuple[bool, bool, int, int]:
    return (
        c.anchored is Anchored.EQUAL,
        c.same_place,
        c.checkpoint.committed_offset,
        c.equal_bytes,
    )


def _is_edited(c: Candidate) -> bool:
    """Same place and dated beginning, then different; and the old content is nowhere else."""
    if not c.same_place or c.elsewhere or c.checkpoint.committed_offset == 0:
        return False
    header = c.checkpoint.header_offset
    if header is None or not 0 < header <= c.equal_bytes:
        return False
    return c.match is Match.PARTLY or c.anchored is Anchored.DIFFERENT
