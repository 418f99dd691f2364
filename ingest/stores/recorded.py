"""Where a store has rows of a stretch of a log file: their offsets, table by table."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
import numpy.typing as npt

from ingest.model import make_key
from ingest.records.arrays import Ints
from ingest.rows.described import RECORDS
from ingest.stores.contract import Reader

_BY_OFFSET = (
    "select byte_offset from {table} where file_key = :key "
    "and byte_offset >= :low and byte_offset < :high order by 1"
)
_QUARANTINE = (
    "select byte_offset, byte_offset + byte_length from quarantine where file_key = :key "
    "and byte_offset >= :low and byte_offset < :high order by 1, 2"
)
_STARTS = (
    "select start_offset from requests where start_file_key = :key "
    "and start_offset >= :low and start_offset < :high order by 1"
)
_ENDS = (
    "select end_offset, case when start_file_key = :key then 1 else 0 end from requests "
    "where end_file_key = :key and end_offset >= :low and end_offset < :high order by 1, 2"
)
_ALONE = (
    "select request_key - :first from requests where start_offset is null and end_offset is null "
    "and request_key >= :low_key and request_key < :high_key order by 1"
)
_PARTS = (
    "select first_offset from request_parts where file_key = :key "
    "and first_offset >= :low and first_offset < :high order by 1"
)
_PRUNED = "select table_name, pruned_before from pruned where pruned_before is not null"


@dataclass(frozen=True, slots=True)
class Places:
    """Offsets int64 of records that have rows, sorted; one that has two is there twice.

    ``records`` are those of the tables of one row per record, aligned with RECORDS. ``starts`` and
    ``ends`` are those of requests, ``alone`` requests that have neither, ``parts`` pieces of
    requests in ``request_parts``.
    """

    records: tuple[Ints, ...]
    quarantine: Ints
    starts: Ints
    ends: Ints
    alone: Ints
    parts: Ints

    @classmethod
    def of(cls, named: Mapping[str, Ints]) -> "Places":
        """Of what :meth:`named` gives."""
        others = {f.name: named[f.name] for f in fields(cls) if f.name != "records"}
        return cls(records=tuple(named[table] for table in RECORDS), **others)

    def named(self) -> list[tuple[str, Ints]]:
        """All of them, by the names of tables and of the other fields."""
        others = [(f.name, getattr(self, f.name)) for f in fields(Places) if f.name != "records"]
        return [*zip(RECORDS, self.records, strict=True), *others]


TABLE_OF = {"starts": "requests", "ends": "requests", "alone": "requests", "parts": "request_parts"}


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store has of a stretch of one file, in one look.

    ``quarantine_ends`` and ``end_has_start`` are aligned with ``places.quarantine`` and
    ``places.ends``: where a piece ends; whether the request begins in this file, too.
    """

    places: Places
    quarantine_ends: Ints
    end_has_start: npt.NDArray[np.bool_]
    pruned: "Pruned"


@dataclass(frozen=True, slots=True)
class Pruned:
    """Rows of each table that are older than this, microseconds, were pruned: none are expected."""

    before: tuple[tuple[str, int], ...] = ()

    def of(self, table: str) -> int:
        """The instant before which a table was pruned; the smallest number where it was not."""
        return max((at for name, at in self.before if name == table), default=-(2**63))


def stored_places(reader: Reader, file_key: int, low: int, high: int) -> Stored:
    """The rows whose records begin in ``[low, high)`` of a file."""
    span = {"key": file_key, "low": low, "high": high}
    first = make_key(file_key, 0)
    keys = {"first": first, "low_key": first + low, "high_key": first + high}
    quarantine = _columns(reader, _QUARANTINE, span, 2)
    ends = _columns(reader, _ENDS, span, 2)
    return Stored(
        Places(
            records=tuple(
                _columns(reader, _BY_OFFSET.format(table=table), span, 1)[0] for table in RECORDS
            ),
            quarantine=quarantine[0],
            starts=_columns(reader, _STARTS, span, 1)[0],
            ends=ends[0],
            alone=_columns(reader, _ALONE, keys, 1)[0],
            parts=_columns(reader, _PARTS, span, 1)[0],
        ),
        quarantine[1],
        ends[1] == 1,
        pruned(reader),
    )


def _columns(reader: Reader, sql: str, binds: dict[str, int], count: int) -> tuple[Ints, ...]:
    rows = reader.query(sql, binds).rows
    table = np.array(rows, np.int64).reshape(len(rows), count)
    return tuple(np.ascontiguousarray(table[:, i]) for i in range(count))


def pruned(reader: Reader) -> Pruned:
    """What was pruned of each table."""
    return Pruned(tuple((str(n), _micros(at)) for n, at in reader.query(_PRUNED, None).rows))


def _micros(at: object) -> int:
    assert isinstance(at, datetime)
    return int(at.timestamp() * 1_000_000)
