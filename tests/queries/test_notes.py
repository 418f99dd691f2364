"""What stands below an answer."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.queries.rows import Rows, draw_rows, make_store
from tests.queries.test_commands import _store, ttsq


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Requests of 400 different lengths; half of those with 400 to 599 characters fail."""
    first = draw_rows(1, 1).requests[0]
    made = []
    for key in range(2000):
        length = key % 400 * 3
        fails = 400 <= length < 600 and key % 2 == 0
        made.append(
            replace(
                first,
                request_key=key,
                text_len=length,
                status="failed" if fails or key % 97 == 0 else "success",
                error_code="CUDA_OOM" if fails or key % 97 == 0 else None,
            )
        )
    path = tmp_path_factory.mktemp("notes") / "s.duckdb"
    make_store(path, Rows(requests=made))
    return f"duckdb:///{path}"


def test_many_lengths_name_the_band_that_shows_the_finding(url: str) -> None:
    shown = ttsq(url, "run", "failure_by_length")
    assert "different lengths; --length-band 200 shows best what stands out: 400 to 599" in shown
    banded = ttsq(url, "run", "failure_by_length", "--length-band", "200")
    assert "different lengths" not in banded
    assert "different lengths" not in ttsq(url, "run", "failure_by_length", "--json")


def test_an_answer_says_that_it_is_of_everything_stored(url: str) -> None:
    for name in ("failure_by_length", "error_codes", "hosts"):
        assert "\nof everything stored: --since was not given" in ttsq(url, "run", name)
    assert "of everything" not in ttsq(url, "run", "hosts", "--since", "2020-01-01")
    assert "of everything" not in ttsq(url, "run", "hosts", "--format", "csv")


def test_a_dimension_that_nothing_was_logged_with_is_named(url: str) -> None:
    assert "logged with priorty" in ttsq(url, "run", "failures_by", "--by", "priorty")
    assert "logged with" not in ttsq(url, "run", "failures_by", "--by", "length")


def test_an_answer_about_a_column_that_no_log_has_says_so(tmp_path: Path) -> None:
    first = draw_rows(1, 1).requests[0]
    bare = replace(first, status="failed", error_code="OOM", text_len=None, voice=None)
    url = _store(tmp_path / "s.duckdb", Rows(requests=[bare]))
    assert "was logged with text_len" in ttsq(url, "run", "failure_by_length")
    assert "none was logged with text_len" in ttsq(url, "run", "latency_by_length")
    assert "none was logged with voice" in ttsq(url, "run", "error_codes", "--voice", "anna")
    assert "logged with" not in ttsq(url, "run", "error_codes", "--error-code", "X")


def test_an_answer_of_many_buckets_names_a_bucket_that_makes_few(
    tmp_path: Path,
) -> None:
    first = draw_rows(1, 1).requests[0]
    began = datetime(2026, 3, 2, tzinfo=UTC)
    made = [
        replace(first, request_key=n, logged_at=began + n * timedelta(minutes=10))
        for n in range(140)
    ]
    make_store(tmp_path / "s.duckdb", Rows(requests=made))
    long = f"duckdb:///{tmp_path}/s.duckdb"
    assert "140 different times; --bucket 1h makes it short" in ttsq(
        long, "run", "failure_rate_over_time"
    )
    assert "makes it short" not in ttsq(long, "run", "failure_rate_over_time", "--bucket", "1h")
