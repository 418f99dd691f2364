"""Coverage of the golden fields: that of the log is that of the tables made of it, however it is
cut.
"""

import io
import json
import logging
import os
import shutil
import time
from collections import namedtuple
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from ingest.errors import LogFileError
from ingest.named_queries import golden
from ingest.named_queries.library import load_library, load_query
from ingest.named_queries.values import bind_values
from ingest.records.formats import compile_format
from ingest.records.recognise import guess_format
from ingest.tasks.check.answers import NO, PART, YES, additions, answers, gaps
from ingest.tasks.check.fields import FieldCount
from ingest.tasks.check.run import LogReport, check_logs
from ingest.tasks.demo import write_demo
from tests.support import harness, strategies

NOW = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
STAMP = "2026-03-02 10:05:11,203 - app - "
FULL = (
    STAMP + 'INFO - synthesis_start: id=ts_1, request_id=r-1, text="你好", lang=zh, voice=alloy, ' 'cache_hit=false\n'  # noqa: E501
    + STAMP + "INFO - stage_time: stage=llm_inference, id=ts_1, duration_ms=12\n"
    + STAMP + "INFO - audio_metrics: id=ts_1, rms=0.1, spectral_centroid=2000\n"
    + STAMP + "INFO - synthesis_complete: id=ts_1, status=success, duration_ms=20, audio_size_kb=3, " "cache_saved=true\n"  # noqa: E501
    + STAMP + "INFO - cache_health: path=/c, used=1MB, total=2MB, usage=50%\n"
)  # fmt: skip


def check(*paths: Path, chunk_bytes: int = 1 << 20) -> LogReport:
    return check_logs([str(p) for p in paths], compile_format(), UTC, chunk_bytes=chunk_bytes)


def check_text(folder: Path, text: str) -> LogReport:
    (folder / "app.log").write_text(text, encoding="utf-8")
    return check(folder / "app.log")


def counts(report: LogReport) -> dict[str, FieldCount]:
    return {c.name: c for c in report.fields}


def stored(paths: Sequence[Path], folder: Path) -> dict[str, tuple[object, object]]:
    """What the query field_coverage says of the same files, ingested."""
    store = harness.new_store(folder)
    harness.run(store, paths, final=True)
    query = load_query("field_coverage")
    with store.reading() as reader:
        rows = reader.query(query.sql, bind_values(query, {}, NOW, UTC)).rows
    return {str(name): (among, present) for name, among, present, _ in rows}


def agree(report: LogReport, expected: dict[str, tuple[object, object]]) -> None:
    found = {c.name: (c.among, c.present) for c in report.fields}
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize("chunk_bytes", [1000, 30_000, 1 << 20])
def test_the_demo_has_the_coverage_that_its_tables_have(tmp_path: Path, chunk_bytes: int) -> None:
    summary = write_demo(tmp_path / "logs", now=NOW, requests=300, tz="UTC")
    expected = stored(summary.files, tmp_path)
    assert expected["id"] == (300, 300)
    agree(check(tmp_path / "logs", chunk_bytes=chunk_bytes), expected)


@settings(
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "25")),
    derandomize="TTSQ_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large,
    HealthCheck.filter_too_much],
)  # fmt: skip
@given(data=strategies.logs())
def test_any_log_has_the_coverage_that_its_tables_have(data: bytes) -> None:
    with TemporaryDirectory() as place:
        path = Path(place) / "app.log"
        path.write_bytes(data)
        try:
            report = check(path, chunk_bytes=200)
        except LogFileError:
            return
        agree(report, stored([path], Path(place)))


def test_a_request_in_two_files_is_one(tmp_path: Path) -> None:
    lines = FULL.splitlines(keepends=True)
    paths = [tmp_path / "app.log.1", tmp_path / "app.log"]
    for path, part, modified in zip(paths, (lines[:2], lines[2:]), (1e9, 1e9 + 60), strict=True):
        path.write_text("".join(part), encoding="utf-8")
        os.utime(path, (modified, modified))
    report = check(*reversed(paths))
    assert counts(report)["id"] == FieldCount("id", 1, 1)
    assert counts(report)["duration_ms"] == FieldCount("duration_ms", 1, 1)
    agree(report, stored(paths, tmp_path))


def test_metrics_behind_a_rotation_belong_to_the_request_before_it(tmp_path: Path) -> None:
    lines = FULL.splitlines(keepends=True)
    (tmp_path / "app.log.1").write_text("".join(lines[:2] + lines[3:4]), encoding="utf-8")
    (tmp_path / "app.log").write_text("".join(lines[2:3] + lines[4:]), encoding="utf-8")
    os.utime(tmp_path / "app.log.1", (1e9, 1e9))
    report = check(tmp_path / "app.log", tmp_path / "app.log.1")
    assert counts(report)["rms"] == FieldCount("rms", 1, 1)
    agree(report, stored([tmp_path / "app.log.1", tmp_path / "app.log"], tmp_path))


def test_a_log_with_every_field_has_no_gap(tmp_path: Path) -> None:
    report = check_text(tmp_path, FULL)
    assert gaps(report.fields) == []
    assert additions(report.fields) == []
    assert {a.answer for a in answers(load_library(), report.fields)} == {YES}


FIELD_PAIRS = {
    "request_id": " request_id=r-1,",
    "lang": " lang=zh,",
    "voice": " voice=alloy,",
    "cache_hit": ", cache_hit=false",
    "status": " status=success,",
    "duration_ms": " duration_ms=20,",
    "audio_size_kb": " audio_size_kb=3,",
    "cache_saved": ", cache_saved=true",
    "rms": " rms=0.1,",
    "spectral_centroid": ", spectral_centroid=2000",
}


@pytest.mark.parametrize("name", FIELD_PAIRS)
def test_a_field_that_is_taken_away_is_missed_and_no_other(name: str, tmp_path: Path) -> None:
    assert FIELD_PAIRS[name] in FULL
    report = check_text(tmp_path, FULL.replace(FIELD_PAIRS[name], ""))
    missed = {c.name for c in gaps(report.fields)}
    # without a status there is no telling what succeeded or failed
    of_status = {"status", "error_code", "model_stage", "cache_saved", "audio_size_kb", "rms", "spectral_centroid"}  # fmt: skip  # noqa: E501
    assert missed == (of_status if name == "status" else {name})


def test_a_request_id_in_the_header_counts(tmp_path: Path) -> None:
    path = tmp_path / "app.log"
    path.write_text("2026-03-02 10:05:11,203 [r-7] INFO synthesis_start: id=ts_1\n", "utf-8")
    fmt = compile_format("%(asctime)s [%(request_id)s] %(levelname)s %(message)s")
    report = check_logs([str(path)], fmt, UTC)
    assert counts(report)["request_id"] == FieldCount("request_id", 1, 1)


def test_records_are_counted_by_kind(tmp_path: Path) -> None:
    report = check_text(
        tmp_path,
        "no record\n"
        + FULL
        + STAMP + "WARNING - synthesis_completed: request-id=7, elapsed=3\n"
        + STAMP + "INFO - stage_time: stage=x, duration_ms=3\n"
        + "2026-02-30 25:00:00,000 - app - INFO - never\n"
        + "ERROR: failed to load model\n",
    )  # fmt: skip
    assert report.rejects == {"bad_time": 1}
    assert report.ledger.unclaimed == 1
    assert (report.with_header, report.headerless, report.ledger.records) == (7, 1, 8)
    assert report.unknown_events == {"synthesis_completed": 1}
    assert report.unknown_keys == {"request-id": 1, "elapsed": 1}
    assert (report.request_records, report.request_records_with_id) == (5, 4)


def test_many_different_keys_take_bounded_room(tmp_path: Path) -> None:
    lines = [f"{STAMP}WARNING - x: common=1, key_{n}=1\n" for n in range(30_000)]
    (tmp_path / "app.log").write_text("".join(lines))
    report = check(tmp_path / "app.log", chunk_bytes=100_000)
    assert report.unknown_keys["common"] == 30_000
    assert len(report.unknown_keys) <= 10_000


def test_cache_samples_are_regular_or_not(tmp_path: Path) -> None:
    def sampled(minutes: Sequence[int]) -> tuple[int | None, bool | None]:
        lines = [
            f"2026-03-02 {m // 60:02}:{m % 60:02}:00,000 - app - INFO - cache_health: "
            "path=/c, usage=5%\n"
            for m in minutes
        ]
        (found,) = check_text(tmp_path, "".join(lines)).sampling
        return found.median_s, found.regular

    assert sampled([0, 5, 10, 15, 20]) == (300, True)
    assert sampled([0, 5, 10, 400, 401]) == (300, False)
    assert sampled([0, 5]) == (300, None)
    assert sampled([0]) == (None, None)


def test_a_file_in_which_no_line_shows_what_it_is_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogFileError, match="has the log format") as raised:
        check_text(tmp_path, "what is this\nand that\n" * 3)
    assert raised.value.hint is not None
    text = b"2026-03-02 10:05:11,203 [INFO] app: synthesis_start: id=ts_1\n" * 3
    assert guess_format(text, UTC) == "%(asctime)s [%(levelname)s] %(name)s: %(message)s"
    assert guess_format(b"what is this\n", UTC) is None


def test_no_request_at_all_is_a_gap_of_every_field_of_requests(tmp_path: Path) -> None:
    report = check_text(tmp_path, STAMP + "INFO - hello\n")
    missed = {c.name for c in gaps(report.fields)}
    assert missed == set(golden.BY_NAME) - {"warning_code"}
    assert {a.answer for a in answers(load_library(), report.fields) if a.query == "voices"} == {NO}


def test_a_small_share_makes_an_answer_in_part(tmp_path: Path) -> None:
    silent = FULL.replace(" voice=alloy,", "").replace("ts_1", "ts_2")
    report = check_text(tmp_path, FULL + silent)
    found = {a.query: a for a in answers(load_library(), report.fields)}
    assert counts(report)["voice"].share == 0.5
    assert (found["voices"].answer, found["voices"].lacks) == (PART, ("voice",))
    assert found["failure_by_length"].answer == YES


def run_lines(lines: Sequence[str]) -> str:
    """The log that suggested lines write, with a value for every name in them."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter(compile_format().text))
    logger = logging.Logger("app")
    logger.addHandler(handler)
    names: dict[str, object] = {
        "logger": logger, "json": json, "shutil": shutil, "time": time, "started": time.monotonic(),
        "ts_id": "ts_1", "request_id": "r-1", "text": 'a "quoted", status=failed\nline',
        "lang": "zh",
        "voice": "alloy", "cache_hit": False, "cache_saved": True, "status": "success",
        "duration_ms": 20.0, "audio": b"x" * 2048, "stage": "llm_inference", "rms": 0.1,
        "spectral_centroid": 2000.0, "error_code": "OOM", "warning_code": "VOICE_FALLBACK",
        "cache_dir": "/c", "usage": namedtuple("Usage", "total used free")(2 << 20, 1 << 20,
        1 << 20),
    }  # fmt: skip
    exec("\n".join(lines), names)
    return out.getvalue()


def test_the_suggested_lines_close_every_gap(tmp_path: Path) -> None:
    """A service that does all that is suggested for an empty log has no gap left."""
    empty = check_text(tmp_path, STAMP + "INFO - hello\n")
    suggested = additions(empty.fields)
    assert [a.event for a in suggested][-1] == golden.BY_NAME["cache_health"].event
    report = check_text(tmp_path, "".join(run_lines(a.lines) for a in suggested))
    assert gaps(report.fields) == []
    assert report.rejects == {}
    assert not report.unknown_keys
    warning = golden.logging_lines("warnings", ["warning_code"])
    report = check_text(tmp_path, run_lines(warning))
    assert counts(report)["warning_code"] == FieldCount("warning_code", 1, 1)
