"""What a shell is given when the user asks it to complete a command line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, lines


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    (tmp_path / "app.log").write_text(lines(0, 12))
    found = CommandLine(tmp_path)
    found.well("ingest", "app.log", "--final")
    return found


def completed(ttsq: CommandLine, line: str) -> list[str]:
    """The answers for a line whose last word is incomplete, by bash's protocol."""
    words = {"_TTSQ_COMPLETE": "complete_bash", "COMP_WORDS": line}
    words["COMP_CWORD"] = str(len(line.split(" ")) - 1)
    script = "import sys; sys.argv = ['ttsq']; from ingest.cli import app; app(prog_name='ttsq')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**ttsq.environment, **words}, cwd=ttsq.folder, capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout.split()


def test_commands_and_their_own_commands(ttsq: CommandLine) -> None:
    assert completed(ttsq, "ttsq re") == ["replay", "reread", "report"]
    assert completed(ttsq, "ttsq db up") == ["upgrade"]
    assert "--config" in completed(ttsq, "ttsq --")


def test_queries_and_the_options_of_the_one_that_is_named(ttsq: CommandLine) -> None:
    assert completed(ttsq, "ttsq run failure_by_l") == ["failure_by_length"]
    options = completed(ttsq, "ttsq run slow_requests --")
    assert {"--since", "--slower-than-ms", "--format", "--columns"} <= set(options)
    assert "--slower-than-ms" not in completed(ttsq, "ttsq run hosts --")
    assert completed(ttsq, "ttsq show slow_requests --lit") == ["--literals"]


def test_values_of_the_options_of_a_query(ttsq: CommandLine) -> None:
    assert completed(ttsq, "ttsq run failures_by --by te") == ["text_class"]
    assert "24h" in completed(ttsq, "ttsq run hosts --since 2")
    hosts = ttsq.well("sql", "select distinct host from requests", "--format", "csv").split()[1:]
    assert completed(ttsq, "ttsq run hosts --host ") == hosts != []
    assert completed(ttsq, "ttsq run error_groups --level C") == ["CRITICAL"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_a_script(ttsq: CommandLine, shell: str) -> None:
    script = "import sys; sys.argv = ['ttsq']; from ingest.cli import app; app(prog_name='ttsq')"
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**ttsq.environment, "_TTSQ_COMPLETE": f"source_{shell}"},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert f"complete_{shell}" in done.stdout and done.stderr == ""


def test_formats_zones_and_ids(ttsq: CommandLine) -> None:
    assert completed(ttsq, "ttsq run hosts --format j") == ["json", "jsonl"]
    assert completed(ttsq, "ttsq sql --tz Asia/Shang") == ["Asia/Shanghai"]
    assert completed(ttsq, "ttsq trace ts_1") == ["ts_11", "ts_10", "ts_1"]


def test_a_store_that_cannot_be_read_completes_nothing(ttsq: CommandLine) -> None:
    assert completed(ttsq, "ttsq --db duckdb:///none.duckdb trace ts_1") == []
