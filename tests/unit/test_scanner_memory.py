"""What the scanner remembers of lines it has read, headers and orders of keys, changes nothing."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.compiled import layout
from ingest.compiled.records import Scanner
from ingest.records.arrays import view
from ingest.records.formats import compile_format, scanner_arguments
from ingest.records.units import FAMILIES
from tests.support import strategies

_FORMATS = (
    compile_format(),
    compile_format("%(asctime)s | %(levelname)-8s | %(name)s | %(message)s"),
    compile_format("[%(asctime)s] %(message)s"),
)
_HEAD = "2026-03-02 10:00:00,123 - app.tts_engine - INFO - "
_PROFILE = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def _scanned(scanner: Scanner, data: bytes, extras: int = 0) -> tuple[object, ...]:
    rows = len(data) + 8
    records = np.zeros((rows, layout.REC_WIDTH + 2 * extras), np.int32)
    stamps = np.zeros(rows, np.int64)
    pairs = np.zeros((rows, layout.PAIR_WIDTH), np.int32)
    numbers = view(np.zeros(rows)), view(np.zeros(rows, np.int8)), view(FAMILIES)
    tables = view(records), view(stamps), view(pairs), numbers
    consumed = scanner.scan(memoryview(data), 0, len(data), True, False, *tables)
    n, p = scanner.n_records, scanner.n_pairs
    stamped = records[:n, layout.R_KIND] == layout.K_HEADER
    return consumed, records[:n].tolist(), stamps[:n][stamped].tolist(), pairs[:p].tolist()


def _fresh(number: int = 0) -> Scanner:
    return Scanner(*scanner_arguments(_FORMATS[number], 4096))


@_PROFILE
@given(strategies.logs(), strategies.logs(), st.integers(0, len(_FORMATS) - 1))
def test_a_log_is_read_the_same_behind_any_other(first: bytes, second: bytes, number: int) -> None:
    scanner = _fresh(number)
    _scanned(scanner, first)
    assert _scanned(scanner, second) == _scanned(_fresh(number), second)


@pytest.mark.parametrize(
    "line",
    [
        "2026-03-02 10:00:00,123 - app.tts_engine - ERROR - synthesis_failed: id=a",
        "2026-03-02 10:00:00.999 - app.tts_engine - INFO - synthesis_start: id=a",
        "2026-03-02 10:00:00,1234 - app.tts_engine - INFO - synthesis_start: id=a",
        "2026-03-02 10:00:00,123 +0100 - app.tts_engine - INFO - synthesis_start: id=a",
        "2026-03-02T10:00:00,123 - app.tts_engine - INFO - synthesis_start: id=a",
        "2026-03-02 24:00:00,123 - app.tts_engine - INFO - synthesis_start: id=a",
        "2026-03-02 10:60:00,123 - app.tts_engine - INFO - synthesis_start: id=a",
        "2026-03-02 10:00:61,123 - app.tts_engine - INFO - synthesis_start: id=a",
        "2026-03-02 1:00:00,123 - app.tts_engine - INFO - synthesis_start: id=a",
        "2026-03-03 10:00:00,123 - app.tts_engine - INFO - synthesis_start: id=a",
        "2026-03-02 10:00:00,123 - app.tts_engine - INFO -",
        "2026-03-02 10:00:00,123 - app.tts_engine - INFO - ",
        _HEAD + "synthesis_start: id2=a, id=b",
        _HEAD + "synthesis_start: request_id=a, id=b",
        _HEAD + "synthesis_start:  id=a,text=b",
        _HEAD + "synthesis_start: id =a, text=b",
        _HEAD + "synthesis_start: i, id=a text=b",
        _HEAD + "synthesis_starts: id=a",
        _HEAD + "synthesis_start:id=a",
        _HEAD + "synthesis_start",
        "2026-03-02 10:00:00,12",
        "2026-03-02 10:00:00,123",
    ],
)
def test_a_line_nearly_as_the_last_is_read_as_if_it_were_the_first(line: str) -> None:
    scanner = _fresh()
    _scanned(scanner, (_HEAD + "synthesis_start: id=x, text=y\n").encode())
    data = f"{line}\n".encode()
    assert _scanned(scanner, data) == _scanned(_fresh(), data)


def test_more_loggers_than_are_remembered_keep_their_names() -> None:
    lines = [
        f"2026-03-02 10:00:{i % 60:02},000 - app.{i % 13} - INFO - x: n={i}" for i in range(99)
    ]
    data = "".join(f"{line}\n" for line in lines).encode()
    _, records, stamps, _ = _scanned(_fresh(), data)
    assert isinstance(records, list) and isinstance(stamps, list)
    names = [data[r[layout.R_NAME] : r[layout.R_NAME_END]].decode() for r in records]
    assert names == [f"app.{i % 13}" for i in range(99)]
    assert [s - stamps[0] for s in stamps] == [i % 60 * 1_000_000 for i in range(99)]
