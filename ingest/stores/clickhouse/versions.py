"""Rows that a commit adds, and rows that it replaces or removes: each step is a version."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ingest.lazily import matcher
from ingest.model import KEY_SHIFT
from ingest.stores.clickhouse import related
from ingest.stores.clickhouse.connection import Session
from ingest.stores.clickhouse.dialect import update_of
from ingest.stores.clickhouse.layout import (
    IDENTITY,
    LEDGER,
    ROWS,
    STEPS,
    TABLES,
    Seen,
)
from ingest.stores.clickhouse.ledger import Plan, extend
from ingest.stores.clickhouse.types import storable

if TYPE_CHECKING:
    import pyarrow as pa

Binds = Mapping[str, object]
Tables = "Mapping[str, pa.Table]"
MOST_STEPS = STEPS  # of one number
_TABLE = matcher(rf"\{{({'|'.join(TABLES)})(\+version)?\}}")


class Versions:
    """What a commit sees, itself included, and what it does to the rows."""

    def __init__(self, session: Session, made: Plan) -> None:
        self._session = session
        self._plan = made
        self._step = 0
        self._sent = 0  # statements that insert: each has a token of its own

    @property
    def has_sent(self) -> bool:
        """Whether the commit has begun to change something."""
        return self._sent > 0

    def rows(self, sql: str, binds: Binds | None = None) -> list[tuple[Any, ...]]:
        """What a statement finds in tables written as ``{requests}``, ``{requests+version}``."""
        return self._session.rows(self._at(sql), binds)

    def arrow(
        self, sql: str, binds: Binds, tables: "Mapping[str, pa.Table] | None" = None
    ) -> "pa.Table":
        """The same, as Arrow; ``tables`` are sent along."""
        return self._session.arrow(self._at(sql), binds, tables)

    def _at(self, sql: str) -> str:
        seen = self._plan.seen
        return _TABLE.sub(lambda m: seen.versions(m[1]) if m[2] else seen.table(m[1]), sql)

    def insert(self, name: str, *tables: "pa.Table") -> None:
        """Add rows, in one statement: each makes a part on the disk, which is merged later."""
        import pyarrow as pa

        plain = pa.concat_tables(map(storable, tables), promote_options="permissive")
        version = pa.array([self._version] * plain.num_rows, pa.uint64())
        self._session.insert(
            name + ROWS, plain.append_column("version", version), self._token(name)
        )

    def relink(self, name: str, at: str, binds: Binds, links: "Mapping[str, pa.Table]") -> None:
        """Let rows of stretches of files belong to other requests."""
        sql = (
            "select t.* except (request_key), l.request_key as request_key "
            f"from (select * from {self._plan.seen.versions(name)} "
            f"where {at} >= {{earliest:DateTime64(6, 'UTC')}} "
            f"and {at} <= {{latest:DateTime64(6, 'UTC')}}) as t "
            "inner join batch_links as l on t.file_key = l.file_key and t.id = l.id "
            "where t.byte_offset between l.first_offset and l.last_offset"
        )
        self.replace(name, self._session.arrow(sql, binds, links))

    def update(self, sql: str) -> None:
        """Run an UPDATE of ours: without parameters, of one table."""
        name, values, which = update_of(sql)
        self.replace(
            name,
            self.arrow(
                f"select * replace ({values}) from "
                f"(select * from {{{name}+version}} where {which})",
                {},
            ),
        )

    def link(
        self, name: str, key: str, which: str, binds: Binds, tables: "Mapping[str, pa.Table]"
    ) -> None:
        """Let rows belong to other requests: ``batch_answers`` says which, 0: none."""
        sql = (
            "select h.* except (request_key), nullIf(b.request, 0) as request_key "
            f"from (select * from {self._plan.seen.versions(name)} where {which}) as h "
            f"inner join batch_answers as b on b.line = h.{key}"
        )
        self.replace(name, self._session.arrow(sql, binds, tables))

    def restage(self, binds: Binds, links: "Mapping[str, pa.Table]") -> None:
        """Number the stages of requests anew, and take their own times."""
        new = self.arrow(related.RESTAGED, binds, links)
        self.replace("stage_timings", new.drop_columns(["place"]), new["place"])

    def replace(self, name: str, new: "pa.Table", place: "pa.ChunkedArray | None" = None) -> None:
        """Put rows in the place of others, whose ``version`` they have.

        ``place`` is that of the old rows where it is another one.
        """
        if not new.num_rows:
            return
        old = self._named(name, new, place)
        self._next_step()
        self.insert(name, new.drop_columns(["version"]))
        self._session.insert(LEDGER, old, self._token(LEDGER))

    def _named(self, name: str, rows: "pa.Table", place: "pa.ChunkedArray | None") -> "pa.Table":
        """Rows of ``superseded`` that name rows."""
        import pyarrow as pa
        import pyarrow.compute as pc

        n = rows.num_rows
        key, second = IDENTITY[name]
        if name == "stage_timings":
            keys = pc.bit_wise_or(pc.shift_left(rows["file_key"], KEY_SHIFT), rows["byte_offset"])
        else:
            keys = rows[key]
        if place is None:
            place = pa.array([0] * n, pa.int64()) if second == "0" else rows[second]
        return pa.table(
            {
                "table_name": pa.array([name] * n, pa.string()),
                "key": keys,
                "place": place.cast(pa.int64()),
                "version": rows["version"].cast(pa.uint64()),
                "commit": pa.array([self._plan.newest] * n, pa.int64()),
            }
        )

    def _superseding(self, name: str, which: str) -> str:
        key, place = IDENTITY[name]
        return (
            f"select '{name}', {key}, {place}, version, {self._plan.newest} "
            f"from {name}{ROWS} where {self._plan.seen.where(name)} and ({which})"
        )

    def count(self, name: str, which: str, binds: Binds) -> int:
        """How many rows of a table there are of a kind."""
        ((number,),) = self.rows(f"select count() from {{{name}}} where {which}", binds)
        return int(number)

    def remove(
        self,
        which: Mapping[str, str],
        binds: Binds,
        tables: "Mapping[str, pa.Table] | None" = None,
    ) -> None:
        """Note that rows are no more: which, by table, in the words of :meth:`rows`.

        Rows of the same names that are added later are other versions.
        """
        found = self._at(" union all ".join(self._superseding(n, w) for n, w in which.items()))
        self._session.run(
            f"insert into {LEDGER} (table_name, key, place, version, commit) {found}",
            binds,
            tables,
            insert_deduplication_token=self._token(LEDGER),
        )
        self._next_step()

    def _next_step(self) -> None:
        """From here on rows are of a later version."""
        self._step += 1
        if self._step >= MOST_STEPS:
            self._plan, self._step = extend(self._session, self._plan), 0

    @property
    def plan(self) -> Plan:
        """The commit that these are of."""
        return self._plan

    @property
    def before(self) -> Seen:
        """The store as it was when the commit began."""
        return replace(self._plan.seen, own=())

    @property
    def _version(self) -> int:
        return self._plan.newest * STEPS + self._step

    def _token(self, name: str) -> str:
        """What names the content of an insert: which of this attempt's inserts it is.

        Whoever tries again after a crash does so under another commit: the rows of the one that
        was withdrawn must not make the server drop those that replace them.
        """
        self._sent += 1
        return f"{self._plan.nonce} {self._plan.newest} {self._sent} {name}"
