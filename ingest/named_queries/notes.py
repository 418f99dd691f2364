"""What stands below an answer: the window it is of, and the bands that show many lengths better."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import log

from ingest.named_queries.library import NamedQuery
from ingest.stores.contract import QueryResult, Reader
from ingest.stores.results import whole

_MANY = 30  # rows that a person takes in at a glance
_LEADING = (1, 2, 5)
# where it begins, its error code, its failures, its requests
Banded = tuple[int, object, int, int]
# what an answer divides by and a log may lack
_DIVIDED_BY = ("text_len", "model_stage", "voice", "lang", "cache_hit")
_BUCKET_AT = "bucket_at"
_BUCKETS = ((3600, "1h"), (21_600, "6h"), (86_400, "1d"), (604_800, "7d"))  # seconds, as written
_WIDEST = 1_000_000_000  # characters: one band for every text


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
    if len(set(stamps)) <= _MANY:
        return None
    seconds = (max(stamps) - min(stamps)).total_seconds()
    longer = next((w for w, _ in _BUCKETS if w > bucket and seconds / w < _MANY), None)
    return (
        None
        if longer is None
        else f"{len(set(stamps))} different times; --bucket {dict(_BUCKETS)[longer]} makes it short"
    )


def bands_note(
    reader: Reader, query: NamedQuery, values: Mapping[str, object], result: QueryResult
) -> str | None:
    """Where an answer by length has too many lengths to see anything, the band that shows what
    stands out; None where it has few, or no bands.

    Asks the same query again in bands of 10, 20, 50, ... characters.
    """
    if values.get("length_band") != 0 or "text_len" not in result.columns:
        return None
    lengths = {whole(n) for n in _column(result, "text_len") if n is not None}
    if len(lengths) <= _MANY:
        return None
    found = f"{len(lengths)} different lengths"
    best = _clearest(reader, query, {**values, "limit": None}, max(lengths))
    if best is None:
        return f"{found}; --length-band N puts N of them together"
    band, (low, _, failures, requests) = best
    return (
        f"{found}; --length-band {band} shows best what stands out: "
        f"{low} to {low + band - 1} characters, {failures} of {requests} fail"
    )


def _clearest(
    reader: Reader, query: NamedQuery, values: Mapping[str, object], longest: int
) -> tuple[int, Banded] | None:
    """The width of band with the clearest finding, and the band it is in."""
    total = _asked(reader, query, values, _WIDEST)
    best: tuple[float, int, Banded] | None = None
    for band in _bands(longest):
        rows = _asked(reader, query, values, band)
        if len({row[0] for row in rows}) > _MANY:
            continue
        standing = _standing_out(rows, total)
        if standing is not None and (best is None or standing[0] > best[0]):
            best = (standing[0], band, standing[1])
    return None if best is None else best[1:]


def _bands(longest: int) -> list[int]:
    """Widths of 10 characters or more that divide the lengths into 2 to 200 bands."""
    widths = (lead * 10**power for power in range(1, 9) for lead in _LEADING)
    return [w for w in widths if 2 <= longest / w + 1 <= 200]


def _asked(
    reader: Reader, query: NamedQuery, values: Mapping[str, object], band: int
) -> list[Banded]:
    """The answer in bands, without the texts of unknown length."""
    given = {**values, "length_band": band}
    rows = reader.query(query.statement(given), given)
    names = ("text_len", "error_code", "failures", "requests")
    columns = [_column(rows, name) for name in names]
    return [
        (whole(low), code, whole(failures), whole(requests))
        for low, code, failures, requests in zip(*columns, strict=True)
        if low is not None
    ]


def _column(result: QueryResult, name: str) -> list[object]:
    place = result.columns.index(name)
    return [row[place] for row in result.rows]


def _standing_out(rows: Sequence[Banded], total: Sequence[Banded]) -> tuple[float, Banded] | None:
    """The band that fails most clearly more often than the rest: how clearly, and the band.

    The measure is the likelihood ratio of two rates against one, less what the best of so many
    bands shows by chance.
    """
    best: tuple[float, Banded] | None = None
    of_code = {code: (failures, requests) for _, code, failures, requests in total}
    for row in rows:
        _, code, failures, requests = row
        all_failures, all_requests = of_code[code]
        if failures * all_requests <= all_failures * requests:
            continue
        rest = (all_failures - failures, all_requests - requests)
        gain = _fit(failures, requests) + _fit(*rest) - _fit(all_failures, all_requests)
        gain -= log(len(rows))
        if best is None or gain > best[0]:
            best = (gain, row)
    return best


def _fit(failures: int, requests: int) -> float:
    """Log-likelihood of so many failures at their own rate."""
    parts = (failures, requests - failures)
    return sum(part * log(part / requests) for part in parts if part > 0)
