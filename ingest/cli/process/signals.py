"""SIGTERM ends a command as Ctrl-C does: what was begun is undone, and it is told."""

import os
import signal
import sys
from types import FrameType

_terminated = False


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM."""


def raise_at_sigterm() -> None:
    """Make SIGTERM raise :class:`Terminated` once; a second one ends the process, safely."""
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _raise)


def _raise(number: int, frame: FrameType | None) -> None:
    global _terminated
    _terminated = True
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    raise Terminated


def end_by_sigterm() -> None:
    """End by SIGTERM if it ended the command, so that the sender sees that (143 to a shell)."""
    if _terminated:
        sys.stdout.flush()
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGTERM)
