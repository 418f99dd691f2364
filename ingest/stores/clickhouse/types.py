"""Values as ClickHouse holds them: Arrow without dictionaries, instants within its range."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ingest.model import Checkpoint, RunRow

if TYPE_CHECKING:
    import pyarrow as pa

# of DateTime64(6); an instant beyond is kept as the nearest that there is
FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(2299, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)


def bounded(instant: datetime) -> datetime:
    """An instant that ClickHouse can hold."""
    return min(max(instant.astimezone(UTC), FIRST), LAST)


def storable(table: "pa.Table") -> "pa.Table":
    """The rows of a table as they are sent: no dictionaries, no columns without values."""
    import pyarrow as pa

    found = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count == table.num_rows:
            continue  # what is left out is null
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        found[name] = _within(column) if pa.types.is_timestamp(column.type) else column
    return pa.table(found)


def _within(column: "pa.ChunkedArray") -> "pa.ChunkedArray":
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = pa.timestamp("us", "UTC")
    column = column.cast(kind)
    low, high = pa.scalar(FIRST, kind), pa.scalar(LAST, kind)
    ends = pc.min_max(column)
    if ends["min"].value < low.value or ends["max"].value > high.value:
        column = pc.min_element_wise(
            pc.max_element_wise(column, low, skip_nulls=False), high, skip_nulls=False
        )
    return column


def checkpoint_table(checkpoints: Sequence[Checkpoint]) -> "pa.Table":
    """Checkpoints as rows of log_files."""
    return _table(Checkpoint._fields, checkpoints)


def run_table(run: RunRow) -> "pa.Table":
    """A run as a row of ingest_runs."""
    return _table(RunRow._fields, [run])


def _table(names: Sequence[str], rows: Sequence[tuple[object, ...]]) -> "pa.Table":
    import pyarrow as pa

    columns = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        type_ = pa.timestamp("us", "UTC") if name.endswith("_at") else None
        columns[name] = pa.array(values, type_)
    return pa.table(columns)
