"""What a person at a terminal sees: answers that fit it, colours, a pager.

The terminal is a real pty.
"""

import fcntl
import os
import pty
import re
import struct
import sys
import termios
from pathlib import Path

import pytest

from ingest.render.cells import display_width
from tests.support.command_line import CommandLine, lines

_ROWS = 24  # lines of the terminal


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(lines(0, 60))
    found = CommandLine(tmp_path)
    found.well("ingest", "app.log", "--final")
    return found


def on_a_terminal(ttsq: CommandLine, columns: int, *words: str, **variables: str) -> str:
    """What ``ttsq WORDS`` writes to a terminal of so many columns."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ttsq.folder)
        base = {k: v for k, v in ttsq.environment.items() if k not in ("NO_COLOR", "LESS")}
        size = {"COLUMNS": str(columns), "LINES": str(_ROWS), "TERM": "xterm", "PAGER": "cat"}
        command = [sys.executable, "-m", "ingest", *words]
        os.execve(sys.executable, command, {**base, **size, **variables})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, columns, 0, 0))
    shown = bytearray()
    try:
        while data := os.read(terminal, 1 << 16):
            shown += data
    except OSError:  # the other end is closed
        pass
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown
    return shown.decode().replace("\r\n", "\n")


def without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_every_answer_fits_the_terminal(ttsq: CommandLine, columns: int) -> None:
    for name in ("slow_requests", "error_groups", "hosts", "window_requests", "stage_breakdown"):
        table = without_colours(on_a_terminal(ttsq, columns, "run", name)).rpartition("\n\n")[0]
        assert max(map(display_width, table.splitlines())) <= columns, name


def test_columns_that_do_not_fit_are_named_and_wide_shows_them(ttsq: CommandLine) -> None:
    words = ("run", "slow_requests", "--limit", "1")
    narrow = on_a_terminal(ttsq, 80, *words)
    assert "slowest_stage" in narrow
    assert "no room for: " in narrow
    assert "request_key" in next(x for x in narrow.splitlines() if "no room for" in x)
    wide = on_a_terminal(ttsq, 80, *words, "--wide")
    assert "request_key" in wide.splitlines()[0]
    only = on_a_terminal(ttsq, 80, *words, "--columns", "request_key,id")
    assert without_colours(only).split()[:2] == ["request_key", "id"]


def test_colours_are_of_a_terminal_unless_told_otherwise(ttsq: CommandLine) -> None:
    words = ("run", "error_groups", "--columns", "level")
    assert "\x1b[31mERROR" in on_a_terminal(ttsq, 80, *words)
    assert "\x1b[31m" not in on_a_terminal(ttsq, 80, *words, "--color", "never")
    assert "\x1b[31m" not in on_a_terminal(ttsq, 80, *words, NO_COLOR="1")
    assert "\x1b[31m" not in ttsq.well(*words)
    assert "\x1b[31mERROR" in ttsq.well(*words, "--color", "always")
    assert ttsq(*words, "--color", "blue").code == 2


def test_a_table_longer_than_the_screen_goes_to_the_pager(ttsq: CommandLine) -> None:
    long = ("sql", "select id from requests order by id")
    assert len(on_a_terminal(ttsq, 80, *long).splitlines()) > _ROWS
    paged = on_a_terminal(ttsq, 80, *long, PAGER="sed -n 3p")
    assert paged.splitlines() == ["ts_0"]
    for words, pager in (
        ((*long, "--no-pager"), "sed -n 3p"),
        ((*long, "--format", "csv"), "sed -n 3p"),
        (long, "no-such-pager"),
        (long, ""),
    ):
        assert "ts_59" in on_a_terminal(ttsq, 80, *words, PAGER=pager)
    short = (*long[:1], long[1] + " limit 3")
    assert "ts_1" in on_a_terminal(ttsq, 80, *short, PAGER="sed -n 3p")


def test_sums_of_bytes_are_broken_between_words(ttsq: CommandLine) -> None:
    for words in (("ingest", "app.log"), ("status",)):
        shown = without_colours(on_a_terminal(ttsq, 80, *words))
        whole = [line for line in shown.split("\n") if "/" not in line and "━" not in line]
        assert max(map(display_width, whole)) <= 80
        assert "0 lost" in " ".join(shown.split())
