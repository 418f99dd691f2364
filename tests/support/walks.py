"""Walks of the file machines by seed: ``python -m tests.support.walks FIRST END [--of LOGS] [--on
STORE]``.

Each seed is one walk, the same whenever it is walked, but for processes that run at once. Prints a
line for each, and all its steps where it fails. The exit code is how many failed, at most 100.
"""

import argparse
import random
import time
from collections.abc import Sequence

from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.stateful import Rule, RuleBasedStateMachine
from hypothesis.strategies import SearchStrategy

from tests.support.file_machine import ClickHouseFileMachine, FileMachine, ServerFileMachine
from tests.support.service_machine import ServerServiceMachine, ServiceMachine

_STEPS = 40
_STORES = ("duckdb", "postgres", "clickhouse")
Machine = FileMachine | ServiceMachine
_MACHINES: dict[tuple[str, str], type[Machine]] = {
    ("native", "duckdb"): FileMachine,
    ("native", "postgres"): ServerFileMachine,
    ("native", "clickhouse"): ClickHouseFileMachine,
    ("services", "duckdb"): ServiceMachine,
    ("services", "postgres"): ServerServiceMachine,
}


class _Later:
    """Stands for Hypothesis's own object that draws in the middle of a step."""

    def __init__(self, data: ConjectureData) -> None:
        self._data = data
        self._drawn: list[object] = []

    def draw(self, wanted: SearchStrategy[object]) -> object:
        self._drawn.append(self._data.draw(wanted))
        return self._drawn[-1]

    def __repr__(self) -> str:
        return f"{self._drawn}"


def _may(machine: RuleBasedStateMachine, rule: Rule) -> bool:
    return all(p(machine) for p in rule.preconditions)


def walked(machine: Machine, seed: int, steps: int, told: list[str]) -> None:
    """One walk, each step told before it is made; in the end all that is on disk is stored."""
    chance = random.Random(seed)
    data = ConjectureData(random=chance)
    try:
        for number in range(steps):
            first = machine.setup_state().initializers if number == 0 else []
            possible = [r for r in first or machine.rules if _may(machine, r)]
            rule = chance.choice(sorted(possible, key=lambda r: r.function.__name__))
            given = {
                name: _Later(data) if name == "data" else data.draw(wanted)
                for name, wanted in sorted(rule.arguments.items())
            }
            told.append(f"{rule.function.__name__}(")
            try:
                rule.function(machine, **given)
            finally:
                told[-1] += ", ".join(f"{name}={value!r}" for name, value in given.items()) + ")"
    except BaseException:
        machine.remove()
        raise
    told.append("teardown()")
    machine.teardown()


def _ended(told: Sequence[str]) -> int:
    """How many steps were runs that were to be killed, or stopped by a signal."""
    return sum(step.partition("(")[0] in ("run_killed", "run_stopped") for step in told)


def main(words: Sequence[str] | None = None) -> int:
    """Walk, and say how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=int)
    parser.add_argument("end", type=int)
    parser.add_argument("--of", choices=("native", "services"), default="native", help="logs")
    parser.add_argument("--on", choices=_STORES, default="duckdb", help="the kind of store")
    parser.add_argument("--steps", type=int, default=_STEPS)
    asked = parser.parse_args(words)
    kind = _MACHINES[asked.of, asked.on]
    failed, made, ended, begun = [], 0, 0, time.monotonic()
    for seed in range(asked.first, asked.end):
        told: list[str] = []
        try:
            walked(kind(), seed, asked.steps, told)
            print(f"seed {seed}: {len(told)} steps, {_ended(told)} killed, ends well", flush=True)
        except Exception as error:
            failed.append(seed)
            print(f"seed {seed}: {type(error).__name__}: {str(error)[:2000]}", flush=True)
            print("\n".join(f"    {step}" for step in told), flush=True)
        made, ended = made + len(told), ended + _ended(told)
    seconds = time.monotonic() - begun
    print(
        f"{asked.end - asked.first} seeds, {made} steps, {ended} runs killed or stopped, "
        f"{len(failed)} failed {failed}, "
        f"{seconds:.0f} s",
        flush=True,
    )
    return min(100, len(failed))


if __name__ == "__main__":
    raise SystemExit(main())
