"""Every command of ``ttsq``, found from its group, run where something is wrong: in a child of the
fork server, so that a walk over all of them takes seconds.
"""

import ctypes
import os
import resource
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support import fork_server
from tests.support.command_line import Ended

_LITTLE = 8 << 20  # bytes of address space more than a process begins with
_SECONDS = 60.0


def leaves() -> Iterator[tuple[str, ...]]:
    """The words of every command, and of those of its own."""
    from typer.main import get_command

    from ingest.cli import app

    yield from _leaves(get_command(app), ())


def _leaves(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    commands = getattr(command, "commands", None)
    if commands is None:
        yield words
        return
    if words and command.invoke_without_command:
        yield words
    for name in commands:
        yield from _leaves(commands[name], (*words, name))


def arguments(words: Sequence[str]) -> list[str]:
    """Something for each argument that a command must be given."""
    from typer.main import get_command

    from ingest.cli import app

    command: Any = get_command(app)
    for word in words:
        command = command.commands[word]
    return ["app.log" for p in command.params if p.param_type_name == "argument" and p.required]


def run(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], what: str = ""
) -> Ended:
    """Run ``ttsq WORDS`` with what is wrong: ``no psycopg``, ``no matplotlib``, ``closed stdout``,
    ``tiny memory``, ``bound user``; else nothing.
    """
    context = fork_server._context()
    with TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        out, err = Path(name) / "out", Path(name) / "err"
        process = context.Process(
            target=_main, args=([*words], str(folder), dict(environment), str(out), str(err), what)
        )
        code = fork_server.ended(process, _SECONDS)
        if code is None:
            raise TimeoutError(f"ttsq {' '.join(words)} took longer than {_SECONDS} s ({what})")
        told = out.read_text("utf-8") if out.exists() else ""
        return Ended(code, told, err.read_text("utf-8"))


def _obey_permissions() -> None:
    """Give up what lets root pass over the permissions of files (capset(2))."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    sets = (ctypes.c_uint32 * 6)()
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.capget(header, sets) == 0
    for number in (0, 1):  # effective, permitted: without CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        sets[number] &= ~0b110
    assert libc.capset(header, sets) == 0, os.strerror(ctypes.get_errno())


class _Blocked:
    """An import finder for which some packages are not installed."""

    def __init__(self, *names: str) -> None:
        self.names = names
        for name in [*sys.modules]:
            if name.split(".")[0] in names or name.startswith("ingest.stores.postgres"):
                del sys.modules[name]

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _main(
    words: list[str], folder: str, environment: dict[str, str], out: str, err: str, what: str
) -> None:
    file = os.open(err, os.O_WRONLY | os.O_CREAT, 0o666)
    os.dup2(file, 2)
    os.close(file)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, errors="backslashreplace")
    if what == "closed stdout":
        os.close(1)
        sys.stdout = None  # type: ignore[assignment]
    else:
        file = os.open(out, os.O_WRONLY | os.O_CREAT, 0o666)
        os.dup2(file, 1)
        os.close(file)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    os.chdir(folder)
    sys.argv = ["ttsq", *words]
    from ingest.cli import main
    from ingest.cli.process.streams import settle_streams

    settle_streams()
    if what == "no psycopg":
        sys.meta_path.insert(0, _Blocked("psycopg", "pgpq"))  # type: ignore[arg-type]
    elif what == "no matplotlib":
        sys.meta_path.insert(0, _Blocked("matplotlib"))  # type: ignore[arg-type]
    elif what == "bound user" and os.geteuid() == 0:
        _obey_permissions()
    elif what == "tiny memory":
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + _LITTLE
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    try:
        main()
    finally:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
