"""What an ingest has stored, a recount finds: however the file was divided, and however it is read
again.
"""

import os
from datetime import UTC
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingest.records.formats import compile_format
from ingest.stores.duckdb.store import DuckDBStore
from ingest.tasks.verify import run as verify
from tests.support import harness, strategies

pytestmark = pytest.mark.slow  # minutes: `make nightly`

_PROFILE = settings(
    # the same logs every time by default; TTSQ_EXAMPLES=1000 searches for new ones
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "15")),
    derandomize="TTSQ_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)
_SPLIT = strategies.logs().flatmap(lambda d: st.tuples(st.just(d), strategies.split_points(d)))
_CHUNK = st.integers(40, 4000)


def _recounted(store: DuckDBStore, chunk: int) -> None:
    report = verify.verify(store, verify.Options(compile_format(), UTC, chunk))
    assert report.is_clean, report


@_PROFILE
@given(
    data=_SPLIT, final=st.lists(st.booleans(), min_size=8, max_size=8), chunk=_CHUNK, again=_CHUNK
)
def test_a_growing_file(
    data: tuple[bytes, list[int]], final: list[bool], chunk: int, again: int
) -> None:
    """Some of the runs take the file for finished: its last record then ends there."""
    content, points = data
    with TemporaryDirectory() as name:
        path, store = Path(name) / "app.log", harness.new_store(Path(name))
        note(repr((content, points)))
        for point, is_final in zip([*sorted(points), len(content)], final, strict=False):
            path.write_bytes(content[:point])
            harness.run(store, [path], chunk_bytes=chunk, final=is_final)
            _recounted(store, again)


@_PROFILE
@given(contents=strategies.log_files(), chunk=_CHUNK, again=_CHUNK)
def test_requests_that_span_files(contents: list[bytes], chunk: int, again: int) -> None:
    with TemporaryDirectory() as name:
        store = harness.new_store(Path(name))
        note(repr(contents))
        for number, content in enumerate(contents):
            path = Path(name) / f"app{number}.log"
            path.write_bytes(content)
            harness.run(store, [path], chunk_bytes=chunk, final=True)
        _recounted(store, again)
