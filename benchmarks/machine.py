"""What was measured on, and with what."""

import os
import platform
import re
import resource
import subprocess
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

_VERSIONS = {
    "lnav": ("lnav", "-V"),
    "mawk": ("mawk", "-W", "version"),
    "gawk": ("gawk", "--version"),
    "grep": ("grep", "--version"),
    "goaccess": ("goaccess", "--version"),
    "gzip": ("gzip", "--version"),
    "gcc": ("gcc", "--version"),
}


def described() -> tuple[str, ...]:
    """Processor, cores, memory, kernel; versions of every tool."""
    return (
        f"machine: {_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB of memory, "
        f"{platform.system()} {platform.release()}",
        f"ours: ttsq {_package('ttsq')}, Python {platform.python_version()}, "
        + ", ".join(f"{p} {_package(p)}" for p in ("duckdb", "pyarrow", "isal", "psycopg")),
        "theirs: " + ", ".join(f"{tool} {_tool(words)}" for tool, words in _VERSIONS.items()),
    )


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def _package(name: str) -> str:
    try:
        return version(name)
    except ImportError:
        return "from its sources"


def _tool(words: tuple[str, ...]) -> str:
    """The version that a tool tells, or that it is not there."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        return "(not installed)"
    found = re.search(r"\d+\.\d+(?:\.\d+)*", done.stdout + done.stderr)
    return found[0].rstrip(".") if found else "(version not told)"


@dataclass(frozen=True, slots=True)
class Used:
    """CPU seconds at an instant: of the machine, and of this process and its children."""

    machine: float
    own: float
    at: float


def used() -> Used:
    """Now."""
    ticks = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    idle = int(ticks[3]) + int(ticks[4])  # and waiting for a disk
    machine = sum(map(int, ticks[:8])) - idle  # what guests take is in the others already
    taken = [resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own = sum(t.ru_utime + t.ru_stime for t in taken)
    return Used(machine / os.sysconf("SC_CLK_TCK"), own, time.monotonic())


def used_by_others(since: Used) -> str:
    """How much of the machine other processes had since then."""
    now = used()
    others = (now.machine - since.machine) - (now.own - since.own)
    share = max(0.0, others) / ((now.at - since.at) * (os.cpu_count() or 1))
    return f"other work on the machine meanwhile: {share:.0%} of its CPU time"
