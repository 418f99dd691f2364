"""Files of a series that are read in another order than they were written give the same rows."""

import json
import os
from itertools import permutations
from pathlib import Path

import pytest

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


# where a series of three is cut
_CUTS = {
    "in a block and before an access line, in the next block": (
        "INFO:     10.3.0.7:40000",
        ">> s2mel_time: 1",
    ),
    "around a line that says nothing": ("a plain print of 7", ">> gpt_gen_time: 0"),
}
_FILES = ("app.log.2", "app.log.1", "app.log")


def _pieces(cuts: tuple[str, str]) -> list[str]:
    text = service(3).replace(">> gpt_gen_time: 0", "a plain print of 7\n>> gpt_gen_time: 0")
    first, second = (text.index(cut) for cut in cuts)
    return [text[:first], text[first:second], text[second:]]


def _rows(folder: Path, cuts: tuple[str, str], *order: str) -> list[object]:
    folder.mkdir()
    ttsq = CommandLine(folder).with_tables()
    for number, (name, piece) in enumerate(zip(_FILES, _pieces(cuts), strict=True)):
        (folder / name).write_text(piece)
        os.utime(folder / name, (1_770_000_000 + number, 1_770_000_000 + number))
    told = [ttsq.well("ingest", name, "--final") for name in order]
    in_order = [*order] == sorted(order, reverse=True)
    assert not (in_order and any("read anew" in text for text in told))
    assert "lost 0, doubled 0" in ttsq.well("verify", *_FILES)
    assert "read anew" not in ttsq.well("ingest", *_FILES, "--final")
    return [
        str(json.loads(ttsq.well("sql", sql, "--json"))).replace(str(folder), "") for sql in _ROWS
    ]


@pytest.mark.parametrize("cuts", _CUTS.values(), ids=list(_CUTS))
def test_files_of_a_series_are_read_in_any_order(cuts: tuple[str, str], tmp_path: Path) -> None:
    in_order = _rows(tmp_path / "in-order", cuts, *_FILES)
    for number, order in enumerate(permutations(_FILES)):
        assert _rows(tmp_path / str(number), cuts, *order) == in_order, order
