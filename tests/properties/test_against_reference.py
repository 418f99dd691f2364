"""The whole path – scan, parse, assemble, commit, over batches, runs and files – held to the plain
reference parser.
"""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from tests.properties.comparison import MODIFIED, compare, expected
from tests.support import harness, strategies
from tests.support.truth import make_truth, wrong

_PROFILE = settings(
    # the same logs every time by default; TTSQ_EXAMPLES=1000 searches for new ones
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "20")),
    derandomize="TTSQ_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


def _write(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    os.utime(path, (MODIFIED.timestamp(), MODIFIED.timestamp()))
    return path


def _has_records(data: bytes) -> bool:
    return any(t for t in expected([data])["requests"])


@pytest.mark.parametrize("seed", range(6))
def test_rows_equal_the_truth_that_was_logged(seed: int, tmp_path: Path) -> None:
    truth = make_truth(seed, 60, files=3)
    paths = [_write(tmp_path, f"app{i}.log", data) for i, data in enumerate(truth.files)]
    store = harness.new_store(tmp_path)
    harness.run(store, paths, final=True, chunk_bytes=4096, batch_chunks=1 + seed % 3)
    assert not wrong(truth, harness.dump(store, paths))


# chunks to a commit
_BATCHES = st.sampled_from([1, 2, 3, 7, 1000])


@_PROFILE
@given(data=strategies.logs(), chunk=st.integers(40, 4000), batch=_BATCHES)
def test_one_file_in_one_run(data: bytes, chunk: int, batch: int) -> None:
    with TemporaryDirectory() as name:
        path = _write(Path(name), "app.log", data)
        store = harness.new_store(Path(name))
        note(repr(data))
        report = harness.run(store, [path], final=True, chunk_bytes=chunk, batch_chunks=batch)
        if report.problems:
            assert not _has_records(data)  # refused: nothing in it looks like a record
            return
        compare(harness.dump(store, [path]), expected([data]))


@_PROFILE
@given(data=strategies.logs().flatmap(lambda d: st.tuples(st.just(d), strategies.split_points(d))))
def test_a_growing_file_over_many_runs(data: tuple[bytes, list[int]]) -> None:
    content, points = data
    with TemporaryDirectory() as name:
        path = Path(name) / "app.log"
        store = harness.new_store(Path(name))
        note(repr((content, points)))
        problems = []
        for point in [*sorted(points), len(content)]:
            _write(Path(name), "app.log", content[:point])
            report = harness.run(store, [path])
            problems += report.problems
        report = harness.run(store, [path], final=True)
        if problems or report.problems:
            assert not _has_records(content[: min([*points, len(content)])])
            return
        compare(harness.dump(store, [path]), expected([content]))


@_PROFILE
@given(
    data=strategies.log_files().flatmap(
        lambda f: st.tuples(st.just(f), st.permutations(range(len(f))))
    ),
    chunk=st.integers(100, 2000),
    batch=_BATCHES,
)
def test_files_in_any_order_give_the_same_rows(
    data: tuple[list[bytes], list[int]], chunk: int, batch: int
) -> None:
    contents, order = data
    with TemporaryDirectory() as name:
        paths = [_write(Path(name), f"app{i}.log", c) for i, c in enumerate(contents)]
        store = harness.new_store(Path(name))
        note(repr((contents, order)))
        problems = []
        for i in order:
            report = harness.run(
                store, [paths[i]], final=True, chunk_bytes=chunk, batch_chunks=batch
            )
            problems += report.problems
        if problems or len(set(contents)) < len(contents):
            return
        if any(len(c.split(b"\n")) < 3 for c in contents):
            return
        compare(harness.dump(store, paths), expected(contents))
