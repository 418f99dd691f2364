"""Wall time, CPU time and peak memory of commands, taken in turn."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
LAUNCHER = Path(__file__).with_name("launch.py")
SHOWN_ERROR_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Figures:
    """What a command took: seconds of wall and CPU, peak MB (10^6) of its largest process."""

    wall: float
    cpu: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Command:
    """A command to measure; ``before`` puts things in its place, untimed, each time."""

    name: str
    argv: tuple[str, ...]
    before: Callable[[], None] = lambda: None
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Taken:
    """A command's figures, one a round, and what it printed in the last."""

    rounds: tuple[Figures, ...]
    output: str = ""

    @property
    def wall(self) -> float:
        """Median seconds."""
        return median(f.wall for f in self.rounds)

    @property
    def cpu(self) -> float:
        """Median CPU seconds."""
        return median(f.cpu for f in self.rounds)

    @property
    def peak_mb(self) -> float:
        """The highest peak of all rounds."""
        return max(f.peak_mb for f in self.rounds)


class CommandFailed(Exception):
    """A measured command did not succeed."""


def ttsq(*words: str) -> tuple[str, ...]:
    """The command line of ttsq: the one installed beside this Python, else the package itself."""
    script = Path(sys.executable).with_name("ttsq")
    return (str(script), *words) if script.exists() else (sys.executable, "-m", "ingest", *words)


def pipeline(text: str) -> tuple[str, ...]:
    """A pipeline in which every command must succeed."""
    return ("bash", "-c", f"set -o pipefail; {text}")


def run(command: Command) -> tuple[Figures, str]:
    """Measure a command once; what it took and its standard output.

    :raises CommandFailed: with what it said, when its exit status is not 0.
    """
    command.before()
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "TZ": "UTC", "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as scratch:
        figures, said, complaints = (Path(scratch) / n for n in ("figures", "out", "err"))
        with said.open("wb") as out, complaints.open("wb") as err:
            subprocess.run(
                [sys.executable, "-I", "-S", str(LAUNCHER), str(figures), *command.argv],
                stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                env={**environment, **command.environment},
            )  # fmt: skip
        if not figures.exists():
            raise CommandFailed(f"{command.name}: not started: {_tail(complaints)}")
        wall, cpu, peak_kib, status = figures.read_text().split()
        if status != "0":
            raise CommandFailed(f"{command.name}: exit status {status}: {_tail(complaints)}")
        output = said.read_text("utf-8", "replace")
    return Figures(float(wall), float(cpu), int(peak_kib) * 1024 / 1e6), output


def _tail(complaints: Path) -> str:
    """The end of what a command said on stderr."""
    said = complaints.read_bytes()[-SHOWN_ERROR_BYTES:].decode("utf-8", "replace")
    return said or "no message"


def take_in_turn(
    commands: Sequence[Command], rounds: int, progress: Callable[[str], None]
) -> dict[str, Taken]:
    """Measure commands ``rounds`` times, alternating, so that drift affects all alike."""
    figures: dict[str, list[Figures]] = {c.name: [] for c in commands}
    outputs: dict[str, str] = {}
    for number in range(rounds):
        for command in commands:
            progress(f"round {number + 1} of {rounds}: {command.name}")
            taken, outputs[command.name] = run(command)
            figures[command.name].append(taken)
    return {name: Taken(tuple(taken), outputs[name]) for name, taken in figures.items()}
