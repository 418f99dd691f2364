"""What somebody waits for who has only the log: a first answer, and each further one.

Sums of what whole commands took, a round each; nothing but the triage is run for it.
"""

from collections.abc import Sequence

from benchmarks import asked, peers
from benchmarks.bench import Bench
from benchmarks.measure import Command, Figures, Taken, take_in_turn, ttsq
from benchmarks.passes import FIRST, FIRST_GZ, Passes
from benchmarks.report import Row, Section, ratio

_ORDER = (peers.LENGTHS, peers.WINDOW, peers.LIFE)
_TRIAGE = "ttsq: triage of what is stored"
OURS = "ttsq: ingest and triage"


def section(bench: Bench, passes: Passes, questions: dict[str, Taken]) -> Section:
    """Ours, lnav's load with a query, three pipelines; ``questions`` are ours of both stores."""
    words = ttsq("--db", bench.plain.url, "triage", "--as-of", "data")
    triage = take_in_turn([Command(_TRIAGE, words)], bench.short_rounds, bench.progress)[_TRIAGE]
    ours = _sum([passes.taken[FIRST], triage])
    rows = [Row(OURS, ours, bench.megabytes), Row(_TRIAGE, triage)]
    if "lnav" in passes.taken:
        lnav = passes.taken["lnav"]
        beside = f"{ratio(lnav.wall, ours.wall)} ours"
        rows.append(Row("lnav: load and one query", lnav, bench.megabytes, beside))
    for first, source, store in ((FIRST, "cat", bench.plain), (FIRST_GZ, "zcat", bench.rotated)):
        answers = [questions[asked.name_of(question, store)] for question in asked.asked(bench)]
        whole = _sum([passes.taken[first], *answers])
        rows.append(Row(f"{first}, and three questions", whole, bench.megabytes))
        pipelines = [_pipeline(bench, passes, name, gzipped=source == "zcat") for name in _ORDER]
        found = [taken for taken in pipelines if taken is not None]
        if len(found) < len(_ORDER):
            rows.append(Row(f"{source}, grep, awk: three questions", target="not installed"))
            continue
        theirs = _sum(found)
        beside = f"{ratio(theirs.wall, whole.wall)} ours"
        rows.append(Row(f"{source}, grep, awk: three questions", theirs, bench.megabytes, beside))
        further = ratio(theirs.wall, _sum(answers).wall)
        rows.append(Row(f"{source}: three further questions", beside=f"{further} ours"))
    notes = ("sums of commands above, each a process; of ttsq, a triage for three questions asked",)
    return Section("The first answer, from the log alone", tuple(rows), notes)


def _pipeline(bench: Bench, passes: Passes, name: str, *, gzipped: bool) -> Taken | None:
    """The quickest pipeline that asks a question; None without its tools."""
    found = [
        passes.taken.get(peers.shell_command(question, bench.logs, gzipped=gzipped).name)
        for question in peers.questions(bench.logs)
        if question.name == name
    ]
    taken = [f for f in found if f is not None]
    return min(taken, key=lambda t: t.wall) if taken else None


def _sum(parts: Sequence[Taken]) -> Taken:
    """As if the commands were one behind the other: medians added, the highest peak."""
    whole = Figures(
        sum(p.wall for p in parts), sum(p.cpu for p in parts), max(p.peak_mb for p in parts)
    )
    return Taken((whole,))
