"""Each question, asked by a pipeline over the log and by ttsq of its store."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmarks import peers
from benchmarks.answers import (
    compared,
    lengths_of_ours,
    lengths_of_shell,
    life_of_ours,
    life_of_shell,
    window_of_ours,
    window_of_shell,
)
from benchmarks.bench import Bench, Store
from benchmarks.measure import Command, Figures, Taken, take_in_turn, ttsq
from benchmarks.passes import Passes
from benchmarks.report import Row, Section, judged, ratio

OPEN_REPEATS = 15
LENGTHS_TIMES = 200.0  # faster than the pipeline, at TARGET_MB of logs
TARGET_MB = 5000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question in ttsq's words; how both answers are read."""

    name: str
    words: tuple[str, ...]
    theirs: Callable[[str], Counter[str]]
    ours: Callable[[str], Counter[str]]
    of: str


def asked(bench: Bench) -> tuple[Asked, ...]:
    """The questions of the pipelines."""
    window = ("--since", f"{bench.logs.day}T14:00", "--until", f"{bench.logs.day}T15:00", "--json")
    return (
        Asked(peers.LENGTHS, ("run", "failure_by_length", "--json"), lengths_of_shell, lengths_of_ours, "lengths and codes"),
        Asked(peers.WINDOW, ("run", "window_summary", *window), window_of_shell, window_of_ours, "count"),
        Asked(peers.LIFE, ("trace", bench.logs.request, "--json"), life_of_shell, life_of_ours, "different messages"),
    )  # fmt: skip


def section(bench: Bench, passes: Passes) -> Section:
    """All questions: theirs, ours as a command, ours where a session is open."""
    questions = asked(bench)
    commands = [
        Command(_name(a, store), ttsq("--db", store.url, *a.words))
        for a in questions
        for store in (bench.plain, bench.rotated)
    ]
    taken = take_in_turn(commands, bench.short_rounds, bench.progress)
    rows: list[Row] = []
    notes: list[str] = []
    for question in questions:
        rows += _rows(bench, passes, question, taken)
        notes += _notes(bench, passes, question, taken)
    return Section("Questions: the pipelines of today, and ttsq", tuple(rows), tuple(notes))


def _name(question: Asked, store: Store) -> str:
    return f"{question.name}: ttsq, {'gzipped' if store.path.stem == 'rotated' else 'plain'} log stored"


def _pipelines(passes: Passes, question: Asked) -> dict[str, Taken]:
    return {n: t for n, t in passes.taken.items() if n.startswith(f"{question.name}: ")}


def _rows(bench: Bench, passes: Passes, question: Asked, taken: dict[str, Taken]) -> list[Row]:
    ours = taken[_name(question, bench.plain)]
    ours_gz = taken[_name(question, bench.rotated)]
    rows = [
        Row(name, t, bench.megabytes, f"{ratio(t.wall, (ours_gz if ': zcat' in name else ours).wall)} ours")
        for name, t in _pipelines(passes, question).items()
    ]  # fmt: skip
    rows += [
        Row(_name(question, s), taken[_name(question, s)]) for s in (bench.plain, bench.rotated)
    ]
    if question.words[0] == "run":
        rows.append(_open_row(bench, passes, question))
    return rows


def _open_row(bench: Bench, passes: Passes, question: Asked) -> Row:
    """The query alone, its session open."""
    wall = open_session_seconds(bench.plain, question.words)
    plain = [t.wall for n, t in _pipelines(passes, question).items() if ": cat" in n]
    beside = f"cat … is {ratio(min(plain), wall)} ours" if plain else ""
    target = ""
    if plain and question.name == peers.LENGTHS:
        times = min(plain) / wall
        at = "" if bench.megabytes >= TARGET_MB else f" (at {TARGET_MB / 1000:g} GB)"
        target = judged(
            f"{LENGTHS_TIMES:.0f} × the pipeline{at}", ratio(times, 1), times >= LENGTHS_TIMES
        )
    return Row(
        f"{question.name}: ttsq, plain log stored, session open",
        Taken((Figures(wall, 0, 0),)),
        None,
        beside,
        target,
    )


def open_session_seconds(store: Store, words: tuple[str, ...]) -> float:
    """Median seconds of a named query in a session that is open: ``run NAME --option value ... --json``."""
    from ingest.backends.duckdb import DuckDBStore
    from ingest.named_queries import load_library
    from ingest.query_values import bind_values

    query = next(q for q in load_library() if q.name == words[1])
    options = words[2:-1]
    given = {o.removeprefix("--"): v for o, v in zip(options[::2], options[1::2], strict=True)}
    values = bind_values(query, given, datetime.now(UTC), UTC)
    times = []
    with DuckDBStore(store.path).reading() as reader:
        for _ in range(OPEN_REPEATS):
            began = time.perf_counter()
            reader.query(query.sql, values)
            times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2]


def _notes(bench: Bench, passes: Passes, question: Asked, taken: dict[str, Taken]) -> list[str]:
    """What comparing the answers gave, said once where all are the same."""
    said: list[str] = []
    for name, theirs in _pipelines(passes, question).items():
        store = bench.rotated if ": zcat" in name else bench.plain
        ours = question.ours(taken[_name(question, store)].output)
        words = bench.checked(compared(question.theirs(theirs.output), ours, question.of), name)
        said.append(f"{question.name}: {words}")
    if not said:
        lacking = ", ".join(passes.lacking)
        return [f"{question.name}: no pipeline was run; not installed: {lacking}"]
    return list(dict.fromkeys(said))
