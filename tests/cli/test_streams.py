"""What others do to the standard streams: close them, send them to a full disk, speak another
encoding.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, lines

STORE = 4


def _ingested(folder: Path) -> CommandLine:
    (folder / "app.log").write_text(lines(0, 20))
    found = CommandLine(folder).with_tables()
    found.well("ingest", "app.log", "--final")
    return found


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    return _ingested(tmp_path)


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> CommandLine:
    """For commands that change nothing."""
    return _ingested(tmp_path_factory.mktemp("read"))


def _shell(
    ttsq: CommandLine, command: str, **environment: str
) -> "subprocess.CompletedProcess[str]":
    """Run a shell's command; ``$ttsq`` is the program."""
    return subprocess.run(
        ["bash", "-c", command],
        cwd=ttsq.folder,
        env={**ttsq.environment, "ttsq": f"{sys.executable} -m ingest", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams(ttsq: CommandLine, closed: str) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 40))
    for command in ("ingest app.log --final", "run failure_by_length", "status"):
        done = _shell(ttsq, f"$ttsq {command} {closed}")
        assert (done.returncode, done.stderr) == (0, ""), done
    counts = ttsq.counts()
    assert counts is not None and counts["requests"] == 40
    assert _shell(ttsq, f"$ttsq no-such-command {closed}").returncode == 2


@pytest.mark.parametrize(
    "command",
    [
        "run failure_by_length",
        "run failure_by_length --chart",
        "run slow_requests --format csv",
        "run slow_requests --format json",
        "sql 'select * from range(100000)' --format jsonl",
        "status",
        "trace ts_1",
        "queries",
        "show slow_requests",
        "verify",
        "--help",
    ],
)
def test_a_full_disk_behind_the_output(read_only: CommandLine, command: str) -> None:
    done = _shell(read_only, f"$ttsq {command} > /dev/full")
    assert done.returncode == STORE, done
    assert done.stderr.startswith("ttsq: error: ") and "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_an_ingest_has_stored_stays_when_its_report_cannot_be_written(
    ttsq: CommandLine,
) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 40))
    assert _shell(ttsq, "$ttsq ingest app.log --final > /dev/full").returncode == STORE
    counts = ttsq.counts()
    assert counts is not None and counts["requests"] == 40


@pytest.mark.parametrize("encoding", ["ascii", "iso-8859-1", "gbk", "utf-8"])
@pytest.mark.parametrize("more", ["", "--chart", "--format markdown"])
def test_other_encodings(read_only: CommandLine, encoding: str, more: str) -> None:
    command = f"$ttsq run failure_by_length {more} | iconv -f {encoding} -t utf-8"
    done = _shell(read_only, command, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stderr) == (0, "")
    assert "error_code" in done.stdout
    if encoding in ("ascii", "iso-8859-1"):
        assert done.stdout.replace("·", "").isascii()
        assert "\\u" not in done.stdout  # what is drawn has something alike
