"""Scenarios 48-50: schema down and up again, keys never seen, files in any order."""

import json
from pathlib import Path

import pytest

from ingest.stores import migrate
from tests.support import harness
from tests.support.log_writer import Journal, to_bytes
from tests.torture.scene import Scene


def test_48_downgraded_and_upgraded_with_data(scene: Scene) -> None:
    """Below the first revision there are no tables: what was in them comes from the files again."""
    scene.append(scene.journal.mixed(20))
    scene.run()
    migrate.downgrade(scene.store, "base")
    migrate.upgrade(scene.store)
    assert migrate.differences(scene.store) == []
    assert scene.store.checkpoints() == []
    scene.expect_all()


def test_48_upgrading_a_store_that_is_at_head_changes_nothing(scene: Scene) -> None:
    scene.append(scene.journal.mixed(20))
    scene.run(final=True)
    before = harness.dump(scene.store, [scene.path("app.log")])
    scene.ttsq.well("db", "upgrade")
    assert harness.dump(scene.store, [scene.path("app.log")]) == before
    scene.expect_all()


def test_49_a_key_never_seen_before(scene: Scene) -> None:
    scene.append_bytes(
        b'2026-03-02 10:00:00,000 - a - INFO - synthesis_start: id=ts_1, gpu_c=71, mood="a, '
        b'b=c", text="x"\n'
        b"2026-03-02 10:00:01,000 - a - INFO - synthesis_complete: id=ts_1, status=success, "
        b"brand_new=1.5ms\n"
        b"2026-03-02 10:00:02,000 - a - ERROR - never_heard: of=this, id=ts_9\n"
    )
    scene.run(final=True)
    with scene.store.reading() as reader:
        (request,) = reader.query("select attributes from requests where id = 'ts_1'", {}).rows
        (error,) = reader.query("select event, attributes from errors", {}).rows
    expected = {"gpu_c": "71", "mood": "a, b=c", "brand_new": "1.5ms"}
    assert json.loads(str(request[0])) == expected
    assert (error[0], json.loads(str(error[1]))) == ("never_heard", {"of": "this"})


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2), (2, 0, 1)], ids=str)
def test_50_older_files_after_newer_ones_give_the_same_tables(
    scene: Scene, tmp_path: Path, order: tuple[int, ...]
) -> None:
    """Requests lie across the borders of the files."""
    data = to_bytes(scene.journal.requests(9))
    lines = data.splitlines(keepends=True)
    starts = [n for n, line in enumerate(lines) if b" - app.tts - " in line]
    borders = [0, starts[17], starts[33], len(lines)]
    names = [scene.path(f"app.log.{3 - n}") for n in range(3)]
    for n, path in enumerate(names):
        path.write_bytes(b"".join(lines[borders[n] : borders[n + 1]]))
    for n in order:
        harness.run(scene.store, [names[n]], final=True)
    (tmp_path / "other").mkdir()
    other = harness.new_store(tmp_path / "other")
    harness.run(other, names, final=True)
    assert harness.dump(scene.store, names) == harness.dump(other, names)
    scene.expect()
    scene.expect_bytes()


def test_50_the_newer_half_first_then_a_file_before_it(scene: Scene) -> None:
    older, newer = Journal(), scene.journal
    first = to_bytes(newer.requests(6))
    middle = first.index(b"\n", len(first) // 2) + 1
    middle = first.index(b"2026-", middle)
    scene.path("app.log").write_bytes(first[middle:])
    scene.run()
    scene.path("app.log.1").write_bytes(first[:middle])
    scene.run()
    assert not older.made
    scene.expect_all()
