"""The demo log set: the same every time, whole, in order, and its incident shows."""

import gzip
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.stores.contract import Store
from ingest.tasks.demo import BAD_LENGTHS, FILE_NAMES, INCIDENT, SPAN, DemoSummary, write_demo
from ingest.tasks.demo_indextts import write_indextts
from ingest.tasks.demo_nginx import ACCESS_NAME
from tests.support import harness
from tests.support.reference import Tables, parse_files

NOW = datetime(2026, 3, 2, 15, 0, 30, 123456, tzinfo=UTC)
TZ = "Asia/Shanghai"


def contents(summary: DemoSummary) -> list[tuple[str, bytes]]:
    """The files' names and decompressed contents, oldest first."""
    return [
        (path.name, gzip.decompress(data) if path.suffix == ".gz" else data)
        for path in summary.files
        for data in [path.read_bytes()]
    ]


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return write_demo(tmp_path_factory.mktemp("demo") / "new", now=NOW, tz=TZ)


@pytest.fixture(scope="module")
def tables(summary: DemoSummary) -> Tables:
    return parse_files(contents(summary), tz=TZ, modified_at=NOW)


def test_same_bytes_for_the_same_seed(summary: DemoSummary, tmp_path: Path) -> None:
    again = write_demo(tmp_path / "again", now=NOW, tz=TZ)
    other = write_demo(tmp_path / "other", now=NOW, tz=TZ, seed=8)
    read = [
        [path.read_bytes() for path in (*made.files, made.access)]
        for made in (summary, again, other)
    ]
    assert read[0] == read[1]
    assert all(one != two for one, two in zip(read[0], read[2], strict=True))


def test_files_and_summary(summary: DemoSummary, tables: Tables) -> None:
    assert tuple(path.name for path in summary.files) == FILE_NAMES
    assert {path.name for path in summary.folder.iterdir()} == {*FILE_NAMES, ACCESS_NAME}
    assert contents(summary)[-1][1].endswith(b"\n")
    assert summary.requests == len(tables.requests) == 3000
    assert summary.failures == sum(row["status"] == "failed" for row in tables.requests)
    assert summary.records == sum(ledger["records"] for ledger in tables.ledger)
    assert tables.quarantine == []
    assert NOW - SPAN <= summary.first_at < summary.incident_at < summary.last_at < NOW
    assert NOW - summary.last_at < timedelta(minutes=5)


def test_stamps_rise_through_all_files(summary: DemoSummary) -> None:
    stamps = [
        stamp
        for _name, content in contents(summary)
        for stamp in re.findall(rb"^(\d{4}-\S+ \S+) - ", content, re.MULTILINE)
    ]
    assert len(stamps) > 20_000
    assert all(one < two for one, two in pairwise(stamps))


def test_requests_span_both_rotations(tables: Tables) -> None:
    spans = {(row["start_file"], row["end_file"]) for row in tables.requests}
    assert {(0, 1), (1, 2)} <= spans
    assert all(row["start_file"] is not None for row in tables.requests)


def test_requests_interleave(tables: Tables) -> None:
    ids = [row["id"] for row in sorted(tables.stage_timings, key=lambda row: row["logged_at"])]
    changes = sum(one != two for one, two in pairwise(ids))
    assert changes > 2 * len(set(ids))


def test_the_incident_shows_by_length(tables: Tables) -> None:
    recent = [row for row in tables.requests if row["logged_at"] >= NOW - INCIDENT]
    rate = sum(row["status"] == "failed" for row in recent) / len(recent)
    assert 0.10 < rate < 0.20
    fft = [row for row in tables.requests if row["error_code"] == "SCIPY_FFT_INVALID"]
    assert {row["text_len"] for row in fft} == set(BAD_LENGTHS)
    assert {row["model_stage"] for row in fft} == {"llm_postproc"}
    assert min(row["logged_at"] for row in fft) >= NOW - INCIDENT - timedelta(milliseconds=1)
    before = [row for row in tables.requests if row["logged_at"] < NOW - INCIDENT]
    assert Counter(row["status"] for row in before if row["text_len"] in BAD_LENGTHS)["failed"] < 3


def test_failures_carry_their_traceback(tables: Tables) -> None:
    errors = [row for row in tables.errors if row["code"] == "SCIPY_FFT_INVALID"]
    assert {row["location"] for row in errors} == {"/app/app/tts_engine.py:387 in _postproc"}
    assert {row["exception_type"] for row in errors} == {"RuntimeWarning"}
    assert all(row["request_key"] is not None for row in errors)


def test_the_model_fails_to_load_at_three(tables: Tables) -> None:
    [error] = [row for row in tables.errors if row["time_source"] != "logged"]
    assert error["message"] == "failed to load model"
    assert abs(error["occurred_at"] - datetime(2026, 3, 1, 19, tzinfo=UTC)).total_seconds() < 60


def test_every_kind_of_thing_occurs(tables: Tables) -> None:
    kinds = {row["text_class"] for row in tables.requests}
    assert kinds == {"plain", "symbols", "emoji", "control"}
    codes = {row["code"] for row in tables.errors}
    assert {"VOICE_FALLBACK", "VOCODER_FALLBACK", "CUDA_OOM", "TEXT_INVALID"} <= codes
    assert {row["status"] for row in tables.requests} == {"success", "failed", None}
    assert any(row["cache_saved"] is False for row in tables.requests)
    assert any(
        row["spectral_centroid"] and row["spectral_centroid"] < 1800 for row in tables.requests
    )
    assert {row["event"] for row in tables.cache_samples} == {"cache_health", "cache_dir_usage"}
    hits = [
        row["duration_ms"] for row in tables.requests if row["cache_hit"] and row["duration_ms"]
    ]
    assert hits and max(hits) < 50


def test_the_rush_is_slow_in_inference(tables: Tables) -> None:
    own = {True: [0.0], False: [0.0]}
    for row in tables.stage_timings:
        age = NOW - row["logged_at"]
        if row["stage"] == "llm_inference":
            own[timedelta(hours=8) < age < timedelta(hours=9)].append(row["duration_ms"])
    assert sorted(own[True])[len(own[True]) // 2] > 2 * sorted(own[False])[len(own[False]) // 2]
    assert len(own[True]) > 300


@pytest.mark.parametrize("requests", [0, 1, 50])
def test_small_sets(tmp_path: Path, requests: int) -> None:
    small = write_demo(tmp_path, now=NOW, tz="UTC", requests=requests)
    assert small.requests == requests
    assert len(parse_files(contents(small), modified_at=NOW).requests) == requests


_SILENT = """
    select h.server, count(*), count(h.request_key),
        count(*) filter (where r.status = 'failed' and h.http_status = 200),
        count(*) filter (where r.status = 'success' and h.http_status > 200)
    from http_requests h left join requests r on r.request_key = h.request_key
    where h.path in ('/tts', '/v1/audio/speech') and h.http_status <> 401
    group by 1 order by 1
"""


def _stored(folder: Path, logs: Path) -> Store:
    store = harness.new_store(folder)
    harness.run(store, sorted(logs.iterdir()), final=True)
    return store


def _found(store: Store, sql: str) -> list[tuple[object, ...]]:
    with store.reading() as reader:
        return [tuple(row) for row in reader.query(sql, {}).rows]


def test_the_proxy_of_the_demo_says_200_of_what_failed_in_the_incident(tmp_path: Path) -> None:
    made = write_demo(tmp_path / "logs", now=NOW, requests=600, tz="UTC")
    store = _stored(tmp_path, made.folder)
    ((server, lines, joined, silent, wrong),) = _found(store, _SILENT)
    assert (server, lines, joined, wrong) == ("nginx", 600, 600, 0)
    with_this_code = "select count(*) from requests where error_code = 'SCIPY_FFT_INVALID'"
    assert [(silent,)] == _found(store, with_this_code)


def test_the_proxy_of_the_service_says_200_of_what_failed_in_a_stream(tmp_path: Path) -> None:
    made = write_indextts(tmp_path / "logs", now=NOW, requests=200)
    proxy, own = _found(_stored(tmp_path, made.path.parent), _SILENT)
    assert proxy[1:] == own[1:] and proxy[1] == proxy[2] == 200
    assert 0 < int(str(proxy[3])) < made.failures and proxy[4] == 0


def test_the_demo_of_a_service_is_read_to_the_row(tmp_path: Path) -> None:
    written = write_indextts(tmp_path / "logs", now=NOW, requests=60)
    again = write_indextts(tmp_path / "again", now=NOW, requests=60)
    assert written.path.read_bytes() == again.path.read_bytes()
    store = harness.new_store(tmp_path)
    harness.run(store, [written.path], final=True)
    sql = (
        "select status, count(*), count(rtf), count(duration_ms) from requests group by 1 order "
        "by 1"
    )
    with store.reading() as reader:
        found = [tuple(row) for row in reader.query(sql, {}).rows]
        (linked,) = reader.query(
            "select (select count(*) from http_requests where request_key is not null), "
            "(select count(*) from errors where code = 'CUDA_OOM' and request_key is not null), "
            "(select count(*) from stage_timings)", {}
        ).rows  # fmt: skip
    failures, successes = written.failures, written.requests - written.failures
    assert found == [
        ("failed", failures, 0, failures),
        ("success", successes, successes, successes),
    ]
    assert tuple(linked) == (60, failures, 4 * successes)
