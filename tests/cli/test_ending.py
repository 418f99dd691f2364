"""The process ends at once, but not before what is to run at its end has run and all is written."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine

_SCRIPT = """
import atexit, sys, threading, time
from ingest.cli import entry
def late():
    time.sleep(0.3)
    atexit.register(print, "last")
    print("thread")
threading.Thread(target=late).start()
sys.argv = ["ttsq", *sys.argv[1:]]
entry()
"""


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


def _run(
    ttsq: CommandLine, script: str, *words: str, out: int | None = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        cwd=ttsq.folder, env=ttsq.environment, stdout=out, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_threads_are_waited_for_and_output_is_whole(ttsq: CommandLine) -> None:
    done = _run(ttsq, _SCRIPT, "--version")
    assert done.returncode == 0
    first, *rest = done.stdout.splitlines()
    assert first.startswith("ttsq ")
    assert rest == ["thread", "last"]


@pytest.mark.parametrize(
    ("words", "code"), [(("queries",), 0), (("run", "nonsense"), 2), (("nonsense",), 2)]
)
def test_exit_codes_are_those_of_the_command(
    ttsq: CommandLine, words: tuple[str, ...], code: int
) -> None:
    assert _run(ttsq, "from ingest.cli import entry; entry()", *words).returncode == code


def test_output_that_cannot_be_written_is_told(ttsq: CommandLine) -> None:
    with open("/dev/full", "w") as full:
        done = _run(ttsq, "from ingest.cli import entry; entry()", "--version", out=full.fileno())
    assert done.returncode != 0
    assert "No space left on device" in done.stderr
