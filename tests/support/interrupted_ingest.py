"""A program that ends an ingest at one of its steps after another: a step is a call into the
database engine.

``python -m tests.support.interrupted_ingest SIGNAL STRIDE TEMPLATE LOGS FOLDER``: ingests LOGS into
a copy of the store TEMPLATE, ``FOLDER/N.duckdb``, and sends itself SIGNAL behind its N-th step;
again with N + STRIDE, until an ingest reaches its end. Prints a line a run: ``N`` and how the
process ended.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType

import ingest.pipeline.changes
import ingest.pipeline.one_file

# here, not in every child: most of the modules that an ingest imports when it needs them
import ingest.records.chunks
from ingest.cli import main as ttsq

_LOADED = (ingest.records.chunks, ingest.pipeline.one_file, ingest.pipeline.changes)
_STEPS = ("connect", "execute", "close")


def _signal_behind(step: int, number: signal.Signals) -> None:
    """Send this process a signal at the main thread's ``step``-th return from the engine."""
    calls = 0

    def count(frame: FrameType, event: str, arg: object) -> None:
        nonlocal calls
        if event == "c_return" and getattr(arg, "__name__", "") in _STEPS and _is_engine(arg):
            calls += 1
            if calls == step:
                os.kill(os.getpid(), number)

    sys.setprofile(count)


def _is_engine(function: object) -> bool:
    return "duckdb" in (getattr(function, "__module__", None) or "")


def _ended(step: int, number: signal.Signals, store: Path, logs: str) -> int:
    """Exit code of an ingest in a process of its own, as subprocess tells it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    sys.argv = ["ttsq", "--db", f"duckdb:///{store}", "ingest", logs, "--final", "--host", "h"]
    _signal_behind(step, number)
    ttsq()
    os._exit(1)


def main(name: str, stride: str, template: str, logs: str, folder: str) -> None:
    """See the module."""
    step, code = 1 - int(stride), -1
    while code != 0:
        step += int(stride)
        store = Path(folder) / f"{step}.duckdb"
        shutil.copy(template, store)
        code = _ended(step, signal.Signals[name], store, logs)
        print(step, code, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
