"""``ttsq WORDS`` as a process that need not import anything: forked from one that has imported it
all, read the profiles that come with ttsq, and done nothing else.

A thousand starts of the interpreter are half of what the tests cost. What an ordinary start does is
tested where ``sys.executable`` is started.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from functools import cache
from multiprocessing.connection import wait
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import ingest
from ingest import faults

_INGEST = Path(ingest.__file__).parent
# a process that starts asks how all others have ended, and each can be asked but once
_ASKING = Lock()
_OTHERS = ("alembic.command", "duckdb_sqlalchemy", "pyarrow.compute", "pytz", "rich.table", "json")


def _preloaded() -> list[str]:
    """Every module of ours, and what they import when they need it."""
    files = (f.relative_to(_INGEST).with_suffix("") for f in _INGEST.rglob("*.py"))
    modules = [".".join(("ingest", *f.parts)) for f in files if not f.name.startswith("__")]
    return [*sorted(modules), *_OTHERS, "tests.support.warmed"]


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_preloaded())
    return context


def ended(process: ForkServerProcess, seconds: float) -> int | None:
    """Start a process and wait for its end; its exit code, None when it takes longer and is killed.

    Threads may do so at the same time.
    """
    with _ASKING:
        process.start()
    wait([process.sentinel], seconds)
    with _ASKING:
        code = process.exitcode
        if code is None:
            process.kill()
            process.join()
        return code


def run(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], seconds: float
) -> tuple[int, str, str]:
    """Exit code (negative: the signal), stdout and stderr of a command.

    :raises TimeoutError: when it takes longer; it is killed then.
    """
    with TemporaryDirectory() as name:
        out, err = Path(name) / "out", Path(name) / "err"
        process = _context().Process(
            target=_main, args=(list(words), str(folder), dict(environment), str(out), str(err))
        )
        code = ended(process, seconds)
        if code is None:
            raise TimeoutError(f"ttsq {' '.join(words)} took longer than {seconds} s")
        return code, out.read_text("utf-8"), err.read_text("utf-8")


def _main(words: list[str], folder: str, environment: dict[str, str], out: str, err: str) -> None:
    """In the child: become what ``python -m ingest WORDS`` is."""
    for number, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        os.dup2(file, number)
        os.close(file)
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(
        2, "w", encoding="utf-8", closefd=False, buffering=1, errors="backslashreplace"
    )
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["ttsq", *words]
    from ingest.cli import main

    fault = environment.get("TTSQ_FAULT")  # which an ordinary start reads as it imports
    try:
        with faults.armed(fault) if fault else nullcontext():
            main()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
