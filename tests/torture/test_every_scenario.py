"""Every scenario of README.md has a test with its number in its name."""

import re
from pathlib import Path

_NAME = re.compile(r"^def test((?:_\d\d)+)(_to_\d\d)?_", re.M)
_SCENARIOS = 50
_FOLDER = Path(__file__).parent


def test_the_list_has_every_number_once_and_in_order() -> None:
    listed = re.findall(r"^(\d+)\. \S", (_FOLDER / "README.md").read_text(), re.M)
    assert [int(n) for n in listed] == list(range(1, _SCENARIOS + 1))


def test_every_scenario_has_a_test_of_its_number() -> None:
    found = set()
    for path in _FOLDER.glob("test_*.py"):
        for numbers, to in _NAME.findall(path.read_text()):
            named = [int(n) for n in numbers.split("_") if n]
            found |= set(range(named[0], int(to[-2:]) + 1)) if to else set(named)
    assert sorted(set(range(1, _SCENARIOS + 1)) - found) == []
    assert max(found) == _SCENARIOS
