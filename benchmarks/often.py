"""The cost of a run that finds nothing new, or 1 MB: every minute, by a timer; in large stores.
Beside it, that of one question.
"""

import sys
from collections.abc import Iterator

from benchmarks.bench import IMPORT_MARK, Bench, Store
from benchmarks.logs import LogSet, append, make_logs
from benchmarks.measure import Command, Taken, run, take_in_turn, ttsq
from benchmarks.report import Row, Section, judged, ratio, seconds

NOTHING, NEW, ASKED = "ttsq: nothing new", "ttsq: 1 MB new", "ttsq: one question"
NOTHING_TIMES, ASKED_TIMES, NEW_SECONDS, APART = 1.7, 2.0, 0.35, 0.20
SMALL, LARGE = 10_000, 10_000_000
GROWING_MB = 5.0
BEHIND_THE_STORE = 90  # days: the rows that benchmarks.queries makes are of the 90 before


def section(bench: Bench) -> Section:
    """A question, nothing new and 1 MB new in the store of the plain log. The log grows by this."""
    question = ttsq("--db", bench.plain.url, "run", "failure_by_length", "--since", bench.logs.day)
    commands = [
        IMPORT_MARK, Command(ASKED, question), *_pair("", bench.plain, bench.logs)
    ]  # fmt: skip
    taken = take_in_turn(commands, bench.short_rounds, bench.progress)
    mark, asked = taken[IMPORT_MARK.name], taken[ASKED]
    times = asked.wall / mark.wall
    verdict = judged("at most 2 × the import", ratio(times, 1), times <= ASKED_TIMES)
    question_row = Row(ASKED, asked, None, f"{ratio(times, 1)} the import", verdict)
    return Section("Every minute", (Row(IMPORT_MARK.name, mark), question_row, *_judged(taken, "")))


def _pair(of: str, store: Store, logs: LogSet) -> tuple[Command, Command]:
    pieces: Iterator[bytes] = iter(logs.pieces)
    argv = store.ingest(logs.plain)
    return (
        Command(NOTHING + of, argv),
        Command(NEW + of, argv, before=lambda: append(logs.plain, next(pieces))),
    )


def _judged(taken: dict[str, Taken], of: str) -> tuple[Row, Row]:
    mark, nothing, new = taken[IMPORT_MARK.name], taken[NOTHING + of], taken[NEW + of]
    times, more = nothing.wall / mark.wall, new.wall - nothing.wall
    return (
        Row(NOTHING + of, nothing, None, f"{ratio(times, 1)} the import",
            judged("at most 1.7 × the import", ratio(times, 1), times <= NOTHING_TIMES)),
        Row(NEW + of, new, None, f"{seconds(more)} more",
            judged("at most 0.35 s more", seconds(more), more <= NEW_SECONDS)),
    )  # fmt: skip


def large_section(bench: Bench) -> Section:
    """The same with a store of ten thousand and one of ten million requests."""
    title = "Every minute, in a store of ten thousand and of ten million requests"
    if bench.quick:
        return Section(title, (), ("not in --quick",))
    commands = [IMPORT_MARK]
    for count in (SMALL, LARGE):
        bench.progress(f"a store of {count:,} requests")
        commands += _pair(_of(count), *_grown(bench, count))
    taken = take_in_turn(commands, bench.short_rounds, bench.progress)
    rows = [Row(IMPORT_MARK.name, taken[IMPORT_MARK.name])]
    rows += [*_judged(taken, _of(SMALL)), *_judged(taken, _of(LARGE))]
    for name in (NOTHING, NEW):
        apart = taken[name + _of(LARGE)].wall / taken[name + _of(SMALL)].wall
        verdict = judged("within 20 %", ratio(apart, 1), abs(apart - 1) <= APART)
        rows.append(
            Row(f"{name}: ten million beside ten thousand", beside=ratio(apart, 1), target=verdict)
        )
    return Section(title, tuple(rows))


def _of(count: int) -> str:
    return f", {count:,} requests stored"


def _grown(bench: Bench, count: int) -> tuple[Store, LogSet]:
    """A store of so many requests that knows a log of which pieces are yet to come."""
    folder = bench.folder / f"of{count}"
    store = Store(folder / "store.duckdb")
    logs = make_logs(folder / "logs", GROWING_MB, bench.short_rounds, first_day=BEHIND_THE_STORE)
    make = (sys.executable, "-m", "benchmarks.grown", str(store.path), str(count))
    run(Command(f"a store of {count:,} requests", make))
    run(Command("first ingest", store.ingest(logs.plain)))
    return store, logs
