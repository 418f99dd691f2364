"""A log read in pieces: as it grows from run to run, in chunks of any size, the rows are those of
one read.
"""

import random
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from ingest.faults import POINTS
from ingest.model import RunReport
from ingest.pipeline.options import Options
from ingest.records.formats import compile_format
from ingest.stores.contract import Store
from ingest.tasks.reread.series import reread_series
from tests.real_cases.cases import Case, modified
from tests.support import harness
from tests.support.fault_machine import begun_in_child, waited

TABLES = {
    "requests": ("request_key",),
    "stage_timings": ("file_key", "byte_offset", "stage"),
    "errors": ("error_key",),
    "http_requests": ("http_key",),
    "cache_samples": ("sample_key",),
    "quarantine": ("file_key", "byte_offset"),
}
OPTIONS = Options("h", "s", compile_format(), UTC)
_SHIFT = 40  # of an offset's bits in a key
_LEDGER = "records, quarantined, unclaimed, unclaimed_bytes, record_bytes, encoding"
_FIXED_WHEN_STORED = ("file", "read")  # instants that differ with the time of reading
_INSTANTS = (
    "logged_at",
    "started_at",
    "completed_at",
    "occurred_at",
    "sampled_at",
    "quarantined_at",
)


def whole(case: Case, folder: Path) -> dict[str, list[Any]]:
    """The rows of a case that is read in one go."""
    return in_pieces(case, folder, {})


def in_pieces(
    case: Case, folder: Path, cuts: dict[str, list[int]], chunk: int = 1 << 20
) -> dict[str, list[Any]]:
    """The rows of a case whose logs grow: as many runs as a file has cuts, and a last one that is
    final.
    """
    folder.mkdir(exist_ok=True)
    store = harness.new_store(folder)
    runs = max((len(c) for c in cuts.values()), default=0)
    for number in range(runs + 1):
        paths = []
        for log in case.logs:
            content = log.read_bytes()
            places = cuts.get(log.name, [])
            end = places[number] if number < len(places) else len(content)
            path = folder / log.name
            path.write_bytes(content[:end])
            paths.append(path)
        modified(case, paths, hours=number)
        report = harness.run(store, paths, final=number == runs, tz=case.tz, chunk_bytes=chunk)
        assert not report.problems, report.problems
    return dumped(store)


def random_cuts(case: Case, chosen: random.Random, runs: int) -> dict[str, list[int]]:
    """Places at which a case's logs end when a run reads them: at lines' ends, and within lines."""
    cuts = {}
    for log in case.logs:
        content = log.read_bytes()
        ends = [i + 1 for i, byte in enumerate(content) if byte == 10]
        places = [
            chosen.choice(ends)
            if ends and chosen.random() < 0.7
            else chosen.randrange(len(content))
            for _ in range(runs)
        ]
        cuts[log.name] = sorted(max(1, place) for place in places)
    return cuts


def dumped(store: Store, files: dict[int, str] | None = None) -> dict[str, list[Any]]:
    """All rows with what they hold, and the ledger; files by their names, instants only where they
    come from the log. ``files`` has names of one's own.
    """
    tables: dict[str, list[Any]] = {}
    names = files or {c.file_key: Path(c.path).name for c in store.checkpoints()}
    with store.reading() as reader:
        for table in TABLES:
            answer = reader.query(f"select * from {table}", {})
            rows = [
                _comparable(dict(zip(answer.columns, row, strict=True)), names)
                for row in answer.rows
            ]
            tables[table] = sorted(rows, key=lambda row: _place(row, TABLES[table]))
        answer = reader.query(f"select file_key, {_LEDGER} from log_files", {})
        rows = [(names[key], *row) for key, *row in answer.rows if key in names]
        tables["log_files"] = sorted(rows, key=repr)
    return tables


def _place(row: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    return [f"{row[name]!s:>60}" for name in names]


def _comparable(row: dict[str, Any], files: dict[int, str]) -> dict[str, Any]:
    row.pop("quarantined_at", None)
    for name, value in row.items():
        if name.endswith("file_key") and value is not None:
            row[name] = files[value]
        elif name.endswith("_key") and value is not None:
            row[name] = f"{files[value >> _SHIFT]} {value & ((1 << _SHIFT) - 1):>12}"
    unsure = row.get("time_source", "file") in _FIXED_WHEN_STORED
    for name in _INSTANTS:
        if isinstance(row.get(name), datetime):
            row[name] = None if unsure else row[name].astimezone(UTC)
    return row


def differing(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> list[str]:
    """What two dumps differ in, in words."""
    told = []
    for table, rows in one.items():
        if len(rows) != len(other[table]):
            told.append(f"{table}: {len(rows)} rows, {len(other[table])} in pieces")
            continue
        for a, b in zip(rows, other[table], strict=True):
            if a == b:
                continue
            if isinstance(a, dict):
                told += [f"{table} {k}: {a[k]!r}, {b[k]!r} in pieces" for k in a if a[k] != b[k]]
            else:
                told.append(f"{table}: {a}, {b} in pieces")
    return told


def rotated(
    lines: list[bytes],
    name: str,
    numbered: bool,
    folder: Path,
    chosen: random.Random,
    often: float,
    *,
    killed: bool = False,
    some: bool = False,
    engine: str = "duckdb",
) -> dict[str, list[Any]]:
    """The rows of a log that is rotated while it is written, read after some of its lines.

    ``often``: how likely a run is behind a line; 0: one run reads what is there at the end.
    ``killed``: some point of the flow ends the process of such a run, if it gets there. ``some``:
    such a run sees a part of the files only. The places of rotation are
    the same for the same ``lines``.
    """
    folder.mkdir()
    store = harness.new_store_of(engine, folder)
    live, moved = folder / name, 0
    places = set(random.Random(len(lines)).sample(range(1, len(lines)), 3))
    for number, line in enumerate(lines):
        if number in places:
            moved += 1
            _move(live, numbered, moved)
        with live.open("ab") as file:
            file.write(line)
        if chosen.random() < often and killed:
            fault = f"{chosen.choice(POINTS)}:{chosen.randint(1, 3)}"
            chunk = chosen.choice((97, 700, 1 << 20))
            run = partial(harness.run, store, [folder / f"{name}*"], chunk_bytes=chunk)
            ended = waited(begun_in_child(run, fault))
            assert ended in (0, -9), "a run that was not killed has not ended well"
        elif chosen.random() < often:
            _read(store, _of(folder, name, chosen) if some else [folder / f"{name}*"])
    for path in _of(folder, name, chosen) if some else ():
        _read(store, [path])
    _read(store, [folder / f"{name}*"], final=True)
    return dumped(store)


def _of(folder: Path, name: str, chosen: random.Random) -> list[Path]:
    """Some of a log's files, in any order."""
    paths = sorted(folder.glob(f"{name}*"))
    return chosen.sample(paths, chosen.randint(1, len(paths)))


def _read(store: Store, paths: list[Path], *, final: bool = False) -> None:
    report = read(store, paths, final=final)
    assert not report.problems, report.problems


def read(
    store: Store,
    paths: list[Path],
    *,
    final: bool = False,
    wait_seconds: float = 10.0,
    chunk_bytes: int = 1 << 20,
    batch_chunks: int = 1,
) -> RunReport:
    """A run, and what the command does behind it: files read anew that go on with a later read."""
    report = harness.run(
        store, paths, final=final, wait_seconds=wait_seconds, chunk_bytes=chunk_bytes,
        batch_chunks=batch_chunks,
    )  # fmt: skip
    if report.anew:
        options = OPTIONS._replace(final=final, wait_seconds=wait_seconds)
        again = reread_series(store, report.anew, options, now=lambda: datetime.now(UTC))
        assert not again.problems, again.problems
    return report


def _move(live: Path, numbered: bool, moved: int) -> None:
    if not numbered:
        live.rename(live.with_name(f"{live.name}.20260302-10{moved:02}00"))
        return
    for number in range(moved, 0, -1):
        old = live.with_name(f"{live.name}.{number - 1}") if number > 1 else live
        old.rename(live.with_name(f"{live.name}.{number}"))
