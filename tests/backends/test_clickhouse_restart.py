"""A ClickHouse server that restarts, goes, or is cut off in the middle of an ingest."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.errors import StoreError
from ingest.stores import migrate
from ingest.stores.clickhouse.store import ClickHouseStore
from tests.support import clickhouse_server, harness
from tests.support.command_line import CommandLine
from tests.support.fault_machine import hooked
from tests.support.log_writer import Journal, stored_rows, to_bytes

_CHUNK = 5000  # bytes: some commits a file


class _Scene:
    """Two logs, and a store on a server of its own."""

    def __init__(self, folder: Path) -> None:
        self.server = clickhouse_server.make_server()
        self.store = ClickHouseStore(self.server.url("store"))
        migrate.ensure_head(self.store)
        self.journal = Journal()
        self.paths = [folder / "app.log.1", folder / "app.log"]
        for path in self.paths:
            path.write_bytes(to_bytes(self.journal.mixed(30)))

    def restart(self) -> None:
        self.server.stop()
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


@pytest.mark.parametrize("point", ["known", "begun", "inserted", "before_commit", "before_finish"])
def test_a_restart_in_the_middle_is_named_or_not_noticed(scene: _Scene, point: str) -> None:
    with hooked(point, 1 if point in ("known", "before_finish") else 2, scene.restart):
        report = harness.run(scene.store, scene.paths, final=True, chunk_bytes=_CHUNK)
    assert all("cannot use the store" in p.message for p in report.problems)
    scene.expect_all_once()


def test_of_a_server_that_stays_away_the_next_run_goes_on(scene: _Scene) -> None:
    with hooked("rows_in", 3, scene.server.stop), pytest.raises(StoreError) as caught:
        harness.run(scene.store, scene.paths, final=True, chunk_bytes=_CHUNK)
    assert caught.value.exit_code == 4
    scene.server.start()
    assert sum(c.committed_offset for c in scene.store.checkpoints()) > 0
    assert not harness.run(scene.store, scene.paths, final=True, chunk_bytes=_CHUNK).problems
    scene.expect_all_once()


def test_an_answer_that_is_cut_off_is_one_sentence(tmp_path: Path) -> None:
    """The driver logs it, too."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_cut_off, args=(listening,), daemon=True).start()
        url = f"clickhousedb://127.0.0.1:{listening.getsockname()[1]}/store"
        ended = CommandLine(tmp_path)("--db", url, "status")
    assert ended.code == 4
    assert ended.err.startswith("ttsq: error: cannot connect to")


def _cut_off(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n26.9")
