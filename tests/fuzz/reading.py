"""How the scanner's targets read a log: by chunks of any size, into records that can be compared."""  # noqa: E501

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

import numpy as np
import pyarrow as pa

from ingest.compiled import layout, numbers
from ingest.model import Ledger, Origin, Reject
from ingest.records.chunks import ChunkReader
from ingest.records.formats import Format
from ingest.records.front import FrontParser
from ingest.records.general import HEAD_BYTES
from ingest.records.instants import LOGGED
from ingest.records.parse import Parsed
from ingest.records.profiles import together
from ingest.rows import assemble
from ingest.rows.chunk import ChunkRows

MODIFIED = datetime(2026, 1, 1, tzinfo=UTC)
FALLBACK_US = int(MODIFIED.timestamp()) * 1_000_000
ORIGIN = Origin(1, "h", "s")
# Span columns of the record table, (start, end).
_SPANS = (
    (layout.R_NAME, layout.R_NAME_END),
    (layout.R_MSG, layout.R_MSG_END),
    (layout.R_REQUEST_ID, layout.R_REQUEST_ID_END),
)


@dataclass(frozen=True)
class Record:
    """One record as it is, wherever the chunks were cut; offsets are those of the file."""

    start: int
    end: int
    kind: int
    level: int
    instant: int
    inferred: bool
    event: int
    texts: tuple[bytes, ...]
    traceback: bytes | None
    pairs: tuple[tuple[bytes, bytes, int, int, float | None], ...]


@dataclass(frozen=True)
class Reading:
    """All that was read of one log; ``tables`` are the rows of the tables that need no other chunk."""  # noqa: E501

    records: tuple[Record, ...]
    rejects: tuple[Reject, ...]
    ledger: Ledger
    tables: tuple[pa.Table, ...]


def read(
    log: bytes,
    fmt: Format,
    chunk_bytes: int,
    max_record: int,
    *,
    final: bool,
    zone: tzinfo = UTC,
) -> Reading:
    """Read a log as the pipeline does, in chunks of a size, and check every chunk on the way."""
    at = 0

    def take(size: int) -> bytes:
        nonlocal at
        block = log[at : at + size]
        at += len(block)
        return block

    parser = FrontParser(fmt, zone, together([]), head=log[:HEAD_BYTES], max_record=max_record)
    reader = ChunkReader(parser, take, 0, final, None, FALLBACK_US, chunk_bytes=chunk_bytes)
    records: list[Record] = []
    rejects: list[Reject] = []
    ledger = Ledger()
    batches = []
    carry: dict[str, int] = {}
    for parsed in reader:
        check(parsed, max_record)
        records += _records(parsed)
        rejects += parsed.rejects
        ledger += parsed.ledger
        rows, carry = assemble.build(parsed, fmt, ORIGIN, carry)
        batches.append(rows)
    assert at == len(log)
    ledger += Ledger(tail_bytes=reader.tail_bytes)
    assert ledger.settled_bytes + ledger.tail_bytes == len(log), "the ledger does not add up"
    assert ledger.quarantined == len(rejects)
    assert ledger.quarantined_bytes == sum(r.byte_length for r in rejects)
    return Reading(tuple(records), tuple(rejects), ledger, tuple(_tables(batches)))


def _tables(batches: list[ChunkRows]) -> Iterator[pa.Table]:
    for batch in batches:
        for table in (batch.parts, *(r.table for r in batch.records.values())):
            table.validate(full=True)
    for name in ("errors", "cache_samples", "http_requests"):
        if batches:
            tables = [b.records[name].table for b in batches]
            yield pa.concat_tables([_plain(t) for t in tables])


def _plain(table: pa.Table) -> pa.Table:
    """A table without dictionary columns: those of two chunks differ."""
    columns = [
        c.cast(c.type.value_type) if pa.types.is_dictionary(c.type) else c for c in table.columns
    ]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def check(parsed: Parsed, max_record: int) -> None:
    """What holds of every chunk: spans lie within it, in order, and the bytes add up."""
    size, at, first_pair = len(parsed.data), parsed.base, 0
    assert 0 <= parsed.consumed <= len(parsed.original) or (parsed.giant and not size)
    starts, ends = parsed.starts.tolist(), parsed.ends.tolist()
    for row, begin, after in zip(parsed.records.tolist(), starts, ends, strict=True):
        start, end = row[layout.R_START], row[layout.R_END]
        assert 0 <= row[layout.R_LOW] <= start or row[layout.R_KIND] >= layout.K_NO_HEADER
        assert start < end <= size
        assert at <= begin < after <= parsed.base + parsed.consumed
        too_long = after - begin > max_record
        assert too_long <= (row[layout.R_KIND] == layout.K_TOO_LONG)
        at = after
        if row[layout.R_KIND] > layout.K_TRACEBACK:
            continue
        for low, high in _SPANS:
            assert row[low] == row[high] or start <= row[low] <= row[high] <= end
        assert row[layout.R_TRACEBACK] == -1 or start <= row[layout.R_TRACEBACK] < end
        if row[layout.R_PAIRS]:
            assert row[layout.R_PAIR] == first_pair
            first_pair += row[layout.R_PAIRS]
    _check_pairs(parsed)
    counted = parsed.ledger
    assert min(counted.record_bytes, counted.quarantined_bytes, counted.ignored_bytes) >= 0


def _check_pairs(parsed: Parsed) -> None:
    before: tuple[int, int] = (-1, -1)
    for key, key_end, value, end, _, code, record in parsed.pairs.tolist():
        low, high = parsed.records[record, [layout.R_MSG, layout.R_MSG_END]].tolist()
        assert low <= key < key_end < value <= end <= high
        assert -1 <= code < 64
        assert (record, key) > before
        before = record, value
    assert np.isin(parsed.states, (numbers.OK, numbers.BAD)).all()
    assert np.isfinite(parsed.values).all()


def _records(parsed: Parsed) -> Iterator[Record]:
    data = bytes(parsed.data)
    starts, ends = parsed.starts.tolist(), parsed.ends.tolist()
    for i, row in enumerate(parsed.records.tolist()):
        end = row[layout.R_END]
        good = row[layout.R_KIND] <= layout.K_TRACEBACK
        trace = row[layout.R_TRACEBACK]
        yield Record(
            starts[i],
            ends[i],
            row[layout.R_KIND],
            row[layout.R_LEVEL] if good else 0,
            int(parsed.instants[i]) if good else 0,
            bool(parsed.time_source[i] != LOGGED) if good else False,
            row[layout.R_EVENT] if good else -1,
            tuple(data[row[low] : row[high]] for low, high in _SPANS) if good else (),
            data[trace:end].rstrip() if good and trace >= 0 else None,
            tuple(_pairs(parsed, data, row)) if good else (),
        )


def _pairs(
    parsed: Parsed, data: bytes, row: list[int]
) -> Iterator[tuple[bytes, bytes, int, int, float | None]]:
    first = row[layout.R_PAIR]
    for i in range(first, first + row[layout.R_PAIRS]):
        key, key_end, value, end, flags, code, _ = parsed.pairs[i].tolist()
        number = float(parsed.values[i]) if parsed.states[i] == numbers.OK else None
        yield data[key:key_end], data[value:end], flags, code, number
