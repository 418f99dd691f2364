"""First ingest beside one pass of each peer over the same log, and today's pipelines."""

from dataclasses import dataclass

from benchmarks import peers
from benchmarks.answers import EVENTS, compared, events_of_ours
from benchmarks.bench import Bench, Store
from benchmarks.measure import Command, Taken, run, take_in_turn, ttsq
from benchmarks.report import Row, Section, judged, ratio

FIRST, FIRST_GZ = "ttsq: first ingest", "ttsq: first ingest, gzipped"
LNAV_TIMES, ZCAT_TIMES, MIN_RATE, MAX_SHARE, MAX_PEAK_MB = 3.0, 1.25, 150.0, 0.08, 400.0


@dataclass(frozen=True, slots=True)
class Passes:
    """What whole passes took, by the commands' names; the stores that ours made stay."""

    taken: dict[str, Taken]
    lacking: tuple[str, ...]


def take(bench: Bench) -> Passes:
    """Run them all in turn."""
    lacking = peers.missing()
    commands = [
        _first(FIRST, bench.plain, bench),
        _first(FIRST_GZ, bench.rotated, bench),
        *(c for c in peers.marks(bench.logs) if c.argv[0] not in lacking),
    ]
    if "lnav" not in lacking:
        commands.append(peers.lnav_command(bench.logs.plain, bench.folder / "lnav"))
    for question in peers.questions(bench.logs):
        if not set(question.needs) & set(lacking):
            commands += [
                peers.shell_command(question, bench.logs, gzipped=g) for g in (False, True)
            ]
    return Passes(take_in_turn(commands, bench.rounds, bench.progress), lacking)


def first(bench: Bench) -> None:
    """Read the plain log into its store, where that was not done yet."""
    if not bench.plain.path.exists():
        run(_first(FIRST, bench.plain, bench))


def _first(name: str, store: Store, bench: Bench) -> Command:
    paths = bench.logs.rotated if store == bench.rotated else (bench.logs.plain,)
    return Command(name, store.ingest(*paths), before=store.remove)


def plain_section(bench: Bench, passes: Passes) -> Section:
    """The plain log: ours, lnav, the marks."""
    ours, lnav = passes.taken[FIRST], passes.taken.get("lnav")
    size = bench.megabytes
    rows = [_ours(ours, lnav, size)]
    for name in ("lnav", "mawk -F' - '", "DuckDB, lines as one column"):
        taken = passes.taken.get(name)
        if taken is None:
            rows.append(Row(name, target="not installed"))
        else:
            rows.append(Row(name, taken, size, f"{ratio(taken.wall, ours.wall)} ours"))
    share = bench.plain.path.stat().st_size / bench.logs.plain_bytes
    rows.append(
        Row("the store, of the log's bytes", beside=f"{share:.1%}",
            target=judged("at most 8 %", f"{share:.1%}", share <= MAX_SHARE))
    )  # fmt: skip
    return Section(f"A plain log of {size:.0f} MB", tuple(rows), tuple(_plain_notes(bench, passes)))


def _ours(ours: Taken, lnav: Taken | None, size: float) -> Row:
    """The first ingest with what it is held to."""
    rate = size / ours.wall
    verdicts = [judged(f"{MIN_RATE:.0f} MB/s", f"{rate:.0f} MB/s", rate >= MIN_RATE)]
    if lnav is not None:
        fast = lnav.wall / ours.wall
        verdicts.append(judged("3 × lnav's speed", ratio(fast, 1), fast >= LNAV_TIMES))
    return Row(FIRST, ours, size, target="\n".join([*verdicts, _peak(ours)]))


def _peak(taken: Taken) -> str:
    return judged(
        f"at most {MAX_PEAK_MB:.0f} MB", f"{taken.peak_mb:.0f} MB", taken.peak_mb <= MAX_PEAK_MB
    )


def _plain_notes(bench: Bench, passes: Passes) -> list[str]:
    notes = []
    if "lnav" in passes.taken:
        theirs = peers.lnav_counts(passes.taken["lnav"].output)
        asked = Command("events", ttsq("--db", bench.plain.url, "sql", EVENTS, "--json"))
        ours = events_of_ours(run(asked)[1])
        known = {event: n for event, n in theirs.items() if event in ours}
        words = bench.checked(compared(known, ours, "events"), "lnav")
        aside = ", ".join(sorted(set(theirs) - set(ours)))
        notes.append(
            f"lnav, records by event: {words}" + (f" (not stored: {aside})" if aside else "")
        )
    if "goaccess" in passes.lacking:
        notes.append("GoAccess: not installed")
    else:
        refusal = peers.goaccess_refusal(bench.logs, bench.folder)
        notes.append(
            "GoAccess is not comparable: it reads access logs, in which every line has a "
            "client's address and a request; of this log it says: "
            f"{refusal or 'nothing, and reads it'}"
        )
    return notes


def gzipped_section(bench: Bench, passes: Passes) -> Section:
    """The rotated files: ours beside zcat."""
    ours, zcat = passes.taken[FIRST_GZ], passes.taken["zcat | wc -l"]
    times = ours.wall / zcat.wall
    verdict = judged("at most 1.25 × zcat", ratio(times, 1), times <= ZCAT_TIMES)
    rows = (
        Row(FIRST_GZ, ours, bench.megabytes, target=f"{verdict}\n{_peak(ours)}"),
        Row("zcat | wc -l", zcat, bench.megabytes, f"{ratio(zcat.wall, ours.wall)} ours"),
    )
    title = f"The same as {len(bench.logs.rotated)} rotated files, all but the live one gzipped"
    return Section(title, rows)
