"""Every query on a ClickHouse store, against the same oracle as on the other engines."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from ingest.named_queries.check import store_problems
from ingest.named_queries.library import NamedQuery, load_library
from ingest.named_queries.values import bind_values
from ingest.stores.clickhouse.dialect import as_here, kept
from ingest.stores.clickhouse.store import ClickHouseStore
from ingest.stores.contract import Reader
from tests.queries.engines import _typed
from tests.queries.oracle import ORACLES
from tests.queries.rows import Rows, contents, draw_rows
from tests.queries.test_contract import NOW, ask, assert_same, cases, touching_windows
from tests.support import clickhouse_server

_SEED, _CASES = 1, 6
LIBRARY = load_library(None, "clickhouse")
each_query = pytest.mark.parametrize("query", LIBRARY, ids=lambda q: str(q.name))


def filled(store: ClickHouseStore, rows: Rows) -> ClickHouseStore:
    """A store with these rows."""
    with store.writing() as writer:
        for name, content in contents(rows).items():
            writer.versions.insert(name, _typed(pa.Table.from_pylist(content)))
        writer.commit([], None)
    return store


@pytest.fixture(scope="module")
def truth() -> Rows:
    return draw_rows(_SEED)


@pytest.fixture(scope="module")
def reader(truth: Rows) -> Iterator[Reader]:
    with filled(clickhouse_server.new_store(), truth).reading() as reader:
        yield reader


@pytest.fixture(scope="module")
def empty() -> Iterator[Reader]:
    with filled(clickhouse_server.new_store(), Rows()).reading() as reader:
        yield reader


def test_every_query_is_there() -> None:
    assert {q.name for q in LIBRARY} == set(ORACLES)


@each_query
def test_rows_equal_the_oracle(query: NamedQuery, truth: Rows, reader: Reader) -> None:
    tried = [*cases(query), *touching_windows(query, truth)]
    random.Random(query.name).shuffle(tried)
    for given in [{}, *tried[:_CASES]]:
        values = bind_values(query, given, NOW, UTC)
        assert_same(ask(reader, query, given), ORACLES[query.name](truth, values), given)


@each_query
def test_columns_and_types_are_those_of_the_header(
    query: NamedQuery, reader: Reader, empty: Reader
) -> None:
    assert store_problems(query, reader) == []
    found = ask(empty, query, {})
    if query.name == "field_coverage":
        assert {row[1:] for row in found} == {(0, 0, None)}
    else:
        assert found == []


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select max(duration_ms) from requests where host = 'nobody'", None),
        ("select sum(duration_ms) from requests where host = 'nobody'", None),
        ("select count(*) from requests where host = 'nobody'", 0),
        ("select r.id from (select 1 as k) a left join requests r on r.request_key = -a.k", None),
        ("select percentile_cont(0.5) within group (order by x) "
         "from (select 1 as x union all select 2) as t", 1.5),
        ("select percentile_cont(0.5) within group (order by duration_ms) from requests "
         "where host = 'nobody'", None),
        ("select round(cast(2.5 as numeric), 0) * 1.0", 3),
        ("select extract(epoch from cast('2026-03-02 00:00:00.25' as timestamptz)) "
         "- extract(epoch from cast('2026-03-02 00:00:00' as timestamptz))", 0.25),
        ("select lag(k) over (order by k) from (select 7 as k) as t", None),
        ("select left('日本語', 2)", "日本"),
        ("select length('日本語')", 3),
        ("select lower('ÄB')", "äb"),
        ("select cast('{\"a\": \"1\"}' as text) is not null", True),
        ("select 'it''s timestamptz ''x'' as text)'",
         "it's timestamptz 'x' as text)"),
        ("select regexp_replace('a1b22', '([0-9]+)', '<\\1>', 'g')", "a<1>b<22>"),
        ("select regexp_replace('a1b22', '([0-9]+)', '<\\1>')", "a<1>b22"),
    ],
)  # fmt: skip
def test_sql_means_what_it_means_elsewhere(sql: str, expected: object, reader: Reader) -> None:
    ((found,),) = reader.query(sql, {}).rows
    assert found == expected


def test_milliseconds_of_a_bound_are_kept(reader: Reader) -> None:
    at = datetime(2026, 3, 2, 1, 0, 0, 250_000, tzinfo=UTC)
    sql = "select cast(:at as timestamptz) = cast('2026-03-02 01:00:00.25' as timestamptz)"
    assert reader.query(sql, {"at": at}).rows == [(1,)]


def test_quoted_texts_and_comments_are_not_rewritten() -> None:
    sql = "select 'left(x) as text)' as a -- substr(y) as text)\n from t /* to_timestamp(z) */"
    assert as_here(sql, None) == sql


def test_what_is_named_twice_is_worked_out_once(reader: Reader) -> None:
    drawn = "(select drawn from {}) = (select drawn from {})"
    sql = (
        "with once as (select count(*) as n, generateUUIDv4() as drawn from requests), "
        "again as (select drawn from once) "
        f"select {drawn.format('again', 'again')}"
    )
    assert reader.query(sql, {}).rows == [(1,)]


@pytest.mark.parametrize(
    ("sql", "is_kept"),
    [
        ("with a as (select 1 as n) select * from a join a as b on true", False),
        ("with a as (select count(*) as n from t) select * from a", False),
        ("with a as (select count(*) as n from t) select * from a join a as b on true", True),
        ("with a as (select 'count(' as n from t) select * from a join a as b on true", False),
    ],
)
def test_only_what_is_named_twice_and_costs_something_is_kept(sql: str, is_kept: bool) -> None:
    expected = sql.replace("a as (", "a as materialized (", 1) if is_kept else sql
    assert kept(sql) == expected
