"""Roles that read a PostgreSQL store: what they reach, what they do not, and what the command says
of other grants.
"""

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from ingest.errors import StoreError
from ingest.named_queries.library import NamedQuery, load_library
from ingest.named_queries.values import bind_values
from ingest.rows.described import TABLES, USER_TEXT
from ingest.stores import migrate
from ingest.stores.postgres.roles import grant_reader
from ingest.stores.postgres.store import PostgresStore
from ingest.stores.tables import metadata
from ingest.stores.views import VIEWS
from tests.support import harness, postgres_server
from tests.support.command_line import CommandLine

SECRETS = tuple(t.name for t in TABLES if t.is_secret)

MARK = "Wunderkammer"  # in everything that a user may have said
_numbers = itertools.count(1)
Rows = list[tuple[object, ...]]


def log_of(day: int) -> str:
    """A request that fails on a day of March, a warning and a line that nobody understands, with
    user text wherever they can be.
    """
    at = f"2026-03-{day:02} 10:00:0"
    return (
        f'{at}0,000 - app - INFO - synthesis_start: id=ts_{day}, text="{MARK}", mood={MARK}\n'
        f"{at}0,400 - app - INFO - stage_time: id=ts_{day}, stage=audio_render, duration_ms=300ms\n"
        f"{at}0,500 - app - ERROR - synthesis_failed: id=ts_{day}, error_code=OOM, said={MARK}\n"
        f'Traceback (most recent call last):\n  File "/app/a.py", line 3, in f\n    f("{MARK}")\n'
        f"MemoryError: {MARK}\n"
        f"{at}0,600 - app - INFO - synthesis_complete: id=ts_{day}, status=failed, "
        "duration_ms=600\n"
        f"{at}1,000 - app - WARNING - voice_fallback: said={MARK}\n"
        f"{at}2,000 - app - INFO - synthesis_start: id=ts_open{day}, text={MARK}, mood={MARK}\n"
        f"2026-02-30 10:00:00,000 - app - INFO - {MARK}\n"
        f'10.0.0.7 - {MARK} [{day:02}/Mar/2026:10:00:03 +0000] "POST /tts?text={MARK} '
        'HTTP/1.1" 200 5 '
        f'"http://{MARK}/" "{MARK}"\n'
    )


@dataclass(frozen=True)
class Place:
    """A store with rows of one day, and a role that is nothing yet."""

    folder: Path
    store: PostgresStore
    database: str
    role: str

    def add(self, day: int) -> None:
        path = self.folder / f"{day}.log"
        path.write_text(log_of(day))
        harness.run(self.store, [path], final=True)

    def grant(self, with_text: bool = False) -> tuple[str, ...]:
        """What ttsq grants; the warnings."""
        return self.store.grant_reader(self.role, with_text).warnings

    def ask(self, statement: "str | sql.Composed", user: str | None = None) -> Rows:
        """Run a statement as the role, or another one."""
        with psycopg.connect(self.conninfo(user), autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def admin(self, statement: str) -> Rows:
        return self.ask(statement, "postgres")

    def conninfo(self, user: str | None = None) -> dict[str, str] | str:
        url = postgres_server.server().url(self.database, user or self.role)
        return url.replace("+psycopg", "")

    def reader(self) -> PostgresStore:
        """The store, as the role sees it."""
        return PostgresStore(postgres_server.server().url(self.database, self.role))

    def denied(self, statement: str) -> bool:
        try:
            self.ask(statement)
        except psycopg.errors.InsufficientPrivilege:
            return True
        return False


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = new_place(tmp_path)
    yield made


def new_place(folder: Path, role: str | None = None) -> Place:
    store = postgres_server.new_store()
    role = role or f"reader{next(_numbers)}"
    made = Place(folder, store, postgres_server.name_of(store), role)
    with postgres_server.server().connect() as connection:
        connection.execute(sql.SQL("create role {} login").format(sql.Identifier(role)))
    made.add(2)
    return made


def columns_of(place: Place, table: str) -> list[str]:
    found = place.admin(
        f"select attname from pg_attribute where attrelid = cast('{table}' as regclass) "
        "and attnum > 0 and not attisdropped order by attnum"
    )
    return [str(name) for (name,) in found]


def relations(place: Place) -> list[str]:
    """Every table, view and partition there is."""
    found = place.admin(
        "select relname from pg_class where relkind in ('r', 'p', 'v') "
        "and relnamespace = cast('public' as regnamespace) order by 1"
    )
    return [str(name) for (name,) in found]


def readable(place: Place) -> dict[str, list[str]]:
    """What the role reads, each column tried by itself."""
    found: dict[str, list[str]] = {}
    with psycopg.connect(place.conninfo(), autocommit=True) as connection:
        for table in relations(place):
            found[table] = []
            for column in columns_of(place, table):
                with suppress(psycopg.errors.InsufficientPrivilege):
                    connection.execute(f'select "{column}" from {table} limit 1')
                    found[table].append(column)
    return found


def expected(with_text: bool) -> dict[str, list[str]]:
    """All views; all tables but for words and secrets."""
    tables = {t.name: [c.name for c in t.columns] for t in metadata.tables.values()}
    for table, words in USER_TEXT.items():
        if not with_text:
            tables[table] = [c for c in tables[table] if c not in words]
    views = {v.name: [c.name for c in v.columns] for v in VIEWS}
    return tables | views | {t: [] for t in SECRETS} | {"alembic_version": ["version_num"]}


@pytest.mark.parametrize("with_text", [False, True])
def test_each_column_is_open_or_closed_as_said(place: Place, with_text: bool) -> None:
    assert place.grant(with_text) == ()
    found = readable(place)
    partitions = [t for t in found if t not in expected(with_text)]
    assert len(partitions) == 9 and all(found.pop(p) == [] for p in partitions)
    assert {t: sorted(c) for t, c in found.items()} == {
        t: sorted(c) for t, c in expected(with_text).items()
    }


def test_a_role_without_a_grant_reads_nothing(place: Place) -> None:
    assert all(columns == [] for columns in readable(place).values())


def everything(place: Place) -> str:
    """All that the role can read, as text."""
    return "\n".join(
        str(place.ask(f"select {', '.join(columns)} from {table}"))
        for table, columns in readable(place).items()
        if columns
    )


def test_users_words_are_in_nothing_that_the_role_reads(place: Place) -> None:
    for table, words in USER_TEXT.items():
        for column in words:
            stored = place.admin(f"select {column} from {table}")
            assert MARK in str(stored), f"the test's log leaves none in {table}.{column}"
    place.grant()
    read = everything(place)
    assert "ts_2" in read and "OOM" in read
    assert MARK not in read
    place.grant(with_text=True)
    assert everything(place).count(MARK) > 5
    place.grant()
    assert MARK not in everything(place)


WRITES = (
    "insert into pruned (table_name, rows) values ('x', 1)",
    "update requests set host = 'x'",
    "delete from errors",
    "truncate log_files",
    "truncate requests_default",
    "insert into requests_default (request_key) values (1)",
    "create table mine (x int)",
    "create view mine as select 1",
    "create function mine() returns int language sql as 'select 1'",
    "select nextval('file_keys')",
    "select setval('run_keys', 1)",
    "copy pruned from program 'true'",
    "copy log_files to '/dev/null'",
    "select pg_read_file('/etc/passwd')",
    "begin; lock table requests in access exclusive mode",
    "create schema mine",
    "create role mine",
)


@pytest.mark.parametrize("with_text", [False, True])
def test_the_role_writes_nothing(place: Place, with_text: bool) -> None:
    place.grant(with_text)
    before = place.admin(
        "select count(*) from log_files union all select last_value from file_keys"
    )
    for statement in WRITES:
        assert place.denied(statement), statement
    with suppress(psycopg.errors.InsufficientPrivilege):  # else it is a notice
        place.ask("grant select on requests to public")
    for view in VIEWS:
        with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="cannot delete"):
            place.ask(f"delete from {view.name}")
    # only owners do these
    assert place.denied("drop table pruned") and place.denied("alter table pruned add x int")
    after = place.admin("select count(*) from log_files union all select last_value from file_keys")
    assert after == before
    public = (
        "select count(*) from pg_class where relacl is not null and exists (select 1 from "
        "aclexplode(relacl) where grantee = 0) and relnamespace = cast('public' as regnamespace)"
    )
    assert place.admin(public) == [(0,)]


def test_new_days_are_read_through_their_tables(place: Place) -> None:
    place.grant()
    before = set(relations(place))
    place.add(5)
    new = set(relations(place)) - before
    assert {"requests_p20260305", "errors_p20260305", "stage_timings_p20260305"} <= new
    assert place.ask("select id from failed_requests order by 1") == [("ts_2",), ("ts_5",)]
    assert place.ask("select count(*) from requests where logged_at >= '2026-03-05'") == [(2,)]
    assert place.denied("select host from requests_p20260305")


def test_again_changes_nothing_and_takes_the_words_away(place: Place) -> None:
    acl = (
        "select relname, cast(relacl as text), (select string_agg(attname || cast(attacl as "
        "text), ' ' order by attname) "
        "from pg_attribute where attrelid = c.oid) from pg_class c where relnamespace = "
        "cast('public' as regnamespace) order by 1"
    )
    place.grant(with_text=True)
    place.grant()
    first = place.admin(acl)
    place.grant()
    assert place.admin(acl) == first
    place.grant(with_text=True)
    assert place.admin(acl) != first
    assert place.ask("select text from requests where id = 'ts_2'") == [(MARK,)]
    place.grant()
    assert place.admin(acl) == first


def test_what_the_role_had_before_is_taken_away(place: Place) -> None:
    role = place.role
    other = f"{role}_other"
    for statement in (
        f"grant all on all tables in schema public to {role} with grant option",
        f"grant all on all sequences in schema public to {role}",
        f"grant all on schema public to {role}",
        f"grant update (host), select (text) on requests to {role}",
        f"grant select (salt) on text_salts to {role}",
        f"alter default privileges in schema public grant all on tables to {role}",
        f"create role {other}",
    ):
        place.admin(statement)
    place.ask(f"grant select on requests to {other}")  # handed on
    place.add(3)  # a partition with default privileges
    assert not place.denied("select text from requests_p20260303")
    assert place.grant() == ()
    place.add(4)
    found = readable(place)
    assert all(found[t] == [] for t in found if t not in expected(False))
    assert {t: sorted(c) for t, c in found.items() if t in expected(False)} == {
        t: sorted(c) for t, c in expected(False).items()
    }
    assert place.denied("create table mine (x int)") and place.denied("select nextval('run_keys')")
    assert place.admin(f"select has_table_privilege('{other}', 'requests', 'SELECT')") == [(False,)]


def test_a_single_column_that_it_had_is_taken_away(place: Place) -> None:
    place.admin(f"grant select (text) on requests to {place.role}")
    assert not place.denied("select text from requests")
    assert place.grant() == ()
    assert place.denied("select text from requests")


def test_two_that_grant_at_once_wait_for_each_other(place: Place) -> None:
    with ThreadPoolExecutor(1) as pool, place.store.connected("tests") as connection:
        with connection.transaction():
            grant_reader(connection, place.role, True, "x")
            second = pool.submit(place.grant)
            wait([second], timeout=0.3)
            assert not second.done()
        assert second.result(timeout=30) == ()
    assert place.denied("select text from requests")


def test_tables_of_others_in_the_schema_are_left_alone(place: Place) -> None:
    place.admin("create table theirs (x int)")
    place.admin(f"grant select, insert on theirs to {place.role}")
    warnings = place.grant()
    place.ask("insert into theirs values (1)")
    assert len(warnings) == 1 and "write to theirs, for PUBLIC may" in warnings[0]


@pytest.mark.parametrize(
    ("opened", "told"),
    [
        ("grant insert on requests to {group}", "write to requests, as a member of {group}"),
        ("grant insert on requests_default to {group}", "write to requests, as a member of"),
        ("grant update (host) on errors to public", "write to errors, for PUBLIC may"),
        ("grant usage on sequence file_keys to public", "write to file_keys, for PUBLIC may"),
        ("grant create on schema public to public", "create tables in the schema public, for"),
        ("grant pg_write_all_data to {role}", "as a member of pg_write_all_data"),
        ("grant select (raw) on quarantine to public", "read quarantine.raw, for PUBLIC may"),
        ("grant select on text_salts to {group}", "read text_salts.made_at, text_salts.salt"),
        ("grant pg_read_all_data to {role}", "as a member of pg_read_all_data"),
        ("grant postgres to {role}", "as a member of postgres"),
        ("alter role {role} createrole", "can create roles"),
        (
            "alter default privileges in schema public grant select on tables to public",
            "default privileges of postgres give everybody new tables, and so",
        ),
        (
            "alter default privileges grant select on tables to {role}",
            "default privileges of postgres give it new tables of all schemas",
        ),
    ],
)
def test_what_other_grants_leave_open_is_told(place: Place, opened: str, told: str) -> None:
    names = {"role": place.role, "group": f"{place.role}_group"}
    place.admin("create role {group}".format(**names))
    place.admin("grant {group} to {role}".format(**names))
    assert place.grant() == ()
    place.admin(opened.format(**names))
    warnings = place.grant()
    assert any(told.format(**names) in w for w in warnings), warnings


def test_a_member_without_inheritance_is_told_too(place: Place) -> None:
    place.admin(f"alter role {place.role} noinherit")
    place.admin(f"grant postgres to {place.role}")
    assert any("write to alembic_version" in w for w in place.grant())


HOSTILE = (
    'a"; drop table pruned; --',
    "it's",
    "Böse Rolle",
    "select",
    "x\n\x1b[31my",
    "%s {} :name $1",
    "n" * 63,
)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_names(tmp_path: Path, name: str) -> None:
    place = new_place(tmp_path, name)
    assert place.grant() == ()
    with psycopg.connect(place.conninfo("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("set role {}").format(sql.Identifier(name)))
        assert connection.execute("select count(*) from all_requests").fetchone() == (2,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select text from requests")


@pytest.mark.parametrize(
    "name",
    ["nobody_here", "public", "PUBLIC", "current_user", "none", "", "n" * 64, "\udcff", "a, b"],
)
def test_a_role_that_is_not_there_gets_nothing(place: Place, name: str) -> None:
    if name == "n" * 64:  # a server cuts names at 63 bytes: it must not be taken for that one
        with postgres_server.server().connect() as connection:
            connection.execute(
                f"do $$ begin create role {'n' * 63}; exception when duplicate_object then end $$"
            )
    with pytest.raises(StoreError, match="no role") as raised:
        place.store.grant_reader(name, False)
    assert "create role NAME login password" in str(raised.value.hint)
    assert place.denied("select host from requests")


def test_superusers_and_the_owner_are_refused(place: Place) -> None:
    for name in ("guarded", "postgres"):
        with pytest.raises(StoreError, match="superuser"):
            place.store.grant_reader(name, False)
    place.admin(f"alter table requests owner to {place.role}")
    with pytest.raises(StoreError, match="owns tables"):
        place.grant()
    place.ask("update requests set host = 'x'")  # it still can


def owned_place(folder: Path) -> tuple[Place, str]:
    """A store in a schema with an odd name whose owner is no superuser and does not own the
    database.
    """
    server = postgres_server.server()
    database, role = server.new_database(), f"reader{next(_numbers)}"
    owner = f"{role}_owner"
    with server.connect() as connection:
        connection.execute(f"create role {owner} login")
        connection.execute(f"create role {role} login")
    with server.connect(database) as connection:
        connection.execute(f'create schema "Logs of TTS" authorization {owner}')
        connection.execute(f'alter role {owner} set search_path = "Logs of TTS"')
        connection.execute(f'alter role {role} set search_path = "Logs of TTS"')
    store = PostgresStore(server.url(database, owner))
    migrate.upgrade(store)
    made = Place(folder, store, database, role)
    made.add(2)
    return made, owner


def test_an_owner_who_is_no_superuser_in_a_schema_of_his_own(tmp_path: Path) -> None:
    place, _ = owned_place(tmp_path)
    assert place.grant() == ()
    assert place.ask("select id from failed_requests") == [("ts_2",)]
    assert place.denied("select text from requests")
    place.grant(with_text=True)
    assert place.ask("select text from requests where id = 'ts_2'") == [(MARK,)]


def test_only_the_owner_grants(tmp_path: Path) -> None:
    place, owner = owned_place(tmp_path)
    place.grant()
    other = f"{place.role}_third"
    place.admin(f"create role {other}")
    with pytest.raises(StoreError, match=f"belong to '{owner}'"):
        place.reader().grant_reader(other, False)


def test_a_database_that_is_closed_to_the_role_is_told(tmp_path: Path) -> None:
    place, _ = owned_place(tmp_path)
    place.admin(f"revoke connect on database {place.database} from public")
    place.admin(f"grant connect on database {place.database} to {place.role}_owner")
    with pytest.raises(StoreError, match="does not admit the role"):
        place.grant()
    usage = f"select has_schema_privilege('{place.role}', 'Logs of TTS', 'usage')"
    assert place.admin(usage) == [(False,)]  # all or nothing


def test_nothing_is_half_done(place: Place) -> None:
    place.grant()
    wrong = pytest.raises(psycopg.errors.DivisionByZero)
    with wrong, place.store.connected("tests") as connection, connection.transaction():
        grant_reader(connection, place.role, True, "x")
        connection.execute("select 1 / 0")
    assert place.denied("select text from requests")


NOW = datetime(2026, 3, 8, tzinfo=UTC)
LIBRARY = {q.name: q for q in load_library(backend="postgresql")}
# what they group by stands in messages and attributes
ON_WORDS = ("error_groups", "fallbacks")
BY = ("failures_by", "latency_by", "unfinished_by")


def answer(store: PostgresStore, query: NamedQuery, **given: str) -> Rows:
    values = bind_values(query, given, NOW, UTC)
    with store.reading() as reader:
        return reader.query(query.statement(values), values).rows


@pytest.mark.parametrize("name", sorted(set(LIBRARY) - set(ON_WORDS)))
def test_every_named_query_answers_the_role_as_it_does_the_owner(
    reading_place: Place, name: str
) -> None:
    query = LIBRARY[name]
    assert answer(reading_place.reader(), query) == answer(reading_place.store, query)


@pytest.mark.parametrize("name", ON_WORDS)
def test_a_query_on_users_words_is_refused_with_what_to_do(reading_place: Place, name: str) -> None:
    assert answer(reading_place.store, LIBRARY[name])
    refusal = r"permission denied for table (errors|requests)"
    with pytest.raises(StoreError, match=refusal) as raised:
        answer(reading_place.reader(), LIBRARY[name])
    assert "ttsq db grant-reader ROLE" in str(raised.value.hint)
    assert "--with-text" in str(raised.value.hint)


@pytest.mark.parametrize("name", BY)
def test_a_dimension_among_the_attributes_is_refused_and_any_column_is_not(
    reading_place: Place, name: str
) -> None:
    query = LIBRARY[name]
    for by in ("voice", "length", "error_code", "status"):
        own, role = answer(reading_place.store, query, by=by), reading_place.reader()
        assert answer(role, query, by=by) == own
    assert answer(reading_place.store, query, by="mood")
    with pytest.raises(StoreError, match="permission denied for table requests") as raised:
        answer(reading_place.reader(), query, by="mood")
    assert "--with-text" in str(raised.value.hint)


@pytest.mark.parametrize("name", ["error_codes", "failure_by_stage", "failures_by"])
def test_filters_ask_for_no_column_that_is_closed(reading_place: Place, name: str) -> None:
    query, given = LIBRARY[name], {"error_code": "OOM"}
    found = answer(reading_place.store, query, **given)
    assert found and answer(reading_place.reader(), query, **given) == found


@pytest.fixture(scope="module")
def reading_place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A store of three days, and a role that reads it without user text; nothing changes it."""
    made = new_place(tmp_path_factory.mktemp("reading"))
    made.add(3)
    made.add(4)
    made.grant()
    return made


def test_the_commands(tmp_path: Path) -> None:
    place = new_place(tmp_path)
    ttsq = CommandLine(tmp_path)
    owner = ("--db", postgres_server.server().url(place.database))
    role = ("--db", postgres_server.server().url(place.database, place.role))
    refused = ttsq(*role, "status")
    assert refused.code == 4 and "grant-reader" in refused.err

    out = ttsq.well(*owner, "db", "grant-reader", place.role)
    first = out.splitlines()[0]
    assert first == f"{place.role} may read, in {place.store.description}, schema public:"
    assert "views   all_requests, failed_requests, stage_times, logged_errors, cache_levels" in out
    assert "\n          requests, except text, attributes\n" in out and "text_salts" not in out
    for words in (
        ("status",),
        ("status", "--json"),
        ("run", "error_codes"),
        ("run", "failure_by_length", "--format", "json"),
        ("sql", "select location from failed_requests"),
        ("queries",),
        ("db", "current"),
    ):
        ttsq.well(*role, *words)
    for words in (("sql", "select text from requests"), ("trace", "ts_2")):
        ended = ttsq(*role, *words)
        assert ended.code == 4 and "needs --with-text" in ended.err and MARK not in ended.err
    for words in (("ingest", "2.log", "--host", "x"), ("prune", "--older-than", "1d"), ("db", "downgrade", "base")):  # fmt: skip  # noqa: E501
        assert ttsq(*role, *words).code == 4

    place.admin("grant delete on errors to public")
    ended = ttsq(*owner, "db", "grant-reader", place.role, "--with-text", "--json")
    assert ended.code == 0
    told = json.loads(ended.out)
    assert told["role"] == place.role and told["with_text"] is True
    assert {"table": "requests", "closed": []} in told["tables"]
    assert "write to errors" in told["warnings"][0]
    assert MARK in ttsq.well(*role, "sql", "select text from requests")
    ttsq.well(*role, "trace", "ts_2")

    ended = ttsq(*owner, "db", "grant-reader", place.role)
    assert ended.code == 0
    assert ended.err.startswith(f"ttsq: warning: {place.role}: it can still write to errors, for")
    ended = ttsq(*owner, "db", "grant-reader", "nobody here")
    assert ended.code == 4 and "no role 'nobody here'" in ended.err
    assert "hint: create it first" in ended.err


def test_a_store_in_a_file_has_no_roles(tmp_path: Path) -> None:
    ttsq = CommandLine(tmp_path)
    ttsq.well("db", "upgrade")
    ended = ttsq("db", "grant-reader", "bi")
    assert ended.code == 2
    assert "its permissions say who reads it" in ended.err and "ttsq publish" in ended.err
