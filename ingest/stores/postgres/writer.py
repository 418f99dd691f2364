"""The writing side of a PostgreSQL store: one transaction on the session that holds the lock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from ingest.errors import StoreError
from ingest.faults import reach
from ingest.model import KEY_SHIFT, Changes, Checkpoint, Origin, RunRow
from ingest.rows.described import TABLES, WRITTEN
from ingest.rows.spans import CARRY, EPOCH, OPEN
from ingest.stores.binds import replace_binds
from ingest.stores.contract import Standing, require_standing
from ingest.stores.forgetting import Forgetting
from ingest.stores.postgres.answers import PostgresAnswers
from ingest.stores.postgres.copy import Step, copy_in, run, shown, storable, to_arrow
from ingest.stores.postgres.new_days import MOST, NewDays
from ingest.stores.postgres.partitions import PARTITIONED, Days, Partitions, begins, days_of
from ingest.stores.redating import redating

if TYPE_CHECKING:
    import pyarrow as pa

Connection = psycopg.Connection[tuple[Any, ...]]

CHECKPOINT_COLUMNS = Checkpoint._fields
_RUN_COLUMNS = RunRow._fields
_FEW = 5000  # ids: some milliseconds to be sent, and looked up
_LONG = timedelta(days=1)  # a request that takes longer is in an index of its own


@dataclass(slots=True)
class Session:
    """A connection, whose ingest it is (None: that of all hosts, or of nobody), and what it knows
    of partitions.

    ``commits`` are the advisory locks of a transaction that proves what it stands on, and whether
    each is shared: a lock of the session may be lost, where a pooler gives every transaction
    another one. ``fills_new_days``: nobody was in the way of that yet.
    """

    connection: Connection
    host: str | None
    partitions: Partitions
    commits: Sequence[tuple[int, bool]] = ()
    fills_new_days: bool = True


class PostgresWriter:
    """See :class:`ingest.stores.contract.Writer`."""

    def __init__(self, session: Session, store: str = "", standing: Standing | None = None) -> None:
        self._session = session
        self._connection = session.connection
        self._store = store
        self._standing = standing
        self._has_written = False
        self._settled: Days = {}  # days that lack no partition once this has committed
        self.committed = False

    @property
    def answers(self) -> PostgresAnswers:
        return PostgresAnswers(self._connection)

    def forgetter(self, file_key: int) -> Forgetting:
        from ingest.stores.postgres.upkeep import TEXTS

        self._has_written = True  # from here on the transaction must stay one
        return Forgetting(file_key, self._asked, self._changed, TEXTS)

    def _asked(self, sql: str, binds: Mapping[str, object]) -> "pa.Table":
        return to_arrow(self._connection.execute(_marked(sql), binds))

    def _changed(self, sql: str, binds: Mapping[str, object]) -> int:
        return self._connection.execute(_marked(sql), binds).rowcount

    def begin(self) -> None:
        """Begin the transaction.

        :raises IngestBusyError: when the store is not what it stands on.
        """
        # what is proven is read behind the locks
        self._connection.execute("begin isolation level read committed")
        reach("begun")
        if self._standing is not None:
            self._prove(self._standing)

    def _prove(self, standing: Standing) -> None:
        """From here to the transaction's end no other run of these hosts can begin or commit."""
        for key, is_shared in self._session.commits:
            kind = "_shared" if is_shared else ""
            self._connection.execute(f"select pg_advisory_xact_lock{kind}(%s)", [key])
        rows = self._connection.execute(
            "select file_key, committed_offset from log_files where file_key = any(%s)",
            [list(standing.offsets)],
        ).fetchall()
        newest = newest_run(self._connection, self._session.host)
        require_standing(self._store, standing, newest, dict(rows))

    def roll_back(self) -> None:
        """Leave the store as it was."""
        if not self._connection.closed:
            self._connection.execute("rollback")

    def next_run_key(self, host: str | None) -> int:
        # runs that were killed are marked by the commit, which every run key leads to
        return self._number("select nextval('run_keys')")

    def _number(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])

    def carry(self, checkpoint: Checkpoint, ids: "pa.Array | None" = None) -> dict[str, int]:
        near = (checkpoint.last_logged_at or EPOCH) - CARRY
        cursor = self._connection.execute(
            _CARRIED,
            {
                "key": checkpoint.file_key,
                "near": near,
                "soon": _shifted(near, -_LONG),
                "offset": checkpoint.committed_offset,
                "ids": None if ids is None else ids.to_pylist(),
            },
        )
        found = to_arrow(cursor)
        names, ended = found["id"].to_pylist(), found["ended"].cast("int64").to_pylist()
        return {
            i: OPEN if e is None else e for i, e in zip(names, ended, strict=True) if i is not None
        }

    def has_many_parts(self, checkpoint: Checkpoint, many: int) -> bool:
        ended = ""
        if checkpoint.last_logged_at is None:
            ended = (
                "union all select 1 from requests "
                "where start_file_key = %(key)s and end_file_key = %(key)s"
            )
        sql = (
            "select count(*) from (select 1 from request_parts "
            f"where file_key = %(key)s and first_offset < %(offset)s {ended} "
            "limit %(most)s) as few"
        )
        binds = {
            "key": checkpoint.file_key,
            "offset": checkpoint.committed_offset,
            "most": many + 1,
        }
        row = self._connection.execute(sql, binds).fetchone()
        return row is not None and int(row[0]) > many

    def known_ids(
        self, origin: Origin, ids: "pa.Array", earliest: datetime, latest: datetime
    ) -> "pa.Array":
        import pyarrow.compute as pc

        binds = {**_named(origin, earliest, latest), "most": _FEW}
        if len(ids) >= _FEW:  # what is near is told sooner than so many ids, if it is little
            near = self._ids(_NEAR, binds)
            if len(near) < _FEW:
                return near.filter(pc.is_in(near, value_set=ids)).unique()
        return self._ids(_KNOWN, {**binds, "ids": ids.to_pylist()})

    def _ids(self, sql: str, binds: Mapping[str, object]) -> "pa.Array":
        return to_arrow(self._connection.execute(sql, binds))["id"].combine_chunks()

    def last_pieces(self, origin: Origin, heads: "pa.Table") -> "pa.Table":
        binds = {**_heads(heads), "key": origin.file_key}
        return to_arrow(self._connection.execute(_LAST_PIECES, binds))

    def last_requests(
        self, origin: Origin, heads: "pa.Table", earliest: datetime, latest: datetime
    ) -> "pa.Table":
        binds = {**_named(origin, earliest, latest), **_heads(heads)}
        return to_arrow(self._connection.execute(_LAST_REQUESTS, binds))

    def pieces_near(self, origin: Origin, windows: "pa.Table") -> "pa.Table":
        binds = {"host": shown(origin.host), "service": shown(origin.service)}
        return to_arrow(self._connection.execute(_PIECES_NEAR, binds | _listed(windows)))

    def requests_near(
        self, origin: Origin, windows: "pa.Table", earliest: datetime, latest: datetime
    ) -> "pa.Table":
        binds = _named(origin, earliest, latest) | _listed(windows)
        return to_arrow(self._connection.execute(_REQUESTS_NEAR, binds))

    def write(self, changes: Changes) -> None:
        new = self._new_days(changes)
        self._has_written = True
        self._delete(changes)
        reach("deleted")
        for _ in run(self._connection, _steps(changes, new)):
            reach("inserted")
        if new.days and not new.attach():
            self._session.fills_new_days = False
            self._connection.execute("rollback")
            self._has_written = False
            self.begin()
            self.write(changes)
            return
        self._relink(changes)
        reach("relinked")
        self._reject(changes)
        reach("rows_in")

    def _new_days(self, changes: Changes) -> NewDays:
        """The days whose partitions are filled before they become ones.

        Where that cannot be, the partitions are made now, before anything is locked: in
        transactions of their own. What was read so far stays true behind them: what the transaction
        stands on is proven anew.
        """
        known, wanted = self._session.partitions, _days(changes)
        missing = {} if self._has_written else known.missing(wanted)
        if not missing:
            return NewDays(self._connection, {})
        fit = sum(map(len, missing.values())) <= MOST and not self._is_near_lines(wanted)
        if fit and self._session.fills_new_days:
            days = known.begin(missing)
            if days is not None:
                self._settled = missing
                return NewDays(self._connection, days)
        self._connection.execute("rollback")
        known.make(missing)
        self.begin()
        return NewDays(self._connection, {})

    def _is_near_lines(self, days: Days) -> bool:
        """Whether access lines are near rows of these days: what they answer is decided once the
        rows are written, and that takes long where there are many; readers would wait.
        """
        if days.get("http_requests"):
            return True
        every = set().union(*days.values())
        first, last = begins(min(every)), begins(max(every))
        return self.answers.has_lines(_shifted(first, -_LONG), _shifted(last, 2 * _LONG))

    def redate(self, file_key: int, at: datetime) -> None:
        self._has_written = True
        for statement in redating(file_key, at):
            self._connection.execute(statement)

    def release(self, file_key: int, offsets: Sequence[int]) -> None:
        self._has_written = True
        self._connection.execute(
            "delete from quarantine where file_key = %s and byte_offset = any(%s)",
            [file_key, list(offsets)],
        )

    def text_salt(self, new: str, at: datetime) -> str:
        self._connection.execute(
            "insert into text_salts values (1, %s, %s) on conflict do nothing", [new, at]
        )
        row = self._connection.execute("select salt from text_salts").fetchone()
        assert row is not None
        return str(row[0])

    def commit(self, checkpoints: Sequence[Checkpoint], run: RunRow | None) -> None:
        if checkpoints:
            self._upsert("log_files", CHECKPOINT_COLUMNS, checkpoints)
            reach("checkpoint_in")
        self._end_killed(run)
        if run is not None:
            self._upsert("ingest_runs", _RUN_COLUMNS, [run])
        reach("before_commit")
        done = self._connection.execute("commit").statusmessage
        if done != "COMMIT":
            raise StoreError(f"the store did not commit: {done}", "the server's log says more")
        self._session.partitions.settle(self._settled)
        reach("committed")
        self.committed = True

    def _end_killed(self, run: RunRow | None) -> None:
        """Mark the other runs of this host that say they still run: only one does at a time."""
        self._connection.execute(
            "update ingest_runs set status = 'interrupted', error = 'killed' "
            "where status = 'running' and run_key <> %s "
            "and (cast(%s as text) is null or host is null or host = %s)",
            [run.run_key if run else 0, self._session.host, self._session.host],
        )

    def _upsert(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        key, *others = columns
        given = [[shown(v) if isinstance(v, str) else v for v in row] for row in rows]
        with self._connection.cursor() as cursor:
            cursor.executemany(
                f"insert into {name} ({', '.join(columns)}) "
                f"values ({', '.join(['%s'] * len(columns))}) "
                f"on conflict ({key}) do update set "
                + ", ".join(f"{c} = excluded.{c}" for c in others),
                given,
            )

    def _delete(self, changes: Changes) -> None:
        if changes.delete_requests:
            self._connection.execute(
                "delete from requests where request_key = any(%s) "
                "and logged_at >= cast(%s as timestamptz) and logged_at <= cast(%s as timestamptz)",
                [sorted(set(changes.delete_requests)), changes.earliest, changes.latest],
            )
        if changes.delete_parts:
            self._connection.execute(
                "delete from request_parts p using unnest(%s::bigint[], %s::bigint[]) as u(f, o) "
                "where p.file_key = u.f and p.first_offset = u.o",
                [[p[0] for p in changes.delete_parts], [p[1] for p in changes.delete_parts]],
            )

    def _relink(self, changes: Changes) -> None:
        if not changes.relinks:
            return
        columns = zip(*changes.relinks, strict=True)
        names = ("file_keys", "ids", "firsts", "lasts", "requests", "knowns", "parts", "owns")
        binds: dict[str, object] = dict(zip(names, map(list, columns), strict=True))
        binds |= {"earliest": changes.earliest, "latest": changes.latest}
        for statement in _RELINK:
            self._connection.execute(statement, binds)
        self._connection.execute(_RESTAGE, binds)

    def _reject(self, changes: Changes) -> None:
        import pyarrow as pa

        if not changes.rejects:
            return
        n, pieces = len(changes.rejects), [r for _, r in changes.rejects]
        table = pa.table(
            {
                "file_key": pa.array([key for key, _ in changes.rejects], pa.int64()),
                "byte_offset": pa.array([r.byte_offset for r in pieces], pa.int64()),
                "byte_length": pa.array([r.byte_length for r in pieces], pa.int64()),
                "reason": pa.array([r.reason for r in pieces], pa.string()),
                "raw": pa.array([r.raw for r in pieces], pa.string()),
                "quarantined_at": pa.array([changes.quarantined_at] * n, pa.timestamp("us", "UTC")),
            }
        )
        copy_in(self._connection, "quarantine", table)
        reach("inserted")


def _marked(sql: str) -> str:
    """A statement with ``:name`` parameters as the driver takes it."""
    return replace_binds(sql.replace("%", "%%"), lambda name: f"%({name})s")


def _named(origin: Origin, earliest: datetime, latest: datetime) -> dict[str, object]:
    """What every question about the parts of requests goes by."""
    return {
        "host": shown(origin.host),
        "service": shown(origin.service),
        "key": origin.file_key,
        "earliest": earliest,
        "latest": latest,
        "soon": _shifted(earliest, -_LONG),
    }


def _heads(heads: "pa.Table") -> dict[str, object]:
    return {f"{name}s": heads[name].to_pylist() for name in ("id", "before")}


def _listed(windows: "pa.Table") -> dict[str, object]:
    return {f"{name}s": windows[name].to_pylist() for name in ("id", "low", "high")}


def newest_run(connection: Connection, host: str | None) -> int:
    """The newest run's key, of a host and of runs for all hosts; None: of any. 0: none."""
    row = connection.execute(
        "select run_key from ingest_runs where cast(%s as text) is null or host is null or "
        "host = %s "
        "order by run_key desc limit 1",
        [host and shown(host), host and shown(host)],
    ).fetchone()
    return int(row[0]) if row else 0


def _tables(changes: Changes) -> Mapping[str, "list[pa.Table]"]:
    """The rows of a commit, by table; none without any."""
    return {n: [t for t in changes.rows.get(n, ()) if t.num_rows] for n in WRITTEN}


def _steps(changes: Changes, new: NewDays) -> Iterator[Step]:
    """What stores the rows of a commit."""
    yield from new.made()
    for name, tables in _tables(changes).items():
        yield from new.steps(name, [storable(t) for t in tables])


def _days(changes: Changes) -> Days:
    """The days whose partitions the rows of a commit belong in."""
    tables = _tables(changes)
    today = changes.quarantined_at.astimezone(UTC).date()
    found = {}
    for name, column in PARTITIONED.items():
        days = [days_of(t[column], today) for t in tables[name]]
        if days:
            found[name] = set().union(*days)
    return found


def _shifted(instant: datetime, by: timedelta) -> datetime:
    """An instant moved, kept within what a datetime can hold."""
    try:
        return instant + by
    except OverflowError:
        return (datetime.max if by > timedelta(0) else datetime.min).replace(tzinfo=UTC)


# A request of more than a day is in an index of its own: so old partitions cost a look at it, here
# and below.
_MINE = "and (cast(%(ids)s as text[]) is null or id = any(%(ids)s))"
_OWN = f"""
select id, start_offset, end_offset, completed_at from requests
where end_file_key = %(key)s and start_file_key = %(key)s and start_offset < %(offset)s {_MINE}
"""
# The last of the four: an older open part of the id must not pass for its last one.
_CARRIED = f"""
select id, ended from (
    select id, first_offset as place,
        case when end_offset < %(offset)s then completed_at end as ended
    from request_parts
    where file_key = %(key)s and first_offset < %(offset)s {_MINE}
    union all
    select id, start_offset, case when end_offset < %(offset)s then completed_at end
    from (
        {_OWN} and completed_at >= %(near)s and logged_at >= %(soon)s
        union
        {_OWN} and completed_at >= %(near)s and logged_at < %(soon)s
            and completed_at - logged_at >= interval '24 hours'
        union
        {_OWN} and end_offset >= %(offset)s
        union
        {_OWN} and id in (select id from request_parts where file_key = %(key)s {_MINE})
    ) as mine
) as known
order by place
"""

_IS_NEAR = """
host = %(host)s and service = %(service)s
  and (file_key = %(key)s or (last_at >= %(earliest)s and logged_at <= %(latest)s))
"""
_NEAR = f"select id from request_parts where id is not null and {_IS_NEAR} limit %(most)s"
_KNOWN = f"select distinct id from request_parts where id = any(%(ids)s) and {_IS_NEAR}"

_HEADS = "unnest(%(ids)s::text[], %(befores)s::bigint[]) as b(id, before)"
_LAST_PIECES = f"""
select p.* from request_parts p join (
    select p.id, max(p.first_offset) as place
    from request_parts p join {_HEADS} on p.id = b.id and p.first_offset < b.before
    where p.file_key = %(key)s group by p.id
) as l on p.id = l.id and p.first_offset = l.place
where p.file_key = %(key)s
"""

_IN_TIME = """
  and r.completed_at >= %(earliest)s and r.logged_at <= %(latest)s
  and not exists (select 1 from request_parts p where p.request_key = r.request_key)
"""


def _of_any_length(sql: str) -> str:
    """The statement; it asks old partitions only for long requests, which have an index (_OWN)."""
    return (
        f"{sql} and r.logged_at >= %(soon)s union all "
        f"{sql} and r.logged_at < %(soon)s and r.completed_at - r.logged_at >= interval '24 hours'"
    )


_EVERY_BEFORE = _of_any_length(
    f"""
select r.* from requests r join {_HEADS} on r.id = b.id and r.start_offset < b.before
where r.start_file_key = %(key)s and r.end_file_key = %(key)s {_IN_TIME}
"""
)
_LAST_REQUESTS = f"""
select distinct on (id) * from ({_EVERY_BEFORE}) as mine order by id, start_offset desc
"""

_WINDOWS = """unnest(
    %(ids)s::text[], %(lows)s::timestamptz[], %(highs)s::timestamptz[]
) as w(id, low, high)"""
# Narrow rows first: an id may have any number of them. A request is fetched with all its rows.
_PIECES_NEAR = f"""
with mine as materialized (
    select p.id, p.request_key, p.logged_at, p.last_at,
        (p.start_offset is null) <> (p.end_offset is null) as is_loose
    from request_parts p
    where p.id = any(%(ids)s) and p.host = %(host)s and p.service = %(service)s
), edges as (
    select w.id, w.low, w.high,
        max(m.logged_at) filter (where m.is_loose and m.logged_at < w.low) as before,
        min(m.logged_at) filter (where m.is_loose and m.logged_at > w.high) as behind
    from {_WINDOWS} join mine m on m.id = w.id
    group by w.id, w.low, w.high
)
select p.* from request_parts p where p.request_key in (
    select m.request_key from mine m join edges e on e.id = m.id
    where (m.last_at >= e.low and m.logged_at <= e.high)
       or (m.is_loose and (m.logged_at = e.before or m.logged_at = e.behind))
)
"""

_REQUESTS_NEAR = _of_any_length(
    f"""
select r.* from requests r
where r.id = any(%(ids)s) and r.host = %(host)s and r.service = %(service)s
  and r.started_at is not null
  and exists (
      select 1 from {_WINDOWS}
      where w.id = r.id and r.completed_at >= w.low and r.logged_at <= w.high
  ) {_IN_TIME}
"""
)

_LINKS = """unnest(
    %(file_keys)s::bigint[], %(ids)s::text[], %(firsts)s::bigint[], %(lasts)s::bigint[],
    %(requests)s::bigint[], %(knowns)s::bigint[], %(parts)s::integer[], %(owns)s::boolean[]
) as l(file_key, id, first_offset, last_offset, request_key, known_key, part, is_own)"""

_RELINK = [
    f"""
update {table.name} as t set request_key = l.request_key
from {_LINKS}
where t.{table.key} between (l.file_key << {KEY_SHIFT}) | l.first_offset
                    and (l.file_key << {KEY_SHIFT}) | l.last_offset
  and t.id = l.id
  and t.{table.at} >= %(earliest)s and t.{table.at} <= %(latest)s
"""
    for table in TABLES
    if table.is_linked
]

# Stages name no id: those of a part are the ones in its stretch of the file that belong to its
# request, as it was or, if they came with this commit, as it is.
# "before" is the last value of the rows before that is not null: the one behind which as many such
# values stand as before the row. One line may tell several stages: they stand in the order that
# they were numbered in. Stages logged with their own times add up to the time since the request
# began; else the difference is their own time.
# Of several parts, stages stand by time; within one part they keep the order of the file, whatever
# the clock did: each counts as logged at the latest instant so far.
_RESTAGE = f"""
with linked as (
    select s.file_key, s.byte_offset, s.seq as place, l.request_key, l.part, l.is_own,
        s.elapsed_ms, s.duration_ms,
        max(s.logged_at) over (
            partition by l.request_key, l.part order by s.byte_offset, s.seq
        ) as reached_at
    from stage_timings s join (
        select *, known_key as stage_key from {_LINKS}
        union select *, request_key from {_LINKS}
    ) as l
      on s.file_key = l.file_key and s.request_key = l.stage_key
     and s.byte_offset between l.first_offset and l.last_offset
    where s.logged_at >= %(earliest)s and s.logged_at <= %(latest)s
), numbered as (
    select *, row_number() over w as seq, sum(duration_ms) over w as so_far,
        count(elapsed_ms) over w as upto,
        count(elapsed_ms) over w - case when elapsed_ms is null then 0 else 1 end as earlier
    from linked
    window w as (
        partition by request_key order by reached_at, part, byte_offset, place
        rows unbounded preceding
    )
), compared as (
    select n.*, b.elapsed_ms as before
    from numbered n left join numbered b
      on b.request_key = n.request_key and b.upto = n.earlier and b.elapsed_ms is not null
)
update stage_timings
set request_key = n.request_key, seq = cast(n.seq as integer),
    elapsed_ms = case when not n.is_own then n.elapsed_ms
        when n.duration_ms is not null then n.so_far end,
    duration_ms = case
        when n.is_own then n.duration_ms
        when n.elapsed_ms >= coalesce(n.before, 0) then n.elapsed_ms - coalesce(n.before, 0)
        else n.elapsed_ms
    end
from compared n
where stage_timings.file_key = n.file_key and stage_timings.byte_offset = n.byte_offset
  and stage_timings.seq = n.place
  and logged_at >= %(earliest)s and logged_at <= %(latest)s
"""
