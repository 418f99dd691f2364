"""What stands below an answer: the window it is of, and what makes a long one short."""

from collections.abc import Mapping
from datetime import datetime

from ingest.named_queries.bands import MANY, bands_note
from ingest.named_queries.library import NamedQuery
from ingest.stores.contract import QueryResult, Reader

# what an answer divides by and a log may lack
_DIVIDED_BY = ("text_len", "model_stage", "voice", "lang", "cache_hit")
_BUCKET_AT = "bucket_at"
_BUCKETS = ((3600, "1h"), (21_600, "6h"), (86_400, "1d"), (604_800, "7d"))  # seconds, as written


def notes(
    reader: Reader, query: NamedQuery, values: Mapping[str, object], result: QueryResult
) -> list[str]:
    """The lines below an answer, in their order."""
    found = (
        bands_note(reader, query, values, result),
        dimension_note(query, values, result),
        buckets_note(query, values, result),
        window_note(query, values),
    )
    return [note for note in found if note is not None]


def window_note(query: NamedQuery, values: Mapping[str, object]) -> str | None:
    """Without ``--since`` a query is asked of everything stored; None where it has one."""
    if query.param("since") is None or values.get("since") is not None:
        return None
    until = "" if values.get("until") is None else " before --until"
    return f"of everything stored{until}: --since was not given (for example --since 24h)"


def dimension_note(
    query: NamedQuery, values: Mapping[str, object], result: QueryResult
) -> str | None:
    """Where what the answer divides by is known of no request, a sentence that says so."""
    first = query.columns[0].name if query.columns else ""
    by = values.get("by") if first == "value" else first if first in _DIVIDED_BY else None
    if by is None or not result.rows or first not in result.columns:
        return None
    if any(value is not None for value in _column(result, first)):
        return None
    return f"no request here was logged with {by}: ttsq run field_coverage shows what is"


def buckets_note(
    query: NamedQuery, values: Mapping[str, object], result: QueryResult
) -> str | None:
    """Where an answer over time has too many lines, the length of time that makes few of it."""
    bucket, at = values.get("bucket"), _BUCKET_AT
    if at not in result.columns or not isinstance(bucket, int | float) or not result.rows:
        return None
    stamps = [value for value in _column(result, at) if isinstance(value, datetime)]
    if len(set(stamps)) <= MANY:
        return None
    seconds = (max(stamps) - min(stamps)).total_seconds()
    longer = next((w for w, _ in _BUCKETS if w > bucket and seconds / w < MANY), None)
    return (
        None
        if longer is None
        else f"{len(set(stamps))} different times; --bucket {dict(_BUCKETS)[longer]} makes it short"
    )


def _column(result: QueryResult, name: str) -> list[object]:
    place = result.columns.index(name)
    return [row[place] for row in result.rows]
