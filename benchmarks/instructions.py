"""The guard against slower code: instructions a byte of the scanner and the converters, rows beside
a reference loop.

python -m benchmarks.instructions [--bounds FILE] [--record]

Instructions are counted by ``valgrind --tool=callgrind`` inside the compiled functions only, over
the fixed log; of a real service's log (compose, bars) all of them are, Python's too, of which a
long log has so many more than a short one. Rows are those of benchmarks.ratios. None of this
depends on how busy the machine is.
Exits with 1 when one is worse than its recorded bound allows.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.foreign import write_log
from benchmarks.measure import ROOT
from benchmarks.scanned import INPUT_BYTES
from ingest.compiled import records

BOUNDS = Path(__file__).with_name("bounds.json")
MORE_INSTRUCTIONS = 1.10  # of the recorded ones
FEWER_ROWS = 2.0  # times: clocks and memory differ, code does not
_COUNTED = {
    "scan": ("__pyx_pw_6ingest_8compiled_7records_7Scanner_*scan",),
    "convert": tuple(
        f"__pyx_pw_6ingest_8compiled_{len(module)}{module}_*"
        for module in ("strings", "numbers", "text_classes")
    ),
}
_SERVICES_MB = (9, 15)  # what is learnt of a log is learnt before the end of the short one
_COLLECTED = re.compile(r"^summary: (\d+)$", re.MULTILINE)
_COMPILER = re.compile(rb"GCC: \([^)]*\) [\d.]+|clang version [\d.]+")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was measured once, and of what: the compiler of the modules, this Python."""

    compiler: str
    python: str
    instructions_per_byte: Mapping[str, float]
    rows_per_reference: Mapping[str, float]


class GuardError(Exception):
    """Something that the guard needs is not there."""


def measured() -> Recorded:
    """Measure all of it.

    :raises GuardError: when valgrind is missing, or the modules are not compiled.
    """
    from benchmarks.ratios import rows_per_reference

    counted = {name: counted_per_byte(pattern) for name, pattern in _COUNTED.items()}
    counted["services"] = services_per_byte()
    python = ".".join(map(str, sys.version_info[:2]))
    return Recorded(compiler(), python, counted, rows_per_reference())


def compiler() -> str:
    """Which compiler made the scanner, as its file says.

    :raises GuardError: when it is not compiled.
    """
    module = Path(records.__file__ or "")
    if module.suffix == ".py":
        raise GuardError("the scanner is not compiled: pip install -e . with a C compiler there")
    found = _COMPILER.search(module.read_bytes())
    return found[0].decode() if found else "unknown"


def counted_per_byte(functions: Sequence[str]) -> float:
    """Instructions that the functions of a name pattern, and what they call, take for a byte of the
    fixed log.

    :raises GuardError: when valgrind is missing, or counts nothing.
    """
    count = _instructions([f"--toggle-collect={pattern}" for pattern in functions], [])
    if not count:
        raise GuardError(
            f"no instruction was counted: the modules have no function {functions}, or no names of "
            "functions (make guard builds them with CFLAGS=-g)"
        )
    return count / INPUT_BYTES


def services_per_byte() -> float:
    """Instructions that a further byte of a real service's log takes from file to rows.

    :raises GuardError: when valgrind is missing.
    """
    counts, sizes = [], []
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in _SERVICES_MB:
            log = Path(folder) / f"{megabytes}.log"
            write_log(log, "compose", megabytes)
            counts.append(_instructions([], [str(log)]))
            sizes.append(log.stat().st_size)
    return (counts[1] - counts[0]) / (sizes[1] - sizes[0])


def _instructions(options: Sequence[str], words: Sequence[str]) -> int:
    """Instructions of one run of benchmarks.scanned.

    :raises GuardError: when valgrind is missing or fails.
    """
    if shutil.which("valgrind") is None:
        raise GuardError("valgrind is not installed: apt-get install valgrind")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "0"}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "callgrind"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *options]
        done = subprocess.run(
            [*command, sys.executable, "-m", "benchmarks.scanned", *words],
            env=environment, cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
        if done.returncode:
            raise GuardError(f"valgrind failed: {done.stderr[-2000:]}")
        found = _COLLECTED.search(out.read_text())
    return 0 if found is None else int(found[1])


def regressions(now: Recorded, before: Recorded) -> list[str]:
    """What is worse than allowed, in words."""
    found = []
    for name, bound in before.instructions_per_byte.items():
        value = now.instructions_per_byte[name]
        if value > bound * MORE_INSTRUCTIONS:
            found.append(
                f"{name}: {value:.2f} instructions a byte, recorded {bound:.2f}: "
                f"{value / bound - 1:+.0%}, allowed {MORE_INSTRUCTIONS - 1:+.0%}"
            )
    for name, bound in before.rows_per_reference.items():
        value = now.rows_per_reference[name]
        if value < bound / FEWER_ROWS:
            found.append(
                f"{name}: {value:.0f} rows while the reference loop runs once, recorded "
                f"{bound:.0f}: less than 1/{FEWER_ROWS:g} of it"
            )
    return found


def differences(now: Recorded, before: Recorded) -> list[str]:
    """What the figures were recorded with that is another now: the counts may differ for that."""
    pairs = (("compiler", now.compiler, before.compiler), ("Python", now.python, before.python))
    return [f"{of} is {a}, the bounds are of {b}" for of, a, b in pairs if a != b]


def read(path: Path) -> Recorded:
    """The recorded figures."""
    return Recorded(**json.loads(path.read_text()))


def main() -> int:
    """Measure, compare, say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bounds", type=Path, default=BOUNDS)
    parser.add_argument(
        "--record", action="store_true", help="write what is measured as the bounds"
    )
    given = parser.parse_args()
    try:
        now = measured()
    except GuardError as error:
        print(f"guard: {error}", file=sys.stderr)
        return 1
    if given.record:
        given.bounds.write_text(json.dumps(asdict(now), indent=2) + "\n")
    before = read(given.bounds)
    for name, value in now.instructions_per_byte.items():
        print(
            f"{name:8} {value:8.2f} instructions a byte, recorded "
            f"{before.instructions_per_byte[name]:.2f}"
        )
    for name, value in now.rows_per_reference.items():
        print(
            f"{name:8} {value:8.0f} rows a reference loop, recorded "
            f"{before.rows_per_reference[name]:.0f}"
        )
    for difference in differences(now, before):
        print(f"note: {difference}")
    found = regressions(now, before)
    for regression in found:
        print(f"guard: slower: {regression}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
