"""A store to ask: the named queries, SQL, traces, triage, and ingest."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from ingest.cli.options.logs import chosen_format
from ingest.cli.options.sources import Given, planned, together
from ingest.cli.settings.load import default_store, load, store_url, zone
from ingest.errors import UsageProblem
from ingest.model import RunReport
from ingest.named_queries.library import NamedQuery, load_library, load_query
from ingest.named_queries.values import bind_values, parse_instant
from ingest.pipeline import ingest as pipeline
from ingest.records.read_with import ReadWith
from ingest.rows.user_text import TextPolicy
from ingest.stores.contract import Reader
from ingest.stores.migrate import require_head
from ingest.stores.open import backend_of
from ingest.stores.open import open_store as opened
from ingest.tasks.trace.find import find, gather, wanted_records
from ingest.tasks.trace.lines import read_lines
from ingest.tasks.trace.listing import matches_json, trace_json
from ingest.tasks.triage.fetch import Window, newest
from ingest.tasks.triage.listing import finding_object
from ingest.tasks.triage.phrases import Clock
from ingest.tasks.triage.report import triage
from ttsq.rows import Rows

Instant = datetime | date | str
_DAY = timedelta(hours=24)
_AROUND = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Question:
    """A named query: what it answers, its parameters and its columns."""

    name: str
    summary: str
    question: str
    parameters: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, as ``ttsq triage --json`` has it; rates are 0 to 1, instants UTC."""

    rank: int
    severity: str
    symptom: str
    title: str
    title_zh: str
    since_at: datetime | None
    since_place: str | None
    until_at: datetime | None
    condition: Mapping[str, Any]
    error_code: str | None
    stage: str | None
    location: str | None
    affected: int
    population: int
    rate: float | None
    rate_outside: float | None
    examples: Sequence[Mapping[str, Any]]
    next: str


@dataclass(frozen=True, slots=True)
class Ingested:
    """What an ingest did: rows added per table, and where each byte went."""

    files: int
    records: int
    quarantined: int
    lost_bytes: int
    rows: Mapping[str, int]
    problems: tuple[str, ...]


def open_store(
    url: str | None = None, *, tz: str | None = None, config: Path | None = None
) -> "Store":
    """Open a store: a SQLAlchemy URL, else ``TTSQ_DB``, the settings file's ``db``, or the default
    store.

    ``tz`` is the IANA zone in which instants without one are read. Nothing is opened yet.

    :raises TtsqError: for settings, a URL or a zone that cannot be used.
    """
    settings = load(config, os.environ).settings
    chosen = store_url(url or settings.db or default_store(), settings.db_password_file)
    return Store(chosen, tz or settings.tz, config)


class Store:
    """A store. Each call opens a session of its own, so that no ingest waits for a notebook."""

    def __init__(self, url: str, tz: str | None, config: Path | None) -> None:
        self._url = url
        self._store = opened(url)
        self._tz = zone(tz)
        self._settings = load(config, os.environ).settings

    def __repr__(self) -> str:
        return f"<ttsq store {self._store.description}>"

    def questions(self) -> list[Question]:
        """The named queries, by name."""
        library = load_library(self._settings.query_folder, backend_of(self._url))
        return [_question(q) for q in library]

    def named(self, name: str) -> NamedQuery:
        """A named query of the library, or of the settings' folder.

        :raises TtsqError: for a query that does not exist.
        """
        return load_query(name, self._settings.query_folder, backend_of(self._url))

    def query(self, name: str, *, as_of: str | Instant | None = None, **parameters: object) -> Rows:
        """The answer of a named query; ``since="24h"``, ``until=datetime(…)``, ``limit=10``.

        ``as_of="data"`` lets ages count back from the newest record.

        :raises TtsqError: for a query or parameter that does not exist, a wrong value, or a failing
            store.
        """
        query = self.named(name)
        given = {n: _written(v) for n, v in parameters.items() if v is not None}
        with self._reading() as reader:
            now = datetime.now(UTC)
            end = newest(reader) if as_of == "data" else self._instant("as_of", as_of, now)
            values = bind_values(query, given, now, self._tz, end)
            result = reader.query(query.statement(values), values)
        return Rows(result, {c.name: c.type for c in query.columns})

    def sql(self, text: str, **binds: object) -> Rows:
        """The rows of one SELECT, read only; ``:name`` parameters are bound.

        :raises TtsqError: for a statement that the store refuses.
        """
        with self._reading() as reader:
            result = reader.query(text, binds or None)
        return Rows(result, {})

    def bounded_sql(self, text: str, seconds: float) -> Rows:
        """The rows of one SELECT of somebody else's, stopped after so many seconds.

        :raises TtsqError: for a statement that the store refuses, or that takes longer, or for a
            PostgreSQL role that may do more than read.
        """
        with self._reading() as reader:
            return Rows(reader.ask(text, seconds, allow_superuser=False), {})

    def trace(self, wanted: str, *, at: Instant | None = None) -> Mapping[str, Any]:
        """One request's life by id, X-Request-ID or the beginning of one, as ``ttsq trace --json``
        has it.

        Of several requests a mapping with ``matches`` comes back.

        :raises TtsqError: when nothing answers to the id.
        """
        with self._reading() as reader:
            found = find(reader, wanted, self._instant("at", at, datetime.now(UTC)))
            if len(found.matches) > 1:
                return _object(matches_json(found, self._tz))
            traced = gather(reader, found.matches[0], _AROUND, running=False, full=False)
        parser = ReadWith(chosen_format(self._settings.for_paths, None, None), self._tz)
        lines = read_lines(traced.files, wanted_records(traced), traced.names, parser)
        return _object(trace_json(found, traced, lines, self._tz))

    def triage(
        self, since: Instant | None = None, until: Instant | None = None, *, limit: int = 5
    ) -> list[Finding]:
        """What is wrong and why, the root cause first; the newest 24 hours of data by default.

        :raises TtsqError: for an instant that cannot be read, or a failing store.
        """
        with self._reading() as reader:
            end = newest(reader) or datetime.now(UTC)
            last = self._instant("until", until, end) or end
            first = self._instant("since", since, end) or last - _DAY
            report = triage(reader, Window(first, last), limit)
        clock = Clock(self._tz, last)
        return [_finding(finding_object(told, clock)) for told in report.told]

    def ingest(
        self,
        *paths: str | Path,
        host: str | None = None,
        service: str | None = None,
        log_format: str | None = None,
        datefmt: str | None = None,
        tz: str | None = None,
        text: TextPolicy | None = None,
        final: bool = False,
    ) -> Ingested:
        """Read what is new in log files, exactly once; without paths those of the settings'
        sources.

        What is not given is as in the settings. ``final``: nothing will follow in any file.

        :raises TtsqError: when no file can be read, another ingest holds the store, or the store
            fails.
        """
        given = Given(host, service, log_format, datefmt, tz, final, text=text)
        runs = planned(self._settings, [str(p) for p in paths], given)
        reports = [
            pipeline.ingest(self._store, run.paths, run.options, now=lambda: datetime.now(UTC))
            for run in runs
        ]
        return _ingested(together(reports, ()))

    def _reading(self) -> AbstractContextManager[Reader]:
        require_head(self._store)
        return self._store.reading()

    def _instant(self, name: str, value: Instant | None, now: datetime) -> datetime | None:
        if value is None:
            return None
        found = parse_instant(_written(value), now, self._tz)
        if found is None:
            raise UsageProblem(
                f"{name} is {value!r}, expected an instant, a date or an age",
                f"for example: {name}='2026-03-02T14:22', or {name}='6h'",
            )
        return found


def _written(value: object) -> str:
    """A value as an option would be written."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).lower() if isinstance(value, bool) else str(value)


def _object(text: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(text)
    return found


def _question(query: NamedQuery) -> Question:
    return Question(
        query.name,
        query.summary,
        query.question,
        tuple(p.name for p in query.options),
        tuple(c.name for c in query.columns),
    )


def _finding(told: Mapping[str, Any]) -> Finding:
    values = {f.name: told[f.name] for f in fields(Finding)}
    for name in ("since_at", "until_at"):
        if values[name] is not None:
            values[name] = datetime.fromisoformat(values[name])
    return Finding(**values)


def _ingested(report: RunReport) -> Ingested:
    return Ingested(
        files=len(report.files),
        records=report.ledger.records,
        quarantined=report.ledger.quarantined,
        lost_bytes=report.ledger.lost_bytes,
        rows=report.rows,
        problems=tuple(p.message for p in report.problems),
    )
