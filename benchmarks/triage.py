"""Times ``ttsq triage`` over a window of many requests: ``python -m benchmarks.triage``.

The stores are those of :mod:`benchmarks.queries`, the window all of them; wall and CPU seconds, and
the peak of memory, each beside its goal.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.measure import Command, run, ttsq
from benchmarks.queries import SPAN, make_store

GOALS_S = {100_000: 1.5, 1_000_000: 5.0}  # wall time on two cores
GOAL_MB = 400.0


def main() -> int:
    """A line a size, a star behind what is over its goal."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "--requests", type=int, action="append", help="instead of 100,000 and 1,000,000"
    )
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument(
        "--folder", type=Path, help="keep the stores here, and use those that are there"
    )
    given = options.parse_args()
    print(f"{'requests':>10}{'wall s':>9}{'CPU s':>9}{'peak MB':>10}")
    with tempfile.TemporaryDirectory() as scratch:
        for count in given.requests or list(GOALS_S):
            path = (given.folder or Path(scratch)) / f"{count}.duckdb"
            if not path.exists():
                make_store(path, count)
            _show(path, count, given.repeat)
    return 0


def _show(path: Path, count: int, repeat: int) -> None:
    words = (
        "--db",
        f"duckdb:///{path}",
        "triage",
        "--since",
        f"{SPAN.days + 1}d",
        "--as-of",
        "data",
    )
    rounds = [run(Command("triage", ttsq(*words)))[0] for _ in range(repeat)]
    wall, peak = median(r.wall for r in rounds), max(r.peak_mb for r in rounds)
    slow = "*" if wall > GOALS_S.get(count, wall) else " "
    large = "*" if peak > GOAL_MB else " "
    print(
        f"{count:>10,}{wall:>8.2f}{slow}{median(r.cpu for r in rounds):>8.2f} {peak:>9.0f}{large}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
