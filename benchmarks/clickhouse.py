"""Times every named query on ClickHouse, and what several hosts store at once:
``python -m benchmarks.clickhouse --requests 20000000 --shards 2``.

:mod:`benchmarks.clickhouse_rows` says what the rows are. Each query runs with its defaults, over
everything and over the last day, the newest record taken as now; the median of ``--repeat`` runs
counts. Beside the time on the wall stand the CPU time of the servers, all threads, which other work
on the machine changes less, and the most memory that the query took on the server that was asked.
Before that ``--hosts`` processes ingest a log of ``--mb`` megabytes each at once, into a store of
their own. The servers are those of the tests, on this machine; with ``--keep`` what they store
stays in a folder, and the next run finds its rows there.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from unittest.mock import patch

from benchmarks.clickhouse_rows import fill
from benchmarks.engines import _cpu_of
from benchmarks.make_log import make_log
from benchmarks.queries import A_ROW_A_REQUEST, BEGAN, EVERYTHING, LAST_DAY, SPAN
from ingest.errors import TtsqError
from ingest.named_queries.library import NamedQuery, load_library
from ingest.named_queries.values import bind_values
from ingest.stores.clickhouse.reader import ClickHouseReader
from ingest.stores.clickhouse.store import ClickHouseStore
from ingest.stores.migrate import ensure_head
from tests.support import clickhouse_server
from tests.support.clickhouse_server import Server

_FILLED = "filled"  # the database of the rows
_MOST_SECONDS = 600  # of one query


class Took(NamedTuple):
    """What a query took: seconds on the wall and of the servers' CPU, bytes of memory."""

    wall: float
    cpu: float
    memory: float

    def __str__(self) -> str:
        return f"{_short(self.wall)} ({_short(self.cpu)}, {_short(self.memory / 1e9)} GB)"


def _short(value: float) -> str:
    """A number with two or three digits that say something."""
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}" if value >= 0.01 else "0.00"


def servers_of(shards: int, folder: Path | None) -> list[Server]:
    """One server, or two that are the cluster ``two``; what they store is kept in a folder."""
    homes = [folder and folder / f"{shards}-{n + 1}" for n in range(shards)]
    if shards == 1:
        return [clickhouse_server.make_server(home=homes[0])]
    return clickhouse_server.make_shards(homes)


def new_store(servers: Sequence[Server], database: str) -> ClickHouseStore:
    """A migrated store in a database, with what is there already."""
    options = "?cluster=two&" if len(servers) > 1 else "?"
    url = f"{servers[0].url(database)}{options}max_execution_time={_MOST_SECONDS}"
    store = ClickHouseStore(url)
    ensure_head(store)
    return store


def show_sizes(store: ClickHouseStore) -> None:
    """Rows and bytes a row on disk."""
    space = store.upkeep().space()
    for table, (size, rows) in sorted(space.tables.items()):
        if rows:
            print(f"{table:<26}{rows:>14,} rows {size / rows:>8.1f} bytes a row")
    print(f"{'all tables':<26}{space.bytes / 1e6:>14,.1f} MB", flush=True)


def ingest_at_once(
    store: ClickHouseStore, servers: Sequence[Server], hosts: int, megabytes: int
) -> None:
    """Several hosts, a process each."""
    with tempfile.TemporaryDirectory() as name:
        logs = [Path(name) / f"h{n}.log" for n in range(hosts)]
        for number, path in enumerate(logs):
            make_log(path, megabytes * 1_000_000, seed=number + 1)
        began, before, own = time.perf_counter(), _cpu(servers), _children_cpu()
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "ingest", "--db", store._url, "ingest", "--final",
                 "--wait", "60", "--host", path.stem, str(path)],
                stdout=subprocess.DEVNULL, env={**os.environ, "TTSQ_TZ": "UTC"},
            )
            for path in logs
        ]  # fmt: skip
        codes = [process.wait() for process in running]
        seconds = time.perf_counter() - began
    total = hosts * megabytes
    rows = sum(n for _, n in store.upkeep().space().tables.values())
    print(
        f"{hosts} hosts at once, {megabytes} MB each: {seconds:.1f} s, exit codes {codes}, "
        f"{total / seconds:.1f} MB/s, {rows / seconds:,.0f} rows/s; CPU a MB: ingests "
        f"{(_children_cpu() - own) / total * 1000:.0f} ms, "
        f"servers {(_cpu(servers) - before) / total * 1000:.0f} ms"
    )
    show_sizes(store)


def _children_cpu() -> float:
    used = os.times()
    return used.children_user + used.children_system


def _cpu(servers: Sequence[Server]) -> float:
    return sum(_cpu_of(server.process[-1].pid) for server in servers)


def took(
    reader: ClickHouseReader,
    servers: Sequence[Server],
    query: NamedQuery,
    given: Mapping[str, str],
    repeat: int,
) -> Took:
    """Medians of what a query takes."""
    values = bind_values(query, dict(given), BEGAN + SPAN, UTC)
    runs = []
    for _ in range(repeat):
        began, before = time.perf_counter(), _cpu(servers)
        with _memory_of(reader) as told:
            reader.query(query.sql, values)
        wall = time.perf_counter() - began
        runs.append(Took(wall, _cpu(servers) - before, max(told)))
    return Took(*(median(values) for values in zip(*runs, strict=True)))


@contextmanager
def _memory_of(reader: ClickHouseReader) -> Iterator[list[float]]:
    """The most memory that each statement took, as the server says with its answer."""
    client, told = reader._session.client, [0.0]
    query = client.query

    def asked(*given: Any, **more: Any) -> Any:
        answer = query(*given, **more)
        told.append(float(answer.summary.get("memory_usage", 0)))
        return answer

    with patch.object(client, "query", asked):
        yield told


def show_queries(
    store: ClickHouseStore, servers: Sequence[Server], names: Sequence[str], repeat: int
) -> None:
    """A line a query: seconds on the wall (of the CPU, GB of memory) for both windows."""
    print("| query | everything | last day |\n|---|---|---|")
    with store.reading() as reader:
        for query in load_library(None, "clickhouse"):
            if names and query.name not in names:
                continue
            print(f"| `{query.name}` ", end="", flush=True)
            for given in (EVERYTHING, LAST_DAY):
                if query.name in A_ROW_A_REQUEST and given is EVERYTHING:
                    print("| a row a request ", end="")
                    continue
                try:
                    print(f"| {took(reader, servers, query, given, repeat)} ", end="", flush=True)
                except TtsqError as error:
                    print(f"| {error} ", end="", flush=True)
            print("|", flush=True)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=1_000_000)
    options.add_argument("--shards", type=int, choices=(1, 2), default=1)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--hosts", type=int, default=3, help="0: none ingests")
    options.add_argument("--mb", type=int, default=20)
    options.add_argument("--keep", type=Path, help="keep what is stored in this folder")
    options.add_argument("names", nargs="*", help="only these queries")
    given = options.parse_args()
    servers = servers_of(given.shards, given.keep)
    if given.hosts:
        store = new_store(servers, f"hosts{int(time.time())}")
        ingest_at_once(store, servers, given.hosts, given.mb)
    store = new_store(servers, _FILLED)
    if not store.upkeep().space().tables["requests"][1]:
        began = time.perf_counter()
        fill(store, given.requests)
        seconds = timedelta(seconds=round(time.perf_counter() - began))
        print(f"made {given.requests:,} requests with {5 * given.requests:,} stages in {seconds}")
    show_sizes(store)
    show_queries(store, servers, given.names, given.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
