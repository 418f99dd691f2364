"""A file that has its content more than once when it is seen first: it is stored once."""

import gzip
from collections import Counter

import pytest

from ingest import faults
from tests.support.log_writer import to_bytes
from tests.torture.scene import Scene


@pytest.mark.parametrize("times", [2, 3])
@pytest.mark.parametrize("name", ["app.log", "app.log.1.gz"])
@pytest.mark.parametrize("chunk", [700, 20_000])
def test_it_is_stored_once_and_what_follows_is_read(
    scene: Scene, times: int, name: str, chunk: int
) -> None:
    """What a service says when it starts names no request: it may say that twice."""
    data = to_bytes(scene.journal.failures(10) + scene.journal.requests(12))
    new = to_bytes(scene.journal.requests(4) + scene.journal.failures(2))
    pack = gzip.compress if name.endswith(".gz") else bytes
    scene.path(name).write_bytes(pack(data) * times + pack(new))
    report = scene.run(final=True, chunk=chunk)
    assert report.ledger.already_stored_bytes == len(data) * (times - 1)
    assert report.bytes_read == len(data) * times + len(new)
    assert [file.path for file in report.files] == [str(scene.path(name))]
    scene.expect()
    again = scene.run(final=True, chunk=chunk)
    assert again.ledger.settled_bytes == 0


def test_a_run_that_ends_between_the_copies_is_gone_on_with(scene: Scene) -> None:
    data = to_bytes(scene.journal.requests(20))
    scene.append_bytes(data * 2 + to_bytes(scene.journal.failures(3)))
    with pytest.raises(KeyboardInterrupt), faults.armed("proved:2:interrupt"):
        scene.run(final=True)
    report = scene.run(final=True)
    assert report.ledger.already_stored_bytes == len(data)
    scene.expect()


def test_every_line_written_by_two_handlers_is_no_second_copy(scene: Scene) -> None:
    """Nothing tells such lines from those of two workers: they are stored as they stand there."""
    lines = to_bytes(scene.journal.requests(12)).splitlines(keepends=True)
    scene.append_bytes(b"".join(line * 2 for line in lines))
    report = scene.run(final=True)
    assert report.ledger.already_stored_bytes == 0
    assert _starts(scene) == {2}


def test_two_workers_that_begin_with_the_same_lines_say_them_both(scene: Scene) -> None:
    """What they say names no request."""
    line = b"2026-03-02 10:00:0%d,000 - app - ERROR - no model %d\n"
    begun = b"".join(line % (n, n) for n in range(9))
    scene.append_bytes(begun + begun)
    report = scene.run(final=True)
    assert report.ledger.already_stored_bytes == 0


def _starts(scene: Scene) -> set[int]:
    with scene.store.reading() as reader:
        rows = reader.query("select id from requests where start_offset is not null", {}).rows
    return set(Counter(str(i) for (i,) in rows).values())
