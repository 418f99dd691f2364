"""Which commits are done: planned before their rows, done by a single row, withdrawn if never done.

The row that says a commit is done is written by one statement that looks, and writes only if no
other commit of the same hosts has come between; only one such statement runs at a time. That is the
compare-and-set of the commit contract.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from ingest.errors import IngestBusyError
from ingest.stores.clickhouse.cluster import change
from ingest.stores.clickhouse.connection import WRITING, Session
from ingest.stores.clickhouse.layout import (
    COMMITS,
    DONE,
    IDENTITY,
    LEDGER,
    NUMBERS,
    PLANNED,
    ROWS,
    STEPS,
    TABLES,
    WITHDRAWN,
    Seen,
    between,
)
from ingest.stores.clickhouse.lock import alone

# A process that was believed dead may still send rows: as long as that, nobody forgets that they
# are not to be seen.
_KEPT = timedelta(days=7)
# Superseded rows stay for readers that began before; and a statement that deletes rewrites parts,
# so it waits until there are many.
_UNREAD = timedelta(hours=1)
_MANY = 5000
_TRIES = 5
# On a cluster a shard would look for an aggregate that the asking server has renamed already.
_ZERO_OF_NONE: Mapping[str, Any] = {"aggregate_functions_null_for_empty": 0}


@dataclass(frozen=True, slots=True)
class Plan:
    """A commit that has begun: its numbers, whose it is, what it stands on.

    Nearly all have one number; one of very many steps takes more.
    """

    commits: tuple[int, ...]
    nonce: str
    lane: str
    seen: Seen
    last_done: int

    @property
    def newest(self) -> int:
        """The number that its next rows have."""
        return self.commits[-1]


def next_number(session: Session, kind: str) -> int:
    """A number of a kind that nobody else gets, greater than all given before."""
    for _ in range(_TRIES):
        nonce = uuid.uuid4().hex
        alone(
            session,
            "number",
            lambda query_id, nonce=nonce: session.client.command(  # type: ignore[misc]
                f"insert into {NUMBERS} (kind, number, nonce) select {{kind:String}}, "
                f"toInt64(coalesce(max(number), 0) + 1), {{nonce:String}} from {NUMBERS} "
                "where kind = {kind:String}",
                parameters={"kind": kind, "nonce": nonce},
                settings={**WRITING, "query_id": query_id},
            ),
        )
        found = session.rows(
            f"select max(number) from {NUMBERS} where kind = {{kind:String}} "
            "and nonce = {nonce:String} having count() > 0",
            {"kind": kind, "nonce": nonce},
        )
        if found:  # else a greater one has taken the place of the row meanwhile
            return int(found[0][0])
    raise IngestBusyError("the store gives out no numbers: too many ingest at once", "try again")


def looked(session: Session) -> Seen:
    """What is done now."""
    ((newest, hidden),) = session.rows(
        f"select coalesce(max(commit), 0), groupUniqArrayIf(commit, commit not in "
        f"(select commit from {COMMITS} where state = {DONE})) from {COMMITS}",
        **_ZERO_OF_NONE,
    )
    return Seen(int(newest), tuple(sorted(hidden or ())))


def plan(session: Session, host: str | None) -> Plan:
    """Begin a commit: from here on its rows are hidden until it is done."""
    lane, nonce = host or "", uuid.uuid4().hex
    _begin(session, lane, nonce)
    ((newest, hidden, own, last_done),) = session.rows(
        f"select max(commit), groupUniqArrayIf(commit, commit not in "
        f"(select commit from {COMMITS} where state = {DONE})), "
        f"maxIf(commit, nonce = {{nonce:String}}), max(place) from {COMMITS}",
        {"nonce": nonce},
        **_ZERO_OF_NONE,
    )
    seen = Seen(int(newest), tuple(sorted(set(hidden) - {own})), (int(own),))
    return Plan((int(own),), nonce, lane, seen, int(last_done))


def extend(session: Session, made: Plan) -> Plan:
    """The same commit with one number more: all become done together."""
    nonce = uuid.uuid4().hex
    _begin(session, made.lane, nonce)
    own = session.value(
        f"select max(commit) from {COMMITS} where nonce = {{nonce:String}}", {"nonce": nonce}
    )
    commits = (*made.commits, int(own))
    return replace(made, commits=commits, seen=replace(made.seen, own=commits))


def _begin(session: Session, lane: str, nonce: str) -> None:
    """Take a number for a commit."""
    alone(
        session,
        "commit",
        lambda query_id: session.client.command(
            f"insert into {COMMITS} (commit, state, lane, place, nonce, at) "
            f"select coalesce(max(commit), 0) + 1, {PLANNED}, {{lane:String}}, 0, "
            f"{{nonce:String}}, now64(6, 'UTC') from {COMMITS}",
            parameters={"lane": lane, "nonce": nonce},
            settings={**WRITING, "query_id": query_id},
        ),
    )


def finish(session: Session, made: Plan) -> None:
    """Make a commit done, if it still stands on what is there.

    :raises IngestBusyError: when another one was quicker, or has withdrawn this one.
    """
    binds = {"lane": made.lane, "last": made.last_done}
    listed, numbers = ", ".join(map(str, made.commits)), len(made.commits)
    same_lane = "(lane = {lane:String} or lane = '' or {lane:String} = '')"
    alone(
        session,
        "commit",
        lambda query_id: session.client.command(
            f"insert into {COMMITS} (commit, state, lane, place, nonce, at) "
            f"select own, {DONE}, {{lane:String}}, "
            f"(select coalesce(max(place), 0) + 1 from {COMMITS}), '', now64(6, 'UTC') "
            f"from (select arrayJoin([{listed}]) as own) where not exists (select 1 from {COMMITS} "
            f"where state = {DONE} and place > {{last:Int64}} and {same_lane}) "
            f"and not exists (select 1 from {COMMITS} where commit in ({listed}) "
            f"and state <> {PLANNED}) and (select uniqExact(commit) from {COMMITS} "
            f"where commit in ({listed}) and state = {PLANNED}) = {numbers}",
            parameters=binds,
            settings={**WRITING, "query_id": query_id},
        ),
    )
    done = session.value(
        f"select uniqExact(commit) from {COMMITS} where commit in ({listed}) and state = {DONE}"
    )
    if done != numbers:
        raise IngestBusyError(
            f"another ingest stored into {session.server.description} meanwhile; what this one "
            "has read is not stored",
            "run it again: it continues where the other one ended",
        )


def end_empty(session: Session, made: Plan) -> None:
    """End a commit that has changed nothing: there is nothing to be hidden, now or later.

    It has no place among those that are done, so that none is refused for its sake.
    """
    session.run(
        f"insert into {COMMITS} (commit, state, lane, place, nonce, at) "
        f"values ({made.newest}, {DONE}, {{lane:String}}, 0, '', now64(6, 'UTC'))",
        {"lane": made.lane},
        insert_deduplication_token=f"{made.nonce} ended",
    )


def withdraw(session: Session, commits: Sequence[int]) -> None:
    """Take back commits that are not done: none of them can become so, and their rows go."""
    if not commits:
        return
    listed = ", ".join(map(str, commits))
    alone(
        session,
        "commit",
        lambda query_id: session.client.command(
            f"insert into {COMMITS} (commit, state, lane, place, nonce, at) "
            f"select distinct commit, {WITHDRAWN}, lane, 0, '', now64(6, 'UTC') "
            f"from {COMMITS} where commit in ({listed}) and commit not in "
            f"(select commit from {COMMITS} where state <> {PLANNED})",
            settings={**WRITING, "query_id": query_id},
        ),
    )
    withdrawn = session.rows(
        f"select distinct commit from {COMMITS} where commit in ({listed}) and state = {WITHDRAWN}"
    )
    for (commit,) in withdrawn:
        _delete_rows(session, commit)


def _delete_rows(session: Session, commit: int) -> None:
    low, high = commit * STEPS, (commit + 1) * STEPS
    for name in TABLES:
        which = f"version >= {low} and version < {high}"
        if session.value(f"select count() from {name}{ROWS} where {which}"):
            change(session, name + ROWS, f"delete from {{table}} where {which}")
    if session.value(f"select count() from {LEDGER} where commit = {commit}"):
        change(session, LEDGER, f"delete from {{table}} where commit = {commit}")


def tidy(session: Session, host: str | None) -> None:
    """Take back what this host's killed ingests have left (None: those of all).

    The caller holds their lock. Also, now and then, forget what no reader needs.
    """
    left = session.rows(
        f"select distinct commit from {COMMITS} where commit not in "
        f"(select commit from {COMMITS} where state <> {PLANNED}) "
        "and (lane = {lane:String} or {lane:String} = '')",
        {"lane": host or ""},
    )
    withdraw(session, [int(c) for (c,) in left])
    _forget(session)
    if session.value(f"select count() from {LEDGER}") >= _MANY:
        sweep(session)


def _forget(session: Session) -> None:
    """Forget commits that were done, or withdrawn, long ago, but the last of each lane."""
    old = f"at < now64(6, 'UTC') - interval {int(_KEPT.total_seconds())} second"
    for (commit,) in session.rows(
        f"select distinct commit from {COMMITS} where state = {WITHDRAWN} and {old}"
    ):
        _delete_rows(session, commit)
        change(session, COMMITS, f"delete from {{table}} where commit = {commit}")
    many = session.value(f"select count() from {COMMITS} where state = {DONE}")
    if many < 2 * _MANY:
        return
    last = f"(select max(place) from {COMMITS} where state = {DONE})"
    done = f"(select commit from {COMMITS} where state = {DONE} and place + {_MANY} < {last})"
    # in this order: a plan whose commit is forgotten would hide its rows
    change(
        session,
        COMMITS,
        f"delete from {{table}} where state = {PLANNED} and commit in {done}",
    )
    change(
        session,
        COMMITS,
        f"delete from {{table}} where state = {DONE} and commit in {done} and commit not in "
        f"(select commit from {COMMITS} where state = {PLANNED})",
    )


def sweep(session: Session, unread: timedelta = _UNREAD) -> None:
    """Delete rows that commits have superseded and that no reader can still see; their notes, too.

    The rows are hidden already, so whoever is killed meanwhile leaves nothing wrong.
    """
    seen = looked(session)
    hidden = f" and commit not in ({', '.join(map(str, seen.hidden))})" if seen.hidden else ""
    now = session.value("select toUnixTimestamp64Micro(now64(6, 'UTC'))")
    until = int(now) - int(unread.total_seconds() * 1_000_000)
    noted = f"commit <= {seen.newest}{hidden} and toUnixTimestamp64Micro(at) <= {until}"
    for name, low, high in session.rows(
        f"select table_name, min(key), max(key) from {LEDGER} where {noted} group by table_name"
    ):
        gone = f"(select key, place, version from {LEDGER} where table_name = '{name}' and {noted})"
        which = f"{between(name, low, high)} and ({', '.join(IDENTITY[name])}, version) in {gone}"
        change(session, name + ROWS, f"delete from {{table}} where {which}")
        change(session, LEDGER, f"delete from {{table}} where table_name = '{name}' and {noted}")
