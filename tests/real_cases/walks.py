"""Walks over rotated logs of services: ``python -m tests.real_cases.walks FIRST END [--on STORE]``.

A seed is a walk: a service's lines in an envelope, rotated as that one's are, read now and then by
runs that see some of the files in any order and in chunks of any size, of which some are killed.
The rows are those of one undisturbed run. Prints a line for each seed; the exit code is how many
failed, at most 100.
"""

import argparse
import random
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.real_cases import walk
from tests.real_cases.test_rotation import service
from tests.real_cases.test_services import ENVELOPES
from tests.support import harness


def walked(seed: int, engine: str, folder: Path) -> list[str]:
    """What a walk's rows differ in from those of one undisturbed run, in words."""
    chosen = random.Random(seed)
    envelope = chosen.choice(sorted(ENVELOPES))
    numbered = envelope != "CRI"
    name = "0.log" if not numbered else "tts-json.log"
    lines = ENVELOPES[envelope](service(chosen.randint(2, 5))).encode().splitlines(keepends=True)
    some = chosen.random() < 0.5
    whole = walk.rotated(lines, name, numbered, folder / "whole", random.Random(0), 0)
    found = walk.rotated(
        lines, name, numbered, folder / "walk", chosen, chosen.choice((0.05, 0.2)),
        killed=chosen.random() < 0.5, some=some, engine=engine,
    )  # fmt: skip
    return walk.differing(whole, found)


def main() -> int:
    """Walk the seeds that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("end", type=int)
    parser.add_argument("--on", choices=harness.ENGINES, default="duckdb", dest="engine")
    given = parser.parse_args()
    failed = 0
    for seed in range(given.first, given.end):
        with TemporaryDirectory() as folder:
            told = walked(seed, given.engine, Path(folder))
        failed += bool(told)
        print(f"{seed} {'differs' if told else 'ok'}", *told, sep="\n   ", flush=True)
    return min(failed, 100)


if __name__ == "__main__":
    raise SystemExit(main())
