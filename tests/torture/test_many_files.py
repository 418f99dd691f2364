"""Very many small files: together in few commits, whatever order, and each once."""

from pathlib import Path

import pytest

from ingest.logfiles import known as checkpoints
from tests.support import harness
from tests.support.fault_machine import counting
from tests.support.log_writer import Journal, to_bytes

_FILES = 60


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files in which requests begin, and others in which they end; every tenth of them has a copy."""  # noqa: E501
    folder = tmp_path_factory.mktemp("many")
    journal = Journal()
    for number in range(_FILES):
        lines = to_bytes(journal.mixed(2)).splitlines(keepends=True)
        cut = next(n for n in range(len(lines) // 2, 0, -1) if lines[n][:2] == b"20")
        (folder / f"a{number:03}.log").write_bytes(b"".join(lines[:cut]))
        (folder / f"b{number:03}.log").write_bytes(b"".join(lines[cut:]))
        if number % 10 == 0:
            (folder / f"copy{number:03}.log").write_bytes(b"".join(lines[cut:]))
    return folder


def _stored(logs: Path, folder: Path) -> harness.Tables:
    folder.mkdir()
    store = harness.new_store(folder)
    report = harness.run(store, [logs], final=True)
    assert not report.problems
    assert report.bytes_read == report.ledger.settled_bytes
    files = store.checkpoints()
    assert sum(c.record_bytes for c in files) == report.ledger.record_bytes
    assert {c.state for c in files} == {"finished"}
    assert not harness.run(store, [logs], final=True).ledger.settled_bytes
    return harness.dump(store, sorted(logs.iterdir()))


def test_small_files_are_stored_together_as_one_by_one(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with counting() as passed:
        together = _stored(logs, tmp_path / "together")
    assert passed.times["committed"] < 15  # every copy is known by what is stored
    assert len(together["requests"]) > _FILES // 2
    with monkeypatch.context() as patch:
        patch.setattr("ingest.pipeline.one_file.SMALL_BYTES", -1)
        patch.setattr("ingest.pipeline.commits.COMMIT_BYTES", 1)
        with counting() as passed:
            single = _stored(logs, tmp_path / "single")
    assert passed.times["committed"] > _FILES
    assert single == together


def test_first_bytes_that_were_forgotten_are_read_anew(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = _stored(logs, tmp_path / "kept")
    monkeypatch.setattr(checkpoints, "_MOST_HEAD_BYTES", 1000)
    assert _stored(logs, tmp_path / "forgotten") == expected
