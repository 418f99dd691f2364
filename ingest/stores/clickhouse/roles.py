"""A user who may only read the tables and views of a store, within bounds that it cannot change."""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ingest.errors import StoreError
from ingest.rows.described import TABLES
from ingest.stores.clickhouse.cluster import SHARD, everywhere
from ingest.stores.clickhouse.connection import Session
from ingest.stores.clickhouse.layout import COMMITS, LEDGER, ROWS
from ingest.stores.contract import Granted, Readable
from ingest.stores.views import VIEWS


class Bound(NamedTuple):
    """A setting of a reader's statements, and between which values they may set it themselves."""

    setting: str
    value: int
    least: str  # never 0, which is no bound at all
    most: int

    def __str__(self) -> str:
        return f"{self.setting} = {self.value} min {self.least} max {self.most}"


# a reader's statements: no changes, and no more of the server than this
BOUNDS = (
    Bound("readonly", 2, "2", 2),
    Bound("max_execution_time", 300, "0.001", 3600),
    Bound("max_memory_usage", 4_000_000_000, "1", 16_000_000_000),
    Bound("max_result_rows", 10_000_000, "1", 10_000_000),
    Bound("max_result_bytes", 2_000_000_000, "1", 2_000_000_000),
    Bound("max_bytes_before_external_group_by", 1_500_000_000, "1", 16_000_000_000),
    Bound("max_bytes_before_external_sort", 1_500_000_000, "1", 16_000_000_000),
)


def grant_reader(session: Session, role: str, with_text: bool) -> Granted:
    """See :meth:`ingest.stores.contract.Store.grant_reader`. ``role`` is a user or a role.

    :raises StoreError: when there is none of that name.
    """
    known = session.rows(
        "select name from system.users where name = {role:String} "
        "union all select name from system.roles where name = {role:String}",
        {"role": role},
    )
    if not known:
        raise StoreError(
            f"there is no user or role {role} on {session.server.description}",
            "create it: create user NAME identified with sha256_password by 'PASSWORD'",
        )
    tables = readable(with_text)
    for statement in statements(session.server.database, role, tables, _columns(session)):
        everywhere(session, statement)
    return Granted(
        role=role,
        store=session.server.description,
        schema=session.server.database,
        with_text=with_text,
        views=tuple(v.name for v in VIEWS),
        tables=tables,
        warnings=_warnings(session, role),
    )


def readable(with_text: bool) -> tuple[Readable, ...]:
    """The tables that a reader gets, and which of their columns it does not."""
    return tuple(
        Readable(t.name, () if with_text else t.user_text)
        for t in TABLES
        if t.is_published and not t.is_secret
    )


def statements(
    database: str, role: str, tables: Sequence[Readable], columns: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """What a role is granted, after what it had is taken from it.

    A view is read with the rights of its reader: so these are granted for what is behind it, too,
    column by column.
    """
    name, place = _quoted(role), _quoted(database)
    yield f"revoke all on {place}.* from {name}"
    own = (COMMITS, LEDGER, "alembic_version")
    shards = (t + SHARD for t in own if t + SHARD in columns)
    for plain in (*(v.name for v in VIEWS), *own, *shards):
        yield f"grant select on {place}.{_quoted(plain)} to {name}"
    for table, closed in tables:
        shown = ", ".join(_quoted(c) for c in columns[table] if c not in closed)
        yield f"grant select({shown}) on {place}.{_quoted(table)} to {name}"
        for behind in (table + ROWS, table + ROWS + SHARD):
            if behind in columns:
                yield f"grant select({shown}, version) on {place}.{_quoted(behind)} to {name}"
    # one of its own: a profile that is given to one role is taken from those that had it
    bounds = ", ".join(map(str, BOUNDS))
    profile = _quoted(f"ttsq reader {role}")
    yield f"create settings profile or replace {profile} settings {bounds} to {name}"


def _columns(session: Session) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, column in session.rows(
        "select table, name from system.columns where database = {database:String} "
        "order by table, position",
        {"database": session.server.database},
    ):
        found.setdefault(str(table), []).append(str(column))
    return found


def _warnings(session: Session, role: str) -> tuple[str, ...]:
    """What the role may do beyond what it was granted now."""
    found = session.rows(
        "select distinct access_type from system.grants "
        "where (user_name = {role:String} or role_name = {role:String}) "
        "and (access_type <> 'SELECT' or database is null)",
        {"role": role},
    )
    return tuple(f"it may also {str(k).lower()}, by a grant that is not ttsq's" for (k,) in found)


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return f"`{escaped}`"
