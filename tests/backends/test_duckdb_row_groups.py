"""Row groups of a store that grows by small commits: most commits write only what is new, and yet
tables are not made of small groups.
"""

from itertools import pairwise
from pathlib import Path

import duckdb

from ingest.stores.duckdb.connection import MERGE_EVERY
from ingest.stores.duckdb.store import DuckDBStore
from tests.support import harness
from tests.support.command_line import lines


def _sizes(store: Path) -> list[int]:
    """Rows of each row group of requests."""
    with duckdb.connect(str(store), read_only=True) as connection:
        found = connection.execute(
            "select max(count) from pragma_storage_info('requests') "
            "where column_name = 'request_key' and segment_type = 'BIGINT' "
            "group by row_group_id order by row_group_id"
        )
        return [size for (size,) in found.fetchall()]


def test_each_few_runs_merge_small_row_groups_and_the_others_leave_them(tmp_path: Path) -> None:
    path, log = harness.new_store(tmp_path).path, tmp_path / "app.log"
    before: list[int] = []
    merging = []
    for number in range(3 * MERGE_EVERY):
        with log.open("a") as file:
            file.write(lines(10 * number, 10))
        harness.run(DuckDBStore(path), [log])
        sizes = _sizes(path)
        if sizes[: len(before)] != before:
            merging.append(number)
        before = sizes
    assert [later - one for one, later in pairwise(merging)] == [MERGE_EVERY] * 2
    assert len(before) < MERGE_EVERY
