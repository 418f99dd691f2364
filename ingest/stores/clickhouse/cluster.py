"""A store on the shards of a cluster, each of which has its part of the rows.

A table NAME is ``NAME_shard`` on each server, and a Distributed table NAME there that reads all of
these. The rows of a log file are on one shard, by its key; the few rows that say what is done are
on the first one. Tables are made and changed with ``ON CLUSTER`` where the servers have Keeper,
else by going to each of them.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ingest.errors import StoreError
from ingest.lazily import matcher
from ingest.model import KEY_SHIFT
from ingest.stores.clickhouse.connection import WRITING, Session

SHARD = "_shard"  # what a server has of a table's rows
_FIRST = "0"  # the sharding key of tables that are on the first shard
# which shard a row is on: every attempt to store it sends it to the same one
_OF_FILE = {
    "requests_rows": f"bitShiftRight(request_key, {KEY_SHIFT})",
    **{
        f"{name}_rows": "file_key"
        for name in (
            "request_parts",
            "stage_timings",
            "errors",
            "cache_samples",
            "http_requests",
            "quarantine",
            "stored_lines",
            "known_stretches",
        )
    },
}
_TABLE = matcher(r"\s*create\s+table\s+(if\s+not\s+exists\s+)?`?(\w+)`?(.*)", re.I | re.S)
_ENGINE = matcher(r"(\bengine\s*=?\s*)(\w*MergeTree)\b(?:\(([^)]*)\))?", re.I)
_COMMENT = matcher(r"\ncomment '(?:[^'\\]|\\.)*'\s*$", re.I)
_VIEW = matcher(r"\s*create\s+(?:or\s+replace\s+)?view\b", re.I)
_CHANGE = matcher(
    r"(\s*(?:alter\s+table|delete\s+from|optimize\s+table|drop\s+table\s+if\s+exists|drop\s+table)"
    r"\s+)`?(\w+)`?(.*)",
    re.I | re.S,
)
_SHARDS_ONLY = matcher(
    r"\s*(?:delete|optimize|alter\s+table\s+`?\w+`?\s+(?:update|delete|(?:add|drop)\s+index))\b",
    re.I,
)
_SCHEMA = matcher(r"\s*(?:create|alter|drop|delete|optimize|rename)\b", re.I)
_COPY = matcher(r"\s*create\s+table\s+\w+\s+as\b", re.I)
_NAMED = matcher(
    r"(\s*(?:create\s+(?:or\s+replace\s+)?(?:table|view|database)\s+(?:if\s+not\s+exists\s+)?"
    r"|alter\s+table\s+|delete\s+from\s+|optimize\s+table\s+|drop\s+table\s+(?:if\s+exists\s+)?)"
    r"(?:\w+|`(?:[^`\\]|\\.)+`))(.*)",
    re.I | re.S,
)
# a server that has not done its part by then is told of; it does it when it is back
_DISTRIBUTED: dict[str, object] = {
    "distributed_ddl_task_timeout": 300,
    "distributed_ddl_output_mode": "throw",
}
# a view reads Distributed tables within a statement that may read others
_WITHIN = "distributed_product_mode = 'global'"


@dataclass(frozen=True, slots=True)
class Node:
    """A server of a cluster."""

    shard: int
    replica: int
    host: str
    is_here: bool


def nodes(session: Session, cluster: str) -> list[Node]:
    """The servers of a cluster, by shard and replica.

    :raises StoreError: for a cluster that the server does not know.
    """
    found = session.rows(
        "select shard_num, replica_num, host_name, is_local from system.clusters "
        "where cluster = {cluster:String} order by shard_num, replica_num",
        {"cluster": cluster},
    )
    if not found:
        raise StoreError(
            f"{session.server.description} knows no cluster {cluster}",
            "system.clusters lists those of its configuration (remote_servers)",
        )
    return [Node(int(s), int(r), str(h), bool(here)) for s, r, h, here in found]


def require_first(session: Session) -> None:
    """Commits of a cluster are made one after the other by its first server.

    :raises StoreError: for a session on another one, or with another cluster than the store's.
    """
    made, asked = session.cluster, session.server.cluster
    if asked and made != asked:
        raise StoreError(
            f"the store {session.server.description} was made "
            + (f"on the cluster {made}" if made else "on one server")
            + f", not on the cluster {asked}",
            "leave the setting cluster as it was, or ingest into a new database",
        )
    if made is not None:
        _require_here(session, nodes(session, made))


def _require_here(session: Session, all_nodes: list[Node]) -> None:
    if not all_nodes[0].is_here:
        raise StoreError(
            f"ingests of a cluster go through its first server, {all_nodes[0].host}; "
            f"{session.server.description} is another one",
            "give that server in db; queries may go to any",
        )


def make_database(session: Session) -> None:
    """Make the store's database on a server, where it is not there."""
    session.client.command(_database(session), use_database=False)


def _database(session: Session) -> str:
    name = session.server.database.replace("\\", "\\\\").replace("`", "\\`")
    return f"create database if not exists `{name}`"


def _on_each(session: Session, cluster: str, placed: list[Node], statements: list[str]) -> None:
    """Run statements about tables on each server of a cluster.

    :raises StoreError: when one of them does not answer, or has not done its part.
    """
    if _has_keeper(session):
        for statement in statements:
            session.client.command(
                on_cluster(statement, cluster), settings={**WRITING, **_DISTRIBUTED}
            )
        return
    for node in placed:
        with _at(session, node) as there:
            make_database(there)
            for statement in statements:
                there.client.command(statement, settings=WRITING)


def _has_keeper(session: Session) -> bool:
    """Whether the servers can pass statements on to each other."""
    known = "select count() from system.tables where database = 'system' and name = {name:String}"
    table = "zookeeper_connection"
    return bool(session.value(known, {"name": table})) and bool(
        session.value(f"select count() from system.{table}")
    )


def on_cluster(statement: str, cluster: str) -> str:
    """A statement that the servers of a cluster pass on to each other."""
    named = _NAMED.fullmatch(statement)
    assert named is not None
    return f"{named[1]} on cluster '{cluster}'{named[2]}"


def make(session: Session, statements: list[str]) -> None:
    """Make the tables on every server of the cluster that the URL names.

    :raises StoreError: when one of them does not answer: what is made so far is no store yet.
    """
    cluster = session.server.cluster
    placed = nodes(session, cluster)
    _require_here(session, placed)
    is_replicated = any(n.replica > 1 for n in placed)
    told = [own for s in statements for own in spread(s, cluster, is_replicated)]
    _on_each(session, cluster, placed, [_database(session), *told])


def spread(statement: str, cluster: str, is_replicated: bool = False) -> list[str]:
    """What a statement about tables and views is on each server of a cluster."""
    if (table := _TABLE.match(statement)) is not None and _ENGINE.search(table[3]):
        return _tables(table, cluster, is_replicated)
    if _VIEW.match(statement):
        return [_view(statement)]
    if (change := _CHANGE.match(statement)) is not None:
        words, name, rest = change.groups()
        there = f"{words}{name}{SHARD}{rest}"
        return [there] if _SHARDS_ONLY.match(statement) else [there, statement]
    return [statement]


def _tables(table: re.Match[str], cluster: str, is_replicated: bool) -> list[str]:
    there, name, body = table[1] or "if not exists ", table[2], table[3]
    told = _COMMENT.search(body)
    if is_replicated:
        body = _ENGINE.sub(lambda m: m[1] + _replicated(name, m[2], m[3]), body, count=1)
    key = _OF_FILE.get(name, _FIRST)
    return [
        f"create table {there}{name}{SHARD}{body}",
        f"create table {there}{name} as {name}{SHARD} "
        f"engine = Distributed('{cluster}', currentDatabase(), {name}{SHARD}, {key})"
        + (told[0] if told else ""),
    ]


def _replicated(name: str, engine: str, given: str | None) -> str:
    """The engine of a table that several servers hold: they agree through Keeper."""
    place = f"'/clickhouse/ttsq/{{database}}/{name}/{{shard}}', '{{replica}}'"
    return f"Replicated{engine}({place}{f', {given}' if given else ''})"


def _view(statement: str) -> str:
    told = _COMMENT.search(statement)
    body, comment = (statement[: told.start()], told[0]) if told else (statement, "")
    return f"{of_view(body)}{comment}"


def of_view(query: str) -> str:
    """The query of a view on a cluster."""
    joined = ", " if re.search(r"\nsettings [^\n]*$", query, re.I) else "\nsettings "
    return f"{query}{joined}{_WITHIN}"


def change(session: Session, table: str, statement: str) -> None:
    """Run a statement that deletes or merges rows of a table, on each shard: it has ``{table}`` for
    its name.

    :raises StoreLostError: when a shard is away; the others are done.
    """
    if session.cluster is None:
        session.run(statement.replace("{table}", table), allow_nondeterministic_mutations=1)
        return
    for node in nodes(session, session.cluster):
        if node.replica == 1:
            with _at(session, node) as there:
                there.run(
                    statement.replace("{table}", table + SHARD), allow_nondeterministic_mutations=1
                )


def everywhere(session: Session, statement: str) -> None:
    """Run a statement that changes no rows on each server."""
    if session.cluster is None:
        session.client.command(statement)
        return
    for node in nodes(session, session.cluster):
        with _at(session, node) as there:
            there.client.command(statement)


def of_shards(session: Session, table: str) -> str:
    """What to read of a table that each server has of its own, of all shards, each once."""
    return table if session.cluster is None else f"cluster('{session.cluster}', {table})"


def parts(session: Session) -> str:
    """What to read of the parts on disk of all shards."""
    return of_shards(session, "system.parts")


def table_of_part(name: str) -> str:
    """The table that a part on disk belongs to."""
    return name.removesuffix(SHARD)


@contextmanager
def _at(session: Session, node: Node) -> Iterator[Session]:
    """A session on a server of the cluster, which serves HTTP on the same port as all."""
    if node.is_here:
        yield session
        return
    server = session.server.at(node.host)
    there = server.session("changes tables")
    try:
        with server.reporting():
            yield there
    finally:
        there.close()


def run_everywhere(session: Session, statement: str) -> bool:
    """Run a statement of a revision on each server of the store's cluster; False: there is none, or
    it concerns no table as such, and nothing was done.

    :raises StoreError: for one that fills a table anew.
    """
    if session.cluster is None or not _SCHEMA.match(statement):
        return False
    if _COPY.match(statement):
        raise StoreError(
            f"the store {session.server.description} is on a cluster, where this revision is not "
            "undone",
            "go back to the newer ttsq; ttsq db upgrade completes what was begun",
        )
    placed = nodes(session, session.cluster)
    is_replicated = any(n.replica > 1 for n in placed)
    told = spread(statement, session.cluster, is_replicated)
    _on_each(session, session.cluster, placed, told)
    return True
