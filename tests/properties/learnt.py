"""What is learnt of a log beside what the general path makes of it, for the tests of both."""

import json
import os
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings

from ingest.compiled import layout
from ingest.records import in_turn
from ingest.records.chunks import ChunkReader
from ingest.records.formats import compile_format
from ingest.records.front import FrontParser
from tests.support.shipped_profiles import shipped

_FORMAT = compile_format()
_ZONE = ZoneInfo("Europe/Berlin")


def examples(count: int) -> settings:
    """So many logs, always the same; as many others as a search asks for."""
    return settings(
        max_examples=int(os.environ.get("TTSQ_EXAMPLES", count)),
        derandomize="TTSQ_EXAMPLES" not in os.environ,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def learn_from_little(patch: pytest.MonkeyPatch) -> None:
    """Let the chunks of a test's log be learnt from, small as they are."""
    patch.setattr(in_turn, "LEAST", 1)


def assert_both_read_the_same(data: bytes, chunk: int) -> None:
    """Hold what is learnt to the general path: all that comes of a log, read in such chunks."""
    learnt = _read(data, chunk, learns=True)
    assert learnt == _read(data, chunk, learns=False)


def _read(data: bytes, chunk: int, *, learns: bool) -> tuple[Any, ...]:
    """All that comes of a log: records, rejects, ledger, state and rules seen."""
    parser = FrontParser(_FORMAT, _ZONE, shipped(), head=data[:1024])
    parser.general.learns = learns
    at = 0

    def read(size: int) -> bytes:
        nonlocal at
        at += size
        return data[at - size : at]

    records: list[Any] = []
    total = None
    for parsed in ChunkReader(parser, read, 0, True, None, 10**15, chunk_bytes=chunk):
        records += [_record(parsed, i) for i in range(len(parsed.records))]
        records += [(r.byte_offset, r.byte_length, r.reason, r.raw) for r in parsed.rejects]
        total = parsed.ledger if total is None else total + parsed.ledger
    seen = parser.general.seen
    return sorted(records, key=repr), total, json.loads(parser.reading or "null"), seen


def _record(parsed: Any, i: int) -> object:
    row = [int(v) for v in parsed.records[i]]

    def text(start: int, end: int) -> bytes:
        return bytes(parsed.data[start:end]) if 0 <= start < end else b""

    pairs = parsed.pairs[row[layout.R_PAIR] : row[layout.R_PAIR] + row[layout.R_PAIRS]].tolist()
    return (
        int(parsed.starts[i]),
        int(parsed.ends[i]),
        int(parsed.instants[i]),
        int(parsed.time_source[i]),
        [row[k] for k in (layout.R_KIND, layout.R_LEVEL, layout.R_ZONE, layout.R_EVENT)],
        text(row[layout.R_NAME], row[layout.R_NAME_END]),
        text(row[layout.R_MSG], row[layout.R_MSG_END]),
        [(text(*p[:2]), text(*p[2:4]), p[4], p[5]) for p in pairs],
    )
