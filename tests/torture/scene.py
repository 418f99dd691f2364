"""A folder of log files, a store beside it, and everything that was ever logged."""

import gzip
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ingest.model import RunReport
from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness
from tests.support.command_line import CommandLine
from tests.support.log_writer import Journal, Service, Worker, stored_rows, to_bytes

Records = Sequence[logging.LogRecord]


class Scene:
    """Logs are written, moved and read; in the end each record is stored once and each byte
    accounted for.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "logs"
        self.folder.mkdir()
        self.store: DuckDBStore = harness.new_store(folder)
        self.ttsq = CommandLine(folder)
        self.journal = Journal()
        self._open: list[Service | Worker] = []

    def path(self, name: str) -> Path:
        return self.folder / name

    def append(self, records: Records, name: str = "app.log") -> None:
        """Write records behind what a file holds."""
        self.append_bytes(to_bytes(records), name)

    def append_bytes(self, data: bytes, name: str = "app.log") -> None:
        with self.path(name).open("ab") as file:
            file.write(data)

    def log(self, count: int, name: str = "app.log", pad: int = 0) -> None:
        """Append failures to a file."""
        self.append(self.journal.failures(count, pad), name)

    def service(self, handler: logging.Handler) -> Service:
        """A service in this process, with a handler of Python's."""
        self._open.append(Service(handler))
        return self._open[-1]  # type: ignore[return-value]

    def worker(self, kind: str = "append", name: str = "app.log") -> Worker:
        """A service in a process of its own."""
        self._open.append(Worker(kind, self.path(name)))
        return self._open[-1]  # type: ignore[return-value]

    def rename(self, old: str, new: str) -> None:
        self.path(old).rename(self.path(new))

    def copytruncate(self, copy: str = "app.log.1") -> None:
        """Copy the live file, then cut it to nothing."""
        shutil.copyfile(self.path("app.log"), self.path(copy))
        os.truncate(self.path("app.log"), 0)

    def gzip(self, old: str, new: str) -> None:
        """Compress a file, as gzip(1) with its time, and remove it."""
        status = self.path(old).stat()
        self.path(new).write_bytes(gzip.compress(self.path(old).read_bytes()))
        os.utime(self.path(new), ns=(status.st_atime_ns, status.st_mtime_ns))
        self.path(old).unlink()

    def run(
        self,
        *names: str,
        final: bool = False,
        clean: bool = True,
        chunk: int = 20_000,
        tz: str = "UTC",
    ) -> RunReport:
        """Ingest the files named, or the folder; its ledger adds up; ``clean``: nothing may be
        wrong with the files.
        """
        paths = [self.path(n) for n in names or (".",)]
        report = harness.run(self.store, paths, final=final, chunk_bytes=chunk, tz=tz)
        assert not clean or not report.problems, report.problems
        ledger = report.ledger
        assert report.bytes_read == ledger.settled_bytes + ledger.tail_bytes
        return report

    def expect(self, *, held: int = 0) -> None:
        """All that was logged is stored, once, but for the last ``held`` failures."""
        wrong = stored_rows(self.store).wrong(self.journal.rows(held))
        assert not wrong, wrong

    def expect_all(self, *, lost: int = 0, ignored: int = 0, quarantined: int = 0) -> None:
        """A last run takes what was held back; then all is stored, once, all bytes are accounted
        for, all is at rest.
        """
        self.run(final=True, clean=False)
        self.expect()
        self.expect_bytes(lost=lost, ignored=ignored, quarantined=quarantined)
        again = self.run(final=True, clean=False)
        assert again.ledger.settled_bytes == again.ledger.lost_bytes == 0
        self.expect()

    def expect_bytes(self, *, lost: int = 0, ignored: int = 0, quarantined: int = 0) -> None:
        """The bytes stored are the bytes that were ever logged, but for those that are lost."""
        files = self.store.checkpoints()
        assert sum(c.lost_bytes for c in files) == lost
        assert sum(c.ignored_bytes for c in files) == ignored
        assert sum(c.quarantined_bytes + c.unclaimed_bytes for c in files) == quarantined
        assert sum(c.record_bytes for c in files) == self.journal.size - lost
        for c in files:
            assert c.committed_offset == c.settled_bytes, c

    def close(self) -> None:
        for writer in self._open:
            writer.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A new scene."""
    made = Scene(tmp_path)
    yield made
    made.close()
