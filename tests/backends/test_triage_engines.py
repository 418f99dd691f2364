"""Triage finds the same on every engine."""

from pathlib import Path

import pytest

from ingest.causes.findings import NOTE
from ingest.tasks.triage.fetch import DAY, Window, newest
from ingest.tasks.triage.report import triage
from tests.support import harness, incidents


def _told(engine: str, kind: str, folder: Path) -> list[tuple[object, ...]]:
    folder.mkdir()
    written, _ = incidents.written(kind, 10, folder / "logs")
    store = harness.new_store_of(engine, folder)
    for host, paths in written.items():
        harness.run(store, paths, host=host, final=True)
    with store.reading() as reader:
        end = newest(reader)
        assert end is not None
        report = triage(reader, Window(end - DAY, end))
    found = [t.finding for t in report.told]
    return [
        (
            f.symptom,
            f.code,
            f.stage,
            f.conditions,
            f.severity,
            round(f.affected),
            f.since,
            f.location,
        )
        for f in found
        if f.severity != NOTE
    ]


@pytest.mark.parametrize("kind", ["release", "proxy_errors"])
def test_duckdb_and_postgresql_find_the_same(kind: str, tmp_path: Path) -> None:
    of_duckdb = _told("duckdb", kind, tmp_path / "duckdb")
    assert of_duckdb
    assert _told("postgresql", kind, tmp_path / "postgresql") == of_duckdb
