"""Chunks that are joined to a batch give the rows that one chunk of them all gives."""

from pathlib import Path

import pytest

from tests.support import harness
from tests.support.truth import make_truth


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of so many chunks that each request is in flight at some cut, and no more of them: a
    commit of a chunk takes as long as one of all.
    """
    path = tmp_path_factory.mktemp("log") / "app.log"
    path.write_bytes(make_truth(11, 26, files=1).files[0])
    return path


@pytest.fixture(scope="module", params=["elapsed", "own"])
def stage_time(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def whole(log: Path, stage_time: str, tmp_path_factory: pytest.TempPathFactory) -> harness.Tables:
    """The rows of one chunk."""
    rows = _rows(log, tmp_path_factory.mktemp("whole"), stage_time, 1 << 24, 1)
    assert len(rows["stage_timings"]) > 70
    return rows


def _rows(
    log: Path, folder: Path, stage_time: str, chunk: int, batch: int
) -> dict[str, list[harness.Row]]:
    store = harness.new_store(folder)
    report = harness.run(
        store, [log], final=True, chunk_bytes=chunk, batch_chunks=batch, stage_time=stage_time
    )
    assert not report.problems
    return harness.dump(store, [log])


@pytest.mark.parametrize(("chunk", "batch"), [(300, 1), (300, 7), (300, 100_000), (5000, 3)])
def test_a_log_cut_into_chunks_and_batches(
    log: Path, whole: harness.Tables, tmp_path: Path, stage_time: str, chunk: int, batch: int
) -> None:
    """Requests in flight at each cut: their parts become one, their stages are numbered through."""
    assert _rows(log, tmp_path, stage_time, chunk, batch) == whole
