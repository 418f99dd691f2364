"""Each log of ``tests/cases/real`` gives the rows wanted of it, read at once and in pieces."""

import random
from pathlib import Path

import pytest

from tests.real_cases import walk
from tests.real_cases.__main__ import OWN
from tests.real_cases.cases import Case, cases_in, compare

CASES = cases_in(OWN)
_MOST_CHUNKS = 20  # of a file: each has a commit of its own


def _longest(case: Case) -> int:
    """Bytes of a case's longest log."""
    return max(log.stat().st_size for log in case.logs)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_log_gives_the_rows_wanted(case: Case, tmp_path: Path) -> None:
    assert compare(case, tmp_path).found == []


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_log_read_as_it_grows_gives_the_same_rows(case: Case, tmp_path: Path) -> None:
    whole = walk.whole(case, tmp_path / "whole")
    for number in range(2):
        chosen = random.Random(f"{case.name} {number}")
        cuts = walk.random_cuts(case, chosen, runs=chosen.choice([1, 3, 6]))
        chunk = max(chosen.choice([100, 700, 1 << 20]), _longest(case) // _MOST_CHUNKS)
        pieces = walk.in_pieces(case, tmp_path / str(number), cuts, chunk)
        assert walk.differing(whole, pieces) == [], cuts


def test_the_comparison_tells_a_value_that_is_wrong(tmp_path: Path) -> None:
    case = next(c for c in CASES if c.truth["requests"])
    wrong = [{**case.truth["requests"][0], "duration_ms": 17.0}, *case.truth["requests"][1:]]
    changed = Case(case.name, case.logs, {**case.truth, "requests": wrong})
    (told,) = compare(changed, tmp_path).found
    assert told.startswith("request 0 duration_ms: ") and "wanted 17.0" in told
