"""What two sequences have in common, against the plain way to find it."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from ingest.rows.alignment import matching_blocks

_FEW = st.lists(st.integers(0, 5), max_size=60)


def _longest(a: Sequence[int], b: Sequence[int]) -> int:
    """How long the longest common subsequence is, by the textbook's table."""
    row = [0] * (len(b) + 1)
    for x in a:
        before = row
        row = [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
    return row[-1]


def _held(a: Sequence[int], b: Sequence[int], window: int = 100) -> int:
    """How many elements the blocks match; they are equal, in order, and no two overlap."""
    at = 0, 0
    *blocks, last = matching_blocks(a, b, window)
    assert last == (len(a), len(b), 0)
    for i, j, size in blocks:
        assert size and i >= at[0] and j >= at[1]
        assert list(a[i : i + size]) == list(b[j : j + size])
        at = i + size, j + size
    assert at <= (len(a), len(b))
    return sum(size for *_, size in blocks)


@given(_FEW, _FEW)
def test_the_blocks_are_the_longest_that_both_have_in_order(a: list[int], b: list[int]) -> None:
    assert _held(a, b) == _longest(a, b)


@given(_FEW, st.lists(st.tuples(st.integers(0, 500), st.integers(0, 5)), max_size=8))
def test_edits_of_what_is_longer_than_a_window_leave_the_rest_matched(
    some: list[int], edits: list[tuple[int, int]]
) -> None:
    a = [*some, *range(10, 500)]
    b = [*a]
    for place, value in edits:
        b[place % len(b)] = value
    assert _held(a, b, 32) >= len(a) - 2 * len(edits) - len(some)


@given(st.lists(st.integers(0, 3), max_size=200), st.lists(st.integers(0, 3), max_size=200))
def test_windows_give_what_both_have_in_order(a: list[int], b: list[int]) -> None:
    _held(a, b, 32)
