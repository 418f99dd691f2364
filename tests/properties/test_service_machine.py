"""The model test on services' logs: a random walk over their files, runs and accidents gives the
rows of one undisturbed run; planted faults are caught.
"""

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from ingest.pipeline import ingest as flow
from ingest.pipeline import one_file
from ingest.records.front import FrontParser
from ingest.stores.contract import Store
from tests.support.service_machine import ServiceMachine

_STEPS = 15  # of a walk
_WALKS = int(os.environ.get("TTSQ_EXAMPLES", "40")) // 5  # `make nightly` walks further
_SETTINGS = settings(
    max_examples=max(1, _WALKS),
    stateful_step_count=_STEPS,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # `walks` tells the steps of a seed
    suppress_health_check=list(HealthCheck),
)


def test_services_logs_give_the_rows_of_one_undisturbed_run_whatever_happens_to_the_files() -> None:
    run_state_machine_as_test(ServiceMachine, settings=_SETTINGS)


# walks that need little luck


def _rotated_in_a_request(machine: ServiceMachine) -> None:
    machine.append_and_rotate(log=0, kinds="ws", half=500)
    machine.run(chunk=500)
    machine.append(log=0, kinds="s", half=0)


def _newest_first(machine: ServiceMachine) -> None:
    machine.append_and_rotate(log=0, kinds="ws", half=500)
    machine.append(log=0, kinds="f", half=0)
    machine._read(500, ["app.log"])
    machine._read(500, [name for name in machine.disk.entries if name != "app.log"])


def _growing(machine: ServiceMachine) -> None:
    for half in (160, 500, 40):
        machine.append(log=0, kinds="sf", half=half)
        machine.run(chunk=2500)


def _killed_with_every_point(machine: ServiceMachine) -> None:
    for point in ("before_commit", "committed", "rows_in", "finished"):
        machine.append(log=0, kinds="sf", half=160)
        machine.run_killed(chunk=500, point=point, count=1)


_BY_HAND = [_rotated_in_a_request, _newest_first, _growing, _killed_with_every_point]
Walk = Callable[[ServiceMachine], None]


def _walk(steps: Walk, envelope: str, kind: type[ServiceMachine] = ServiceMachine) -> None:
    machine = kind()
    machine.services(service="indextts", envelope=envelope, other="ids", around="none")
    try:
        steps(machine)
    except BaseException:
        shutil.rmtree(machine.folder)
        raise
    machine.teardown()


@pytest.mark.parametrize("envelope", ["none", "docker", "CRI"])
@pytest.mark.parametrize("steps", _BY_HAND)
def test_a_walk_by_hand_ends_well(steps: Walk, envelope: str) -> None:
    _walk(steps, envelope)


Patch = pytest.MonkeyPatch


def _nothing_is_handed_on(patch: Patch) -> None:
    patch.setattr(one_file, "_handed_on", lambda reading: None)


def _nothing_is_read_anew(patch: Patch) -> None:
    patch.setattr(flow, "to_read_anew", lambda known, paths: ())


def _what_is_open_is_forgotten_between_runs(patch: Patch) -> None:
    begin = FrontParser.__init__

    def wrong(self: FrontParser, *args: object, **more: object) -> None:
        begin(self, *args, **(more | {"reading": None}))  # type: ignore[arg-type]

    patch.setattr(FrontParser, "__init__", wrong)


@pytest.mark.parametrize(
    ("plant", "steps"),
    [
        (_nothing_is_handed_on, _rotated_in_a_request),
        (_nothing_is_read_anew, _newest_first),
        (_what_is_open_is_forgotten_between_runs, _growing),
    ],
)
def test_a_planted_fault_is_caught(
    plant: Callable[[Patch], None], steps: Walk, monkeypatch: Patch
) -> None:
    """By a walk that ends well without it: :func:`test_a_walk_by_hand_ends_well`."""

    class Planted(ServiceMachine):
        def _undisturbed(self) -> Store:
            monkeypatch.undo()
            return super()._undisturbed()

    plant(monkeypatch)
    with pytest.raises(AssertionError, match="one undisturbed run"):
        _walk(steps, "docker", Planted)
