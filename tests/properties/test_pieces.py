"""What is asked of few rows of request_parts in memory is what statements find of many."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import Origin
from ingest.stores.duckdb import pieces as duckdb_pieces
from ingest.stores.duckdb.memory import Memory
from ingest.stores.duckdb.pieces import Pieces

_EPOCH = datetime(2026, 3, 1, tzinfo=UTC)
_INSTANT = pa.timestamp("us", "UTC")
_COLUMNS = (
    "id varchar, host varchar not null, service varchar not null, file_key bigint not null, "
    "request_key bigint not null, first_offset bigint not null, logged_at timestamptz not null, "
    "last_at timestamptz not null, start_offset bigint, end_offset bigint, text varchar, "
    "attributes varchar, request_id varchar"
)
_ORIGIN = Origin(1, "h1", "s1")

ids = st.sampled_from(["a", "b'\""])
seconds = st.integers(0, 6)
places = st.none() | st.integers(0, 1)
mostly = st.sampled_from([1, 1, 1, 1, 2])
rows = st.lists(
    st.tuples(
        st.sampled_from(["a", "a", "b'\"", None]),
        mostly.map("h{}".format), mostly.map("s{}".format), mostly,
        st.integers(1, 5), seconds, st.integers(0, 2), places, places,
    ),
    max_size=12,
)  # fmt: skip


def _at(second: int) -> datetime:
    return _EPOCH + timedelta(seconds=second)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(":memory:", config={"threads": 1}) as made:
        made.execute("set TimeZone = 'UTC'")
        made.execute(f"create table request_parts ({_COLUMNS})")
        yield made


def _fill(connection: duckdb.DuckDBPyConnection, stored: list[tuple[object, ...]]) -> None:
    connection.execute("delete from request_parts")
    for number, (name, host, service, file, key, at, took, start, end) in enumerate(stored):
        connection.execute(
            "insert into request_parts values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 't', null, null)",
            [name, host, service, file, key, number, _at(at), _at(at + took), start, end],  # type: ignore[operator,arg-type]
        )


def _both_ways(
    connection: duckdb.DuckDBPyConnection, ask: Callable[[Pieces], pa.Table | pa.Array]
) -> None:
    in_memory = Pieces(connection, Memory(connection))
    found = ask(in_memory)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(duckdb_pieces, "_FEW", -1)
        wanted = ask(Pieces(connection, Memory(connection)))
    assert (
        found.type == wanted.type
        if isinstance(found, pa.Array)
        else found.schema.equals(wanted.schema)
    )
    assert sorted(map(repr, found.to_pylist())) == sorted(map(repr, wanted.to_pylist()))


@given(rows, st.lists(ids, unique=True), seconds, st.integers(0, 6))
def test_known_ids(connection, stored, batch, low, long) -> None:  # type: ignore[no-untyped-def]
    _fill(connection, stored)
    _both_ways(
        connection,
        lambda p: p.known(_ORIGIN, pa.array(batch, pa.string()), _at(low), _at(low + long)),
    )


@given(rows, st.dictionaries(ids, st.integers(0, 12)))
def test_last_pieces(connection, stored, before) -> None:  # type: ignore[no-untyped-def]
    _fill(connection, stored)
    heads = pa.table(
        {
            "id": pa.array(list(before), pa.string()),
            "before": pa.array(list(before.values()), pa.int64()),
        }
    )
    _both_ways(connection, lambda p: p.last(_ORIGIN, heads))


@given(rows, st.lists(st.tuples(ids, seconds, st.integers(0, 2)), min_size=1, max_size=2))
def test_pieces_near(connection, stored, windows) -> None:  # type: ignore[no-untyped-def]
    _fill(connection, stored)
    asked = pa.table(
        {
            "id": pa.array([name for name, _, _ in windows], pa.string()),
            "low": pa.array([_at(low) for _, low, _ in windows], _INSTANT),
            "high": pa.array([_at(low + long) for _, low, long in windows], _INSTANT),
        }
    )
    _both_ways(connection, lambda p: p.near(_ORIGIN, asked))


def test_rows_that_come_and_go_are_seen(connection: duckdb.DuckDBPyConnection) -> None:
    pieces = Pieces(connection, Memory(connection))
    asked = pa.array(["a", "b"])
    _fill(connection, [("a", "h1", "s1", 1, 1, 0, 0, 0, None)])
    assert pieces.known(_ORIGIN, asked, _at(0), _at(9)).to_pylist() == ["a"]
    _fill(connection, [("b", "h1", "s1", 1, 1, 0, 0, 0, None)])
    pieces.changed()
    assert pieces.known(_ORIGIN, asked, _at(0), _at(9)).to_pylist() == ["b"]


def test_once_they_are_many_each_question_is_a_statement(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_pieces, "_FEW", 2)
    pieces = Pieces(connection, Memory(connection))
    _fill(connection, [(name, "h1", "s1", 1, 1, 0, 0, 0, None) for name in "abc"])
    for _ in range(2):
        found = pieces.known(_ORIGIN, pa.array(["c", "x"]), _at(0), _at(9))
        assert found.to_pylist() == ["c"]
        pieces.changed()
