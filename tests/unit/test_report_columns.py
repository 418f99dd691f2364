"""Rows kept as Arrow columns: every format writes of them, byte for byte, what it writes of tuples."""  # noqa: E501

import math
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.render import columns as report_columns
from ingest.render.formats import Look, parquet_bytes, render
from ingest.stores.contract import QueryResult
from ingest.stores.results import TableRows

TEXT_FORMATS = ("csv", "jsonl", "json", "markdown", "table")
# Half an hour of summer time; quarters of an hour; seconds, until 1972; one that skipped a day; a change at 00:01.  # noqa: E501
ZONES = [
    *map(ZoneInfo, ("Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu")),
    *map(ZoneInfo, ("Africa/Monrovia", "Pacific/Apia", "America/Goose_Bay")),
    ZoneInfo("Asia/Shanghai"),
    UTC,
    None,
]
CHANGES = [
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
    datetime(2011, 12, 30, 10, tzinfo=UTC),
    datetime(1972, 1, 7, 0, 44, 30, tzinfo=UTC),
    datetime(
        1971, 5, 1, 0, 44, 30, tzinfo=UTC
    ),  # midnight, where noon is not at a quarter of an hour
    datetime(1987, 4, 5, 4, 1, tzinfo=UTC),
    datetime(1986, 1, 1, tzinfo=UTC),
    datetime(1, 1, 3, tzinfo=UTC),
    datetime(9999, 12, 29, tzinfo=UTC),
]
HOSTILE = st.one_of(
    st.sampled_from(["", "x", "=1+1", "+1", "-", "@a", "\t", "＝", "a\rb", "\x1b[31m", '"', "a,b",
    "\\", "\x00", "\x9b", "|", "<b>"]),
    st.sampled_from(["\u202e", "\ufeff", "\U000e0041", "你好，世界", "👩\u200d🚀", "null", "{}",
    '{"a": [1.0, "\u202e"]}', "NaN", "x\xa0", "\u3000", "e\u0301", " "]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=12),
)  # fmt: skip
DOUBLES = st.one_of(
    st.floats(),
    st.floats(-1e10, 1e10),
    st.integers(-(2**60), 2**60).map(float),
    st.sampled_from(
        [
            -0.0,
            1e-3,
            1e9,
            999999999.5,
            1e10 + 0.5,
            -5e12 - 0.5,
            2.0**53,
            2.0**53 - 1,
            1e15,
            1e16,
            5e-324,
            1e22,
        ]
    ),
    st.decimals(-1000, 1000, places=3).map(float),
)
NEAR = st.builds(
    lambda at, apart: at + timedelta(microseconds=apart),
    st.sampled_from(CHANGES),
    st.one_of(
        st.integers(-2_000_000, 2_000_000),
        st.sampled_from([0, -1, 10**6, 9 * 10**8, -9 * 10**8, 36 * 10**8 - 1]),
    ),
)
KINDS: list[tuple[pa.DataType, st.SearchStrategy[object]]] = [
    (pa.string(), HOSTILE),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),
    (pa.int32(), st.integers(-99, 99)),
    (pa.float64(), DOUBLES),
    (pa.float32(), st.floats(width=32)),
    (pa.bool_(), st.booleans()),
    (pa.date32(), st.dates()),
    (pa.timestamp("us", "UTC"), NEAR),
    (pa.timestamp("us"), NEAR.map(lambda at: at.replace(tzinfo=None))),
    (pa.timestamp("us"), st.datetimes()),
]


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    count = draw(st.integers(0, 9))
    kinds = draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=5))
    columns = [
        pa.array(draw(st.lists(st.none() | values, min_size=count, max_size=count)), kind)
        for kind, values in kinds
    ]
    names = draw(st.lists(HOSTILE | st.just("c"), min_size=len(columns), max_size=len(columns)))
    return pa.Table.from_arrays(columns, names=names)


LOOKS = st.builds(
    Look,
    width=st.sampled_from([None, 80]),
    tz=st.sampled_from(ZONES),
    is_terminal=st.booleans(),
    csv_safe=st.booleans(),
    types=st.sampled_from([{}, {"c": "json"}]),
)


def both(table: pa.Table) -> tuple[QueryResult, QueryResult]:
    """The same rows as columns and as tuples."""
    names = tuple(table.column_names)
    columns = [[in_utc(value) for value in column.to_pylist()] for column in table.columns]
    tuples = list(zip(*columns, strict=True))
    return QueryResult(names, TableRows(table)), QueryResult(names, tuples)


def in_utc(value: object) -> object:
    """Arrow names the zone; DuckDB's tuples, like ours, have the one that is always there."""
    is_aware = isinstance(value, datetime) and value.tzinfo is not None
    return value.replace(tzinfo=UTC) if is_aware else value  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pieces of few rows, and a zone of the machine that changes its time."""
    monkeypatch.setattr(report_columns, "_PIECE_ROWS", 3)
    monkeypatch.setattr(report_columns, "_PIECE_BYTES", 100)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def one(*values: object, kind: pa.DataType | None = None) -> pa.Table:
    return pa.table({"c": pa.array(values, kind)})


@given(tables(), LOOKS)
@example(one("", None, "x"), Look())
@example(one(None, None, kind=pa.string()), Look())
@example(one(1e9, 1e-3, 1e15, -0.0, math.inf, math.nan), Look())
@example(one(1e10 + 0.5, 5e12 + 0.5, 1e-5), Look())
@example(one("a\rb"), Look())
@example(one(*CHANGES, kind=pa.timestamp("us", "UTC")), Look(tz=ZoneInfo("Africa/Monrovia")))
@example(one(*CHANGES, kind=pa.timestamp("us", "UTC")), Look(tz=ZoneInfo("America/Goose_Bay")))
def test_columns_are_written_like_tuples(table: pa.Table, look: Look) -> None:
    columns, tuples = both(table)
    for kind in TEXT_FORMATS:
        assert render(columns, kind, look) == render(tuples, kind, look), kind


@given(tables(), st.sampled_from([None, "integer", "number", "text", "timestamp", "boolean"]))
def test_parquet_of_columns_is_that_of_tuples(table: pa.Table, kind: str | None) -> None:
    table = table.rename_columns([str(n) for n in range(table.num_columns)])
    columns, tuples = both(table)
    types = {} if kind is None else dict.fromkeys(table.column_names, kind)
    assert parquet_bytes(columns, types) == parquet_bytes(tuples, types)


@given(tables(), st.integers(-10, 10), st.integers(-10, 10), st.sampled_from([None, 1, 2, -1]))
def test_rows_of_columns_are_a_sequence_of_tuples(
    table: pa.Table, start: int, stop: int, step: int | None
) -> None:
    columns, tuples = both(table)
    assert len(columns.rows) == len(tuples.rows)
    assert bool(columns.rows) == bool(tuples.rows)
    assert repr(list(columns.rows)) == repr(tuples.rows)
    assert repr(columns.rows[start:stop:step]) == repr(tuples.rows[start:stop:step])
    if -len(tuples.rows) <= start < len(tuples.rows):
        assert repr(columns.rows[start]) == repr(tuples.rows[start])
    else:
        with pytest.raises(IndexError):
            columns.rows[start]


@pytest.mark.parametrize("tz", ZONES, ids=str)
def test_a_year_of_instants_in_every_zone(
    tz: tzinfo | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each quarter of an hour of the months in which clocks are changed, each fifth hour of the
    others; the last microsecond before, too.
    """
    monkeypatch.setattr(report_columns, "_PIECE_ROWS", 10_000)
    monkeypatch.setattr(report_columns, "_PIECE_BYTES", 10**6)
    year = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15) * n for n in range(35_040))
    starts = [
        at
        for at in year
        if at.month in (3, 4, 10)
        or at.timetuple()[1:3] == (11, 1)
        or (at.minute, at.hour % 5) == (0, 0)
    ]
    ends = [at - timedelta(microseconds=1) for at in starts]
    columns, tuples = both(one(*starts, *ends, kind=pa.timestamp("us", "UTC")))
    assert render(columns, "csv", Look(tz=tz)) == render(tuples, "csv", Look(tz=tz))


def test_values_are_of_pythons_types() -> None:
    at = datetime(2026, 3, 2, 6, 22, 37, 892000, tzinfo=UTC)
    row = (at, at.replace(tzinfo=None), date(2026, 3, 2), 2**63 - 1, 0.5, True, "你好", None)
    table = pa.Table.from_arrays([pa.array([v]) for v in row], names=[str(n) for n in range(8)])
    assert list(TableRows(table)) == [row]
    assert [type(v) for v in TableRows(table)[0]] == [type(v) for v in row]
