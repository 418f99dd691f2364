"""What was measured on, and with what."""

import os
import platform
import re
import subprocess
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
