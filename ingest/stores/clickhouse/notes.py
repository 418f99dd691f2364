"""What the store notes of rows and texts that were removed: up to where they are missing."""

from datetime import datetime
from typing import TYPE_CHECKING

from ingest.stores.clickhouse.ledger import looked
from ingest.stores.clickhouse.types import bounded

if TYPE_CHECKING:
    from ingest.stores.clickhouse.connection import Session
    from ingest.stores.clickhouse.versions import Versions


def note(
    versions: "Versions",
    table: str,
    rows: int,
    *,
    rows_before: datetime | None = None,
    texts_before: datetime | None = None,
) -> None:
    """Note that so many rows of a table, or its texts, are gone; the latest instant counts."""
    import pyarrow as pa

    found = versions.rows(
        "select pruned_before, text_pruned_before, rows from {pruned} "
        "where table_name = {name:String}",
        {"name": table},
    )
    old_rows, old_texts, count = found[0] if found else (None, None, 0)
    versions.remove({"pruned": "table_name = {name:String}"}, {"name": table})
    kind = pa.timestamp("us", "UTC")
    versions.insert(
        "pruned",
        pa.table(
            {
                "table_name": [table],
                "pruned_before": pa.array([_later(old_rows, rows_before)], kind),
                "text_pruned_before": pa.array([_later(old_texts, texts_before)], kind),
                "rows": pa.array([count + rows], pa.int64()),
            }
        ),
    )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    given = [bounded(at) for at in (one, other) if at is not None]
    return max(given, default=None)


def pruned_before(session: "Session") -> dict[str, datetime]:
    """Up to where rows are missing, of each table of which some are."""
    seen = looked(session).table("pruned")
    found = session.rows(
        f"select table_name, pruned_before from {seen} where pruned_before is not null"
    )
    return {str(name): at for name, at in found}
