"""At which size which engine answers sooner: ``python -m benchmarks.engines 200000 2000000``.

The same rows (:mod:`benchmarks.queries` makes them in DuckDB, five stages a request) are copied
into PostgreSQL and ClickHouse, on this machine. Some named queries, over everything and over the
last day; a table for each number of requests, with the CPU time of all threads of the engine, since
other work on the machine changes that less than the time on the wall.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, timedelta
from pathlib import Path
from statistics import median
from typing import NamedTuple

from benchmarks.postgres import _server_cpu
from benchmarks.queries import BEGAN, EVERYTHING, LAST_DAY, SPAN, make_store
from ingest.named_queries.library import NamedQuery, load_library
from ingest.named_queries.values import bind_values
from ingest.stores.clickhouse.layout import ROWS
from ingest.stores.clickhouse.store import ClickHouseStore
from ingest.stores.contract import Store
from ingest.stores.duckdb.store import DuckDBStore
from ingest.stores.migrate import ensure_head
from ingest.stores.postgres.partitions import PARTITIONED, Partitions
from ingest.stores.postgres.store import PostgresStore
from tests.support import clickhouse_server, postgres_server

TABLES = ("requests", "stage_timings", "errors", "cache_samples")
NAMES = (
    "window_summary", "failure_rate_over_time", "latency_over_time", "failures_by", "error_groups",
    "stage_breakdown", "slow_requests", "cold_starts",
)  # fmt: skip
_TICKS = os.sysconf("SC_CLK_TCK")
_BLOCK = 1 << 20
_MOST_SECONDS = 300  # of one query

Cpu = Callable[[], float]


class Engine(NamedTuple):
    """A filled store, the CPU seconds that its engine has used, and what its rows take on disk."""

    name: str
    store: Store
    cpu: Cpu
    bytes: int


def _own_cpu() -> float:
    used = os.times()
    return used.user + used.system


def _cpu_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def filled(folder: Path, count: int, without: Sequence[str]) -> Iterator[list[Engine]]:
    """The same rows in all engines."""
    duck = make_store(folder / "bench.duckdb", count)
    found = [Engine("DuckDB", duck, _own_cpu, (folder / "bench.duckdb").stat().st_size)]
    if "clickhouse" not in without:
        found.append(_clickhouse(duck, folder))
    if "postgresql" not in without:
        found.append(_postgres(duck, folder))
    try:
        yield found
    finally:
        for path in folder.iterdir():
            path.unlink()


def _clickhouse(duck: DuckDBStore, folder: Path) -> Engine:
    server = clickhouse_server.server()
    store = ClickHouseStore(server.url(server.new_database()))
    ensure_head(store)
    with store.writing() as writer, store.session("fills") as session:
        version = writer.versions.plan.newest << 6
        for table in TABLES:
            path = folder / f"{table}.parquet"
            _export(duck, f"copy (select *, {version} as version from {table}) to '{path}'")
            with path.open("rb") as file:
                session.client.raw_insert(table + ROWS, None, file, fmt="Parquet")
            path.unlink()
        writer.commit([], None)
    pid = server.process[-1].pid
    return Engine("ClickHouse", store, lambda: _cpu_of(pid), store.upkeep().space().bytes)


def _export(duck: DuckDBStore, sql: str) -> None:
    with duck.session(read_only=True) as connection:
        connection.execute(sql)


def _postgres(duck: DuckDBStore, folder: Path) -> Engine:
    server = postgres_server.server()
    name = server.new_database()
    ensure_head(PostgresStore(server.url(name)))
    days = {BEGAN.date() + timedelta(days=n) for n in range(SPAN.days + 1)}
    with server.connect(name) as connection:
        connection.autocommit = True
        partitions = Partitions(connection, 1)
        partitions.make(partitions.missing({t: set(days) for t in PARTITIONED}))
        for table in TABLES:
            path = folder / f"{table}.csv"
            _export(duck, f"copy {table} to '{path}' (header)")
            with path.open("rb") as file:
                columns = file.readline().decode().strip()
                words = f"copy {table} ({columns}) from stdin (format csv)"
                with connection.cursor().copy(words) as rows:
                    while block := file.read(_BLOCK):
                        rows.write(block)
            path.unlink()
        connection.execute("vacuum analyze")
        connection.execute(f"alter database {name} set statement_timeout = '{_MOST_SECONDS}s'")
        sql = "select pg_database_size(current_database())"
        ((size,),) = connection.execute(sql).fetchall()
    store = PostgresStore(server.url(name))
    return Engine("PostgreSQL", store, lambda: _server_cpu(server), int(str(size)))


def took(engine: Engine, query: NamedQuery, last_day: bool, repeat: int) -> tuple[float, float]:
    """Median wall and CPU milliseconds of a query."""
    given = LAST_DAY if last_day else EVERYTHING
    values = bind_values(query, dict(given), BEGAN + SPAN, UTC)
    walls, used = [], []
    with engine.store.reading() as reader:
        for _ in range(repeat):
            began, before = time.perf_counter(), engine.cpu()
            try:
                reader.query(query.sql, values)
            except Exception as error:
                print(f"{engine.name}, {query.name}: {str(error)[:200]}", file=sys.stderr)
                return float("nan"), float("nan")
            walls.append(time.perf_counter() - began)
            used.append(engine.cpu() - before)
    return median(walls) * 1000, median(used) * 1000


def show(engines: Sequence[Engine], count: int, names: Sequence[str], repeat: int) -> None:
    """A line a query: wall (CPU) milliseconds of each engine, everything and the last day."""
    print(f"\n{count:,} requests, {5 * count:,} stage times")
    for engine in engines:
        print(f"  {engine.name}: {engine.bytes / 1e6:,.0f} MB on disk")
    heads = [f"{e.name} {w}" for e in engines for w in ("all", "day")]
    print("| query | " + " | ".join(heads) + " |")
    print("|---" * (len(heads) + 1) + "|")
    libraries = {e.name: {q.name: q for q in load_library(None, e.store.name)} for e in engines}
    sums = [[0.0, 0.0] for _ in heads]
    for name in names:
        cells = []
        for number, engine in enumerate(engines):
            for last_day in (False, True):
                wall, used = took(engine, libraries[engine.name][name], last_day, repeat)
                place = 2 * number + last_day
                sums[place][0] += wall
                sums[place][1] += used
                cells.append(f"{wall:,.0f} ({used:,.0f})")
        print(f"| `{name}` | " + " | ".join(cells) + " |", flush=True)
    print("| sum | " + " | ".join(f"{w:,.0f} ({u:,.0f})" for w, u in sums) + " |", flush=True)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("requests", type=int, nargs="+")
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--names", nargs="*", default=list(NAMES))
    options.add_argument("--without", nargs="*", default=[], help="clickhouse, postgresql")
    given = options.parse_args()
    for count in given.requests:
        with (
            tempfile.TemporaryDirectory() as name,
            filled(Path(name), count, given.without) as engines,
        ):
            show(engines, count, given.names, given.repeat)
    return 0


if __name__ == "__main__":
    sys.exit(main())
