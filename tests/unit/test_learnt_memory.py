"""What an instance remembers is all in the shape that learnt lines go by, or nothing is learnt."""

from dataclasses import fields
from typing import Any

import pytest

from ingest.records.learnt.memory import restored, taken
from ingest.records.sequence.state import (
    BlockLine,
    Expected,
    Failure,
    Instance,
    Line,
    Outer,
    Request,
    Run,
)

_LINE = Line(0, 9, None, "", 20, None, 5)  # what a kept line said is not asked again
_OTHER: dict[str, Any] = {
    "opened": True,
    "count": 3,
    "requests": [Request("1234abcd-0", "log", "indextts", "infer", 0, 5)],
    "block": [BlockLine("rule", _LINE, {"a": 1.0})],
    "block_profile": "indextts",
    "torn": 4,
    "awaiting": [("1234abcd-0", True, False)],
    "answers": [7],
    "failure": Failure("1234abcd-0", "told", "tail"),
    "ended": "1234abcd-0",
    "early": [("a", 1)],
    "expects": Expected("a", "b", "c"),
    "wrapped": True,
    "server": "gunicorn",
    "engine": True,
    "asked": True,
    "outers": [Outer("call-7", 5, 1)],
    "runs": [Run("1234abcd-0", ["call-7"])],
    "told": 1,
    "ends": True,
    "several": True,
    "late": True,
}


def test_every_memory_is_known() -> None:
    assert set(_OTHER) == {f.name for f in fields(Instance)}


@pytest.mark.parametrize("name", sorted(_OTHER))
def test_a_memory_comes_back_or_is_none(name: str) -> None:
    instance = Instance(**{name: _OTHER[name]})
    memory = taken(instance)
    if memory is not None:
        back = restored(memory.shape, memory.values, memory.count)
        assert getattr(back, name) == _OTHER[name]
