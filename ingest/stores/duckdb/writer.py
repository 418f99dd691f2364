"""One transaction on a DuckDB store: rows, quarantine, checkpoints and the run."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import duckdb

from ingest.faults import reach
from ingest.model import Changes, Checkpoint, Origin, Relink, RunRow
from ingest.rows.described import TABLES, WRITTEN
from ingest.rows.spans import CARRY, EPOCH, OPEN
from ingest.stores.binds import replace_binds
from ingest.stores.duckdb.answers import DuckDBAnswers
from ingest.stores.duckdb.connection import (
    MERGE_EVERY,
    MERGING,
    NOT_MERGING,
    ROW_GROUP_SIZE,
)
from ingest.stores.duckdb.handed import RELATED_ROWS, handed, kept, related
from ingest.stores.duckdb.memory import Memory
from ingest.stores.forgetting import Forgetting
from ingest.stores.redating import redating

if TYPE_CHECKING:
    import pyarrow as pa

    from ingest.stores.duckdb.pieces import Pieces

_FEW = 8  # checkpoints that are written one by one
CHECKPOINT_COLUMNS = Checkpoint._fields
_RUN_COLUMNS = RunRow._fields
_LINK_COLUMNS = (
    "file_key", "id", "first_offset", "last_offset", "request_key", "known_key", "part", "is_own",
)  # fmt: skip


class DuckDBWriter:
    """One transaction on the writing connection; ``numbers`` counts those with rows."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, numbers: Iterator[int]) -> None:
        self._connection = connection
        self._numbers = numbers
        self._inserted = 0  # rows of the largest insert
        self._merges = False
        self.committed = False
        self._memory = Memory(connection)

    @cached_property
    def _pieces(self) -> "Pieces":
        from ingest.stores.duckdb.pieces import Pieces  # loads Arrow

        return Pieces(self._connection, self._memory)

    @property
    def answers(self) -> DuckDBAnswers:
        return DuckDBAnswers(self._connection)

    def forgetter(self, file_key: int) -> Forgetting:
        from ingest.stores.duckdb.upkeep import TEXTS

        return Forgetting(file_key, self._asked, self._changed, TEXTS)

    def _asked(self, sql: str, binds: Mapping[str, object]) -> "pa.Table":
        marked = replace_binds(sql, lambda name: f"${name}")
        found = self._connection.execute(marked, binds)
        return found.to_arrow_table(batch_size=RELATED_ROWS)

    def _changed(self, sql: str, binds: Mapping[str, object]) -> int:
        self._pieces.changed()
        row = self._connection.execute(replace_binds(sql, lambda name: f"${name}"), binds)
        return int((row.fetchone() or (0,))[0])

    def end(self) -> None:
        """Leave the connection as it was found."""
        self._memory.end()
        if self._merges:
            self._connection.execute(NOT_MERGING)

    def next_run_key(self, host: str | None) -> int:
        self._end_killed()
        return self._scalar("select coalesce(max(run_key), 0) + 1 from ingest_runs")

    def _end_killed(self) -> None:
        # only one run at a time: one that still says so was killed
        self._connection.execute(
            "update ingest_runs set status = 'interrupted', error = 'killed' where status = "
            "'running'"
        )

    def _scalar(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        return int(row[0]) if row else 0

    def carry(self, checkpoint: Checkpoint, ids: "pa.Array | None" = None) -> dict[str, int]:
        import pyarrow as pa

        near = (checkpoint.last_logged_at or EPOCH) - CARRY
        binds = {"key": checkpoint.file_key, "near": near, "offset": checkpoint.committed_offset}
        if ids is None:
            sql = _CARRIED.format(chosen="", mine="")
            rows = self._connection.execute(sql, binds).fetchall()
        else:
            sql = _CARRIED.format(chosen=_CHOSEN, mine="and id in (from chosen)")
            with handed(self._connection, batch_ids=pa.table({"id": ids})):
                rows = self._connection.execute(sql, binds).fetchall()
        return {r[0]: OPEN if r[2] is None else r[2] for r in rows if r[0] is not None}

    def has_many_parts(self, checkpoint: Checkpoint, many: int) -> bool:
        ended = ""
        if checkpoint.last_logged_at is None:
            ended = (
                "union all select 1 from requests "
                "where start_file_key = $key and end_file_key = $key"
            )
        found = self._connection.execute(
            "select count(*) from (select 1 from request_parts "
            f"where file_key = $key and first_offset < $offset {ended} limit $most)",
            {
                "key": checkpoint.file_key,
                "offset": checkpoint.committed_offset,
                "most": many + 1,
            },
        ).fetchone()
        return found is not None and int(found[0]) > many

    def known_ids(
        self, origin: Origin, ids: "pa.Array", earliest: datetime, latest: datetime
    ) -> "pa.Array":
        return self._pieces.known(origin, ids, earliest, latest)

    def last_pieces(self, origin: Origin, heads: "pa.Table") -> "pa.Table":
        return self._pieces.last(origin, heads)

    def last_requests(
        self, origin: Origin, heads: "pa.Table", earliest: datetime, latest: datetime
    ) -> "pa.Table":
        binds = (origin.file_key, origin.file_key, earliest, latest) * 2
        self._memory.allow_more()
        return related(self._connection, _LAST_REQUESTS, binds, batch_heads=heads)

    def pieces_near(self, origin: Origin, windows: "pa.Table") -> "pa.Table":
        return self._pieces.near(origin, windows)

    def requests_near(
        self, origin: Origin, windows: "pa.Table", earliest: datetime, latest: datetime
    ) -> "pa.Table":
        binds = (origin.host, origin.service, earliest, latest)
        self._memory.allow_more()
        return related(self._connection, _REQUESTS_NEAR, binds, batch_windows=windows)

    def write(self, changes: Changes) -> None:
        self._memory.begin_rows()
        self._delete(changes)
        reach("deleted")
        for name in WRITTEN:
            for table in _in_few(changes.rows.get(name, ())):
                self._insert(name, table)
        self._relink(changes)
        reach("relinked")
        self._reject(changes)
        reach("rows_in")

    def redate(self, file_key: int, at: datetime) -> None:
        self._pieces.changed()
        for statement in redating(file_key, at):
            self._connection.execute(statement)

    def release(self, file_key: int, offsets: Sequence[int]) -> None:
        import pyarrow as pa

        places = pa.table({"o": pa.array(offsets, pa.int64())})
        with handed(self._connection, batch_places=places):
            self._connection.execute(
                "delete from quarantine using batch_places where file_key = ? and byte_offset = o",
                [file_key],
            )

    def text_salt(self, new: str, at: datetime) -> str:
        self._connection.execute("insert or ignore into text_salts values (1, ?, ?)", [new, at])
        row = self._connection.execute("select salt from text_salts").fetchone()
        assert row is not None
        return str(row[0])

    def commit(self, checkpoints: Sequence[Checkpoint], run: RunRow | None) -> None:
        if len(checkpoints) > _FEW:
            self._upsert_all(checkpoints)
        else:
            for checkpoint in checkpoints:
                self._upsert("log_files", CHECKPOINT_COLUMNS, checkpoint)
                reach("checkpoint_in")
        if run is None:
            self._end_killed()
        else:
            self._upsert("ingest_runs", _RUN_COLUMNS, run)
        reach("before_commit")
        self._memory.allow_commit()
        if self._may_merge(run):
            self._connection.execute(MERGING)
            self._merges = True
        self._connection.execute("commit")
        reach("committed")
        self.committed = True

    def _may_merge(self, run: RunRow | None) -> bool:
        """Whether this commit merges small row groups; to be asked once, as it counts commits."""
        if run is None or not self._inserted:
            return False
        is_its_turn = (run.run_key + next(self._numbers)) % MERGE_EVERY == 0
        return is_its_turn or self._inserted > ROW_GROUP_SIZE

    def _insert(self, name: str, table: "pa.Table") -> None:
        self._inserted = max(self._inserted, table.num_rows)
        self._memory.allow_for(table)
        if name == "request_parts":
            self._pieces.added(table)
        filled = filled_columns(table)
        columns = ", ".join(filled)
        insert = f"insert into {name} ({columns}) select {columns} from batch_rows"
        with handed(self._connection, batch_rows=table.select(filled)):
            self._connection.execute(insert)
        reach("inserted")

    def _upsert(self, name: str, columns: Sequence[str], values: Sequence[object]) -> None:
        """Update or insert the row of a key, the first of ``columns``: ``insert or replace`` takes
        twice as long as both.
        """
        key, *others = columns
        places = ", ".join(f"{column} = ?" for column in others)
        self._connection.execute(
            f"update {name} set {places} where {key} = ?", [*values[1:], values[0]]
        )
        if self._connection.fetchone() == (0,):
            self._insert_one(name, columns, values)

    def _insert_one(self, name: str, columns: Sequence[str], values: Sequence[object]) -> None:
        marks = ", ".join("?" * len(columns))
        self._connection.execute(
            f"insert into {name} ({', '.join(columns)}) values ({marks})", list(values)
        )

    def _upsert_all(self, checkpoints: Sequence[Checkpoint]) -> None:
        import pyarrow as pa

        columns = zip(*checkpoints, strict=True)
        table = pa.table(dict(zip(CHECKPOINT_COLUMNS, map(list, columns), strict=True)))
        names = ", ".join(CHECKPOINT_COLUMNS)
        with handed(self._connection, batch_files=table):
            self._connection.execute(
                f"insert or replace into log_files ({names}) select {names} from batch_files"
            )
        reach("checkpoint_in")

    def _delete(self, changes: Changes) -> None:
        import pyarrow as pa

        if changes.delete_requests:
            keys = pa.table({"k": pa.array(sorted(set(changes.delete_requests)), pa.int64())})
            with handed(self._connection, batch_keys=keys):
                self._connection.execute(
                    "delete from requests using batch_keys where request_key = k "
                    "and logged_at >= ? and logged_at <= ?",
                    [changes.earliest, changes.latest],
                )
        if changes.delete_parts:
            self._pieces.changed()
            places = pa.table(
                {
                    "f": pa.array([p[0] for p in changes.delete_parts], pa.int64()),
                    "o": pa.array([p[1] for p in changes.delete_parts], pa.int64()),
                }
            )
            with handed(self._connection, batch_places=places):
                self._connection.execute(
                    "delete from request_parts using batch_places "
                    "where file_key = f and first_offset = o"
                )

    def _relink(self, changes: Changes) -> None:
        if not changes.relinks:
            return
        window = [changes.earliest, changes.latest]
        with kept(self._connection, "batch_links", _link_table(changes.relinks)):
            for table in (t for t in TABLES if t.is_linked):
                self._connection.execute(
                    f"update {table.name} as t set request_key = l.request_key from batch_links l "
                    "where t.file_key = l.file_key and t.id = l.id "
                    "and t.byte_offset between l.first_offset and l.last_offset "
                    f"and t.{table.at} >= ? and t.{table.at} <= ?",
                    window,
                )
            self._connection.execute(_RESTAGE, window * 2)

    def _reject(self, changes: Changes) -> None:
        import pyarrow as pa

        if not changes.rejects:
            return
        n, pieces = len(changes.rejects), [r for _, r in changes.rejects]
        self._insert(
            "quarantine",
            pa.table(
                {
                    "file_key": pa.array([key for key, _ in changes.rejects], pa.int64()),
                    "byte_offset": pa.array([r.byte_offset for r in pieces], pa.int64()),
                    "byte_length": pa.array([r.byte_length for r in pieces], pa.int64()),
                    "reason": pa.array([r.reason for r in pieces]),
                    "raw": pa.array([r.raw for r in pieces]),
                    "quarantined_at": pa.array(
                        [changes.quarantined_at] * n, pa.timestamp("us", "UTC")
                    ),
                }
            ),
        )


def _in_few(tables: "Sequence[pa.Table]") -> "list[pa.Table]":
    """Tables with rows, neighbours of the same columns as one: an insert costs a millisecond or two
    however little it inserts.
    """
    import pyarrow as pa

    alike: list[list[pa.Table]] = []
    for table in tables:
        if not table.num_rows:
            continue
        if alike and alike[-1][0].schema.equals(table.schema):
            alike[-1].append(table)
        else:
            alike.append([table])
    return [pa.concat_tables(group) for group in alike]


def filled_columns(table: "pa.Table") -> list[str]:
    """The columns that have a value in some row; null is what a column is left out for."""
    return [
        name
        for name, column in zip(table.column_names, table.columns, strict=True)
        if column.null_count < table.num_rows
    ]


def _link_table(links: Sequence[Relink]) -> "pa.Table":
    import pyarrow as pa

    columns = zip(*links, strict=True)
    types = (
        pa.int64(), pa.string(), pa.int64(), pa.int64(), pa.int64(), pa.int64(), pa.int32(),
        pa.bool_(),
    )  # fmt: skip
    arrays = [pa.array(c, t) for c, t in zip(columns, types, strict=True)]
    return pa.table(dict(zip(_LINK_COLUMNS, arrays, strict=True)))


# The last condition: an older open part of the id must not pass for its last one.
_CARRIED = """
{chosen}
select id, first_offset as place,
    case when end_offset < $offset then epoch_us(completed_at) end as ended
from request_parts where file_key = $key and first_offset < $offset {mine}
union all
select id, start_offset, case when end_offset < $offset then epoch_us(completed_at) end
from requests
where end_file_key = $key and start_file_key = $key and start_offset < $offset {mine}
  and (
      completed_at >= $near or end_offset >= $offset
      or id in (select id from request_parts where file_key = $key {mine})
  )
order by place
"""

_CHOSEN = "with chosen as materialized (select id from batch_ids)"

_LAST_REQUESTS = """
select r.* from requests r join (
    select r.id, max(r.start_offset) as place
    from requests r join batch_heads b on r.id = b.id and r.start_offset < b.before
    where r.start_file_key = ? and r.end_file_key = ? and r.completed_at >= ? and r.logged_at <= ?
    group by r.id
) as l on r.id = l.id and r.start_offset = l.place
where r.start_file_key = ? and r.end_file_key = ? and r.completed_at >= ? and r.logged_at <= ?
  and not exists (from request_parts p where p.request_key = r.request_key)
"""

_REQUESTS_NEAR = """
select r.* from requests r
where r.host = ? and r.service = ? and r.completed_at >= ? and r.logged_at <= ?
  and r.started_at is not null
  and exists (
      from batch_windows w where w.id = r.id and r.completed_at >= w.low and r.logged_at <= w.high
  )
  and not exists (from request_parts p where p.request_key = r.request_key)
"""

# Stages name no id: those of a part are the ones in its stretch of the file that belong to its
# request, as it was or, if they came with this commit, as it is.
# One line may tell several stages: they stand in the order that they were numbered in. Stages
# logged with their own times add up to the time since the request began; else the difference is
# their own time.
# Of several parts, stages stand by time; within one part they keep the order of the file, whatever
# the clock did: each counts as logged at the latest instant so far.
_RESTAGE = """
with linked as (
    select s.file_key, s.byte_offset, s.seq as place, l.request_key, l.part, l.is_own,
        s.elapsed_ms, s.duration_ms,
        max(s.logged_at) over (
            partition by l.request_key, l.part order by s.byte_offset, s.seq
        ) as reached_at
    from stage_timings s join (
        select *, known_key as stage_key from batch_links
        union select *, request_key from batch_links
    ) as l
      on s.file_key = l.file_key and s.request_key = l.stage_key
     and s.byte_offset between l.first_offset and l.last_offset
    where s.logged_at >= ? and s.logged_at <= ?
), numbered as (
    select *, row_number() over w as seq, sum(duration_ms) over w as so_far,
        coalesce(last_value(elapsed_ms ignore nulls) over p, 0) as before
    from linked
    window w as (partition by request_key order by reached_at, part, byte_offset, place),
        p as (
            partition by request_key order by reached_at, part, byte_offset, place
            rows between unbounded preceding and 1 preceding
        )
)
update stage_timings set request_key = n.request_key, seq = n.seq,
    elapsed_ms = case when not n.is_own then n.elapsed_ms
        when n.duration_ms is not null then n.so_far end,
    duration_ms = case
        when n.is_own then n.duration_ms
        when n.elapsed_ms >= n.before then n.elapsed_ms - n.before
        else n.elapsed_ms
    end
from numbered n
where stage_timings.file_key = n.file_key and stage_timings.byte_offset = n.byte_offset
  and stage_timings.seq = n.place
  and logged_at >= ? and logged_at <= ?
"""
