"""Speed and memory of a first ingest, and cost of a run with nothing new; prints figures and ratios.

python benchmarks/first_ingest.py [--size MB] [--rounds N]
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

HERE = Path(__file__).resolve().parent


def timed(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak resident MB of a command that must succeed."""
    begin = time.perf_counter()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.01)
    seconds = time.perf_counter() - begin
    if process.wait() != 0:
        raise SystemExit(f"failed: {' '.join(command)}")
    return seconds, peak / 1e6


def main() -> None:
    """Run the rounds and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=500, help="MB of log")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "app.log"
        subprocess.run(
            [sys.executable, str(HERE / "make_log.py"), str(args.size), str(log)], check=True
        )
        megabytes = log.stat().st_size / 1e6
        ttsq = str(Path(sys.executable).parent / "ttsq")
        first, again, marks, peaks = [], [], [], []
        for _ in range(args.rounds):
            store = folder / "store.duckdb"
            store.unlink(missing_ok=True)
            command = [ttsq, "--db", f"duckdb:///{store}", "ingest", str(log)]
            seconds, peak = timed(command)
            first.append(seconds)
            peaks.append(peak)
            for _ in range(5):
                again.append(timed(command)[0])
                marks.append(timed([sys.executable, "-c", "import duckdb"])[0])
        print(f"log                       {megabytes:8.0f} MB on {os.cpu_count()} cores")
        print(f"first ingest, wall        {statistics.median(first):8.2f} s")
        print(f"                          {megabytes / statistics.median(first):8.1f} MB/s")
        print(f"peak memory               {max(peaks):8.0f} MB")
        print(
            f"store                     {store.stat().st_size / megabytes / 1e4:8.1f} % of the log"
        )
        print(f"nothing new               {statistics.median(again) * 1000:8.0f} ms")
        print(f"python -c 'import duckdb' {statistics.median(marks) * 1000:8.0f} ms")
        print(
            f"ratio                     {statistics.median(again) / statistics.median(marks):8.2f}"
        )


if __name__ == "__main__":
    main()
