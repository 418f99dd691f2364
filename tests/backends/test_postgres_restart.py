"""A PostgreSQL server that restarts, or goes, in the middle of an ingest."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import StoreError
from ingest.stores import migrate
from ingest.stores.postgres.store import PostgresStore
from tests.support import harness, postgres_server
from tests.support.fault_machine import hooked
from tests.support.log_writer import Journal, stored_rows, to_bytes

_CHUNK = 5000  # bytes: some commits a file


class _Scene:
    """Two logs, and a store on a server of its own."""

    def __init__(self, folder: Path) -> None:
        self.server = postgres_server.make_server()
        self.store = PostgresStore(self.server.tcp_url("postgres", "postgres"))
        migrate.ensure_head(self.store)
        self.journal = Journal()
        self.paths = [folder / "app.log.1", folder / "app.log"]
        for path in self.paths:
            path.write_bytes(to_bytes(self.journal.mixed(30)))

    def stop(self) -> None:
        """As an administrator does: sessions end at once."""
        self.server.stop(signal.SIGINT)

    def restart(self) -> None:
        self.stop()
        self.server.start()

    def expect_all_once(self) -> None:
        wrong = stored_rows(self.store).wrong(self.journal.rows())  # type: ignore[arg-type]
        assert not wrong, wrong
        assert sum(c.record_bytes for c in self.store.checkpoints()) == self.journal.size


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[_Scene]:
    made = _Scene(tmp_path)
    yield made
    made.server.remove()


@pytest.mark.parametrize("point", ["known", "begun", "rows_in", "before_commit", "before_finish"])
def test_a_restart_in_the_middle_is_named_and_nothing_is_lost(scene: _Scene, point: str) -> None:
    with hooked(point, 1 if point in ("known", "before_finish") else 2, scene.restart):
        report = harness.run(scene.store, scene.paths, final=True, chunk_bytes=_CHUNK)
    (problem,) = report.problems
    assert "connection" in problem.message
    scene.expect_all_once()


def test_of_a_server_that_stays_away_the_next_run_goes_on(scene: _Scene) -> None:
    with hooked("rows_in", 3, scene.stop), pytest.raises(StoreError) as caught:
        harness.run(scene.store, scene.paths, final=True, chunk_bytes=_CHUNK)
    assert caught.value.exit_code == 4
    scene.server.start()
    assert sum(c.committed_offset for c in scene.store.checkpoints()) > 0
    assert not harness.run(scene.store, scene.paths, final=True, chunk_bytes=_CHUNK).problems
    scene.expect_all_once()
