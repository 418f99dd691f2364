"""What a shell is given when the user asks it to complete a command line."""

import json
import os
import pty
import select
import signal
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


SHELLS = {
    "bash": ["bash", "--norc", "--noprofile", "-i"],
    "zsh": ["zsh", "-i"],
    "fish": ["fish", "--private", "-i"],
}
# where docs/cli.md puts the script, and what the shell is told
PLACES = {
    "bash": (".local/share/bash-completion/completions/ttsq", ""),
    "zsh": (".zfunc/_ttsq", "fpath+=(~/.zfunc); autoload -Uz compinit; compinit -u\n"),
    "fish": (".config/fish/completions/ttsq.fish", ""),
}


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_completes_at_the_first_key(ttsq: CommandLine, shell: str) -> None:
    place, settings = PLACES[shell]
    path = ttsq.folder / place
    path.parent.mkdir(parents=True)
    programs = f"{Path(sys.executable).parent}:{ttsq.environment['PATH']}"
    own = {**ttsq.environment, "HOME": str(ttsq.folder), "PATH": programs, "TERM": "xterm"}
    own = {name: value for name, value in own.items() if not name.startswith("XDG_")}
    asked = {**own, "_TTSQ_COMPLETE": f"source_{shell}"}
    path.write_bytes(subprocess.run(["ttsq"], env=asked, capture_output=True, check=True).stdout)
    if shell == "fish":  # it says what it would offer
        command = ["fish", "--private", "-c", "complete -C 'ttsq run failure_by_le'"]
        done = subprocess.run(command, env=own, cwd=ttsq.folder, capture_output=True, timeout=60)
        assert done.stdout.split() == [b"failure_by_length"]
        return
    (ttsq.folder / ".zshrc").write_text(settings)
    first = f"source ~/{place}; echo rea''dy\n" if shell == "bash" else "echo rea''dy\n"
    with Typed(SHELLS[shell], own, ttsq.folder) as typed:
        typed.type(first)
        typed.wait_for("ready")
        typed.type("ttsq run failure_by_le\t")
        typed.wait_for("ngth")


class Typed:
    """A program on a terminal of its own, and what somebody types into it."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self.shown = b""
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, environment)

    def __enter__(self) -> "Typed":
        return self

    def __exit__(self, *problem: object) -> None:
        os.close(self.terminal)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def type(self, keys: str) -> None:
        self.shown = b""
        os.write(self.terminal, keys.encode())

    def wait_for(self, text: str) -> None:
        """Until it is shown; an end of the program before that fails."""
        while text.encode() not in self.shown:
            ready, _, _ = select.select([self.terminal], [], [], 60)
            assert ready, self.shown
            self.shown += os.read(self.terminal, 4096)


def test_what_a_log_says_is_no_word_of_a_shell(tmp_path: Path) -> None:
    hostile = [
        r"\$(touch hit)",
        "$(touch hit)",
        "`touch hit`",
        "a;touch hit",
        "a'b",
        'a"b',
        "-rf",
        "*",
    ]
    written = "".join(
        f"2026-03-02 09:00:0{n},000 - app - INFO - synthesis_start: id=ts_{n}, "
        f"voice={json.dumps(voice, ensure_ascii=False)}\n"
        for n, voice in enumerate([*hostile, "晓晓"])
    )
    (tmp_path / "app.log").write_text(written)
    found = CommandLine(tmp_path)
    found.well("ingest", "app.log", "--final")
    assert len(json.loads(found.well("run", "voices", "--json"))) == len(hostile) + 1
    assert completed(found, "ttsq run voices --voice ") == ["晓晓"]


def test_formats_zones_and_ids(ttsq: CommandLine) -> None:
    assert completed(ttsq, "ttsq run hosts --format j") == ["json", "jsonl"]
    assert completed(ttsq, "ttsq sql --tz Asia/Shang") == ["Asia/Shanghai"]
    assert completed(ttsq, "ttsq trace ts_1") == ["ts_11", "ts_10", "ts_1"]


def test_a_store_that_cannot_be_read_completes_nothing(ttsq: CommandLine) -> None:
    assert completed(ttsq, "ttsq --db duckdb:///none.duckdb trace ts_1") == []
