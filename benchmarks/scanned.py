"""One pass of scanner and converters over the fixed log, for a profiler.

``python -m benchmarks.scanned FILE`` reads a real service's log instead, chunk by chunk as a run
does.
"""

import sys
from datetime import UTC
from pathlib import Path

from benchmarks.fixed_log import fixed_log
from ingest.model import Origin
from ingest.pipeline.profiles import profiles
from ingest.records.chunks import ChunkReader
from ingest.records.formats import Format, compile_format
from ingest.records.front import FrontParser
from ingest.records.parse import Parser
from ingest.rows.assemble import build

INPUT_BYTES = 1_000_000
_ORIGIN = Origin(1, "host", "tts")


class Pass:
    """Scans the same bytes again and again, as a run scans a chunk."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._format: Format = compile_format()
        self._parser = Parser(self._format, UTC)

    def once(self) -> int:
        """Bytes to records, records to rows; how many records."""
        parsed = self._parser.parse(
            self._data, base=0, final=True, last_instant=None, fallback_instant=0
        )
        build(parsed, self._format, _ORIGIN, {})
        return parsed.ledger.records


def read_service(log: Path) -> int:
    """A real service's log to rows; how many of requests, or of parts of them."""
    fmt, carry, parts = compile_format(), dict[str, int](), 0
    with log.open("rb") as file:
        parser = FrontParser(fmt, UTC, profiles(None), head=file.read(1024))
        file.seek(0)
        for parsed in ChunkReader(parser, file.read, 0, True, None, 0):
            rows, carry = build(parsed, fmt, _ORIGIN, carry)
            parts += rows.parts.num_rows
    return parts


if __name__ == "__main__":
    if len(sys.argv) > 1:
        read_service(Path(sys.argv[1]))
    else:
        Pass(fixed_log(INPUT_BYTES)).once()
