"""Ids that are used again in one file, read over many runs: which use a record belongs to."""

import os
from pathlib import Path

import pytest

from tests.properties.comparison import MODIFIED, compare, expected
from tests.support import harness

_NEVER_ENDS = ['10:00:00,000 synthesis_start: id=ts_1, text="one"']
_ENDS = [
    '10:00:05,000 synthesis_start: id=ts_1, text="two"',
    "10:00:06,000 synthesis_complete: id=ts_1, status=success, duration_ms=1000",
]
_LONG_AFTER = ['10:09:00,000 synthesis_start: id=ts_2, text="other"']
_CLOCK_STEPS_BACK = [
    "10:00:07,000 stage_time: stage=audio_render, id=ts_1, duration_ms=9",
    '10:00:08,000 synthesis_start: id=ts_3, text="more"',
]
_STAGE_BEFORE_ITS_START = [
    "10:00:00,000 stage_time: stage=text_normalize, id=ts_1, duration_ms=120",
    '10:00:00,000 synthesis_start: id=ts_1, text="two"',
    "10:00:00,000 stage_time: stage=text_normalize, id=ts_1, duration_ms=120",
    "10:00:00,000 stage_time: stage=llm_inference, id=ts_1, duration_ms=120",
    "10:00:00,000 synthesis_complete: id=ts_1, status=success, duration_ms=523",
    "10:00:00,000 synthesis_complete: id=ts_1, status=success, duration_ms=523",
]
_STRAYS = [
    "10:09:01,000 stage_time: stage=audio_render, id=ts_1, duration_ms=7",
    "10:09:02,000 audio_metrics: id=ts_1, rms=0.2, spectral_centroid=2000.0",
]


def _log(lines: list[str]) -> list[bytes]:
    return [f"2026-01-01 {line[:12]} - app - INFO - {line[13:]}\n".encode() for line in lines]


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param(
            [*_NEVER_ENDS, *_ENDS, *_LONG_AFTER, *_STRAYS], id="the last use ended long ago"
        ),
        pytest.param([*_ENDS, *_NEVER_ENDS, *_LONG_AFTER, *_STRAYS], id="the last use is open"),
        pytest.param([*_NEVER_ENDS, *_NEVER_ENDS, *_ENDS, *_STRAYS], id="two open uses before it"),
        pytest.param([*_NEVER_ENDS, *_ENDS, *_STRAYS, *_ENDS], id="used again after strays"),
        pytest.param(_STAGE_BEFORE_ITS_START, id="a stage before its start"),
        pytest.param(
            [*_NEVER_ENDS, *_ENDS, *_LONG_AFTER, *_CLOCK_STEPS_BACK], id="the clock steps back"
        ),
    ],
)
def test_a_record_goes_to_the_last_use_of_its_id_however_the_file_is_read(
    lines: list[str], tmp_path: Path
) -> None:
    records = _log(lines)
    want = expected([b"".join(records)])
    path = tmp_path / "app.log"
    for first in range(1, len(records) + 1):
        folder = tmp_path / str(first)
        folder.mkdir()
        store = harness.new_store(folder)
        for n in range(first, len(records) + 1):
            path.write_bytes(b"".join(records[:n]))
            os.utime(path, (MODIFIED.timestamp(),) * 2)
            harness.run(store, [path])
        harness.run(store, [path], final=True)
        compare(harness.dump(store, [path]), want)
