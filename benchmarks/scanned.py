"""One pass of scanner and converters over the fixed log, for a profiler."""

from datetime import UTC

from benchmarks.fixed_log import fixed_log
from ingest.model import Origin
from ingest.records.formats import Format, compile_format
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


if __name__ == "__main__":
    Pass(fixed_log(INPUT_BYTES)).once()
