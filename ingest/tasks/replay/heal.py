"""What is understood now of a chunk of quarantined bytes, and what happens to its pieces; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ingest.model import Ledger, Reject
from ingest.records.arrays import Bools, Ints, raw_text
from ingest.records.parse import REJECT_HEAD_BYTES, Parsed
from ingest.rows.columns import record_spans
from ingest.tasks.replay.held import Held


@dataclass(frozen=True, slots=True)
class Healed:
    """A chunk with records in it: ``released`` are the offsets of the pieces that leave quarantine,
    ``rejects`` what is in it instead.

    ``finished`` of these pieces have nothing left behind the chunk; ``moved`` is what the file's
    ledger gains (negative: loses); its bytes add up to nothing.
    """

    low: int
    parsed: Parsed
    released: tuple[int, ...]
    finished: int
    rejects: tuple[Reject, ...]
    moved: Ledger


def heal(
    parsed: Parsed, low: int, taken: Sequence[Held], *, unclaimed: int | None
) -> Healed | None:
    """What a chunk that begins at ``low`` heals of the pieces ``taken``, the last of which may
    reach beyond it; None for nothing.

    A piece without a record in it stays as it is, whatever this parser would make of it.
    ``unclaimed`` bytes of the chunk are lines that belong to nothing; None: nobody can say so. They
    leave quarantine, too, where it is known what stands before them: nothing, or a record of the
    chunk; else the record before the chunk may go on in them.
    """
    good = record_spans(parsed)
    old = (_array([h.offset for h in taken]), _array([h.end for h in taken]))
    new = _array([r.byte_offset for r in parsed.rejects])
    new_ends = _array([r.byte_offset + r.byte_length for r in parsed.rejects])
    gone = _overlap(old, good)
    if low and not gone[:1].any():
        unclaimed = None
    if not len(good[0]) and not unclaimed:
        return None
    while True:
        added = _overlap((new, new_ends), (old[0][gone], old[1][gone]))
        more = gone | _overlap(old, (new[added], new_ends[added]))
        if (more == gone).all():
            break
        gone = more
    if unclaimed:
        # which piece holds them is not known: the chunk becomes what a first reading makes of it
        gone, added = np.ones_like(gone), np.ones(len(new), np.bool_)
    released = [h for h, g in zip(taken, gone.tolist(), strict=True) if g]
    rejects = [r for r, a in zip(parsed.rejects, added.tolist(), strict=True) if a]
    rest = _rest(parsed, released)
    rejects += rest
    quarantined = sum(r.byte_length for r in rejects) - sum(h.length for h in released)
    moved = Ledger(
        records=parsed.ledger.records,
        record_bytes=parsed.ledger.record_bytes,
        quarantined=len(rejects) - len(released),
        quarantined_bytes=quarantined,
        ignored_bytes=-parsed.ledger.record_bytes - quarantined - (unclaimed or 0),
        unclaimed=parsed.ledger.unclaimed if unclaimed else 0,
        unclaimed_bytes=unclaimed or 0,
    )
    offsets = tuple(h.offset for h in released)
    return Healed(low, parsed, offsets, len(released) - len(rest), tuple(rejects), moved)


def remaining(taken: Held, end: int) -> Held:
    """What of a piece stands from ``end`` on."""
    return Held(end, taken.end - end, taken.reason, taken.raw)


def _array(values: list[int]) -> Ints:
    return np.array(values, np.int64)


def _overlap(a: tuple[Ints, Ints], b: tuple[Ints, Ints]) -> Bools:
    """bool[len(a)]: which intervals of a touch one of b; both sorted and disjoint."""
    if not len(b[0]):
        return np.zeros(len(a[0]), np.bool_)
    before = np.searchsorted(b[0], a[1], "left") - 1  # the last one of b that begins before a's end
    met: Bools = (before >= 0) & (b[1][np.maximum(before, 0)] > a[0])
    return met


def _rest(parsed: Parsed, released: Sequence[Held]) -> list[Reject]:
    """The rest of the last released piece after the chunk: it is read with the next one."""
    end = parsed.base + parsed.consumed
    if not released or released[-1].end <= end:
        return []
    last = remaining(released[-1], end)
    head = bytes(
        parsed.original[parsed.consumed : parsed.consumed + min(REJECT_HEAD_BYTES, last.length)]
    )
    return [Reject(last.offset, last.length, last.reason, raw_text(head))]
