"""Triage finds the same on every engine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.causes.dimensions import CONCURRENCY, Condition
from ingest.causes.findings import NOTE, Finding
from ingest.causes.symptoms import SILENCE
from ingest.stores.contract import Store
from ingest.tasks.triage.explain import statement
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


def _lives(folder: Path) -> Path:
    """A log of requests of which up to five are in flight."""
    log, lines = folder / "app.log", []
    for n in range(40):
        at = datetime(2026, 3, 2, 10) + timedelta(seconds=n)
        end = at + timedelta(seconds=n * 7 % 11 / 2, milliseconds=1)
        lines += [
            (at, f"synthesis_start: id=ts_{n}, text=hello"),
            (end, f"synthesis_complete: id=ts_{n}, status=success, duration_ms=5"),
        ]
    told = (
        f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03} - app - INFO - {m}"
        for at, m in sorted(lines)
    )
    log.write_text("".join(f"{line}\n" for line in told))
    return log


def crowded(store: Store, folder: Path) -> None:
    """The SQL of a crowd gives the requests that began when so many were in flight."""
    harness.run(store, [_lives(folder)], final=True)
    window = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
    with store.reading() as reader:
        rows = reader.query("select id, started_at, completed_at from requests", {}).rows
        in_flight = {i: sum(a <= at < b or other == i for other, a, b in rows) for i, at, _ in rows}
        assert len(set(in_flight.values())) > 2
        for op, holds in ((">=", int.__ge__), ("<", int.__lt__)):
            finding = Finding(SILENCE, NOTE, conditions=(Condition(CONCURRENCY, op, 3),))
            found = {row[0] for row in reader.query(statement(finding, window), {}).rows}
            assert found == {i for i, n in in_flight.items() if holds(n, 3)}


@pytest.mark.parametrize("engine", harness.ENGINES)
def test_the_sql_of_a_crowd_shows_it(engine: str, tmp_path: Path) -> None:
    crowded(harness.new_store_of(engine, tmp_path), tmp_path)
