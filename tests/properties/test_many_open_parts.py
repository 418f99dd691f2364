"""A file with very many open requests: only those of new lines are asked for."""

from pathlib import Path

import pyarrow as pa
import pytest

from ingest.pipeline import one_file
from ingest.stores.contract import Store
from tests.real_cases import walk
from tests.real_cases.test_rotation import service
from tests.support import harness
from tests.support.log_writer import Journal, to_bytes

_CHUNK = 3000


def _dumped(store: Store, path: Path) -> harness.Tables:
    return harness.dump(store, [path])


def _log() -> bytes:
    """Requests that overlap: of each the first half, then the second halves in another order."""
    records = Journal().requests(40)
    begun = [r for n in range(40) for r in records[n * 5 : n * 5 + 2]]
    ended = [r for n in reversed(range(40)) for r in records[n * 5 + 2 : n * 5 + 5]]
    return to_bytes([*begun, *ended])


@pytest.mark.parametrize("engine", harness.ENGINES)
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_rows_are_those_of_one_reading(
    tmp_path: Path, engine: str, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_file, "_MOST_CARRIED", 0)
    data, path = _log(), tmp_path / "app.log"
    cut = data.index(b"\n", int(len(data) * share)) + 1
    store = harness.new_store_of(engine, tmp_path)
    for part in (data[:cut], data):
        path.write_bytes(part)
        harness.run(store, [path], chunk_bytes=_CHUNK, batch_chunks=2)
    harness.run(store, [path], final=True, chunk_bytes=_CHUNK)
    (tmp_path / "whole").mkdir()
    whole = harness.new_store(tmp_path / "whole")
    harness.run(whole, [path], final=True)
    assert _dumped(store, path) == _dumped(whole, path)


@pytest.mark.parametrize("engine", harness.ENGINES)
def test_only_ids_that_are_asked_for_are_told(tmp_path: Path, engine: str) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(_log()[:9000])
    store = harness.new_store_of(engine, tmp_path)
    harness.run(store, [path])
    (known,) = store.checkpoints()
    with store.writing() as writer:
        every = writer.carry(known)
        some = writer.carry(known, pa.array(["ts_00000003", "none"]))
        assert writer.has_many_parts(known, 1) and not writer.has_many_parts(known, 1000)
    assert len(every) > 10
    assert some == {"ts_00000003": every["ts_00000003"]}


@pytest.mark.parametrize("engine", harness.ENGINES)
def test_a_log_without_instants_is_asked_about_few_of_its_requests(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All its requests have ended at one instant, as far as is known: a poll must not take all."""
    path, text = tmp_path / "app.log", service(12)
    cut = text.index(">> s2mel_time: 9")
    path.write_text(text[:cut])
    store = harness.new_store_of(engine, tmp_path)
    harness.run(store, [path])
    (known,) = store.checkpoints()
    assert known.last_logged_at is None
    with store.writing() as writer:
        assert writer.has_many_parts(known, 5) and not writer.has_many_parts(known, 1000)
    monkeypatch.setattr(one_file, "_MOST_CARRIED", 5)
    path.write_text(text)
    harness.run(store, [path], final=True, chunk_bytes=_CHUNK)
    (tmp_path / "whole").mkdir()
    whole = harness.new_store(tmp_path / "whole")
    harness.run(whole, [path], final=True)
    assert walk.differing(walk.dumped(whole), walk.dumped(store)) == []
