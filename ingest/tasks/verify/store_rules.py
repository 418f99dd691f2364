"""What must hold in a store by itself, without looking at a log file."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from ingest.model import Checkpoint, make_key
from ingest.rows.described import TABLES
from ingest.rows.spans import EPOCH, JOIN_GAP
from ingest.stores.contract import Reader, Store
from ingest.stores.recorded import pruned
from ingest.stores.results import rows_as, whole

# Table, its column of the log file, its column of the offset there, and which of its rows.
_ONCE = {("requests", "end_file_key"): "start_file_key is distinct from end_file_key"}
_COLUMNS = tuple(
    (table.name, file, offset, _ONCE.get((table.name, file), "true"))
    for table in TABLES
    for file, offset in table.place
)
_BEYOND = (
    "select t.{file}, count(*), min(t.{offset}) from {table} t join log_files f on t.{file} "
    "= f.file_key "
    "where t.{offset} >= f.committed_offset and {which} group by 1 order by 1"
)
# rows without others are found by joins: not every store has subqueries that name a row around them
_UNKNOWN = (
    "select t.{file}, count(*), min(t.{offset}) from {table} t "
    "left join log_files f on f.file_key = t.{file} "
    "where t.{file} is not null and {which} and f.file_key is null group by 1 order by 1"
)
_REPEATED = (
    "select {offset} from {table} where {file} = :key and {offset} >= :low and {offset} < "
    ":high and {which} "
    "group by {same} having count(*) > 1 order by 1 limit 1000"
)
_SAME = {"stage_timings": "byte_offset, stage"}  # one line may tell several stages
_REPEATED_KEYS = (
    "select request_key - :low from requests where request_key >= :low and request_key < :high "
    "and start_offset is null and end_offset is null group by 1 having count(*) > 1 order by "
    "1 limit 1000"
)
# A piece of a request whose request is not there; one with a start or end is missed by the recount
# already.
_ORPHANS = (
    "select p.file_key, p.start_offset is not null or p.end_offset is not null, count(*), "
    "min(p.first_offset) "
    "from request_parts p left join requests r on r.request_key = p.request_key "
    "where p.is_request and p.logged_at >= :since and r.request_key is null "
    "group by 1, 2 order by 1, 2"
)
# An unfinished request whose pieces are not there: its end, when it comes, would not find it.
_PIECELESS = (
    "select coalesce(r.start_file_key, r.end_file_key), count(*), "
    "min(coalesce(r.start_offset, r.end_offset)) "
    "from requests r left join request_parts p on p.request_key = r.request_key "
    "where r.id is not null and (r.start_offset is null) <> (r.end_offset is null) "
    "and r.logged_at >= :since and p.request_key is null group by 1 order by 1"
)
# A request that begins twice at one instant, in two log files: the same record, stored from both.
_TWICE = (
    "select max(start_file_key), count(*) - 1, min(start_offset) from requests "
    "where id is not null and start_file_key is not null and id_source = 'logged' and "
    "time_source = 'logged' "
    "group by host, service, instance, id, started_at "
    "having count(*) > 1 and count(distinct start_file_key) > 1 order by 1, 3 limit 1000"
)
_STRETCH = 1 << 30  # bytes of a log file whose rows are grouped in one go


@dataclass(frozen=True, slots=True)
class StoreFinding:
    """Rows that are wrong by themselves.

    :ivar kind: beyond (after the committed offset), stray (of no known file), doubled, or lost
        (other rows say that they should be there).
    :ivar path: of the log file, empty where it is not known.
    :ivar rows: how many.
    :ivar offset: of the first one.
    """

    kind: str
    table: str
    file_key: int
    path: str
    rows: int
    offset: int


def store_findings(
    store: Store,
    checkpoints: Sequence[Checkpoint],
    recounted: Collection[int],
    only: Collection[int] | None,
) -> Iterator[StoreFinding]:
    """Look for rows that cannot be, ``only`` of these files; an ingest may run meanwhile."""
    paths = {c.file_key: c.path for c in checkpoints}
    with store.reading() as reader:
        for finding in _all(reader, paths, recounted):
            if only is None or finding.file_key in only:
                yield finding


class _Wrong(NamedTuple):
    """Rows of one log file that are wrong: how many, and the offset of the first one."""

    file_key: int
    rows: int
    first: int


class _Orphans(NamedTuple):
    """The same, of requests; ``placed``: a record tells where in the log file they are."""

    file_key: int
    placed: bool
    rows: int
    first: int


def _all(
    reader: Reader, paths: Mapping[int, str], recounted: Collection[int]
) -> Iterator[StoreFinding]:
    def found(kind: str, table: str, wrong: _Wrong | _Orphans) -> StoreFinding:
        path = paths.get(wrong.file_key, "")
        return StoreFinding(kind, table, wrong.file_key, path, wrong.rows, wrong.first)

    for kind, sql in (("beyond", _BEYOND), ("stray", _UNKNOWN)):
        for table, file, offset, which in _COLUMNS:
            query = sql.format(table=table, file=file, offset=offset, which=which)
            for wrong in rows_as(_Wrong, reader.query(query, {}).rows):
                yield found(kind, table, wrong)
    for wrong in rows_as(_Wrong, reader.query(_TWICE, None).rows):
        yield found("doubled", "requests", wrong)
    since = {"since": _since(reader)}
    for wrong in rows_as(_Wrong, reader.query(_PIECELESS, since).rows):
        yield found("lost", "request_parts", wrong)
    for orphans in rows_as(_Orphans, reader.query(_ORPHANS, since).rows):
        if not (orphans.placed and orphans.file_key in recounted):
            yield found("lost", "requests", orphans)


def _since(reader: Reader) -> datetime:
    """The instant since which requests are expected: a part's began up to JOIN_GAP before it."""
    before = pruned(reader).of("requests")
    if before <= 0:
        return EPOCH
    return EPOCH + timedelta(microseconds=before) + JOIN_GAP


def gone_doubles(store: Store, checkpoint: Checkpoint) -> list[tuple[str, int]]:
    """Rows stored twice of a file that cannot be read again: table and offset."""
    found: list[tuple[str, int]] = []
    key, end = checkpoint.file_key, checkpoint.committed_offset
    with store.reading() as reader:
        for low in range(0, end, _STRETCH):
            high = min(end, low + _STRETCH)
            for table, file, offset, which in _COLUMNS:
                same = _SAME.get(table, offset)
                sql = _REPEATED.format(
                    table=table, file=file, offset=offset, which=which, same=same
                )
                rows = reader.query(sql, {"key": key, "low": low, "high": high}).rows
                found += [(table, whole(r[0])) for r in rows]
            keys = {"low": make_key(key, low), "high": make_key(key, high)}
            rows = reader.query(_REPEATED_KEYS, keys).rows
            found += [("requests", low + whole(r[0])) for r in rows]
    return found
