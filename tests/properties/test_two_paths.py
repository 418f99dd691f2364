"""The scanner's fast path and the general path give the same records for lines of the format,
however they are cut.
"""

import os
from datetime import UTC

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from ingest.compiled import layout
from ingest.records.chunks import ChunkReader
from ingest.records.formats import compile_format
from ingest.records.front import FrontParser
from ingest.records.general import GeneralParser
from ingest.records.instants import FILE
from ingest.records.parse import ChunkParser, Parsed
from tests.support import strategies
from tests.support.shipped_profiles import shipped

_PROFILE = settings(
    max_examples=int(os.environ.get("TTSQ_EXAMPLES", "40")),
    derandomize="TTSQ_EXAMPLES" not in os.environ,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
_FORMAT = compile_format()


@_PROFILE
@given(strategies.logs(), st.integers(60, 3000))
def test_both_paths_give_the_same_records(data: bytes, chunk: int) -> None:
    note(repr(data))
    front = FrontParser(_FORMAT, UTC, shipped(), head=data[:1024])
    general = GeneralParser(_FORMAT, UTC, shipped(), head=data[:1024])
    assert _read(front, data, chunk) == _read(general, data, len(data) + 1)


def _read(parser: ChunkParser, data: bytes, chunk: int) -> list[object]:
    """What rows are made of, of all records, and the rejects; an instant that only the file tells
    is left out.
    """
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    found: list[object] = []
    for parsed in ChunkReader(parser, read, 0, True, None, 0, chunk_bytes=chunk):
        good = parsed.records[:, layout.R_KIND] <= layout.K_TRACEBACK
        found += [_record(parsed, i) for i in good.nonzero()[0].tolist()]
        found += [(r.byte_offset, r.byte_length, r.reason) for r in parsed.rejects]
    return sorted(found, key=repr)


def _record(parsed: Parsed, i: int) -> object:
    row = [int(v) for v in parsed.records[i]]

    def text(start: int, end: int) -> bytes:
        return bytes(parsed.data[start:end]) if 0 <= start < end else b""

    pairs = [
        (text(p[layout.P_KEY], p[layout.P_KEY_END]), text(p[layout.P_VALUE], p[layout.P_VALUE_END]))
        for p in parsed.pairs[
            row[layout.R_PAIR] : row[layout.R_PAIR] + row[layout.R_PAIRS]
        ].tolist()
    ]
    begin = row[layout.R_TRACEBACK]
    known = parsed.time_source[i] != FILE
    return (
        int(parsed.starts[i]),
        row[layout.R_LEVEL],
        row[layout.R_EVENT],
        text(row[layout.R_NAME], row[layout.R_NAME_END]),
        text(row[layout.R_MSG], row[layout.R_MSG_END]).replace(b"\r", b""),
        text(begin, row[layout.R_END]).replace(b"\r", b"").rstrip(),
        pairs,
        int(parsed.instants[i]) if known else None,
    )
