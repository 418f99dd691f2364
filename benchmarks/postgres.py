"""PostgreSQL: a first ingest beside COPY of the same finished rows by itself."""

import os
import shutil
import time
from pathlib import Path

import psycopg

from benchmarks.bench import Bench
from benchmarks.measure import Command, Figures, Taken, run, ttsq
from benchmarks.report import Row, Section, judged, ratio
from tests.support import postgres_server

TIMES = 1.3
MAX_ROUNDS = 3
BLOCK = 1 << 20
TABLES = ("requests", "stage_timings", "errors", "cache_samples")
_MEMORY, _ROOM = Path("/dev/shm"), 4  # times the log's bytes
_TICKS = os.sysconf("SC_CLK_TCK")  # of /proc/PID/stat, a second
FIRST, COPY = "ttsq: first ingest into PostgreSQL", "COPY of the same rows, binary"


def section(bench: Bench) -> Section:
    """Both, in turn, each into a database of its own."""
    place = _place(bench)
    server = postgres_server.make_server(place)
    try:
        return _section(bench, server, "on disk" if place is None else f"in memory ({place})")
    finally:
        server.remove()


def _place(bench: Bench) -> Path | None:
    """Where the server's files go: to memory where there is room for both databases.

    Both sides are bound by the processor; but a disk on which thousands of files were deleted a
    moment ago, as this does for the round before, makes new ones slowly (ext4), and a first ingest
    makes 26 a day of the log.
    """
    try:
        free = shutil.disk_usage(_MEMORY).free
    except OSError:
        return None
    return _MEMORY if free > _ROOM * bench.logs.plain_bytes else None


def _section(bench: Bench, server: postgres_server.Server, where: str) -> Section:
    ingests, copies = [], []
    for number in range(min(bench.rounds, MAX_ROUNDS)):
        bench.progress(f"round {number + 1}: {FIRST}")
        filled = server.new_database()
        ingests.append(_ingest(bench, server, filled))
        bench.progress(f"round {number + 1}: {COPY}")
        files = _copied_out(server, filled, bench.folder)
        empty = server.new_database(template=filled)
        copies.append(_copied_in(server, empty, files))
        with server.connect() as connection:
            for name in (filled, empty):
                connection.execute(f"drop database {name}")
    ours, copy = Taken(tuple(ingests)), Taken(tuple(copies))
    times = ours.wall / copy.wall
    verdict = judged("at most 1.3 × COPY", ratio(times, 1), times <= TIMES)
    rows = (
        Row(FIRST, ours, bench.megabytes, f"{ratio(times, 1)} COPY", verdict),
        Row(COPY, copy, bench.megabytes),
    )
    version = server.connect().info.parameter_status("server_version")
    return Section(
        "PostgreSQL",
        rows,
        (
            f"server {version} on this machine, its files {where}, fsync off, both sides "
            "alike; CPU includes the server's, peak memory is ttsq's alone",
            f"COPY goes into {', '.join(TABLES)} of the same schema, partitions and indexes "
            "there and empty, one transaction; "
            "first ingest makes the schema, too",
        ),
    )


def _ingest(bench: Bench, server: postgres_server.Server, database: str) -> Figures:
    words = ("--db", server.url(database), "ingest", str(bench.logs.plain))
    before = _server_cpu(server)
    figures, _ = run(Command(FIRST, ttsq(*words)))
    return Figures(figures.wall, figures.cpu + _server_cpu(server) - before, figures.peak_mb)


def _copied_out(server: postgres_server.Server, database: str, folder: Path) -> dict[str, Path]:
    """The finished rows of each table in a file, as COPY writes them."""
    files = {table: folder / f"{table}.copy" for table in TABLES}
    with server.connect(database) as connection, connection.cursor() as cursor:
        for table, path in files.items():
            query = f"copy (select * from {table}) to stdout (format binary)"
            with path.open("wb") as file, cursor.copy(query) as rows:
                for block in rows:
                    file.write(block)
    return files


def _copied_in(server: postgres_server.Server, database: str, files: dict[str, Path]) -> Figures:
    """Empty the tables, then copy the rows in; what that copying took."""
    with server.connect(database) as connection:
        connection.execute(f"truncate {', '.join(TABLES)}")
        connection.execute("checkpoint")
        before, began = _server_cpu(server), time.perf_counter()
        with connection.transaction(), connection.cursor() as cursor:
            for table, path in files.items():
                _copy(cursor, table, path)
        wall = time.perf_counter() - began
    return Figures(wall, _server_cpu(server) - before, 0)


def _copy(cursor: "psycopg.Cursor[tuple[object, ...]]", table: str, path: Path) -> None:
    query = f"copy {table} from stdin (format binary)"
    with path.open("rb") as file, cursor.copy(query) as rows:
        while block := file.read(BLOCK):
            rows.write(block)


def _server_cpu(server: postgres_server.Server) -> float:
    """CPU seconds of the server's processes: those that are gone count with their parent."""
    postmaster = server.process[-1].pid
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        is_postmaster = int(stat.parent.name) == postmaster
        if is_postmaster or int(fields[1]) == postmaster:
            total += sum(map(int, fields[11:15] if is_postmaster else fields[11:13]))
    return total / _TICKS
