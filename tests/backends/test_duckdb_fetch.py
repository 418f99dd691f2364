"""Rows of a DuckDB statement: the same ones, of the same types, few or many."""

import subprocess
import sys
from collections.abc import Iterator

import duckdb
import pytest

from ingest.stores.duckdb.fetch import FEW, fetched
from ingest.stores.results import TableRows

# Filters, joins and limits leave vectors of the result that are not full.
MANY = [
    "select n, n::varchar as s from many",
    "select n from many where n % 3 = 0 order by n desc",
    "select n from many where hash(n) % 7 < 3",
    "select a.n, b.n from many a join many b on a.n = b.n + 1 order by a.n",
    "select n from many order by hash(n) limit 20001 offset 5",
    f"select n from many limit {FEW - 1}",
    f"select n from many limit {FEW}",
    f"select n from many limit {FEW + 1}",
    "select n from many limit 0",
]
VALUES = [
    "true", "1::tinyint", "-1::smallint", "1", "9223372036854775807", "255::utinyint",
    "1::usmallint", "1::uinteger",
    "18446744073709551615::ubigint", "170141183460469231731687303715884105727::hugeint",
    "1::uhugeint", "sum(1) over ()",
    "0.1::float", "0.1::double", "'nan'::double", "'-inf'::double", "1.50::decimal(9, 2)",
    "avg(1) over ()", "null",
    "'你好'", "''", "e'\\n\\x1b'", "chr(0)", "'{\"a\": 1}'::json", "'x'::blob",
    "'x'::enum('x', 'y')", "'x'::varchar collate nocase",
    "date '2026-03-02'", "date '0001-01-01'", "date '9999-12-31'", "date 'infinity'",
    "date '-infinity'", "date '20000-01-01'",
    "timestamptz '2026-03-02 06:22:37.892+08'", "timestamptz 'infinity'", "timestamptz '-infinity'",
    "timestamptz '20000-01-01'",
    "timestamptz '0001-01-01'", "timestamptz '9999-12-31 23:59:59.999999'",
    "timestamptz '0044-03-15 (BC)'",
    "timestamp '2026-03-02 06:22:37.892001'", "timestamp 'infinity'", "timestamp '20000-01-01'",
    "timestamp_s '2026-03-02'",
    "timestamp_ms '2026-03-02'", "timestamp_ns '2026-03-02'", "time '10:00'",
    "timetz '10:00:00+01'", "interval 1 month",
    "uuid '0e31d8df-c135-480d-8ca7-c8860733218b'", "[1, null]", "[timestamptz '2026-03-02']",
    "{'a': 1}", "map {1: 'x'}",
    "'101'::bit", "'x' collate nocase", "union_value(a := 1)",
]  # fmt: skip


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; set threads = 2")
        connection.execute("create table many as select range as n from range(100000)")
        yield connection


@pytest.mark.parametrize("sql", MANY)
def test_no_row_is_lost_or_doubled(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    found = fetched(lambda: connection.execute(sql))
    cursor = connection.execute(sql)
    assert found.columns == tuple(d[0] for d in cursor.description or ())
    expected = cursor.fetchall()
    assert list(found.rows) == expected
    assert isinstance(found.rows, TableRows) == (len(expected) >= FEW)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("count", [3, FEW + 1])
def test_values_are_those_that_duckdb_makes(
    connection: duckdb.DuckDBPyConnection, value: str, count: int
) -> None:
    sql = (
        f"select if(range % 3 = 1, null, x) as x from (select range, {value} as x from "
        f"range({count}))"
    )
    found = list(fetched(lambda: connection.execute(sql)).rows)
    expected = connection.execute(sql).fetchall()
    assert [_shown(row) for row in found] == [_shown(row) for row in expected]
    assert [type(x) for (x,) in found] == [type(x) for (x,) in expected]


def _shown(row: object) -> str:
    """A row in full, unlike ``==`` also NaN and the scale of decimals; there are two classes for
    one zone.
    """
    return repr(row).replace("<UTC>", "datetime.timezone.utc")


_COLD = """
import sys
from ingest.cli.process.without_pandas import do_without_pandas
do_without_pandas()
import duckdb
from ingest.stores.duckdb import fetch
from ingest.stores.duckdb.fetch import FEW, fetched
connection = duckdb.connect()
connection.execute("set TimeZone = 'UTC'")
def show(sql, binds=()):
    ran = []
    def run():
        ran.append(sql)
        return connection.execute(sql, binds)
    rows = fetched(run).rows
    print(type(rows).__name__, len(rows), sum(row[0] for row in rows), len(ran), "pyarrow" in sys.modules, "pandas" in sys.modules)
fetch._QUICK = 3600.0  # however busy the machine is
show("select range, to_timestamp(range) from range(?)", [FEW - 1])
if sys.argv[1] == "slow":
    fetch._QUICK = -1.0
    show("select range, to_timestamp(range) from range(?)", [FEW - 1])
show("select range, to_timestamp(range) from range(?)", [FEW + 5000])
"""  # noqa: E501


@pytest.mark.parametrize("speed", ["quick", "slow"])
def test_arrow_is_loaded_for_many_rows_or_beside_a_slow_statement(speed: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _COLD, speed], capture_output=True, text=True, check=True
    )
    few, many = FEW - 1, FEW + 5000
    small = f"list {few} {sum(range(few))} 1"
    large = f"TableRows {many} {sum(range(many))}"
    assert done.stdout.splitlines() == (
        [f"{small} False False", f"{large} 2 True False"]
        if speed == "quick"
        else [f"{small} False False", f"{small} True False", f"{large} 1 True False"]
    )
