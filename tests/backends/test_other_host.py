"""A log that is read for another host than before."""

from pathlib import Path

import pytest

from tests.support import harness
from tests.support.log_writer import Journal, to_bytes


@pytest.mark.parametrize(
    ("engine", "hosts"),
    [("duckdb", ["a"]), ("postgresql", ["a", "b"]), ("clickhouse", ["a", "b"])],
)
def test_a_store_of_one_writer_knows_it_and_a_host_on_a_server_knows_its_own_files_only(
    engine: str, hosts: list[str], tmp_path: Path
) -> None:
    store, log = harness.new_store_of(engine, tmp_path), tmp_path / "app.log"
    log.write_bytes(to_bytes(Journal().failures(30)))
    for host in ("a", "b", "a"):
        assert not harness.run(store, [log], final=True, host=host).problems
    sql = "select host, count(*) from errors group by host order by host"
    with store.reading() as reader:
        assert reader.query(sql, None).rows == [(host, 30) for host in hosts]
