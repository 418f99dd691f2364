"""Chunks that are joined to a batch give the rows that one chunk of them all gives."""

from pathlib import Path

import pytest

from tests.support import harness
from tests.support.truth import make_truth


@pytest.mark.parametrize("stage_time", ["elapsed", "own"])
@pytest.mark.parametrize(("chunk", "batch"), [(300, 1), (300, 7), (300, 100_000), (5000, 3)])
def test_a_log_cut_into_chunks_and_batches(
    tmp_path: Path, stage_time: str, chunk: int, batch: int
) -> None:
    """Requests in flight at each cut: their parts become one, their stages are numbered through."""
    path = tmp_path / "app.log"
    path.write_bytes(b"".join(make_truth(11, 80, files=1).files))
    tables = []
    for name, size, count in (("whole", 1 << 24, 1), ("cut", chunk, batch)):
        (tmp_path / name).mkdir()
        store = harness.new_store(tmp_path / name)
        report = harness.run(
            store, [path], final=True, chunk_bytes=size, batch_chunks=count, stage_time=stage_time
        )
        assert not report.problems
        tables.append(harness.dump(store, [path]))
    whole, cut = tables
    assert len(whole["stage_timings"]) > 100
    assert cut == whole
