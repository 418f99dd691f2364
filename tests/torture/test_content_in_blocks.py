"""What is stored is recognised in every block of a file that is looked at in several."""

from pathlib import Path

import pytest

from ingest.pipeline import asked_content, look
from ingest.pipeline.asked_content import Asked
from ingest.rows.content import Group, Hashes
from tests.support import harness
from tests.support.truth import make_truth


def test_groups_are_found_whether_asked_for_block_by_block_or_fetched_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose beginning is new has a stored one behind it."""
    monkeypatch.setattr(look, "_BLOCK_BYTES", 20_000)
    first, second = make_truth(3, 400, files=2).files
    assert len(second) > 3 * 20_000
    old, archive = tmp_path / "old.log", tmp_path / "archive.log"
    old.write_bytes(first)
    archive.write_bytes(second + first)
    marked, found = Asked.marked, list[list[Group]]()

    def noted(asked: Asked, hashes: Hashes) -> list[Group]:
        groups = marked(asked, hashes)
        found.append(groups)
        return groups

    monkeypatch.setattr(Asked, "marked", noted)
    by_way = []
    for most_marks in (0, 100_000):
        monkeypatch.setattr(asked_content, "_MOST_MARKS", most_marks)
        (tmp_path / str(most_marks)).mkdir()
        store = harness.new_store(tmp_path / str(most_marks))
        harness.run(store, [old], final=True)
        found.clear()
        report = harness.run(store, [archive], final=True)
        assert report.ledger.already_stored_bytes >= 0.99 * len(first)
        by_way.append(list(found))
    assert by_way[0] == by_way[1]
    assert any(by_way[0][3:])
