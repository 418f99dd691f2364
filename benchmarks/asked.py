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
        Asked(peers.LENGTHS, ("run", "failure_by_length", "--json"), lengths_of_shell,
        lengths_of_ours, "lengths and codes"),
        Asked(peers.WINDOW, ("run", "window_summary", *window), window_of_shell, window_of_ours,
        "count"),
        Asked(peers.LIFE, ("trace", bench.logs.request, "--json"), life_of_shell, life_of_ours,
        "different messages"),
    )  # fmt: skip


def take(bench: Bench) -> dict[str, Taken]:
    """Ours as commands, of both stores, by their names."""
    commands = [
        Command(name_of(a, store), ttsq("--db", store.url, *a.words))
        for a in asked(bench)
        for store in (bench.plain, bench.rotated)
    ]
    return take_in_turn(commands, bench.short_rounds, bench.progress)


def section(bench: Bench, passes: Passes, taken: dict[str, Taken]) -> Section:
    """All questions: theirs, ours as a command (``taken``), ours where a session is open."""
    rows: list[Row] = []
    notes: list[str] = []
    for question in asked(bench):
        rows += _rows(bench, passes, question, taken)
        notes += _notes(bench, passes, question, taken)
    return Section("Questions: the pipelines of today, and ttsq", tuple(rows), tuple(notes))


def name_of(question: Asked, store: Store) -> str:
    """What our command that asks a store is called."""
    return (
        f"{question.name}: ttsq, {'gzipped' if store.path.stem == 'rotated' else 'plain'} log "
        "stored"
    )


@dataclass(frozen=True, slots=True)
class _Pipeline:
    """A pipeline that asks the question of the plain or the gzipped log; None without its tools."""

    name: str
    gzipped: bool
    taken: Taken | None
    lacking: str


def _pipelines(bench: Bench, passes: Passes, question: Asked) -> list[_Pipeline]:
    found = []
    for asked_by in peers.questions(bench.logs):
        for gzipped in (False, True) if asked_by.name == question.name else ():
            name = peers.shell_command(asked_by, bench.logs, gzipped=gzipped).name
            lacking = ", ".join(t for t in asked_by.needs if t in passes.lacking)
            found.append(_Pipeline(name, gzipped, passes.taken.get(name), lacking))
    return found


def _rows(bench: Bench, passes: Passes, question: Asked, taken: dict[str, Taken]) -> list[Row]:
    stores = (bench.plain, bench.rotated)
    ours = {store: taken[name_of(question, store)] for store in stores}
    rows = []
    for pipeline in _pipelines(bench, passes, question):
        if pipeline.taken is None:
            rows.append(Row(pipeline.name, target=f"not installed: {pipeline.lacking}"))
            continue
        same = ours[stores[pipeline.gzipped]].wall
        beside = f"{ratio(pipeline.taken.wall, same)} ours"
        rows.append(Row(pipeline.name, pipeline.taken, bench.megabytes, beside))
    rows += [Row(name_of(question, store), ours[store]) for store in stores]
    if question.words[0] == "run":
        rows.append(_open_row(bench, passes, question))
    return rows


def _open_row(bench: Bench, passes: Passes, question: Asked) -> Row:
    """The query alone, its session open, beside the quickest pipeline over the plain log."""
    name = f"{question.name}: ttsq, plain log stored, session open"
    wall = open_session_seconds(bench.plain, question.words)
    taken = Taken((Figures(wall, 0, 0),))
    pipelines = _pipelines(bench, passes, question)
    plain = [p.taken.wall for p in pipelines if p.taken is not None and not p.gzipped]
    if not plain:
        return Row(name, taken)
    times = min(plain) / wall
    target = ""
    if question.name == peers.LENGTHS:
        aim = f"{LENGTHS_TIMES:.0f} × the pipeline's speed"
        target = judged(aim, ratio(times, 1), times >= LENGTHS_TIMES)
        if bench.megabytes < TARGET_MB:
            target = f"{aim} at {TARGET_MB / 1000:g} GB: not judged at this size"
    return Row(name, taken, None, f"cat … is {ratio(times, 1)} ours", target)


def open_session_seconds(store: Store, words: tuple[str, ...]) -> float:
    """Median seconds of a query in an open session: ``run NAME --option value ... --json``."""
    from ingest.named_queries.library import load_library
    from ingest.named_queries.values import bind_values
    from ingest.stores.duckdb.store import DuckDBStore

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
    for pipeline in _pipelines(bench, passes, question):
        if pipeline.taken is None:
            continue
        ours = taken[name_of(question, bench.rotated if pipeline.gzipped else bench.plain)]
        answers = question.theirs(pipeline.taken.output), question.ours(ours.output)
        words = bench.checked(compared(*answers, question.of), pipeline.name)
        said.append(f"{question.name}: {words}")
    return list(dict.fromkeys(said))
