"""No scenario is without a test that has its number in its name."""

import re
from pathlib import Path

_NAME = re.compile(r"^def test((?:_\d\d)+)(_to_\d\d)?_", re.M)
_SCENARIOS = 50


def test_every_scenario_has_a_test_of_its_number() -> None:
    found = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for numbers, to in _NAME.findall(path.read_text()):
            named = [int(n) for n in numbers.split("_") if n]
            found |= set(range(named[0], int(to[-2:]) + 1)) if to else set(named)
    assert sorted(set(range(1, _SCENARIOS + 1)) - found) == []
    assert max(found) == _SCENARIOS
