"""How often triage names the true cause first: ``--seeds A:B`` and kinds choose incidents.

Ends with 1 where a kind is right less often than FLOOR says of the same seeds; ``--write`` writes
what was found there.
"""

import argparse
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

from ingest.causes.diagnose import diagnose
from ingest.causes.findings import NOTE, Diagnosis, Finding
from ingest.tasks.triage.fetch import DAY, Window, fetched, newest
from tests.support import harness, incidents
from tests.support.incidents import Truth

FLOOR = Path(__file__).with_name("incidents") / "floor.json"
_NEAR = 0.08  # of a bound of the length: what lies between two texts is not known


def diagnosed(kind: str, seed: int, folder: Path) -> tuple[Truth, Diagnosis]:
    """Write the log, ingest it, look at it."""
    written, truth = incidents.written(kind, seed, folder / "logs")
    store = harness.new_store(folder)
    for host, paths in written.items():
        harness.run(store, paths, host=host, final=True)
    with store.reading() as reader:
        end = newest(reader)
        assert end is not None
        return truth, diagnose(fetched(reader, Window(end - DAY, end)))


def problem(truth: Truth, diagnosis: Diagnosis) -> str | None:
    """What is wrong with the first finding; None where it is right."""
    told = [f for f in diagnosis.findings if f.severity != NOTE]
    if truth.symptom is None:
        return f"false alarm: {words(told[0])}" if told else None
    if not told:
        unsure = diagnosis.findings[0] if diagnosis.findings else diagnosis.uncertain
        return f"nothing found; at most {words(unsure)}" if unsure else "nothing found"
    first = told[0]
    return _difference(truth, first)


def _difference(truth: Truth, f: Finding) -> str | None:
    if f.symptom != truth.symptom or (truth.code and f.code != truth.code):
        return f"another symptom: {words(f)}"
    if truth.stage and truth.symptom == "latency" and f.stage != truth.stage:
        return f"another stage: {words(f)}"
    if not any(_same(c, _as_dict(f)) for c in truth.conditions):
        return f"another condition: {words(f)}, not {truth.conditions}"
    if truth.period_s is not None:
        near = f.period_s is not None and abs(f.period_s - truth.period_s) < 0.02 * truth.period_s
        return None if near else f"another period: {words(f)}"
    if truth.since is not None and (f.since is None or abs(f.since - truth.since) > truth.slack):
        late = "none" if f.since is None else f"{f.since - truth.since:+.0f} s of {truth.slack:.0f}"
        return f"another onset ({late}): {words(f)}"
    return None


def _as_dict(f: Finding) -> dict[str, object]:
    found: dict[str, object] = {}
    for c in f.conditions:
        found[c.name] = c.value if c.op == "=" else {c.op: c.value}
    return found


def _same(truth: dict[str, object], found: dict[str, object]) -> bool:
    if set(truth) != set(found):
        return False
    for name, value in truth.items():
        other = found[name]
        if name == "text":
            continue
        if isinstance(value, dict) and isinstance(other, dict):
            if set(value) != set(other):
                return False
            (op, bound), slack = next(iter(value.items())), _NEAR
            slack = 0.35 if name == "concurrency" else _NEAR
            if abs(float(other[op]) - float(bound)) > max(3.0, slack * float(bound)):
                return False
        elif value != other:
            return False
    return True


def words(f: Finding | None) -> str:
    """A finding on one line."""
    if f is None:
        return "-"
    return (
        f"{f.severity} {f.symptom} {f.code or ''} {f.stage or ''} {_as_dict(f)} {f.kind} "
        f"{f.affected:.0f}/{f.population:.0f} net {f.net:.0f} ratio {f.ratio} since {f.since}"
    )


def main() -> int:
    """Score the kinds over some seeds."""
    parser = argparse.ArgumentParser(description="Score triage on made incidents.")
    parser.add_argument("kinds", nargs="*", default=[])
    parser.add_argument("--seeds", default=floor()[0], help="from:to, the end excluded")
    parser.add_argument("--write", action="store_true", help="as the floor")
    options = parser.parse_args()
    first, last = map(int, options.seeds.split(":"))
    score: Counter[str] = Counter()
    for kind in options.kinds or incidents.ALL_KINDS:
        for seed in range(first, last):
            with tempfile.TemporaryDirectory() as folder:
                truth, diagnosis = diagnosed(kind, seed, Path(folder))
            wrong = problem(truth, diagnosis)
            score[kind] += wrong is None
            if wrong:
                print(f"  {kind} {seed} (affected {truth.affected}): {wrong}", flush=True)
        print(f"{kind:<18}{score[kind]:>4} of {last - first}", flush=True)
    healthy = [k for k in score if k.startswith("healthy")]
    for name, kinds in (
        ("incidents", [k for k in score if k not in healthy]),
        ("healthy", healthy),
    ):
        if kinds:
            of = len(kinds) * (last - first)
            right = sum(score[k] for k in kinds)
            print(f"{name:<18}{right:>4} of {of} ({100 * right / of:.1f} %)")
    if options.write:
        right_of = {kind: score[kind] for kind in score}
        FLOOR.write_text(json.dumps({"seeds": options.seeds, "right": right_of}, indent=1) + "\n")
    return _fallen(score, options.seeds)


def floor() -> tuple[str, dict[str, int]]:
    """The seeds of the floor, and how many of them each kind must be right in."""
    data = json.loads(FLOOR.read_text())
    return data["seeds"], data["right"]


def _fallen(score: Counter[str], seeds: str) -> int:
    """1 where a kind is right less often than it was."""
    of_seeds, least = floor()
    if seeds != of_seeds:
        return 0
    fallen = {kind: least[kind] for kind in score if score[kind] < least.get(kind, 0)}
    for kind, right in fallen.items():
        print(f"{kind} has fallen to {score[kind]}, from {right}")
    return 1 if fallen else 0


if __name__ == "__main__":
    sys.exit(main())
