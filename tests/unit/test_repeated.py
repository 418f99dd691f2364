"""A file's own first lines are found where they come again, however it is read."""

import io

from hypothesis import given
from hypothesis import strategies as st

from ingest.pipeline.repeated import FirstLines

_STAMP = "2026-03-02 10:00:{:02},{:03} - app - INFO - id=ts_1 {}\n"
_LINES = [_STAMP.format(n, n * 7, "x" * n).encode() for n in range(10)]
_FIRST = b"".join(_LINES[:8])
_MORE = st.lists(st.sampled_from([*_LINES, b"2", b"2026-03-02 10:00:0", b"  at app.py\n"])).map(
    b"".join
)


def _read(data: bytes, size: int, telling: int = 1) -> tuple[bytes, int | None, int]:
    """What is read, where the lines come again, and how often that was said."""
    ends: list[int] = []
    found = FirstLines(data, io.BytesIO(data).read, lambda *_: telling, lambda: ends.append(1))
    got = b"".join(iter(lambda: found.read(size), b""))
    return got, found.at, len(ends)


@given(_MORE, _MORE, st.integers(1, 900))
def test_all_before_them_is_read_and_nothing_behind(more: bytes, behind: bytes, size: int) -> None:
    data = b"banner\n" + _FIRST + more + _FIRST + behind
    place = data.index(_FIRST, 8)
    assert _read(data, size) == (data[:place], place, 1)


@given(_MORE, st.integers(1, 900))
def test_a_file_without_them_is_read_whole(more: bytes, size: int) -> None:
    data = _FIRST + more
    if _FIRST not in data[1:]:
        assert _read(data, size) == (data, None, 0)


@given(_MORE, st.integers(1, 900))
def test_lines_that_may_be_said_twice_end_nothing(more: bytes, size: int) -> None:
    data = _FIRST + more + _FIRST + more
    assert _read(data, size, 0) == (data, None, 0)


@given(_MORE, _MORE, st.integers(1, 900))
def test_as_many_of_them_come_again_as_it_takes(more: bytes, behind: bytes, size: int) -> None:
    first = _FIRST + b"2026-03-02 10:00:20,000 - app - INFO - once\n"
    data = first + more + _FIRST + more + first + behind
    place = data.index(first, 1)
    assert _read(data, size, len(first)) == (data[:place], place, 1)
