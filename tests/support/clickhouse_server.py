"""A real ClickHouse server for the tests of one process: brought up when first asked for, gone with
the process.

The wheel ``chdb-core`` holds one. It serves, on loopback, as long as the standard input of the
process that it runs in is open: so it dies with its parent.
"""

import atexit
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from ingest.stores import migrate
from ingest.stores.clickhouse.store import ClickHouseStore
from ingest.stores.contract import Store

_START_SECONDS = 60.0
_SERVE = (
    "system start listen http; system start listen tcp; "
    "select count() from file('-', 'LineAsString', 'line String') format Null"
)
_PROGRAM = "import sys; from chdb import _chdb; _chdb.query(sys.argv[1], output_format='TabSeparated', path=sys.argv[2])"  # noqa: E501
_CONFIG = """\
<clickhouse>
  <http_port>{http}</http_port>
  <tcp_port>{tcp}</tcp_port>
  <listen_host>{address}</listen_host>
  <background_pool_size>2</background_pool_size>
  <max_thread_pool_size>200</max_thread_pool_size>
  {more}
</clickhouse>
"""
_numbers = itertools.count(1)


@dataclass
class Server:
    """A server; ``home`` has its configuration and its data."""

    home: Path
    http: int
    tcp: int
    more: str = ""  # of its configuration
    address: str = "127.0.0.1"
    process: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    def url(self, database: str, user: str = "") -> str:
        """Of a store in a database; ``user`` is NAME or NAME:PASSWORD."""
        return f"clickhousedb://{user}{'@' if user else ''}{self.address}:{self.http}/{database}"

    def ask(self, sql: str, database: str = "default") -> str:
        """What a statement gives, as text."""
        address = f"http://{self.address}:{self.http}/?database={database}"
        with urllib.request.urlopen(address, sql.encode()) as answer:
            return str(answer.read().decode())

    def new_database(self) -> str:
        """The name of a database that is not there yet."""
        return f"t{next(_numbers)}"

    def start(self) -> None:
        """Bring the server up, on its data."""
        place = self.home / ".clickhouse-local"
        place.mkdir(parents=True, exist_ok=True)
        config = _CONFIG.format(http=self.http, tcp=self.tcp, more=self.more, address=self.address)
        (place / "config.xml").write_text(config)
        with (self.home / "log").open("ab") as log:
            self.process.append(
                subprocess.Popen(
                    [sys.executable, "-c", _PROGRAM, _SERVE, str(self.home / "data")],
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=log,
                    cwd=self.home,
                    env={**os.environ, "HOME": str(self.home)},
                )
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self.process[-1].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError((self.home / "log").read_text())
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.address}:{self.http}/ping") as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def stop(self, number: int = signal.SIGKILL) -> None:
        """Send the server a signal, and wait until it is gone."""
        process = self.process.pop()
        process.send_signal(number)
        process.wait()
        if process.stdin is not None:
            process.stdin.close()

    def remove(self) -> None:
        """End it at once, and what it has stored."""
        while self.process:
            self.stop()
        shutil.rmtree(self.home, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def make_server(more: str = "", home: Path | None = None) -> Server:
    """A started server of its own; what it stores in a ``home`` that is given stays there."""
    return _started(Server(home or _new_home(), _free_port(), _free_port(), more), home)


def _new_home() -> Path:
    return Path(tempfile.mkdtemp(prefix="ttsq-clickhouse-"))


def _started(server: Server, kept: Path | None) -> Server:
    atexit.register(server.stop if kept else server.remove)
    server.start()
    return server


_SHARD = "<shard><replica><host>{}</host><port>{}</port></replica></shard>"


@cache
def two_shards() -> tuple[Server, Server]:
    """The two shards that this process's tests share."""
    first, second = make_shards((None, None))
    return first, second


def make_shards(homes: Sequence[Path | None]) -> list[Server]:
    """Started servers that are the cluster ``two``, on addresses of their own; what they store in
    homes that are given stays there.

    Both serve HTTP on the same port, as the servers of a cluster do. A server takes 127.0.0.1 with
    its own TCP port for itself, so these differ.
    """
    http = _free_port()
    places = [(f"127.0.0.{n + 1}", _free_port()) for n in range(len(homes))]
    shards = "".join(_SHARD.format(*place) for place in places)
    more = f"<remote_servers><two>{shards}</two></remote_servers>"
    return [
        _started(Server(home or _new_home(), http, tcp, more, address), home)
        for home, (address, tcp) in zip(homes, places, strict=True)
    ]


@cache
def server() -> Server:
    """The server that this process's tests share."""
    return make_server()


def empty_store() -> ClickHouseStore:
    """A store that has a database and nothing in it."""
    name = server().new_database()
    server().ask(f"create database {name}")
    return ClickHouseStore(server().url(name))


def new_url() -> str:
    """The URL of a migrated empty store."""
    url = server().url(server().new_database())
    migrate.ensure_head(ClickHouseStore(url))
    return url


def new_store() -> ClickHouseStore:
    """A migrated empty store."""
    return ClickHouseStore(new_url())


def store_of(database: str) -> ClickHouseStore:
    """The store in a database of the server that the tests share."""
    return ClickHouseStore(server().url(database))


def name_of(store: Store) -> str:
    """The database of such a store."""
    return store.description.rpartition("/")[2]


def copied(database: str) -> str:
    """The name of a new database with all that another one holds."""
    new = server().new_database()
    migrate.ensure_head(store_of(new))
    tables = server().ask(
        f"select name from system.tables where database = '{database}' "
        "and engine <> 'View' and name <> 'alembic_version'"
    )
    for table in tables.split():
        server().ask(f"insert into {new}.{table} select * from {database}.{table}")
    return new
