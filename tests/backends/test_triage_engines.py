"""Triage finds the same on every engine."""

from pathlib import Path

from ingest.causes.findings import NOTE
from ingest.tasks.triage.fetch import DAY, Window, newest
from ingest.tasks.triage.report import triage
from tests.support import harness, incidents


def _told(engine: str, folder: Path) -> list[tuple[object, ...]]:
    folder.mkdir()
    scene, _ = incidents.make("release", 10)
    store = harness.new_store_of(engine, folder)
    for host, path in incidents.write(scene, folder / "logs").items():
        harness.run(store, [path], host=host, final=True)
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


def test_duckdb_and_postgresql_find_the_same(tmp_path: Path) -> None:
    of_duckdb = _told("duckdb", tmp_path / "duckdb")
    assert of_duckdb
    assert _told("postgresql", tmp_path / "postgresql") == of_duckdb
