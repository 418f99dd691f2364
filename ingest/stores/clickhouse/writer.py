"""The writing side of a ClickHouse store: one commit, whose rows nobody sees before it is done."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from ingest.faults import reach
from ingest.model import Changes, Checkpoint, Origin, RunRow
from ingest.rows.described import BY_NAME, WRITTEN
from ingest.rows.spans import CARRY, EPOCH, OPEN
from ingest.stores.clickhouse import related
from ingest.stores.clickhouse.answers import ClickHouseAnswers
from ingest.stores.clickhouse.connection import Session
from ingest.stores.clickhouse.forgetting import ClickHouseForgetting
from ingest.stores.clickhouse.ledger import Plan, end_empty, finish, next_number, withdraw
from ingest.stores.clickhouse.types import bounded, checkpoint_table, run_table, storable
from ingest.stores.clickhouse.versions import Versions
from ingest.stores.contract import Standing, require_standing
from ingest.stores.redating import redating

if TYPE_CHECKING:
    import pyarrow as pa

CHECKPOINT_COLUMNS = Checkpoint._fields
# of this host, and of all hosts; empty: any
_OF_HOST = "{host:String} = '' or host is null or host = {host:String}"
_LINKED = tuple(name for name, t in BY_NAME.items() if t.is_linked)


class ClickHouseWriter:
    """See :class:`ingest.stores.contract.Writer`."""

    def __init__(self, session: Session, made: Plan, host: str | None) -> None:
        self._session = session
        self._host = host
        self.versions = Versions(session, made)
        self.committed = False

    @property
    def answers(self) -> ClickHouseAnswers:
        return ClickHouseAnswers(self._session, self.versions)

    def prove(self, standing: Standing) -> None:
        """:raises IngestBusyError: when the store is not what the commit stands on."""
        found = self.versions.rows(
            "select 0, coalesce(max(run_key), 0) from {ingest_runs} where " + _OF_HOST + " "
            "union all select file_key, committed_offset from {log_files} "
            "where file_key in {keys:Array(Int64)}",
            {"keys": [*standing.offsets], "host": self._host or ""},
        )
        offsets = {int(key): int(offset) for key, offset in found}
        newest = offsets.pop(0)
        require_standing(self._session.server.description, standing, newest, offsets)

    def roll_back(self) -> None:
        """Leave the store as it was."""
        if self.versions.has_sent:
            withdraw(self._session, self.versions.plan.commits)
        else:
            end_empty(self._session, self.versions.plan)

    def next_run_key(self, host: str | None) -> int:
        # runs that were killed are marked by the commit, which every run key leads to
        return next_number(self._session, "run")

    def carry(self, checkpoint: Checkpoint, ids: "pa.Array | None" = None) -> dict[str, int]:
        import pyarrow as pa

        near = bounded((checkpoint.last_logged_at or EPOCH) - CARRY)
        mine = "" if ids is None else "and id in (select id from batch_ids)"
        found = self.versions.arrow(
            related.CARRIED.replace("{mine}", mine),
            {"key": checkpoint.file_key, "near": near, "offset": checkpoint.committed_offset},
            None if ids is None else {"batch_ids": pa.table({"id": ids.cast(pa.string())})},
        )
        rows = zip(found["id"].to_pylist(), found["ended"].to_pylist(), strict=True)
        return {i: OPEN if e is None else e for i, e in rows if i is not None}

    def has_many_parts(self, checkpoint: Checkpoint, many: int) -> bool:
        ended = ""
        if checkpoint.last_logged_at is None:
            ended = (
                "union all select 1 from {requests} "
                "where start_file_key = {key:Int64} and end_file_key = {key:Int64}"
            )
        ((count,),) = self.versions.rows(
            "select count() from (select * from (select 1 from {request_parts} "
            f"where file_key = {{key:Int64}} and first_offset < {{offset:Int64}} {ended}) "
            "limit {most:UInt64})",
            {
                "key": checkpoint.file_key,
                "offset": checkpoint.committed_offset,
                "most": many + 1,
            },
        )
        return int(count) > many

    def redate(self, file_key: int, at: datetime) -> None:
        for statement in redating(file_key, bounded(at)):
            self.versions.update(statement)

    def forgetter(self, file_key: int) -> ClickHouseForgetting:
        return ClickHouseForgetting(self.versions, file_key)

    def known_ids(
        self, origin: Origin, ids: "pa.Array", earliest: datetime, latest: datetime
    ) -> "pa.Array":
        import pyarrow as pa

        binds = _named(origin, earliest, latest)
        found = self.versions.arrow(related.KNOWN, binds, {"batch_ids": pa.table({"id": ids})})
        return found["id"].combine_chunks()

    def last_pieces(self, origin: Origin, heads: "pa.Table") -> "pa.Table":
        binds = {"key": origin.file_key}
        return self.versions.arrow(related.LAST_PIECES, binds, {"batch_heads": heads})

    def last_requests(
        self, origin: Origin, heads: "pa.Table", earliest: datetime, latest: datetime
    ) -> "pa.Table":
        binds = _named(origin, earliest, latest)
        return self.versions.arrow(related.LAST_REQUESTS, binds, {"batch_heads": heads})

    def pieces_near(self, origin: Origin, windows: "pa.Table") -> "pa.Table":
        binds = {"host": origin.host, "service": origin.service}
        return self.versions.arrow(related.PIECES_NEAR, binds, {"batch_windows": windows})

    def requests_near(
        self, origin: Origin, windows: "pa.Table", earliest: datetime, latest: datetime
    ) -> "pa.Table":
        binds = _named(origin, earliest, latest)
        return self.versions.arrow(related.REQUESTS_NEAR, binds, {"batch_windows": windows})

    def write(self, changes: Changes) -> None:
        self._delete(changes)
        reach("deleted")
        for name in WRITTEN:
            tables = [t for t in changes.rows.get(name, ()) if t.num_rows]
            if tables:
                self.versions.insert(name, *tables)
                reach("inserted")
        self._relink(changes)
        reach("relinked")
        self._reject(changes)
        reach("rows_in")

    def release(self, file_key: int, offsets: Sequence[int]) -> None:
        self.versions.remove(
            {"quarantine": "file_key = {key:Int64} and byte_offset in {offsets:Array(Int64)}"},
            {"key": file_key, "offsets": list(offsets)},
        )

    def text_salt(self, new: str, at: datetime) -> str:
        import pyarrow as pa

        found = self.versions.rows("select salt from {text_salts}")
        if found:
            return str(found[0][0])
        instant = pa.array([at], pa.timestamp("us", "UTC"))
        self.versions.insert(
            "text_salts", pa.table({"salt_key": [1], "salt": [new], "made_at": instant})
        )
        return new

    def commit(self, checkpoints: Sequence[Checkpoint], run: RunRow | None) -> None:
        self._end_killed(run)
        self.versions.remove(
            {
                "log_files": "file_key in {keys:Array(Int64)}",
                "ingest_runs": "run_key = {run:Int64}",
            },
            {"keys": [c.file_key for c in checkpoints], "run": run.run_key if run else 0},
        )
        if checkpoints:
            self.versions.insert("log_files", checkpoint_table(checkpoints))
            reach("checkpoint_in")
        if run is not None:
            self.versions.insert("ingest_runs", run_table(run))
        reach("before_commit")
        finish(self._session, self.versions.plan)
        reach("committed")
        self.committed = True

    def _end_killed(self, run: RunRow | None) -> None:
        """Mark the other runs of this host that say they still run: only one does at a time."""
        runs = self.versions.arrow(
            "select * replace ('interrupted' as status, 'killed' as error) from "
            "(select * from {ingest_runs+version} where status = 'running' "
            f"and run_key <> {{run:Int64}} and ({_OF_HOST}))",
            {"run": run.run_key if run else 0, "host": self._host or ""},
        )
        self.versions.replace("ingest_runs", runs)

    def _delete(self, changes: Changes) -> None:
        import pyarrow as pa

        if changes.delete_requests:
            keys = pa.array(sorted(set(changes.delete_requests)), pa.int64())
            assert changes.earliest is not None and changes.latest is not None
            self.versions.remove(
                {
                    "requests": "request_key in (select k from batch_keys) "
                    "and logged_at >= {earliest:DateTime64(6, 'UTC')} "
                    "and logged_at <= {latest:DateTime64(6, 'UTC')}"
                },
                {"earliest": bounded(changes.earliest), "latest": bounded(changes.latest)},
                {"batch_keys": pa.table({"k": keys})},
            )
        if changes.delete_parts:
            files, offsets = zip(*changes.delete_parts, strict=True)
            places = {"f": pa.array(files, pa.int64()), "o": pa.array(offsets, pa.int64())}
            self.versions.remove(
                {"request_parts": "(file_key, first_offset) in (select f, o from batch_places)"},
                {},
                {"batch_places": pa.table(places)},
            )

    def _relink(self, changes: Changes) -> None:
        if not changes.relinks:
            return
        assert changes.earliest is not None and changes.latest is not None
        links = {"batch_links": _link_table(changes)}
        binds = {"earliest": bounded(changes.earliest), "latest": bounded(changes.latest)}
        for name in _LINKED:
            self.versions.relink(name, str(BY_NAME[name].at), binds, links)
        self.versions.restage(binds, links)

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
        self.versions.insert("quarantine", storable(table))
        reach("inserted")


def _named(origin: Origin, earliest: datetime, latest: datetime) -> dict[str, object]:
    """What every question about the parts of requests goes by."""
    return {
        "host": origin.host,
        "service": origin.service,
        "key": origin.file_key,
        "earliest": bounded(earliest),
        "latest": bounded(latest),
    }


def _link_table(changes: Changes) -> "pa.Table":
    import pyarrow as pa

    columns = zip(*changes.relinks, strict=True)
    names = (
        "file_key", "id", "first_offset", "last_offset", "request_key", "known_key", "part",
        "is_own",
    )  # fmt: skip
    types = (pa.int64(), pa.string(), *[pa.int64()] * 5, pa.bool_())
    arrays = [pa.array(c, t) for c, t in zip(columns, types, strict=True)]
    return pa.table(dict(zip(names, arrays, strict=True)))
