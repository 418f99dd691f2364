"""The reference parser: docs/parsing.md to the letter, slow, in one go over the whole content.

The product must give the same rows (keys aside) however the bytes are divided. Shares no code
with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from tests.support import reference_requests as assembly
from tests.support import reference_values as values
from tests.support.reference_lines import (
    Line,
    Record,
    Source,
    as_text,
    header_pattern,
    is_record,
    is_traceback,
    read_stamp,
    split_lines,
    take,
)
from tests.support.reference_requests import Event, Row

DEFAULT_FORMAT = "%(asctime)s - %(name)s - %(levelname)s - %(message)s"
MAX_RECORD = 4 * 1024 * 1024
HEAD = 64 * 1024
LEDGER = (
    "records",
    "record_bytes",
    "quarantined",
    "quarantined_bytes",
    "ignored_bytes",
    "tail_bytes",
    "unclaimed",
    "unclaimed_bytes",
)


@dataclass
class Tables:
    """The rows of every table, lists of dicts, and the ledger of each file."""

    requests: list[Row] = field(default_factory=list)
    stage_timings: list[Row] = field(default_factory=list)
    errors: list[Row] = field(default_factory=list)
    cache_samples: list[Row] = field(default_factory=list)
    quarantine: list[Row] = field(default_factory=list)
    ledger: list[dict[str, int]] = field(default_factory=list)


def parse_files(
    files: Sequence[tuple[str, bytes]],
    *,
    log_format: str = DEFAULT_FORMAT,
    datefmt: str | None = None,
    tz: str = "UTC",
    host: str = "h",
    service: str = "s",
    final: bool = True,
    stage_time: str = "elapsed",
    escapes: str = "backslash",
    modified_at: datetime,
) -> Tables:
    """Parse whole files (name, decompressed bytes) into tables.

    Columns are those of the store, with ``file`` (index into ``files``) for ``file_key``,
    ``start_file``/``end_file`` likewise, no ``error_key``/``sample_key``, and ``request_key`` the
    ``(file, offset)`` of the request's first record.
    """
    header = header_pattern(log_format, datefmt)
    zone = ZoneInfo(tz)
    source = Source(header, datefmt, zone, host, service, final, escapes, modified_at)
    tables = Tables()
    events: list[Event] = []
    for index, (_name, data) in enumerate(files):
        events += _read_file(index, data, source, tables)
    found = assembly.assemble(events, host=host, service=service, own=stage_time == "own")
    tables.requests, tables.stage_timings, tables.errors, tables.cache_samples = found
    return tables


def _read_file(index: int, data: bytes, source: Source, tables: Tables) -> list[Event]:
    """Cut one file into records; fill quarantine and ledger; return the events."""
    ledger = dict.fromkeys(LEDGER, 0)
    tables.ledger.append(ledger)
    lines = split_lines(data)
    if not source.final and lines and not lines[-1].whole:
        ledger["tail_bytes"] += lines[-1].ignored + lines[-1].size
        lines.pop()
    records: list[Record] = []
    at = 0
    while at < len(lines):
        if not is_record(lines[at], source):
            _loose(lines[at], ledger)
            at += 1
            continue
        record, after = take(lines, at, source)
        if record is None:
            ledger["tail_bytes"] += sum(line.ignored + line.size for line in lines[at:])
            break
        records.append(record)
        taken = sum(line.ignored + line.size for line in lines[at:after])
        ledger["ignored_bytes"] += taken - record.size
        at = after
    return _stamped(index, records, source, ledger, tables)


def _loose(line: Line, ledger: dict[str, int]) -> None:
    """Count a line that belongs to no record: blank lines as ignored, others as unclaimed."""
    ledger["ignored_bytes"] += line.ignored + (line.size if line.blank else 0)
    if not line.blank:
        ledger["unclaimed"] += 1
        ledger["unclaimed_bytes"] += line.size


def _reject(
    index: int, offset: int, raw: bytes, reason: str, ledger: dict[str, int], tables: Tables
) -> None:
    row = {"file": index, "byte_offset": offset, "byte_length": len(raw), "reason": reason}
    tables.quarantine.append(row | {"raw": as_text(raw[:HEAD])})
    ledger["quarantined"] += 1
    ledger["quarantined_bytes"] += len(raw)


def _stamped(
    index: int, records: list[Record], source: Source, ledger: dict[str, int], tables: Tables
) -> list[Event]:
    """Give every record its instant (Lines 7, Stamps) and make events of those that are kept."""
    instants: list[datetime | None] = []
    before: datetime | None = None
    for record in records:
        stamp = record.beginning.stamp
        instant = None if stamp is None else read_stamp(stamp, source, before)
        before = instant or before
        instants.append(instant)
    inferred = next((instant for instant in instants if instant), source.modified_at)
    otherwise = "neighbour" if any(instants) else "file"
    events = []
    for record, instant in zip(records, instants, strict=True):
        inferred = instant or inferred
        reason = None
        if record.size > MAX_RECORD:
            reason = "too_long"
        elif record.beginning.stamp is not None and instant is None:
            reason = "bad_time"
        if reason:
            _reject(index, record.offset, record.raw, reason, ledger, tables)
            continue
        ledger["records"] += 1
        ledger["record_bytes"] += record.size
        time_source = "logged" if instant else otherwise
        events.append(_event(index, record, inferred, time_source, source))
    return events


def _event(index: int, record: Record, at: datetime, time_source: str, source: Source) -> Event:
    """Part message and traceback (Lines 5) and take the message apart."""
    contents = [record.beginning.rest] + [line.nuls + line.content for line in record.lines[1:]]
    first = next(
        (
            number
            for number, content in enumerate(contents)
            if not record.in_text[number] and is_traceback(content)
        ),
        len(contents),
    )
    message = as_text(b"\n".join(contents[:first])).rstrip(values.SPACE)
    traceback = as_text(b"\n".join(contents[first:])).rstrip(values.SPACE)
    own = as_text(b"\n".join(contents[: min(first, record.own)])).rstrip(values.SPACE)
    read = values.read_message(own, source.escapes)
    return Event(
        file=index,
        offset=record.offset,
        at=at,
        time_source=time_source,
        level=record.beginning.level,
        severe=record.beginning.severe,
        logger=record.beginning.logger,
        header_request_id=record.beginning.request_id,
        message=message,
        traceback=traceback or None,
        name=read.event,
        pairs=read.pairs,
    )
