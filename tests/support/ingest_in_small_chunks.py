"""A process to kill: ingests a folder with many small commits; prints ``begin`` and ``end``."""

import sys
from pathlib import Path

from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness

CHUNK_BYTES = 60_000


def main(store: str, folder: str) -> None:
    """Ingest all of a folder into a store."""
    print("begin", flush=True)
    harness.run(DuckDBStore(Path(store)), [Path(folder)], final=True, chunk_bytes=CHUNK_BYTES)
    print("end", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
