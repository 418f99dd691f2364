"""The command line as a process, and what it left in its store."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from tests.support import fork_server, harness

ROOT = Path(__file__).parents[2]
_TABLES = ("log_files", "requests", "stage_timings", "errors", "cache_samples", "quarantine")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class CommandLine:
    """ttsq in a folder of its own, with a store in it that need not exist."""

    folder: Path
    fault: str = ""  # as TTSQ_FAULT names it

    def with_fault(self, fault: str) -> "CommandLine":
        """The same, which a fault stops."""
        return replace(self, fault=fault)

    def with_tables(self) -> "CommandLine":
        """The same with an empty store at head: to make one takes longer than most tests."""
        harness.as_a_command_makes_it(harness.new_store(self.folder))
        return self

    @property
    def store(self) -> Path:
        return self.folder / "store.duckdb"

    @property
    def environment(self) -> dict[str, str]:
        """No settings but the store and the zone."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TTSQ_")}
        own = {
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "TZ": "UTC",
        }
        own |= {"TTSQ_FAULT": self.fault} if self.fault else {}
        return kept | own | {"TTSQ_DB": f"duckdb:///{self.store}", "PYTHONPATH": str(ROOT)}

    def __call__(self, *words: str | Path) -> Ended:
        """Run ``ttsq WORDS``."""
        return Ended(*fork_server.run([*map(str, words)], self.folder, self.environment, 120))

    def as_anyone(self, *words: str | Path) -> Ended:
        """Run ``ttsq WORDS`` as a user whom file permissions bind, also when we are root."""
        command = [sys.executable, "-m", "ingest", *map(str, words)]
        if os.geteuid() == 0:
            assert shutil.which("setpriv"), "run as root this test needs setpriv (util-linux)"
            command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def well(self, *words: str | Path) -> str:
        """Run a command that must end well; what it printed."""
        ended = self(*words)
        assert ended.code == 0, ended
        return ended.out

    def counts(self) -> dict[str, int] | None:
        """Rows of every table; None when there is no store."""
        if not self.store.exists():
            return None
        with duckdb.connect(str(self.store), read_only=True) as connection:
            found = {}
            for table in _TABLES:
                row = connection.execute(f"select count(*) from {table}").fetchone()
                found[table] = int(row[0]) if row else 0
            return found

    def execute(self, sql: str) -> None:
        """Change the store behind the program's back."""
        with duckdb.connect(str(self.store)) as connection:
            connection.execute(sql)


def lines(first: int, count: int) -> str:
    """Log lines of failed requests: start, failure, completion."""
    text = ""
    for i in range(first, first + count):
        at = f"2026-03-02 {i // 60 % 24:02}:{i % 60:02}:00"
        text += (
            f'{at},000 - app - INFO - synthesis_start: id=ts_{i}, text="Hello {i}", text_len=7\n'
            f"{at},400 - app - INFO - stage_time: id=ts_{i}, stage=audio_render, "
            "duration_ms=300ms\n"
            f"{at},500 - app - ERROR - synthesis_failed: id=ts_{i}, error_code=OOM\n"
            f"{at},600 - app - INFO - synthesis_complete: id=ts_{i}, status=failed, "
            "duration_ms=600\n"
        )
    return text
