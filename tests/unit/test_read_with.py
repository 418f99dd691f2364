"""What a log file is read with: as its checkpoint keeps it, and what verify, replay and trace make
of it.
"""

import json
from datetime import UTC, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingest.records.formats import compile_format
from ingest.records.read_with import ReadWith
from ingest.tasks.verify import run as verify
from tests.support import harness

OWN = "%(levelname)s %(asctime)s [%(name)s] %(message)s"
DEFAULT = ReadWith(compile_format(), UTC)


@pytest.mark.parametrize(
    "tz", [UTC, ZoneInfo("Asia/Shanghai"), timezone(timedelta(hours=-3, minutes=-30))]
)
def test_what_is_written_is_what_is_read(tz: timezone) -> None:
    written = ReadWith(
        compile_format(OWN, "%d.%m.%Y %H:%M:%S", escapes="none", stage_time="own"), tz
    )
    found = DEFAULT.of(written.as_text(None))
    assert found.format == written.format
    assert found.tz.utcoffset(None) == tz.utcoffset(None)


def test_what_others_keep_there_stays() -> None:
    text = json.loads(DEFAULT.as_text('{"profiles":{"x":"1f"},"tz":"Asia/Tokyo"}'))
    assert text["profiles"] == {"x": "1f"} and text["tz"] == "UTC"


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "7", "{}", '{"log_format":7}', '{"log_format":"%(x)s"}',
             '{"log_format":"%(asctime)s %(message)s","escapes":[]}'],
)  # fmt: skip
def test_what_cannot_be_understood_leaves_what_was_asked_for(text: str | None) -> None:
    assert DEFAULT.of(text) == DEFAULT


def test_two_sources_with_formats_of_their_own_verify_clean(tmp_path: Path) -> None:
    store = harness.new_store(tmp_path)
    for name, log_format, line in (
        ("a.log", None, "2026-03-02 12:00:0{} - app - INFO - synthesis_start: id=ts_{}, lang=zh\n"),
        ("b.log", OWN, "INFO 2026-03-02 12:00:0{} [app] synthesis_start: id=tt_{}, lang=zh\n"),
    ):
        path = tmp_path / name
        path.write_text("".join(line.format(i, i) for i in range(5)))
        harness.run(store, [path], final=True, log_format=log_format)
    report = verify.verify(store, verify.Options(compile_format(), UTC))
    assert report.is_clean and [f.records for f in report.files] == [5, 5]
