"""Named points of the flow at which a test ends the process or makes a call fail; off unless
``TTSQ_FAULT`` names one.

``TTSQ_FAULT=POINT[:COUNT[:ACTION]]``: at the COUNT-th time (default 1) that the flow comes by
POINT, do ACTION (default kill).
"""

import errno
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, get_args

Point = Literal[
    "locked",  # no other ingest can begin
    "migrated",  # a new or older store is at head
    "known",  # the checkpoints are loaded
    "looked",  # the files were looked at
    "proved",  # a file is open, at the offset
    "before_read",
    "after_read",
    "parsed",
    "assembled",  # a chunk's rows are made
    "store_opened",
    "begun",  # the transaction
    "deleted",  # rows that are to be replaced
    "inserted",  # rows of one table: once for each
    "relinked",  # rows of other chunks that now belong to another request
    "rows_in",  # all rows and rejects, no checkpoint
    "checkpoint_in",  # one file's
    "before_commit",
    "committed",  # the store is still open
    "closed",  # and so written back, all in its place
    "before_settle",  # a file was read to its end
    "settled",  # known to this run, not yet to the store
    "before_finish",  # of the run's row and what was seen of files without new rows
    "finished",
]
POINTS: tuple[Point, ...] = get_args(Point)


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _no_space() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _interrupt() -> None:
    raise KeyboardInterrupt


ACTIONS: dict[str, Callable[[], None]] = {
    "kill": _kill,
    "term": _terminate,
    "enospc": _no_space,
    "interrupt": _interrupt,
}


class _Fault:
    """What is to happen, and how often its point is still to be passed before."""

    def __init__(self, words: str) -> None:
        """:raises ValueError: for a point or an action that there is not."""
        given = words.split(":")
        self.point, count, action = given + ["", "1", "kill"][len(given) :]
        if self.point not in POINTS or action not in ACTIONS:
            raise ValueError(f"TTSQ_FAULT={words}: no such point or action: {', '.join(ACTIONS)}")
        self.left = int(count)
        self.act = ACTIONS[action]

    def reached(self, point: Point) -> None:
        if point == self.point:
            self.left -= 1
            if self.left == 0:
                self.act()


_fault: _Fault | None = _Fault(os.environ["TTSQ_FAULT"]) if "TTSQ_FAULT" in os.environ else None


def reach(point: Point) -> None:
    """Come by a point. Costs a comparison, but for tests."""
    if _fault is not None:
        _fault.reached(point)


@contextmanager
def armed(words: str) -> Iterator[None]:
    """Set in this process what ``TTSQ_FAULT`` would set; children made by fork(2) inherit it."""
    global _fault
    _fault = _Fault(words)
    try:
        yield
    finally:
        _fault = None
