"""What a query over time leaves out: rows of logs without any time of their own."""

from ingest.named_queries.library import NamedQuery
from ingest.rows.described import BY_NAME
from ingest.stores.contract import Reader
from ingest.stores.results import whole


def left_out(reader: Reader, query: NamedQuery) -> str | None:
    """A sentence about the rows left out, whatever the window; None where there are none."""
    if query.timed is None:
        return None
    counted = f"select count(*) from {query.timed} where time_source = 'file'"
    count = whole(reader.query(counted, None).rows[0][0])
    if not count:
        return None
    return f"left out: {count:,} {BY_NAME[query.timed].noun} of logs that tell no time"
