"""Filters of the queries: every one of every query, on every engine, against the plain oracle."""

from datetime import UTC

import pytest

from ingest.errors import QueryFileError
from ingest.named_queries.filters import NAMES, tables_read
from ingest.named_queries.help import help_text, shown_sql
from ingest.named_queries.library import NamedQuery, parse_query, read_query
from ingest.named_queries.values import bind_values
from ingest.resources import folder
from ingest.stores.binds import binds
from ingest.stores.contract import Reader
from tests.queries.filtered import chosen
from tests.queries.oracle import ORACLES
from tests.queries.rows import Rows
from tests.queries.test_contract import (
    NOW,
    QUERIES,
    assert_same,
    each_query,
    readers,
    stores,
    truths,
)

__all__ = ["readers", "stores", "truths"]  # fixtures
CASES: tuple[dict[str, str], ...] = (
    {"voice": "nova"},
    {"lang": "zh", "min_len": "80"},
    {"max_len": "86"},
    {"error_code": "CUDA_OOM"},
    {"text_class": "plain", "status": "failed"},
    {"status": "unfinished"},
    {"status": "success"},
    {"instance": "tts-1"},
    {"stage": "llm_inference"},
    {"stage": "llm_inference", "voice": "alloy"},
    {"voice": "'; drop table requests; --"},
)
TAKING = [q for q in QUERIES["duckdb"] if q.filters]


@each_query
def test_filters_leave_the_rows_that_match(
    engine: str,
    query: NamedQuery,
    truths: dict[int, Rows],
    readers: dict[tuple[str, int], Reader],
) -> None:
    offered = {p.name for p in query.filters}
    for written in CASES:
        if not set(written) <= offered:
            continue
        values = bind_values(query, written, NOW, UTC)
        given = {name: values[name] for name in written}
        left = chosen(truths[1], given, query.filtered, query.is_rate)
        found = readers[engine, 1].query(query.statement(values), values).rows
        assert_same(found, ORACLES[query.name](left, values), written)


def test_the_tables_decide_which_filters_a_query_takes() -> None:
    named = {q.name: [p.name for p in q.filters] for q in QUERIES["duckdb"]}
    of_requests = [n for n in NAMES if n != "host"]
    for query in QUERIES["duckdb"]:
        declared = {p.name for p in query.params}
        if query.filtered == ("cache_samples",):
            assert named[query.name] == []
        elif query.name not in ("rejected_requests", "field_coverage"):
            assert named[query.name] == [n for n in of_requests if n not in declared]
    assert "stage" not in named["field_coverage"]
    assert named["rejected_requests"] == ["instance"]


def test_every_file_of_a_query_takes_the_same_filters() -> None:
    for path in folder("queries").glob("*/*.sql"):
        common = read_query(folder("queries") / path.name)
        assert read_query(path).filters == common.filters


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("select 1 from requests", ("requests",)),
        ("select 1 from requests r, errors as e", ("requests", "errors")),
        ("SELECT 1 FROM Requests", ("requests",)),
        ("with errors as (select 1 from requests) select 1 from errors", ("requests",)),
        ("select 'from errors' as x -- from errors\nfrom stage_timings", ("stage_timings",)),
        ("select errors from (select 1 as errors) as x", ()),
        ("select 1 from main.requests", ()),
    ],
)
def test_tables_are_those_read_by_their_own_names(sql: str, tables: tuple[str, ...]) -> None:
    assert tables_read(sql) == tables


HEADER = """-- name: mine
-- summary: s
-- question: Q?
-- column: n integer -- how many
-- chart: none
-- order: n
"""


def mine(sql: str, more: str = "") -> NamedQuery:
    return parse_query(HEADER + more + "\n" + sql, folder("queries") / "mine.sql")


def test_a_query_of_ones_own_takes_filters_too(readers: dict[tuple[str, int], Reader]) -> None:
    query = mine("-- all\nselect count(*) as n from requests")
    values = bind_values(query, {"voice": "nova"}, NOW, UTC)
    for engine in QUERIES:
        whole = readers[engine, 1].query(query.sql, values).rows[0][0]
        nova = readers[engine, 1].query(query.statement(values), values).rows[0][0]
        counted = "select count(*) from requests where voice = 'nova'"
        assert nova == readers[engine, 1].query(counted, None).rows[0][0]
        assert 0 < nova < whole


def test_a_header_may_say_which_filters_there_are() -> None:
    sql = "select count(*) as n from requests"
    assert [p.name for p in mine(sql, "-- filters: voice, host\n").filters] == ["voice", "host"]
    assert mine(sql, "-- filters: none\n").filters == ()
    with pytest.raises(QueryFileError, match="the filters name no 'colour'"):
        mine(sql, "-- filters: colour\n")
    with pytest.raises(QueryFileError, match="the filtered name no 'errors'"):
        mine(sql, "-- filtered: errors\n")
    assert mine("with recursive t as (select 1 as n) select n from t, requests").filters == ()


def test_help_and_shown_sql_have_the_filters() -> None:
    query = next(q for q in TAKING if q.name == "stage_breakdown")
    assert "--voice TEXT" in help_text(query)
    values = bind_values(query, {"voice": "it's"}, NOW, UTC)
    shown = shown_sql(query, values, literals=True)
    assert "voice = cast('it''s' as text)" in shown
    assert not binds(shown)


@each_query
def test_shown_sql_answers_the_same_without_what_says_nothing(
    engine: str, query: NamedQuery, readers: dict[tuple[str, int], Reader]
) -> None:
    reader = readers[engine, 1]
    for written in (
        {},
        {"since": "2026-03-02T07:00:00Z", "host": "h1", "limit": "3", "level": "error"},
        {"until": "2026-03-02T08:00:00Z", "service": "it's (or) 'and", "voice": "nova"},
    ):
        given = {n: v for n, v in written.items() if query.param(n)}
        values = bind_values(query, given, NOW, UTC)
        shown = shown_sql(query, values, literals=True)
        asked = reader.query(query.statement(values), values).rows
        assert reader.query(shown, None).rows == asked, shown


def test_shown_sql_has_no_condition_that_says_nothing() -> None:
    query = next(q for q in TAKING if q.name == "failure_by_stage")
    plain = shown_sql(query, bind_values(query, {}, NOW, UTC), literals=True)
    assert "infinity" not in plain and "null is null" not in plain and "limit" not in plain
    values = bind_values(query, {"host": "h1", "since": "2026-03-02T07:00Z"}, NOW, UTC)
    given = shown_sql(query, values, literals=True)
    assert "where logged_at >= cast('2026-03-02 07:00:00+00:00' as timestamptz)" in given
    assert "and host = cast('h1' as text)\n" in given
