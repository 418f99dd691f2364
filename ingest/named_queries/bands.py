"""The band of lengths that shows best what stands out, where an answer has many lengths."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import gcd, log
from typing import NamedTuple

from ingest.named_queries.library import NamedQuery
from ingest.resources import folder
from ingest.stores.contract import QueryResult, Reader
from ingest.stores.results import whole

MANY = 30  # rows that a person takes in at a glance
_LEADING = (1, 2, 5)
_ASKED = ("text_len", "error_code", "failures", "requests")
# All requests by length, those of lengths at which nothing failed, too; over the same rows as the
# query that is in the library.
_COUNTED = """
select text_len - text_len % cast(:step as bigint) as low, count(*) as requests
from requests
where logged_at >= coalesce(cast(:since as timestamptz), timestamptz '-infinity')
  and logged_at < coalesce(cast(:until as timestamptz), timestamptz 'infinity')
  and (cast(:host as text) is null or host = cast(:host as text))
  and (cast(:service as text) is null or service = cast(:service as text))
  and text_len is not null
group by 1
"""


class Banded(NamedTuple):
    """The failures of a code in a band: where it begins, and all requests of the band."""

    low: int
    code: object
    failures: int
    requests: int


def bands_note(
    reader: Reader, query: NamedQuery, values: Mapping[str, object], result: QueryResult
) -> str | None:
    """Where an answer by length has too many lengths to see anything, the band that shows what
    stands out; None where it has few, or no bands.

    Looks at bands of 10, 20, 50, ... characters; of a user's own query it only says that there are.
    """
    if values.get("length_band") != 0 or "text_len" not in result.columns:
        return None
    lengths = {whole(n) for n in _column(result, "text_len") if n is not None}
    if len(lengths) <= MANY:
        return None
    found = f"{len(lengths)} different lengths"
    best = None
    if set(_ASKED) <= set(result.columns) and query.path.is_relative_to(folder("queries")):
        best = _clearest(reader, query, values, result, max(lengths))
    if best is None:
        return f"{found}; --length-band N puts N of them together"
    width, band = best
    return (
        f"{found}; --length-band {width} shows best what stands out: "
        f"{band.low} to {band.low + width - 1} characters, {band.failures} of {band.requests} fail"
    )


def _clearest(
    reader: Reader,
    query: NamedQuery,
    values: Mapping[str, object],
    result: QueryResult,
    longest: int,
) -> tuple[int, Banded] | None:
    """The width of band with the clearest finding, and the band it is in.

    Failures are those of the answer, so the store is asked once more, for requests.
    """
    widths = _widths(longest)
    if not widths:
        return None
    if values.get("limit") is not None:
        given = {**values, "limit": None}
        result = reader.query(query.statement(given), given)
    failures = [
        (whole(length), code, whole(count))
        for length, code, count in zip(*(_column(result, c) for c in _ASKED[:3]), strict=True)
        if length is not None
    ]
    counted = query._replace(sql=_COUNTED).statement(values)
    requests = [
        (whole(low), whole(count))
        for low, count in reader.query(counted, {**values, "step": gcd(*widths)}).rows
    ]
    best: tuple[float, int, Banded] | None = None
    total = _together(failures, requests, None)
    for width in widths:
        rows = _together(failures, requests, width)
        if len({row.low for row in rows}) > MANY:
            continue
        standing = _standing_out(rows, total)
        if standing is not None and (best is None or standing[0] > best[0]):
            best = (standing[0], width, standing[1])
    return None if best is None else best[1:]


def _widths(longest: int) -> list[int]:
    """Widths of 10 characters or more that divide the lengths into 2 to 200 bands."""
    widths = (lead * 10**power for power in range(1, 9) for lead in _LEADING)
    return [w for w in widths if 2 <= longest / w + 1 <= 200]


def _together(
    failures: Iterable[tuple[int, object, int]],
    requests: Iterable[tuple[int, int]],
    width: int | None,
) -> list[Banded]:
    """Failures by length and code, and requests by length, in bands of a width; None: in one.

    In the order of the query: most failures first.
    """
    failed: Counter[tuple[int, object]] = Counter()
    of_band: Counter[int] = Counter()
    for length, code, count in failures:
        failed[length - length % width if width else 0, code] += count
    for length, count in requests:
        of_band[length - length % width if width else 0] += count
    rows = [Banded(low, code, count, of_band[low]) for (low, code), count in failed.items()]
    return sorted(rows, key=lambda r: (-r.failures, r.requests, r.low))


def _standing_out(rows: Sequence[Banded], total: Sequence[Banded]) -> tuple[float, Banded] | None:
    """The band that fails most clearly more often than the rest: how clearly, and the band.

    The measure is the likelihood ratio of two rates against one, less what the best of so many
    bands shows by chance.
    """
    best: tuple[float, Banded] | None = None
    of_code = {row.code: row for row in total}
    for row in rows:
        every = of_code[row.code]
        if row.failures * every.requests <= every.failures * row.requests:
            continue
        rest = (every.failures - row.failures, every.requests - row.requests)
        gain = _fit(row.failures, row.requests) + _fit(*rest)
        gain -= _fit(every.failures, every.requests)
        gain -= log(len(rows))
        if best is None or gain > best[0]:
            best = (gain, row)
    return best


def _fit(failures: int, requests: int) -> float:
    """Log-likelihood of so many failures at their own rate."""
    parts = (failures, requests - failures)
    return sum(part * log(part / requests) for part in parts if part > 0)


def _column(result: QueryResult, name: str) -> list[object]:
    place = result.columns.index(name)
    return [row[place] for row in result.rows]
