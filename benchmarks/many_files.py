"""A folder of very many small log files: seconds and peak memory of a first ingest, and of a run
with nothing new.

python -m benchmarks.many_files [--files N]
"""

import argparse
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.measure import Command, run, ttsq

_BEGAN = datetime(2026, 3, 2, tzinfo=UTC)
_REQUESTS = 3  # of a file


def write_files(folder: Path, count: int) -> int:
    """Write the files, of a few requests each; bytes of them all."""
    size = 0
    for number in range(count):
        lines = []
        for n in range(_REQUESTS):
            at = f"{_BEGAN + timedelta(seconds=number * _REQUESTS + n):%Y-%m-%d %H:%M:%S}"
            id_ = f"ts_{number * _REQUESTS + n:08x}"
            lines += [
                f'{at},100 - app - INFO - synthesis_start: id={id_}, text="hello {n}", lang=en\n',
                f"{at},600 - app - INFO - synthesis_complete: id={id_}, status=success, "
                "duration_ms=500\n",
            ]
        size += (folder / f"worker{number:06}.log").write_text("".join(lines))
    return size


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        logs = Path(name) / "logs"
        logs.mkdir()
        size = write_files(logs, given.files)
        store = f"duckdb:///{name}/store.duckdb"
        command = ttsq("--db", store, "ingest", str(logs))
        print(f"files                     {given.files:8} with {size / 1e6:.0f} MB")
        for what in ("first ingest", "nothing new"):
            taken, _ = run(Command(what, command))
            each = taken.wall / given.files * 1e3
            print(
                f"{what:25} {taken.wall:8.1f} s, {each:.2f} ms a file, peak {taken.peak_mb:.0f} MB"
            )


if __name__ == "__main__":
    main()
