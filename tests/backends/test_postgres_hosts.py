"""Many hosts ingest at once into one PostgreSQL store, as processes that are killed at random: each
row is there once.
"""

import os
import random
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from ingest.stores.postgres.store import PostgresStore
from ingest.tasks.demo import write_demo
from tests.support import harness, postgres_server
from tests.support.fault_machine import KILLED, begun_in_child, waited

_HOSTS = 6
_LIVES = 4  # processes of a host that are killed; the next one may end
_CHUNK_BYTES = 40_000
_REQUESTS = 150


def _logs(folder: Path, host: int) -> list[Path]:
    now = datetime(2026, 3, 2 + host % 3, tzinfo=UTC)
    return list(
        write_demo(folder / f"h{host}", now=now, requests=_REQUESTS, seed=host, tz="UTC").files
    )


def _ingest(url: str, paths: list[Path], host: int) -> None:
    store = PostgresStore(url)
    harness.run(store, paths, final=True, chunk_bytes=_CHUNK_BYTES, host=f"h{host}")


def test_hosts_ingest_at_once_and_are_killed_at_random(tmp_path: Path) -> None:
    logs = [_logs(tmp_path, host) for host in range(_HOSTS)]
    apart = [postgres_server.new_url() for _ in range(_HOSTS)]
    begin = time.monotonic()
    for host, url in enumerate(apart):
        _ingest(url, logs[host], host)
    seconds = (time.monotonic() - begin) / _HOSTS
    url = postgres_server.new_url()
    chance = random.Random(11)
    lives = dict.fromkeys(range(_HOSTS), 0)
    running: dict[int, int] = {}
    killed = 0
    while lives:
        for host in lives.keys() - running.keys():
            running[host] = begun_in_child(lambda h=host: _ingest(url, logs[h], h), None)  # type: ignore[misc]
        # every host waits for its turn to be killed: so long that most are at work then
        time.sleep(chance.uniform(0, seconds / 4))
        host = chance.choice(sorted(running))
        if lives[host] < _LIVES:
            os.kill(running[host], signal.SIGKILL)
        ended = waited(running.pop(host))
        lives[host] += 1
        killed += ended == KILLED
        assert ended in (0, KILLED)
        if lives[host] > _LIVES:
            assert ended == 0
            del lives[host]
    assert killed >= _HOSTS
    together = _by_host(url, [p for paths in logs for p in paths])
    for host in range(_HOSTS):
        alone = _by_host(apart[host], logs[host])
        assert together[f"h{host}"] == alone[f"h{host}"]
        assert len(alone[f"h{host}"]["requests"]) > _REQUESTS // 2
    with PostgresStore(url).reading() as reader:
        told = reader.query("select distinct status from ingest_runs where status = 'running'", {})
        keys = reader.query("select count(*), count(distinct file_key) from log_files", {}).rows
    assert told.rows == []
    assert keys == [(3 * _HOSTS, 3 * _HOSTS)]


def _by_host(url: str, paths: list[Path]) -> dict[str, harness.Tables]:
    """The rows of each host, with paths in place of the numbers of files."""
    found: dict[str, harness.Tables] = {}
    names = [str(p) for p in paths]
    for table, rows in harness.dump(PostgresStore(url), paths).items():
        for row in rows:
            named = {k: _named(k, v, names) for k, v in row.items()}
            host = row.get("host") or names[int(str(row["file"]))].split("/")[-2]
            found.setdefault(str(host), {}).setdefault(table, []).append(named)
    for tables in found.values():
        for kept in tables.values():
            kept.sort(key=repr)
    return found


def _named(column: str, value: object, names: list[str]) -> object:
    if isinstance(value, tuple):
        return names[value[0]], value[1]
    if column in ("file", "start_file", "end_file") and isinstance(value, int):
        return names[value]
    return value


def test_hosts_that_find_an_empty_database_at_once_make_the_tables_once(tmp_path: Path) -> None:
    server = postgres_server.server()
    url = server.url(server.new_database())
    logs = [_logs(tmp_path, host) for host in range(4)]
    children = [begun_in_child(lambda h=h: _ingest(url, logs[h], h), None) for h in range(4)]  # type: ignore[misc]
    assert [waited(c) for c in children] == [0] * 4
    with PostgresStore(url).reading() as reader:
        hosts = reader.query("select count(distinct host) from requests", {}).rows
    assert hosts == [(4,)]
