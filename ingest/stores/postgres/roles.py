"""Roles that only read a PostgreSQL store: column grants, and a check of other grants."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from ingest.errors import StoreError
from ingest.rows.described import TABLES, USER_TEXT
from ingest.stores.contract import Granted, Readable
from ingest.stores.tables import metadata
from ingest.stores.views import VIEWS

Connection = psycopg.Connection[tuple[Any, ...]]

_ALWAYS = "alembic_version"  # which revision it is: ttsq itself looks there
_SECRETS = tuple(t.name for t in TABLES if t.is_secret)
_TABLES = (*(name for name in metadata.tables if name not in _SECRETS), _ALWAYS)
_OWN = (*_TABLES, *_SECRETS, *(v.name for v in VIEWS), "file_keys", "run_keys")
_ONE_AT_A_TIME = (
    "select pg_advisory_xact_lock(hashtextextended('ttsq roles of ' || current_schema(), 0))"
)
_SCHEMA = "(select oid from pg_namespace where nspname = current_schema())"
_ROLE = (
    "select oid, rolname, rolsuper, rolcreaterole from pg_roles where cast(rolname as text) = %s"
)
# the store's relations, partitions with the name of their table
_RELATIONS = f"""
    select c.oid, c.relname, c.relkind, c.relowner, c.relacl,
        coalesce(p.relname, c.relname) as family
    from pg_class c
    left join pg_inherits i on i.inhrelid = c.oid
    left join pg_class p on p.oid = i.inhparent
    where c.relnamespace = {_SCHEMA} and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')
"""
_FOREIGN = f"""
    select pg_get_userbyid(c.relowner), pg_has_role(c.relowner, 'USAGE'), c.relowner = %s
    from ({_RELATIONS}) c where c.family = any(%s) order by 3 desc, 2 limit 1
"""
_HELD = f"""
    select c.relname, c.relkind = 'S' from ({_RELATIONS}) c
    where c.family = any(%(own)s) and (
        exists (select 1 from aclexplode(c.relacl) a where a.grantee = %(role)s)
        or exists (
            select 1 from pg_attribute t cross join aclexplode(t.attacl) a
            where t.attrelid = c.oid and a.grantee = %(role)s
        )
    )
"""
_DEFAULTS = f"""
    select pg_get_userbyid(d.defaclrole), d.defaclnamespace <> 0, a.grantee = 0
    from pg_default_acl d cross join aclexplode(d.defaclacl) a
    where d.defaclobjtype = 'r' and d.defaclnamespace in (0, {_SCHEMA})
      and a.grantee in (0, %s)
      and exists (
          select 1 from ({_RELATIONS}) c where c.relowner = d.defaclrole and c.family = any(%s)
      )
    group by 1, 2, 3 order by 1, 2, 3
"""
_WAYS = (
    "select r.oid, r.rolname from pg_roles r where pg_has_role(cast(%(role)s as oid), r.oid, "
    "'MEMBER')"
)
_WRITABLE = f"""
    select distinct w.rolname, c.family from ({_RELATIONS}) c cross join ({_WAYS}) w
    where case
        when c.relkind = 'S' then has_sequence_privilege(w.oid, c.oid, 'USAGE, UPDATE')
        else has_table_privilege(w.oid, c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER')
            or has_any_column_privilege(w.oid, c.oid, 'INSERT, UPDATE')
    end
"""
_OPEN = f"""
    select distinct w.rolname, c.family || '.' || t.attname
    from ({_RELATIONS}) c
    join pg_attribute t on t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
    cross join ({_WAYS}) w
    where c.family || '.' || t.attname = any(%(closed)s)
      and has_column_privilege(w.oid, c.oid, t.attnum, 'SELECT')
"""
_CREATES = (
    f"select w.rolname from ({_WAYS}) w where has_schema_privilege(w.oid, {_SCHEMA}, 'CREATE')"
)


class _Role(NamedTuple):
    oid: int
    name: str
    is_superuser: bool
    makes_roles: bool

    @property
    def quoted(self) -> sql.Identifier:
        return sql.Identifier(self.name)


def grant_reader(connection: Connection, name: str, with_text: bool, store: str) -> Granted:
    """Let a role read, and take from it whatever else it had of this store's; within the caller's
    transaction.

    :raises StoreError: when there is no such role, it cannot be held to reading, or the tables are
        not ours to grant.
    """
    connection.execute(_ONE_AT_A_TIME)
    role = _found(connection, name)
    _require_grantable(connection, role, store)
    schema, database = connection.execute(
        "select current_schema(), current_database()"
    ).fetchone() or ("", "")
    _revoke(connection, role, schema)
    tables = tuple(
        Readable(table, () if with_text else USER_TEXT.get(table, ())) for table in _TABLES
    )
    _grant(connection, role, schema, database, tables)
    _require_entry(connection, role, store)
    return Granted(
        role=role.name,
        store=store,
        schema=schema,
        with_text=with_text,
        views=tuple(v.name for v in VIEWS),
        tables=tables,
        warnings=tuple(_warnings(connection, role, schema, with_text)),
    )


def _found(connection: Connection, name: str) -> _Role:
    """:raises StoreError: when there is no such role."""
    try:
        name.encode()
        row = connection.execute(_ROLE, [name]).fetchone()
    except UnicodeEncodeError:
        row = None
    if row is None:
        raise StoreError(
            f"there is no role {name!r} on this server",
            "create it first, with psql: create role NAME login password '...'",
        )
    return _Role(*row)


def _require_grantable(connection: Connection, role: _Role, store: str) -> None:
    """:raises StoreError: for a superuser or the store's owner, and when we are not its owner."""
    another = "make another one, with psql: create role NAME login password '...'"
    if role.is_superuser:
        raise StoreError(
            f"the role {role.name!r} is a superuser: nothing can restrict it to reading", another
        )
    row = connection.execute(_FOREIGN, [role.oid, list(_OWN)]).fetchone()
    owner, is_ours, is_its_own = row or ("", False, False)
    if is_its_own:
        raise StoreError(f"the role {role.name!r} owns tables of {store}: ttsq needs it", another)
    if not is_ours:
        raise StoreError(
            f"the tables of {store} belong to {owner!r}, and only the owner can let others "
            "read them",
            f"run it again as {owner}: --db postgresql+psycopg://{owner}@HOST/DATABASE",
        )


def _revoke(connection: Connection, role: _Role, schema: str) -> None:
    """Revoke the role's own privileges: relations, schema, and defaults for partitions."""
    held = connection.execute(_HELD, {"own": list(_OWN), "role": role.oid}).fetchall()
    for name, is_sequence in held:
        connection.execute(
            sql.SQL("revoke all on {} {} from {} cascade").format(
                sql.SQL("sequence" if is_sequence else "table"),
                sql.Identifier(schema, name),
                role.quoted,
            )
        )
    for owner, in_schema, is_public in _defaults(connection, role):
        if in_schema and not is_public:
            connection.execute(
                sql.SQL(
                    "alter default privileges for role {} in schema {} revoke all on tables "
                    "from {} cascade"
                ).format(sql.Identifier(owner), sql.Identifier(schema), role.quoted)
            )
    connection.execute(
        sql.SQL("revoke all on schema {} from {} cascade").format(
            sql.Identifier(schema), role.quoted
        )
    )


def _defaults(connection: Connection, role: _Role) -> list[tuple[Any, ...]]:
    """Default privileges that give new tables to the role or to all: owner, schema, whom."""
    return connection.execute(_DEFAULTS, [role.oid, list(_OWN)]).fetchall()


def _grant(
    connection: Connection, role: _Role, schema: str, database: str, tables: Sequence[Readable]
) -> None:
    """Partitions need none of it: they are read through their tables."""
    connection.execute(
        sql.SQL("grant connect on database {} to {}").format(sql.Identifier(database), role.quoted)
    )
    connection.execute(
        sql.SQL("grant usage on schema {} to {}").format(sql.Identifier(schema), role.quoted)
    )
    whole = [v.name for v in VIEWS] + [t.table for t in tables if not t.closed]
    connection.execute(
        sql.SQL("grant select on {} to {}").format(
            sql.SQL(", ").join(sql.Identifier(schema, name) for name in whole), role.quoted
        )
    )
    for table, closed in tables:
        if closed:
            columns = [c.name for c in metadata.tables[table].columns if c.name not in closed]
            connection.execute(
                sql.SQL("grant select ({}) on {} to {}").format(
                    sql.SQL(", ").join(map(sql.Identifier, columns)),
                    sql.Identifier(schema, table),
                    role.quoted,
                )
            )


def _require_entry(connection: Connection, role: _Role, store: str) -> None:
    """:raises StoreError: when the role still has no access: a failed grant is only a notice."""
    row = connection.execute(
        "select has_database_privilege(cast(%(role)s as oid), current_database(), 'CONNECT') "
        f"and has_schema_privilege(cast(%(role)s as oid), {_SCHEMA}, 'USAGE')",
        {"role": role.oid},
    ).fetchone()
    if row is None or not row[0]:
        raise StoreError(
            f"the database or the schema of {store} does not admit the role {role.name!r}, and "
            "we may not change that",
            "its owner can: grant connect on database ..., grant usage on schema ...",
        )


def _warnings(connection: Connection, role: _Role, schema: str, with_text: bool) -> Iterable[str]:
    """What the role can do beyond reading, or read beyond what was granted, through others."""
    binds: dict[str, Any] = {"role": role.oid, "closed": _closed(with_text)}
    for query, what in ((_WRITABLE, "write to"), (_OPEN, "read")):
        for way, things in _by_way(connection.execute(query, binds).fetchall()).items():
            yield f"it can still {what} {', '.join(things)}, {_through(way, role)}"
    for (way,) in connection.execute(_CREATES, binds).fetchall():
        yield f"it can still create tables in the schema {schema}, {_through(way, role)}"
    for owner, in_schema, is_public in _defaults(connection, role):
        yield (
            f"default privileges of {owner} give {'everybody' if is_public else 'it'} new tables"
            f"{'' if in_schema else ' of all schemas'}, and so new days with user text"
        )
    if role.makes_roles:
        yield "it can create roles, and with them join others that write (createrole)"


def _closed(with_text: bool) -> list[str]:
    """Columns that the role is not to read."""
    closed = [] if with_text else [f"{t}.{c}" for t, columns in USER_TEXT.items() for c in columns]
    return closed + [f"{t}.{c.name}" for t in _SECRETS for c in metadata.tables[t].columns]


def _by_way(rows: Iterable[tuple[Any, ...]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for way, thing in sorted(rows):
        found.setdefault(way, []).append(thing)
    return found


def _through(way: str, role: _Role) -> str:
    if way == role.name:
        return "for PUBLIC may, or somebody else has granted it"
    return f"as a member of {way}"
