"""Rows a second beside a fixed reference loop in the same process: how busy the machine is hits
both.

Both are timed in CPU seconds, in turn, and the best round of each counts.
"""

import tempfile
import time
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from benchmarks.fixed_log import fixed_log
from benchmarks.scanned import INPUT_BYTES, Pass
from ingest.pipeline.ingest import ingest
from ingest.pipeline.options import Options
from ingest.records.formats import compile_format
from ingest.stores.duckdb.store import DuckDBStore
from ingest.stores.migrate import ensure_head

ROUNDS = 7
REFERENCE_PASSES = 40  # of crc32 over INPUT_BYTES: some 30 ms
SCAN_PASSES = 5
INGEST_BYTES = 8_000_000


def rows_per_reference() -> dict[str, float]:
    """Rows per run of the reference loop: records scanned, and rows of a whole first ingest."""
    data = fixed_log(INPUT_BYTES)
    scanning = Pass(data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "app.log").write_bytes(fixed_log(INGEST_BYTES))
        rounds = []
        for number in range(ROUNDS):
            store = DuckDBStore(folder / f"{number}.duckdb")
            ensure_head(store)
            rounds.append(
                (
                    _rate(lambda: _reference(data)),
                    _rate(lambda: _scanned(scanning)),
                    _rate(partial(_ingested, store, folder / "app.log")),
                )
            )
    reference, scan, whole = (max(rates) for rates in zip(*rounds, strict=True))
    return {"scan": scan / reference, "ingest": whole / reference}


def _rate(work: Callable[[], int]) -> float:
    """What the work counts, a CPU second of all threads."""
    began = time.process_time()
    count = work()
    return count / (time.process_time() - began)


def _reference(data: bytes) -> int:
    for _ in range(REFERENCE_PASSES):
        zlib.crc32(data)
    return 1


def _scanned(scanning: Pass) -> int:
    return sum(scanning.once() for _ in range(SCAN_PASSES))


def _ingested(store: DuckDBStore, log: Path) -> int:
    options = Options(host="host", service="tts", format=compile_format(), tz=UTC, final=True)
    report = ingest(store, [str(log)], options, now=lambda: datetime.now(UTC))
    return sum(report.rows.values())
