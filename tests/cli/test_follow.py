"""``ttsq ingest --follow``: real processes, real rotation, the service manager's socket."""

import json
import logging
import logging.handlers
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from ingest.cli.commands.follow import Follower
from ingest.cli.process.systemd import ServiceManager
from ingest.errors import StoreError, TtsqError
from ingest.stores.duckdb.store import DuckDBStore
from tests.support.command_line import CommandLine, lines

_SECONDS = 60.0  # nothing here takes so long


@pytest.fixture
def ttsq(tmp_path: Path) -> CommandLine:
    return CommandLine(tmp_path)


@contextmanager
def following(ttsq: CommandLine, *words: str, **env: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that follows; killed in the end if it is still there."""
    with (ttsq.folder / "out").open("w") as out, (ttsq.folder / "err").open("w") as err:
        command = [sys.executable, "-m", "ingest", "ingest", "--follow", "--every", "0.1", *words]
        process = subprocess.Popen(
            command, cwd=ttsq.folder, env=ttsq.environment | env, stdout=out, stderr=err, text=True
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(met: Callable[[], bool], process: "subprocess.Popen[str]") -> None:
    """Wait for something that the process does."""
    deadline = time.monotonic() + _SECONDS
    while not met():
        assert process.poll() is None, "it has ended"
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def stored(ttsq: CommandLine) -> list[str]:
    """The ids in the store, each as often as it stands there."""
    if not ttsq.store.exists():
        return []
    try:
        with DuckDBStore(ttsq.store).reading() as reader:
            return [str(i) for (i,) in reader.query("select id from requests order by 1", {}).rows]
    except StoreError:
        return []  # made just now


def ended(process: "subprocess.Popen[str]", number: signal.Signals) -> int:
    process.send_signal(number)
    return process.wait(_SECONDS)


def test_what_is_written_is_stored_at_once_through_rotation(ttsq: CommandLine) -> None:
    handler = logging.handlers.RotatingFileHandler(
        ttsq.folder / "app.log", maxBytes=4000, backupCount=50
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    with following(ttsq, ".") as process:
        for i in range(60):
            for line in lines(i, 1).splitlines():
                handler.emit(logging.makeLogRecord({"msg": line}))
            if i % 20 == 5:  # no more than the last record is held back
                until(lambda n=i: len(stored(ttsq)) >= n, process)  # type: ignore[misc]
        until(lambda: len(stored(ttsq)) == 60, process)
        assert ended(process, signal.SIGTERM) == -signal.SIGTERM
    assert (ttsq.folder / "err").read_text() == (
        "ttsq: interrupted; what was committed stays, the rest comes next time\n"
    )
    told = (ttsq.folder / "out").read_text().splitlines()
    assert all(" records " in line and "app.log" in line for line in told) and told
    ttsq.well("ingest", ".", "--final")
    assert stored(ttsq) == sorted(f"ts_{i}" for i in range(60))
    ttsq.well("verify")


def test_ctrl_c_ends_it_as_other_commands(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 3))
    with following(ttsq, "app.log", "--json") as process:
        until(lambda: (ttsq.folder / "out").read_text().endswith("\n"), process)
        assert ended(process, signal.SIGINT) == 130
    (run,) = [json.loads(line) for line in (ttsq.folder / "out").read_text().splitlines()]
    assert run["records"] == 11
    assert run["rows"]["errors"] == 3


def test_a_file_that_is_not_there_yet_is_waited_for(ttsq: CommandLine) -> None:
    with following(ttsq, "app.log") as process:
        until(lambda: "does not exist" in (ttsq.folder / "err").read_text(), process)
        time.sleep(0.5)
        (ttsq.folder / "app.log").write_text(lines(0, 3))
        until(lambda: len(stored(ttsq)) == 3, process)
    assert (ttsq.folder / "err").read_text().count("does not exist") == 1


def test_a_store_that_others_hold_is_tried_again(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 3))
    with (
        DuckDBStore(ttsq.store).ingesting(1),
        following(ttsq, "app.log", "--wait", "0") as process,
    ):
        until(lambda: "another ingest" in (ttsq.folder / "err").read_text(), process)
        assert process.poll() is None
        running = process
        # the lock is let go at the end of this block, the process with it
        time.sleep(0.5)
        assert (ttsq.folder / "err").read_text().count("another ingest") == 1
    assert running.returncode is not None
    with following(ttsq, "app.log", "--wait", "0") as process:
        until(lambda: len(stored(ttsq)) == 3, process)


def test_an_open_reader_delays_it_only(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 3))
    ttsq.well("ingest", "app.log")
    with following(ttsq, "app.log") as process:
        with duckdb.connect(str(ttsq.store), read_only=True):
            with (ttsq.folder / "app.log").open("a") as log:
                log.write(lines(3, 3))
            time.sleep(0.5)
            assert process.poll() is None
        until(lambda: len(stored(ttsq)) == 6, process)


def test_the_service_manager_is_told(ttsq: CommandLine) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 3))
    address = ttsq.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(_SECONDS)
        with following(
            ttsq, "app.log", NOTIFY_SOCKET=str(address), WATCHDOG_USEC="400000"
        ) as process:
            told = [manager.recv(4096).decode()]
            assert told == ["READY=1"]
            while told.count("WATCHDOG=1") < 5:
                told.append(manager.recv(4096).decode())
            process.send_signal(signal.SIGTERM)
            while told[-1] != "STOPPING=1":
                told.append(manager.recv(4096).decode())
            assert process.wait(_SECONDS) == -signal.SIGTERM


def test_an_abstract_address_is_one(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{tmp_path}")
        manager.settimeout(5)
        told = ServiceManager({"NOTIFY_SOCKET": f"@{tmp_path}"})
        told.status("two\nlines")
        assert manager.recv(100) == b"STATUS=two lines"
    told.ready()  # nobody listens any more
    ServiceManager({}).ready()


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "3000000"}, 1.5),
        ({"WATCHDOG_USEC": "3000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_how_often_it_must_be_alive(environment: dict[str, str], seconds: float | None) -> None:
    assert ServiceManager(environment).alive_seconds == seconds


def test_a_store_that_fails_for_long_ends_it(tmp_path: Path) -> None:
    (tmp_path / "app.log").write_text("x\n")
    tries = []

    def run() -> bool:
        tries.append(1)
        raise StoreError("the store is gone", "bring it back")

    follower = Follower([str(tmp_path)], run, lambda: None, 0.0001, ServiceManager({}))
    with pytest.raises(TtsqError, match="the store is gone"):
        follower.follow()
    assert len(tries) == 10


def test_the_copy_for_readers_is_made_at_most_once_a_minute(tmp_path: Path) -> None:
    clock, published, runs = [0.0], [], []

    class End(Exception):
        pass

    def run() -> bool:
        runs.append(clock[0])
        return True

    class Manager(ServiceManager):
        def alive(self) -> None:
            clock[0] += 5
            (tmp_path / "app.log").write_text(f"{clock[0]}\n" * int(clock[0]))
            if clock[0] > 200:
                raise End

    follower = Follower(
        [str(tmp_path)], run, lambda: published.append(clock[0]), 0.0, Manager({}), lambda: clock[0]
    )
    (tmp_path / "app.log").write_text("x\n")
    with pytest.raises(End):
        follower.follow()
    assert len(runs) > 30
    assert published == [0, 60, 120, 180]


@pytest.mark.parametrize("words", [("--final",), ("--dry-run",), ("--every", "0")])
def test_what_it_does_not_go_with(ttsq: CommandLine, words: tuple[str, ...]) -> None:
    (ttsq.folder / "app.log").write_text(lines(0, 1))
    assert ttsq("ingest", "--follow", "app.log", *words).code == 2
    assert not ttsq.store.exists()
