"""Lines between stored ones: edited, the same, or new."""

import numpy as np

from ingest.rows.content import Group, Stretch, lines_of, stored_lines
from ingest.rows.edits import Between, resolved, stored_between

_MINUTE = 60_000_000


def _line(minute: int, text: str) -> bytes:
    return f"2026-03-02 10:{minute:02}:00 {text}\n".encode()


def _between(stored: list[bytes], here: list[bytes], minutes: list[int | None], **more: object):  # type: ignore[no-untyped-def]
    data, there = b"".join(here), b"".join(stored)
    lows = (lines_of(there, 0, final=True).hashes & np.uint64(0xFFFF)).astype(np.uint16)
    place = Stretch(0, len(data), 1, 0, len(there), 0, True)
    instants = [None if m is None else m * _MINUTE for m in minutes]
    return Between(place, lines_of(data, 0, final=True), instants, lows, **more)  # type: ignore[arg-type]


def _told(between: Between) -> list[tuple[int, int, bool]]:
    return [(s.begin, s.end, s.is_edited) for s in resolved(between)]


def test_a_line_with_its_time_in_place_of_a_stored_one_is_edited() -> None:
    new = _line(5, "*****")
    found = _told(
        _between([_line(5, "secret")], [new], [5], earliest=4 * _MINUTE, latest=6 * _MINUTE)
    )
    assert found == [(0, len(new), True)]


def test_younger_lines_in_place_of_stored_ones_are_new() -> None:
    stored = [_line(m, "old") for m in (5, 6, 7)]
    for is_in_place in (False, True):
        between = _between(
            stored, [_line(31, "new"), _line(32, "new")], [31, 32],
            earliest=30 * _MINUTE, latest=8 * _MINUTE, is_in_place=is_in_place,
        )  # fmt: skip
        assert _told(between) == []


def test_lines_of_another_log_among_stored_ones_are_new() -> None:
    stored = [_line(m, f"a {m}") for m in range(10, 20)]
    others = [_line(m, f"b {m}") for m in range(10, 20)]
    mixed = [line for both in zip(stored, others, strict=True) for line in both]
    minutes: list[int | None] = [m for m in range(10, 20) for _ in "ab"]
    between = _between(stored, mixed, minutes, earliest=9 * _MINUTE, latest=21 * _MINUTE)
    found = _told(between)
    assert not any(edited for *_, edited in found)
    assert sum(end - begin for begin, end, _ in found) == sum(map(len, stored))


def test_a_line_of_a_new_record_that_is_alike_belongs_to_it() -> None:
    trace = b"Traceback (most recent call last):\n"
    stored = [_line(5, "old"), trace]
    between = _between(
        stored, [_line(31, "new"), trace], [31, None], earliest=30 * _MINUTE, latest=8 * _MINUTE
    )
    assert _told(between) == []


def test_behind_an_edited_end_more_may_follow() -> None:
    new = [_line(5, "*****"), _line(6, "new"), _line(7, "new")]
    between = _between(
        [_line(5, "secret")], new, [5, 6, 7], earliest=4 * _MINUTE, latest=5 * _MINUTE, is_last=True
    )
    assert _told(between) == [(0, len(new[0]), True)]


def test_stored_lines_of_a_place_are_those_of_its_groups_without_their_ends() -> None:
    data = b"".join(_line(m % 60, str(m)) for m in range(300))
    lines = lines_of(data, 0, final=True)
    table = stored_lines(lines, 1)
    assert table is not None
    groups = [Group(*row.values()) for row in table.to_pylist()]
    lows = (lines.hashes & np.uint64(0xFFFF)).astype(np.uint16)
    begin, end = int(lines.begins[70]), int(lines.begins[200])
    place = Stretch(0, 0, 1, begin, end, 0, True, 70 - 64, 236 - 200)
    assert stored_between(groups, place).tolist() == lows[70:200].tolist()
