"""Lines as hashes: the compiled loop and its Python source, and the search for what is stored."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ingest
from ingest.compiled import content
from ingest.rows.content import Group, Stretch, lines_of, recognised, stored_lines
from ingest.rows.content_search import Search

_LINES = st.lists(st.integers(0, 400), max_size=120)


def _source() -> ModuleType:
    path = Path(ingest.__file__).parent / "compiled" / "content.py"
    spec = importlib.util.spec_from_file_location("content_source", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_PLAIN = _source()


def _hashed(module: ModuleType, data: bytes, final: bool) -> tuple[object, ...]:
    begins, hashes = np.zeros(200, np.int64), np.zeros(200, np.uint64)
    stamped = np.zeros(200, np.uint8)
    tables = memoryview(begins), memoryview(hashes), memoryview(stamped)  # type: ignore[arg-type]
    n = module.lines(memoryview(data), *tables, final)
    return n, begins[:n].tolist(), hashes[:n].tolist(), stamped[:n].tolist()


@given(
    st.lists(
        st.sampled_from(
            [
                b"\n",
                b"\r\n",
                b"\x00",
                b" ",
                b"12:34:56",
                b"abcdefgh",
                "你".encode(),
                b"{",
                b'":',
                b"1",
                b"1772445600",
                b"2026",
                b"-03",
                b"20260302",
                b"101112",
                "12:34:56".encode("utf-16-le"),
            ]
        )
    )
)
def test_the_compiled_loop_says_what_its_source_says(parts: list[bytes]) -> None:
    data = b"".join(parts)
    for final in (False, True):
        assert _hashed(content, data, final) == _hashed(_PLAIN, data, final)


@pytest.mark.parametrize(
    ("line", "is_timed"),
    [
        (b"2026-03-02 10:11:12,123 - app - INFO", True),
        (b"I0302 9:11:12.123456 app.py:1]", True),
        (b"2026-03-02 10.11.12 INFO", True),
        (b"02/03/2026-10-11-12 INFO", True),
        (b"20260302 101112 INFO", True),
        (b"20260302101112 INFO", True),
        (b'{"msg": "%b", "ts": 1772445600.123}' % (b"text " * 50), True),
        (b'{"msg": "%b", "time": 1772445600123}' % (b"text " * 50), True),
        (b'{"log": "%b", "time": "2026-03-02T10:11:12Z"}' % (b"text " * 50), True),
        ("2026-03-02 10:11:12 INFO".encode("utf-16-le"), True),
        (b"GET /health 200", False),
        (b"2026-03-02 is the day", False),
        (b"%b 10:11:12" % (b"text " * 50), False),
        (b"id=a1772445600", False),
        (b"id=1772445600-2", False),
        (b"call 5551772445600 or 0123456789", False),
        (b"10.11.12.13:8080 - GET /", False),
        (b"at 0x7f0012345678 in 12:34", False),
    ],
)
def test_whether_a_line_says_when_it_was_logged(line: bytes, is_timed: bool) -> None:
    assert lines_of(line, 0, final=True).stamped.tolist() == [is_timed]


def _bytes(numbers: list[int]) -> bytes:
    return b"".join(b"2026-03-02 10:%02d:%02d record %d\n" % (n // 60, n % 60, n) for n in numbers)


def _found(stored: bytes | list[bytes], new: bytes, piece: int) -> list[Stretch]:
    files = [stored] if isinstance(stored, bytes) else stored
    tables = [stored_lines(lines_of(f, 0, final=True), key) for key, f in enumerate(files, 1)]
    groups = [Group(*row.values()) for t in tables if t is not None for row in t.to_pylist()]

    def marked(hashes: np.ndarray) -> list[Group]:  # type: ignore[type-arg]
        wanted = set(hashes.view(np.int64).tolist())
        return [g for g in groups if g.mark in wanted]

    def before(key: int, offset: int) -> Group | None:
        return next((g for g in groups if (g.file_key, g.end) == (key, offset)), None)

    def behind(key: int, offset: int) -> list[Group]:
        return [g for g in groups if g.file_key == key and 0 <= g.byte_offset - offset < 100]

    search, at = Search(marked, before, behind), 0
    lines = new.splitlines(keepends=True)
    for first in range(0, len(lines), piece):
        block = b"".join(lines[first : first + piece])
        search.feed(lines_of(block, at, final=False))
        at += len(block)
    return recognised(search.end(), lambda _: False)


@given(st.integers(8, 300), _LINES, _LINES, st.integers(1, 200))
def test_the_end_of_what_is_stored_is_found_wherever_it_stands(
    count: int, ahead: list[int], behind: list[int], piece: int
) -> None:
    """In whatever pieces the lines come, and whatever stands before and behind it."""
    numbers = list(range(300))
    left = numbers[300 - count :]
    stored, kept = _bytes(numbers), _bytes(left)
    new = _bytes([n + 1000 for n in ahead]), _bytes([n + 2000 for n in behind])
    (stretch,) = _found(stored, new[0] + kept + new[1], piece)
    assert (stretch.begin, stretch.end) == (len(new[0]), len(new[0]) + len(kept))
    assert stretch.stored_end == len(stored)
    assert stretch.stored_offset == len(stored) - len(kept)


_TRACES = st.lists(st.lists(st.sampled_from("abcd"), max_size=90), min_size=8, max_size=20)


def _errors(traces: list[list[str]], first: int) -> list[bytes]:
    """Records with a time, each with lines behind it that others have, too."""
    rest = ["".join(f"  {line}\n" for line in trace).encode() for trace in traces]
    return [_bytes([first + n]) + more for n, more in enumerate(rest)]


@given(_TRACES, _TRACES, st.integers(0, 12), st.integers(1, 200))
def test_lines_without_a_time_that_stand_elsewhere_too_hide_nothing(
    traces: list[list[str]], others: list[list[str]], cut: int, piece: int
) -> None:
    mine, other = _errors(traces, 0), _errors(others, 1000)
    kept = b"".join(mine[min(cut, len(mine) - 8) :])
    stored = [b"".join(mine), b"".join(other)]
    for files, key in ((stored, 1), (stored[::-1], 2)):
        found = _found(files, b"half a line\n" + kept, piece)
        assert [(s.begin, s.end, s.stored_file_key) for s in found] == [(12, 12 + len(kept), key)]


@given(_TRACES)
def test_nothing_is_found_at_lines_without_a_time(traces: list[list[str]]) -> None:
    lines = [f"{line}\n".encode() for trace in traces for line in trace]
    assert _found(b"".join([_bytes([1]), *lines]), b"".join(lines), 50) == []


@given(st.integers(70, 200), st.integers(1, 200))
def test_an_edited_line_lies_between_two_stretches(edited: int, piece: int) -> None:
    numbers = list(range(300))
    before, line, after = (_bytes(n) for n in (numbers[:edited], [edited], numbers[edited + 1 :]))
    found = _found(_bytes(numbers), before + b"X" + line[1:] + after, piece)
    at = len(before)
    assert [(s.begin, s.end) for s in found if s.is_edited] == [(at, at + len(line))]
    assert found[-1].end == len(_bytes(numbers))
