"""A log read in pieces: as it grows from run to run, in chunks of any size, the rows are those of one read."""

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ingest.stores.duckdb.store import DuckDBStore
from tests.real_cases.cases import Case, modified
from tests.support import harness

TABLES = {
    "requests": "request_key",
    "stage_timings": "stage, byte_offset",
    "errors": "byte_offset",
    "http_requests": "byte_offset",
    "cache_samples": "byte_offset",
    "quarantine": "byte_offset",
}
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
    """The rows of a case whose logs grow: as many runs as a file has cuts, and a last one that is final."""
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
        modified(case, paths)
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


def dumped(store: DuckDBStore) -> dict[str, list[Any]]:
    """All rows with what they hold, and the ledger; instants only where they come from the log."""
    tables: dict[str, list[Any]] = {}
    with store.reading() as reader:
        for table, order in TABLES.items():
            answer = reader.query(f"select * from {table} order by {order}", {})
            tables[table] = [
                _comparable(dict(zip(answer.columns, row, strict=True))) for row in answer.rows
            ]
        answer = reader.query(f"select {_LEDGER} from log_files order by path", {})
        tables["log_files"] = [tuple(row) for row in answer.rows]
    return tables


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    row.pop("quarantined_at", None)
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
