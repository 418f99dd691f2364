"""ttsq beside what people use instead, on the same bytes: speed, CPU, memory, and whether the
answers agree.

python -m benchmarks.compare [--size MB] [--rounds N] [--quick] [--only PART] [--output
docs/performance.md]

Exits with 1, the document unwritten, when an answer differs or a command fails; that ends the run.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from rich.console import Console

from benchmarks import asked, first_answer, machine, often, other_logs, passes, postgres
from benchmarks.bench import Bench
from benchmarks.logs import make_logs, warm
from benchmarks.measure import CommandFailed
from benchmarks.report import NEW_DOCUMENT, Section, inserted, markdown, show

SIZE_MB, QUICK_MB = 500.0, 20.0
ROUNDS = 3
PARTS = ("passes", "texts", "service", "postgres", "often", "large")
SMALL_LOG = f"the targets are for logs of {SIZE_MB:g} MB and more: this one is too small to tell"


def main() -> int:
    """Read the command line, measure, print, write."""
    given = _options()
    errors = Console(stderr=True, highlight=False, markup=False)
    sections: list[Section] = []
    problems: list[str] = []
    since = machine.used()
    with (
        tempfile.TemporaryDirectory(dir=given.scratch, prefix="ttsq-bench-") as name,
        errors.status("the logs") as status,
    ):
        bench = _prepared(given, Path(name), status.update)
        try:
            sections.extend(_measured(bench, given.only or PARTS))
        except CommandFailed as failure:
            problems.append(f"failed: {failure}")
        problems += [f"answers differ: {found}" for found in bench.disagreements]
    facts = (*machine.described(), machine.used_by_others(since), *_method(bench))
    show(sections, facts)
    if given.output is not None and not problems:
        document = given.output.read_text() if given.output.exists() else NEW_DOCUMENT
        given.output.write_text(inserted(document, markdown(sections, facts)))
    for problem in problems:
        errors.print(problem)
    return 1 if problems else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=float, help=f"MB of log [default: {SIZE_MB:g}]")
    parser.add_argument("--rounds", type=int, help=f"[default: {ROUNDS}]")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_MB:g} MB, one round")
    parser.add_argument("--only", action="append", choices=PARTS, help="a part; may be repeated")
    parser.add_argument("--output", type=Path, help="document to write the tables into")
    parser.add_argument("--scratch", type=Path, help="where the logs and stores are made")
    given = parser.parse_args()
    given.size = given.size or (QUICK_MB if given.quick else SIZE_MB)
    given.rounds = given.rounds or (1 if given.quick else ROUNDS)
    return given


def _prepared(given: argparse.Namespace, folder: Path, progress: Callable[[str], None]) -> Bench:
    rounds = max(9, given.rounds)
    logs = make_logs(folder / "logs", given.size, rounds)
    warm((logs.plain, *logs.rotated))
    return Bench(folder, logs, given.rounds, given.quick, progress)


def _measured(bench: Bench, parts: Collection[str]) -> Iterator[Section]:
    """The parts named, as they are done; the last two let the log grow."""
    if "passes" in parts:
        taken, questions = passes.take(bench), asked.take(bench)
        yield first_answer.section(bench, taken, questions)
        yield passes.plain_section(bench, taken)
        yield passes.gzipped_section(bench, taken)
        yield asked.section(bench, taken, questions)
    for log in other_logs.LOGS:
        if log.part in parts:
            yield other_logs.section(bench, log)
    if "postgres" in parts:
        yield postgres.section(bench)
    if "often" in parts:
        passes.first(bench)
        yield often.section(bench)
    if "large" in parts:
        yield often.large_section(bench)


def _method(bench: Bench) -> tuple[str, ...]:
    size = () if bench.megabytes >= SIZE_MB else (SMALL_LOG,)
    return (
        *size,
        f"medians of {bench.rounds} rounds ({bench.short_rounds} of what takes less than a "
        "second), all commands in turn in each round; "
        "files in the page cache; every command a whole process, its start included, but "
        "where a session is said to be open",
        "CPU: of all processes of a command; peak MB: of the largest process of a command, "
        "the highest of all rounds, no less than 10; MB/s: of uncompressed log",
    )


if __name__ == "__main__":
    sys.exit(main())
