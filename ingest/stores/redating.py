"""Rows of a log file that had only the file's time, dated by the first stamp that came later: the
statements for every engine that speaks PostgreSQL's SQL.
"""

from collections.abc import Iterator
from datetime import datetime

from ingest.model import make_key
from ingest.rows.described import TABLES


def redating(file_key: int, at: datetime) -> Iterator[str]:
    """What sets all stored instants of a file to its first one; none of them is known better.

    A request that began in another file keeps its beginning, one that ended there its end.
    """
    instant = f"timestamptz '{at.isoformat()}'"
    keys = f"request_key >= {make_key(file_key, 0)} and request_key < {make_key(file_key + 1, 0)}"
    here = f"case when start_file_key = {file_key} then {instant} else started_at end"
    ended = (
        f"case when end_file_key = {file_key} or (end_file_key is null and completed_at is not "
        f"null) then {instant} else completed_at end"
    )
    yield (
        f"update requests set logged_at = {instant}, time_source = 'neighbour', "
        f"started_at = {here}, completed_at = {ended} where time_source = 'file' and {keys}"
    )
    yield (
        f"update requests set completed_at = {instant} "
        f"where end_file_key = {file_key} and start_file_key <> {file_key}"
    )
    yield (
        f"update request_parts set logged_at = {instant}, last_at = {instant}, "
        f"time_source = 'neighbour', started_at = {here}, completed_at = {ended} "
        f"where file_key = {file_key} and time_source = 'file'"
    )
    yield f"update stage_timings set logged_at = {instant} where file_key = {file_key}"
    for table in TABLES:
        if table.kind == "records" and table.has_time_source:
            yield (
                f"update {table.name} set {table.at} = {instant}, time_source = 'neighbour' "
                f"where file_key = {file_key} and time_source = 'file'"
            )
