"""What ``ttsq ingest`` reads: the paths given, else the sources of the settings, as runs."""

import os
from collections.abc import Sequence
from typing import NamedTuple

from ingest.cli.options.logs import NO_PINS, GivenPins, chosen_format
from ingest.cli.settings.load import Settings, Source, local_host, zone
from ingest.errors import TtsqError, UsageProblem
from ingest.logfiles.discover import expand
from ingest.model import Ledger, RunReport
from ingest.paths import shown
from ingest.pipeline.options import Options
from ingest.rows.user_text import TextPolicy


class Given(NamedTuple):
    """The options of the command as given; None: as the settings say."""

    host: str | None = None
    service: str | None = None
    log_format: str | None = None
    datefmt: str | None = None
    tz: str | None = None
    final: bool = False
    dry_run: bool = False
    wait_seconds: float = 10.0
    text: TextPolicy | None = None
    exclude: tuple[str, ...] = ()
    access_format: str | None = None
    pins: GivenPins = NO_PINS
    migrate: bool = True


class Run(NamedTuple):
    """Log files that are read in one way."""

    paths: Sequence[str]
    options: Options


def planned(settings: Settings, paths: Sequence[str], given: Given) -> list[Run]:
    """The runs over ``paths``, else over the sources of the settings; all are checked before the
    first begins.

    :raises UsageProblem: when neither names any, or a format or a zone cannot be used.
    """
    named = [settings.for_paths._replace(paths=tuple(paths))] if paths else []
    sources = named or settings.sources
    if not sources:
        raise UsageProblem(
            "no log files are named", "ttsq ingest PATH, or [[sources]] in the settings"
        )
    return [Run(s.paths, _options(s, given, settings)) for s in sources]


def as_sources_say(settings: Settings, paths: Sequence[str], given: Given) -> list[Run]:
    """The runs over ``paths``, each file as the source of the settings says that it is of; as
    :func:`planned` where it is of none.

    :raises UsageProblem: when a format or a zone cannot be used.
    """
    files, _ = expand(paths, given.exclude)
    runs, left = [], {str(path): path for path in files}
    for source in settings.sources:
        own, _ = expand(source.paths, source.exclude)
        there = {shown(os.path.abspath(path)) for path in own}
        mine = [name for name, path in left.items() if shown(os.path.abspath(path)) in there]
        if mine:
            runs.append(Run(mine, _options(source, given, settings)))
        for name in mine:
            del left[name]
    # what is not there is named by the run that it is left to
    others = [*left, *(p for p in paths if not expand([p], given.exclude)[0])]
    return [*runs, *(planned(settings, others, given) if others else [])]


def _options(source: Source, given: Given, settings: Settings) -> Options:
    return Options(
        host=shown(given.host or source.host or local_host()),
        service=shown(given.service or source.service),
        format=chosen_format(
            source, given.log_format, given.datefmt, given.access_format, given.pins
        ),
        tz=zone(given.tz or source.tz),
        final=given.final,
        dry_run=given.dry_run,
        wait_seconds=given.wait_seconds,
        text=given.text or settings.text,
        profile_folder=settings.profile_folder,
        migrate=given.migrate,
        exclude=(*source.exclude, *given.exclude),
    )


def together(reports: Sequence[RunReport], absent: Sequence[TtsqError]) -> RunReport:
    """At least one run as one report, in order; ``absent`` are sources that could not be read."""
    rows: dict[str, int] = {}
    for report in reports:
        for table, count in report.rows.items():
            rows[table] = rows.get(table, 0) + count
    return RunReport(
        store=reports[0].store,
        started_at=reports[0].started_at,
        finished_at=reports[-1].finished_at,
        files=tuple(file for report in reports for file in report.files),
        ledger=sum((report.ledger for report in reports), Ledger()),
        bytes_read=sum(report.bytes_read for report in reports),
        rows=rows,
        problems=(*(p for report in reports for p in report.problems), *absent),
        anew=tuple(path for r in reports for path in r.anew),
        migrated=next((r.migrated for r in reports if r.migrated is not None), None),
    )
