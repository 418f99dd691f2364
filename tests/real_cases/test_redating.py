"""A file's first stamp that comes in a later run dates what was stored before it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.real_cases.test_services import BLOCK, FAILED, NATIVE
from tests.support import harness

BEFORE = (
    BLOCK + 'INFO:     10.3.0.7:5 - "POST /tts HTTP/1.1" 200 OK\n' + FAILED + "WARNING:  full\n"
)
AFTER = "a print\n>> starting inference...\n" + NATIVE.format(1, "WARNING", "one") + BLOCK
_ASKED = {
    "requests": "logged_at, started_at, completed_at, time_source, status, duration_ms",
    "stage_timings": "logged_at, stage, duration_ms",
    "errors": "occurred_at, time_source, message",
    "http_requests": "logged_at, time_source, http_status",
    "request_parts": "logged_at, last_at, time_source, started_at, completed_at",
}
_PLACES = {
    "requests": "request_key",
    "errors": "byte_offset",
    "http_requests": "byte_offset",
    "request_parts": "first_offset",
    "stage_timings": "byte_offset, seq",
}


def _read(engine: str, folder: Path, contents: list[str]) -> dict[str, list[object]]:
    folder.mkdir()
    store, path = harness.new_store_of(engine, folder), folder / "app.log"
    for number, content in enumerate(contents, start=1):
        path.write_text(content)
        report = harness.run(store, [path], final=number == len(contents))
        assert not report.problems
    found: dict[str, list[object]] = {}
    with store.reading() as reader:
        for table, columns in _ASKED.items():
            rows = reader.query(f"select {columns} from {table} order by {_PLACES[table]}", {}).rows
            found[table] = [
                tuple(v.astimezone(UTC) if isinstance(v, datetime) else v for v in row)
                for row in rows
            ]
    return found


@pytest.mark.parametrize("engine", harness.ENGINES)
def test_rows_are_those_of_one_undisturbed_reading(engine: str, tmp_path: Path) -> None:
    text = BEFORE + AFTER
    whole = _read(engine, tmp_path / "whole", [text])
    cuts = [len(BLOCK) // 2, len(BLOCK), len(BEFORE), len(BEFORE) + 40]
    in_pieces = _read(engine, tmp_path / "pieces", [*(text[:cut] for cut in cuts), text])
    assert in_pieces == whole
    first = datetime(2026, 3, 2, 10, 0, 1, tzinfo=UTC)
    for row in whole["requests"][:2]:  # those before the stamp
        assert row[:2] == (first, first) and row[3] == "neighbour"  # type: ignore[index]


@pytest.mark.parametrize("engine", harness.ENGINES)
def test_a_file_that_never_tells_a_time_keeps_that_of_the_file(engine: str, tmp_path: Path) -> None:
    found = _read(engine, tmp_path / "f", [BLOCK, BEFORE])
    assert {row[3] for row in found["requests"]} == {"file"}  # type: ignore[index]
