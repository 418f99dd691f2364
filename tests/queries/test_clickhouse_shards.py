"""Every query on the two shards of a cluster, against the same oracle as on one server."""

import random
from collections.abc import Iterator
from datetime import UTC

import pytest

from ingest.named_queries.library import NamedQuery, load_library
from ingest.named_queries.values import bind_values
from ingest.stores.clickhouse.store import ClickHouseStore
from ingest.stores.contract import Reader
from ingest.stores.migrate import ensure_head
from tests.queries.oracle import ORACLES
from tests.queries.rows import Rows, draw_rows
from tests.queries.test_clickhouse import filled
from tests.queries.test_contract import NOW, ask, assert_same, cases, touching_windows
from tests.support import clickhouse_server

_SEED, _CASES = 2, 2


@pytest.fixture(scope="module")
def truth() -> Rows:
    return draw_rows(_SEED)


@pytest.fixture(scope="module")
def reader(truth: Rows) -> Iterator[Reader]:
    server = clickhouse_server.two_shards()[0]
    store = ClickHouseStore(f"{server.url(server.new_database())}?cluster=two")
    ensure_head(store)
    with filled(store, truth).reading() as reader:
        yield reader


@pytest.mark.parametrize("query", load_library(None, "clickhouse"), ids=lambda q: str(q.name))
def test_rows_equal_the_oracle(query: NamedQuery, truth: Rows, reader: Reader) -> None:
    tried = [*cases(query), *touching_windows(query, truth)]
    random.Random(query.name).shuffle(tried)
    for given in [{}, *tried[:_CASES]]:
        values = bind_values(query, given, NOW, UTC)
        assert_same(ask(reader, query, given), ORACLES[query.name](truth, values), given)
