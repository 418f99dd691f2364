"""Instants of rows as int64 microseconds, and back."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ingest.records import kernels
from ingest.records.arrays import Ints
from ingest.rows.spans import EPOCH

if TYPE_CHECKING:
    import pyarrow as pa

_FIRST_US, _LAST_US = -62_000_000_000_000_000, 253_000_000_000_000_000


def instants(column: "pa.ChunkedArray") -> Ints:
    """Those of a column that are not null."""
    import pyarrow as pa

    found: Ints = kernels.cast(kernels.drop_null(column), pa.int64()).to_numpy()
    return found


def times(rows: "Mapping[str, pa.ChunkedArray]") -> list[Ints]:
    """All instants of rows of requests or access lines."""
    return [instants(rows[n]) for n in ("logged_at", "started_at", "completed_at") if n in rows]


def moment(micros: int) -> datetime:
    """An instant as the store is asked for it, kept within what a datetime can hold."""
    return EPOCH + timedelta(microseconds=min(max(micros, _FIRST_US), _LAST_US))
