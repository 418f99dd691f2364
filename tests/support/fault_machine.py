"""Processes that die at a named point of the flow: children that have all modules imported."""

import os
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import ingest.pipeline.changes
import ingest.records.chunks
import ingest.records.parse
import ingest.rows.assemble
from ingest import faults

_LOADED = (
    ingest.rows.assemble,
    ingest.records.chunks,
    ingest.records.parse,
    ingest.pipeline.changes,
)  # not in every child
_SECONDS = 60.0
KILLED = -signal.SIGKILL


def ended_in_child(work: Callable[[], object], fault: str) -> int:
    """Do some work in a child process with a fault armed; see :func:`waited`."""
    return waited(begun_in_child(work, fault))


def begun_in_child(work: Callable[[], object], fault: str | None) -> int:
    """Begin some work in a child process. No store may be open here: it would be shared."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        with faults.armed(fault) if fault else nullcontext():
            work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def waited(child: int) -> int:
    """How a child ended, as in subprocess: 0, 1 when it raised, or minus a signal."""
    deadline = time.monotonic() + _SECONDS
    while True:
        number, status = os.waitpid(child, os.WNOHANG)
        if number:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            raise AssertionError(f"the child hangs, after {_SECONDS} s")
        time.sleep(0.002)


class Passed:
    """Stands for a fault that never happens; counts how often each point is passed."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()

    def reached(self, point: str) -> None:
        self.times[point] += 1


class _Hook:
    """Stands for a fault: does something else at a point."""

    def __init__(self, point: str, count: int, act: Callable[[], object]) -> None:
        self.point, self.left, self.act = point, count, act

    def reached(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if self.left == 0:
                self.act()


@contextmanager
def counting() -> Iterator[Passed]:
    """Count the points that this process comes by."""
    passed = Passed()
    with _instead(passed):
        yield passed


@contextmanager
def hooked(point: str, count: int, act: Callable[[], object]) -> Iterator[None]:
    """Do something at the ``count``-th time that this process comes by a point."""
    with _instead(_Hook(point, count, act)):
        yield


@contextmanager
def _instead(fault: Passed | _Hook) -> Iterator[None]:
    faults._fault = fault  # type: ignore[assignment]
    try:
        yield
    finally:
        faults._fault = None
