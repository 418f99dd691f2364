"""Files of a series that are read in another order than they were written give the same rows."""

import json
import os
from pathlib import Path

from tests.real_cases.test_rotation import service
from tests.support.command_line import CommandLine

_ROWS = (
    "select status, duration_ms, rtf from requests order by 2",
    "select stage, duration_ms from stage_timings order by 1, 2",
    "select http_status, request_key is not null from http_requests order by byte_offset",
    "select exception_type, request_key is not null from errors",
    "select path, unclaimed, begun from (select path, unclaimed, format like '%begun_with%' as"
    " begun from log_files) as files order by path",
)


def _rows(folder: Path, *order: str) -> list[object]:
    folder.mkdir()
    ttsq, text = CommandLine(folder).with_tables(), service(3)
    cut = text.index(">> s2mel_time")
    (folder / "app.log.1").write_text(text[:cut])
    (folder / "app.log").write_text(text[cut:])
    os.utime(folder / "app.log.1", (1_770_000_000, 1_770_000_000))
    told = [ttsq.well("ingest", name, "--final") for name in order]
    assert ("read anew" in told[-1]) == (order[0] == "app.log")
    assert "lost 0, doubled 0" in ttsq.well("verify", "app.log", "app.log.1")
    assert "read anew" not in ttsq.well("ingest", "app.log", "app.log.1", "--final")
    return [
        str(json.loads(ttsq.well("sql", sql, "--json"))).replace(str(folder), "") for sql in _ROWS
    ]


def test_a_file_read_before_the_one_that_it_goes_on_with(tmp_path: Path) -> None:
    in_order = _rows(tmp_path / "in-order", "app.log.1", "app.log")
    assert in_order == _rows(tmp_path / "turned", "app.log", "app.log.1")
